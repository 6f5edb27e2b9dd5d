"""A class or function of an installed package, by the package's source -> what it takes and what it is.

Nothing of it is imported: that would cost seconds, and run somebody's code.
"""

from __future__ import annotations

import ast
import importlib.util
import pkgutil
import re
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from ..grammar.diagnostic import nearest
from .called import PLAIN_BASES, Called, how_called, makes_itself
from .python_file import Broken, Problem, chain_of, defines, module_of


@lru_cache(maxsize=1024)
def estimator_arguments(entry: str) -> tuple[str, ...] | None:
    """What an installed class or factory takes, by its package's source; None where that does not tell."""
    called = parameters(entry)
    return None if called is None or called.open else tuple(argument.arg for argument in called.arguments)


@lru_cache(maxsize=1024)
def parameters(entry: str) -> Called | None:
    """How an installed class or factory is called, `self` aside; None where its package's source does not tell."""
    found = find(entry)
    if found is None:
        return None
    if not isinstance(found.defined, ast.ClassDef):
        return how_called(found.defined)
    called = _init(found)
    return replace(called, arguments=called.arguments[1:]) if called and called.has_self else called


@lru_cache(maxsize=1024)
def estimator_kind(entry: str) -> str:
    """ "classifier", "regressor", or "" where neither its name nor what it inherits tells."""
    name = entry.rpartition(":")[2]
    for ending in ("Classifier", "Regressor"):
        if name.endswith(ending):
            return ending.lower()
    found = find(entry)
    return _kind(found) if found is not None else ""


@lru_cache(maxsize=1024)
def has_method(entry: str, name: str) -> tuple[bool | None, str]:
    """Whether an installed class has a method, and the name of the check that decides it while running, if one does."""
    found = find(entry)
    if found is None or not isinstance(found.defined, ast.ClassDef):
        return None, ""
    return _method(found, name)


def _method(found: Found, name: str) -> tuple[bool | None, str]:
    assert isinstance(found.defined, ast.ClassDef)
    own = next((part for part in found.defined.body if defines(part, name)), None)
    if own is not None:
        return True, _deciding(own)
    unknown = bool(found.defined.decorator_list) or any(defines(part, "__getattr__") for part in found.defined.body)
    for base in found.defined.bases:
        above = _mixed_in(found, base) or _base(found, base)
        if above is None or not isinstance(above.defined, ast.ClassDef):
            unknown = unknown or above is None
            continue
        there, check = _method(above, name)
        if there:
            return there, check
        unknown = unknown or there is None
    return (None if unknown else False), ""


def _deciding(method: ast.stmt) -> str:
    for mark in method.decorator_list if isinstance(method, ast.FunctionDef) else ():
        if isinstance(mark, ast.Call) and (chain_of(mark.func) or ("",))[-1] in (
            "available_if",
            "if_delegate_has_method",
        ):
            return ast.unparse(mark.args[0]) if mark.args else "?"
    return ""


@dataclass(frozen=True, slots=True)
class Found:
    """A definition and the module that holds it."""

    module: str
    defined: ast.stmt


def find(entry: str) -> Found | None:
    """What an entry names in an installed package; None where its source does not tell."""
    place, _, name = entry.partition(":")
    return None if place.endswith(".py") or "/" in place else found_in(place, name)


def _init(found: Found) -> Called | None:
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


def _base(found: Found, base: ast.expr) -> Found | None:
    """The class above; one without a body for those that say nothing, None for one that cannot be read."""
    chain = chain_of(base)
    if chain is None or len(chain) > 1:
        return None
    if chain[0] in PLAIN_BASES or chain[0].endswith("Mixin"):
        return Found("", ast.Pass())
    return found_in(found.module, chain[0])


def _mixed_in(found: Found, base: ast.expr) -> Found | None:
    """A class that adds methods and no parameters."""
    chain = chain_of(base) or ("",)
    return found_in(found.module, chain[0]) if len(chain) == 1 and chain[0].endswith("Mixin") else None


def _kind(found: Found) -> str:
    if not isinstance(found.defined, ast.ClassDef):
        return ""
    for base in found.defined.bases:
        chain = chain_of(base) or ("",)
        if chain[-1] in ("ClassifierMixin", "RegressorMixin"):
            return chain[-1].removesuffix("Mixin").lower()
        above = found_in(found.module, chain[0]) if chain[0] and len(chain) == 1 else None
        kind = _kind(above) if above is not None else ""
        if kind:
            return kind
    return ""


@lru_cache(maxsize=256)
def absent(entry: str) -> str:
    """The package of an entry that is not installed here, "" for one that is."""
    package = entry.partition(":")[0].partition(".")[0]
    try:
        return "" if importlib.util.find_spec(package) is not None else package
    except (ImportError, ValueError):
        return ""


def packages() -> tuple[str, ...]:
    """The names of all that can be imported here, for did-you-mean."""
    return tuple(one.name for one in pkgutil.iter_modules() if not one.name.startswith("_"))


# --- what is not there ----------------------------------------------------------------------------------------


@lru_cache(maxsize=1024)
def missing(entry: str) -> Problem | None:
    """What is wrong with an entry of an installed package that certainly has no such module or name."""
    place, _, name = entry.partition(":")
    steps = place.split(".")
    for count in range(1, len(steps)):
        parent, step = ".".join(steps[:count]), steps[count]
        if _installed_file(f"{parent}.{step}") is None:
            return _no_module(parent, step, entry)
    known = names_of(place)
    first = name.partition(".")[0]
    if known is None or first in known:
        return None
    public = [one for one in known if not one.startswith("_")]
    close = nearest(first, public)
    help_ = f"did you mean {close}?" if close else ""
    return Problem(
        f"{place} has no {name}", help_, instead=f"{place}:{close}" if close == nearest(name, public) else ""
    )


def _no_module(parent: str, step: str, entry: str) -> Problem | None:
    known = names_of(parent)
    if known is None or step in known:
        return None
    close = nearest(step, sorted(one for one in known if not one.startswith("_")))
    right = f"{parent}.{close}"
    instead = entry.replace(f"{parent}.{step}", right, 1) if close else ""
    return Problem(f"there is no module {parent}.{step}", f"did you mean {right}?" if close else "", instead=instead)


# What makes names while running, so that they stand in no source.
_MADE_UP = re.compile(r"def __getattr__|\bglobals\(\)|\blazy|\bsetattr\(|\bexec\(|\bsys\.modules\b")


@lru_cache(maxsize=256)
def names_of(module: str, depth: int = 0) -> frozenset[str] | None:
    """All names that a module has; None where it takes running it to know."""
    path, text = _installed_file(module), _source(module)
    if path is None or not text or depth > 5:
        return None
    if _MADE_UP.search(
        re.sub(r"^def __getattr__\(name\):(\n[ \t]+.*|\n)*", _plain_submodules, text, flags=re.MULTILINE)
    ):
        return None
    try:
        read = module_of(str(path), text)
    except (Broken, RecursionError):
        return None
    found = {*read.binds, *(_within_package(path) if path.name == "__init__.py" else ())}
    for star in read.stars:
        more = names_of(_absolute(module, "." * star.level + star.module), depth + 1)
        if more is None:
            return None
        found |= more
    return frozenset(found)


def _plain_submodules(function: re.Match[str]) -> str:
    """scikit-learn's own `__getattr__` imports its submodules, which are seen as files anyway."""
    return "" if "import_module" in function[0] and "_submodules" in function[0] else function[0]


def _within_package(path: Path) -> set[str]:
    """Modules, packages and compiled modules of a folder."""
    return {one.name.partition(".")[0] for one in path.parent.iterdir()}


# --- reading --------------------------------------------------------------------------------------------------


@lru_cache(maxsize=4096)
def found_in(module: str, name: str, depth: int = 0) -> Found | None:
    """The statement that defines a name of an installed module, followed through imports."""
    text = _source(module)
    if not text or depth > 9:
        return None
    defined = _definition_in(text, name)
    if defined is not None:
        return Found(module, defined)
    stars = []
    for source, names in _imports_in(text):
        target = _absolute(module, source)
        for own, theirs in names:
            if own == name:
                return found_in(target, theirs, depth + 1)
            if own == "*" and target.split(".")[0] == module.split(".")[0]:
                stars.append(target)
    return next((found for target in stars if (found := found_in(target, name, depth + 1))), None)


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
