"""The port for runtimes: what one is, as data. A runtime has no base class; it is a module with a TARGET."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from ..grammar.kinds import Argument
from .program import Program

Files = Mapping[str, str]  # path -> text


@dataclass(frozen=True, slots=True)
class Project:
    """What goes to another machine along with a program: `texts` are the spec, those that it uses and the code of its
    recipes, by path; `versions` those of the packages that a step imports, by the distribution's name."""

    texts: Files = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Target:
    """`compile` is pure: the same program and project give the same files.

    `options` are what an environment on it may say, and `required` those of them that it must. `lacks` are the recipes
    and kinds of lines that it cannot honour, each with the reason: where a block has one, that is an error at its
    place. `ships` says that what it compiles to takes the project along. `apply` names the module whose `apply` makes a
    plan so, and whose `stop`, if it has one, stops a service that another machine runs; "" where the engine of this
    machine does. `broken` is why a stranger's could not be loaded: then nothing
    else is known of it.
    """

    name: str
    doc: str
    compile: Callable[[Program, Project], Files]
    options: tuple[Argument, ...] = ()
    required: frozenset[str] = frozenset()
    lacks: Mapping[str, str] = field(default_factory=dict)
    ships: bool = False
    apply: str = ""
    broken: str = ""
