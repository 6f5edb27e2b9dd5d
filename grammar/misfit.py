"""The token that did not fit, what stands around it, and whether the line can be read once something is changed."""

from __future__ import annotations

from collections.abc import Sequence

from .diagnostic import Diagnostic, Fix
from .source import Span
from .table import Failure, reach, table
from .tokens import Token, lex
from .wording import shown, wanted


class Misfit:
    """`tokens` are those of a header ("statement") or of one line of a body ("line"); `start` says which."""

    def __init__(self, failure: Failure, tokens: Sequence[Token], start: str, path: str) -> None:
        self.index, self.token, self.expected = failure.index, failure.token, failure.expected
        self.tokens, self.start, self.path = tokens, start, path
        self.before = tokens[failure.index - 1] if failure.index else None
        self.span = span_of(failure.token, path)

    def at_end(self) -> bool:
        return self.token.kind in ("$END", "_NL") and self.token.text != ";"

    def text(self, index: int) -> str:
        return self.tokens[index].text if 0 <= index < len(self.tokens) else ""

    def kind(self, index: int) -> str:
        return self.tokens[index].kind if 0 <= index < len(self.tokens) else ""

    def what(self) -> str:
        return "a statement" if self.start == "statement" else "a line"

    def touches(self, index: int) -> bool:
        """No space stands before the token."""
        return 0 < index < len(self.tokens) and self.tokens[index - 1].end == self.tokens[index].start

    def between(self, first: int, end: int) -> str:
        """The tokens `first:end`, with a space where there are some, also before and behind them."""
        text, place = "", self.tokens[first - 1].end if first else self.tokens[0].start
        for token in self.tokens[first:end]:
            text += " " * min(1, token.start - place) + token.text
            place = token.end
        return text + " " * min(1, self.tokens[end].start - place if end < len(self.tokens) else 0)

    def with_token(self, kind: str) -> list[Token]:
        return [*self.tokens[: self.index], self.token._replace(kind=kind), *self.tokens[self.index + 1 :]]

    def put(self, first: int, end: int, text: str) -> Fix | None:
        """`text` in the place of the tokens `first:end`. Offered only if the line can be read then."""
        if not fits([*self.tokens[:first], *lex(text, table().words), *self.tokens[end:]], self.start):
            return None
        before = self.tokens[first - 1].end if first else self.tokens[0].start
        end = min(end, len(self.tokens))
        if first == end:
            return Fix(Span(self.path, before, before), text)
        start = self.tokens[first].start
        if start > before and text[:1] in (" ", ""):  # the space before it is there already, or no more wanted
            start, text = (start, text[1:]) if text else (before, "")
        return Fix(Span(self.path, start, self.tokens[end - 1].end), text)

    def fix(self, span: Span, text: str, repaired: Sequence[Token]) -> Fix | None:
        return Fix(span, text) if fits(repaired, self.start) else None

    def does_not_fit(self, help_: str = "", fix: Fix | None = None) -> Diagnostic:
        wanted_ = wanted(self.expected, self.before)
        if self.at_end() and self.before is not None:
            facts = {"wanted": wanted_, "after": shown(self.before.text)}
            return Diagnostic("E010", span_of(self.before, self.path), facts, help=help_, fix=fix)
        return Diagnostic("E008", self.span, {"found": shown(self.token.text), "wanted": wanted_}, help=help_, fix=fix)

    def told_with(self, help_: str, fix: Fix | None) -> Diagnostic | None:
        """Only if the fix shows that it was understood."""
        return self.does_not_fit(help_, fix) if fix else None


def fits(tokens: Sequence[Token], start: str) -> bool:
    return reach(tokens, start) > len(tokens)


def is_short_word(token: Token) -> bool:
    return token.text.isidentifier() and len(token.text) <= 30


def span_of(token: Token, path: str) -> Span:
    """Where a token stands; of one of several lines, its first."""
    return Span(path, token.start, token.start + len(token.text.split("\n")[0]) if "\n" in token.text else token.end)
