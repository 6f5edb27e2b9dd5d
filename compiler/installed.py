"""A class or function of an installed package, by the package's source -> what it takes and what it is.

Nothing of it is imported: that would cost seconds, and run somebody's code.
"""

from __future__ import annotations

import ast
import importlib.util
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from .called import PLAIN_BASES, Called, how_called, makes_itself
from .python_file import chain_of, defines


@lru_cache(maxsize=1024)
def estimator_arguments(entry: str) -> tuple[str, ...] | None:
    """What an installed class or factory takes, by its package's source; None where that does not tell."""
    place, _, name = entry.partition(":")
    found = _find(place, name)
    if found is None:
        return None
    called = how_called(found.defined) if not isinstance(found.defined, ast.ClassDef) else _init(found)
    bound = isinstance(found.defined, ast.ClassDef)
    if called is None or called.open:
        return None
    return tuple(argument.arg for argument in (called.arguments[1:] if bound and called.has_self else called.arguments))


@lru_cache(maxsize=1024)
def estimator_kind(entry: str) -> str:
    """ "classifier", "regressor", or "" where neither its name nor what it inherits tells."""
    place, _, name = entry.partition(":")
    for ending in ("Classifier", "Regressor"):
        if name.endswith(ending):
            return ending.lower()
    found = None if place.endswith(".py") or "/" in place else _find(place, name)
    return _kind(found) if found is not None else ""


@dataclass(frozen=True, slots=True)
class _Found:
    module: str
    defined: ast.stmt


def _init(found: _Found) -> Called | None:
    """The `__init__` of a class, its own or the first that it inherits."""
    assert isinstance(found.defined, ast.ClassDef)
    own = next((part for part in found.defined.body if defines(part, "__init__")), None)
    if own is not None:
        called = how_called(own)
        starred = isinstance(own, ast.FunctionDef) and own.args.vararg is not None
        return None if starred else called
    if makes_itself(found.defined):
        return None
    inherited = Called((), frozenset())
    for base in found.defined.bases:
        above = _base(found, base)
        if above is None:
            return None
        called = _init(above) if isinstance(above.defined, ast.ClassDef) else inherited
        if called is None or called.arguments or called.open:
            return called
    return inherited


def _base(found: _Found, base: ast.expr) -> _Found | None:
    chain = chain_of(base)
    if chain is None or len(chain) > 1:
        return None
    if chain[0] in PLAIN_BASES or chain[0].endswith("Mixin"):
        return _Found("", ast.Pass())
    return _find(found.module, chain[0])


def _kind(found: _Found) -> str:
    if not isinstance(found.defined, ast.ClassDef):
        return ""
    for base in found.defined.bases:
        chain = chain_of(base) or ("",)
        if chain[-1] in ("ClassifierMixin", "RegressorMixin"):
            return chain[-1].removesuffix("Mixin").lower()
        above = _find(found.module, chain[0]) if chain[0] and len(chain) == 1 else None
        kind = _kind(above) if above is not None else ""
        if kind:
            return kind
    return ""


@lru_cache(maxsize=4096)
def _find(module: str, name: str, depth: int = 0) -> _Found | None:
    """The statement that defines a name of an installed module, followed through imports."""
    text = _source(module)
    if not text or depth > 9:
        return None
    defined = _definition_in(text, name)
    if defined is not None:
        return _Found(module, defined)
    stars = []
    for source, names in _imports_in(text):
        target = _absolute(module, source)
        for own, theirs in names:
            if own == name:
                return _find(target, theirs, depth + 1)
            if own == "*" and target.split(".")[0] == module.split(".")[0]:
                stars.append(target)
    return next((found for target in stars if (found := _find(target, name, depth + 1))), None)


def _definition_in(text: str, name: str) -> ast.stmt | None:
    """A class or function at the top level. Only its own lines are parsed: a file of scikit-learn takes 50 ms."""
    head = re.search(rf"^(class|def) {re.escape(name)}\b", text, re.MULTILINE)
    if head is None:
        return None
    for end in _MARGIN.finditer(text, head.end()):
        try:
            parsed = ast.parse(text[head.start() : end.start()])
        except SyntaxError:  # a line of a text within it begins at the margin
            continue
        return parsed.body[0]
    return None


_MARGIN = re.compile(r"^[^\s#)\]}]|\Z", re.MULTILINE)
_IMPORT = re.compile(r"^[ \t]*from[ \t]+(\.*[\w.]*)[ \t]+import[ \t]+(\([^)]*\)|[^\n#(]+)", re.MULTILINE)


@lru_cache(maxsize=256)
def _imports_in(text: str) -> tuple[tuple[str, tuple[tuple[str, str], ...]], ...]:
    """Of each `from module import …`: the module, and pairs of the name here and the name there."""
    found = []
    for line in _IMPORT.finditer(text):
        words = re.sub(r"#[^\n]*|[()\\]", " ", line[2]).split(",")
        pairs = [word.split(" as ") for word in (" ".join(word.split()) for word in words) if word]
        found.append((line[1], tuple((pair[-1], pair[0]) for pair in pairs)))
    return tuple(found)


def _absolute(module: str, source: str) -> str:
    level = len(source) - len(source.lstrip("."))
    if not level:
        return source
    path = _installed_file(module)
    package = module.split(".") if path is not None and path.name == "__init__.py" else module.split(".")[:-1]
    return ".".join([*package[: len(package) - level + 1], *filter(None, [source.lstrip(".")])])


@lru_cache(maxsize=256)
def _source(module: str) -> str:
    path = _installed_file(module)
    try:
        return path.read_text(encoding="utf-8") if path is not None else ""
    except (OSError, UnicodeDecodeError):
        return ""


@lru_cache(maxsize=1024)
def _installed_file(module: str) -> Path | None:
    top, *steps = module.split(".")
    try:
        spec = importlib.util.find_spec(
            top
        )  # of the top package alone: of a module within, it would import the package
    except (ImportError, ValueError):
        return None
    if spec is None:
        return None
    if not spec.submodule_search_locations:
        return Path(spec.origin) if spec.origin and spec.origin.endswith(".py") and not steps else None
    for folder in spec.submodule_search_locations:
        base = Path(folder, *steps)
        for path in (base / "__init__.py", base.with_suffix(".py")):
            if path.is_file():
                return path
    return None
