"""Runtimes that packages bring, as they are found, told of and tried; and the one that the docs show whole."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from helpers import Project
from mlspec.compiler.program import Program
from mlspec.compiler.target import Files, Target
from mlspec.runtimes.conformance import Missed, Subject, Trial, begin
from mlspec.runtimes.conformance.ground import VARIABLE
from mlspec.runtimes.conformance.points import (
    compiles_alike,
    compiles_every_artifact,
    compiles_for_anywhere,
    keeps_secrets,
    refuses_what_is_expected_otherwise,
    refuses_what_it_lacks,
)  # fmt: skip

ROOT = Path(__file__).parents[1]
SPEC = 'data raw from csv "raw.csv"\ndata few from raw by sql "select * from raw" { every 6h }\nenv there on slips { room = "3a" }\n'

SLIPS = '''"""A stranger's runtime: a slip of paper for each artifact. This machine applies it."""

from mlspec.compiler.target import Target
from mlspec.grammar.kinds import Argument


def compile_program(program, project):
    return {f"{node.name}.txt": f"make {node.title}\\n" for node in program.nodes}


TARGET = Target(
    name="slips",
    doc="Slips of paper, for the people of a room.",
    compile=compile_program,
    options=(Argument("room", "text", "Which room."), Argument("store", "text", "Where artifacts lie.")),
    required=frozenset({"room"}),
)
'''

CARELESS = '''"""A stranger's runtime that keeps little of what runtimes promise."""

import dataclasses
import os
import uuid

from mlspec.compiler.target import Target


def compile_program(program, project):
    return {"slips.txt": f"{uuid.uuid4()} {os.getcwd()} {program.nodes[0].name}"}


def apply(session, program, plan, watch):
    print(os.environ["CONFORMANCE_TOKEN"])
    return dataclasses.replace(session.apply_here(program, plan, watch), refusals=())


TARGET = Target(
    name="careless", doc="Slips, now and then.", compile=compile_program, lacks={"every": "people go home"},
    apply="careless",
)
'''


def bring(folder: Path, module: str, text: str, *names: str, package: str = "") -> dict[str, str]:
    """A package as pip leaves it: a module, and a dist-info that tells of its runtimes. Returns what a process needs."""
    (folder / f"{module}.py").write_text(text, encoding="utf-8")
    info = folder / f"{package or module}-1.0.dist-info"
    info.mkdir(exist_ok=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package or module}\nVersion: 1.0\n")
    entries = "".join(f"{name} = {module}:TARGET\n" for name in names or (module,))
    (info / "entry_points.txt").write_text(f"[mlspec.runtimes]\n{entries}")
    return {"PYTHONPATH": str(folder)}


# --- what a package brings --------------------------------------------------------------------------------------


@pytest.fixture
def spec(project: Project) -> Project:
    return project.write(a__mlspec=SPEC, raw__csv="n\n1\n2\n")


def test_a_strangers_runtime_compiles_and_applies(spec: Project, tmp_path: Path) -> None:
    env = bring(tmp_path, "slips", SLIPS)
    assert spec.run("compile", "--on", "there", "--to", "out", env=env).code == 0
    assert (spec.root / "out" / "few.txt").read_text() == "make few\n"
    assert spec.run("apply", "--on", "there", env=env).code == 0
    assert set(spec.data("status", "--on", "there")["names"]) == {"raw", "few"}
    listed = spec.run("runtime", env=env).out
    assert "Slips of paper" in listed and re.search(r"room +must be said +Which room\.", listed)


def test_what_a_strangers_environment_says_is_checked(spec: Project, tmp_path: Path) -> None:
    env = bring(tmp_path, "slips", SLIPS)
    spec.file("a.mlspec", SPEC.replace('room = "3a"', "rom = 3"))
    ran = spec.run("check", env=env)
    assert (ran.code, "did you mean room?" in ran.err, "needs room" in ran.err) == (1, True, True)


def test_what_was_compiled_for_a_stranger_is_not_kept_as_it_may_change(spec: Project, tmp_path: Path) -> None:
    assert spec.run("check", env=bring(tmp_path, "slips", SLIPS)).code == 0
    ran = spec.run("check", env=bring(tmp_path, "slips", SLIPS.replace('"room"', '"floor"')))
    assert ran.code == 1 and "needs floor" in ran.err


@pytest.mark.parametrize(
    ("text", "names", "told"),
    [
        ("import not_there\n", ("slips",), "slips brings it and cannot be loaded: No module named 'not_there'"),
        ("def f(:\n", ("slips",), "slips brings it and cannot be loaded: SyntaxError: invalid syntax"),
        ("TARGET = {}\n", ("slips",), "slips brings it as slips:TARGET, and that is no Target"),
        (SLIPS.replace('name="slips"', 'name="paper"'), ("slips",), "whose name is paper"),
        ("", ("slips",), "slips brings it and cannot be loaded: AttributeError: module 'slips' has no attribute"),
    ],
)
def test_one_that_cannot_be_used_is_told_in_the_spec(
    spec: Project, tmp_path: Path, text: str, names: tuple[str, ...], told: str
) -> None:
    env = bring(tmp_path, "slips", text, *names)
    ran = spec.run("check", env=env)
    assert ran.code == 1 and ran.err.count("error[") == 1, ran.err
    assert "error[E109]: there is no runtime slips" in ran.err and told in ran.err
    assert "Traceback" not in ran.text
    assert f"cannot be used: {told.partition(':')[0]}" in spec.run("runtime", env=env).out or "paper" in told
    assert told in spec.run("runtime", "test", "slips", env=env).err


def test_one_that_two_packages_bring(spec: Project, tmp_path: Path) -> None:
    env = bring(tmp_path, "slips", SLIPS)
    bring(tmp_path, "paper", SLIPS, "slips")
    assert "more than one package brings it: paper, slips" in spec.run("check", env=env).err


def test_one_whose_apply_is_not_there(spec: Project, tmp_path: Path) -> None:
    env = bring(tmp_path, "slips", SLIPS.replace("    required=", '    apply="slips_apply",\n    required='))
    ran = spec.run("apply", "--on", "there", env=env)
    assert ran.code == 4
    assert "could not apply on slips: slips_apply cannot be loaded: No module named 'slips_apply'" in ran.err


def test_a_runtime_elsewhere_makes_nothing_from_a_lock(project: Project) -> None:
    source = 'data raw from csv "raw.csv"\nenv there on make { store = "s" }\n'
    project.write(a__mlspec=source, raw__csv="n\n1\n")
    assert project.run("apply", "--on", "there").code == 0
    project.file("raw.csv", "n\n2\n")
    ran = project.run("apply", "--on", "there", "--locked")  # what the lock says is there
    assert ran.code == 0 and "Nothing to be made" in ran.out
    project.file("a.mlspec", source + 'data sum from raw by sql "select sum(n) as n from raw"\n')
    ran = project.run("apply", "--on", "there", "--locked")
    assert ran.code == 4 and "--locked" in ran.err


def test_a_name_that_is_ours_is_ours(spec: Project, tmp_path: Path) -> None:
    env = bring(tmp_path, "slips", SLIPS, "local", "make")
    assert "Slips" not in spec.run("runtime", env=env).out


def test_ours_are_found_without_a_look_at_what_is_installed() -> None:
    code = (
        "import importlib.metadata as installed; installed.entry_points = None\n"
        "from mlspec.runtimes.targets import targets\n"
        "print([targets()[name].name for name in ('local', 'prefect', 'make') if name in targets()])"
    )
    environment = {**os.environ, "PYDANTIC_DISABLE_PLUGINS": "__all__"}  # as our commands are run
    out = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    ).stdout
    assert out == "['local', 'prefect', 'make']\n"


# --- trying one -------------------------------------------------------------------------------------------------


def careless(name: str) -> Target:
    def nothing(program: Program, project: object) -> Files:
        return {}

    return Target(name=name, doc="", compile=nothing, lacks={"every": ""})  # the processes see the real one


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory) -> Trial:
    folder = tmp_path_factory.mktemp("careless")
    env = bring(folder, "careless", CARELESS)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", env["PYTHONPATH"])
        patch.setenv(VARIABLE, "correct-horse-battery")
        yield begin(Subject(careless("careless"), token="correct-horse-battery"), folder)


@pytest.mark.parametrize(
    ("point", "found"),
    [
        (compiles_alike, "slips.txt"),
        (compiles_for_anywhere, "slips.txt: /"),
        (compiles_every_artifact, "joined"),
        (refuses_what_is_expected_otherwise, "0"),
        (keeps_secrets, "what mlspec printed"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_what_a_careless_runtime_does_is_found(point: Callable[[Trial], None], found: str, trial: Trial) -> None:
    with pytest.raises(Missed) as missed:
        point(trial)
    assert found in missed.value.found


def test_what_a_careless_runtime_lacks_is_told(trial: Trial) -> None:
    refuses_what_it_lacks(trial)


def test_mistakes_in_how_a_test_is_asked_for(project: Project) -> None:
    assert "did you mean prefect?" in project.run("runtime", "test", "prefct").err
    assert "there is local, prefect" in project.run("runtime", "test").err
    assert "--set workers=…" in project.run("runtime", "test", "local", "--set", "workers").err
