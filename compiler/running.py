"""How and when a block is run: its `needs` and `every` lines -> fields of its node. A line like these is a row more."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from zoneinfo import available_timezones

from ..grammar import tree
from ..grammar.diagnostic import Fix, nearest
from ..grammar.kinds import LINES, Argument
from . import arguments, meant, values
from .program import Needs, Schedule
from .scope import Scope

WEEKDAYS = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
PERIODS = ("hour", "day", "week", "month", *WEEKDAYS)
LEAST = 60.0  # seconds; what is wanted more often is a service, not a batch


def read(block: tree.Block, scope: Scope) -> dict[str, object]:
    """By the names of Node's fields."""
    return {field: reader(block, scope) for field, reader in READERS.items()}


# --- needs --------------------------------------------------------------------------------------------------------


def needs(block: tree.Block, scope: Scope) -> Needs:
    options = {option.name: option for option in LINES["needs"].options}
    found: dict[str, object] = {}
    for line in block.lines:
        if isinstance(line, tree.Needs):
            for pair in line.options:
                _need(pair, options, found, scope)
    return Needs.model_validate(found)


def _need(pair: tree.Pair, options: Mapping[str, Argument], found: dict[str, object], scope: Scope) -> None:
    option = options.get(pair.name)
    if option is None:
        arguments.unknown(pair.name, pair.name_span, options, "needs", scope)
        return
    if pair.name in found:
        scope.tell("E207", pair.name_span, {"name": pair.name}, help="take one of the two away")
        return
    value = values.read(pair.value, scope.params, scope.told)
    if value is None:
        return
    if not values.fits(value, pair.value, option):
        facts = {"name": pair.name, "wanted": values.wanted(option), "found": scope.written(pair.value.span)}
        help_, fix = meant.instead(pair.value, option)
        scope.tell("E206", pair.value.span, facts, help=help_, fix=fix)
        return
    found[pair.name] = value


# --- every --------------------------------------------------------------------------------------------------------


def every(block: tree.Block, scope: Scope) -> Schedule | None:
    lines = [line for line in block.lines if isinstance(line, tree.Every)]
    for line in lines[1:]:
        scope.tell("E207", line.span, {"name": "every"}, help="take one of the two away")
    return _schedule(lines[0], scope) if lines else None


def _schedule(line: tree.Every, scope: Scope) -> Schedule | None:
    zone = _zone(line, scope)
    text = " ".join(scope.written(line.span).split())
    match line.period:
        case tree.Number():
            seconds = values.quantity(line.period, scope.told)
            if seconds is None:
                return None
            if line.at or values.dimension(line.period) != "time" or seconds < LEAST:
                _refused(line, scope, "a time of one minute or more, as in every 6h")
                return None
            return Schedule(text=text, seconds=float(seconds), zone=zone)
        case tree.Text():
            if line.at or not _is_cron(line.period.value):
                _refused(line, scope, 'five fields, as in every "0 2 * * *"')
                return None
            return Schedule(text=text, cron=line.period.value, zone=zone)
        case tree.Reference():
            return _of_word(line, line.period, text, zone, scope)


def _of_word(line: tree.Every, word: tree.Reference, text: str, zone: str, scope: Scope) -> Schedule | None:
    period = str(word)
    if period not in PERIODS:
        close = nearest(period, PERIODS)
        help_ = f"did you mean {close}?" if close else "hour, day, week, month, a weekday, a time as 6h, or a cron line"
        scope.tell("E221", word.span, {"found": period}, help=help_, fix=Fix(word.span, close) if close else None)
        return None
    hour, _, minute = (line.at or "0:00").partition(":")
    if int(hour) > 23 or int(minute) > 59 or (period == "hour" and line.at):
        _refused(line, scope, "a time of the day, as in every day at 02:00")
        return None
    clock = f"{int(minute)} {int(hour)}"
    days = {"hour": "0 * * * *", "day": f"{clock} * * *", "week": f"{clock} * * 1", "month": f"{clock} 1 * *"}
    cron = days.get(period) or f"{clock} * * {WEEKDAYS.index(period)}"
    return Schedule(text=text, cron=cron, zone=zone)


def _refused(line: tree.Every, scope: Scope, wanted: str) -> None:
    scope.tell(
        "E221", line.span, {"found": scope.written(line.span).removeprefix("every").strip()}, help=f"write {wanted}"
    )


def _zone(line: tree.Every, scope: Scope) -> str:
    if line.zone is None:
        return "UTC"
    if line.zone.value not in available_timezones():
        close = nearest(line.zone.value, available_timezones())
        help_ = f'did you mean "{close}"?' if close else 'as in "Europe/Zurich"'
        fix = Fix(line.zone.span, f'"{close}"') if close else None
        scope.tell("E222", line.zone.span, {"zone": line.zone.value}, help=help_, fix=fix)
        return "UTC"
    return line.zone.value


def _is_cron(text: str) -> bool:
    from cronsim import CronSim, CronSimError  # only who writes a cron line pays for it

    try:
        CronSim(text, datetime(2001, 1, 1, tzinfo=UTC))
    except CronSimError:
        return False
    return len(text.split()) == 5


READERS: dict[str, Callable[[tree.Block, Scope], object]] = {"needs": needs, "every": every}
