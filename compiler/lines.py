"""What the lines of a body are called, by their form."""

from __future__ import annotations

from ..grammar import tree

FORMS: dict[type, str] = {
    tree.ColumnLine: "column", tree.Assign: "argument", tree.Among: "among", tree.Predict: "predict",
    tree.Search: "search", tree.Measure: "measure", tree.Expect: "expect", tree.Needs: "needs", tree.Every: "every",
    tree.Each: "each", tree.SetPath: "set",
}  # fmt: skip


def word(line: tree.Line) -> str:
    return FORMS[type(line)]
