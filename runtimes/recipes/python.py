"""A function of the user's -> what it returned, kept; or a class with fit and predict -> the fitted model, kept."""

from __future__ import annotations

import inspect
import math
import random
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from ...compiler.program import Code, Value
from ...compiler.types import Columns
from ...grammar.diagnostic import listing
from .. import models, secrets, tables
from ..declared import conform
from ..models import Signature
from ..order import Given, Made, Make, Outcome
from ..store.objects import FOLDER, Objects
from ..trouble import Trouble
from ..userframes import guarded, load
from . import forms
from .predict import all_there, features_of, signature, target_of

SEEDS = ("seed", "random_state")


@dataclass(slots=True)
class _Work:
    """One order under way. `read` are the inputs' tables, each read once; `scratch` is swept when the order is done."""

    order: Make
    objects: Objects
    code: Code
    scratch: Path
    read: dict[str, pa.Table] = field(default_factory=dict)

    @property
    def action(self) -> str:
        return f"make {', '.join(self.order.names)}"

    @property
    def root(self) -> Path:
        return Path(self.order.root)

    @property
    def seed(self) -> int:
        """Of what is drawn at random; 0 if unsaid."""
        said = next((self.order.arguments[name] for name in SEEDS if name in self.order.arguments), 0)
        return said if isinstance(said, int) else 0

    def table(self, given: Given) -> pa.Table:
        if given.alias not in self.read:
            if given.digest.startswith(FOLDER):
                raise Trouble(
                    self.action, f"{given.name} is a folder of files", f"annotate {given.alias} with pathlib.Path"
                )
            self.read[given.alias] = tables.read(self.objects, given.digest)
        return self.read[given.alias]


def make(order: Make, objects: Objects) -> Outcome:
    """Run the function, or fit the estimator, and keep what comes out."""
    assert order.recipe.code is not None, "a python recipe comes with its code"
    work = _Work(order, objects, order.recipe.code, objects.scratch())
    try:
        entry = load(work.code.entry, work.code.files, work.root, work.action)
        _seed(work.seed)
        if order.kind == "model" and _is_estimator(entry, work):
            return Outcome(outputs={order.names[0]: _fitted(entry, work)})
        return _kept(_called(entry, work), work)
    finally:
        shutil.rmtree(work.scratch, ignore_errors=True)


def _seed(seed: int) -> None:
    import numpy as np

    random.seed(seed)
    np.random.seed(seed % 2**32)


def _is_estimator(entry: Any, work: _Work) -> bool:
    """A class; or a function that takes none of the inputs, and so gives an estimator yet to be fitted."""
    if work.code.is_class or inspect.isclass(entry):
        return True
    parameters, inputs = _parameters(entry, work), {given.alias for given in work.order.inputs}
    if work.order.predict is None or (_takes_any(parameters) and work.code.files):
        return False
    return bool(inputs) and not inputs & set(parameters)


def _parameters(entry: Any, work: _Work) -> Mapping[str, inspect.Parameter]:
    try:
        return inspect.signature(entry).parameters
    except (TypeError, ValueError):
        if not callable(entry):
            raise Trouble(work.action, f"{work.code.entry} is no function") from None
        return {name: inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY) for name in work.code.parameters}


# --- a function ----------------------------------------------------------------------------------------------


def _called(function: Any, work: _Work) -> Any:
    parameters = _parameters(function, work)
    asked = _annotations(function, work.code)
    values = {}
    for given in work.order.inputs:
        if given.alias in parameters or _takes_any(parameters):
            values[given.alias] = _input(given, asked.get(given.alias, ""), work)
    values |= _arguments(parameters, work)
    for name, parameter in parameters.items():
        if name not in values and parameter.default is parameter.empty and parameter.kind in _NAMED:
            values[name] = None  # a `last` input that is not there yet
    positional = [
        values.pop(name) for name, one in parameters.items() if one.kind is one.POSITIONAL_ONLY and name in values
    ]
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


def _arguments(parameters: Mapping[str, inspect.Parameter], work: _Work) -> dict[str, Any]:
    any_ = _takes_any(parameters)
    values = {
        name: _argument(value, work) for name, value in work.order.arguments.items() if name in parameters or any_
    }
    values |= {name: secrets.value(secret) for name, secret in work.order.secrets.items()}
    for name in SEEDS:
        if (
            name in parameters
            and name not in values
            and (_is_said(work) or parameters[name].default in (None, inspect.Parameter.empty))
        ):
            values[name] = work.seed
    return values


def _is_said(work: _Work) -> bool:
    return any(name in work.order.arguments for name in SEEDS)


def _argument(value: Value, work: _Work) -> Any:
    """A list is a list, as pandas wants it; a column is its name."""
    if isinstance(value, tuple):
        return [_argument(item, work) for item in value]
    if isinstance(value, str) and value.startswith("."):
        known = {column.name for given in work.order.inputs for column in given.columns or ()}
        return value[1:] if value[1:] in known else value
    return value


def _input(given: Given, annotation: Any, work: _Work) -> Any:
    form = forms.form_of(annotation)
    if form in ("path", "text"):
        path = _path(given, work)
        return path if form == "path" else str(path)
    if given.kind == "model":
        model = work.objects.folder(given.digest)
        return models.load(model).native if (model / models.FILE).is_file() else model
    if form is None:
        asked = annotation if isinstance(annotation, str) else getattr(annotation, "__name__", str(annotation))
        help_ = "annotate it with a pandas or polars frame, pyarrow.Table, numpy.ndarray, duckdb.DuckDBPyRelation or pathlib.Path"
        raise Trouble(work.action, f"its parameter {given.alias} asks for {asked}, and data has no such form", help_)
    return forms.to_form(work.table(given), form)


def _path(given: Given, work: _Work) -> Path:
    """Of a folder, or of a copy of the table's file: what is in the store is nobody's to write to."""
    if given.digest.startswith(FOLDER):
        return work.objects.folder(given.digest)
    target = work.scratch / f"{given.alias}.parquet"
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(work.objects.path(given.digest), target)
    return target


# --- what it returned ----------------------------------------------------------------------------------------


def _kept(value: Any, work: _Work) -> Outcome:
    outputs: dict[str, Made] = {}
    metrics: dict[str, float] = {}
    for name, item in _by_output(value, work).items():
        if work.order.kind == "model":
            item, said = _model_and_metrics(item, name, work)
            metrics |= said
            outputs[name] = _kept_model(item, name, work)
        else:
            outputs[name] = _kept_data(item, name, work)
    return Outcome(outputs=outputs, metrics=metrics)


def _by_output(value: Any, work: _Work) -> dict[str, Any]:
    names = work.order.names
    if len(names) == 1:
        return {names[0]: value}
    wanted = f"return a tuple of {len(names)}, or a dict with {listing(names)}"
    if isinstance(value, dict):
        if set(value) != set(names):
            raise Trouble(work.action, f"it returned a dict with {listing([str(key) for key in value])}", wanted)
        return {name: value[name] for name in names}
    if not isinstance(value, tuple | list):
        said = "nothing" if value is None else f"one {type(value).__name__}"
        raise Trouble(work.action, f"it returned {said} for {len(names)} outputs", wanted)
    if len(value) != len(names):
        raise Trouble(work.action, f"it returned {len(value)} values for {len(names)} outputs", wanted)
    return dict(zip(names, value, strict=True))


def _kept_data(value: Any, name: str, work: _Work) -> Made:
    if isinstance(value, str | Path) and Path(value).exists() and not forms.is_table_file(value):
        return _kept_files(Path(value), "folder", work)
    if isinstance(value, Path) and not value.exists():
        raise Trouble(f"make {name}", f"it returned the path {value.name}, and there is nothing there")
    table = forms.to_table(value, work.read.values(), f"make {name}")
    if name == work.order.names[0] and work.order.declared:
        table = conform(table, work.order.declared, name)
    return tables.write(table, work.objects)


def _kept_files(path: Path, kind: str, work: _Work) -> Made:
    """A copy of the folder, or a folder with the one file."""
    copy = work.objects.scratch()
    try:
        if path.is_dir():
            shutil.copytree(path, copy)
        else:
            copy.mkdir()
            shutil.copyfile(path, copy / path.name)
        size = sum(file.stat().st_size for file in copy.rglob("*") if file.is_file())
        return Made(digest=work.objects.put_folder(copy), kind=kind, bytes=size)
    finally:
        shutil.rmtree(copy, ignore_errors=True)


def _model_and_metrics(value: Any, name: str, work: _Work) -> tuple[Any, dict[str, float]]:
    if not (isinstance(value, tuple) and len(value) == 2 and isinstance(value[1], dict)):
        return value, {}
    return value[0], {str(metric): _number(number, str(metric), name) for metric, number in value[1].items()}


def _number(value: Any, metric: str, name: str) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise Trouble(f"make {name}", f"its metric {metric} is a {type(value).__name__}", "return a number") from None
    if not math.isfinite(number):
        raise Trouble(
            f"make {name}", f"its metric {metric} is {number}, which compares with nothing", "return a number"
        )
    return number


def _kept_model(model: Any, name: str, work: _Work) -> Made:
    if isinstance(model, str | Path) and Path(model).exists():
        return _kept_files(Path(model), "model", work)
    if not hasattr(model, "predict"):
        said = "nothing" if model is None else f"a value of type {type(model).__name__}"
        raise Trouble(f"make {name}", f"it returned {said}", "return an object with predict, or the path of a folder")
    return models.save(model, _signature_of_own(model, name, work), work.objects, _sources(work))


def _sources(work: _Work) -> dict[str, Path]:
    place = work.code.entry.rpartition(":")[0]
    files = {*work.code.files, *([place] if place.endswith(".py") else [])}
    return {file: work.root / file for file in sorted(files) if (work.root / file).is_file()}


def _signature_of_own(model: Any, name: str, work: _Work) -> Signature:
    """Of a model that a function made: what the block says it predicts, and from what."""
    predict, given = work.order.predict, _first_data(work)
    if predict is None or given is None:
        return Signature(entry=_entry(work))
    table = work.table(given)
    all_there(predict, table, given.name, work.action)
    strangers = [str(one) for one in getattr(model, "feature_names_in_", ()) if str(one) not in predict.features]
    if strangers:
        help_ = f"fit it on {listing(predict.features)}, and put what makes {strangers[0]} inside the model"
        raise Trouble(f"make {name}", f"the model learned from {strangers[0]}, which predict does not name", help_)
    return signature(predict, model, table, given.columns).model_copy(update={"entry": _entry(work)})


def _entry(work: _Work) -> str:
    place = work.code.entry.rpartition(":")[0]
    return place if place.endswith(".py") else next(iter(work.code.files), "")


def _first_data(work: _Work) -> Given | None:
    return next(
        (given for given in work.order.inputs if given.kind == "data" and not given.digest.startswith(FOLDER)), None
    )


# --- an estimator --------------------------------------------------------------------------------------------


def _fitted(entry: Any, work: _Work) -> Made:
    predict, given = work.order.predict, _first_data(work)
    if predict is None or given is None:
        raise Trouble(work.action, "nothing says what it predicts", "write a line: predict .target from .a, .b")
    table = work.table(given)
    all_there(predict, table, given.name, work.action)
    features = features_of(predict, table, given.columns)
    to_fit, arguments = _dealt(table, work)
    estimator = guarded(lambda: entry(**_with_seed(entry, arguments, work)), work.action, work.root)
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
        update={"encoder": encoder, "entry": _entry(work)}
    )
    return models.save(model, said, work.objects, _sources(work))


def _dealt(table: pa.Table, work: _Work) -> tuple[dict[str, str], dict[str, Value]]:
    """What goes to fit, as the names of columns; and what to the constructor. A text `.w` is the column w."""
    to_fit, arguments = {}, {}
    for name, value in work.order.arguments.items():
        if isinstance(value, str) and value.startswith(".") and value[1:] in table.column_names:
            to_fit[name] = value[1:]
        else:
            arguments[name] = value
    return to_fit, arguments


def _with_seed(entry: Any, arguments: dict[str, Value], work: _Work) -> dict[str, Value]:
    """`seed` under the name that the constructor knows, and 0 where it would draw anew each time."""
    parameters = _parameters(entry, work)
    name = next((name for name in reversed(SEEDS) if name in parameters), None)
    known = {key: value for key, value in arguments.items() if key in parameters or key not in SEEDS}
    if name and name not in known and (_is_said(work) or parameters[name].default in (None, inspect.Parameter.empty)):
        known[name] = work.seed
    return known


def _with_encoder(estimator: Any, features: Columns, table: pa.Table, work: _Work) -> tuple[Any, str]:
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
