"""The page of a service: what it answers, its fields, and a form to try it."""

from __future__ import annotations

import html
import json
import shlex
from functools import cache
from importlib.resources import files
from typing import Any

from ...compiler.types import Column, Columns
from .release import Release
from ...compiler.openapi import example


def page(release: Release, features: Columns, signature: dict[str, Any]) -> str:
    row = example(features)
    answers = {
        "name": release.name,
        "doc": release.doc or "Answers with the model's predictions.",
        "route": release.route,
        "mark": release.mark,
        "fields": "".join(_field(column) for column in features),
        "count": str(len(features)),
        "result": _result(signature),
        "example": json.dumps(row, indent=2, ensure_ascii=False),
        "curl": f"-H 'content-type: application/json' -d {shlex.quote(json.dumps(row, ensure_ascii=False))}",
    }
    text = _template()
    raw = {"fields"}
    for word, value in answers.items():
        text = text.replace(f"<!--{word}-->", value if word in raw else html.escape(value))
    return text


@cache
def _template() -> str:
    return files(__package__).joinpath("page.html").read_text("utf-8")


def _field(column: Column) -> str:
    notes = " · ".join(note for note in (_range(column), "may be left out" if column.type.optional else "") if note)
    kind = str(column.type.model_copy(update={"optional": False}))
    return (
        f"<tr><th scope=row><code>{html.escape(column.name)}</code></th>"
        f"<td><code>{html.escape(kind)}</code></td><td>{html.escape(notes)}</td></tr>"
    )


def _range(column: Column) -> str:
    if column.low is None and column.high is None:
        return ""
    return f"{'' if column.low is None else column.low} to {'' if column.high is None else column.high}".strip()


def _result(signature: dict[str, Any]) -> str:
    targets = ", ".join(signature["targets"])
    what = f"prediction of {targets}" if targets else "prediction"
    return f"{what}, with its probability" if signature["task"] == "classification" else what
