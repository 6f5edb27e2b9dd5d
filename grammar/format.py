"""Text -> the same text in the one layout: same tokens, same comments. There is nothing to choose.

Works on tokens, since a tree has no comments. Each statement becomes rows; a row is a line of what comes out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from .parse import parse
from .source import Source
from .table import table
from .tokens import ARITHMETIC, COMPARATORS, Token, lex, segments

WIDTH = 100
INDENT = "  "
LONG_NAME = 24
KEPT_TOGETHER = frozenset({"PARAM", "SECRET"})
# After these a minus is a sign, not an operator.
BEFORE_A_VALUE = COMPARATORS | ARITHMETIC | {
    "_COMMA", "_BAR", "AND", "OR", "NOT", "ELSE", "IN", "LPAREN", "LBRACKET", "_ASSIGN", "TO", "EXPECT"
}  # fmt: skip


def format_text(text: str, path: str = "") -> str | None:
    """None when the text has syntax errors."""
    if parse(Source(path, text)).diagnostics:
        return None
    laid_out = "\n".join(_laid_out(_statements(text)))
    formatted = laid_out + "\n" if laid_out else ""
    assert _substance(formatted) == _substance(text), f"the formatter changed the meaning of {path or 'a spec'}"
    return formatted


def _substance(text: str) -> object:
    """What a layout must not change: tokens, comments, and what describes what. Which sign ends a line is layout."""
    words = table().words
    cut = segments(text, words)
    tokens = [[(t.kind, "" if t.kind == "_NL" else t.text) for t in segment.tokens] for segment in cut.segments]
    comments = [token.text.rstrip() for token in lex(text, words) if token.kind == "COMMENT"]
    return tokens, comments, [segment.doc for segment in cut.segments], cut.doc


# --- the text, taken apart ----------------------------------------------------------------------------------------


@dataclass(slots=True)
class Statement:
    """All from its first token to its last, and the comment behind it; no items for a comment between statements.
    `gap`: a blank line stands before."""

    items: list[Token]
    gap: bool
    comment: str = ""


@dataclass(slots=True)
class Row:
    """One line: its tokens, and the comment at its end. `continues`: what the row above began. `split`: a `;` or `{`
    stands before it, not a line end."""

    tokens: list[Token] = field(default_factory=list)
    comment: str = ""
    continues: bool = False
    split: bool = False
    gap: bool = False

    @property
    def empty(self) -> bool:
        return not self.tokens and not self.comment


def _statements(text: str) -> Iterator[Statement]:
    words = table().words
    cut = segments(text, words).segments
    tokens = {token.start: token for segment in cut for token in segment.tokens}
    lasts = {segment.tokens[0].start: segment.tokens[-1].start for segment in cut}
    statement: Statement | None = None
    last = -1  # where the last token of the statement at hand begins
    lines = 2  # that have ended since something stood there
    for item in lex(text, words):
        if statement is not None and item.start <= last:
            statement.items += _item(item, tokens)
        elif item.kind == "LINE":
            lines += 1
        elif item.kind == "COMMENT" and statement is not None and lines == 0 and not statement.comment:
            statement.comment = item.text.rstrip()
        elif item.kind == "COMMENT" or item.start in lasts:
            if statement is not None:
                yield statement
            comment = item.text.rstrip() if item.kind == "COMMENT" else ""
            statement = Statement([] if comment else _item(item, tokens), lines > 1, comment)
            last, lines = lasts.get(item.start, -1), 0
    if statement is not None:
        yield statement


def _item(item: Token, tokens: dict[int, Token]) -> list[Token]:
    """The token as the parser sees it; none for a `;` that ends nothing."""
    if item.kind == "COMMENT" or (item.kind == "LINE" and item.start not in tokens):
        return [item]
    return [tokens[item.start]] if item.start in tokens else []


def _rows(items: Sequence[Token]) -> list[Row]:
    """The lines as they were written, and one for each line of a body."""
    rows = [Row(split=True)]
    last = max((i for i, item in enumerate(items) if item.kind not in ("LINE", "COMMENT", "_NL")), default=-1)
    inside = False
    for i, item in enumerate(items):
        if item.kind in ("LINE", "_NL"):
            inside = inside and item.kind == "LINE"
            rows.append(Row(continues=inside, split=item.text == ";"))
        elif item.kind == "COMMENT":
            row = rows[-2] if rows[-1].empty and rows[-1].split and len(rows) > 1 else rows[-1]
            row.comment = item.text.rstrip()
        else:
            rows[-1].tokens.append(item)
            inside = i < last
    return _with_gaps(rows)


def _with_gaps(rows: Iterable[Row]) -> list[Row]:
    kept: list[Row] = []
    gap = False
    for row in rows:
        if row.empty:
            gap = gap or not (row.split or row.continues)
            continue
        row.gap = gap and bool(kept)
        kept.append(row)
        gap = False
    return kept


# --- statements ---------------------------------------------------------------------------------------------------


def _laid_out(statements: Iterable[Statement]) -> Iterator[str]:
    above: Statement | None = None
    above_is_one_line = False
    for statement in statements:
        lines = _lines(statement)
        if above is not None and _blank_line_between(above, above_is_one_line, statement, len(lines) == 1):
            yield ""
        yield from lines
        above, above_is_one_line = statement, len(lines) == 1


def _blank_line_between(above: Statement, above_is_one_line: bool, below: Statement, below_is_one_line: bool) -> bool:
    if not above.items:  # a comment stays with what it is about
        return below.gap
    if _kind(above) in KEPT_TOGETHER and above_is_one_line:
        together = not below.items or (_kind(below) in KEPT_TOGETHER and below_is_one_line)
        return below.gap or not together
    return True


def _kind(statement: Statement) -> str:
    return statement.items[0].kind if statement.items else ""


def _lines(statement: Statement) -> list[str]:
    items = statement.items
    opened = next((i for i, item in enumerate(items) if item.kind == "_LBRACE"), len(items))
    if not items or opened == len(items):
        lines = _header(items)
    else:
        lines = _with_body(items[: opened + 1], items[opened + 1 : -1])
    return [*lines[:-1], _commented(lines[-1], statement.comment)] if lines else [statement.comment]


def _with_body(head: Sequence[Token], body: Sequence[Token]) -> list[str]:
    header = _header(head)
    rows = _rows(body)
    if len(header) == 1 and not any("\n" in item.text for item in body):
        inner = "; ".join(_spaced(row.tokens) for row in rows)
        short = f"{header[0]} {inner} }}" if inner else header[0] + "}"
        if _fits(short):
            return [short]
    if not rows:
        return [*header[:-1], header[-1] + "}"]
    opening = rows.pop(0).comment if body[0].kind == "COMMENT" else ""
    if rows:
        rows[0].gap = False
    return [*header[:-1], _commented(header[-1], opening), *_body(rows), "}"]


def _header(items: Sequence[Token]) -> list[str]:
    """On one line where it fits, else broken before `from` and `by`; where a comment stands within, as written."""
    rows = _rows(items)
    words = [token for row in rows for token in row.tokens]
    with_clauses = bool(words) and words[0].kind not in KEPT_TOGETHER
    if with_clauses and not any(row.comment for row in rows):
        if _fits(_spaced(words)):
            return [_spaced(words)]
        starts = {row.tokens[0].start for row in rows}
        rows = [row for clause in _clauses(words) for row in _clause(clause, starts)]
    return [
        _commented(_header_indent(row, i, with_clauses) + _spaced(row.tokens), row.comment)
        for i, row in enumerate(rows)
    ]


def _header_indent(row: Row, index: int, with_clauses: bool) -> str:
    if index == 0:
        return ""
    if not row.tokens:
        return INDENT if with_clauses else INDENT * 2
    first = row.tokens[0].kind
    return INDENT if first in ("FROM", "BY") else _continuation(row)


def _continuation(row: Row) -> str:
    return "" if row.tokens and row.tokens[0].kind in ("_LBRACE", "RPAREN", "RBRACKET") else INDENT * 2


def _clauses(words: Sequence[Token]) -> Iterator[list[Token]]:
    clause: list[Token] = []
    for token in words:
        if token.kind in ("FROM", "BY"):
            yield clause
            clause = []
        clause.append(token)
    yield clause


def _clause(words: Sequence[Token], starts: set[int]) -> list[Row]:
    """One row, or if that is too long, those in which it was written."""
    if _fits(INDENT + _spaced(words)):
        return [Row(list(words))]
    rows = [Row()]
    for token in words:
        if token.start in starts and rows[-1].tokens and rows[-1].tokens[-1].kind == "_COMMA":
            rows.append(Row())
        rows[-1].tokens.append(token)
    return rows


# --- the lines of a body ------------------------------------------------------------------------------------------


def _body(rows: Sequence[Row]) -> Iterator[str]:
    names = _aligned(rows)
    for row, name in zip(rows, names, strict=True):
        if row.gap:
            yield ""
        indent = (_continuation(row) or INDENT) if row.continues else INDENT
        yield _commented(indent + name + _spaced(row.tokens, len(name) and _name_length(row)), row.comment)


def _aligned(rows: Sequence[Row]) -> list[str]:
    """The name that begins each row, as wide as those of the rows of the same form around it; "" for other rows."""
    names: list[str] = []
    run: list[Row] = []
    for row in [*rows, Row()]:
        if run and (row.gap or row.continues or _form(row) != _form(run[0])):
            names += _as_wide_as_the_widest(run)
            run = []
        if _form(row) and not row.continues:
            run.append(row)
        elif not row.empty:
            names.append("")
    return names


def _form(row: Row) -> str:
    """`:` for a column, `=` for an argument, given or searched."""
    if row.continues or len(row.tokens) < 2:
        return ""
    return {"_COLON": ":", "_ASSIGN": "=", "IN": "="}.get(row.tokens[1].kind, "")


def _name_length(row: Row) -> int:
    return 2 if row.tokens[1].kind == "_COLON" else 1


def _as_wide_as_the_widest(run: Sequence[Row]) -> list[str]:
    """A long name stands outside, so that one more of them does not move all lines around it."""
    sign = ":" if _form(run[0]) == ":" else ""
    names = [row.tokens[0].text + sign for row in run]
    width = max((len(name) for name in names if len(name) <= LONG_NAME), default=0)
    return [name.ljust(width) + " " for name in names]


# --- tokens -------------------------------------------------------------------------------------------------------


def _spaced(words: Sequence[Token], start: int = 0) -> str:
    """The tokens from `start` on, with the spaces between them."""
    parts = []
    for i in range(start, len(words)):
        if i > start and _apart(words[i - 2].kind if i > 1 else "", words[i - 1].kind, words[i].kind):
            parts.append(" ")
        parts.append(words[i].text)
    return "".join(parts)


def _apart(earlier: str, before: str, kind: str) -> bool:
    if kind in ("_COMMA", "_COLON", "OPTIONAL", "RPAREN", "RBRACKET", "TO", "_NL") or before in (
        "LPAREN",
        "LBRACKET",
        "TO",
    ):
        return kind == "TO" and before in ("IN", "_ASSIGN", "_COMMA", "_BAR")
    if before == "MINUS" and (earlier in BEFORE_A_VALUE or not earlier):
        return False
    if kind in ("LPAREN", "LBRACKET"):
        return before != "NAME"
    return kind != "COLUMN" or before not in ("NAME", "LAST", "COLUMN")


def _commented(line: str, comment: str) -> str:
    if not comment:
        return line
    return f"{line}  {comment}" if line.strip() else line + comment


def _fits(text: str) -> bool:
    """Its first line: what follows in a text of several lines is not ours to break."""
    return len(text.split("\n", 1)[0]) <= WIDTH
