"""`expect` conditions: tree -> the program's expressions, typed.

A condition speaks of a whole artifact through facts (`mean(.spend)`, `.roc_auc`) or, on data, of every row through
columns (`.end >= .start`); never of both.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..grammar import tree
from ..grammar.diagnostic import Fix, listing, nearest
from ..grammar.foreign import OTHER_FUNCTIONS
from ..grammar.kinds import DATA_FUNCTIONS, METRICS, SERVICE_FACTS
from ..grammar.source import Span
from . import notebook, rows, values
from .held import Side, backwards, example, held, type_of
from .held_out import held_out
from .meant import dotted
from .program import Expect, Expression, Fact, Literal_, Node, Operation, Within
from .scope import Scope, column_missing, did_you_mean, last_part
from .types import Column, Columns, by_name, is_number, is_ordered


@dataclass(frozen=True, slots=True)
class Typed:
    """An expression and the type of what it gives, as in `held.py`; `more`, `counts` and `stamp` likewise."""

    expression: Expression
    type: str
    span: Span
    more: bool = True
    counts: bool = False
    stamp: bool = False


def check(line: tree.Expect, node: Node, scope: Scope) -> Expect | None:
    """The condition as the program holds it; None when a mistake in it has been told."""
    if node.kind == "data" and rows.speaks_of_rows(line.condition, node, scope):
        condition = rows.condition(line.condition, node, scope)
    else:
        typed = _Checker(node, scope).read(line.condition)
        if typed is not None and typed.type not in ("truth", ""):
            scope.tell(
                "E605", line.condition.span, {"type": typed.type}, help=f"compare it, as in {example(typed.type)}"
            )
            typed = None
        condition = typed.expression if typed else None
    if condition is None:
        return None
    return Expect(
        condition=condition,
        text=" ".join(scope.written(line.condition.span).split()),
        judges=node.names,
        span=scope.place(line.condition.span),
    )


# --- about the whole ------------------------------------------------------------------------------------------


def _data_for(node: Node, scope: Scope) -> str:
    """What a further metric of a model would be measured on."""
    blocks = scope.names.block_of
    own = [measure.on for measure in node.measures]
    return own[0] if own else held_out(blocks[node.name], blocks.values()) or "data"


class _Checker:
    def __init__(self, node: Node, scope: Scope) -> None:
        self.node, self.scope = node, scope

    def read(self, written: tree.Expression) -> Typed | None:
        match written:
            case tree.Number():
                return self._number(written)
            case tree.Text():
                return Typed(Literal_(value=written.value, text=f'"{written.value}"'), "text", written.span)
            case tree.Truth():
                return Typed(Literal_(value=written.value, text=str(written.value).lower()), "truth", written.span)
            case tree.Date():
                return _of_moment(written.value, written.span)
            case tree.Column():
                return self._own(written)
            case tree.Reference():
                return self._reference(written)
            case tree.Call():
                return self._call(written)
            case tree.Unary():
                return self._unary(written)
            case tree.Binary():
                return self._binary(written)
            case tree.Items():
                self.scope.tell(
                    "E216", written.span, {}, help='a list is no single value; a set stands after in: .x in "a" | "b"'
                )
                return None
            case _:
                self.scope.tell("E216", written.span, {}, help="a set and a range stand after in: .x in 1..9")
                return None

    def _number(self, written: tree.Number) -> Typed | None:
        value = values.quantity(written, self.scope.told)
        if value is None:
            return None
        kind = values.dimension(written) or "number"
        return Typed(Literal_(value=value, text=self.scope.written(written.span)), kind, written.span)

    def _reference(self, written: tree.Reference) -> Typed | None:
        scope, node = self.scope, self.node
        if written.name in scope.params and not written.path:
            value = values.read(written, scope.params, scope.told)
            if value is None:
                return None
            if isinstance(value, values.Moment):
                return _of_moment(value.text, written.span)
            if isinstance(value, tuple | values.ColumnValue | values.Secret):
                scope.tell("E216", written.span, {})
                return None
            return Typed(Literal_(value=value, text=str(value)), type_of(value), written.span)
        if scope.names_nothing(written):
            return None
        if len(written.path) != 1:
            scope.tell(
                "E603",
                written.span,
                {"name": str(written)},
                help=f"say what of it, as in {written.name}.{_example(node)}",
            )
            return None
        if written.name == "last":
            return self._fact(node, "last", written.path[0], written.span)
        other = scope.nodes.get(written.name)
        if other is None:
            return None  # its mistake is told where it stands
        return self._fact(other, written.name, written.path[0], written.span)

    def _fact(self, node: Node, of: str, word: str, span: Span) -> Typed | None:
        match node.kind:
            case "data":
                return self._data_fact(of, word, span)
            case "model":
                return self._metric(node, of, word, span)
            case "service":
                return self._service_fact(of, word, span)

    def _own(self, written: tree.Column) -> Typed | None:
        node = self.node
        if node.kind == "data" and len(node.names) > 1 and not _is_source(node):
            outputs = " or ".join(f"{name}.{written.name}" for name in node.names)
            facts = {"name": node.title, "number": len(node.names), "outputs": outputs}
            self.scope.tell("E105", written.span, facts)
            return None
        return self._fact(node, node.name, written.name, written.span)

    def _data_fact(self, of: str, word: str, span: Span) -> Typed | None:
        if word != "rows":
            self.scope.tell("E603", span, {"name": "." + word}, help=_how_to_ask(word, self.scope.columns.get(of)))
            return None
        return Typed(Fact(of=of, function="rows"), "number", span, counts=True)

    def _metric(self, node: Node, of: str, word: str, span: Span) -> Typed | None:
        measured = {measure.name: measure for measure in node.measures}
        if word not in measured:
            if may_return(node, word, self.scope):
                return Typed(Fact(of=of, function=word), "number", span)
            self._unmeasured(node, word, span, list(measured))
            return None
        metric = METRICS.get(measured[word].metric)
        if metric is not None and metric.table:
            self.scope.tell("E607", span, {"name": word})
            return None
        return Typed(Fact(of=of, function=word), "number", span, more=measured[word].metric not in NEVER_MORE_THAN_1)

    def _unmeasured(self, node: Node, word: str, span: Span, measured: list[str]) -> None:
        if _measures_are_wrong(node, self.scope) or (not measured and self._told_unmeasured(node)):
            return
        close = nearest(word, measured) if word not in METRICS else None  # precision is no misspelt precision_macro
        note = f"{node.name} measures: {listing(measured)}" if measured else f"{node.name} measures nothing"
        fix = None
        help_ = f"write a line: measure {word if word in METRICS else 'metric'} on {_data_for(node, self.scope)}"
        if close:
            help_ = f"write .{close}"
            start = span.end - len(word)
            fix = Fix(Span(span.path, start, span.end), close)
        on = measured and sorted({m.on for m in node.measures})
        title = (
            f"{node.name} is measured on {listing(on)}, but nothing measures {word}"
            if on
            else f"nothing measures {word}"
        )
        self.scope.tell("E601", span, {"title": title}, note=note, help=help_, fix=fix)

    def _told_unmeasured(self, node: Node) -> bool:
        """Of a block that measures nothing it is told once, of all that it asks of itself."""
        block = self.scope.names.block_of[self.node.name].span
        own = [one for one in self.scope.told if one.code == "E601" and block.start <= one.span.start <= block.end]
        return node.name == self.node.name and any(one.span.path == block.path for one in own)

    def _service_fact(self, of: str, word: str, span: Span) -> Typed | None:
        if word not in SERVICE_FACTS:
            close = word if word not in DATA_FUNCTIONS else ""  # .rows is no misspelt .errors
            self.scope.tell("E603", span, {"name": "." + word}, help=did_you_mean(close, SERVICE_FACTS))
            return None
        return Typed(Fact(of=of, function=word), SERVICE_FACTS[word][0], span, more=word != "errors")

    def _call(self, written: tree.Call) -> Typed | None:
        function = DATA_FUNCTIONS.get(written.function)
        if function is None:
            self._no_such_function(written)
            return None
        target = self._target(written)
        if target is None:
            return None
        node, of, column = target
        return self._on_column(written, node, of, column)

    def _no_such_function(self, written: tree.Call) -> None:
        word = written.function
        fix: Fix | None
        if word in ("count", "len", "size") and self.node.kind == "data":
            help_, fix = "how many rows there are is .rows", Fix(written.span, ".rows")
        else:
            close = OTHER_FUNCTIONS.get(word.lower()) or nearest(word, DATA_FUNCTIONS)
            help_ = f"did you mean {close}?" if close else f"known: {listing(DATA_FUNCTIONS, 20)}"
            fix = Fix(written.name_span, close) if close else None
        self.scope.tell("E603", written.name_span, {"name": word}, help=help_, fix=fix)

    def _target(self, written: tree.Call) -> tuple[Node, str, tree.Column] | None:
        """Whose column a function is asked about: `.x` of this block, `other.x` of another."""
        count = 2 if written.function == "quantile" else 1
        first = written.arguments[0] if written.arguments else None
        if len(written.arguments) != count or written.function == "rows":
            form = (
                ".rows"
                if written.function == "rows"
                else "quantile(.x, 0.9)"
                if count == 2
                else f"{written.function}(.x)"
            )
            self.scope.tell("E603", written.span, {"name": written.function}, help=f"write {form}")
            return None
        if isinstance(first, tree.Column):
            return self._data_or_none(written, self.node, self.node.name, first)
        if isinstance(first, tree.Reference) and self.scope.names_nothing(first):
            return None
        if isinstance(first, tree.Reference) and len(first.path) == 1:
            column = tree.Column(first.path[0], last_part(first))
            if first.name == "last":
                return self.node, "last", column
            other = self.scope.nodes.get(first.name)
            if other is None:
                return None
            return self._data_or_none(written, other, first.name, column)
        right = dotted(first.value) if isinstance(first, tree.Text) else ""
        help_ = f"it takes a column: {written.function}({right or '.x'})"
        fix = Fix(first.span, right) if first is not None and right else None
        self.scope.tell("E603", written.span, {"name": written.function}, help=help_, fix=fix)
        return None

    def _data_or_none(
        self, written: tree.Call, node: Node, of: str, column: tree.Column
    ) -> tuple[Node, str, tree.Column] | None:
        if node.kind == "data":
            return node, of, column
        self.scope.tell("E603", written.span, {"name": written.function}, help="only data has columns")
        return None

    def _on_column(self, written: tree.Call, node: Node, of: str, column: tree.Column) -> Typed | None:
        name = node.name if of == "last" else of
        columns = self.scope.columns_with(name, column.name)
        function = DATA_FUNCTIONS[written.function]
        found = None
        if columns is not None:
            found = by_name(columns).get(column.name)
            if found is None:
                column_missing(self.scope, column, columns, name)
                return None
            if (function.column == "number" and not is_number(found.type)) or (
                function.column == "ordered" and not is_ordered(found.type)
            ):
                takes = "a number" if function.column == "number" else "a number or a date"
                problem = f"{written.function} takes {takes}, and {dotted(column.name)} is {found.type}"
                self.scope.tell("E604", column.span, {"problem": problem})
                return None
        word = written.function
        if word == "quantile":
            share = values.read(written.arguments[1], self.scope.params, self.scope.told)
            if not isinstance(share, int | float) or isinstance(share, bool) or not 0 <= share <= 1:
                _no_share(written.arguments[1], share, self.scope)
                return None
            word = f"quantile:{share}"
        gives = function.gives if function.gives != "column" else _column_type(found)
        counts = written.function in ("nulls", "distinct")
        stamp = function.gives == "column" and found is not None and found.type.base == "timestamp"
        return Typed(Fact(of=of, function=word, column=column.name), gives, written.span, counts=counts, stamp=stamp)

    def _unary(self, written: tree.Unary) -> Typed | None:
        operand = self.read(written.operand)
        if operand is None:
            return None
        wanted = ("truth",) if written.operator == "not" else ("number", "time", "share")
        if operand.type and operand.type not in wanted:
            self._mismatch(written.operator, operand, wanted[0])
            return None
        operator = "not" if written.operator == "not" else "neg"
        return Typed(Operation(operator=operator, operands=(operand.expression,)), operand.type, written.span)

    def _binary(self, written: tree.Binary) -> Typed | None:
        if written.operator in ("in", "not in"):
            return self._membership(written)
        left, right = self.read(written.left), self.read(written.right)
        if left is None or right is None:
            return None
        gives = self._held(written.operator, left, right, written.span)
        if gives is None:
            return None
        operation = Operation(operator=written.operator, operands=(left.expression, right.expression))
        more = _may_be_more(written.operator, left, right)
        stamp = written.operator == "else" and (left.stamp or right.stamp)
        return Typed(operation, gives, written.span, more=more, stamp=stamp)

    def _held(self, operator: str, left: Typed, right: Typed, whole: Span) -> str | None:
        """The type that comes of it; None when a mistake has been told."""
        found = held(operator, self._side(left), self._side(right))
        if isinstance(found, str):
            return found
        span = {"left": left.span, "right": right.span, "both": whole}[found.at]
        self.scope.tell("E604", span, {"problem": found.problem}, help=found.help)
        return None

    def _side(self, typed: Typed) -> Side:
        value = typed.expression.value if isinstance(typed.expression, Literal_) else None
        text = " ".join(self.scope.written(typed.span).split())
        return Side(typed.type, text, value, typed.more, typed.counts, typed.stamp)

    def _mismatch(self, operator: str, side: Typed, wanted: str) -> None:
        self.scope.tell("E604", side.span, {"problem": f"{operator} takes a {wanted}, and this is a {side.type}"})

    def _membership(self, written: tree.Binary) -> Typed | None:
        value = self.read(written.left)
        if value is None:
            return None
        if isinstance(written.right, tree.Range):
            ends = [self.read(end) if end is not None else None for end in (written.right.low, written.right.high)]
            for end, tree_end in zip(ends, (written.right.low, written.right.high), strict=True):
                if tree_end is not None and (end is None or self._held("<=", value, end, written.span) is None):
                    return None
            low, high = (end.expression if end else None for end in ends)
            if backwards(low, high):
                self.scope.tell(
                    "E604", written.right.span, {"problem": "nothing lies in a range that ends before it begins"}
                )
                return None
            inside: Expression = Within(value=value.expression, low=low, high=high)
        else:
            options = [self.read(option) for option in rows.options(written.right)]
            if not options or None in options:
                self.scope.tell(
                    "E604", written.right.span, {"problem": "in takes a range (1..5) or a set"}
                ) if not options else None
                return None
            if any(self._held("==", value, option, written.span) is None for option in options if option):
                return None
            equal = tuple(Operation(operator="==", operands=(value.expression, o.expression)) for o in options if o)
            inside = equal[0] if len(equal) == 1 else Operation(operator="or", operands=equal)
        if written.operator == "not in":
            inside = Operation(operator="not", operands=(inside,))
        return Typed(inside, "truth", written.span)


def _may_be_more(operator: str, left: Typed, right: Typed) -> bool:
    """Whether what comes of two sides may be more than 1: last.roc_auc - 0.01 is never, a sum of two metrics is, and so
    is a difference, since some have no least value."""
    value = right.expression.value if isinstance(right.expression, Literal_) else None
    number = value if isinstance(value, int | float) else None
    if operator == "-":
        return left.more or number is None or number < 0
    if operator == "else":
        return left.more or (right.more if number is None else number > 1)
    return True


def _no_share(written: tree.Expression, share: object, scope: Scope) -> None:
    problem = f"the share of a quantile lies between 0 and 1, and this is {scope.written(written.span)}"
    percent = isinstance(share, int | float) and not isinstance(share, bool) and 1 < share <= 100
    scope.tell("E604", written.span, {"problem": problem}, help=f"write {share}%" if percent else "")


# Metrics whose best value is 1.
NEVER_MORE_THAN_1 = ("accuracy", "balanced_accuracy", "f1", "f1_macro", "f1_micro", "f1_weighted", "precision",
                     "precision_macro", "recall", "recall_macro", "matthews", "cohen_kappa", "roc_auc",
                     "average_precision", "r2", "explained_variance")  # fmt: skip


def _of_moment(text: str, span: Span) -> Typed:
    return Typed(Literal_(value=text, text=text), "date", span, stamp="T" in text)


def _column_type(column: Column | None) -> str:
    if column is None:
        return ""
    return "number" if is_number(column.type) else "date"


def _example(node: Node) -> str:
    return {"data": "rows", "model": node.measures[0].name if node.measures else "rmse", "service": "p95"}[node.kind]


def _how_to_ask(word: str, columns: Columns | None) -> str:
    if columns and word in by_name(columns):
        return f"to ask about the column, write a function: mean({dotted(word)}), unique({dotted(word)})"
    return did_you_mean(
        word, ["rows"], "of data as a whole there is .rows; of a column mean(.x), unique(.x), nulls(.x) …"
    )


def _measures_are_wrong(node: Node, scope: Scope) -> bool:
    """Whether a mistake was told that hides what a model measures."""
    if scope.may_hold(node.name, "predict", "measure"):
        return True
    block = scope.names.block_of.get(node.name)
    if block is None:  # another has the name, which is told
        return True
    lines = [line for line in block.lines if isinstance(line, tree.Measure | tree.Predict)]
    spans = [*(line.span for line in lines), *([block.recipe.span] if block.recipe else [])]
    return any(scope.told_within(span) for span in spans)


def may_return(node: Node, word: str, scope: Scope) -> bool:
    """Whether a function of the user's may return this metric itself: its source speaks of the word."""
    code = node.recipe.code
    if code is None or code.is_class:
        return False
    texts = (notebook.code_in(path, scope.files.text(path) or "") for path in code.files)
    return any(f'"{word}"' in text or f"'{word}'" in text or f"{word}=" in text for text in texts)


def _is_source(node: Node) -> bool:
    return not node.inputs
