"""One action, done: an order in, an outcome out. The same code in every backend."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

from ..grammar.kinds import SOURCES
from .order import Answers, Divide, Division, Join, Judge, Make, Outcome
from .store.objects import Damaged, Objects
from .trouble import Trouble, no_memory, out_of_memory

MODULES = {"sql": "sql", "python": "python", "split": "split", "predict": "predict", "shell": "shell", "notebook": "notebook",
           "seen": "seen"}  # fmt: skip


def make(order: Make, objects: Objects) -> Outcome:
    """Make all outputs of one block. Raises Trouble, never anything else."""
    with_project(order.root)
    name = "read" if order.recipe.word in SOURCES else MODULES[order.recipe.word]

    def work() -> Outcome:
        outcome: Outcome = import_module(f".recipes.{name}", __package__).make(_with_features(order, objects), objects)
        return outcome

    return _guarded(work, f"make {', '.join(order.names)}", order.needs.memory)  # type: ignore[no-any-return]


def _with_features(order: Make, objects: Objects) -> Make:
    """Features left unsaid, of data whose columns were not known before it was made: all columns but the targets."""
    if order.predict is None or order.predict.features or not order.inputs:
        return order
    from . import tables

    columns = tables.read(objects, order.inputs[0].digest).column_names
    features = tuple(column for column in columns if column not in order.predict.targets)
    return order.model_copy(update={"predict": order.predict.model_copy(update={"features": features})})


def divide(order: Divide, objects: Objects) -> Division:
    """Find out which parts there are of some tables."""
    from . import division

    work = lambda: division.divide(order, objects)  # noqa: E731
    return _guarded(work, f"divide {order.name}", order.needs.memory)  # type: ignore[no-any-return]


def join(order: Join, objects: Objects) -> Outcome:
    """Put the parts of a block together."""
    from . import joining

    work = lambda: joining.join(order, objects)  # noqa: E731
    return _guarded(work, f"put the parts of {', '.join(order.names)} together", order.needs.memory)  # type: ignore[no-any-return]


def judge(order: Judge, objects: Objects) -> Answers:
    """Find out facts about one artifact."""
    with_project(order.root)
    if order.kind == "model":
        module, call = import_module(".metrics", __package__), "about_model"
        arguments: tuple[Any, ...] = (objects, order.digest, order.predict, order.questions)
    else:
        module, call = import_module(".facts", __package__), "about_table"
        arguments = (objects, order.digest, order.questions)
    values = _guarded(lambda: getattr(module, call)(*arguments), f"judge {order.name}", order.needs.memory)
    return Answers(values=values)


def with_project(root: str) -> None:
    """Where the user's code expects to run: in the folder of the spec, which it can import from."""
    os.chdir(root)
    if sys.path[:1] != [root]:
        sys.path.insert(0, root)


def _guarded(work: Any, action: str, memory: int | None) -> Any:
    try:
        return work()
    except (Trouble, Damaged):
        raise
    except OSError as error:
        what = f": {Path(error.filename).name}" if isinstance(error.filename, str) else ""
        help_ = "free some space, then apply again: what was finished stays" if error.errno == 28 else ""
        raise Trouble(action, f"{error.strerror or error}{what}", help_) from None
    except Exception as error:
        if not out_of_memory(error):
            raise
        raise no_memory(action, memory) from None
