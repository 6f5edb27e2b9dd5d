"""Environments: what `env NAME on RUNTIME { … }` says, checked; and the blocks as its `set` lines make them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass, replace

from ..grammar import tree
from ..grammar.diagnostic import Diagnostic, Fix, Label, listing, nearest
from ..grammar.kinds import Argument
from ..grammar.source import Span
from . import meant, values
from .lines import said, word
from .program import LOCAL, Environment, Node, Program, Value
from .resolve import is_lost
from .target import Target

OPTIONED = {"needs": tree.Needs, "search": tree.Search}


@dataclass(frozen=True, slots=True)
class Overridden:
    """A document as an environment has it, and what is wrong with the environment's lines."""

    document: tree.Document
    diagnostics: tuple[Diagnostic, ...]


def environments(document: tree.Document) -> dict[str, tree.Env]:
    return {s.name.text: s for s in document.statements if isinstance(s, tree.Env)}


def environment(env: tree.Env | None, params: Mapping[str, Value], name: str = LOCAL) -> Environment:
    """Where it runs, as data; of lines with mistakes nothing."""
    if env is None:
        return Environment(name=name, runtime=LOCAL)
    options = {
        line.name: values.plain(value)
        for line in env.lines
        if isinstance(line, tree.Assign) and (value := values.read(line.value, params, [])) is not None
    }
    return Environment(name=env.name.text, runtime=env.runtime.text, options=options)


# --- the runtime and its options ----------------------------------------------------------------------------------


def check(env: tree.Env, targets: Mapping[str, Target], params: Mapping[str, Value]) -> list[Diagnostic]:
    told: list[Diagnostic] = []
    target = targets.get(env.runtime.text)
    if target is None:
        told.append(_no_such_runtime(env, targets))
    elif target.broken:
        told.append(Diagnostic("E109", env.runtime.span, {"word": env.runtime.text}, help=target.broken))
        target = None
    given: dict[str, tree.Assign] = {}
    for line in env.lines:
        match line:
            case tree.SetPath():
                pass
            case tree.Assign() if line.name in given:
                told.append(_twice(line.name, line, given[line.name].name_span))
            case tree.Assign():
                given[line.name] = line
                if target is not None:
                    told += _option(line, target, params)
            case _:
                told.append(Diagnostic("E209", line.span, {"line": said(line), "kind": "env"},
                                       help="an env holds options, name = value, and set path = value"))  # fmt: skip
    for option in sorted(target.required - set(given)) if target is not None and not env.unread else ():
        help_ = f"write in it: {option} = {_example(target, option)}"
        told.append(Diagnostic("E117", env.name.span, {"runtime": env.runtime.text, "option": option}, help=help_))
    return told


def _example(target: Target | None, name: str) -> str:
    option = next(one for one in target.options if one.name == name) if target else None
    return '"s3://bucket/folder"' if name == "store" else f'"{option.choices[0]}"' if option and option.choices else "…"


def lacking(program: Program, block_of: Mapping[str, tree.Block], env: tree.Env, target: Target) -> list[Diagnostic]:
    """What the blocks ask for and the runtime cannot do, each at its place."""
    return [
        Diagnostic(
            "E116",
            span,
            {"what": what, "runtime": target.name},
            labels=(Label(env.runtime.span, f"{env.name.text} runs on {target.name}"),),
            help=target.lacks[what],
        )
        for node in program.nodes
        if node.name in block_of  # else another has the name, which is told
        for what, span in _asked(node, block_of[node.name])
        if what in target.lacks
    ]


def _asked(node: Node, block: tree.Block) -> Iterator[tuple[str, Span]]:
    """The words for how it is made, and for its lines, each with its place."""
    recipe = block.recipe.reference.span if block.recipe else block.inputs[0].span if block.inputs else block.head
    yield node.recipe.word, recipe
    for line in block.lines:
        yield word(line), line.span


def _no_such_runtime(env: tree.Env, targets: Mapping[str, Target]) -> Diagnostic:
    close = nearest(env.runtime.text, targets)
    help_ = f"did you mean {close}?" if close else f"there is {listing(targets)}"
    fix = Fix(env.runtime.span, close) if close else None
    return Diagnostic("E109", env.runtime.span, {"word": env.runtime.text}, help=help_, fix=fix)


def _twice(name: str, line: tree.Line, first: Span) -> Diagnostic:
    return Diagnostic("E207", line.span, {"name": name}, labels=(Label(first, "first given here"),))


def _option(line: tree.Assign, target: Target, params: Mapping[str, Value]) -> list[Diagnostic]:
    options: dict[str, Argument] = {option.name: option for option in target.options}
    told: list[Diagnostic] = []
    option = options.get(line.name)
    if option is None:
        close = nearest(line.name, options)
        help_ = f"did you mean {close}?" if close else f"it takes {listing(options)}" if options else ""
        fix = Fix(line.name_span, close) if close else None
        return [Diagnostic("E205", line.name_span, {"of": target.name, "name": line.name}, help=help_, fix=fix)]
    value = values.read(line.value, params, told)
    if value is not None and not values.fits(value, line.value, option):
        facts = {"name": line.name, "wanted": values.wanted(option), "found": _shown(value)}
        help_, fix = meant.instead(line.value, option)
        told.append(Diagnostic("E206", line.value.span, facts, help=help_, fix=fix))
    return told


def _shown(value: object) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value).lower() if isinstance(value, bool) else str(value)


# --- set ----------------------------------------------------------------------------------------------------------


def override(document: tree.Document, env: tree.Env, lost: Set[str] = frozenset()) -> Overridden:
    """The statements with the values that the environment sets. What it does not touch is the very same object. Of
    `lost` names, which could not be read, nothing is told."""
    statements = list(document.statements)
    names = [(name, i) for i, s in enumerate(statements) for name in _names(s)]
    place_of = dict(names)
    twice = {name for name, count in Counter(name for name, _ in names).items() if count > 1}  # which is told there
    told: list[Diagnostic] = []
    seen: dict[str, tree.SetPath] = {}
    for line in env.lines:
        if not isinstance(line, tree.SetPath):
            continue
        if str(line.path) in seen:
            told.append(_twice(str(line.path), line, seen[str(line.path)].path.span))
        seen[str(line.path)] = line
        found = _found(line.path, place_of)
        if found is None and is_lost(str(line.path), lost):
            continue
        if found and (found[0] in twice or _is_unread(statements[place_of[found[0]]], found[1])):
            continue
        if found is None:
            told.append(_no_such_path(line.path, place_of))
            continue
        name, rest = found
        changed = _changed(statements[place_of[name]], rest, line)
        if isinstance(changed, Diagnostic):
            told.append(changed)
        else:
            statements[place_of[name]] = changed
    return Overridden(replace(document, statements=tuple(statements)), tuple(told))


def _names(statement: tree.Statement) -> list[str]:
    match statement:
        case tree.Block():
            return [name.text for name in statement.names]
        case tree.Param():
            return [statement.name.text]
        case _:
            return []


def _found(path: tree.Reference, known: Mapping[str, int]) -> tuple[str, tuple[str, ...]] | None:
    """The longest beginning of a path that is a name, and what follows it."""
    parts = (path.name, *path.path)
    for end in range(len(parts), 0, -1):
        name = ".".join(parts[:end])
        if name in known:
            return name, parts[end:]
    return None


def _no_such_path(path: tree.Reference, known: Mapping[str, int]) -> Diagnostic:
    span = Span(path.span.path, path.span.start, path.span.start + len(path.name))
    close = nearest(path.name, known)
    help_ = f"did you mean {close}?" if close else f"there is {listing(known)}" if known else ""
    return Diagnostic("E101", span, {"name": path.name}, help=help_, fix=Fix(span, close) if close else None)


def _changed(statement: tree.Statement, rest: tuple[str, ...], line: tree.SetPath) -> tree.Statement | Diagnostic:
    match statement, rest:
        case tree.Param(), ():
            return replace(statement, value=line.value)
        case tree.Block(), ("needs" | "search" as word, option):
            return _with_option(statement, word, option, line)
        case tree.Block(), (argument,) if argument not in OPTIONED:
            return _with_argument(statement, argument, line)
    help_ = "a param, an argument as in set churn.max_iter, or set churn.needs.memory and set churn.search.trials"
    return Diagnostic("E110", line.path.span, {"path": str(line.path)}, help=help_)


def _is_unread(statement: tree.Statement, rest: tuple[str, ...]) -> bool:
    """Whether a path leads to a line that could not be read: that mistake is told there."""
    return isinstance(statement, tree.Block) and rest[:1] == ("search",) and bool({"", "search"} & {*statement.unread})


def _with_argument(block: tree.Block, name: str, line: tree.SetPath) -> tree.Block:
    """In the place of the line that gives or searches it, else as a line more."""
    assign = tree.Assign(name, line.value, _last_part(line.path), line.span)
    kept = tuple(
        assign if isinstance(old, tree.Assign | tree.Among) and old.name == name else old for old in block.lines
    )
    return replace(block, lines=kept if assign in kept else (*kept, assign))


def _last_part(path: tree.Reference) -> Span:
    start = path.span.end - len(path.path[-1]) if path.path else path.span.start
    return Span(path.span.path, start, path.span.end)


def _with_option(block: tree.Block, word: str, name: str, line: tree.SetPath) -> tree.Block | Diagnostic:
    form = OPTIONED[word]
    pair = tree.Pair(name, line.value, _last_part(line.path), line.span)
    lines = list(block.lines)
    own = [i for i, old in enumerate(lines) if isinstance(old, form)]
    if word == "search" and not own and any(isinstance(old, tree.Among) for old in lines):
        return block  # which has sets and is not searched: that is told there
    if word == "search" and not own:
        help_ = f"{block.names[0].text} has no search line"
        return Diagnostic("E110", line.path.span, {"path": str(line.path)}, help=help_)
    for i in own:
        old = lines[i]
        assert isinstance(old, tree.Needs | tree.Search)
        lines[i] = replace(old, options=tuple(o for o in old.options if o.name != name))
    if own:
        first = lines[own[0]]
        assert isinstance(first, tree.Needs | tree.Search)
        lines[own[0]] = replace(first, options=(*first.options, pair))
    else:
        lines.append(tree.Needs((pair,), line.span))
    return replace(block, lines=tuple(lines))
