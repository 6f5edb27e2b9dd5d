"""What the lines of a body are called, by their form."""

from __future__ import annotations

from ..grammar import tree

FORMS: dict[type, str] = {
    tree.ColumnLine: "column", tree.Assign: "argument", tree.Among: "among", tree.Predict: "predict",
    tree.Search: "search", tree.Measure: "measure", tree.Expect: "expect", tree.Needs: "needs", tree.Every: "every",
    tree.Each: "each", tree.SetPath: "set",
}  # fmt: skip


def said(line: tree.Line) -> str:
    """A line in the words of who wrote it."""
    return (
        f"{line.name} in …"
        if isinstance(line, tree.Among)
        else f"a{'n' * (word(line)[0] in 'aeiou')} {word(line)} line"
    )


def word(line: tree.Line) -> str:
    return FORMS[type(line)]
