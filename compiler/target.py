"""The port for runtimes: what one is, as data. A runtime has no base class; it is a module with a TARGET."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from ..grammar.kinds import Argument
from .program import Program

Files = Mapping[str, str]  # path -> text


@dataclass(frozen=True, slots=True)
class Target:
    """`compile` is pure: the same program gives the same files. `recipes` are those that it can run, `options` what
    an environment on it may say."""

    name: str
    doc: str
    compile: Callable[[Program], Files]
    recipes: frozenset[str] = field(default_factory=frozenset)
    options: tuple[Argument, ...] = ()
