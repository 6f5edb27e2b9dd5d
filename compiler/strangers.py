"""The annotations of a user's function -> names in them that stand for nothing: they would fail when it is imported."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator

from ..grammar.diagnostic import nearest
from .annotation import read
from .closure import Closure
from .installed import names_of
from .python_file import Chain, Imported, Module, Problem, chain_of


def strangers(path: str, defined: ast.stmt, closure: Closure) -> Iterator[Problem]:
    module = closure.module(path)
    if module is None or not isinstance(defined, ast.FunctionDef | ast.AsyncFunctionDef):
        return
    arguments = defined.args
    each = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    own = {one.name for one in getattr(defined, "type_params", ())}
    for written in [*(one.annotation for one in each), defined.returns]:
        for chain in _names(written):
            problem = _problem(chain, module, closure, path) if chain[0] not in own else None
            if problem is not None:
                yield Problem(*problem, path, defined.lineno)


def _names(written: ast.AST | None) -> Iterator[Chain]:
    """The names of an annotation, also of one in quotes; not the values within Literal["a"]."""
    match written:
        case ast.Name() | ast.Attribute():
            chain = chain_of(written)
            if chain:
                yield chain
        case ast.Constant(value=str(text)):
            inside = read(text)
            is_prose = isinstance(inside, ast.Constant) or (isinstance(inside, ast.Name) and inside.id.islower())
            if not is_prose:
                yield from _names(inside)
        case ast.Subscript(value=outer) if (chain_of(outer) or ("",))[-1] in ("Literal", "Annotated"):
            yield from _names(outer)
        case ast.Subscript() | ast.BinOp() | ast.Tuple() | ast.List():
            for part in ast.iter_child_nodes(written):
                yield from _names(part)


def _problem(chain: Chain, module: Module, closure: Closure, path: str) -> tuple[str, str] | None:
    """What is said, and the way out."""
    first = chain[0]
    if first in module.binds:
        package = _package(module.binds[first], closure, path) if len(chain) == 2 else ""
        known = names_of(package) if package else None
        if known is None or chain[1] in known:
            return None
        close = nearest(chain[1], (name for name in known if not name.startswith("_")))
        return f"{package} has no {chain[1]}", f"did you mean {first}.{close}?" if close else ""
    if module.stars or hasattr(builtins, first):
        return None
    close = nearest(first, [*(name for name in module.binds if name[:1].isupper()), *_TYPES])
    return (
        f"{path} knows no {'.'.join(chain)}",
        f"did you mean {close}?" if close else f"import {first} there, or define it",
    )


_TYPES = ("int", "float", "str", "bool", "list", "dict", "tuple", "set", "object")


def _package(bound: list[ast.stmt | Imported], closure: Closure, path: str) -> str:
    """The installed module that a name is certainly bound to; "" for all else."""
    one = bound[0]
    if (
        len(bound) > 1
        or not isinstance(one, Imported)
        or one.name
        or one.rooted
        or closure.locate(path, one) is not None
    ):
        return ""
    return one.module
