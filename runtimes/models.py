"""A model as it lies in the store, and its answers to a table of features.

A folder: `model.joblib`, what scikit-learn users load themselves; `signature.json`, what it takes and answers; and `code/`
where the model is of a class in the project's own files, so that it can be loaded without the project.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pyarrow as pa
import pyarrow.compute as pc

from ..compiler.program import Scalar
from ..compiler.types import Column, Columns, Frozen
from ..grammar.diagnostic import nearest
from .order import Made
from .recipes.forms import to_pandas
from .store.objects import Objects
from .tables import to_arrow
from .trouble import Trouble
from .userframes import cause, come_first, forget, frames

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

FILE, SIGNATURE, CODE = "model.joblib", "signature.json", "code"
ACTION = "predict"


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
    about: dict[str, Any] = {"estimator": type(_last(model)).__name__}
    if signature.encoder:
        about["encoder"] = signature.encoder
    if signature.classes:
        about["classes"] = list(signature.classes)
    return about


def load(folder: Path) -> Model:
    """The model of a folder in the store."""
    if not (folder / FILE).is_file():
        raise Trouble("load the model", "it is a folder of files, not an object that predicts", "return an object with predict")
    import joblib

    signature = Signature.model_validate_json((folder / SIGNATURE).read_bytes())
    if signature.entry:
        code = folder / CODE
        forget(file.relative_to(code).as_posix() for file in code.rglob("*.py"))
        come_first(((code / signature.entry).parent, code))
    try:
        return Model(joblib.load(folder / FILE), signature)
    except ModuleNotFoundError as error:
        raise Trouble("load the model", f"it needs {error.name}", f"install {error.name} where mlspec runs") from None
    except (MemoryError, OSError):
        raise
    except Exception as error:  # whatever a user's object, or another version of a library, raises
        raise Trouble("load the model", cause(error), "make it again with the packages that are installed now") from None


# --- predict -------------------------------------------------------------------------------------------------


class Model:
    """A model that was loaded: `native` is the object itself. Unchanging."""

    def __init__(self, native: Any, signature: Signature) -> None:
        self.native, self.signature = native, signature
        self.truth = set(signature.classes) == {False, True} and all(isinstance(one, bool) for one in signature.classes)
        self._names = [column.name for column in signature.features]
        self._types = {column.name: to_arrow(column.type) for column in signature.features}
        self._front, self._end = _halves(native)
        self._form = _form(native, signature.features)
        self._index = _index(self._names) if self._form == "floats" else None
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
        rows = self._rows(table)
        try:
            if self._front is not None:
                rows = self._front.transform(rows)
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
        positive, known = self.signature.positive, self._known()
        if values.dtype != bool and positive is not None and (positive in known or isinstance(positive, str)):
            return values == positive
        return values.astype(bool)

    def _known(self) -> list[Any]:
        """The classes in the model's own words and order, [] if it tells none."""
        classes = getattr(self._end, "classes_", None)
        return list(classes.tolist() if hasattr(classes, "tolist") else classes) if classes is not None else []

    def _ordered(self, said: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        import numpy as np

        if said.ndim == 1:  # of true alone
            return np.column_stack([1 - said, said])
        known, classes = self._known() or list(self.signature.classes), self.signature.classes
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
        table = self._features(table)
        if self._form == "frame":
            frame = to_pandas(table)
            return frame if self._fitted == self._names else frame[self._fitted]
        matrix = _floats(table)
        return matrix if self._form == "array" else _frame(matrix, self._index)

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


def _halves(native: Any) -> tuple[Any, Any]:
    """A pipeline as all steps but the last, and the last: so that both kinds of answers are of one transformation."""
    from sklearn.pipeline import Pipeline

    if type(native) is Pipeline and len(native.steps) > 1 and native.steps[-1][1] not in (None, "passthrough"):
        return native[:-1], native[-1]
    return None, native


def _last(model: Any) -> Any:
    return _halves(model)[1]


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
    own = type(native).__module__.partition(".")[0] == "sklearn" and _halves(native)[0] is None
    return "floats" if own and names == [column.name for column in features] else "frame"


def _floats(table: pa.Table) -> np.ndarray[Any, np.dtype[np.float64]]:
    import numpy as np

    matrix = np.empty((table.num_rows, table.num_columns))
    for index, column in enumerate(table.columns):
        numbers = column if pa.types.is_floating(column.type) else pc.cast(column, pa.float64(), safe=False)
        matrix[:, index] = numbers.to_numpy()
    return matrix


def _index(names: list[str]) -> pd.Index:
    import pandas as pd

    return pd.Index(names)


def _frame(matrix: Any, index: Any) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(matrix, columns=index, copy=False)


# --- what was learned from -----------------------------------------------------------------------------------


def features_of(table: pa.Table, names: Sequence[str], known: Columns | None) -> Columns:
    """The features' types as in the table, with the closed sets and the `?` that were declared."""
    from .tables import columns_of

    declared = {column.name: column for column in known or ()}
    found = {column.name: column.type for column in columns_of(table.select(list(names)))}
    columns = []
    for name in names:
        type_, known_type = found[name], declared[name].type if name in declared else found[name]
        optional = type_.optional or (name in declared and declared[name].declared and known_type.optional)
        values = known_type.values if known_type.base == type_.base else ()
        columns.append(Column(name=name, type=type_.model_copy(update={"optional": optional, "values": values})))
    return tuple(columns)
