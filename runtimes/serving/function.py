"""A function of the user's, with all that it is handed, that answers one request at a time."""

from __future__ import annotations

import asyncio
import dataclasses
import inspect
import json
import shutil
import sys
import tempfile
import typing
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ...compiler.program import Code
from ...compiler.serving import OWN, REQUEST
from ..recipes.work import SEEDS, Work, arguments, given_as, seed_random
from ..secrets import value as secret_value
from ..store.opening import objects_at
from ..trouble import Trouble
from ..userframes import cause, frames, load
from .answers import NoJson, as_json
from .release import Called

Reply = tuple[int, bytes]
ACTION = "answer the request"


class Unfit(Exception):
    """The class of the request does not take it; the text is its own."""


class Answerer:
    """Loaded once: its inputs are read then, and the same objects are handed over with each request."""

    signature: Mapping[str, Any] = {}

    def __init__(self, called: Called) -> None:
        sys.dont_write_bytecode = True  # the code lies in the store
        order = called.order
        assert order.recipe.code is not None, "a service by python comes with its code"
        self.root, self.code = Path(order.root), Path(called.code)
        action = f"load {order.recipe.code.entry}"
        self.scratch = Path(tempfile.mkdtemp(prefix="mlspec"))
        work = Work(order, objects_at(Path(called.store)), order.recipe.code, self.scratch)
        self.function = load(work.code.entry, work.code.files, self.code, action)
        sys.path.append(str(self.root))  # for what the function does not name, and reads all the same
        parameters = _parameters(self.function, action)
        asked = _annotations(self.function, work.code)
        seed_random(work.seed)
        self.given = _handed(parameters, asked, work)
        self.takes = _taker(asked.get(REQUEST))

    def answer(self, calls: list[tuple[bool, list[Any]]]) -> list[Reply]:
        return [self._answer(rows[0]) for _, rows in calls]

    def close(self) -> None:
        shutil.rmtree(self.scratch, ignore_errors=True)

    def _answer(self, request: Any) -> Reply:
        try:
            return 200, as_json(self._called(request))
        except Unfit as unfit:
            problem = {"row": 0, "field": "", "problem": str(unfit)}
            return 422, json.dumps({"errors": [problem]}).encode()
        except NoJson as no_json:
            return self._failed(f"{no_json}\n{REQUEST}s are answered with JSON", str(no_json))
        except MemoryError:
            return self._failed("MemoryError", "it needs more memory than there is")
        except (Exception, SystemExit) as error:
            refused = _meant(error)
            if refused is not None:
                return refused
            return self._failed(frames(error, self.code) or _trace(error), cause(error))

    def _called(self, request: Any) -> Any:
        found = self.function(**self.given, **{REQUEST: self.takes(request)})
        return asyncio.run(found) if inspect.iscoroutine(found) else found

    def _failed(self, account: str, told: str) -> Reply:
        print(account, flush=True)  # noqa: T201 what a worker prints is in the service's log
        return 500, told.encode(errors="replace")


def _trace(error: BaseException) -> str:
    import traceback

    return "".join(traceback.format_exception(error))


def _meant(error: BaseException) -> Reply | None:
    """An error with a status code of its own, as web frameworks have them, is an answer: HTTPException(404, "…")."""
    code = getattr(error, "status_code", None)
    if not isinstance(code, int) or isinstance(code, bool) or not 400 <= code < 500:
        return None
    return code, str(getattr(error, "detail", error)).encode(errors="replace")


# --- what it is handed ------------------------------------------------------------------------------------------

_NAMED = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


def _parameters(function: Any, action: str) -> Mapping[str, inspect.Parameter]:
    try:
        parameters = inspect.signature(function).parameters
    except (TypeError, ValueError):
        raise Trouble(action, "it is no function", "name a function that takes request") from None
    if REQUEST not in parameters and not _takes_any(parameters):
        raise Trouble(action, f"it has no parameter {REQUEST}", "give it one: that is where it gets what it is asked")
    return parameters


def _takes_any(parameters: Mapping[str, inspect.Parameter]) -> bool:
    return any(one.kind is one.VAR_KEYWORD for one in parameters.values())


def _annotations(function: Any, code: Code) -> dict[str, Any]:
    """As types where they can be evaluated, else as written."""
    try:
        return code.annotations | inspect.get_annotations(function, eval_str=True)
    except Exception:  # what stands there may be anything, and be imported for type checkers alone
        return dict(code.annotations)


def _handed(parameters: Mapping[str, inspect.Parameter], asked: Mapping[str, Any], work: Work) -> dict[str, Any]:
    any_ = _takes_any(parameters)
    values = {
        given.alias: given_as(given, asked.get(given.alias, ""), work)
        for given in work.order.inputs
        if given.alias in parameters or any_
    }
    own = {name: value for name, value in arguments(work).items() if name not in OWN}
    values |= {name: value for name, value in own.items() if name in parameters or any_}
    values |= {name: secret_value(secret) for name, secret in work.order.secrets.items()}
    for name in SEEDS:
        one = parameters.get(name)
        if one is not None and name not in values and one.default in (None, one.empty):
            values[name] = work.seed
    return values


# --- the request ------------------------------------------------------------------------------------------------


def _taker(asked: Any) -> Callable[[Any], Any]:
    """What makes of a request's JSON what the function wants: an object of the class that it names, or the JSON itself."""
    made_by = asked if isinstance(asked, type) else None
    if made_by is None or not (
        dataclasses.is_dataclass(made_by) or _is_named_tuple(made_by) or hasattr(made_by, "model_validate")
    ):
        return lambda request: request

    def take(request: Any) -> Any:
        try:
            return made_by(**request)
        except Exception as error:  # the class says what does not fit
            raise Unfit(_first_line(error)) from None

    return take


def _is_named_tuple(made_by: type) -> bool:
    return issubclass(made_by, tuple) and hasattr(made_by, "_fields") and not typing.is_typeddict(made_by)


def _first_line(error: Exception) -> str:
    """Of a validation error of pydantic's the first problem; else what it says."""
    if hasattr(error, "errors") and callable(error.errors):
        found = error.errors()
        if found:
            return f"{'.'.join(map(str, found[0].get('loc', ())))}: {found[0].get('msg', '')}".removeprefix(": ")
    return cause(error).partition(": ")[2] or cause(error)
