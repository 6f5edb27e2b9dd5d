"""A notebook -> what it leaves in the variables of the outputs' names, kept; and the notebook as it came out, kept too.

It runs in a Python of its own (`notebook_run.py`), where it is given its inputs and where its results are kept
(`notebook_kernel.py`).
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...compiler.load import decoded
from ...compiler.notebook import FORMAT, INJECTED, PARAMETERS, Notebook, cells_to_run, read, source_of, tags_of
from .. import secrets
from ..order import Make, Outcome
from ..store.objects import Damaged, Objects
from ..trouble import Trouble
from .work import Work, arguments

if TYPE_CHECKING:
    from .notebook_run import Failure

ABOUT = "notebook"  # where an artifact says which notebook made it
HIDDEN = "mlspec"  # in the metadata of a cell of ours, which is run and not kept
ORDER, ANSWER, ERROR = "order.json", "answer.json", "error.json"
NEEDED = ("nbclient", "nbformat", "ipykernel")


def make(order: Make, objects: Objects) -> Outcome:
    """Run the notebook, from its first cell to its last."""
    assert order.recipe.code is not None, "a notebook comes with its code"
    _all_installed(order)
    work = Work(order, objects, order.recipe.code, objects.scratch())
    work.scratch.mkdir(parents=True)
    try:
        (work.scratch / ORDER).write_text(order.model_dump_json(), encoding="utf-8")
        notebook = _prepared(work)
        _run(notebook, work)
        outcome = _answer(work)
        digest = objects.put_bytes(_as_file(notebook, order))
        outputs = {n: m.model_copy(update={"about": {**m.about, ABOUT: digest}}) for n, m in outcome.outputs.items()}
        return outcome.model_copy(update={"outputs": outputs})
    finally:
        shutil.rmtree(work.scratch, ignore_errors=True)


def _all_installed(order: Make) -> None:
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        cause = f"running a notebook takes {missing[0]}, which is not installed"
        raise Trouble(f"make {', '.join(order.names)}", cause, 'pip install "mlspec[notebook]"')


# --- its cells -----------------------------------------------------------------------------------------------


def _prepared(work: Work) -> dict[str, Any]:
    """The notebook as it will run: without what came out before, with cells of ours between its own."""
    notebook = _read(work)
    cells = [_emptied(cell, at) for at, cell in enumerate(notebook["cells"], 1) if INJECTED not in tags_of(cell)]
    for number, cell in cells_to_run(cells):
        cell["metadata"][HIDDEN] = number
    tagged = (at for at, cell in enumerate(cells, 1) if cell["cell_type"] == "code" and PARAMETERS in tags_of(cell))
    at = next(tagged, 0)
    cells[at:at] = [_hidden("give"), _cell(_given(work), {"tags": [INJECTED]})]
    notebook["cells"] = [_hidden("begin", str(work.scratch), *map(str, work.objects.roots)), *cells, _hidden("keep")]
    return notebook


def _read(work: Work) -> dict[str, Any]:
    """The notebook that was compiled, and none that was saved since then: its key speaks of that one."""
    place = work.order.recipe.place
    texts = {place: _text(work.root / place)}
    found = read(place, lambda path: texts[path] if path in texts else _text(work.root / path))
    if not isinstance(found, Notebook) or found.code.digest != work.code.digest:
        raise Trouble(work.action, f"{place}, or what it imports, was changed while it was applied", "apply again")
    content: dict[str, Any] = json.loads(texts[place] or "")
    cells = [cell for cell in content["cells"] if isinstance(cell, dict) and isinstance(cell.get("cell_type"), str)]
    minor = content.get("nbformat_minor")
    return {"nbformat": FORMAT, "nbformat_minor": minor if isinstance(minor, int) else 4,
            "metadata": _dict(content.get("metadata")), "cells": cells}  # fmt: skip


def _text(path: Path) -> str | None:
    return decoded(path.name, path.read_bytes()) if path.is_file() else None


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _emptied(cell: dict[str, Any], at: int) -> dict[str, Any]:
    metadata = {name: value for name, value in _dict(cell.get("metadata")).items() if name != "execution"}
    plain = {**cell, "source": source_of(cell), "metadata": metadata}
    plain.setdefault("id", f"cell-{at}")
    return plain | {"outputs": [], "execution_count": None} if cell["cell_type"] == "code" else plain


def _cell(source: str, metadata: dict[str, Any]) -> dict[str, Any]:
    return {"cell_type": "code", "id": HIDDEN, "metadata": metadata, "source": source, "outputs": [],
            "execution_count": None}  # fmt: skip


def _hidden(verb: str, *arguments: str) -> dict[str, Any]:
    """A call of `notebook_kernel`, which leaves no name among the notebook's own."""
    module = f"{__package__}.notebook_kernel"
    given = ", ".join(["get_ipython()", *map(repr, arguments)])
    return _cell(f"__import__({module!r}, fromlist=[{verb!r}]).{verb}({given})", {HIDDEN: verb})


def _given(work: Work) -> str:
    """The cell that says what the notebook was given; inputs and secrets are there already when it runs."""
    order = work.order
    lines = [f"# Set by mlspec. What is drawn at random begins from seed {work.seed}."]
    for names, what in (([item.alias for item in order.inputs], "made from"), (list(order.secrets), "secret")):
        if names:
            lines.append(f"# {what}: {', '.join(names)}")
    lines += ["import datetime"] * bool(order.recipe.moments)
    lines += [f"{name} = {value!r}" for name, value in arguments(work).items()]
    return "\n".join(lines)


# --- running -------------------------------------------------------------------------------------------------


def _run(notebook: dict[str, Any], work: Work) -> None:
    from . import notebook_run  # of the extra `notebook`

    failure = notebook_run.run(notebook, work.root)
    if failure is None or (work.scratch / ANSWER).is_file():
        return  # the answer says what was kept, or why nothing could be given
    told = _told(failure, work)
    path = work.root / ".mlspec" / "logs" / f"{work.order.names[0]}-{work.order.key[:8]}.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(_as_file(notebook, work.order))
    where = f"the notebook as far as it ran is {path.relative_to(work.root).as_posix()}"
    raise Trouble(told.action, told.cause, f"{told.help}; {where}" if told.help else where, told.detail)


def _told(failure: Failure, work: Work) -> Trouble:
    """What went wrong in a cell, as the kernel has told it; or that the kernel ended."""
    if failure.ended:
        help_ = "if memory ran out, say needs memory = … so that it is told apart, or read less"
        return Trouble(work.action, f"its Python ended{_in(failure.cell)}", help_)
    error = _json(work.scratch / ERROR)
    if error.get("memory"):
        raise MemoryError
    action, cause, help_, detail = error.get("trouble") or (work.action, failure.message, "", "")
    line = f", line {error['line']}" if error.get("line") else ""
    return Trouble(action, f"{cause},{_in(failure.cell)}{line}", help_, detail)


def _in(cell: int | None) -> str:
    return f" in cell {cell}" if cell else ""


def _answer(work: Work) -> Outcome:
    """What was kept of what the notebook left."""
    answer = _json(work.scratch / ANSWER)
    if answer.get("memory"):
        raise MemoryError
    if "damaged" in answer:
        raise Damaged(*answer["damaged"])
    if "trouble" in answer:
        raise Trouble(*answer["trouble"])
    if "outcome" not in answer:
        raise Trouble(work.action, "its Python ended before its results were kept")
    return Outcome.model_validate(answer["outcome"])


def _json(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_bytes()) if path.is_file() else {}
    return found


# --- the notebook as it came out -----------------------------------------------------------------------------


def _as_file(notebook: dict[str, Any], order: Make) -> bytes:
    from nbformat import from_dict, v4  # of the extra `notebook`

    cells = [
        _as_kept(cell, notebook) for cell in notebook["cells"] if not isinstance(cell["metadata"].get(HIDDEN), str)
    ]
    kept = _without(notebook | {"cells": cells}, order.secrets.values())
    written: str = v4.writes(from_dict(kept))  # type: ignore[no-untyped-call]
    return (written + "\n").encode()


def _as_kept(cell: dict[str, Any], notebook: dict[str, Any]) -> dict[str, Any]:
    metadata = {name: value for name, value in cell["metadata"].items() if name != HIDDEN}
    plain = {**cell, "metadata": metadata}
    if notebook.get("nbformat_minor", 0) < 5:
        plain.pop("id", None)
    return plain


def _without(value: Any, names: Iterable[str]) -> Any:
    """Without the values of secrets, wherever a cell has shown them."""
    if not names:
        return value
    if isinstance(value, str):
        return secrets.hidden(value, names)
    if isinstance(value, dict):
        return {name: _without(part, names) for name, part in value.items()}
    return [_without(part, names) for part in value] if isinstance(value, list) else value
