"""A statement -> every name, column and place that stands in it, and what each is. Spans count as the tree's own do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple

from ..grammar import tree
from ..grammar.kinds import RECIPES
from ..grammar.source import Span

Form = Literal["name", "member", "column", "metric", "argument", "recipe", "place", "alias"]


class Occurrence(NamedTuple):
    """A word that stands for something.

    name: an artifact, param, secret, environment or use. member: a part of the name `of`, which may have dots itself.
    column: one of the data `of`. metric, argument: of the block. recipe, place: `of` is the recipe's word for a place.
    alias: what the recipe calls an input. `declares` is true where it is made known.
    """

    form: Form
    text: str
    span: Span
    of: str = ""
    declares: bool = False


def occurrences(statement: tree.Statement) -> Iterator[Occurrence]:
    match statement:
        case tree.Block():
            yield from _block(statement)
        case tree.Param():
            yield _declared(statement.name)
            yield from _in(statement.value)
        case tree.Secret():
            yield from (_declared(name) for name in statement.names)
        case tree.Env():
            yield _declared(statement.name)
            for line in statement.lines:
                yield from _of_env(line)
        case tree.Use():
            yield Occurrence("place", statement.place.value, statement.place.inner, "use")
            yield _declared(statement.alias)
            for line in statement.lines:
                if isinstance(line, tree.Assign):
                    yield Occurrence("member", line.name, line.name_span, statement.alias.text)
                    yield from _in(line.value)
        case _:
            pass


def _declared(name: tree.Name) -> Occurrence:
    return Occurrence("name", name.text, name.span, declares=True)


def _of_env(line: tree.Line) -> Iterator[Occurrence]:
    if isinstance(line, tree.SetPath):
        yield from _reference(line.path)
        yield from _in(line.value)
    elif isinstance(line, tree.Assign):
        yield Occurrence("argument", line.name, line.name_span, "env")
        yield from _in(line.value)


# --- blocks -----------------------------------------------------------------------------------------------------


def _block(block: tree.Block) -> Iterator[Occurrence]:
    yield from (_declared(name) for name in block.names)
    for item in block.inputs:
        yield from _input(item)
    if block.recipe is not None:
        yield from _recipe(block)
    own, fed = block.names[0].text, first_input(block)
    outputs = {name.text for name in block.names}
    for line in block.lines:
        yield from _line(line, block.kind, own, fed, outputs)


def first_input(block: tree.Block) -> str:
    """The name, as it is written, of the first artifact that goes in; "" without one."""
    return next((str(item.reference) for item in block.inputs if item.place is None), "")


def _input(item: tree.Input) -> Iterator[Occurrence]:
    if item.place is None:
        yield from _reference(item.reference)
        if item.alias:
            start = item.span.end - len(item.alias)
            yield Occurrence("alias", item.alias, Span(item.span.path, start, item.span.end))
        return
    yield Occurrence("recipe", item.reference.name, item.reference.span)
    yield from _place(item.place, item.reference.name)


def _recipe(block: tree.Block) -> Iterator[Occurrence]:
    recipe = block.recipe
    assert recipe is not None
    if recipe.place is None and recipe.reference.name not in RECIPES:
        yield from _reference(recipe.reference)
        return
    yield Occurrence("recipe", recipe.reference.name, recipe.reference.span)
    if recipe.place is not None:
        yield from _place(recipe.place, recipe.reference.name)


def _place(place: tree.Text | tree.Reference, word: str) -> Iterator[Occurrence]:
    if isinstance(place, tree.Text):
        yield Occurrence("place", place.value, place.inner, word)
    else:
        yield from _reference(place)


def _line(line: tree.Line, kind: str, own: str, fed: str, outputs: set[str]) -> Iterator[Occurrence]:
    match line:
        case tree.ColumnLine():
            yield Occurrence("column", line.name, line.name_span, own, declares=True)
            yield from _in(line.within)
        case tree.Assign():
            form: Form = "name" if line.name in outputs else "argument"
            yield Occurrence(form, line.name, line.name_span)
            yield from _in(line.value, fed)
        case tree.Among():
            yield Occurrence("argument", line.name, line.name_span)
            yield from _in(line.choices)
        case tree.Predict():
            for column in (*line.targets, *(line.features or ()), *line.but):
                yield _column(column, fed)
        case tree.Measure():
            yield from _measured(line)
        case tree.Search() | tree.Needs():
            for pair in line.options:
                yield Occurrence(
                    "argument", pair.name, pair.name_span, "needs" if isinstance(line, tree.Needs) else "search"
                )
                yield from _in(pair.value, own, "metric")
        case tree.Expect():
            yield from _in(line.condition, own, "column" if kind == "data" else "metric")
        case tree.Each() if isinstance(line.by, tree.Column):
            yield _column(line.by, fed)
        case _:
            pass


def _measured(line: tree.Measure) -> Iterator[Occurrence]:
    for metric in line.metrics:
        yield Occurrence("metric", metric.name, metric.name_span, declares=not metric.alias and metric.place is None)
        if metric.place is not None:
            yield Occurrence("place", metric.place.value, metric.place.inner, "python")
        if metric.alias:
            end = metric.span.end
            alias = Span(metric.span.path, end - len(metric.alias), end)
            yield Occurrence("metric", metric.alias, alias, declares=True)
    yield from _reference(line.on)


# --- expressions ------------------------------------------------------------------------------------------------


def _in(
    written: tree.Expression | None, of: str = "", form: Literal["column", "metric"] = "column"
) -> Iterator[Occurrence]:
    match written:
        case tree.Reference():
            yield from _reference(written)
        case tree.Column():
            yield _column(written, of)._replace(form=form)
        case tree.Call():
            for argument in written.arguments:
                yield from _in(argument, of, form)
        case tree.Unary():
            yield from _in(written.operand, of, form)
        case tree.Binary():
            yield from _in(written.left, of, form)
            yield from _in(written.right, of, form)
        case tree.Range():
            yield from _in(written.low, of, form)
            yield from _in(written.high, of, form)
        case tree.Choice():
            for option in written.options:
                yield from _in(option, of, form)
        case tree.Items():
            for item in written.items:
                yield from _in(item, of, form)
        case _:
            pass


def _column(column: tree.Column, of: str) -> Occurrence:
    """Its span is that of the name, without the dot."""
    return Occurrence("column", column.name, Span(column.span.path, column.span.start + 1, column.span.end), of)


def _reference(reference: tree.Reference) -> Iterator[Occurrence]:
    start, path = reference.span.start, reference.span.path
    if reference.name == "last":
        return
    yield Occurrence("name", reference.name, Span(path, start, start + len(reference.name)))
    if reference.span.end - start != len(str(reference)):
        return  # a part is quoted, or stands apart: where each begins is not known
    of, start = reference.name, start + len(reference.name)
    for part in reference.path:
        yield Occurrence("member", part, Span(path, start + 1, start + 1 + len(part)), of)
        of, start = f"{of}.{part}", start + 1 + len(part)
