"""What is particular to services: who answers, what is asked, and what a service saw as data."""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Iterable
from dataclasses import replace

from ..grammar import tree
from ..grammar.diagnostic import Fix
from ..grammar.kinds import ANSWERING
from ..grammar.source import Span
from . import annotation, arguments, learn, python_fits, requests, shapes, values, verdict
from .load import undecoded
from .program import Exchange, Fact, Node, Predict, Shape
from .program import Recipe as Made
from .scope import Scope, did_you_mean
from .signature import Problem, Signature
from .types import FLOAT, TEXT, TIMESTAMP, Column, Columns, Type, by_name

REQUEST = "request"  # the parameter in which a function gets what it is asked
PREDICT = "/predict"
OWN = frozenset(argument.name for argument in ANSWERING.arguments)  # of the service, and not of the function


def routed(node: Node) -> str:
    return str(argument_of(node, "route"))


def argument_of(node: Node, name: str) -> object:
    """An argument of a service, or what it is if unsaid."""
    return node.arguments.get(name, next(one.default for one in ANSWERING.arguments if one.name == name))


PAGES = ("/", "/health", "/ready", "/metrics", "/openapi.json")  # where the server itself answers
ROUTE = re.compile(r"(/[A-Za-z0-9\-._~!$&'()*+,;=:@]+)+/?")


def _check_route(block: tree.Block, base: Node, scope: Scope) -> None:
    route = base.arguments.get("route")
    if not isinstance(route, str):
        return
    span, problem, help_, fix = _line(block, "route").value.span, "", "", None
    if route in PAGES:
        problem, help_ = "the server answers there itself", f'write another one, as in "{PREDICT}"'
    elif not ROUTE.fullmatch(route):
        slashed = f"/{route}" if ROUTE.fullmatch(f"/{route}") else ""
        problem = "a route is the path of an address, which begins with /"
        help_ = f'write "{slashed}"' if slashed else f'its letters are a-z, digits, - . _ and ~, as in "{PREDICT}"'
        fix = Fix(span, f'"{slashed}"') if slashed and slashed not in PAGES else None
    if problem:
        scope.tell("E227", span, {"route": route, "problem": problem}, help=help_, fix=fix)


# --- by http ----------------------------------------------------------------------------------------------------


def http(block: tree.Block, base: Node, scope: Scope) -> Node:
    for item, written in zip(base.inputs, block.inputs, strict=False):
        if item.kind != "model":
            scope.tell("E104", written.span, {"name": item.name, "kind": item.kind, "wanted": "a model"})
        else:
            model = scope.nodes.get(item.name)
            if model is not None and model.predict is None and not learn.is_told(model, scope):
                help_ = f"write in {model.name}: predict .target from .a, .b"
                scope.tell("E215", written.span, {"name": model.name}, help=help_)
    _is_there_now(block, scope)
    _check_route(block, base, scope)
    return base.model_copy(update={"columns": {base.name: _saw_rows(base, scope)}})


def _is_there_now(block: tree.Block, scope: Scope) -> None:
    for item in block.inputs:
        if item.last:
            name = item.reference.name
            scope.tell("E115", item.span, {"name": name}, help=f"a service answers with what there is: from {name}")


def _line(block: tree.Block, name: str) -> tree.Assign:
    return next(line for line in block.lines if isinstance(line, tree.Assign) and line.name == name)


# --- by a function ----------------------------------------------------------------------------------------------


def python(block: tree.Block, base: Node, entry: str | None, given: arguments.Given, scope: Scope) -> Node | None:
    """A service that a function of the user's answers; None when nothing can be said of it."""
    written = block.recipe.place if block.recipe else None
    if entry is None or written is None:
        return None
    read = scope.signature(entry)
    if isinstance(read, Problem):
        python_fits.unreadable(read, written, scope)
        return None
    if read.code.is_class:
        scope.tell("E409", written.span, {"entry": entry}, help=f"name a function that takes {REQUEST}")
        return None
    _is_there_now(block, scope)
    _check_route(block, base, scope)
    if read.code.files:
        _called(block, base, read, scope)
    exchange = _exchange(block, base, read, scope)
    recipe = Made(word="python", place=entry, digest=read.code.digest, code=read.code, moments=arguments.moments(given))
    columns = {base.name: _kept(((ASKED, TEXT), (ANSWERED, TEXT)))}
    return base.model_copy(update={"recipe": recipe, "exchange": exchange, "columns": columns})


def _called(block: tree.Block, base: Node, read: Signature, scope: Scope) -> None:
    """The function's parameters but `request` are the inputs and the arguments, matched by name."""
    code = read.code
    _has_request(block, read, scope)
    parameters = tuple(name for name in code.parameters if name != REQUEST)
    function = replace(
        read, code=code.model_copy(update={"parameters": parameters}), required=_without_request(read.required)
    )
    lines = tuple(line for line in block.lines if not (isinstance(line, tree.Assign) and line.name in {*OWN, REQUEST}))
    node = base.model_copy(update={"arguments": {n: v for n, v in base.arguments.items() if n not in OWN}})
    sound = {item.alias for item in base.inputs} - {REQUEST}
    inputs = tuple(item for item in block.inputs if (item.alias or item.reference.name) in sound)
    python_fits.check(replace(block, lines=lines, inputs=inputs), node, function, scope)
    returned = annotation.read(read.returns)
    if block.recipe and (annotation.is_nothing(returned) or annotation.last_name(returned) in ("bytes", "NoReturn")):
        facts = {"function": _name(read), "returned": read.returns, "name": base.title}
        scope.tell("E406", block.recipe.span, facts, note=_where(read), help="return what JSON can hold, or a table")


def _without_request(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(name for name in names if name != REQUEST)


def _has_request(block: tree.Block, read: Signature, scope: Scope) -> None:
    for item in block.inputs:
        if (item.alias or item.reference.name) == REQUEST:
            help_ = f"{REQUEST} is what the function is asked: give the input another name with as"
            scope.tell("E102", item.span, {"name": REQUEST}, help=help_)
    if any(isinstance(line, tree.Assign) and line.name == REQUEST for line in block.lines):
        span, help_ = _line(block, REQUEST).name_span, f"{REQUEST} is what the function is asked"
        scope.tell("E102", span, {"name": REQUEST}, help=help_)
    if REQUEST not in read.code.parameters and not read.open and block.recipe:
        form = f"{_name(read)}({', '.join((*read.code.parameters, REQUEST))})"
        scope.tell("E407", block.recipe.span, {"function": _name(read)}, note=_where(read), help=f"write def {form}:")


def _name(read: Signature) -> str:
    return read.code.entry.rsplit(":", 1)[-1]


def _where(read: Signature) -> str:
    return f"{read.code.entry.partition(':')[0]}:{read.line}"


# --- what is asked and answered ---


def _exchange(block: tree.Block, base: Node, read: Signature, scope: Scope) -> Exchange:
    request = shapes.shape_of(read.code.annotations.get(REQUEST, ""), read.code.entry, scope.files.text)
    answer = shapes.shape_of(read.returns, read.code.entry, scope.files.text)
    if isinstance(request, shapes.Unclear):
        facts = {"place": request.place, "field": request.field, "type": request.type}
        help_ = f"write {request.field}: dict, and take it apart in the function"
        if block.recipe:
            scope.tell("E408", block.recipe.span, facts, help=help_)
        request = shapes.OBJECT
    example = _example(block, base, request, scope) if "example" in base.arguments else ""
    return Exchange(request=request, answer=answer if isinstance(answer, Shape) else shapes.ANY, example=example)


def _example(block: tree.Block, base: Node, request: Shape, scope: Scope) -> str:
    """The request in the file that `example` names, as JSON in one line; "" when a mistake has been told."""
    span, file = _line(block, "example").value.span, str(base.arguments["example"])
    text = scope.files.text(posixpath.join(_folder(block, scope), file))
    if text is None:
        why = {"why": f"there is no file {file}"}
        scope.tell("E701", span, why, help=did_you_mean(file, scope.files.names(), " ").strip())
        return ""
    wrong = undecoded(file, text)
    if wrong is not None:
        scope.tell("E701", span, {"why": wrong.why}, help=wrong.help)
        return ""
    problem, value = _as_request(text, request)
    if problem:
        scope.tell("E226", span, {"file": file, "name": base.name, "problem": problem})
    return json.dumps(value, ensure_ascii=False) if not problem else ""


def _folder(block: tree.Block, scope: Scope) -> str:
    """Of the spec that the block stands in, seen from that of the spec that is compiled."""
    outermost = next(iter(scope.sources), "")
    folder = posixpath.dirname(block.span.path) or "."
    found = posixpath.relpath(folder, posixpath.dirname(outermost) or ".")
    return "" if found == "." else found


def _as_request(text: str, request: Shape) -> tuple[str, object]:
    """What is wrong about it, "" for nothing; and its value."""
    try:
        value = requests.parse(text.encode())
        requests.Requests(request).accept(value)
    except requests.Malformed as malformed:
        return str(malformed), None
    except requests.Refused as refused:
        first = refused.problems[0]
        return f"{first.field}: {first.problem}" if first.field else first.problem, None
    return "", value


def tried(node: Node, scope: Scope) -> None:
    """What is expected of the times of a function can be measured only where there is something to ask it."""
    if node.exchange is None or node.exchange.example or scope.may_hold(node.name, "example"):
        return
    if "example" in node.arguments:
        return  # what is wrong with it is told there
    for expect in node.expects:
        if any(isinstance(fact, Fact) and fact.of == node.name for fact in verdict.facts_in(expect.condition)):
            span = Span(expect.span.path, expect.span.start, expect.span.end)
            help_ = 'write a line: example = "request.json", a file with one request'
            scope.tell("E225", span, {"name": node.name}, help=help_)
            return


# --- what it saw ------------------------------------------------------------------------------------------------

AT, RELEASE, PREDICTION, PROBABILITY = "asked_at", "release", "prediction", "probability"  # `at` is a word of SQL
ASKED, ANSWERED = "request", "response"


def seen(block: tree.Block, base: Node, scope: Scope) -> Columns | None:
    """The columns of what a service saw, which are those of the service; None where they are not known."""
    if not base.inputs:
        return None
    item = base.inputs[0]
    if _keeps_no_log(scope.names.block_of[item.name], scope):
        help_ = f"take log = false out of {item.name}"
        scope.tell("E223", block.inputs[0].span, {"name": item.name}, help=help_)
    columns = scope.columns.get(item.name)
    if columns is None and item.last and not base.declared and _is_unknown_yet(item.name, block, scope):
        help_ = f"name those that are read, as in {base.name} {{ amount: float }}"
        scope.tell("E224", block.names[0].span, {"name": base.name}, help=help_)
    return columns


def _keeps_no_log(service: tree.Block, scope: Scope) -> bool:
    lines = [line for line in service.lines if isinstance(line, tree.Assign) and line.name == "log"]
    return any(values.read(line.value, scope.params, []) is False for line in lines)


def _saw_rows(service: Node, scope: Scope) -> Columns | None:
    model = scope.nodes.get(service.inputs[0].name) if service.inputs else None
    if model is None or model.predict is None or not model.inputs:
        return None
    data = scope.nodes.get(model.inputs[0].name)
    known = learned(model, data) if data is not None else None
    if known is None:
        return None
    predictions = learn.prediction_columns(model, scope)
    if len(model.predict.targets) > 1:
        predictions = (Column(name=PREDICTION, type=Type(base="list", item=FLOAT)), *predictions[1:])
    return seen_columns(features_of(model.predict, known), predictions)


def _kept(rest: Iterable[tuple[str, object]]) -> Columns:
    columns = ((AT, TIMESTAMP), (RELEASE, TEXT), *rest)
    return tuple(Column.model_validate({"name": name, "type": type_}) for name, type_ in columns)


def seen_columns(features: Columns, predictions: Columns) -> Columns:
    """A name that a feature has too gets a prefix: `seen_release` beside the feature `release`."""
    taken = {column.name for column in features}
    own = [column.model_copy(update={"name": f"seen_{column.name}"}) if column.name in taken else column
           for column in (*_kept(()), *predictions)]  # fmt: skip
    return (*own[:2], *features, *own[2:])


def learned(model: Node, data: Node) -> Columns | None:
    """The columns that a model learns from, where they are known: those that it names, or else all."""
    if model.predict is None or not model.predict.features:
        return data.columns.get(model.inputs[0].name)
    return data.columns_with(model.inputs[0].name, (*model.predict.features, *model.predict.targets))


def features_of(predict: Predict, known: Columns) -> Columns:
    """What a request for a prediction holds, by the columns that the model learns from."""
    there = by_name(known)
    kept = (there[name] for name in predict.features if name in there)
    return tuple(Column(name=one.name, type=one.type, low=one.low, high=one.high) for one in kept)


def is_truth(predict: Predict, target: Column) -> bool:
    return predict.positive is not None or target.type.base == "bool"


def _is_unknown_yet(name: str, block: tree.Block, scope: Scope) -> bool:
    """Whether a service is known only after this block, or its columns only when they are made; not by a mistake."""
    if name in scope.nodes:
        return not scope.rests_on_mistakes(scope.nodes[name])
    order = [id(one) for one in scope.names.blocks]
    return order.index(id(scope.names.block_of[name])) > order.index(id(block))
