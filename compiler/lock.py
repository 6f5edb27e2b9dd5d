"""mlspec.lock: what the sources held when their data was last accepted, a line each. Text <-> lines."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from .types import TEXT, Column, Columns, Type

FILE = "mlspec.lock"
HEAD = (
    "# What the sources held when they were last read. Written by mlspec apply, to be committed: see apply --locked.\n"
)


DECLARED, NOTHING = "declared", "nothing"  # in place of a type: the spec says it; there was no value to tell it by


@dataclass(frozen=True, slots=True)
class Pinned:
    """`files` are digests by file or address, `columns` the types that its columns turned out to have, by their names in
    the file and in its order."""

    files: Mapping[str, str] = field(default_factory=dict)
    columns: Mapping[str, str] = field(default_factory=dict)

    def type_of(self, column: str) -> str:
        """The type that values of an undeclared column had, "" where nothing is pinned."""
        found = self.columns.get(column, "").removesuffix("?")
        return "" if found in (DECLARED, NOTHING) else found

    def held(self, declared: Columns) -> Columns | None:
        """The columns that the source had, as if it were looked into; None where the declaration was another then."""
        asked = {column.origin or column.name: column for column in declared}
        said = {name for name, type_ in self.columns.items() if type_ == DECLARED}
        if said != set(asked):
            return None
        return tuple(
            Column(name=name, type=asked[name].type if name in asked else _type(written))
            for name, written in self.columns.items()
        )


def _type(written: str) -> Type:
    optional, word = written.endswith("?"), written.removesuffix("?")
    if word == NOTHING:
        return TEXT.model_copy(update={"optional": optional})
    if word.startswith("list["):
        return Type(base="list", item=_type(word[5:-1]), optional=optional)
    return Type.model_validate({"base": word, "optional": optional})


Lock = dict[tuple[str, str], Pinned]  # by (spec, name); the spec of an environment but local is `churn.mlspec@prod`


def owner(spec: str, env: str) -> str:
    return spec if env == "local" else f"{spec}@{env}"


def read(text: str | None) -> Lock:
    """Lines that cannot be read are left out: what is not pinned is pinned anew."""
    found: Lock = {}
    for line in (text or "").splitlines():
        spec, _, rest = line.partition(" ")
        name, _, body = rest.partition(" ")
        if line.startswith("#") or not body:
            continue
        try:
            held = json.loads(body)
            found[spec, name] = Pinned(dict(held["files"]), dict(held["columns"]))
        except (ValueError, KeyError, TypeError):
            continue
    return found


def written(lock: Lock) -> str:
    lines = [
        f"{spec} {name} " + json.dumps({"files": dict(one.files), "columns": dict(one.columns)}, ensure_ascii=False)
        for (spec, name), one in sorted(lock.items())
    ]
    return HEAD + "".join(line + "\n" for line in lines)
