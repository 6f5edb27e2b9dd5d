"""Conditions about every row of data, as `.end >= .start`: tree -> a SQL expression that is true where a row breaks it."""

from __future__ import annotations

from ..grammar import tree
from . import values
from .program import Expression, Literal_, Node, Operation, Rows
from .scope import Scope, column_missing, last_part
from .types import by_name


def speaks_of_rows(written: tree.Expression, node: Node, scope: Scope) -> bool:
    """Whether a column stands outside a function."""
    match written:
        case tree.Column():
            columns = scope.columns.get(node.name)
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
    sql = writer.write(written)
    if sql is None:
        return None
    broken = Rows(of=node.name, broken=f"not ({sql})", others=tuple(sorted(writer.others)))
    return Operation(operator="==", operands=(broken, Literal_(value=0, text="0")))


class _RowWriter:
    """Writes a condition about columns as a SQL expression. A missing value breaks no condition."""

    def __init__(self, node: Node, scope: Scope) -> None:
        self.node, self.scope = node, scope
        self.others: set[str] = set()

    def write(self, written: tree.Expression) -> str | None:
        match written:
            case tree.Column():
                return self._column(written)
            case tree.Binary():
                return self._binary(written)
            case tree.Unary():
                operand = self.write(written.operand)
                return None if operand is None else f"({'not' if written.operator == 'not' else '-'} {operand})"
            case tree.Call():
                self.scope.tell("E606", written.span, {})
                return None
            case tree.Date():
                kind = "timestamp" if "T" in written.value else "date"
                return f"{kind} '{written.value}'"
            case tree.Reference() if written.path:
                self.scope.tell("E606", written.span, {})
                return None
            case _:
                value = values.read(written, self.scope.params, self.scope.told)
                return None if value is None else _sql_literal(values.plain(value))

    def _column(self, written: tree.Column) -> str | None:
        columns = self.scope.columns.get(self.node.name)
        if columns is not None and written.name not in by_name(columns):
            column_missing(self.scope, written, columns, self.node.name)
            return None
        return _sql_name(written.name)

    def _binary(self, written: tree.Binary) -> str | None:
        if written.operator in ("in", "not in"):
            return self._membership(written)
        left, right = self.write(written.left), self.write(written.right)
        if left is None or right is None:
            return None
        if written.operator == "else":
            return f"coalesce({left}, {right})"
        operator = {"==": "=", "!=": "<>"}.get(written.operator, written.operator)
        return f"({left} {operator} {right})"

    def _membership(self, written: tree.Binary) -> str | None:
        left = self.write(written.left)
        if left is None:
            return None
        negation = "not " if written.operator == "not in" else ""
        match written.right:
            case tree.Range(low, high):
                ends = [(">=", low), ("<=", high)]
                tests = [f"{left} {operator} {self.write(end)}" for operator, end in ends if end is not None]
                return f"({negation}({' and '.join(tests)}))"
            case tree.Reference(name, (column,)):
                return self._in_other(left, negation, name, column, written.right)
            case _:
                allowed = [self.write(option) for option in options(written.right)]
                if not allowed or None in allowed:
                    self.scope.tell(
                        "E604",
                        written.right.span,
                        {"problem": "in takes a range (1..5), a set or a column of other data"},
                    )
                    return None
                return f"({left} {negation}in ({', '.join(o for o in allowed if o)}))"

    def _in_other(self, left: str, negation: str, name: str, column: str, written: tree.Reference) -> str | None:
        other = self.scope.nodes.get(name)
        if other is None:
            return None
        columns = self.scope.columns.get(name)
        if columns is not None and column not in by_name(columns):
            column_missing(self.scope, tree.Column(column, last_part(written)), columns, name)
            return None
        self.others.add(name)
        table, wanted = _sql_name(name), _sql_name(column)
        return f"({left} {negation}in (select {wanted} from {table} where {wanted} is not null))"


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
