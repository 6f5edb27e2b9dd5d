"""Two keys' parts -> what changed between them, in words; followed down to the file or line where it began."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from . import identity, parts
from .actions import Refuse
from .program import Node, Program
from .state import State


def changes(before: Mapping[str, str], now: Mapping[str, str], node: Node, state: State) -> Iterator[str]:
    """One line for each part that is new, gone or another."""
    for part in sorted({*before, *now}, key=_order):
        old, new = before.get(part), now.get(part)
        if old != new:
            yield _line(part, old, new, node, state)
    yield from parts.news(node, before, now, state.fact)


def _order(part: str) -> tuple[int, str]:
    kinds = ("file", "input", "entry", "code", "query", "command", "predict", "argument", "column", "package")
    word = part.split(" ", 1)[0]
    return (kinds.index(word) if word in kinds else len(kinds), part)


def _line(part: str, old: str | None, new: str | None, node: Node, state: State) -> str:
    word, _, name = part.partition(" ")
    if word == "input":
        return f"{_input_name(name, node)} changed"
    if word == "file":
        return _file(name, old, new, node, state)
    if word == "code" and name and None in (old, new):
        return f"{name} is {'used now' if old is None else 'no longer used'}"
    if word in ("code", "query", "command"):
        told = name or word
        return f"{told} is {'new' if old is None else 'gone'}" if None in (old, new) else f"{told} changed"
    if word == "request":
        return "what may be asked, or its example, changed"
    if word == "searched":
        return f"{name} in {old or 'nothing'} -> {new or 'nothing'}"
    if word == "argument":
        return f"{_argument(name, node)}: {_shown(old)} -> {_shown(new)}"
    if word == "package":
        return f"{name} {old or 'none'} -> {new or 'none'}"
    if part == "score on":
        return "what the trials are measured on changed"
    if word == "column":
        return f"column {name}: {old or 'not declared'} -> {new or 'not declared'}"
    return f"{part}: {old or 'none'} -> {new or 'none'}"


def _argument(name: str, node: Node) -> str:
    """Of a split the share of an output goes by the output's name, which its key knows by its place."""
    place = name.removeprefix(identity.OUTPUT)
    if place == name or not place.isdigit() or int(place) > len(node.names):
        return name
    return node.names[int(place) - 1].rpartition(".")[2]


def _input_name(role: str, node: Node) -> str:
    if role.isdigit() and int(role) <= len(node.inputs):
        return node.inputs[int(role) - 1].name
    return next((item.name for item in node.inputs if item.alias == role), role)


def _file(name: str, old: str | None, new: str | None, node: Node, state: State) -> str:
    if old is None:
        return f"{name} is new"
    if new is None:
        return f"{name} is gone"
    source = state.sources.get(node.name)
    if source is not None and source.unknown:
        return f"{name} may have changed: {source.unknown}, so it is read each time"
    lines = source.lines.get(name) if source else None
    accepted = state.names.get(node.name)
    record = state.record(accepted.key) if accepted else None
    before = record.outputs[0].about.get("lines", {}).get(name) if record else None
    if isinstance(before, int) and lines is not None and lines != before:
        return f"{name} {lines - before:+,} lines"
    return f"{name} changed"


def _shown(value: str | None) -> str:
    if value is None:
        return "default"
    shown = json.loads(value.removeprefix(identity.A_DATE))
    if value.startswith(identity.A_DATE):
        return str(shown)
    return json.dumps(shown, ensure_ascii=False)


def trace(
    name: str, program: Program, state: State, keys: Mapping[str, Mapping[str, str]],
    refused: Mapping[str, Refuse], depth: int = 0,
) -> Iterator[tuple[int, str]]:  # fmt: skip
    """Why an artifact is what it is: (indent, line), down to the files. `keys` are the parts in force, by node; `refused`
    is what a condition keeps out."""
    node = program.node_of()[name]
    now = keys.get(node.name)
    accepted = state.names.get(name)
    before = state.record(accepted.key) if accepted else None
    if name in refused:
        yield from _refused(name, refused[name], depth)
        lines = list(changes(before.parts, now, node, state)) if before and now else []
    elif now is None or before is None:
        yield depth, f"{name} was never made" if before is None else f"{name} follows what it is made from"
        lines = []
    else:
        lines = list(changes(before.parts, now, node, state))
        if not lines:
            yield depth, f"{name} is up to date"
            return
        yield depth, f"{name} changed"
    for line in lines:
        source = next((item.name for item in node.inputs if line == f"{item.name} changed"), None)
        if source is None:
            yield depth + 1, line
    for item in node.inputs:
        if not item.last:  # what was accepted before is a cause of nothing, and may be the artifact itself
            yield from _below(item.name, program, state, keys, refused, depth + 1)


def _refused(name: str, action: Refuse, depth: int) -> Iterator[tuple[int, str]]:
    yield depth, f"{name} was accepted, and would be refused now" if action.keeps else f"{name} was made, and refused"
    for judged in action.judged:
        if not judged.holds:
            yield depth + 1, f"expect {judged.text}: {judged.shown}"


def _below(
    name: str, program: Program, state: State, keys: Mapping[str, Mapping[str, str]],
    refused: Mapping[str, Refuse], depth: int,
) -> Iterator[tuple[int, str]]:  # fmt: skip
    found = list(trace(name, program, state, keys, refused, depth))
    if not found[0][1].endswith("up to date"):
        yield from found
