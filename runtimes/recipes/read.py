"""A source -> a table in the store, and the rows that it refused; or a folder, as it is."""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa

from ...compiler.load import is_remote
from ...compiler.state import WITHOUT_VALUES
from ...compiler.types import Column, Columns, required
from ...grammar.kinds import SOURCES
from .. import shipping, sources, tables
from ..declared import Findings, Problem, and_more, few, findings, said
from ..order import Made, Make, Outcome
from ..sources import hints, postgres, remote, sqlite
from ..sources.raw import Raw, Refused, unlike
from ..sources.unseen import changed_meanwhile
from ..store.objects import Objects, digest_of_file
from ..trouble import Trouble

LOOKED_AT = 1000  # rows, to find out how values are written
_TEXTS = ("column", "value", "reason", "row")
REFUSED = pa.schema([("file", pa.string()), ("line", pa.int64()), *((name, pa.string()) for name in _TEXTS)])


def make(order: Make, objects: Objects) -> Outcome:
    """Read all files of the place, or refuse where they are not those that the key speaks of."""
    root, place = Path(order.root), order.recipe.place
    if (root / shipping.FILE).is_file() and not is_remote(order.recipe.word, place):
        shipping.lay_out(root, order.expected, objects)
    if order.recipe.word == "folder":
        return Outcome(outputs={order.names[0]: _folder(root, place, order.expected, objects)})
    raw = _raw(order, objects)
    table, found = _table(raw, order.declared, place)
    if len(order.names) > 1:
        return _with_refused(order.names, raw, table, found, order.declared, objects)
    if raw.misfits or found.rows():
        raise _trouble(raw, found, order)
    return Outcome(outputs={order.names[0]: _kept(table, objects)})


def _kept(table: pa.Table, objects: Objects) -> Made:
    made = tables.write(table, objects)
    without = [name for name in table.column_names if table.column(name).null_count == table.num_rows]
    return made.model_copy(update={"about": {WITHOUT_VALUES: without}}) if without else made


def _raw(order: Make, objects: Objects) -> Raw:
    """The cells of the source. What is read is large, and not kept: the cells are copies."""
    word, place, root = order.recipe.word, order.recipe.place, Path(order.root)
    with remote.kept_secret(order.secrets):
        given = {**order.arguments, **remote.values(order.secrets)}
        if word == "sqlite":
            return sqlite.read(root, place, given, order.expected)
        if word == "postgres":
            return postgres.read(place, given, order.expected)
        if is_remote(word, place):
            contents = remote.contents(place, str(given.get("token", "")), order.expected, objects.scratch())
        else:
            contents = _contents(root, place, order.expected)
        return sources.load(word, place, contents, order.arguments, order.declared)


def _contents(root: Path, place: str, expected: dict[str, str]) -> list[tuple[str, bytes]]:
    files = sources.find(root, place)
    if expected and set(files) != set(expected):
        raise changed_meanwhile(place)
    contents = [(path, sources.content_of(root, path)) for path in files]
    if expected and any(hashlib.sha256(content).hexdigest() != expected[path] for path, content in contents):
        raise changed_meanwhile(place)
    return contents


def _folder(root: Path, place: str, expected: dict[str, str], objects: Objects) -> Made:
    """The folder's copy is what is hashed and kept, so that nothing can change in between."""
    folder, copy = sources.folder_of(root, place), objects.scratch()
    copy.mkdir()
    size, digests = 0, {}
    try:
        for path in sources.files_in(folder):
            target = copy / path.relative_to(folder)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
            size += target.stat().st_size
            digests[path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)] = digest_of_file(
                target
            )
        if expected and digests != expected:
            raise changed_meanwhile(place)
        return Made(digest=objects.put_folder(copy), kind="folder", bytes=size)
    except OSError as error:
        raise Trouble(f"read {place}", error.strerror or str(error)) from None
    finally:
        shutil.rmtree(copy, ignore_errors=True)


# --- the table -----------------------------------------------------------------------------------------------


def _table(raw: Raw, declared: Columns, place: str) -> tuple[pa.Table, Findings]:
    """All rows that have their shape, the declared columns named and typed as declared; and what is wrong with them."""
    asked = _by_origin(declared)
    if len(asked) < len(declared):
        raise Trouble(f"read {place}", "two declared columns are from the same one", "declare it once")
    for origin in asked:
        if origin not in raw.names:
            raise Trouble(f"read {place}", f"it has no column {origin}", unlike(origin, raw.names))
    arrays, names, wrong = [], [], {}
    for origin in raw.names:
        column, cells = asked.get(origin), raw.columns[origin]
        array, mask = cells.fitted(column.type) if column else (cells.inferred(), None)
        arrays.append(array)
        names.append(column.name if column else origin)
        if mask is not None:
            wrong[names[-1]] = mask
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise Trouble(
            f"read {place}", f"two of its columns would be named {twice}", "choose another name for the declared one"
        )
    table = pa.table(arrays, names=names)
    return table, findings(table, declared, wrong)


def _by_origin(declared: Columns) -> dict[str, Column]:
    return {column.origin or column.name: column for column in declared}


def _refused(raw: Raw, found: Sequence[tuple[int, Problem]], declared: Columns) -> list[Refused]:
    """Rows with something wrong, each with its line, and the value that is."""
    origins = {column.name: column.origin or column.name for column in declared}
    refused = []
    for (row, one), spot in zip(found, raw.spots([row for row, _ in found]) if found else [], strict=True):
        value = None if one.reason.startswith("missing") else raw.columns[origins[one.column]].shown(row)
        refused.append(Refused(spot, one.reason, one.column, value))
    return refused


def _in_order(refused: Sequence[Refused]) -> list[Refused]:
    """By file and line, those without a shape among the others."""
    return sorted(refused, key=_place)


def _place(one: Refused) -> tuple[str, int]:
    return one.spot.file, one.spot.line


def _with_refused(
    names: tuple[str, ...], raw: Raw, table: pa.Table, found: Findings, declared: Columns, objects: Objects
) -> Outcome:
    rows = found.rows()
    refused = _in_order([*raw.misfits, *_refused(raw, [(row, found.problem_of(row)) for row in rows], declared)])
    listed = [
        {"file": one.spot.file, "line": one.spot.line, "column": one.column, "value": one.value, "reason": one.reason,
         "row": one.spot.text}
        for one in refused
    ]  # fmt: skip
    kept = table.filter(pa.array(found.first < 0)) if rows else table
    rejects = pa.Table.from_pylist(listed, schema=REFUSED)
    return Outcome(outputs={names[0]: _kept(kept, objects), names[1]: tables.write(rejects, objects)})


def _trouble(raw: Raw, found: Findings, order: Make) -> Trouble:
    """Each mistake with the first row that has it, all at once; the way out is that of the first."""
    problems = found.told()
    refused = _refused(raw, [(one.row, one) for one in problems], order.declared)
    counted = [(one, len(raw.misfits)) for one in raw.misfits[:1]]
    counted += [(one, problem.rows) for one, problem in zip(refused, problems, strict=True)]
    counted.sort(key=lambda told: _place(told[0]))
    cause, *others = [f"{_said(one)}{and_more(rows - 1)}" for one, rows in counted]
    first = counted[0][0]
    detail = "\n".join([first.spot.text[:400], *few(others)])
    return Trouble(f"read {order.recipe.place}", cause, _ways_out(first, raw, order), detail)


def _said(one: Refused) -> str:
    what = said(one.column, one.value, one.reason) if one.column else one.reason
    return f"line {one.spot.line} of {one.spot.file}: {what}"


def _ways_out(first: Refused, raw: Raw, order: Make) -> str:
    meant = _as_meant(first, raw, order)
    if meant:
        return meant
    kept = f'keep such rows apart: data {order.names[0]}, rejects from {order.recipe.word} "{order.recipe.place}"'
    looser = _looser(first, order.declared)
    return f"correct the file, {looser}or {kept}" if looser else f"correct the file, or {kept}"


def _as_meant(first: Refused, raw: Raw, order: Make) -> str:
    """What to write where values of a type are only written in another way than is usual."""
    column = next((column for column in order.declared if column.name == first.column), None)
    if column is None or first.value is None or first.reason != f"expected {required(column.type)}":
        return ""
    if column.type.base == "int" and re.fullmatch(r"[+-]?[0-9]{19,}", first.value):
        return f"it is too large for an int, which has 64 bits: declare {_name(column.name)}: text"
    cells = raw.columns[column.origin or column.name]
    others = [cells.shown(row) for row in range(min(raw.rows, LOOKED_AT))]
    values = [first.value, *(value for value in others if value)]
    hint = hints.for_values(values, column.type)
    known = hint and hint.partition(" ")[0] in {argument.name for argument in SOURCES[order.recipe.word].arguments}
    return f"if that is how it is written, say so: {hint}" if known else ""


ABSENT = ("nan", "na", "n/a", "null", "none", "nil")


def _looser(first: Refused, declared: Columns) -> str:
    column = next((column for column in declared if column.name == first.column), None)
    if column is None or first.reason.startswith("expected unique"):
        return ""
    wider = f"{_name(column.name)}: {column.type}{'?' * (not column.type.optional)}"
    if first.value is None:
        return f"let the value be missing, {wider}, "
    is_of_another_type = first.reason == f"expected {required(column.type)}" and not column.type.values
    is_no_value = not any(map(str.isalnum, first.value)) or first.value.lower() in ABSENT
    if is_of_another_type and is_no_value:
        return f'take the value for missing, {wider} with missing = ["{first.value}"], '
    return f"loosen the column {_name(column.name)}, "


def _name(name: str) -> str:
    return name if name.isidentifier() else f'"{name}"'
