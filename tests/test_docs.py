"""What the docs say is so: examples and specs compile, generated pages are fresh, commands and links are there."""

from __future__ import annotations

import re
import runpy
from pathlib import Path
from typing import Any

import pytest
from mlspec.cli import COMMANDS
from mlspec.compiler.load import InMemory
from mlspec.compiler.pipeline import Compiled, compile_text
from mlspec.compiler.types import BOOL, DATE, FLOAT, INT, TEXT, Column, Columns, optional
from mlspec.grammar.codes import CODES
from mlspec.runtimes import sources
from mlspec.runtimes.local.session import Session
from mlspec.runtimes.targets import targets

ROOT = Path(__file__).parents[1]
PAGES = (ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md")))
TELCO = ROOT / "specs" / "telco_churn" / "telco-customer-churn.csv"
TEMPLATES = ROOT / "cli" / "templates"
SPECS = (*sorted((ROOT / "specs").glob("*/*.mlspec")), *sorted(TEMPLATES.glob("*.mlspec")))
SPECS = tuple(path for path in SPECS if path.is_file())  # what was applied in place leaves a folder .mlspec


def _examples() -> list[Any]:
    found = []
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for match in re.finditer(r"^```mlspec\n(.*?)^```", text, re.DOTALL | re.MULTILINE):
            line = text.count("\n", 0, match.start()) + 2
            found.append(pytest.param(page.name, match[1], id=f"{page.name}:{line}"))
    return found


def _columns(**types: Any) -> Columns:
    return tuple(Column(name=name, type=type_) for name, type_ in types.items())


CUSTOMERS = _columns(
    id=INT, country=TEXT, plan=TEXT, tenure=INT, email=optional(TEXT), spend=FLOAT, churned=BOOL,
)  # fmt: skip


def _files(page: str) -> InMemory:
    """The README's and the tutorial's data is that of the first spec; the other pages have a small table."""
    table = (
        sources.inspect(TELCO.parent, "csv", TELCO.name, {}, ()) if page in ("README.md", "tutorial.md") else CUSTOMERS
    )
    return InMemory(_example_files(), {"customers.csv": table, "sales.csv": _columns(region=TEXT, amount=FLOAT),
                                       "events/*.csv": _columns(day=DATE, kind=TEXT, amount=FLOAT)})  # fmt: skip


def _example_files() -> dict[str, str]:
    """The other files that examples name; a spec that another one uses is an example itself."""
    specs = {text.split("\n")[0].removeprefix("## "): text for _, text in (one.values for one in _examples())}
    return {**specs, "score.py": "def ask(customers, key):\n    return customers\n",
            "offer.py": "def answer(churn, customers, request, limit):\n    return {}\n", "request.json": "{}"}  # fmt: skip


def _titles(compiled: Compiled) -> list[str]:
    return [f"{one.code} {one.facts}" for one in compiled.diagnostics]


@pytest.mark.parametrize(("page", "text"), _examples())
def test_an_example_of_the_docs_compiles(page: str, text: str) -> None:
    if text.startswith("## demand.mlspec"):
        text = text.replace("region: text", 'region: text = "eu"')  # it is called by the next example
    assert _titles(compile_text("example.mlspec", text, _files(page), targets())) == []


def test_a_planted_mistake_in_an_example_is_found() -> None:
    page, text = next(one.values for one in _examples() if one.values[0] == "README.md")
    assert not compile_text("example.mlspec", text.replace(".roc_auc >=", ".auc >="), _files(page)).sound


@pytest.mark.parametrize("spec", SPECS, ids=lambda path: path.stem)
def test_a_spec_compiles_where_it_lies(spec: Path, tmp_path: Path) -> None:
    for file in spec.parent.iterdir():
        if file.is_file():
            (tmp_path / file.name).symlink_to(file)
    (tmp_path / spec.name).unlink()
    (tmp_path / spec.name).write_text(spec.read_text(encoding="utf-8"), encoding="utf-8")
    checked = Session(tmp_path / spec.name, "local").check()
    assert (checked.sound, checked.data) == (True, [])


def test_generated_pages_say_what_the_code_says() -> None:
    pages = runpy.run_path(str(ROOT / "docs" / "generate.py"))["pages"]()
    stale = [path.name for path, text in pages.items() if path.read_text(encoding="utf-8") != text]
    assert stale == [], "run: python docs/generate.py"


def test_every_error_has_its_place_in_the_page_of_errors() -> None:
    told = re.findall(r"^### (\w+):", (ROOT / "docs" / "errors.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(told) == sorted(CODES)


def test_the_readme_names_every_command_and_no_other() -> None:
    section = (ROOT / "README.md").read_text(encoding="utf-8").split("## Commands")[1].split("\n## ")[0]
    assert sorted(re.findall(r"^\| `(\w+)", section, re.MULTILINE)) == sorted(COMMANDS)


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target


@pytest.mark.parametrize("page", [ROOT / "docs" / "architecture.md"], ids=lambda path: path.name)
def test_files_that_the_architecture_names_are_there(page: Path) -> None:
    there = {
        path.name
        for folder in ("grammar", "compiler", "runtimes", "lsp", "cli", "tests", "docs")
        for path in (ROOT / folder).rglob("*")
    }
    named = re.findall(r"`(?:[\w]+/)*(\w+\.(?:py|lark))`", page.read_text(encoding="utf-8"))
    assert [name for name in named if name not in there] == []


def test_code_that_is_shown_whole_is_that_of_its_file() -> None:
    page = (ROOT / "docs" / "runtimes.md").read_text(encoding="utf-8")
    shown = re.findall(r"<!-- file: (\S+) -->\n`{3,4}\w*\n(.*?)`{3,4}\n<!-- end -->", page, re.DOTALL)
    assert shown and all((ROOT / path).read_text(encoding="utf-8") == code for path, code in shown)


def test_the_docs_show_all_of_make() -> None:
    page = (ROOT / "docs" / "runtimes.md").read_text(encoding="utf-8")
    shown = re.findall(r"<!-- file: (runtimes/make/\S+) -->", page)
    folder = ROOT / "runtimes" / "make"
    files = [path for path in folder.rglob("*") if path.suffix in (".py", ".j2")]
    assert sorted(shown) == sorted(path.relative_to(ROOT).as_posix() for path in files)
