"""A block of a program without mistakes, and what in it ruins models: warnings, as far as the text tells.

False alarms ruin warnings: only what is certain is said. What only the data can tell is asked in `doubts.py`.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from functools import lru_cache

from ..grammar import tree
from ..grammar.diagnostic import Diagnostic
from ..grammar.source import Span
from .ancestry import Ancestry, Value, trained_on
from .load import Files
from .program import Code, Node
from .python_file import Broken, module_of
from .resolve import Names
from .types import by_name

Told = Iterator[Diagnostic]


def find(ancestry: Ancestry, node: Node, names: Names, files: Files) -> Told:
    block = names.block_of.get(node.name)
    if block is None:
        return
    if node.kind == "model" and node.predict is not None:
        yield from _measured_where_fitted(ancestry, node, block)
        yield from _target_among_features(ancestry, node, block)
    elif node.recipe.word == "split":
        yield from _fitted_before_split(ancestry, node, names, files)
    elif node.recipe.word == "predict":
        yield from _target_in_batch(ancestry, node, block)


# --- W101 -----------------------------------------------------------------------------------------------------


def _measured_where_fitted(ancestry: Ancestry, node: Node, block: tree.Block) -> Told:
    """Unless it is also measured elsewhere: then the difference is what somebody wants to see."""
    fitted = trained_on(node)
    if not fitted or all(item.last for item in node.inputs if item.kind == "data"):
        return
    lines = [line for line in block.lines if isinstance(line, tree.Measure)]
    seen = [line for line in lines if ancestry.share_rows(fitted, line.on.name)]
    if not seen or len(seen) < len(lines):
        return
    on = seen[0].on
    note = "" if on.name == fitted else f"{fitted} and {on.name} have rows in common"
    help_ = "split the data first, and measure on the part that it was not fitted on"
    yield Diagnostic("W101", on.span, {"model": node.name, "data": on.name}, note=note, help=help_)


# --- W102 -----------------------------------------------------------------------------------------------------


def _target_among_features(ancestry: Ancestry, node: Node, block: tree.Block) -> Told:
    assert node.predict is not None
    data, line = trained_on(node), next((one for one in block.lines if isinstance(one, tree.Predict)), None)
    if not data or line is None:
        return
    places = {column.name: column.span for column in line.features or ()}
    for target in node.predict.targets:
        answer = ancestry.unchanged(Value(data, target))
        for feature in node.predict.features:
            title = _is_made_from(ancestry, Value(data, feature), answer)
            if title:
                yield _leak(title.format(feature=feature, target=target), places.get(feature, line.span), feature)
        whole = _made_from_features(ancestry, answer[-1], [Value(data, feature) for feature in node.predict.features])
        if whole:
            span = next((one.span for one in line.targets if one.name == target), line.span)
            yield _leak(f"{target} is computed from {_and(whole)}, which it is learned from", span, whole[0])


def _leak(title: str, span: Span, feature: str) -> Diagnostic:
    help_ = f"take .{feature} out of the features: it will not be known when the model is asked"
    return Diagnostic("W102", span, {"title": title}, help=help_)


def _is_made_from(ancestry: Ancestry, feature: Value, answer: list[Value]) -> str:
    if any(one in answer for one in ancestry.unchanged(feature)):
        return "{feature} is {target} under another name"
    if any(one in answer for one in ancestry.above(feature)):
        return "{feature} is computed from {target}, which it helps to predict"
    return ""


def _made_from_features(ancestry: Ancestry, answer: Value, features: list[Value]) -> list[str]:
    """The features that the target is computed from, if there is nothing else in it."""
    made = ancestry.made_of(answer)
    if not made.known or not made.of or made.same:
        return []
    by_value = {one: feature.column for feature in features for one in ancestry.unchanged(feature)}
    found = [by_value.get(_origin(ancestry, one, by_value), "") for one in made.of]
    return list(dict.fromkeys(found)) if all(found) else []


def _origin(ancestry: Ancestry, value: Value, among: dict[Value, str]) -> Value:
    return next((one for one in ancestry.unchanged(value) if one in among), value)


def _and(words: list[str]) -> str:
    return ", ".join(words[:-1]) + " and " + words[-1] if len(words) > 1 else words[0]


# --- W103 -----------------------------------------------------------------------------------------------------


def _fitted_before_split(ancestry: Ancestry, split: Node, names: Names, files: Files) -> Told:
    if not ancestry.decides(split):
        return
    for node in ancestry.before(split):
        block, code = names.block_of.get(node.name), node.recipe.code
        if node.kind != "data" or len(node.names) > 1 or code is None or block is None or block.recipe is None:
            continue
        where = fits_in(code, files.text)
        if where:
            facts = {"name": node.name, "split": _and(list(split.names))}
            help_ = "fit it on the training part alone: inside the model, as a scikit-learn pipeline does"
            yield Diagnostic("W103", block.recipe.span, facts, note=where, help=help_)


def fits_in(code: Code, text_of: Callable[[str], str | None]) -> str:
    """`file:line` of what a function of the project's fits, "" where it fits nothing."""
    for part in code.parts:
        path, _, name = part.rpartition(":")
        text = text_of(path)
        line = _fits(path, text, name) if text else 0
        if line:
            return f"{path}:{line}"
    return ""


@lru_cache(maxsize=1024)
def _fits(path: str, text: str, name: str) -> int:
    if ".fit" not in text:
        return 0
    try:
        module = module_of(path, text)
    except (Broken, RecursionError):
        return 0
    found = [module.tree] if name == "*" else [one for one in module.binds.get(name, ()) if isinstance(one, ast.AST)]
    calls = (part for one in found for part in ast.walk(one) if isinstance(part, ast.Call))
    return next((call.lineno for call in calls if isinstance(call.func, ast.Attribute) and call.func.attr in FITS), 0)


FITS = ("fit", "fit_transform")


# --- W104 -----------------------------------------------------------------------------------------------------


def _target_in_batch(ancestry: Ancestry, node: Node, block: tree.Block) -> Told:
    """The answers stand in the table, and the model has seen some of them: it looks better than it is."""
    model = ancestry.node_of.get(node.inputs[0].name) if node.inputs else None
    data = trained_on(node)
    if model is None or model.predict is None or not data or not trained_on(model):
        return
    made = ancestry.node_of.get(data)
    known = by_name((made.columns.get(data) if made is not None else None) or ())
    target = next((one for one in model.predict.targets if one in known), "")
    if target and ancestry.share_rows(trained_on(model), data):
        span = next((item.span for item in block.inputs if item.reference.name == data), block.head)
        facts = {"data": data, "target": target, "model": model.name}
        help_ = f"ask for rows whose {target} is not known yet, as with where {target} is null, or for the test part"
        yield Diagnostic("W104", span, facts, help=help_)
