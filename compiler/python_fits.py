"""A block by `python`, held against the function or class that makes it: what is given, and what comes back."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from datetime import date

from ..grammar import tree
from ..grammar.diagnostic import Fix, nearest
from ..grammar.source import Span
from . import annotation, arguments, installed, learn, options, values
from .called import Called
from .program import Node, handed
from .scope import Scope
from .signature import ESTIMATES, Problem, Signature

SEEDS = ("seed", "random_state")


def check(block: tree.Block, node: Node, read: Signature, scope: Scope) -> None:
    code = read.code
    _annotated(block, read, scope)
    installed_one = not code.files and ".py:" not in code.entry
    if installed_one and installed.absent(code.entry):
        _not_installed(block, installed.absent(code.entry), scope)
    elif node.kind == "model":
        _estimates(block, read, installed_one, scope)
    if code.is_class or installed_one:
        _constructor(block, node, read, installed_one, scope)
    elif code.parameters or not read.open:
        _call(block, node, read, scope)


def _annotated(block: tree.Block, read: Signature, scope: Scope) -> None:
    for problem in read.strangers if block.recipe else ():
        assert block.recipe is not None
        note = f"{problem.path}:{problem.line}"
        scope.tell("E401", block.recipe.span, {"message": problem.message}, note=note, help=problem.help)


def _not_installed(block: tree.Block, package: str, scope: Scope) -> None:
    if block.recipe:
        close = nearest(package, installed.packages())
        help_ = f"did you mean {close}?" if close else f"install it, as by pip install {package}"
        scope.tell("W105", block.recipe.span, {"package": package}, help=help_)


def _estimates(block: tree.Block, read: Signature, from_package: bool, scope: Scope) -> None:
    """A class that makes a model is fitted, and asked."""
    entry, lacks = read.code.entry, read.lacks
    if from_package:
        lacks = tuple(name for name in ESTIMATES if installed.has_method(entry, name)[0] is False)
    if not lacks or block.recipe is None:
        return
    changes = from_package and installed.has_method(entry, "transform")[0]
    help_ = f"write def {lacks[0]}(self, {'X, y' if lacks[0] == 'fit' else 'X'}) in it"
    if from_package:
        help_ = "take a class with fit and predict, or a function of yours that returns the model"
    if changes:
        help_ = (
            f"it prepares data: put it before a model, as in make_pipeline({_name(read)}(), …) in a function of yours"
        )
    scope.tell("E410", block.recipe.span, {"name": _name(read), "lacks": " and no ".join(lacks)}, help=help_)


def unreadable(problem: Problem, written: tree.Text | tree.Reference, scope: Scope) -> None:
    """What an entry names is not there."""
    note = f"{problem.path}:{problem.line}" if problem.path and problem.line else ""
    plain = isinstance(written, tree.Text) and not written.raw and problem.instead
    fix = Fix(written.inner, problem.instead) if plain and isinstance(written, tree.Text) else None
    help_ = problem.help
    if problem.message.startswith("there is no file") and isinstance(written, tree.Text):
        files = (name for name in scope.files.names() if name.endswith(".py"))
        close = nearest(written.value.partition(":")[0], files)
        help_ = f"did you mean {close}?" if close else help_
        if close and not written.raw:
            fix = Fix(written.inner, ":".join((close, *written.value.split(":")[1:])))
    scope.tell("E401", written.span, {"message": problem.message}, note=note, help=help_, fix=fix)


# --- a function of the project's ------------------------------------------------------------------------------


def _call(block: tree.Block, node: Node, read: Signature, scope: Scope) -> None:
    """The function's parameters are the inputs and arguments, matched by name."""
    factory = _is_factory(block, node, read)
    if factory:
        _fitted_on_one(block, read, scope)
    else:
        block = arguments.apart_from_inputs(block, scope)
    if not read.open:
        _strangers(block, read, () if factory else block.inputs, scope)
    _lacking(block, node, read, scope)
    _inputs(block, node, read, scope)
    for line in _assigned(block):
        wanted = _wanted(read, line.name, _value(line, scope))
        if wanted is not None:
            _refuse(_name(read), line, *wanted, scope)
    if not factory:
        _returned(block, node, read, scope)


def _is_factory(block: tree.Block, node: Node, read: Signature) -> bool:
    """A function that takes none of the inputs, and lacks nothing, gives an estimator yet to be fitted."""
    predicts = any(isinstance(line, tree.Predict) for line in block.lines) or bool({"", "predict"} & {*block.unread})
    learns = node.kind == "model" and (predicts or learn.is_measured(block))
    return (
        learns
        and not {item.alias for item in node.inputs} & set(read.code.parameters)
        and not set(_missing(block, node, read)) - _mistyped(block, read)
    )


def _name(read: Signature) -> str:
    return read.code.entry.rsplit(":", 1)[-1]


def _form(read: Signature) -> str:
    """fit(train, *, trees)"""
    shown = [*read.code.parameters, *([f"*{read.starred}"] if read.starred else [])]
    return f"{_name(read)}({', '.join(shown)})"


def _strangers(block: tree.Block, read: Signature, inputs: Sequence[tree.Input], scope: Scope) -> None:
    known = read.code.parameters
    free = [name for name in known if name not in _given(block)]
    unknown = [item for item in inputs if _alias(item) not in known and scope.is_there(item)]
    # Those whose parameter can be told take it first.
    for item in sorted(unknown, key=lambda item: nearest(_alias(item), free) is None):
        facts = {"function": _name(read), "name": _alias(item)}
        help_, fix = _way_of_input(item, free, read)
        scope.tell("E402", item.span, facts, note=_form(read), help=help_, fix=fix)
    for line in _assigned(block):
        if line.name not in known and line.name != "seed" and not arguments.means_a_type(line, block, scope):
            facts = {"function": _name(read), "name": line.name}
            close = nearest(line.name, set(known) - _given(block))
            otherwise = _starred(read) or f"take the line away, or give {_name(read)} a parameter {line.name}"
            help_ = f"did you mean {close}?" if close else otherwise
            fix = Fix(line.name_span, close) if close else None
            scope.tell("E402", line.name_span, facts, note=_form(read), help=help_, fix=fix)


def _way_of_input(item: tree.Input, free: list[str], read: Signature) -> tuple[str, Fix | None]:
    """The parameter that was meant, else the first that wants something: it is taken from those that are `free`."""
    close = nearest(_alias(item), free)
    name = close or next((name for name in free if name in read.required), "")
    if not name:
        return _starred(read) or f"take it out of from, or give {_name(read)} a parameter {_alias(item)}", None
    free.remove(name)
    if not close:
        return f"rename the parameter, or write from {item.reference} as {name}", None
    start = item.span.end - len(item.alias) if item.alias else item.span.end
    fix = Fix(Span(item.span.path, start, item.span.end), name if item.alias else f" as {name}")
    return f"did you mean from {item.reference} as {name}?", fix


def _alias(item: tree.Input) -> str:
    return item.alias or item.reference.name


def _starred(read: Signature) -> str:
    """All is given by name, so nothing arrives in a `*parameter`."""
    return f"name it among the parameters: *{read.starred} is given nothing" if read.starred else ""


def _given(block: tree.Block) -> set[str]:
    inputs = {item.alias or item.reference.name for item in block.inputs}
    return inputs | {line.name for line in _assigned(block)}


def _lacking(block: tree.Block, node: Node, read: Signature, scope: Scope) -> None:
    mistyped = _mistyped(block, read)
    missing = [name for name in _missing(block, node, read) if name not in mistyped]
    # An input that goes by another name than its parameter is told at the input.
    strangers = [item for item in block.inputs if (item.alias or item.reference.name) not in read.code.parameters]
    missing = missing[len(strangers) :] if not read.open else missing
    if missing and block.recipe and all(map(scope.is_there, block.inputs)):
        facts = {"function": _name(read), "missing": ", ".join(missing)}
        help_ = f"give it an input of that name, or a line: {missing[0]} = …"
        scope.tell("E403", block.recipe.span, facts, help=help_)


def _mistyped(block: tree.Block, read: Signature) -> set[str | None]:
    """The parameters that lines mean which name none: those mistakes are told there."""
    return {nearest(line.name, read.required) for line in _assigned(block) if line.name not in read.code.parameters}


def _missing(block: tree.Block, node: Node, read: Signature) -> list[str]:
    if block.unread:
        return []  # a line that could not be read may give it
    has = {item.alias for item in node.inputs} | set(node.arguments) | set(node.secrets) | {*SEEDS}
    has |= {line.name for line in block.lines if isinstance(line, tree.Assign | tree.Among)}
    return [parameter for parameter in read.required if parameter not in has]


def _inputs(block: tree.Block, node: Node, read: Signature, scope: Scope) -> None:
    kinds = {item.alias: item.kind for item in node.inputs}
    for item in block.inputs:
        alias = item.alias or item.reference.name
        asked = read.code.annotations.get(alias, "")
        if kinds.get(alias) == "data" and not annotation.has_form(asked):
            facts = {"function": _name(read), "name": alias, "asked": asked}
            help_ = "annotate it with a pandas or polars frame, pyarrow.Table, numpy.ndarray or pathlib.Path"
            scope.tell("E405", item.span, facts, note=f"{read.code.entry.partition(':')[0]}:{read.line}", help=help_)


def _returned(block: tree.Block, node: Node, read: Signature, scope: Scope) -> None:
    wanted = annotation.wrong_return(read.returns, node.kind, len(node.names)) if node.kind != "service" else ""
    if wanted and block.recipe:
        facts = {"function": _name(read), "returned": read.returns, "name": node.title}
        where = f"{read.code.entry.partition(':')[0]}:{read.line}"
        scope.tell("E406", block.recipe.span, facts, note=where, help=f"return {wanted}")


# --- a class --------------------------------------------------------------------------------------------------


def _constructor(block: tree.Block, node: Node, read: Signature, from_package: bool, scope: Scope) -> None:
    entry, known = read.code.entry, read.code.parameters
    called = installed.parameters(entry) if from_package else None
    if from_package:
        known = tuple(argument.arg for argument in called.arguments) if called else ()
    closed = (called is not None and not called.open) if from_package else not read.open
    if node.kind == "model":
        _fitted_on_one(block, read, scope)
    for line in _assigned(block):
        if isinstance(line.value, tree.Column):
            continue  # it goes to fit
        if _is_secret(line, scope):
            # Estimators keep their arguments, so it would lie in the store with the model.
            help_ = f"{_name(read)} would keep it: hand it to a function of yours that gives the model"
            scope.tell("E114", line.value.span, {"name": str(line.value)}, help=help_)
            continue
        if closed and line.name not in (*known, "seed"):
            arguments.unknown(line.name, line.name_span, known, _name(read), scope)
            continue
        wanted = _wanted_of_class(read, called, _parameter(line.name, known), _value(line, scope))
        if wanted is not None:
            _refuse(_name(read), line, *wanted, scope)


def _fitted_on_one(block: tree.Block, read: Signature, scope: Scope) -> None:
    """What is constructed first is fitted then, on the first input: another would be lost."""
    for item in block.inputs[1:]:
        if scope.is_there(item):
            first, name = block.inputs[0].reference, item.alias or str(item.reference)
            help_ = f"it is fitted on one input, {first}: take {name} out of from, or name a function of yours that takes both"
            scope.tell("E402", item.span, {"function": _name(read), "name": name}, help=help_)


def _parameter(name: str, known: Sequence[str]) -> str:
    """`seed` goes by the name that the constructor knows."""
    return name if name != "seed" or name in known else "random_state"


Wanted = tuple[str, Sequence[str]]  # in words, and the texts that a parameter takes


def _wanted_of_class(read: Signature, called: Called | None, name: str, value: object) -> Wanted | None:
    if value is None:
        return None
    rules = options.of(read.code.entry).get(name, ())
    if options.takes(rules, value) is False:
        return options.words(rules), options.choices(rules)
    if rules or called is None:
        return None if rules else _wanted(read, name, value)
    note = next((one.annotation for one in called.arguments if one.arg == name), None)
    asked = annotation.read(ast.unparse(note)) if note is not None else None
    if asked is not None and annotation.takes(asked, value) is False:
        return annotation.words(asked), _texts(asked)
    return None


# --- values ---------------------------------------------------------------------------------------------------


def _assigned(block: tree.Block) -> Iterator[tree.Assign]:
    return (line for line in block.lines if isinstance(line, tree.Assign))


def _is_secret(line: tree.Assign, scope: Scope) -> bool:
    return isinstance(values.read(line.value, scope.params, [], secrets=True), values.Secret)


def _value(line: tree.Assign, scope: Scope) -> object:
    """The line's value, dates as such; None where there is none to judge: a column, a secret, a mistake that was told."""
    value = values.read(line.value, scope.params, [], secrets=True)
    if value is None or isinstance(value, values.Secret | values.ColumnValue):
        return None
    if isinstance(value, tuple) and any(isinstance(one, values.ColumnValue | values.Secret) for one in value):
        return None
    plain, is_moment = values.plain(value), values.is_moment(value)
    if isinstance(plain, tuple):
        return tuple(handed(one, is_moment=is_moment) for one in plain)
    return handed(plain, is_moment=is_moment)


def _wanted(read: Signature, name: str, value: object) -> Wanted | None:
    """What the parameter of a function or class of the project's takes, where the value is none of it."""
    if value is None:
        return None
    asked = annotation.read(read.code.annotations.get(name, ""))
    if asked is not None:
        return (annotation.words(asked), _texts(asked)) if annotation.takes(asked, value) is False else None
    default = read.defaults.get(name)
    if annotation.takes_as_default(default, value) is False:
        return f"{annotation.default_words(default)}, as its default is,", ()
    return None


def _about_dates(value: object, wanted: str) -> str:
    if isinstance(value, str) and "a date" in wanted:
        return "a date is written without quotes"
    if not isinstance(value, date):
        return ""
    if "a date and time" in wanted:
        return f"with a time of day it is one: {value.isoformat()}T00:00"
    return f'it comes as a datetime.{type(value).__name__}; a text is written in quotes: "{value.isoformat()}"'


def _texts(asked: ast.expr) -> list[str]:
    found = [one for part in annotation.options(asked) if annotation.last_name(part) == "Literal"
             for one in annotation.literals(part)]  # fmt: skip
    return [one for one in found if isinstance(one, str)]


def _refuse(function: str, line: tree.Assign, wanted: str, texts: Sequence[str], scope: Scope) -> None:
    span: Span = line.value.span
    value = _value(line, scope)
    close = nearest(value, texts) if isinstance(value, str) else None
    direct = isinstance(line.value, tree.Text) and not line.value.raw
    help_ = f'did you mean "{close}"?' if close else ""
    help_ = help_ or _about_dates(value, wanted)
    if not help_ and wanted.endswith("default is,"):
        help_ = "if it takes this too, annotate the parameter with both, as in int | str"
    scope.tell(
        "E404", span, {"function": function, "name": line.name, "wanted": wanted, "found": scope.written(span)},
        help=help_, fix=Fix(span, f'"{close}"') if close and direct else None,
    )  # fmt: skip
