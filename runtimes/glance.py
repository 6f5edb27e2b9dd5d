"""The first rows of a table, without having all of it: of a table in a bucket only its ends and what is shown are read."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from . import tables
from .store.objects import Objects


def first_rows(objects: Objects, digest: str, count: int) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    parts = tables.index(objects, digest)
    for file in [digest] if parts is None else [part for _, part in parts]:
        if len(rows) < count:
            rows += _of_file(objects, file, count - len(rows))
    return rows


def _of_file(objects: Objects, digest: str, count: int) -> list[dict[str, Any]]:
    with objects.open(digest) as stream:
        file = pq.ParquetFile(stream)
        groups = range(min(file.num_row_groups, 1))  # of a table that we wrote, only the last one can hold few rows
        batch = next(file.iter_batches(count, row_groups=groups), None)
        return [] if batch is None else tables.canonical(pa.Table.from_batches([batch])).to_pylist()
