"""Values to show as an example of a request: usual ones of the data that the model was made from, and nobody's row.

What stands in one row alone may be a person's name, so of texts and dates only a value that several rows share is shown.
"""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

SHARED = 3  # rows


def usual(table: pa.Table) -> dict[str, Any]:
    """By column, as a request holds it: of numbers the middle one, else the most frequent; without what has none."""
    found = {name: _usual(column) for name, column in zip(table.column_names, table.columns, strict=True)}
    return {name: value for name, value in found.items() if value is not None}


def _usual(column: pa.ChunkedArray) -> Any:
    there = column.drop_null()
    if pa.types.is_floating(there.type) or pa.types.is_integer(there.type):
        return _middle(there)
    if pa.types.is_nested(there.type) or not len(there):
        return None
    counted = pc.mode(there) if pa.types.is_boolean(there.type) else _counted(there)
    if not len(counted) or counted[0]["count"].as_py() < SHARED:
        return None
    value = counted[0]["mode"].as_py()
    return value.isoformat() if hasattr(value, "isoformat") else value


def _middle(numbers: pa.ChunkedArray) -> Any:
    """One of the numbers themselves."""
    finite = numbers.filter(pc.is_finite(numbers))
    return finite.take(pc.array_sort_indices(finite))[len(finite) // 2].as_py() if len(finite) else None


def _counted(values: pa.ChunkedArray) -> pa.Array:
    """The most frequent value, the least of several, as pc.mode tells it of numbers."""
    counts = sorted(pc.value_counts(values).to_pylist(), key=lambda one: (-one["counts"], str(one["values"])))
    return pa.array([{"mode": one["values"], "count": one["counts"]} for one in counts[:1]])
