"""How well a model does: its answers to the rows of a table, held against what is true of them."""

from __future__ import annotations

import inspect
import math
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa

from ..compiler.program import Measure, Predict
from ..grammar.kinds import METRICS
from . import tables
from .models import Answer, Model, load
from .order import Question
from .recipes import forms
from .recipes.predict import truth
from .store.objects import Objects
from .trouble import Trouble
from .userframes import guarded
from .userframes import load as load_code


def about_model(
    objects: Objects, digest: str, predict: Predict | None, questions: Sequence[Question]
) -> dict[str, Any]:
    """By the question's key: a number, or for a confusion matrix its labels and rows. Raises Trouble."""
    folder, cases, answers = objects.folder(digest), {}, {}
    for question in questions:
        measure = question.measure
        assert measure is not None, "a model is asked for what was measured"
        if question.on not in cases:
            cases[question.on] = _Case(objects, folder, question.on, predict, measure.on)
        answers[question.key] = _value(measure, cases[question.on])
    return answers


@dataclass
class _Case:
    """One model on one table: each part is found out when it is first asked for, and once."""

    objects: Objects
    folder: Path
    on: str
    predict: Predict | None
    name: str

    @cached_property
    def table(self) -> pa.Table:
        if tables.is_folder(self.objects, self.on):
            raise Trouble(f"measure on {self.name}", "it is a folder of files", "measure on a table")
        table = tables.read(self.objects, self.on)
        if not table.num_rows:
            raise Trouble(f"measure on {self.name}", "it has no rows")
        return table

    @cached_property
    def model(self) -> Model:
        return load(self.folder)

    @cached_property
    def answer(self) -> Answer:
        try:
            return self.model.answer(self.table)
        except Trouble as trouble:
            raise Trouble(f"measure on {self.name}", trouble.cause, trouble.help, trouble.detail) from None

    @cached_property
    def true(self) -> Any:
        """What is true of each row: an array, with a column for each target if there are several."""
        action = f"measure on {self.name}"
        if self.predict is None or not self.predict.targets:
            raise Trouble(action, "nothing says what is true", "write in the model: predict .target from .a, .b")
        for target in self.predict.targets:
            if target not in self.table.column_names:
                raise Trouble(action, f"it has no column {target}")
            missing = self.table.column(target).null_count
            if missing:
                raise Trouble(
                    action, f"{target}, the truth, is missing in {missing} of its rows", "leave such rows out"
                )
        if len(self.predict.targets) > 1:
            return forms.to_pandas(self.table.select(list(self.predict.targets))).to_numpy()
        return truth(self.predict, self.table)

    @property
    def classes(self) -> list[Any]:
        return list(self.model.signature.classes)


def _value(measure: Measure, case: _Case) -> Any:
    action = f"measure {measure.name} on {measure.on}"
    if measure.metric == "python":
        value = _own(measure, case, action)
    elif METRICS[measure.metric].needs == "probability":
        value = _of_probabilities(measure.metric, case, action)
    else:
        value = _computed(lambda: _BY_PREDICTION[measure.metric](case), action)
    return value if isinstance(value, dict) else _number(value, action)


def _computed(compute: Callable[[], Any], action: str) -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what is undefined becomes NaN, and is told as Trouble
            return compute()
    except ValueError as error:  # scikit-learn's word for data that a metric has no value on
        raise Trouble(action, str(error).splitlines()[0]) from None


def _number(value: Any, action: str) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise Trouble(action, f"it returned a value of type {type(value).__name__}", "return one number") from None
    if not math.isfinite(number):
        raise Trouble(action, "it has no value on these rows", "measure on data with more rows, and rows of each class")
    return number


# --- from predictions ----------------------------------------------------------------------------------------


def _sk(name: str, **options: Any) -> Callable[[_Case], Any]:
    """A metric of scikit-learn's that takes what is true and what was predicted."""

    def compute(case: _Case) -> Any:
        from sklearn import metrics

        return getattr(metrics, name)(case.true, case.answer.values, **options)

    return compute


def _of_positive(name: str) -> Callable[[_Case], Any]:
    """One that looks at a class alone: true, or the last one in order where there are two."""

    def compute(case: _Case) -> Any:
        from sklearn import metrics

        if len(case.classes) > 2:
            raise ValueError(f"it looks at one class, and there are {len(case.classes)}: measure {_among_all(name)}")
        return getattr(metrics, name)(case.true, case.answer.values, pos_label=_positive(case), zero_division=0.0)

    return compute


def _among_all(name: str) -> str:
    return name.removesuffix("_score") + "_macro"


def _positive(case: _Case) -> Any:
    return True if case.model.truth else case.classes[-1]


def _confusion(case: _Case) -> dict[str, Any]:
    from sklearn import metrics

    seen = {*case.true.tolist(), *case.answer.values.tolist()}
    labels = [*case.classes, *sorted(seen - set(case.classes))]
    return {"labels": labels, "rows": metrics.confusion_matrix(case.true, case.answer.values, labels=labels).tolist()}


_BY_PREDICTION: dict[str, Callable[[_Case], Any]] = {
    "rmse": _sk("root_mean_squared_error"),
    "mse": _sk("mean_squared_error"),
    "mae": _sk("mean_absolute_error"),
    "median_ae": _sk("median_absolute_error"),
    "mape": _sk("mean_absolute_percentage_error"),
    "max_error": _sk("max_error"),
    "r2": _sk("r2_score"),
    "explained_variance": _sk("explained_variance_score"),
    "accuracy": _sk("accuracy_score"),
    "balanced_accuracy": _sk("balanced_accuracy_score"),
    "f1": _of_positive("f1_score"),
    "f1_macro": _sk("f1_score", average="macro", zero_division=0.0),
    "f1_micro": _sk("f1_score", average="micro", zero_division=0.0),
    "f1_weighted": _sk("f1_score", average="weighted", zero_division=0.0),
    "precision": _of_positive("precision_score"),
    "precision_macro": _sk("precision_score", average="macro", zero_division=0.0),
    "recall": _of_positive("recall_score"),
    "recall_macro": _sk("recall_score", average="macro", zero_division=0.0),
    "matthews": _sk("matthews_corrcoef"),
    "cohen_kappa": _sk("cohen_kappa_score"),
    "confusion_matrix": _confusion,
}


# --- from probabilities --------------------------------------------------------------------------------------


def _of_probabilities(metric: str, case: _Case, action: str) -> Any:
    said = case.answer.probabilities
    if said is None:
        name = type(case.model.native).__name__
        raise Trouble(action, f"{name} gives no probabilities", "take a model with predict_proba, or measure accuracy")
    true, classes = case.true, case.classes
    unseen = sorted(set(true.tolist()) - set(classes))
    if unseen:
        raise Trouble(action, f"the model has never seen the class {unseen[0]}", "make it from rows of each class")
    if len(classes) == 2:
        return _computed(lambda: _binary(metric, true == _positive(case), said[:, 1]), action)
    return _computed(lambda: _among_many(metric, true, said, classes), action)


def _binary(metric: str, true: Any, said: Any) -> Any:
    from sklearn import metrics

    match metric:
        case "roc_auc":
            return metrics.roc_auc_score(true, said)
        case "average_precision":
            return metrics.average_precision_score(true, said) if true.any() else math.nan
        case "log_loss":
            return metrics.log_loss(true, said, labels=[False, True])
        case _:
            return metrics.brier_score_loss(true, said, pos_label=True)


def _among_many(metric: str, true: Any, said: Any, classes: list[Any]) -> Any:
    """Each class against the rest, the mean over the classes; `said` has a column for each."""
    import numpy as np
    from sklearn import metrics

    is_of = np.column_stack([true == one for one in classes])
    match metric:
        case "roc_auc":
            return metrics.roc_auc_score(is_of, said, average="macro")
        case "average_precision":
            return (
                metrics.average_precision_score(is_of, said, average="macro") if is_of.any(axis=0).all() else math.nan
            )
        case "log_loss":
            return metrics.log_loss(is_of.argmax(axis=1), said, labels=list(range(len(classes))))
        case _:
            return float(np.mean(np.sum((is_of - said) ** 2, axis=1)))


# --- a function of the user's --------------------------------------------------------------------------------


def _own(measure: Measure, case: _Case, action: str) -> Any:
    assert measure.code is not None, "a metric of the user's comes with its code"
    root = Path.cwd()
    function = load_code(measure.code.entry, measure.code.files, root, action)
    values: dict[str, Callable[[], Any]] = {
        "y_true": lambda: _series(case.true, case),
        "y_pred": lambda: _series(case.answer.values, case),
        "y_prob": lambda: _probability(case, action),
        "data": lambda: _data(case, measure, function),
        "model": lambda: case.model.native if (case.folder / "model.joblib").is_file() else case.folder,
    }
    wanted = [name for name in inspect.signature(function).parameters if name in values]
    given = {name: values[name]() for name in wanted}
    return guarded(lambda: function(**given), action, root)


def _series(values: Any, case: _Case) -> Any:
    import pandas as pd

    if values.ndim > 1:
        return pd.DataFrame(values, columns=list(case.predict.targets) if case.predict else None)
    return pd.Series(values.tolist() if values.dtype == object else values)


def _probability(case: _Case, action: str) -> Any:
    import pandas as pd

    said = case.answer.probabilities
    if said is None:
        raise Trouble(
            action, f"{type(case.model.native).__name__} gives no probabilities", "ask for y_pred instead of y_prob"
        )
    return pd.Series(said[:, 1]) if len(case.classes) == 2 else pd.DataFrame(said, columns=case.classes)


def _data(case: _Case, measure: Measure, function: Any) -> Any:
    assert measure.code is not None
    form = forms.form_of(measure.code.annotations.get("data", ""))
    return forms.to_form(case.table, form if form not in (None, "path", "text") else "pandas")
