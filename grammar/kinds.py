"""Every kind, line, recipe, argument, unit, function and metric of the language, once, with its words for people.

Read by the checker, completion, hover, the docs and every highlighter.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

Kind = Literal["data", "model", "service"]
KINDS: dict[str, str] = {
    "data": "What do we know? A table, or a folder of files.",
    "model": "What was learned?",
    "service": "Where is it used?",
}

Takes = Literal[
    "text", "texts", "int", "float", "bool", "share", "count", "cut", "column", "columns", "size", "time", "any"
]


@dataclass(frozen=True, slots=True)
class Argument:
    """`takes` is the type of the value. `choices` closes it; a number lies between `least` and `most`. An argument
    without a default may be left out. `secret`: it may be one. `anywhere`: it is a place that every machine finds."""

    name: str
    takes: Takes
    doc: str
    default: object = None
    choices: tuple[str, ...] = ()
    secret: bool = False
    least: int | None = None
    most: int | None = None
    anywhere: bool = False


@dataclass(frozen=True, slots=True)
class Recipe:
    """What stands after `by`, or a source after `from`.

    `place` says whether a quoted place follows. `inputs` is the least and the greatest number of inputs, None for any.
    `outputs` likewise. `open` recipes take any further argument: their own signature decides.
    """

    word: str
    makes: tuple[Kind, ...]
    doc: str
    arguments: tuple[Argument, ...] = ()
    place: Literal["needed", "none"] = "needed"
    inputs: tuple[int, int | None] = (0, None)
    outputs: tuple[int, int | None] = (1, 1)
    open: bool = False
    source: bool = False
    endings: tuple[str, ...] = ()


SEED = Argument("seed", "int", "Makes what is drawn at random the same each time.", 0)

_REFUSES = (1, 2)  # the second output of a source is the rows that it refused
_TOKEN = Argument("token", "text", "A secret that an https server asks for (Authorization: Bearer …).", secret=True)
_QUERY = Argument("query", "text", "One select, in the database's own dialect, in place of a table.")

RECIPES: dict[str, Recipe] = {
    recipe.word: recipe
    for recipe in (
        Recipe(
            "csv",
            ("data",),
            "A text file of rows, or many by a pattern; also .gz and .zip. At https:// and s3:// too.",
            (
                Argument("header", "bool", "Whether the first row holds the names.", True),
                Argument("delimiter", "text", "What stands between two values; in a .tsv file a tab.", ","),
                Argument("quote", "text", "What stands around a value that holds a delimiter.", '"'),
                Argument("decimal", "text", "What stands before the decimals of a number.", "."),
                Argument("thousands", "text", "What stands between the thousands of a number.", ""),
                Argument("missing", "texts", "The words for a missing value.", ("",)),
                Argument("encoding", "text", "The file's encoding.", "utf-8"),
                Argument("dates", "text", 'How dates are written, as in "%d.%m.%Y".', ""),
                _TOKEN,
            ),
            outputs=_REFUSES,
            source=True,
            endings=(".csv", ".tsv", ".txt"),
        ),
        Recipe(
            "parquet",
            ("data",),
            "A Parquet file, or many by a pattern. At https:// and s3:// too.",
            (_TOKEN,),
            outputs=_REFUSES,
            source=True,
            endings=(".parquet",),
        ),
        Recipe(
            "jsonl",
            ("data",),
            "A JSON object on each line, or one array of objects; also .gz and .zip. At https:// and s3:// too.",
            (
                Argument("missing", "texts", "The words for a missing value.", ("",)),
                Argument("encoding", "text", "The file's encoding.", "utf-8"),
                Argument("dates", "text", 'How dates are written, as in "%d.%m.%Y".', ""),
                _TOKEN,
            ),
            outputs=_REFUSES,
            source=True,
            endings=(".jsonl", ".ndjson", ".json"),
        ),
        Recipe(
            "excel",
            ("data",),
            "A sheet of an Excel file. At https:// and s3:// too.",
            (
                Argument("sheet", "text", "The sheet's name; the first one if unsaid.", ""),
                Argument("header", "bool", "Whether the first row holds the names.", True),
                Argument("skip", "int", "Rows above the header to pass over.", 0, least=0),
                Argument("missing", "texts", "The words for a missing value.", ("",)),
                Argument("decimal", "text", "What stands before the decimals of a number kept as text.", "."),
                Argument("thousands", "text", "What stands between the thousands of a number kept as text.", ""),
                Argument("dates", "text", "How dates are written that are kept as text.", ""),
                _TOKEN,
            ),
            outputs=_REFUSES,
            source=True,
            endings=(".xlsx", ".xls", ".xlsb", ".ods"),
        ),
        Recipe("folder", ("data",), "A folder of files, kept as it is, but for what is hidden.", source=True),
        Recipe(
            "sqlite",
            ("data",),
            "A table of a SQLite file, or what a query gives.",
            (Argument("table", "text", "The table, or a view."), _QUERY),
            outputs=_REFUSES,
            source=True,
            endings=(".db", ".sqlite", ".sqlite3"),
        ),
        Recipe(
            "postgres",
            ("data",),
            "A table of a PostgreSQL server: the place, as in billing.invoices. Or what a query gives.",
            (
                Argument("url", "text", "The server and its database, postgresql://…: best a secret.", secret=True),
                _QUERY,
            ),
            outputs=_REFUSES,
            source=True,
        ),
        Recipe("sql", ("data",), "A query in DuckDB's dialect, in a file or inline.", inputs=(0, None), open=True),
        Recipe(
            "python",
            ("data", "model", "service"),
            "A function of yours, or a class with fit and predict.",
            outputs=(1, None),
            open=True,
        ),
        Recipe(
            "split",
            ("data",),
            "Deals the rows of a table to two or more outputs.",
            (
                Argument("by", "column", "Rows that share this key stay together, for ever."),
                Argument("stratify", "column", "Each output gets the same shares of this column's values."),
                Argument("order", "column", "Cuts in the order of this column, last output last."),
                Argument("shuffle", "bool", "false cuts the rows as they stand, last output last.", True),
                Argument("seed", "int", "Deals as scikit-learn's train_test_split does with this random_state."),
            ),
            place="none",
            inputs=(1, 1),
            outputs=(2, None),
            open=False,
        ),
        Recipe(
            "shell",
            ("data", "model"),
            "Any program: inputs and the place of the output come as environment variables.",
            (Argument("format", "text", "What it writes; told by itself if unsaid.", choices=("csv", "parquet")),),
            open=True,
        ),
        Recipe(
            "notebook",
            ("data", "model"),
            "A Jupyter notebook: run with its inputs and arguments as variables, and kept as it came out.",
            outputs=(1, None),
            open=True,
        ),
        Recipe(
            "http",
            ("service",),
            "An HTTP service that answers with the model's predictions.",
            (
                Argument("route", "text", "The path that answers.", "/predict"),
                Argument("port", "int", "The port; a free one, kept from then on, if unsaid.", least=1, most=65_535),
                Argument("host", "text", "The address to listen on.", "127.0.0.1"),
                Argument("replicas", "int", "How many processes answer.", 1, least=1),
                Argument(
                    "log", "bool", "Whether each request is kept with its answer, for data … from the service.", True
                ),
            ),
            place="none",
            inputs=(1, 1),
        ),
    )
}
# A service by python is served as http is; the arguments that are none of these go to the function.
ANSWERING = replace(
    RECIPES["python"],
    makes=("service",),
    outputs=(1, 1),
    arguments=(
        *RECIPES["http"].arguments,
        Argument("example", "text", "A file with one request as JSON, to show and to try a release with."),
    ),
)
SEEN = Recipe(
    "seen", ("data",), "What a service was asked, and what it answered.", place="none", inputs=(1, 1)
)  # stands after no `by`: data seen from churn_api
SOURCES = {word: recipe for word, recipe in RECIPES.items() if recipe.source}


@dataclass(frozen=True, slots=True)
class Line:
    word: str
    form: str
    kinds: tuple[Kind, ...]
    doc: str
    options: tuple[Argument, ...] = ()


MOST_TRIALS = 10_000  # of one search
_ALL: tuple[Kind, ...] = ("data", "model", "service")

LINES: dict[str, Line] = {
    line.word: line
    for line in (
        Line("column", "name: type[, unique] [in range]", ("data",), "A column that must be so."),
        Line("argument", "name = value", _ALL, "An argument of the recipe."),
        Line("among", "name in set", ("model",), "An argument to search: 3..9, log(0.01..0.3), 16 | 32 | 64."),
        Line("predict", "predict .y [from .a, .b]", ("model",), "Target and features."),
        Line(
            "search",
            "search trials = 40, folds = 5, best = max(.m)",
            ("model",),
            "Tries the searched arguments.",
            (
                Argument("trials", "int", "How many; all combinations, if unsaid.", least=1, most=MOST_TRIALS),
                Argument(
                    "folds",
                    "int",
                    "Cross-validation on the first input; if unsaid, a metric that is measured or returned.",
                    least=2,
                    most=MOST_TRIALS,
                ),
                Argument("best", "any", "max(.metric) or min(.metric)."),
            ),
        ),
        Line("measure", "measure metric[ as name], … on data", ("model",), "How well it does on this data."),
        Line("expect", "expect condition", _ALL, "Must hold, or the artifact is not accepted."),
        Line(
            "needs",
            "needs cpu = 2, memory = 4GiB, time = 1h",
            _ALL,
            "What a run of it needs.",
            (
                Argument("cpu", "float", "Cores.", least=0),
                Argument("memory", "size", "Memory, as in 4GiB; what takes more is stopped."),
                Argument("gpu", "int", "Devices.", least=0),
                Argument("time", "time", "As in 30m; what takes longer is stopped."),
                Argument("retries", "int", "How often it is tried again.", 0, least=0),
            ),
        ),
        Line("every", "every day at 02:00", _ALL, "Made again then."),
        Line("each", "each .column", ("data",), "Made part by part, one for each value; or `each file` of a pattern."),
    )
}

TYPES = ("int", "float", "text", "bool", "date", "timestamp", "list")
FLAGS = {"unique": "No value stands twice."}

Dimension = Literal["size", "time", "share"]


@dataclass(frozen=True, slots=True)
class Unit:
    """`factor` leads to bytes, seconds or a fraction."""

    dimension: Dimension
    factor: float


UNITS: dict[str, Unit] = {
    **{name: Unit("size", 1000**i) for i, name in enumerate(("B", "kB", "MB", "GB", "TB"))},
    **{name: Unit("size", 1024**i) for i, name in enumerate(("KiB", "MiB", "GiB", "TiB"), 1)},
    "ms": Unit("time", 0.001),
    "s": Unit("time", 1),
    "m": Unit("time", 60),
    "h": Unit("time", 3600),
    "d": Unit("time", 86400),
    "%": Unit("share", 0.01),
}


@dataclass(frozen=True, slots=True)
class Function:
    """A function of a condition on data. `column` says which columns it takes; `gives` the type of its result."""

    name: str
    column: Literal["none", "any", "number", "ordered"]
    gives: Literal["number", "column", "truth"]
    doc: str


DATA_FUNCTIONS: dict[str, Function] = {
    function.name: function
    for function in (
        Function("rows", "none", "number", "How many rows there are."),
        Function("unique", "any", "truth", "Whether no value stands twice."),
        Function("nulls", "any", "number", "How many values are missing."),
        Function("min", "ordered", "column", "The least value."),
        Function("max", "ordered", "column", "The greatest value."),
        Function("mean", "number", "number", "The mean."),
        Function("sum", "number", "number", "The sum."),
        Function("std", "number", "number", "The standard deviation of the sample."),
        Function("median", "number", "number", "The median."),
        Function("quantile", "number", "number", "quantile(.x, 0.9): the value that this share lies below."),
        Function("distinct", "any", "number", "How many different values there are."),
    )
}

SET_FUNCTIONS: dict[str, str] = {"log": "log(0.01..0.3): a range, tried evenly over its powers of ten."}
BESTS = ("max", "min")

SERVICE_FACTS: dict[str, tuple[Dimension, str]] = {
    "p50": ("time", "Half of the requests are answered within this time."),
    "p95": ("time", "95% of the requests are answered within this time."),
    "p99": ("time", "99% of the requests are answered within this time."),
    "errors": ("share", "The share of requests that failed."),
}

Task = Literal["classification", "regression"]


@dataclass(frozen=True, slots=True)
class Metric:
    """`needs` is what the model must give; `table` metrics are kept and shown, and stand in no condition."""

    name: str
    task: Task
    doc: str
    needs: Literal["prediction", "probability"] = "prediction"
    table: bool = False
    more_is_better: bool = True


METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric("rmse", "regression", "Root of the mean squared error.", more_is_better=False),
        Metric("mse", "regression", "Mean squared error.", more_is_better=False),
        Metric("mae", "regression", "Mean absolute error.", more_is_better=False),
        Metric("median_ae", "regression", "Median absolute error.", more_is_better=False),
        Metric("mape", "regression", "Mean absolute error as a share of the truth.", more_is_better=False),
        Metric("max_error", "regression", "The largest error.", more_is_better=False),
        Metric("r2", "regression", "The share of the variance that is explained."),
        Metric("explained_variance", "regression", "The share of the variance that is explained, bias aside."),
        Metric("accuracy", "classification", "The share of right answers."),
        Metric("balanced_accuracy", "classification", "The mean over the classes of the share of right answers."),
        Metric("f1", "classification", "F1 of the positive class."),
        Metric("f1_macro", "classification", "The mean over the classes of F1."),
        Metric("f1_micro", "classification", "F1 over all classes together."),
        Metric("f1_weighted", "classification", "F1 of the classes, weighted by their size."),
        Metric("precision", "classification", "The share of the predicted positives that are."),
        Metric("precision_macro", "classification", "The mean over the classes of precision."),
        Metric("recall", "classification", "The share of the positives that are found."),
        Metric("recall_macro", "classification", "The mean over the classes of recall."),
        Metric("matthews", "classification", "The correlation of answers and truth."),
        Metric("cohen_kappa", "classification", "Agreement of answers and truth beyond chance."),
        Metric("roc_auc", "classification", "How well positives are ranked above negatives.", "probability"),
        Metric("average_precision", "classification", "The area under precision over recall.", "probability"),
        Metric(
            "log_loss",
            "classification",
            "How surprised the probabilities are by the truth.",
            "probability",
            more_is_better=False,
        ),
        Metric(
            "brier", "classification", "Mean squared error of the probability.", "probability", more_is_better=False
        ),
        Metric("confusion_matrix", "classification", "Truth by row, answer by column.", table=True),
    )
}

OPERATORS = ("or", "and", "not", "<", "<=", ">", ">=", "==", "!=", "in", "not in", "else", "+", "-", "*", "/")


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The words a header may use after `by` and `from`, for messages."""

    recipes: tuple[str, ...] = field(default_factory=lambda: tuple(w for w, r in RECIPES.items() if not r.source))
    sources: tuple[str, ...] = field(default_factory=lambda: tuple(SOURCES))
