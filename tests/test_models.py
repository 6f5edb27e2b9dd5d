"""Estimators are fitted as a data scientist would, kept, loaded, and asked."""

from __future__ import annotations

import datetime as dt
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from mlspec.compiler.program import Code, Predict, Recipe, Scalar
from mlspec.compiler.types import Column, Columns, Type
from mlspec.runtimes import models, tables
from mlspec.runtimes.order import Given, Made, Make
from mlspec.runtimes.recipes import predict as prediction
from mlspec.runtimes.recipes import python
from mlspec.runtimes.store.objects import Objects
from mlspec.runtimes.trouble import Trouble
from sklearn.datasets import load_iris
from sklearn.model_selection import train_test_split

SPECS = Path(__file__).resolve().parents[1] / "specs"
WINE = pd.read_csv(SPECS / "wine_quality" / "wine-quality.csv")
TELCO = pd.read_csv(SPECS / "telco_churn" / "telco-customer-churn.csv", na_values=[" "])
ELASTIC, LOGISTIC = "sklearn.linear_model:ElasticNet", "sklearn.linear_model:LogisticRegression"


@pytest.fixture
def objects(tmp_path: Path) -> Objects:
    return Objects(tmp_path / "store")


def arrow(frame: pd.DataFrame) -> pa.Table:
    return pa.Table.from_pandas(frame, preserve_index=False)


def line(*targets: str, of: list[str], task: str = "classification", positive: Scalar = None) -> Predict:
    return Predict(targets=targets, features=tuple(of), task=task, positive=positive)  # type: ignore[arg-type]


def fit(
    objects: Objects,
    entry: str,
    table: pa.Table,
    predict: Predict,
    known: Columns = (),
    root: Path | None = None,
    **arguments: Any,
) -> Made:
    made = tables.write(table, objects)
    given = Given(alias="train", name="train", kind="data", digest=made.digest, columns=known or made.columns)
    place = entry.rpartition(":")[0]
    code = Code(
        entry=entry, digest="", files=(place,) if place.endswith(".py") else (), is_class=not place.endswith(".py")
    )
    order = Make(key="k", names=("m",), kind="model", recipe=Recipe(word="python", code=code), arguments=arguments, inputs=(given,),
                 predict=predict, root=str(root or objects.root))  # fmt: skip
    return python.make(order, objects).outputs["m"]


def loaded(objects: Objects, made: Made) -> models.Model:
    return models.load(objects.folder(made.digest))


def trouble(work: Any) -> Trouble:
    with pytest.raises(Trouble) as caught:
        work()
    return caught.value


# --- fit -----------------------------------------------------------------------------------------------------


def test_numbers_reach_the_estimator_as_they_are(objects: Objects) -> None:
    train, test = train_test_split(WINE, random_state=40)
    made = fit(
        objects,
        ELASTIC,
        arrow(train),
        line("quality", of=list(WINE.columns[:-1]), task="regression"),
        alpha=0.5,
        l1_ratio=0.5,
        random_state=42,
    )
    model = loaded(objects, made)
    from sklearn.linear_model import ElasticNet

    alone = ElasticNet(alpha=0.5, l1_ratio=0.5, random_state=42).fit(train.iloc[:, :-1], train["quality"])
    assert made.about == {"estimator": "ElasticNet"}
    assert model.native.coef_.tolist() == alone.coef_.tolist()
    predicted = model.predict(arrow(test))
    assert predicted.schema == pa.schema([("prediction", pa.float64())])
    assert predicted.column("prediction").to_pylist() == pytest.approx(
        alone.predict(test.iloc[:, :-1]).tolist(), abs=1e-12
    )


def test_text_goes_through_skrub_and_one_row_is_quick(objects: Objects, monkeypatch: pytest.MonkeyPatch) -> None:
    features = [column for column in TELCO.columns if column not in ("customerID", "Churn")]
    made = fit(objects, LOGISTIC, arrow(TELCO), line("Churn", of=features, positive="Yes"), max_iter=1000)
    assert made.about == {
        "estimator": "LogisticRegression", "encoder": "skrub: TableVectorizer, SimpleImputer, SquashingScaler", "classes": [False, True],
    }  # fmt: skip
    model, table = loaded(objects, made), arrow(TELCO)
    assert {column.name for column in model.signature.features if column.type.optional} == {"TotalCharges"}
    together, each = model.predict(table), [model.predict(table.slice(at, 1)) for at in range(40)]
    quick = pa.concat_tables(each)
    assert quick.column("prediction").to_pylist() == together.column("prediction").to_pylist()[:40]
    assert quick.column("probability").to_pylist() == pytest.approx(
        together.column("probability").to_pylist()[:40], abs=1e-6
    )
    asked = []
    monkeypatch.setattr(type(model.native[0]), "transform", lambda self, rows: asked.append(rows))
    again = pa.concat_tables([model.predict(table.slice(at, 1)) for at in range(40)])
    assert (
        again.equals(quick) and not asked
    )  # skrub itself, which takes 20 times as long, is needed for new values alone


@pytest.mark.parametrize(
    "entry", ["sklearn.ensemble:RandomForestClassifier", "sklearn.ensemble:HistGradientBoostingClassifier"]
)
def test_quick_and_thorough_encodings_agree(objects: Objects, entry: str) -> None:
    frame = TELCO[["Contract", "tenure", "TotalCharges", "Churn"]].head(400).assign(
        on=[dt.date(2020, 1, 1) + dt.timedelta(days=at % 50) for at in range(400)], flag=[None, True, False, True] * 100
    )  # fmt: skip
    few = {"n_estimators": 5} if "Forest" in entry else {"max_iter": 5}
    made = fit(
        objects, entry, arrow(frame), line("Churn", of=["Contract", "tenure", "TotalCharges", "on", "flag"]), **few
    )
    model, table = loaded(objects, made), arrow(frame)
    missing = pa.table({"Contract": [None], "tenure": [3], "TotalCharges": [None], "on": [None], "flag": [None]})
    together = model.predict(table).slice(0, 30).to_pydict()
    for _ in range(2):  # the second time from memory
        assert pa.concat_tables([model.predict(table.slice(at, 1)) for at in range(30)]).to_pydict() == together
        assert model.predict(missing).num_rows == 1


def test_an_estimator_that_takes_missing_numbers_gets_them(objects: Objects) -> None:
    table = pa.table({"x": [1.0, None, 3.0, 4.0] * 10, "y": [1, 2, 3, 4] * 10})
    predict = line("y", of=["x"], task="regression")
    assert "encoder" not in fit(objects, "sklearn.ensemble:HistGradientBoostingRegressor", table, predict).about
    assert fit(objects, ELASTIC, table, predict).about["encoder"].startswith("skrub: TableVectorizer, SimpleImputer")


def test_a_declared_question_mark_prepares_for_what_is_not_missing_yet(objects: Objects) -> None:
    table = pa.table({"x": [1.0, 2.0, 3.0, 4.0], "y": [1, 2, 3, 4]})
    known = (Column(name="x", type=Type(base="float", optional=True), declared=True),)
    model = loaded(objects, fit(objects, ELASTIC, table, line("y", of=["x"], task="regression"), known))
    assert model.predict(pa.table({"x": pa.array([None], pa.float64())})).num_rows == 1


def test_closed_sets_and_types_are_in_the_signature(objects: Objects) -> None:
    table = pa.table({"plan": ["free", "pro"] * 5, "n": [1, 2] * 5, "y": [True, False] * 5})
    known = (Column(name="plan", type=Type(base="text", values=("free", "pro", "team")), declared=True),)
    signature = loaded(objects, fit(objects, LOGISTIC, table, line("y", of=["plan", "n"]), known)).signature
    assert [str(column.type) for column in signature.features] == ['"free" | "pro" | "team"', "int"]
    assert (signature.targets, signature.task, signature.classes) == (("y",), "classification", (False, True))


def test_seeds_weights_and_several_targets(objects: Objects) -> None:
    table = arrow(WINE.head(200).assign(w=1.0, again=WINE["quality"] * 2.0))
    predict = line("quality", of=["alcohol", "pH"], task="regression")
    forest = "sklearn.ensemble:RandomForestRegressor"
    unsaid, zero, other = (
        fit(objects, forest, table, predict, n_estimators=3, **seed) for seed in ({}, {"seed": 0}, {"seed": 1})
    )
    assert unsaid.digest == zero.digest != other.digest
    plain, weighted = fit(objects, ELASTIC, table, predict), fit(objects, ELASTIC, table, predict, sample_weight=".w")
    assert loaded(objects, plain).native.coef_.tolist() == pytest.approx(
        loaded(objects, weighted).native.coef_.tolist()
    )
    several = loaded(
        objects,
        fit(objects, forest, table, line("quality", "again", of=["alcohol"], task="regression"), n_estimators=3),
    )
    first = several.predict(table).column("prediction")[0].as_py()
    assert first[1] == pytest.approx(first[0] * 2)


def test_weights_find_their_way_through_the_encoder(objects: Objects) -> None:
    table = pa.table({"t": ["a", "b"] * 10, "w": [1.0, 0.0] * 10, "y": [True, True, False, False] * 5})
    made = fit(objects, LOGISTIC, table, line("y", of=["t"]), sample_weight=".w")
    assert "encoder" in made.about


def test_a_factory_and_a_class_of_the_project(
    objects: Objects, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.path", list(sys.path))
    (tmp_path / "f.py").write_text(
        "from sklearn.compose import make_column_transformer\n"
        "from sklearn.linear_model import LogisticRegression\n"
        "from sklearn.pipeline import make_pipeline\n"
        "from sklearn.preprocessing import OneHotEncoder\n"
        "def build(C):\n"
        "    return make_pipeline(make_column_transformer((OneHotEncoder(), ['t'])), LogisticRegression(C=C))\n"
        "class Most:\n"
        "    def fit(self, X, y):\n"
        "        self.most = max(set(y), key=list(y).count)\n"
        "    def predict(self, X):\n"
        "        return [self.most] * len(X)\n"
    )
    table = pa.table({"t": ["a", "b", "b"], "y": ["u", "v", "v"]})
    for entry, arguments in (("f.py:build", {"C": 10.0}), ("f.py:Most", {})):
        made = fit(objects, entry, table, line("y", of=["t"]), root=tmp_path, **arguments)
        assert "encoder" not in made.about
        assert loaded(objects, made).predict(table).column("prediction").to_pylist()[1:] == ["v", "v"]


def test_an_estimator_that_refuses_is_told_in_its_words(objects: Objects) -> None:
    table = pa.table({"x": [1.0, 2.0], "y": [True, True]})
    told = trouble(lambda: fit(objects, LOGISTIC, table, line("y", of=["x"])))
    assert told.action == "make m" and told.cause.startswith(
        "ValueError: This solver needs samples of at least 2 classes"
    )
    told = trouble(lambda: fit(objects, LOGISTIC, table, line("y", of=["x"]), C=-1.0))
    assert "C" in told.cause and "\n" not in told.cause
    told = trouble(lambda: fit(objects, LOGISTIC, pa.table({"x": [1.0, 2.0], "y": [True, None]}), line("y", of=["x"])))
    assert told.cause == "y is missing in 1 of the rows"
    assert trouble(lambda: fit(objects, LOGISTIC, table, line("y", of=["z"]))).cause == "train has no column z"


def test_the_same_fit_gives_the_same_bytes_in_another_process(objects: Objects, tmp_path: Path) -> None:
    """Names and sets are hashed anew in each process."""
    script = (
        "import sys; from pathlib import Path; import importlib.util as u\n"
        f"spec = u.spec_from_file_location('t', {str(Path(__file__))!r}); t = u.module_from_spec(spec); spec.loader.exec_module(t)\n"
        "o = t.Objects(Path(sys.argv[1])); d = t.arrow(t.TELCO.head(500))\n"
        "print(t.fit(o, t.LOGISTIC, d, t.line('Churn', of=['Contract', 'tenure', 'customerID'], positive='Yes')).digest)\n"
        "print(t.fit(o, 'sklearn.ensemble:RandomForestClassifier', d, t.line('Churn', of=['Contract', 'tenure']), n_estimators=3).digest)\n"
    )
    runs = [
        subprocess.Popen(
            [sys.executable, "-W", "ignore", "-c", script, str(tmp_path / seed)],
            stdout=subprocess.PIPE,
            env=os.environ | {"PYTHONHASHSEED": seed},
        )
        for seed in ("1", "2")
    ]
    first, second = (run.communicate()[0] for run in runs)
    assert first == second and first.count(b"folder:") == 2


# --- predict -------------------------------------------------------------------------------------------------

IRIS = load_iris(as_frame=True).frame.assign(
    species=lambda frame: frame["target"].map(dict(enumerate(load_iris().target_names)))
)
MEASURES = list(IRIS.columns[:4])


def test_a_classification_says_the_class_and_how_probable_it_is(objects: Objects) -> None:
    model = loaded(objects, fit(objects, LOGISTIC, arrow(IRIS), line("species", of=MEASURES), max_iter=1000))
    predicted = model.predict(arrow(IRIS))
    assert predicted.schema == pa.schema([("prediction", pa.string()), ("probability", pa.float64())])
    assert model.signature.classes == ("setosa", "versicolor", "virginica")
    assert (predicted.to_pandas()["prediction"] == IRIS["species"]).mean() > 0.95
    said = model.probabilities(arrow(IRIS))
    assert said is not None and predicted.column("probability").to_pylist() == said.max(axis=1).tolist()


@pytest.mark.parametrize(
    ("target", "positive", "made"), [("species", "setosa", [True, False]), ("target", None, [0, 2])]
)
def test_the_prediction_has_the_targets_type(objects: Objects, target: str, positive: Scalar, made: list[Any]) -> None:
    model = loaded(
        objects, fit(objects, LOGISTIC, arrow(IRIS), line(target, of=MEASURES, positive=positive), max_iter=1000)
    )
    predicted = model.predict(arrow(IRIS.iloc[[0, 149]]))
    assert predicted.column("prediction").to_pylist() == made
    first, last = predicted.column("probability").to_pylist()
    assert first > 0.9 and (last < 0.1 if positive else last > 0.5)


def test_a_model_without_probabilities_gives_none(objects: Objects) -> None:
    model = loaded(objects, fit(objects, "sklearn.svm:LinearSVC", arrow(IRIS), line("species", of=MEASURES)))
    assert model.predict(arrow(IRIS)).column_names == ["prediction"]


def test_a_clustering_has_no_target(objects: Objects) -> None:
    model = loaded(
        objects, fit(objects, "sklearn.cluster:KMeans", arrow(IRIS), line(of=MEASURES, task="none"), n_clusters=3)
    )
    assert set(model.predict(arrow(IRIS)).column("prediction").to_pylist()) == {0.0, 1.0, 2.0}


def test_columns_may_stand_in_any_order_and_must_be_there(objects: Objects) -> None:
    model = loaded(objects, fit(objects, LOGISTIC, arrow(IRIS), line("species", of=MEASURES), max_iter=1000))
    turned = arrow(IRIS[IRIS.columns[::-1]])
    assert model.predict(turned).equals(model.predict(arrow(IRIS)))
    lacks = turned.rename_columns([name.replace("petal width", "petal_width") for name in turned.column_names])
    told = trouble(lambda: model.predict(lacks))
    assert (
        told.cause == "the table has no column petal width (cm), which the model needs"
        and told.help == "it has petal_width (cm)"
    )
    text = pa.table({name: ["many"] for name in MEASURES})
    assert (
        trouble(lambda: model.predict(text)).cause
        == "column sepal length (cm) is string, and the model has learned from double"
    )
    empty = pa.table({name: pa.array([None], pa.float64()) for name in MEASURES})
    assert trouble(lambda: model.predict(empty)).help.startswith("sepal length (cm) misses values")


def test_a_users_model_may_speak_of_the_targets_own_values(objects: Objects) -> None:
    from sklearn.tree import DecisionTreeClassifier

    frame = IRIS[IRIS["species"] != "virginica"]
    signature = models.Signature(features=tables.columns_of(arrow(frame[MEASURES])), targets=("species",), task="classification",
                                 positive="setosa", classes=(False, True))  # fmt: skip
    for target in (frame["species"], frame["species"] == "setosa", (frame["species"] == "setosa").astype(int)):
        model = models.Model(DecisionTreeClassifier().fit(frame[MEASURES], target), signature)
        predicted = model.predict(arrow(frame)).to_pandas()
        assert (predicted["prediction"] == (frame["species"] == "setosa").to_numpy()).all()
        assert (predicted["probability"] == (frame["species"] == "setosa").to_numpy()).all()


# --- data by a model -----------------------------------------------------------------------------------------


def test_data_by_a_model_is_the_rows_with_what_it_says(objects: Objects) -> None:
    model = fit(objects, LOGISTIC, arrow(IRIS), line("species", of=MEASURES), max_iter=1000)
    data = tables.write(arrow(IRIS), objects)
    inputs = (
        Given(alias="model", name="m", kind="model", digest=model.digest),
        Given(alias="data", name="iris", kind="data", digest=data.digest),
    )
    order = Make(
        key="k", names=("scores",), kind="data", recipe=Recipe(word="predict"), inputs=inputs, root=str(objects.root)
    )
    made = prediction.make(order, objects).outputs["scores"]
    scores = tables.read(objects, made.digest)
    assert scores.column_names == [*IRIS.columns, "prediction", "probability"] and scores.num_rows == 150
    again = order.model_copy(update={"inputs": (inputs[0], inputs[1].model_copy(update={"digest": made.digest}))})
    told = trouble(lambda: prediction.make(again, objects))
    assert told.cause == "iris has a column prediction already, where the model's own would stand"
