"""A function or class of a user's Python, by its definition -> how it is called."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field

from .python_file import Function, chain_of, defines


@dataclass(frozen=True, slots=True)
class Called:
    """The parameters of a function, or the fields of a dataclass. `starred` is the name of its `*parameter`."""

    arguments: tuple[ast.arg, ...]
    required: frozenset[str]
    open: bool = False
    starred: str = ""
    defaults: Mapping[str, ast.expr] = field(default_factory=dict)
    has_self: bool = False
    returns: ast.expr | None = None


def how_called(defined: ast.AST | None) -> Called | None:
    """None where it takes reading more than the source: what is called is made while running."""
    if isinstance(defined, ast.Assign | ast.AnnAssign):
        return how_called(defined.value) if isinstance(defined.value, ast.Lambda) else None
    if not isinstance(defined, Function):
        return None
    given = defined.args
    placed = [*given.posonlyargs, *given.args]
    needed = placed[: len(placed) - len(given.defaults)]
    defaults = {one.arg: default for one, default in zip(placed[len(needed) :], given.defaults, strict=True)}
    named = dict(zip(given.kwonlyargs, given.kw_defaults, strict=True))
    defaults |= {one.arg: default for one, default in named.items() if default is not None}
    return Called(
        arguments=(*placed, *given.kwonlyargs),
        required=frozenset(argument.arg for argument in (*placed, *named) if argument.arg not in defaults),
        open=given.kwarg is not None,
        starred=given.vararg.arg if given.vararg else "",
        defaults=defaults,
        has_self=bool(placed),
        returns=None if isinstance(defined, ast.Lambda) else defined.returns,
    )


def fields_of(defined: ast.ClassDef) -> Called | None:
    """The parameters of a dataclass; None for another class."""
    marks = [mark.func if isinstance(mark, ast.Call) else mark for mark in defined.decorator_list]
    if not any((chain_of(mark) or ("",))[-1] == "dataclass" for mark in marks):
        return None
    fields = [item for item in defined.body if isinstance(item, ast.AnnAssign) and _is_field(item)]
    names = [ast.arg(ast.unparse(item.target), item.annotation) for item in fields]
    defaults = {name.arg: item.value for name, item in zip(names, fields, strict=True) if item.value is not None}
    return Called(tuple(names), frozenset(name.arg for name in names if name.arg not in defaults), defaults=defaults)


def _is_field(item: ast.AnnAssign) -> bool:
    return isinstance(item.target, ast.Name) and "ClassVar" not in ast.unparse(item.annotation)


def makes_itself(defined: ast.ClassDef) -> bool:
    """A class with a `__new__` is called as that says, which may hand back anything."""
    return any(defines(part, "__new__") for part in defined.body)


# Classes to inherit from that have no parameters of their own.
PLAIN_BASES = ("object", "ABC", "Protocol", "BaseEstimator", "ClassifierMixin", "RegressorMixin", "TransformerMixin")
