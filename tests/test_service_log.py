"""What a service saw is data: the log that it keeps, and the table that is read from it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from helpers import Project, until
from mlspec.compiler.load import InMemory
from mlspec.compiler.pipeline import compile_text
from mlspec.compiler.program import Node, Program
from mlspec.compiler.types import FLOAT, TEXT, Column, Type
from mlspec.runtimes.serving import control, kept, seen
from mlspec.runtimes.serving import journal as journals
from mlspec.runtimes.serving.kept import Kept
from mlspec.runtimes.serving.release import Release
from mlspec.runtimes.targets import targets

RELEASE = Release(id="0123456789abcdef" * 4, name="api")


class Lines:
    """A journal that only remembers."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def line(self, text: str) -> None:
        self.lines.append(text)


def keep(folder: Path, count: int, request: bytes = b'{"x": 1}') -> Lines:
    journal = Lines()

    async def work() -> None:
        log = Kept(folder, journal)  # type: ignore[arg-type]
        for number in range(count):
            log.keep(1_700_000_000 + number, RELEASE, request, b'{"prediction": 2.5}')
        await asyncio.sleep(0)
        log.close()

    asyncio.run(work())
    return journal


# --- the writer and the reader, without a service ---------------------------------------------------------------


def test_a_request_is_a_line_whatever_its_layout(tmp_path: Path) -> None:
    keep(tmp_path, 2, b'{\n  "x": "a\\nb",\r\n  "y": 1\n}')
    (file,) = seen.log_of(tmp_path)
    lines = [json.loads(line) for line in file.read_bytes().splitlines()]
    assert [line["request"] for line in lines] == [{"x": "a\nb", "y": 1}] * 2
    assert lines[1]["at"] == "2023-11-14T22:13:21.000000" and lines[0]["response"] == {"prediction": 2.5}
    assert file.stat().st_mode & 0o077 == 0  # what people asked is its owner's


def test_lines_are_written_soon_without_being_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "PAUSE", 0.01)

    async def work() -> int:
        log = Kept(tmp_path, Lines())  # type: ignore[arg-type]
        for _ in range(3):
            log.keep(0, RELEASE, b"1", b"2")
        await asyncio.sleep(0.3)
        assert log.size == 0
        return len(seen.log_of(tmp_path)[0].read_bytes().splitlines())

    assert asyncio.run(work()) == 3


def test_a_full_file_gives_way_to_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "LARGEST", 100)
    for _ in range(3):
        keep(tmp_path, 2)
    files = seen.log_of(tmp_path)
    assert [file.name[-10:] for file in files] == ["0001.jsonl", "0002.jsonl", "0003.jsonl"]
    assert all(len(file.read_bytes().splitlines()) == 2 for file in files)


def test_a_line_that_a_crash_has_cut_spoils_no_other(tmp_path: Path) -> None:
    keep(tmp_path, 1)
    (file,) = seen.log_of(tmp_path)
    with file.open("ab") as cut:
        cut.write(b'{"at": "2023-11-14T22')
    assert seen.held(file)[1] == 1
    keep(tmp_path, 1)
    assert [line[:6] for line in file.read_bytes().splitlines()] == [b'{"at":'] * 3
    assert seen.held(file)[1] == 3


def test_what_a_disk_does_not_take_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "MOST_WAITING", 400)
    monkeypatch.setattr(kept, "PAUSE", 0.01)
    journal = Lines()

    async def work() -> None:
        log = Kept(tmp_path, journal)  # type: ignore[arg-type]
        for _ in range(5):
            log.keep(0, RELEASE, b"1", b"2")
        await asyncio.sleep(0.3)
        (tmp_path / "seen").rename(tmp_path / "was")
        (tmp_path / "seen").write_text("no folder")
        log.keep(0, RELEASE, b"1", b"2")
        await asyncio.sleep(0.3)

    asyncio.run(work())
    assert journal.lines[0] == "3 answered requests were not kept: the disk does not keep up"
    assert journal.lines[1].startswith("1 answered requests were not kept: ")


def test_what_is_held_stays_the_same_while_the_file_grows(tmp_path: Path) -> None:
    keep(tmp_path, 2)
    (file,) = seen.log_of(tmp_path)
    (held, lines), before = seen.held(file), file.read_bytes()
    keep(tmp_path, 5)
    assert (seen.beginning(file, held), lines) == (before, 2)
    assert seen.held(file)[0] != held
    file.write_bytes(b"x" + before[1:])
    assert seen.beginning(file, held) is None
    assert seen.beginning(tmp_path / "gone", held) is None


def test_the_text_log_is_turned_over_when_it_is_full(tmp_path: Path) -> None:
    """In a process of its own, for the journal takes over standard output."""
    import subprocess
    import sys

    program = (
        "import asyncio, sys; from pathlib import Path; from mlspec.runtimes.serving import journal\n"
        "journal.BOUND = 1000\n"
        "async def work():\n"
        "    log = journal.Journal(Path(sys.argv[1]))\n"
        "    for number in range(60):\n"
        "        log.line(f'line {number} ' + 'x' * 40); log.flush()\n"
        "    print('printed by the process itself', flush=True)\n"
        "asyncio.run(work())\n"
    )
    path = tmp_path / "service.log"
    subprocess.run([sys.executable, "-c", program, str(path)], check=True)
    now, before = path.read_text().splitlines(), (tmp_path / "service.log.1").read_text().splitlines()
    assert path.stat().st_size <= 1100 and (tmp_path / "service.log.1").stat().st_size <= 1100
    assert now[-1] == "printed by the process itself"
    numbers = [int(line.split()[2]) for line in (*before, *now[:-1])]
    assert numbers == list(range(numbers[0], 60)) and len(numbers) >= 10
    assert journals.BOUND > 1000


# --- compiled ---------------------------------------------------------------------------------------------------

HEAD = """data people from csv "people.csv"
model churn from people by python "sklearn.linear_model:LogisticRegression" {
  predict .leaves from .age, .plan
}
"""
PEOPLE = (Column(name="age", type=FLOAT), Column(name="plan", type=TEXT), Column(name="leaves", type=Type(base="bool")))


def program(text: str, head: str = HEAD) -> tuple[Program, list[str]]:
    found = compile_text("s.mlspec", head + text, InMemory({}, {"people.csv": PEOPLE}), targets())
    return found.program, [one.code for one in found.diagnostics]


def columns(node: Node) -> list[str]:
    return [f"{column.name}: {column.type}" for column in node.columns[node.name] or ()]


def test_the_columns_of_what_a_service_sees_are_known() -> None:
    spec, told = program("service api from churn by http\ndata seen from api\n")
    assert told == []
    assert columns(spec.node_of()["seen"]) == [
        "asked_at: timestamp", "release: text", "age: float", "plan: text", "prediction: bool", "probability: float?",
    ]  # fmt: skip
    assert program(
        'service api from churn by http\ndata seen from api\ndata x from seen by sql "select agge from seen"\n'
    )[1] == ["E501"]


def test_a_feature_keeps_its_name_beside_the_log_s_own() -> None:
    head = HEAD.replace(".age, .plan", ".age, .release")
    found = compile_text(
        "s.mlspec", head + "service api from churn by http\ndata seen from api\n",
        InMemory({}, {"people.csv": (*PEOPLE, Column(name="release", type=TEXT))}), targets(),
    )  # fmt: skip
    names = [column.partition(":")[0] for column in columns(found.program.node_of()["seen"])]
    assert names == ["asked_at", "seen_release", "age", "release", "prediction", "probability"]


def test_what_cannot_be_read_of_a_service_is_told() -> None:
    assert program("service api from churn by http {\n  log = false\n}\ndata seen from api\n")[1] == ["E223"]
    assert program('service api from churn by http\ndata x from api by sql "select 1"\n')[1] == ["E104"]
    assert program("service api from churn by http\ndata seen from api {\n  agee: float\n}\n")[1] == ["E303"]


CIRCLE = """data seen from last api {
  age: float
  plan: text
  prediction: bool
}
data people from csv "people.csv"
data rows from people, seen by sql "select age, plan, leaves as y from people union all select age, plan, prediction from seen"
"""


def test_a_model_may_learn_from_what_it_answered_before() -> None:
    model = 'model churn from rows by python "sklearn.linear_model:LogisticRegression" {\n  predict .y from .age, .plan\n}\n'
    circle = CIRCLE + model + "service api from churn by http\n"
    assert program(circle, "")[1] == []
    undeclared = "data seen from last api\n" + circle.partition("}\n")[2]
    assert program(undeclared, "")[1] == ["E224"]
    assert program(circle.replace("from last api", "from api"), "")[1] == ["E103"]


# --- run --------------------------------------------------------------------------------------------------------

SPEC = (
    "mlspec 1\n\n" + CIRCLE + 'model churn from rows by python "sklearn.linear_model:LogisticRegression" {\n'
    "  predict .y from .age, .plan\n}\nservice api from churn by http\ndata all_seen from api\n"
    'data counts from all_seen by sql "select count(*) as n, count(distinct release) as releases from all_seen"\n'
)  # fmt: skip
ROWS = "age,plan,leaves\n" + "".join(f"{n}.5,{'pro' if n % 3 else 'free'},{str(n > 20).lower()}\n" for n in range(40))


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    project = Project(tmp_path_factory.mktemp("seen"))
    project.write(s__mlspec=SPEC, people__csv=ROWS)
    ran = project.apply()
    assert ran.code == 0, ran.text
    yield project
    control.stop(folder(project))


def folder(project: Project) -> Path:
    return project.root / ".mlspec" / "services" / "s" / "local" / "api"


def ask(project: Project, request: Any) -> tuple[int, Any]:
    place = urlsplit(control.status(folder(project)).address)
    connection = HTTPConnection(place.hostname or "", place.port, timeout=60)
    connection.request("POST", "/predict", json.dumps(request))
    response = connection.getresponse()
    body = json.loads(response.read())
    connection.close()
    return response.status, body


def lines(project: Project) -> int:
    return sum(len(file.read_bytes().splitlines()) for file in seen.log_of(folder(project)))


def test_columns_that_no_spec_tells_are_those_of_what_answers(project: Project) -> None:
    """Data that a function makes has columns that are known once it is made."""
    project.write(people__csv=ROWS, f__py="def made(people):\n    return people\n", s__mlspec=(
        'mlspec 1\n\ndata people from csv "people.csv"\ndata made from people by python "f.py:made"\n'
        'model churn from made by python "sklearn.linear_model:LogisticRegression" {\n  predict .leaves from .age\n}\n'
        "service api from churn by http\ndata seen from api\n"
    ))  # fmt: skip
    assert project.apply().code == 0
    found = project.data("show", "seen")
    assert (found["rows"], [column["name"] for column in found["columns"]]) == (
        0, ["asked_at", "release", "age", "prediction", "probability"],
    )  # fmt: skip
    ran = project.run("show", "api", "--openapi")
    assert ran.code == 4 and "are known when they are made" in ran.err


def test_before_any_request_it_is_an_empty_table_with_its_columns(api: Project) -> None:
    found = api.data("show", "all_seen")
    assert found["rows"] == 0 and [column["name"] for column in found["columns"]][2:4] == ["age", "plan"]
    assert api.data("show", "seen")["rows"] == 0 and not seen.log_of(folder(api))  # its trial was no request


def test_what_was_asked_is_data_and_what_was_refused_is_not(api: Project) -> None:
    code, one = ask(api, {"age": 30, "plan": "pro"})
    _, many = ask(api, [{"age": 1.5, "plan": "free"}, {"age": 2.5, "plan": "né\n"}])
    assert (code, ask(api, {"age": "x", "plan": "pro"})[0]) == (200, 422)
    until(lambda: lines(api) == 2)
    came_out = api.events()
    assert {came_out[name] for name in ("seen", "rows", "churn")} == {"made"} and came_out["api"] == "served"
    found = api.data("show", "all_seen")
    assert found["rows"] == 3
    rows = [(row["age"], row["plan"], row["prediction"], row["probability"]) for row in found["first"]]
    assert rows == [(30.0, "pro", one["prediction"], one["probability"])] + [
        (row["age"], row["plan"], answer["prediction"], answer["probability"])
        for row, answer in zip([{"age": 1.5, "plan": "free"}, {"age": 2.5, "plan": "né\n"}], many, strict=True)
    ]
    assert api.data("show", "counts")["first"] == [{"n": 3, "releases": 1}]


def test_nothing_asked_nothing_made(api: Project) -> None:
    assert set(api.data("apply")["counts"]) == {"reused"}


def test_the_log_is_kept_across_releases_and_a_killed_front(api: Project) -> None:
    at_first = lines(api)
    assert ask(api, {"age": 3, "plan": "pro"})[0] == 200
    until(lambda: lines(api) == at_first + 1)
    os.kill(control.status(folder(api)).pid, signal.SIGKILL)
    until(lambda: not control.status(folder(api)).running)
    assert lines(api) == at_first + 1
    assert api.events()["api"] == "served"
    assert ask(api, {"age": 4, "plan": "pro"})[0] == 200
    until(lambda: lines(api) == at_first + 2)
    assert api.apply().code == 0
    counts = api.data("show", "counts")["first"][0]
    assert counts["n"] == at_first + 3 and counts["releases"] >= 2  # one line had two rows


def test_locked_takes_what_the_lock_says(api: Project) -> None:
    assert "all_seen" in (api.root / "mlspec.lock").read_text()
    before = lines(api)
    ask(api, {"age": 5, "plan": "pro"})
    until(lambda: lines(api) == before + 1)
    assert set(api.data("apply", "--locked")["counts"]) == {"reused"}


def test_rows_of_releases_with_other_columns_are_left_out(api: Project) -> None:
    file = seen.log_of(folder(api))[-1]
    with file.open("ab") as log:
        line = {
            "at": "2024-01-31T12:00:00.5",
            "release": "old",
            "request": {"height": 1},
            "response": {"prediction": True},
        }
        log.write(json.dumps(line).encode() + b"\n" + b"no json\n")
    ran = api.data("apply")
    notes = [note for event in ran["events"] for note in event.get("notes", ()) if event["name"] == "all_seen"]
    assert any("rows were asked of releases with other columns, and are left out" in note for note in notes)
