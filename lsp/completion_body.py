"""What may be written in the body of a block, an `env` or a `use`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ..grammar import tree
from ..grammar.kinds import FLAGS, LINES, RECIPES, SET_FUNCTIONS, TYPES, Argument
from ..grammar.tokens import COMPARATORS, Token
from . import candidates
from .analysis import Analysis
from .candidates import Item
from .cursor import Cursor

ONCE = frozenset({"predict", "search", "needs", "every", "each"})
STARTS = {
    "predict": "predict .${1:target}",
    "search": "search trials = ${1:40}, folds = ${2:5}, best = ${3:max}(.${4:metric})",
    "measure": "measure ${1:metric} on ${2:data}",
    "needs": "needs ${1:memory} = ${2:4GiB}",
    "every": "every ${1:day} at ${2:02:00}",
    "each": "each .${1:column}",
}
PERIODS = ("hour", "day", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def items(analysis: Analysis, at: Cursor) -> Iterable[Item]:
    match at.header.kind:
        case "data" | "model" | "service":
            return _of_block(analysis, at)
        case "env":
            return _of_env(analysis, at)
        case "use":
            return _of_use(analysis, at)
        case _:
            return ()


def _of_block(analysis: Analysis, at: Cursor) -> Iterable[Item]:
    if not at.line:
        return _starts(analysis, at)
    if at.dotted:
        return _after_dot(analysis, at)
    match at.line[0].kind:
        case "PREDICT":
            return _in_predict(at)
        case "MEASURE":
            return _in_measure(analysis, at)
        case "EXPECT":
            return _in_expect(analysis, at)
        case "NEEDS" | "SEARCH":
            return _in_options(analysis, at)
        case "EVERY":
            return _in_every(at)
        case "EACH":
            return _in_each(analysis, at)
        case "NAME" | "STRING":
            return _in_named(analysis, at)
        case _:
            return ()


# --- the start of a line ----------------------------------------------------------------------------------------------


def _starts(analysis: Analysis, at: Cursor) -> Iterator[Item]:
    yield from candidates.arguments(at, analysis)
    for line in LINES.values():
        is_word = line.word not in ("column", "argument", "among")
        if is_word and at.header.kind in line.kinds and not (line.word in ONCE and line.word in at.lines):
            yield Item(
                line.word,
                "keyword",
                "",
                f"`{line.form}`\n\n{line.doc}",
                f"{line.word} ",
                STARTS.get(line.word, ""),
                rank=3,
            )
    if at.header.kind == "data" and at.header.recipe != "split":
        yield from _undeclared(analysis, at)


def _undeclared(analysis: Analysis, at: Cursor) -> Iterator[Item]:
    """Columns that are there and not declared, with the type that they have."""
    name = at.header.names[0] if at.header.names else ""
    for column in analysis.columns(name):
        if column.name not in at.given:
            written = column.name if column.name.isidentifier() else f'"{column.name}"'
            yield Item(
                column.name, "column", str(column.type), "Declare this column.", f"{written}: {column.type}", rank=6
            )


def _in_each(analysis: Analysis, at: Cursor) -> Iterator[Item]:
    """What makes parts: the files of a source by a pattern, or the values of a column of what goes in."""
    if len(at.line) > 1:
        return
    yield Item("file", "keyword", "", "File by file, as it is read.")
    fed = candidates.fed_data(at, analysis)
    for column in analysis.columns(fed):
        if column.name.isidentifier() and column.type.base not in ("float", "list"):
            yield Item(f".{column.name}", "column", str(column.type), f"One part for each value of it in {fed}.")


# --- after a dot --------------------------------------------------------------------------------------------------------


def _after_dot(analysis: Analysis, at: Cursor) -> Iterable[Item]:
    before = at.line[:-1]
    if before and before[-1].kind in ("NAME", "LAST", "COLUMN") and before[-1].end == at.line[-1].start:
        return _of_name(analysis, at, before)
    quoted = at.quoted is not None
    own = at.header.names[0] if at.header.names else ""
    fed = candidates.fed_data(at, analysis)
    match at.line[0].kind:
        case "PREDICT":
            used = {token.text[1:].strip('"') for token in before if token.kind == "COLUMN"}
            return candidates.columns(analysis.columns(fed), fed, used, quoted=quoted)
        case "NAME" | "EACH":
            return candidates.columns(analysis.columns(fed), fed, quoted=quoted)
        case "SEARCH":
            return (*candidates.measured(analysis, own), *candidates.metrics(analysis, own))
        case "EXPECT":
            return _own(analysis, at, own, before, quoted)
        case _:
            return candidates.columns(analysis.columns(own), own, quoted=quoted)


def _own(analysis: Analysis, at: Cursor, own: str, before: Iterable[Token], quoted: bool) -> Iterable[Item]:
    match at.header.kind:
        case "model":
            return candidates.measured(analysis, own)
        case "service":
            return candidates.service_facts()
        case _:
            in_call = [token.kind for token in before][-1:] == ["LPAREN"]
            facts = () if in_call else candidates.data_facts()
            return (*facts, *candidates.columns(analysis.columns(own), own, quoted=quoted))


def _of_name(analysis: Analysis, at: Cursor, before: tuple[Token, ...]) -> list[Item]:
    words: list[str] = []
    for token in reversed(before):
        words.insert(0, token.text)
        if token.kind != "COLUMN":
            break
    name = "".join(words)
    own = at.header.names[0] if at.header.names else ""
    return candidates.attributes(analysis, own if name == "last" else name)


# --- lines ------------------------------------------------------------------------------------------------------------


def _in_predict(at: Cursor) -> Iterator[Item]:
    kinds = [token.kind for token in at.line]
    if kinds[-1] == "COLUMN" and "FROM" not in kinds:
        yield Item("from", "keyword", "", "The features; all other columns, if unsaid.", "from ", rank=2)
    elif kinds[-1] == "FROM":
        yield Item("all", "keyword", "", "All columns but the target.", "all", rank=2)
        yield Item("all except", "keyword", "", "All columns but the target and these.", "all except .", rank=2)
    elif kinds[-1] == "ALL":
        yield Item("except", "keyword", "", "Leave these out.", "except .", rank=2)


def _in_measure(analysis: Analysis, at: Cursor) -> Iterable[Item]:
    own = at.header.names[0] if at.header.names else ""
    match at.last:
        case "_ON":
            return candidates.artifacts(analysis, ("data",))
        case "MEASURE" | "_COMMA":
            given = [token.text for token in at.line if token.kind == "NAME"]
            python = Item(
                "python",
                "recipe",
                "",
                "A function of yours: it is handed y_true, y_pred …",
                "python ",
                'python "${1:file.py:function}"',
            )
            return (*candidates.metrics(analysis, own, given), python)
        case "_AS":
            return ()
        case _:
            return (
                Item("on", "keyword", "", "The data that it is measured on.", "on ", rank=1),
                Item("as", "keyword", "", "A name of its own.", "as ", rank=2),
            )


OPERANDS = frozenset({"COLUMN", "NUMBER", "STRING", "DATE", "NAME", "RPAREN", "RBRACKET", "TRUE", "FALSE", "TEXT"})


def _in_expect(analysis: Analysis, at: Cursor) -> Iterator[Item]:
    if at.last in OPERANDS:
        for word in ("and", "or", "in", "not in", "else"):
            yield Item(word, "keyword", "", "", f"{word} ", rank=4)
        return
    if at.header.kind == "data":
        yield from candidates.functions()
    yield from candidates.artifacts(analysis, ("data", "model", "service"), at.header.names[:1])
    yield from candidates.params(analysis)
    yield Item("last", "keyword", "", "What the name points at now.", "last.", rank=4)
    yield Item("not", "keyword", "", "", "not ", rank=7)
    if at.last in COMPARATORS:
        yield from (Item(word, "value", rank=7) for word in ("true", "false"))


def _in_options(analysis: Analysis, at: Cursor) -> Iterator[Item]:
    line = at.line[0].text
    if at.last in ("NEEDS", "SEARCH", "_COMMA"):
        given = {token.text for token in at.line if token.kind == "NAME"}
        for option in LINES[line].options:
            if option.name not in given:
                yield Item(option.name, "argument", option.takes, option.doc, f"{option.name} = ", rank=2)
    elif at.last == "_ASSIGN" and at.line[-2].text == "best":
        for word in ("max", "min"):
            yield Item(word, "function", "", "", f"{word}(.", f"{word}(.${{1}})")
    elif at.last == "_ASSIGN":
        yield from candidates.params(analysis)


def _in_every(at: Cursor) -> Iterator[Item]:
    if at.last == "EVERY":
        yield from (Item(period, "value", rank=index) for index, period in enumerate(PERIODS))
    elif at.last == "NAME":
        yield Item("at", "keyword", "", "The time of day, as in 02:00.", "at ")
    elif at.last == "TIME":
        yield Item("in", "keyword", "", "A time zone; UTC if unsaid.", "in ", 'in "${1:Europe/Zurich}"')


def _in_named(analysis: Analysis, at: Cursor) -> Iterable[Item]:
    """`name: …`, `name = …`, `name in …`."""
    signs = [token.kind for token in at.line]
    if at.last == "_COLON":
        return types()
    if "_COLON" in signs:
        return _behind_type(at)
    if at.last == "_ASSIGN":
        return _values(analysis, at)
    if at.last == "IN":
        return [Item(word, "function", "", doc, f"{word}(", f"{word}(${{1}})") for word, doc in SET_FUNCTIONS.items()]
    if len(at.line) == 1 and at.header.kind == "model":
        return [Item("in", "keyword", "", "A set to search.", "in ")]
    return ()


def types() -> Iterator[Item]:
    for name in TYPES:
        is_list = name == "list"
        yield Item(name, "type", "", "", "list[text]" if is_list else "", "list[${1:text}]" if is_list else "")


def _behind_type(at: Cursor) -> Iterator[Item]:
    if at.last == "_COMMA":
        yield from (Item(flag, "keyword", "", doc) for flag, doc in FLAGS.items())
    elif at.last in ("NAME", "OPTIONAL", "STRING", "RBRACKET"):
        yield Item("in", "keyword", "", "A range: 0..240.", "in ")
        yield Item("from", "keyword", "", "Its name in the file.", "from ", 'from "${1}"')
        yield Item("unique", "keyword", "", FLAGS["unique"], ", unique")


def _values(analysis: Analysis, at: Cursor, options: Iterable[Argument] = ()) -> Iterator[Item]:
    name = at.line[-2].text if len(at.line) > 1 else ""
    known = candidates.argument(at, name, options)
    takes = known.takes if known else "any"
    if known is not None:
        yield from (Item(f'"{choice}"', "value", rank=1) for choice in known.choices)
    if takes in ("bool", "any"):
        yield from (Item(word, "value", rank=6) for word in ("true", "false"))
    if takes in ("column", "columns"):
        fed = candidates.fed_data(at, analysis)
        for item in candidates.columns(analysis.columns(fed), fed):
            yield Item(f".{item.label}", "column", item.detail, item.doc, f".{item.insert}", rank=item.rank)
    yield from candidates.params(analysis)
    if takes == "any" or (known is not None and known.secret):
        yield from candidates.secrets(analysis)


# --- env and use ------------------------------------------------------------------------------------------------------


def _of_env(analysis: Analysis, at: Cursor) -> Iterable[Item]:
    target = analysis.targets.get(at.header.runtime)
    options = target.options if target else ()
    if not at.line:
        own = [
            Item(o.name, "argument", o.takes, o.doc, f"{o.name} = ", rank=2) for o in options if o.name not in at.given
        ]
        return [*own, Item("set", "keyword", "", "Another value for a param or an argument here.", "set ", rank=1)]
    if at.line[0].kind == "SET" and "_ASSIGN" not in [token.kind for token in at.line]:
        return _paths(analysis, at)
    return _values(analysis, at, options) if at.last == "_ASSIGN" else ()


def _paths(analysis: Analysis, at: Cursor) -> Iterator[Item]:
    """`set country`, `set churn.max_iter`, `set churn.search.trials`."""
    if at.last == "SET":
        yield from (
            Item(i.label, i.sort, i.detail, i.doc, f"{i.label} = ", rank=1) for i in candidates.params(analysis)
        )
        yield from (
            Item(i.label, i.sort, i.detail, i.doc, f"{i.label}.")
            for i in candidates.artifacts(analysis, ("data", "model", "service"))
        )
        return
    if not at.dotted:
        return
    written = [token.text.lstrip(".") for token in at.line[1:-1]]
    if written[-1:] in (["needs"], ["search"]):
        for option in LINES[written[-1]].options:
            yield Item(option.name, "argument", option.takes, option.doc, f"{option.name} = ", rank=1)
        return
    yield from _of_artifact(analysis, ".".join(written))


def _of_artifact(analysis: Analysis, name: str) -> Iterator[Item]:
    block = next((block for block in analysis.blocks() if name in [one.text for one in block.names]), None)
    if block is None:
        return
    for line in block.lines:
        if isinstance(line, tree.Assign | tree.Among):
            yield Item(line.name, "argument", "", "", f"{line.name} = ", rank=1)
    source = block.inputs[0].reference.name if block.inputs else ""
    recipe = RECIPES.get(source) or RECIPES.get(block.recipe.reference.name if block.recipe else "")
    for argument in recipe.arguments if recipe else ():
        yield Item(argument.name, "argument", argument.takes, argument.doc, f"{argument.name} = ", rank=2)
    words = ("needs", "search") if block.kind == "model" else ("needs",)
    yield from (Item(word, "keyword", "", LINES[word].doc, f"{word}.", rank=3) for word in words)


def _of_use(analysis: Analysis, at: Cursor) -> Iterator[Item]:
    """The params of the used spec."""
    if at.line:
        if at.last == "_ASSIGN":
            yield from candidates.params(analysis)
        return
    alias = at.header.names[0] if at.header.names else ""
    for name, value in analysis.compiled.program.params.items():
        if name.startswith(f"{alias}.") and name.removeprefix(f"{alias}.") not in at.given:
            yield Item(name.removeprefix(f"{alias}."), "param", str(value), "", f"{name.removeprefix(f'{alias}.')} = ")
