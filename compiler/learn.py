"""What is particular to models: the `predict` and `measure` lines, and what a prediction looks like."""

from __future__ import annotations

import json
from typing import Literal

from ..grammar import tree
from ..grammar.diagnostic import Fix, nearest
from ..grammar.kinds import METRICS
from . import installed, signature, values
from .meant import dotted
from .program import Measure, Node, Predict, Scalar
from .scope import Scope, column_missing, did_you_mean, features_missing
from .types import BOOL, FLOAT, Column, Columns, Type, by_name, is_number

Task = Literal["classification", "regression", "none"]


def model(block: tree.Block, node: Node, given: object, scope: Scope) -> Node:
    """The node of a model with what it predicts."""
    lines = [line for line in block.lines if isinstance(line, tree.Predict)]
    for line in lines[1:]:
        scope.tell("E207", line.span, {"name": "predict"}, help="take one of the two away")
    known = _columns_for(lines[0], node, scope) if lines else None
    estimator = is_estimator(node)
    if not lines:
        if estimator and block.recipe is not None:
            scope.tell("E217", block.recipe.span, {"name": node.name}, help="write a line: predict .target from .a, .b")
        return node
    if not node.inputs or node.inputs[0].kind != "data":
        scope.tell(
            "E211",
            block.head,
            {"word": "a model", "what": "inputs", "found": 0, "wanted": "1 or more"},
            help="write from data that it learns from",
        )
        return node
    _columns_there(lines[0], node, known, scope)
    return node.model_copy(update={"predict": _predict(lines[0], node, known, scope)})


def alone(block: tree.Block, node: Node, scope: Scope) -> None:
    """Tells what is wrong in a model's lines whoever makes it: columns and metrics that there are not."""
    for line in block.lines:
        if isinstance(line, tree.Predict) and node.inputs and node.inputs[0].kind == "data":
            _columns_there(line, node, _columns_for(line, node, scope), scope)
        elif isinstance(line, tree.Measure):
            for metric in line.metrics:
                if metric.name != "python" and metric.name not in METRICS:
                    _no_such_metric(metric, node, scope)


def is_estimator(node: Node) -> bool:
    code = node.recipe.code
    return code is not None and (code.is_class or not code.files)


def is_measured(block: tree.Block) -> bool:
    """Whether its lines ask what it predicts: that nothing says so is told at the first of them."""
    lines = (line for line in block.lines if isinstance(line, tree.Measure))
    return any(metric.name in METRICS for line in lines for metric in line.metrics)


def is_told(model: Node, scope: Scope) -> bool:
    """Whether its own block tells that nothing says what it predicts; else who asks it to does."""
    block = scope.names.block_of[model.name]
    return is_estimator(model) or scope.may_hold(model.name, "predict") or is_measured(block)


def _columns_for(line: tree.Predict, node: Node, scope: Scope) -> Columns | None:
    """The columns that a model learns from. Where there may be more than are known, all of them are its features."""
    if not node.inputs:
        return None
    if line.features is None:
        return scope.columns.get(node.inputs[0].name)
    wanted = (column.name for column in (*line.targets, *line.features, *line.but))
    return scope.columns_with(node.inputs[0].name, *wanted)


def _columns_there(line: tree.Predict, node: Node, known: Columns | None, scope: Scope) -> None:
    if known is None:
        return
    names = by_name(known)
    for column in (*line.targets, *(line.features or ()), *line.but):
        if column.name not in names:
            column_missing(scope, column, known, node.inputs[0].name)
    targets = {target.name for target in line.targets}
    for column in line.features or ():
        if column.name in targets:
            scope.tell("E218", column.span, {"column": column.name}, help="take it out of the features")


def _predict(line: tree.Predict, node: Node, known: Columns | None, scope: Scope) -> Predict:
    targets = tuple(target.name for target in line.targets)
    positive = _positive(line, known, scope)
    if line.features is not None:
        features = tuple(column.name for column in line.features)
    else:
        left_out = {*targets, *(column.name for column in line.but)}
        features = tuple(column.name for column in known or () if column.name not in left_out)
    return Predict(
        targets=targets, positive=positive, features=features, task=_task(line, node, known, positive, scope)
    )


def _positive(line: tree.Predict, known: Columns | None, scope: Scope) -> Scalar:
    if line.positive is None:
        return None
    value = values.read(line.positive, scope.params, scope.told)
    target = by_name(known or ()).get(line.targets[0].name)
    if isinstance(value, str) and target is not None and target.type.values and value not in target.type.values:
        close, written = nearest(value, target.type.values), isinstance(line.positive, tree.Text)
        scope.tell(
            "E219",
            line.positive.span,
            {"value": value, "column": target.name},
            help=did_you_mean(value, target.type.values),
            fix=Fix(line.positive.span, json.dumps(close, ensure_ascii=False)) if close and written else None,
        )
    elif target is not None and value is not None and not _same_form(value, target.type):
        scope.tell(
            "E304",
            line.positive.span,
            {"column": target.name, "declared": str(target.type), "found": scope.written(line.positive.span)},
        )
    value = value.text if isinstance(value, values.Moment) else value
    return value if isinstance(value, bool | int | float | str) else None


def _same_form(value: object, type_: Type) -> bool:
    if isinstance(value, values.Moment):
        return type_.base in ("date", "timestamp")
    if isinstance(value, bool):
        return type_.base == "bool"
    if isinstance(value, int | float):
        return is_number(type_)
    return type_.base in ("text", "date", "timestamp")


def _task(line: tree.Predict, node: Node, known: Columns | None, positive: Scalar, scope: Scope) -> Task:
    if not line.targets:
        return "none"
    target = by_name(known or ()).get(line.targets[0].name)
    code = node.recipe.code
    kind = signature.estimator_kind(code.entry) if code is not None else ""
    text = target is not None and target.type.base in ("text", "bool")
    no_number = target is not None and not is_number(target.type)
    if no_number and positive is None and kind == "regressor":
        scope.tell(
            "E220",
            line.targets[0].span,
            {"column": line.targets[0].name, "type": str(target.type if target else "")},
            help=f'take a classifier, or learn a number; predict {dotted(line.targets[0].name)} == "…" learns whether',
        )
    if positive is not None or text or kind == "classifier":
        return "classification"
    return "regression" if target is not None or kind == "regressor" else _as_measured(node, scope)


def _as_measured(node: Node, scope: Scope) -> Task:
    """Where the target's type is not known, the metrics tell."""
    block = scope.names.block_of.get(node.name)
    lines = block.lines if block else ()
    words = [metric.name for line in lines if isinstance(line, tree.Measure) for metric in line.metrics]
    best = [
        pair.value for line in lines if isinstance(line, tree.Search) for pair in line.options if pair.name == "best"
    ]
    words += [
        one.name
        for call in best
        if isinstance(call, tree.Call)
        for one in call.arguments
        if isinstance(one, tree.Column)
    ]
    tasks = [METRICS[word].task for word in words if word in METRICS]
    return tasks[0] if tasks else "regression"


def prediction_columns(model: Node, scope: Scope) -> Columns:
    predict = model.predict
    if predict is None:
        return (Column(name="prediction", type=FLOAT),)
    target = None
    if predict.targets and model.inputs:
        target = by_name(scope.columns_with(model.inputs[0].name) or ()).get(predict.targets[0])
    if predict.task != "classification":
        return (Column(name="prediction", type=FLOAT),)
    type_ = (
        BOOL if predict.positive is not None or target is None else target.type.model_copy(update={"optional": False})
    )
    return Column(name="prediction", type=type_), Column(name="probability", type=Type(base="float", optional=True))


# --- measure --------------------------------------------------------------------------------------------------


def with_measures(block: tree.Block, node: Node, scope: Scope) -> Node:
    found: dict[str, Measure] = {}
    for line in block.lines:
        if isinstance(line, tree.Measure) and node.kind == "model":
            _measure(line, block, node, found, scope)
    return node.model_copy(update={"measures": tuple(found.values())})


def _measure(line: tree.Measure, block: tree.Block, node: Node, found: dict[str, Measure], scope: Scope) -> None:
    on = line.on.name
    if on in scope.names.block_of and scope.names.kind_of(on) != "data":
        scope.tell("E104", line.on.span, {"name": on, "kind": scope.names.kind_of(on), "wanted": "data"})
        return
    if _predicts_nothing(node) and any(metric.name in METRICS for metric in line.metrics):
        lines = [one for one in block.lines if isinstance(one, tree.Predict)]
        if line is next(one for one in block.lines if isinstance(one, tree.Measure)) and (
            lines or not is_estimator(node)
        ):
            scope.tell("E215", line.span, {"name": node.name}, help="write a line: predict .target from .a, .b")
        return
    _measured_columns(line, node, on, scope)
    twice = False
    for metric in line.metrics:
        measure = metric_of(metric, node, on, scope)
        if measure is None:
            continue
        if measure.name in found and twice:
            continue  # a line that stands twice is one mistake
        if measure.name in found:
            twice = True
            scope.tell(
                "E608",
                metric.span,
                {"name": measure.name},
                help=f"give it another: {metric.name} as {metric.name}_{on}",
            )
            continue
        found[measure.name] = measure


def _predicts_nothing(node: Node) -> bool:
    return node.predict is None or node.predict.task == "none"


def _measured_columns(line: tree.Measure, node: Node, on: str, scope: Scope) -> None:
    if node.predict is None:
        return
    wanted = (*node.predict.targets, *node.predict.features)
    known = scope.columns_with(on, *wanted)
    if known is None:
        return
    names, trained = by_name(known), scope.columns_with(node.inputs[0].name, *wanted) if node.inputs else None
    told = [name for name in wanted if trained is not None and name not in by_name(trained)]  # at the predict line
    missing = [name for name in wanted if name not in names and name not in told]
    features_missing(scope, line.on.span, missing, known, on, f"{node.name} needs it")


def metric_of(metric: tree.Metric, node: Node, on: str, scope: Scope) -> Measure | None:
    if metric.name == "python" and metric.place is not None:
        return _own_metric(metric, on, scope)
    known = METRICS.get(metric.name)
    if known is None or metric.place is not None:
        _no_such_metric(metric, node, scope)
        return None
    if node.predict is not None and known.task != node.predict.task:
        scope.tell(
            "E609",
            metric.name_span,
            {"metric": metric.name, "wanted": known.task, "model": node.name, "task": node.predict.task},
            help=did_you_mean(
                "", (), "measure " + ", ".join([n for n, m in METRICS.items() if m.task == node.predict.task][:4])
            ),
        )
        return None
    if known.needs == "probability" and not _says_how_sure(metric, node, scope):
        return None
    return Measure(name=metric.alias or metric.name, metric=metric.name, on=on)


def _no_such_metric(metric: tree.Metric, node: Node, scope: Scope) -> None:
    close = nearest(metric.name, METRICS)
    task = node.predict.task if node.predict else ""
    fitting = ", ".join(name for name, m in METRICS.items() if task in ("", m.task))
    scope.tell(
        "E602",
        metric.name_span,
        {"name": metric.name},
        help=did_you_mean(metric.name, METRICS, f"for a {task}: {fitting}" if task else f"known: {fitting}"),
        fix=Fix(metric.name_span, close) if close else None,
    )


def _says_how_sure(metric: tree.Metric, node: Node, scope: Scope) -> bool:
    """False, and told, where a model certainly gives no probabilities."""
    code = node.recipe.code
    if code is None or not is_estimator(node):
        return True
    read, way = scope.signature(code.entry), ""
    if code.files:
        there = read.probabilities if isinstance(read, signature.Signature) else None
    else:
        there, check = installed.has_method(code.entry, "predict_proba")
        if there and check:
            there, way = _decided(check, code.entry, node, scope)
    if there is False:
        name = code.entry.rsplit(":", 1)[-1]
        help_ = way or "take a model with predict_proba, or measure accuracy, f1_macro …"
        scope.tell("E610", metric.name_span, {"metric": metric.name, "model": node.name, "name": name}, help=help_)
    return there is not False


# Classes of scikit-learn that give probabilities with some of their options only: the option, and what it must be.
_WITH = {
    "_check_proba": (("probability", (True,)), ("loss", ("log_loss", "modified_huber"))),
    "_check_voting": (("voting", ("soft",)),),
}


def _decided(check: str, entry: str, node: Node, scope: Scope) -> tuple[bool | None, str]:
    takes = signature.estimator_arguments(entry) or ()
    for option, wanted in _WITH.get(check, ()):
        if option in takes:
            block = scope.names.block_of.get(node.name)
            if any(isinstance(line, tree.Among) and line.name == option for line in (block.lines if block else ())):
                return None, ""
            value = f'"{wanted[0]}"' if isinstance(wanted[0], str) else "true"
            return node.arguments.get(option) in wanted, f"write {option} = {value}"
    return None, ""


def _own_metric(metric: tree.Metric, on: str, scope: Scope) -> Measure | None:
    assert metric.place is not None
    read = scope.signature(metric.place.value)
    if isinstance(read, signature.Problem):
        scope.tell("E401", metric.place.span, {"message": read.message}, help=read.help)
        return None
    stranger = [p for p in read.required if p not in OWN_METRIC_TAKES]
    if stranger:
        scope.tell(
            "E403",
            metric.place.span,
            {"function": read.code.entry.rsplit(":", 1)[-1], "missing": ", ".join(stranger)},
            help=f"a metric is handed {', '.join(OWN_METRIC_TAKES)}",
        )
    return Measure(name=metric.alias or metric.place.value.rsplit(":", 1)[-1], metric="python", on=on, code=read.code)


OWN_METRIC_TAKES = ("y_true", "y_pred", "y_prob", "data", "model")
