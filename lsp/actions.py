"""What an editor may offer to do at a place: repairs of mistakes, "I know" for warnings, columns to declare."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from ..compiler.knowing import codes_in
from ..grammar import tree
from ..grammar.codes import CODES
from ..grammar.diagnostic import Diagnostic, Fix
from ..grammar.kinds import SOURCES
from ..grammar.render import title
from ..grammar.repair import without_overlap
from .analysis import Analysis
from .rename import Edit


@dataclass(frozen=True, slots=True)
class Action:
    """`for_code` and `at` say which diagnostic it is for."""

    title: str
    kind: Literal["quickfix", "source.fixAll", "refactor.rewrite"]
    edits: tuple[Edit, ...]
    for_code: str = ""
    at: int = -1
    preferred: bool = False


def actions(analysis: Analysis, start: int, end: int) -> list[Action]:
    here = [d for d in analysis.compiled.diagnostics if d.span.path == analysis.path]
    touched = [d for d in here if d.span.start <= end and start <= d.span.end]
    found = [action for one in touched for action in (*_repairs(one), *_known(one, analysis))]
    return [*found, *_fix_all(here), *_declare(analysis, start)]


def _repairs(one: Diagnostic) -> Iterator[Action]:
    if one.fix is not None:
        edit = _edit(one.fix)
        what = one.help.partition("\n")[0] if _says_it(one) else _what(one.fix)
        yield Action(f"Fix {one.code}: {what}", "quickfix", (edit,), one.code, one.span.start, preferred=True)


def _says_it(one: Diagnostic) -> bool:
    return (
        one.fix is not None and bool(one.fix.text.strip()) and one.fix.text.strip() in one.help and len(one.help) < 80
    )


def _what(fix: Fix) -> str:
    text = " ".join(fix.text.split())
    if not text:
        return "take it away"
    return f"write {text if len(text) <= 60 else text[:59] + '…'}"


def _edit(fix: Fix) -> Edit:
    return Edit(fix.span.path, fix.span.start, fix.span.end, fix.text)


def _known(one: Diagnostic, analysis: Analysis) -> Iterator[Action]:
    """`# ok: W101` at the end of its line."""
    if CODES[one.code].severity == "error":
        return
    end = analysis.text.find("\n", one.span.start)
    end = len(analysis.text) if end < 0 else end
    line = analysis.text[analysis.text.rfind("\n", 0, one.span.start) + 1 : end].rstrip("\r")
    at = end - (analysis.text[end - 1 : end] == "\r")
    said = f", {one.code}" if codes_in(line) else f"  # ok: {one.code}"
    yield Action(f"I know: {title(one)}", "quickfix", (Edit(analysis.path, at, at, said),), one.code, one.span.start)


def _fix_all(here: list[Diagnostic]) -> Iterator[Action]:
    fixes = [one.fix for one in without_overlap(here) if one.fix is not None]
    if len(fixes) > 1:
        yield Action("Fix all that can be fixed", "source.fixAll", tuple(_edit(fix) for fix in fixes))


# --- columns --------------------------------------------------------------------------------------------------------


def _declare(analysis: Analysis, offset: int) -> Iterator[Action]:
    """The columns that a source was found to hold, written down: then a change of the file is told."""
    found = analysis.block_at(offset)
    if found is None or not found[0].inputs or found[0].inputs[0].reference.name not in SOURCES:
        return
    block, start = found
    declared = {line.name for line in block.lines if isinstance(line, tree.ColumnLine)}
    more = [column for column in analysis.columns(block.names[0].text) if column.name not in declared]
    if not more or block.unread:
        return
    lines = [f"  {_name(column.name)}: {column.type}" for column in more]
    yield Action(
        f"Declare {len(more)} column{'s' * (len(more) != 1)} of {block.names[0].text}", "refactor.rewrite",
        (_inserted(analysis, block, start, lines),),
    )  # fmt: skip


def _name(name: str) -> str:
    return name if name.isidentifier() else f'"{name}"'


def _inserted(analysis: Analysis, block: tree.Block, start: int, lines: list[str]) -> Edit:
    """Before what the block expects; a block without a body gets one."""
    text, end = "\n".join(lines), block.span.end + start
    if not block.lines and not analysis.text[block.head.end + start : end].strip():
        return Edit(analysis.path, end, end, f" {{\n{text}\n}}")
    expects = [line for line in block.lines if isinstance(line, tree.Expect | tree.Needs | tree.Every)]
    at = expects[0].span.start + start if expects else end - 1
    at = analysis.text.rfind("\n", 0, at) + 1
    if at <= block.head.end + start:  # all in one line
        at = expects[0].span.start + start if expects else end - 1
        return Edit(analysis.path, at, at, "; ".join(line.strip() for line in lines) + ("; " if expects else " "))
    return Edit(analysis.path, at, at, text + "\n")
