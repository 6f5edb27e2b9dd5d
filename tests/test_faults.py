"""What goes wrong in the world, really made to go wrong: kills, limits, damage, two at once."""

from __future__ import annotations

import queue
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from helpers import Project, until
from mlspec.runtimes.local.pool import Pool

SLOW = """import time, pathlib, os
import pandas as pd


def one(raw):
    return raw


def slow(first):
    pathlib.Path("started").write_text(str(os.getpid()))
    time.sleep(SECONDS)
    return first


def fails(raw):
    values = list(raw["amount"])
    return values[99]


def hungry(raw):
    return pd.DataFrame({"a": [0.0] * 500_000_000})


def dies(raw):
    os.kill(os.getpid(), 9)
"""
SPEC = """data raw from csv "raw.csv"
data first from raw by python "steps.py:one"
data second from first by python "steps.py:slow"
"""


def prepared(project: Project, spec: str, seconds: float = 60) -> Project:
    project.file("raw.csv", "id,amount\n1,10\n2,20\n")
    project.file("steps.py", SLOW.replace("SECONDS", str(seconds)))
    project.file("a.mlspec", spec)
    return project


def test_apply_killed_in_the_middle_loses_nothing_and_leaves_nobody_behind(project: Project) -> None:
    prepared(project, SPEC)
    process = project.start("apply")
    until((project.root / "started").exists)
    worker = int((project.root / "started").read_text())
    process.kill()
    process.wait()
    until(lambda: not Path(f"/proc/{worker}").exists())
    project.file("steps.py", SLOW.replace("SECONDS", "0"))
    assert project.data("status")["last_run"]["status"] == "killed"
    assert project.events() == {"raw": "reused", "first": "reused", "second": "made"}


def test_ctrl_c_stops_at_once_and_says_what_stays(project: Project) -> None:
    prepared(project, SPEC)
    process = project.start("apply")
    until((project.root / "started").exists)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=10)
    assert process.returncode == 130
    assert "What was finished stays" in err and "Traceback" not in err


def test_two_applies_at_once_make_each_thing_once(project: Project) -> None:
    prepared(project, SPEC, seconds=1.5)
    project.file("steps.py", SLOW.replace("SECONDS", "1.5").replace('pathlib.Path("started").write_text(str(os.getpid()))',
                                                                     'open("made", "a").write("once ")'))  # fmt: skip
    both = [project.start("apply"), project.start("apply")]
    outs = [process.communicate(timeout=60) for process in both]
    assert [process.returncode for process in both] == [0, 0], outs
    assert (project.root / "made").read_text() == "once "


OPEN = """
import pathlib, sys
from mlspec.runtimes.store.ledger import Ledger
print(flush=True)
for number in sys.stdin:
    Ledger(pathlib.Path(number.strip()) / "state.db", "a", "local").names()
    print(flush=True)
"""


def test_many_processes_open_a_new_store_at_once(tmp_path: Path) -> None:
    openers = [
        subprocess.Popen([sys.executable, "-c", OPEN], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(6)
    ]
    for opener in openers:
        assert opener.stdout and opener.stdout.readline()
    for number in range(40):
        for opener in openers:
            assert opener.stdin
            print(tmp_path / str(number), file=opener.stdin, flush=True)
        for opener in openers:
            assert opener.stdout and opener.stdout.readline(), "one of them could not"
    for opener in openers:
        opener.communicate()


def test_a_function_that_raises_shows_the_users_frames_alone(project: Project) -> None:
    ran = prepared(project, 'data raw from csv "raw.csv"\ndata x from raw by python "steps.py:fails"\n').apply()
    assert ran.code == 4
    assert "could not make x: IndexError: list index out of range" in ran.out
    assert "steps.py" in ran.out and "values[99]" in ran.out
    assert "runtimes" not in ran.out and "mlspec/" not in ran.out


def test_a_step_out_of_time_is_ended(project: Project) -> None:
    spec = SPEC.replace('steps.py:slow"', 'steps.py:slow" { needs time = 1s }')
    began = time.monotonic()
    ran = prepared(project, spec).apply()
    assert ran.code == 4 and "took longer than its time = 1s" in ran.out
    assert time.monotonic() - began < 20


def test_a_step_out_of_memory_is_told_so(project: Project) -> None:
    spec = 'data raw from csv "raw.csv"\ndata x from raw by python "steps.py:hungry" { needs memory = 800MiB }\n'
    ran = prepared(project, spec).apply()
    assert ran.code == 4 and "more memory than its memory = 800MiB" in ran.out


def test_a_step_that_is_killed_is_told_and_others_go_on(project: Project) -> None:
    spec = SPEC + 'data x from raw by python "steps.py:dies"\n'
    ran = prepared(project, spec, seconds=0).apply()
    assert ran.code == 4 and "its process was killed" in ran.out
    assert set(project.data("status")["names"]) == {"raw", "first", "second"}


@pytest.mark.parametrize(
    ("code", "told"),
    [("import os; os._exit(0)", "could not make x: its process ended with exit code 0"),
     ("import os; os._exit(3)", "could not make x: its process ended with exit code 3"),
     ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "could not make x: its process was ended by SIGSEGV"),
     ("raise KeyboardInterrupt", "could not make x: its code raised KeyboardInterrupt")],
)  # fmt: skip
def test_how_a_process_ended_is_told(project: Project, code: str, told: str) -> None:
    project.file("raw.csv", "id\n1\n")
    project.file("s.py", f"def f(raw):\n    {code}\n")
    project.file("a.mlspec", 'data raw from csv "raw.csv"\ndata x from raw by python "s.py:f"\n')
    ran = project.apply()
    assert ran.code == 4 and told in ran.out and "memory" not in ran.out and "Traceback" not in ran.out


def test_a_recursion_without_end_is_told_shortly(project: Project) -> None:
    project.file("raw.csv", "id\n1\n")
    project.file("s.py", "def f(raw):\n    return g(raw)\n\ndef g(raw):\n    return f(raw)\n")
    project.file("a.mlspec", 'data raw from csv "raw.csv"\ndata x from raw by python "s.py:f"\n')
    ran = project.apply()
    assert "RecursionError" in ran.out and "more, the same again and again …" in ran.out
    assert len(ran.out.splitlines()) < 60


def test_a_step_is_tried_again(project: Project) -> None:
    project.file("raw.csv", "id\n1\n")
    project.file(
        "s.py",
        'import pathlib\n\ndef f(raw):\n    p = pathlib.Path("t")\n    n = len(p.read_text()) if p.exists() else 0\n'
        '    p.write_text("x" * (n + 1))\n    if n < 2:\n        raise OSError("not yet")\n    return raw\n',
    )
    project.file("a.mlspec", 'data raw from csv "raw.csv"\ndata x from raw by python "s.py:f" { needs retries = 3 }\n')
    ran = project.apply()
    assert ran.code == 0 and "tried again" in ran.out


def test_a_damaged_object_is_found_and_made_again(project: Project) -> None:
    prepared(project, SPEC, seconds=0)
    assert project.apply().code == 0
    digest = project.data("status")["names"]["first"]["digest"]
    path = project.root / ".mlspec/objects" / digest[:2] / digest[2:]
    path.chmod(0o644)
    path.write_bytes(b"rotten" + path.read_bytes()[6:])
    project.file("a.mlspec", SPEC + 'data third from first by sql "select * from first"\n')
    ran = project.apply()
    assert ran.code == 0, ran.text
    assert project.data("show", "third")["rows"] == 2
    assert path.read_bytes()[:4] == b"PAR1"


def test_a_missing_object_is_made_again(project: Project) -> None:
    prepared(project, SPEC, seconds=0)
    project.apply()
    digest = project.data("status")["names"]["second"]["digest"]
    (project.root / ".mlspec/objects" / digest[:2] / digest[2:]).unlink()
    assert "no longer in the store" in project.run("plan").out
    assert project.apply().code == 0


def test_a_missing_and_an_empty_file(project: Project) -> None:
    project.file("a.mlspec", 'data raw from csv "rwa.csv"\n')
    project.file("raw.csv", "id\n1\n")
    ran = project.run("check")
    assert ran.code == 1 and "did you mean raw.csv?" in ran.err
    project.file("a.mlspec", 'data raw from csv "empty.csv"\n')
    project.file("empty.csv", "")
    ran = project.run("check")
    assert ran.code == 1 and "it is empty" in ran.err


def test_a_row_that_does_not_fit_is_refused_with_its_place(project: Project) -> None:
    project.file("raw.csv", "id,amount\n1,10\n2,\n3,x\n4,y\n")
    project.file("a.mlspec", 'data raw from csv "raw.csv" { amount: int? }\n')
    ran = project.apply()
    assert ran.code == 4
    for part in ("raw.csv", "line 4", "amount", '"x"', "1 more row"):
        assert part in ran.out, ran.out
    project.file("a.mlspec", 'data raw, rejects from csv "raw.csv" { amount: int?; expect rejects.rows <= 2 }\n')
    assert project.apply().code == 0
    assert [row["line"] for row in project.data("show", "rejects")["first"]] == [4, 5]


def test_a_full_disk_is_one_line_and_the_next_apply_goes_on(project: Project) -> None:
    """The store lies on a file system of 1 MB, really full."""
    prepared(project, SPEC, seconds=0)
    store = project.root / ".mlspec"
    store.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=600k", "tmpfs", str(store)], capture_output=True, check=False
    )
    if mounted.returncode:  # without the right to mount, a limit on the size of files does the same to a step
        rows = "\n".join(f"{i},{i * 7919 % 1000003}" for i in range(200_000))
        project.file("raw.csv", f"id,amount\n{rows}\n")
        ran = project.run("apply", preexec_fn=lambda: __import__("resource").setrlimit(1, (100_000, 100_000)))
        assert ran.code == 4 and "Traceback" not in ran.text
        assert project.apply().code == 0
        return
    try:
        rows = "\n".join(f"{i},{i * 7919 % 1000003}" for i in range(200_000))
        project.file("raw.csv", f"id,amount\n{rows}\n")
        ran = project.apply()
        assert ran.code == 4 and "Traceback" not in ran.text, ran.text
        assert "space" in ran.text or "full" in ran.text
        subprocess.run(["mount", "-o", "remount,size=100m", str(store)], check=True)
        assert project.apply().code == 0
    finally:
        subprocess.run(["umount", "-l", str(store)], check=False)


def test_a_worker_that_nobody_waits_for_any_more_is_no_traceback(capfd: pytest.CaptureFixture[str]) -> None:
    pool = Pool(1, (), queue.SimpleQueue())
    control = pool._zygote()
    ours, theirs = socket.socketpair()
    socket.send_fds(control, [b"worker"], [theirs.fileno()])
    for end in (control, ours, theirs):  # as at Ctrl-C, while the process that forks is still importing
        end.close()
    assert pool.zygote is not None and pool.zygote.wait(20) == 0
    assert capfd.readouterr().err == ""
    pool.close()
