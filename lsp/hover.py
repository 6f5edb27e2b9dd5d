"""A place in a spec -> what is known of what stands there, as Markdown."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable

from ..compiler.program import Node
from ..compiler.types import Column, Columns
from ..grammar import tree
from ..grammar.codes import CODES
from ..grammar.kinds import DATA_FUNCTIONS, KINDS, LINES, METRICS, RECIPES, SERVICE_FACTS, SET_FUNCTIONS, Argument
from ..grammar.table import table
from ..grammar.tokens import Token, lex
from . import code, queries, words
from .analysis import Analysis
from .modules import Module, Read, led_to
from .occurrences import Occurrence
from .records import Kept, kept

SHOWN = 40  # columns


def hover(module: Module, analysis: Analysis, read: Read, offset: int) -> tuple[str, int, int] | None:
    """The text, and the characters that it is about."""
    code_ = _code_at(module.text, offset)
    if code_ is not None:
        return code_
    found = _of_place(module, analysis, read, offset)
    why = _why(analysis, offset)
    if found is None or why is None:
        return found or why
    return f"{found[0]}\n\n---\n\n{why[0]}", found[1], found[2]


def _of_place(module: Module, analysis: Analysis, read: Read, offset: int) -> tuple[str, int, int] | None:
    one = queries.occurrence(module, analysis, offset)
    text = _of(one, module, analysis, read) if one is not None else ""
    if one is not None and text:
        return text, one.span.start, one.span.end
    token = _token_at(module, offset)
    said = _of_word(token) if token else ""
    return (said, token.start, token.end) if token and said else None


def _why(analysis: Analysis, offset: int) -> tuple[str, int, int] | None:
    """The explanation of the mistake that is told here; the editor itself shows what is wrong."""
    for one in analysis.compiled.diagnostics:
        if one.span.path == analysis.path and one.span.start <= offset <= one.span.end:
            return f"**{one.code}** {CODES[one.code].why}", one.span.start, one.span.end
    return None


CODE = re.compile(r"\b[EW]\d{3}\b")


def _code_at(text: str, offset: int) -> tuple[str, int, int] | None:
    """`# ok: W101`."""
    start = text.rfind("\n", 0, offset) + 1
    for found in CODE.finditer(text, start, text.find("\n", offset) % (len(text) + 1)):
        if found.start() <= offset <= found.end() and found[0] in CODES and "#" in text[start : found.start()]:
            one = CODES[found[0]]
            return f"**{one.id}** {one.about or one.title}\n\n{one.why}", found.start(), found.end()
    return None


def _of(one: Occurrence, module: Module, analysis: Analysis, read: Read) -> str:
    match one.form:
        case "name":
            return _name(one.text, module, analysis)
        case "member":
            return _member(one, module, analysis, read)
        case "column":
            return _column(one, analysis)
        case "metric":
            return _metric(one, analysis)
        case "argument":
            return _argument(one, analysis)
        case "recipe":
            recipe = RECIPES.get(one.text)
            return f"**{one.text}** {recipe.doc}{_takes(recipe.arguments)}" if recipe else ""
        case "place":
            return _place(one, analysis)
        case _:
            return ""


# --- names ----------------------------------------------------------------------------------------------------------


def _name(name: str, module: Module, analysis: Analysis) -> str:
    node = analysis.nodes.get(name)
    if node is not None:
        return artifact(name, node, analysis)
    found = module.declares(name)
    return _statement(found[0], analysis) if found else ""


def _statement(statement: tree.Statement, analysis: Analysis) -> str:
    match statement:
        case tree.Block():
            return _titled(f"{statement.kind} {', '.join(name.text for name in statement.names)}", statement.doc)
        case tree.Param():
            value = analysis.compiled.program.params.get(statement.name.text)
            written = f" = {words.value(value)}" if value is not None else ""
            return _titled(f"param {statement.name.text}{written}", statement.doc)
        case tree.Secret():
            return "A secret: read where a step runs, and kept in no plan, log or key."
        case tree.Env():
            target = analysis.targets.get(statement.runtime.text)
            return _titled(
                f"env {statement.name.text} on {statement.runtime.text}",
                statement.doc or (target.doc if target else ""),
            )
        case tree.Use():
            return _titled(f'use "{statement.place.value}" as {statement.alias.text}', "")
        case _:
            return ""


def _titled(title: str, doc: str, *more: str) -> str:
    return "\n\n".join(part for part in (f"```mlspec\n{title}\n```", doc, *more) if part)


def artifact(name: str, node: Node, analysis: Analysis) -> str:
    found = kept(analysis.files.root, analysis.compiled.program, name)
    parts = [_known_columns(analysis.columns(name)), _learns(node), _store(found) if found else ""]
    return _titled(f"{node.kind} {name}{_made_from(node)}", node.doc, *parts)


def _made_from(node: Node) -> str:
    place = f' "{node.recipe.place}"' if node.recipe.place else ""
    if node.recipe.word in RECIPES and RECIPES[node.recipe.word].source:
        return f" from {node.recipe.word}{place}"
    inputs = ", ".join(item.name for item in node.inputs if item.alias != "model")
    entry = f' "{node.recipe.code.entry}"' if node.recipe.code else place
    word = (
        next((item.name for item in node.inputs if item.alias == "model"), node.recipe.word)
        if node.recipe.word == "predict"
        else node.recipe.word
    )
    return (f" from {inputs}" if inputs else "") + f" by {word}{entry}"


def _learns(node: Node) -> str:
    if node.predict is None:
        return ""
    targets = ", ".join(f".{name}" for name in node.predict.targets)
    positive = f" == {words.value(node.predict.positive)}" if node.predict.positive is not None else ""
    features = len(node.predict.features)
    return (
        f"A {node.predict.task}: predicts {targets}{positive} from {features} column{'s' * (features != 1)}"
        if targets
        else ""
    )


def _known_columns(columns: Columns) -> str:
    if not columns:
        return ""
    lines = [f"| `{column.name}` | {_escaped(_type(column))} |" for column in columns[:SHOWN]]
    more = [f"| … | {len(columns) - SHOWN} more |"] if len(columns) > SHOWN else []
    return "\n".join(["| column | type |", "|---|---|", *lines, *more])


def _escaped(text: str) -> str:
    return text.replace("|", "\\|")


def _type(column: Column) -> str:
    text = str(column.type)
    if column.unique:
        text += ", unique"
    if column.low is not None or column.high is not None:
        low, high = (end if end is None or isinstance(end, str) else f"{end:g}" for end in (column.low, column.high))
        text += f" in {low or ''}..{high or ''}"
    return text


def _store(found: Kept) -> str:
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(found.at))
    facts = [f"{found.rows:,} rows"] if found.rows is not None else []
    facts += [f"{name} {words.number(value)}" for name, value in found.metrics.items()]
    facts += [f"`{found.digest.removeprefix('folder:')[:12]}`", f"accepted {when}"]
    return " · ".join(facts)


def _member(one: Occurrence, module: Module, analysis: Analysis, read: Read) -> str:
    used = led_to(module, one.of, read)
    if used is not None:
        node = analysis.nodes.get(f"{one.of}.{one.text}")
        if node is not None:
            return artifact(f"{one.of}.{one.text}", node, analysis)
        found = used.declares(one.text)
        return _statement(found[0], analysis) if found else ""
    if one.of.rpartition(".")[2] in LINES:
        return _option(one.text, one.of.rpartition(".")[2])
    node = analysis.nodes.get(one.of)
    if node is not None and node.kind != "data":
        return _metric(one, analysis)
    return _column(one, analysis)


# --- columns and metrics ---------------------------------------------------------------------------------------------


def _column(one: Occurrence, analysis: Analysis) -> str:
    column = next((column for column in analysis.columns(one.of) if column.name == one.text), None)
    if column is not None:
        return f"```mlspec\n{_dotted(column.name)}: {_type(column)}\n```\n\na column of {one.of}"
    if one.text in DATA_FUNCTIONS:
        return f"**.{one.text}** {DATA_FUNCTIONS[one.text].doc}"
    return ""


def _dotted(name: str) -> str:
    return name if name.isidentifier() else f'"{name}"'


def _metric(one: Occurrence, analysis: Analysis) -> str:
    if one.text in SERVICE_FACTS:
        return f"**.{one.text}** {SERVICE_FACTS[one.text][1]}"
    found = analysis.block_at(one.span.start)
    name = one.of if one.of in analysis.nodes else found[0].names[0].text if found else ""
    node = analysis.nodes.get(name)
    measure = next((m for m in node.measures if m.name == one.text), None) if node else None
    metric = METRICS.get(measure.metric if measure else one.text)
    if metric is None and measure is None:
        return ""
    store = kept(analysis.files.root, analysis.compiled.program, name)
    parts = [
        f"**{one.text}** {metric.doc if metric else 'A function of yours.'}",
        f"of {name}, measured on {measure.on}" if measure else "",
        f"last: {words.number(store.metrics[one.text])}" if store and one.text in store.metrics else "",
    ]
    return "\n\n".join(part for part in parts if part)


# --- arguments and places ------------------------------------------------------------------------------------------


def _argument(one: Occurrence, analysis: Analysis) -> str:
    if one.of in ("needs", "search"):
        return _option(one.text, one.of)
    if one.of == "env":
        options = (o for target in analysis.targets.values() for o in target.options if o.name == one.text)
        return next((_argument_text(option) for option in options), "")
    found = analysis.block_at(one.span.start)
    return argument_text(found[0], one.text, analysis) if found else ""


def argument_text(block: tree.Block, name: str, analysis: Analysis) -> str:
    source = block.inputs[0].reference.name if block.inputs and block.inputs[0].place is not None else ""
    recipe = RECIPES.get(source or (block.recipe.reference.name if block.recipe else ""))
    known = next((a for a in recipe.arguments if a.name == name), None) if recipe else None
    if known is not None:
        return _argument_text(known)
    place = block.recipe.place if block.recipe else None
    if recipe is None or recipe.word != "python" or not isinstance(place, tree.Text):
        return ""
    taken = next((p for p in code.parameters(place.value, analysis.files) if p.name == name), None)
    if taken is None:
        return ""
    note = f": {taken.annotation}" if taken.annotation else ""
    default = f" = {taken.default}" if taken.default else ""
    return f"```python\n{taken.name}{note}{default}\n```" + (f"\n\n{taken.doc}" if taken.doc else "")


def _option(name: str, line: str) -> str:
    return next((_argument_text(option) for option in LINES[line].options if option.name == name), "")


def _argument_text(argument: Argument) -> str:
    default = f" Default: {words.value(argument.default)}." if argument.default not in (None, "") else ""
    choices = f" One of {', '.join(argument.choices)}." if argument.choices else ""
    return f"**{argument.name}** ({words.TAKES[argument.takes]}) {argument.doc}{default}{choices}"


def _takes(arguments: Iterable[Argument]) -> str:
    return "".join(f"\n\n- `{one.name}` {one.doc}" for one in arguments)


def _place(one: Occurrence, analysis: Analysis) -> str:
    if one.of != "python":
        return ""
    signature = ", ".join(
        p.name + (f": {p.annotation}" if p.annotation else "") + (f" = {p.default}" if p.default else "")
        for p in code.parameters(one.text, analysis.files)
    )
    said = code.summary(code.doc(one.text, analysis.files))
    name = one.text.partition(":")[2]
    return f"```python\n{name}({signature})\n```" + (f"\n\n{said}" if said else "") if name else ""


# --- words of the language -------------------------------------------------------------------------------------------


def _token_at(module: Module, offset: int) -> Token | None:
    for one in module.placed:
        start, end = one.statement.span.start + one.start, one.statement.span.end + one.start
        if start <= offset <= end:
            tokens = lex(module.text[start:end], table().words)
            found = (t for t in tokens if t.start + start <= offset <= t.end + start and t.text.isidentifier())
            token = next(found, None)
            return token._replace(start=token.start + start, end=token.end + start) if token else None
    return None


def _of_word(token: Token) -> str:
    """Of a word of the language or a function; names were told before."""
    word = token.text
    if token.kind == "NAME":
        if word in DATA_FUNCTIONS:
            return f"**{word}** {DATA_FUNCTIONS[word].doc}"
        return f"**log** {SET_FUNCTIONS[word]}" if word in SET_FUNCTIONS else ""
    if word in KINDS:
        return f"**{word}** {KINDS[word]}"
    if word in LINES:
        return f"`{LINES[word].form}`\n\n{LINES[word].doc}"
    return words.WORDS.get(word, "")
