"""`use`: a spec with params is a function, and using it is calling it."""

from __future__ import annotations

import pytest
from helpers import Project

DEMAND = """## Demand of one region.
param region: text
param least: int = 1

data raw from csv "raw.csv"
data demand from raw by sql "select * from raw where region = $region and n >= $least"
data first, rest from demand by split { first = 1; shuffle = false }
data doubled from demand by python "steps.py:double" { times = least }
data listed from demand by shell "sh list.sh"
"""
MAIN = """mlspec 1

param low: int = 6

use "parts/demand.mlspec" as eu { region = "eu" }
use "parts/demand.mlspec" as ch { region = "ch"; least = low }

data both from eu.demand as a, ch.demand as b by sql \"\"\"
  select * from a union all select * from b
\"\"\" {
  expect .rows == 4
  expect .rows >= eu.demand.rows
}
"""
STEPS = "def double(demand, times):\n    return demand.assign(n=demand.n * times)\n"


@pytest.fixture
def parts(project: Project) -> Project:
    project.file("main.mlspec", MAIN)
    project.file("parts/demand.mlspec", DEMAND)
    project.file("parts/raw.csv", "region,n\neu,1\neu,2\nch,5\nch,6\nch,7\n")
    project.file("parts/steps.py", STEPS)
    project.file("parts/list.sh", 'cat raw.csv > /dev/null && cp "$DEMAND" "$LISTED"\n')
    return project


def test_a_used_spec_is_made_once_for_each_use(parts: Project) -> None:
    ran = parts.apply("main.mlspec")
    assert ran.code == 0, ran.text
    assert parts.data("show", "both", "main.mlspec")["rows"] == 4
    assert parts.data("show", "ch.demand", "main.mlspec")["rows"] == 2
    assert parts.data("show", "eu.first", "main.mlspec")["rows"] == 1
    assert parts.data("show", "ch.doubled", "main.mlspec")["first"] == [
        {"region": "ch", "n": 36},
        {"region": "ch", "n": 42},
    ]
    assert parts.data("show", "eu.listed", "main.mlspec")["rows"] == 2
    assert "Nothing to be made" in parts.apply("main.mlspec").out


def test_the_same_source_in_two_uses_is_read_once(parts: Project) -> None:
    events = parts.events("main.mlspec")
    assert sorted([events["eu.raw"], events["ch.raw"]]) == ["accepted", "made"]


def test_a_used_spec_runs_by_itself_when_its_params_have_values(parts: Project) -> None:
    parts.file("parts/demand.mlspec", DEMAND.replace("region: text", 'region: text = "eu"'))
    assert parts.apply("parts/demand.mlspec").code == 0
    assert parts.data("show", "demand", "parts/demand.mlspec")["rows"] == 2


def test_a_mistake_in_a_used_spec_is_told_there_once(parts: Project) -> None:
    parts.file("parts/demand.mlspec", DEMAND.replace("$least", "$leest"))
    ran = parts.run("check", "main.mlspec")
    assert ran.code == 1
    assert ran.err.count("error[") == 1
    assert "parts/demand.mlspec:6" in ran.err


def test_a_changed_used_spec_is_seen_by_the_next_check(parts: Project) -> None:
    assert parts.run("check", "main.mlspec").code == 0
    parts.file("parts/demand.mlspec", DEMAND + "data more from nothing_such by split\n")
    assert parts.run("check", "main.mlspec").code == 1


def test_a_used_spec_uses_others(parts: Project) -> None:
    parts.file(
        "parts/outer.mlspec",
        'use "demand.mlspec" as inner { region = "ch" }\ndata every_one from inner.demand as d by sql "select * from d"\n',
    )
    parts.file(
        "top.mlspec",
        'use "parts/outer.mlspec" as o\ndata n from o.inner.demand as d, o.every_one as a by sql "select count(*) as n from d, a"\n',
    )
    ran = parts.apply("top.mlspec")
    assert ran.code == 0, ran.text
    assert parts.data("show", "n", "top.mlspec")["first"] == [{"n": 9}]


def test_two_uses_of_a_spec_share_its_secret(parts: Project) -> None:
    parts.file("parts/s.mlspec", 'secret key\ndata raw from csv "raw.csv"\n')
    parts.file("top.mlspec", 'use "parts/s.mlspec" as a\nuse "parts/s.mlspec" as b\n')
    assert parts.run("check", "top.mlspec").code == 0


def test_a_secret_is_handed_through(parts: Project) -> None:
    parts.file(
        "parts/s.mlspec", 'secret key\ndata raw from csv "raw.csv"\ndata d from raw by python "k.py:f" { key = key }\n'
    )
    parts.file("parts/k.py", "def f(raw, key):\n    return raw.assign(n=len(key))\n")
    parts.file("top.mlspec", 'secret other\nuse "parts/s.mlspec" as a { key = other }\n')
    ran = parts.run("apply", "top.mlspec", env={"OTHER": "1234"})
    assert ran.code == 0, ran.text
    assert parts.data("show", "a.d", "top.mlspec")["first"][0]["n"] == 4
