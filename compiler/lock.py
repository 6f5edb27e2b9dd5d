"""mlspec.lock: what the sources held when their data was last accepted, a line each. Text <-> lines."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

FILE = "mlspec.lock"
HEAD = (
    "# What the sources held when they were last read. Written by mlspec apply, to be committed: see apply --locked.\n"
)


@dataclass(frozen=True, slots=True)
class Pinned:
    """`files` are digests by file or address, `columns` the types that undeclared columns turned out to have."""

    files: Mapping[str, str] = field(default_factory=dict)
    columns: Mapping[str, str] = field(default_factory=dict)


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
