"""OpenAPI 3.1 of a service: from the program alone, and from what the running service knows. One function makes both.

Without the trained model nothing is known of its version, nor of the classes of a text target that is no closed set.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .program import Exchange, Node, Program, Scalar, Shape
from .serving import features_of, is_truth, learned, routed
from .types import Column, Columns, Type, by_name

Json = dict[str, Any]

UNRELEASED = "unreleased"


@dataclass(frozen=True, slots=True)
class Api:
    """What is asked and answered at a route, as schemas; `many` services take a list of requests too."""

    name: str
    doc: str
    route: str
    version: str
    asked: Json
    answer: Json
    example: Any
    many: bool


@dataclass(frozen=True, slots=True)
class Predicts:
    """What a model answers. `classes` are those of a classification where they are known."""

    targets: tuple[str, ...]
    task: str
    classes: tuple[Scalar, ...] = ()


def of_node(node: Node, program: Program) -> Api | str:
    """The service of a program; or why nothing can be said of it before it runs."""
    doc, route = node.doc, routed(node)
    if node.exchange is not None:
        return of_function(node.name, doc, route, UNRELEASED, node.exchange)
    model = program.node_of().get(node.inputs[0].name) if node.inputs else None
    data = program.node_of().get(model.inputs[0].name) if model and model.inputs else None
    known = learned(model, data) if data and model else None
    if model is None or model.predict is None or known is None:
        return f"the columns that {model.name if model else 'its model'} learns from are known when they are made"
    return of_model(node.name, doc, route, UNRELEASED, features_of(model.predict, known), _predicts(model, known))


def _predicts(model: Node, known: Columns) -> Predicts:
    assert model.predict is not None
    target = by_name(known).get(model.predict.targets[0]) if len(model.predict.targets) == 1 else None
    classes: tuple[Scalar, ...] = ()
    if model.predict.task == "classification" and target is not None:
        classes = (False, True) if is_truth(model.predict, target) else target.type.values
    return Predicts(model.predict.targets, model.predict.task, classes)


def of_model(
    name: str, doc: str, route: str, version: str, features: Columns, predicts: Predicts, shown: Mapping[str, Any] | None = None
) -> Api:  # fmt: skip
    """`shown` are values to show in place of made-up ones, by feature."""
    return Api(
        name,
        doc,
        route,
        version,
        row_schema(features),
        _predicted(predicts),
        example(features) | dict(shown or {}),
        True,
    )


def of_function(name: str, doc: str, route: str, version: str, exchange: Exchange) -> Api:
    asked, answer = shape_schema(exchange.request), shape_schema(exchange.answer)
    return Api(name, doc, route, version, asked, answer, example_of(exchange), False)


def describe(api: Api) -> Json:
    return {
        "openapi": "3.1.0",
        "info": {"title": api.name, "description": api.doc, "version": api.version},
        "paths": {
            api.route: {"post": _ask(api)},
            "/health": {"get": _plain("The process is up.", {"200": "Up."})},
            "/ready": {"get": _plain("Whether a release answers.", {"200": "It does.", "503": "None does."})},
            "/metrics": {"get": _plain("Counts and times, for Prometheus.", {"200": "Text."})},
        },
        "components": {
            "schemas": {_names(api)[0]: api.asked, "Answer": api.answer, "Problems": _problems(), "Error": _ERROR}
        },
    }


# --- schemas ----------------------------------------------------------------------------------------------------

PLAIN: dict[str, Json] = {
    "int": {"type": "integer"},
    "float": {"type": "number"},
    "text": {"type": "string"},
    "bool": {"type": "boolean"},
    "date": {"type": "string", "format": "date"},
    "timestamp": {"type": "string", "format": "date-time"},
}
_ERROR = {"type": "object", "properties": {"error": {"type": "string"}}, "required": ["error"]}


def row_schema(features: Columns) -> Json:
    return {
        "type": "object",
        "properties": {column.name: _with_range(column) for column in features},
        "required": [column.name for column in features if not column.type.optional],
        "additionalProperties": False,
    }


def shape_schema(shape: Shape) -> Json:
    if shape.form != "fields":
        return {"any": {}, "object": {"type": "object"}, "list": {"type": "array"}}[shape.form]
    return {
        "type": "object",
        "properties": {field.name: type_schema(field.type) if field.type else {} for field in shape.fields},
        "required": [field.name for field in shape.fields if field.needed],
        "additionalProperties": False,
    }


def type_schema(type_: Type) -> Json:
    if type_.values:
        return {"enum": [*type_.values, *([None] if type_.optional else [])]}
    if type_.base == "list":
        schema: Json = {"type": "array", "items": type_schema(type_.item or Type(base="text"))}
    else:
        schema = dict(PLAIN[type_.base])
    return schema | {"type": [schema["type"], "null"]} if type_.optional else schema


def _with_range(column: Column) -> Json:
    schema = type_schema(column.type)
    if column.type.base in ("int", "float"):
        bounds = {"minimum": column.low, "maximum": column.high}
        return schema | {word: _whole(bound) for word, bound in bounds.items() if bound is not None}
    return schema


def _whole(bound: float | str) -> float | str:
    """18 rather than 18.0."""
    return int(bound) if isinstance(bound, float) and bound.is_integer() else bound


def _predicted(predicts: Predicts) -> Json:
    """A prediction for each row; for a classification also how probable it is."""
    properties: Json = {"prediction": _prediction(predicts)}
    if predicts.task == "classification":
        of = "true" if set(predicts.classes) == {False, True} else "what is predicted"
        bounds = {"minimum": 0, "maximum": 1}
        properties["probability"] = {"type": "number", **bounds, "description": f"The probability of {of}."}
    return {"type": "object", "properties": properties, "required": ["prediction"]}


def _prediction(predicts: Predicts) -> Json:
    if len(predicts.targets) > 1:
        return {"type": "array", "description": f"In this order: {', '.join(predicts.targets)}."}
    if predicts.classes:
        return {"enum": sorted(predicts.classes, key=lambda one: (str(type(one)), one))}
    return {"type": ["number", "null"]} if predicts.task == "regression" else {}


def _problems() -> Json:
    problem = {
        "type": "object",
        "properties": {"row": {"type": "integer"}, "field": {"type": "string"}, "problem": {"type": "string"}},
        "required": ["row", "field", "problem"],
    }
    return {"type": "object", "properties": {"errors": {"type": "array", "items": problem}}, "required": ["errors"]}


# --- the route --------------------------------------------------------------------------------------------------


def _names(api: Api) -> tuple[str, str, str]:
    """What a request is called, what it does, and in words."""
    if api.many:
        return "Row", "predict", "Predict for one row or for many."
    return "Request", "answer", "Answer a request."


def _ask(api: Api) -> Json:
    name, operation, summary = _names(api)

    def of(schema: str) -> Json:
        one = _named(schema)
        return {"oneOf": [one, {"type": "array", "items": one}]} if api.many else one

    shown = {"schema": of(name), "example": api.example}
    return {
        "operationId": operation,
        "summary": summary,
        "requestBody": {"required": True, "content": {"application/json": shown}},
        "responses": {
            "200": _answer("An answer for each row, in their order." if api.many else "The answer.", of("Answer")),
            "400": _answer("The body is no JSON.", _named("Error")),
            "413": _answer("More than one request may hold.", _named("Error")),
            "422": _answer("Fields that do not fit, each with what is needed.", _named("Problems")),
            "500": _answer("The model failed." if api.many else "The function failed.", _named("Error")),
            "503": _answer("No worker was free in time; try again later.", _named("Error")),
        },
    }


def _named(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def _answer(description: str, schema: Json) -> Json:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _plain(summary: str, codes: dict[str, str]) -> Json:
    return {"summary": summary, "responses": {code: {"description": text} for code, text in codes.items()}}


# --- an example -------------------------------------------------------------------------------------------------


def example(features: Columns) -> Json:
    """A row that the schema accepts, to show and to warm up with."""
    return {column.name: _example(column) for column in features}


def example_of(exchange: Exchange) -> Any:
    """The request that is given as one; else one that is made up."""
    if exchange.example:
        return json.loads(exchange.example)
    fields = (field for field in exchange.request.fields if field.needed)
    made_up = {field.name: _example(Column(name=field.name, type=field.type)) if field.type else {} for field in fields}
    return [] if exchange.request.form == "list" else made_up


def _example(column: Column) -> Any:
    low, high = column.low, column.high
    match column.type.base:
        case "int" | "float":
            middle = _middle(low, high)
            return math.ceil(middle) if column.type.base == "int" else float(middle)
        case "text":
            return column.type.values[0] if column.type.values else "text"
        case "bool":
            return True
        case "date":
            return str(low or high or "2024-01-31")
        case "timestamp":
            return _with_time(str(low or high or "2024-01-31T12:30:00"))
        case "list":
            return [_example(Column(name=column.name, type=column.type.item or Type(base="text")))]


def _middle(low: float | str | None, high: float | str | None) -> float:
    bounds = [float(bound) for bound in (low, high) if isinstance(bound, int | float)]
    return sum(bounds) / len(bounds) if bounds else 1


def _with_time(text: str) -> str:
    return text if len(text) > len("2024-01-31") else text + "T00:00:00"
