"""A block by `notebook`, held against the notebook that makes it: what it is given, and what it leaves."""

from __future__ import annotations

import keyword

from ..grammar import tree
from ..grammar.diagnostic import Fix, listing, nearest
from . import arguments
from .notebook import PARAMETERS, Notebook
from .program import Node
from .python_file import Problem
from .scope import Scope, did_you_mean

SEEDS = ("seed", "random_state")


def unreadable(problem: Problem, written: tree.Text | tree.Reference, scope: Scope) -> None:
    """The file is not there, or cannot be run; a mistake in a cell is shown with its line."""
    note = problem.path if problem.path.count(":") else ""
    if problem.line:
        note = f"{problem.path}:{problem.line}"
    known = [name for name in scope.files.names() if name.endswith(".ipynb")] if not problem.path else []
    place = written.value if isinstance(written, tree.Text) else ""
    help_ = did_you_mean(place, known, problem.help) if known else problem.help
    close = nearest(place, known) if isinstance(written, tree.Text) and not written.raw else None
    fix = Fix(written.inner, close) if close and isinstance(written, tree.Text) else None
    scope.tell("E411", written.span, {"message": problem.message}, note=note, help=help_, fix=fix)


def check(block: tree.Block, node: Node, read: Notebook, scope: Scope) -> None:
    block = arguments.apart_from_inputs(block, scope)
    for line in block.lines:
        if isinstance(line, tree.Assign):
            _can_be_given(line, read, scope)
    _leaves(block, node, read, scope)


def _can_be_given(line: tree.Assign, read: Notebook, scope: Scope) -> None:
    """Any name will do where no cell says which ones."""
    facts = {"notebook": read.code.entry, "name": line.name}
    if keyword.iskeyword(line.name):
        scope.tell("E412", line.name_span, facts, help=f"{line.name} is a word of Python: choose another name")
        return
    if read.parameters is None or line.name in (*read.parameters, *SEEDS):
        return
    close = nearest(line.name, read.parameters)
    known = f"its cell tagged {PARAMETERS} has {listing(read.parameters) or 'none'}"
    otherwise = f"give it a default there: {line.name} = …"
    fix = Fix(line.name_span, close) if close else None
    scope.tell(
        "E412", line.name_span, facts, note=known, help=did_you_mean(line.name, read.parameters, otherwise), fix=fix
    )


def _leaves(block: tree.Block, node: Node, read: Notebook, scope: Scope) -> None:
    """Each output is what the notebook leaves in the variable of that name."""
    if read.open:
        return
    given = {item.alias for item in node.inputs}
    for name in block.names:
        variable = name.text.rpartition(".")[2]
        if variable not in read.assigns and variable not in given:
            close = nearest(variable, read.assigns)
            help_ = f"end it with {variable} = {close or '…'}"
            scope.tell("E413", name.span, {"notebook": read.code.entry, "name": variable}, help=help_)
