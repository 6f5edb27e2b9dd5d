"""One layout: what it is, and that nothing but the layout changes."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import pytest
from helpers import Project
from hypothesis import given, settings
from hypothesis import strategies as st
from mlspec.grammar.format import format_text
from mlspec.grammar.parse import parse
from mlspec.grammar.source import Source
from mlspec.grammar.table import table
from mlspec.grammar.tokens import lex, segments

GOOD = sorted((Path(__file__).with_name("corpus") / "good").glob("*.mlspec"))
TEXTS = [path.read_bytes().decode() for path in GOOD]


def formatted(text: str) -> str:
    found = format_text(text)
    assert found is not None
    return found


def substance(text: str) -> object:
    cut = segments(text, table().words)
    tokens = [
        [(t.kind, t.text.replace("\n", ";") if t.kind == "_NL" else t.text) for t in s.tokens] for s in cut.segments
    ]
    comments = [token.text.rstrip() for token in lex(text, table().words) if token.kind == "COMMENT"]
    return tokens, comments


@pytest.mark.parametrize(
    ("written", "wanted"),
    [
        ("", ""),
        ("\n\n", ""),
        ("# a", "# a\n"),
        ('\ufeffparam   x:text="a"', 'param x: text = "a"\n'),
        ("param a = 1\nparam b = 2\n\n\nsecret c\ndata d\n", "param a = 1\nparam b = 2\n\nsecret c\n\ndata d\n"),
        ("data a {a=1;b=2;}", "data a { a = 1; b = 2 }\n"),
        ("data a\n{\n}\n", "data a {}\n"),
        ("data a {\n\n\n a=1\n\n\n b=2\n\n}", "data a {\n  a = 1\n\n  b = 2\n}\n"),
        ("data a { # why\n\n a=1 }#end", "data a {  # why\n  a = 1\n}  # end\n".replace("# end", "#end")),
        ("data a {\n id:int\n country : text\n}", "data a {\n  id:      int\n  country: text\n}\n"),
        ("model a {\n x=1\n # c\n long in 1 .. 2\n}", "model a {\n  x = 1\n  # c\n  long in 1..2\n}\n"),
        ("model a {\n x=1\n long in 1 .. 2 # c\n}", "model a {\n  x    = 1\n  long in 1..2  # c\n}\n"),
        ("data a {\n x = [\n1,\n  # two\n 2\n]\n}", "data a {\n  x = [\n    1,\n    # two\n    2\n  ]\n}\n"),
        ("data a\n from b,\n c\n by split", "data a from b, c by split\n"),
        ("model m { expect not - .a<-1 -- 2 }", "model m { expect not -.a < -1 - -2 }\n"),
        ("model m { expect -(.a)+max( .b , 1 )>last .c }", "model m { expect -(.a) + max(.b, 1) > last.c }\n"),
        ("model m { a in ..5|7 .. ; b in .. -1 }", "model m { a in ..5 | 7..; b in ..-1 }\n"),
        ("data a {} data b {}", "data a {}\n\ndata b {}\n"),
    ],
)
def test_the_layout(written: str, wanted: str) -> None:
    assert formatted(written) == wanted
    assert formatted(wanted) == wanted


def test_a_long_header_breaks_before_from_and_by() -> None:
    a, b = "a" * 50, "b" * 50
    wanted = f'data {a}\n  from {b}\n  by python "m.py:f" {{\n  x = 1\n}}\n'
    assert formatted(f'data {a} from {b} by python "m.py:f" {{ x=1 }}') == wanted


def test_a_list_too_long_stays_as_it_was_broken() -> None:
    a, b = "a" * 70, "b" * 70
    wanted = f"data x\n  from {a},\n    {b}\n  by split\n"
    assert formatted(f"data x from {a},\n{b} by split") == wanted


def test_sql_stays_byte_for_byte() -> None:
    sql = '"""\r\n select  1 \n\n\n\tfrom   "a"  # b\n  """'
    assert sql in formatted(f"data   a by sql {sql}\r\n")


def test_the_big_example_is_a_fixed_point() -> None:
    text = next(path for path in GOOD if path.stem == "churn").read_text()
    assert formatted(text) == text


def test_a_text_with_syntax_errors_is_left_alone() -> None:
    assert format_text("data a form b\n") is None


@pytest.mark.parametrize("text", TEXTS, ids=[path.stem for path in GOOD])
def test_good_specs(text: str) -> None:
    once = formatted(text)
    assert formatted(once) == once
    assert substance(once) == substance(text)
    assert "\r" not in once and once.endswith("\n") and not once.endswith("\n\n")
    assert all(line == line.rstrip() for line in once.split("\n") if '"' not in line)


def shuffled(text: str, choice: random.Random) -> str:
    """The same tokens with other space between them, and comments where a line ends."""
    words, out, end = table().words, [], 0
    for token in lex(text, words):
        out.append(text[end : token.start])
        if token.kind == "LINE":
            out.append(choice.choice(["", "", " ", "  # c", " #", "\n", "\n\n\n", "\n# d\n", "\t\r"]))
        elif token.kind != "COMMENT":
            out.append(choice.choice(["", "", "", " ", "   ", "\t"]) if out[-1] else "")
        out.append(token.text)
        if token.kind in ("_COMMA", "EQUAL", "PLUS", "AND", "LPAREN", "LBRACKET", "_LBRACE", "_NL"):
            out.append(choice.choice(["", " ", "\n", "\n\n", " # e\n", "\n # f\n\n"]))
        end = token.end
    return "".join(out)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(TEXTS), st.randoms(use_true_random=False))
def test_any_arrangement_comes_to_a_fixed_point_with_the_same_tokens(text: str, choice: random.Random) -> None:
    written = shuffled(text, choice)
    assert parse(Source("x", written)).diagnostics == ()
    once = formatted(written)
    assert substance(once) == substance(written)
    assert formatted(once) == once


@settings(max_examples=30, deadline=None)
@given(st.sampled_from(TEXTS), st.randoms(use_true_random=False))
def test_space_within_a_line_does_not_matter(text: str, choice: random.Random) -> None:
    wide = "".join(
        (" " * choice.randint(0, 3) if token.kind == "_ASSIGN" else "") + space + token.text
        for space, token in spaced_tokens(text)
    )
    assert formatted(wide) == formatted(text)


def spaced_tokens(text: str) -> list[tuple[str, object]]:
    found, end = [], 0
    for token in lex(text, table().words):
        found.append((text[end : token.start], token))
        end = token.end
    return found


def test_a_long_name_does_not_move_the_lines_around_it() -> None:
    written = "data a {\n  id: int\n  country: text\n  an_extraordinarily_long_name: date\n}\n"
    assert formatted(written) == written.replace("  id: int", "  id:      int")


BAD = sorted((Path(__file__).with_name("corpus") / "bad").glob("*.mlspec"))


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_what_can_be_read_keeps_its_tokens_and_comments(path: Path) -> None:
    """A spec with mistakes in its meaning is laid out like any other; one with mistakes in its text is refused."""
    text = path.read_bytes().decode()
    once = format_text(text)
    assert (once is None) == bool(parse(Source("x", text)).diagnostics)
    if once is not None:
        assert substance(once) == substance(text)
        assert format_text(once) == once


# --- the command --------------------------------------------------------------------------------------------------

LOOSE = 'data a from csv "a.csv" {\n id:int # the key\n}\n'


def test_a_file_is_rewritten_with_its_line_ends_and_its_mode(project: Project) -> None:
    path = project.file("a.mlspec", "")
    path.write_bytes(b"\xef\xbb\xbf" + LOOSE.replace("\n", "\r\n").encode())
    path.chmod(0o640)
    link = project.root / "link.mlspec"
    link.symlink_to(path)
    assert project.run("fmt", "link.mlspec").code == 0
    assert path.read_bytes() == format_text(LOOSE).replace("\n", "\r\n").encode()  # type: ignore[union-attr]
    assert (path.stat().st_mode & 0o777, link.is_symlink()) == (0o640, True)
    assert sorted(p.name for p in project.root.iterdir() if p.is_file()) == ["a.mlspec", "link.mlspec"]
    assert project.run("fmt", "a.mlspec").out == ""


def test_check_and_diff_change_nothing(project: Project) -> None:
    path = project.file("a.mlspec", LOOSE)
    checked, shown, both = (project.run("fmt", *words) for words in (("--check",), ("--diff",), ("--check", "--diff")))
    assert (checked.code, shown.code, both.code) == (1, 0, 1)
    assert "a.mlspec is not in the one layout" in checked.out
    assert "+  id: int  # the key" in shown.out and both.out == shown.out
    assert path.read_text() == LOOSE
    path.write_text(format_text(LOOSE) or "")
    assert project.run("fmt", "--check").code == 0


def test_standard_input(project: Project) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "mlspec", "fmt", "-"], input=LOOSE.encode(), capture_output=True, check=True
    )
    assert ran.stdout.decode() == format_text(LOOSE)


def test_a_broken_spec_is_refused_and_left_alone(project: Project) -> None:
    path = project.file("a.mlspec", "data a form b\n")
    ran = project.run("fmt")
    assert (ran.code, ran.out) == (1, "")
    assert "did you mean from" in ran.err
    assert path.read_text() == "data a form b\n"


def test_the_mistakes_of_a_spec_that_cannot_be_read_are_told_as_check_tells_them(project: Project) -> None:
    project.file("a.mlspec", 'data a form csv "a.csv"\n')
    project.file("b.mlspec", LOOSE)
    ran, checked = project.run("fmt", "a.mlspec", "b.mlspec"), project.run("check", "a.mlspec")
    assert (ran.code, checked.code) == (1, 1) and ran.err == checked.err and "did you mean from" in ran.err
    assert "b.mlspec: brought into the one layout" in ran.out
    piped = subprocess.run(
        [sys.executable, "-m", "mlspec", "fmt", "-"], input=b"data", capture_output=True, check=False
    )
    assert piped.returncode == 1 and b"standard input:1:" in piped.stderr and not piped.stdout


def test_what_is_asked_for_and_is_not_there_is_wrong_usage(project: Project) -> None:
    project.file("a.mlspec", 'data a from csv "a.csv"\n')
    project.file("a.csv", "id\n1\n")
    for words in (("check", "c.mlspec"), ("plan", "--on", "nope"), ("show", "b"), ("fmt", "c.mlspec")):
        ran = project.run(*words)
        assert ran.code == 2 and ran.err.startswith("error: could not "), ran
    project.file("b.mlspec", "")
    assert project.run("check").code == 2
