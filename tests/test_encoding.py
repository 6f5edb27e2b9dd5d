"""Files that a spec names and that are no UTF-8: an error where they are named, not rows with other letters in them."""

from __future__ import annotations

import json

import pytest

from .helpers import Project

LATIN = "é".encode("latin-1")
HEAD = 'mlspec 1\ndata c from csv "c.csv" { a: int; t: text }\n'
NOTEBOOK = {"nbformat": 4, "nbformat_minor": 5, "metadata": {},
            "cells": [{"cell_type": "code", "source": "x = 'E'", "metadata": {}, "outputs": []}]}  # fmt: skip
FUNCTION = b"def f(c):\n    return c[c.t == 'E']\n"
CASES = {
    "q.sql": ('data q from c by sql "q.sql"', b"select a\nfrom c where t = 'E'", "line 2"),
    "steps.py": ('data q from c by python "steps.py:f"', FUNCTION, "line 2"),
    "n.ipynb": ('data q from c by notebook "n.ipynb"', json.dumps(NOTEBOOK).encode(), "line 1"),
    "used.mlspec": ('use "used.mlspec" as u', b'mlspec 1\nparam x = "E"\n', "line 2"),
}


def told(project: Project, name: str, statement: str, content: bytes) -> str:
    project.file("c.csv", "a,t\n1,é\n")
    (project.root / name).write_bytes(content)
    project.file("s.mlspec", f"{HEAD}{statement}\n")
    ran = project.run("check", "s.mlspec")
    return f"{ran.code} {ran.text}"


@pytest.mark.parametrize("name", CASES)
def test_a_file_that_is_no_utf8_is_an_error_where_it_is_named(project: Project, name: str) -> None:
    statement, content, line = CASES[name]
    said = told(
        project, name, statement, content.replace(b"'E'", b"'" + LATIN + b"'").replace(b'"E"', b'"' + LATIN + b'"')
    )
    assert said.startswith("1 ") and f"{name} is not UTF-8: {line} holds the byte 0xe9" in said, said
    assert "s.mlspec:3:" in said and "save it as UTF-8" in said and said.count("error[") == 1, said


def test_python_may_say_its_encoding(project: Project) -> None:
    content = b"# -*- coding: latin-1 -*-\n" + FUNCTION.replace(b"E", LATIN)
    assert told(project, "steps.py", CASES["steps.py"][0], content).startswith("0 ")


def test_a_letter_that_stands_for_a_broken_one_may_be_written(project: Project) -> None:
    content = "select a from c where t like '%\ufffd%'".encode()
    assert told(project, "q.sql", CASES["q.sql"][0], content).startswith("0 ")
