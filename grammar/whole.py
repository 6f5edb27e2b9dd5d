"""What is wrong with a statement as a whole: its braces, its header, where it begins and how it is quoted."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import dropwhile, pairwise, takewhile

from .diagnostic import Diagnostic, Fix
from .misfit import fits, span_of
from .source import Span
from .table import reach
from .tokens import HAVE_NO_BODY, LINE_WORDS, Segments, Token
from .wording import shown

MAX_DEPTH = 100
HEADER = re.compile(
    r"\n(?:(?:data|model|service)[ \t]+\w[\w, \t]*[ \t](?:from|by)\b|param[ \t]+\w+[ \t]*[:=]|env[ \t]+\w+[ \t]+on\b)"
)
BEGINS_A_TEXT = re.compile(r"\b(?:from|by)[ \t]+\w+[ \t]*\Z")  # and so do quotes behind it
TOP_HELP = "a statement begins with data, model, service, param, secret, env or use"


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


def body_never_closed(bracket: Token, tokens: Sequence[Token], path: str) -> Diagnostic:
    end = tokens[-1].end
    closed = [*tokens, Token("_RBRACE", "}", end, end)]
    fix = Fix(Span(path, end, end), "\n}") if fits(closed, "statement") else None
    help_ = "close it with } on a line of its own"
    return Diagnostic("E003", span_of(bracket, path), {"found": bracket.text}, help=help_, fix=fix)


def brace_in_header(brace: Token, tokens: Sequence[Token], path: str) -> Diagnostic:
    """`data a { from csv "a.csv" {`, `param k: int = { 3`."""
    span = span_of(brace, path)
    help_ = (
        f"take it out: {tokens[0].text} has no body"
        if tokens[0].kind in HAVE_NO_BODY
        else "take it out: the body is opened behind it"
    )
    fix = Fix(span, "") if fits([token for token in tokens if token is not brace], "statement") else None
    return Diagnostic("E008", span, {"found": "{", "wanted": "the rest of the header"}, help=help_, fix=fix)


def closed_early(brace: Token, early: Sequence[Token], tokens: Sequence[Token], path: str) -> Diagnostic:
    """Behind the brace stand further lines of the body. It is taken out where another closes the body below them."""
    span, facts = span_of(brace, path), {"found": brace.text, "what": "the body too early"}
    strays = {stray.start for stray in early}
    if tokens[-1].kind != "_RBRACE":
        return Diagnostic(
            "E004", span, facts, help="lines of the body follow it: close the body below the last of them"
        )
    fix = Fix(span, "") if fits([token for token in tokens if token.start not in strays], "statement") else None
    return Diagnostic("E004", span, facts, help="lines of the body follow it: take it out", fix=fix)


def header_left_out(first: Token, path: str) -> Diagnostic:
    """Lines of a body without the header of a block above them."""
    facts = {"what": "a statement", "found": shown(first.text)}
    help_ = 'lines of a body stand below the header of their block, as in data a from csv "a.csv" {'
    return Diagnostic("E011", span_of(first, path), facts, help=help_)


def breaks_off(line: Sequence[Token]) -> bool:
    """Whether a line only lacks what follows."""
    return bool(line) and reach(line, "line") == len(line)


def names_itself(line: Sequence[Token]) -> bool:
    """`expect …`, `name = …`: it is a line of its own, whatever is wrong in it."""
    is_name = line[0].kind == "STRING" or line[0].text.isidentifier()
    return line[0].kind in LINE_WORDS or (is_name and len(line) > 1 and line[1].kind in ("_ASSIGN", "_COLON", "IN"))


def ends_otherwise(word: Token, tokens: Sequence[Token], path: str) -> Diagnostic:
    """`)` or `end` in the place of `}`."""
    span = span_of(word, path)
    repaired = [token._replace(kind="_RBRACE") if token is word else token for token in tokens]
    before = [token for token, after in pairwise(repaired) if token.kind != "_NL" or after.kind != "_RBRACE"]
    fix = Fix(span, "}") if fits([*before, repaired[-1]], "statement") else None
    return Diagnostic("E008", span, {"found": shown(word.text), "wanted": "}"}, help="a body ends with }", fix=fix)


def cannot_begin(token: Token, path: str) -> Diagnostic:
    facts = {"what": "a statement", "found": shown(token.text)}
    return Diagnostic("E011", span_of(token, path), facts, help=TOP_HELP)


def header_goes_on(header: Sequence[Token], tokens: Sequence[Token], path: str) -> Diagnostic:
    """Behind the header begins a line further to the right, and no body is open."""
    after = list(dropwhile(lambda token: token.kind == "_NL", tokens[len(header) :]))
    line = list(takewhile(lambda token: token.kind != "_NL", after))
    help_, fix = "a header goes on in the next line only before from and by, and after a comma", None
    if fits(line, "line"):
        help_ = "a body stands between { at the end of the header and } below it"
        end = header[-1].end
        rest = [
            token for token, next_ in pairwise([*after, after[-1]]) if (token.kind, next_.kind) != ("_NL", "_RBRACE")
        ]
        if fits([*header, Token("_LBRACE", "{", end, end), *rest], "statement"):
            fix = Fix(Span(path, end, end), " {")
    return Diagnostic("E014", span_of(after[0], path), {"found": shown(after[0].text)}, help=help_, fix=fix)


def other_quotes(token: Token, path: str) -> Diagnostic:
    right, span = requoted(token), Span(path, token.start, token.end)
    help_ = f"text stands in straight double quotes: {shown(right)}"
    if token.text.startswith("'''"):
        span, help_ = Span(path, token.start, token.start + 3), 'text of several lines stands in """'
        return Diagnostic(
            "E006", span, {"found": "'''"}, help=help_, fix=Fix(Span(path, token.start, token.end), right)
        )
    return Diagnostic("E006", span, {"found": token.text[0]}, help=help_, fix=Fix(span, right))


def requoted(token: Token) -> str:
    if token.text.startswith("'''"):
        return f'"""{token.text[3:-3]}"""'
    return f'"{token.text[1:-1]}"'


def unclosed_text(cut: Segments, text: str, path: str) -> tuple[Diagnostic, int] | None:
    """A text in triple quotes that holds what looks like a header, and ends where one begins, or stands in a file whose
    last such text is left open: told, with the place where it should have ended."""
    is_odd = any(token.kind == "OPEN_TEXT" for segment in cut.segments for token in segment.tokens)
    for segment in cut.segments:
        for token in segment.tokens:
            header = HEADER.search(text, token.start + 6, token.end) if token.kind == "TEXT" else None
            if header and (is_odd or BEGINS_A_TEXT.search(text, header.start(), token.end - 3)):
                return open_text(token, path), header.start()
    return None


def open_text(token: Token, path: str) -> Diagnostic:
    span = Span(path, token.start, token.start + 3)
    return Diagnostic("E005", span, {"what": "a text in triple quotes"}, help='close it with """')
