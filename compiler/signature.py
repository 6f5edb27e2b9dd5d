"""A user's Python, by its source -> how it is called, and all that it really uses. Nothing of it is imported or run.

What is used is followed through the project's own files (`closure.py`); of installed packages see `installed.py`.
"""

from __future__ import annotations

import ast
import posixpath
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from ..grammar.diagnostic import listing, nearest
from .called import Called, how_called
from .closure import Closure, ReadText, files_of, hash_of
from .installed import estimator_arguments, estimator_kind, missing
from .program import Code
from .python_file import Broken, Imported, Problem
from .strangers import strangers

__all__ = ["Problem", "Signature", "estimator_arguments", "estimator_kind", "read"]


@dataclass(frozen=True, slots=True)
class Signature:
    """How a function or class is called.

    `open` takes any further argument, or cannot be read without importing it; `starred` is the name of its
    `*parameter`. `returns` is the annotation as written. `defaults` are the values that parameters have unless given.
    `probabilities` of a class: whether it has predict_proba, None where that is not known; `lacks`: which of fit and
    predict it certainly has not. `strangers` are names in annotations that stand for nothing, with what is said of each.
    """

    code: Code
    required: tuple[str, ...] = ()
    open: bool = False
    starred: str = ""
    returns: str = ""
    defaults: Mapping[str, ast.expr] = field(default_factory=dict)
    probabilities: bool | None = None
    lacks: tuple[str, ...] = ()
    strangers: tuple[Problem, ...] = ()
    line: int = 0


def read(entry: str, read_text: ReadText) -> Signature | Problem:
    """The signature of "file.py:function" or "package.module:attribute"; `read_text` gives a file of the project."""
    place, colon, name = entry.partition(":")
    if not colon or not place or not re.fullmatch(r"[^\W\d]\w*(\.[^\W\d]\w*)*", name):
        return _no_entry(entry)
    path = _project_file(place, read_text)
    if path is None:
        return _installed(entry, place)
    closure = Closure(read_text, posixpath.dirname(path))
    try:
        return _of_project(entry, path, name, closure)
    except Broken as broken:
        return broken.problem
    except RecursionError:
        return Problem(f"{path} is nested too deeply to be read", path=path)


def _no_entry(entry: str) -> Problem:
    message, form = f"{entry} names no function", "write file.py:function or package.module:attribute"
    module, dot, name = entry.rpartition(".")
    if not dot or name == "py" or not re.fullmatch(r"[^\W\d]\w*(\.[^\W\d]\w*)+", entry):
        return Problem(message, form)
    instead = f"{module}:{name}"
    return Problem(message, f"did you mean {instead}?", instead=instead)


def _project_file(place: str, read_text: ReadText) -> str | None:
    """The file that an entry names, there or not; None for a module that is none of the project's."""
    if place.endswith(".py") or "/" in place:
        return posixpath.normpath(place)
    location = place.replace(".", "/")
    return next((path for path in files_of(location) if read_text(path) is not None), None)


def _installed(entry: str, place: str) -> Signature | Problem:
    problem = missing(entry)
    if problem is not None:
        return problem
    top = place.split(".")[0]
    packages = () if top in sys.stdlib_module_names else (top,)
    return Signature(Code(entry=entry, digest=hash_of(entry), packages=packages), open=True)


def _of_project(entry: str, path: str, name: str, closure: Closure) -> Signature | Problem:
    module = closure.module(path)
    if module is None:
        return Problem(f"there is no file {path}", "its path starts at the spec's folder")
    if name not in module.binds:
        close = nearest(name, module.binds)
        callable_ = [
            known for known, bound in module.binds.items() if not known.startswith("_") and _is_callable(bound)
        ]
        known = f"it has {listing(callable_)}" if callable_ else "it has none"
        instead = f"{entry.partition(':')[0]}:{close}" if close else ""
        return Problem(f"{path} has no function {name}", f"did you mean {close}?" if close else known, path, 0, instead)
    closure.touch(path)
    closure.use(path, name)
    return _signature(entry, closure, *closure.definition(path, name))


def _is_callable(bound: Sequence[ast.stmt | Imported]) -> bool:
    """Whether a name may stand for a function or a class: what is imported is a mistake more often than meant."""
    last = bound[-1]
    return isinstance(last, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) or (
        isinstance(last, ast.Assign) and isinstance(last.value, ast.Call | ast.Lambda | ast.Name | ast.Attribute)
    )


ESTIMATES = ("fit", "predict")  # what a class has that makes a model


def _signature(entry: str, closure: Closure, path: str, defined: ast.stmt | None) -> Signature | Problem:
    line = defined.lineno if defined is not None else 0
    if isinstance(defined, ast.Assign | ast.AnnAssign) and isinstance(defined.value, _VALUES):
        name = entry.rpartition(":")[2]
        return Problem(f"{name} in {path} is a value, and no function", "name a function or a class", path, line)
    code = closure.code(entry)
    if isinstance(defined, ast.ClassDef):
        code = code.model_copy(update={"is_class": True})
        called = closure.constructor(path, defined)
    else:
        called = how_called(defined)
    found = Signature(code, open=True, line=line)
    if called is not None:
        found = _with_parameters(code, called, isinstance(defined, ast.ClassDef), closure.text(path), line)
    if isinstance(defined, ast.ClassDef):
        has = {name: closure.has_method(path, defined, name) for name in (*ESTIMATES, "predict_proba")}
        lacks = tuple(name for name in ESTIMATES if has[name] is False)
        return replace(found, probabilities=has["predict_proba"], lacks=lacks)
    return replace(found, strangers=tuple(strangers(path, defined, closure))) if defined is not None else found


_VALUES = (ast.Constant, ast.List, ast.Tuple, ast.Dict, ast.Set, ast.JoinedStr, ast.ListComp, ast.DictComp, ast.SetComp)


def _with_parameters(code: Code, called: Called, bound: bool, text: str, line: int) -> Signature:
    arguments = called.arguments[1:] if bound and called.has_self else called.arguments
    notes = {argument.arg: _written(argument.annotation, text) for argument in arguments if argument.annotation}
    names = tuple(argument.arg for argument in arguments)
    return Signature(
        code.model_copy(update={"parameters": names, "annotations": notes}),
        required=tuple(name for name in names if name in called.required),
        open=called.open,
        starred=called.starred,
        defaults=called.defaults,
        returns=_written(called.returns, text) if called.returns and not bound else "",
        line=line,
    )


def _written(annotation: ast.expr | None, text: str) -> str:
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        return annotation.value
    return " ".join((ast.get_source_segment(text, annotation) or "").split()) if annotation else ""
