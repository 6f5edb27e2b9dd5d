"""Habits in the lines of a body: types, ranges, lists and functions as they are written elsewhere."""

from __future__ import annotations

import re
from dataclasses import replace

from .diagnostic import Diagnostic, Fix
from .foreign import ARGUMENTS, NOTHING, OTHER_FUNCTIONS, OTHER_TYPES
from .kinds import DATA_FUNCTIONS
from .misfit import Misfit, fits
from .source import Span
from .tokens import COMPARATORS, LINE_WORDS, Token
from .wording import shown


def compared_for_given(at: Misfit) -> Diagnostic | None:
    """`header == false` as a line of its own."""
    if at.token.kind != "EQUAL" or "_ASSIGN" not in at.expected:
        return None
    return at.told_with("= gives a value to an argument", at.put(at.index, at.index + 1, "="))


def given_by_other_sign(at: Misfit) -> Diagnostic | None:
    """`max_iter <- 3`, `max_iter := 3`, `max_iter => 3`."""
    for first in (at.index - 1, at.index):
        if (at.text(first), at.text(first + 1)) in GIVES and at.touches(first + 1):
            return at.told_with("= gives a value to an argument", at.put(first, first + 2, " ="))
    return None


GIVES = {("<", "-"), (":", "="), ("=", ">"), ("-", ">")}


def set_by_other_sign(at: Misfit) -> Diagnostic | None:
    """`plan: "free" or "pro"`, `"free" / "pro"`."""
    if at.kind(1) != "_COLON" or at.text(at.index) not in ("or", "/") or at.kind(at.index - 1) != "STRING":
        return None
    end = next(
        (i for i in range(2, len(at.tokens)) if at.kind(i) != "STRING" and at.text(i) not in ("or", "/", "|")), 0
    )
    right = " | ".join(token.text for token in at.tokens[2 : end or len(at.tokens)] if token.kind == "STRING")
    return at.told_with(f"a closed set is written {shown(right)}", at.put(2, end or len(at.tokens), f" {right}"))


def expect_left_out(at: Misfit) -> Diagnostic | None:
    """`unique(.id)`, `.rows > 1` as a line of its own."""
    is_call = at.kind(0) == "NAME" and at.kind(1) == "LPAREN" and at.text(0) in DATA_FUNCTIONS
    if at.start != "line" or at.index > 1 or not (is_call or at.kind(0) == "COLUMN"):
        return None
    return at.told_with(f"a condition stands behind expect: expect {shown(at.text(0))} …", at.put(0, 0, "expect "))


def lone_name(at: Misfit) -> Diagnostic | None:
    """`id`, `pass`."""
    if at.start != "line" or at.index != 1 or at.kind(0) != "NAME" or not at.at_end():
        return None
    name = at.text(0)
    return at.does_not_fit(f"a column is written {name}: type, an argument {name} = value")


def missing_in_type(at: Misfit) -> Diagnostic | None:
    """`email: text | null`."""
    if at.token.kind not in ("NAME", "_BAR") or at.kind(1) != "_COLON":
        return None
    bar = at.index if at.token.kind == "_BAR" else at.index - 1
    if at.kind(bar) != "_BAR" or at.text(bar + 1) not in NOTHING:
        return None
    help_ = f"what may be missing has a ? behind its type: {at.text(bar - 1)}?"
    return at.told_with(help_, at.put(bar, bar + 2, "?"))


def in_braces(at: Misfit) -> Diagnostic | None:
    """`needs { cpu = 2 }`."""
    if at.start != "line" or at.index != 1 or at.token.kind != "_LBRACE":
        return None
    fix = None
    if at.kind(len(at.tokens) - 1) == "_RBRACE" and "_NL" not in {token.kind for token in at.tokens}:
        fix = at.put(1, len(at.tokens), at.between(2, len(at.tokens) - 1))
    return at.told_with(f"{at.text(0)} stands with its options on one line, a comma between them", fix)


def colon_for_equal(at: Misfit) -> Diagnostic | None:
    """`needs memory: 8GB`."""
    if at.token.kind != "_COLON" or at.expected != {"_ASSIGN"}:
        return None
    return at.told_with("a value stands after =", at.put(at.index, at.index + 1, " ="))


# --- types and ranges ---------------------------------------------------------------------------------------------


def type_with_brackets(at: Misfit) -> Diagnostic | None:
    """`varchar(20)`, `int[]`, `list<int>`, `["a", "b"]`."""
    if at.start != "line" or at.kind(1) != "_COLON":
        return None
    word, opened = at.text(2), at.kind(3)
    if at.kind(2) == "LBRACKET":
        return _set_in_brackets(at)
    if at.kind(2) != "NAME" or opened not in ("LPAREN", "LBRACKET", "LESS"):
        return None
    closing = {"LPAREN": "RPAREN", "LBRACKET": "RBRACKET", "LESS": "GREATER"}[opened]
    end = next((i for i in range(4, len(at.tokens)) if at.kind(i) == closing), 0)
    words = [token.text for token in at.tokens[4:end] if token.kind == "STRING"]
    if words and len(words) * 2 - 1 == end - 4:  # enum("a", "b"), Literal["a", "b"]
        right = " | ".join(words)
        return at.told_with(f"a closed set is written {shown(right)}", at.put(2, end + 1, f" {right}"))
    if opened == "LPAREN" and end:
        right = OTHER_TYPES.get(word.lower(), word)
        return at.told_with(f"a type has no size: {right}", at.put(2, end + 1, f" {right}"))
    inner = word if opened == "LBRACKET" and end == 4 else at.text(4)
    fix = at.put(2, end + 1, f" list[{inner}]") if end else None
    return at.told_with(f"a list is written list[{inner}]", fix) if opened == "LESS" or end == 4 else None


def _set_in_brackets(at: Misfit) -> Diagnostic | None:
    end = next((i for i in range(3, len(at.tokens)) if at.kind(i) == "RBRACKET"), 0)
    words = [token.text for token in at.tokens[3:end] if token.kind == "STRING"]
    if not words or at.text(0) in ARGUMENTS:
        return None
    right = " | ".join(words)
    return at.told_with(f"a closed set is written {shown(right)}", at.put(2, end + 1, f" {right}"))


def sql_marks(at: Misfit) -> Diagnostic | None:
    """`id: int not null`, `id: int primary key`."""
    if at.kind(1) != "_COLON":
        return None
    words = (at.text(at.index).lower(), at.text(at.index + 1).lower())
    if words == ("not", "null"):
        help_ = "a value is there unless the type has a ?"
        return at.told_with(help_, at.put(at.index, at.index + 2, ""))
    if words[0] == "null":
        return at.told_with("what may be missing has a ? behind its type", at.put(at.index, at.index + 1, "?"))
    if words == ("primary", "key"):
        return at.told_with("what stands once only is marked unique", at.put(at.index, at.index + 2, ", unique"))
    if words[0] == "unique":
        return at.told_with("a comma stands before unique", at.put(at.index, at.index, ","))
    return None


def range_in_other_words(at: Misfit) -> Diagnostic | None:
    """`between 1 and 3`, `in 1 to 3`, `in 1:3`, `1...3`, `float 1..3`, and `int, 1..3`."""
    i = at.index
    if at.text(i).lower() == "between" and at.kind(i + 2) == "AND":
        right = f" in {at.text(i + 1)}..{at.text(i + 3)}"
        return at.told_with(f"a range is written{right}", at.put(i, i + 4, right))
    if "TO" in at.expected and (at.text(i) == "to" or at.token.kind == "_COLON"):
        right = f"{at.text(i - 1)}..{at.text(i + 1)}"
        return at.told_with(f"a range is written {right}", at.put(i, i + 1, ".."))
    if at.text(i) == "." and at.kind(i - 1) == "TO":
        return at.told_with("a range has two dots", at.put(i - 1, i + 1, ".."))
    if at.kind(1) == "_COLON" and at.kind(i - 1) == "_COMMA" and (at.kind(i + 1) == "TO" or at.token.kind == "IN"):
        end = i + 1 if at.token.kind == "IN" else i
        return at.told_with("a range stands after the type and in, without a comma", at.put(i - 1, end, " in"))
    if at.kind(1) == "_COLON" and "IN" in at.expected:
        return _bound(at)
    return None


def _bound(at: Misfit) -> Diagnostic | None:
    """What stands behind a type, where a range could stand."""
    i = at.index
    if at.kind(i + 1) == "TO" or at.token.kind == "TO":
        return at.told_with("a range stands after in", at.put(i, i, " in"))
    number = at.text(i + 1) if at.kind(i + 1) in ("NUMBER", "DATE") else ""
    right = {"GREATER_EQUAL": f"in {number}..", "LESS_EQUAL": f"in ..{number}"}.get(at.token.kind)
    if right and number:
        return at.told_with(f"a range stands after in: {right}", at.put(i, i + 2, right))
    if at.token.kind in ("GREATER", "LESS") and at.before is not None and at.before.kind != "_COLON":
        return at.does_not_fit(f"write a line: expect .{at.text(0)} {at.token.text} {number}".rstrip())
    return None


# --- functions ----------------------------------------------------------------------------------------------------


def count_all(at: Misfit) -> Diagnostic | None:
    """`count(*)`."""
    if at.token.kind != "TIMES" or at.kind(at.index - 1) != "LPAREN" or at.kind(at.index + 1) != "RPAREN":
        return None
    return at.told_with("how many rows there are is .rows", at.put(at.index - 2, at.index + 2, " .rows"))


def method(at: Misfit) -> Diagnostic | None:
    """`.age.mean()`."""
    i = at.index
    if at.token.kind != "COLUMN" or at.kind(i - 1) != "COLUMN" or at.kind(i + 1) != "LPAREN":
        return None
    word = at.text(i)[1:]
    right = f" {OTHER_FUNCTIONS.get(word, word)}({at.text(i - 1)})"
    return at.told_with(f"a function is written before its column:{right}", at.put(i - 1, i + 3, right))


def measured_by_call(at: Misfit) -> Diagnostic | None:
    """`measure roc_auc(test)`."""
    i = at.index
    if at.kind(0) != "MEASURE" or at.token.kind != "LPAREN" or at.kind(i + 1) != "NAME" or at.kind(i + 2) != "RPAREN":
        return None
    return at.told_with("what it is measured on stands after on", at.put(i, i + 3, f" on {at.text(i + 1)}"))


def measured_on_nothing(at: Misfit) -> Diagnostic | None:
    """`measure roc_auc`."""
    if at.kind(0) != "MEASURE" or not at.at_end() or "_ON" not in at.expected:
        return None
    words = shown(at.between(1, at.index).strip())
    told = at.does_not_fit(f"say what it is measured on, as in measure {words} on test")
    return replace(told, facts={**told.facts, "measured": words})


# --- lines of one kind --------------------------------------------------------------------------------------------


def predict(at: Misfit) -> Diagnostic | None:
    """`predict churned from plan, tenure`, `predict "churned" from *`, `from all but .id`."""
    if at.kind(0) != "PREDICT":
        return None
    parts, before = [], ""
    for token in at.tokens[1:]:
        part = _of_predict(token, before)
        parts.append(("," if before.startswith(".") and part.startswith(".") else "") + (part and f" {part}"))
        before = part or before
    right = "".join(parts).replace(" ,", ",")
    return at.told_with(f"write predict{right}", at.put(1, len(at.tokens), right))


def _of_predict(token: Token, before: str) -> str:
    word = token.text.strip('"')
    if token.kind == "_COLON" or (token.kind in ("LBRACKET", "RBRACKET", "LPAREN", "RPAREN")):
        return ""
    if token.kind == "TIMES" and before == "from":
        return "all"
    if before == "all" and (
        token.kind == "MINUS" or word in ("but", "without", "excluding", "exclude", "minus", "not")
    ):
        return "except"
    if before == "except" and token.kind == "MINUS":
        return ""
    is_column = token.kind in ("NAME", "STRING") and before != "=="
    return (f".{word}" if word.isidentifier() else f'."{word}"') if is_column else token.text


def every(at: Misfit) -> Diagnostic | None:
    """`every day at 2am`, `every monday 04:00`, `every day at 02:00 UTC`."""
    i, word = at.index, at.token.text
    if at.kind(0) != "EVERY" or i < 2:
        return None
    if at.token.kind == "STRING" and re.fullmatch(r'"\d{1,2}:\d\d"', word):
        return at.told_with("a time stands without quotes", at.put(i, i + 1, " " + word.strip('"')))
    hour = re.fullmatch(r"(\d{1,2})(am|pm)?", word.lower())
    if hour and at.kind(i - 1) == "_AT":
        clock = f"{int(hour[1]) % 12 + 12 * (hour[2] == 'pm') if hour[2] else int(hour[1]):02}:00"
        return at.told_with(f"a time is written {clock}", at.put(i, i + 1, f" {clock}"))
    if at.token.kind == "TIME":
        return at.told_with("at stands before the time", at.put(i, i, " at"))
    if at.token.kind == "NAME" and at.kind(i - 1) != "NUMBER" and (at.kind(i - 1) == "IN" or "IN" in at.expected):
        right = f' "{word}"' if at.kind(i - 1) == "IN" else f' in "{word}"'
        return at.told_with(f'a time zone is written in "{word}"', at.put(i, i + 1, right))
    return None


def left_of_the_colon(at: Misfit) -> Diagnostic | None:
    """`first-name: text`, `.id: int`, `- id: int`."""
    sign = next((i for i, token in enumerate(at.tokens) if token.kind in ("_COLON", "_ASSIGN")), 0)
    if at.start != "line" or not sign or at.index >= sign:
        return None
    if at.kind(0) == "MINUS" and sign == 2:
        help_, fix = "a line begins with its name", at.put(0, 1, "")
    elif at.kind(0) == "COLUMN" and sign == 1:
        help_, fix = "a dot stands before a column only where it is asked about", at.put(0, 1, at.text(0)[1:])
    elif sign == 2 and at.text(1) in "()[]{}\xa0,;":
        return None  # one sign too many behind a plain word
    elif at.kind(sign) == "_COLON" and "\n" not in (name := at.between(0, sign).strip()):
        help_ = f'a column whose name is no plain word is quoted: "{shown(name)}"'
        fix = at.put(0, sign, f'"{name}"') if '"' not in name else None
    else:
        return None
    if at.index == 0 and fix:
        return Diagnostic("E011", at.span, {"what": "a line", "found": shown(at.token.text)}, help=help_, fix=fix)
    return at.told_with(help_, fix)


def set_path(at: Misfit) -> Diagnostic | None:
    """`churn.max_iter = 3` in an env."""
    if at.start != "line" or at.index != 1 or at.kind(0) != "NAME" or at.token.kind != "COLUMN":
        return None
    return at.told_with(f"in an env, set stands before it: set {at.text(0)}{at.text(1)}", at.put(0, 0, "set "))


# --- conditions ---------------------------------------------------------------------------------------------------


def set_in_other_brackets(at: Misfit) -> Diagnostic | None:
    """`in ("a", "b")`, `in {1, 2}`."""
    first = next((i for i in range(at.index, 0, -1) if at.kind(i) in ("LPAREN", "_LBRACE")), 0)
    closing = {"LPAREN": "RPAREN", "_LBRACE": "_RBRACE"}.get(at.kind(first), "")
    end = next((i for i in range(first, len(at.tokens)) if at.kind(i) == closing), 0)
    if not end or at.kind(first - 1) not in ("IN", "_ASSIGN"):
        return None
    right = f" [{at.between(first + 1, end).strip()}]"
    return at.told_with(f"a list is written{shown(right)}", at.put(first, end + 1, right))


def compared_twice(at: Misfit) -> Diagnostic | None:
    """`0 < .age < 100`."""
    i = at.index
    first = next((j for j in range(i - 1, 0, -1) if at.kind(j) in COMPARATORS), 0)
    if at.token.kind not in COMPARATORS or not first:
        return None
    middle = at.between(first + 1, i).strip()
    return at.told_with(
        f"two comparisons stand with and: … and {shown(middle)} {at.token.text} …", at.put(i, i, f" and {middle}")
    )


def null(at: Misfit) -> Diagnostic | None:
    """`.age is not null`."""
    i = at.index
    words = [at.text(i + j).lower() for j in range(3)]
    if words[0] != "is" or at.kind(i - 1) != "COLUMN" or "null" not in words:
        return None
    fix = at.put(i - 1, i + 3, f" nulls({at.text(i - 1)}) == 0") if words[1] == "not" else None
    return at.does_not_fit(f"missing values are counted: nulls({at.text(i - 1)}) == 0", fix)


def other_date(at: Misfit) -> Diagnostic | None:
    """`01.02.2015`."""
    first = at.index
    while first and at.touches(first):
        first -= 1
    end = at.index + 1
    while end < len(at.tokens) and at.touches(end):
        end += 1
    found = re.fullmatch(r"(\d{1,2})\.(\d{1,2})\.(\d{4})", "".join(token.text for token in at.tokens[first:end]))
    if not found:
        return None
    right = f"{found[3]}-{found[2]:0>2}-{found[1]:0>2}"
    return at.told_with(f"a date is written {right}", at.put(first, end, f" {right}"))


def searched_in_line(at: Misfit) -> Diagnostic | None:
    """`search depth in 3..9`."""
    if at.kind(0) != "SEARCH" or at.token.kind != "IN":
        return None
    return at.does_not_fit(
        f"what is searched stands on a line of its own: {at.text(at.index - 1)} in …, and search below it"
    )


def expected_on(at: Misfit) -> Diagnostic | None:
    """`expect .r2 on test > 0.8`."""
    if at.kind(0) != "EXPECT" or at.token.kind != "_ON" or at.before is None or at.before.kind != "COLUMN":
        return None
    metric, data = at.before.text.lstrip("."), at.text(at.index + 1)
    named = f"measure {metric} as {metric}_{data} on {data}, and expect .{metric}_{data}" if data.isidentifier() else ""
    return at.does_not_fit(f"a measure line says on what: {named}".removesuffix(": "))


def other_arithmetic(at: Misfit) -> Diagnostic | None:
    """`.age ** 2`, `.age % 2`, `.name like "a%"`, `.a > 1 ? 2 : 3`."""
    knows = "a condition knows + - * / and comparisons; compute the rest in SQL"
    if at.kind(0) != "EXPECT" or at.text(at.index) not in ("*", "%", "^", "like", "ilike", "?", "matches"):
        return None
    if at.token.kind == "UNKNOWN":
        return Diagnostic("E006", at.span, {"found": at.token.text}, help=knows)
    return at.does_not_fit(knows)


def two_in_one(at: Misfit) -> Diagnostic | None:
    """`test = 20% by = .id`."""
    rest = at.tokens[at.index :]
    if at.start != "line" or "$END" not in at.expected or at.at_end() or len(rest) < 2 or at.before is None:
        return None
    if not fits(at.tokens[: at.index], "line"):
        return None
    begins = rest[0].kind in LINE_WORDS or rest[1].kind in ("_ASSIGN", "_COLON", "IN")
    if not fits(rest, "line"):
        return at.does_not_fit("each line stands by itself, or a ; stands between them") if begins else None
    comma = at.put(at.index, at.index, ",")
    if comma:  # `needs cpu = 2 memory = 4GiB`
        return at.does_not_fit("a comma stands between them", comma)
    fix = Fix(Span(at.path, at.before.end, at.before.end), ";")
    return at.does_not_fit("each line stands by itself, or a ; stands between them", fix)


RULES = (
    predict,
    every,
    left_of_the_colon,
    set_path,
    set_in_other_brackets,
    compared_twice,
    null,
    other_date,
    compared_for_given,
    given_by_other_sign,
    set_by_other_sign,
    expect_left_out,
    lone_name,
    missing_in_type,
    in_braces,
    colon_for_equal,
    type_with_brackets,
    sql_marks,
    range_in_other_words,
    count_all,
    method,
    measured_by_call,
    measured_on_nothing,
    searched_in_line,
    expected_on,
    other_arithmetic,
    two_in_one,
)
