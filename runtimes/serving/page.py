"""The page of a service: what it answers, its fields, and a form to try it."""

from __future__ import annotations

import html
import json
import shlex
from functools import cache
from importlib.resources import files
from typing import Any

from ...compiler.program import RequestField
from ...compiler.requests import Requests, asked_range
from ...compiler.types import Column, required
from .served import Served


def page(served: Served) -> str:
    release, row = served.release, served.example
    answers = {
        "name": release.name,
        "doc": release.doc,
        "route": release.route,
        "mark": release.mark,
        "example": json.dumps(row, indent=2, ensure_ascii=False),
        "curl": f"-H 'content-type: application/json' -d {shlex.quote(json.dumps(row, ensure_ascii=False))}",
        **_words(served),
    }
    text = _template()
    for word, value in answers.items():
        text = text.replace(f"<!--{word}-->", value if word == "fields" else html.escape(value))
    return text


def _words(served: Served) -> dict[str, str]:
    """What differs between a model and a function."""
    if isinstance(served.schema, Requests):
        fields = served.schema.shape.fields
        return {
            "fields": "".join(_field_of_request(field) for field in fields), "count": str(len(fields)),
            "result": "answer", "what": "release", "verb": "Send", "hint": "A request, as JSON.",
        }  # fmt: skip
    features = served.schema.features
    return {
        "fields": "".join(_field(column) for column in features), "count": str(len(features)),
        "result": _result(served.signature), "what": "model", "verb": "Predict",
        "hint": "One row as an object, or many as an array.",
        "doc": served.release.doc or "Answers with the model's predictions.",
    }  # fmt: skip


@cache
def _template() -> str:
    return files(__package__).joinpath("page.html").read_text("utf-8")


def _field(column: Column) -> str:
    notes = " · ".join(note for note in (_range(column), "may be left out" if column.type.optional else "") if note)
    return _line(column.name, str(required(column.type)), notes)


def _field_of_request(field: RequestField) -> str:
    return _line(field.name, str(field.type) if field.type else "any JSON", "" if field.needed else "may be left out")


def _line(name: str, kind: str, notes: str) -> str:
    return (
        f"<tr><th scope=row><code>{html.escape(name)}</code></th>"
        f"<td><code>{html.escape(kind)}</code></td><td>{html.escape(notes)}</td></tr>"
    )


def _range(column: Column) -> str:
    if column.low is None and column.high is None:
        return ""
    return asked_range(column.low, column.high).removeprefix("a value ")


def _result(signature: dict[str, Any]) -> str:
    targets = ", ".join(signature["targets"])
    what = f"prediction of {targets}" if targets else "prediction"
    return f"{what}, with its probability" if signature["task"] == "classification" else what
