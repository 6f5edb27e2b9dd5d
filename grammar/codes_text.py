"""The mistakes in a text: E0."""

from __future__ import annotations

from .code import Code

TEXT = (
    # --- text ------------------------------------------------------------------------------------------------
    Code(
        "E001",
        "this file has {size}, which is more than the {limit} of a spec",
        ("A spec is written by people. A file this large is most likely data; name it as a source instead."),
        "",
        "",
    ),
    Code(
        "E002",
        "this value has more than {limit} levels of brackets and operators",
        (
            "Nobody reads that. Most likely a sign was repeated by mistake; if not, write several lines, or "
            "compute it in SQL."
        ),
        'data a from csv "a.csv" {\n  expect .rows > ' + "(" * 101 + "1" + ")" * 101 + "\n}\n",
        ('data a from csv "a.csv" {\n  expect .rows > 1\n}\n'),
    ),
    Code(
        "E003",
        "this {found} is never closed",
        "A body ends with }, and what is opened within a line ends in it, with ) or ].",
        ('data a from csv "a.csv" {\n  id: int\n'),
        ('data a from csv "a.csv" {\n  id: int\n}\n'),
    ),
    Code(
        "E004",
        "this {found} closes {what}",
        "There is one closing bracket more than there are open ones, or it stands before the last line of its body.",
        ('data a from csv "a.csv" {\n  id: int\n}\n}\n'),
        ('data a from csv "a.csv" {\n  id: int\n}\n'),
    ),
    Code(
        "E005",
        "{what} is never closed",
        'Text stands between two " on one line, or between two """ over several lines.',
        'data a from csv "a.csv\n',
        'data a from csv "a.csv"\n',
    ),
    Code(
        "E006",
        "{found} is not part of the language",
        "The language uses letters, digits, quotes and few signs: . , : = ; | ? + - * / < > ( ) [ ] { }.",
        "data a from csv 'a.csv'\n",
        'data a from csv "a.csv"\n',
    ),
    Code(
        "E007",
        "{word} is a word of the language and cannot be a name here",
        (
            "Words of the language cannot name blocks, params or uses. As an argument or a column they are "
            "free, because the = or the : tells."
        ),
        'data data from csv "a.csv"\n',
        'data customers from csv "a.csv"\n',
    ),
    Code(
        "E008",
        "{found} does not fit here; expected {wanted}",
        (
            "The line began as one thing and went on as another. Each line of a body is one of: name: type, "
            "name = value, name in set, predict, search, measure, expect, needs, every."
        ),
        ('data a from csv "a.csv" {\n  header false\n}\n'),
        ('data a from csv "a.csv" {\n  header = false\n}\n'),
    ),
    Code(
        "E009",
        "= gives a value to an argument; a comparison is written ==",
        "`=` gives an argument its value, `==` asks whether two things are the same.",
        ('data a from csv "a.csv" {\n  expect .rows = 3\n}\n'),
        ('data a from csv "a.csv" {\n  expect .rows == 3\n}\n'),
    ),
    Code(
        "E010",
        "something is missing after {after}; expected {wanted}",
        "The line ends too early. A line goes on only after a comma or an operator, and inside brackets.",
        ('data a from csv "a.csv" {\n  expect .rows >=\n}\n'),
        ('data a from csv "a.csv" {\n  expect .rows >= 1\n}\n'),
    ),
    Code(
        "E011",
        "{what} cannot begin with {found}",
        (
            "A spec is a list of statements: data, model, service, param, secret, env, use. A line of a body "
            "is name: type, name = value, name in set, or begins with predict, search, measure, expect, "
            "needs, every, each or set."
        ),
        'dat a from csv "a.csv"\n',
        'data a from csv "a.csv"\n',
    ),
    Code(
        "E012",
        "{found} means nothing in a quoted text",
        'Within quotes a backslash begins one of \\n \\t \\" \\\\.',
        'data a from csv "data\\a.csv"\n',
        'data a from csv "data/a.csv"\n',
    ),
    Code(
        "E013",
        "this mlspec reads language version 1, not {found}",
        "The first line says in which version of the language the spec is written.",
        "mlspec 2\n",
        "mlspec 1\n",
    ),
    Code(
        "E014",
        "{found} begins a line, and the header above it does not go on",
        ("A header ends with its line, unless the next begins with from, by or {, or the line ends with a comma."),
        ('data a from csv\n  "a.csv"\n'),
        ('data a\n  from csv "a.csv"\n'),
    ),
    Code(
        "E015",
        "{found} is too large a number",
        "Whole numbers have 64 bits, all others those of a double.",
        ('data a from csv "a.csv" {\n  expect .rows < 1e999\n}\n'),
        ('data a from csv "a.csv" {\n  expect .rows < 1e9\n}\n'),
    ),
    Code(
        "E016",
        "there is no date {found}",
        "A date is one of the calendar, written as year, month and day, and a time behind it one of a day.",
        ("param day: date = 2020-02-30\n"),
        ("param day: date = 2020-02-29\n"),
    ),
)
