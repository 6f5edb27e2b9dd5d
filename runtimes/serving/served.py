"""What answers: a release with its schema and its workers, switched as one."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from pydantic import TypeAdapter

from ...compiler import openapi
from ...compiler.requests import Requests, Schema
from ...compiler.serving import PREDICTION, PROBABILITY, seen_columns
from ...compiler.types import BOOL, FLOAT, INT, TEXT, Column, Columns, Type, optional
from ..trouble import Trouble
from .crew import Crew
from .release import Release

_COLUMNS = TypeAdapter(Columns)


@dataclass(eq=False)
class Served:
    """`token` leads a request here while it is the candidate. `signature` is the model's, as JSON; {} of a function."""

    release: Release
    signature: dict[str, Any]
    crew: Crew
    schema: Schema | Requests
    token: str = field(default_factory=lambda: secrets.token_hex(16))
    since: float = field(default_factory=time.time)

    @property
    def example(self) -> Any:
        return self.api.example

    @cached_property
    def api(self) -> openapi.Api:
        release = self.release
        about = (release.name, release.doc, release.route, release.mark)
        if release.called is not None:
            return openapi.of_function(*about, release.called.exchange)
        assert isinstance(self.schema, Schema)
        said = self.signature
        predicts = openapi.Predicts(tuple(said["targets"]), said["task"], tuple(said["classes"]))
        return openapi.of_model(*about, self.schema.features, predicts, release.shown)

    @property
    def saw(self) -> Columns:
        """The columns of a table of what it was asked and answered; () for a function, of which the spec tells them."""
        if not isinstance(self.schema, Schema):
            return ()
        features = tuple(Column(name=column.name, type=column.type) for column in self.schema.features)
        return seen_columns(features, _predictions(self.signature))

    @cached_property
    def document(self) -> dict[str, Any]:
        return openapi.describe(self.api)


def _predictions(signature: dict[str, Any]) -> Columns:
    kinds = {type(one) for one in signature["classes"]}
    type_ = {bool: BOOL, int: INT, str: TEXT}.get(kinds.pop(), FLOAT) if len(kinds) == 1 else FLOAT
    many = Type(base="list", item=FLOAT) if len(signature["targets"]) > 1 else type_
    probability = Column(name=PROBABILITY, type=optional(FLOAT))
    return (Column(name=PREDICTION, type=many), *((probability,) if signature["task"] == "classification" else ()))


def serve(release: Release, signature: dict[str, Any], crew: Crew) -> Served:
    if release.called is not None:
        return Served(release, signature, crew, Requests(release.called.exchange.request))
    features = _COLUMNS.validate_python(signature["features"])
    if not features:
        cause = "its model does not say which columns it takes, so requests could not be checked"
        raise Trouble(f"serve {release.name}", cause, "write `predict .target from .a, .b` in the model")
    return Served(release, signature, crew, Schema(features))


@dataclass(slots=True)
class Routing:
    """Where requests go. A swap is one assignment to `live`: no request sees half of it."""

    live: Served | None = None
    candidate: Served | None = None

    def choose(self, token: str | None) -> Served | None:
        """What answers a request: the release that is live, or for a token the candidate that it was made for."""
        if token is None:
            return self.live
        if self.candidate is not None and secrets.compare_digest(token.encode(), self.candidate.token.encode()):
            return self.candidate
        return None
