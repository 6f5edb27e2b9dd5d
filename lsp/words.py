"""How values are written for people, and what the small words of the language mean."""

from __future__ import annotations

from typing import Any

from ..compiler.values import WORDS as TAKES

__all__ = ["TAKES", "WORDS", "number", "value"]

WORDS = {
    "from": "**from** What it is made from: other artifacts, or a source and a quoted place.",
    "by": "**by** How it is made: a recipe, or a model.",
    "last": "**last** What the name points at now: the last artifact that met its expectations.",
    "param": "**param** A value that can be given from outside: by an `env`, or by who uses this spec.",
    "secret": "**secret** Read where a step runs; kept in no plan, log or key.",
    "use": '**use** Another spec\'s names under a name of yours: `use "eu.mlspec" as eu { region = "eu" }`.',
    "env": "**env** Where it runs, and what is set otherwise there.",
    "set": "**set** Gives a param, an argument or an option another value in this environment.",
    "else": "**else** Stands in for what may be missing: `last.rmse else 1`.",
    "in": "**in** One of a set: `3..9`, `\"a\" | \"b\"`, `log(0.01..0.3)`.",
    "all": "**all** All columns but the target.",
    "except": "**except** All columns but the target and these.",
}  # fmt: skip


def number(found: float) -> str:
    if isinstance(found, int):
        return f"{found:,}"
    return f"{found:.4f}" if abs(found) < 1000 else f"{found:,.1f}"


def value(written: Any) -> str:
    if isinstance(written, bool):
        return str(written).lower()
    if isinstance(written, str):
        return f'"{written}"'
    if isinstance(written, tuple | list):
        return "[" + ", ".join(value(item) for item in written) + "]"
    return f"{written:g}" if isinstance(written, float) else str(written)
