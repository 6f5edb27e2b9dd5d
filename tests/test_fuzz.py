"""A small part of what `make fuzz` judges: the same texts each time, and a few that hypothesis thinks of."""

from __future__ import annotations

import random
import sys
from itertools import islice
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent / "fuzz"))

from judge import TooSlow, bounded, judge
from texts import drawn, mutated, texts

FOUND = {
    "a list in a list": 'data a from csv "a.csv" {\n  missing = [["x"]]\n}\n',
    "one sign of a comment": "/",
    "a name without end": "data b from a by " + "a.b" * 3000 + "\n",
    "half a character in a query": 'data a from csv "a.csv"\ndata b from a by sql "select \udc80 from a"\n',
    "between at the end of a line": 'data a from csv "a.csv" {\n  id: int between 1 and\n}\n',
    "half a character in a value": 'data a from csv "a.csv" {\n  header = "n\udc80o"\n}\n',
    "a secret to read from": 'secret header\nservice s from last header\ndata b from header by sql "select 1"\n',
    "a query that never closes": 'data a from csv "a.csv"\ndata b from a by sql """\n  select '
    + "(" * 5000
    + '1\n"""\n',
    "used, and no spec": 'use "wrong.sql" as a {\n  each .p95\n}\n',
}


def test_seeded_texts() -> None:
    for number, text in enumerate(islice(texts(1), 600)):
        judge(text, thoroughly=number % 4 == 0)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.randoms(use_true_random=False))
def test_specs_drawn_from_the_grammar(draw: random.Random) -> None:
    judge(drawn(draw))


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.randoms(use_true_random=False))
def test_the_corpus_with_a_few_things_done_to_it(draw: random.Random) -> None:
    judge(mutated(draw))


@pytest.mark.parametrize("text", FOUND.values(), ids=FOUND)
def test_what_was_found(text: str) -> None:
    judge(text)


def test_the_judge_stops_what_hangs() -> None:
    with pytest.raises(TooSlow), bounded(0.05):
        while True:
            pass
