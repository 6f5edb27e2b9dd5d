"""A user's Python, by its source -> how it is called, and all that it really uses. Nothing of it is imported or run.

What is used is followed through the project's own files. Where it cannot be followed, because a name is made while
running, the whole file counts.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import posixpath
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TypeGuard

from ..grammar.diagnostic import listing, nearest
from .program import Code

ReadText = Callable[[str], str | None]
Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong, in plain words, and where: `line` is 0 where there is none to show."""

    message: str
    help: str = ""
    path: str = ""
    line: int = 0


@dataclass(frozen=True, slots=True)
class Signature:
    """How a function or class is called.

    `open` takes any further argument, or cannot be read without importing it. `returns` is the annotation as written.
    """

    code: Code
    required: tuple[str, ...] = ()
    open: bool = False
    returns: str = ""
    line: int = 0


def read(entry: str, read_text: ReadText) -> Signature | Problem:
    """The signature of "file.py:function" or "package.module:attribute"; `read_text` gives a file of the project."""
    place, colon, name = entry.partition(":")
    if not colon or not place or not re.fullmatch(r"[^\W\d]\w*(\.[^\W\d]\w*)*", name):
        return Problem(f"{entry} names no function", "write file.py:function or package.module:attribute")
    path = _project_file(place, read_text)
    if path is None:
        return _installed(entry, place)
    closure = _Closure(read_text, posixpath.dirname(path))
    try:
        return _of_project(entry, path, name, closure)
    except _Broken as broken:
        return broken.problem
    except RecursionError:
        return Problem(f"{path} is nested too deeply to be read", path=path)


def _project_file(place: str, read_text: ReadText) -> str | None:
    """The file that an entry names, there or not; None for a module that is none of the project's."""
    if place.endswith(".py") or "/" in place:
        return posixpath.normpath(place)
    location = place.replace(".", "/")
    return next((path for path in _files_of(location) if read_text(path) is not None), None)


def _files_of(location: str) -> tuple[str, str]:
    return f"{location}.py", f"{location}/__init__.py"


def _installed(entry: str, place: str) -> Signature:
    top = place.split(".")[0]
    packages = () if top in sys.stdlib_module_names else (top,)
    return Signature(Code(entry=entry, digest=_hash(entry), packages=packages), open=True)


def _of_project(entry: str, path: str, name: str, closure: _Closure) -> Signature | Problem:
    module = closure.module(path)
    if module is None:
        return Problem(f"there is no file {path}", "its path starts at the spec's folder")
    if name not in module.binds:
        close = nearest(name, module.binds)
        known = f"it has {listing(n for n in module.binds if not n.startswith('_'))}" if module.binds else "it has none"
        return Problem(f"{path} has no function {name}", f"did you mean {close}?" if close else known, path)
    closure.touch(path)
    closure.use(path, name)
    return _signature(entry, closure, *closure.definition(path, name))


def _signature(entry: str, closure: _Closure, path: str, defined: ast.stmt | None) -> Signature:
    line = defined.lineno if defined is not None else 0
    code = closure.code(entry)
    if isinstance(defined, ast.ClassDef):
        code = code.model_copy(update={"is_class": True})
        called = closure.constructor(path, defined)
    else:
        called = _called(defined)
    if called is None:
        return Signature(code, open=True, line=line)
    text = closure.text(path)
    return _with_parameters(code, called, isinstance(defined, ast.ClassDef), text, line)


def _with_parameters(code: Code, called: _Called, bound: bool, text: str, line: int) -> Signature:
    arguments = called.arguments[1:] if bound and called.has_self else called.arguments
    notes = {argument.arg: _written(argument.annotation, text) for argument in arguments if argument.annotation}
    names = tuple(argument.arg for argument in arguments)
    return Signature(
        code.model_copy(update={"parameters": names, "annotations": notes}),
        required=tuple(name for name in names if name in called.required),
        open=called.open,
        returns=_written(called.returns, text) if called.returns and not bound else "",
        line=line,
    )


def _written(annotation: ast.expr | None, text: str) -> str:
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        return annotation.value
    return " ".join((ast.get_source_segment(text, annotation) or "").split()) if annotation else ""


# --- how it is called -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Called:
    """The parameters of a function, or the fields of a dataclass."""

    arguments: tuple[ast.arg, ...]
    required: frozenset[str]
    open: bool = False
    has_self: bool = False
    returns: ast.expr | None = None


def _called(defined: ast.AST | None) -> _Called | None:
    """None where it takes reading more than the source: what is called is made while running."""
    if isinstance(defined, ast.Assign | ast.AnnAssign):
        return _called(defined.value) if isinstance(defined.value, ast.Lambda) else None
    if not isinstance(defined, Function):
        return None
    given = defined.args
    placed = [*given.posonlyargs, *given.args]
    needed = placed[: len(placed) - len(given.defaults)]
    named = [argument for argument, default in zip(given.kwonlyargs, given.kw_defaults, strict=True) if default is None]
    return _Called(
        arguments=(*placed, *given.kwonlyargs),
        required=frozenset(argument.arg for argument in (*needed, *named)),
        open=given.kwarg is not None,
        has_self=bool(placed),
        returns=None if isinstance(defined, ast.Lambda) else defined.returns,
    )


def _fields(defined: ast.ClassDef) -> _Called | None:
    """The parameters of a dataclass; None for another class."""
    marks = [mark.func if isinstance(mark, ast.Call) else mark for mark in defined.decorator_list]
    if not any((_chain(mark) or ("",))[-1] == "dataclass" for mark in marks):
        return None
    fields = [item for item in defined.body if isinstance(item, ast.AnnAssign) and _is_field(item)]
    names = [ast.arg(ast.unparse(item.target), item.annotation) for item in fields]
    needed = frozenset(name.arg for name, item in zip(names, fields, strict=True) if item.value is None)
    return _Called(tuple(names), needed)


def _is_field(item: ast.AnnAssign) -> bool:
    return isinstance(item.target, ast.Name) and "ClassVar" not in ast.unparse(item.annotation)


# --- one file -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Imported:
    """A name that an import binds: `from module import name`, or the module itself where `name` is empty.

    `level` counts the leading dots. `rooted` is `import a.b`, which binds `a`.
    """

    module: str
    name: str = ""
    level: int = 0
    rooted: bool = False


@dataclass(frozen=True, slots=True)
class _Module:
    """What a file binds at its top level, what else it does when imported, and what it takes in with a star."""

    tree: ast.Module
    binds: dict[str, list[ast.stmt | _Imported]]
    acts: tuple[ast.stmt, ...]
    stars: tuple[_Imported, ...]


class _Broken(Exception):
    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


@lru_cache(maxsize=256)
def _parse(path: str, text: str) -> _Module:
    try:
        tree = ast.parse(text)
    except SyntaxError as error:
        raise _Broken(Problem(f"{path} is not valid Python: {error.msg}", "", path, error.lineno or 0)) from None
    except ValueError as error:
        raise _Broken(Problem(f"{path} is not valid Python: {error}", "", path)) from None
    binds: dict[str, list[ast.stmt | _Imported]] = {}
    stars: list[_Imported] = []
    for statement in tree.body:
        if _is_main(statement):
            continue
        for name, bound in _bindings(statement):
            if name == "*" and isinstance(bound, _Imported):
                stars.append(bound)
            else:
                binds.setdefault(name, []).append(bound)
    acts = tuple(statement for statement in tree.body if _acts(statement) and not _is_main(statement))
    return _Module(tree, binds, acts, tuple(stars))


def _bindings(statement: ast.stmt) -> Iterator[tuple[str, ast.stmt | _Imported]]:
    if isinstance(statement, ast.Import | ast.ImportFrom):
        yield from _imports(statement)
        return
    imported = [part for part in _within([statement]) if isinstance(part, ast.Import | ast.ImportFrom)]
    for part in imported:
        yield from ((name, found) if name == "*" else (name, statement) for name, found in _imports(part))
    for name in sorted(_stored([statement])):
        yield name, statement


def _imports(statement: ast.Import | ast.ImportFrom) -> Iterator[tuple[str, _Imported]]:
    for alias in statement.names:
        if isinstance(statement, ast.ImportFrom):
            yield alias.asname or alias.name, _Imported(statement.module or "", alias.name, statement.level)
        elif alias.asname:
            yield alias.asname, _Imported(alias.name)
        else:
            yield alias.name.split(".")[0], _Imported(alias.name, rooted=True)


def _is_main(statement: ast.stmt) -> bool:
    """`if __name__ == "__main__":` does not run here."""
    return isinstance(statement, ast.If) and any(
        isinstance(part, ast.Name) and part.id == "__name__" for part in ast.walk(statement.test)
    )


def _acts(statement: ast.stmt) -> bool:
    """Whether a statement does more than bind names: a bare call, or a change of something that was there."""
    match statement:
        case ast.Expr():
            return not isinstance(statement.value, ast.Constant)
        case ast.Assign():
            return any(isinstance(target, ast.Attribute | ast.Subscript) for target in statement.targets)
        case ast.AugAssign():
            return not isinstance(statement.target, ast.Name)
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            return False
        case ast.Delete() | ast.Assert() | ast.Raise():
            return True
    return any(_acts(part) for part in _within(ast.iter_child_nodes(statement)) if isinstance(part, ast.stmt))


def _within(nodes: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """All nodes of one scope: a function or class in it is met, not entered; nor is a comprehension."""
    for node in nodes:
        yield node
        if not isinstance(node, Function | ast.ClassDef | ast.comprehension):
            yield from _within(ast.iter_child_nodes(node))


def _stored(nodes: Iterable[ast.AST]) -> set[str]:
    """The names that one scope binds, imports aside."""
    names: set[str] = set()
    for node in _within(nodes):
        match node:
            case ast.Name(ctx=ast.Store() | ast.Del()):
                names.add(node.id)
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                names.add(node.name)
            case ast.ExceptHandler() | ast.MatchAs() | ast.MatchStar() if node.name:
                names.add(node.name)
            case ast.MatchMapping() if node.rest:
                names.add(node.rest)
            case _:
                pass
    return names


# --- what a definition speaks of ------------------------------------------------------------------------------

Chain = tuple[str, ...]  # a name and the attributes asked of it: pd.DataFrame is ("pd", "DataFrame")


@dataclass(slots=True)
class _Uses:
    """The names from outside that a piece of source speaks of, and its own imports."""

    chains: set[Chain] = field(default_factory=set)
    imports: dict[str, _Imported] = field(default_factory=dict)
    dynamic: bool = False


# What reaches names that stand in no source.
_DYNAMIC = {"exec", "eval", "__import__", "globals", "import_module"}


@lru_cache(maxsize=8192)
def _uses(node: ast.AST) -> _Uses:
    uses = _Uses()
    _collect(node, frozenset(), uses)
    return uses


def _collect(node: ast.AST, own: frozenset[str], uses: _Uses) -> None:
    match node:
        case ast.Name() | ast.Attribute() if chain := _chain(node):
            if chain[0] not in own:
                uses.chains.add(chain)
                uses.dynamic |= chain[0] in _DYNAMIC or chain[-1] == "import_module"
            return
        case ast.Import() | ast.ImportFrom():
            uses.imports.update(_imports(node))
            return
        case ast.Call() if (_chain(node.func) or ("",))[-1] in ("import_module", "__import__"):
            _imported_by_text(node, uses)
        case ast.Global():
            uses.chains.update((name,) for name in node.names)
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.Lambda():
            _collect_function(node, own, uses)
            return
        case ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
            own = own | _stored(part.target for part in node.generators)
        case _:
            pass
    for part in ast.iter_child_nodes(node):
        _collect(part, own, uses)


def _collect_function(node: Function, own: frozenset[str], uses: _Uses) -> None:
    """Decorators, defaults and annotations are read outside; the body has names of its own."""
    _collect(node.args, own, uses)
    body: list[ast.AST] = [node.body] if isinstance(node, ast.Lambda) else [*node.body]
    if not isinstance(node, ast.Lambda):
        for outside in (*node.decorator_list, *([node.returns] if node.returns else [])):
            _collect(outside, own, uses)
    parameters = {part.arg for part in ast.walk(node.args) if isinstance(part, ast.arg)}
    inner = (own | parameters | _stored(body)) - _shared(body)
    for part in body:
        _collect(part, inner, uses)


def _shared(body: list[ast.AST]) -> set[str]:
    """Names of a function that are not its own after all: those of the file, and those that it imports."""
    names: set[str] = set()
    for part in _within(body):
        if isinstance(part, ast.Global):
            names.update(part.names)
        elif isinstance(part, ast.Import | ast.ImportFrom):
            names.update(name for name, _ in _imports(part))
    return names


def _imported_by_text(call: ast.Call, uses: _Uses) -> None:
    if call.args and isinstance(call.args[0], ast.Constant) and isinstance(call.args[0].value, str):
        named = call.args[0].value
        uses.imports[named] = _Imported(named.lstrip("."), level=len(named) - len(named.lstrip(".")))
        uses.chains.add((named,))


def _chain(node: ast.AST) -> Chain | None:
    names: list[str] = []
    while isinstance(node, ast.Attribute):
        names.append(node.attr)
        node = node.value
    return (node.id, *reversed(names)) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) else None


# --- what is the same -----------------------------------------------------------------------------------------


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@lru_cache(maxsize=8192)
def _digest(bound: ast.AST | _Imported) -> str:
    if isinstance(bound, _Imported):
        return _hash(f"{'.' * bound.level}{bound.module} {bound.name}")[:16]
    return _hash(_meaning(bound))[:16]


_ASIDE = ("kind", "type_comment", "type_ignores", "ctx")


def _meaning(value: object) -> str:
    """A syntax tree as text: no places, no comments, no docstrings. Not ast.dump, which differs between Pythons."""
    if isinstance(value, ast.AST):
        fields = ((name, part) for name, part in ast.iter_fields(value) if name not in _ASIDE and part is not None)
        return f"{type(value).__name__}({','.join(f'{name}={_meaning(part)}' for name, part in fields if part != [])})"
    if isinstance(value, list):
        return f"[{','.join(_meaning(part) for part in value if not _says_nothing(part))}]"
    return f"{type(value).__name__}:{value!r}"


def _says_nothing(part: object) -> bool:
    return isinstance(part, ast.Pass) or (isinstance(part, ast.Expr) and isinstance(part.value, ast.Constant))


# --- all that is used -----------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Closure:
    """Grows while what an entry uses is followed. A location is a path without its ending: a file or a folder."""

    read_text: ReadText
    home: str  # the folder of the entry's file: beside the spec's own, where imports start
    parts: dict[str, str] = field(default_factory=dict)
    packages: set[str] = field(default_factory=set)
    texts: dict[str, str | None] = field(default_factory=dict)
    touched: set[str] = field(default_factory=set)
    asked: set[tuple[str, str, Chain]] = field(default_factory=set)

    def code(self, entry: str) -> Code:
        parts = dict(sorted(self.parts.items()))
        files = tuple(sorted({part.rsplit(":", 1)[0] for part in parts}))
        digest = _hash("\n".join(f"{name} {short}" for name, short in parts.items()))
        return Code(entry=entry, digest=digest, parts=parts, files=files, packages=tuple(sorted(self.packages)))

    def text(self, path: str) -> str:
        if path not in self.texts:
            self.texts[path] = self.read_text(path)
        return self.texts[path] or ""

    def exists(self, path: str) -> bool:
        self.text(path)
        return self.texts[path] is not None

    def module(self, path: str) -> _Module | None:
        return _parse(path, self.text(path)) if self.exists(path) else None

    def file(self, location: str) -> str | None:
        return next((path for path in _files_of(location) if self.exists(path)), None)

    # What follows marks first and goes on then, so that circles end.

    def use(self, path: str, name: str, attributes: Chain = ()) -> None:
        """A name at the top level of a file, and `attributes` asked of it."""
        if (path, name, attributes) in self.asked:
            return
        self.asked.add((path, name, attributes))
        bound = _known(self.module(path)).binds[name]
        key, seen = f"{path}:{name}", f"{path}:{name}" in self.parts
        self.parts[key] = _digest(bound[0]) if len(bound) == 1 else _hash(" ".join(map(_digest, bound)))[:16]
        for one in bound:
            if isinstance(one, _Imported):
                self.use_import(path, one, attributes)
                continue
            uses = _uses(one)
            if name in uses.imports:
                self.use_import(path, uses.imports[name], attributes)
            if not seen:
                self.follow(path, uses)

    def follow(self, path: str, uses: _Uses) -> None:
        binds = _known(self.module(path)).binds
        for chain in sorted(uses.chains):
            if chain[0] in uses.imports:
                self.use_import(path, uses.imports[chain[0]], chain[1:])
            elif chain[0] in binds:
                self.use(path, chain[0], chain[1:])
        if uses.dynamic:
            self.use_whole(path)

    def use_import(self, path: str, imported: _Imported, attributes: Chain) -> None:
        location = self.locate(path, imported)
        if location is None:
            top = imported.module.split(".")[0]
            if top and not imported.level and top not in sys.stdlib_module_names:
                self.packages.add(top)
        elif imported.rooted and "." in imported.module:
            ups = imported.module.count(".")
            self.walk("/".join(location.split("/")[:-ups]), attributes)
        else:
            self.walk(location, (imported.name, *attributes) if imported.name not in ("", "*") else attributes)

    def walk(self, location: str, attributes: Chain) -> None:
        """From a module along attributes to the name that is meant."""
        file = self.file(location)
        if file is not None:
            self.touch(file)
            if not attributes:
                return self.use_whole(file)
            if attributes[0] in _known(self.module(file)).binds:
                return self.use(file, attributes[0], attributes[1:])
        if attributes and self.leads(f"{location}/{attributes[0]}", attributes[1:]):
            return self.walk(f"{location}/{attributes[0]}", attributes[1:])
        if file is not None:  # a name that it takes in with a star, or makes while running
            self.use_whole(file)
        return None

    def leads(self, location: str, attributes: Chain) -> bool:
        return self.file(location) is not None or (
            bool(attributes) and self.leads(f"{location}/{attributes[0]}", attributes[1:])
        )

    def locate(self, path: str, imported: _Imported) -> str | None:
        """Where an imported module lies in the project; None where it is none of the project's."""
        steps = imported.module.split(".") if imported.module else []
        if imported.level:
            folder = posixpath.dirname(path)
            for _ in range(imported.level - 1):
                folder = posixpath.dirname(folder)
            bases = [folder]
        else:
            bases = [self.home, ""]
        for base in dict.fromkeys(bases):
            location = posixpath.join(base, *steps)
            inside = posixpath.join(location, imported.name) if imported.name not in ("", "*") else ""
            if self.file(location) or (inside and self.file(inside)):
                self.touch_above(base, steps)
                return location
        return None

    def touch_above(self, base: str, steps: list[str]) -> None:
        """Importing a.b runs a/__init__.py too."""
        for count in range(1, len(steps)):
            above = posixpath.join(base, *steps[:count], "__init__.py")
            if self.exists(above):
                self.touch(above)

    def touch(self, path: str) -> None:
        """A file is imported: what it does then counts, whichever of its names is used."""
        if path in self.touched:
            return
        self.touched.add(path)
        module = _known(self.module(path))
        if module.acts:
            self.parts[f"{path}:when imported"] = _hash(" ".join(map(_digest, module.acts)))[:16]
        for act in module.acts:
            self.follow(path, _uses(act))
        for star in module.stars:
            self.use_import(path, star, ())
        for imported in [one for bound in module.binds.values() for one in bound if isinstance(one, _Imported)]:
            self.touch_import(path, imported)

    def touch_import(self, path: str, imported: _Imported) -> None:
        location = self.locate(path, imported)
        for place in (location, f"{location}/{imported.name}") if location is not None else ():
            file = self.file(place) if place else None
            if file is not None:
                self.touch(file)

    def use_whole(self, path: str) -> None:
        if f"{path}:*" in self.parts:
            return
        module = _known(self.module(path))
        self.parts[f"{path}:*"] = _digest(module.tree)
        for name in module.binds:
            self.use(path, name)

    # How the entry is called.

    def definition(self, path: str, name: str) -> tuple[str, ast.stmt | None]:
        """The statement that defines a name, followed through imports within the project; None outside of it."""
        module = self.module(path)
        for one in reversed(module.binds.get(name, []) if module else []):
            if isinstance(one, _Imported):
                location = self.locate(path, one)
                file = self.file(location) if location is not None else None
                return self.definition(file, one.name) if file and (file, one.name) != (path, name) else (path, None)
            found = [part for part in _within([one]) if _defines(part, name)]
            return path, found[-1] if found else None
        return path, None

    def constructor(self, path: str, defined: ast.ClassDef) -> _Called | None:
        """The `__init__` of a class or of the nearest class above it; None where that is not the project's."""
        own = next((part for part in defined.body if _defines(part, "__init__")), None)
        if own is not None:
            return _called(own)
        if _makes_itself(defined):
            return None
        fields = _fields(defined)
        if fields is not None:
            return fields if not defined.bases else None
        for base in defined.bases:
            name = base.id if isinstance(base, ast.Name) else ""
            if (_chain(base) or ("",))[-1] in _PLAIN_BASES:
                continue
            where, above = self.definition(path, name)
            return self.constructor(where, above) if isinstance(above, ast.ClassDef) and above is not defined else None
        return _Called((), frozenset())


# Classes to inherit from that have no parameters of their own.
_PLAIN_BASES = ("object", "ABC", "Protocol", "BaseEstimator", "ClassifierMixin", "RegressorMixin", "TransformerMixin")


def _defines(part: ast.AST, name: str) -> TypeGuard[ast.stmt]:
    if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return part.name == name
    targets = part.targets if isinstance(part, ast.Assign) else [part.target] if isinstance(part, ast.AnnAssign) else []
    return any(isinstance(target, ast.Name) and target.id == name for target in targets)


def _known(module: _Module | None) -> _Module:
    assert module is not None, "a file is asked for only after it was found"
    return module


# --- estimators of installed packages -------------------------------------------------------------------------


@lru_cache(maxsize=1024)
def estimator_arguments(entry: str) -> tuple[str, ...] | None:
    """What an installed class or factory takes, by its package's source; None where that does not tell."""
    place, _, name = entry.partition(":")
    found = _find(place, name)
    if found is None:
        return None
    called = _called(found.defined) if not isinstance(found.defined, ast.ClassDef) else _init(found)
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


def _init(found: _Found) -> _Called | None:
    """The `__init__` of a class, its own or the first that it inherits."""
    assert isinstance(found.defined, ast.ClassDef)
    own = next((part for part in found.defined.body if _defines(part, "__init__")), None)
    if own is not None:
        called = _called(own)
        starred = isinstance(own, ast.FunctionDef) and own.args.vararg is not None
        return None if starred else called
    if _makes_itself(found.defined):
        return None
    inherited = _Called((), frozenset())
    for base in found.defined.bases:
        above = _base(found, base)
        if above is None:
            return None
        called = _init(above) if isinstance(above.defined, ast.ClassDef) else inherited
        if called is None or called.arguments or called.open:
            return called
    return inherited


def _makes_itself(defined: ast.ClassDef) -> bool:
    """A class with a `__new__` is called as that says, which may hand back anything."""
    return any(_defines(part, "__new__") for part in defined.body)


def _base(found: _Found, base: ast.expr) -> _Found | None:
    chain = _chain(base)
    if chain is None or len(chain) > 1:
        return None
    if chain[0] in _PLAIN_BASES or chain[0].endswith("Mixin"):
        return _Found("", ast.Pass())
    return _find(found.module, chain[0])


def _kind(found: _Found) -> str:
    if not isinstance(found.defined, ast.ClassDef):
        return ""
    for base in found.defined.bases:
        chain = _chain(base) or ("",)
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
