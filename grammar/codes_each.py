"""The mistakes of an `each` line: E231 to E235. What a code is says `code.py`."""

from __future__ import annotations

from .code import Code

_EVENTS = 'data events from csv "a.csv"\n'


def _daily(line: str) -> str:
    return f'{_EVENTS}data daily from events by sql "select * from events" {{\n  {line}\n}}\n'


EACH = (
    Code(
        "E231",
        "{name} cannot be made part by part: {why}",
        (
            "Part by part means that a part of the rows is enough to make a part of the result. A source is read "
            "file by file, where its place is a pattern; a split, and what a service saw, take all rows at once."
        ),
        'data events from csv "a.csv" {\n  each file\n}\n',
        'data events from csv "*.csv" {\n  each file\n}\n',
    ),
    Code(
        "E232",
        "{name} is read from a source, which has no parts by .{column}",
        (
            "To find the rows of one day in a file, all of it is read. So a source is read whole, or each file of "
            "a pattern for itself; what is made from it can go by a column."
        ),
        f"{_EVENTS.rstrip()} {{\n  each .name\n}}\n",
        _daily("each .name"),
    ),
    Code(
        "E233",
        "{inputs} not read file by file",
        (
            "`each file` goes on with the parts that an input is read or made in. Which parts another input would "
            "have, nothing says; by a column it is said: each .day."
        ),
        _daily("each file"),
        _daily("each .name"),
    ),
    Code(
        "E234",
        ".{column} is {type}, which makes no parts",
        (
            "Rows with the same value are one part. Two floats are seldom the same, and a list is none; whole "
            "numbers, texts, truths, dates and times make parts."
        ),
        _daily("each .x"),
        _daily("each .id"),
    ),
    Code(
        "E235",
        "each {found} says no parts",
        "Behind each stands a column, with its dot; or the word file.",
        _daily("each name"),
        _daily("each .name"),
    ),
)
