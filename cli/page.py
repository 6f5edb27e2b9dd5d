"""The page that explains a code, and the list of all, for a terminal."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable

from ..grammar.codes import CHAPTERS, CODES, Code, chapter
from .frame import CODES as TINTS

WIDTH = 88
Paint = Callable[[str, str], str]


def page(code: Code, *, colour: bool = False) -> str:
    """Title, why, a wrong example and a right one."""
    paint = _painter(colour)
    tint = "red" if code.severity == "error" else "yellow"
    parts = [paint(code.id, tint) + paint(f": {titled(code)}", "bold"), textwrap.fill(code.why, WIDTH)]
    if code.wrong:
        parts += [_example("wrong", "red", code.wrong, paint), _example("right", "green", code.right, paint)]
    return "\n\n".join(parts)


def titled(code: Code) -> str:
    """Its title with the facts as ‹names›; where it is nothing but a fact, what the code is about."""
    return code.about or re.sub(r"\{(\w+)\}", r"‹\1›", code.title)


def index(*, colour: bool = False) -> str:
    """All codes by chapter, a line each."""
    paint = _painter(colour)
    chapters = []
    for title in CHAPTERS.values():
        codes = [code for code in CODES.values() if chapter(code) == title]
        lines = [f"  {paint(code.id, 'bold')}  {titled(code)}" for code in codes]
        if lines:
            chapters.append("\n".join([paint(title, "bold"), *lines]))
    return "\n\n".join([*chapters, "mlspec explain CODE tells more, with a wrong and a right example."])


def _example(word: str, tint: str, spec: str, paint: Paint) -> str:
    return paint(word, tint) + "\n" + textwrap.indent(spec.rstrip(), "    ")


def _painter(colour: bool) -> Paint:
    return (lambda text, tint: f"\x1b[{TINTS[tint]}m{text}\x1b[0m") if colour else (lambda text, tint: text)
