"""`by sql "…"`: the query bound against what its inputs hold, its problems told where they stand in it."""

from __future__ import annotations

from collections.abc import Mapping

from ..grammar import tree
from . import arguments, declared, sql, values
from .load import undecoded
from .program import Node, Recipe, Value
from .resolve import is_lost
from .scope import Scope, did_you_mean
from .sql_complaints import NO_COLUMN
from .types import TEXT, Column, Columns


def node(block: tree.Block, base: Node, given: arguments.Given, scope: Scope) -> Node | None:
    written = block.recipe.place if block.recipe else None
    query = _query(written, scope)
    if query is None or written is None:
        return None
    text, file = query
    tables = {item.alias: scope.columns.get(item.name) for item in base.inputs if item.kind == "data"}
    strangers = [item for item in base.inputs if item.kind != "data"]
    for stranger in strangers:
        span = next((item.span for item in block.inputs if item.reference.name == stranger.name), block.head)
        scope.tell("E104", span, {"name": stranger.name, "kind": stranger.kind, "wanted": "data"})
    if strangers:
        return base.model_copy(update={"columns": {base.name: None}})
    for item in block.inputs:
        if item.last:
            scope.tell(
                "E115", item.span, {"name": item.reference.name}, help="hand it to a Python, notebook or shell recipe"
            )
    if not all(map(scope.is_there, block.inputs)):
        tables |= dict.fromkeys(sql.tables_of(text))  # any of them may be meant by the name that is not there
    own = {**_told_of(block, scope), **scope.params_of(block), **{name: value for name, (value, _) in given.items()}}
    bound = _bound(text, tables, own, base, scope)
    if bound.problem is not None:
        _sql_problem(base.name, bound.problem, written, text, file, scope)
    else:
        _unused(block, base, bound, scope)
    used: dict[str, Value] = {name: values.plain(own.get(name)) for name in bound.parameters}
    moments = tuple(name for name in bound.parameters if values.is_moment(own.get(name)))
    made = Recipe(word="sql", place=file, text=text, digest=sql.fingerprint(text), moments=moments)
    columns = declared.conforming(block, base, bound.columns, scope)
    return base.model_copy(update={"recipe": made, "arguments": used, "columns": {base.name: columns}})


MORE = Column(name="what is not declared", type=TEXT)


def _bound(
    text: str, tables: dict[str, Columns | None], own: Mapping[str, object], base: Node, scope: Scope
) -> sql.Bound:
    """Where a table may have more columns than are known, a query of the known ones is read with them, if what comes of
    it is the same whatever others there are."""
    least = {item.alias: scope.columns_with(item.name) for item in base.inputs if item.kind == "data"}
    some = {name: columns for name, columns in least.items() if columns is not None and tables.get(name) is None}
    if some:
        bound = sql.bind(text, {**tables, **some}, own)
        more = sql.bind(text, {**tables, **{name: (*columns, MORE) for name, columns in some.items()}}, own)
        if _is_certain(bound, more):
            return bound
    return sql.bind(text, tables, own)


def _is_certain(bound: sql.Bound, more: sql.Bound) -> bool:
    """Whether what is said of a query is so whatever columns there are besides; that one is missing never is."""
    if bound.problem is not None and more.problem is not None:
        return bound.problem.message == more.problem.message and not bound.problem.message.startswith(NO_COLUMN)
    return bound.problem is more.problem and bound.columns == more.columns


def _told_of(block: tree.Block, scope: Scope) -> dict[str, object]:
    """The arguments and params that have no value because of a mistake that was told."""
    given = (line.name for line in block.lines if isinstance(line, tree.Assign))
    return dict.fromkeys((*given, *scope.names.lost))


def _query(written: tree.Text | tree.Reference | None, scope: Scope) -> tuple[str, str] | None:
    """The query and its file, "" when inline. One line in quotes that ends in .sql is a file."""
    text = arguments.place(written, scope)
    if text is None or written is None:
        return None
    if (isinstance(written, tree.Text) and written.raw) or not text.strip().lower().endswith(".sql"):
        return text, ""
    found = scope.files.text(text)
    if found is None:
        scope.tell(
            "E701", written.span, {"why": f"there is no file {text}"}, help=did_you_mean(text, scope.files.names(), " ")
        )
        return None
    wrong = undecoded(text, found)
    if wrong is not None:
        scope.tell("E701", written.span, {"why": wrong.why}, help=wrong.help)
        return None
    return found, text


def _sql_problem(
    name: str, problem: sql.Problem, written: tree.Text | tree.Reference, text: str, file: str, scope: Scope
) -> None:
    span = written.span
    note = ""
    if file:
        line = text.count("\n", 0, problem.start) + 1
        column = problem.start - (text.rfind("\n", 0, problem.start) + 1) + 1
        note = f"{file}:{line}:{column}"
    elif isinstance(written, tree.Text) and len(written.value) == written.inner.end - written.inner.start:
        span = written.inner.inner(problem.start, max(problem.end, problem.start + 1))
    if text.startswith("$", problem.start):
        value = text[problem.start + 1 : problem.end]
        if scope.may_hold(name) or is_lost(value, scope.names.lost):
            return  # what gives it may stand in a line that could not be read
    name = text[problem.start + 1 : problem.end]
    if text.startswith("$", problem.start) and name in scope.names.secrets:
        help_ = "a query is kept with what it makes: hand the secret to a function of yours in Python"
        scope.tell("E114", span, {"name": name}, help=help_)
        return
    help_ = problem.help
    if not help_ and text[problem.start : problem.start + 1] == "{":
        help_ = "a query names its inputs as tables, and params as $name; nothing is pasted into it"
    if help_.startswith('write "') and isinstance(written, tree.Text) and not written.raw and not file:
        help_ = help_.replace('"', '\\"')  # it is to stand within a text in quotes
    scope.tell("E501", span, {"message": problem.message}, note=note, help=help_)


def _unused(block: tree.Block, base: Node, bound: sql.Bound, scope: Scope) -> None:
    for line in block.lines:
        if isinstance(line, tree.Assign) and line.name not in bound.parameters:
            scope.tell(
                "E502",
                line.name_span,
                {"name": line.name},
                help=f"write ${line.name} in the query, or take the line away",
            )
    for item in filter(scope.is_there, block.inputs):
        alias = item.alias or item.reference.name
        if alias not in bound.tables and any(i.alias == alias for i in base.inputs):
            scope.tell("E503", item.span, {"name": alias}, help="take it out of from, or read it in the query")
