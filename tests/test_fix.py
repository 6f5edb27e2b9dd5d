"""`check --fix`: what is changed, what is not, and that a file is changed whole or not at all."""

from __future__ import annotations

import json

import pytest
from helpers import Project
from mlspec.compiler.load import InMemory
from mlspec.compiler.mend import mend
from mlspec.compiler.types import FLOAT, INT, Column

CSV = "id,x\n1,2.5\n2,3.5\n"
WRONG = 'use "sub.mlspec" as s\n\ndata a from cvs "a.csv" {\n  id = int\n  expect rows > 1 && .rows < 9\n}\n'
RIGHT = 'use "sub.mlspec" as s\n\ndata a from csv "a.csv" {\n  id: int\n  expect .rows > 1 and .rows < 9\n}\n'
COLUMNS = (Column(name="id", type=INT), Column(name="x", type=FLOAT))


def mended(text: str, **files: str) -> str:
    found = mend(
        "x.mlspec", text, InMemory({name.replace("__", "."): t for name, t in files.items()}, {"a.csv": COLUMNS})
    )
    return found.after.get("x.mlspec", text)


def test_fixes_bring_fixes_to_light() -> None:
    """The source must be known before its columns are asked about, the word before its line is read."""
    wrong = 'data a from cvs "a.csv" {\n  expct unique(.idd)\n}\n'
    assert mended(wrong) == 'data a from csv "a.csv" {\n  expect unique(.id)\n}\n'


def test_what_comes_to_light_and_cannot_be_fixed_does_not_undo_a_fix() -> None:
    wrong = 'dat a from csv "a.csv" {\n  nothing_like_it: int\n  expect .nor_this > 3\n}\n'
    assert mended(wrong) == wrong.replace("dat a", "data a")


def test_a_fix_that_does_not_help_is_left_out_and_the_others_are_made() -> None:
    wrong = 'data a from cvs "a.csv"\ndata b from a by sql "select iid from a" {\n  leest = 1\n}\n'
    assert mended(wrong) == wrong.replace("cvs", "csv").replace("iid", "id")


def test_a_sound_spec_is_left_alone() -> None:
    assert mend("x.mlspec", 'data a from csv "a.csv"\n', InMemory({}, {"a.csv": COLUMNS})).after == {}


@pytest.mark.parametrize(
    ("line", "instead"),
    [
        ("expect .p90 < 3ms", ""),
        ("expect .eror < 3%", "expect .errors < 3%"),
    ],
)
def test_another_number_is_another_thing_and_left_to_a_person(line: str, instead: str) -> None:
    spec = f"""data d from csv "a.csv"
model m from d by python "sklearn.linear_model:LogisticRegression" {{
  predict .left from .x
  measure f1_macro on d
}}
service s from m by http {{
  {line}
}}
"""
    assert mended(spec) == (spec.replace(line, instead) if instead else spec)


def test_a_metric_that_is_not_measured_is_not_replaced_by_another() -> None:
    spec = """data d from csv "a.csv"
model m from d by python "sklearn.linear_model:LogisticRegression" {
  predict .left from .x
  measure precision_macro on d
  expect .precision > 80%
}
"""
    assert mended(spec) == spec


def test_the_spec_and_what_it_uses_are_fixed_line_by_line(project: Project) -> None:
    project.write(a__csv=CSV, x__mlspec=WRONG, sub__mlspec='data q from cvs "a.csv"\n')
    path = project.root / "x.mlspec"
    path.write_bytes(b"\xef\xbb\xbf" + WRONG.replace("\n", "\r\n").encode())
    shown = project.run("check", "x.mlspec", "--diff")
    assert (
        shown.code == 1 and "+  expect .rows > 1 and .rows < 9" in shown.out and '-data q from cvs "a.csv"' in shown.out
    )
    assert b"cvs" in path.read_bytes()
    ran = project.run("check", "x.mlspec", "--fix")
    assert ran.code == 0, ran.text
    assert "sub.mlspec:1\n  - data q from cvs" in ran.out and "  +   id: int\n" in ran.out
    assert path.read_bytes() == b"\xef\xbb\xbf" + RIGHT.replace("\n", "\r\n").encode()
    assert (project.root / "sub.mlspec").read_text() == 'data q from csv "a.csv"\n'
    assert project.run("check", "x.mlspec").code == 0


def test_what_is_left_is_told(project: Project) -> None:
    project.write(a__csv=CSV, x__mlspec='data a from cvs "a.csv" {\n  unknown_column: int\n}\n')
    ran = project.run("check", "--fix")
    assert ran.code == 1
    assert "x.mlspec: 1 mistake left" in ran.out and "error[E303]" in ran.err
    again = project.run("check", "--fix")
    assert "none can be fixed by itself" in again.out


def test_as_data(project: Project) -> None:
    project.write(a__csv=CSV, x__mlspec='data a from cvs "a.csv"\n')
    ran = project.run("check", "--fix", "--json")
    assert json.loads(ran.out)["fixed"] == [
        {"path": "x.mlspec", "line": 1, "before": ['data a from cvs "a.csv"'], "after": ['data a from csv "a.csv"']}
    ]


def test_files_that_are_no_spec_are_refused_in_one_line(project: Project) -> None:
    contents = {"big": b"x" * 25_000_000, "random": bytes(range(256)) * 4, "wide": "data a\n".encode("utf-16"),
                "nul": b"data a from csv\0 'a.csv'\n"}  # fmt: skip
    for name, content in contents.items():
        (project.root / f"{name}.mlspec").write_bytes(content)
        for command in (["check"], ["check", "--fix"], ["fmt"], ["plan"]):
            ran = project.run(*command, f"{name}.mlspec")
            assert ran.code == 4 and ran.err.startswith(f"error: could not open {name}.mlspec: it "), ran.text
            assert len(ran.text) < 300
