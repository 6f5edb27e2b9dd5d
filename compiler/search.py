"""`search` and `name in set` -> which arguments are tried and how a trial is scored, held against the model's block."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from ..grammar import tree
from ..grammar.kinds import LINES, MOST_TRIALS, Argument
from . import arguments, best, meant, values
from .ancestry import Ancestry, Value
from .program import Among, Node, Program, Search
from .scope import Scope
from .searched import among, is_numbers


def with_search(block: tree.Block, node: Node, scope: Scope) -> Node:
    """The node with its search; as it was, if there is none or a mistake in it has been told."""
    searched = [line for line in block.lines if isinstance(line, tree.Among)]
    lines = [line for line in block.lines if isinstance(line, tree.Search)]
    for line in lines[1:]:
        scope.tell("E207", line.span, {"name": "search"}, help="take one of the two away")
    if node.kind != "model" or not _belong(searched, lines, block, node, scope):
        return node
    told = len(scope.told)
    space = _space(block, searched, scope)
    options = _options(lines[0], scope)
    _has_an_end(lines[0], searched, space, options, scope)
    scored = best.read(lines[0], node, bool(options.get("folds")), scope)
    if len(scope.told) > told or scored is None:
        return node
    search = Search(space=tuple(space.values()), **scored, **options)  # type: ignore[arg-type]
    return node.model_copy(update={"search": search})


def _belong(searched: list[tree.Among], lines: list[tree.Search], block: tree.Block, node: Node, scope: Scope) -> bool:
    """Whether there are both, in a block that can be searched."""
    if not searched and not lines:
        return False
    if node.recipe.word not in ("python", "notebook"):
        scope.tell("E808", (lines or searched)[0].span, {"word": node.recipe.word})
        return False
    wrong = all(scope.told_within(line.span) for line in searched)
    if not lines and not scope.may_hold(node.name, "search") and not wrong:
        title = f"{searched[0].name} has a set to choose from, and nothing says how it is searched"
        help_ = f"write a line: search folds = 5, best = {best.example(node)}"
        scope.tell("E801", searched[0].span, {"title": title}, help=help_)
    if not searched and not scope.may_hold(node.name) and not _set_from_outside(block):
        title = "nothing is searched: no argument has a set to choose from"
        scope.tell("E801", lines[0].span, {"title": title}, help="give an argument one, as in max_depth in 3..9")
    return bool(searched and lines)


def _set_from_outside(block: tree.Block) -> bool:
    """Whether an environment gives an argument its value: it may be the one that was searched."""
    spans = [line.span for line in block.lines if isinstance(line, tree.Assign)]
    return any(span.path != block.span.path or not block.span.start <= span.start < block.span.end for span in spans)


# --- the set of each argument -------------------------------------------------------------------------------------


def _space(block: tree.Block, searched: list[tree.Among], scope: Scope) -> dict[str, Among]:
    given = {line.name for line in block.lines if isinstance(line, tree.Assign)}
    found: dict[str, Among] = {}
    for line in searched:
        if line.name in found:
            scope.tell("E207", line.name_span, {"name": line.name}, help="take one of the two away")
        elif line.name in given:
            scope.tell("E802", line.name_span, {"name": line.name}, help="take one of the two lines away")
        elif (one := among(line, scope)) is not None:
            found[line.name] = one
    return found


def _has_an_end(
    line: tree.Search, searched: list[tree.Among], space: Mapping[str, Among], options: Mapping[str, int], scope: Scope
) -> None:
    """All combinations are tried where no number of trials is said: then they must be few."""
    if "trials" in options or any(pair.name == "trials" for pair in line.options):
        return
    endless = next((one for one in searched if one.name in space and space[one.name].count is None), None)
    if endless is not None:
        help_ = "say how many to try, as in trials = 40, or write the values, as in 0.01 | 0.1 | 0.3"
        scope.tell("E805", endless.choices.span, {"name": endless.name}, help=help_)
        return
    count = Search(space=tuple(space.values()), best="max", metric="").combinations or 0
    if count > MOST_TRIALS:
        help_ = "say how many to try, as in trials = 100, or make the sets smaller"
        scope.tell("E806", line.span, {"count": f"{count:,}", "most": f"{MOST_TRIALS:,}"}, help=help_)


# --- its options ------------------------------------------------------------------------------------------------


def _options(line: tree.Search, scope: Scope) -> dict[str, int]:
    """`trials` and `folds`."""
    takes = {option.name: option for option in LINES["search"].options}
    found: dict[str, int] = {}
    seen: set[str] = set()
    for pair in line.options:
        if pair.name not in takes:
            arguments.unknown(pair.name, pair.name_span, takes, "search", scope)
        elif pair.name in seen:
            scope.tell("E207", pair.name_span, {"name": pair.name}, help="take one of the two away")
        elif pair.name != "best" and (value := _number(pair, takes[pair.name], scope)) is not None:
            found[pair.name] = value
        seen.add(pair.name)
    return found


def _number(pair: tree.Pair, option: Argument, scope: Scope) -> int | None:
    value = values.read(pair.value, scope.params, scope.told)
    if value is None:
        return None
    if isinstance(value, int) and values.fits(value, pair.value, option):
        return value
    help_, fix = meant.instead(pair.value, option)
    facts = {"name": pair.name, "wanted": values.wanted(option), "found": scope.written(pair.value.span)}
    scope.tell("E206", pair.value.span, facts, help=help_, fix=fix)
    return None


# --- folds ------------------------------------------------------------------------------------------------------


def grouped(nodes: Sequence[Node]) -> tuple[Node, ...]:
    """The nodes; those that are searched on folds with the key by which the rows they learn from were split before: in
    folds too it has one side only. A pass of its own, since it looks further back than at what a block names."""
    if not any(node.search and node.search.folds for node in nodes):
        return tuple(nodes)
    ancestry = Ancestry(Program(spec="", nodes=tuple(nodes)))
    return tuple(_grouped(node, ancestry) if node.search and node.search.folds else node for node in nodes)


def _grouped(node: Node, ancestry: Ancestry) -> Node:
    group = _split_by(node.inputs[0].name, ancestry)
    return node.model_copy(update={"search": node.search.model_copy(update={"group": group})}) if node.search else node


def _split_by(name: str, ancestry: Ancestry) -> str:
    """The key, by the name that it has there: a query may give it another."""
    maker = ancestry.node_of.get(name)
    if maker is None or maker.recipe.word not in ("split", "predict", "sql"):
        return ""
    by = maker.arguments.get("by")
    if maker.recipe.word == "split" and isinstance(by, str):
        return by.removeprefix(".")
    before = [
        (item.name, _split_by(item.name, ancestry)) for item in maker.inputs if item.kind == "data" and not item.last
    ]
    keys = [(above, key) for above, key in before if key]
    if maker.recipe.word != "sql":
        return keys[0][1] if keys else ""
    columns = [column.name for column in maker.columns.get(name) or ()]
    return next((now for above, key in keys for now in columns if _is_still(now, name, key, above, ancestry)), "")


def _is_still(now: str, name: str, key: str, above: str, ancestry: Ancestry) -> bool:
    made = ancestry.made_of(Value(name, now))
    if not made.of:  # it cannot be followed: a name is taken for what it says
        return now == key
    return (made.same or made.known) and {(one.of, one.column) for one in made.of} == {(above, key)}


# --- held against the signature -----------------------------------------------------------------------------------


def as_given(block: tree.Block) -> tree.Block:
    """The block with each value of a set given as if it were the argument's, so that a signature judges it."""
    if not any(isinstance(line, tree.Among) for line in block.lines):
        return block
    lines = [given for line in block.lines for given in (_given(line) if isinstance(line, tree.Among) else (line,))]
    return replace(block, lines=tuple(lines))


def _given(line: tree.Among) -> Iterator[tree.Line]:
    for value in _written(line.choices):
        yield tree.Assign(line.name, value, line.name_span, line.span)


def _written(choices: tree.Expression) -> Iterator[tree.Expression]:
    match choices:
        case tree.Choice():
            yield from choices.options
        case tree.Range():
            ends = (choices.low, choices.high)
            yield from (end for end in ends if isinstance(end, tree.Number | tree.Reference))
        case tree.Call():
            for argument in choices.arguments:
                yield from _written(argument)
        case _:
            yield choices


def told_once(check: Callable[[], None], block: tree.Block, scope: Scope) -> None:
    """Run a check of a block `as_given`: what it tells of an argument's name, or of both ends of a range, once."""
    told = len(scope.told)
    check()
    ranges = [line.choices.span for line in block.lines if isinstance(line, tree.Among) and is_numbers(line.choices)]
    seen: dict[tuple[str, int], object] = {}
    for one in scope.told[told:]:
        within = next((span for span in ranges if span.start <= one.span.start < span.end), one.span)
        seen.setdefault((one.code, within.start), one)
    scope.told[told:] = list(seen.values())  # type: ignore[arg-type]
