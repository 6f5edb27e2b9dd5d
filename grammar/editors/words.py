"""The grammar's words and patterns, grouped as highlighters need them. Read from `mlspec.lark` and `kinds.py`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from ..kinds import FLAGS, KINDS, RECIPES
from ..table import GRAMMAR
from ..tokens import ALWAYS_WORDS, LINE_WORDS
from .classes import OPERATORS

TERMINAL = re.compile(r'^(_?[A-Z_]+): (?:"(.+)"|/(.+)/s?)$', re.M)


@dataclass(frozen=True, slots=True)
class Words:
    """`patterns` are those of the grammar's tokens, by their names. `always`: words that may name nothing, not even
    an argument. `lines`: words that begin a line of a body. `recipes` are those that stand after `by`."""

    patterns: dict[str, str]
    kinds: tuple[str, ...]
    keywords: tuple[str, ...]
    lines: tuple[str, ...]
    booleans: tuple[str, ...]
    always: tuple[str, ...]
    recipes: tuple[str, ...]
    flags: tuple[str, ...]
    operators: tuple[str, ...]
    punctuation: tuple[str, ...]

    @property
    def all(self) -> tuple[str, ...]:
        return (*self.kinds, *self.keywords, *self.booleans)


@cache
def words() -> Words:
    terminals = TERMINAL.findall(GRAMMAR.read_text(encoding="utf-8"))
    literals = {name: literal for name, literal, _ in terminals if literal}
    plain = {name: literal for name, literal in literals.items() if literal.isalpha()}
    booleans = (plain["TRUE"], plain["FALSE"])
    return Words(
        patterns={name: pattern for name, _, pattern in terminals if pattern},
        kinds=tuple(KINDS),
        keywords=tuple(word for word in plain.values() if word not in KINDS and word not in booleans),
        lines=_of(plain, LINE_WORDS),
        booleans=booleans,
        always=_of(plain, ALWAYS_WORDS),
        recipes=tuple(word for word, recipe in RECIPES.items() if not recipe.source),
        flags=tuple(FLAGS),
        operators=_of(literals, OPERATORS),
        punctuation=_of(literals, literals.keys() - plain.keys() - OPERATORS),
    )


def _of(literals: dict[str, str], names: Iterable[str]) -> tuple[str, ...]:
    wanted = set(names)
    return tuple(literal for name, literal in literals.items() if name in wanted)


def any_of(literals: Iterable[str]) -> str:
    """A pattern for these, the long before the short; the parentheses are the caller's."""
    return "|".join(re.escape(literal) for literal in sorted(literals, key=lambda one: (-len(one), one)))
