"""A model as it lies in the store, and its answers to a table of features.

A folder: `model.joblib`, what scikit-learn users load themselves; `signature.json`, what it takes and answers; and `code/`
where the model is of a class in the project's own files, so that it can be loaded without the project.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pyarrow as pa
import pyarrow.compute as pc

from ..compiler.program import Scalar
from ..compiler.types import Columns, Frozen
from ..grammar.diagnostic import nearest
from .order import Made
from .recipes.forms import to_pandas
from .store.objects import Objects
from .tables import to_arrow
from .trouble import Trouble
from .userframes import cause, frames, kept_code

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

FILE, SIGNATURE, CODE = "model.joblib", "signature.json", "code"
ACTION = "predict"
FEW = 64  # rows that are worth the quick way
REMEMBERED = 10_000  # values of a column


class Signature(Frozen):
    """What a model takes and answers. Without `features` it takes the table as it is.

    A feature is optional if the model has learned from rows that miss it. `positive` is the value of the target that
    counts as true; then and for a bool target `classes` are (False, True). `encoder` says what stands before the model.
    `entry` is the file of the project's function whose code was kept with the model, "" where none was needed.
    """

    features: Columns = ()
    targets: tuple[str, ...] = ()
    task: Literal["classification", "regression", "none"] = "none"
    positive: Scalar = None
    classes: tuple[Scalar, ...] = ()
    encoder: str = ""
    entry: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """`values` one for each row, a row for each if there are several targets; `probabilities` by row and class."""

    values: np.ndarray[Any, Any]
    probabilities: np.ndarray[Any, Any] | None


# --- keep and load -------------------------------------------------------------------------------------------


def save(model: Any, signature: Signature, objects: Objects, code: Mapping[str, Path] | None = None) -> Made:
    """Publish a model. `code` are the project's files that it may be of, by their path below the project's folder."""
    folder = objects.scratch()
    folder.mkdir()
    try:
        _dump(model, folder / FILE)
        kept = _code_needed(folder / FILE, code or {})
        for name, source in kept.items():
            target = folder / CODE / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
        signature = signature if kept else signature.model_copy(update={"entry": ""})
        (folder / SIGNATURE).write_text(signature.model_dump_json(indent=1), encoding="utf-8")
        size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
        return Made(digest=objects.put_folder(folder), kind="model", bytes=size, about=_about(model, signature))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _dump(model: Any, path: Path) -> None:
    import joblib

    try:
        joblib.dump(model, path)
    except MemoryError:
        raise
    except Exception as error:  # whatever a user's object raises when it is pickled
        help_ = "make it of functions and classes with a name of their own at the top of a file, without lambdas"
        raise Trouble(f"keep the model, a {type(model).__name__}", cause(error), help_) from None


def _code_needed(path: Path, code: Mapping[str, Path]) -> Mapping[str, Path]:
    """All of the code, if the pickle names a module of it: it may import the rest."""
    content = path.read_bytes()
    for file in code:
        parts = Path(file).with_suffix("").parts
        for name in (".".join(parts[start:]).encode() for start in range(len(parts))):
            if len(name) < 256 and b"\x8c" + bytes([len(name)]) + name + b"\x94" in content:
                return code
    return {}


def _about(model: Any, signature: Signature) -> dict[str, Any]:
    steps, last = _halves(model)
    own = () if signature.encoder else steps  # what was put before it is told apart
    about: dict[str, Any] = {"estimator": ", then ".join(type(step).__name__ for step in (*own, last))}
    if signature.encoder:
        about["encoder"] = signature.encoder
    if signature.classes:
        about["classes"] = list(signature.classes)
    return about


def load(folder: Path) -> Model:
    """The model of a folder in the store."""
    if not (folder / FILE).is_file():
        raise Trouble(
            "load the model", "it is a folder of files, not an object that predicts", "return an object with predict"
        )
    import joblib

    signature = Signature.model_validate_json((folder / SIGNATURE).read_bytes())
    path = list(sys.path)
    code = kept_code(folder / CODE, signature.entry)
    try:
        return Model(joblib.load(folder / FILE), signature)
    except ModuleNotFoundError as error:
        raise Trouble("load the model", f"it needs {error.name}", f"install {error.name} where mlspec runs") from None
    except (MemoryError, OSError):
        raise
    except Exception as error:  # whatever a user's object, or another version of a library, raises
        raise Trouble(
            "load the model", cause(error), "make it again with the packages that are installed now"
        ) from None
    finally:
        sys.path[:] = path + [one for one in code if one not in path]  # what the model imports later, it finds there


# --- predict -------------------------------------------------------------------------------------------------


class Model:
    """A model that was loaded: `native` is the object itself. Unchanging."""

    def __init__(self, native: Any, signature: Signature) -> None:
        self.native, self.signature = native, signature
        self.truth = set(signature.classes) == {False, True} and all(isinstance(one, bool) for one in signature.classes)
        self._names = [column.name for column in signature.features]
        self._types = {column.name: to_arrow(column.type) for column in signature.features}
        self._front, self._end = _halves(native)
        self._known = classes_of(self._end)
        self._form = _form(native, signature.features)
        self._quick = _Quick(self._front[0], signature.features) if signature.encoder else None
        fitted = getattr(native, "feature_names_in_", None)
        self._fitted = [str(name) for name in fitted] if fitted is not None else self._names

    def predict(self, table: pa.Table) -> pa.Table:
        """`prediction`, and for a classification `probability`: of true, or of the class that is predicted."""
        answer = self.answer(table)
        columns = {"prediction": self._prediction(answer.values)}
        if self.signature.task == "classification" and answer.probabilities is not None:
            columns["probability"] = pa.array(self._probability(answer), pa.float64())
        return pa.table(columns)

    def probabilities(self, table: pa.Table) -> np.ndarray[Any, Any] | None:
        """By row and class, in the order of the signature's classes; None if the model gives none."""
        return self.answer(table).probabilities

    def answer(self, table: pa.Table) -> Answer:
        """What the model says about each row, in the words of its signature."""
        table = self._features(table)
        try:
            rows = self._rows(table)
            values = self._end.predict(rows)
            said = self._end.predict_proba(rows) if self._gives_probabilities() else None
        except MemoryError:
            raise
        except Exception as error:  # whatever a user's model raises
            raise Trouble(ACTION, cause(error), _missing(table, self.signature), frames(error, Path.cwd())) from None
        return self._in_its_words(values, said, table.num_rows)

    def _gives_probabilities(self) -> bool:
        one = len(self.signature.targets) <= 1
        return self.signature.task == "classification" and one and hasattr(self._end, "predict_proba")

    def _in_its_words(self, values: Any, said: Any, rows: int) -> Answer:
        import numpy as np

        values = np.asarray(values)
        if values.ndim == 2 and values.shape[1] == 1:
            values = values[:, 0]
        if len(values) != rows:
            raise Trouble(ACTION, f"the model gave {len(values)} predictions for {rows} rows")
        if self.truth:
            values = self._as_truth(values)
        return Answer(values, None if said is None else self._ordered(np.asarray(said)))

    def _as_truth(self, values: Any) -> Any:
        """A model of the user's may speak of the target's own values: "Yes" is true."""
        positive = self.signature.positive
        words = values.dtype.kind in "OUT" and not all(isinstance(one, bool) for one in values.tolist())
        if positive is not None and values.dtype != bool and (words or positive in self._known):
            return values == positive
        return values.astype(bool)

    def _ordered(self, said: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        import numpy as np

        if said.ndim == 1:  # of true alone
            return np.column_stack([1 - said, said])
        known, classes = self._known or list(self.signature.classes), self.signature.classes
        if self.truth:
            at = self._true_at(known)
            true = said[:, at] if at is not None else np.zeros(len(said))
            return np.column_stack([1 - true, true])
        if list(classes) == known:
            return said
        places = {one: at for at, one in enumerate(known)}
        return np.column_stack([said[:, places[one]] if one in places else np.zeros(len(said)) for one in classes])

    def _true_at(self, known: list[Any]) -> int | None:
        positive = self.signature.positive
        if positive is not None and positive in known and not all(isinstance(one, bool) for one in known):
            return known.index(positive)
        return next((at for at, one in enumerate(known) if one in (True, "True", "true")), None)

    def _probability(self, answer: Answer) -> Any:
        import numpy as np

        assert answer.probabilities is not None
        if self.truth:
            return answer.probabilities[:, 1]
        places = {one: at for at, one in enumerate(self.signature.classes)}
        chosen = [places.get(value, -1) for value in answer.values.tolist()]
        return answer.probabilities[np.arange(len(chosen)), chosen]

    def _prediction(self, values: Any) -> pa.Array:
        if values.ndim > 1:
            return pa.array(values.tolist())
        if self.signature.task != "classification" and values.dtype.kind in "biuf":
            return pa.array(values.astype("float64"), from_pandas=False)
        if values.dtype.kind in "iu":
            return pa.array(values.astype("int64"))
        return pa.array(values.tolist() if values.dtype.kind in "OUST" else values)

    # --- features ---

    def _rows(self, table: pa.Table) -> Any:
        """As the last step of the model takes them."""
        steps, rows = self._front, self._quick.rows(table) if self._quick and table.num_rows <= FEW else None
        if rows is None:
            rows = self._as_taken(table)
        else:
            steps = steps[1:]
        for step in steps:
            rows = step.transform(rows)
        return rows

    def _as_taken(self, table: pa.Table) -> Any:
        if self._form == "frame":
            frame = to_pandas(table)
            return frame if self._fitted == self._names else frame[self._fitted]
        matrix = _floats(table)
        return matrix if self._form == "array" else _frame(matrix, self._names)

    def _features(self, table: pa.Table) -> pa.Table:
        if not self._names:
            return table
        if table.column_names != self._names:
            for name in self._names:
                if name not in table.column_names:
                    raise _lacks(name, table.column_names)
            table = table.select(self._names)
        for index, (name, column) in enumerate(zip(self._names, table.columns, strict=True)):
            if column.type != self._types[name]:
                table = table.set_column(index, name, _cast(name, column, self._types[name]))
        return table


def _lacks(name: str, there: Sequence[str]) -> Trouble:
    close = nearest(name, there)
    return Trouble(ACTION, f"the table has no column {name}, which the model needs", f"it has {close}" if close else "")


def _cast(name: str, column: pa.ChunkedArray, type_: pa.DataType) -> pa.ChunkedArray:
    """Numbers of either kind are numbers to a model, whichever it learned from."""
    if pa.types.is_integer(type_) and pa.types.is_floating(column.type):
        return column
    try:
        return pc.cast(column, type_)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        raise Trouble(ACTION, f"column {name} is {column.type}, and the model has learned from {type_}") from None


def _missing(table: pa.Table, signature: Signature) -> str:
    """A help for the likeliest cause: a value is missing where none was when the model learned."""
    for feature in signature.features:
        if not feature.type.optional and feature.name in table.column_names and table.column(feature.name).null_count:
            return f"{feature.name} misses values, and missed none when the model was made: declare it with a ? and fill it"
    return ""


def _halves(native: Any) -> tuple[list[Any], Any]:
    """A pipeline as all steps but the last, and the last: so that both kinds of answers are of one transformation."""
    from sklearn.pipeline import Pipeline

    if type(native) is not Pipeline or native.steps[-1][1] in (None, "passthrough"):
        return [], native
    return [step for _, step in native.steps[:-1] if step not in (None, "passthrough")], native.steps[-1][1]


def classes_of(model: Any) -> list[Any]:
    """The classes in a model's own words and order, [] if it tells none."""
    classes = getattr(model, "classes_", ())
    plain = classes.tolist() if hasattr(classes, "tolist") else list(classes)
    return plain if all(isinstance(one, bool | int | float | str) for one in plain) else []


def _form(native: Any, features: Columns) -> Literal["frame", "floats", "array"]:
    """How the model takes its features. scikit-learn's own take numbers as one array of floats, which is quick to make.

    Such a model that was not fitted on a frame would warn about one: it gets the array.
    """
    numbers = bool(features) and all(column.type.base in ("int", "float", "bool") for column in features)
    if not numbers or not hasattr(native, "n_features_in_"):
        return "frame"
    if not hasattr(native, "feature_names_in_"):
        return "array"
    names = [str(name) for name in native.feature_names_in_]
    own = type(native).__module__.partition(".")[0] == "sklearn" and not _halves(native)[0]
    return "floats" if own and names == [column.name for column in features] else "frame"


def _floats(table: pa.Table) -> np.ndarray[Any, np.dtype[np.float64]]:
    import numpy as np

    matrix = np.empty((table.num_rows, table.num_columns))
    for index, column in enumerate(table.columns):
        numbers = column if pa.types.is_floating(column.type) else pc.cast(column, pa.float64(), safe=False)
        matrix[:, index] = numbers.to_numpy()
    return matrix


def _frame(matrix: Any, names: list[str]) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(matrix, columns=names, copy=False)


class _Quick:
    """skrub's TableVectorizer for a few rows, where calling it would take longer than all else.

    It turns each column by itself, value by value: what it has made of a value once is remembered, and numbers that it
    passes through go past it. It is asked when there is a value that it has not seen.
    """

    def __init__(self, vectorizer: Any, features: Columns) -> None:
        self.vectorizer = vectorizer
        made: dict[str, list[str]] = vectorizer.input_to_outputs_
        self.outputs = {name: outputs for name, outputs in made.items() if outputs}
        self.words: dict[str, Any] = {}  # the outputs that are categories, and the type of their words
        numbers = {column.name for column in features if column.type.base in ("int", "float")}
        self.through = {name for name in numbers if type(vectorizer.transformers_.get(name)).__name__ == "PassThrough"}
        self.known: dict[str, dict[Any, tuple[Any, ...]]] = {
            name: {} for name in self.outputs if name not in self.through
        }

    def rows(self, table: pa.Table) -> Any:
        """The encoded rows as a frame."""
        import numpy as np
        import pandas as pd

        encoded: dict[str, Any] = {}
        for name in self.outputs:
            if name in self.through:
                encoded[name] = _floats(table.select([name]))[:, 0].astype(np.float32)
                continue
            known, values = self.known[name], table.column(name).to_pylist()
            if not all(value in known for value in values):
                return self._asked(table)
            for at, output in enumerate(self.outputs[name]):
                said = [known[value][at] for value in values]
                encoded[output] = self._category(output, said) if output in self.words else np.array(said, np.float32)
        return pd.DataFrame(encoded)

    def _category(self, output: str, said: list[Any]) -> pd.Categorical:
        import pandas as pd

        there = sorted({one for one in said if isinstance(one, str)})
        return pd.Categorical(said, categories=pd.Index(there, dtype=self.words[output]))

    def _asked(self, table: pa.Table) -> Any:
        encoded = self.vectorizer.transform(to_pandas(table))
        self.words |= {
            name: type_.categories.dtype for name, type_ in encoded.dtypes.items() if str(type_) == "category"
        }
        for name, known in self.known.items():
            if len(known) > REMEMBERED:
                known.clear()
            blocks = zip(*(encoded[output].tolist() for output in self.outputs[name]), strict=True)
            known.update(zip(table.column(name).to_pylist(), blocks, strict=True))
        return encoded
