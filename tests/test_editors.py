"""The classes that text is coloured by: right by the parser's own tree, whole on broken text, and the same in Pygments.

tests/editors/ compares them with the engines of VS Code and Vim.
"""

from __future__ import annotations

import dataclasses
import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mlspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mlspec.grammar import tree
from mlspec.grammar.editors.__main__ import HERE as EDITORS
from mlspec.grammar.editors.__main__ import files
from mlspec.grammar.editors.classes import Part, classes
from mlspec.grammar.editors.lexer import MlspecLexer
from mlspec.grammar.editors.looks import LOOKS
from mlspec.grammar.editors.words import words
from mlspec.grammar.kinds import DATA_FUNCTIONS, FLAGS, KINDS, LINES, METRICS, RECIPES, TYPES, UNITS
from mlspec.grammar.parse import parse
from mlspec.grammar.source import Source
from mlspec.grammar.table import table
from pygments.lexers import get_lexer_by_name, guess_lexer_for_filename
from pygments.token import Error, Keyword, Name, string_to_tokentype

HERE = Path(__file__).parent
CORPUS = sorted(
    path
    for pattern in ("corpus/good/*.mlspec", "editors/*.mlspec", "../specs/*/*.mlspec")
    for path in HERE.glob(pattern)
    if path.is_file()
)


def told(text: str) -> list[tuple[str, str]]:
    return [(text[part.start : part.end], part.of) for part in classes(text)]


def of(text: str, word: str) -> set[str]:
    return {class_ for piece, class_ in told(text) if piece == word}


# --- one home of the words ------------------------------------------------------------------------------------------


def test_what_is_generated_is_what_would_be_generated_now() -> None:
    stale = [path.name for path, text in files().items() if path.read_text(encoding="utf-8") != text]
    assert stale == [], "run python -m mlspec.grammar.editors"


def test_the_words_are_those_of_the_grammar_and_of_kinds() -> None:
    assert set(words().all) == set(table().words.keywords)
    assert set(words().kinds) == set(KINDS)
    assert set(words().lines) == (set(LINES) - {"column", "argument", "among"}) | {"set"}
    assert {*words().operators, *words().punctuation} == set(table().words.symbols)


def test_every_word_is_in_every_highlighter() -> None:
    for path, text in files().items():
        if path.name != "markdown.tmLanguage.json":
            found = set(re.findall(r"\w+", text.replace(r"\b", " ").replace(r"\v", " ")))
            assert {*words().all, *words().recipes, *words().flags} <= found, path.name


def test_every_word_has_its_class() -> None:
    for word in words().kinds:
        assert told(f"{word} x")[0] == (word, "kind")
    for word in words().keywords:
        assert told(word)[0] == (word, "keyword")
    for word, recipe in RECIPES.items():
        header = f'data x from {word} "p"' if recipe.source else f"data x from y by {word}"
        assert of(header, word) == {"recipe"}
    for word in METRICS:
        assert of(f"model m_ from d_ {{ measure {word} on test }}", word) == {"function"}
    for word in DATA_FUNCTIONS:
        assert of(f"data d_ from a_ {{ expect {word}(.x) > 0 }}", word) == {"function"}
    for word in TYPES:
        assert of(f"data d_ from a_ {{ x: {word} }}", word) == {"type"}
    for word in FLAGS:
        assert of(f"data d_ from a_ {{ x: int, {word} }}", word) == {"keyword"}
    for word in UNITS:
        assert of(f"data d_ from a_ {{ x = 4{word} }}", word) == {"unit"}


def test_the_arguments_that_hold_a_query_are_called_so() -> None:
    assert "query" in {argument.name for recipe in RECIPES.values() if recipe.source for argument in recipe.arguments}


def test_every_look_is_one_that_its_editor_knows() -> None:
    assert len({look.textmate for look in LOOKS.values()}) == len(LOOKS)
    for look in LOOKS.values():
        assert string_to_tokentype(look.pygments).parent is not None


def test_a_language_server_changes_no_colours_in_vs_code() -> None:
    package = json.loads((EDITORS / "vscode" / "package.json").read_text(encoding="utf-8"))
    (scopes,) = (row["scopes"] for row in package["contributes"]["semanticTokenScopes"])
    expected = {"comment.documentation": [LOOKS["doc"].textmate]}
    for look in LOOKS.values():
        if look.semantic:
            expected.setdefault(look.semantic, [look.textmate])
    assert scopes == expected
    assert package["version"] == mlspec.__version__


# --- right by the tree ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.name)
def test_the_tree_says_the_same(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    parsed = parse(Source(path.name, text))
    assert parsed.diagnostics == ()
    found = {(part.start, part.end): part.of for part in classes(text)}
    for span, class_ in expected(parsed.document):
        assert found[span.start, span.end] == class_, text[span.start : span.end]


def expected(node: Any) -> Iterator[tuple[Any, str]]:
    """What the tree knows of its own places."""
    match node:
        case tree.Name():
            yield node.span, "name"
        case tree.Column():
            yield node.span, "column"
        case tree.Date():
            yield node.span, "date"
        case tree.Truth():
            yield node.span, "boolean"
        case tree.ColumnLine():
            yield node.name_span, "column"
            yield from ((span, "keyword") for _, span in node.flags)
        case tree.Assign() | tree.Among() | tree.Pair():
            yield node.name_span, "argument"
        case tree.Call():
            yield node.name_span, "function"
        case tree.Metric():
            yield node.name_span, "recipe" if node.place else "function"
        case tree.Number() if not node.unit and node.value >= 0:  # a sign before it is an operator
            yield node.span, "number"
        case tree.Env():
            yield node.name.span, "name"
            yield node.runtime.span, "recipe"
            yield from (pair for line in node.lines for pair in expected(line))
            return
        case tree.Reference():
            name = dataclasses.replace(node.span, end=node.span.start + len(node.name))
            yield name, "keyword" if node.name == "last" else "reference"
        case tree.Every(period=tree.Reference()):
            yield node.period.span, "date"
            return
        case tree.SetPath() if not node.path.path:  # it has the form of an argument
            yield node.path.span, "argument"
            yield from expected(node.value)
            return
        case tree.TypeExpression() if node.name and not node.item and not node.optional:
            yield node.span, "type"
        case tree.Recipe() | tree.Input() if node.place or node.reference.name in words().recipes:
            yield node.reference.span, "recipe"
            yield from expected(node.place) if node.place else ()
            return
    for field in dataclasses.fields(node):
        value = getattr(node, field.name)
        for child in value if isinstance(value, tuple) else (value,):
            if dataclasses.is_dataclass(child):
                yield from expected(child)


def test_a_word_is_what_its_place_makes_it() -> None:
    text = 'data data_of from csv "x" {\n  from: int\n  by = .by\n  expect .data > last.rows\n}\ndata b from data_of by sql "a.sql"\n'
    assert of(text, "from") == {"keyword", "column"}
    assert of(text, "by") == {"argument", "keyword"}
    assert of(text, ".by") == of(text, ".data") == {"column"}
    assert of(text, "data_of") == {"name", "reference"}
    assert of(text, '"a.sql"') == {"string"}
    assert of('data b from a by sql """select 1"""', "select 1") == {"sql"}
    assert of('data b from a by sql "select 1"', "select 1") == {"sql"}
    assert of("## what it is\ndata b from a # why\n", "# why") == {"comment"}


# --- broken text ----------------------------------------------------------------------------------------------------


OPEN = ("sql", "string")  # what is left open may end in a space


def is_whole(text: str, parts: list[Part]) -> bool:
    ends = [0, *(part.end for part in parts)]
    in_order = all(end <= part.start < part.end for end, part in zip(ends, parts, strict=False))
    return (
        in_order
        and ends[-1] <= len(text)
        and all(not text[part.end - 1].isspace() for part in parts if part.of not in OPEN)
    )


def test_every_beginning_of_a_text_has_its_classes() -> None:
    text = (HERE / "editors" / "corners.mlspec").read_text(encoding="utf-8")
    for end in range(0, len(text), 3):
        assert is_whole(text[:end], classes(text[:end]))


@given(
    st.lists(
        st.sampled_from(
            [*table().words.keywords, *table().words.symbols, "x", '"', '"""', ".a", "4GiB", "\n", "#", " ", "'", "é"]
        )
    )
)
@settings(max_examples=200, deadline=None)
def test_any_text_has_its_classes(pieces: list[str]) -> None:
    text = " ".join(pieces)
    assert is_whole(text, classes(text))


def test_what_is_broken_leaves_the_next_statement_alone() -> None:
    after = '\ndata a from csv "a.csv" {\n  x: int\n}\n'
    for broken in (
        'model m from t by python "m.py',
        "data x from y {",
        'data , from by sql """\n select',
        "expect (((",
        "model { x = [1,",
    ):
        assert told(broken + after)[-len(told(after)) :] == told(after), broken


def test_it_is_quick_enough_for_every_stroke() -> None:
    text = (HERE / "corpus" / "good" / "churn.mlspec").read_text(encoding="utf-8") * 15  # 1,000 lines
    classes(text)
    best = min(_seconds(text) for _ in range(3))
    assert best < 0.25


def _seconds(text: str) -> float:
    start = time.perf_counter()
    classes(text)
    return time.perf_counter() - start


# --- Pygments -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.name)
def test_pygments_says_the_same_and_loses_nothing(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    pieces = list(MlspecLexer().get_tokens_unprocessed(text))
    assert "".join(word for _, _, word in pieces) == text
    assert all(token is not Error for _, token, _ in pieces)
    at = {(start, word): token for start, token, word in pieces}
    for part in classes(text):
        if part.of != "sql":
            assert at[part.start, text[part.start : part.end]] is string_to_tokentype(LOOKS[part.of].pygments)


def test_pygments_colours_the_query() -> None:
    pieces = list(MlspecLexer().get_tokens('data b from a by sql """\n  select x from a where y = $top\n"""\n'))
    assert {(Keyword, "select"), (Name.Variable, "$top")} <= set(pieces)


def test_pygments_finds_it() -> None:
    assert isinstance(get_lexer_by_name("mlspec"), MlspecLexer)
    assert isinstance(guess_lexer_for_filename("a.mlspec", "data a"), MlspecLexer)


def test_importing_the_lexer_reads_no_grammar() -> None:
    program = "import sys, mlspec.grammar.editors.lexer; sys.exit('lark' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
