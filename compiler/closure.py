"""An entry in a user's Python -> all that it really uses in the project's own files, each part with a digest.

Where it cannot be followed, because a name is made while running, the whole file counts.
"""

from __future__ import annotations

import ast
import hashlib
import posixpath
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache

from .called import PLAIN_BASES, Called, fields_of, how_called, makes_itself
from .program import Code
from .python_file import Chain, Function, Imported, Module, chain_of, defines, imports_of, module_of, stored, within

ReadText = Callable[[str], str | None]

# --- all that is used -----------------------------------------------------------------------------------------


@dataclass(slots=True)
class Closure:
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
        digest = hash_of("\n".join(f"{name} {short}" for name, short in parts.items()))
        return Code(entry=entry, digest=digest, parts=parts, files=files, packages=tuple(sorted(self.packages)))

    def text(self, path: str) -> str:
        if path not in self.texts:
            self.texts[path] = self.read_text(path)
        return self.texts[path] or ""

    def exists(self, path: str) -> bool:
        self.text(path)
        return self.texts[path] is not None

    def module(self, path: str) -> Module | None:
        return module_of(path, self.text(path)) if self.exists(path) else None

    def file(self, location: str) -> str | None:
        return next((path for path in files_of(location) if self.exists(path)), None)

    # What follows marks first and goes on then, so that circles end.

    def use(self, path: str, name: str, attributes: Chain = ()) -> None:
        """A name at the top level of a file, and `attributes` asked of it."""
        if (path, name, attributes) in self.asked:
            return
        self.asked.add((path, name, attributes))
        bound = _known(self.module(path)).binds[name]
        key, seen = f"{path}:{name}", f"{path}:{name}" in self.parts
        self.parts[key] = _digest(bound[0]) if len(bound) == 1 else hash_of(" ".join(map(_digest, bound)))[:16]
        for one in bound:
            if isinstance(one, Imported):
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

    def use_import(self, path: str, imported: Imported, attributes: Chain) -> None:
        if imported.module == "sys" and "modules" in (imported.name, *attributes):
            self.use_whole(path)  # by way of which a file reaches its own names
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

    def locate(self, path: str, imported: Imported) -> str | None:
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
        noted = [one for one, called in module.runs if any(self.may_note(path, name) for name in called)]
        names = [sorted(name for name in stored([one]) if name in module.binds) for one in noted]
        if module.acts or noted:  # the names too: a registry holds them in the order in which they stand
            self.parts[f"{path}:when imported"] = hash_of(" ".join([*map(_digest, module.acts), *map(str, names)]))[:16]
        for act in module.acts:
            self.follow(path, _uses(act))
        for name in (name for some in names for name in some):
            self.use(path, name)
        for star in module.stars:
            self.use_import(path, star, ())
        for imported in [one for bound in module.binds.values() for one in bound if isinstance(one, Imported)]:
            self.touch_import(path, imported)

    def may_note(self, path: str, called: str) -> bool:
        """Whether what is called while a file is imported may note down what it is given, for others to find: code of
        the project's own may, as a registry does; a package knows nothing of the project's names."""
        bound = _known(self.module(path)).binds.get(called, ())
        return any(not isinstance(one, Imported) or self.locate(path, one) is not None for one in bound)

    def touch_import(self, path: str, imported: Imported) -> None:
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
            if isinstance(one, Imported):
                location = self.locate(path, one)
                file = self.file(location) if location is not None else None
                return self.definition(file, one.name) if file and (file, one.name) != (path, name) else (path, None)
            found = [part for part in within([one]) if defines(part, name)]
            return path, found[-1] if found else None
        return path, None

    def constructor(self, path: str, defined: ast.ClassDef) -> Called | None:
        """The `__init__` of a class or of the nearest class above it; None where that is not the project's."""
        own = next((part for part in defined.body if defines(part, "__init__")), None)
        if own is not None:
            return how_called(own)
        if makes_itself(defined):
            return None
        fields = fields_of(defined)
        if fields is not None:
            return fields if not defined.bases else None
        for base in defined.bases:
            name = base.id if isinstance(base, ast.Name) else ""
            if (chain_of(base) or ("",))[-1] in PLAIN_BASES:
                continue
            where, above = self.definition(path, name)
            return self.constructor(where, above) if isinstance(above, ast.ClassDef) and above is not defined else None
        return Called((), frozenset())

    def has_method(self, path: str, defined: ast.ClassDef, name: str) -> bool | None:
        """Whether a class or one above it has a method; None where one above is not the project's."""
        if any(defines(part, name) for part in defined.body):
            return True
        answers: list[bool | None] = []
        for base in defined.bases:
            if (chain_of(base) or ("",))[-1] in PLAIN_BASES:
                continue
            where, above = self.definition(path, base.id if isinstance(base, ast.Name) else "")
            own = above if isinstance(above, ast.ClassDef) and above is not defined else None
            answers.append(self.has_method(where, own, name) if own is not None else None)
        return True if True in answers else None if None in answers else False


def _known(module: Module | None) -> Module:
    assert module is not None, "a file is asked for only after it was found"
    return module


def files_of(location: str) -> tuple[str, str]:
    return f"{location}.py", f"{location}/__init__.py"


# --- what a definition speaks of ------------------------------------------------------------------------------


@dataclass(slots=True)
class _Uses:
    """The names from outside that a piece of source speaks of, and its own imports."""

    chains: set[Chain] = field(default_factory=set)
    imports: dict[str, Imported] = field(default_factory=dict)
    dynamic: bool = False


# What reaches names that stand in no source.
_DYNAMIC = {"exec", "eval", "__import__", "globals", "locals", "import_module"}


@lru_cache(maxsize=8192)
def _uses(node: ast.AST) -> _Uses:
    uses = _Uses()
    _collect(node, frozenset(), uses)
    return uses


def _collect(node: ast.AST, own: frozenset[str], uses: _Uses) -> None:
    match node:
        case ast.Name() | ast.Attribute() if chain := chain_of(node):
            if chain[0] not in own:
                uses.chains.add(chain)
                uses.dynamic |= chain[0] in _DYNAMIC or chain[-1] == "import_module"
            return
        case ast.Import() | ast.ImportFrom():
            uses.imports.update(imports_of(node))
            return
        case ast.Call() if (chain_of(node.func) or ("",))[-1] in ("import_module", "__import__"):
            _imported_by_text(node, uses)
        case ast.Call(func=ast.Name(id="vars"), args=[]):
            uses.dynamic = True
        case ast.Global():
            uses.chains.update((name,) for name in node.names)
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.Lambda():
            _collect_function(node, own, uses)
            return
        case ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
            own = own | stored(part.target for part in node.generators)
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
    inner = (own | parameters | stored(body)) - _shared(body)
    for part in body:
        _collect(part, inner, uses)


def _shared(body: list[ast.AST]) -> set[str]:
    """Names of a function that are not its own after all: those of the file, and those that it imports."""
    names: set[str] = set()
    for part in within(body):
        if isinstance(part, ast.Global):
            names.update(part.names)
        elif isinstance(part, ast.Import | ast.ImportFrom):
            names.update(name for name, _ in imports_of(part))
    return names


def _imported_by_text(call: ast.Call, uses: _Uses) -> None:
    if call.args and isinstance(call.args[0], ast.Constant) and isinstance(call.args[0].value, str):
        named = call.args[0].value
        uses.imports[named] = Imported(named.lstrip("."), level=len(named) - len(named.lstrip(".")))
        uses.chains.add((named,))


# --- what is the same -----------------------------------------------------------------------------------------


def hash_of(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()


@lru_cache(maxsize=8192)
def _digest(bound: ast.AST | Imported) -> str:
    if isinstance(bound, Imported):
        return hash_of(f"{'.' * bound.level}{bound.module} {bound.name}")[:16]
    return hash_of(_meaning(bound))[:16]


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
