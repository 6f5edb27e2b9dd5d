"""A user's function sees data in the form it asks for, and what it returns is kept."""

from __future__ import annotations

import datetime as dt
import inspect
import multiprocessing
import textwrap
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from mlspec.compiler.program import Code, Predict, Recipe
from mlspec.compiler.types import Column, Type
from mlspec.runtimes import models, tables
from mlspec.runtimes.order import Given, Make, Outcome
from mlspec.runtimes.recipes import forms, python
from mlspec.runtimes.store.objects import Objects
from mlspec.runtimes.trouble import Trouble

EVERY_TYPE = pa.table(
    {
        "i": [1, 2, 3],
        "f": [0.5, 1.5, 2.0],
        "t": ["a", "b", "ü"],
        "b": [True, False, True],
        "d": [dt.date(2020, 1, 1), dt.date(2020, 2, 29), dt.date(1999, 12, 31)],
        "ts": pa.array(
            [dt.datetime(2020, 1, 1, 3, 4, 5, 6), dt.datetime(2021, 1, 1), dt.datetime(2022, 1, 1)], pa.timestamp("us")
        ),
        "l": [[1, 2], [3], []],
    }
)


class World:
    """A project's folder, a store, and orders about them."""

    def __init__(self, root: Path) -> None:
        self.root, self.objects = root / "project", Objects(root / "store")
        self.root.mkdir()

    def write(self, name: str, text: str) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text))

    def given(self, alias: str, table: pa.Table) -> Given:
        made = tables.write(table, self.objects)
        return Given(alias=alias, name=alias, kind="data", digest=made.digest, columns=made.columns)

    def make(
        self,
        entry: str,
        *inputs: Given,
        names: tuple[str, ...] = ("out",),
        kind: str = "data",
        is_class: bool = False,
        **more: Any,
    ) -> Outcome:
        place = entry.rpartition(":")[0]
        code = Code(entry=entry, digest="", files=(place,) if place.endswith(".py") else (), is_class=is_class)
        order = Make(
            key="k",
            names=names,
            kind=kind,
            recipe=Recipe(word="python", place=entry, code=code),
            inputs=inputs,
            root=str(self.root),
            **more,
        )
        return python.make(order, self.objects)

    def table(self, outcome: Outcome, name: str = "out") -> pa.Table:
        return tables.read(self.objects, outcome.outputs[name].digest)


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    world = World(tmp_path)
    monkeypatch.chdir(world.root)
    monkeypatch.setattr("sys.path", list(__import__("sys").path))
    return world


def trouble(work: Any) -> Trouble:
    with pytest.raises(Trouble) as caught:
        work()
    return caught.value


# --- forms ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("imports", "annotation"),
    [
        ("", ""),
        ("import pandas as pd", ": pd.DataFrame"),
        ("from pandas import DataFrame", ": 'DataFrame | None'"),
        ("import polars as pl", ": pl.DataFrame"),
        ("from polars import DataFrame", ": DataFrame"),
        ("import polars as pl", ": pl.LazyFrame"),
        ("import pyarrow as pa", ": pa.Table"),
        ("import pyarrow as pa", ": pa.RecordBatchReader"),
        ("import duckdb", ": duckdb.DuckDBPyRelation"),
        ("from pathlib import Path", ": Path"),
        ("", ": str"),
    ],
)
def test_an_identity_gives_the_same_bytes_in_each_form(world: World, imports: str, annotation: str) -> None:
    world.write("f.py", f"{imports}\ndef same(data{annotation}):\n    return data\n")
    given = world.given("data", EVERY_TYPE)
    assert world.make("f.py:same", given).outputs["out"].digest == given.digest


def test_missing_values_survive_pandas(world: World) -> None:
    table = pa.table(
        {
            "i": [1, None, 3],
            "big": [2**60 + 1, None, 1],
            "f": [0.5, None, 2.0],
            "t": ["a", None, "c"],
            "b": [True, None, False],
            "d": [dt.date(2020, 1, 1), None, None],
            "none": pa.array([None] * 3, pa.float64()),
        }
    )
    world.write(
        "f.py",
        "def same(data):\n    assert str(data['i'].dtype) == 'float64' and str(data['b'].dtype) == 'boolean'\n    return data\n",
    )
    given = world.given("data", table)
    assert world.make("f.py:same", given).outputs["out"].digest == given.digest


def test_a_type_the_function_changed_itself_stays_changed(world: World) -> None:
    world.write(
        "f.py",
        """
        def turn(data):
            data["i"] = data["i"].astype("float64")
            data["d"] = data["d"] + __import__("pandas").Timedelta("1h")
            return data
        """,
    )
    schema = world.table(world.make("f.py:turn", world.given("data", EVERY_TYPE))).schema
    assert schema.field("i").type == pa.float64()
    assert schema.field("d").type == pa.timestamp("us")


def test_numpy_gets_the_columns_side_by_side_and_gives_c1_to_cn(world: World) -> None:
    world.write(
        "f.py",
        "import numpy as np\ndef twice(data: np.ndarray):\n    assert data.shape == (2, 2)\n    return data * 2\n",
    )
    out = world.table(world.make("f.py:twice", world.given("data", pa.table({"a": [1.0, 2.0], "b": [3, 4]}))))
    assert out.to_pydict() == {"c1": [2.0, 4.0], "c2": [6.0, 8.0]}


@pytest.mark.parametrize(
    ("returned", "expected"),
    [
        ("{'a': [1, 2], 'b': ['x', None]}", {"a": [1, 2], "b": ["x", None]}),
        ("[{'a': 1}, {'a': 2, 'b': 'x'}]", {"a": [1, 2], "b": [None, "x"]}),
        ("pd.DataFrame({'k': ['x', 'x', 'y'], 'v': [1, 2, 3]}).groupby('k').sum()", {"k": ["x", "y"], "v": [3, 3]}),
        (
            "pd.DataFrame({'k': ['x', 'y'], 'v': [1, 2]}).groupby('k').agg({'v': ['min', 'max']})",
            {"k": ["x", "y"], "v_min": [1, 2], "v_max": [1, 2]},
        ),
        ("pd.DataFrame({'v': [1, 2, 3]}).query('v > 1')", {"v": [2, 3]}),
        ("pd.Series([1, 2], name='n')", {"n": [1, 2]}),
        ("pd.DataFrame({'c': pd.Categorical(['u', 'v'])})", {"c": ["u", "v"]}),
        ("pd.DataFrame({0: [1, 2]})", {"0": [1, 2]}),
        ("write('x.csv', 'a,b\\n1,x\\n,y\\n')", {"a": [1, None], "b": ["x", "y"]}),
    ],
)
def test_what_may_be_returned_as_a_table(world: World, returned: str, expected: dict[str, Any]) -> None:
    world.write(
        "f.py",
        f"""
        import pandas as pd
        from pathlib import Path
        def write(name, text):
            Path(name).write_text(text)
            return name
        def give():
            return {returned}
        """,
    )
    assert world.table(world.make("f.py:give")).to_pydict() == expected


@pytest.mark.parametrize(
    ("returned", "cause"),
    [
        ("None", "it returned nothing"),
        ("42", "it returned a value of type int"),
        ("'gone.txt'", 'it returned the text "gone.txt", and there is no such file'),
        ("{'a': 1}", "it returned a dict whose values are no columns"),
        ("__import__('pandas').DataFrame({'a': [1, 'x']})", "column a holds values of different types"),
    ],
)
def test_what_is_no_table_is_told(world: World, returned: str, cause: str) -> None:
    world.write("f.py", f"def give():\n    return {returned}\n")
    told = trouble(lambda: world.make("f.py:give"))
    assert told.action == "make out" and told.cause.startswith(cause) and told.help


def test_an_annotation_that_no_form_answers_is_told(world: World) -> None:
    world.write("f.py", "def f(data: dict):\n    return data\n")
    told = trouble(lambda: world.make("f.py:f", world.given("data", EVERY_TYPE)))
    assert told.cause == "its parameter data asks for dict, and data has no such form"


def test_forms_are_read_from_text_where_types_cannot_be_evaluated() -> None:
    assert forms.form_of("Optional[pl.LazyFrame]") == "lazy"
    assert forms.form_of("pd.DataFrame | None") == "pandas"
    assert forms.form_of("npt.NDArray[np.float64]") == "numpy"
    assert forms.form_of(inspect.Parameter.empty) == "pandas"
    assert forms.form_of("Spark") is None


def test_a_folder_goes_out_and_in(world: World) -> None:
    world.write(
        "f.py",
        """
        from pathlib import Path
        def out():
            Path("made/sub").mkdir(parents=True)
            Path("made/sub/a.txt").write_text("hello")
            return Path("made")
        def read(files: Path):
            return {"text": [(files / "sub" / "a.txt").read_text()]}
        """,
    )
    made = world.make("f.py:out").outputs["out"]
    assert made.kind == "folder" and made.bytes == 5 and (world.root / "made").exists()
    given = Given(alias="files", name="files", kind="data", digest=made.digest)
    assert world.table(world.make("f.py:read", given)).to_pydict() == {"text": ["hello"]}


def test_writing_to_an_inputs_file_leaves_the_store_as_it_is(world: World) -> None:
    world.write(
        "f.py",
        "from pathlib import Path\ndef f(data: Path):\n    data.chmod(0o600)\n    data.write_text('spoilt')\n    return {'a': [1]}\n",
    )
    given = world.given("data", EVERY_TYPE)
    world.make("f.py:f", given)
    assert tables.read(world.objects, given.digest).num_rows == 3


# --- calls ---------------------------------------------------------------------------------------------------


def test_arguments_by_name_seeds_and_an_absent_last(world: World) -> None:
    world.write(
        "f.py",
        """
        import random
        import numpy as np
        def f(data, before, columns, key, seed, share=0.5):
            assert before is None and isinstance(columns, list)
            return {"said": [f"{columns} {key} {seed} {share} {random.random()} {np.random.rand()}"]}
        """,
    )
    given = world.given("data", EVERY_TYPE)
    arguments = {"columns": ("a", "b"), "key": ".i", "seed": 7}
    # A process of its own, as every step has: what else runs in this one may draw from `random` in between.
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as steps:
        made = [steps.submit(world.make, "f.py:f", given, arguments=arguments).result() for _ in range(2)]
    first, again = (world.table(one).to_pydict() for one in made)
    assert first == again
    assert first["said"][0].startswith("['a', 'b'] i 7 0.5 ")


def test_a_function_that_gives_an_estimator_is_handed_secrets(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.write(
        "f.py",
        """
        from sklearn.linear_model import LogisticRegression
        def classifier(strength, key):
            assert key == "a secret of ours"
            return LogisticRegression(C=strength)
        """,
    )
    monkeypatch.setenv("TOKEN", "a secret of ours")
    given = world.given("data", FLOWERS)
    more = {"kind": "model", "predict": KIND, "arguments": {"strength": 2.0}, "secrets": {"key": "token"}}
    made = world.make("f.py:classifier", given, **more)
    assert made.outputs["out"].about["estimator"] == "LogisticRegression"


def test_a_seed_is_handed_on_only_where_it_is_taken(world: World) -> None:
    world.write(
        "f.py",
        """
        def takes(random_state):
            return {"s": [random_state]}
        def own(seed=5):
            return {"s": [seed]}
        def none():
            return {"s": [1]}
        """,
    )
    seen = [world.table(world.make(f"f.py:{name}", arguments=arguments)).to_pydict()["s"][0]
            for name, arguments in (("takes", {}), ("takes", {"seed": 3}), ("own", {}), ("own", {"seed": 3}), ("none", {"seed": 3}))]  # fmt: skip
    assert seen == [0, 3, 5, 3, 1]


def test_two_files_of_one_name_and_edits_are_kept_apart(world: World) -> None:
    for folder, number in (("a", 1), ("b", 2)):
        world.write(f"{folder}/steps.py", f"from near import N\ndef f():\n    return {{'n': [N, {number}]}}\n")
        world.write(f"{folder}/near.py", f"N = {number * 10}\n")
    seen = []
    for folder in ("a", "b", "a"):
        code = Code(entry=f"{folder}/steps.py:f", digest="", files=(f"{folder}/near.py", f"{folder}/steps.py"))
        order = Make(
            key="k", names=("out",), kind="data", recipe=Recipe(word="python", code=code), root=str(world.root)
        )
        seen.append(world.table(python.make(order, world.objects)).to_pydict()["n"])
    assert seen == [[10, 1], [20, 2], [10, 1]]


def test_several_outputs_by_tuple_and_by_name(world: World) -> None:
    world.write(
        "f.py",
        """
        def pair():
            return {"a": [1]}, {"a": [2]}
        def named():
            return {"y": {"a": [2]}, "x": {"a": [1]}}
        def three():
            return 1, 2, 3
        """,
    )
    for function in ("pair", "named"):
        made = world.make(f"f.py:{function}", names=("x", "y"))
        assert [world.table(made, name).to_pydict() for name in ("x", "y")] == [{"a": [1]}, {"a": [2]}]
    told = trouble(lambda: world.make("f.py:three", names=("x", "y")))
    assert (
        told.cause == "it returned 3 values for 2 outputs" and told.help == "return a tuple of 2, or a dict with x, y"
    )


def test_declared_columns_must_be_so(world: World) -> None:
    world.write("f.py", "def f():\n    return {'a': [1, 2]}\n")
    text = (Column(name="a", type=Type(base="text"), declared=True),)
    assert "a" in trouble(lambda: world.make("f.py:f", declared=text)).cause


def test_an_error_is_told_by_the_users_own_frames(world: World) -> None:
    world.write("lib/deep.py", "def check(x):\n    raise ValueError(f'bad {x}\\nmore of it')\n")
    world.write(
        "f.py", "from lib.deep import check\ndef f(data):\n    return data.apply(lambda column: check(column.name))\n"
    )
    told = trouble(lambda: world.make("f.py:f", world.given("data", EVERY_TYPE)))
    assert (told.action, told.cause) == ("make out", "ValueError: bad i")
    assert [line for line in told.detail.splitlines() if not line.startswith(" ")] == [
        "f.py:3 in f", "f.py:3 in <lambda>", "lib/deep.py:2 in check", "ValueError: bad i", "more of it",
    ]  # fmt: skip
    assert str(world.root) not in told.detail


def test_a_package_that_is_not_installed_is_told_without_frames(world: World) -> None:
    said = trouble(lambda: world.make("no_such_package:Forest", world.given("data", FLOWERS), kind="model"))
    assert said.help == "install no_such_package where mlspec runs"
    assert said.detail == ""


def test_a_file_that_cannot_be_imported_is_told(world: World) -> None:
    world.write("a.py", "import no_such_package_here\n")
    world.write("b.py", "def f(:\n")
    world.write("c.py", "raise SystemExit(3)\n")
    assert trouble(lambda: world.make("a.py:f")).help == "install no_such_package_here where mlspec runs"
    assert "b.py:1" in trouble(lambda: world.make("b.py:f")).detail
    assert trouble(lambda: world.make("c.py:f")).cause == "it called exit(3)"
    assert trouble(lambda: world.make("gone.py:f")).cause == "there is no file gone.py"


# --- models of functions -------------------------------------------------------------------------------------

FLOWERS = pa.table({"x": [1.0, 2.0, 3.0, 4.0], "kind": ["a", "a", "b", "b"]})
KIND = Predict(targets=("kind",), features=("x",), task="classification")


def test_a_model_with_its_metrics(world: World) -> None:
    world.write(
        "f.py",
        """
        from sklearn.linear_model import LogisticRegression
        def fit(data, C=1.0):
            model = LogisticRegression(C=C).fit(data[["x"]], data["kind"])
            return model, {"score": model.score(data[["x"]], data["kind"])}
        """,
    )
    made = world.make("f.py:fit", world.given("data", FLOWERS), kind="model", predict=KIND)
    assert made.metrics == {"score": 1.0}
    model = models.load(world.objects.folder(made.outputs["out"].digest))
    assert model.predict(FLOWERS).column("prediction").to_pylist() == ["a", "a", "b", "b"]


def test_a_model_of_the_projects_own_class_outlives_an_edit_of_the_project(world: World) -> None:
    world.write(
        "steps/f.py",
        """
        class Mine:
            def predict(self, X):
                return [self.answer() for _ in range(len(X))]
            def answer(self):
                return "old"
        def fit(data):
            return Mine()
        """,
    )
    made = world.make("steps/f.py:fit", world.given("data", FLOWERS), kind="model", predict=KIND)
    world.write("steps/f.py", "class Mine:\n    pass\n")
    model = models.load(world.objects.folder(made.outputs["out"].digest))
    assert model.predict(FLOWERS).column("prediction").to_pylist() == ["old"] * 4


def test_a_folder_as_model_is_kept_as_it_is(world: World) -> None:
    world.write(
        "f.py",
        "from pathlib import Path\ndef fit():\n    Path('m').mkdir()\n    Path('m/weights').write_text('w')\n    return Path('m')\n",
    )
    made = world.make("f.py:fit", kind="model").outputs["out"]
    assert made.kind == "model" and list(world.objects.listing(made.digest)) == ["weights"]
    assert trouble(lambda: models.load(world.objects.folder(made.digest))).help == "return an object with predict"


@pytest.mark.parametrize(
    ("body", "cause"),
    [
        ("return None", "it returned nothing"),
        ("return {'a': 1}", "it returned a value of type dict"),
        ("return Free(lambda x: x)", "lambda"),
        ("return Free(1), {'m': float('nan')}", "its metric m is nan"),
        ("return Free(1), {'m': 'high'}", "its metric m is a str"),
    ],
)
def test_what_is_no_model_is_told(world: World, body: str, cause: str) -> None:
    world.write(
        "f.py",
        f"""
        class Free:
            def __init__(self, f):
                self.f = f
            def predict(self, X):
                return X
        def fit(data):
            {body}
        """,
    )
    told = trouble(lambda: world.make("f.py:fit", world.given("data", FLOWERS), kind="model"))
    assert cause in told.cause


def test_a_model_that_learned_from_what_predict_does_not_name_is_refused(world: World) -> None:
    world.write(
        "f.py",
        """
        from sklearn.tree import DecisionTreeClassifier
        def fit(data):
            return DecisionTreeClassifier().fit(data[["x"]].assign(z=1), data["kind"])
        """,
    )
    told = trouble(lambda: world.make("f.py:fit", world.given("data", FLOWERS), kind="model", predict=KIND))
    assert told.cause == "the model learned from z, which predict does not name"


def test_a_model_goes_in_as_the_object_it_was(world: World) -> None:
    world.write(
        "f.py",
        """
        from sklearn.tree import DecisionTreeClassifier
        def fit(data):
            return DecisionTreeClassifier().fit(data[["x"]], data["kind"])
        def depth(model):
            return {"depth": [model.get_depth()]}
        """,
    )
    made = world.make("f.py:fit", world.given("data", FLOWERS), kind="model", predict=KIND).outputs["out"]
    given = Given(alias="model", name="m", kind="model", digest=made.digest)
    assert world.table(world.make("f.py:depth", given)).to_pydict() == {"depth": [1]}
