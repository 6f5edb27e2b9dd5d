"""An artifact in the form that a function's annotation asks for, and what the function returns as a table again.

pandas gets what `read_csv` would have given: numbers that miss values are float64 with NaN (Int64 where a float could not
hold them), text is str, bools that miss values are the nullable boolean, dates and timestamps are datetime64[us].
"""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pyarrow as pa
import pyarrow.compute as pc

from .. import tables
from ..trouble import Trouble
from ..userframes import cause

if TYPE_CHECKING:
    import pandas as pd

Form = Literal["pandas", "polars", "lazy", "arrow", "reader", "numpy", "duckdb", "path", "text"]
EXACT = 2**53  # up to here a float holds every whole number
TABLES = "a pandas or polars frame, an Arrow table, a DuckDB relation, a 2-D array, a dict of columns, or a path"


@dataclass(frozen=True, slots=True)
class Said:
    """How the user's code is told of what it gave: `gave` begins the mistake, `give` the way out."""

    gave: str
    give: str


RETURNED = Said("it returned", "return")

_FORMS: dict[str, Form] = {
    "pandas.DataFrame": "pandas", "pd.DataFrame": "pandas", "DataFrame": "pandas", "Any": "pandas", "object": "pandas",
    "typing.Any": "pandas",
    "polars.DataFrame": "polars", "pl.DataFrame": "polars",
    "polars.LazyFrame": "lazy", "pl.LazyFrame": "lazy", "LazyFrame": "lazy",
    "pyarrow.Table": "arrow", "pa.Table": "arrow", "Table": "arrow",
    "pyarrow.RecordBatchReader": "reader", "pa.RecordBatchReader": "reader", "RecordBatchReader": "reader",
    "numpy.ndarray": "numpy", "np.ndarray": "numpy", "ndarray": "numpy", "npt.NDArray": "numpy", "NDArray": "numpy",
    "duckdb.DuckDBPyRelation": "duckdb", "DuckDBPyRelation": "duckdb",
    "pathlib.Path": "path", "Path": "path", "str": "text", "os.PathLike": "path",
}  # fmt: skip


# --- in ------------------------------------------------------------------------------------------------------


def form_of(annotation: Any) -> Form | None:
    """The form that an annotation asks for, None where there is no such form. It may be a type, or its text."""
    if annotation is inspect.Parameter.empty or annotation in ("", None, Any):
        return "pandas"
    if isinstance(annotation, str):
        return _FORMS.get(_plain(annotation))
    asked = [one for one in typing.get_args(annotation) if one is not type(None)]
    if len(asked) == 1 and type(None) in typing.get_args(annotation):
        return form_of(asked[0])
    type_ = typing.get_origin(annotation) or annotation
    top, name = getattr(type_, "__module__", "").partition(".")[0], getattr(type_, "__qualname__", "")
    return _FORMS.get(f"{top.strip('_')}.{name}" if top != "builtins" else name)


def _plain(text: str) -> str:
    """Without quotes, brackets and what stands for "or nothing"."""
    text = text.strip().strip("'\"").replace(" ", "")
    if text.startswith(("Optional[", "typing.Optional[")):
        text = text.partition("[")[2].removesuffix("]")
    parts = [part for part in text.split("|") if part != "None"]
    return parts[0].partition("[")[0] if len(parts) == 1 else text


def to_form(table: pa.Table, form: Form) -> Any:
    """A table in any form but a path."""
    match form:
        case "pandas":
            return to_pandas(table)
        case "arrow":
            return table
        case "reader":
            return table.to_reader()
        case "numpy":
            return to_numpy(table)
        case "duckdb":
            import duckdb

            return duckdb.from_arrow(table)  # on the shared connection, so that two inputs can be joined
        case "polars" | "lazy":
            import polars as pl

            frame = typing.cast(pl.DataFrame, pl.from_arrow(table))
            return frame.lazy() if form == "lazy" else frame
        case _:
            raise AssertionError(f"{form} is no form of a table in memory")


def to_pandas(table: pa.Table) -> pd.DataFrame:
    for index, column in enumerate(table.columns):
        if pa.types.is_date(column.type):
            table = table.set_column(index, table.column_names[index], pc.cast(column, pa.timestamp("us")))
    frame: pd.DataFrame = table.to_pandas()
    for name, column in zip(table.column_names, table.columns, strict=True):
        if _nullable(column):
            frame[name] = _as_nullable(column)
    return frame


def _nullable(column: pa.ChunkedArray) -> bool:
    """Whether pandas needs its own types to hold the column: else bools become objects, and large numbers others."""
    if not column.null_count:
        return False
    return pa.types.is_boolean(column.type) or (pa.types.is_integer(column.type) and not _exact_as_float(column))


def _exact_as_float(column: pa.ChunkedArray) -> bool:
    bounds = pc.min_max(column).as_py()
    return all(value is None or abs(value) <= EXACT for value in bounds.values())


def _as_nullable(column: pa.ChunkedArray) -> Any:
    import pandas as pd

    dtype: Any = "boolean" if pa.types.is_boolean(column.type) else "Int64"
    return pd.array(column.to_pylist(), dtype=dtype)


def to_numpy(table: pa.Table) -> Any:
    """The columns side by side: of one type where numpy finds one for all of them, else objects."""
    import numpy as np

    frame = to_pandas(table)
    columns = [frame[name].to_numpy() for name in frame.columns]
    return np.column_stack(columns) if columns else np.empty((table.num_rows, 0))


# --- out -----------------------------------------------------------------------------------------------------


def to_table(value: Any, inputs: Iterable[pa.Table], action: str, said: Said = RETURNED) -> pa.Table:
    """What a function returned, as a table. Raises Trouble for what is none.

    A type that the form could not hold comes back: a column that has the name and the values of an input's column has its
    type again.
    """
    made = _turned(value, action, said)
    for index, (name, column) in enumerate(zip(made.column_names, made.columns, strict=True)):
        was = [table.column(name) for table in inputs if name in table.column_names]
        restored = _restored(column, was[0]) if was else column
        if restored is not column:
            made = made.set_column(index, name, restored)
    return made


def _turned(value: Any, action: str, said: Said) -> pa.Table:
    may_give = f"{said.give} {TABLES}"
    top = type(value).__module__.partition(".")[0].strip("_")
    for is_such, turn in _TURNS:
        if is_such(value, top):
            try:
                return turn(value)
            except Trouble as trouble:
                raise Trouble(action, trouble.cause.replace(RETURNED.gave, said.gave), trouble.help) from None
            except Exception as error:  # of a library: what it could not turn
                raise Trouble(action, f"{said.gave} no table: {cause(error)}", may_give) from None
    if value is None:
        raise Trouble(action, f"{said.gave} nothing", f"{said.give} a table")
    if isinstance(value, str):
        raise Trouble(action, f'{said.gave} the text "{value[:60]}", and there is no such file', may_give)
    raise Trouble(action, f"{said.gave} a value of type {type(value).__name__}", may_give)


def _from_pandas(frame: pd.DataFrame) -> pa.Table:
    frame = _without_index(frame)
    names = [_name(name) for name in frame.columns]
    return pa.table([_array(frame.iloc[:, i], name) for i, name in enumerate(names)], names=names)


def _without_index(frame: pd.DataFrame) -> pd.DataFrame:
    """Levels of the index that have a name become columns, unless a column has that name; others are dropped."""
    kept = [name for name in frame.index.names if name is not None and name not in frame.columns]
    dropped = [level for level, name in enumerate(frame.index.names) if name not in kept]
    if len(dropped) == frame.index.nlevels:
        return frame
    return frame.reset_index(level=dropped, drop=True).reset_index() if dropped else frame.reset_index()


def _name(name: Any) -> str:
    """The levels of a column's name as one word: amount_mean."""
    return "_".join(str(part) for part in name if str(part)) if isinstance(name, tuple) else str(name)


def _array(values: Any, name: str) -> pa.Array:
    try:
        array = pa.array(values, from_pandas=True)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError) as error:
        raise _not_a_column(values, name, error) from None
    return array


def _not_a_column(values: Iterable[Any], name: str, error: pa.ArrowException) -> Trouble:
    first: dict[str, Any] = {}
    for value in values:
        if value is not None and value == value:  # a NaN is not equal to itself
            first.setdefault(type(value).__name__, value)
    if len(first) > 1:
        told = " and ".join(f"{_short(value)} is {word}" for word, value in list(first.items())[:2])
        return Trouble("", f"column {name} holds values of different types: {told}",
                       "give all values of a column one type")  # fmt: skip
    of = f" of type {next(iter(first))}" if first else ""
    return Trouble("", f"column {name} holds values{of} that no table can: {str(error).splitlines()[0]}",
                   "give numbers, text, dates, or lists of these")  # fmt: skip


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else text[:39] + "…"


def _from_series(series: Any) -> pa.Table:
    return _from_pandas(series.to_frame("value" if series.name is None else series.name))


def _from_polars(frame: Any) -> pa.Table:
    if type(frame).__name__ == "LazyFrame":
        frame = frame.collect()
    if type(frame).__name__ == "Series":
        frame = frame.to_frame()
    return frame.to_arrow()


def _from_numpy(array: Any) -> pa.Table:
    if array.ndim == 1:
        array = array.reshape(-1, 1)
    if array.ndim != 2:
        raise Trouble("", f"it returned an array of {array.ndim} dimensions", "return rows and columns")
    names = [f"c{index}" for index in range(1, array.shape[1] + 1)]
    return pa.table([_array(array[:, i], name) for i, name in enumerate(names)], names=names)


def _from_dict(columns: dict[Any, Any]) -> pa.Table:
    import numpy as np
    import pandas as pd

    plain = {_name(name): list(values) if isinstance(values, range) else values for name, values in columns.items()}
    if any(isinstance(values, str | bytes | dict) or not hasattr(values, "__len__") for values in plain.values()):
        raise Trouble(
            "", "it returned a dict whose values are no columns", "return a dict of lists, one for each column"
        )
    arrays = [values if isinstance(values, pa.Array | pa.ChunkedArray) else _array(values, name) if isinstance(values, np.ndarray | pd.Series)
              else _array(list(values), name) for name, values in plain.items()]  # fmt: skip
    return pa.table(arrays, names=list(plain))


def _from_rows(rows: list[dict[str, Any]]) -> pa.Table:
    names = dict.fromkeys(name for row in rows for name in row)
    return _from_dict({name: [row.get(name) for row in rows] for name in names})


def _from_file(value: str | Path) -> pa.Table:
    path = Path(value)
    if path.suffix == ".parquet":
        return tables.read_file(path)
    from pyarrow import csv

    options = csv.ConvertOptions(
        null_values=[""], strings_can_be_null=True, true_values=["true"], false_values=["false"]
    )
    return csv.read_csv(path, convert_options=options)


def is_table_file(value: Any) -> bool:
    return isinstance(value, str | Path) and Path(value).suffix in (".parquet", ".csv") and Path(value).is_file()


_TURNS: tuple[tuple[Callable[[Any, str], bool], Callable[[Any], pa.Table]], ...] = (
    (lambda value, top: top == "pandas" and type(value).__name__ == "Series", _from_series),
    (lambda value, top: top in ("pandas", "geopandas") and hasattr(value, "iloc"), _from_pandas),
    (
        lambda value, top: (
            (top == "polars" and hasattr(value, "lazy")) or type(value).__name__ in ("LazyFrame", "Series")
        ),
        _from_polars,
    ),
    (lambda value, top: isinstance(value, pa.Table), lambda value: value),
    (lambda value, top: isinstance(value, pa.RecordBatchReader), lambda value: value.read_all()),
    (lambda value, top: isinstance(value, pa.RecordBatch), lambda value: pa.Table.from_batches([value])),
    (lambda value, top: top == "numpy" and hasattr(value, "ndim") and value.ndim > 0, _from_numpy),
    (lambda value, top: top == "duckdb" and hasattr(value, "to_arrow_table"), lambda value: value.to_arrow_table()),
    (lambda value, top: isinstance(value, dict) and bool(value), _from_dict),
    (
        lambda value, top: isinstance(value, list) and bool(value) and all(isinstance(row, dict) for row in value),
        _from_rows,
    ),
    (lambda value, top: is_table_file(value), _from_file),
)


def _restored(column: pa.ChunkedArray, was: pa.ChunkedArray) -> pa.ChunkedArray:
    """The column in the type of the input's column of that name, where only the form has changed it."""
    if column.type == was.type:
        return column
    if pa.types.is_null(column.type):
        return pc.cast(column, was.type)
    if pa.types.is_date(was.type) and pa.types.is_timestamp(column.type) and column.type.tz is None:
        return _if_same(column, was.type)
    if pa.types.is_integer(was.type) and was.null_count and pa.types.is_floating(column.type):
        return _if_same(column, was.type)  # without missing values no form had to turn it, so the function did
    return column


def _if_same(column: pa.ChunkedArray, type_: pa.DataType) -> pa.ChunkedArray:
    """Cast if nothing is lost: the time of day, the fraction."""
    try:
        cast = pc.cast(column, type_)
    except pa.ArrowInvalid:
        return column
    return cast if pc.cast(cast, column.type).equals(column) else column  # to a date, Arrow drops the time silently
