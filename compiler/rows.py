"""Conditions about every row of data, as `.end >= .start`: tree -> a SQL expression that is true where a row breaks it."""

from __future__ import annotations

from dataclasses import dataclass

from ..grammar import tree
from ..grammar.diagnostic import Fix, nearest
from ..grammar.source import Span
from . import values
from .held import Side, backwards, example, held, type_of
from .program import Expression, Literal_, Node, Operation, Rows, Scalar
from .scope import Scope, column_missing, did_you_mean, last_part
from .types import Column, by_name


def speaks_of_rows(written: tree.Expression, node: Node, scope: Scope) -> bool:
    """Whether a column stands outside a function."""
    match written:
        case tree.Column():
            columns = scope.columns_with(node.name, written.name)
            if written.name == "rows" and not (columns and "rows" in by_name(columns)):
                return False
            return columns is None or written.name in by_name(columns) or len(node.names) == 1
        case tree.Binary():
            return any(speaks_of_rows(side, node, scope) for side in (written.left, written.right))
        case tree.Unary():
            return speaks_of_rows(written.operand, node, scope)
        case _:
            return False


def condition(written: tree.Expression, node: Node, scope: Scope) -> Expression | None:
    writer = _RowWriter(node, scope)
    found = writer.write(written)
    if found is None:
        return None
    if found.type not in ("truth", ""):
        scope.tell("E605", written.span, {"type": found.type}, help=f"compare it, as in {example(found.type)}")
        return None
    broken = Rows(
        of=node.name, broken=f"not ({found.sql})", others=tuple(sorted(writer.others)), columns=tuple(writer.columns)
    )
    return Operation(operator="==", operands=(broken, Literal_(value=0, text="0")))


@dataclass(frozen=True, slots=True)
class _Written:
    """`type` as in `held.py`; `column` where it is one, `value` where it is a literal."""

    sql: str
    type: str
    span: Span
    value: Scalar = None
    column: Column | None = None


class _RowWriter:
    """Writes a condition about columns as a SQL expression. A missing value breaks no condition."""

    def __init__(self, node: Node, scope: Scope) -> None:
        self.node, self.scope = node, scope
        self.others: set[str] = set()
        self.columns: dict[str, None] = {}  # in the order in which they are written

    def write(self, written: tree.Expression) -> _Written | None:
        match written:
            case tree.Column():
                return self._column(written)
            case tree.Binary():
                return self._binary(written)
            case tree.Unary():
                return self._unary(written)
            case tree.Call():
                self.scope.tell("E606", written.span, {})
                return None
            case tree.Reference() if self.scope.names_nothing(written):
                return None
            case tree.Reference() if written.path:
                self.scope.tell("E606", written.span, {})
                return None
            case _:
                return self._literal(written)

    def _literal(self, written: tree.Expression) -> _Written | None:
        value = values.read(written, self.scope.params, self.scope.told)
        if value is None:
            return None
        if isinstance(value, values.Moment):
            return _Written(f"{value.type} '{value.text}'", "date", written.span, value.text)
        plain = values.plain(value)
        scalar = None if isinstance(plain, tuple) else plain
        return _Written(_sql_literal(plain), values.dimension(written) or type_of(scalar), written.span, scalar)

    def _column(self, written: tree.Column) -> _Written | None:
        columns = self.scope.columns_with(self.node.name, written.name)
        self.columns[written.name] = None
        if columns is None:
            return _Written(_sql_name(written.name), "", written.span)
        column = by_name(columns).get(written.name)
        if column is None and written.name == "rows":
            self.scope.tell("E606", written.span, {}, help="write two lines, each with its own expect")
            return None
        if column is None:
            column_missing(self.scope, written, columns, self.node.name)
            return None
        return _Written(_sql_name(written.name), TYPES[column.type.base], written.span, None, column)

    def _unary(self, written: tree.Unary) -> _Written | None:
        operand = self.write(written.operand)
        if operand is None:
            return None
        wanted = ("truth", "") if written.operator == "not" else ("number", "share", "")
        if operand.type not in wanted:
            problem = f"{written.operator} takes a {wanted[0]}, and this is a {operand.type}"
            self.scope.tell("E604", operand.span, {"problem": problem})
            return None
        value = -operand.value if isinstance(operand.value, int | float) and written.operator == "-" else None
        word = "not" if written.operator == "not" else "-"
        return _Written(f"({word} {operand.sql})", operand.type, written.span, value)

    def _binary(self, written: tree.Binary) -> _Written | None:
        if written.operator in ("in", "not in"):
            return self._membership(written)
        left, right = self.write(written.left), self.write(written.right)
        type_ = self._held(written.operator, left, right, written.span)
        if left is None or right is None or type_ is None:
            return None
        if written.operator == "else":
            return _Written(f"coalesce({left.sql}, {right.sql})", type_, written.span)
        operator = {"==": "=", "!=": "<>"}.get(written.operator, written.operator)
        return _Written(f"({left.sql} {operator} {right.sql})", type_, written.span)

    def _held(self, operator: str, left: _Written | None, right: _Written | None, whole: Span) -> str | None:
        """The type that comes of it; None when a mistake has been told."""
        if left is None or right is None:
            return None
        if operator in ("==", "!=") and not (self._in_set(left, right) and self._in_set(right, left)):
            return None
        found = held(operator, self._side(left), self._side(right))
        if isinstance(found, str):
            return found
        span = {"left": left.span, "right": right.span, "both": whole}[found.at]
        self.scope.tell("E604", span, {"problem": found.problem}, help=found.help)
        return None

    def _in_set(self, side: _Written, other: _Written) -> bool:
        """False, and told, where a text is held against a closed set that does not hold it."""
        closed = side.column.type.values if side.column is not None else ()
        if not closed or not isinstance(other.value, str) or other.value in closed:
            return True
        close = nearest(other.value, closed)
        name = side.column.name if side.column is not None else ""
        fix = Fix(other.span, f'"{close}"') if close and self.scope.written(other.span).startswith('"') else None
        help_ = did_you_mean(other.value, closed)
        self.scope.tell("E219", other.span, {"value": other.value, "column": name}, help=help_, fix=fix)
        return False

    def _side(self, written: _Written) -> Side:
        moment = isinstance(written.value, str) and "T" in written.value and written.type == "date"
        stamp = moment or (written.column is not None and written.column.type.base == "timestamp")
        return Side(written.type, " ".join(self.scope.written(written.span).split()), written.value, stamp=stamp)

    def _membership(self, written: tree.Binary) -> _Written | None:
        left = self.write(written.left)
        if left is None:
            return None
        negation = "not " if written.operator == "not in" else ""
        match written.right:
            case tree.Range():
                sql = self._within(left, written.right, written.span)
                return None if sql is None else _Written(f"({negation}({sql}))", "truth", written.span)
            case tree.Reference(name, (column,)):
                return self._in_other(left, negation, name, column, written)
            case _:
                return self._among(left, negation, written)

    def _within(self, left: _Written, written: tree.Range, whole: Span) -> str | None:
        ends = [(operator, self.write(end)) for operator, end in ((">=", written.low), ("<=", written.high)) if end]
        tests = []
        for operator, end in ends:
            if end is None or self._held(operator, left, end, whole) is None:
                return None
            tests.append(f"{left.sql} {operator} {end.sql}")
        literal = [Literal_(value=end.value) for _, end in ends if end is not None and end.value is not None]
        if len(literal) == 2 and backwards(*literal):
            self.scope.tell("E604", written.span, {"problem": "nothing lies in a range that ends before it begins"})
            return None
        return " and ".join(tests)

    def _among(self, left: _Written, negation: str, written: tree.Binary) -> _Written | None:
        allowed = [self.write(option) for option in options(written.right)]
        if not allowed:
            problem = "in takes a range (1..5), a set or a column of other data"
            self.scope.tell("E604", written.right.span, {"problem": problem})
            return None
        if any(self._held("==", left, one, written.span) is None for one in allowed):
            return None
        listed = ", ".join(one.sql for one in allowed if one)
        return _Written(f"({left.sql} {negation}in ({listed}))", "truth", written.span)

    def _in_other(self, left: _Written, negation: str, name: str, column: str, written: tree.Binary) -> _Written | None:
        assert isinstance(written.right, tree.Reference)
        if name not in self.scope.nodes:
            return None
        columns = self.scope.columns_with(name, column)
        there = by_name(columns or ()).get(column)
        if columns is not None and there is None:
            column_missing(self.scope, tree.Column(column, last_part(written.right)), columns, name)
            return None
        right = _Written("", TYPES[there.type.base] if there else "", written.right.span)
        if self._held("==", left, right, written.span) is None:
            return None
        self.others.add(name)
        table, wanted = _sql_name(name), _sql_name(column)
        sql = f"({left.sql} {negation}in (select {wanted} from {table} where {wanted} is not null))"
        return _Written(sql, "truth", written.span)


# The types of columns, as conditions speak of them.
TYPES = {"int": "number", "float": "number", "text": "text", "bool": "truth", "date": "date", "timestamp": "date",
         "list": "list"}  # fmt: skip


def _sql_name(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _sql_literal(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return repr(value)
    return "'" + str(value).replace("'", "''") + "'"


def options(written: tree.Expression) -> tuple[tree.Expression, ...]:
    match written:
        case tree.Choice():
            return written.options
        case tree.Items():
            return written.items
        case tree.Text() | tree.Number():
            return (written,)
        case _:
            return ()
