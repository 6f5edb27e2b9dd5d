"""One order of a recipe that runs the user's Python: its inputs in the form asked for, its arguments, its seed."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from ...compiler.program import Code, handed
from .. import models, tables
from ..order import Given, Make
from ..store.objects import Objects
from ..trouble import Trouble
from . import forms

SEEDS = ("seed", "random_state")


@dataclass(slots=True)
class Work:
    """One order under way. `read` are the inputs' tables, each read once; `scratch` is swept when the order is done."""

    order: Make
    objects: Objects
    code: Code
    scratch: Path
    read: dict[str, pa.Table] = field(default_factory=dict)

    @property
    def action(self) -> str:
        return f"make {', '.join(self.order.names)}"

    @property
    def root(self) -> Path:
        return Path(self.order.root)

    @property
    def seed(self) -> int:
        """Of what is drawn at random; 0 if unsaid."""
        said = next((self.order.arguments[name] for name in SEEDS if name in self.order.arguments), 0)
        return said if isinstance(said, int) else 0

    def table(self, given: Given) -> pa.Table:
        if given.alias not in self.read:
            if tables.is_folder(self.objects, given.digest):
                raise Trouble(
                    self.action, f"{given.name} is a folder of files", f"annotate {given.alias} with pathlib.Path"
                )
            self.read[given.alias] = tables.read(self.objects, given.digest)
        return self.read[given.alias]

    def first_data(self) -> Given | None:
        """The first input that is a table."""
        tables_ = (
            one for one in self.order.inputs if one.kind == "data" and not tables.is_folder(self.objects, one.digest)
        )
        return next(tables_, None)


def seed_random(seed: int) -> None:
    """Of random and numpy, which most of what draws at random draws from."""
    import numpy as np

    random.seed(seed)
    np.random.seed(seed % 2**32)


def arguments(work: Work) -> dict[str, Any]:
    """As Python is handed them: a list is a list, as pandas wants it, a date a date, a column its name."""
    given, moments = work.order.arguments, work.order.recipe.moments
    return {name: _plain(handed(value, is_moment=name in moments), work) for name, value in given.items()}


def _plain(value: Any, work: Work) -> Any:
    if isinstance(value, list):
        return [_plain(item, work) for item in value]
    if isinstance(value, str) and value.startswith("."):
        known = {column.name for given in work.order.inputs for column in given.columns or ()}
        return value[1:] if value[1:] in known else value
    return value


def given_as(given: Given, annotation: Any, work: Work) -> Any:
    """An input as an annotation asks for it, a type or its text; pandas when it asks for nothing."""
    form = forms.form_of(annotation)
    if form in ("path", "text"):
        path = _path(given, work)
        return path if form == "path" else str(path)
    if given.kind == "model":
        model = work.objects.folder(given.digest)
        return models.load(model).native if (model / models.FILE).is_file() else model
    if form is None:
        asked = annotation if isinstance(annotation, str) else getattr(annotation, "__name__", str(annotation))
        help_ = "annotate it with a pandas or polars frame, pyarrow.Table, numpy.ndarray, duckdb.DuckDBPyRelation or pathlib.Path"
        raise Trouble(work.action, f"its parameter {given.alias} asks for {asked}, and data has no such form", help_)
    return forms.to_form(work.table(given), form)


def _path(given: Given, work: Work) -> Path:
    """Of a folder, or of a copy of the table as one file: what is in the store is nobody's to write to."""
    if given.kind != "data" or tables.is_folder(work.objects, given.digest):
        return work.objects.folder(given.digest)
    target = work.scratch / f"{given.alias}.parquet"
    target.parent.mkdir(parents=True, exist_ok=True)
    tables.copy(work.objects, given.digest, target)
    return target
