"""The mistakes in blocks, arguments and columns: E2 and E3."""

from __future__ import annotations

from .code import Code

BLOCKS = (
    # --- blocks and arguments --------------------------------------------------------------------------------
    Code(
        "E201",
        "there is no recipe {word}",
        "After `by` stands a recipe of the language, or a model of the spec.",
        'data a from csv "a.csv"\ndata b from a by sqll "select * from a"\n',
        'data a from csv "a.csv"\ndata b from a by sql "select * from a"\n',
    ),
    Code(
        "E202",
        "{word} does not make a {kind}",
        (
            "Each recipe makes certain kinds of artifacts: a query makes data, only Python, notebook and "
            "shell make models, http makes services."
        ),
        ('data a from csv "a.csv"\nmodel m from a by sql "select * from a"\n'),
        ('data a from csv "a.csv"\ndata b from a by sql "select * from a"\n'),
    ),
    Code(
        "E203",
        "there is no source {word}",
        "A source is a word of the language and a quoted place.",
        'data a from cvs "a.csv"\n',
        'data a from csv "a.csv"\n',
    ),
    Code(
        "E204",
        "a block reads one source, and nothing besides",
        (
            "A source is read into data of its own, so that its columns, its checks and its lock have one "
            "place. What needs two sources is made from both."
        ),
        'data a from csv "a.csv", csv "b.csv"\n',
        ('data a from csv "a.csv"\ndata b from csv "b.csv"\n'),
    ),
    Code(
        "E205",
        "{of} has no argument {name}",
        "The arguments of a recipe are a closed list, so that a typing error is not taken for a wish.",
        ('data a from csv "a.csv" {\n  delimeter = ";"\n}\n'),
        ('data a from csv "a.csv" {\n  delimiter = ";"\n}\n'),
    ),
    Code(
        "E206",
        "{name} takes {wanted}, not {found}",
        (
            "Each argument has a type, and there is no silent conversion: a number stands without quotes, a "
            "text with them, and a quantity has its unit."
        ),
        ('data a from csv "a.csv" {\n  header = "false"\n}\n'),
        ('data a from csv "a.csv" {\n  header = false\n}\n'),
    ),
    Code(
        "E207",
        "{name} is given twice",
        "One of the two would be silently lost.",
        ('data a from csv "a.csv" {\n  delimiter = ";"\n  delimiter = ","\n}\n'),
        ('data a from csv "a.csv" {\n  delimiter = ";"\n}\n'),
    ),
    Code(
        "E208",
        "{word} is written {how} a quoted place",
        (
            "Some recipes need a quoted place behind their word, as sql its query and python its function; "
            "split and http have none."
        ),
        ('data a from csv "a.csv"\ndata b from a by sql\n'),
        ('data a from csv "a.csv"\ndata b from a by sql "select * from a"\n'),
    ),
    Code(
        "E209",
        "{line} does not belong to the kind {kind}",
        (
            "Each kind has its own lines: columns belong to data, predict and measure to models; arguments, "
            "expect, needs and every to all."
        ),
        ('data a from csv "a.csv" {\n  predict .y\n}\n'),
        (
            'data a from csv "a.csv"\n'
            "data train, test from a by split {\n"
            "  test = 20%\n"
            "}\n"
            'model m from train by python "sklearn.linear_model:LinearRegression" {\n'
            "  predict .y from .x\n"
            "}\n"
        ),
    ),
    Code(
        "E210",
        "there is no unit {unit}",
        "Sizes: B kB MB GB TB KiB MiB GiB TiB; times: ms s m h d; shares: %.",
        ('data a from csv "a.csv"\ndata train, test from a by split {\n  test = 20percent\n}\n'),
        ('data a from csv "a.csv"\ndata train, test from a by split {\n  test = 20%\n}\n'),
    ),
    Code(
        "E211",
        "{word} takes {wanted} {what}, and there are {found}",
        (
            "A recipe says how many artifacts go in and come out. A split makes two or more from one, a "
            "model predicts on one, http serves one."
        ),
        ('data a from csv "a.csv"\ndata test from a by split {\n  test = 20%\n}\n'),
        ('data a from csv "a.csv"\ndata train, test from a by split {\n  test = 20%\n}\n'),
    ),
    Code(
        "E212",
        "nothing says how the rows are shared among {outputs}",
        (
            "One output may be left unsaid: it takes the rest. Of all others the share, the number of rows "
            "or the first date must be said."
        ),
        ('data a from csv "a.csv"\ndata train, test from a by split\n'),
        ('data a from csv "a.csv"\ndata train, test from a by split {\n  test = 20%\n}\n'),
    ),
    Code(
        "E213",
        "{name} is given a first date, and nothing says by which column",
        "A date cuts rows that stand in an order, and nothing says which column gives it.",
        ('data a from csv "a.csv"\ndata train, test from a by split {\n  test = 2015-01-01\n}\n'),
        ('data a from csv "a.csv"\ndata train, test from a by split {\n  test = 2015-01-01\n  order = .day\n}\n'),
    ),
    Code(
        "E214",
        "nothing says how {name} is made",
        (
            "A block is made from a source or by a recipe. A kind and a name alone say only that there "
            "should be something."
        ),
        ("data a {\n  id: int\n}\n"),
        ('data a from csv "a.csv" {\n  id: int\n}\n'),
    ),
    Code(
        "E215",
        "nothing says what {name} predicts",
        "Metrics, batch predictions and services need to know the target and the features.",
        (
            'data a from csv "a.csv"\n'
            "data train, test from a by split {\n"
            "  test = 20%\n"
            "}\n"
            'model m from train by python "m.py:fit" {\n'
            "  measure rmse on test\n"
            "}\n"
        ),
        (
            'data a from csv "a.csv"\n'
            "data train, test from a by split {\n"
            "  test = 20%\n"
            "}\n"
            'model m from train by python "m.py:fit" {\n'
            "  predict .y from .x\n"
            "  measure rmse on test\n"
            "}\n"
        ),
    ),
    Code(
        "E216",
        "this is not a value",
        "An argument is a number, a text, true or false, a date, a column, a list, or a param.",
        ('data a from csv "a.csv" {\n  delimiter = 1 + 2\n}\n'),
        ('data a from csv "a.csv" {\n  delimiter = ";"\n}\n'),
    ),
    Code(
        "E217",
        "nothing says what {name} predicts",
        ("A class of estimators has no inputs of its own by name: it is fitted on the columns of the predict line."),
        (
            'data a from csv "a.csv"\n'
            "data train, test from a by split {\n"
            "  test = 20%\n"
            "}\n"
            'model m from train by python "sklearn.linear_model:LinearRegression"\n'
        ),
        (
            'data a from csv "a.csv"\n'
            "data train, test from a by split {\n"
            "  test = 20%\n"
            "}\n"
            'model m from train by python "sklearn.linear_model:LinearRegression" {\n'
            "  predict .y from .x\n"
            "}\n"
        ),
    ),
    Code(
        "E218",
        ".{column} is the target, and a feature too",
        "A model that sees the answer learns nothing else, and its metrics are a dream.",
        (
            'data a from csv "a.csv"\n'
            "data train, test from a by split {\n"
            "  test = 20%\n"
            "}\n"
            'model m from train by python "sklearn.linear_model:LinearRegression" {\n'
            "  predict .y from .x, .y\n"
            "}\n"
        ),
        (
            'data a from csv "a.csv"\n'
            "data train, test from a by split {\n"
            "  test = 20%\n"
            "}\n"
            'model m from train by python "sklearn.linear_model:LinearRegression" {\n'
            "  predict .y from .x\n"
            "}\n"
        ),
    ),
    Code(
        "E219",
        'there is no value "{value}" in .{column}',
        "The values of a closed set are known, so one that is not among them can never come true.",
        (
            'data a from csv "a.csv" {\n'
            '  plan: "free" | "pro"\n'
            "}\n"
            'model m from a by python "sklearn.linear_model:LogisticRegression" {\n'
            '  predict .plan == "paid" from .x\n'
            "}\n"
        ),
        (
            'data a from csv "a.csv" {\n'
            '  plan: "free" | "pro"\n'
            "}\n"
            'model m from a by python "sklearn.linear_model:LogisticRegression" {\n'
            '  predict .plan == "pro" from .x\n'
            "}\n"
        ),
    ),
    Code(
        "E220",
        ".{column} is {type}, and a regressor learns numbers",
        (
            "A regressor's target is a number. A text or a truth is for a classifier; `predict .plan == "
            '"pro"` makes a truth of it.'
        ),
        (
            'data a from csv "a.csv"\n'
            "data train, test from a by split {\n"
            "  test = 20%\n"
            "}\n"
            'model m from train by python "sklearn.linear_model:LinearRegression" {\n'
            "  predict .name from .x\n"
            "}\n"
        ),
        (
            'data a from csv "a.csv"\n'
            "data train, test from a by split {\n"
            "  test = 20%\n"
            "}\n"
            'model m from train by python "sklearn.linear_model:LinearRegression" {\n'
            "  predict .y from .x\n"
            "}\n"
        ),
    ),
    Code(
        "E221",
        "every {found} says no time",
        (
            "A schedule is hour, day, week, month or a weekday, with a time of the day; or a time between "
            "two runs; or a cron line in quotes."
        ),
        ('data a from csv "a.csv" {\n  every dai at 02:00\n}\n'),
        ('data a from csv "a.csv" {\n  every day at 02:00\n}\n'),
    ),
    Code(
        "E222",
        "there is no time zone {zone}",
        "Time zones have the names of the IANA database.",
        ('data a from csv "a.csv" {\n  every day at 02:00 in "Europe/Zurch"\n}\n'),
        ('data a from csv "a.csv" {\n  every day at 02:00 in "Europe/Zurich"\n}\n'),
    ),
)

COLUMNS = (
    # --- types and columns -----------------------------------------------------------------------------------
    Code(
        "E301",
        "there is no type {name}",
        'Types: int, float, text, bool, date, timestamp, "a" | "b", list[T]; with ? for may be missing.',
        ('data a from csv "a.csv" {\n  id: string\n}\n'),
        ('data a from csv "a.csv" {\n  id: text\n}\n'),
    ),
    Code(
        "E302",
        "there is no column {column} in {of}",
        (
            "Columns are known from the source on, through every recipe. So a wrong name is told here and "
            "not after an hour of training."
        ),
        (
            'data a from csv "a.csv"\n'
            "data train, test from a by split {\n"
            "  test = 20%\n"
            "}\n"
            'model m from train by python "sklearn.linear_model:LinearRegression" {\n'
            "  predict .y from .xx\n"
            "}\n"
        ),
        (
            'data a from csv "a.csv"\n'
            "data train, test from a by split {\n"
            "  test = 20%\n"
            "}\n"
            'model m from train by python "sklearn.linear_model:LinearRegression" {\n'
            "  predict .y from .x\n"
            "}\n"
        ),
    ),
    Code(
        "E303",
        "there is no column {column} to declare",
        (
            "Declaring a column says that it must be there; it does not make one. Another name in the file "
            'is said with from: `acidity: float from "fixed acidity"`.'
        ),
        ('data a from csv "a.csv" {\n  nme: text\n}\n'),
        ('data a from csv "a.csv" {\n  name: text\n}\n'),
    ),
    Code(
        "E304",
        ".{column} is {found}, and {declared} is wanted",
        ("There is no silent conversion from one type to another. Declare what it is, or cast it where it is made."),
        ('data a from csv "a.csv"\ndata b from a by sql "select name from a" {\n  name: int\n}\n'),
        ('data a from csv "a.csv"\ndata b from a by sql "select name from a" {\n  name: text\n}\n'),
    ),
    Code(
        "E305",
        "{name} is declared twice",
        "A column is declared once, so that one line says all of it.",
        ('data a from csv "a.csv" {\n  id: int\n  id: int\n}\n'),
        ('data a from csv "a.csv" {\n  id: int\n}\n'),
    ),
    Code(
        "E306",
        "this is no range for {name}, which is {type}",
        (
            "A range is low..high, both ends included, of numbers or dates; an end left out is open. Only "
            "int, float, date and timestamp have an order."
        ),
        ('data a from csv "a.csv" {\n  id: int in 9..1\n}\n'),
        ('data a from csv "a.csv" {\n  id: int in 1..9\n}\n'),
    ),
    Code(
        "E307",
        "there is no mark {word} for a column",
        (
            "Behind the type of a column may stand unique. What may be missing has a ? behind its type; all "
            "else is an expectation."
        ),
        ('data a from csv "a.csv" {\n  id: int, primary\n}\n'),
        ('data a from csv "a.csv" {\n  id: int, unique\n}\n'),
    ),
    Code(
        "E308",
        "the column {column} was {before} when this was last accepted, and is {now} now",
        (
            "An undeclared column has the type of all its values. What it was is kept in mlspec.lock: "
            "another would change models and services behind your back."
        ),
        'data a from csv "a.csv"\n',
        ('data a from csv "a.csv" {\n  id: int\n}\n'),
    ),
)
