"""How each recipe makes a block: its node, and the columns that come out."""

from __future__ import annotations

from ..grammar import tree
from ..grammar.kinds import Recipe
from . import (
    arguments,
    declared,
    each,
    learn,
    notebook,
    notebook_fits,
    python_fits,
    querying,
    running,
    search,
    serving,
    shares,
    signature,
    sourcing,
    values,
)
from .knowing import codes_known
from .program import Input, Node
from .program import Recipe as Made
from .resolve import is_source
from .scope import Scope, features_missing
from .types import Columns, by_name


def node(block: tree.Block, recipe: Recipe, scope: Scope) -> Node | None:
    """The node without measures and expectations; None when nothing can be said of it."""
    made = _node(block, recipe, scope)
    return declared.with_at_least(each.with_each(block, made, scope), scope) if made is not None else None


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
        return sourcing.node(block, base, scope)
    match recipe.word:
        case "sql":
            return querying.node(block, base, given, scope)
        case "split":
            return _split(block, base, given, scope)
        case "predict":
            return _predict(block, base, scope)
        case "python" if base.kind == "service":
            entry = arguments.place(block.recipe.place if block.recipe else None, scope)
            return serving.python(block, base, entry, given, scope)
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
    taken = {one.alias for one in found}
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
        if alias in taken:
            scope.tell("E102", item.span, {"name": alias}, help="give it another name with as")
        taken.add(alias)
        found.append(Input(name=item.reference.name, alias=alias, kind=kind, last=item.last))  # type: ignore[arg-type]
    return tuple(found)


def _kind_of(item: tree.Input, block: tree.Block, scope: Scope) -> str:
    """Of what is not there, which was told, the kind that is most likely meant."""
    if scope.is_there(item):
        return scope.names.kind_of(item.reference.name)
    return "model" if block.kind == "service" else "data"


# --- split ----------------------------------------------------------------------------------------------------


def _split(block: tree.Block, base: Node, given: arguments.Given, scope: Scope) -> Node:
    shares.check(block, base, given, scope)
    plain = {name: value.name if isinstance(value, values.ColumnValue) else values.plain(value)
             for name, (value, _) in given.items()}  # fmt: skip
    known = scope.columns.get(base.inputs[0].name) if base.inputs else None
    columns = declared.conforming(block, base, known, scope)
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
        help_ = f"write in {model.name}: predict .target from .a, .b"
        if not learn.is_told(model, scope):
            scope.tell("E215", block.head, {"name": model.name}, help=help_)
    elif (with_features := scope.columns_with(data.name, *model.predict.features)) is not None:
        _features_there(block, model, data.name, with_features, scope)
    columns = None if known is None else (*known, *learn.prediction_columns(model, scope))
    return made.model_copy(update={"columns": {base.name: declared.conforming(block, base, columns, scope)}})


def _seen(block: tree.Block, base: Node, scope: Scope) -> Node:
    known = serving.seen(block, base, scope)
    columns = declared.conforming(block, base, known, scope) if known is not None else base.declared or None
    return base.model_copy(update={"columns": {base.name: columns}})


def _features_there(block: tree.Block, model: Node, data: str, known: Columns, scope: Scope) -> None:
    assert model.predict is not None
    names = by_name(known)
    features = model.predict.features
    learnt = scope.columns_with(model.inputs[0].name, *features) if model.inputs else None
    trained = by_name(learnt or ())
    told = [name for name in features if learnt is not None and name not in trained]  # at the predict line
    span = block.inputs[0].span
    missing = [name for name in features if name not in names and name not in told]
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
    entry = arguments.place(written, scope)
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
    place = arguments.place(written, scope)
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
    made = base.model_copy(update={"recipe": recipe.model_copy(update={"moments": arguments.moments(given)})})
    if base.kind == "model":
        return learn.model(block, made, given, scope)
    return made.model_copy(update={"columns": dict.fromkeys(base.names)})


# --- shell ----------------------------------------------------------------------------------------------------


def _shell(block: tree.Block, base: Node, scope: Scope) -> Node | None:
    command = arguments.place(block.recipe.place if block.recipe else None, scope)
    if command is None:
        return None
    arguments.apart_from_inputs(block, scope)
    made = base.model_copy(update={"recipe": Made(word="shell", text=command)})
    if base.kind == "model":
        return learn.model(block, made, {}, scope)
    return made.model_copy(update={"columns": {base.name: None}})
