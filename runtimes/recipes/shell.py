"""A command line -> what it wrote: a table, a folder of files or a model.

The command runs in the spec's folder and knows its inputs, arguments and the place of its output by environment
variables. What it prints is the step's log.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from ...compiler.program import Value
from ...compiler.types import Columns
from .. import secrets, tables
from ..declared import conform
from ..order import Given, Made, Make, Outcome
from ..store.objects import Objects
from ..trouble import Trouble

FIRST_OUTPUT = "OUTPUT"
PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "PYTHONHASHSEED")
SHOWN_LINES = 20


def make(order: Make, objects: Objects) -> Outcome:
    """Run the command of an order and keep what it wrote."""
    folder = objects.scratch()
    try:
        (folder / "in").mkdir(parents=True)
        (folder / "out").mkdir()
        outputs = {name: folder / "out" / name for name in order.names}
        _run(order, _environment(order, objects, folder / "in", outputs))
        return Outcome(outputs={name: _kept(order, name, path, objects) for name, path in outputs.items()})
    finally:
        shutil.rmtree(folder, ignore_errors=True)


# --- the environment -----------------------------------------------------------------------------------------


def _environment(order: Make, objects: Objects, folder: Path, outputs: Mapping[str, Path]) -> dict[str, str]:
    """Each name as it is written and in capitals; in capitals it never takes the place of PATH and the like."""
    own = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    own.setdefault("PYTHONHASHSEED", "0")  # so that a Python program's sets have the same order each time
    places = {name.upper(): str(path) for name, path in outputs.items()}
    places[FIRST_OUTPUT] = str(outputs[order.names[0]])
    given = {name: _as_text(value) for name, value in order.arguments.items()}
    given |= {name: secrets.value(secret) for name, secret in order.secrets.items()}
    given |= {item.alias: str(_place(item, objects, folder)) for item in order.inputs}
    return {name.upper(): value for name, value in given.items()} | given | places | own


def _place(item: Given, objects: Objects, folder: Path) -> Path:
    """Where an input is to be read: a folder, or a Parquet file under a name that says so."""
    if item.kind != "data" or tables.is_folder(objects, item.digest):
        return objects.folder(item.digest)
    place = folder / f"{item.alias}.parquet"
    if tables.index(objects, item.digest) is None:
        place.symlink_to(objects.path(item.digest).absolute())
    else:
        tables.copy(objects, item.digest, place)
    return place


def _as_text(value: Value) -> str:
    if isinstance(value, tuple):
        return " ".join(map(_as_text, value))
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)


# --- running -------------------------------------------------------------------------------------------------


def _run(order: Make, environment: dict[str, str]) -> None:
    sys.stdout.flush()
    sys.stderr.flush()
    with _group() as group:
        process = subprocess.Popen(
            ["/bin/sh", "-c", order.recipe.text or order.recipe.place],
            cwd=order.root, env=environment, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, process_group=group,
        )  # fmt: skip
        assert process.stderr is not None
        last: deque[bytes] = deque(maxlen=SHOWN_LINES)
        passing = threading.Thread(target=_pass_on, args=(process.stderr, last), daemon=True)
        passing.start()
        code = process.wait()
    passing.join()  # ends when all that held the pipe is gone: with the group
    if code:
        raise _failed(order, code, b"".join(last).decode(errors="replace").rstrip())


@contextmanager
def _group() -> Iterator[int]:
    """A process group for a command and all that it starts. Whatever is left of it when this ends is killed.

    It is led by a watcher, which ends it too when this very process is killed: then the watcher's input ends.
    """
    watcher = subprocess.Popen(
        ["/bin/sh", "-c", "read -r line; kill -KILL 0"],
        stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, process_group=0,
    )  # fmt: skip
    try:
        yield watcher.pid
    finally:
        os.killpg(watcher.pid, signal.SIGKILL)
        watcher.wait()
        assert watcher.stdin is not None
        watcher.stdin.close()


def _pass_on(stream: IO[bytes], last: deque[bytes]) -> None:
    for line in stream:
        last.append(line)
        sys.stderr.write(line.decode(errors="replace"))
        sys.stderr.flush()


def _failed(order: Make, code: int, shown: str) -> Trouble:
    action = f"make {', '.join(order.names)}"
    code = code if code >= 0 else 128 - code  # as a shell says it of what it ran, when a signal ended it
    if code == 128 + signal.SIGKILL:
        return Trouble(action, "the command was killed", "it may have taken more memory than there is", shown)
    helps = {126: "make the program executable", 127: "install the program, or write the path to it"}
    return Trouble(action, f"the command ended with exit code {code}", helps.get(code, ""), shown)


# --- what it wrote -------------------------------------------------------------------------------------------


def _kept(order: Make, name: str, path: Path, objects: Objects) -> Made:
    variable = FIRST_OUTPUT if name == order.names[0] else name.upper()
    declared = order.declared if name == order.names[0] else ()
    _check_written(name, variable, path)
    table = _table(order, name, path, declared) if order.kind == "data" and path.is_file() else None
    if table is not None:
        return tables.write(conform(table, declared, name) if declared else table, objects)
    if declared:
        what = "a folder" if path.is_dir() else "a file that is no Parquet"
        help_ = f'write Parquet to the path in ${variable}, or say format = "csv"'
        raise Trouble(f"make {name}", f"it declares columns, and the command wrote {what}", help_)
    digest = objects.put_folder(path if path.is_dir() else _as_folder(path))
    return Made(digest=digest, kind="model" if order.kind == "model" else "folder", bytes=objects.size(digest))


def _check_written(name: str, variable: str, path: Path) -> None:
    action, help_ = f"make {name}", f"the command writes its result to the path in ${variable}"
    if path.is_symlink():
        raise Trouble(action, f"the command made ${variable} a link", "write a plain file or a folder there")
    if not path.exists():
        raise Trouble(action, f"the command ended well and wrote nothing to ${variable}", help_)
    if path.is_dir() and not any(file.is_file() for file in path.rglob("*")):
        raise Trouble(action, f"the command left the folder ${variable} empty", help_)


def _as_folder(file: Path) -> Path:
    folder = file.with_name(f"folder of {file.name}")
    folder.mkdir()
    file.replace(folder / file.name)
    return folder


def _table(order: Make, name: str, path: Path, declared: Columns) -> pa.Table | None:
    """The table that a file holds; None for a file that is none."""
    if order.arguments.get("format") == "csv":
        return _of_csv(name, path, declared)
    with path.open("rb") as file:
        if file.read(4) != b"PAR1":
            if order.arguments.get("format") == "parquet":
                raise Trouble(
                    f"make {name}", "the command wrote no Parquet", 'leave format away, or write format = "csv"'
                )
            return None
    try:
        return pq.ParquetFile(path).read()
    except (pa.ArrowInvalid, OSError):
        raise Trouble(
            f"make {name}", "the command wrote a damaged Parquet file", "was it written to its end?"
        ) from None


def _of_csv(name: str, path: Path, declared: Columns) -> pa.Table:
    """As the csv source reads: the empty field is missing, and only true and false are truths."""
    types = {column.name: tables.to_arrow(column.type) for column in declared}
    try:
        table = _read_csv(path, types)
        strange = [field.name for field in table.schema if tables.from_arrow(field.type) is None]
        return _read_csv(path, types | dict.fromkeys(strange, pa.string())) if strange else table
    except pa.ArrowInvalid as error:
        raise Trouble(f"make {name}", f"the command wrote no sound CSV: {error}") from None


def _read_csv(path: Path, types: dict[str, pa.DataType]) -> pa.Table:
    options = pyarrow.csv.ConvertOptions(
        column_types=types, null_values=[""], strings_can_be_null=True, true_values=["true"], false_values=["false"]
    )
    parsing = pyarrow.csv.ParseOptions(newlines_in_values=True)
    return pyarrow.csv.read_csv(path, convert_options=options, parse_options=parsing)
