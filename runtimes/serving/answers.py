"""What a function of the user's returned -> JSON, or why it is none."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping
from datetime import date, time, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any

DEEPEST = 100


class NoJson(Exception):
    """A value that JSON has no form for; the text says where it is and what it is."""


def as_json(value: Any) -> bytes:
    """Frames and tables are lists of rows, numbers of numpy's are numbers, what is no number is null."""
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        text = json.dumps(_plain(value, "", 0), ensure_ascii=False, allow_nan=False)
    return text.encode("utf-8", "backslashreplace")


def _plain(value: Any, place: str, depth: int) -> Any:
    if depth > DEEPEST:
        raise NoJson("what it returned holds itself, or is nested too deeply")
    match value:
        case Enum():
            return _plain(value.value, place, depth + 1)
        case None | bool() | str() | int():
            return value
        case float():
            return float(value) if math.isfinite(value) else None
        case Mapping():
            return {_key(key, place): _plain(one, f"{place}.{key}", depth + 1) for key, one in value.items()}
        case tuple() if hasattr(value, "_asdict"):
            return _plain(value._asdict(), place, depth + 1)
        case list() | tuple():
            return [_plain(one, f"{place}[{at}]", depth + 1) for at, one in enumerate(value)]
        case set() | frozenset():
            return [_plain(one, place, depth + 1) for one in value]
    return _bare(value, place, depth)


def _bare(value: Any, place: str, depth: int) -> Any:
    """A value of a library's, or of a class, as what JSON has a form for."""
    match value:
        case date() | time():
            return value.isoformat() if value == value else None
        case timedelta():
            return value.total_seconds()
        case Decimal():
            return float(value) if value.is_finite() else None
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
        return _plain(fields, place, depth + 1)
    return _plain(_of_library(value, place), place, depth + 1)


def _of_library(value: Any, place: str) -> Any:
    top = type(value).__module__.partition(".")[0].strip("_")
    name = type(value).__name__
    if top == "pandas" and name == "DataFrame":
        return value.to_dict("records")
    if top == "pandas" and name in ("NAType", "NaTType"):
        return None
    for method in _METHODS:
        if top in _LIBRARIES and hasattr(value, method):
            return getattr(value, method)()
    if hasattr(value, "model_dump"):  # pydantic
        return value.model_dump()
    where = f"at {place.removeprefix('.')} it" if place else "it"
    raise NoJson(f"{where} returned a value of type {name}, which JSON has no form for")


_LIBRARIES = ("pandas", "numpy", "polars", "pyarrow")
_METHODS = ("to_dicts", "to_pylist", "to_list", "tolist", "as_py", "item")


def _key(key: Any, place: str) -> str:
    if isinstance(key, str):
        return key
    if isinstance(key, bool | int | float) or type(key).__module__ == "numpy":
        return str(key.item() if hasattr(key, "item") else key)
    where = f" at {place.removeprefix('.')}" if place else ""
    raise NoJson(f"it returned a dict{where} whose keys are of type {type(key).__name__}; JSON has texts as keys")
