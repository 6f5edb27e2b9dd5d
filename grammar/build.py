"""The nodes of the tree, one method for each form of the grammar; called by the parser as it reduces."""

from __future__ import annotations

import re
import sys
from dataclasses import replace
from typing import Any

from . import tree
from .diagnostic import Diagnostic, Fix
from .source import Span
from .tokens import Token

A_PATH = re.compile(r"[\w.:\\/ -]+\.\w+")
ESCAPES = {"n": "\n", "t": "\t", '"': '"', "\\": "\\"}
NUMBER = re.compile(r"([\d_]+(?:\.[\d_]+)?(?:[eE][+-]?\d+)?)(.*)", re.S)

LARGEST_FLOAT = sys.float_info.max
LARGEST_INT = 2**63 - 1

# No file system, database or terminal takes these.
NO_TEXT = re.compile("[\x00\ud800-\udfff]")

Node = Any


class Build:
    """The nodes of one file, and what is wrong within its texts and numbers."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.problems: list[Diagnostic] = []
        self.grouped: dict[int, tuple[tree.Expression, Span]] = {}  # where the parentheses of a part stand

    # --- statements. Their span and description are added by `finish` -----------------------------------------

    def version(self, _word: Token, number: Token) -> tree.Version:
        return tree.Version(self._number(number), self._span(number))

    def kind(self, word: Token) -> Token:
        return word

    def names(self, *names: Token) -> tuple[tree.Name, ...]:
        return tuple(self._name(name) for name in names)

    def from_clause(self, _word: Token, *inputs: tree.Input) -> tuple[tree.Input, ...]:
        return inputs

    def input(self, last: Token | None, reference: tree.Reference, place: Node, alias: Token | None) -> tree.Input:
        end = alias or place or reference
        span = (self._span(last) if last else reference.span).to(self._span(end))
        return tree.Input(reference, place, last is not None, alias.text if alias else "", span)

    def by_clause(self, word: Token, reference: tree.Reference, place: Node) -> tree.Recipe:
        return tree.Recipe(reference, place, reference.span.to(self._span(place or reference)))

    def reference(self, name: Token, *path: Token) -> tree.Reference:
        last = path[-1] if path else name
        return tree.Reference(name.text, tuple(self._column_name(part) for part in path), self._between(name, last))

    def body(self, *lines: tree.Line | None) -> tuple[tree.Line, ...]:
        return tuple(line for line in lines if line is not None)

    def block(self, kind: Token, names: Any, inputs: Any, recipe: Any, lines: Any) -> tree.Block:
        last = recipe or (inputs[-1] if inputs else names[-1])
        head = self._span(kind).to(last.span)
        return tree.Block(kind.text, names, inputs or (), recipe, lines or (), "", head, head)

    def param(self, word: Token, name: Token, type_: Any, value: Any) -> tree.Param:
        return tree.Param(self._name(name), type_, value, "", self._span(word))

    def secret(self, word: Token, *names: Token) -> tree.Secret:
        return tree.Secret(tuple(self._name(name) for name in names), self._span(word))

    def env(self, word: Token, name: Token, runtime: Token, lines: Any) -> tree.Env:
        return tree.Env(self._name(name), self._name(runtime), lines or (), "", self._span(word))

    def use(self, word: Token, place: Token, alias: Token, lines: Any) -> tree.Use:
        return tree.Use(self._text(place), self._name(alias), lines or (), self._span(word))

    def finish(self, node: Any, doc: str, start: int, end: int) -> Any:
        span = Span(self.path, start, end)
        if isinstance(node, tree.Block | tree.Param | tree.Env):
            return replace(node, span=span, doc=plain(doc))
        return replace(node, span=span)

    def with_lines(self, node: Any, lines: tuple[tree.Line, ...], unread: tuple[str, ...]) -> Any:
        if isinstance(node, tree.Block | tree.Env):
            return replace(node, lines=lines, unread=unread)
        return replace(node, lines=lines) if isinstance(node, tree.Use) else node

    # --- lines ------------------------------------------------------------------------------------------------

    def column(self, name: Token, type_: tree.TypeExpression, *marks: Node) -> tree.ColumnLine:
        flags, within, origin, end = [], None, None, type_.span
        for mark in marks:
            form, value, span = mark
            end = span
            if form == "flag":
                flags.append((value, span))
            elif form == "within":
                within = value
            else:
                origin = value
        text = self._text(name).value if name.kind == "STRING" else name.text
        return tree.ColumnLine(text, type_, tuple(flags), within, origin, self._span(name), self._span(name).to(end))

    def flag(self, name: Token) -> Node:
        return "flag", name.text, self._span(name)

    def within(self, _word: Token, choices: tree.Expression) -> Node:
        return "within", choices, choices.span

    def origin(self, _word: Token, name: Token) -> Node:
        return "origin", self._text(name), self._span(name)

    def named_type(
        self, name: Token, open_: Token | None, item: Any, close: Token | None, optional: Token | None
    ) -> Node:
        span = self._between(name, optional or close or name)
        return tree.TypeExpression(name.text, item, (), optional is not None, span)

    def closed_type(self, *parts: Token | None) -> tree.TypeExpression:
        *values, optional = parts
        words = [value for value in values if value is not None]
        span = self._between(words[0], optional or words[-1])
        return tree.TypeExpression(
            "", None, tuple(self._text(word).value for word in words), optional is not None, span
        )

    def pair(self, name: Token, value: tree.Expression) -> tree.Pair:
        return tree.Pair(name.text, value, self._span(name), self._span(name).to(value.span))

    def assign(self, name: Token, value: tree.Expression) -> tree.Assign:
        return tree.Assign(name.text, value, self._span(name), self._span(name).to(value.span))

    def among(self, name: Token, _word: Token, choices: tree.Expression) -> tree.Among:
        return tree.Among(name.text, choices, self._span(name), self._span(name).to(choices.span))

    def predict(self, word: Token, targets: Any, from_: Token | None, features: Any) -> tree.Predict:
        columns, positive = targets or ((), None)
        named, but, end = features or (None, (), None)
        last = end or (positive.span if positive else columns[-1].span if columns else self._span(word))
        return tree.Predict(columns, positive, named, but, self._span(word).to(last))

    def targets(self, first: Token, _equal: Token | None, positive: Any, *others: Token) -> Node:
        return tuple(self._column(column) for column in (first, *others)), positive

    def some(self, *columns: Token) -> Node:
        return tuple(self._column(column) for column in columns), (), self._span(columns[-1])

    def all_but(self, word: Token, *columns: Token | None) -> Node:
        but = [column for column in columns if column is not None]
        return None, tuple(self._column(column) for column in but), self._span(but[-1] if but else word)

    def search(self, word: Token, *options: tree.Pair) -> tree.Search:
        return tree.Search(options, self._span(word).to(options[-1].span))

    def metric(self, name: Token, place: Token | None, alias: Token | None) -> tree.Metric:
        text = self._text(place) if place else None
        span = self._between(name, alias or place or name)
        return tree.Metric(name.text, text, alias.text if alias else "", self._span(name), span)

    def measure(self, word: Token, *parts: Any) -> tree.Measure:
        *metrics, on = parts
        return tree.Measure(tuple(metrics), on, self._span(word).to(on.span))

    def expect(self, word: Token, condition: tree.Expression) -> tree.Expect:
        return tree.Expect(condition, self._span(word).to(self._reach(condition)))

    def needs(self, word: Token, *options: tree.Pair) -> tree.Needs:
        return tree.Needs(options, self._span(word).to(options[-1].span))

    def every(self, word: Token, period: Token, at: Token | None, in_: Token | None, zone: Token | None) -> tree.Every:
        span = self._between(word, zone or at or period)
        return tree.Every(self._period(period), at.text if at else "", self._text(zone) if zone else None, span)

    def each(self, word: Token, by: Token) -> tree.Each:
        target = self._column(by) if by.kind == "COLUMN" else tree.Reference(by.text, (), self._span(by))
        return tree.Each(target, self._between(word, by))

    def set_path(self, word: Token, path: tree.Reference, value: tree.Expression) -> tree.SetPath:
        return tree.SetPath(path, value, self._span(word).to(value.span))

    # --- expressions ------------------------------------------------------------------------------------------

    def chain(self, first: tree.Expression, *rest: Any) -> tree.Expression:
        """`a op b op c …`, grouped from the left."""
        result = first
        for operator, right in _steps(rest):
            result = tree.Binary(operator, result, right, self._reach(result).to(self._reach(right)))
        return result

    def not_in(self, left: tree.Expression, _not: Token, _in: Token, right: tree.Expression) -> tree.Binary:
        return tree.Binary("not in", left, right, self._reach(left).to(self._reach(right)))

    def unary(self, operator: Token, operand: tree.Expression) -> tree.Expression:
        span = self._span(operator).to(self._reach(operand))
        if operator.text == "-" and isinstance(operand, tree.Number) and operand.value >= 0:
            return tree.Number(-operand.value, operand.unit, span)
        return tree.Unary(operator.text, operand, span)

    def choice(self, *options: tree.Expression) -> tree.Choice:
        return tree.Choice(options, options[0].span.to(options[-1].span))

    def span(self, low: tree.Expression, to: Token, high: tree.Expression | None) -> tree.Range:
        return tree.Range(low, high, low.span.to(high.span if high else self._span(to)))

    def span_below(self, to: Token, high: tree.Expression) -> tree.Range:
        return tree.Range(None, high, self._span(to).to(high.span))

    def number(self, token: Token) -> tree.Number:
        return self._number(token)

    def text(self, token: Token) -> tree.Text:
        return self._text(token)

    def date(self, token: Token) -> tree.Date:
        span = self._span(token)
        why = _why_no_date(token.text)
        if why:
            self.problems.append(Diagnostic("E016", span, {"found": token.text}, help=why))
            return tree.Date(_ANY_DATE[: len(token.text)], span)
        return tree.Date(token.text, span)

    def truth(self, token: Token) -> tree.Truth:
        return tree.Truth(token.text == "true", self._span(token))

    def own_column(self, token: Token) -> tree.Column:
        return self._column(token)

    def last(self, word: Token, *path: Token) -> tree.Reference:
        return tree.Reference(
            "last", tuple(self._column_name(part) for part in path), self._between(word, path[-1] if path else word)
        )

    def call(self, name: Token, _open: Token, *parts: Any) -> tree.Call:
        *arguments, close = parts
        given = tuple(argument for argument in arguments if argument is not None)
        return tree.Call(name.text, given, self._span(name), self._between(name, close))

    def items(self, open_: Token, *parts: Any) -> tree.Items:
        *items, close = parts
        return tree.Items(tuple(item for item in items if item is not None), self._between(open_, close))

    def group(self, open_: Token, inner: tree.Expression, close: Token) -> tree.Expression:
        """The same without its parentheses, but what it begins or ends reaches to them."""
        self.grouped[id(inner)] = (inner, self._between(open_, close))
        return inner

    # --- tokens -----------------------------------------------------------------------------------------------

    def _span(self, thing: Any) -> Span:
        if isinstance(thing, Token):
            return Span(self.path, thing.start, thing.end)
        span: Span = thing.span
        return span

    def _reach(self, part: tree.Expression) -> Span:
        grouped = self.grouped.get(id(part))
        return grouped[1] if grouped and grouped[0] is part else part.span

    def _between(self, first: Token, last: Token) -> Span:
        return Span(self.path, first.start, last.end)

    def _name(self, token: Token) -> tree.Name:
        return tree.Name(token.text, self._span(token))

    def _column(self, token: Token) -> tree.Column:
        return tree.Column(self._column_name(token), self._span(token))

    def _column_name(self, token: Token) -> str:
        word = token.text[1:]
        return self._unescape(plain(word[1:-1]), token.start + 2) if word.startswith('"') else word

    def _text(self, token: Token) -> tree.Text:
        stranger = NO_TEXT.search(token.text)
        if stranger:
            span = Span(self.path, token.start + stranger.start(), token.start + stranger.end())
            self.problems.append(Diagnostic("E006", span, {"found": f"the character U+{ord(stranger[0]):04X}"}))
        if token.kind == "TEXT":
            inner = Span(self.path, token.start + 3, token.end - 3)
            return tree.Text(plain(token.text[3:-3]), inner, True, self._span(token))
        inner = Span(self.path, token.start + 1, token.end - 1)
        return tree.Text(self._unescape(plain(token.text[1:-1]), token.start + 1), inner, False, self._span(token))

    def _unescape(self, text: str, start: int) -> str:
        if "\\" not in text:
            return text
        out, i, told = [], 0, False
        while i < len(text):
            if text[i] != "\\":
                out.append(text[i])
                i += 1
                continue
            following = text[i + 1]
            if following not in ESCAPES and not told:
                told = True  # a path of Windows has many, and one cause
                span = Span(self.path, start + i, start + i + 2)
                facts = {"found": "\\" + following}
                help_ = "write \\\\ for a backslash, or / in a path"
                fix = Fix(Span(self.path, start, start + len(text)), _without_escapes(text))
                self.problems.append(Diagnostic("E012", span, facts, help=help_, fix=fix))
            out.append(ESCAPES.get(following, following))
            i += 2
        return "".join(out)

    def _number(self, token: Token) -> tree.Number:
        match = NUMBER.fullmatch(token.text)
        assert match is not None, "the lexer's NUMBER is at least as strict"
        digits, unit = match.group(1).replace("_", ""), match.group(2)
        whole = not any(character in digits for character in ".eE")
        value = int(digits) if whole and len(digits) < 40 else float(digits)
        if value > (LARGEST_INT if whole else LARGEST_FLOAT):
            self.problems.append(Diagnostic("E015", self._span(token), {"found": token.text[:40]}))
            value = 0
        return tree.Number(value, unit, self._span(token))

    def _period(self, token: Token) -> tree.Number | tree.Text | tree.Reference:
        if token.kind == "NUMBER":
            return self._number(token)
        if token.kind == "STRING":
            return self._text(token)
        return tree.Reference(token.text, (), self._span(token))


_ANY_DATE = "2000-01-01T00:00:00"


def _why_no_date(text: str) -> str:
    """What to write instead; "" for a date that there is."""
    from calendar import monthrange  # few specs hold a date

    year, month, day = (int(part) for part in text[:10].split("-"))
    if year < 1:
        return "years begin at 0001"
    if not 1 <= month <= 12:
        return "months are 01 to 12, and stand between the year and the day"
    last = monthrange(year, month)[1]
    if not 1 <= day <= last:
        return f"the days of {text[:7]} are 01 to {last}"
    clock = [int(part) for part in text[11:].split(":")] if text[10:] else []
    return (
        ""
        if all(part < most for part, most in zip(clock, (24, 60, 60), strict=False))
        else "times are 00:00:00 to 23:59:59"
    )


def plain(text: str) -> str:
    """Without what is no character of a text; where it stands in quotes, it is told."""
    return NO_TEXT.sub("\N{REPLACEMENT CHARACTER}", text)


def _steps(rest: tuple[Any, ...]) -> list[tuple[str, tree.Expression]]:
    return [(rest[i].text, rest[i + 1]) for i in range(0, len(rest), 2)]


def _without_escapes(text: str) -> str:
    """As it was meant: a path with /, else with two for each backslash that means nothing."""
    if A_PATH.fullmatch(text):
        return text.replace("\\\\", "/").replace("\\", "/")
    return re.sub(r"\\(.)", lambda found: found[0] if found[1] in ESCAPES else "\\" + found[0], text)
