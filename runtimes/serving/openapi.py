"""OpenAPI 3.1 for a release, from the features of its model."""

from __future__ import annotations

from typing import Any

from ...compiler.types import Column, Columns, Type
from .release import Release
from ...compiler.openapi import example

PLAIN: dict[str, dict[str, Any]] = {
    "int": {"type": "integer"},
    "float": {"type": "number"},
    "text": {"type": "string"},
    "bool": {"type": "boolean"},
    "date": {"type": "string", "format": "date"},
    "timestamp": {"type": "string", "format": "date-time"},
}
_ERROR = {"type": "object", "properties": {"error": {"type": "string"}}, "required": ["error"]}


def describe(release: Release, features: Columns, signature: dict[str, Any]) -> dict[str, Any]:
    return {
        "openapi": "3.1.0",
        "info": {"title": release.name, "description": release.doc, "version": release.mark},
        "paths": {
            release.route: {"post": _predict(features)},
            "/health": {"get": _plain("The process is up.", {"200": "Up."})},
            "/ready": {"get": _plain("Whether a release answers.", {"200": "It does.", "503": "None does."})},
            "/metrics": {"get": _plain("Counts and times, for Prometheus.", {"200": "Text."})},
        },
        "components": {
            "schemas": {
                "Row": row_schema(features),
                "Answer": answer_schema(signature),
                "Problems": _problems(),
                "Error": _ERROR,
            }
        },
    }


def row_schema(features: Columns) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {column.name: _with_range(column) for column in features},
        "required": [column.name for column in features if not column.type.optional],
        "additionalProperties": False,
    }


def type_schema(type_: Type) -> dict[str, Any]:
    if type_.values:
        return {"enum": [*type_.values, *([None] if type_.optional else [])]}
    if type_.base == "list":
        schema: dict[str, Any] = {"type": "array", "items": type_schema(type_.item or Type(base="text"))}
    else:
        schema = dict(PLAIN[type_.base])
    return schema | {"type": [schema["type"], "null"]} if type_.optional else schema


def answer_schema(signature: dict[str, Any]) -> dict[str, Any]:
    """A prediction for each row; for a classification also how probable it is."""
    properties: dict[str, Any] = {"prediction": _prediction(signature)}
    if signature["task"] == "classification":
        of = "true" if set(signature["classes"]) == {False, True} else "what is predicted"
        properties["probability"] = {
            "type": "number",
            "minimum": 0,
            "maximum": 1,
            "description": f"The probability of {of}.",
        }
    return {"type": "object", "properties": properties, "required": ["prediction"]}


def _prediction(signature: dict[str, Any]) -> dict[str, Any]:
    if len(signature["targets"]) > 1:
        return {"type": "array", "description": f"In this order: {', '.join(signature['targets'])}."}
    if signature["classes"]:
        return {"enum": list(signature["classes"])}
    return {"type": ["number", "null"]} if signature["task"] == "regression" else {}


def _with_range(column: Column) -> dict[str, Any]:
    schema = type_schema(column.type)
    if column.type.base in ("int", "float"):
        bounds = {"minimum": column.low, "maximum": column.high}
        return schema | {word: bound for word, bound in bounds.items() if bound is not None}
    return schema


def _predict(features: Columns) -> dict[str, Any]:
    def one_or_many(name: str) -> dict[str, Any]:
        one = {"$ref": f"#/components/schemas/{name}"}
        return {"oneOf": [one, {"type": "array", "items": one}]}

    return {
        "operationId": "predict",
        "summary": "Predict for one row or for many.",
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": one_or_many("Row"), "example": example(features)}},
        },
        "responses": {
            "200": _answer("An answer for each row, in their order.", one_or_many("Answer")),
            "400": _answer("The body is no JSON.", _named("Error")),
            "413": _answer("More than one request may hold.", _named("Error")),
            "422": _answer("Fields that do not fit, each with what is needed.", _named("Problems")),
            "500": _answer("The model failed.", _named("Error")),
            "503": _answer("No worker was free in time; try again later.", _named("Error")),
        },
    }


def _problems() -> dict[str, Any]:
    problem = {
        "type": "object",
        "properties": {"row": {"type": "integer"}, "field": {"type": "string"}, "problem": {"type": "string"}},
        "required": ["row", "field", "problem"],
    }
    return {"type": "object", "properties": {"errors": {"type": "array", "items": problem}}, "required": ["errors"]}


def _named(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}


def _answer(description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _plain(summary: str, codes: dict[str, str]) -> dict[str, Any]:
    return {"summary": summary, "responses": {code: {"description": text} for code, text in codes.items()}}
