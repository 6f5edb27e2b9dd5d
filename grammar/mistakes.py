"""A token that does not fit -> what to say of it: the mistake in the user's words, and the way out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from . import habits
from .diagnostic import Diagnostic, Fix, nearest
from .foreign import OTHER_UNITS
from .kinds import TYPES
from .misfit import Misfit, fits, is_short_word, span_of
from .source import Span
from .table import Failure, reach, table
from .tokens import GOES_ON_AFTER, LINE_WORDS, TOP_WORDS, Token, lex
from .whole import TOP_HELP, open_text
from .wording import named, shown, wanted

QUOTES = "'‘’“”«»„`"
NAMES = "a name holds letters, digits and _, and begins with a letter"
LOOKALIKES = {
    "–": "-",
    "—": "-",
    "−": "-",
    "，": ",",
    "：": ":",
    "；": ";",
    "\xa0": " ",
    "（": "(",
    "）": ")",
    "＝": "=",
    "｜": "|",
    "≥": ">=",
    "≤": "<=",
    "≠": "!=",
}


def explain_failure(failure: Failure, tokens: Sequence[Token], start: str, path: str) -> Diagnostic:
    """`tokens` are those of a header ("statement") or of one line of a body ("line")."""
    place = Misfit(failure, tokens, start, path)
    for rule in RULES:
        told = rule(place)
        if told is not None:
            return told
    return place.does_not_fit()


def _left_open(at: Misfit) -> Diagnostic | None:
    token = at.token
    if token.kind == "OPEN_STRING":
        span, facts = Span(at.path, token.start, token.start + 1), {"what": "a quoted text"}
        too_many = _opened_by_mistake(at)
        if too_many:
            return Diagnostic("E005", span, facts, help='take the " out', fix=too_many)
        return Diagnostic("E005", span, facts, help='close it with " on the same line', fix=_closed(at))
    return open_text(token, at.path) if token.kind == "OPEN_TEXT" else None


def _opened_by_mistake(at: Misfit) -> Fix | None:
    """`id: " int`: behind the quote stands a type, or nothing."""
    rest = [token for token in lex(at.token.text[1:], table().words) if token.kind not in ("COMMENT", "END")]
    is_type = at.before is not None and at.before.kind == "_COLON" and rest[:1] and rest[0].text in TYPES
    if rest and not is_type:
        return None
    start = at.token.start
    return at.fix(Span(at.path, start, start + 1), "", [*at.tokens[: at.index], *rest, *at.tokens[at.index + 1 :]])


def _closed(at: Misfit) -> Fix | None:
    """The quote goes before a comment, the brace of a body, or the end of the line; in the place of another quote."""
    text = re.sub(r"(?:\s+#.*|\s+|\s*\{\s*)\Z", "", at.token.text)
    if text[-1] in "'’”" and len(text) > 2:
        end, quoted = at.token.start + len(text), at.token._replace(kind="STRING", text=text[:-1] + '"')
        return at.fix(Span(at.path, end - 1, end), '"', [*at.tokens[: at.index], quoted, *at.tokens[at.index + 1 :]])
    behind = list(lex(at.token.text[len(text) :], table().words))
    repaired = [*at.tokens[: at.index], at.token._replace(kind="STRING"), *behind, *at.tokens[at.index + 1 :]]
    end = at.token.start + len(text)
    return Fix(Span(at.path, end, end), '"') if reach(repaired, at.start) >= len(repaired) else None


def _stranger(at: Misfit) -> Diagnostic | None:
    character = at.token.text
    if at.token.kind != "UNKNOWN":
        return None
    fix = None
    meant = LOOKALIKES.get(character)
    if meant:
        kind = table().words.symbols.get(meant)
        repaired = at.with_token(kind) if kind else [*at.tokens[: at.index], *at.tokens[at.index + 1 :]]
        fix = at.fix(at.span, meant, repaired)
    elif character == "%" and at.before is not None and at.before.kind == "NUMBER":
        fix = at.put(at.index - 1, at.index + 1, f" {at.before.text}%")
    elif character not in QUOTES + "\\$" and (fix := at.put(at.index, at.index + 1, "")):
        return Diagnostic("E006", at.span, {"found": named(character)}, help="take it out", fix=fix)
    return Diagnostic("E006", at.span, {"found": named(character)}, help=_help_for_stranger(at, meant), fix=fix)


def _help_for_stranger(at: Misfit, meant: str | None) -> str:
    character, before = at.token.text, at.before
    if meant:
        return "write a plain space" if meant == " " else f"write {meant}"
    if character in "%" and at.index == 0:
        return "a comment begins with #"
    if character in QUOTES:
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
    if at.start == "statement" and "NAME" in at.expected:
        return NAMES
    return ""


def _broken_line(at: Misfit) -> Diagnostic | None:
    """A line end before a sign that no line begins with: what goes on there is one line."""
    if at.start != "line" or at.token.kind != "_NL" or at.index + 1 >= len(at.tokens):
        return None
    after = at.tokens[at.index + 1]
    facts = {"what": "a line", "found": shown(after.text)}
    if at.token.text == ";":
        help_, fix = "a ; stands only between lines: take it out", at.put(at.index, at.index + 1, "")
        return Diagnostic("E011", span_of(after, at.path), facts, help=help_, fix=fix)
    help_ = f"put {shown(after.text)} at the end of the line before it"
    if after.kind not in GOES_ON_AFTER:
        help_ = "it goes on with the line before it: write both on one"
    return Diagnostic("E011", span_of(after, at.path), facts, help=help_)


def _bad_start(at: Misfit) -> Diagnostic | None:
    """The first token of a statement, or of a line."""
    if at.index or at.at_end():
        return None
    if at.token.text in ("}", ")", "]"):
        return Diagnostic(
            "E004",
            at.span,
            {"found": at.token.text, "what": "nothing"},
            fix=Fix(at.span, "") if len(at.tokens) == 1 else None,
        )
    if at.token.kind == "_COMMA" and len(at.tokens) == 1:
        facts = {"what": at.what(), "found": ","}
        return Diagnostic("E011", at.span, facts, help="no comma stands between statements", fix=Fix(at.span, ""))
    if at.start == "statement":
        return _wrong_word(at, 0, TOP_WORDS, "a statement", TOP_HELP)
    help_ = "a line is name: type, name = value, name in set, or begins with predict, search, measure, expect, needs or every"
    return _wrong_word(at, 0, LINE_WORDS, "a line", help_)


def _mistyped_line(at: Misfit) -> Diagnostic | None:
    """`expct .rows > 3`: what stands after a name shows that the name was meant to be a word."""
    if at.start != "line" or at.index != 1 or at.tokens[0].kind != "NAME" or at.at_end():
        return None
    told = _wrong_word(at, 0, LINE_WORDS, "a line", "")
    return told if told.fix else None


def _wrong_word(at: Misfit, index: int, kinds: Iterable[str], what: str, otherwise: str) -> Diagnostic:
    token = at.tokens[index]
    span = span_of(token, at.path)
    facts = {"what": what, "found": shown(token.text)}
    word = nearest(token.text, sorted(kind.lower() for kind in kinds)) if is_short_word(token) else None
    if word is None:
        comment = "a comment begins with #" if token.text in ("/", "-", "*") else otherwise
        return Diagnostic("E011", span, facts, help=comment)
    repaired = [*at.tokens[:index], token._replace(kind=word.upper(), text=word), *at.tokens[index + 1 :]]
    return Diagnostic("E011", span, facts, help=f"did you mean {word}?", fix=at.fix(span, word, repaired))


def _brackets(at: Misfit) -> Diagnostic | None:
    opened = _open_brackets(at.tokens[: at.index])
    if at.token.kind in ("RPAREN", "RBRACKET", "_RBRACE") and not opened:
        facts = {"found": at.token.text, "what": "nothing"}
        return Diagnostic("E004", at.span, facts, fix=at.put(at.index, at.index + 1, ""))
    if at.at_end() and opened:
        return _never_closed(opened, at)
    return None


def _never_closed(opened: Sequence[Token], at: Misfit) -> Diagnostic:
    closing = {"(": ")", "[": "]"}
    fix = at.put(len(at.tokens), len(at.tokens), "".join(closing[token.text] for token in reversed(opened)))
    bracket = opened[-1]
    help_ = f"close it with {closing[bracket.text]}"
    return Diagnostic("E003", span_of(bracket, at.path), {"found": bracket.text}, help=help_, fix=fix)


def _open_brackets(tokens: Iterable[Token]) -> list[Token]:
    opened: list[Token] = []
    for token in tokens:
        if token.kind in ("LPAREN", "LBRACKET"):
            opened.append(token)
        elif token.kind in ("RPAREN", "RBRACKET") and opened:
            opened.pop()
    return opened


def _still_open(at: Misfit) -> Diagnostic | None:
    """`mean(.a > 3`."""
    for kind, sign in (("RPAREN", ")"), ("RBRACKET", "]")):
        if kind in at.expected:
            start = at.token.start
            closing = Token(kind, sign, start, start)
            end = at.tokens[at.index - 1].end
            fix = at.fix(Span(at.path, end, end), sign, [*at.tokens[: at.index], closing, *at.tokens[at.index :]])
            return at.does_not_fit(f"close the bracket with {sign} before it", fix) if fix else None
    return None


def _reserved(at: Misfit) -> Diagnostic | None:
    """A word of the language in the place of a name, if all that follows agrees that it was meant as one."""
    word = at.token.text
    if "NAME" not in at.expected or not word.isidentifier() or at.token.kind == "NAME":
        return None
    if reach(at.with_token("NAME"), at.start) <= at.index + 1:
        return None
    return Diagnostic("E007", at.span, {"word": word}, help=f"take another name, such as my_{word}")


def _comparison(at: Misfit) -> Diagnostic | None:
    if at.token.kind == "_COLON" and "EQUAL" in at.expected:
        return at.told_with("write == to compare", at.put(at.index, at.index + 1, " =="))
    if at.token.kind != "_ASSIGN" or "EQUAL" not in at.expected:
        return None
    return Diagnostic("E009", at.span, help="write == to compare", fix=at.fix(at.span, "==", at.with_token("EQUAL")))


def _unit_apart(at: Misfit) -> Diagnostic | None:
    """`8 GiB`."""
    if at.before is None or at.before.kind != "NUMBER" or at.token.kind != "NAME":
        return None
    right = at.before.text + OTHER_UNITS.get(at.token.text.lower(), at.token.text)
    span = Span(at.path, at.before.start, at.token.end)
    fix = (
        at.fix(span, right, [*at.tokens[: at.index], *at.tokens[at.index + 1 :]])
        if at.before.text[-1].isdigit()
        else None
    )
    return at.does_not_fit(f"a unit stands right after its number: {right}", fix) if fix else None


def _name_with_minus(at: Misfit) -> Diagnostic | None:
    """`data a-b from …`."""
    i = at.index
    if at.start != "statement" or at.token.kind != "MINUS" or not (at.touches(i) and at.touches(i + 1)):
        return None
    right = f"{at.text(i - 1)}_{at.text(i + 1)}"
    return at.told_with(f"{NAMES}: {right}", at.put(i - 1, i + 2, f" {right}"))


def _sign_left_out(at: Misfit) -> Diagnostic | None:
    """`header false`, `id int`."""
    if at.before is None or at.before.kind != "NAME" or not at.expected & {"_ASSIGN", "_COLON"}:
        return None
    kind, sign = ("_COLON", ":") if at.token.text in TYPES and "_COLON" in at.expected else ("_ASSIGN", " =")
    end = at.before.end
    repaired = [*at.tokens[: at.index], Token(kind, sign.strip(), end, end), *at.tokens[at.index :]]
    fix = at.fix(Span(at.path, end, end), sign, repaired)
    return at.does_not_fit(f"write {at.before.text}{sign} {shown(at.token.text)}", fix) if fix else None


def _type_or_value(at: Misfit) -> Diagnostic | None:
    """`delimiter: 3` for `delimiter = 3`, and `depth = 3..9` for `depth in 3..9`."""
    if at.start != "line" or len(at.tokens) < 3 or at.tokens[0].kind != "NAME":
        return None
    name, sign = at.tokens[0].text, at.tokens[1]
    if sign.kind == "_COLON" and at.tokens[2].kind not in ("NAME", "STRING"):
        right, kind, help_ = " =", "_ASSIGN", f"an argument gets its value by =: {name} = {shown(at.tokens[2].text)}"
    elif sign.kind == "_ASSIGN" and at.token.kind in ("TO", "_BAR"):
        right, kind, help_ = "in", "IN", f"a set to search stands after in: {name} in …"
    else:
        return None
    fix = at.fix(span_of(sign, at.path), right, [at.tokens[0], sign._replace(kind=kind), *at.tokens[2:]])
    return at.does_not_fit(help_, fix) if fix else None


def _comma(at: Misfit) -> Diagnostic | None:
    """A line ends without a comma: many a language wants one there."""
    if at.at_end() and at.before is not None and at.before.kind == "_COMMA" and at.index > 1:
        before = span_of(at.before, at.path)
        fix = at.fix(before, "", at.tokens[: at.index - 1])
        help_ = "a line ends without a comma" if fix else ""
        return Diagnostic("E010", before, {"after": ",", "wanted": wanted(at.expected, at.before)}, help=help_, fix=fix)
    if at.token.kind in ("FROM", "BY") and at.before is not None and at.before.kind == "_COMMA":
        fix = at.fix(span_of(at.before, at.path), "", [*at.tokens[: at.index - 1], *at.tokens[at.index :]])
        return at.does_not_fit(f"no comma stands before {at.token.text}", fix) if fix else None
    if at.token.kind != "_COMMA" or "$END" not in at.expected:
        return None
    rest = at.tokens[at.index + 1 :]
    ends = fits(at.tokens[: at.index], at.start) and (not rest or fits(rest, "line"))
    if ends and not rest:
        return at.does_not_fit("a line ends without a comma", at.put(at.index, at.index + 1, ""))
    return at.does_not_fit("a line ends without a comma; the next begins on a line of its own") if ends else None


def _column_without_dot(at: Misfit) -> Diagnostic | None:
    if at.token.kind != "NAME" or "COLUMN" not in at.expected:
        return None
    fix = at.fix(Span(at.path, at.token.start, at.token.start), ".", at.with_token("COLUMN"))
    return at.does_not_fit(f"a column is written .{at.token.text}", fix) if fix else None


def _set_in_braces(at: Misfit) -> Diagnostic | None:
    if at.token.kind != "_LBRACE" or at.start != "line":
        return None
    among = 'a set is written "a" | "b", a range 1..9, a list ["a", "b"]'
    return at.does_not_fit(among if at.before is not None and at.before.kind in ("IN", "_ASSIGN") else "")


def _mistyped_word(at: Misfit) -> Diagnostic | None:
    """`data a form b`."""
    if not is_short_word(at.token):
        return None
    words = [word for word, kind in table().words.keywords.items() if kind in at.expected]
    word = nearest(at.token.text, words)
    if word is None:
        return None
    fix = at.fix(at.span, word, at.with_token(table().words.keywords[word]))
    return at.does_not_fit(f"did you mean {word}?", fix) if fix else None


def _one_too_many(at: Misfit) -> Diagnostic | None:
    """A sign, or what stands there twice: the line can be read without it."""
    if at.at_end():
        return None
    for index in (at.index, at.index - 1):
        token = at.tokens[index] if index >= 0 else None
        doubled = at.index and at.text(at.index) == at.text(at.index - 1)
        is_sign = token is not None and not token.text[:1].isalnum() and token.text[:1] not in '._"'
        fix = at.put(index, index + 1, "") if is_sign or doubled else None
        if fix and token is not None:
            return at.does_not_fit("it stands there twice" if doubled else f"take the {token.text} out", fix)
    return None


def _too_early(at: Misfit) -> Diagnostic | None:
    before = at.before
    if not at.at_end() or before is None:
        return None
    return Diagnostic(
        "E010", span_of(before, at.path), {"wanted": wanted(at.expected, before), "after": shown(before.text)}
    )


# The first that knows the mistake tells it.
RULES = (
    _left_open,
    _broken_line,
    *habits.RULES,
    _stranger,
    _bad_start,
    _brackets,
    _comma,
    _type_or_value,
    _reserved,
    _comparison,
    _unit_apart,
    _mistyped_word,
    _mistyped_line,
    _name_with_minus,
    _sign_left_out,
    _still_open,
    _column_without_dot,
    _set_in_braces,
    _too_early,
    _one_too_many,
)
