"""Inside a notebook's own Python: it ends with the worker, gives the cells what they are made from, keeps what they leave.

Run as `python -m mlspec.runtimes.recipes.notebook_kernel -f CONNECTION`, in a session of its own. Its standard input is a
pipe whose other end only the worker holds: when that closes, in whatever way, all of the session ends.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from ...compiler.notebook import cells_to_run, source_of
from .. import models, secrets, tables
from ..order import Given, Make, Outcome
from ..store.aside import objects_in
from ..store.objects import FOLDER, Damaged
from ..trouble import Trouble
from ..userframes import cause, come_first, guarded
from .forms import Said
from .notebook import ANSWER, ERROR, ORDER
from .returned import kept_by_name
from .work import Work, given_as, seed_random

METRICS = "metrics"  # the variable that a model's notebook may leave them in
OWN_CLASS = b"\x8c\x08__main__\x94"  # how a pickle speaks of what a notebook itself defines


def main() -> None:
    life = os.dup(0)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    folder = Path(sys.argv[sys.argv.index("-f") + 1]).parent
    threading.Thread(target=_end_with, args=(life, folder), daemon=True).start()
    from ipykernel.kernelapp import launch_new_instance

    launch_new_instance()


def _end_with(life: int, folder: Path) -> None:
    while os.read(life, 1):
        pass
    shutil.rmtree(folder, ignore_errors=True)
    os.killpg(0, signal.SIGKILL)


# --- before the cells ----------------------------------------------------------------------------------------


def begin(shell: Any, scratch: str, *stores: str) -> None:
    """Imports find the project's files, what goes wrong is told by the user's own frames, chance begins from the seed."""
    order = Make.model_validate_json((Path(scratch) / ORDER).read_bytes())
    assert order.recipe.code is not None
    work = shell.mlspec = Work(order, objects_in([Path(store) for store in stores]), order.recipe.code, Path(scratch))
    notebook = work.root / order.recipe.place
    come_first((notebook.parent, work.root))
    cells = json.loads(notebook.read_bytes().decode("utf-8", errors="replace"))["cells"]
    _name_cells(shell, {source_of(cell): f"{notebook} cell {number}" for number, cell in cells_to_run(cells)})
    shell.events.register("post_run_cell", partial(_ran, work))
    seed_random(work.seed)


def _name_cells(shell: Any, names: Mapping[str, str]) -> None:
    """In tracebacks a cell is a file below the spec's folder, like all that is the user's own."""
    plain = shell.compile.get_code_name
    shell.compile.get_code_name = lambda raw, code, number: names.get(raw) or plain(raw, code, number)


def give(shell: Any) -> None:
    """The inputs and secrets, as variables. An argument stands in a cell of its own."""
    work: Work = shell.mlspec

    def values() -> None:
        given: dict[str, Any] = dict.fromkeys(work.code.parameters)  # None for a `last` that is not there yet
        given |= {one.alias: given_as(one, _form(one, work), work) for one in work.order.inputs}
        given |= {name: secrets.value(secret) for name, secret in work.order.secrets.items()}
        shell.push(given)
        seed_random(work.seed)

    answer = _told(values)
    if answer:
        (work.scratch / ANSWER).write_text(json.dumps(answer))
        raise RuntimeError("the inputs could not be given")


def _form(given: Given, work: Work) -> str:
    """A table comes as a frame, a folder of files as its path."""
    return "Path" if given.kind == "data" and tables.is_folder(work.objects, given.digest) else ""


# --- when a cell has run -------------------------------------------------------------------------------------


def _ran(work: Work, result: Any) -> None:
    error = result.error_before_exec or result.error_in_exec
    if error is None:
        return
    if isinstance(error, MemoryError):
        told: dict[str, Any] = {"memory": True}
    else:
        told = _told(partial(guarded, partial(_raise, error), work.action, work.root)) | {"line": _line(error, work)}
    (work.scratch / ERROR).write_text(json.dumps(told), encoding="utf-8")


def _raise(error: BaseException) -> None:
    raise error


def _line(error: BaseException, work: Work) -> int:
    """Of the cell that ran; 0 where none of its lines did."""
    start = f"{work.root / work.order.recipe.place} cell "
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename.startswith(start)]
    return (lines[0] or 0) if lines else 0


# --- after the cells -----------------------------------------------------------------------------------------


def keep(shell: Any) -> None:
    work: Work = shell.mlspec
    answer: dict[str, Any] = {}

    def outcome() -> None:
        answer["outcome"] = _kept(shell.user_ns, work).model_dump(mode="json")

    answer |= _told(outcome)
    (work.scratch / ANSWER).write_text(json.dumps(answer), encoding="utf-8")


def _kept(variables: Mapping[str, Any], work: Work) -> Outcome:
    """What stands in the variables of the outputs' names; for a model also `metrics`, if that is a dict."""
    made = Outcome(outputs={})
    metrics = variables.get(METRICS) if METRICS not in work.order.names else None
    for name in work.order.names:
        if name not in variables:
            raise Trouble(f"make {name}", f"the notebook left no variable {name}", f"end it with {name} = …")
        value = variables[name]
        if work.order.kind == "model" and isinstance(metrics, dict) and not isinstance(value, tuple):
            value = (value, metrics)
        one = kept_by_name({name: value}, work, Said(f"{name} is", f"leave in {name}"))
        made = Outcome(outputs={**made.outputs, **one.outputs}, metrics={**made.metrics, **one.metrics})
        _can_be_loaded(name, one.outputs[name].digest, work)
    return made


def _can_be_loaded(name: str, digest: str, work: Work) -> None:
    """A model is used where the notebook does not run."""
    file = work.objects.listing(digest).get(models.FILE) if digest.startswith(FOLDER) else None
    if work.order.kind == "model" and file and OWN_CLASS in work.objects.path(file).read_bytes():
        help_ = "move it to a .py file beside the notebook, and import it from there"
        raise Trouble(f"make {name}", "the model needs a class or function that the notebook itself defines", help_)


def _told(work: Callable[[], object]) -> dict[str, Any]:
    """What went wrong, as the worker reads it; nothing when nothing did."""
    try:
        work()
    except MemoryError:
        return {"memory": True}
    except Damaged as damaged:
        return {"damaged": [damaged.digest, damaged.cause]}
    except Trouble as trouble:
        return {"trouble": [trouble.action, trouble.cause, trouble.help, trouble.detail]}
    except Exception as error:  # of what a library makes of the user's values: told, not lost with the kernel
        return {"trouble": ["keep what the notebook left", cause(error), "", ""]}
    return {}


if __name__ == "__main__":
    main()
