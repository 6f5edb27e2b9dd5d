"""Commands: what they are told, what is kept of what they write, and what is left of them when they end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from mlspec.compiler.program import Recipe
from mlspec.compiler.types import INT, TEXT, Column
from mlspec.runtimes import tables
from mlspec.runtimes.order import Given, Made, Make
from mlspec.runtimes.recipes import shell
from mlspec.runtimes.store.objects import Objects
from mlspec.runtimes.trouble import Trouble

TABLE = pa.table({"id": [1, 2], "town": ["Bern", None]})


@pytest.fixture
def objects(tmp_path: Path) -> Objects:
    return Objects(tmp_path / "store")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "spec").mkdir()
    return tmp_path / "spec"


def order(root: Path, command: str, **more: Any) -> Make:
    more = {"names": ("out",), "kind": "data"} | more
    return Make(key="k", recipe=Recipe(word="shell", text=command), root=str(root), **more)


def made(objects: Objects, root: Path, command: str, **more: Any) -> Made:
    return next(iter(shell.make(order(root, command, **more), objects).outputs.values()))


def text(objects: Objects, root: Path, command: str, **more: Any) -> str:
    """What a command wrote to its one file."""
    return (objects.folder(made(objects, root, command, **more).digest) / "out").read_text()


def trouble(objects: Objects, root: Path, command: str, **more: Any) -> Trouble:
    with pytest.raises(Trouble) as caught:
        made(objects, root, command, **more)
    return caught.value


def features(objects: Objects) -> Given:
    return Given(alias="features", name="f", kind="data", digest=tables.write(TABLE, objects).digest)


# --- what a command is told ----------------------------------------------------------------------------------


def test_it_runs_in_the_folder_of_the_spec(objects: Objects, root: Path) -> None:
    (root / "words.txt").write_text("hello")
    assert text(objects, root, "cat words.txt > $OUTPUT") == "hello"


def test_arguments_come_as_written_and_in_capitals(objects: Objects, root: Path) -> None:
    arguments = {"depth": 3, "rate": 0.5, "fast": True, "name": "a b", "columns": ("x", "y"), "none": None}
    found = text(
        objects, root, 'echo "$depth|$DEPTH|$rate|$fast|$NAME|$columns|$none" > "$OUTPUT"', arguments=arguments
    )
    assert found == "3|3|0.5|true|a b|x y|\n"


def test_an_argument_takes_no_place_of_the_systems_own(objects: Objects, root: Path) -> None:
    assert text(objects, root, "cat /dev/null; echo $path > $OUTPUT", arguments={"path": "x"}) == "x\n"


def test_inputs_are_parquet_files_and_folders(objects: Objects, root: Path) -> None:
    folder = objects.scratch()
    folder.mkdir()
    (folder / "a.txt").write_text("page a")
    pages = Given(alias="pages", name="p", kind="data", digest=objects.put_folder(folder))
    found = made(objects, root, 'test -s "$FEATURES" && cp "$features" "$OUTPUT"', inputs=(features(objects),))
    assert tables.read(objects, found.digest).equals(TABLE)
    command = 'basename $features > $OUTPUT; cat "$PAGES/a.txt" >> $OUTPUT'
    assert text(objects, root, command, inputs=(pages, features(objects))) == "features.parquet\npage a"


def test_nothing_else_of_the_environment_is_passed_on(
    objects: Objects, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_SECRET", "hush")
    assert "hush" not in text(objects, root, "env > $OUTPUT")


def test_several_outputs_have_a_place_each(objects: Objects, root: Path) -> None:
    outcome = shell.make(
        order(root, 'test "$OUTPUT" = "$TRAIN"; echo a > $TRAIN; echo b > $TEST', names=("train", "test")), objects
    )
    found = [(objects.folder(outcome.outputs[name].digest) / name).read_text() for name in ("train", "test")]
    assert found == ["a\n", "b\n"]


def test_what_it_prints_goes_through(objects: Objects, root: Path, capfd: pytest.CaptureFixture[str]) -> None:
    made(objects, root, "echo said; echo warned >&2; echo x > $OUTPUT")
    assert capfd.readouterr() == ("said\n", "warned\n")


# --- what is kept --------------------------------------------------------------------------------------------


def test_a_parquet_file_is_a_table(objects: Objects, root: Path) -> None:
    found = made(objects, root, 'cp "$features" "$OUTPUT"', inputs=(features(objects),))
    assert (found.kind, found.rows) == ("table", 2)
    assert found.digest == features(objects).digest


def test_a_csv_is_a_table_when_it_is_said(objects: Objects, root: Path) -> None:
    command = r"""printf 'id,town,ok,at,note\n1,Bern,true,12:30,NA\n2,,false,13:00,"a\nb"\n' > $OUTPUT"""
    found = tables.read(objects, made(objects, root, command, arguments={"format": "csv"}).digest)
    assert found.to_pylist() == [
        {"id": 1, "town": "Bern", "ok": True, "at": found["at"][0].as_py(), "note": "NA"},
        {"id": 2, "town": None, "ok": False, "at": found["at"][1].as_py(), "note": "a\nb"},
    ]
    assert found.schema.field("at").type == pa.string()


def test_declared_columns_must_be_so(objects: Objects, root: Path) -> None:
    declared = (Column(name="id", type=TEXT), Column(name="n", type=INT))
    csv = {"arguments": {"format": "csv"}, "declared": declared}
    found = made(objects, root, r"printf 'id,n\n007,1\n' > $OUTPUT", **csv)
    assert tables.read(objects, found.digest).to_pylist() == [{"id": "007", "n": 1}]
    assert "n is missing" in trouble(objects, root, r"printf 'id,n\n007,\n' > $OUTPUT", **csv).cause
    assert "no column n" in trouble(objects, root, r"printf 'id\n007\n' > $OUTPUT", **csv).cause
    assert "wrote a file that is no Parquet" in trouble(objects, root, "echo > $OUTPUT", declared=declared).cause
    assert "wrote a folder" in trouble(objects, root, "mkdir $OUTPUT; echo > $OUTPUT/a", declared=declared).cause


def test_a_folder_is_a_folder(objects: Objects, root: Path) -> None:
    found = made(objects, root, "mkdir -p $OUTPUT/a; echo 12 > $OUTPUT/a/b.txt")
    assert (found.kind, found.bytes) == ("folder", 3)
    assert list(objects.listing(found.digest)) == ["a/b.txt"]


def test_a_model_is_a_folder_of_its_own_kind(objects: Objects, root: Path) -> None:
    found = made(objects, root, 'cp "$features" "$OUTPUT"', kind="model", inputs=(features(objects),))
    assert (found.kind, list(objects.listing(found.digest))) == ("model", ["out"])


def test_nothing_is_left_in_the_store(objects: Objects, root: Path) -> None:
    made(objects, root, "echo x > $OUTPUT; echo y > $OUTPUT.more")
    trouble(objects, root, "echo x > $OUTPUT; exit 1")
    assert not list(objects.aside.iterdir())


# --- what cannot be ------------------------------------------------------------------------------------------


def test_a_failing_command_is_told_with_the_end_of_its_log(objects: Objects, root: Path) -> None:
    found = trouble(objects, root, "for i in $(seq 30); do echo line $i >&2; done; exit 3")
    assert (found.action, found.cause) == ("make out", "the command ended with exit code 3")
    assert found.detail.splitlines() == [f"line {i}" for i in range(11, 31)]


def test_a_command_that_is_not_there_is_told(objects: Objects, root: Path) -> None:
    found = trouble(objects, root, "no_such_program --x")
    assert found.cause == "the command ended with exit code 127"
    assert "no_such_program" in found.detail and "install the program" in found.help


@pytest.mark.parametrize(
    ("command", "cause"),
    [
        ("true", "the command ended well and wrote nothing to $OUTPUT"),
        ("mkdir -p $OUTPUT/a", "the command left the folder $OUTPUT empty"),
        ("ln -s /bin/sh $OUTPUT", "the command made $OUTPUT a link"),
        ("printf 'PAR1 and so on' > $OUTPUT", "the command wrote a damaged Parquet file"),
        ("kill -KILL $$", "the command was killed"),
        ("kill -TERM $$", "the command ended with exit code 143"),
    ],
)
def test_what_cannot_be_kept_is_told(objects: Objects, root: Path, command: str, cause: str) -> None:
    assert trouble(objects, root, command).cause == cause


def test_a_csv_that_is_none_is_told(objects: Objects, root: Path) -> None:
    command = r"printf 'a,b\n1\n' > $OUTPUT"
    assert trouble(objects, root, command, arguments={"format": "csv"}).cause.startswith(
        "the command wrote no sound CSV"
    )


# --- what is left of it --------------------------------------------------------------------------------------


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{pid}/stat")
    return not state.exists() or state.read_text().rpartition(")")[2].split()[0] != "Z"


def wait_until(condition: Any, seconds: float = 5) -> bool:
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.02)
    return bool(condition())


def test_what_it_left_running_is_ended(objects: Objects, root: Path) -> None:
    pid = int(text(objects, root, "sleep 60 & echo $! > $OUTPUT"))
    assert wait_until(lambda: not is_alive(pid))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_an_interrupted_job_leaves_nothing_running(tmp_path: Path, root: Path, number: int) -> None:
    """Also a job that is killed outright, and has no say in it."""
    program = f"""
import pathlib
from mlspec.runtimes.order import Make
from mlspec.runtimes.recipes import shell
from mlspec.runtimes.store.objects import Objects
order = Make.model_validate_json({order(root, "sleep 60 & echo $! > pid; wait").model_dump_json()!r})
shell.make(order, Objects(pathlib.Path({str(tmp_path / "s")!r})))
"""
    job = subprocess.Popen([sys.executable, "-c", program], stderr=subprocess.DEVNULL)
    written = root / "pid"
    assert wait_until(lambda: written.exists() and written.read_text().endswith("\n"), 20)
    pid = int(written.read_text())
    assert is_alive(pid)
    job.send_signal(number)
    job.wait(20)
    assert wait_until(lambda: not is_alive(pid))
