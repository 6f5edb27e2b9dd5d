"""The highlighters in the engines that run them: VS Code's, and Vim's. Both must say of every character what the parser says."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from itertools import accumulate
from pathlib import Path

import pytest
from mlspec.grammar.editors import __main__ as editors
from mlspec.grammar.editors.classes import classes
from mlspec.grammar.editors.looks import LOOKS
from mlspec.grammar.kinds import DATA_FUNCTIONS, METRICS, RECIPES, TYPES, UNITS

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
BUILD = ROOT / "build" / "editors"
SPECS = ("tests/corpus/good/*.mlspec", "tests/editors/*.mlspec", "specs/*/*.mlspec")
VIM = editors.HERE / "vim"
SYNTAXES = editors.HERE / "vscode" / "syntaxes"

# Where a pattern cannot know what the parser knows: (file, line, text) -> what it says instead, and why.
DIFFERENCES = {
    # A list that goes on after a comma in the next line: there `unique in` has the form of a searched argument.
    ("layout.mlspec", 39, "unique"): "argument",
}
# After each of these, the next statement is coloured as if nothing had been.
BROKEN = (
    'model m from t by python "m.py',
    "data x from y {",
    "data a b from c",
    "model m from t { measure rmse, mae }",
    "model m from t { expect (.a >= [1, }",
    "data x { every }",
    "data x { name: int? | }",
    "'single' and “curly” quotes // and ; a comment of others",
)
AFTER = '\ndata a from csv "a.csv" {\n  from: int, unique\n  expect .from > 3\n}\n'

Told = dict[Path, dict[int, str | None]]  # of each file, the class at each offset that is no white space
Engine = Callable[[list[Path]], Told]


@pytest.fixture(scope="session")
def tools() -> dict[str, str]:
    """Node and Vim; installed where they are not there."""
    subprocess.run(["sh", str(HERE / "install.sh"), sys.executable, str(BUILD)], check=True, timeout=600)
    return {**os.environ, "PATH": f"{BUILD}/bin:{os.environ['PATH']}", "NODE_PATH": str(BUILD / "node_modules")}


@pytest.fixture(params=["textmate", "vim"])
def engine(request: pytest.FixtureRequest, tools: dict[str, str], tmp_path: Path) -> Engine:
    if request.param == "textmate":
        return lambda paths: by_textmate(paths, tools)
    return lambda paths: by_vim(paths, tools, tmp_path / "groups.json")


# --- what each says ---------------------------------------------------------------------------------------------------


def by_parser(path: Path) -> dict[int, str]:
    return {at: part.of for part in classes(read(path)) for at in range(part.start, part.end)}


def by_textmate(paths: list[Path], tools: dict[str, str]) -> Told:
    grammars = [SYNTAXES / "mlspec.tmLanguage.json", BUILD / "node_modules" / "tm-grammars" / "grammars" / "sql.json"]
    command = ["node", HERE / "textmate.cjs", *grammars, "--", *paths]
    ran = subprocess.run(command, env=tools, capture_output=True, text=True, check=True, timeout=120)
    class_of = {look.textmate: of for of, look in LOOKS.items()}
    found: Told = {}
    for name, tokens in json.loads(ran.stdout).items():
        starts = line_starts(read(Path(name)))
        found[Path(name)] = {
            starts[line] + at: scoped(scopes, class_of)
            for line, start, end, scopes in tokens
            for at in range(start, end)
        }
    return found


def scoped(scopes: list[str], class_of: dict[str, str]) -> str | None:
    """The innermost class of ours: what SQL's own grammar says stands within "sql"."""
    ours = [class_of[scope] for scope in scopes if scope in class_of]
    return ours[-1] if ours else None


def by_vim(paths: list[Path], tools: dict[str, str], out: Path) -> Told:
    names = {"MLSPEC_VIM": str(VIM), "MLSPEC_FILES": "\n".join(map(str, paths)), "MLSPEC_OUT": str(out)}
    command = ["vim", "-es", "-n", "-i", "NONE", "-u", str(HERE / "scopes.vim")]
    ran = subprocess.run(command, env={**tools, **names}, stdin=subprocess.DEVNULL, check=False, timeout=240)
    assert ran.returncode == 0, out.read_text()
    class_of = {f"mlspec{of.capitalize()}": of for of in LOOKS}
    found: Told = {}
    for name, groups in json.loads(out.read_text(encoding="utf-8")).items():
        text = read(Path(name))
        starts = line_starts(text)
        lines = [line.encode() for line in text.split("\n")]
        found[Path(name)] = {
            starts[line] + len(lines[line][:byte].decode(errors="ignore")): scoped(stack, class_of)
            for line, byte, stack in groups
        }
    return found


def read(path: Path) -> str:
    with path.open(encoding="utf-8", newline="") as file:
        return file.read()


def line_starts(text: str) -> list[int]:
    return [0, *accumulate(len(line) + 1 for line in text.split("\n"))]


# --- and that it is the same ------------------------------------------------------------------------------------------


def differences(path: Path, found: dict[int, str | None]) -> Iterator[str]:
    """Each run of characters that is of another class, once."""
    text, expected, last = read(path), by_parser(path), -2
    for at, sign in enumerate(text):
        if sign.isspace() or found.get(at) == expected.get(at):
            continue
        line, word = text.count("\n", 0, at) + 1, text[at:].split()[0]
        if last != at - 1 and DIFFERENCES.get((path.name, line, word)) != found.get(at):
            yield f"{path.name}:{line}: {word} is {expected.get(at)}, not {found.get(at)}"
        last = at


def test_they_say_what_the_parser_says(engine: Engine, tmp_path: Path) -> None:
    corpus = [path for pattern in SPECS for path in sorted(ROOT.glob(pattern)) if path.is_file()]
    every_word = tmp_path / "every_word.mlspec"
    every_word.write_text(all_words(), encoding="utf-8")
    told = engine([*corpus, every_word])
    assert len(told) > 10
    assert [line for path, found in told.items() for line in differences(path, found)] == []


def all_words() -> str:
    """Every row of `kinds.py` in its place."""
    headers = [
        f'data d_{word} from {word} "p"' if recipe.source else f"data d_{word} from d by {word}"
        for word, recipe in RECIPES.items()
    ]
    columns = [f"  c_{word}: {word}?, unique" for word in TYPES]
    checks = [f"  expect {word}(.x) > 0" for word in DATA_FUNCTIONS]
    arguments = [f"  a_{number} = 3{unit}" for number, unit in enumerate(UNITS)]
    measures = [f"  measure {word}, {word} as m_{word} on d" for word in METRICS]
    return "\n".join([*headers, "data d {", *columns, *checks, *arguments, "}", "model m from d {", *measures, "}\n"])


def test_a_mistake_stays_where_it_is(engine: Engine, tmp_path: Path) -> None:
    paths = []
    for number, broken in enumerate(BROKEN):
        paths.append(tmp_path / f"broken_{number}.mlspec")
        paths[-1].write_text(broken + AFTER, encoding="utf-8")
    whole = tmp_path / "whole.mlspec"
    whole.write_text(AFTER, encoding="utf-8")
    told = engine([*paths, whole])
    visible = [at for at, sign in enumerate(AFTER) if not sign.isspace()]
    for path, broken in zip(paths, BROKEN, strict=True):
        after = [told[path].get(len(broken) + at) for at in visible]
        assert after == [told[whole].get(at) for at in visible], broken


def test_a_query_may_hold_any_quote(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "query.mlspec"
    path.write_text(
        'data a from b by sql """\n  select 1 -- don\'t " $$\n  where \'\n""" { x = 1 }' + AFTER, encoding="utf-8"
    )
    assert list(differences(path, engine([path])[path])) == []


def test_vim_indents_as_fmt_does(tools: dict[str, str], tmp_path: Path) -> None:
    for spec in ROOT.glob("specs/*/*.mlspec"):
        if spec.is_file():
            copy = tmp_path / spec.name
            copy.write_bytes(spec.read_bytes())
            runtime = f"set nocompatible noswapfile | let &rtp = '{VIM},' . $VIMRUNTIME"
            steps = [
                runtime,
                "filetype plugin indent on",
                "syntax on",
                f"edit {copy}",
                "normal! gg=G",
                "write",
                "qall!",
            ]
            command = [
                "vim",
                "-es",
                "-n",
                "-i",
                "NONE",
                "-u",
                "NONE",
                *(word for step in steps for word in ("-c", step)),
            ]
            subprocess.run(command, env=tools, stdin=subprocess.DEVNULL, check=False, timeout=60)
            assert copy.read_text(encoding="utf-8") == spec.read_text(encoding="utf-8")
