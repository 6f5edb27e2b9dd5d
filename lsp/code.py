"""What a spec's editor may tell of Python: where a function stands, what it takes, and what its docstring says of that."""

from __future__ import annotations

import ast
import importlib.util
import inspect
import posixpath
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from ..compiler import installed, notebook, signature
from ..compiler.python_file import Broken, Problem, module_of
from .files import EditorFiles


@dataclass(frozen=True, slots=True)
class Parameter:
    """`default` and `annotation` as written, "" for none. `doc` is what the docstring says."""

    name: str
    annotation: str = ""
    default: str = ""
    doc: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """A line of a file, counted from 1; `path` is absolute."""

    path: str
    line: int
    column: int = 0


def parameters(entry: str, files: EditorFiles) -> tuple[Parameter, ...]:
    """Of "file.py:function" or "package.module:Class"; () where the source does not tell."""
    if _is_installed(entry):
        return _of_installed(entry)
    read = signature.read(entry, files.text)
    if isinstance(read, Problem):
        return ()
    if not read.code.files:
        return _of_installed(entry)
    docs = _said_of_parameters(doc(entry, files))
    return tuple(
        Parameter(
            name,
            read.code.annotations.get(name, ""),
            ast.unparse(read.defaults[name]) if name in read.defaults else "",
            docs.get(name, ""),
        )
        for name in read.code.parameters
    )


def _is_installed(entry: str) -> bool:
    return installed.find(entry) is not None


def _of_installed(entry: str) -> tuple[Parameter, ...]:
    called = installed.parameters(entry)
    if called is None:
        return ()
    docs = _said_of_parameters(_installed_doc(entry))
    return tuple(
        Parameter(
            argument.arg,
            ast.unparse(argument.annotation) if argument.annotation else "",
            ast.unparse(called.defaults[argument.arg]) if argument.arg in called.defaults else "",
            docs.get(argument.arg, ""),
        )
        for argument in called.arguments
    )


def of_notebook(path: str, files: EditorFiles) -> tuple[Parameter, ...]:
    read = notebook.read(path, files.text)
    return () if isinstance(read, Problem) else tuple(Parameter(name) for name in read.parameters or ())


# --- docstrings ---------------------------------------------------------------------------------------------------


def doc(entry: str, files: EditorFiles) -> str:
    defined = definition(entry, files)
    return (ast.get_docstring(defined) or "") if isinstance(defined, _DOCUMENTED) else _installed_doc(entry)


def summary(text: str) -> str:
    """The first paragraph of a docstring."""
    return " ".join(text.strip().partition("\n\n")[0].split())


@lru_cache(maxsize=256)
def _installed_doc(entry: str) -> str:
    found = installed.find(entry)
    if found is None or not isinstance(found.defined, _DOCUMENTED):
        return ""
    return ast.get_docstring(found.defined) or ""


_DOCUMENTED = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_NUMPY = re.compile(r"^Parameters\n-+\n(.*?)(?=^\S[^\n]*\n-{3,}$|\Z)", re.M | re.S)
_NUMPY_ITEM = re.compile(r"^(\*{0,2}\w+(?:, \w+)*)(?: ?: ?([^\n]*))?\n((?:[ \t]+[^\n]*\n?|\n)*)", re.M)
_GOOGLE = re.compile(r"^Args:\n((?:[ \t]+[^\n]*\n?|\n)*)", re.M)
_GOOGLE_ITEM = re.compile(r"^    (\w+)(?: \([^)\n]*\))?: ([^\n]*(?:\n      +[^\n]*)*)", re.M)


@lru_cache(maxsize=256)
def _said_of_parameters(text: str) -> dict[str, str]:
    """What a docstring in NumPy's or Google's form says of each parameter."""
    text = inspect.cleandoc(text) + "\n"
    found: dict[str, str] = {}
    if (section := _NUMPY.search(text)) is not None:
        for item in _NUMPY_ITEM.finditer(section[1]):
            said = "\n\n".join(part for part in (item[2] or "", _first_paragraph(item[3])) if part)
            found |= dict.fromkeys(item[1].split(", "), said)
    if (section := _GOOGLE.search(text)) is not None:
        found |= {item[1]: " ".join(item[2].split()) for item in _GOOGLE_ITEM.finditer(section[1])}
    return found


def _first_paragraph(text: str) -> str:
    return " ".join(inspect.cleandoc(text).partition("\n\n")[0].split())


# --- where it stands ----------------------------------------------------------------------------------------------


def definition(entry: str, files: EditorFiles) -> ast.stmt | None:
    """The statement in the project's own file that binds the name of an entry."""
    file, name = file_of(entry, files), entry.partition(":")[2]
    text = files.text(file) if file else None
    if text is None:
        return None
    try:
        bound = module_of(file, text).binds.get(name, ())
    except (Broken, RecursionError):
        return None
    return next((one for one in reversed(bound) if isinstance(one, ast.stmt)), None)


def file_of(entry: str, files: EditorFiles) -> str:
    """The project's file that an entry names, by its path from the spec's folder; "" for a package's."""
    place = entry.partition(":")[0]
    if place.endswith(".py") or "/" in place:
        return posixpath.normpath(place)
    location = place.replace(".", "/")
    for path in (f"{location}.py", f"{location}/__init__.py"):
        if place and files.text(path) is not None:
            return path
    return ""


def place_of(entry: str, files: EditorFiles) -> Place | None:
    file = file_of(entry, files)
    if not file:
        return _in_package(entry)
    defined = definition(entry, files)
    line, column = (defined.lineno, defined.col_offset) if defined is not None else (1, 0)
    return Place(str(files.root / file), line, column) if files.text(file) is not None else None


def place_of_parameter(entry: str, name: str, files: EditorFiles) -> Place | None:
    defined, file = definition(entry, files), file_of(entry, files)
    if defined is None:
        return place_of(entry, files)
    for part in ast.walk(defined):
        if isinstance(part, ast.arg) and part.arg == name:
            return Place(str(files.root / file), part.lineno, part.col_offset)
    return None


def _in_package(entry: str) -> Place | None:
    found = installed.find(entry)
    if found is None:
        return None
    path = _module_file(found.module)
    name = getattr(found.defined, "name", "")
    if path is None:
        return None
    text = path.read_text(encoding="utf-8", errors="replace")
    head = re.search(rf"^(?:class|def|async def) {re.escape(name)}\b", text, re.M)
    return Place(str(path), text.count("\n", 0, head.start()) + 1 if head else 1)


def _module_file(module: str) -> Path | None:
    """Nothing is imported: only the package's folder is asked for."""
    top, *steps = module.split(".")
    spec = importlib.util.find_spec(top)
    if spec is None:
        return None
    folders = spec.submodule_search_locations
    if not folders:
        return Path(spec.origin) if spec.origin and not steps else None
    bases = [Path(folder, *steps) for folder in folders]
    files = [path for base in bases for path in (base / "__init__.py", base.with_suffix(".py"))]
    return next((path for path in files if path.is_file()), None)
