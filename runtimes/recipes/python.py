"""A function of the user's -> what it returned, kept; or a class with fit and predict -> the fitted model, kept."""

from __future__ import annotations

import inspect
import shutil
from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from ...compiler.program import Code, handed
from ...compiler.types import Columns
from .. import models, secrets
from ..order import Made, Make, Outcome
from ..store.objects import Objects
from ..trouble import Trouble
from ..userframes import guarded, load
from . import forms
from .predict import all_there, features_of, signature, target_of
from .returned import entry_file, kept, source_files
from .work import SEEDS, Work, arguments, given_as, seed_random


def make(order: Make, objects: Objects) -> Outcome:
    """Run the function, or fit the estimator, and keep what comes out."""
    assert order.recipe.code is not None, "a python recipe comes with its code"
    work = Work(order, objects, order.recipe.code, objects.scratch())
    try:
        seed_random(work.seed)
        entry = load(work.code.entry, work.code.files, work.root, work.action)
        if order.kind == "model" and _is_estimator(entry, work):
            return Outcome(outputs={order.names[0]: _fitted(entry, work)})
        return kept(_called(entry, work), work)
    finally:
        shutil.rmtree(work.scratch, ignore_errors=True)


def _is_estimator(entry: Any, work: Work) -> bool:
    """A class; or a function that takes none of the inputs, and so gives an estimator yet to be fitted."""
    if work.code.is_class or inspect.isclass(entry):
        return True
    parameters, inputs = _parameters(entry, work), {given.alias for given in work.order.inputs}
    if work.order.predict is None or (_takes_any(parameters) and work.code.files):
        return False
    return bool(inputs) and not inputs & set(parameters)


def _parameters(entry: Any, work: Work) -> Mapping[str, inspect.Parameter]:
    try:
        return inspect.signature(entry).parameters
    except (TypeError, ValueError):
        if not callable(entry):
            raise Trouble(work.action, f"{work.code.entry} is no function") from None
        return {name: inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY) for name in work.code.parameters}


# --- a function ----------------------------------------------------------------------------------------------


def _called(function: Any, work: Work) -> Any:
    parameters = _parameters(function, work)
    asked = _annotations(function, work.code)
    values = {}
    for given in work.order.inputs:
        if given.alias in parameters or _takes_any(parameters):
            values[given.alias] = given_as(given, asked.get(given.alias, ""), work)
    values |= _arguments(parameters, work)
    for name, parameter in parameters.items():
        if name not in values and parameter.default is parameter.empty and parameter.kind in _NAMED:
            values[name] = None  # a `last` input that is not there yet
    positional = [
        values.pop(name) for name, one in parameters.items() if one.kind is one.POSITIONAL_ONLY and name in values
    ]
    seed_random(work.seed)  # what it draws is not to depend on how its inputs were read
    return guarded(lambda: function(*positional, **values), work.action, work.root)


_NAMED = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.POSITIONAL_ONLY)


def _takes_any(parameters: Mapping[str, inspect.Parameter]) -> bool:
    return any(one.kind is one.VAR_KEYWORD for one in parameters.values())


def _annotations(function: Any, code: Code) -> dict[str, Any]:
    """As types where they can be evaluated, which says whose DataFrame it is; else as written."""
    try:
        return code.annotations | inspect.get_annotations(function, eval_str=True)
    except Exception:  # what stands there may be anything, and be imported for type checkers alone
        return dict(code.annotations)


def _arguments(parameters: Mapping[str, inspect.Parameter], work: Work) -> dict[str, Any]:
    any_ = _takes_any(parameters)
    values = {name: value for name, value in arguments(work).items() if name in parameters or any_}
    values |= {name: secrets.value(secret) for name, secret in work.order.secrets.items()}
    for name in SEEDS:
        if (
            name in parameters
            and name not in values
            and (_is_said(work) or parameters[name].default in (None, inspect.Parameter.empty))
        ):
            values[name] = work.seed
    return values


def _is_said(work: Work) -> bool:
    return any(name in work.order.arguments for name in SEEDS)


# --- an estimator --------------------------------------------------------------------------------------------


def _fitted(entry: Any, work: Work) -> Made:
    predict, given = work.order.predict, work.first_data()
    if predict is None or given is None:
        raise Trouble(work.action, "nothing says what it predicts", "write a line: predict .target from .a, .b")
    table = work.table(given)
    all_there(predict, table, given.name, work.action)
    features = features_of(predict, table, given.columns)
    to_fit, to_make = _dealt(table, work)
    hidden = {name: secrets.value(secret) for name, secret in work.order.secrets.items()}
    seed_random(work.seed)
    estimator = guarded(lambda: entry(**_with_seed(entry, to_make, work), **hidden), work.action, work.root)
    if not hasattr(estimator, "fit"):
        raise Trouble(work.action, f"{work.code.entry} gives a {type(estimator).__name__}, which has no fit")
    model, encoder = _with_encoder(estimator, features, table, work)
    rows, target = forms.to_pandas(table.select(list(predict.features))), target_of(predict, table, work.action)
    weights = {
        _fit_name(model, estimator, name): forms.to_pandas(table.select([column]))[column]
        for name, column in to_fit.items()
    }
    given_target = () if target is None else (target,)
    guarded(lambda: model.fit(rows, *given_target, **weights), work.action, work.root)
    if not hasattr(model, "predict"):
        raise Trouble(
            work.action, f"{type(estimator).__name__} has no predict", "take one that can answer for new rows"
        )
    said = signature(predict, model, table, given.columns).model_copy(
        update={"encoder": encoder, "entry": entry_file(work)}
    )
    return models.save(model, said, work.objects, source_files(work))


def _dealt(table: pa.Table, work: Work) -> tuple[dict[str, str], dict[str, Any]]:
    """What goes to fit, as the names of columns; and what to the constructor. A text `.w` is the column w."""
    to_fit, to_make = {}, {}
    for name, value in work.order.arguments.items():
        if isinstance(value, str) and value.startswith(".") and value[1:] in table.column_names:
            to_fit[name] = value[1:]
        else:
            to_make[name] = handed(value, is_moment=True) if name in work.order.recipe.moments else value
    return to_fit, to_make


def _with_seed(entry: Any, given: dict[str, Any], work: Work) -> dict[str, Any]:
    """`seed` under the name that the constructor knows, and 0 where it would draw anew each time."""
    parameters = _parameters(entry, work)
    name = next((name for name in reversed(SEEDS) if name in parameters), None)
    known = {key: value for key, value in given.items() if key in parameters or key not in SEEDS}
    if name and name not in known and (_is_said(work) or parameters[name].default in (None, inspect.Parameter.empty)):
        known[name] = work.seed
    return known


def _with_encoder(estimator: Any, features: Columns, table: pa.Table, work: Work) -> tuple[Any, str]:
    """The estimator behind skrub's encoder, if it could not take the features as they are; and what that is, for people.

    Numbers without missing values reach the estimator untouched, and so does all that a pipeline, or a class that is not
    of scikit-learn's kind, is to turn into numbers by itself.
    """
    from sklearn.base import BaseEstimator
    from sklearn.pipeline import Pipeline

    lists = [column.name for column in features if column.type.base == "list"]
    if lists and isinstance(estimator, BaseEstimator):
        raise Trouble(work.action, f"{lists[0]} holds lists, which {type(estimator).__name__} does not learn from")
    if (
        not isinstance(estimator, BaseEstimator)
        or isinstance(estimator, Pipeline)
        or not _needs_encoder(estimator, features, table)
    ):
        return estimator, ""
    import skrub

    pipeline = guarded(lambda: skrub.tabular_pipeline(estimator), work.action, work.root)
    high = getattr(pipeline[0], "high_cardinality", None)
    if hasattr(high, "random_state"):
        pipeline[0].set_params(high_cardinality__random_state=work.seed)
    return pipeline, "skrub: " + ", ".join(type(step).__name__ for _, step in pipeline.steps[:-1])


def _needs_encoder(estimator: Any, features: Columns, table: pa.Table) -> bool:
    from sklearn.utils import get_tags

    takes = get_tags(estimator).input_tags
    for column in features:
        if column.type.base in ("text", "date", "timestamp") and not takes.string:
            return True
        missing = column.type.optional or _has_nan(table.column(column.name))
        if missing and (column.type.base == "bool" or not takes.allow_nan):
            return True
    return False


def _has_nan(column: pa.ChunkedArray) -> bool:
    return pa.types.is_floating(column.type) and bool(pc.any(pc.is_nan(column)).as_py())


def _fit_name(model: Any, estimator: Any, name: str) -> str:
    return name if model is estimator else f"{model.steps[-1][0]}__{name}"
