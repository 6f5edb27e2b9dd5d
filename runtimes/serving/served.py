"""What answers: a release with its schema and its workers, switched as one."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from pydantic import TypeAdapter

from ...compiler.types import Columns
from ..trouble import Trouble
from .crew import Crew
from .openapi import describe
from .release import Release
from ...compiler.openapi import example
from ...compiler.requests import Schema

_COLUMNS = TypeAdapter(Columns)


@dataclass(eq=False)
class Served:
    """`token` leads a request here while it is the candidate. `signature` is the model's, as JSON."""

    release: Release
    signature: dict[str, Any]
    crew: Crew
    schema: Schema
    token: str = field(default_factory=lambda: secrets.token_hex(16))
    since: float = field(default_factory=time.time)

    @cached_property
    def example(self) -> dict[str, Any]:
        return example(self.schema.features)

    @cached_property
    def document(self) -> dict[str, Any]:
        return describe(self.release, self.schema.features, self.signature)


def serve(release: Release, signature: dict[str, Any], crew: Crew) -> Served:
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
