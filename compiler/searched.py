"""`name in set` -> the values that a search may take for an argument."""

from __future__ import annotations

from collections.abc import Iterator

from ..grammar import tree
from ..grammar.diagnostic import Fix, nearest
from ..grammar.kinds import SET_FUNCTIONS
from ..grammar.source import Span
from . import values
from .program import Among, Value
from .scope import Scope


def is_numbers(choices: tree.Expression) -> bool:
    """Whether it is a range: `3..9` or `log(0.01..0.3)`."""
    return isinstance(choices, tree.Range | tree.Call)


def among(line: tree.Among, scope: Scope) -> Among | None:
    """None when a mistake has been told."""
    match line.choices:
        case tree.Choice():
            return _of_values(line, line.choices, scope)
        case tree.Range():
            return _of_range(line, line.choices, scope)
        case tree.Call():
            return _of_call(line, line.choices, scope)
        case tree.Items(items) if items and not any(isinstance(item, tree.Items) for item in items):
            right = " | ".join(scope.written(item.span) for item in items)
            _no_set(
                line, "a list is one value", f"write {line.name} in {right}", scope, fix=Fix(line.choices.span, right)
            )
            return None
        case _:
            written = scope.written(line.choices.span)
            start = line.name_span.end
            fix = Fix(Span(line.span.path, start, line.choices.span.start), " = ")
            _no_set(line, "it is one value", f"write {line.name} = {written}", scope, fix=fix)
            return None


def _no_set(
    line: tree.Among, why: str, help_: str, scope: Scope, span: Span | None = None, fix: Fix | None = None
) -> None:
    scope.tell("E803", span or line.choices.span, {"name": line.name, "why": why}, help=help_, fix=fix)


# --- values that are written out ----------------------------------------------------------------------------------


def _of_values(line: tree.Among, choice: tree.Choice, scope: Scope) -> Among | None:
    told = len(scope.told)
    found: list[Value] = []
    for option in choice.options:
        if isinstance(option, tree.Range | tree.Call):
            _no_set(line, "a range stands among single values", "write one range, or single values", scope, option.span)
            continue
        value = _value(option, line, scope)
        if value is not None and any(value == one and type(value) is type(one) for one in found):
            written = scope.written(option.span)
            _no_set(line, f"{written} stands twice", f"write {written} once", scope, option.span)
        elif value is not None:
            found.append(value)
    return Among(name=line.name, values=tuple(found)) if len(scope.told) == told else None


def _value(written: tree.Expression, line: tree.Among, scope: Scope) -> Value:
    value = values.read(written, scope.params, scope.told)
    if isinstance(value, values.ColumnValue):
        _no_set(line, "a column is no value to try", f"give it by =: {line.name} = .{value.name}", scope, written.span)
        return None
    return values.plain(value)


# --- ranges -------------------------------------------------------------------------------------------------------


def _of_call(line: tree.Among, call: tree.Call, scope: Scope) -> Among | None:
    if call.function not in SET_FUNCTIONS:
        close = nearest(call.function, SET_FUNCTIONS)
        help_ = f"did you mean {close}?" if close else "a range may be in log, as in log(0.01..0.3)"
        fix = Fix(call.name_span, close) if close else None
        _no_set(line, f"there is no {call.function}", help_, scope, call.name_span, fix)
        return None
    if len(call.arguments) != 1 or not isinstance(call.arguments[0], tree.Range):
        _no_set(line, "log is of one range", "as in log(0.01..0.3)", scope)
        return None
    return _of_range(line, call.arguments[0], scope, log=True)


def _of_range(line: tree.Among, written: tree.Range, scope: Scope, *, log: bool = False) -> Among | None:
    if written.low is None or written.high is None:
        missing = "lower" if written.low is None else "upper"
        _no_set(line, f"it has no {missing} end", "a range to search has both ends, as in 3..9", scope)
        return None
    low = _end(written.low, line, scope)
    high = _end(written.high, line, scope) if low is not None else None
    if low is None or high is None:
        return None
    ends = [scope.written(end.span) for end in (written.low, written.high)]
    for why, help_ in _wrong_ends(line.name, low, high, log, *ends):
        _no_set(line, why, help_, scope)
        return None
    whole = isinstance(low, int) and isinstance(high, int)
    return Among(name=line.name, low=low, high=high, whole=whole, log=log)


def _end(written: tree.Expression, line: tree.Among, scope: Scope) -> int | float | None:
    value = values.read(written, scope.params, scope.told)
    if value is None or (isinstance(value, int | float) and not isinstance(value, bool)):
        return value
    help_ = f"write the values, as in {scope.written(written.span)} | …"
    _no_set(line, "a range is of numbers", help_, scope, written.span)
    return None


def _wrong_ends(name: str, low: float, high: float, log: bool, first: str, last: str) -> Iterator[tuple[str, str]]:
    if low > high:
        yield "it goes down", f"write the lower end first: {last}..{first}"
    elif low == high:
        yield "it holds one value", f"write {name} = {first}"
    elif log and low <= 0:
        yield "a range in log begins above 0", "as in log(0.001..1), or take the log away"
