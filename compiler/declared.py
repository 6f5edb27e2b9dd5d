"""The `name: type` lines of a block -> columns."""

from __future__ import annotations

from ..grammar import tree
from ..grammar.diagnostic import Fix, nearest
from ..grammar.kinds import FLAGS, TYPES
from . import values
from .scope import Scope, did_you_mean
from .types import Column, Columns, Type, is_ordered


def columns(block: tree.Block, scope: Scope) -> Columns:
    found: dict[str, Column] = {}
    for line in block.lines:
        if not isinstance(line, tree.ColumnLine):
            continue
        if line.name in found:
            scope.tell("E305", line.name_span, {"name": line.name})
            continue
        type_ = read_type(line.type, scope)
        if type_ is not None:
            found[line.name] = _column(line, type_, scope)
    return tuple(found.values())


def read_type(written: tree.TypeExpression, scope: Scope) -> Type | None:
    if written.values:
        return Type(base="text", values=written.values, optional=written.optional)
    if written.name not in TYPES:
        close = nearest(written.name, TYPES) or _other_words_for.get(written.name.lower())
        fix = Fix(written.span, close + "?" * written.optional) if close else None
        scope.tell(
            "E301",
            written.span,
            {"name": written.name},
            help=f"did you mean {close}?" if close else did_you_mean(written.name, TYPES),
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


_other_words_for = {
    "str": "text", "string": "text", "varchar": "text", "object": "text", "category": "text", "integer": "int",
    "int64": "int", "bigint": "int", "number": "float", "double": "float", "float64": "float", "decimal": "float",
    "boolean": "bool", "datetime": "timestamp", "time": "timestamp",
}  # fmt: skip


def _column(line: tree.ColumnLine, type_: Type, scope: Scope) -> Column:
    for word, span in line.flags:
        if word not in FLAGS:
            scope.tell("E307", span, {"word": word}, help=did_you_mean(word, FLAGS))
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


def _range(line: tree.ColumnLine, type_: Type, scope: Scope) -> tuple[float | str | None, float | str | None]:
    if line.within is None:
        return None, None
    if not isinstance(line.within, tree.Range) or not is_ordered(type_):
        help_ = (
            f"{type_} has an order only as int, float, date or timestamp"
            if isinstance(line.within, tree.Range)
            else "write low..high"
        )
        scope.tell("E306", line.within.span, {"name": line.name, "type": str(type_)}, help=help_)
        return None, None
    low, high = (_bound(end, type_, line, scope) for end in (line.within.low, line.within.high))
    if _is_above(low, high):
        scope.tell("E306", line.within.span, {"name": line.name, "type": str(type_)}, help="the lower end stands first")
    return low, high


def _bound(end: tree.Expression | None, type_: Type, line: tree.ColumnLine, scope: Scope) -> float | str | None:
    if end is None:
        return None
    value = values.read(end, scope.params, scope.told)
    wanted = str if type_.base in ("date", "timestamp") else (int, float)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, wanted):
        scope.tell(
            "E306",
            end.span,
            {"name": line.name, "type": str(type_)},
            help="a date is written 2015-01-01" if wanted is str else "the ends are numbers",
        )
        return None
    return value


def _is_above(low: float | str | None, high: float | str | None) -> bool:
    if isinstance(low, str) and isinstance(high, str):
        return low > high
    return isinstance(low, int | float) and isinstance(high, int | float) and low > high
