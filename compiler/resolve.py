"""Document -> Names: what each plain word stands for, and the order in which artifacts can be made.

A name that is not there is told once, and the block that is made from it becomes unknown: nothing is known of what
comes out of it, and all else is checked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass

from ..grammar import tree
from ..grammar.diagnostic import Diagnostic, Fix, Label, listing, nearest
from ..grammar.foreign import NOTHING, OTHER_RECIPES
from ..grammar.kinds import DATA_FUNCTIONS, METRICS, RECIPES, SERVICE_FACTS
from ..grammar.source import Span


@dataclass(frozen=True, slots=True)
class Names:
    """`blocks` in topological order. `block_of` finds the block that makes an artifact; `params` the declarations.

    `unknown` are blocks that stand in a circle or are made from what is not there. `lost` as in `resolve`.
    """

    blocks: tuple[tree.Block, ...]
    block_of: Mapping[str, tree.Block]
    params: Mapping[str, tree.Param]
    secrets: frozenset[str]
    envs: tuple[tree.Env, ...]
    unknown: frozenset[str]
    doc: str
    lost: frozenset[str] = frozenset()

    def kind_of(self, name: str) -> str:
        return self.block_of[name].kind


class References:
    """What blocks name, each looked through once: a tree never changes."""

    def __init__(self) -> None:
        self.known: dict[int, tuple[tree.Block, tuple[tree.Reference, ...]]] = {}

    def of(self, block: tree.Block) -> tuple[tree.Reference, ...]:
        found = self.known.get(id(block))
        if found is None or found[0] is not block:
            found = self.known[id(block)] = (block, tuple(references(block)))
        return found[1]

    def keep_only(self, blocks: Sequence[tree.Block]) -> None:
        """Forget the trees of texts that were edited since, once they are many."""
        if len(self.known) > 2 * len(blocks) + 1000:
            self.known = {id(block): self.known[id(block)] for block in blocks if id(block) in self.known}


def resolve(
    document: tree.Document,
    lost: frozenset[str] = frozenset(),
    uses: frozenset[str] = frozenset(),
    named: References | None = None,
) -> tuple[Names, tuple[Diagnostic, ...]]:
    """`named` remembers what blocks name. `lost` are names of blocks whose header, or whose whole file, could not be read: what refers to them is
    unknown, and not told. `uses` are the aliases of used specs."""
    told: list[Diagnostic] = []
    block_of, params, secrets = _declarations(document, told)
    blocks = [s for s in document.statements if isinstance(s, tree.Block)]
    edges: dict[int, list[str]] = {}
    unknown: set[str] = set()
    known = _Declared(block_of, params, secrets, lost, uses, named or References())
    for block in blocks:
        edges[id(block)] = _needed(block, known, told, unknown)
    order, circular = _topological(blocks, edges, block_of, told)
    unknown |= {name.text for block in circular for name in block.names}
    envs = tuple(s for s in document.statements if isinstance(s, tree.Env))
    names = Names(tuple(order), block_of, params, frozenset(secrets), envs, frozenset(unknown), document.doc, lost)
    return names, tuple(told)


def _declarations(
    document: tree.Document, told: list[Diagnostic]
) -> tuple[dict[str, tree.Block], dict[str, tree.Param], set[str]]:
    places: dict[str, Span] = {}
    block_of: dict[str, tree.Block] = {}
    params: dict[str, tree.Param] = {}
    secrets: set[str] = set()
    again: list[tuple[tree.Statement, tree.Name]] = []
    for statement, name in _named(document):
        if name.text in places:
            if isinstance(statement, tree.Secret) and name.text in secrets and _is_shared(name.span, places[name.text]):
                continue
            again.append((statement, name))
            continue
        places[name.text] = name.span
        if isinstance(statement, tree.Block):
            block_of[name.text] = statement
        elif isinstance(statement, tree.Param) and name.text:
            params[name.text] = statement
        elif isinstance(statement, tree.Secret):
            secrets.add(name.text)
    told += _named_again(again, places)
    return block_of, params, secrets


def _named_again(again: list[tuple[tree.Statement, tree.Name]], places: Mapping[str, Span]) -> Iterator[Diagnostic]:
    """Of a statement that stands twice, one name; of a spec that is used twice by one name, that name alone."""
    uses = {f"{name.text}." for statement, name in again if isinstance(statement, tree.Use)}
    told: set[int] = set()
    for statement, name in again:
        if id(statement) in told or any(name.text.startswith(use) for use in uses):
            continue
        told.add(id(statement))
        first = Label(places[name.text], "first named here")
        yield Diagnostic("E102", name.span, {"name": name.text}, labels=(first,), help="give it another name")


def _is_shared(one: Span, other: Span) -> bool:
    """Whether two files speak of one secret, or one file that is used twice does."""
    return one == other or _file(one) != _file(other)


def _file(span: Span) -> str:
    """Of a piece of a file that is under edit, the file."""
    return span.path.partition("\0")[0]


def _named(document: tree.Document) -> Iterator[tuple[tree.Statement, tree.Name]]:
    for statement in document.statements:
        match statement:
            case tree.Block() | tree.Secret():
                yield from ((statement, name) for name in statement.names)
            case tree.Param():
                yield statement, statement.name
            case tree.Use():
                yield statement, statement.alias
            case tree.Env():
                yield statement, statement.name
            case _:
                pass


def is_source(item: tree.Input) -> bool:
    return item.place is not None


def references(block: tree.Block) -> Iterator[tree.Reference]:
    """Every artifact or param that a block's header and lines name."""
    for item in block.inputs:
        if not is_source(item):
            yield item.reference
    if block.recipe and block.recipe.place is None and block.recipe.reference.name not in RECIPES:
        yield block.recipe.reference
    for line in block.lines:
        match line:
            case tree.Measure() if block.kind == "model":  # elsewhere it does not belong, which is told
                yield line.on
            case tree.Expect():
                yield from references_in(line.condition)
            case _:
                pass


def references_in(expression: tree.Expression | None) -> Iterator[tree.Reference]:
    match expression:
        case tree.Reference():
            yield expression
        case tree.Call():
            for argument in expression.arguments:
                yield from references_in(argument)
        case tree.Unary():
            yield from references_in(expression.operand)
        case tree.Binary():
            yield from references_in(expression.left)
            yield from references_in(expression.right)
        case tree.Range():
            yield from references_in(expression.low)
            yield from references_in(expression.high)
        case tree.Choice():
            for option in expression.options:
                yield from references_in(option)
        case tree.Items():
            for item in expression.items:
                yield from references_in(item)
        case _:
            pass


@dataclass(frozen=True, slots=True)
class _Declared:
    """What names may stand for. `lost` and `uses` as in `resolve`."""

    block_of: Mapping[str, tree.Block]
    params: Mapping[str, tree.Param]
    secrets: set[str]
    lost: frozenset[str]
    uses: frozenset[str]
    named: References

    def is_lost(self, name: str) -> bool:
        return is_lost(name, self.lost)


def is_lost(name: str, lost: Set[str]) -> bool:
    """It could not be read, or the used spec that it belongs to could not; or a name there could not, any name."""
    parts = name.split(".")
    nameless = "".join(f"{part}." for part in parts[:-1])
    return nameless in lost or any(".".join(parts[:end]) in lost for end in range(1, len(parts) + 1))


def _needed(block: tree.Block, known: _Declared, told: list[Diagnostic], unknown: set[str]) -> list[str]:
    """The artifacts that must be there before the block; tells of names that are not. Where a header names what is not
    there, the block is unknown; a line that does is left out by itself."""
    needed = []
    own = {name.text for name in block.names}
    headers, lasts = _of_header(block), {id(item.reference) for item in block.inputs if item.last}
    for reference in known.named.of(block):
        name, in_header = reference.name, id(reference) in headers
        if name in known.block_of:
            if (in_header or name not in own) and id(reference) not in lasts:
                needed.append(name)
        elif not in_header and (name == "last" or name in known.params or name in known.secrets):
            continue
        else:
            if not known.is_lost(name) and "from" not in block.unread:
                told.append(_not_there(block, reference, in_header, known))
            if in_header or "from" in block.unread:
                unknown |= own
    return needed


def _of_header(block: tree.Block) -> set[int]:
    """The ids of the references in its header."""
    recipe = () if block.recipe is None else (block.recipe.reference,)
    return {id(reference) for reference in (*(item.reference for item in block.inputs), *recipe)}


def _not_there(block: tree.Block, reference: tree.Reference, in_header: bool, known: _Declared) -> Diagnostic:
    name = reference.name
    if in_header and (name in known.params or name in known.secrets):
        return _no_artifact(reference, "param" if name in known.params else "secret")
    if block.recipe is not None and reference is block.recipe.reference:
        return unknown_recipe(block, reference, known.block_of)
    if name in known.uses:
        return _whole_spec(reference, known)
    asked = _is_asked(block, reference)
    without_dot = _without_dot(block, reference) or _without_quotes(block, reference, known) if asked else None
    return without_dot or unknown_name(reference, (*known.block_of, *known.params), in_condition=asked)


def _no_artifact(reference: tree.Reference, kind: str) -> Diagnostic:
    """A param or a secret stands after from or by."""
    facts = {"name": reference.name, "kind": kind, "wanted": "an artifact"}
    return Diagnostic("E104", reference.span, facts, help=f"a {kind} is given to an argument: name = {reference.name}")


def _whole_spec(reference: tree.Reference, known: _Declared) -> Diagnostic:
    names = [name for name in known.block_of if name.startswith(reference.name + ".")]
    help_ = f"say which of its names: {listing(names)}" if names else "it makes nothing"
    return Diagnostic("E113", reference.span, {"name": reference.name}, help=help_)


def _is_asked(block: tree.Block, reference: tree.Reference) -> bool:
    """Whether it stands alone in a condition."""
    lines = [line for line in block.lines if isinstance(line, tree.Expect)]
    return not reference.path and any(line.span.start <= reference.span.start < line.span.end for line in lines)


def _without_dot(block: tree.Block, reference: tree.Reference) -> Diagnostic | None:
    """`expect rows > 3`, `unique(id)`: what the block is asked about stands there without its dot."""
    word = str(reference)
    own = {line.name for line in block.lines if isinstance(line, tree.ColumnLine)}
    own |= {
        metric.alias or metric.name for line in block.lines if isinstance(line, tree.Measure) for metric in line.metrics
    }
    own |= {"data": {"rows"}, "model": set(METRICS), "service": set(SERVICE_FACTS)}[block.kind]
    counts = block.kind == "data" and word in ("len", "count", "size", "length", "nrows", "n_rows")
    if word not in own and not counts:
        return None
    right = ".rows" if counts else f".{word}"
    return Diagnostic("E101", reference.span, {"name": word}, help=f"write {right}", fix=Fix(reference.span, right))


def _without_quotes(block: tree.Block, reference: tree.Reference, known: _Declared) -> Diagnostic | None:
    """`expect .plan == free`: a value of a closed set, of a column that the block or an input of it declares."""
    inputs = [known.block_of[item.reference.name] for item in block.inputs if item.reference.name in known.block_of]
    lines = [line for one in (block, *inputs) for line in one.lines if isinstance(line, tree.ColumnLine)]
    word = str(reference)
    if not any(word in line.type.values for line in lines):
        return None
    right = f'"{word}"'
    return Diagnostic(
        "E101", reference.span, {"name": word}, help=f"a text stands in quotes: {right}", fix=Fix(reference.span, right)
    )


def unknown_name(reference: tree.Reference, known: Iterable[str], *, in_condition: bool = False) -> Diagnostic:
    """Names are told as they are written there: within a used spec, without its prefix."""
    prefix = reference.name.rpartition(".")[0]
    outside = reference.span.end - reference.span.start == len(str(reference))
    shown = reference.name if outside else reference.name.rpartition(".")[2]
    known = [name if outside else name.rpartition(".")[2] for name in known if name.rpartition(".")[0] == prefix]
    span = Span(reference.span.path, reference.span.start, reference.span.start + len(shown))
    close = nearest(shown, known)
    if close:
        return Diagnostic("E101", span, {"name": shown}, help=f"did you mean {close}?", fix=Fix(span, close))
    if shown in DATA_FUNCTIONS:
        return Diagnostic("E101", span, {"name": shown}, help=f"a function takes a column: {shown}(.column)")
    note = f"there is {listing(known)}" if known else ""
    help_ = ""
    if shown in NOTHING:
        help_ = "there is no word for nothing: missing values are counted by nulls(.column)"
    elif in_condition:
        help_ = f"a column or a metric is written with a dot: .{shown}"
    return Diagnostic("E101", span, {"name": shown}, note=note, help=help_)


ALSO_MADE_BY = {"data": ", or by a model", "model": ', or by a class: python "package.module:Class"'}


def unknown_recipe(block: tree.Block, reference: tree.Reference, block_of: Mapping[str, tree.Block]) -> Diagnostic:
    words = [word for word, recipe in RECIPES.items() if not recipe.source and block.kind in recipe.makes]
    models = [name for name, other in block_of.items() if other.kind == "model"]
    other = OTHER_RECIPES.get(reference.name.lower(), "")
    close = nearest(reference.name, models) or (other if other in words else nearest(reference.name, words))
    help_ = (
        f"did you mean {close}?"
        if close
        else f"a {block.kind} is made by {listing(words)}{ALSO_MADE_BY.get(block.kind, '')}"
    )
    fix = Fix(reference.span, close) if close else None
    return Diagnostic("E201", reference.span, {"word": str(reference)}, help=help_, fix=fix)


def _topological(
    blocks: list[tree.Block],
    edges: Mapping[int, list[str]],
    block_of: Mapping[str, tree.Block],
    told: list[Diagnostic],
) -> tuple[list[tree.Block], list[tree.Block]]:
    """Depth first in written order, without recursion: a chain may be longer than the stack."""
    order: list[tree.Block] = []
    state: dict[int, str] = {}
    circular: list[tree.Block] = []
    for root in blocks:
        if id(root) in state:
            continue
        path: list[tuple[tree.Block, Iterator[str]]] = [(root, iter(edges[id(root)]))]
        state[id(root)] = "open"
        while path:
            block, needed = path[-1]
            for name in needed:
                before = block_of[name]
                mark = state.get(id(before))
                if mark is None:
                    state[id(before)] = "open"
                    path.append((before, iter(edges[id(before)])))
                    break
                if mark == "open":
                    circle = [b for b, _ in path[next(i for i, (b, _) in enumerate(path) if b is before) :]]
                    told.append(_circle(circle))
                    circular += circle
            else:
                state[id(block)] = "done"
                order.append(block)
                path.pop()
    return order, circular


def _circle(blocks: list[tree.Block]) -> Diagnostic:
    names = [block.names[0].text for block in blocks]
    circle = " from ".join([*names, names[0]])
    return Diagnostic("E103", blocks[0].names[0].span, {"name": names[0], "circle": circle})
