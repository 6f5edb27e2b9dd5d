"""The compiler on one page: text -> tree -> names -> program -> plan. Each line is a pure call that returns a new value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..grammar.codes import CODES
from ..grammar.diagnostic import Diagnostic
from ..grammar.parse import parse
from ..grammar.render import in_order
from ..grammar.source import Source
from .check import check
from .load import Files
from .program import Program
from .resolve import resolve


@dataclass(frozen=True, slots=True)
class Compiled:
    """`program` holds what could be understood; it is complete when `sound`."""

    program: Program
    diagnostics: tuple[Diagnostic, ...]
    sources: Mapping[str, Source]

    @property
    def sound(self) -> bool:
        return all(CODES[d.code].severity != "error" for d in self.diagnostics)


def compile_text(path: str, text: str, files: Files) -> Compiled:
    """A pure, total function of the text and the files it names. `path` is shown to people."""
    source = Source(path, text)
    parsed = parse(source)
    names, unresolved = resolve(parsed.document, frozenset(name.text for name in parsed.lost))
    program, mistakes = check(source, parsed.document, names, files)
    told = in_order((*parsed.diagnostics, *unresolved, *mistakes))
    return Compiled(program, tuple(told), {path: source})
