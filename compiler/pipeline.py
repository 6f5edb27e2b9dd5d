"""The compiler on one page: text -> tree -> names -> program -> plan. Each line is a pure call that returns a new value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from ..grammar import tree
from ..grammar.codes import CODES
from ..grammar.diagnostic import Diagnostic
from ..grammar.parse import Parsed, parse
from ..grammar.render import in_order
from ..grammar.repair import with_fix, without_echoes
from ..grammar.source import Source, Span
from . import env as environments
from . import lock
from .check import check
from .held_out import with_data_named
from .knowing import unknown_to_the_writer
from .link import Linked, Read, link
from .load import Files
from .memo import Memo
from .program import LOCAL, Program
from .resolve import resolve
from .target import Target


@dataclass(frozen=True, slots=True)
class Compiled:
    """`program` holds what could be understood; it is complete when `sound`. `document` has the statements of all
    files, as the chosen environment has them."""

    program: Program
    diagnostics: tuple[Diagnostic, ...]
    sources: Mapping[str, Source]
    document: tree.Document

    @property
    def envs(self) -> tuple[tree.Env, ...]:
        return tuple(s for s in self.document.statements if isinstance(s, tree.Env))

    @property
    def sound(self) -> bool:
        return all(CODES[d.code].severity != "error" for d in self.diagnostics)


@dataclass(slots=True)
class Memos:
    """A memo for each environment: what was found of the blocks as that one has them."""

    by_env: dict[str, Memo] = field(default_factory=dict)

    def of(self, env: str) -> Memo:
        return self.by_env.setdefault(env, Memo())


def compile_text(
    path: str, text: str, files: Files, targets: Mapping[str, Target] | None = None, env: str = LOCAL,
    sets: Sequence[str] = (), *, locked: bool = False,
) -> Compiled:  # fmt: skip
    """A pure, total function of the text and the files it names. `path` is shown to people.

    `targets` are the runtimes that an environment may name, `env` is the one to compile for; the others are checked.
    `sets`, as `deal = 7`, give params and arguments values besides those of the environment. `locked`: what sources hold
    is what the lock says, which speaks of this environment alone.
    """
    source = Source(path, text)
    return compile_parsed(source, parse(source), files, parse, targets or {}, env, Memos(), sets=sets, locked=locked)


def compile_parsed(
    source: Source, parsed: Parsed, files: Files, read: Read, targets: Mapping[str, Target], env: str, memos: Memos,
    sources: Mapping[str, Source] | None = None, sets: Sequence[str] = (), *, locked: bool = False,
) -> Compiled:  # fmt: skip
    """The same, of a text that has been read: `read` reads the specs that it uses, `sources` are more texts that its
    spans count in."""
    linked = _with_sets(link(source, parsed, files, read, sources or {}), sets)
    envs = environments.environments(linked.document)
    world = _Given(files, targets, lock.read(files.text(lock.FILE)), memos, locked)
    compiled = _for(envs.get(env), env, linked, world)
    others = [_for(envs[name], name, linked, world) for name in envs if name != env and not locked]
    told = [d for one in (compiled, *others) for d in one.diagnostics]
    told = list(with_data_named((*linked.diagnostics, *told), linked.document))
    told = in_order(unknown_to_the_writer(told, linked.document, linked.sources))
    told = [with_fix(one, linked.sources) for one in without_echoes(told)]
    told, shown = _as_given(told, linked.sources, sets)
    return Compiled(compiled.program, tuple(told), shown, compiled.document)


SETS, OPENED, SET = "--set", "env it on local {\n", "  set "


def _as_given(
    told: list[Diagnostic], sources: Mapping[str, Source], sets: Sequence[str]
) -> tuple[list[Diagnostic], Mapping[str, Source]]:
    """Mistakes in what was given for --set stand in the words that were given, one below the other."""
    if not sets:
        return told, sources
    text, starts = "".join(f"{one}\n" for one in sets), [0]
    for one in sets:
        starts.append(starts[-1] + len(one) + 1)

    def at(offset: int) -> int:
        behind = max((i for i in range(len(sets)) if starts[i] + len(OPENED) + len(SET) * i <= offset), default=0)
        return min(
            max(offset - len(OPENED) - len(SET) * (behind + 1), starts[behind]), starts[behind] + len(sets[behind])
        )

    def moved(span: Span) -> Span:
        return Span(SETS, at(span.start), at(span.end)) if span.path == SETS else span

    def given(one: Diagnostic) -> Diagnostic:
        labels = tuple(replace(label, span=moved(label.span)) for label in one.labels)
        fix = replace(one.fix, span=moved(one.fix.span)) if one.fix else None
        return replace(one, span=moved(one.span), labels=labels, fix=fix)

    return [given(one) for one in told], {**sources, SETS: Source(SETS, text)}


def _with_sets(linked: Linked, sets: Sequence[str]) -> Linked:
    """As if each environment set them: they are read as lines of one, so that mistakes in them are told alike."""
    if not sets:
        return linked
    source = Source(SETS, OPENED + "".join(f"{SET}{one}\n" for one in sets) + "}\n")
    parsed = parse(source)
    env = next((s for s in parsed.document.statements if isinstance(s, tree.Env)), None)
    document, wrong = linked.document, parsed.diagnostics
    if env is not None:
        overridden = environments.override(document, env, linked.lost)
        document, wrong = overridden.document, (*wrong, *overridden.diagnostics)
    sources = {**linked.sources, source.path: source}
    return replace(linked, document=document, diagnostics=(*linked.diagnostics, *wrong), sources=sources)


@dataclass(frozen=True, slots=True)
class _Given:
    """What a compile is handed besides the text."""

    files: Files
    targets: Mapping[str, Target]
    lock: lock.Lock
    memos: Memos
    locked: bool


def _for(env: tree.Env | None, name: str, linked: Linked, given: _Given) -> Compiled:
    """The program in one environment."""
    document, wrong = linked.document, tuple[Diagnostic, ...]()
    if env is not None:
        overridden = environments.override(document, env, linked.lost)
        document, wrong = overridden.document, overridden.diagnostics
    memo = given.memos.of(name)
    owner = lock.owner(document.path.rsplit("/", 1)[-1], name)
    pinned = {place[1]: one for place, one in given.lock.items() if place[0] == owner}
    names, unresolved = resolve(document, linked.lost, linked.uses, memo.named)
    locked = pinned if given.locked else {}
    program, mistakes = check(linked.sources, document, names, given.files, memo, pinned, locked)
    if env is not None:
        target = given.targets.get(env.runtime.text)
        lacking = environments.lacking(program, names.block_of, env, target) if target else ()
        wrong = (*wrong, *environments.check(env, given.targets, program.params), *lacking)
    environment = environments.environment(env, program.params, name)
    program = program.model_copy(update={"environment": environment})
    return Compiled(program, (*wrong, *unresolved, *mistakes), linked.sources, document)
