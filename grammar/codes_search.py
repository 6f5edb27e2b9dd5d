"""The mistakes of a search over arguments: E8. What a code is says `code.py`."""

from __future__ import annotations

from .code import Code


def _spec(*lines: str) -> str:
    body = "".join(f"  {line}\n" for line in ("predict .y from .x", *lines))
    return f'data a from csv "a.csv"\nmodel m from a by python "sklearn.tree:DecisionTreeClassifier" {{\n{body}}}\n'


SEARCH = (
    Code(
        "E801",
        "{title}",
        (
            "A search takes two kinds of lines: one for each argument that is searched, with in and the set of its "
            "values; and one search line, which says how a trial is scored and which score is the best."
        ),
        _spec("max_depth in 3..9"),
        _spec("max_depth in 3..9", "search folds = 5, best = max(.accuracy)"),
        about="a search line without a searched argument, or the reverse",
    ),
    Code(
        "E802",
        "{name} is searched, and given a value too",
        "By = an argument has its one value; by in it has a set, of which the search takes the best.",
        _spec("max_depth = 4", "max_depth in 3..9", "search folds = 5, best = max(.accuracy)"),
        _spec("max_depth in 3..9", "search folds = 5, best = max(.accuracy)"),
    ),
    Code(
        "E803",
        "{name} cannot be searched among this: {why}",
        (
            "A set to search is a range of numbers with both its ends, as 3..9 or log(0.01..0.3); or two or more "
            'values, as in "gini" | "entropy". A range of whole numbers holds whole numbers only.'
        ),
        _spec("max_depth in 3..", "search folds = 5, best = max(.accuracy)"),
        _spec("max_depth in 3..9", "search folds = 5, best = max(.accuracy)"),
    ),
    Code(
        "E804",
        "{title}",
        "Which trial is the best says one metric: max of it where more is better, min where less is.",
        _spec("max_depth in 3..9", "search folds = 5, best = min(.accuracy)"),
        _spec("max_depth in 3..9", "search folds = 5, best = max(.accuracy)"),
        about="a search that does not say what is best",
    ),
    Code(
        "E805",
        "there is no end of values for {name}, and the search does not say how many to try",
        "Without trials, all combinations are tried. Between two numbers there are always more of them.",
        _spec("ccp_alpha in 0.0..0.1", "search folds = 5, best = max(.accuracy)"),
        _spec("ccp_alpha in 0.0..0.1", "search trials = 40, folds = 5, best = max(.accuracy)"),
    ),
    Code(
        "E806",
        "there are {count} combinations to try, and a search tries {most} at most",
        "Without trials, all combinations are tried; with them the search chooses which, by what it has learned so far.",
        _spec("max_depth in 1..200", "min_samples_leaf in 1..200", "search folds = 5, best = max(.accuracy)"),
        _spec(
            "max_depth in 1..200", "min_samples_leaf in 1..200",
            "search trials = 100, folds = 5, best = max(.accuracy)",
        ),
    ),
    Code(
        "E807",
        "{title}",
        (
            "A trial is scored on folds of the first input, by a metric that a measure line measures on data, or by one "
            "that the function returns. The best of many trials does well on what it was chosen by, so what an expect "
            "line judges the model by has to be something else."
        ),
        (
            'data a from csv "a.csv"\n'
            "data train, test from a by split {\n"
            "  test = 20%\n"
            "}\n"
            'model m from train by python "sklearn.tree:DecisionTreeClassifier" {\n'
            "  predict .y from .x\n"
            "  max_depth in 3..9\n"
            "  search best = max(.accuracy)\n"
            "  measure accuracy on test\n"
            "  expect .accuracy > 0.8\n"
            "}\n"
        ),
        (
            'data a from csv "a.csv"\n'
            "data train, test from a by split {\n"
            "  test = 20%\n"
            "}\n"
            'model m from train by python "sklearn.tree:DecisionTreeClassifier" {\n'
            "  predict .y from .x\n"
            "  max_depth in 3..9\n"
            "  search folds = 5, best = max(.accuracy)\n"
            "  measure accuracy on test\n"
            "  expect .accuracy > 0.8\n"
            "}\n"
        ),
        about="a trial that is measured on nothing, or on what an expectation judges by",
    ),
    Code(
        "E808",
        "a search is for a model by python or notebook, and this is made by {word}",
        "What is searched are the arguments of a class with fit and predict, of a function of yours or of a notebook.",
        (
            'data a from csv "a.csv"\n'
            'model m from a by shell "./train.sh" {\n'
            "  predict .y from .x\n"
            "  depth in 3..9\n"
            "  search folds = 5, best = max(.accuracy)\n"
            "}\n"
        ),
        _spec("max_depth in 3..9", "search folds = 5, best = max(.accuracy)"),
    ),
)  # fmt: skip
