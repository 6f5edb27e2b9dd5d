"""A plan -> the text that people read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from ..compiler.actions import Accept, Action, Judge, Make, Plan, Refuse, Retire, Reuse, Serve, Wait
from . import words

Paint = Callable[[str, str], str]

SIGNS = {"make": ("+", "green"), "judge": ("?", "blue"), "accept": (">", "green"), "refuse": ("!", "red"),
         "serve": (">", "green"), "wait": ("!", "yellow"), "retire": ("-", "red"), "reuse": ("=", "grey")}  # fmt: skip
DOING = {"make": "to make", "judge": "to judge", "accept": "to accept", "refuse": "refused", "serve": "to serve",
         "wait": "waiting", "retire": "to retire", "reuse": "unchanged"}  # fmt: skip


def text(plan: Plan, paint: Paint) -> str:
    shown = [action for action in plan.actions if not isinstance(action, Reuse) or action.note]
    if not plan.actions:
        return f"Nothing to be made: {plan.spec} has no blocks."
    if not shown:
        return f"Nothing to be made: {_all(plan)} as {plan.spec} says."
    lines = [paint(f"{plan.spec} on {plan.runtime}", "bold"), ""]
    width = max(len(_title(action)) for action in shown)
    for action in shown:
        lines += _lines(action, width, paint)
    return "\n".join([*lines, "", summary(plan)])


def _all(plan: Plan) -> str:
    names = [name for action in plan.actions for name in action.names]
    return f"{names[0]} is" if len(names) == 1 else f"all {len(names)} are"


def summary(plan: Plan) -> str:
    counts: Counter[str] = Counter(action.action for action in plan.actions)
    return ", ".join(f"{counts[verb]} {DOING[verb]}" for verb in DOING if counts[verb]) + "."


def _title(action: Action) -> str:
    return ", ".join(action.names)


def _lines(action: Action, width: int, paint: Paint) -> list[str]:
    sign, tint = SIGNS[action.action]
    if isinstance(action, Make) and action.reason != ("new",):
        sign, tint = "~", "yellow"
    reason = _reason(action)
    last = f"  ({words.duration(action.seconds)} last time)" if action.seconds and isinstance(action, Make) else ""
    head = f"  {paint(sign, tint)} {action.action:7} {_title(action):{width}}  {action.kind:8}"
    first, *more = reason or [""]
    margin = " " * (width + 23)
    return [f"{head}{first}{paint(last, 'grey')}".rstrip(), *(margin + line for line in more)]


def _reason(action: Action) -> list[str]:
    match action:
        case Refuse(judged=judged, keeps=keeps):
            broken = [line for one in judged if not one.holds for line in (f"expect {one.text}", f"  {one.shown}")]
            return [*broken, "its name stays, it was accepted before"] if keeps else broken
        case Wait(reason=reason, help=help_):
            return [*reason, *([f"help: {help_}"] if help_ else [])]
        case Reuse(note=note):
            return [note]
        case Make() | Judge() | Accept() | Serve() | Retire():
            return list(action.reason)
