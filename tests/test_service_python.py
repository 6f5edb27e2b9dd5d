"""A service that a function of the user's answers: checked when compiled, run as a person would run it."""

from __future__ import annotations

import datetime as dt
import json
import os
import re
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from helpers import Project, until
from mlspec.compiler.load import InMemory
from mlspec.compiler.pipeline import Compiled, compile_text
from mlspec.compiler.requests import Refused, Requests
from mlspec.compiler.shapes import Unclear, shape_of
from mlspec.compiler.types import Column, Type
from mlspec.runtimes.serving import control
from mlspec.runtimes.serving.answers import NoJson, as_json
from mlspec.runtimes.targets import targets

# --- compiled ---------------------------------------------------------------------------------------------------

CODE = """
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal, NotRequired, TypedDict

class Order(TypedDict):
    plan: Literal["free", "pro"]
    count: int
    more: NotRequired[dict[str, Any]]
    tags: list[str] | None

@dataclass
class Quote:
    price: float
    valid: date
    rebate: int = 0

class Nested(TypedDict):
    order: Order

def answer(churn, prices, request: Order, limit: int) -> Quote: ...
def plain(request): ...
def nested(request: Nested): ...
def nothing(request) -> None: ...
"""
HEAD = """data people from csv "people.csv"
data prices from csv "prices.csv"
model churn from people by python "sklearn.linear_model:LogisticRegression" {
  predict .left from .age
}
"""


def compiled(text: str, **files: str) -> Compiled:
    columns = {
        name: Type.model_validate({"base": base})
        for name, base in (("age", "float"), ("left", "bool"), ("price", "float"))
    }
    table = tuple(Column(name=name, type=type_) for name, type_ in columns.items())
    given = {"a.py": CODE, **{name.replace("__", "."): content for name, content in files.items()}}
    return compile_text("s.mlspec", HEAD + text, InMemory(given, {"people.csv": table, "prices.csv": table}), targets())


def told(text: str, **files: str) -> list[str]:
    return [one.code for one in compiled(text, **files).diagnostics]


def test_inputs_and_arguments_are_matched_by_name_and_those_of_the_service_stay_its_own() -> None:
    body = '{\n  limit = 5\n  replicas = 2\n  route = "/quote"\n}\n'
    spec = compiled(f'service s from churn, prices by python "a.py:answer" {body}')
    assert spec.diagnostics == ()
    assert spec.program.node_of()["s"].arguments == {"limit": 5, "replicas": 2, "route": "/quote"}
    assert told('service s from churn, prices by python "a.py:answer" {\n  limt = 5\n}\n') == ["E402"]
    assert told('service s from churn, prices by python "a.py:answer"\n') == ["E403"]
    assert told('service s from churn by python "a.py:answer" {\n  limit = 5\n}\n') == ["E403"]
    assert told('service s from churn, prices by python "a.py:answer" {\n  limit = "5"\n}\n') == ["E404"]


def test_what_no_service_can_be_is_told() -> None:
    assert told('service s by python "a.py:nested"\n') == ["E408"]
    assert told('service s by python "a.py:nothing"\n') == ["E406"]
    assert told('service s by python "a.py:Quote"\n') == ["E409"]
    assert told('service s from prices as request by python "a.py:plain"\n') == ["E102"]
    assert told('service s by python "a.py:plain" {\n  port = 0\n}\n') == ["E206"]
    assert told('service t by python "a.py:plain"\nservice s from t by python "a.py:plain"\n') == ["E104"]
    assert told('service s from last churn, prices by python "a.py:answer" {\n  limit = 5\n}\n') == ["E115"]


def test_an_expectation_of_times_needs_something_to_ask() -> None:
    line = 'service s by python "a.py:plain" {\n  example = "r.json"\n  expect .p95 < 1s\n}\n'
    assert told(line, r__json='{"a": 1}') == []
    assert told(line.replace('  example = "r.json"\n', "")) == ["E225"]
    assert told(line) == ["E701"]
    assert told(line, r__json="{") == ["E226"]


def test_an_example_is_held_against_the_request() -> None:
    line = 'service s from churn, prices by python "a.py:answer" {\n  limit = 5\n  example = "r.json"\n}\n'
    assert told(line, r__json='{"plan": "pro", "count": 1, "tags": null}') == []
    (wrong,) = compiled(line, r__json='{"plan": "best", "count": 1, "tags": null}').diagnostics
    assert (wrong.code, wrong.facts["problem"]) == ("E226", 'plan: "free" or "pro" needed, got text "best"')


def test_the_request_is_read_from_the_class_that_it_names() -> None:
    def read(path: str) -> str | None:
        return CODE if path == "a.py" else None

    order, quote = shape_of("Order", "a.py:f", read), shape_of("'Quote'", "a.py:f", read)
    assert not isinstance(order, Unclear) and not isinstance(quote, Unclear)
    assert [(f.name, str(f.type), f.needed) for f in order.fields] == [
        ("plan", '"free" | "pro"', True), ("count", "int", True), ("more", "None", False), ("tags", "list[text]?", True),
    ]  # fmt: skip
    assert [(f.name, str(f.type), f.needed) for f in quote.fields] == [
        ("price", "float", True), ("valid", "date", True), ("rebate", "int", False),
    ]  # fmt: skip
    assert shape_of("dict[str, int]", "a.py:f", read).form == "object"  # type: ignore[union-attr]
    assert shape_of("list[Order]", "a.py:f", read).form == "list"  # type: ignore[union-attr]
    assert (
        shape_of("", "a.py:f", read)
        == shape_of("pd.DataFrame", "a.py:f", read)
        == shape_of("int | str", "a.py:f", read)
    )
    requests = Requests(quote)
    assert requests.accept({"price": 1, "valid": "2024-01-31"}) == [{"price": 1.0, "valid": dt.date(2024, 1, 31)}]
    with pytest.raises(Refused) as refused:
        requests.accept({"valid": "x", "rebat": 1})
    assert [one.field for one in refused.value.problems] == ["rebat", "price", "valid"]


def test_the_key_holds_the_code_the_inputs_and_the_example() -> None:
    from mlspec.compiler.identity import making

    line = 'service s from churn, prices by python "a.py:answer" {\n  limit = 5\n  example = "r.json"\n}\n'
    example = '{"plan": "pro", "count": 1, "tags": null}'

    def parts(**files: str) -> dict[str, str]:
        return making(compiled(line, **files).program.node_of()["s"], {"churn": "m", "prices": "p"}, {}, {})

    before = parts(r__json=example)
    assert (before["input churn"], before["input prices"], before["argument limit"]) == ("m", "p", "5")
    assert parts(r__json=example.replace("1", "2")) != before
    assert parts(r__json=f"\n{example}\n") == before


# --- what it returns --------------------------------------------------------------------------------------------


class Size(Enum):
    LARGE = "L"


@dataclass
class Point:
    x: int
    y: Any


class Pair(NamedTuple):
    a: int
    b: int


def test_what_json_can_hold_is_turned_into_it() -> None:
    frame = pd.DataFrame({"n": [1, 2], "t": pd.to_datetime(["2024-01-31", None]), "x": [0.5, None]})
    rows = [{"n": 1, "t": "2024-01-31T00:00:00", "x": 0.5}, {"n": 2, "t": None, "x": None}]
    cases: list[tuple[Any, Any]] = [
        (None, None), ({"a": [1, (True, "x")]}, {"a": [1, [True, "x"]]}), (np.float32(0.5), 0.5), (np.int64(7), 7),
        (np.bool_(True), True), (np.array([[1, 2]]), [[1, 2]]), (float("nan"), None), (frame, rows), (frame.n, [1, 2]),
        (pa.table({"a": [1]}), [{"a": 1}]), ({1: np.float64("inf")}, {"1": None}), (Size.LARGE, "L"), (Point(1, Size.LARGE), {"x": 1, "y": "L"}),
        ([Pair(1, 2), np.int8(1)], [{"a": 1, "b": 2}, 1]), (dt.date(2024, 1, 31), "2024-01-31"), (pd.NaT, None), (pd.NA, None),
    ]  # fmt: skip
    for value, wanted in cases:
        assert json.loads(as_json(value)) == wanted, value


def test_what_json_cannot_hold_is_named_with_its_place() -> None:
    itself: list[Any] = []
    itself.append(itself)
    for value, said in (
        (object(), "it returned a value of type object"),
        ({"a": [1, b"x"]}, "at a[1] it returned a value of type bytes"),
        ({"a": {(1, 2): 3}}, "it returned a dict at a whose keys are of type tuple"),
        (itself, "what it returned holds itself"),
    ):
        with pytest.raises(NoJson, match=r".") as no_json:
            as_json(value)
        assert str(no_json.value).startswith(said)


# --- run --------------------------------------------------------------------------------------------------------

SPEC = """mlspec 1

data prices from csv "prices.csv"

## Prices an order.
service quote from prices by python "quote.py:answer" {
  route   = "/quote"
  limit   = 5
  example = "request.json"
  expect .errors == 0%
}
"""
QUOTE = """
from dataclasses import dataclass
import os
import pyarrow as pa
from rebates import rebate

class Missing(Exception):
    status_code = 404

@dataclass
class Order:
    plan: str
    count: int = 1

    def __post_init__(self):
        if self.count > 100:
            raise ValueError("count is 100 at most")

def answer(prices: pa.Table, request: Order, limit: int):
    known = dict(zip(prices["plan"].to_pylist(), prices["price"].to_pylist()))
    if request.plan == "gone":
        raise Missing("there is no such plan")
    if request.plan == "die":
        os._exit(1)
    if request.plan == "raw":
        return {"it": object()}
    return {"price": rebate(known[request.plan]) * min(request.count, limit)}
"""
REBATES = "def rebate(price):\n    return price * 0.5\n"


@pytest.fixture(scope="module")
def quote(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    project = Project(tmp_path_factory.mktemp("quote"))
    project.write(s__mlspec=SPEC, quote__py=QUOTE, rebates__py=REBATES, request__json='{"plan": "pro"}',
                  prices__csv="plan,price\nfree,0\npro,10\n")  # fmt: skip
    ran = project.apply()
    assert ran.code == 0, ran.text
    yield project
    control.stop(folder(project))


def folder(project: Project) -> Path:
    return project.root / ".mlspec" / "services" / "s" / "local" / "quote"


def ask(project: Project, request: Any, method: str = "POST", path: str = "/quote") -> tuple[int, Any]:
    place = urlsplit(control.status(folder(project)).address)
    connection = HTTPConnection(place.hostname or "", place.port, timeout=60)
    connection.request(method, path, json.dumps(request))
    response = connection.getresponse()
    text = response.read().decode()
    connection.close()
    return response.status, json.loads(text) if response.headers["content-type"] == "application/json" else text


def test_a_request_is_answered(quote: Project) -> None:
    assert ask(quote, {"plan": "pro", "count": 3}) == (200, {"price": 15.0})
    assert ask(quote, {"plan": "pro", "count": 9}) == (200, {"price": 25.0})
    assert control.status(folder(quote)).requests >= 2


def test_what_does_not_fit_is_refused_before_the_function_sees_it(quote: Project) -> None:
    assert ask(quote, [1])[0] == 422
    code, body = ask(quote, {"plan": 3, "coun": 1})
    assert (code, [one["field"] for one in body["errors"]]) == (422, ["coun", "plan"])
    refused = {"row": 0, "field": "", "problem": "count is 100 at most"}  # by the class itself
    assert ask(quote, {"plan": "pro", "count": 101}) == (422, {"errors": [refused]})


def test_what_goes_wrong_is_one_line_for_the_client_and_all_of_it_in_the_log(quote: Project) -> None:
    said = {"error": "the function could not answer; the service's log says why"}
    assert ask(quote, {"plan": "none"}) == ask(quote, {"plan": "raw"}) == (500, said)
    log = control.log(folder(quote))
    until(
        lambda: "KeyError: 'none'" in log.read_text() and "at it it returned a value of type object" in log.read_text()
    )
    assert "quote.py:" in log.read_text() and "site-packages" not in log.read_text()
    assert ask(quote, {"plan": "gone"}) == (404, {"error": "there is no such plan"})


def test_its_page_and_document(quote: Project) -> None:
    page = ask(quote, None, "GET", "/")[1]
    assert "Prices an order." in page and "&quot;plan&quot;: &quot;pro&quot;" in page and "<!--" not in page
    served, shown = ask(quote, None, "GET", "/openapi.json")[1], quote.data("show", "quote", "--openapi")
    assert served["info"].pop("version") != shown["info"].pop("version") == "unreleased"
    assert served == shown
    request = shown["components"]["schemas"]["Request"]
    assert (request["required"], request["properties"]["count"]) == (["plan"], {"type": "integer"})


def test_a_function_that_ends_its_process_ends_no_service(quote: Project) -> None:
    assert ask(quote, {"plan": "die"})[0] == 503
    assert ask(quote, {"plan": "pro"}) == (200, {"price": 5.0})


def test_a_plan_tells_in_words_what_changed_of_a_service(quote: Project) -> None:
    quote.write(quote__py=QUOTE.replace("import dataclass", "import dataclass as record").replace("@dataclass", "@record").replace(
        "count: int = 1", "count: int = 2"))  # fmt: skip
    shown = quote.run("plan").out
    quote.write(quote__py=QUOTE)
    for line in ("quote.py:dataclass is no longer used", "quote.py:record is used now", "quote.py:Order changed"):
        assert line in shown
    assert not re.search("[0-9a-f]{64}", shown)


def test_an_edit_serves_nothing_new_before_it_is_released_and_a_rollback_takes_it_back(quote: Project) -> None:
    quote.write(rebates__py=REBATES.replace("0.5", "0.8"))
    pid = control.status(folder(quote)).pid
    until(lambda: len(workers(pid)) == 1)
    os.kill(workers(pid)[0], signal.SIGKILL)
    assert ask(quote, {"plan": "pro"}) == (
        200,
        {"price": 5.0},
    )  # the worker that was started again runs what was released
    assert "rebates.py:rebate changed" in quote.run("plan").out
    assert quote.events() == {"prices": "reused", "quote": "served"}
    assert ask(quote, {"plan": "pro"}) == (200, {"price": 8.0})
    assert quote.run("rollback", "quote").code == 0
    assert ask(quote, {"plan": "pro"}) == (200, {"price": 5.0})
    assert quote.data("apply")["counts"] == {"reused": 2}
    control.stop(folder(quote))
    assert quote.events()["quote"] == "served"  # and not the release that was taken back
    assert ask(quote, {"plan": "pro"}) == (200, {"price": 5.0})


def workers(pid: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_a_release_that_does_not_answer_its_example_is_not_taken(quote: Project) -> None:
    quote.write(rebates__py="def rebate(price):\n    return price / 0\n")
    ran = quote.apply()
    assert ran.code == 4 and "it does not answer its example: ZeroDivisionError" in ran.text
    assert ask(quote, {"plan": "pro"})[0] == 200


def test_what_stops_the_function_from_being_loaded_is_told(quote: Project) -> None:
    quote.write(rebates__py="import not_there_at_all\n\ndef rebate(price):\n    return not_there_at_all.x\n")
    ran = quote.apply()
    assert ran.code == 4 and "could not load the function of quote: ModuleNotFoundError" in ran.text
    assert "Traceback" not in ran.text and ask(quote, {"plan": "pro"})[0] == 200
