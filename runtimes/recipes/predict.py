"""What a block's `predict` line says about a table; and data by a model: its rows, each with what the model says of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from ...compiler.program import Predict, Scalar
from ...compiler.types import Column, Columns, by_name
from ...grammar.diagnostic import nearest
from .. import models, tables
from ..declared import conform
from ..models import Signature
from ..order import Make, Outcome
from ..store.objects import Objects
from ..trouble import Trouble
from .forms import to_pandas

if TYPE_CHECKING:
    import numpy as np


def make(order: Make, objects: Objects) -> Outcome:
    name = order.names[0]
    model = next(given for given in order.inputs if given.kind == "model")
    data = next(given for given in order.inputs if given.kind == "data")
    if tables.is_folder(objects, data.digest):
        raise Trouble(
            f"make {name}", f"{data.name} is a folder of files", f"{model.name} predicts from the rows of a table"
        )
    table = tables.read(objects, data.digest)
    try:
        predicted = models.load(objects.folder(model.digest)).predict(table)
    except Trouble as trouble:
        raise Trouble(f"make {name}", trouble.cause, trouble.help, trouble.detail) from None
    for column in predicted.column_names:
        if column in table.column_names:
            cause = f"{data.name} has a column {column} already, where the model's own would stand"
            raise Trouble(f"make {name}", cause, "give that column another name before")
        table = table.append_column(column, predicted.column(column))
    if order.declared:
        table = conform(table, order.declared, name)
    return Outcome(outputs={name: tables.write(table, objects)})


# --- the predict line ----------------------------------------------------------------------------------------


def all_there(predict: Predict, table: pa.Table, name: str, action: str) -> None:
    for column in (*predict.targets, *predict.features):
        if column not in table.column_names:
            close = nearest(column, table.column_names)
            raise Trouble(action, f"{name} has no column {column}", f"did you mean {close}?" if close else "")


def features_of(predict: Predict, table: pa.Table, known: Columns | None) -> Columns:
    """The features' types as in the table, with the closed sets, the ranges and the `?` that were declared."""
    expected = by_name(known or ())
    found = tables.columns_of(table.select(list(predict.features)))
    return tuple(_as_expected(column, expected.get(column.name)) for column in found)


def _as_expected(found: Column, expected: Column | None) -> Column:
    if expected is None:
        return found
    optional = found.type.optional or (expected.declared and expected.type.optional)
    if expected.type.base != found.type.base:
        return found.model_copy(update={"type": found.type.model_copy(update={"optional": optional})})
    type_ = found.type.model_copy(update={"optional": optional, "values": expected.type.values})
    return found.model_copy(update={"type": type_, "low": expected.low, "high": expected.high})


def target_of(predict: Predict, table: pa.Table, action: str) -> Any:
    """What is to be learned: one column, or several side by side; None where there is nothing but features."""
    if not predict.targets:
        return None
    for name in predict.targets:
        missing = table.column(name).null_count
        if missing:
            raise Trouble(
                action, f"{name} is missing in {missing} of the rows", "leave out the rows whose target is not known"
            )
    return truth(predict, table) if len(predict.targets) == 1 else to_pandas(table.select(list(predict.targets)))


def truth(predict: Predict, table: pa.Table) -> np.ndarray[Any, Any]:
    """The one target as scikit-learn takes it: whether it is the positive value, or the values themselves."""
    name = predict.targets[0]
    column, values = table.column(name), to_pandas(table.select([name]))[name]
    if predict.positive is not None:
        positive = pa.scalar(predict.positive).cast(column.type)
        return pc.equal(column, positive).to_numpy()  # type: ignore[no-any-return]
    return values.to_numpy(dtype=object) if pa.types.is_string(column.type) else values.to_numpy()


def signature(predict: Predict, model: Any, table: pa.Table, known: Columns | None) -> Signature:
    """Of a model that has learned from the table."""
    features, classes = features_of(predict, table, known), _classes(predict, model, table)
    return Signature(
        features=features, targets=predict.targets, task=predict.task, positive=predict.positive, classes=classes
    )


def _classes(predict: Predict, model: Any, table: pa.Table) -> tuple[Scalar, ...]:
    """In the model's own order; false and true where the target is a truth."""
    if predict.task != "classification" or len(predict.targets) != 1:
        return ()
    target = table.column(predict.targets[0])
    if predict.positive is not None or pa.types.is_boolean(target.type):
        return (False, True)
    values = sorted(pc.unique(target.drop_null()).to_pylist())
    known = models.classes_of(model)
    return tuple(known if set(known) <= set(values) and known else values)
