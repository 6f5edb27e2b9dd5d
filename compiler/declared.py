"""The `name: type` lines of a block -> columns; and what its recipe makes, held against them."""

from __future__ import annotations

from ..grammar import tree
from ..grammar.diagnostic import Fix, listing, nearest
from ..grammar.foreign import OTHER_TYPES
from ..grammar.kinds import FLAGS, TYPES
from ..grammar.source import Span
from . import meant, values
from .program import Node
from .scope import Scope, did_you_mean
from .types import Column, Columns, Type, by_name, is_ordered


def columns(block: tree.Block, scope: Scope) -> Columns:
    if block.kind != "data":
        return ()  # the line does not belong there, which is told
    found: dict[str, Column] = {}
    for line in block.lines:
        if not isinstance(line, tree.ColumnLine):
            continue
        if line.name in found:
            scope.tell("E305", line.name_span, {"name": line.name}, help="take one of the two lines away")
            continue
        type_ = read_type(line.type, scope)
        if type_ is not None:
            found[line.name] = _column(line, type_, scope)
    return tuple(found.values())


def read_type(written: tree.TypeExpression, scope: Scope) -> Type | None:
    if written.values:
        return Type(base="text", values=written.values, optional=written.optional)
    if written.name not in TYPES:
        close = OTHER_TYPES.get(written.name.lower()) or nearest(written.name, TYPES)
        span = Span(written.span.path, written.span.start, written.span.start + len(written.name))
        fix = Fix(span, close) if close else None
        if written.item is not None and written.name.lower() in ("optional", "nullable", "maybe"):
            close = scope.written(written.item.span) + "?"
            fix = Fix(written.span, close)
        scope.tell(
            "E301",
            written.span,
            {"name": written.name},
            help=f"write {close}" if close else f"types: {listing(TYPES)}",
            fix=fix,
        )
        return None
    if (written.name == "list") != (written.item is not None):
        scope.tell("E301", written.span, {"name": written.name}, help="a list says what it holds: list[int]")
        return None
    item = read_type(written.item, scope) if written.item else None
    if written.item and item is None:
        return None
    return Type.model_validate({"base": written.name, "item": item, "optional": written.optional})


def _column(line: tree.ColumnLine, type_: Type, scope: Scope) -> Column:
    for word, span in line.flags:
        if word not in FLAGS:
            help_, fix = _other_mark(word, span, line)
            scope.tell("E307", span, {"word": word}, help=help_, fix=fix)
    low, high = _range(line, type_, scope)
    return Column(
        name=line.name,
        type=type_,
        unique=any(word == "unique" for word, _ in line.flags),
        low=low,
        high=high,
        origin=line.origin.value if line.origin else "",
        declared=True,
    )


def _other_mark(word: str, span: Span, line: tree.ColumnLine) -> tuple[str, Fix | None]:
    if word.lower() in ("primary", "pk", "key", "distinct", "id"):
        return "what stands once only is marked unique", Fix(span, "unique")
    if word.lower() in ("nullable", "optional", "null"):
        end = line.type.span.end
        fix = Fix(Span(span.path, end, span.end), "?") if len(line.flags) == 1 and not line.type.optional else None
        return "what may be missing has a ? behind its type", fix
    return did_you_mean(word, FLAGS), None


def _range(line: tree.ColumnLine, type_: Type, scope: Scope) -> tuple[float | str | None, float | str | None]:
    if line.within is None:
        return None, None
    if not isinstance(line.within, tree.Range) or not is_ordered(type_):
        help_ = (
            f"{type_} has an order only as int, float, date or timestamp"
            if isinstance(line.within, tree.Range)
            else "write low..high"
        )
        fix = _two_ends(line.within, scope) if is_ordered(type_) else None
        if isinstance(line.within, tree.Choice | tree.Text):
            help_, fix = _of_single_values(line, line.within, scope)
        scope.tell("E306", line.within.span, {"name": line.name, "type": str(type_)}, help=help_, fix=fix)
        return None, None
    low, high = (_bound(end, type_, line, scope) for end in (line.within.low, line.within.high))
    if _is_above(low, high):
        scope.tell("E306", line.within.span, {"name": line.name, "type": str(type_)}, help="the lower end stands first")
    return low, high


def _of_single_values(line: tree.ColumnLine, within: tree.Choice | tree.Text, scope: Scope) -> tuple[str, Fix | None]:
    """`plan: text in "free" | "pro"`, `x: int in 0 | 1`."""
    written, options = scope.written(within.span), within.options if isinstance(within, tree.Choice) else (within,)
    if not all(isinstance(option, tree.Text) for option in options):
        return f"write a line: expect {meant.dotted(line.name)} in {written}", None
    bare = line.type.name == "text" and not line.flags
    optional = "?" * line.type.optional
    fix = Fix(line.type.span.to(within.span), f"{written}{optional}") if bare else None
    return f"a closed set is a type: {scope.written(line.name_span)}: {written}{optional}", fix


def _two_ends(within: tree.Expression, scope: Scope) -> Fix | None:
    """`1-3` and `[1, 3]` for `1..3`."""
    match within:
        case tree.Binary("-", left, right) | tree.Items((left, right)):
            return Fix(within.span, f"{scope.written(left.span)}..{scope.written(right.span)}")
    return None


def _bound(end: tree.Expression | None, type_: Type, line: tree.ColumnLine, scope: Scope) -> float | str | None:
    if end is None:
        return None
    value = values.read(end, scope.params, scope.told)
    if value is None:
        return None
    if type_.base in ("date", "timestamp"):
        if isinstance(value, values.Moment):
            return value.text
        help_, fix = meant.for_type(end, type_)
    else:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return value
        help_, fix = "the ends are numbers", None
    scope.tell("E306", end.span, {"name": line.name, "type": str(type_)}, help=help_, fix=fix)
    return None


def _is_above(low: float | str | None, high: float | str | None) -> bool:
    if isinstance(low, str) and isinstance(high, str):
        return low > high
    return isinstance(low, int | float) and isinstance(high, int | float) and low > high


# --- what a recipe makes, held against them ---


def conforming(block: tree.Block, base: Node, found: Columns | None, scope: Scope) -> Columns | None:
    """What comes out, held against the declared columns of the block."""
    if found is None:
        return None
    known = by_name(found)
    for line in block.lines:
        if not isinstance(line, tree.ColumnLine):
            continue
        column = known.get(line.name)
        if column is None:
            scope.tell(
                "E303",
                line.name_span,
                {"column": line.name},
                note=f"there is {listed(found)}",
                help=did_you_mean(line.name, known, " "),
            )
            continue
        declared_ = by_name(base.declared).get(line.name)
        if declared_ is not None and not _may_be(column, declared_):
            facts = {"column": line.name, "declared": str(declared_.type), "found": str(column.type)}
            scope.tell("E304", line.type.span, facts, help="declare what it is, or cast it in the recipe")
    return merged(found, base.declared)


def _may_be(found: Column, declared_: Column) -> bool:
    allowed = {("int", "float"), ("float", "int"), ("timestamp", "date"), ("date", "timestamp")}
    pair = (found.type.base, declared_.type.base)
    return pair[0] == pair[1] or pair in allowed


def with_at_least(node: Node, scope: Scope) -> Node:
    """Of the outputs that are not known the columns that they certainly have: those declared, and of rows that are
    dealt out or predicted those that went in."""
    if node.kind != "data" or scope.rests_on_mistakes(node):
        return node
    least = dict[str, Columns]()
    for name in node.names:
        passed = _passed_on(node, scope)
        own = node.declared if name == node.name or node.recipe.word == "split" else ()
        known = {**by_name(passed), **by_name(own)}
        if known and node.columns.get(name) is None:
            least[name] = tuple(known.values())
    return node.model_copy(update={"at_least": least}) if least else node


def _passed_on(node: Node, scope: Scope) -> Columns:
    rows = node.inputs[-1] if node.recipe.word in ("split", "predict") and node.inputs else None
    return scope.columns_with(rows.name) or () if rows is not None else ()


def merged(known: Columns | None, declared_: Columns) -> Columns | None:
    """The declared columns where there are some, the known ones as they are; None when no more is known."""
    if known is None:
        return None
    names = by_name(declared_)
    return tuple(names.get(column.name, column) for column in known)


def listed(columns: Columns) -> str:
    return listing([column.name for column in columns])
