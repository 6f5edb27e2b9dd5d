"""What can be said of a source in the world outside before anyone looks there: its place and its arguments."""

from __future__ import annotations

import re

from ..grammar import tree
from ..grammar.source import Span
from .load import REMOTE, is_remote
from .program import Node
from .scope import Scope

# In the userinfo of an address, in its query, or as a word of libpq's own form.
_PASSWORD = re.compile(r"^[\w+.-]+://[^/@\s]*:[^/@\s]+@|(?:^|[?&\s])(?:ssl)?password\s*=\s*[^\s&]", re.IGNORECASE)


def is_sound(block: tree.Block, base: Node, place: str, scope: Scope) -> bool:
    """Whether a source can be asked what it holds; if not, it has been told why."""
    before = len(scope.told)
    word, head = base.recipe.word, block.inputs[0].span
    if word in ("folder", "sqlite") and is_remote(word, place):
        scheme = place.partition("://")[0].lower()
        why = f"a {'folder' if word == 'folder' else 'SQLite file'} is read from this machine, not from {scheme}"
        scope.tell("E701", head, {"why": why}, help="copy it here first, as with shell")
    if _PASSWORD.search(place):
        _in_the_open(head, "a password", "token", "token", scope)
    _token(block, base, place, scope)
    if word == "sqlite":
        _one_of_two(block, base, scope)
    if word == "postgres":
        _server(block, base, place, scope)
    return len(scope.told) == before


def line_of(block: tree.Block, argument: str) -> tree.Assign | None:
    return next((line for line in block.lines if isinstance(line, tree.Assign) and line.name == argument), None)


def _in_the_open(span: Span, what: str, argument: str, secret: str, scope: Scope) -> None:
    help_ = f"write secret {secret} above, {argument} = {secret} here, and set {secret.upper()} where mlspec runs"
    scope.tell("E702", span, {"what": what}, help=help_)


def _token(block: tree.Block, base: Node, place: str, scope: Scope) -> None:
    line = line_of(block, "token")
    if line is None or base.recipe.word == "postgres":
        return
    if not place.lower().startswith(REMOTE[:2]):
        facts = {"of": f"a {base.recipe.word} that is not at https://", "name": "token"}
        scope.tell("E205", line.name_span, facts, help="a token is shown to an https server; take the line away")
    elif "token" in base.arguments:
        _in_the_open(line.value.span, "a token", "token", "token", scope)


def _one_of_two(block: tree.Block, base: Node, scope: Scope) -> None:
    table, query = line_of(block, "table"), line_of(block, "query")
    if table is not None and query is not None:
        scope.tell("E703", query.span, {"problem": f"{base.name} reads a table and a query"}, help="keep one of them")
    if table is None and query is None:
        help_ = 'write table = "…", or query = "select …"'
        scope.tell("E703", block.head, {"problem": f"nothing says what {base.name} reads in the database"}, help=help_)


def _server(block: tree.Block, base: Node, place: str, scope: Scope) -> None:
    line = line_of(block, "url")
    if line is None:
        help_ = f"write secret {base.name}_url above, and url = {base.name}_url in the block"
        scope.tell("E704", block.head, {"name": base.name}, help=help_)
    elif _PASSWORD.search(str(base.arguments.get("url", ""))):
        _in_the_open(line.value.span, "a password", "url", f"{base.name}_url", scope)
    if not place.strip() and line_of(block, "query") is None:
        facts = {"problem": f"nothing says what {base.name} reads in the database"}
        scope.tell("E703", block.inputs[0].span, facts, help='name the table, as in postgres "billing.invoices"')
