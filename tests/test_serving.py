"""Serving: real processes on real ports, swapped, killed and stopped while clients ask."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from mlspec.compiler.openapi import example
from mlspec.compiler.requests import Malformed, Refused, Schema, parse
from mlspec.compiler.types import BOOL, DATE, FLOAT, INT, TEXT, TIMESTAMP, Column, Type, optional
from mlspec.runtimes import models
from mlspec.runtimes.serving import control
from mlspec.runtimes.serving.control import Release
from mlspec.runtimes.serving.seen import log_of
from mlspec.runtimes.serving.worker import Predictor
from mlspec.runtimes.store.objects import Objects
from mlspec.runtimes.trouble import Trouble

FEATURES = (
    Column(name="tenure", type=INT, low=0, high=240),
    Column(name="spend", type=FLOAT),
    Column(name="plan", type=Type(base="text", values=("free", "pro", "team"))),
    Column(name="joined", type=optional(DATE)),
)
ROW = {"tenure": 3, "spend": 1.5, "plan": "pro"}
PROBE = [{"tenure": n, "spend": n / 2, "plan": "free", "joined": "2024-01-31"} for n in range(20)]


# --- the schema: no process needed ------------------------------------------------------------------------------


def problems(column: Column, value: object) -> str:
    with pytest.raises(Refused) as refused:
        Schema((column,)).accept({column.name: value})
    (one,) = refused.value.problems
    return one.problem


@pytest.mark.parametrize(
    ("type_", "value", "problem"),
    [
        (INT, "abc", 'whole number needed, got text "abc"'),
        (INT, 1.5, "whole number needed, got 1.5"),
        (INT, True, "whole number needed, got true"),
        (INT, None, "whole number needed, got null"),
        (INT, 2**63, "whole number of at most 64 bits needed, got a larger one"),
        (FLOAT, float("nan"), "number needed, got NaN"),
        (FLOAT, float("inf"), "number needed, got Infinity"),
        (FLOAT, False, "number needed, got false"),
        (FLOAT, 10**400, "number needed, got a number with many digits"),
        (TEXT, 7, "text needed, got 7"),
        (TEXT, "\ud83d", "text needed, got half of a surrogate pair in it"),
        (BOOL, 1, "true or false needed, got 1"),
        (DATE, "31.01.2024", 'date needed, as in 2024-01-31, got text "31.01.2024"'),
        (DATE, "2024-02-30", 'date needed, as in 2024-01-31, got text "2024-02-30"'),
        (TIMESTAMP, "2024-01-31", 'timestamp needed, as in 2024-01-31T12:30:00, got text "2024-01-31"'),
        (Type(base="text", values=("a", "b", "c")), "d", '"a", "b" or "c" needed, got text "d"'),
        (Type(base="list", item=INT), [1, "x"], 'item 1: whole number needed, got text "x"'),
        (Type(base="list", item=INT), {}, "list needed, got an object"),
    ],
)
def test_a_value_that_does_not_fit_is_told_what_is_needed(type_: Type, value: object, problem: str) -> None:
    assert problems(Column(name="x", type=type_), value) == problem


def test_a_declared_range_holds_for_requests_too() -> None:
    assert problems(Column(name="x", type=INT, low=0, high=240), 241) == "a value from 0 to 240 needed, got 241"
    assert problems(Column(name="x", type=DATE, low="2024-01-01"), "2023-12-31").startswith(
        "at least 2024-01-01 needed"
    )


def test_int_is_taken_for_float_and_a_time_zone_is_heeded() -> None:
    (row,) = Schema((Column(name="x", type=FLOAT), Column(name="at", type=TIMESTAMP))).accept(
        {"x": 3, "at": "2024-01-31T12:00:00+02:00"}
    )
    assert (type(row[0]), row[1].isoformat()) == (float, "2024-01-31T10:00:00")


def test_every_problem_of_every_row_is_named() -> None:
    with pytest.raises(Refused) as refused:
        Schema(FEATURES).accept([ROW, {"tenur": 3, "spend": "x", "plan": "pro", "joined": None}, 5])
    assert [(one.row, one.field) for one in refused.value.problems] == [
        (1, "tenure"),
        (1, "spend"),
        (1, "tenur"),
        (2, ""),
    ]
    assert refused.value.problems[2].problem == "there is no such field; did you mean tenure?"


def test_the_example_fits_its_own_schema() -> None:
    of_all = [INT, FLOAT, TEXT, BOOL, DATE, TIMESTAMP, Type(base="list", item=FLOAT), Type(base="text", values=("a",))]
    columns = tuple(Column(name=f"c{n}", type=type_) for n, type_ in enumerate(of_all))
    for features in (FEATURES, columns, (Column(name="x", type=INT, low=0.5, high=1.5),)):
        assert len(Schema(features).accept(example(features))) == 1


@pytest.mark.parametrize("body", [b"\xff", b"[" * 100_000, b'{"a": 1,}', b"", b"1" * 5000])
def test_what_is_no_json_is_malformed(body: bytes) -> None:
    with pytest.raises(Malformed, match="invalid JSON"):
        parse(body)


# --- a service and its models -----------------------------------------------------------------------------------


def save_model(root: Path, *, leaves: bool) -> Path:
    """A model whose answer is always the same, so that an answer tells which model gave it. Returns its folder."""
    from sklearn.dummy import DummyClassifier

    mostly = [leaves] * 9 + [not leaves]
    objects = Objects(root / "store")
    signature = models.Signature(features=FEATURES, targets=("left",), task="classification", classes=(False, True))
    return objects.folder(models.save(DummyClassifier().fit([[0]] * 10, mostly), signature, objects).digest)


@dataclass(frozen=True)
class World:
    """`release` gives one of the two models; they answer true and false."""

    root: Path
    models: dict[str, Path]

    @property
    def folder(self) -> Path:
        return self.root / "services" / "churn_api"

    def release(self, which: str, **changes: Any) -> Release:
        given: dict[str, Any] = {
            "id": f"release-{which}", "name": "churn_api", "model_digest": f"folder:{which * 64}", "root": str(self.root),
            "model_folder": str(self.models[which]), "doc": "Who leaves?",
        }  # fmt: skip
        return Release(**{**given, **changes})


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    root = tmp_path_factory.mktemp("serving")
    (root / "broken").mkdir()
    kept = {"a": save_model(root, leaves=True), "b": save_model(root, leaves=False), "broken": root / "broken"}
    world = World(root, kept)
    yield world
    control.stop(world.folder)


@pytest.fixture
def address(world: World) -> str:
    """The address of the service, answering with model a."""
    status = control.status(world.folder)
    return status.address if status.release == "release-a" else go_to(world, "a")


@dataclass(frozen=True)
class Live:
    address: str
    pid: int
    mark: str


@pytest.fixture
def live(world: World) -> Live:
    """Whatever answers; it is started if nothing does."""
    if not control.status(world.folder).running:
        go_to(world, "a")
    status = control.status(world.folder)
    return Live(status.address, status.pid, get(status.address, "/health").headers["x-mlspec-model"])


def is_open(address: str) -> bool:
    with socket.socket() as client:
        place = urlsplit(address)
        return client.connect_ex((place.hostname or "", place.port or 0)) == 0


def go_to(world: World, which: str) -> str:
    release = world.release(which)
    control.stage(world.folder, release, PROBE)
    return control.promote(world.folder, release.id)


@dataclass
class Answer:
    code: int
    body: Any
    headers: dict[str, str]


def connect(address: str) -> HTTPConnection:
    place = urlsplit(address)
    return HTTPConnection(place.hostname or "", place.port, timeout=30)


def ask(connection: HTTPConnection, body: Any, method: str = "POST", path: str = "/predict") -> Answer:
    content = body if isinstance(body, bytes | None) else json.dumps(body).encode()
    connection.request(method, path, content)
    response = connection.getresponse()
    text = response.read()
    is_json = response.headers.get("content-type") == "application/json"
    return Answer(response.status, json.loads(text) if is_json and text else text.decode(), dict(response.headers))


def once(address: str, body: Any = None, method: str = "POST", path: str = "/predict") -> Answer:
    with closing(connect(address)) as connection:
        return ask(connection, body, method, path)


def get(address: str, path: str) -> Answer:
    return once(address, None, "GET", path)


def children(pid: int) -> list[int]:
    listed = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True, check=False).stdout
    return [int(word) for word in listed.split()]


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return "Z" not in subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True).stdout


def eventually(holds: Callable[[], bool], seconds: float = 10) -> bool:
    deadline = time.monotonic() + seconds
    while not holds() and time.monotonic() < deadline:
        time.sleep(0.02)
    return holds()


@dataclass
class Seen:
    """What clients saw: answers by (code, prediction, model), and exceptions."""

    answers: dict[tuple[int, Any, str], int] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)


@contextmanager
def clients(address: str, count: int = 2) -> Iterator[Seen]:
    """Clients that ask without a pause, each over one connection that it keeps."""
    seen, over, lock = Seen(), threading.Event(), threading.Lock()

    def hammer() -> None:
        with closing(connect(address)) as connection:
            while not over.is_set():
                try:
                    answer = ask(connection, ROW)
                except Exception as error:
                    seen.failures.append(repr(error))
                    return
                key = (answer.code, answer.body.get("prediction"), answer.headers["x-mlspec-model"])
                with lock:
                    seen.answers[key] = seen.answers.get(key, 0) + 1

    threads = [threading.Thread(target=hammer) for _ in range(count)]
    for thread in threads:
        thread.start()
    try:
        yield seen
    finally:
        over.set()
        for thread in threads:
            thread.join()


# --- requests ---------------------------------------------------------------------------------------------------


def test_one_row_gets_one_answer_and_many_get_many(address: str) -> None:
    one, many = once(address, ROW), once(address, [ROW, ROW | {"joined": "2024-01-31"}])
    assert one.code == 200 and one.body["prediction"] is True and 0.5 < one.body["probability"] <= 1
    assert one.headers["x-mlspec-model"] == "a" * 12
    assert many.body == [one.body, one.body]
    assert once(address, []).body == []


def test_a_row_that_does_not_fit_is_refused_with_its_fields(address: str) -> None:
    answer = once(address, [ROW, ROW | {"tenure": "abc", "plann": "pro"}])
    assert answer.code == 422
    assert answer.body == {
        "errors": [
            {"row": 1, "field": "tenure", "problem": 'whole number needed, got text "abc"'},
            {"row": 1, "field": "plann", "problem": "there is no such field; did you mean plan?"},
        ]
    }
    assert once(address, b'{"tenure": NaN, "spend": 1, "plan": "pro"}').body["errors"][0]["problem"].endswith("got NaN")


def test_what_is_no_json_or_too_much_is_told(address: str) -> None:
    assert (once(address, b'{"tenure": }').code, once(address, b'{"tenure": }').body) == (
        400,
        {"error": "invalid JSON at line 1, column 12: Expecting value"},
    )
    assert once(address, [ROW] * 10_001).code == 413
    assert once(address, b" " * 16_000_001).code == 413


def test_the_other_paths(address: str) -> None:
    assert get(address, "/health").body == {"status": "up"}
    assert get(address, "/ready").code == 200
    assert (get(address, "/predict").code, get(address, "/predict").headers["allow"]) == (405, "POST")
    assert "POST /predict" in get(address, "/nope").body["error"]
    once(address, ROW)
    metrics = get(address, "/metrics").body
    assert 'mlspec_requests_total{code="200"}' in metrics and f'model="{"a" * 12}"' in metrics


def test_the_openapi_document_says_what_the_schema_checks(address: str) -> None:
    document = get(address, "/openapi.json").body
    row = document["components"]["schemas"]["Row"]
    assert (document["openapi"], document["info"]["description"]) == ("3.1.0", "Who leaves?")
    assert row["required"] == ["tenure", "spend", "plan"] and row["additionalProperties"] is False
    assert row["properties"] == {
        "tenure": {"type": "integer", "minimum": 0, "maximum": 240},
        "spend": {"type": "number"},
        "plan": {"enum": ["free", "pro", "team"]},
        "joined": {"type": ["string", "null"], "format": "date"},
    }
    shown = document["paths"]["/predict"]["post"]["requestBody"]["content"]["application/json"]["example"]
    assert once(address, shown).code == 200


def test_the_page_needs_nothing_from_elsewhere(address: str) -> None:
    page = get(address, "/").body
    assert all(word in page for word in ("churn_api", "Who leaves?", "tenure", "0 to 240", "curl"))
    assert "<!--" not in page and "https://" not in page and "src=" not in page


def test_the_log_has_a_line_for_each_request_and_no_values(world: World, address: str) -> None:
    log = control.log(world.folder)
    time.sleep(0.5)  # what was asked before is written by then
    before = log.read_text().count("POST /predict 200 rows=2")
    once(address, [ROW | {"spend": 98765.4321}] * 2)
    assert eventually(lambda: log.read_text().count("POST /predict 200 rows=2") == before + 1)
    assert "98765.4321" not in log.read_text()


def test_what_is_answered_is_kept_unless_the_release_says_no(world: World, address: str) -> None:
    def kept() -> int:
        return sum(file.read_bytes().count(b"\n") for file in log_of(world.folder))

    time.sleep(0.5)  # what was asked before is written by then
    before = kept()
    once(address, ROW)
    once(address, {"tenure": "abc"})
    assert eventually(lambda: kept() == before + 1)
    release = world.release("a", id="release-quiet", log=False)
    control.stage(world.folder, release, PROBE)
    control.promote(world.folder, release.id)
    assert once(address, ROW).code == 200
    time.sleep(0.5)
    assert kept() == before + 1
    go_to(world, "a")


def test_a_row_that_a_model_fails_on_does_not_spoil_those_asked_with_it(tmp_path: Path) -> None:
    from sklearn.linear_model import LinearRegression

    features = (Column(name="x", type=optional(FLOAT)),)
    signature = models.Signature(features=features, targets=("y",), task="regression")
    objects = Objects(tmp_path)
    made = models.save(LinearRegression().fit([[0.0], [1.0]], [0.0, 1.0]), signature, objects)
    predictor = Predictor(objects.folder(made.digest))
    answers = predictor.answer([(True, [(2.0,)]), (True, [(None,)]), (False, [(3.0,), (4.0,)])])
    assert [code for code, _ in answers] == [200, 500, 200]
    assert json.loads(answers[0][1]) == {"prediction": pytest.approx(2)}
    assert [row["prediction"] for row in json.loads(answers[2][1])] == pytest.approx([3, 4])


# --- releases ---------------------------------------------------------------------------------------------------


def test_swaps_under_load_fail_no_request(world: World, address: str) -> None:
    with clients(address) as seen:
        for which in ("b", "a", "b"):
            assert go_to(world, which) == address
        time.sleep(0.1)
    assert seen.failures == []
    assert set(seen.answers) == {(200, True, "a" * 12), (200, False, "b" * 12)}


def test_a_candidate_is_measured_and_answers_nobody_else(world: World, live: Live) -> None:
    candidate = world.release("b", id="candidate", model_digest="c" * 64)
    measured = control.stage(world.folder, candidate, PROBE)
    assert measured["errors"] == 0 and 0 < measured["p50"] <= measured["p95"] <= measured["p99"] < 1
    assert once(live.address, ROW).headers["x-mlspec-model"] == live.mark
    control.discard(world.folder, candidate.id)
    assert once(live.address, ROW).code == 200
    with pytest.raises(Trouble, match="candidate is not on trial any more"):
        control.promote(world.folder, candidate.id)


def test_a_model_that_cannot_be_loaded_leaves_the_old_one_answering(world: World, live: Live) -> None:
    with pytest.raises(Trouble, match="could not load the model of churn_api"):
        control.stage(world.folder, world.release("broken"), PROBE)
    assert once(live.address, ROW).headers["x-mlspec-model"] == live.mark


def test_a_model_that_answers_no_row_is_no_release(world: World, live: Live) -> None:
    with pytest.raises(Trouble, match="it answers no row of its data: plan: it is missing"):
        control.stage(world.folder, world.release("b"), [{"tenure": 1, "spend": 2}])
    assert once(live.address, ROW).headers["x-mlspec-model"] == live.mark


# --- what the world does to processes ---------------------------------------------------------------------------


def test_a_killed_worker_is_replaced_and_its_requests_are_answered(world: World, live: Live) -> None:
    assert eventually(lambda: len(children(live.pid)) == 1)  # those of the release before have ended
    (worker,) = children(live.pid)
    with clients(live.address) as seen:
        os.kill(worker, signal.SIGKILL)
        assert eventually(lambda: get(live.address, "/ready").code == 503)
        assert eventually(lambda: get(live.address, "/ready").code == 200)
        time.sleep(0.1)
    assert seen.failures == [] and {(code, mark) for code, _, mark in seen.answers} == {(200, live.mark)}
    assert control.status(world.folder).pid == live.pid and children(live.pid) != [worker]


def test_route_and_port_change_with_the_release(world: World, live: Live) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    moved = world.release("b", id="moved", port=port, route="/v2")
    control.stage(world.folder, moved, PROBE)
    assert once(live.address, ROW).code == 200
    assert control.promote(world.folder, "moved") == f"http://127.0.0.1:{port}"
    assert once(f"http://127.0.0.1:{port}", ROW, path="/v2").code == 200
    assert once(f"http://127.0.0.1:{port}", ROW).code == 404
    assert eventually(lambda: not is_open(live.address))


def test_a_killed_front_leaves_nothing_behind_and_comes_back_at_the_port_it_once_chose(
    world: World, live: Live
) -> None:
    workers = children(live.pid)
    os.kill(live.pid, signal.SIGKILL)
    assert eventually(lambda: not any(alive(pid) for pid in (live.pid, *workers)))
    assert not control.status(world.folder).running
    address = go_to(world, "a")
    assert urlsplit(address).port == int((world.folder / "port").read_text())
    assert once(address, ROW).code == 200


def test_it_outlives_who_started_it_and_stops_when_told(world: World) -> None:
    folder = world.root / ("a long name " * 10) / "service"
    release = world.release("a", replicas=2)
    program = f"""
import os, signal
from pathlib import Path
from mlspec.runtimes import models
from mlspec.runtimes.serving import control
release = control.Release.model_validate_json({release.model_dump_json()!r})
control.stage(Path({str(folder)!r}), release, [])
control.promote(Path({str(folder)!r}), release.id)
os.killpg(0, signal.SIGKILL)
"""
    ended = subprocess.run([sys.executable, "-c", program], start_new_session=True, check=False)
    assert ended.returncode == -signal.SIGKILL
    status = control.status(folder)
    assert status.running and once(status.address, ROW).code == 200
    workers = children(status.pid)
    assert len(workers) == 2
    control.stop(folder)
    assert not control.status(folder).running
    assert not any(alive(pid) for pid in (status.pid, *workers))
    control.stop(folder)


def test_it_ends_when_its_folder_is_deleted(world: World) -> None:
    folder = world.root / "deleted"
    control.stage(folder, world.release("a"), [])
    control.promote(folder, "release-a")
    status = control.status(folder)
    workers = children(status.pid)
    shutil.rmtree(folder)
    assert eventually(lambda: not any(alive(pid) for pid in (status.pid, *workers)))


def test_a_port_in_use_is_told_and_nothing_stays(world: World) -> None:
    folder = world.root / "taken"
    with closing(socket.create_server(("127.0.0.1", 0))) as other:
        port = other.getsockname()[1]
        with pytest.raises(Trouble) as trouble:
            control.stage(folder, world.release("a", port=port), PROBE)
    assert str(trouble.value) == f"could not start churn_api: port {port} is in use by another program"
    assert eventually(lambda: not (folder / "state.json").exists())


def test_status_counts(world: World, address: str) -> None:
    before = control.status(world.folder)
    once(address, ROW)
    once(address, b"{")
    after = control.status(world.folder)
    assert (after.running, after.address, after.release) == (True, address, "release-a")
    assert (after.requests - before.requests, after.errors - before.errors) == (2, 0)
    assert after.p50 and after.p95 and after.p50 <= after.p95 < 1
    assert not control.status(world.root / "nowhere").running


def test_control_imports_nothing_heavy() -> None:
    heavy = {"starlette", "uvicorn", "pyarrow", "pandas", "numpy", "sklearn", "prometheus_client", "asyncio"}
    program = f"import sys, mlspec.runtimes.serving.control; print({heavy!r} & set(sys.modules))"
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "set()"


def test_the_compiler_knows_where_the_server_itself_answers() -> None:
    from mlspec.compiler import serving
    from mlspec.runtimes.serving import app

    assert set(serving.PAGES) == set(app.PAGES)
