"""What the compiler knows of types before anything runs: Python by its source, estimators by theirs, conditions."""

from __future__ import annotations

import importlib
import inspect
from datetime import date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mlspec.compiler import annotation, installed, options
from mlspec.compiler.held import Side, Wrong, held
from mlspec.compiler.load import InMemory
from mlspec.compiler.pipeline import compile_text
from mlspec.compiler.types import Column, Type

# --- annotations ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "value", "fits"),
    [
        ("int", 3, True), ("int", "many", False), ("int", True, False), ("int", 2.5, False),
        ("float", 3, True), ("float", "a", False), ("str", "a", True), ("str", 3, False), ("bool", True, True),
        ("bool", 1, False), ("Literal['a', 'b']", "a", True), ("Literal['a', 'b']", "c", False), ("Literal[1, 2]", 3, False),
        ("typing.Literal[MODE]", "c", None), ("Optional[int]", "x", False), ("Optional[int]", 3, True),
        ("int | str", 2.5, False), ("Union[int, str]", "a", True), ("int | None", 2, True), ("'int'", "x", False),
        ("list[str]", ("a", "b"), True), ("list[str]", ("a", 1), False), ("list[str]", "a", False), ("Sequence[int]", (1,), True),
        ("tuple[int, int]", (1, 2), True), ("tuple[int, int]", (1,), False), ("tuple[int, ...]", (1, 2, 3), True),
        ("dict[str, int]", 3, False), ("date", 3, False), ("date", "2020-01-01", False), ("date", date(2020, 1, 1), True),
        ("datetime", date(2020, 1, 1), False), ("datetime", datetime(2020, 1, 1, 10), True), ("str", date(2020, 1, 1), False),
        ("list[date]", (date(2020, 1, 1),), True), ("pd.Timestamp", date(2020, 1, 1), None), ("Path", date(2020, 1, 1), False),
        ("Anything", 3, None), ("Any", 3, True),
        ("np.float64", 3, None), ("not python", 3, None), ("", 3, None),
    ],
)  # fmt: skip
def test_what_an_annotation_takes(written: str, value: object, fits: bool | None) -> None:
    assert annotation.takes(annotation.read(written), value) is fits


@pytest.mark.parametrize(
    ("written", "kind", "outputs", "wrong"),
    [
        ("None", "data", 1, True), ("pd.DataFrame", "data", 1, False), ("int", "data", 1, True), ("str", "data", 1, False),
        ("dict", "data", 1, False), ("list[dict]", "data", 1, False), ("np.ndarray", "data", 1, False),
        ("tuple[pd.DataFrame, pd.DataFrame]", "data", 1, True), ("tuple[pd.DataFrame, pd.DataFrame]", "data", 2, False),
        ("tuple[pd.DataFrame, pd.DataFrame]", "data", 3, True), ("pd.DataFrame", "data", 2, True), ("dict", "data", 2, False),
        ("tuple[pd.DataFrame, ...]", "data", 2, False), ("tuple", "data", 2, False),
        ("Ridge", "model", 1, False), ("pd.DataFrame", "model", 1, True), ("dict", "model", 1, True), ("Path", "model", 1, False),
        ("tuple[Ridge, dict[str, float]]", "model", 1, False), ("tuple[pd.DataFrame, dict]", "model", 1, True),
        ("tuple[A, B, C]", "model", 1, True), ("Ridge | None", "model", 1, False), ("", "model", 1, False),
    ],
)  # fmt: skip
def test_what_may_be_returned(written: str, kind: str, outputs: int, wrong: bool) -> None:
    assert bool(annotation.wrong_return(written, kind, outputs)) is wrong


def test_data_comes_in_the_forms_that_the_runtime_has() -> None:
    from mlspec.runtimes.recipes import forms

    assert all(annotation.has_form(form) for form in forms._FORMS)
    assert annotation.has_form("pd.DataFrame | None") and annotation.has_form("Frame") and annotation.has_form("")
    assert (
        not annotation.has_form("int")
        and not annotation.has_form("list[dict]")
        and not annotation.has_form("pd.Series")
    )


@settings(max_examples=300, deadline=None)
@given(st.text("intsrLeal[]|,.\"' ()*", max_size=30), st.sampled_from([3, "a", True, ("a", 1)]))
def test_no_annotation_is_too_strange(written: str, value: object) -> None:
    read = annotation.read(written)
    annotation.takes(read, value)
    annotation.wrong_return(written, "model", 2)
    if read is not None:
        annotation.words(read)


# --- estimators -----------------------------------------------------------------------------------------------

FOREST = "sklearn.ensemble:RandomForestClassifier"


@pytest.mark.parametrize(
    ("entry", "name", "value", "fits"),
    [
        (FOREST, "criterion", "gini", True), (FOREST, "criterion", "ginny", False), (FOREST, "n_estimators", 0, False),
        (FOREST, "n_estimators", "many", False), (FOREST, "max_features", 1.5, False), (FOREST, "max_features", 0.5, True),
        (FOREST, "max_features", "sqrt", True), (FOREST, "class_weight", "balanced", True), (FOREST, "bootstrap", "yes", False),
        (FOREST, "splitter", "x", None), ("sklearn.linear_model:LogisticRegression", "C", -1, False),
        ("sklearn.linear_model:ElasticNet", "l1_ratio", 1.5, False), ("sklearn.linear_model:ElasticNet", "l1_ratio", 1, True),
        ("sklearn.svm:SVC", "gamma", "skale", False), ("sklearn.neural_network:MLPClassifier", "hidden_layer_sizes", (3, 4), True),
        ("sklearn.neighbors:KNeighborsClassifier", "metric", "anything", None), ("nowhere:Class", "x", 3, None),
    ],
)  # fmt: skip
def test_what_an_option_takes(entry: str, name: str, value: object, fits: bool | None) -> None:
    assert options.takes(options.of(entry).get(name, ()), value) is fits


@pytest.mark.parametrize(
    "entry",
    [
        FOREST, "sklearn.ensemble:HistGradientBoostingRegressor", "sklearn.ensemble:GradientBoostingClassifier",
        "sklearn.linear_model:LogisticRegression", "sklearn.linear_model:SGDClassifier", "sklearn.svm:SVC",
        "sklearn.neighbors:KNeighborsClassifier", "sklearn.naive_bayes:MultinomialNB", "sklearn.cluster:KMeans",
        "sklearn.neural_network:MLPRegressor", "sklearn.tree:ExtraTreeRegressor", "sklearn.cross_decomposition:PLSRegression",
    ],
)  # fmt: skip
def test_the_defaults_of_scikit_learn_are_never_refused(entry: str) -> None:
    module, _, name = entry.partition(":")
    for parameter in inspect.signature(getattr(importlib.import_module(module), name)).parameters.values():
        if isinstance(parameter.default, bool | int | float | str):
            rules = options.of(entry).get(parameter.name, ())
            assert options.takes(rules, parameter.default) is not False, parameter


@pytest.mark.parametrize(
    ("entry", "meant"),
    [
        ("sklearn.linear_model:LogisticRegresion", "sklearn.linear_model:LogisticRegression"),
        ("sklearn.linear_modl:Ridge", "sklearn.linear_model:Ridge"),
        ("json:loadz", "json:load"),
        ("sklearn.linear_model:Ridge", None),
        ("sklearn:linear_model.Ridge", None),
        ("skrub:TableVectorizr", None),  # makes its names while running
        ("nowhere.at.all:Class", None),  # not installed here, and perhaps elsewhere
        ("steps.py:fit", None),
    ],
)
def test_what_a_package_does_not_have(entry: str, meant: str | None) -> None:
    problem = installed.missing(entry)
    assert (problem.instead if problem is not None else None) == meant


@pytest.mark.parametrize(
    ("name", "gives"),
    [
        ("linear_model:LogisticRegression", True), ("svm:LinearSVC", False), ("linear_model:RidgeClassifier", False),
        ("linear_model:Perceptron", False), ("ensemble:HistGradientBoostingClassifier", True), ("naive_bayes:GaussianNB", True),
    ],
)  # fmt: skip
def test_who_gives_probabilities(name: str, gives: bool) -> None:
    module, _, word = name.partition(":")
    assert installed.has_method(f"sklearn.{name}", "predict_proba")[0] is gives
    assert hasattr(getattr(importlib.import_module(f"sklearn.{module}"), word)(), "predict_proba") is gives


@pytest.mark.parametrize("method", ["fit", "predict", "transform"])
def test_who_has_a_method_is_never_said_to_lack_it(method: str) -> None:
    """Of all that scikit-learn has; a few are wrapped while running, and of these nothing is said."""
    from sklearn.utils import all_estimators

    told = 0
    for name, kind in all_estimators():
        public = ".".join(part for part in kind.__module__.split(".") if not part.startswith("_"))
        said = installed.has_method(f"{public}:{name}", method)[0]
        assert said is None or said is (method in dir(kind)), name
        told += said is not None
    assert told > 150


# --- conditions -----------------------------------------------------------------------------------------------

ROWS, MEAN, P95 = Side("number", ".rows", counts=True), Side("number", "mean(.x)"), Side("time", ".p95")
DAY, NAME, OK = Side("date", "max(.day)"), Side("text", ".name"), Side("truth", "unique(.x)")
AUC, UNKNOWN = Side("number", ".roc_auc", more=False), Side("", ".x")


def literal(value: int | float | str | bool, type_: str = "") -> Side:
    kinds = {bool: "truth", int: "number", float: "number", str: "text"}
    return Side(type_ or kinds[type(value)], str(value), value)


@pytest.mark.parametrize(
    ("left", "operator", "right", "gives"),
    [
        (ROWS, ">", literal(3), "truth"), (ROWS, ">", literal(0.2, "share"), None), (MEAN, "<", literal(0.2, "share"), "truth"),
        (P95, "<", literal(5), None), (P95, "<", literal(0.005, "time"), "truth"), (P95, "/", P95, "number"),
        (P95, "*", literal(2), "time"), (P95, "+", literal(2), None), (DAY, ">", literal("2020-01-01"), "truth"),
        (DAY, ">", literal("soon"), None), (DAY, ">", literal(5), None), (DAY, "-", DAY, "number"), (DAY, "+", literal(1), "date"),
        (literal(1), "+", DAY, "date"), (literal(1), "-", DAY, None), (DAY, "+", DAY, None), (DAY, "-", UNKNOWN, ""),
        (NAME, "==", literal(3), None), (NAME, "<", literal("m"), "truth"), (NAME, "+", literal("m"), None),
        (OK, "==", literal(True), "truth"), (OK, ">", literal(True), None), (OK, "and", OK, "truth"), (OK, "or", ROWS, None),
        (AUC, ">", literal(80), None), (AUC, ">=", literal(0.8), "truth"), (AUC, "else", literal(0), "number"),
        (UNKNOWN, ">", literal("x"), "truth"), (UNKNOWN, "+", ROWS, ""),
    ],
)  # fmt: skip
def test_what_comes_of_two_sides(left: Side, operator: str, right: Side, gives: str | None) -> None:
    found = held(operator, left, right)
    assert found == gives if gives is not None else isinstance(found, Wrong)


# --- as a spec ------------------------------------------------------------------------------------------------

STEPS = """
import pandas as pd

def fit(people, depth: int = 3, label="a"):
    return object()

class Own:
    def __init__(self, **options): ...
    def fit(self, x, y): ...
    def predict(self, x): ...

def scaled(strength: float):
    return make_pipeline(StandardScaler(), Ridge(strength))
"""
PEOPLE = tuple(
    Column(name=n, type=Type.model_validate({"base": b})) for n, b in {"age": "float", "left": "bool"}.items()
)
FILES = InMemory({"steps.py": STEPS}, {"people.csv": PEOPLE})


def told(entry: str, *lines: str, target: str = "left") -> list[str]:
    body = "\n  ".join([f"predict .{target} from .age", *lines])
    head = 'param deep: text = "very"\ndata people from csv "people.csv"\n'
    text = f'{head}model m from people by python "{entry}" {{\n  {body}\n}}\n'
    return [one.code for one in compile_text("a.mlspec", text, FILES).diagnostics]


@pytest.mark.parametrize(
    ("entry", "lines", "codes"),
    [
        ("steps.py:fit", ["depth = 4"], []),
        ("steps.py:fit", ["depth = deep"], ["E404"]),
        ("steps.py:fit", ["label = 3"], ["E404"]),
        ("steps.py:Own", ["whatever = 3"], []),
        ("steps.py:scaled", ["strength = 0.5"], []),
        ("steps.py:scaled", ['strength = "strong"'], ["E404"]),
        ("sklearn.svm:LinearSVC", ["C = 2", "sample_weight = .age"], []),
    ],
)
def test_what_is_given_is_held_against_the_source(entry: str, lines: list[str], codes: list[str]) -> None:
    assert told(entry, *lines) == codes
