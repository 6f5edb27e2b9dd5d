"""Tokens -> the node that they make, or the token that did not fit.

Drives lark's LALR tables with a loop of its own: an order of magnitude faster than the general driver, and an error
is a value, not an exception. Methods of `build.Build`, named as the grammar's rules, make the nodes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from lark import Lark
from lark.lexer import Lexer
from lark.parsers.lalr_analysis import Shift

from .tokens import Token, Words, words_from

GRAMMAR = Path(__file__).with_name("mlspec.lark")

Make = Callable[[list[Any]], Any]


@dataclass(frozen=True, slots=True)
class Rule:
    """How many values it takes and where it goes. `places` are those of its values that its node is made of: the
    number of one, whether it is a list to be poured in, and -1 for what was left out."""

    size: int
    origin: str
    name: str
    places: tuple[tuple[int, bool], ...]
    passes: bool  # one value, handed on as it is
    number: int


@dataclass(frozen=True, slots=True)
class Table:
    """For each state, what a token does there: an int is the state that follows, a rule is to be made first."""

    words: Words
    states: dict[int, dict[str, Any]]
    rules: tuple[Rule, ...]
    starts: dict[str, int]
    ends: dict[str, int]
    skips: dict[tuple[int, str, str], int]  # what a chain of rules that only hand on comes to; filled as it is met


@dataclass(frozen=True, slots=True)
class Failure:
    """The token that did not fit, by its number (that of the end is one more than the last), and what would have."""

    index: int
    token: Token
    expected: frozenset[str]


class _NoLexer(Lexer):
    """Tokens come from `tokens.py`; lark only makes the tables."""

    def __init__(self, conf: object) -> None: ...

    def lex(self, lexer_state: object, parser_state: object) -> Any: ...


@cache
def table() -> Table:
    lark = Lark(
        GRAMMAR.read_text(encoding="utf-8"),
        parser="lalr",
        lexer=_NoLexer,
        strict=True,
        start=["statement", "line"],
        maybe_placeholders=True,
    )
    made = lark.parser.parser._parse_table
    rules: dict[Any, Rule] = {}
    states: dict[int, dict[str, Any]] = {}
    for state, row in made.states.items():
        states[state] = {
            kind: argument if action is Shift else rules.setdefault(argument, _rule(argument, len(rules)))
            for kind, (action, argument) in row.items()
        }
    terminals = [(t.name, t.pattern.value, t.pattern.type == "re") for t in lark.terminals]
    return Table(words_from(terminals), states, tuple(rules.values()), made.start_states, made.end_states, {})


def _rule(rule: Any, number: int) -> Rule:
    places: list[tuple[int, bool]] = []
    left_out = list(rule.options.empty_indices)
    for index, symbol in enumerate(rule.expansion):
        places += [(-1, False)] * _leading(left_out)
        if not (symbol.is_term and symbol.filter_out):
            places.append((index, not symbol.is_term and symbol.name.startswith("_")))
    places += [(-1, False)] * _leading(left_out)
    passes = rule.options.expand1 and not rule.alias and len(rule.expansion) == 1 and len(places) == 1
    return Rule(len(rule.expansion), rule.origin.name, rule.alias or rule.origin.name, tuple(places), passes, number)


def _leading(left_out: list[bool]) -> int:
    """How many forms were left out before the next symbol; takes them, and the mark of the symbol, off the list."""
    count = 0
    while left_out and left_out.pop(0):
        count += 1
    return count


def makers(build: object) -> list[Make]:
    """For each rule, by its number, what makes a node of its values."""
    return [_maker(rule, build) for rule in table().rules]


def _maker(rule: Rule, build: object) -> Make:
    if rule.passes:
        return lambda values: values[0]
    if rule.name.startswith("_"):
        return _gatherer(rule)
    method: Callable[..., Any] = getattr(build, rule.name)
    if rule.places == tuple((index, False) for index in range(rule.size)):
        return lambda values: method(*values)
    return lambda values: method(*_chosen(values, rule.places))


def _gatherer(rule: Rule) -> Make:
    """A list that grows from the left is the same list throughout, or a long one would take quadratic time."""
    (first, grows), *others = rule.places

    def gather(values: list[Any]) -> list[Any]:
        gathered: list[Any] = values[first] if grows else [values[first]]
        gathered += [values[index] for index, _ in others]
        return gathered

    return gather


def _chosen(values: list[Any], places: Iterable[tuple[int, bool]]) -> list[Any]:
    chosen: list[Any] = []
    for index, pours in places:
        if pours:
            chosen += values[index]
        else:
            chosen.append(None if index < 0 else values[index])
    return chosen


def run(tokens: Sequence[Token], start: str, make: Sequence[Make]) -> Any:
    """The node that the tokens make, or a Failure."""
    made = table()
    states, skips, end_state = made.states, made.skips, made.ends[start]
    stack = [made.starts[start]]
    values: list[Any] = []
    for index, token in enumerate((*tokens, _end(tokens))):
        kind = token[0]
        while True:
            action = states[stack[-1]].get(kind)
            if action.__class__ is int:
                stack.append(action)
                values.append(token)
                break
            if action is None:
                return Failure(index, token, _expected(tokens[:index], start))
            if action.passes:
                below = stack[-2]
                state = skips.get((below, action.origin, kind))
                stack[-1] = _skip(below, action, kind) if state is None else state
            else:
                size = action.size
                node = make[action.number](values[-size:])
                del stack[-size:], values[-size:]
                values.append(node)
                stack.append(states[stack[-1]][action.origin])
            if kind == "$END" and stack[-1] == end_state:
                return values[-1]
    raise AssertionError("the end token is always shifted or refused")


def _end(tokens: Sequence[Token]) -> Token:
    position = tokens[-1].end if tokens else 0
    return Token("$END", "", position, position)


def _skip(below: int, rule: Rule, kind: str) -> int:
    made = table()
    action: Any = rule
    state = below
    while isinstance(action, Rule) and action.passes:
        state = made.states[below][action.origin]
        action = made.states[state].get(kind)
    made.skips[below, rule.origin, kind] = state
    return state


def _expected(read: Sequence[Token], start: str) -> frozenset[str]:
    """What may follow these tokens. The tables alone say too much: a token may lead to a rule and fail after it."""
    made = table()
    stack = [made.starts[start]]
    for token in read:
        _feed(stack, token.kind)
    candidates = [kind for kind in made.states[stack[-1]] if not kind.islower()]
    return frozenset(kind for kind in candidates if _feed(list(stack), kind, made.ends[start]))


def _feed(stack: list[int], kind: str, end_state: int = -1) -> bool:
    states = table().states
    while True:
        action = states[stack[-1]].get(kind)
        if action is None:
            return False
        if isinstance(action, int):
            stack.append(action)
            return True
        del stack[-action.size :]
        stack.append(states[stack[-1]][action.origin])
        if kind == "$END" and stack[-1] == end_state:
            return True


def reach(tokens: Sequence[Token], start: str) -> int:
    """The number of the first token that does not fit, that of the end among them; one more if all do."""
    made = table()
    stack = [made.starts[start]]
    for index, token in enumerate((*tokens, _end(tokens))):
        if not _feed(stack, token.kind, made.ends[start]):
            return index
    return len(tokens) + 1
