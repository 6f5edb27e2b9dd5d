"""Text -> tree, and every syntax error of the file. Parsing never fails: what is broken is left out and told.

Drives lark's LALR tables with a loop of its own over the tokens of `tokens.py`: an order of magnitude faster than the
general driver, and an error is a value, not an exception.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from lark import Lark
from lark.lexer import Lexer
from lark.parsers.lalr_analysis import Shift

from . import tree
from .build import Build
from .diagnostic import Diagnostic, Fix, nearest
from .source import Source, Span
from .tokens import Segment, Token, Words, segments, words_from

MAX_BYTES = 20_000_000
MAX_DEPTH = 100

GRAMMAR = Path(__file__).with_name("mlspec.lark")


@dataclass(frozen=True, slots=True)
class Parsed:
    document: tree.Document
    diagnostics: tuple[Diagnostic, ...]


def parse(source: Source) -> Parsed:
    if len(source.text) > MAX_BYTES:
        size = f"{len(source.text) / 1e6:.0f} MB"
        error = Diagnostic("E001", Span(source.path, 0, 0), {"size": size, "limit": f"{MAX_BYTES / 1e6:.0f} MB"})
        return Parsed(tree.Document(source.path, "", ()), (error,))
    cut = segments(source.text, grammar().words)
    reader = _Reader(source)
    statements = tuple(filter(None, (reader.statement(segment) for segment in cut.segments)))
    return Parsed(tree.Document(source.path, cut.doc, statements), tuple(reader.diagnostics))


@dataclass(frozen=True, slots=True)
class Grammar:
    """lark's tables: for each state, what a token does there; and the rules with what builds a node of each."""

    words: Words
    states: dict[int, dict[str, tuple[Any, Any]]]
    starts: dict[str, int]
    ends: dict[str, int]
    lark: Lark


class _NoLexer(Lexer):
    """Tokens come from `tokens.py`; lark only makes the tables."""

    def __init__(self, conf: object) -> None: ...

    def lex(self, lexer_state: object, parser_state: object) -> Any: ...


@cache
def grammar() -> Grammar:
    lark = Lark(
        GRAMMAR.read_text(encoding="utf-8"),
        parser="lalr",
        lexer=_NoLexer,
        strict=True,
        start=["statement", "line"],
        maybe_placeholders=True,
        transformer=Build(),
    )
    table = lark.parser.parser._parse_table
    terminals = [(t.name, t.pattern.value, t.pattern.type == "re") for t in lark.terminals]
    return Grammar(words_from(terminals), table.states, table.start_states, table.end_states, lark)


@dataclass(frozen=True, slots=True)
class Failure:
    """The token that did not fit, and the kinds of tokens that would have."""

    token: Token
    expected: tuple[str, ...]


def run(tokens: Sequence[Token], start: str) -> Any:
    """The node that the tokens make, or a Failure."""
    table = grammar()
    states, callbacks = table.states, table.lark._callbacks
    end_state = table.ends[start]
    stack = [table.starts[start]]
    values: list[Any] = []
    position = tokens[-1].end if tokens else 0
    for token in (*tokens, Token("$END", "", position, position)):
        kind = token.kind
        while True:
            actions = states[stack[-1]]
            if kind not in actions:
                return Failure(token, tuple(actions))
            action, argument = actions[kind]
            if action is Shift:
                stack.append(argument)
                values.append(token)
                break
            size = len(argument.expansion)
            children = values[len(values) - size :] if size else []
            if size:
                del stack[-size:], values[-size:]
            values.append(callbacks[argument](children))
            stack.append(states[stack[-1]][argument.origin.name][1])
            if kind == "$END" and stack[-1] == end_state:
                return values[-1]
    raise AssertionError("the end token is always shifted or refused")


class _Reader:
    """Reads the segments of one file and gathers its diagnostics."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.diagnostics: list[Diagnostic] = []
        Build.path = source.path

    def statement(self, segment: Segment) -> tree.Statement | None:
        tokens = segment.tokens
        if _too_deep(tokens):
            span = self._span(tokens[0], tokens[0])
            self.diagnostics.append(Diagnostic("E002", span, {"limit": MAX_DEPTH}))
            return None
        node = run(tokens, "statement")
        if isinstance(node, Failure):
            node = self._recover(tokens)
        elif Build.problems:
            self._take_problems()
        if node is None:
            return None
        return Build.finish(node, segment.doc, tokens[0].start, tokens[-1].end)

    def _recover(self, tokens: Sequence[Token]) -> Any:
        """Parse the header and each line apart, so that each mistake is told and the rest is kept."""
        Build.problems.clear()
        header, lines, body_end = _split_body(tokens)
        node: Any = run(header, "statement")
        if isinstance(node, Failure):
            self._report(node, header)
            node = None
        good: list[tree.Line] = []
        for line in lines:
            read = run(line, "line")
            if isinstance(read, Failure):
                self._report(read, line)
            else:
                good.append(read)
        self._take_problems()
        if body_end is not None:
            self._report_end(tokens, body_end)
        return Build.with_lines(node, tuple(good)) if node is not None else None

    def _take_problems(self) -> None:
        self.diagnostics += Build.problems
        Build.problems.clear()

    def _span(self, first: Token, last: Token) -> Span:
        return Span(self.source.path, first.start, last.end)

    def _report(self, failure: Failure, tokens: Sequence[Token]) -> None:
        self.diagnostics.append(explain_failure(failure, tokens, self.source))

    def _report_end(self, tokens: Sequence[Token], problem: Token) -> None:
        if problem.kind == "_RBRACE":
            self.diagnostics.append(Diagnostic("E004", self._span(problem, problem), {"found": "}"}))
            return
        opened = next(token for token in tokens if token.kind == "_LBRACE")
        self.diagnostics.append(
            Diagnostic("E003", self._span(opened, opened), help="close it with } on a line of its own")
        )


def _too_deep(tokens: Iterable[Token]) -> bool:
    depth = deepest = 0
    for token in tokens:
        if token.kind in ("LPAREN", "LBRACKET"):
            depth += 1
            deepest = max(deepest, depth)
        elif token.kind in ("RPAREN", "RBRACKET"):
            depth -= 1
    signs = 0
    for token in tokens:
        signs = signs + 1 if token.kind in ("MINUS", "NOT") else 0
        deepest = max(deepest, signs)
    return deepest > MAX_DEPTH


def _split_body(tokens: Sequence[Token]) -> tuple[list[Token], list[list[Token]], Token | None]:
    """Header, lines, and the token that shows a wrong end: the last one if `}` is missing, a `}` too many."""
    opened = next((i for i, token in enumerate(tokens) if token.kind == "_LBRACE"), None)
    if opened is None:
        return list(tokens), [], None
    lines: list[list[Token]] = [[]]
    closed = None
    extra: list[Token] = []
    for i, token in enumerate(tokens[opened + 1 :], opened + 1):
        if closed is not None:
            extra.append(token)
        elif token.kind == "_RBRACE":
            closed = i
        elif token.kind == "_NL":
            lines.append([])
        else:
            lines[-1].append(token)
    header = list(tokens[:opened])
    kept = [line for line in lines if line]
    if closed is None:
        return header, kept, tokens[-1]
    stray = next((token for token in extra if token.kind == "_RBRACE"), None)
    rest = [token for token in extra if token.kind not in ("_RBRACE", "_NL")]
    return header, kept + ([rest] if rest else []), stray


# --- what to say of a token that does not fit ---------------------------------------------------------------

WORDS_FOR = {
    "NAME": "a name",
    "STRING": "a quoted text",
    "TEXT": "a text in triple quotes",
    "COLUMN": "a column such as .name",
    "NUMBER": "a number",
    "DATE": "a date",
    "TIME": "a time such as 02:00",
    "_NL": "the end of the line",
    "$END": "the end of the block",
    "TO": "..",
    "_COMMA": "a comma",
}


def explain_failure(failure: Failure, tokens: Sequence[Token], source: Source) -> Diagnostic:
    token, expected = failure.token, failure.expected
    span = Span(source.path, token.start, token.end)
    before = _before(token, tokens)
    if token.kind == "OPEN_STRING":
        return Diagnostic(
            "E005",
            Span(source.path, token.start, token.start + 1),
            {"what": "a quoted text"},
            help='close it with " on the same line',
        )
    if token.kind == "OPEN_TEXT":
        return Diagnostic(
            "E005",
            Span(source.path, token.start, token.start + 3),
            {"what": "a text in triple quotes"},
            help='close it with """',
        )
    if token.kind == "UNKNOWN":
        return Diagnostic("E006", span, {"found": token.text}, help=_help_for_stranger(token.text))
    if before is None and token.kind not in ("$END",):
        return _bad_start(token, span, expected)
    if "NAME" in expected and token.text.isidentifier() and token.kind != "NAME":
        return Diagnostic(
            "E007",
            span,
            {"word": token.text},
            note="a word of the language",
            help=f"take another name, such as {token.text}_1",
        )
    if token.kind == "_ASSIGN" and "EQUAL" in expected:
        return Diagnostic("E009", span, {}, help="write == to compare", fix=Fix(span, "=="))
    if (
        before is not None
        and before.kind == "NAME"
        and token.kind in ("NAME", "NUMBER", "STRING")
        and "_ASSIGN" in expected
    ):
        place = Span(source.path, before.end, before.end)
        return Diagnostic(
            "E008",
            span,
            {"found": token.text, "wanted": "= or :"},
            help=f"write {before.text} = {token.text}",
            fix=Fix(place, " ="),
        )
    if token.kind in ("$END", "_NL") and before is not None:
        end = Span(source.path, before.end - 1 if before.end > before.start else before.start, before.end)
        return Diagnostic("E010", end, {"wanted": _wanted(expected), "after": before.text.split("\n")[0]})
    return Diagnostic("E008", span, {"found": token.text.split("\n")[0], "wanted": _wanted(expected)})


def _before(token: Token, tokens: Sequence[Token]) -> Token | None:
    earlier = [t for t in tokens if t.start < token.start or (token.kind == "$END")]
    return earlier[-1] if earlier else None


def _bad_start(token: Token, span: Span, expected: Iterable[str]) -> Diagnostic:
    words = [word for word, kind in grammar().words.keywords.items() if kind in set(expected)]
    close = nearest(token.text, words) if token.text.isidentifier() else None
    if close:
        return Diagnostic("E011", span, {"found": token.text}, help=f"did you mean {close}?", fix=Fix(span, close))
    shown = token.text.split("\n")[0]
    return Diagnostic("E011", span, {"found": shown}, help=f"it can begin with {_wanted(expected)}")


def _help_for_stranger(character: str) -> str:
    if character == "'":
        return 'text stands in double quotes: "…"'
    if character in "&!":
        return "write and, or, not"
    if character == "`":
        return 'a name with spaces is quoted: ."fixed acidity"'
    return ""


def _wanted(expected: Iterable[str]) -> str:
    words = {kind: word for word, kind in grammar().words.keywords.items()}
    symbols = {kind: symbol for symbol, kind in grammar().words.symbols.items()}
    shown = []
    for kind in expected:
        if kind.islower():  # a rule of the grammar: the same place told by its first tokens
            continue
        shown.append(WORDS_FOR.get(kind) or words.get(kind) or symbols.get(kind) or kind)
    unique = list(dict.fromkeys(shown))
    values = {"a number", "a quoted text", "a date", "true", "false", "last"}
    if len(values & set(unique)) >= 4:
        unique = ["a value"] + [word for word in unique if word in ("the end of the line", "a comma", ")", "]")]
    if len(unique) > 6:
        unique = [word for word in unique if word.isalpha() or word.startswith(("a ", "the "))] or unique
        unique = [*unique[:7], "…"] if len(unique) > 8 else unique
    return _or(unique)


def _or(words: Sequence[str]) -> str:
    if len(words) < 2:
        return "".join(words)
    return ", ".join(words[:-1]) + " or " + words[-1]


Builder = Callable[[list[Any]], Any]
