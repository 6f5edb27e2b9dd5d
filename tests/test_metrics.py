"""What is measured is what scikit-learn's usual functions say."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from mlspec.compiler.program import Code, Measure, Predict
from mlspec.grammar.kinds import METRICS
from mlspec.runtimes import metrics, models, tables
from mlspec.runtimes.order import Question
from mlspec.runtimes.store.objects import Objects
from mlspec.runtimes.trouble import Trouble
from sklearn import metrics as sk
from sklearn.datasets import load_diabetes, load_iris
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.svm import LinearSVC

IRIS = load_iris(as_frame=True).frame.assign(species=lambda frame: frame["target"].map({0: "a", 1: "b", 2: "c"}))
MEASURES = list(IRIS.columns[:2])
DIABETES = load_diabetes(as_frame=True).frame


class Case:
    """A model in a store, and the data that it is measured on."""

    def __init__(self, root: Path, native: Any, predict: Predict, classes: tuple[Any, ...], test: pd.DataFrame) -> None:
        self.objects, self.predict = Objects(root / "store"), predict
        table = pa.Table.from_pandas(test, preserve_index=False)
        self.on = tables.write(table, self.objects).digest
        signature = models.Signature(features=tables.columns_of(table.select(list(predict.features))), targets=predict.targets,
                                     task=predict.task, positive=predict.positive, classes=classes)  # fmt: skip
        self.digest = models.save(native, signature, self.objects).digest

    def measure(self, *names: str, on: str = "", code: Code | None = None) -> dict[str, Any]:
        asked = [Question(key=f"key of {name}", on=on or self.on, measure=Measure(name=name, metric="python" if code else name, on="test", code=code))
                 for name in names]  # fmt: skip
        answers = metrics.about_model(self.objects, self.digest, self.predict, asked)
        return {name: answers[f"key of {name}"] for name in names}


def of(task: str, *targets: str, positive: Any = None, features: list[str] = MEASURES) -> Predict:
    return Predict(targets=targets, features=tuple(features), task=task, positive=positive)  # type: ignore[arg-type]


TRAIN, TEST = train_test_split(IRIS, random_state=1, stratify=IRIS["species"])
MANY = LogisticRegression(max_iter=1000).fit(TRAIN[MEASURES], TRAIN["species"].to_numpy(dtype=object))
TRUE = LogisticRegression(max_iter=1000).fit(TRAIN[MEASURES], TRAIN["species"] == "b")


@pytest.fixture
def many(tmp_path: Path) -> Case:
    return Case(tmp_path, MANY, of("classification", "species"), ("a", "b", "c"), TEST)


@pytest.fixture
def true(tmp_path: Path) -> Case:
    return Case(tmp_path, TRUE, of("classification", "species", positive="b"), (False, True), TEST)


def trouble(work: Any) -> Trouble:
    with pytest.raises(Trouble) as caught:
        work()
    return caught.value


def test_every_metric_of_the_language_is_known_here(many: Case, true: Case) -> None:
    one_class = {"f1", "precision", "recall"}
    asked = [name for name, metric in METRICS.items() if metric.task == "classification"]
    assert set(true.measure(*asked)) == set(asked)
    assert set(many.measure(*(name for name in asked if name not in one_class))) == set(asked) - one_class
    for name in one_class:
        assert trouble(lambda name=name: many.measure(name)).cause.endswith(f"there are 3: measure {name}_macro")


def test_regressions(tmp_path: Path) -> None:
    train, test = train_test_split(DIABETES, random_state=0)
    features = list(DIABETES.columns[:-1])
    native = LinearRegression().fit(train[features], train["target"])
    case = Case(tmp_path, native, of("regression", "target", features=features), (), test)
    y, p = test["target"], native.predict(test[features])
    assert case.measure("rmse", "mse", "mae", "median_ae", "mape", "max_error", "r2", "explained_variance") == pytest.approx(
        {
            "rmse": sk.root_mean_squared_error(y, p), "mse": sk.mean_squared_error(y, p), "mae": sk.mean_absolute_error(y, p),
            "median_ae": sk.median_absolute_error(y, p), "mape": sk.mean_absolute_percentage_error(y, p), "max_error": sk.max_error(y, p),
            "r2": sk.r2_score(y, p), "explained_variance": sk.explained_variance_score(y, p),
        },
        rel=1e-12,
    )  # fmt: skip


def test_several_targets_are_averaged(tmp_path: Path) -> None:
    features = list(DIABETES.columns[:-1])
    frame = DIABETES.assign(twice=DIABETES["target"] * 2)
    native = LinearRegression().fit(frame[features], frame[["target", "twice"]])
    case = Case(tmp_path, native, of("regression", "target", "twice", features=features), (), frame)
    assert case.measure("r2")["r2"] == pytest.approx(
        sk.r2_score(frame[["target", "twice"]], native.predict(frame[features]))
    )


def test_a_truth(true: Case) -> None:
    y, p, q = TEST["species"] == "b", TRUE.predict(TEST[MEASURES]), TRUE.predict_proba(TEST[MEASURES])[:, 1]
    assert true.measure("accuracy", "f1", "precision", "recall", "roc_auc", "average_precision", "log_loss", "brier", "f1_macro") == pytest.approx(
        {
            "accuracy": sk.accuracy_score(y, p), "f1": sk.f1_score(y, p), "precision": sk.precision_score(y, p, zero_division=0),
            "recall": sk.recall_score(y, p), "roc_auc": sk.roc_auc_score(y, q), "average_precision": sk.average_precision_score(y, q),
            "log_loss": sk.log_loss(y, q), "brier": sk.brier_score_loss(y, q), "f1_macro": sk.f1_score(y, p, average="macro"),
        }
    )  # fmt: skip
    assert true.measure("confusion_matrix")["confusion_matrix"]["labels"] == [False, True]


def test_many_classes(many: Case) -> None:
    y, p, q = TEST["species"], MANY.predict(TEST[MEASURES]), MANY.predict_proba(TEST[MEASURES])
    one_hot = np.column_stack([y == label for label in "abc"])
    assert many.measure("accuracy", "f1_macro", "f1_weighted", "f1_micro", "roc_auc", "log_loss", "average_precision", "matthews") == pytest.approx(
        {
            "accuracy": sk.accuracy_score(y, p), "f1_macro": sk.f1_score(y, p, average="macro"), "f1_weighted": sk.f1_score(y, p, average="weighted"),
            "f1_micro": sk.f1_score(y, p, average="micro"), "roc_auc": sk.roc_auc_score(y, q, multi_class="ovr", average="macro"),
            "log_loss": sk.log_loss(y, q), "average_precision": sk.average_precision_score(one_hot, q), "matthews": sk.matthews_corrcoef(y, p),
        }
    )  # fmt: skip
    matrix = many.measure("confusion_matrix")["confusion_matrix"]
    assert matrix == {"labels": ["a", "b", "c"], "rows": sk.confusion_matrix(y, p).tolist()}


def test_of_two_texts_the_last_is_the_positive_one(tmp_path: Path) -> None:
    frame = IRIS[IRIS["species"] != "c"]
    native = LogisticRegression().fit(frame[MEASURES], frame["species"].to_numpy(dtype=object))
    case = Case(tmp_path, native, of("classification", "species"), ("a", "b"), frame)
    expected = sk.f1_score(frame["species"], native.predict(frame[MEASURES]), pos_label="b")
    assert case.measure("f1", "roc_auc") == pytest.approx({"f1": expected, "roc_auc": 1.0}, abs=1e-3)


def test_a_model_predicts_once_for_all_that_is_asked(true: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    answer = models.Model.answer
    monkeypatch.setattr(models.Model, "answer", lambda self, table: calls.append(1) or answer(self, table))
    true.measure("accuracy", "roc_auc", "log_loss", "confusion_matrix")
    assert len(calls) == 1


# --- the user's own ------------------------------------------------------------------------------------------


def own(case: Case, text: str, root: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.chdir(root)
    monkeypatch.setattr("sys.path", list(sys.path))
    (root / "own.py").write_text(text)
    return case.measure("cost", code=Code(entry="own.py:cost", digest="", files=("own.py",)))["cost"]


def test_an_own_metric_is_handed_what_it_asks_for(true: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (
        "def cost(y_true, y_pred, y_prob, data, model):\n"
        "    assert len(data) == len(y_prob) and model.C == 1.0\n"
        "    return (y_true != y_pred).sum() * 10 + y_prob[y_true].mean()\n"
    )
    y, p, q = (
        (TEST["species"] == "b").to_numpy(),
        TRUE.predict(TEST[MEASURES]),
        TRUE.predict_proba(TEST[MEASURES])[:, 1],
    )
    assert own(true, text, tmp_path, monkeypatch) == pytest.approx((y != p).sum() * 10 + q[y].mean())


def test_an_own_metric_sees_a_matrix_of_many_classes(
    many: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = own(many, "def cost(y_prob):\n    return y_prob['c'].max()\n", tmp_path, monkeypatch)
    assert found == pytest.approx(MANY.predict_proba(TEST[MEASURES])[:, 2].max())


def test_an_own_metric_that_fails_or_gives_no_number_is_told(
    true: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = trouble(lambda: own(true, "def cost(y_true):\n    return y_true['gone']\n", tmp_path, monkeypatch))
    assert (told.action, told.cause) == (
        "measure cost on test",
        "KeyError: 'gone'",
    ) and "own.py:2 in cost" in told.detail
    assert (
        trouble(lambda: own(true, "def cost(y_true):\n    return 'high'\n", tmp_path, monkeypatch)).help
        == "return one number"
    )


# --- what has no value ---------------------------------------------------------------------------------------


def test_rows_without_truth_rows_of_one_class_and_no_rows(true: Case) -> None:
    def on(frame: pd.DataFrame) -> str:
        return tables.write(pa.Table.from_pandas(frame, preserve_index=False), true.objects).digest

    missing = on(TEST.assign(species=TEST["species"].where(TEST["species"] != "a")))
    assert trouble(lambda: true.measure("accuracy", on=missing)).cause.startswith("species, the truth, is missing in ")
    single = on(TEST[TEST["species"] == "a"])
    told = trouble(lambda: true.measure("roc_auc", on=single))
    assert (told.action, told.cause) == ("measure roc_auc on test", "it has no value on these rows")
    assert trouble(lambda: true.measure("accuracy", on=on(TEST[:0]))).cause == "it has no rows"
    assert trouble(lambda: true.measure("accuracy", on=on(TEST[MEASURES]))).cause == "it has no column species"


def test_probabilities_that_a_model_does_not_give(tmp_path: Path) -> None:
    native = LinearSVC().fit(TRAIN[MEASURES], TRAIN["species"].to_numpy(dtype=object))
    case = Case(tmp_path, native, of("classification", "species"), ("a", "b", "c"), TEST)
    assert case.measure("accuracy")["accuracy"] > 0.5
    assert trouble(lambda: case.measure("roc_auc")).cause == "LinearSVC gives no probabilities"


def test_a_class_that_the_model_has_never_seen(many: Case) -> None:
    frame = TEST.assign(species=["z", *TEST["species"][1:]])
    on = tables.write(pa.Table.from_pandas(frame, preserve_index=False), many.objects).digest
    assert trouble(lambda: many.measure("log_loss", on=on)).cause == "the model has never seen the class z"
    assert many.measure("confusion_matrix", on=on)["confusion_matrix"]["labels"] == ["a", "b", "c", "z"]
