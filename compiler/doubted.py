"""A block's doubts and their answers -> the warnings that they lead to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ..grammar.codes_warnings import WARNINGS
from . import identity
from .actions import Question, Warned
from .program import Doubt, Node

TITLES = {code.id: code.title for code in WARNINGS}
LITTLE = 1e-9
Digest = Callable[[str], str]


def question(doubt: Doubt, digest: Digest) -> Question:
    first, *others = (digest(name) for name in doubt.of)
    return Question(
        key=identity.doubt_key(doubt, (first, *others)), name=doubt.of[0], digest=first, doubt=doubt,
        others={f"other {place}": one for place, one in enumerate(others, 1)},
    )  # fmt: skip


def warned(
    node: Node, digest: Digest, fact: Callable[[str, str], tuple[bool, Any]], metrics: Mapping[str, Any]
) -> Iterator[Warned]:
    """`fact` answers (known, value) by a question's key and digest; `metrics` are the node's own, by name."""
    for doubt in node.doubts:
        asked = question(doubt, digest)
        known, answer = fact(asked.key, asked.digest)
        told = _TELL[doubt.code](doubt, answer, metrics) if known and answer is not None else None
        if told is not None:
            facts, help_ = told
            title = TITLES[doubt.code].format(**facts)
            yield Warned(code=doubt.code, title=title, help=help_, path=node.span.path, line=node.span.line)


Told = tuple[dict[str, str], str] | None


def _determined(doubt: Doubt, answer: Any, _: Mapping[str, Any]) -> Told:
    target = doubt.target if doubt.positive is None else f"whether {doubt.target} is {doubt.positive}"
    help_ = f"if .{answer['column']} will not be known when the model is asked, take it out of the features"
    return {"column": answer["column"], "target": f"{target}: {answer['how']}"}, help_


def _on_both_sides(doubt: Doubt, answer: Any, _: Mapping[str, Any]) -> Told:
    first, other = doubt.of[0], doubt.of[answer["other"]]
    shared, of = f"{answer['shared']:,}", f"{answer['of']:,}"
    if answer["key"]:
        key = answer["key"]
        what = f"{shared} of the {of} values of {key}"
        return {
            "count": what,
            "first": first,
            "other": other,
        }, f"write by = .{key}: it keeps all rows of a {key} on one side"
    what = f"{shared} of the {of} different rows"
    return {"count": what, "first": first, "other": other}, "leave seed out: then equal rows stay together"


def _in_time(doubt: Doubt, answer: Any, _: Mapping[str, Any]) -> Told:
    column = answer["column"]
    return {"data": doubt.of[0], "column": column}, f"cut them in order: write order = .{column}"


def _no_better(doubt: Doubt, answer: Any, metrics: Mapping[str, Any]) -> Told:
    value = metrics.get(doubt.measure)
    if not isinstance(value, int | float) or value > answer + LITTLE:
        return None
    facts = {"name": doubt.measure, "value": f"{value:.4f}", "data": doubt.of[0], "share": f"{answer:.4f}"}
    return facts, "measure what tells more, as balanced_accuracy or roc_auc"


_TELL: dict[str, Callable[[Doubt, Any, Mapping[str, Any]], Told]] = {
    "W201": _determined, "W202": _on_both_sides, "W203": _in_time, "W204": _no_better,
}  # fmt: skip
