"""`best = max(.roc_auc)` -> the metric that a trial is scored by, and what that is measured on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..grammar import tree
from ..grammar.diagnostic import Fix, nearest
from ..grammar.kinds import BESTS, METRICS
from ..grammar.source import Span
from . import learn, verdict
from .conditions import may_return
from .meant import dotted
from .program import Measure, Node
from .scope import Scope


def read(line: tree.Search, node: Node, folds: bool, scope: Scope) -> dict[str, Any] | None:
    """The fields `best`, `metric` and `measure` of a search; None when a mistake has been told."""
    pair = next((one for one in line.options if one.name == "best"), None)
    if pair is None and any(nearest(one.name, ["best"]) for one in line.options):
        return None  # a mistyped word, which is told there
    if pair is None:
        title = "the search does not say which trial is the best"
        scope.tell("E804", line.span, {"title": title}, help=f"write best = {example(node)}")
        return None
    written = _written(pair.value, node, scope)
    if written is None or not _looks_for_the_best(written, pair.value, scope):
        return None
    way, metric = written
    folds = folds or any(one.name not in ("trials", "best") for one in line.options)  # or a mistake in it is told
    measure = _of_folds(metric, node, scope) if folds else _of_data(metric, line, node, scope)
    return None if measure is False else {"best": way, "metric": metric.name, "measure": measure}


def example(node: Node) -> str:
    """As this model may write it."""
    known = [METRICS[one.metric] for one in node.measures if one.metric in METRICS and not METRICS[one.metric].table]
    if known:
        return _right(known[0].name)
    return "min(.rmse)" if node.predict and node.predict.task == "regression" else "max(.accuracy)"


def _right(metric: str) -> str:
    return f"{'max' if metric not in METRICS or METRICS[metric].more_is_better else 'min'}({dotted(metric)})"


# --- as it is written ---------------------------------------------------------------------------------------------


def _written(value: tree.Expression, node: Node, scope: Scope) -> tuple[str, tree.Column] | None:
    match value:
        case tree.Call(function=way, arguments=(tree.Column() as column,)) if way in BESTS:
            return way, column
        case tree.Call(function=way, arguments=(tree.Column() as column,)):
            close = nearest(way, BESTS) or _right(column.name)[:3]
            instead = f"{close}({dotted(column.name)})"
        case tree.Call(function=way, arguments=(tree.Reference() as word,)) if way in BESTS and not word.path:
            instead = f"{way}({dotted(word.name)})"
        case tree.Column(name=name) | tree.Text(value=name) if name:
            instead = _right(name)
        case tree.Reference(name=name, path=()):
            instead = _right(name)
        case _:
            scope.tell("E804", value.span, _of_one_metric(value, scope), help=f"as in best = {example(node)}")
            return None
    scope.tell("E804", value.span, _of_one_metric(value, scope), help=f"write {instead}", fix=Fix(value.span, instead))
    return None


def _of_one_metric(value: tree.Expression, scope: Scope) -> dict[str, object]:
    return {"title": f"best is max or min of one metric, and this is {scope.written(value.span)}"}


def _looks_for_the_best(written: tuple[str, tree.Column], value: tree.Expression, scope: Scope) -> bool:
    way, column = written
    right = _right(column.name)
    if column.name not in METRICS or METRICS[column.name].table or right.startswith(way):
        return True
    more = "more" if right.startswith("max") else "less"
    title = f"{way}(.{column.name}) takes the worst trial: of {column.name}, {more} is better"
    scope.tell("E804", value.span, {"title": title}, help=f"write {right}", fix=Fix(value.span, right))
    return False


# --- what it is measured on ---------------------------------------------------------------------------------------

Found = Measure | None | bool  # None: the function returns it. False: a mistake has been told, or it hangs on one


def _of_folds(column: tree.Column, node: Node, scope: Scope) -> Found:
    if _predicts_nothing(node):
        if not scope.may_hold(node.name, "predict") and not learn.is_estimator(node):
            scope.tell("E215", column.span, {"name": node.name}, help="write a line: predict .target from .a, .b")
        return False
    on = f"a fold of {node.inputs[0].name}" if node.inputs else ""
    measure = next((one for one in node.measures if one.name == column.name), None)
    if measure is None:
        if scope.may_hold(node.name, "measure"):
            return False
        measure = learn.metric_of(_as_metric(column), node, on, scope)
    if measure is None or _is_table(measure, column, scope):
        return False
    return measure.model_copy(update={"on": on})


def _measures_are_wrong(node: Node, scope: Scope) -> bool:
    """Whether a mistake was told of what it is measured by, or of what it predicts."""
    block = scope.names.block_of[node.name]
    lines = [line.span for line in block.lines if isinstance(line, tree.Measure | tree.Predict)]
    lacks = node.predict is None and learn.is_measured(block)
    return lacks or scope.may_hold(node.name, "measure", "predict") or any(map(scope.told_within, lines))


def _predicts_nothing(node: Node) -> bool:
    return node.predict is None or not node.predict.targets


def _as_metric(column: tree.Column) -> tree.Metric:
    start = column.span.start + 1 if column.span.end - column.span.start == len(column.name) + 1 else column.span.start
    span = Span(column.span.path, start, column.span.end)
    return tree.Metric(column.name, None, "", span, span)


def _is_table(measure: Measure, column: tree.Column, scope: Scope) -> bool:
    metric = METRICS.get(measure.metric)
    if metric is None or not metric.table:
        return False
    scope.tell("E607", column.span, {"name": column.name})
    return True


def _of_data(column: tree.Column, line: tree.Search, node: Node, scope: Scope) -> Found:
    """By a metric that is measured or returned; never by what an expectation goes by too, which then judged nothing."""
    measure = next((one for one in node.measures if one.name == column.name), None)
    if measure is None and not may_return(node, column.name, scope):
        if _measures_are_wrong(node, scope):
            return False
        title = f"nothing says what {column.name} of a trial is measured on"
        help_ = "measure each trial on folds of its first input: folds = 5"
        scope.tell("E807", column.span, {"title": title}, help=help_, fix=_with_folds(column, line, node))
        return False
    if measure is not None and _is_table(measure, column, scope):
        return False
    judged = set(_judged(node, scope))
    if (measure is None and column.name in judged) or (measure is not None and measure.on in judged):
        by = f"on {measure.on}" if measure is not None else f"by .{column.name}"
        title = f"the best trial is chosen {by}, and an expect line judges the model {by} too"
        help_ = "choose on folds of the first input: folds = 5; or measure on other data to choose on"
        scope.tell("E807", column.span, {"title": title}, help=help_, fix=_with_folds(column, line, node))
        return False
    return measure


def _with_folds(column: tree.Column, line: tree.Search, node: Node) -> Fix | None:
    """`folds = 5` put in, where the metric can be measured on folds."""
    own = any(one.name == column.name for one in node.measures)
    fits = column.name in METRICS and node.predict is not None and METRICS[column.name].task == node.predict.task
    place = line.options[0].span.start
    return Fix(Span(line.span.path, place, place), "folds = 5, ") if own or fits else None


def _judged(node: Node, scope: Scope) -> Iterator[str]:
    """The data that the block's expectations look at, and the metrics that they take as the function returned them."""
    for expect in node.expects:
        for fact in verdict.facts_in(expect.condition):
            yield from getattr(fact, "others", ())
            of = node if fact.of in (*node.names, "last") else scope.nodes.get(fact.of)
            function = getattr(fact, "function", "")
            if of is None or of.kind != "model":
                yield fact.of
            else:
                yield next((one.on for one in of.measures if one.name == function), function if of is node else "")
