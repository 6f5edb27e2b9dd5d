"""Text -> tree: what the forms come to, where a mistake stays, and that no text is too strange or too large."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mlspec.grammar import tree
from mlspec.grammar.parse import Parsed, parse
from mlspec.grammar.render import render_all
from mlspec.grammar.source import Source

GOOD = Path(__file__).with_name("corpus") / "good"


def read(text: str) -> Parsed:
    return parse(Source("x", text))


def block(text: str) -> tree.Block:
    parsed = read(text)
    assert parsed.diagnostics == ()
    found = parsed.document.statements[-1]
    assert isinstance(found, tree.Block)
    return found


def line(text: str) -> tree.Line:
    return block(f'data a from csv "a" {{\n  {text}\n}}\n').lines[0]


def value(text: str) -> tree.Expression:
    found = line(f"expect {text}")
    assert isinstance(found, tree.Expect)
    return found.condition


def codes(text: str) -> list[str]:
    return [diagnostic.code for diagnostic in read(text).diagnostics]


def names(parsed: Parsed) -> list[str]:
    return [s.names[0].text for s in parsed.document.statements if isinstance(s, tree.Block)]


def shape(node: object) -> str:
    """An expression with all its brackets."""
    match node:
        case tree.Binary():
            return f"({shape(node.left)} {node.operator} {shape(node.right)})"
        case tree.Unary():
            return f"({node.operator} {shape(node.operand)})"
        case tree.Column():
            return f".{node.name}"
        case tree.Number():
            return f"{node.value}{node.unit}"
        case tree.Range():
            return f"{shape(node.low)}..{shape(node.high)}"
        case tree.Choice():
            return "{" + " | ".join(map(shape, node.options)) + "}"
    return "" if node is None else str(getattr(node, "value", node))


# --- the forms ----------------------------------------------------------------------------------------------------


def test_the_big_example_of_the_design() -> None:
    document = read((GOOD / "churn.mlspec").read_text()).document
    assert document.doc == "Who leaves next month, and a service that tells."
    kinds = [type(statement).__name__ for statement in document.statements]
    assert kinds == ["Version", "Param", "Secret", *["Block"] * 7, "Env"]
    customers, churn = document.statements[3], document.statements[7]
    assert isinstance(customers, tree.Block) and isinstance(churn, tree.Block)
    assert customers.doc == "One row per customer and month."
    assert [type(each).__name__ for each in churn.lines] == [
        *("Predict", "Assign", "Among", "Among", "Search", "Measure", "Expect", "Expect", "Needs")
    ]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (".a + 1 * 2 - 3", "((.a + (1 * 2)) - 3)"),
        ("not .a > 1 and .b or .c", "(((not (.a > 1)) and .b) or .c)"),
        (".a >= (last.a else 0) - 0.01", "(.a >= ((last.a else 0) - 0.01))"),
        (".a in 1..", "(.a in 1..)"),
        (".a not in ..5 | 7", "(.a not in {..5 | 7})"),
        ("-3 < - .a", "(-3 < (- .a))"),
        (".p95 < 50ms", "(.p95 < 50ms)"),
        ('."fixed acidity" >\n    1_000', "(.fixed acidity > 1000)"),
    ],
)
def test_values(text: str, wanted: str) -> None:
    assert shape(value(text)) == wanted


@pytest.mark.parametrize(
    "word",
    [
        "data",
        "model",
        "from",
        "by",
        "as",
        "on",
        "predict",
        "search",
        "expect",
        "every",
        "set",
        "last",
        "at",
        "all",
        "use",
        "env",
    ],
)
def test_words_of_the_language_are_free_where_a_sign_tells(word: str) -> None:
    column, assign, among = line(f"{word}: int"), line(f"{word} = 3"), line(f"{word} in 1..3")
    assert isinstance(column, tree.ColumnLine) and column.name == word
    assert isinstance(assign, tree.Assign) and assign.name == word
    assert isinstance(among, tree.Among) and among.name == word
    assert shape(value(f".{word} > 1")) == f"(.{word} > 1)"


@pytest.mark.parametrize("text", ["param data = 3\n", 'use "x" as model\n', "data from from a by split\n"])
def test_but_they_name_no_block_param_or_use(text: str) -> None:
    assert codes(text) == ["E007"]


@pytest.mark.parametrize(
    "text",
    [
        'data a from csv "a" { header = false; delimiter = ";" }',
        'data a from csv "a" {; header = false;; delimiter = ";"; }',
        'data a from csv "a" {\n header = false\n\n\n delimiter = ";" }',
        'data a\n  from csv "a"\n{\r\n header = false # why; not\r\n # more\r\n delimiter = ";"\r\n}',
        '  data a from csv "a" {\nheader = false\ndelimiter = ";"\n  }',
    ],
)
def test_ways_to_lay_out_the_same(text: str) -> None:
    found = block(text)
    assert [each.name for each in found.lines if isinstance(each, tree.Assign)] == ["header", "delimiter"]


def test_a_header_breaks_before_from_and_by_and_after_a_comma() -> None:
    found = block('data a,\n  b\n\n  # why\n  from c,\n  d\n  by sql """\ndata x from y\n}"""\n')
    assert [name.text for name in found.names] == ["a", "b"]
    assert [str(each.reference) for each in found.inputs] == ["c", "d"]
    assert found.recipe is not None and isinstance(found.recipe.place, tree.Text)
    assert found.recipe.place.value == "\ndata x from y\n}"


def test_a_closed_body_ends_its_statement_even_within_a_line() -> None:
    assert names(read('data a from csv "a" { } data b from csv "b" {\n} data c from csv "c"\n')) == ["a", "b", "c"]


def test_descriptions_stand_right_before_a_block() -> None:
    parsed = read(
        "## of the file\n\n## one\n## two\ndata a from b ## no\n\n## lost\n\ndata c from b {\n  ## within\n}\n## d\nenv d on l"
    )
    a, c, d = parsed.document.statements
    assert isinstance(a, tree.Block) and isinstance(c, tree.Block) and isinstance(d, tree.Env)
    assert (a.doc, c.doc, d.doc) == ("one\ntwo", "", "d")
    assert parsed.document.doc == "of the file\nlost"


# --- a mistake stays where it is ----------------------------------------------------------------------------------


def test_a_missing_brace_does_not_swallow_the_next_block() -> None:
    parsed = read(
        'data a from csv "a" {\n  id: int\ndata b from csv "b" {\n  id: int\n}\nmodle x from b\ndata c from b\n'
    )
    assert [d.code for d in parsed.diagnostics] == ["E003", "E011"]
    assert names(parsed) == ["a", "b", "c"]
    assert len(parsed.document.statements[0].lines) == 1  # type: ignore[union-attr]


def test_a_missing_opening_brace_is_one_mistake() -> None:
    parsed = read('data a from csv "a"\n  id: int\n  x = 3\n}\ndata b from a by split\n')
    assert [d.code for d in parsed.diagnostics] == ["E014"]
    assert names(parsed) == ["a", "b"]


def test_all_mistakes_of_a_body_are_told_and_the_other_lines_kept() -> None:
    parsed = read('data a from csv "a" {\n  id int\n  x = 3\n  expect (.a > 1\n  expect .b >\n  y = 4\n}\n')
    assert [d.code for d in parsed.diagnostics] == ["E008", "E003", "E010"]
    assert len(parsed.document.statements[0].lines) == 2  # type: ignore[union-attr]


def test_a_broken_header_is_left_out_with_its_names_remembered() -> None:
    parsed = read('data a, b form c {\n  id int\n}\nuse "x" es\n')
    assert parsed.document.statements == ()
    assert [d.code for d in parsed.diagnostics] == ["E008", "E008", "E008"]
    assert [name.text for name in parsed.lost] == ["a", "b", "es"]


def test_an_open_text_ends_before_the_next_header() -> None:
    text = 'data a from b by sql """\n  select 1\n\ndata c from a by sql """select "x" """ { expect .rows > 1 }\n'
    parsed = read(text)
    assert [(d.code, d.span.start) for d in parsed.diagnostics] == [("E005", 21)]
    assert names(parsed) == ["a", "c"]


def test_other_quotes_are_read_as_what_was_meant() -> None:
    parsed = read("data a from csv 'a.csv'\n")
    assert [d.code for d in parsed.diagnostics] == ["E006"]
    assert names(parsed) == ["a"]


# --- strange and large texts --------------------------------------------------------------------------------------

N = 10_000
IN_BODY = 'data a from csv "a" {{\n x = {}\n fine = 1\n}}\ndata b from a\n'


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (IN_BODY.format("(" * N + "1" + ")" * N), "E002"),
        (IN_BODY.format("[" * N), "E002"),
        (IN_BODY.format("-" * N + "1"), "E002"),
        (IN_BODY.format("not " * N + "1"), "E002"),
        (IN_BODY.format("1 + " * N + "1"), "E002"),
        (IN_BODY.replace("=", ":").format("list[" * N + "int" + "]" * N).replace("fine :", "fine ="), "E002"),
        (IN_BODY.format("9" * N), "E015"),
        (IN_BODY.format('"a\0b"'), "E006"),
        (IN_BODY.format('"\udfff"'), "E006"),
        (IN_BODY.format("\x1b[31m"), "E006"),
    ],
    ids=["brackets", "lists", "minus", "not", "sum", "types", "digits", "nul", "surrogate", "escape"],
)
def test_a_strange_value_is_told_and_costs_only_its_line(text: str, wanted: str) -> None:
    parsed = read(text)
    assert [d.code for d in parsed.diagnostics] == [wanted]
    assert names(parsed) == ["a", "b"]
    rendered = render_all(parsed.diagnostics, {"x": Source("x", text)})
    assert len(rendered) < 1000 and "\x1b" not in rendered and "\0" not in rendered
    rendered.encode()


def test_long_lists_are_not_deep() -> None:
    assert codes(IN_BODY.format("[" + "-1, " * N + "1 + 2]")) == []


def test_a_file_of_data_is_refused_at_once() -> None:
    text = "x" * 50_000_000
    started = time.process_time()
    diagnostics = read(text).diagnostics
    assert [d.code for d in diagnostics] == ["E001"]
    assert time.process_time() - started < 0.5
    assert len(render_all(diagnostics, {"x": Source("x", text)})) < 1000


@pytest.mark.parametrize(
    "part",
    [
        "}",
        "{",
        '"""',
        '"',
        "'",
        "\0",
        "(",
        " ",
        "\n",
        "## a\n",
        ";",
        "a",
        "a ",
        ".a",
        "modle x from y\n",
        "data a from b {\n",
        ",",
    ],
)
def test_time_is_linear_in_any_repetition(part: str) -> None:
    def seconds(times: int) -> float:
        started = time.process_time()
        read(part * times)
        return time.process_time() - started

    read("")
    times = 12_000 // len(part)
    assert seconds(times * 4) < 12 * seconds(times) + 0.2


def test_ten_thousand_blocks_in_seconds() -> None:
    one = 'data b{} from a, c by sql """\n  select a.id, c.x from a join c using (id)\n""" {{\n  expect mean(.x) in 1..5\n}}\n\n'
    text = "".join(one.format(i) for i in range(N))
    read("")
    started = time.process_time()
    assert len(read(text).document.statements) == N
    assert time.process_time() - started < 10  # 1.2 s on an idle machine


WORDS = st.sampled_from(
    [
        "data",
        "model",
        "from",
        "by",
        "in",
        "expect",
        "predict",
        "not",
        "a",
        "b",
        "csv",
        '"a.csv"',
        ".x",
        "3",
        "20%",
        "..",
        *"{}{}()[]=:,;-+#\"'\x00é|?\n\n\n",
        '"""',
    ]
)


@settings(max_examples=150, deadline=None)
@given(st.lists(WORDS, max_size=60))
def test_no_text_is_too_strange_to_be_told(parts: list[str]) -> None:
    text = " ".join(parts)
    source = Source("x", text)
    parsed = parse(source)
    render_all(parsed.diagnostics, {"x": source}, colour=True).encode()
    for diagnostic in parsed.diagnostics:
        assert 0 <= diagnostic.span.start <= diagnostic.span.end <= len(text)
        if diagnostic.fix and diagnostic.code != "E012":
            fix = diagnostic.fix
            repaired = text[: fix.span.start] + fix.text + text[fix.span.end :]
            assert len(parse(Source("x", repaired)).diagnostics) <= len(parsed.diagnostics)
