"""What the checks of one program share while they run: names, files, params, the nodes so far, the mistakes told."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ..grammar import tree
from ..grammar.diagnostic import Diagnostic, Fix, Label, listing, nearest
from ..grammar.source import Source, Span
from . import signature as code
from .load import Files, apart_by
from .lock import Pinned
from .meant import dotted
from .mistaken import Mistaken
from .program import Node, Place
from .resolve import Names
from .types import Columns, by_name
from .values import Params, Secret


@dataclass(slots=True)
class Scope:
    """Lives for one pass of the checker. `nodes`, `columns` and `pinned`, the lock's lines, are by the artifact's name.

    `locked` are the lines that are taken in place of a look into the source.
    """

    sources: Mapping[str, Source]
    names: Names
    files: Files
    params: Params
    pinned: Mapping[str, Pinned] = field(default_factory=dict)
    locked: Mapping[str, Pinned] = field(default_factory=dict)
    told: list[Diagnostic] = field(default_factory=list)
    nodes: dict[str, Node] = field(default_factory=dict)
    columns: dict[str, Columns | None] = field(default_factory=dict)
    signatures: dict[str, code.Signature | code.Problem] = field(default_factory=dict)
    params_by_file: dict[str, dict[str, object]] = field(default_factory=dict)
    _mistaken: Mistaken | None = None

    def signature(self, entry: str) -> code.Signature | code.Problem:
        """Of a function or class; each is read once, however many blocks are made by it."""
        if entry not in self.signatures:
            self.signatures[entry] = code.read(entry, self.files.text)
        return self.signatures[entry]

    def tell(
        self,
        code: str,
        span: Span,
        facts: Mapping[str, object] | None = None,
        *,
        note: str = "",
        labels: tuple[Label, ...] = (),
        help: str = "",  # noqa: A002
        fix: Fix | None = None,
    ) -> None:
        self.told.append(Diagnostic(code, span, facts or {}, note=note, labels=labels, help=help, fix=fix))

    def columns_with(self, name: str, *wanted: str) -> Columns | None:
        """The columns of an artifact; None where they are not known, or none of those known is the one wanted."""
        node = self.nodes.get(name)
        return node.columns_with(name, wanted) if node is not None else self.columns.get(name)

    def may_hold(self, name: str, *words: str) -> bool:
        """Whether a line that begins so may stand in the block of an artifact, among those that could not be read."""
        block = self.names.block_of.get(name)
        return block is not None and any(word in block.unread for word in ("", *words))

    def names_nothing(self, reference: tree.Reference) -> bool:
        """Whether nothing has its name, which was told with the names."""
        name = reference.name
        declared = (self.names.block_of, self.params, self.names.params, self.names.secrets)
        return name != "last" and not any(name in names for names in declared)

    def is_there(self, item: tree.Input) -> bool:
        """Whether there is such an artifact; that there is none was told."""
        return item.reference.name in self.names.block_of

    def rests_on_mistakes(self, node: Node) -> bool:
        """Whether what goes into it is not known because of a mistake that was told."""
        if self._mistaken is None:
            self._mistaken = Mistaken(self.names.block_of)
        return self._mistaken.rests(node, self.nodes, self.told)

    def told_within(self, span: Span) -> bool:
        return any(d.span.path == span.path and span.start <= d.span.start < span.end for d in self.told)

    def place(self, span: Span) -> Place:
        line = self.sources[span.path].position(span.start)[0]
        return Place(path=span.path, start=span.start, end=span.end, line=line)

    def written(self, span: Span) -> str:
        return self.sources[span.path].text[span.start : span.end]

    def params_of(self, block: tree.Block) -> dict[str, object]:
        """The params of the file that a block stands in, by the names that they have there."""
        prefix = block.names[0].text.rpartition(".")[0]
        if prefix not in self.params_by_file:
            own: dict[str, object] = {name.rpartition(".")[2]: value for name, value in self.params.items()
                   if name.rpartition(".")[0] == prefix and not isinstance(value, Secret)}  # fmt: skip
            self.params_by_file[prefix] = own
        return self.params_by_file[prefix]


def did_you_mean(word: str, known: Iterable[str], otherwise: str = "") -> str:
    known = list(known)
    close = nearest(word, known)
    if close:
        return f"did you mean {close}?"
    return otherwise.strip() or (f"known: {listing(known)}" if known and not otherwise else "")


def column_missing(scope: Scope, column: tree.Column, known: Columns, of: str) -> None:
    """`.name` is not among the columns of an artifact."""
    words = [c.name for c in known]
    apart = apart_by(words)
    close = nearest(column.name, words) if not apart else None
    fix = Fix(column.span, dotted(close)) if close else None
    apart = f"values of its csv file stand apart by another mark: {apart}" if apart else ""
    scope.tell(
        "E302",
        column.span,
        {"column": column.name, "of": of},
        note=f"{of} has {listing(words)}",
        help=f"did you mean {dotted(close)}?" if close else apart,
        fix=fix,
    )


def features_missing(scope: Scope, span: Span, missing: Sequence[str], known: Columns, of: str, note: str) -> None:
    """What a model wants of an artifact and is not there: one mistake, however many they are."""
    if missing:
        help_ = did_you_mean(missing[0], by_name(known), " ") if len(missing) == 1 else ""
        scope.tell("E302", span, {"column": listing(missing), "of": of}, note=note, help=help_)


def last_part(reference: tree.Reference) -> Span:
    """`.x` of `a.x`."""
    quoted = 2 * (not reference.path[-1].isidentifier())
    return Span(reference.span.path, reference.span.end - len(reference.path[-1]) - 1 - quoted, reference.span.end)


def lines_of(block: tree.Block, form: type) -> list[tree.Line]:
    return [line for line in block.lines if isinstance(line, form)]
