"""A token that does not fit -> what to say of it: the mistake in the user's words, and the way out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from .diagnostic import Diagnostic, Fix, nearest
from .kinds import TYPES
from .source import Span
from .table import Failure, reach, table
from .tokens import LINE_WORDS, TOP_WORDS, Segments, Token
from .wording import named, shown, wanted

MAX_DEPTH = 100
HEADER = re.compile(
    r"\n(?:(?:data|model|service)[ \t]+\w[\w, \t]*[ \t](?:from|by)\b|param[ \t]+\w+[ \t]*[:=]|env[ \t]+\w+[ \t]+on\b)"
)
LOOKALIKES = {
    "–": "-",
    "—": "-",
    "−": "-",
    "，": ",",
    "：": ":",
    "；": ";",
    "\xa0": " ",
    "≥": ">=",
    "≤": "<=",
    "≠": "!=",
}

# --- of a whole statement -----------------------------------------------------------------------------------------


def too_deep(tokens: Sequence[Token]) -> Token | None:
    """The token that goes too deep. Every bracket and operator of a value is a level; whoever walks a tree recurses."""
    if len(tokens) <= MAX_DEPTH:
        return None
    levels = [[0, 0]]  # of each open bracket: operators since the last comma, the deepest brackets within
    for token in tokens:
        kind = token.kind
        if kind in ("LPAREN", "LBRACKET"):
            levels.append([0, 0])
        elif kind in ("RPAREN", "RBRACKET") and len(levels) > 1:
            depth = 1 + sum(levels.pop())
            levels[-1][1] = max(levels[-1][1], depth)
        elif kind in ("PLUS", "MINUS", "TIMES", "DIVIDE", "AND", "OR", "NOT"):
            levels[-1][0] += 1
        elif kind in ("_COMMA", "_NL", "_LBRACE", "_RBRACE"):
            levels[-1] = [0, levels[-1][1] if len(levels) > 1 else 0]
        if len(levels) > MAX_DEPTH or sum(levels[-1]) > MAX_DEPTH:
            return token
    return None


def never_closed(bracket: Token, path: str) -> Diagnostic:
    closing = {"{": "}", "(": ")", "[": "]"}[bracket.text]
    where = " on a line of its own" if closing == "}" else ""
    return Diagnostic("E003", _span(bracket, path), {"found": bracket.text}, help=f"close it with {closing}{where}")


def header_goes_on(token: Token, line: Sequence[Token], path: str) -> Diagnostic:
    """`token` begins a line below a header, further to the right, and no body is open."""
    if _fits(line, "line"):
        help_ = "a body stands between { at the end of the header and } below it"
    else:
        help_ = "a header goes on in the next line only before from and by, and after a comma"
    return Diagnostic("E014", _span(token, path), {"found": shown(token.text)}, help=help_)


def other_quotes(token: Token, path: str) -> Diagnostic:
    right = f'"{token.text[1:-1]}"'
    span = _span(token, path)
    help_ = f"text stands in straight double quotes: {shown(right)}"
    return Diagnostic("E006", span, {"found": token.text[0]}, help=help_, fix=Fix(span, right))


def unclosed_text(cut: Segments, text: str, path: str) -> tuple[Diagnostic, int] | None:
    """A text in triple quotes that holds what looks like a header, in a file whose last such text is left open: told,
    with the place where it should have ended."""
    if not any(token.kind == "OPEN_TEXT" for segment in cut.segments for token in segment.tokens):
        return None
    for segment in cut.segments:
        for token in segment.tokens:
            header = HEADER.search(text, token.start + 6, token.end) if token.kind == "TEXT" else None
            if header:
                return _open_text(token, path), header.start()
    return None


def _open_text(token: Token, path: str) -> Diagnostic:
    span = Span(path, token.start, token.start + 3)
    return Diagnostic("E005", span, {"what": "a text in triple quotes"}, help='close it with """')


# --- of one header or line ----------------------------------------------------------------------------------------


def explain_failure(failure: Failure, tokens: Sequence[Token], start: str, path: str) -> Diagnostic:
    """`tokens` are those of a header ("statement") or of one line of a body ("line")."""
    place = _Place(failure, tokens, start, path)
    for rule in RULES:
        told = rule(place)
        if told is not None:
            return told
    return place.does_not_fit()


class _Place:
    """The token that did not fit, and what stands around it."""

    def __init__(self, failure: Failure, tokens: Sequence[Token], start: str, path: str) -> None:
        self.index, self.token, self.expected = failure.index, failure.token, failure.expected
        self.tokens, self.start, self.path = tokens, start, path
        self.before = tokens[failure.index - 1] if failure.index else None
        self.span = _span(failure.token, path)

    def at_end(self) -> bool:
        return self.token.kind in ("$END", "_NL") and self.token.text != ";"

    def with_token(self, kind: str) -> list[Token]:
        return [*self.tokens[: self.index], self.token._replace(kind=kind), *self.tokens[self.index + 1 :]]

    def fix(self, span: Span, text: str, repaired: Sequence[Token]) -> Fix | None:
        """Offered only if the line, so repaired, can be read."""
        return Fix(span, text) if _fits(repaired, self.start) else None

    def does_not_fit(self, help_: str = "", fix: Fix | None = None) -> Diagnostic:
        facts = {"found": shown(self.token.text), "wanted": wanted(self.expected, self.before)}
        return Diagnostic("E008", self.span, facts, help=help_, fix=fix)


def _left_open(at: _Place) -> Diagnostic | None:
    token = at.token
    if token.kind == "OPEN_STRING":
        span = Span(at.path, token.start, token.start + 1)
        return Diagnostic("E005", span, {"what": "a quoted text"}, help='close it with " on the same line')
    return _open_text(token, at.path) if token.kind == "OPEN_TEXT" else None


def _stranger(at: _Place) -> Diagnostic | None:
    character = at.token.text
    if at.token.kind != "UNKNOWN":
        return None
    fix = None
    meant = LOOKALIKES.get(character)
    if meant:
        kind = table().words.symbols.get(meant)
        repaired = at.with_token(kind) if kind else [*at.tokens[: at.index], *at.tokens[at.index + 1 :]]
        fix = at.fix(at.span, meant, repaired)
    return Diagnostic("E006", at.span, {"found": named(character)}, help=_help_for_stranger(at, meant), fix=fix)


def _help_for_stranger(at: _Place, meant: str | None) -> str:
    character, before = at.token.text, at.before
    if meant:
        return "write a plain space" if meant == " " else f"write {meant}"
    if character in "'‘’“”«»„":
        return 'text stands in straight double quotes: "…"'
    if character in "&!~^":
        return "write and, or, not"
    if character == "%" and before is not None and before.kind == "NUMBER":
        return f"a unit stands right after its number: {before.text}%"
    if character == ".":
        return 'a column is written .name, or ."its name" if that is no plain word; a number begins with a digit: 0.5'
    if character == "`":
        return 'a name that is no plain word is quoted: ."fixed acidity"'
    if character == "$":
        return "only SQL writes a $ before a param; here it is named without"
    if character == "\\":
        return "a line goes on after a comma or an operator, and inside brackets"
    return ""


def _bad_start(at: _Place) -> Diagnostic | None:
    """The first token of a statement, or of a line."""
    if at.index or at.at_end():
        return None
    if at.token.text in ("}", ")", "]"):
        return Diagnostic("E004", at.span, {"found": at.token.text})
    if at.start == "statement":
        help_ = "a statement begins with data, model, service, param, secret, env or use"
        return _wrong_word(at, 0, TOP_WORDS, "a statement", help_)
    help_ = "a line is name: type, name = value, name in set, or begins with predict, search, measure, expect, needs or every"
    return _wrong_word(at, 0, LINE_WORDS, "a line", help_)


def _mistyped_line(at: _Place) -> Diagnostic | None:
    """`expct .rows > 3`: what stands after a name shows that the name was meant to be a word."""
    if at.start != "line" or at.index != 1 or at.tokens[0].kind != "NAME" or at.at_end():
        return None
    told = _wrong_word(at, 0, LINE_WORDS, "a line", "")
    return told if told.fix else None


def _wrong_word(at: _Place, index: int, kinds: Iterable[str], what: str, otherwise: str) -> Diagnostic:
    token = at.tokens[index]
    span = _span(token, at.path)
    facts = {"what": what, "found": shown(token.text)}
    word = nearest(token.text, sorted(kind.lower() for kind in kinds)) if _is_short_word(token) else None
    if word is None:
        comment = "a comment begins with #" if token.text in ("/", "-", "*") else otherwise
        return Diagnostic("E011", span, facts, help=comment)
    repaired = [*at.tokens[:index], token._replace(kind=word.upper(), text=word), *at.tokens[index + 1 :]]
    return Diagnostic("E011", span, facts, help=f"did you mean {word}?", fix=at.fix(span, word, repaired))


def _brackets(at: _Place) -> Diagnostic | None:
    opened = _open_brackets(at.tokens[: at.index])
    if at.token.kind in ("RPAREN", "RBRACKET") and not opened:
        return Diagnostic("E004", at.span, {"found": at.token.text})
    if at.at_end() and opened:
        return never_closed(opened[-1], at.path)
    return None


def _open_brackets(tokens: Iterable[Token]) -> list[Token]:
    opened: list[Token] = []
    for token in tokens:
        if token.kind in ("LPAREN", "LBRACKET"):
            opened.append(token)
        elif token.kind in ("RPAREN", "RBRACKET") and opened:
            opened.pop()
    return opened


def _still_open(at: _Place) -> Diagnostic | None:
    """`mean(.a > 3`."""
    for kind, sign in (("RPAREN", ")"), ("RBRACKET", "]")):
        if kind in at.expected:
            start = at.token.start
            closing = Token(kind, sign, start, start)
            end = at.tokens[at.index - 1].end
            fix = at.fix(Span(at.path, end, end), sign, [*at.tokens[: at.index], closing, *at.tokens[at.index :]])
            return at.does_not_fit(f"close the bracket with {sign} before it", fix) if fix else None
    return None


def _reserved(at: _Place) -> Diagnostic | None:
    """A word of the language in the place of a name, if all that follows agrees that it was meant as one."""
    word = at.token.text
    if "NAME" not in at.expected or not word.isidentifier() or at.token.kind == "NAME":
        return None
    if reach(at.with_token("NAME"), at.start) <= at.index + 1:
        return None
    return Diagnostic("E007", at.span, {"word": word}, help=f"take another name, such as my_{word}")


def _comparison(at: _Place) -> Diagnostic | None:
    if at.token.kind != "_ASSIGN" or "EQUAL" not in at.expected:
        return None
    return Diagnostic("E009", at.span, help="write == to compare", fix=at.fix(at.span, "==", at.with_token("EQUAL")))


def _unit_apart(at: _Place) -> Diagnostic | None:
    """`8 GiB`."""
    if at.before is None or at.before.kind != "NUMBER" or at.token.kind != "NAME":
        return None
    right = at.before.text + at.token.text
    span = Span(at.path, at.before.start, at.token.end)
    fix = (
        at.fix(span, right, [*at.tokens[: at.index], *at.tokens[at.index + 1 :]])
        if at.before.text[-1].isdigit()
        else None
    )
    return at.does_not_fit(f"a unit stands right after its number: {right}", fix) if fix else None


def _sign_left_out(at: _Place) -> Diagnostic | None:
    """`header false`, `id int`."""
    if at.before is None or at.before.kind != "NAME" or not at.expected & {"_ASSIGN", "_COLON"}:
        return None
    kind, sign = ("_COLON", ":") if at.token.text in TYPES and "_COLON" in at.expected else ("_ASSIGN", " =")
    end = at.before.end
    repaired = [*at.tokens[: at.index], Token(kind, sign.strip(), end, end), *at.tokens[at.index :]]
    fix = at.fix(Span(at.path, end, end), sign, repaired)
    return at.does_not_fit(f"write {at.before.text}{sign} {shown(at.token.text)}", fix) if fix else None


def _type_or_value(at: _Place) -> Diagnostic | None:
    """`delimiter: 3` for `delimiter = 3`, and `depth = 3..9` for `depth in 3..9`."""
    if at.start != "line" or len(at.tokens) < 3 or at.tokens[0].kind != "NAME":
        return None
    name, sign = at.tokens[0].text, at.tokens[1]
    if sign.kind == "_COLON":
        right, kind, help_ = " =", "_ASSIGN", f"an argument gets its value by =: {name} = {shown(at.tokens[2].text)}"
    elif sign.kind == "_ASSIGN" and at.token.kind in ("TO", "_BAR"):
        right, kind, help_ = "in", "IN", f"a set to search stands after in: {name} in …"
    else:
        return None
    fix = at.fix(_span(sign, at.path), right, [at.tokens[0], sign._replace(kind=kind), *at.tokens[2:]])
    return at.does_not_fit(help_, fix) if fix else None


def _comma(at: _Place) -> Diagnostic | None:
    """A line ends without a comma: many a language wants one there."""
    if at.at_end() and at.before is not None and at.before.kind == "_COMMA" and at.index > 1:
        before = _span(at.before, at.path)
        fix = at.fix(before, "", at.tokens[: at.index - 1])
        help_ = "a line ends without a comma" if fix else ""
        return Diagnostic("E010", before, {"after": ",", "wanted": wanted(at.expected, at.before)}, help=help_, fix=fix)
    if at.token.kind in ("FROM", "BY") and at.before is not None and at.before.kind == "_COMMA":
        fix = at.fix(_span(at.before, at.path), "", [*at.tokens[: at.index - 1], *at.tokens[at.index :]])
        return at.does_not_fit(f"no comma stands before {at.token.text}", fix) if fix else None
    if at.token.kind != "_COMMA" or "$END" not in at.expected:
        return None
    rest = at.tokens[at.index + 1 :]
    ends = _fits(at.tokens[: at.index], at.start) and (not rest or _fits(rest, "line"))
    return at.does_not_fit("a line ends without a comma; the next begins on a line of its own") if ends else None


def _column_without_dot(at: _Place) -> Diagnostic | None:
    if at.token.kind != "NAME" or "COLUMN" not in at.expected:
        return None
    fix = at.fix(Span(at.path, at.token.start, at.token.start), ".", at.with_token("COLUMN"))
    return at.does_not_fit(f"a column is written .{at.token.text}", fix) if fix else None


def _from_after_by(at: _Place) -> Diagnostic | None:
    if at.token.kind != "FROM" or at.start != "statement" or all(t.kind != "BY" for t in at.tokens[: at.index]):
        return None
    return at.does_not_fit("from stands before by: data name from inputs by recipe")


def _set_in_braces(at: _Place) -> Diagnostic | None:
    if at.token.kind != "_LBRACE" or at.start != "line":
        return None
    among = 'a set is written "a" | "b", a range 1..9, a list ["a", "b"]'
    return at.does_not_fit(among if at.before is not None and at.before.kind in ("IN", "_ASSIGN") else "")


def _mistyped_word(at: _Place) -> Diagnostic | None:
    """`data a form b`."""
    if not _is_short_word(at.token):
        return None
    words = [word for word, kind in table().words.keywords.items() if kind in at.expected]
    word = nearest(at.token.text, words)
    if word is None:
        return None
    fix = at.fix(at.span, word, at.with_token(table().words.keywords[word]))
    return at.does_not_fit(f"did you mean {word}?", fix) if fix else None


def _too_early(at: _Place) -> Diagnostic | None:
    before = at.before
    if not at.at_end() or before is None:
        return None
    return Diagnostic(
        "E010", _span(before, at.path), {"wanted": wanted(at.expected, before), "after": shown(before.text)}
    )


# The first that knows the mistake tells it.
RULES = (
    _left_open,
    _stranger,
    _bad_start,
    _brackets,
    _comma,
    _reserved,
    _comparison,
    _from_after_by,
    _unit_apart,
    _mistyped_word,
    _mistyped_line,
    _sign_left_out,
    _still_open,
    _type_or_value,
    _column_without_dot,
    _set_in_braces,
    _too_early,
)


def _fits(tokens: Sequence[Token], start: str) -> bool:
    return reach(tokens, start) > len(tokens)


def _is_short_word(token: Token) -> bool:
    return token.text.isidentifier() and len(token.text) <= 30


def _span(token: Token, path: str) -> Span:
    """Where a token stands; of one of several lines, its first."""
    return Span(path, token.start, token.start + len(token.text.split("\n")[0]) if "\n" in token.text else token.end)
