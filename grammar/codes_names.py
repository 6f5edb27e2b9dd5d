"""The mistakes in names: E1."""

from __future__ import annotations

from .code import Code

NAMES = (
    # --- names -----------------------------------------------------------------------------------------------
    Code(
        "E101",
        "nothing is named {name}",
        "A plain word refers to a block, a param or a word of the language.",
        ('data a from csv "a.csv"\ndata b from aa by sql "select * from a"\n'),
        ('data a from csv "a.csv"\ndata b from a by sql "select * from a"\n'),
    ),
    Code(
        "E102",
        "{name} is already the name of something else",
        "A name stands for one artifact.",
        ('data a from csv "a.csv"\ndata a from csv "b.csv"\n'),
        ('data a from csv "a.csv"\ndata b from csv "b.csv"\n'),
    ),
    Code(
        "E103",
        "{name} is made from itself: {circle}",
        "What an artifact is made from must be there before it.",
        ('data a from b by sql "select * from b"\ndata b from a by sql "select * from a"\n'),
        ('data a from csv "a.csv"\ndata b from a by sql "select * from a"\n'),
    ),
    Code(
        "E104",
        "{name} is of the kind {kind}, and {wanted} is needed here",
        ("Data is read, models predict, services answer. After by stands a recipe or a model, after on data."),
        (
            'data a from csv "a.csv"\n'
            "data train, test from a by split {\n"
            "  test = 20%\n"
            "}\n"
            "data scores from test by train\n"
        ),
        (
            'data a from csv "a.csv"\n'
            "data train, test from a by split {\n"
            "  test = 20%\n"
            "}\n"
            'model m from train by python "sklearn.linear_model:LinearRegression" {\n'
            "  predict .y from .x\n"
            "}\n"
            "data scores from test by m\n"
        ),
    ),
    Code(
        "E105",
        "{name} has {number} outputs; say which one: {outputs}",
        (
            "A block with several names makes several artifacts, so .rows alone does not say whose. Put the "
            "name of one before the dot."
        ),
        ('data a from csv "a.csv"\ndata train, test from a by split {\n  test = 20%\n  expect .rows > 100\n}\n'),
        ('data a from csv "a.csv"\ndata train, test from a by split {\n  test = 20%\n  expect train.rows > 100\n}\n'),
    ),
    Code(
        "E106",
        "{name} is no param, and a value is needed here",
        "An argument is a number, a text in quotes, true or false, a date, a column, a list, or a param.",
        ('data a from csv "a.csv" {\n  delimiter = semicolon\n}\n'),
        ('data a from csv "a.csv" {\n  delimiter = ";"\n}\n'),
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
        (
            "An environment gives params and arguments other values, and changes needs and search; what a "
            "block is made from, and how, is the same everywhere."
        ),
        ('data a from csv "a.csv"\nenv prod on local {\n  set a.needs = 4\n}\n'),
        ('data a from csv "a.csv"\nenv prod on local {\n  set a.needs.cpu = 4\n}\n'),
    ),
    Code(
        "E112",
        "{file} uses itself: {circle}",
        (
            "A used spec must be complete before the one that uses it, so no spec can use itself, not even "
            "through another."
        ),
        'use "wrong.mlspec" as again\n',
        'use "eu.mlspec" as eu\n',
    ),
    Code(
        "E113",
        "{name} is a whole spec; one of its names is needed here",
        "A used spec makes several artifacts, each with a name of its own. It is written behind the dot.",
        ('use "eu.mlspec" as eu\ndata b from eu by sql "select * from eu"\n'),
        ('use "eu.mlspec" as eu\ndata b from eu.chosen by sql "select * from chosen"\n'),
    ),
    Code(
        "E114",
        "{name} is a secret, and cannot stand here",
        (
            "A secret is read when a step runs and appears nowhere else. It goes to functions of yours in "
            "Python, to notebook and shell recipes, and to sources that ask for one."
        ),
        ('secret token\ndata a from csv "a.csv" {\n  delimiter = token\n}\n'),
        ('param mark: text = ";"\ndata a from csv "a.csv" {\n  delimiter = mark\n}\n'),
    ),
    Code(
        "E115",
        "last {name} may not be there, and this recipe needs all that it is made from",
        (
            "The first time there is nothing that was accepted before. A function is handed None then; a "
            "query, a split or a batch has no such case."
        ),
        ('data a from csv "a.csv"\ndata b from last a by sql "select * from a"\n'),
        ('data a from csv "a.csv"\ndata b from a by sql "select * from a"\n'),
    ),
    Code(
        "E116",
        "{what} cannot be done on {runtime}",
        (
            "What a runtime cannot honour is told before anything runs, and is never left out in silence. Where the "
            "same spec runs on several, the environment says which."
        ),
        (
            'data a from csv "a.csv"\n'
            'model m from a by python "sklearn.linear_model:LogisticRegression" {\n  predict .churned from .x\n}\n'
            "service s from m by http\n"
            "data asked from s\n"
            'env prod on prefect {\n  store = "s3://acme-ml/churn"\n}\n'
        ),
        (
            'data a from csv "a.csv"\n'
            'model m from a by python "sklearn.linear_model:LogisticRegression" {\n  predict .churned from .x\n}\n'
            "service s from m by http\n"
            'env prod on prefect {\n  store = "s3://acme-ml/churn"\n}\n'
        ),
    ),
    Code(
        "E117",
        "an environment on {runtime} needs {option}",
        "What it cannot do without is said in the environment, for every run and every machine alike.",
        'data a from csv "a.csv"\nenv prod on prefect\n',
        'data a from csv "a.csv"\nenv prod on prefect {\n  store = "s3://acme-ml/churn"\n}\n',
    ),
)
