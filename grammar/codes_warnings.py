"""W: what is no mistake of the language and ruins models all the same. W1 is seen in the text, W2 in the data."""

from __future__ import annotations

from .code import Code

WARNINGS = (
    Code(
        "W101",
        "{model} is measured on {data}, which it was fitted on",
        (
            "What a model has seen it knows by heart; how well it does on what it has not seen is the question. "
            "If it is meant so, write # ok: W101 at the end of the line, or of the block's first line."
        ),
        (
            'data a from csv "a.csv"\n'
            'model m from a by python "sklearn.linear_model:LogisticRegression" {\n'
            "  predict .churned from .x\n"
            "  measure roc_auc on a\n"
            "}\n"
        ),
        (
            'data a from csv "a.csv"\n'
            "data train, test from a by split {\n"
            "  test = 20%\n"
            "}\n"
            'model m from train by python "sklearn.linear_model:LogisticRegression" {\n'
            "  predict .churned from .x\n"
            "  measure roc_auc on test\n"
            "}\n"
        ),
    ),
    Code(
        "W102",
        "{title}",
        (
            "A model that is shown the answer learns nothing else: it is brilliant in the test, and fails where "
            "the answer is not known yet. If it is meant so, write # ok: W102 at the end of the line, or of the "
            "block's first line."
        ),
        (
            'data a from csv "a.csv"\n'
            'data b from a by sql "select *, not churned as stays from a"\n'
            'model m from b by python "sklearn.linear_model:LogisticRegression" {\n'
            "  predict .churned from .x, .stays\n"
            "}\n"
        ),
        (
            'data a from csv "a.csv"\n'
            'data b from a by sql "select *, not churned as stays from a"\n'
            'model m from b by python "sklearn.linear_model:LogisticRegression" {\n'
            "  predict .churned from .x, .y\n"
            "}\n"
        ),
        about="a feature that is made from the target, or the target from it",
    ),
    Code(
        "W103",
        "{name} fits something on all rows, before {split} are dealt from them",
        (
            "An encoder, a scaler or an imputer that has seen the rows of the test has told the model of them: "
            "the test looks better than life. If it is meant so, write # ok: W103 at the end of the line, or of "
            "the block's first line."
        ),
        (
            'data a from csv "a.csv"\n'
            'data b from a by python "m.py:scaled"\n'
            "data train, test from b by split {\n"
            "  test = 20%\n"
            "}\n"
            'model m from train by python "sklearn.linear_model:LogisticRegression" {\n'
            "  predict .churned from .x\n"
            "  measure roc_auc on test\n"
            "}\n"
        ),
        (
            'data a from csv "a.csv"\n'
            "data train, test from a by split {\n"
            "  test = 20%\n"
            "}\n"
            'model m from train by python "sklearn.linear_model:LogisticRegression" {\n'
            "  predict .churned from .x\n"
            "  measure roc_auc on test\n"
            "}\n"
        ),
    ),
    Code(
        "W104",
        "{data} holds {target}, and rows that {model} was fitted on",
        (
            "What a model says of rows that it has learned from looks better than what it says of new ones. If it "
            "is meant so, write # ok: W104 at the end of the line, or of the block's first line."
        ),
        (
            'data a from csv "a.csv"\n'
            "data train, test from a by split {\n"
            "  test = 20%\n"
            "}\n"
            'model m from train by python "sklearn.linear_model:LogisticRegression" {\n'
            "  predict .churned from .x\n"
            "  measure roc_auc on test\n"
            "}\n"
            "data scores from a by m\n"
        ),
        (
            'data a from csv "a.csv"\n'
            "data train, test from a by split {\n"
            "  test = 20%\n"
            "}\n"
            'model m from train by python "sklearn.linear_model:LogisticRegression" {\n'
            "  predict .churned from .x\n"
            "  measure roc_auc on test\n"
            "}\n"
            "data scores from test by m\n"
        ),
    ),
    Code(
        "W105",
        "{package} is not installed here",
        (
            "A spec can be checked without the packages that it names, and is made where they are. What one of a "
            "package takes cannot be checked without it, and its version is part of what is made. If it is meant so, "
            "write # ok: W105 at the end of the line."
        ),
        ('data a from csv "a.csv"\nmodel m from a by python "no_such_package:Forest" {\n  predict .y from .x\n}\n'),
        (
            'data a from csv "a.csv"\n'
            'model m from a by python "sklearn.ensemble:RandomForestRegressor" {\n'
            "  predict .y from .x\n"
            "}\n"
        ),
    ),
    Code(
        "W201",
        "{column} alone tells {target}",
        (
            "A column that knows the answer for certain is most often made from it, or written down after it was "
            "known. If it will not be known when the model is asked, take it out of the features. If it is meant "
            "so, write # ok: W201 at the end of the line, or of the block's first line."
        ),
        (
            'data a from csv "a.csv"\n'
            "data train, test from a by split {\n"
            "  test = 20%\n"
            "}\n"
            'model m from train by python "sklearn.linear_model:LogisticRegression" {\n'
            "  predict .churned from .x, .plan\n"
            "  measure roc_auc on test\n"
            "}\n"
        ),
        (
            'data a from csv "a.csv"\n'
            "data train, test from a by split {\n"
            "  test = 20%\n"
            "}\n"
            'model m from train by python "sklearn.linear_model:LogisticRegression" {\n'
            "  predict .churned from .x\n"
            "  measure roc_auc on test\n"
            "}\n"
        ),
    ),
    Code(
        "W202",
        "{count} stand in {first} and in {other}",
        (
            "A model recognises whom it has seen. With by = .key all rows of a key stay on one side; without a "
            "seed, equal rows do. If it is meant so, write # ok: W202 at the end of the line, or of the block's "
            "first line."
        ),
        (
            'data a from csv "a.csv"\n'
            "data train, test from a by split {\n"
            "  test = 20%\n"
            "}\n"
            'model m from train by python "sklearn.linear_model:LogisticRegression" {\n'
            "  predict .churned from .x\n"
            "  measure roc_auc on test\n"
            "}\n"
        ),
        (
            'data a from csv "a.csv"\n'
            "data train, test from a by split {\n"
            "  test = 20%\n"
            "  by   = .name\n"
            "}\n"
            'model m from train by python "sklearn.linear_model:LogisticRegression" {\n'
            "  predict .churned from .x\n"
            "  measure roc_auc on test\n"
            "}\n"
        ),
        about="a key, or a whole row, on both sides of a split",
    ),
    Code(
        "W203",
        "the rows of {data} follow each other in time by {column}, and are dealt at random",
        (
            "A model that has seen tomorrow knows today. A cut in the order of time asks what life will ask. If "
            "it is meant so, write # ok: W203 at the end of the line, or of the block's first line."
        ),
        (
            'data a from csv "a.csv"\n'
            "data train, test from a by split {\n"
            "  test = 20%\n"
            "}\n"
            'model m from train by python "sklearn.linear_model:LogisticRegression" {\n'
            "  predict .churned from .x\n"
            "  measure roc_auc on test\n"
            "}\n"
        ),
        (
            'data a from csv "a.csv"\n'
            "data train, test from a by split {\n"
            "  test  = 20%\n"
            "  order = .day\n"
            "}\n"
            'model m from train by python "sklearn.linear_model:LogisticRegression" {\n'
            "  predict .churned from .x\n"
            "  measure roc_auc on test\n"
            "}\n"
        ),
    ),
    Code(
        "W204",
        "{name} = {value} on {data}, and the most frequent answer alone gets {share}",
        (
            "Where nearly all answers are the same, always giving that one is right nearly always. "
            "balanced_accuracy, roc_auc and f1_macro tell more. If it is meant so, write # ok: W204 at the end of "
            "the line, or of the block's first line."
        ),
        (
            'data a from csv "a.csv"\n'
            "data train, test from a by split {\n"
            "  test = 20%\n"
            "}\n"
            'model m from train by python "sklearn.linear_model:LogisticRegression" {\n'
            "  predict .churned from .x\n"
            "  measure accuracy on test\n"
            "}\n"
        ),
        (
            'data a from csv "a.csv"\n'
            "data train, test from a by split {\n"
            "  test = 20%\n"
            "}\n"
            'model m from train by python "sklearn.linear_model:LogisticRegression" {\n'
            "  predict .churned from .x\n"
            "  measure balanced_accuracy, roc_auc on test\n"
            "}\n"
        ),
    ),
)
