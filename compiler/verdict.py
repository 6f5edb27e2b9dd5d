"""A condition and the facts that it asks for -> its verdict, with what a person is shown of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .moments import computed, moment
from .program import Expect, Expression, Fact, Literal_, Operation, Rows, Within

COMPARISONS = ("<", "<=", ">", ">=", "==", "!=")


class NoLast(Exception):
    """The condition asks about `last`, and there is no other accepted artifact: then it holds."""


class NotKnown(Exception):
    """A fact that has yet to be found out."""


Answer = Callable[[Fact | Rows], Any]
First = Callable[[Rows], Sequence[Mapping[str, Any]]]  # the first rows that break it: their number and their values
ROW = "the row"  # under which such a row has its number: no name of the language holds a space


@dataclass(frozen=True, slots=True)
class Verdict:
    """`shown` is what stands under a condition that does not hold: its values, and by how much it fell short."""

    expect: Expect
    holds: bool
    shown: str


def facts_in(expression: Expression) -> Iterator[Fact | Rows]:
    match expression:
        case Fact() | Rows():
            yield expression
        case Operation(operands=operands):
            for operand in operands:
                yield from facts_in(operand)
        case Within(value=value, low=low, high=high):
            for part in (value, low, high):
                if part is not None:
                    yield from facts_in(part)
        case _:
            pass


def judge(expect: Expect, answer: Answer, first: First = lambda rows: ()) -> Verdict:
    """`answer` gives the value of a fact; it raises NoLast or NotKnown where there is none."""
    try:
        holds = bool(evaluate(expect.condition, answer))
    except NoLast:
        return Verdict(expect, True, "there is no other version to hold it against")
    return Verdict(expect, holds, _shown(expect.condition, answer, first))


def evaluate(expression: Expression, answer: Answer) -> Any:
    match expression:
        case Literal_(value=value):
            return value
        case Fact() | Rows():
            return answer(expression)
        case Within(value=value, low=low, high=high):
            found = evaluate(value, answer)
            ends = ((">=", low), ("<=", high))
            return _all(_compare(sign, found, evaluate(end, answer)) for sign, end in ends if end is not None)
        case Operation(operator="else", operands=(left, right)):
            try:
                found = evaluate(left, answer)
            except NoLast:
                found = None
            return evaluate(right, answer) if found is None else found
        case Operation(operator=operator, operands=operands):
            return _operate(operator, operands, answer)
    raise AssertionError("every form of an expression is named above")


def _operate(operator: str, operands: tuple[Expression, ...], answer: Answer) -> Any:
    if operator == "and":
        return _all(evaluate(operand, answer) for operand in operands)
    if operator == "or":
        return _not(_all(_not(evaluate(operand, answer)) for operand in operands))
    found = [evaluate(operand, answer) for operand in operands]
    if operator == "not":
        return _not(found[0])
    if operator in COMPARISONS:
        return _compare(operator, found[0], found[1])
    if None in found:
        return None
    try:
        return _arithmetic(operator, found)
    except (TypeError, OverflowError):  # a column of unknown type that turns out to be no number
        return None


def _all(truths: Iterable[bool | None]) -> bool | None:
    """None, for neither, where something in it has nothing to compare and no other decides."""
    unknown = False
    for one in truths:
        if one is False:
            return False
        unknown |= one is None
    return None if unknown else True


def _not(truth: bool | None) -> bool | None:
    """What has nothing to compare does not hold, and neither does its opposite."""
    return None if truth is None else not truth


def _arithmetic(operator: str, found: list[Any]) -> Any:
    if any(isinstance(value, str) for value in found):
        return computed(operator, found[0], found[-1])
    match operator:
        case "neg":
            return -found[0]
        case "+":
            return found[0] + found[1]
        case "-":
            return found[0] - found[1]
        case "*":
            return found[0] * found[1]
        case "/":
            return found[0] / found[1] if found[1] else None
    raise AssertionError(f"no operator {operator}")


def _compare(operator: str, left: Any, right: Any) -> bool | None:
    """None where there is nothing to compare, as with the mean of no rows or a metric that is no number."""
    if left is None or right is None or left != left or right != right:  # NaN is not even itself
        return None
    moments = moment(left), moment(right)  # ISO texts of different precision are one moment
    if None not in moments:
        left, right = moments
    if operator == "==":
        return bool(left == right)
    if operator == "!=":
        return bool(left != right)
    try:
        return _ordered(operator, left, right)
    except TypeError:  # a column of unknown type: a date has no order with a number
        return None


def _ordered(operator: str, left: Any, right: Any) -> bool:
    match operator:
        case "<":
            return bool(left < right)
        case "<=":
            return bool(left <= right)
        case ">":
            return bool(left > right)
    return bool(left >= right)


def _shown(expression: Expression, answer: Answer, first: First) -> str:
    match expression:
        case Operation(operator="==", operands=(Rows() as rows, _)):
            return _shown_rows(answer(rows), first(rows))
        case Operation(operator=operator, operands=(left, right)) if operator in COMPARISONS:
            return _shown_comparison(operator, left, right, answer)
        case Within(value=value, low=low, high=high):
            ends = [show(evaluate(end, answer)) if end is not None else "" for end in (low, high)]
            return f"{show(evaluate(value, answer))} needs to lie in {ends[0]}..{ends[1]}"
        case Operation(operator="and" | "or", operands=operands):
            return _shown_deciding(bool(evaluate(expression, answer)), operands, answer, first)
        case Operation(operator="not", operands=(inner,)):
            return _shown(inner, answer, first)
        case Fact(function="unique", column=column):
            return f"{column} {'has no repeated value' if answer(expression) else 'has repeated values'}"
    return ""


def _shown_deciding(whole: bool, operands: Sequence[Expression], answer: Answer, first: First) -> str:
    """Of the sides of an `and` or `or` those by which it holds or does not: the others say nothing of it."""
    told = []
    for operand in operands:
        try:
            if bool(evaluate(operand, answer)) == whole:
                told.append(_shown(operand, answer, first))
        except (NoLast, NotKnown):  # a side that nobody had to look at
            continue
    return "; ".join(filter(None, told))


def _shown_rows(count: int, first: Sequence[Mapping[str, Any]]) -> str:
    if not count:
        return "no row breaks it"
    rows = [
        f"row {show(row[ROW])} ({', '.join(f'{name} {_short(value)}' for name, value in row.items() if name != ROW)})"
        for row in first
    ]
    more = ", …" if first and count > len(first) else ""
    told = f": {', '.join(rows)}{more}" if rows else ""
    return f"{count:,} row{'s' * (count != 1)} break{'s' * (count == 1)} it{told}"


def _short(value: Any) -> str:
    text = f"{value:.6g}" if isinstance(value, float) else "missing" if value is None else str(value)
    return text if len(text) <= 40 else text[:39] + "…"


def _shown_comparison(operator: str, left: Expression, right: Expression, answer: Answer) -> str:
    found, needed = evaluate(left, answer), evaluate(right, answer)
    text = f"{show(found)} needs {'' if operator in ('>=', '<=') else operator + ' '}{_literal_text(right) or show(needed)}"
    numbers = all(isinstance(v, int | float) and not isinstance(v, bool) for v in (found, needed))
    if numbers and _compare(operator, found, needed) is False:
        if found == needed and operator in (">", "<"):
            text += f", and is no {'more' if operator == '>' else 'less'}"
        elif operator in (">", ">="):
            text += f", short by {show(needed - found)}"
        elif operator in ("<", "<="):
            text += f", over by {show(found - needed)}"
    return text


def _literal_text(expression: Expression) -> str:
    return expression.text if isinstance(expression, Literal_) else ""


def show(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:.4f}" if 0.001 <= abs(value) < 10_000 or value == 0 else f"{value:.4g}"
    return str(value)
