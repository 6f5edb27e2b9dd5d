"""Colours for what shows code by Pygments: rich, Sphinx, MkDocs, Jupyter. Found by its entry point, `pygments.lexers`.

It asks the compiler's own tokens, so there is no second grammar to keep. Pygments imports this file whenever it looks for
a language that is not its own, so the grammar is read with the first text.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

from pygments.lexer import Lexer
from pygments.token import Error, Name, String, Whitespace, string_to_tokentype

Piece = tuple[int, Any, str]


class MlspecLexer(Lexer):  # type: ignore[misc]  # Pygments has no types
    name = "mlspec"
    aliases = ("mlspec",)
    filenames = ("*.mlspec",)
    mimetypes = ("text/x-mlspec",)

    def get_tokens_unprocessed(self, text: str) -> Iterator[Piece]:
        from .classes import classes
        from .looks import LOOKS

        end = 0
        for part in classes(text):
            yield from _between(text, end, part.start)
            piece = text[part.start : part.end]
            if part.of == "sql":
                yield from (
                    (part.start + start, token, word) for start, token, word in _sql().get_tokens_unprocessed(piece)
                )
            else:
                yield part.start, string_to_tokentype(LOOKS[part.of].pygments), piece
            end = part.end
        yield from _between(text, end, len(text))


def _between(text: str, start: int, end: int) -> Iterator[Piece]:
    if start < end:
        gap = text[start:end]
        yield start, Error if gap.strip() else Whitespace, gap


@cache
def _sql() -> Any:
    from pygments.lexers.sql import PostgresLexer  # of Pygments' dialects the nearest to DuckDB's

    class Query(PostgresLexer):  # type: ignore[misc]
        ours = [(r"\$[^\W\d]\w*", Name.Variable), (r"\\.", String.Escape)]
        tokens = {**PostgresLexer.tokens, "root": [*ours, *PostgresLexer.tokens["root"]]}

    return Query()
