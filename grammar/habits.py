"""What people write who come from Python, SQL, YAML, Terraform or Excel, and what it is here.

A rule looks at the token that did not fit; it tells the mistake if it knows the habit, else the next is asked.
"""

from __future__ import annotations

from collections.abc import Sequence

from . import header_habits, line_habits
from .diagnostic import Diagnostic, Fix
from .foreign import LINES, STATEMENTS
from .misfit import Misfit, fits
from .source import Span
from .table import table
from .tokens import Token
from .wording import shown

# Signs of other languages, as the tokens that they fall into here.
SIGNS = {
    ("&", "&"): "and", ("&",): "and", ("|", "|"): "or", ("!",): "not", ("<", ">"): "!=", ("=", ">"): ">=",
    ("=", "<"): "<=", ("==", "="): "==", ("!=", "="): "!=", ("~",): "not",
}  # fmt: skip
CONTROL = frozenset(
    {"if", "elif", "for", "foreach", "while", "when", "def", "class", "func", "function", "return", "try"}
)
GIVEN = frozenset({"_ASSIGN", "_COLON", "IN"})  # behind a name
COMMENTS = ({"DIVIDE"}, {"MINUS"}, {"DIVIDE", "TIMES"})


def sign(at: Misfit) -> Diagnostic | None:
    """`.a > 1 && .b > 1`, `!.a`, `.a <> 1`: all of them in the line, since each would be told next."""
    found = [start for start in range(at.index - 1, at.index + 1) if _sign_at(at, start)]
    if not found:
        return None
    first, places = found[0], [i for i in range(found[0], len(at.tokens)) if _sign_at(at, i)]
    last, right = first, ""
    for i in places:
        if i < last:
            continue
        written, meant = _sign_at(at, i) or ((), "")
        right += at.between(last, i) + meant
        last = i + len(written)
        right += " " if meant.isalpha() and at.touches(last) else ""
    meant = (_sign_at(at, first) or ((), ""))[1]
    fix = at.put(first, last, right)
    if fix is None:
        return None
    if at.token.kind == "UNKNOWN":
        return Diagnostic("E006", at.span, {"found": at.token.text}, help=f"write {meant}", fix=fix)
    return at.does_not_fit(f"write {meant}", fix)


def _sign_at(at: Misfit, start: int) -> tuple[tuple[str, ...], str] | None:
    if start < 0:
        return None
    for size in (2, 1):
        written = tuple(at.text(start + i) for i in range(size))
        apart = size == 2 and not at.touches(start + 1)
        if written in SIGNS and not apart and written != ("<",):
            return written, SIGNS[written]
    return None


def comment(at: Misfit) -> Diagnostic | None:
    """`id: int // the key`."""
    for start in (at.index - 1, at.index):
        pair = {at.kind(start), at.kind(start + 1)}
        if start < 0 or pair not in COMMENTS or not at.touches(start + 1) or at.kind(start) == "TIMES":
            continue
        if start and not fits(at.tokens[:start], at.start):
            continue
        span = Span(at.path, at.tokens[start].start, at.tokens[start + 1].end)
        text = at.text(start) + at.text(start + 1)
        fix = Fix(span, "#") if text != "/*" and "\n" not in "".join(t.text for t in at.tokens[start:]) else None
        if start:
            return at.does_not_fit("a comment begins with #", fix)
        return Diagnostic("E011", span, {"what": at.what(), "found": text}, help="a comment begins with #", fix=fix)
    return None


def is_comment(tokens: Sequence[Token]) -> bool:
    """Whether the whole line is one, as others write them."""
    pair = {token.kind for token in tokens[:2]}
    return len(tokens) > 1 and pair in COMMENTS and tokens[0].kind != "TIMES" and tokens[0].end == tokens[1].start


def query(at: Misfit) -> Diagnostic | None:
    """`select * from a` outside of a block."""
    if at.index > 1 or at.text(0).lower() not in ("select", "with", "create", "insert") or at.kind(1) in GIVEN:
        return None
    span = Span(at.path, at.tokens[0].start, at.tokens[0].end)
    facts = {"what": at.what(), "found": shown(at.text(0))}
    return Diagnostic("E011", span, facts, help='a query makes data: data b from a by sql "select …"')


def other_word(at: Misfit) -> Diagnostic | None:
    """`import "x.mlspec" as x`, `assert .rows > 1`: another language's word for one of ours."""
    known = STATEMENTS if at.start == "statement" else LINES
    word = known.get(at.text(0).lower())
    if word is None or at.index > 1 or at.kind(0) != "NAME" or at.kind(1) in GIVEN:
        return None
    fix = at.put(0, 1, word)
    span = Span(at.path, at.tokens[0].start, at.tokens[0].end)
    facts = {"what": at.what(), "found": at.text(0)}
    return Diagnostic("E011", span, facts, help=f"here that is {word}", fix=fix) if fix else None


def done_on_a_condition(at: Misfit) -> Diagnostic | None:
    """`if prod {`, `for x in y:`, `def f():`."""
    word = at.text(0)
    if at.kind(0) != "NAME" or word not in CONTROL or at.kind(1) in ("_ASSIGN", "_COLON") or not at.tokens[1:]:
        return None
    help_ = "a spec says what there is, not what is done: for another case it has a param, which an env can set"
    span = Span(at.path, at.tokens[0].start, at.tokens[0].end)
    return Diagnostic("E011", span, {"what": at.what(), "found": word}, help=help_)


def thousands(at: Misfit) -> Diagnostic | None:
    """`trials = 10,000`, `rate = 0,5`."""
    comma = at.index if at.token.kind == "_COMMA" else at.index - 1
    kinds = (at.kind(comma - 1), at.kind(comma), at.kind(comma + 1))
    if kinds != ("NUMBER", "_COMMA", "NUMBER") or not at.touches(comma) or not at.touches(comma + 1):
        return None
    before, after = at.text(comma - 1), at.text(comma + 1)
    right = f"{before}{'_' if len(after) == 3 else '.'}{after}"
    space = "" if at.touches(comma - 1) else " "
    return at.told_with(f"a number has no comma: {right}", at.put(comma - 1, comma + 2, space + right))


def half(at: Misfit) -> Diagnostic | None:
    """`.5`, and `$name`."""
    character, after = at.token.text, at.text(at.index + 1)
    if at.token.kind != "UNKNOWN" or not at.touches(at.index + 1):
        return None
    if character == "." and at.kind(at.index + 1) == "NUMBER":
        help_, right = f"a number begins with a digit: 0.{after}", f" 0.{after}"
    elif character == "$":
        help_, right = f"only SQL writes a $ before a param; here it is {after}", f" {after}"
    else:
        return None
    fix = at.put(at.index, at.index + 2, right)
    return Diagnostic("E006", at.span, {"found": character}, help=help_, fix=fix) if fix else None


def shouted(at: Misfit) -> Diagnostic | None:
    """`AND`, `FROM`: the words of the language are written small."""
    word = at.token.text.lower()
    if (
        not at.index
        or at.token.kind != "NAME"
        or word == at.token.text
        or table().words.keywords.get(word) not in at.expected
    ):
        return None
    return at.told_with(f"write {word}", at.put(at.index, at.index + 1, word))


def quoted_name(at: Misfit) -> Diagnostic | None:
    """`data "customers" from …`, `from "customers"`, and `predict "churned"`."""
    inner = at.token.text.strip('"')
    if at.token.kind != "STRING" or not inner.isidentifier():
        return None
    if at.start == "line" and at.kind(1) == "_COLON":
        return _set_with_commas(at)
    if "COLUMN" in at.expected and "NAME" not in at.expected:
        return at.told_with(f"a column is written .{inner}", at.put(at.index, at.index + 1, f".{inner}"))
    if "NAME" in at.expected:
        return at.told_with("a name stands without quotes", at.put(at.index, at.index + 1, inner))
    return None


def _set_with_commas(at: Misfit) -> Diagnostic | None:
    """`town: "a", "b"`."""
    end = next((i for i in range(2, len(at.tokens)) if at.kind(i) not in ("STRING", "_COMMA")), len(at.tokens))
    right = " | ".join(token.text for token in at.tokens[2:end] if token.kind == "STRING")
    return at.told_with(f"a closed set is written {shown(right)}", at.put(2, end, f" {right}"))


# The first that knows the habit tells it.
RULES = (
    sign,
    comment,
    query,
    other_word,
    *header_habits.RULES,
    quoted_name,
    *line_habits.RULES,
    done_on_a_condition,
    thousands,
    half,
    shouted,
)
