"""A block -> what its data is to be asked about what ruins models.

The text says what to look for, and only the data can say whether it is so. Asked is where it can matter: of models that
are measured, and of splits that decide how a model is measured.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from . import sql
from .ancestry import Ancestry, Value, trained_on
from .program import Doubt, Node
from .types import by_name


def find(ancestry: Ancestry, node: Node) -> tuple[Doubt, ...]:
    """What is to be asked; not what the block says that it knows."""
    return tuple(doubt for doubt in _doubts(ancestry, node) if doubt.code not in node.known)


def _doubts(ancestry: Ancestry, node: Node) -> Iterator[Doubt]:
    if node.kind == "model" and node.predict is not None and node.predict.targets:
        yield from _determined(node)
        yield from _no_better(node)
    elif node.recipe.word == "split" and _at_random(node) and ancestry.decides(node):
        yield from _on_both_sides(ancestry, node)
        yield from _in_time(ancestry, node)


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


def _on_both_sides(ancestry: Ancestry, split: Node) -> Iterator[Doubt]:
    """W202. `columns` are keys as far as the text knows; those that the features name are no keys to keep apart."""
    if "by" in split.arguments:
        return
    data = split.inputs[0].name
    known = ancestry.columns(data) or ()
    keys = tuple(one.name for one in known if is_key(one.name) or _was_unique(ancestry, data, one.name))
    if not known:
        keys = ("*",)  # by their names, once they are known
    yield Doubt(code="W202", of=split.names, columns=keys, but=_features(ancestry, split))


KEY = re.compile(r"(^|_)(id|ID|Id|key|uuid|guid)$|[a-z](ID|Id|Key)$")


def is_key(name: str) -> bool:
    """id, customer_id, customerID: what names one of many."""
    return bool(KEY.search(name))


def _was_unique(ancestry: Ancestry, data: str, column: str) -> bool:
    for value in ancestry.unchanged(Value(data, column)):
        node = ancestry.node_of.get(value.of)
        found = by_name(node.declared if node is not None else ()).get(value.column)
        if found is not None and found.unique:
            return True
    return False


def _features(ancestry: Ancestry, split: Node) -> tuple[str, ...]:
    """Of the models that are fitted on a part: who learns from a key itself wants to know it again."""
    predicts = (node.predict for node in ancestry.learners(split) if node.predict is not None)
    found = dict.fromkeys(feature for predict in predicts for feature in predict.features)
    return tuple(found)


def _in_time(ancestry: Ancestry, split: Node) -> Iterator[Doubt]:
    """W203. `columns` are dates and times, "*" where they are not known; `but` is the one by which a query of ours put
    the rows in order, which says nothing."""
    data = split.inputs[0].name
    known = ancestry.columns(data)
    times = tuple(one.name for one in known or () if one.type.base in ("date", "timestamp"))
    if known is not None and not times:
        return
    yield Doubt(code="W203", of=(data,), columns=times or ("*",), but=_put_in_order(ancestry.node_of.get(data)))


def _put_in_order(node: Node | None) -> tuple[str, ...]:
    if node is None or node.recipe.word != "sql" or sql.is_ordered(node.recipe.text):
        return ()
    columns = node.columns.get(node.name) or ()
    return tuple(column.name for column in columns[:1])
