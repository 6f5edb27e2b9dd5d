"""Names -> Program: each block held against what the language, its recipe and its inputs allow.

Goes through the blocks in the order in which they can be made, so that the columns of what goes in are known.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from ..grammar import tree
from ..grammar.codes import CODES
from ..grammar.diagnostic import Diagnostic, Fix, listing, nearest
from ..grammar.foreign import OTHER_RECIPES
from ..grammar.kinds import ANSWERING, KINDS, LINES, RECIPES, SEEN, SOURCES, TYPES, Recipe
from ..grammar.source import Source, Span
from . import conditions, declared, learn, looked, make, meant, running, search, serving, values, verdict
from .lines import said, word
from .load import Files
from .lock import Pinned
from .memo import Memo
from .program import Expect, Node, Program
from .resolve import Names, is_lost, is_source, unknown_recipe
from .scope import Scope
from .types import Type


def check(
    sources: Mapping[str, Source],
    document: tree.Document,
    names: Names,
    files: Files,
    memo: Memo | None = None,
    pinned: Mapping[str, Pinned] | None = None,
    locked: Mapping[str, Pinned] | None = None,
) -> tuple[Program, tuple[Diagnostic, ...]]:
    """`memo` holds what was found of blocks before, for those that are as they were; `pinned` are the lock's lines, and
    `locked` those that are taken in place of a look into the source."""
    scope = Scope(sources, names, files, {}, pinned or {}, locked or {})
    given = params(names, scope)
    plain = {name: values.plain(value) for name, value in given.items()}
    scope.params = {**given, **{name: values.Secret(name) for name in names.secrets}}
    if memo is not None:
        memo.begin(scope)
    nodes = [node for node in (_remembered(block, scope, memo) for block in names.blocks) if node is not None]
    spec = document.path.rsplit("/", 1)[-1]
    program = Program(
        spec=spec, doc=names.doc, params=plain, secrets=tuple(sorted(names.secrets)), nodes=search.grouped(nodes),
        moments=tuple(name for name, value in given.items() if values.is_moment(value)),
    )  # fmt: skip
    told = tuple(one for one in scope.told if not _names_what_is_lost(one, names))
    if any(CODES[one.code].severity == "error" for one in told) or any(block.unread for block in names.blocks):
        return program, told
    program, warned = looked.look(program, names, files, memo)
    return program, (*told, *warned)


def _names_what_is_lost(one: Diagnostic, names: Names) -> bool:
    return one.code == "E106" and is_lost(str(one.facts["name"]), names.lost)


def _remembered(block: tree.Block, scope: Scope, memo: Memo | None) -> Node | None:
    if memo is None:
        return _block(block, scope)
    known = memo.known(block, scope)
    if known is None:
        told = len(scope.told)
        node = memo.keep(block, scope, _block(block, scope), tuple(scope.told[told:]))
        if node is not None:
            _remember(node, scope)
        return node
    node, diagnostics = known
    scope.told += diagnostics
    if node is None:
        _forget(block, scope)
    else:
        _remember(node, scope)
    return node


# --- params ---------------------------------------------------------------------------------------------------


def params(names: Names, scope: Scope) -> values.Params:
    found: dict[str, values.Plain | tuple[values.Plain, ...]] = {}
    for name, param in names.params.items():
        type_ = declared.read_type(param.type, scope) if param.type else None
        if param.value is None:
            of = scope.written(param.type.span) if param.type else "text"
            example = _as_written(type_)
            way = (
                f"give it one: param {name}: {of} = {example}\nor for this once: mlspec check --set '{name} = {example}'"
                if "." not in name
                else f"give it one: {name.rpartition('.')[2]} = …"
            )
            scope.tell("E107", param.name.span, {"name": name}, help=way)
            found[name] = None
            continue
        if param.type is None and isinstance(param.value, tree.Reference) and str(param.value) in TYPES:
            help_ = f"a type stands after a colon: param {name}: {param.value}"
            scope.tell("E106", param.value.span, {"name": str(param.value)}, help=help_)
            continue
        value = values.read(param.value, found, scope.told)
        if type_ is not None and value is not None and not _is_of(value, type_):
            facts = {"name": name, "type": str(type_), "found": scope.written(param.value.span)}
            help_, fix = meant.for_type(param.value, type_)
            scope.tell("E108", param.value.span, facts, help=help_, fix=fix)
            value = None  # and nothing is held against it
        found[name] = _as_declared(value, type_)
    return found


def _as_declared(value: object, type_: Type | None) -> values.Plain | tuple[values.Plain, ...]:
    """A date where a timestamp is asked for is the beginning of its day."""
    if isinstance(value, values.Moment):
        at_midnight = type_ is not None and type_.base == "timestamp" and value.type == "date"
        return values.Moment(f"{value.text}T00:00") if at_midnight else value
    if isinstance(value, tuple) and all(isinstance(one, values.Moment) for one in value):
        return tuple(_as_declared(one, type_ and type_.item) for one in value)  # type: ignore[misc]
    return values.plain(value)


def _as_written(type_: Type | None) -> str:
    """What a value of a type looks like."""
    base = type_.base if type_ else "text"
    return {"text": '"…"', "date": "2015-01-31", "timestamp": "2015-01-31T12:30", "bool": "true"}.get(base, "…")


def _is_of(value: object, type_: Type) -> bool:
    if isinstance(value, values.Moment):
        return type_.base in (value.type, "timestamp")
    if type_.values:
        return value in type_.values
    if type_.base == "list":
        return isinstance(value, tuple) and (type_.item is None or all(_is_of(item, type_.item) for item in value))
    kinds: dict[str, type | tuple[type, ...]] = {"int": int, "float": (int, float), "bool": bool, "text": str}
    return isinstance(value, kinds.get(type_.base, ())) and (type_.base == "bool" or not isinstance(value, bool))


# --- blocks ---------------------------------------------------------------------------------------------------


# What is said to be missing may stand in a line that could not be read.
MISSING = frozenset({"E206", "E212", "E213", "E215", "E217", "E302", "E303", "E403", "E601"})


def _block(block: tree.Block, scope: Scope) -> Node | None:
    """The node of a block, also when lines of it are wrong: what depends on it is checked all the same."""
    told = len(scope.told)
    node = _as_read(block, scope)
    if block.unread:
        missing = MISSING if "from" not in block.unread else MISSING | {"E214", "E501", "E502", "E503"}
        scope.told[told:] = [one for one in scope.told[told:] if one.code not in missing]
    return node


def _as_read(block: tree.Block, scope: Scope) -> Node | None:
    _lines_belong(block, scope)
    recipe = recipe_of(block, scope)
    if recipe is None:
        _check_alone(block, scope)
        return None
    _counts(block, recipe, scope)
    node = make.node(block, recipe, scope)
    if node is None:
        _forget(block, scope)
        return None
    if scope.may_hold(node.name) and recipe.word not in ("sql", "split", "predict"):
        node = node.model_copy(update={"columns": dict.fromkeys(node.names)})
    _remember(node, scope)
    node = learn.with_measures(block, node, scope)
    _remember(node, scope)
    node = _with_expects(block, node, scope)
    serving.tried(node, scope)
    node = search.with_search(block, node, scope)
    _remember(node, scope)
    if any(name.text in scope.names.unknown for name in block.names):
        _forget(block, scope)  # its mistakes are told; what it is made from is not there
        return None
    return node


def _check_alone(block: tree.Block, scope: Scope) -> None:
    """What can be said of a block whose recipe is not known: its declared columns and its needs."""
    declared.columns(block, scope)
    running.read(block, scope)
    _forget(block, scope)


def _forget(block: tree.Block, scope: Scope) -> None:
    for name in block.names:
        scope.nodes.pop(name.text, None)
        scope.columns[name.text] = None


def _remember(node: Node, scope: Scope) -> None:
    for name in node.names:
        scope.nodes[name] = node
        scope.columns[name] = node.columns.get(name)


def _lines_belong(block: tree.Block, scope: Scope) -> None:
    for line in block.lines:
        if isinstance(line, tree.SetPath):
            scope.tell("E209", line.span, {"line": said(line), "kind": block.kind}, help="set stands in an env")
            continue
        form = LINES[word(line)]
        if block.kind not in form.kinds:
            help_, fix = f"a {form.word} line belongs to {' or '.join(form.kinds)}", None
            if isinstance(line, tree.ColumnLine) and len(line.type.values) == 1 and line.type.span.end == line.span.end:
                help_ = f"an argument gets its value by =: {line.name} = {scope.written(line.type.span)}"
                fix = Fix(Span(line.span.path, line.name_span.end, line.type.span.start), " = ")
            if isinstance(line, tree.Among):
                help_ = f"only a model has arguments to search: write one value, {line.name} = …"
            scope.tell("E209", line.span, {"line": said(line), "kind": block.kind}, help=help_, fix=fix)


def recipe_of(block: tree.Block, scope: Scope) -> Recipe | None:
    """The recipe after `by`, the source after `from`, or "predict" for a model; None when a mistake has been told."""
    sources = [item for item in block.inputs if is_source(item)]
    if sources:
        return _source(block, sources[0], scope)
    if block.recipe is None and _is_of_a_service(block, scope):
        return SEEN
    if block.recipe is None and not all(map(scope.is_there, block.inputs)):
        return None  # what is meant may be a source, or a service
    if block.recipe is None:
        help_ = (
            'write from csv "…", or by sql, python, split …'
            if block.kind == "data"
            else f"a {block.kind} is made by a recipe"
        )
        fix = None
        if block.kind == "service" and block.inputs:
            help_, fix = "write by http", Fix(Span(block.head.path, block.head.end, block.head.end), " by http")
        scope.tell("E214", block.head, {"name": block.names[0].text, "kind": block.kind}, help=help_, fix=fix)
        return None
    word = block.recipe.reference.name
    if word in RECIPES and not RECIPES[word].source and word not in scope.names.block_of:
        return _named_recipe(block, RECIPES[word], scope)
    if word in RECIPES:
        scope.tell(
            "E202",
            block.recipe.reference.span,
            {"word": word, "kind": block.kind},
            help=f'a source stands after from: from {word} "…"',
        )
        return None
    return _model_as_recipe(block, word, scope)


def _is_of_a_service(block: tree.Block, scope: Scope) -> bool:
    """`data seen from churn_api`: what a service saw is there by itself."""
    made_here = (scope.names.block_of.get(item.reference.name) for item in block.inputs)
    services = [block_ for block_ in made_here if block_ is not None and block_.kind == "service"]
    return block.kind == "data" and len(block.inputs) == len(services) == 1


def _by_ending(place: str) -> str:
    bare = place.lower().removesuffix(".gz").removesuffix(".zip")
    return next((word for word, recipe in SOURCES.items() if bare.endswith(recipe.endings or ("\0",))), "")


def _source(block: tree.Block, item: tree.Input, scope: Scope) -> Recipe | None:
    word = item.reference.name
    recipe = RECIPES.get(word)
    if recipe is None and word in scope.names.block_of and isinstance(item.place, tree.Reference):
        start, behind = item.place.span.start, str(item.place)
        left_out = "by" if behind in RECIPES or behind in scope.names.block_of else "as"
        help_ = f"write from {word} {left_out} {behind}"
        put = Fix(Span(item.span.path, start, start), f"{left_out} ")
        scope.tell("E203", item.reference.span, {"word": word}, help=help_, fix=put)
        return None
    if recipe is None or not recipe.source:
        sources = [w for w, r in RECIPES.items() if r.source]
        other = OTHER_RECIPES.get(word.lower(), "")
        close = other if other in sources else nearest(word, sources)
        known = f"did you mean {close}?" if close else f"sources: {listing(sources, 20)}"
        if recipe is not None:
            known, close = f"{word} stands after by", None
        by_ending = word == "file" and isinstance(item.place, tree.Text) and _by_ending(item.place.value)
        if by_ending:
            known, close = f"a source is named by its form: from {by_ending}", by_ending
        fix = Fix(item.reference.span, close) if close else None
        scope.tell("E203", item.reference.span, {"word": word}, help=known, fix=fix)
        return None
    if block.kind != "data":
        scope.tell(
            "E202",
            item.span,
            {"word": word, "kind": block.kind},
            help="only data comes from a source; give it a name first",
        )
        return None
    if len(block.inputs) > 1 or block.recipe is not None:
        scope.tell(
            "E204",
            block.inputs[-1].span if len(block.inputs) > 1 else block.recipe.span if block.recipe else item.span,
            {},
            help="read each source into data of its own, then make this from them",
        )
        return None
    return recipe


def _named_recipe(block: tree.Block, recipe: Recipe, scope: Scope) -> Recipe | None:
    written = block.recipe
    assert written is not None
    if block.kind not in recipe.makes:
        makes = " or ".join(recipe.makes)
        scope.tell("E202", written.span, {"word": recipe.word, "kind": block.kind}, help=f"{recipe.word} makes {makes}")
        return None
    recipe = ANSWERING if recipe.word == "python" and block.kind == "service" else recipe
    if (recipe.place == "needed") != (written.place is not None):
        example = {"sql": '"query.sql" or """select …"""', "python": '"file.py:function"', "shell": '"command"'}
        help_ = f"write by {recipe.word} {example.get(recipe.word, '')}".rstrip()
        how = "with" if recipe.place == "needed" else "without"
        scope.tell("E208", written.span, {"word": recipe.word, "how": how}, help=help_)
        return None
    return recipe


def _model_as_recipe(block: tree.Block, word: str, scope: Scope) -> Recipe | None:
    written = block.recipe
    assert written is not None
    if word not in scope.names.block_of:
        if written.place is not None:  # without one it is a name, and told as such
            scope.told.append(unknown_recipe(block, written.reference, scope.names.block_of))
        return None
    kind = scope.names.kind_of(word)
    if kind != "model" or block.kind != "data":
        scope.tell(
            "E104",
            written.span,
            {"name": word, "kind": kind, "wanted": "a recipe or a model"},
            help="data is made by a model: data scores from features by churn",
        )
        return None
    return replace(RECIPES["split"], word="predict", arguments=(), inputs=(1, 1), outputs=(1, 1), open=False)


def _counts(block: tree.Block, recipe: Recipe, scope: Scope) -> None:
    inputs = [item for item in block.inputs if not is_source(item)]
    least, most = recipe.inputs
    if not recipe.source and (len(inputs) < least or (most is not None and len(inputs) > most)):
        scope.tell(
            "E211",
            block.head,
            {"word": recipe.word, "what": "inputs", "found": len(inputs), "wanted": _span(least, most)},
            help=KINDS[block.kind] if recipe.word == "http" else "",
        )
    least, most = recipe.outputs
    if len(block.names) < least or (most is not None and len(block.names) > most):
        scope.tell(
            "E211",
            block.names[-1].span,
            {"word": recipe.word, "what": "names", "found": len(block.names), "wanted": _span(least, most)},
        )


def _span(least: int, most: int | None) -> str:
    if most == least:
        return str(least)
    return f"{least} or more" if most is None else f"{least} to {most}"


# --- expectations ---------------------------------------------------------------------------------------------


def _with_expects(block: tree.Block, node: Node, scope: Scope) -> Node:
    lines = [line for line in block.lines if isinstance(line, tree.Expect)]
    expects = tuple(expect for expect in (conditions.check(line, node, scope) for line in lines) if expect is not None)
    reads = _reads(node, expects)
    return node.model_copy(update={"expects": expects, "reads": reads})


def _reads(node: Node, expects: Iterable[Expect]) -> tuple[str, ...]:
    """The artifacts that only the judgement looks at."""
    found = {measure.on for measure in node.measures}
    for expect in expects:
        for fact in verdict.facts_in(expect.condition):
            found |= set(getattr(fact, "others", ()))
            found.add(fact.of)
    return tuple(sorted(found - set(node.names) - {"last"}))
