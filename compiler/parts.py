"""A block that is made part by part -> its parts, each with what goes into it and a key of its own.

Which parts there are is known of a source by its files; of tables it is a fact, found out once for each table by who
makes the block. So a plan tells how many parts are to be made where that is known, and nothing runs to find it out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from . import identity
from .program import Node, Scalar
from .state import Record, State
from .types import Columns, Frozen, optional

MOST = 10_000  # parts of one block
SHOWN = 10  # of the parts that are new, by name

Fact = Callable[[str, str], tuple[bool, Any]]  # as in `State`; what a table divides into is about its first one
Lookup = Callable[[str], Record | None]


class Part(Frozen):
    """One part. `of` is the value of the column as JSON has it, or the file; None where the value is missing.

    `own` are the digests of the rows that go into it, of each input that has parts; of a source the digest of the file.
    """

    of: Scalar
    own: tuple[str, ...]
    rows: int | None = None


def found(node: Node, digests: Mapping[str, str], files: Mapping[str, str], fact: Fact) -> tuple[Part, ...] | None:
    """The parts in their order; None while they are not known. `digests` are those of the inputs, by name."""
    assert node.each is not None
    if not node.each.of:
        return tuple(Part(of=file, own=(digest,)) for file, digest in sorted(files.items()))
    tables = divided(node, digests)
    known, value = fact(identity.division_key(node.each, tables), tables[0])
    return tuple(Part(of=of, own=tuple(own), rows=rows) for of, own, rows in value) if known else None


def divided(node: Node, digests: Mapping[str, str]) -> tuple[str, ...]:
    """The digests of the tables of which a part gets its own rows."""
    names = {item.alias: item.name for item in node.inputs}
    return tuple(digests[names[alias]] for alias in node.each.of) if node.each else ()


def title(node: Node, part: Part) -> str:
    """day 2024-01-03, or the file."""
    assert node.each is not None
    if not node.each.column:
        return str(part.of)
    return f"{node.each.column} {'missing' if part.of is None else shown(part.of)}"


def shown(value: Scalar) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


# --- keys -----------------------------------------------------------------------------------------------------


def alone(node: Node) -> Node:
    """The block as a part of it is made. What all files of a source hold in a column, each of them must: then it does
    not matter for the type what else a file holds."""
    if node.inputs:
        return node
    known = (column.model_copy(update={"type": optional(column.type), "declared": False}) for column in _known(node))
    declared = {column.name: column for column in node.declared}
    inferred = tuple(column for column in known if column.name not in declared)
    return node.model_copy(update={"declared": (*node.declared, *inferred)})


def _known(node: Node) -> Columns:
    return node.columns.get(node.name) or ()


def making(node: Node, parts: Mapping[str, str], part: Part, versions: Mapping[str, str]) -> identity.Parts:
    """The parts of what makes one part; `parts` are those of the whole, if it is made from inputs."""
    return identity.part(node, base(node, parts, versions), own(part, node))


def base(node: Node, parts: Mapping[str, str], versions: Mapping[str, str]) -> Mapping[str, str]:
    """What is the same of all parts; of a source, what it is besides its files."""
    return parts if node.inputs else identity.making(alone(node), {}, {}, versions)


def own(part: Part, node: Node) -> tuple[str, ...]:
    """Of a file also its ending, which says how it is packed."""
    if node.inputs:
        return part.own
    _, _, ending = str(part.of).rpartition("/")[2].partition(".")
    return (f"{ending.lower()} {part.own[0]}",)


# --- what is to be made -----------------------------------------------------------------------------------------


def count(node: Node, parts: Mapping[str, str], digests: Mapping[str, str], state: State) -> str:
    """3 of 365 parts; "" where it is not known yet which there are."""
    files = state.sources[node.name].files if node.name in state.sources else {}
    all_ = found(node, digests, files, state.fact)
    if all_ is None or len(all_) > MOST:
        return ""
    same = base(node, parts, state.versions)
    left = sum(not _is_made(identity.key_of(identity.part(node, same, own(part, node))), state) for part in all_)
    return f"{left:,} of {len(all_):,} part{'s' if len(all_) != 1 else ''}"


def _is_made(key: str, state: State) -> bool:
    record = state.record(key)
    return record is not None and all(state.present(made.digest) for made in record.outputs)


def news(node: Node, before: Mapping[str, str], now: Mapping[str, str], fact: Fact) -> Iterator[str]:
    """Which parts are new, gone or others between two makings, where both are known."""
    if node.each is None or not node.each.of:
        return
    roles = identity.each_roles(node)
    known = []
    for parts in (before, now):
        digests = [parts.get(f"input {role}", "") for role in roles]
        is_known, value = fact(identity.division_key(node.each, digests), digests[0])
        if not is_known:
            return
        known.append({title(node, Part(of=of, own=())): own_ for of, own_, _ in value})
    yield from _few(list(_differences(*known)))


def _differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    for name in dict.fromkeys((*old, *new)):
        if old.get(name) != new.get(name):
            yield f"{name} {'is new' if name not in old else 'is gone' if name not in new else 'changed'}"


def _few(lines: list[str]) -> Iterator[str]:
    yield from lines[:SHOWN]
    if len(lines) > SHOWN:
        yield f"and {len(lines) - SHOWN:,} more parts"
