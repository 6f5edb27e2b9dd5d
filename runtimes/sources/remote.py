"""Sources that are reached over a network: what they hold now, and their files brought here. Arguments may be secrets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from ...compiler.program import Value
from ...compiler.state import SourceFiles
from .. import secrets
from ..trouble import Trouble
from .unseen import changed_meanwhile

Secrets = Mapping[str, str]  # argument -> the secret's name


def look(word: str, place: str, arguments: Mapping[str, Value], hidden: Secrets) -> SourceFiles:
    """What tells the content of a place apart from that of another day. Raises Trouble."""
    with kept_secret(hidden):
        given = {**arguments, **values(hidden)}
        if word == "postgres":
            from . import postgres

            return postgres.look(place, given)
        return _look(place, str(given.get("token", "")))


def _look(place: str, token: str) -> SourceFiles:
    if place.lower().startswith("s3://"):
        from . import s3

        return s3.look(place)
    from . import http

    return http.look(place, token)


def contents(place: str, token: str, expected: Mapping[str, str], scratch: Path) -> list[tuple[str, bytes]]:
    """The files of a place and their bytes, saved to `scratch` on the way. They are those that `expected` speaks of."""
    files = expected or _look(place, token).files
    if place not in files and set(_look(place, token).files) != set(files):  # a pattern, and other files than then
        raise changed_meanwhile(place)
    try:
        return [(file, _fetched(file, token, digest, scratch)) for file, digest in files.items()]
    finally:
        scratch.unlink(missing_ok=True)


def _fetched(file: str, token: str, expected: str, scratch: Path) -> bytes:
    if file.lower().startswith("s3://"):
        from . import s3

        s3.fetch(file, expected, scratch)
    else:
        from . import http

        http.fetch(file, token, expected, scratch)
    return scratch.read_bytes()


def values(hidden: Secrets) -> dict[str, str]:
    return {argument: secrets.value(name) for argument, name in hidden.items()}


@contextmanager
def kept_secret(hidden: Secrets) -> Iterator[None]:
    """No secret's value gets out by what is said to have gone wrong."""
    try:
        yield
    except Trouble as trouble:
        parts = (trouble.action, trouble.cause, trouble.help, trouble.detail)
        raise Trouble(*(secrets.hidden(part, hidden.values()) for part in parts)) from None
