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
    Code(
        "E001",
        "this file has {size}, which is more than the {limit} of a spec",
        "A spec is written by people. A file this large is most likely data; name it as a source instead.",
    ),
    Code(
        "E002",
        "this value has more than {limit} levels of brackets and operators",
        "Nobody reads that. Most likely a sign was repeated by mistake; if not, write several lines, or compute it in SQL.",
    ),
    Code(
        "E003",
        "this {found} is never closed",
        "A body ends with }, and what is opened within a line ends in it, with ) or ].",
        'data a from csv "a.csv" {\n  id: int\n',
        'data a from csv "a.csv" {\n  id: int\n}\n',
    ),
    Code(
        "E004",
        "this {found} closes nothing",
        "There is one closing bracket more than there are open ones.",
        'data a from csv "a.csv" {\n  id: int\n}\n}\n',
        'data a from csv "a.csv" {\n  id: int\n}\n',
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
        "model m from a by python 'm.py:fit'\n",
        'model m from a by python "m.py:fit"\n',
    ),
    Code(
        "E007",
        "{word} is a word of the language and cannot be a name here",
        "Words of the language cannot name blocks, params or uses. As an argument or a column they are free, because the = or the : tells.",
        'data data from csv "a.csv"\n',
        'data customers from csv "a.csv"\n',
    ),
    Code(
        "E008",
        "{found} does not fit here; expected {wanted}",
        "The line began as one thing and went on as another. Each line of a body is one of: name: type, name = value, "
        "name in set, predict, search, measure, expect, needs, every.",
        'data a from csv "a.csv" {\n  header false\n}\n',
        'data a from csv "a.csv" {\n  header = false\n}\n',
    ),
    Code(
        "E009",
        "= gives a value to an argument; a comparison is written ==",
        "`=` gives an argument its value, `==` asks whether two things are the same.",
        'data a from csv "a.csv" {\n  expect .rows = 3\n}\n',
        'data a from csv "a.csv" {\n  expect .rows == 3\n}\n',
    ),
    Code(
        "E010",
        "something is missing after {after}; expected {wanted}",
        "The line ends too early. A line goes on only after a comma or an operator, and inside brackets.",
        'data a from csv "a.csv" {\n  expect .rows >=\n}\n',
        'data a from csv "a.csv" {\n  expect .rows >= 1\n}\n',
    ),
    Code(
        "E011",
        "{what} cannot begin with {found}",
        "A spec is a list of statements: data, model, service, param, secret, env, use. A line of a body is name: type, "
        "name = value, name in set, or begins with predict, search, measure, expect, needs, every, each or set.",
        'modle m from a by python "m.py:fit"\n',
        'model m from a by python "m.py:fit"\n',
    ),
    Code(
        "E012",
        "{found} means nothing in a quoted text",
        'Within quotes a backslash begins one of \\n \\t \\" \\\\.',
        'data a from csv "data\\items.csv"\n',
        'data a from csv "data/items.csv"\n',
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
        "A header ends with its line, unless the next begins with from, by or {, or the line ends with a comma.",
        'data a from csv\n  "a.csv"\n',
        'data a\n  from csv "a.csv"\n',
    ),
    Code(
        "E015",
        "{found} is too large a number",
        "Whole numbers have 64 bits, all others those of a double.",
        'data a from csv "a.csv" {\n  expect .rows < 1e999\n}\n',
        'data a from csv "a.csv" {\n  expect .rows < 1e9\n}\n',
    ),
    # --- names ------------------------------------------------------------------------------------------------
    Code(
        "E101",
        "nothing is named {name}",
        "A plain word refers to a block, a param or a word of the language.",
        'data a from csv "a.csv"\ndata b from aa by sql "select * from aa"\n',
        'data a from csv "a.csv"\ndata b from a by sql "select * from a"\n',
    ),
    Code(
        "E102",
        "{name} is already the name of something else",
        "A name stands for one artifact.",
        'data a from csv "a.csv"\ndata a from csv "b.csv"\n',
        'data a from csv "a.csv"\ndata b from csv "b.csv"\n',
    ),
    Code(
        "E103",
        "{name} is made from itself: {circle}",
        "What an artifact is made from must be there before it.",
        'data a from b by sql "select * from b"\ndata b from a by sql "select * from a"\n',
        'data a from csv "a.csv"\ndata b from a by sql "select * from a"\n',
    ),
    Code(
        "E104",
        "{name} is of the kind {kind}, and {wanted} is needed here",
        "Data is read, models predict, services answer.",
    ),
    Code(
        "E105",
        "{name} has {number} outputs; say which one: {outputs}",
        "A block with several names makes several artifacts; each is referred to by its own name.",
    ),
    Code(
        "E106",
        "{name} is no param, and a value is needed here",
        "An argument is a number, a text in quotes, true or false, a date, a column, a list, or a param.",
        'data a from csv "a.csv" {\n  delimiter = semicolon\n}\n',
        'data a from csv "a.csv" {\n  delimiter = ";"\n}\n',
    ),
    Code(
        "E107",
        "the param {name} has no value",
        "A param gets its value where it is declared, or from whoever uses the spec.",
        "param region: text\n",
        'param region: text = "eu"\n',
    ),
    Code(
        "E108",
        "{found} is not a value of the type {type}",
        "There is no silent conversion from one type to another.",
        'param days: int = "7"\n',
        "param days: int = 7\n",
    ),
    Code(
        "E109",
        "there is no runtime {word}",
        "An environment says where it runs: on a runtime that is installed.",
        "env prod on locale\n",
        "env prod on local\n",
    ),
    Code(
        "E110",
        "{path} is nothing that an environment can set",
        "An environment gives params and arguments other values, and changes needs and search; what a block is made from, and how, is the same everywhere.",
        'data a from csv "a.csv"\nenv prod on local {\n  set a.needs = 4\n}\n',
        'data a from csv "a.csv"\nenv prod on local {\n  set a.needs.cpu = 4\n}\n',
    ),
    Code(
        "E112",
        "{file} uses itself: {circle}",
        "A used spec must be complete before the one that uses it.",
    ),
    Code(
        "E113",
        "{name} is a whole spec; one of its names is needed here",
        "A used spec makes several artifacts, each with a name of its own behind the dot.",
    ),
    Code(
        "E114",
        "{name} is a secret, and cannot stand here",
        "A secret is read when a step runs and appears nowhere else. It goes to Python, notebook and shell recipes, and to sources that ask for one.",
        'secret token\ndata a from csv "a.csv" {\n  delimiter = token\n}\n',
        'param mark: text = ";"\ndata a from csv "a.csv" {\n  delimiter = mark\n}\n',
    ),
    Code(
        "E115",
        "last {name} may not be there, and this recipe needs all that it is made from",
        "The first time there is nothing that was accepted before. A function is handed None then; a query, a split or a batch has no such case.",
    ),
    # --- blocks and arguments ---------------------------------------------------------------------------------
    Code(
        "E201",
        "there is no recipe {word}",
        "After `by` stands a recipe of the language, or a model of the spec.",
        'data b from a by sqll "select 1"\n',
        'data b from a by sql "select 1"\n',
    ),
    Code("E202", "{word} does not make a {kind}", "Each recipe makes certain kinds of artifacts."),
    Code(
        "E203",
        "there is no source {word}",
        "A source is a word of the language and a quoted place.",
        'data a from cvs "a.csv"\n',
        'data a from csv "a.csv"\n',
    ),
    Code("E204", "a block reads one source, and nothing besides", "Each source is data with a name of its own."),
    Code(
        "E205",
        "{of} has no argument {name}",
        "The arguments of a recipe are a closed list, so that a typing error is not taken for a wish.",
        'data a from csv "a.csv" {\n  delimeter = ";"\n}\n',
        'data a from csv "a.csv" {\n  delimiter = ";"\n}\n',
    ),
    Code("E206", "{name} takes {wanted}, not {found}", "Each argument has a type, and quantities have their unit."),
    Code("E207", "{name} is given twice", "One of the two would be silently lost."),
    Code(
        "E208",
        "{word} stands with a quoted place, or without, and here it is the other way",
        "See the recipe's form in docs/language.md.",
    ),
    Code("E209", "a {line} line does not belong to the kind {kind}", "Each kind has its own lines."),
    Code("E210", "there is no unit {unit}", "Sizes: B kB MB GB TB KiB MiB GiB TiB; times: ms s m h d; shares: %."),
    Code(
        "E211",
        "{word} takes {wanted} {what}, and there are {found}",
        "A recipe says how many artifacts go in and come out.",
    ),
    Code(
        "E212",
        "nothing says how the rows are shared among {outputs}",
        "One output may be left unsaid: it takes the rest.",
    ),
    Code("E213", "{name} is given a first date, and nothing says by which column", "A cut at a date needs an order."),
    Code("E214", "nothing says how {name} is made", "A block is made from a source or by a recipe."),
    Code(
        "E215",
        "nothing says what {name} predicts",
        "Metrics, batch predictions and services need the target and the features.",
    ),
    Code(
        "E216",
        "this is not a value",
        "An argument is a number, a text, true or false, a date, a column, a list, or a param.",
    ),
    Code(
        "E217",
        "nothing says what {name} predicts",
        "A class of estimators is fitted on the columns of the predict line.",
    ),
    Code("E218", ".{column} is the target, and a feature too", "A model that sees the answer learns nothing else."),
    Code("E219", 'there is no value "{value}" in .{column}', "The values of a closed set are known."),
    Code("E220", ".{column} is {type}, and a regressor learns numbers", "A regressor's target is a number."),
    Code(
        "E221",
        "every {found} says no time",
        "A schedule is hour, day, week, month or a weekday, with a time of the day; or a time between two runs; or a cron line in quotes.",
        'data a from csv "a.csv" {\n  every dai at 02:00\n}\n',
        'data a from csv "a.csv" {\n  every day at 02:00\n}\n',
    ),
    Code(
        "E222",
        "there is no time zone {zone}",
        "Time zones have the names of the IANA database.",
        'data a from csv "a.csv" {\n  every day at 02:00 in "Europe/Zurch"\n}\n',
        'data a from csv "a.csv" {\n  every day at 02:00 in "Europe/Zurich"\n}\n',
    ),
    # --- types and columns ------------------------------------------------------------------------------------
    Code(
        "E301",
        "there is no type {name}",
        'Types: int, float, text, bool, date, timestamp, "a" | "b", list[T]; with ? for may be missing.',
        'data a from csv "a.csv" {\n  id: string\n}\n',
        'data a from csv "a.csv" {\n  id: text\n}\n',
    ),
    Code("E302", "there is no column {column} in {of}", "Columns are known from the source on, through every recipe."),
    Code("E303", "there is no column {column} to declare", "A declared column must be there."),
    Code(
        "E304",
        ".{column} is {found}, and {declared} is wanted",
        "There is no silent conversion from one type to another.",
    ),
    Code("E305", "{name} is declared twice", "A column is declared once."),
    Code(
        "E306",
        "this is no range for {name}, which is {type}",
        "A range is low..high, both ends included, of numbers or dates.",
    ),
    Code("E307", "there is no mark {word} for a column", "A column may be marked unique."),
    # --- Python -----------------------------------------------------------------------------------------------
    Code(
        "E308",
        "the column {column} was {before} when this was last accepted, and is {now} now",
        "An undeclared column has the type of all its values. What it was is kept in mlspec.lock: another would change models and services behind your back.",
    ),
    Code(
        "E401", "{message}", "A Python recipe names a function or class in a file of yours, or in an installed package."
    ),
    Code(
        "E402",
        "{function}() has no parameter {name}",
        "The parameters of the function are the inputs and arguments, matched by name.",
    ),
    Code(
        "E403",
        "{function}() needs {missing}, and nothing gives it",
        "The parameters of the function are the inputs and arguments, matched by name.",
    ),
    Code(
        "E404",
        "{function} takes {wanted} as {name}, not {found}",
        "What a function or class takes is read from its source: its annotations, its defaults, and scikit-learn's own rules for its arguments.",
        'data a from csv "a.csv"\nmodel m from a by python "sklearn.ensemble:RandomForestClassifier" {\n'
        '  predict .y from .x\n  criterion = "ginny"\n}\n',
        'data a from csv "a.csv"\nmodel m from a by python "sklearn.ensemble:RandomForestClassifier" {\n'
        '  predict .y from .x\n  criterion = "gini"\n}\n',
    ),
    Code(
        "E405",
        "{function}() takes {name} as {asked}, and data has no such form",
        "The annotation of a parameter chooses the form in which data arrives: a pandas or polars frame, pyarrow.Table, numpy.ndarray, a DuckDB relation or pathlib.Path; pandas when unsaid.",
    ),
    Code(
        "E406",
        "{function}() returns {returned}, which does not make {name}",
        "Data is made of a table, a path or, for several outputs, a tuple or a dict of them; a model of an object with predict or a folder's path, with its metrics beside it if there are some.",
    ),
    # --- SQL --------------------------------------------------------------------------------------------------
    Code("E501", "{message}", "Queries are bound against the columns of their inputs before anything runs."),
    Code(
        "E502", "the query has no ${name}", "The arguments of a query are bound to the names in it that begin with $."
    ),
    Code(
        "E503",
        "the query does not read {name}",
        "What stands after from goes in; an input that is not read makes the artifact depend on it for nothing.",
    ),
    # --- conditions and metrics -------------------------------------------------------------------------------
    Code("E601", "{title}", "A condition on a model is about metrics that a measure line names."),
    Code(
        "E602",
        "there is no metric {name}",
        'Metrics go by scikit-learn\'s usual names, or are a function of yours: python "m.py:f".',
    ),
    Code(
        "E603",
        "{name} cannot be asked here",
        "Of data: .rows, and unique nulls min max mean sum std median quantile distinct of a column. Of services: .p50 .p95 .p99 .errors.",
    ),
    Code("E604", "{problem}", "Conditions are typed, as everything else."),
    Code("E605", "a condition is true or false, and this is a {type}", "Compare it with something."),
    Code(
        "E606",
        "a condition is about every row, or about the whole; this is about both",
        "Write two lines, one for each.",
    ),
    Code(
        "E607",
        "{name} is a table, and only numbers stand in conditions",
        "Tables such as a confusion matrix are kept and shown.",
    ),
    Code(
        "E608",
        "two metrics are named {name}",
        "Each metric has a name of its own, so that a condition can speak of it.",
    ),
    Code("E609", "{metric} is for a {wanted}, and {model} is a {task}", "A metric fits a task."),
    # --- files ------------------------------------------------------------------------------------------------
    Code("E701", "{why}", "Places are relative to the folder of the spec."),
    # --- not supported ----------------------------------------------------------------------------------------
    Code(
        "E901",
        "{what} is not supported yet",
        "It is part of the language, and this version of mlspec does not honour it; so it refuses it.",
    ),
    Code("E902", "there is no runtime {name}", "A runtime is where a spec runs."),
)

CODES: dict[str, Code] = {code.id: code for code in _TABLE}
