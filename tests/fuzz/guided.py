"""Texts that atheris finds by watching which code they reach. Bytes become a text in two ways: as they are, and as a
list of pieces of the language, so that most of them get past the lexer."""

from __future__ import annotations

import sys

import atheris

with atheris.instrument_imports(include=["mlspec.grammar", "mlspec.compiler"]):
    from judge import bounded, compiled
    from mlspec.grammar.parse import parse
    from mlspec.grammar.render import render_all
    from mlspec.grammar.source import Source

from texts import COLUMNS, CORPUS, NAMES, PLACES, STRANGE

CHECKED = 16  # one text in so many goes through the whole compiler; all are parsed and shown

PIECES = (
    *NAMES, *PLACES, *(f".{name}" for name in COLUMNS), *STRANGE, *"{}()[]=:,;|?+-*/<>\n\n\n", "==", "!=", "<=", ">=", "..",
    "data", "model", "service", "param", "secret", "env", "use", "from", "by", "as", "on", "predict", "search", "measure",
    "expect", "needs", "every", "each", "set", "last", "at", "all", "except", "in", "and", "or", "not", "else", "true",
    "mlspec 1\n", "csv", "sql", "python", "split", "http", "shell", "int", "text", "float", "date", "unique", "1", "0.5",
    "20%", "8GiB", "2h", "2015-01-01", "02:00", "mean(", "max(", "log(", "trials = 3", "best = max(.roc_auc)",
    'data people from csv "people.csv"\n', *sorted(CORPUS, key=len)[:12],
)  # fmt: skip


def text_of(content: bytes) -> str:
    if not content:
        return ""
    if content[0] % 2:
        return content[1:].decode("utf-8", errors="surrogateescape")
    numbers = (content[i] << 8 | content[i + 1] for i in range(1, len(content) - 1, 2))
    return " ".join(PIECES[number % len(PIECES)] for number in numbers)[:20_000]


class Once:
    """One input after another; atheris calls it."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, content: bytes) -> None:
        self.count += 1
        text = text_of(content)
        with bounded(5):  # instrumented, everything takes longer
            source = Source("fuzz.mlspec", text)
            render_all(parse(source).diagnostics, {"fuzz.mlspec": source}).encode()
            if self.count % CHECKED == 0:
                compiled(text)


def run(inputs: int, seconds: float, seed: int) -> int:
    limits = [
        f"-runs={inputs}",
        f"-max_total_time={int(seconds)}",
        f"-seed={seed + 1}",
        "-max_len=400",
        "-rss_limit_mb=3000",
    ]
    atheris.Setup([sys.argv[0], *limits, "-verbosity=0", "-print_final_stats=1"], Once())
    atheris.Fuzz()
    return 0
