"""How each recipe makes a block: its node, and the columns that come out."""

from __future__ import annotations

import posixpath

from ..grammar import tree
from ..grammar.diagnostic import Fix, listing
from ..grammar.kinds import RECIPES, SOURCES, Argument, Recipe
from ..grammar.source import Span
from . import (
    arguments,
    declared,
    each,
    learn,
    meant,
    notebook,
    notebook_fits,
    outside,
    python_fits,
    running,
    search,
    serving,
    shares,
    signature,
    sql,
    values,
)
from .knowing import codes_known
from .load import Found, Unreadable, apart_by, is_remote
from .program import Input, Node, Value
from .program import Recipe as Made
from .resolve import is_lost, is_source
from .scope import Scope, did_you_mean, features_missing
from .types import INT, TEXT, Column, Columns, by_name, optional, required


def node(block: tree.Block, recipe: Recipe, scope: Scope) -> Node | None:
    """The node without measures and expectations; None when nothing can be said of it."""
    made = _node(block, recipe, scope)
    return each.with_each(block, made, scope) if made is not None else None


def _node(block: tree.Block, recipe: Recipe, scope: Scope) -> Node | None:
    given = arguments.read(block, recipe, scope)
    base = Node(
        names=tuple(name.text for name in block.names),
        kind=block.kind,  # type: ignore[arg-type]
        inputs=_inputs(block, scope),
        recipe=Made(word=recipe.word),
        arguments={n: values.plain(v) for n, (v, _) in given.items() if not isinstance(v, values.Secret)},
        secrets={n: v.name for n, (v, _) in given.items() if isinstance(v, values.Secret)},
        declared=declared.columns(block, scope),
        **running.read(block, scope),  # type: ignore[arg-type]
        known=codes_known(block.span, scope.sources[block.span.path]),
        doc=block.doc,
        span=scope.place(block.span),
    )
    if recipe.source:
        return _source(block, base, scope)
    match recipe.word:
        case "sql":
            return _sql(block, base, given, scope)
        case "split":
            return _split(block, base, given, scope)
        case "predict":
            return _predict(block, base, scope)
        case "python" if base.kind == "service":
            return serving.python(block, base, _place(block.recipe.place if block.recipe else None, scope), scope)
        case "seen":
            return _seen(block, base, scope)
        case "python":
            return _python(block, base, given, scope)
        case "notebook":
            return _notebook(block, base, given, scope)
        case "http":
            return serving.http(block, base, scope)
        case _:
            return _shell(block, base, scope)


def _inputs(block: tree.Block, scope: Scope) -> tuple[Input, ...]:
    found: list[Input] = []
    if block.recipe and block.recipe.place is None and block.recipe.reference.name in scope.names.block_of:
        found.append(Input(name=block.recipe.reference.name, alias="model", kind="model"))
    for item in block.inputs:
        if is_source(item):
            continue
        kind = _kind_of(item, block, scope)
        if kind == "service" and (block.kind != "data" or block.recipe is not None):
            facts = {
                "name": item.reference.name,
                "kind": kind,
                "wanted": "a model" if block.kind == "service" else "data",
            }
            help_ = f"what it saw is data: data seen from {item.reference}" if block.kind != "service" else ""
            scope.tell("E104", item.span, facts, help=help_)
            continue
        alias = item.alias or item.reference.name
        if any(other.alias == alias for other in found):
            scope.tell("E102", item.span, {"name": alias}, help="give it another name with as")
        found.append(Input(name=item.reference.name, alias=alias, kind=kind, last=item.last))  # type: ignore[arg-type]
    return tuple(found)


def _kind_of(item: tree.Input, block: tree.Block, scope: Scope) -> str:
    """Of what is not there, which was told, the kind that is most likely meant."""
    if scope.is_there(item):
        return scope.names.kind_of(item.reference.name)
    return "model" if block.kind == "service" else "data"


PLACE = Argument("the place", "text", "")


def _place(written: tree.Text | tree.Reference | None, scope: Scope) -> str | None:
    """The quoted place, or the text of a param; None when a mistake has been told."""
    if isinstance(written, tree.Text):
        return written.value
    assert written is not None
    told = len(scope.told)
    value = values.read(written, scope.params, scope.told)
    scope.told[told:] = [meant.unquoted(one, PLACE) for one in scope.told[told:]]
    if value is not None and not isinstance(value, str):
        scope.tell("E206", written.span, {"name": "the place", "wanted": "a text in quotes", "found": str(written)})
        return None
    return value


def merged(known: Columns | None, declared_: Columns) -> Columns | None:
    """The declared columns where there are some, the known ones as they are; None when no more is known."""
    if known is None:
        return None
    names = by_name(declared_)
    return tuple(names.get(column.name, column) for column in known)


# --- sources --------------------------------------------------------------------------------------------------


def _source(block: tree.Block, base: Node, scope: Scope) -> Node | None:
    item = block.inputs[0]
    place = _place(item.place, scope)
    if place is None or item.place is None:
        return None
    made = base.model_copy(update={"recipe": Made(word=base.recipe.word, place=place)})
    if not outside.is_sound(block, base, place, scope):
        return made.model_copy(update={"columns": dict.fromkeys(base.names)})
    found: Found = _locked(base, place, scope)
    if found is None:
        found = scope.files.columns(base.recipe.word, place, base.arguments, base.declared)
    if isinstance(found, Unreadable):
        help_ = _instead(base.recipe.word, place, found, scope)
        line = outside.line_of(block, found.argument)
        scope.tell("E701", line.value.span if line else item.place.span, {"why": found.why}, help=help_)
        return made.model_copy(update={"columns": dict.fromkeys(base.names)})
    if base.recipe.word == "folder":
        return made
    columns = base.declared or None  # where it is not looked into before it is read
    if found is not None:
        columns = _renamed(block, base, found, scope)
        _as_pinned(item.place.span, base, columns, scope)
    outputs = {base.name: columns}
    if len(base.names) > 1:
        outputs[base.names[1]] = REJECTS
    return made.model_copy(update={"columns": outputs})


def _instead(word: str, place: str, found: Unreadable, scope: Scope) -> str:
    """The way out of a place that cannot be read: the nearest one, or the source that reads such files."""
    if not found.there:
        return found.help or did_you_mean(place, scope.files.names(), " ")
    ending = posixpath.splitext(place)[1].lower()
    other = next((source.word for source in SOURCES.values() if ending in source.endings), "")
    misread = other and found.argument == "" and ending not in SOURCES[word].endings
    return f'write from {other} "{place}"' if misread else found.help


def _locked(base: Node, place: str, scope: Scope) -> Columns | None:
    """By the lock, if that is to be taken as it is. What lies far away is not looked into with or without one."""
    pinned = scope.locked.get(base.name)
    return pinned.held(base.declared) if pinned and not is_remote(base.recipe.word, place) else None


REJECTS: Columns = (
    Column(name="file", type=TEXT),
    Column(name="line", type=INT),
    Column(name="column", type=optional(TEXT)),
    Column(name="value", type=optional(TEXT)),
    Column(name="reason", type=TEXT),
    Column(name="row", type=TEXT),
)


def _renamed(block: tree.Block, base: Node, found: Columns, scope: Scope) -> Columns:
    in_file = by_name(found)
    by_origin = {column.origin or column.name: column for column in base.declared}
    for line in block.lines:
        if isinstance(line, tree.ColumnLine):
            origin = line.origin.value if line.origin else line.name
            if origin not in in_file:
                span = line.origin.span if line.origin else line.name_span
                note = f"the file has {_some(found)}"
                apart = apart_by(list(in_file)) if base.recipe.word == "csv" else ""
                help_ = did_you_mean(origin, (name for name in in_file if name not in by_origin), " ")
                help_ = f"its values stand apart by another mark: {apart}" if apart else help_
                fix = None
                if line.name in {argument.name for argument in RECIPES[base.recipe.word].arguments}:
                    help_ = f"an argument gets its value by =: {line.name} = {scope.written(line.type.span)}"
                    fix = (
                        Fix(Span(span.path, line.name_span.end, line.type.span.start), " = ")
                        if line.type.values
                        else None
                    )
                scope.tell("E303", span, {"column": origin}, note=note, help=help_, fix=fix)
    return tuple(by_origin.get(column.name, column) for column in found)


def _as_pinned(span: Span, base: Node, columns: Columns, scope: Scope) -> None:
    """An undeclared column has the type that its values have; once it was accepted, another one is an error."""
    pinned = scope.pinned.get(base.name)
    for column in columns if pinned else ():
        before = pinned.type_of(column.name) if pinned else ""
        now = str(required(column.type))
        if before and before != now and not column.declared:
            name = column.name if column.name.isidentifier() else f'"{column.name}"'
            declare = f"{name}: {before}{'?' * column.type.optional}" if column.empty else f"{name}: {now}"
            facts = {"column": column.name, "before": before, "now": "without any value" if column.empty else now}
            scope.tell("E308", span, facts, help=f"declare what it is to be: {declare}")


def _some(columns: Columns) -> str:
    return listing([column.name for column in columns])


# --- sql ------------------------------------------------------------------------------------------------------


def _sql(block: tree.Block, base: Node, given: arguments.Given, scope: Scope) -> Node | None:
    written = block.recipe.place if block.recipe else None
    query = _query(written, scope)
    if query is None or written is None:
        return None
    text, file = query
    tables = {item.alias: scope.columns.get(item.name) for item in base.inputs if item.kind == "data"}
    strangers = [item for item in base.inputs if item.kind != "data"]
    for stranger in strangers:
        scope.tell("E104", block.head, {"name": stranger.name, "kind": stranger.kind, "wanted": "data"})
    if strangers:
        return base.model_copy(update={"columns": {base.name: base.declared or None}})
    for item in block.inputs:
        if item.last:
            scope.tell(
                "E115", item.span, {"name": item.reference.name}, help="hand it to a Python, notebook or shell recipe"
            )
    if not all(map(scope.is_there, block.inputs)):
        tables |= dict.fromkeys(sql.tables_of(text))  # any of them may be meant by the name that is not there
    own = {**_told_of(block, scope), **scope.params_of(block), **{name: value for name, (value, _) in given.items()}}
    bound = sql.bind(text, tables, own)
    if bound.problem is not None:
        _sql_problem(base.name, bound.problem, written, text, file, scope)
    else:
        _unused(block, base, bound, scope)
    used: dict[str, Value] = {name: values.plain(own.get(name)) for name in bound.parameters}
    moments = tuple(name for name in bound.parameters if values.is_moment(own.get(name)))
    made = Made(word="sql", place=file, text=text, digest=sql.fingerprint(text), moments=moments)
    columns = _conforming(block, base, bound.columns, scope)
    return base.model_copy(update={"recipe": made, "arguments": used, "columns": {base.name: columns}})


def _told_of(block: tree.Block, scope: Scope) -> dict[str, object]:
    """The arguments and params that have no value because of a mistake that was told."""
    given = (line.name for line in block.lines if isinstance(line, tree.Assign))
    return dict.fromkeys((*given, *scope.names.lost))


def _query(written: tree.Text | tree.Reference | None, scope: Scope) -> tuple[str, str] | None:
    """The query and its file, "" when inline. One line in quotes that ends in .sql is a file."""
    text = _place(written, scope)
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


def _conforming(block: tree.Block, base: Node, found: Columns | None, scope: Scope) -> Columns | None:
    """What comes out, held against the declared columns of the block."""
    if found is None:
        return None if scope.rests_on_mistakes(base) else base.declared or None
    known = by_name(found)
    for line in block.lines:
        if not isinstance(line, tree.ColumnLine):
            continue
        column = known.get(line.name)
        if column is None:
            scope.tell(
                "E303",
                line.name_span,
                {"column": line.name},
                note=f"there is {_some(found)}",
                help=did_you_mean(line.name, known, " "),
            )
            continue
        declared_ = by_name(base.declared).get(line.name)
        if declared_ is not None and not _may_be(column, declared_):
            facts = {"column": line.name, "declared": str(declared_.type), "found": str(column.type)}
            scope.tell("E304", line.type.span, facts, help="declare what it is, or cast it in the recipe")
    return merged(found, base.declared)


def _may_be(found: Column, declared_: Column) -> bool:
    allowed = {("int", "float"), ("float", "int"), ("timestamp", "date"), ("date", "timestamp")}
    pair = (found.type.base, declared_.type.base)
    return pair[0] == pair[1] or pair in allowed


# --- split ----------------------------------------------------------------------------------------------------


def _split(block: tree.Block, base: Node, given: arguments.Given, scope: Scope) -> Node:
    shares.check(block, base, given, scope)
    plain = {name: value.name if isinstance(value, values.ColumnValue) else values.plain(value)
             for name, (value, _) in given.items()}  # fmt: skip
    known = scope.columns.get(base.inputs[0].name) if base.inputs else None
    columns = _conforming(block, base, known, scope)
    if base.inputs and base.inputs[0].kind != "data":
        scope.tell("E104", block.head, {"name": base.inputs[0].name, "kind": base.inputs[0].kind, "wanted": "data"})
    return base.model_copy(update={"arguments": plain, "columns": dict.fromkeys(base.names, columns)})


# --- a model as recipe ----------------------------------------------------------------------------------------


def _predict(block: tree.Block, base: Node, scope: Scope) -> Node:
    model = scope.nodes.get(base.inputs[0].name) if base.inputs else None
    made = base.model_copy(update={"recipe": Made(word="predict")})
    if model is None or len(base.inputs) < 2:
        return made.model_copy(update={"columns": {base.name: None}})
    data = base.inputs[1]
    known = scope.columns.get(data.name)
    if scope.may_hold(model.name, "predict"):
        known = None
    elif model.predict is None:
        scope.tell("E215", block.head, {"name": model.name}, help=f"write in {model.name}: predict .target from .a, .b")
    elif known is not None:
        _features_there(block, model, data.name, known, scope)
    columns = None if known is None else (*known, *learn.prediction_columns(model, scope))
    return made.model_copy(update={"columns": {base.name: _conforming(block, base, columns, scope)}})


def _seen(block: tree.Block, base: Node, scope: Scope) -> Node:
    known = serving.seen(block, base, scope)
    columns = _conforming(block, base, known, scope) if known is not None else base.declared or None
    return base.model_copy(update={"columns": {base.name: columns}})


def _features_there(block: tree.Block, model: Node, data: str, known: Columns, scope: Scope) -> None:
    assert model.predict is not None
    names = by_name(known)
    trained = by_name(scope.columns.get(model.inputs[0].name) or ()) if model.inputs else {}
    span = block.inputs[0].span
    missing = [name for name in model.predict.features if name not in names]
    features_missing(scope, span, missing, known, data, f"{model.name} predicts from it")
    for feature in model.predict.features:
        if feature in names and feature in trained and names[feature].type.base != trained[feature].type.base:
            numbers = {names[feature].type.base, trained[feature].type.base} == {"int", "float"}
            if not numbers:
                facts = {"column": feature, "declared": str(trained[feature].type), "found": str(names[feature].type)}
                scope.tell("E304", span, facts, help=f"{model.name} was trained on {trained[feature].type}")


# --- python ---------------------------------------------------------------------------------------------------


def _python(block: tree.Block, base: Node, given: arguments.Given, scope: Scope) -> Node | None:
    written = block.recipe.place if block.recipe else None
    entry = _place(written, scope)
    if entry is None or written is None:
        return None
    read = scope.signature(entry)
    if isinstance(read, signature.Problem):
        python_fits.unreadable(read, written, scope)
        return _of_no_code(block, base, scope)
    code = read.code
    search.told_once(lambda: python_fits.check(search.as_given(block), base, read, scope), block, scope)
    return _of_code(block, base, Made(word="python", place=entry, digest=code.digest, code=code), given, scope)


def _of_no_code(block: tree.Block, base: Node, scope: Scope) -> Node | None:
    """What else can be said of a block whose function or notebook cannot be read."""
    if base.kind == "model":
        learn.alone(block, base, scope)
        return None
    return base.model_copy(update={"columns": dict.fromkeys(base.names)})


def _notebook(block: tree.Block, base: Node, given: arguments.Given, scope: Scope) -> Node | None:
    written = block.recipe.place if block.recipe else None
    place = _place(written, scope)
    if place is None or written is None:
        return None
    read = notebook.read(place, scope.files.text)
    if isinstance(read, signature.Problem):
        notebook_fits.unreadable(read, written, scope)
        return _of_no_code(block, base, scope)
    search.told_once(lambda: notebook_fits.check(search.as_given(block), base, read, scope), block, scope)
    searched = tuple(line.name for line in block.lines if isinstance(line, tree.Among))
    names = (*(item.alias for item in base.inputs), *base.arguments, *base.secrets, *searched)
    code = read.code.model_copy(update={"parameters": names})
    return _of_code(block, base, Made(word="notebook", place=code.entry, digest=code.digest, code=code), given, scope)


def _of_code(block: tree.Block, base: Node, recipe: Made, given: arguments.Given, scope: Scope) -> Node:
    made = base.model_copy(update={"recipe": recipe})
    if base.kind == "model":
        return learn.model(block, made, given, scope)
    outputs: dict[str, Columns | None] = dict.fromkeys(base.names)
    outputs[base.name] = base.declared or None
    return made.model_copy(update={"columns": outputs})


# --- shell ----------------------------------------------------------------------------------------------------


def _shell(block: tree.Block, base: Node, scope: Scope) -> Node | None:
    command = _place(block.recipe.place if block.recipe else None, scope)
    if command is None:
        return None
    arguments.apart_from_inputs(block, scope)
    made = base.model_copy(update={"recipe": Made(word="shell", text=command)})
    if base.kind == "model":
        return learn.model(block, made, {}, scope)
    return made.model_copy(update={"columns": {base.name: base.declared or None}})
