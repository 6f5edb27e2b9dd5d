"""What the compiler reads of a user's Python without running it: how it is called, and what it really uses."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mlspec.compiler import signature
from mlspec.compiler.signature import Problem, Signature

TRAIN = '''
"""Trains."""
import json
import logging
import numpy as np
import pandas as pd
from sklearn.linear_model import Ridge as Model
from features import clean, SCALE

log = logging.getLogger(__name__)
ALPHA = 0.5
UNUSED = 3


def fit(train: pd.DataFrame, *, alpha: float = ALPHA, seed=0) -> "Model":
    """Fits."""
    rows = clean(train)
    return Model(alpha=alpha * SCALE).fit(rows, seed)


def other(frame):
    return np.log(frame) + UNUSED


class Mean:
    def __init__(self, window: int, power=2):
        self.window = window

    def fit(self, x, y):
        return _average(x)


def _average(x):
    return sum(x) / len(x)
'''
FEATURES = """
import numpy as np
import scipy.stats as stats

SCALE = 2

def clean(frame):
    return np.sqrt(frame) + _shift()

def _shift():
    return 1

def score(frame):
    return stats.zscore(frame)
"""
FILES = {"train.py": TRAIN, "features.py": FEATURES}


def read(entry: str, files: Mapping[str, str] = FILES) -> Signature:
    found = signature.read(entry, files.get)
    assert isinstance(found, Signature), found
    return found


def mistake(entry: str, files: Mapping[str, str] = FILES) -> Problem:
    found = signature.read(entry, files.get)
    assert isinstance(found, Problem)
    return found


def digest(entry: str, files: Mapping[str, str]) -> str:
    return read(entry, files).code.digest


def changed(entry: str, path: str, old: str, new: str, files: Mapping[str, str] = FILES) -> bool:
    """Whether a change of the text of one file makes another code of an entry."""
    assert old in files[path]
    return digest(entry, files) != digest(entry, {**files, path: files[path].replace(old, new)})


# --- how it is called -----------------------------------------------------------------------------------------


def test_a_function_is_read_with_its_parameters_and_annotations() -> None:
    found = read("train.py:fit")
    assert found.code.parameters == ("train", "alpha", "seed")
    assert found.required == ("train",)
    assert found.code.annotations == {"train": "pd.DataFrame", "alpha": "float"}
    assert (found.returns, found.open, found.code.is_class, found.line) == ("Model", False, False, 15)


def test_a_class_is_called_as_its_init_says() -> None:
    found = read("train.py:Mean")
    assert found.code.is_class
    assert (found.code.parameters, found.required) == (("window", "power"), ("window",))
    assert found.code.annotations == {"window": "int"}


@pytest.mark.parametrize(
    ("source", "parameters", "required", "is_open"),
    [
        ("def f(a, b=1, *, c, d=2, **more): ...", ("a", "b", "c", "d"), ("a", "c"), True),
        ("def f(*rest, a): ...", ("a",), ("a",), False),
        ("f = lambda a, b=1: a", ("a", "b"), ("a",), False),
        ("f = make()\ndef make(): ...", (), (), True),
        ("async def f(a): ...", ("a",), ("a",), False),
        ("class f: pass", (), (), False),
        ("class g:\n  def __init__(self, a): ...\nclass f(g): pass", ("a",), ("a",), False),
        ("from elsewhere import g\nclass f(g): pass", (), (), True),
        ("from base import BaseEstimator\nclass f(BaseEstimator):\n  def __init__(self, a=1): ...", ("a",), (), False),
        ("class f:\n  def __new__(cls, a): ...", (), (), True),
        ("from dataclasses import dataclass\n@dataclass\nclass f:\n  a: int\n  b: int = 2", ("a", "b"), ("a",), False),
        ("if True:\n  def f(a): ...\nelse:\n  def f(b): ...", ("b",), ("b",), False),
        ("from h import g as f", ("x", "y"), ("x",), False),
        ("from sklearn.svm import SVC as f", (), (), True),
    ],
)  # fmt: skip
def test_every_way_to_define_it(
    source: str, parameters: tuple[str, ...], required: tuple[str, ...], is_open: bool
) -> None:
    found = read("m.py:f", {"m.py": source, "h.py": "def g(x, y=1): ..."})
    assert (found.code.parameters, found.required, found.open) == (parameters, required, is_open)


def test_a_module_of_the_project_may_be_named_with_dots() -> None:
    files = {"churn/train.py": "def fit(a): ...", "churn/__init__.py": "from .train import fit"}
    assert read("churn.train:fit", files).code.parts.keys() == {"churn/train.py:fit"}
    assert read("churn:fit", files).code.parameters == ("a",)


def test_of_an_installed_package_only_its_name_is_known() -> None:
    found = read("sklearn.ensemble:RandomForestClassifier")
    assert (found.open, found.code.packages, found.code.files, found.code.parameters) == (True, ("sklearn",), (), ())
    assert found.code.digest != read("sklearn.ensemble:RandomForestRegressor").code.digest


# --- mistakes -------------------------------------------------------------------------------------------------


def test_a_missing_file_or_function_is_told_with_the_nearest_one() -> None:
    assert mistake("trian.py:fit").message == "there is no file trian.py"
    found = mistake("train.py:fitt")
    assert (found.message, found.help, found.path) == ("train.py has no function fitt", "did you mean fit?", "train.py")
    assert mistake("m.py:zzz", {"m.py": "def fit(): ..."}).help == "it has fit"
    assert mistake("m.py:zzz", {"m.py": ""}).help == "it has none"


@pytest.mark.parametrize("entry", ["train.py", "train.py:", ":fit", "train.py:1x", "train.py:a b"])
def test_what_names_no_function_is_told(entry: str) -> None:
    assert mistake(entry).message == f"{entry} names no function"


def test_a_syntax_error_is_told_with_its_line_also_in_a_file_that_is_imported() -> None:
    found = mistake("m.py:f", {"m.py": "def f():\n  return 1 +\n"})
    assert (found.message, found.path, found.line) == ("m.py is not valid Python: invalid syntax", "m.py", 2)
    found = mistake("m.py:f", {"m.py": "from h import g\ndef f():\n  return g()\n", "h.py": "\n\ndef g(:\n"})
    assert (found.path, found.line) == ("h.py", 3)
    assert "not valid Python" in mistake("m.py:f", {"m.py": "x = '\0'"}).message


# --- what it really uses --------------------------------------------------------------------------------------


def test_only_what_is_used_counts() -> None:
    code = read("train.py:fit").code
    assert set(code.parts) == {
        "train.py:fit", "train.py:ALPHA", "train.py:Model", "train.py:pd", "train.py:clean", "train.py:SCALE",
        "features.py:clean", "features.py:_shift", "features.py:SCALE", "features.py:np",
    }  # fmt: skip
    assert code.files == ("features.py", "train.py")
    assert code.packages == ("numpy", "pandas", "sklearn")
    assert read("train.py:Mean").code.packages == ()
    assert set(read("train.py:Mean").code.parts) == {"train.py:Mean", "train.py:_average"}


@pytest.mark.parametrize(
    ("path", "old", "new", "counts"),
    [
        ("train.py", "rows = clean(train)", "rows = clean(train)  # tidy", False),
        ("train.py", "    return Model(alpha", "\n\n    return Model(\n        alpha", False),
        ("train.py", '"""Fits."""', '"""Fits a model."""', False),
        ("train.py", '    """Fits."""\n', "", False),
        ("train.py", "np.log(frame)", "np.exp(frame)", False),
        ("train.py", "UNUSED = 3", "UNUSED = 4", False),
        ("train.py", "import json\n", "import csv\nimport os\n", False),
        ("features.py", "stats.zscore", "stats.iqr", False),
        ("train.py", "seed=0", "seed=1", True),
        ("train.py", "ALPHA = 0.5", "ALPHA = 0.6", True),
        ("train.py", "import Ridge as Model", "import Lasso as Model", True),
        ("features.py", "return 1", "return 2", True),
        ("features.py", "SCALE = 2", "SCALE = 3", True),
        ("features.py", "SCALE = 2", "SCALE = 2.0", True),
        ("features.py", "np.sqrt", "np.cbrt", True),
    ],
)
def test_a_change_counts_if_it_may_change_what_is_made(path: str, old: str, new: str, counts: bool) -> None:
    assert changed("train.py:fit", path, old, new) == counts


def test_the_order_of_functions_does_not_count() -> None:
    one, two = "def f():\n  return g()\n", "def g():\n  return 1\n"
    assert digest("m.py:f", {"m.py": one + two}) == digest("m.py:f", {"m.py": two + one})


@pytest.mark.parametrize(
    "source",
    [
        "from h import g\ndef f(): return g()",
        "from .h import g\ndef f(): return g()",
        "from . import h\ndef f(): return h.g()",
        "import h\ndef f(): return h.g()",
        "import h as other\ndef f(): return other.g()",
        "def f():\n  from h import g\n  return g()",
        "def f():\n  import h\n  return h.g()",
        "def f():\n  try:\n    import h\n  except ImportError:\n    h = None\n  return h.g()",
        "try:\n  from h import g\nexcept ImportError:\n  g = None\ndef f(): return g()",
        "import h\ndef f(): return [h.g() for _ in range(3)]",
        "import h\ndef f(): return (lambda: h.g())()",
        "import h\nclass f:\n  def fit(self): return h.g()",
        "from h import g\n@g\ndef f(): ...",
        "from h import g\ndef f(x=g()): ...",
        "from h import g as step\nSTEPS = [step]\ndef f(): return STEPS",
    ],
)
def test_every_way_to_import_a_file_of_the_project(source: str) -> None:
    files = {"src/m.py": source, "src/h.py": "def g():\n  return 1\n\ndef unused():\n  return 2\n"}
    assert "src/h.py:g" in read("src/m.py:f", files).code.parts
    assert read("src/m.py:f", files).code.packages == ()
    assert changed("src/m.py:f", "src/h.py", "return 1", "return 7", files)
    assert not changed("src/m.py:f", "src/h.py", "return 2", "return 7", files)


@pytest.mark.parametrize(
    "source",
    [
        "import lib.deep.h\ndef f(): return lib.deep.h.g()",
        "import lib.deep.h as h\ndef f(): return h.g()",
        "from lib.deep import h\ndef f(): return h.g()",
        "from lib.deep.h import g\ndef f(): return g()",
        "from lib import g\ndef f(): return g()",
        "import lib\ndef f(): return lib.g()",
        "import lib as l\ndef f(): return l.deep.h.g()",
    ],
)
def test_packages_of_the_project(source: str) -> None:
    files = {
        "jobs/m.py": source, "lib/__init__.py": "from .deep.h import g\n", "lib/deep/__init__.py": "",
        "lib/deep/h.py": "from ..base import step\ndef g():\n  return step() + 1\n",
        "lib/base.py": "def step():\n  return 5\n",
    }  # fmt: skip
    assert changed("jobs/m.py:f", "lib/deep/h.py", "+ 1", "+ 2", files)
    assert changed("jobs/m.py:f", "lib/base.py", "return 5", "return 6", files)
    assert read("jobs/m.py:f", files).code.packages == ()


def test_a_folder_without_init_is_a_package_too() -> None:
    files = {"m.py": "import lib.h\ndef f(): return lib.h.g()", "lib/h.py": "def g(): return 1"}
    assert changed("m.py:f", "lib/h.py", "return 1", "return 2", files)


def test_a_name_of_the_functions_own_is_not_the_files() -> None:
    files = {"m.py": "def f(a):\n  b = a\n  return [c for c in b]\ndef a(): ...\ndef b(): ...\ndef c(): ...\n"}
    assert set(read("m.py:f", files).code.parts) == {"m.py:f"}


def test_a_name_that_is_taken_back_from_the_file_counts() -> None:
    files = {"m.py": "TOTAL = 0\ndef f(a):\n  global TOTAL\n  TOTAL = a\n"}
    assert set(read("m.py:f", files).code.parts) == {"m.py:f", "m.py:TOTAL"}


def test_what_a_file_does_when_imported_counts() -> None:
    files = {
        "m.py": "import setup_all\nfrom h import g\ndef f(): return g()\nif __name__ == '__main__':\n  f(1)\n",
        "h.py": "import random\nSEED = 3\nrandom.seed(SEED)\ndef g(): return 1\nprint_it = print\n",
        "setup_all.py": "import numpy as np\nnp.seterr(all='raise')\nunused = 1\n",
    }
    assert changed("m.py:f", "h.py", "SEED = 3", "SEED = 4", files)
    assert changed("m.py:f", "h.py", "random.seed(SEED)", "random.seed(5)", files)
    assert changed("m.py:f", "setup_all.py", "raise", "warn", files)
    assert not changed("m.py:f", "setup_all.py", "unused = 1", "unused = 2", files)
    assert not changed("m.py:f", "m.py", "f(1)", "f(2)", files)
    assert read("m.py:f", files).code.packages == ("numpy",)


REGISTRY = """
import sys
from functools import cache
import numpy as np
STEPS = []
def step(f):
  STEPS.append(f)
  return f
def named(name):
  return step
class Plug:
  def __init_subclass__(cls): STEPS.append(cls)
"""


@pytest.mark.parametrize(
    "noted",
    [
        "@step\ndef double(d): return d * 2",
        "@named('double')\ndef double(d): return d * 2",
        "def double(d): return d * 2\n_ = step(double)",
        "double = step(lambda d: d * 2)\ndouble2: object = step(double)",
        "class Twice(Plug):\n  def __call__(self, d): return d * 2",
        "class Twice:\n  @step\n  def double(d): return d * 2",
        "if True:\n  @step\n  def double(d): return d * 2",
    ],
)
def test_what_a_registry_of_the_project_came_to_know_when_imported_counts(noted: str) -> None:
    go = "def go(d):\n  for s in STEPS: d = s(d)\n  return d\n"
    assert changed("m.py:go", "m.py", "d * 2", "d * 3", {"m.py": f"{REGISTRY}{noted}\n{go}"})
    elsewhere = {"m.py": f"from h import STEPS\nimport more\n{go}", "h.py": REGISTRY,
                 "more.py": f"from h import step, named, Plug\n{noted}\n"}  # fmt: skip
    assert changed("m.py:go", "more.py", "d * 2", "d * 3", elsewhere)


def test_the_order_in_which_a_registry_came_to_know_them_counts() -> None:
    one, two = "@step\ndef a(d): return d + 2\n", "@step\ndef b(d): return d * 2\n"
    go = "def go(d):\n  for s in STEPS: d = s(d)\n  return d\n"
    assert digest("m.py:go", {"m.py": REGISTRY + one + two + go}) != digest(
        "m.py:go", {"m.py": REGISTRY + two + one + go}
    )


@pytest.mark.parametrize(
    "aside",
    [
        "@cache\ndef other(d): return d * 2",
        "@np.vectorize\ndef other(d): return d * 2",
        "class Other:\n  @property\n  def twice(self): return 2 * 2",
        "class Other(np.ndarray):\n  twice = 2 * 2",
        "other = np.array([2 * 2])",
        "other = lambda d: step(d * 2)",
    ],
)
def test_what_a_package_is_given_when_imported_counts_only_where_it_is_used(aside: str) -> None:
    files = {"m.py": f"{REGISTRY}{aside}\ndef go(d): return d\n"}
    assert not changed("m.py:go", "m.py", "* 2", "* 3", files)


def test_a_name_bound_in_parts_counts_in_all_of_them() -> None:
    number = "import sys\nif sys.platform == 'x':\n  N = 1\nelse:\n  N = 2\nN += 3\n"
    files = {"m.py": number + "M = [N]\nM[0] = 4\ndef f(): return M\n"}
    for old, new in (("N = 1", "N = 9"), ("N += 3", "N += 9"), ("M[0] = 4", "M[0] = 9")):
        assert changed("m.py:f", "m.py", old, new, files)


@pytest.mark.parametrize(
    "source",
    [
        "from h import *\ndef f(): return g()",
        "import h\ndef f(n): return getattr(h, n)()",
        "import importlib\ndef f(): return importlib.import_module('h').g()",
        "from importlib import import_module\ndef f(): return import_module('h').g()",
        "def f(): return __import__('h').g()",
        "import h\ndef f(): return eval('h.g()')",
        "import h\ndef f(): return h.made_while_running",
        "import h, sys\ndef f(): return getattr(sys.modules[__name__], 'h').g()",
        "import h\nfrom sys import modules as loaded\ndef f(): return getattr(loaded[__name__], 'h').g()",
        "import h\ndef f(): return vars()['h'].g()",
    ],
)
def test_what_cannot_be_followed_takes_in_the_whole_file(source: str) -> None:
    files = {"m.py": source, "h.py": "def g():\n  return 1\ndef other():\n  return 2\n"}
    assert changed("m.py:f", "h.py", "return 1", "return 7", files)
    assert changed("m.py:f", "h.py", "return 2", "return 7", files)
    assert not changed("m.py:f", "h.py", "def other", "# aside\n\ndef other", files)


def test_circles_end() -> None:
    files = {
        "a.py": "from b import g, h\ndef f(): return g()\ndef back(): return f()\n",
        "b.py": "import a\nfrom a import h\ndef g(): return a.back()\n",
    }
    assert set(read("a.py:f", files).code.parts) >= {"a.py:f", "b.py:g", "a.py:back"}
    lost = {"a.py": "from b import h\ndef f(): return h()\n", "b.py": "from a import h\n"}
    assert set(read("a.py:f", lost).code.parts) >= {"a.py:f", "a.py:h", "b.py:h"}


def test_a_file_of_the_project_hides_a_package_of_its_name() -> None:
    files = {"m.py": "import random\ndef f(): return random.g()", "random.py": "def g(): return 1"}
    assert "random.py:g" in read("m.py:f", files).code.parts


def test_source_deeper_than_python_is_a_mistake_not_a_crash() -> None:
    found = mistake("m.py:f", {"m.py": "def f():\n  return " + "+".join(["1"] * 3000)})
    assert "nested too deeply" in found.message or "not valid Python" in found.message


@settings(max_examples=40, deadline=None)
@given(gaps=st.lists(st.sampled_from(("", "\n", "\n\n# aside\n", "   # aside\n")), min_size=40, max_size=40))
def test_layout_and_comments_do_not_count(gaps: list[str]) -> None:
    lines = FEATURES.splitlines()
    spread = "\n".join(line + gap for line, gap in zip(lines, gaps, strict=False))
    assert digest("train.py:fit", {**FILES, "features.py": spread}) == digest("train.py:fit", FILES)


@settings(max_examples=60, deadline=None)
@given(one=st.integers() | st.text() | st.floats(allow_nan=False) | st.booleans(), other=st.integers() | st.text())
def test_another_constant_is_another_code(one: object, other: object) -> None:
    def written(value: object) -> dict[str, str]:
        return {"m.py": f"def f():\n  return {value!r}\n"}

    same = repr(one) == repr(other)
    assert (digest("m.py:f", written(one)) == digest("m.py:f", written(other))) == same


# --- estimators of installed packages -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("entry", "kind"),
    [
        ("sklearn.linear_model:ElasticNet", "regressor"),
        ("sklearn.linear_model:Lasso", "regressor"),
        ("sklearn.linear_model:LogisticRegression", "classifier"),
        ("sklearn.linear_model:LogisticRegressionCV", "classifier"),
        ("sklearn.ensemble:HistGradientBoostingClassifier", "classifier"),
        ("sklearn.ensemble:RandomForestRegressor", "regressor"),
        ("sklearn.svm:SVC", "classifier"),
        ("sklearn.svm:LinearSVR", "regressor"),
        ("sklearn.naive_bayes:GaussianNB", "classifier"),
        ("sklearn.cross_decomposition:PLSRegression", "regressor"),
        ("sklearn.cluster:KMeans", ""),
        ("sklearn.pipeline:Pipeline", ""),
        ("skrub:TableVectorizer", ""),
        ("skrub:tabular_pipeline", ""),
    ],
)
def test_an_installed_estimator_is_read_as_python_would_call_it(entry: str, kind: str) -> None:
    module, _, name = entry.partition(":")
    real = inspect.signature(getattr(importlib.import_module(module), name))
    assert signature.estimator_arguments(entry) == tuple(real.parameters)
    assert signature.estimator_kind(entry) == kind


def test_what_cannot_be_read_of_a_package_is_not_guessed() -> None:
    for entry in ("nosuchpackage:X", "sklearn.ensemble:Nope", "sklearn.nope:X", "functools:partial"):
        assert signature.estimator_arguments(entry) is None
        assert signature.estimator_kind(entry) == ""
    assert signature.estimator_kind("boosted:FastClassifier") == "classifier"
    assert signature.estimator_kind("train.py:fit") == ""
