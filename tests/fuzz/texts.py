"""Texts to judge: specs drawn from the grammar, and the corpus with a few things done to it."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

from mlspec.grammar.kinds import DATA_FUNCTIONS, METRICS, RECIPES, SERVICE_FACTS, TYPES, UNITS
from mlspec.grammar.table import table
from mlspec.grammar.tokens import lex

ROOT = Path(__file__).parents[2]
CORPUS = [
    path.read_bytes().decode()
    for path in sorted([*(ROOT / "tests/corpus").glob("*/*.mlspec"), *(ROOT / "specs").glob("*/*.mlspec")])
    if path.is_file() and path.stat().st_size < 5000
]
NAMES = ("a", "b", "m", "people", "train", "test", "raw", "eu", "last", "data", "all", "é", "_", "null", "True")
PLACES = ('"people.csv"', '"steps.py:clean"', '"wrong.sql"', '"used.mlspec"', '"select * from people"', '"nowhere"', '""',
          '"sklearn.linear_model:LogisticRegression"', '"""\n  select * from people\n"""')  # fmt: skip
COLUMNS = ("id", "name", "age", "joined", "left", "town", "rows", '"fixed acidity"', "roc_auc", "p95")
STRANGE = (
    "\0",
    "\udc80",
    "\ufeff",
    "\x1b[31m",
    "\u202e",
    "é",
    "“",
    "'",
    '"""',
    '"',
    "\\",
    "\r\n",
    "\t",
    "🙂",
    "{",
    "}",
    "(",
)


def token(kind: str, draw: random.Random) -> str:
    """A text for a terminal of the grammar."""
    match kind:
        case "NAME":
            words = (NAMES, RECIPES, TYPES, DATA_FUNCTIONS, METRICS, SERVICE_FACTS, ("unique", "header", "seed", "by"))
            return draw.choice(tuple(draw.choice(words)))
        case "STRING" | "TEXT":
            return draw.choice(PLACES)
        case "COLUMN":
            return "." + draw.choice(COLUMNS)
        case "NUMBER":
            return draw.choice(("0", "1", "3", "0.5", "1e3", "1_000", "99999999999999999999")) + draw.choice(
                ("", "", *UNITS, "xx")
            )
        case "DATE":
            return draw.choice(("2015-01-01", "2015-01-01T06:30", "2015-99-99"))
        case "TIME":
            return draw.choice(("02:00", "9:30", "99:99"))
        case "_NL":
            return "\n"
        case "$END":
            return ""
    words = table().words
    return next(text for text, name in (words.keywords | words.symbols).items() if name == kind)


def walked(draw: random.Random) -> str:
    """A statement, token after token of those that the grammar allows next; now and then one that it does not."""
    made = table()
    stack = [made.starts["statement"]]
    parts: list[str] = []
    odd = draw.random() < 0.3
    for count in range(80):
        row = made.states[stack[-1]]
        allowed = [kind for kind in row if not kind.islower() and _reaches(stack, kind)]
        if count > 25 and "$END" in allowed:
            break
        kind = draw.choice(sorted(allowed))
        if odd and draw.random() < 0.03:
            parts.append(draw.choice(STRANGE))
        if kind == "$END":
            break
        _feed(stack, kind)
        parts.append(token(kind, draw) + ("\n" if kind == "_LBRACE" else ""))
    return " ".join(parts) + "\n"


def _reaches(stack: list[int], kind: str) -> bool:
    return _feed(list(stack), kind)


def _feed(stack: list[int], kind: str) -> bool:
    made = table()
    while True:
        action = made.states[stack[-1]].get(kind)
        if action is None:
            return False
        if isinstance(action, int):
            stack.append(action)
            return True
        del stack[len(stack) - action.size :]
        following = made.states[stack[-1]].get(action.origin)
        if following is None:
            return kind == "$END"
        stack.append(following)
        if kind == "$END" and stack[-1] == made.ends["statement"]:
            return True


def drawn(draw: random.Random) -> str:
    """A spec of a few statements, most of them about the same few names."""
    head = ['data people from csv "people.csv"\n'] if draw.random() < 0.6 else []
    return "\n".join(head + [walked(draw) for _ in range(draw.randint(1, 4))])


def mutated(draw: random.Random) -> str:
    text = draw.choice(CORPUS)
    for _ in range(draw.choice((1, 1, 1, 2, 3, 8))):
        text = draw.choice(MUTATIONS)(text, draw)
    return text


# --- what is done to a text -----------------------------------------------------------------------------------


def _spans(text: str) -> list[tuple[int, int]]:
    return [(one.start, one.end) for one in lex(text, table().words)] or [(0, 0)]


def _without_token(text: str, draw: random.Random) -> str:
    start, end = draw.choice(_spans(text))
    return text[:start] + text[end:]


def _with_token_twice(text: str, draw: random.Random) -> str:
    start, end = draw.choice(_spans(text))
    return text[:end] + " " + text[start:end] + text[end:]


def _with_tokens_swapped(text: str, draw: random.Random) -> str:
    (a, b), (c, d) = sorted((draw.choice(_spans(text)), draw.choice(_spans(text))))
    return text if b > c else text[:a] + text[c:d] + text[b:c] + text[a:b] + text[d:]


def _with_another_token(text: str, draw: random.Random) -> str:
    start, end = draw.choice(_spans(text))
    kinds = sorted(kind for row in table().states.values() for kind in row if not kind.islower())
    return text[:start] + token(draw.choice(kinds), draw) + text[end:]


def _with_something_strange(text: str, draw: random.Random) -> str:
    place = draw.randint(0, len(text))
    return text[:place] + draw.choice(STRANGE) + text[place:]


def _without_characters(text: str, draw: random.Random) -> str:
    place = draw.randint(0, len(text))
    return text[:place] + text[place + draw.randint(1, 5) :]


def _with_lines_swapped(text: str, draw: random.Random) -> str:
    lines = text.split("\n")
    i, j = draw.randrange(len(lines)), draw.randrange(len(lines))
    lines[i], lines[j] = lines[j], lines[i]
    return "\n".join(lines)


def _joined_with_another(text: str, draw: random.Random) -> str:
    other = draw.choice(CORPUS)
    return text[: draw.randint(0, len(text))] + other[draw.randint(0, len(other)) :]


def _nested(text: str, draw: random.Random) -> str:
    start, end = draw.choice(_spans(text))
    opened, closed = draw.choice(
        (("(", ")"), ("[", "]"), ("{", "}"), ("not ", ""), ("-", ""), ("list[", "]"), ("a.b", ""))
    )
    times = draw.choice((1, 3, 99, 101, 3000))
    return text[:start] + opened * times + text[start:end] + closed * times + text[end:]


def _cut_short(text: str, draw: random.Random) -> str:
    return text[: draw.randint(0, len(text))]


MUTATIONS = (
    _without_token, _with_token_twice, _with_tokens_swapped, _with_another_token, _with_something_strange,
    _without_characters, _with_lines_swapped, _joined_with_another, _nested, _cut_short,
)  # fmt: skip


def texts(seed: int) -> Iterator[str]:
    """Without end; the same for the same seed."""
    draw = random.Random(seed)
    while True:
        yield mutated(draw) if draw.random() < 0.6 else drawn(draw)
