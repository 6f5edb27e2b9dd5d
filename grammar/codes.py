"""Every mistake that mlspec tells, once: its code, its title with places for the facts, and what `explain` says.

E0 text, E1 names, E2 blocks and arguments, E3 types and columns, E4 Python, E5 SQL, E6 conditions and metrics,
E7 files, E9 not supported; W warnings. A code is never given a new meaning.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Code:
    """`title` is filled with the diagnostic's facts; `wrong` and `right` are small specs that show it."""

    id: str
    title: str
    why: str
    wrong: str = ""
    right: str = ""

    @property
    def severity(self) -> Severity:
        return "error" if self.id.startswith("E") else "warning"


_TABLE = (
    # --- text -------------------------------------------------------------------------------------------------
    Code("E001", "this file has {size}, which is more than the {limit} of a spec",
         "A spec is written by people. A file this large is most likely data; name it as a source instead."),
    Code("E002", "this is nested deeper than {limit} levels",
         "Nobody reads that. Most likely a bracket was repeated by mistake."),
    Code("E003", "this { is never closed",
         "A body ends with } . Until then every line belongs to it.",
         'data a from csv "a.csv" {\n  id: int\n', 'data a from csv "a.csv" {\n  id: int\n}\n'),
    Code("E004", "this {found} closes nothing",
         "There is one more closing bracket than there are open ones.",
         'data a from csv "a.csv" {\n  id: int\n}\n}\n', 'data a from csv "a.csv" {\n  id: int\n}\n'),
    Code("E005", "{what} is never closed",
         'Text stands between two " on one line, or between two """ over several lines.',
         'data a from csv "a.csv\n', 'data a from csv "a.csv"\n'),
    Code("E006", "{found} is not part of the language",
         "The language uses letters, digits, quotes and few signs: . , : = ; | ? + - * / < > ( ) [ ] { }.",
         "model m from a by python 'm.py:fit'\n", 'model m from a by python "m.py:fit"\n'),
    Code("E007", "{word} is a word of the language and cannot be a name here",
         "Words of the language cannot name blocks, params or uses. As an argument or a column they are free, because the = or the : tells.",
         'data data from csv "a.csv"\n', 'data customers from csv "a.csv"\n'),
    Code("E008", "{found} does not fit here; expected {wanted}",
         "The line began as one thing and went on as another. Each line of a body is one of: name: type, name = value, "
         "name in set, predict, search, measure, expect, needs, every.",
         'data a from csv "a.csv" {\n  header false\n}\n', 'data a from csv "a.csv" {\n  header = false\n}\n'),
    Code("E009", "= gives a value to an argument; a comparison is written ==",
         "`=` gives an argument its value, `==` asks whether two things are the same.",
         'data a from csv "a.csv" {\n  expect .rows = 3\n}\n', 'data a from csv "a.csv" {\n  expect .rows == 3\n}\n'),
    Code("E010", "something is missing after {after}; expected {wanted}",
         "The line ends too early. A line goes on only after a comma or an operator, and inside brackets.",
         'data a from csv "a.csv" {\n  expect .rows >=\n}\n', 'data a from csv "a.csv" {\n  expect .rows >= 1\n}\n'),
    Code("E011", "a statement cannot begin with {found}",
         "A spec is a list of statements: data, model, service, param, secret, env, use.",
         'modle m from a by python "m.py:fit"\n', 'model m from a by python "m.py:fit"\n'),
    Code("E012", "{found} means nothing in a quoted text",
         'Within quotes a backslash begins one of \\n \\t \\" \\\\.',
         'data a from csv "data\\items.csv"\n', 'data a from csv "data/items.csv"\n'),
    Code("E013", "this mlspec reads language version 1, not {found}",
         "The first line says in which version of the language the spec is written.",
         "mlspec 2\n", "mlspec 1\n"),
    # --- names ------------------------------------------------------------------------------------------------
    Code("E101", "nothing is named {name}",
         "A plain word refers to a block, a param or a word of the language.",
         'data a from csv "a.csv"\ndata b from aa by sql "select * from aa"\n',
         'data a from csv "a.csv"\ndata b from a by sql "select * from a"\n'),
    Code("E102", "{name} is already the name of something else",
         "A name stands for one artifact.",
         'data a from csv "a.csv"\ndata a from csv "b.csv"\n', 'data a from csv "a.csv"\ndata b from csv "b.csv"\n'),
    Code("E103", "{name} is made from itself: {circle}",
         "What an artifact is made from must be there before it.",
         'data a from b by sql "select * from b"\ndata b from a by sql "select * from a"\n',
         'data a from csv "a.csv"\ndata b from a by sql "select * from a"\n'),
    Code("E104", "{name} is a {kind}, and {wanted} is needed here", "Data is read, models predict, services answer."),
    Code("E105", "{name} has {number} outputs; say which one: {outputs}",
         "A block with several names makes several artifacts; each is referred to by its own name."),
)

CODES: dict[str, Code] = {code.id: code for code in _TABLE}
