"""Every mistake that mlspec tells, once: its code, its title with places for the facts, and what `explain` says.

E0 text (codes_text.py), E1 names (codes_names.py), E2 blocks and arguments (codes_each.py too), E3 types and columns
(codes_blocks.py), E4 Python and notebooks, E5 SQL (codes_python.py); here E6 conditions and metrics, E7 files; E8
search (codes_search.py), W warnings (codes_warnings.py). A code is never given a new meaning.
"""

from __future__ import annotations

from .code import Code, Severity
from .codes_blocks import BLOCKS, COLUMNS
from .codes_each import EACH
from .codes_names import NAMES
from .codes_python import PYTHON, SQL
from .codes_search import SEARCH
from .codes_services import SERVICES
from .codes_text import TEXT
from .codes_warnings import WARNINGS

__all__ = ["CHAPTERS", "CODES", "Code", "Severity", "chapter"]

_TABLE = (
    # --- conditions and metrics ------------------------------------------------------------------------------
    Code(
        "E601",
        "{title}",
        (
            "A condition on a model is about metrics that a measure line names, so that it is known on which "
            "data they are measured."
        ),
        (
            'data a from csv "a.csv"\n'
            "data train, test from a by split {\n"
            "  test = 20%\n"
            "}\n"
            'model m from train by python "sklearn.linear_model:LinearRegression" {\n'
            "  predict .y from .x\n"
            "  measure rmse on test\n"
            "  expect .mae < 1\n"
            "}\n"
        ),
        (
            'data a from csv "a.csv"\n'
            "data train, test from a by split {\n"
            "  test = 20%\n"
            "}\n"
            'model m from train by python "sklearn.linear_model:LinearRegression" {\n'
            "  predict .y from .x\n"
            "  measure mae on test\n"
            "  expect .mae < 1\n"
            "}\n"
        ),
        about="a metric that nothing measures",
    ),
    Code(
        "E602",
        "there is no metric {name}",
        'Metrics go by scikit-learn\'s usual names, or are a function of yours: python "m.py:f".',
        (
            'data a from csv "a.csv"\n'
            "data train, test from a by split {\n"
            "  test = 20%\n"
            "}\n"
            'model m from train by python "sklearn.linear_model:LinearRegression" {\n'
            "  predict .y from .x\n"
            "  measure rsme on test\n"
            "}\n"
        ),
        (
            'data a from csv "a.csv"\n'
            "data train, test from a by split {\n"
            "  test = 20%\n"
            "}\n"
            'model m from train by python "sklearn.linear_model:LinearRegression" {\n'
            "  predict .y from .x\n"
            "  measure rmse on test\n"
            "}\n"
        ),
    ),
    Code(
        "E603",
        "{name} cannot be asked here",
        (
            "Of data: .rows, and unique nulls min max mean sum std median quantile distinct of a column. Of "
            "models: their metrics. Of services: .p50 .p95 .p99 .errors."
        ),
        ('data a from csv "a.csv" {\n  expect avg(.x) > 3\n}\n'),
        ('data a from csv "a.csv" {\n  expect mean(.x) > 3\n}\n'),
    ),
    Code(
        "E604",
        "{problem}",
        (
            "Conditions are typed, as everything else: a number is not held against a text, and a time not "
            "against a number without a unit."
        ),
        ('data a from csv "a.csv" {\n  expect mean(.name) > 3\n}\n'),
        ('data a from csv "a.csv" {\n  expect mean(.x) > 3\n}\n'),
        about="a condition that compares what cannot be compared",
    ),
    Code(
        "E605",
        "a condition is true or false, and this is a {type}",
        "A condition is true or false. A number alone is neither: compare it with something.",
        ('data a from csv "a.csv" {\n  expect mean(.x)\n}\n'),
        ('data a from csv "a.csv" {\n  expect mean(.x) > 3\n}\n'),
    ),
    Code(
        "E606",
        "a condition is about every row, or about the whole; this is about both",
        (
            "A condition with a column outside of a function is held against every row; one with functions "
            "against the whole. Write two lines, or compute the rest in SQL."
        ),
        ('data a from csv "a.csv" {\n  expect .x < mean(.x) * 3\n}\n'),
        ('data a from csv "a.csv" {\n  expect .x < 30\n  expect mean(.x) < 10\n}\n'),
    ),
    Code(
        "E607",
        "{name} is a table, and only numbers stand in conditions",
        ("Tables such as a confusion matrix are kept and shown, but no table is more or less than a number."),
        (
            'data a from csv "a.csv"\n'
            "data train, test from a by split {\n"
            "  test = 20%\n"
            "}\n"
            'model m from train by python "sklearn.linear_model:LogisticRegression" {\n'
            "  predict .churned from .x\n"
            "  measure confusion_matrix on test\n"
            "  expect .confusion_matrix > 1\n"
            "}\n"
        ),
        (
            'data a from csv "a.csv"\n'
            "data train, test from a by split {\n"
            "  test = 20%\n"
            "}\n"
            'model m from train by python "sklearn.linear_model:LogisticRegression" {\n'
            "  predict .churned from .x\n"
            "  measure confusion_matrix, recall on test\n"
            "  expect .recall > 0.5\n"
            "}\n"
        ),
    ),
    Code(
        "E608",
        "two metrics are named {name}",
        "Each metric has a name of its own, so that a condition can speak of it.",
        (
            'data a from csv "a.csv"\n'
            "data train, test from a by split {\n"
            "  test = 20%\n"
            "}\n"
            'model m from train by python "sklearn.linear_model:LinearRegression" {\n'
            "  predict .y from .x\n"
            "  measure rmse on train\n"
            "  measure rmse on test  # ok: W101\n"
            "}\n"
        ),
        (
            'data a from csv "a.csv"\n'
            "data train, test from a by split {\n"
            "  test = 20%\n"
            "}\n"
            'model m from train by python "sklearn.linear_model:LinearRegression" {\n'
            "  predict .y from .x\n"
            "  measure rmse as rmse_seen on train\n"
            "  measure rmse on test\n"
            "}\n"
        ),
    ),
    Code(
        "E609",
        "{metric} is for a {wanted}, and {model} is a {task}",
        (
            "Classes have no mean error, and numbers no accuracy. A text, a truth or a closed set as target "
            "makes a classification, a number a regression."
        ),
        (
            'data a from csv "a.csv"\n'
            "data train, test from a by split {\n"
            "  test = 20%\n"
            "}\n"
            'model m from train by python "sklearn.linear_model:LinearRegression" {\n'
            "  predict .y from .x\n"
            "  measure accuracy on test\n"
            "}\n"
        ),
        (
            'data a from csv "a.csv"\n'
            "data train, test from a by split {\n"
            "  test = 20%\n"
            "}\n"
            'model m from train by python "sklearn.linear_model:LinearRegression" {\n'
            "  predict .y from .x\n"
            "  measure rmse on test\n"
            "}\n"
        ),
    ),
    Code(
        "E610",
        "{metric} needs probabilities, and {name} gives none",
        (
            "Some metrics look at how sure a model is of each answer. A class without predict_proba says "
            "only which answer it is."
        ),
        (
            'data a from csv "a.csv"\n'
            "data train, test from a by split {\n"
            "  test = 20%\n"
            "}\n"
            'model m from train by python "sklearn.svm:LinearSVC" {\n'
            "  predict .plan from .x\n"
            "  measure roc_auc on test\n"
            "}\n"
        ),
        (
            'data a from csv "a.csv"\n'
            "data train, test from a by split {\n"
            "  test = 20%\n"
            "}\n"
            'model m from train by python "sklearn.svm:LinearSVC" {\n'
            "  predict .plan from .x\n"
            "  measure accuracy on test\n"
            "}\n"
        ),
    ),
    # --- files -----------------------------------------------------------------------------------------------
    Code(
        "E701",
        "{why}",
        "Places are relative to the folder of the spec that they stand in.",
        'data a from csv "aa.csv"\n',
        'data a from csv "a.csv"\n',
        about="a file that is not there, or cannot be read",
    ),
    Code(
        "E702",
        "{what} is written where everybody can read it",
        (
            "A spec is committed, shown and kept; so is what is compiled from it. A password, or a token, is a secret: "
            "it is read from the environment where a step runs, and appears nowhere."
        ),
        'data a from postgres "a" {\n  url = "postgresql://reader:swordfish@db/shop"\n}\n',
        'secret a_url\n\ndata a from postgres "a" {\n  url = a_url\n}\n',
        about="a password written into the spec",
    ),
    Code(
        "E703",
        "{problem}",
        "A database holds many tables. A block reads one of them, or what one query gives.",
        'data a from sqlite "shop.db"\n',
        'data a from sqlite "shop.db" {\n  table = "orders"\n}\n',
        about="a database without a table or query to read",
    ),
    Code(
        "E704",
        "nothing says on which server {name} is",
        "The place names a table; the address of the server, with the right to read there, is an argument of its own.",
        'data a from postgres "billing.invoices"\n',
        'secret a_url\n\ndata a from postgres "billing.invoices" {\n  url = a_url\n}\n',
    ),
)

_ALL = (*TEXT, *NAMES, *BLOCKS, *EACH, *COLUMNS, *PYTHON, *SQL, *_TABLE, *SEARCH, *SERVICES, *WARNINGS)
CODES: dict[str, Code] = {code.id: code for code in sorted(_ALL, key=lambda code: code.id)}

CHAPTERS = {
    "E0": "Text", "E1": "Names", "E2": "Blocks and arguments", "E3": "Types and columns", "E4": "Python and notebooks",
    "E5": "SQL", "E6": "Conditions and metrics", "E7": "Files", "E8": "Search", "W": "Warnings",
}  # fmt: skip


def chapter(code: Code) -> str:
    return CHAPTERS[code.id[:2] if code.id.startswith("E") else "W"]
