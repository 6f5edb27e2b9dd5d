"""A value that an argument does not take -> what was meant by it, where that can be told: the way out, and the fix."""

from __future__ import annotations

import json
import re
from dataclasses import replace

from ..grammar import tree
from ..grammar.diagnostic import Diagnostic, Fix, nearest
from ..grammar.kinds import UNITS, Argument, Takes
from .types import Type

Way = tuple[str, Fix | None]

NUMBER = re.compile(r"-?\d[\d_]*(?:\.\d+)?(?P<unit>%|[A-Za-z]*)")
MOMENT = re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d)?)?")
EXAMPLES = {"date": "a date is written 2015-01-01", "timestamp": "a timestamp is written 2015-01-01T12:30"}
TRUTHS = {"true": "true", "yes": "true", "on": "true", "false": "false", "no": "false", "off": "false"}
UNIT_OF = {"size": "GiB", "time": "m", "share": "%"}


def dotted(name: str) -> str:
    return f".{name}" if name.isidentifier() else f".{json.dumps(name, ensure_ascii=False)}"


def unquoted(one: Diagnostic, argument: Argument | None) -> Diagnostic:
    """A plain word stands where a value should, and names no param."""
    word = str(one.facts.get("name", ""))
    if (
        one.code != "E106"
        or one.fix is not None
        or argument is None
        or one.help.startswith(("did you mean", "there is"))
    ):
        return one
    match argument.takes:
        case "column" | "columns" if word.isidentifier():
            return replace(one, help=f"a column is written {dotted(word)}", fix=Fix(one.span, dotted(word)))
        case "text" | "texts":
            return replace(one, fix=Fix(one.span, f'"{word}"'))
        case "bool" if word.lower() in TRUTHS:
            right = TRUTHS[word.lower()]
            return replace(one, help=f"write {right}", fix=Fix(one.span, right))
    return one


def instead(written: tree.Expression, argument: Argument) -> Way:
    """A value of another kind stands there than the argument takes."""
    match written:
        case tree.Text():
            right = _of_text(written.value, argument)
        case tree.Items() if argument.takes == "columns":
            names = [item.value for item in written.items if isinstance(item, tree.Text)]
            right = "[" + ", ".join(map(dotted, names)) + "]" if names and len(names) == len(written.items) else ""
        case tree.Number() | tree.Truth():
            return _of_plain(written, argument)
        case _:
            right = ""
    return (f"write {right}", Fix(written.span, right)) if right else (argument.doc, None)


def for_type(written: tree.Expression, type_: Type) -> Way:
    """A value of another type stands there."""
    if isinstance(written, tree.Date):
        right = (
            f'"{written.value}"'
            if type_.base == "text"
            else written.value.partition("T")[0]
            if type_.base == "date"
            else ""
        )
        return (f"write {right}", Fix(written.span, right)) if right else ("", None)
    if type_.base in ("date", "timestamp"):
        right = (
            written.value.replace(" ", "T")
            if isinstance(written, tree.Text) and MOMENT.fullmatch(written.value)
            else ""
        )
        return (f"write {right}", Fix(written.span, right)) if right else (EXAMPLES[type_.base], None)
    takes: dict[str, Takes] = {"int": "int", "float": "float", "bool": "bool", "text": "text"}
    if type_.base not in takes:
        return "", None
    return instead(written, Argument("", takes[type_.base], "", choices=type_.values))


def _of_text(text: str, argument: Argument) -> str:
    if argument.choices:
        close = nearest(text, argument.choices)
        return f'"{close}"' if close else ""
    match argument.takes:
        case "column" | "columns":
            return dotted(text)
        case "bool":
            return TRUTHS.get(text.lower(), "")
    if argument.takes == "cut" and MOMENT.fullmatch(text):
        return text.replace(" ", "T")
    number = NUMBER.fullmatch(text)
    if number is None:
        return ""
    unit = UNITS.get(number["unit"])
    wanted = {"int": ("",), "float": ("",), "count": ("",), "cut": ("", "share")}.get(argument.takes, (argument.takes,))
    known = unit is not None or not number["unit"]
    return text if known and (unit.dimension if unit else "") in wanted else ""


def _of_plain(written: tree.Number | tree.Truth, argument: Argument) -> Way:
    if isinstance(written, tree.Truth):
        return argument.doc, None
    if isinstance(written.value, int) and not written.unit and argument.least is not None:
        return "", None  # of the right kind, and too small or too large
    value = f"{written.value}{written.unit}"
    if argument.takes in ("text", "texts") and not argument.choices:
        return f'write "{value}"', Fix(written.span, f'"{value}"')
    if argument.takes == "bool" and value in ("0", "1"):
        right = "true" if value == "1" else "false"
        return f"write {right}", Fix(written.span, right)
    if argument.takes == "share" and not written.unit and 0 < written.value < 1:
        right = f"{written.value * 100:g}%"
        return f"write {right}", Fix(written.span, right)
    if argument.takes in UNIT_OF and not written.unit:
        return f"say the unit, as in {value}{UNIT_OF[argument.takes]}", None
    return argument.doc, None
