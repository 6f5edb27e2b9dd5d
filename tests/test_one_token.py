"""A spec with any one token taken out: what is told stands in the statement that lost it, and is one mistake."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from mlspec.compiler.load import Files, Unreadable
from mlspec.compiler.pipeline import compile_text
from mlspec.compiler.types import Columns
from mlspec.grammar.repair import errors
from mlspec.grammar.table import table
from mlspec.grammar.tokens import segments
from mlspec.runtimes.local.world import open_world
from mlspec.runtimes.targets import targets

SPECS = [path for path in sorted((Path(__file__).parents[1] / "specs").glob("*/*.mlspec")) if path.is_file()]


class Remembered:
    """A folder that is looked at once for each question."""

    def __init__(self, files: Files) -> None:
        self.files = files
        self.answers: dict[Hashable, Any] = {}

    def text(self, path: str) -> str | None:
        return self._once(("text", path), lambda: self.files.text(path))  # type: ignore[no-any-return]

    def names(self) -> tuple[str, ...]:
        return self._once("names", self.files.names)  # type: ignore[no-any-return]

    def columns(self, word: str, place: str, arguments: Mapping[str, Any], declared: Columns) -> Columns | Unreadable:
        asked = (word, place, repr(sorted(arguments.items())), declared)
        return self._once(asked, lambda: self.files.columns(word, place, arguments, declared))  # type: ignore[no-any-return]

    def _once(self, question: Hashable, ask: Callable[[], Any]) -> Any:
        if question not in self.answers:
            self.answers[question] = ask()
        return self.answers[question]


def without_one(text: str) -> Iterator[tuple[str, int, int]]:
    """The text without each of its tokens, and where the statement that lost it stands in it."""
    for segment in segments(text, table().words).segments:
        start, end = segment.tokens[0].start, segment.tokens[-1].end
        for token in segment.tokens:
            yield text[: token.start] + text[token.end :], start, end - len(token.text)


def mistakes(path: Path, text: str) -> Iterator[tuple[str, list[str]]]:
    files = Remembered(open_world(path, "local").disk)
    known = targets()
    for shorter, start, end in without_one(text):
        told = errors(compile_text(str(path), shorter, files, known).diagnostics)
        if len(told) > 1 or any(not start <= one.span.start <= end for one in told):
            yield shorter[start:end], [f"{one.code} {one.facts}" for one in told]


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_a_token_less_is_one_mistake_in_its_statement(path: Path) -> None:
    assert list(mistakes(path, path.read_text(encoding="utf-8"))) == []


def test_a_planted_cascade_is_found() -> None:
    """The judge of this file sees a mistake that is told elsewhere: here that of a name which nobody gives."""
    path = SPECS[0]
    text = path.read_text(encoding="utf-8")
    assert list(mistakes(path, text + "\ndata more from nowhere by split { a = 1 }\n"))
