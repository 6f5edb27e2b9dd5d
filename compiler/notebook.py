"""A notebook, by its text -> how it is given its arguments, what it leaves, and all that it really uses. Nothing is run.

Cells are counted from 1, those that hold code: markdown, comments and empty cells come and go without a trace.
"""

from __future__ import annotations

import ast
import json
import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import count
from typing import Any

from .closure import Closure, ReadText, hash_of
from .load import undecoded
from .program import Code
from .python_file import Broken, Imported, Module, Problem, imports_of, stored, within

__all__ = ["Cell", "Notebook", "Problem", "cells_to_run", "code_in", "read", "source_of", "tags_of"]

FORMAT = 4
PARAMETERS = "parameters"  # the tag of the cell that holds the defaults
INJECTED = (
    "injected-parameters"  # of a cell that was put in by a run, ours or papermill's: the next run puts in its own
)
SKIPPED = "skip-execution"
TOLERANT = "raises-exception"


@dataclass(frozen=True, slots=True)
class Cell:
    """`tree` is without `commands`, the lines that only IPython understands."""

    number: int
    tags: frozenset[str]
    tree: ast.Module
    commands: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Notebook:
    """`parameters` are the names of the tagged cell, None without one. `assigns` are all that cells bind; where a
    notebook is `open` it may bind more."""

    code: Code
    parameters: tuple[str, ...] | None
    assigns: tuple[str, ...]
    open: bool


def read(path: str, read_text: ReadText) -> Notebook | Problem:
    """The notebook at `path`; `read_text` gives a file of the project."""
    path = posixpath.normpath(path)
    text = read_text(path)
    if text is None:
        return Problem(f"there is no file {path}", "its path starts at the spec's folder")
    try:
        cells = _cells(path, text)
        return Notebook(_code(path, cells, read_text), _parameters(cells), _assigned(cells), _is_open(cells))
    except Broken as broken:
        return broken.problem
    except RecursionError:
        return Problem(f"{path} is nested too deeply to be read", path=path)


# --- its cells ------------------------------------------------------------------------------------------------


def cells_to_run(cells: Sequence[Any]) -> Iterator[tuple[int, Any]]:
    """(number, cell) for those that hold code and are run, of a notebook as it lies in its file."""
    number = 0
    for cell in cells:
        if isinstance(cell, Mapping) and cell.get("cell_type") == "code" and _is_run(cell):
            number += 1
            yield number, cell


def source_of(cell: Mapping[str, Any]) -> str:
    source = cell.get("source", "")
    parts = source if isinstance(source, list) else [source]
    return "".join(part for part in parts if isinstance(part, str))


def code_in(path: str, text: str) -> str:
    """What a file of code says, of a notebook its cells without what they gave."""
    if not path.endswith(".ipynb"):
        return text
    try:
        return "\n".join(source_of(cell) for _, cell in cells_to_run(_content(path, text)["cells"]))
    except Broken:
        return ""


def tags_of(cell: Mapping[str, Any]) -> frozenset[str]:
    metadata = cell.get("metadata")
    tags = metadata.get("tags") if isinstance(metadata, Mapping) else None
    return frozenset(tag for tag in tags if isinstance(tag, str)) if isinstance(tags, list) else frozenset()


def _is_run(cell: Mapping[str, Any]) -> bool:
    if tags_of(cell) & {INJECTED, SKIPPED}:
        return False
    lines = (line.strip() for line in source_of(cell).splitlines())
    return any(line and not line.startswith("#") for line in lines)


@lru_cache(maxsize=64)
def _cells(path: str, text: str) -> tuple[Cell, ...]:
    return tuple(
        Cell(number, tags_of(raw), *_python(path, number, source_of(raw)))
        for number, raw in cells_to_run(_content(path, text)["cells"])
    )


def _content(path: str, text: str) -> dict[str, Any]:
    wrong = undecoded(path, text)
    if wrong is not None:
        raise Broken(Problem(wrong.why, wrong.help, path))
    try:
        content = json.loads(text)
    except ValueError:
        conflict = "<<<<<<<" in text and ">>>>>>>" in text
        help_ = "it holds the marks of a merge that is not finished" if conflict else "save it with Jupyter"
        raise Broken(Problem(f"{path} is no notebook: it is not valid JSON", help_, path)) from None
    if not isinstance(content, dict) or not isinstance(content.get("nbformat"), int):
        raise Broken(Problem(f"{path} is no notebook", "save it with Jupyter", path))
    if content["nbformat"] != FORMAT or not isinstance(content.get("cells"), list):
        raise Broken(Problem(f"{path} is in another format of notebooks than {FORMAT}", "save it with Jupyter", path))
    language = _language(content.get("metadata"))
    if language.lower() not in ("", "python", "ipython"):
        raise Broken(Problem(f"{path} is written in {language}", "only notebooks in Python are run", path))
    return content


def _language(metadata: Any) -> str:
    """As the notebook says it, "" where it does not."""
    places = (("kernelspec", "language"), ("language_info", "name"))
    for place, word in places:
        part = metadata.get(place) if isinstance(metadata, dict) else None
        if isinstance(part, dict) and isinstance(part.get(word), str):
            return str(part[word])
    return ""


# --- what only IPython understands ----------------------------------------------------------------------------

_SHELL = re.compile(r"(?P<indent>\s*)(?:(?P<target>[\w.,\[\]'\" ]+=\s*)?[%!?].*|[\w.]+\?\??\s*)", re.DOTALL)
_TIMED = re.compile(r"(\s*)%(?:time|prun|memit)\s+(?=[^\s-])")
_TIMED_CELLS = {"time", "timeit", "capture", "prun"}
_BIND_NOTHING = {"bash", "sh", "html", "javascript", "js", "latex", "markdown", "svg", "writefile", "matplotlib", "config",
                 "load_ext", "reload_ext", "autoreload", "timeit", "pip", "conda", "env", "cd", "time", "prun"}  # fmt: skip
PATIENCE = 50  # times that a cell is parsed again, a line less each


def _python(path: str, number: int, source: str) -> tuple[ast.Module, tuple[str, ...]]:
    """What a cell is to Python, each line in its place, and the lines that are not Python's."""
    lines = source.split("\n")
    first = next(at for at, line in enumerate(lines) if line.strip())
    commands: list[str] = []
    if lines[first].startswith("%%"):
        commands.append(lines[first])
        lines[first] = ""
        if _word(commands[0]) not in _TIMED_CELLS:
            return ast.Module([], []), ("\n".join([*commands, *lines]),)
    for attempt in count():  # each time there is less of it that is not Python's, or it is told
        try:
            return ast.parse("\n".join(lines)), tuple(commands)
        except SyntaxError as error:
            found = [(error.lineno or 0) - 1] if attempt < PATIENCE else range(len(lines))
            if not [at for at in found if _taken_out(lines, at, commands)]:
                raise Broken(_wrong(path, number, source, error)) from None
        except ValueError as error:
            raise Broken(Problem(f"cell {number} of {path} is not valid Python: {error}", "", path)) from None
    raise AssertionError("counting has no end")


def _taken_out(lines: list[str], at: int, commands: list[str]) -> bool:
    """Whether a line was IPython's, and is out now: with the lines that a backslash at its end goes on to."""
    if not 0 <= at < len(lines):
        return False
    timed, shell = _TIMED.match(lines[at]), _SHELL.fullmatch(lines[at])
    if timed is None and shell is None:
        return False
    commands.append(lines[at])
    goes_on = lines[at].endswith("\\")
    if timed is not None:
        lines[at] = timed[1] + lines[at][timed.end() :]
        return True
    assert shell is not None
    lines[at] = shell["indent"] + (f"{shell['target']}None" if shell["target"] else "pass")
    while goes_on and at + 1 < len(lines):
        at += 1
        commands.append(lines[at])
        goes_on, lines[at] = lines[at].endswith("\\"), ""
    return True


def _word(command: str) -> str:
    found = re.match(r"\s*%+(\w+)", command)
    return found[1] if found else ""


def _wrong(path: str, number: int, source: str, error: SyntaxError) -> Problem:
    line = error.lineno or 1
    message = f"cell {number} of {path} is not valid Python: {error.msg}"
    written = source.split("\n")[line - 1 : line]
    return Problem(message, "", f"{path} cell {number}:{line}: {''.join(written).strip()[:100]}")


# --- what it binds --------------------------------------------------------------------------------------------


def _parameters(cells: Sequence[Cell]) -> tuple[str, ...] | None:
    """The names of the first cell that is tagged; None where nothing says what the notebook can be given."""
    cell = next((cell for cell in cells if PARAMETERS in cell.tags), None)
    return None if cell is None or _is_open([cell]) else _assigned([cell])


def _assigned(cells: Sequence[Cell]) -> tuple[str, ...]:
    names = [name for cell in cells for name in sorted(_bound(cell))]
    return tuple(dict.fromkeys(names))


def _bound(cell: Cell) -> set[str]:
    names = stored(cell.tree.body)
    names |= {name for part in _imports(cell) for name, _ in imports_of(part)}
    names |= {name for part in ast.walk(cell.tree) if isinstance(part, ast.Global) for name in part.names}
    captured = [command.split() for command in cell.commands if _word(command) == "capture"]
    return names | {word for words in captured for word in words[1:] if word.isidentifier()}


def _imports(cell: Cell) -> list[ast.Import | ast.ImportFrom]:
    return [part for part in within(cell.tree.body) if isinstance(part, ast.Import | ast.ImportFrom)]


def _is_open(cells: Sequence[Cell]) -> bool:
    """Whether it may bind names that stand nowhere in it."""
    for cell in cells:
        words = {_word(command) for command in cell.commands} - {"", *_TIMED_CELLS, *_BIND_NOTHING}
        called = {part.id for part in ast.walk(cell.tree) if isinstance(part, ast.Name)}
        starred = any(name == "*" for part in _imports(cell) for name, _ in imports_of(part))
        if words or starred or called & {"exec", "globals", "locals", "get_ipython"}:
            return True
    return False


# --- what is the same -----------------------------------------------------------------------------------------


@dataclass(slots=True)
class _OfCells(Closure):
    """A notebook as one file of Python: its imports, and a function for each cell."""

    path: str = ""
    cells: Module = field(default_factory=lambda: Module(ast.Module([], []), {}, (), ()))

    def module(self, path: str) -> Module | None:
        return self.cells if path == self.path else Closure.module(self, path)


def _code(path: str, cells: Sequence[Cell], read_text: ReadText) -> Code:
    """Of each cell the syntax tree, and of the project's files what they use."""
    closure = _OfCells(read_text, posixpath.dirname(path), path=path, cells=_as_module(cells))
    closure.touch(path)
    parts = {}
    for cell in cells:
        closure.use(path, f"cell {cell.number}")
        parts[f"{path} cell {cell.number}"] = _digest(closure.parts[f"{path}:cell {cell.number}"], cell)
        for target in _files_run(cell):
            _use_file(target, closure)
    parts |= {name: digest for name, digest in closure.parts.items() if not name.startswith(f"{path}:")}
    files = {path, *(part.rsplit(":", 1)[0] for part in closure.parts)}
    digest = hash_of("\n".join(f"{name} {short}" for name, short in sorted(parts.items())))
    return Code(
        entry=path, digest=digest, parts=parts, files=tuple(sorted(files)), packages=tuple(sorted(closure.packages))
    )


def _as_module(cells: Sequence[Cell]) -> Module:
    binds: dict[str, list[ast.stmt | Imported]] = {}
    stars = []
    for cell in cells:
        binds[f"cell {cell.number}"] = [_as_function(cell)]
        for name, imported in (found for part in _imports(cell) for found in imports_of(part)):
            if name == "*":
                stars.append(imported)
            else:
                binds.setdefault(name, []).append(imported)
    return Module(ast.Module([], []), binds, (), tuple(stars))


def _as_function(cell: Cell) -> ast.FunctionDef:
    nothing = ast.arguments(posonlyargs=[], args=[], kwonlyargs=[], kw_defaults=[], defaults=[])
    return ast.FunctionDef(name="cell", args=nothing, body=[*cell.tree.body], decorator_list=[])


def _digest(tree: str, cell: Cell) -> str:
    """Comments, outputs and layout do not count; what IPython is told does, and what a tag does."""
    marks = sorted(cell.tags & {PARAMETERS, TOLERANT})
    return hash_of("\n".join([tree, *cell.commands, *marks]))[:16] if cell.commands or marks else tree


def _files_run(cell: Cell) -> Iterator[str]:
    """The files that `%run` runs, from the spec's folder."""
    for command in cell.commands:
        found = re.match(r"\s*%run\s+(?:-\S+\s+)*([^\s-]\S*)", command)
        if found:
            yield posixpath.normpath(found[1].strip("'\""))


def _use_file(path: str, closure: Closure) -> None:
    text = closure.text(path)
    if not closure.exists(path):
        return
    if path.endswith(".py"):
        closure.touch(path)
        closure.use_whole(path)
    else:
        closure.parts[f"{path}:*"] = hash_of(text)[:16]
