"""The only place that says what "same" means: which parts make a key, and how they are hashed.

Not in a key: names, descriptions, conditions, needs, environments, backends, secrets. Every key keeps its parts, so
that a person can be told what changed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence

from .program import Among, Doubt, Each, Fact, Input, Measure, Node, Predict, Rows, Search, Value
from .types import Column

# Raised when a recipe of ours would make other bytes from the same parts.
RECIPE_VERSIONS = {
    "csv": 1, "parquet": 1, "jsonl": 1, "excel": 1, "folder": 1, "sqlite": 1, "postgres": 1, "sql": 1, "python": 1, "split": 1, "predict": 1,
    "shell": 1, "notebook": 1, "http": 1, "seen": 1,
}  # fmt: skip

# What a recipe of ours is made with, where its result depends on it.
RECIPE_PACKAGES = {"sql": ("duckdb",), "split": ("sklearn",), "predict": ("sklearn",)}

Parts = dict[str, str]


def key_of(parts: Mapping[str, str]) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def packages_of(node: Node) -> tuple[str, ...]:
    """The import names of the packages whose versions a node's key holds."""
    return (*_made_with(node), *(_search_packages(node.search) if node.search else ()))


def _made_with(node: Node) -> tuple[str, ...]:
    code = node.recipe.code
    own = RECIPE_PACKAGES.get(node.recipe.word, ())
    if node.recipe.word == "split" and "seed" not in node.arguments:
        own = ()
    return (*own, *(code.packages if code else ()))


def _search_packages(search: Search) -> tuple[str, ...]:
    """What deals the folds, and what proposes the trials."""
    return (*(("sklearn",) if search.folds else ()), *(() if search.is_grid else ("optuna",)))


A_DATE = "date "  # before the text of an argument that a query takes as a date
OUTPUT = "output "  # before the place of an output of a split, where its share is told


def making(node: Node, digests: Mapping[str, str], files: Mapping[str, str], versions: Mapping[str, str]) -> Parts:
    """The parts of what makes a node's artifacts.

    `digests` are those of its inputs by name, `files` those of a source's files, `versions` those of packages by
    import name.
    """
    recipe = node.recipe
    parts: Parts = {"recipe": f"{recipe.word} {RECIPE_VERSIONS[recipe.word]}", "kind": node.kind}
    if recipe.word == "shell":
        parts["command"] = recipe.text
    if recipe.digest and not recipe.code:
        parts["query"] = recipe.digest
    if recipe.code:
        parts |= _code(node)
    for position, item in enumerate(node.inputs):
        if node.recipe.word == "seen":
            break  # its log's files say all: a new release alone makes nothing
        # What was accepted last is recorded beside the key, not in it: a new one alone makes nothing.
        parts[f"input {role(node, item, position)}"] = "last" if item.last else digests[item.name]
    for name, value in node.arguments.items():
        form = A_DATE if name in node.recipe.moments else ""
        parts[f"argument {_argument_name(node, name)}"] = form + written(value)
    for file, digest in files.items():
        parts[f"file {file}"] = digest
    for column in (node.columns.get(node.name) or ()) if node.recipe.word == "seen" else node.declared:
        parts[f"column {column.name}"] = column_text(column)
    for package in _made_with(node):
        parts[f"package {package}"] = versions.get(package, "none")
    if node.predict:
        parts["predict"] = predict_text(node.predict)
    if node.search:
        parts |= _search(node.search, digests, versions)
    if node.each:
        parts["each"] = " of ".join((str(node.each), *([", ".join(each_roles(node))] if node.each.of else ())))
    if node.exchange:
        parts["request"] = hashlib.sha256(node.exchange.model_dump_json().encode()).hexdigest()
    parts["outputs"] = str(len(node.names))
    return parts


def _code(node: Node) -> Parts:
    code = node.recipe.code
    assert code is not None
    entry = code.entry.rsplit(":", 1)[-1] if code.files else code.entry
    if not code.parts:
        return {"code": f"{entry} {code.digest}"}
    return {"entry": entry, **{f"code {name}": digest for name, digest in code.parts.items()}}


def role(node: Node, item: Input, position: int) -> str:
    """What an input is to its recipe: the name that it sees, or the place where it stands."""
    by_name = node.recipe.word in ("sql", "shell") or (
        node.recipe.code and not node.recipe.code.is_class and node.recipe.code.files
    )
    return item.alias if by_name else str(position + 1)


def each_roles(node: Node) -> tuple[str, ...]:
    """What the inputs are to the recipe of which a part gets its own rows, the one that says which parts there are first."""
    roles = {item.alias: role(node, item, position) for position, item in enumerate(node.inputs)}
    return tuple(roles[alias] for alias in node.each.of) if node.each else ()


def _argument_name(node: Node, name: str) -> str:
    """A split's outputs count by their place, so that renaming one makes nothing."""
    if node.recipe.word == "split" and name in node.names:
        return f"{OUTPUT}{node.names.index(name) + 1}"
    return name


def written(value: Value) -> str:
    return json.dumps(value)


def column_text(column: Column) -> str:
    marks = ", unique" * column.unique
    if column.low is not None or column.high is not None:
        marks += f" in {'' if column.low is None else column.low}..{'' if column.high is None else column.high}"
    origin = f" from {json.dumps(column.origin)}" if column.origin else ""
    return f"{column.type}{marks}{origin}"


def predict_text(predict: Predict) -> str:
    positive = f" == {json.dumps(predict.positive)}" if predict.positive is not None else ""
    return f"{', '.join(predict.targets)}{positive} from {', '.join(predict.features)} ({predict.task})"


# --- search ---------------------------------------------------------------------------------------------------

# Which arguments win follows from these: what is tried, how each is scored, and which score is best.
SEARCH = ("search", "searched")  # of the search alone, and in no trial's own key


def _search(search: Search, digests: Mapping[str, str], versions: Mapping[str, str]) -> Parts:
    trials = "all" if search.is_grid else f"{search.trials} trials"
    parts = {"search": f"{trials}, best = {search.best}(.{search.metric})"}
    parts |= {f"searched {among.name}": among_text(among) for among in search.space}
    if not search.is_grid:
        parts["search optuna"] = versions.get("optuna", "none")
    parts["score"] = search.metric
    if search.measure:
        parts["score"] = f"{search.measure.metric} {search.measure.code.digest if search.measure.code else ''}".strip()
    if search.folds:
        parts["score folds"] = f"{search.folds}{f' by {search.group}' if search.group else ''}"
        parts["score sklearn"] = versions.get("sklearn", "none")
    elif search.on:
        parts["score on"] = digests[search.on]
    return parts


def among_text(among: Among) -> str:
    if among.values:
        return " | ".join(written(value) for value in among.values)
    numbers = f"{written(among.low)}..{written(among.high)}"  # whole ones, if both ends are written as such
    return f"log({numbers})" if among.log else numbers


def trial_key(parts: Mapping[str, str], arguments: Mapping[str, Value]) -> str:
    """Of the score of one trial, by the parts that make the node: the same in every search that tries it."""
    own = {part: text for part, text in parts.items() if part.split(" ")[0] not in SEARCH}
    return key_of(
        {**own, **{f"argument {name}": written(value) for name, value in arguments.items()}, "trial": "score"}
    )


# --- part by part ---------------------------------------------------------------------------------------------


def part(whole: Node, making: Mapping[str, str], own: Sequence[str]) -> Parts:
    """What makes one part of a block: the same as if the block were made from that part alone.

    `making` are the parts of the whole, `own` the digests of the rows that go into this one; of a source its file's.
    """
    parts = {name: text for name, text in making.items() if name != "each" and not name.startswith("file ")}
    if not whole.inputs:
        return parts | {"file": own[0]}
    return parts | {f"input {name}": digest for name, digest in zip(each_roles(whole), own, strict=True)}


DIVISION_VERSION = 1  # raised when the same tables would be divided in another way


def division_key(each: Each, digests: Sequence[str]) -> str:
    """Of the fact which parts there are of tables."""
    return key_of({"parts": str(each), "of": " ".join(digests), "version": str(DIVISION_VERSION)})


# --- facts ----------------------------------------------------------------------------------------------------


def fact_key(fact: Fact | Rows, digest: str, others: Mapping[str, str] | None = None) -> str:
    """Of a fact about a table, or about a service's release. `others` are the tables that it looks into, by name."""
    if isinstance(fact, Rows):
        return key_of({"rows": fact.broken, "of": digest, **{f"in {k}": v for k, v in (others or {}).items()}})
    return key_of({"function": fact.function, "column": fact.column, "of": digest})


def first_key(fact: str) -> str:
    """Under which the first of the rows that a fact counts are kept beside it."""
    return f"{fact} first"


DOUBT_VERSION = 1  # raised when a doubt would get another answer about the same tables


def doubt_key(doubt: Doubt, digests: Sequence[str]) -> str:
    """`digests` are those of the tables that it looks at; what they and the metric are called is no part."""
    asked = doubt.model_dump(exclude={"of", "measure"}, mode="json")
    return key_of({"doubt": json.dumps(asked, sort_keys=True), "of": " ".join(digests), "version": str(DOUBT_VERSION)})


def metric_key(measure: Measure, predict: Predict | None, model: str, data: str) -> str:
    return key_of(
        {
            "metric": measure.metric,
            "code": measure.code.digest if measure.code else "",
            "predict": predict_text(predict) if predict else "",
            "model": model,
            "data": data,
        }
    )
