"""What the user's Python gave -> artifacts in the store: tables, folders, models; and the metrics that it told."""

from __future__ import annotations

import math
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ...grammar.diagnostic import listing
from .. import models, tables
from ..declared import conform
from ..models import Signature
from ..order import Made, Outcome
from ..trouble import Trouble
from . import forms
from .forms import RETURNED, Said
from .predict import all_there, signature
from .work import Work


def kept(value: Any, work: Work) -> Outcome:
    """What a function returned: for several outputs a tuple or a dict."""
    return kept_by_name(_by_output(value, work), work)


def kept_by_name(values: Mapping[str, Any], work: Work, said: Said = RETURNED) -> Outcome:
    """A value for each output. A model may come with a dict of metrics: (model, {"metric": value})."""
    outputs: dict[str, Made] = {}
    metrics: dict[str, float] = {}
    for name, item in values.items():
        if work.order.kind == "model":
            item, told = _model_and_metrics(item, name, said)
            metrics |= told
            outputs[name] = _kept_model(item, name, work, said)
        else:
            outputs[name] = _kept_data(item, name, work, said)
    return Outcome(outputs=outputs, metrics=metrics)


def _by_output(value: Any, work: Work) -> dict[str, Any]:
    names = work.order.names
    if len(names) == 1:
        return {names[0]: value}
    wanted = f"return a tuple of {len(names)}, or a dict with {listing(names)}"
    if isinstance(value, dict):
        if set(value) != set(names):
            raise Trouble(work.action, f"it returned a dict with {listing([str(key) for key in value])}", wanted)
        return {name: value[name] for name in names}
    if not isinstance(value, tuple | list):
        said = "nothing" if value is None else f"one {type(value).__name__}"
        raise Trouble(work.action, f"it returned {said} for {len(names)} outputs", wanted)
    if len(value) != len(names):
        raise Trouble(work.action, f"it returned {len(value)} values for {len(names)} outputs", wanted)
    return dict(zip(names, value, strict=True))


def _kept_data(value: Any, name: str, work: Work, said: Said) -> Made:
    if isinstance(value, str | Path) and Path(value).exists() and not forms.is_table_file(value):
        return _kept_files(Path(value), "folder", work)
    if isinstance(value, Path) and not value.exists():
        raise Trouble(f"make {name}", f"{said.gave} the path {value.name}, and there is nothing there")
    table = forms.to_table(value, work.read.values(), f"make {name}", said)
    if name == work.order.names[0] and work.order.declared:
        table = conform(table, work.order.declared, name)
    return tables.write(table, work.objects)


def _kept_files(path: Path, kind: str, work: Work) -> Made:
    """A copy of the folder, or a folder with the one file."""
    copy = work.objects.scratch()
    try:
        if path.is_dir():
            shutil.copytree(path, copy)
        else:
            copy.mkdir()
            shutil.copyfile(path, copy / path.name)
        size = sum(file.stat().st_size for file in copy.rglob("*") if file.is_file())
        return Made(digest=work.objects.put_folder(copy), kind=kind, bytes=size)
    finally:
        shutil.rmtree(copy, ignore_errors=True)


def _model_and_metrics(value: Any, name: str, said: Said) -> tuple[Any, dict[str, float]]:
    if not (isinstance(value, tuple) and len(value) == 2 and isinstance(value[1], dict)):
        return value, {}
    return value[0], {str(metric): _number(number, str(metric), name, said) for metric, number in value[1].items()}


def _number(value: Any, metric: str, name: str, said: Said) -> float:
    help_ = f"{said.give} a number"
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise Trouble(f"make {name}", f"its metric {metric} is a {type(value).__name__}", help_) from None
    if not math.isfinite(number):
        raise Trouble(f"make {name}", f"its metric {metric} is {number}, which compares with nothing", help_)
    return number


def _kept_model(model: Any, name: str, work: Work, said: Said) -> Made:
    if isinstance(model, str | Path) and Path(model).exists():
        return _kept_files(Path(model), "model", work)
    if not hasattr(model, "predict"):
        what = "nothing" if model is None else f"a value of type {type(model).__name__}"
        help_ = f"{said.give} an object with predict, or the path of a folder"
        raise Trouble(f"make {name}", f"{said.gave} {what}", help_)
    return models.save(model, _signature_of_own(model, name, work), work.objects, source_files(work))


def source_files(work: Work) -> dict[str, Path]:
    """The project's files that a model of the user's own may be of."""
    place = work.code.entry.rpartition(":")[0]
    files = sorted(
        {*(file for file in work.code.files if file.endswith(".py")), *([place] if place.endswith(".py") else [])}
    )
    return {file: work.root / file for file in files if (work.root / file).is_file()}


def _signature_of_own(model: Any, name: str, work: Work) -> Signature:
    """Of a model that a function made: what the block says it predicts, and from what."""
    predict, given = work.order.predict, work.first_data()
    if predict is None or given is None:
        return Signature(entry=entry_file(work))
    table = work.table(given)
    all_there(predict, table, given.name, work.action)
    strangers = [str(one) for one in getattr(model, "feature_names_in_", ()) if str(one) not in predict.features]
    if strangers:
        help_ = f"fit it on {listing(predict.features)}, and put what makes {strangers[0]} inside the model"
        raise Trouble(f"make {name}", f"the model learned from {strangers[0]}, which predict does not name", help_)
    return signature(predict, model, table, given.columns).model_copy(update={"entry": entry_file(work)})


def entry_file(work: Work) -> str:
    place = work.code.entry.rpartition(":")[0]
    return place if place.endswith(".py") else next(iter(work.code.files), "")
