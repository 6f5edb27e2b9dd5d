"""A program -> the same, each block with what its data is to be asked about what ruins models.

The text says what to look for, and only the data can say whether it is so. Asked is where it can matter: of models that
are measured, and of splits that decide how a model is measured.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from . import sql
from .ancestry import Value, decides, trained_on, unchanged, with_rows_of
from .program import Doubt, Node, Program
from .types import by_name


def with_doubts(program: Program) -> Program:
    nodes = tuple(_with_doubts(program, node) for node in program.nodes)
    return program.model_copy(update={"nodes": nodes})


def _with_doubts(program: Program, node: Node) -> Node:
    found = tuple(doubt for doubt in _doubts(program, node) if doubt.code not in node.known)
    return node.model_copy(update={"doubts": found}) if found else node


def _doubts(program: Program, node: Node) -> Iterator[Doubt]:
    if node.kind == "model" and node.predict is not None and node.predict.targets:
        yield from _determined(node)
        yield from _no_better(node)
    elif node.recipe.word == "split" and decides(program, node) and _at_random(node):
        yield from _on_both_sides(program, node)
        yield from _in_time(program, node)


def _determined(node: Node) -> Iterator[Doubt]:
    """W201. `columns` are the features, all but the targets if there are none."""
    predict, data = node.predict, trained_on(node)
    assert predict is not None
    if data and node.measures and "W102" not in node.known:
        target = predict.targets[0]
        yield Doubt(code="W201", of=(data,), columns=predict.features, but=predict.targets, target=target,
                    positive=predict.positive)  # fmt: skip


def _no_better(node: Node) -> Iterator[Doubt]:
    """W204. The answer is the share of the most frequent truth."""
    assert node.predict is not None
    for measure in node.measures:
        if measure.metric == "accuracy":
            yield Doubt(code="W204", of=(measure.on,), target=node.predict.targets[0], positive=node.predict.positive,
                        measure=measure.name)  # fmt: skip


def _at_random(split: Node) -> bool:
    return "order" not in split.arguments and split.arguments.get("shuffle", True) is not False


def _on_both_sides(program: Program, split: Node) -> Iterator[Doubt]:
    """W202. `columns` are keys as far as the text knows; those that the features name are no keys to keep apart."""
    if "by" in split.arguments:
        return
    data = split.inputs[0].name
    node = program.node_of().get(data)
    known = (node.columns.get(data) if node is not None else None) or ()
    keys = tuple(one.name for one in known if is_key(one.name) or _was_unique(program, data, one.name))
    if not known:
        keys = ("*",)  # by their names, once they are known
    yield Doubt(code="W202", of=split.names, columns=keys, but=_features(program, split))


KEY = re.compile(r"(^|_)(id|ID|Id|key|uuid|guid)$|[a-z](ID|Id|Key)$")


def is_key(name: str) -> bool:
    """id, customer_id, customerID: what names one of many."""
    return bool(KEY.search(name))


def _was_unique(program: Program, data: str, column: str) -> bool:
    for value in unchanged(program, Value(data, column)):
        node = program.node_of().get(value.of)
        found = by_name(node.declared if node is not None else ()).get(value.column)
        if found is not None and found.unique:
            return True
    return False


def _features(program: Program, split: Node) -> tuple[str, ...]:
    """Of the models that are fitted on a part: who learns from a key itself wants to know it again."""
    models = (node for node in program.nodes if node.kind == "model" and node.predict is not None)
    found = {
        feature: None
        for node in models
        if set(split.names) & set(with_rows_of(program, trained_on(node)))
        for feature in (node.predict.features if node.predict else ())
    }
    return tuple(found)


def _in_time(program: Program, split: Node) -> Iterator[Doubt]:
    """W203. `columns` are dates and times, "*" where they are not known; `but` is the one by which a query of ours put
    the rows in order, which says nothing."""
    data = split.inputs[0].name
    node = program.node_of().get(data)
    known = node.columns.get(data) if node is not None else None
    times = tuple(one.name for one in known or () if one.type.base in ("date", "timestamp"))
    if known is not None and not times:
        return
    yield Doubt(code="W203", of=(data,), columns=times or ("*",), but=_put_in_order(program, node))


def _put_in_order(program: Program, node: Node | None) -> tuple[str, ...]:
    if node is None or node.recipe.word != "sql" or sql.is_ordered(node.recipe.text):
        return ()
    columns = node.columns.get(node.name) or ()
    return tuple(column.name for column in columns[:1])
