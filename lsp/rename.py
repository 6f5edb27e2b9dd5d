"""A new name for what stands at a place -> the edits, in every spec and query that names it, after which all means the same."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from ..grammar import tree
from ..grammar.kinds import RECIPES
from ..grammar.table import table
from . import queries
from .analysis import Analysis
from .modules import Module, Read, ReadText, beside, led_to
from .navigation import Symbol, naming, symbol


class Edit(NamedTuple):
    """`text` in the place of the characters `start:end` of a file, by its absolute path."""

    path: str
    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Refused:
    why: str


# What a function, a notebook or a program is handed goes by the name that its own text uses.
BY_NAME = ("python", "notebook", "shell")


def renamable(module: Module, analysis: Analysis, read: Read, offset: int) -> tuple[int, int] | Refused:
    """The word that would be renamed, or why there is none."""
    one = queries.occurrence(module, analysis, offset)
    meant = symbol(module, analysis, read, one) if one else None
    if one is None or meant is None:
        return Refused("there is no name here")
    if meant.form == "column":
        return Refused(
            f'{one.text} is a column of the data itself; give it another name where it is read: new: type from "{one.text}"'
        )
    if meant.form != "name":
        return Refused(f"{one.text} is a metric; give it another name where it is measured: measure {one.text} as …")
    home = read(meant.path)
    declared = home.declares(meant.name) if home else None
    if declared and isinstance(declared[0], tree.Secret):
        return Refused(f"{one.text} is a secret: its name is that of the variable which holds it")
    return one.span.start, one.span.end


def rename(
    module: Module,
    analysis: Analysis,
    read: Read,
    modules: Iterable[Module],
    offset: int,
    new: str,
    read_text: ReadText,
) -> list[Edit] | Refused:
    found = renamable(module, analysis, read, offset)
    if isinstance(found, Refused):
        return found
    one = queries.occurrence(module, analysis, offset)
    meant = symbol(module, analysis, read, one) if one else None
    assert meant is not None
    why = _no_name(new) or _taken(meant, new, read)
    if why:
        return Refused(why)
    modules = list(modules)
    return [edit for other in modules for edit in _within(meant, new, other, modules, read, read_text)]


def _no_name(new: str) -> str:
    if not new.isidentifier():
        return f"{new} is no name: letters, digits and _"
    return f"{new} is a word of the language" if new in table().words.keywords or new in RECIPES else ""


def _taken(meant: Symbol, new: str, read: Read) -> str:
    home = read(meant.path)
    return f"there is a {new} already" if home and new != meant.name and home.declares(new) else ""


def _within(
    meant: Symbol, new: str, module: Module, modules: list[Module], read: Read, read_text: ReadText
) -> Iterator[Edit]:
    kept = _kept_names(meant, module, modules, read_text)
    for one in naming(meant, module, read):
        behind = f" as {meant.name}" if one.span.end in kept else ""
        yield Edit(module.path, one.span.start, one.span.end, new + behind)
    for query in _queries(module, read_text):
        if query.safe(modules):
            yield from query.edits(meant, new, read)


def _kept_names(meant: Symbol, module: Module, modules: list[Module], read_text: ReadText) -> set[int]:
    """Where the references of headers end that must go on to hand their input over by its old name."""
    found = set()
    for one in module.placed:
        block = one.statement
        if not isinstance(block, tree.Block) or block.recipe is None:
            continue
        query = _query(one.start, block, module, read_text)
        word = block.recipe.reference.name
        by_name = word in BY_NAME or (word == "sql" and (query is None or not query.follows(meant, modules)))
        if by_name:
            found |= {i.reference.span.end + one.start for i in block.inputs if i.place is None and not i.alias}
    return found


# --- queries ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Query:
    """The text of a block's query, the file that it stands in, and where it begins there."""

    block: tree.Block
    module: Module
    path: str
    text: str
    start: int

    def safe(self, modules: list[Module]) -> bool:
        """Whether the query is this block's alone."""
        if self.path == self.module.path:
            return True
        users = [o for m in modules for o in m.occurrences() if o.form == "place"
                 and beside(m.path, o.text) == self.path]  # fmt: skip
        return len(users) == 1

    def follows(self, meant: Symbol, modules: list[Module]) -> bool:
        return self.safe(modules) and _tables(self.text, meant.name) is not None

    def edits(self, meant: Symbol, new: str, read: Read) -> Iterator[Edit]:
        places: list[tuple[int, int]] = []
        if self.module.path == meant.path:
            places += [(m.start(1), m.end(1)) for m in re.finditer(rf"\$({re.escape(meant.name)})\b", self.text)]
        if any(self._is(meant, item, read) for item in self.block.inputs):
            places += _tables(self.text, meant.name) or []
        for start, end in places:
            yield Edit(self.path, self.start + start, self.start + end, new)

    def _is(self, meant: Symbol, item: tree.Input, read: Read) -> bool:
        if item.place is not None or item.alias:
            return False
        *aliases, last = str(item.reference).split(".")
        home = led_to(self.module, ".".join(aliases), read) if aliases else self.module
        return home is not None and home.path == meant.path and last == meant.name


def _queries(module: Module, read_text: ReadText) -> Iterator[_Query]:
    for one in module.placed:
        if isinstance(one.statement, tree.Block):
            query = _query(one.start, one.statement, module, read_text)
            if query is not None:
                yield query


def _query(start: int, block: tree.Block, module: Module, read_text: ReadText) -> _Query | None:
    place = block.recipe.place if block.recipe and block.recipe.reference.name == "sql" else None
    if not isinstance(place, tree.Text):
        return None
    if place.raw or not place.value.strip().lower().endswith(".sql"):
        plain = len(place.value) == place.inner.end - place.inner.start
        return _Query(block, module, module.path, place.value, start + place.inner.start) if plain else None
    path = beside(module.path, place.value)
    text = read_text(path)
    return _Query(block, module, path, text, 0) if text is not None else None


_WORDS = re.compile(r"'(?:[^']|'')*'|--[^\n]*|/\*.*?\*/|\"(?:[^\"]|\"\")*\"|\$?\w+|\S", re.S)


def _tables(query: str, name: str) -> list[tuple[int, int]] | None:
    """Where a query names a table; None where a word may be the table or something else of its name."""
    words = [m for m in _WORDS.finditer(query) if not m[0].startswith(("'", "--", "/*"))]
    found = []
    for index, word in enumerate(words):
        if word[0].strip('"').lower() != name.lower():
            continue
        before = words[index - 1][0].lower() if index else ""
        after = words[index + 1][0] if index + 1 < len(words) else ""
        if before == ".":
            continue  # a column
        if before not in ("from", "join") and after != ".":
            return None
        quote = word[0].startswith('"')
        found.append((word.start() + quote, word.end() - quote))
    return found
