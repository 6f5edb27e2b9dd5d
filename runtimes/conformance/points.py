"""What a runtime promises, a function each: given a trial it returns, or raises Missed with what was there instead."""

from __future__ import annotations

import contextlib
import json
import shutil
import signal
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from .ground import HERE, NUMBERS, SECRET, THERE, Ground, Missed, Ran, Subject, end, expect, until

WHOLE = f"""mlspec 1

param low: int = 1
param tally: text = "TALLY"
secret {SECRET}

data numbers from csv "numbers.csv"
data kept from numbers by sql "select * from numbers where n >= $low"
data told from kept by python "steps.py:told" {{ token = {SECRET}; tally = tally }}
model line from kept by python "sklearn.linear_model:LinearRegression" {{
  predict .y from .n
  measure rmse on kept
  expect .rmse < 2
}}
data joined from told, line by python "steps.py:joined" {{ tally = tally }}
data one, two from kept by split {{ one = 2 }}

"""
SETS = "set low = 3"
COMPARED = f"""env {HERE} on local {{
  store = "by_hand"
  {SETS}
  set tally = "TALLY.here"
}}

"""

CHANGED = """mlspec 1

param tally: text = "TALLY"

data numbers from csv "numbers.csv"
data same from numbers by python "steps.py:constant" { tally = tally }
data after_same from same as before by python "steps.py:after" { tally = tally }
data gated from numbers by sql "select * from numbers where n > 2" { expect .rows <= 6 }
data behind from gated by sql "select sum(n) as n from gated"

"""

FAULT = f"""mlspec 1

param tally: text = "TALLY"
secret {SECRET}

data numbers from csv "numbers.csv"
data broken from numbers by python "steps.py:broken" {{ token = {SECRET}; tally = tally }}
data behind from broken as before by python "steps.py:after" {{ tally = tally }}
data sound from numbers by sql "select * from numbers where n > 1"

"""

KILLED = """mlspec 1

param tally: text = "TALLY"

data numbers from csv "numbers.csv"
data quick from numbers by python "steps.py:constant" { tally = tally }
data held from quick as before by python "steps.py:slow" { tally = tally }

"""

TABLE = 'data numbers from csv "numbers.csv"\n'
MODEL = TABLE + 'model line from numbers by python "sklearn.linear_model:LinearRegression" {\n  predict .y from .n\n'
LACKING = {  # what a spec says that asks for a word; `#!` stands on the line of the word
    "seen": MODEL + '}\nservice api from line by http { route = "/line" }\ndata asked from api #!',
    "http": MODEL + '}\nservice api from line by http { route = "/line" } #!',
    "every": TABLE + 'data d from numbers by sql "select * from numbers" {\n  every 6h #!\n}',
    "needs": TABLE + 'data d from numbers by sql "select * from numbers" {\n  needs cpu = 1 #!\n}',
    "sql": TABLE + 'data d from numbers by sql "select * from numbers" #!',
    "python": TABLE + 'data d from numbers by python "steps.py:constant" { tally = "x" } #!',
    "shell": TABLE + 'data d from numbers by shell "cp $numbers $out" #!',
    "split": TABLE + "data one, two from numbers by split { one = 2 } #!",
    "csv": 'data numbers from csv "numbers.csv" #!',
    "search": MODEL + "  fit_intercept in true | false\n  search folds = 2, best = min(.rmse) #!\n}",
    "each": TABLE + 'data d from numbers by sql "select * from numbers" {\n  each .n #!\n}',
}


@dataclass
class Trial:
    """One run of the suite: what several points look at is done once."""

    subject: Subject
    folder: Path
    said: list[str] = field(default_factory=list)
    mark: str = field(default_factory=lambda: uuid.uuid4().hex[:6])

    def ground(self, name: str, text: str, sets: str = "") -> Ground:
        found = Ground(self.subject, self.folder / name, f"{name}_{self.mark}", self.said)
        found.write(text, sets)
        return found

    @cached_property
    def plain(self) -> Ground:
        """The whole spec with nothing of this machine in it, to be compiled."""
        return self.ground("plain", WHOLE.replace("TALLY", "tally"), SETS)

    @cached_property
    def compiled(self) -> dict[str, str]:
        return _compiled(self.plain, "compiled")

    @cached_property
    def whole(self) -> tuple[Ground, Ran]:
        ground = self.ground("whole", WHOLE + COMPARED, SETS)
        return ground, ground.apply()

    @cached_property
    def changed(self) -> tuple[Ground, dict[str, str], Ran]:
        """Applied, and again with a row more. Between: what the names pointed at."""
        ground = self.ground("changed", CHANGED)
        _done(ground.apply())
        before = ground.digests()
        ground.write(CHANGED, numbers=NUMBERS + "9,18\n")
        return ground, before, ground.apply()

    @cached_property
    def fault(self) -> tuple[Ground, Ran]:
        ground = self.ground("fault", FAULT)
        return ground, ground.apply()


def _done(ran: Ran) -> None:
    if ran.code != 0:
        raise Missed("an apply that ends with 0", f"{ran.code}: {ran.text.strip()[-600:]}")


# --- what it compiles to --------------------------------------------------------------------------------------------


def compiles_alike(trial: Trial) -> None:
    """compiled twice, it gives the same bytes"""
    again = _compiled(trial.plain, "again")
    expect("the same files", sorted(trial.compiled), sorted(again))
    differ = [name for name in trial.compiled if trial.compiled[name] != again[name]]
    expect("files that differ:", [], differ)


def compiles_for_anywhere(trial: Trial) -> None:
    """what it compiles to holds no path of this machine and no secret"""
    ours = (str(trial.plain.root), str(Path(__file__).parents[2]), sys.prefix, trial.subject.token)
    found = [f"{name}: {text}" for name, content in trial.compiled.items() for text in ours if text in content]
    expect("of this machine and its secrets:", [], [one.replace(trial.subject.token, "the secret") for one in found])


def compiles_every_artifact(trial: Trial) -> None:
    """what it compiles to names every artifact"""
    own = "\n".join(text for name, text in trial.compiled.items() if not name.startswith("project/"))
    expect("artifacts without a mention:", [], [name for name in _names(trial.plain) if name not in own])


def _compiled(ground: Ground, to: str) -> dict[str, str]:
    ran = ground.run("compile", ground.spec, "--on", THERE, "--to", to)
    _done(ran)
    folder = ground.root / to
    files = {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if path.is_file()}
    return {name: path.read_text(encoding="utf-8") for name, path in files.items()}


def _names(ground: Ground) -> list[str]:
    plan = json.loads(ground.run("plan", ground.spec, "--on", THERE, "--json").out)
    return [name for action in plan["actions"] for name in action["names"]]


def refuses_what_it_lacks(trial: Trial) -> None:
    """what it cannot do is told at its line (E116)"""
    for word in trial.subject.target.lacks:
        text = f"mlspec 1\n\n{LACKING.get(word, '')}\n\n"
        if word not in LACKING:
            raise Missed("a word that the suite has an example of", f"{word} in lacks")
        ground = trial.ground(f"lacks_{word}", text)
        ran = ground.run("check", ground.spec, "--json")
        told = [(one["code"], one["line"]) for one in json.loads(ran.out)["diagnostics"] if one["severity"] == "error"]
        line = text[: text.index("#!")].count("\n") + 1
        expect(f"of a spec with {word}: exit code and errors", (1, [("E116", line)]), (ran.code, told))


# --- what it makes --------------------------------------------------------------------------------------------------


def makes_as_local(trial: Trial) -> None:
    """apply makes the same as on this machine, to the byte, with the environment's params"""
    ground, ran = trial.whole
    _done(ran)
    _done(ground.apply(HERE))
    expect("the digests that local has:", ground.digests(HERE), ground.digests())


def makes_once(trial: Trial) -> None:
    """each artifact is made once, after what it is made from"""
    ground, ran = trial.whole
    _done(ran)
    expect("calls, in their order:", ["told", "joined"], ground.tally.read_text(encoding="utf-8").split())
    expect("blocks that were not made:", [], [name for name, how in ran.events.items() if how != "made"])


def makes_nothing_again(trial: Trial) -> None:
    """a second apply makes and starts nothing"""
    ground, ran = trial.whole
    _done(ran)
    again = ground.apply()
    _done(again)
    data = json.loads(again.out)
    expect("counts", {"reused": len(ran.events)}, data["counts"])
    expect("events of the second apply:", [], data.get("events", []))
    expect("calls", {"told": 1, "joined": 1}, ground.noted())


def stops_where_nothing_changed(trial: Trial) -> None:
    """what comes out with the same bytes makes nothing after it again"""
    ground, before, _ = trial.changed
    expect("calls", {"constant": 2, "after": 1}, ground.noted())
    expect("after_same", before["after_same"], ground.digests()["after_same"])


def refuses_what_is_expected_otherwise(trial: Trial) -> None:
    """a failed expectation moves nothing and ends with 3; what depends on it stays"""
    ground, before, ran = trial.changed
    expect("exit code", 3, ran.code)
    expect("of the block that expects less", "refused", ran.events.get("gated"))
    now = ground.digests()
    expect(
        "names:",
        {name: before[name] for name in ("gated", "behind")},
        {name: now[name] for name in ("gated", "behind")},
    )
    if now["numbers"] == before["numbers"]:
        raise Missed("numbers to move, since nothing is expected of it", "that it stayed")


def fails_clearly(trial: Trial) -> None:
    """a step that goes wrong is one clear line and ends with 4; what does not need it is made"""
    ground, ran = trial.fault
    expect("exit code", 4, ran.code)
    failed = ran.failure("broken")
    message = str(failed.get("message", "nothing told of it"))
    if "no luck with" not in message or "\n" in message or "Traceback" in message:
        raise Missed("one line with the error of the step", message)
    expect("names that were accepted:", ["numbers", "sound"], sorted(ground.digests()))


def goes_on_after_a_kill(trial: Trial) -> None:
    """killed in the middle, the next apply goes on and makes nothing twice"""
    ground = trial.ground("killed", KILLED)
    process = ground.start("apply", ground.spec, "--on", THERE, "--json")
    try:
        until(lambda: ground.noted()["begun"] == 1 or process.poll() is not None, 120, "the slow step to begin")
        _kill(trial.subject, process)
    finally:
        end(process)
    Path(f"{ground.tally}.go").touch()
    _done(ground.apply())
    noted = ground.noted()
    expect("calls of the finished step", 1, noted["constant"])
    expect("begins of the slow step, which was killed once,", 2, noted["begun"])
    expect("ends of the slow step", 1, noted["slow"])
    expect("names that were accepted:", ["held", "numbers", "quick"], sorted(ground.digests()))


def _kill(subject: Subject, process: subprocess.Popen[str]) -> None:
    if not subject.kill:
        return  # it goes with the group of the apply
    subprocess.run(subject.kill, shell=True, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    process.send_signal(signal.SIGINT)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.communicate(timeout=15)


def keeps_secrets(trial: Trial) -> None:
    """a secret is nowhere: not in what was told, compiled, kept in the store or by the platform"""
    _, ran = trial.whole
    _done(ran)
    _, failed = trial.fault
    expect("the place of the secret in a message that holds it", True, "•••" in failed.text)
    token = trial.subject.token
    told = [
        f"what mlspec printed: …{text[max(0, text.find(token) - 60) : text.find(token)]}"
        for text in trial.said
        if token in text
    ]
    looks = [trial.folder, *trial.subject.looks]
    store = trial.subject.options.get("store", "")
    looks += [Path(store)] if store and "://" not in store and Path(store).is_absolute() else []
    files = [str(path) for look in looks for path in _files(look) if token.encode() in path.read_bytes()]
    expect("places with the secret:", [], told + files)


def _files(look: Path) -> Iterator[Path]:
    return (path for path in sorted(look.rglob("*")) if path.is_file())


POINTS: tuple[Callable[[Trial], None], ...] = (
    compiles_alike, compiles_for_anywhere, compiles_every_artifact, refuses_what_it_lacks, makes_as_local, makes_once,
    makes_nothing_again, stops_where_nothing_changed, refuses_what_is_expected_otherwise, fails_clearly,
    goes_on_after_a_kill, keeps_secrets,
)  # fmt: skip


def begin(subject: Subject, folder: Path | None = None) -> Trial:
    """`folder` is where the projects lie; a new one of this machine's, if unsaid."""
    place = folder or Path(tempfile.mkdtemp(prefix="mlspec-conformance-"))
    options = dict(subject.options)
    if "store" not in options and any(option.name == "store" for option in subject.target.options):
        options["store"] = str(place / "store")
    changed = Subject(subject.target, options, subject.kill, subject.looks, subject.token)
    return Trial(changed, place / "projects")


def clear(trial: Trial) -> None:
    shutil.rmtree(trial.folder.parent, ignore_errors=True)
