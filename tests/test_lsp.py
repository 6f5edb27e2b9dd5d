"""The language server's features, each on a small spec in which `|` is the cursor. No protocol is spoken here."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pytest
from helpers import Project
from mlspec.lsp import actions, completion, files_moved, hints, hover, layout, navigation, rename, symbols, tokens
from mlspec.lsp.analysis import Analysis
from mlspec.lsp.diagnostics import told
from mlspec.lsp.modules import Module
from mlspec.lsp.positions import Change, Lines, Position, changed
from mlspec.lsp.rename import Edit, Refused
from mlspec.lsp.workspace import Workspace
from mlspec.runtimes.targets import targets

CUSTOMERS = "id,plan,tenure,fixed acidity,churned\n1,free,3,0.5,Yes\n2,pro,40,0.7,No\n"
TRAIN = "def fit(train, trees: int = 100, rate=0.1):\n    '''Fits.\n\n    Args:\n        trees: How many.\n    '''\n"
SPEC = """mlspec 1

param country: text = "CH"
param most: int = 40

## One row a customer.
data customers from csv "customers.csv" {
  plan: "free" | "pro"
}

data features from customers by sql \"\"\"
  select c.id, c.plan, c.tenure + 1 as longer, c.churned from customers c where c.tenure < $most
\"\"\"

data train, test from features by split {
  test = 20%
}

model churn from train by python "sklearn.linear_model:LogisticRegression" {
  predict .churned == "Yes" from .longer
  max_iter = 1000
  measure roc_auc, accuracy as right on test
  expect .roc_auc > 0.5
}

service api from churn by http
"""


@dataclass
class Editor:
    """A folder with files, one spec of it open."""

    workspace: Workspace
    root: Path
    path: str

    def put(self, text: str) -> Analysis:
        self.workspace.open(self.path, text)
        self.workspace.buffers[self.path] = text
        analysis = self.workspace.opened[self.path].analyse(text)
        self.workspace.analysed(self.path, analysis)
        return analysis

    def file(self, name: str, text: str) -> str:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return str(path)

    def module(self, path: str = "") -> Module:
        found = self.workspace.module(path or self.path)
        assert found is not None
        return found

    def complete(self, marked: str) -> list[str]:
        """The labels, best first. The spec as it was is known before, as it is while one writes."""
        text, offset = cut(marked)
        analysis = self.put(text)
        _, items = completion.complete(analysis, text, offset)
        return [item.label for item in sorted(items, key=lambda item: (item.rank, item.label))]

    def hover(self, marked: str) -> str:
        text, offset = cut(marked)
        found = hover.hover(*self.at(text), self.workspace.module, offset)
        return found[0] if found else ""

    def at(self, text: str) -> tuple[Module, Analysis]:
        analysis = self.put(text)
        return self.module(), analysis

    def definition(self, marked: str) -> list[str]:
        """`file:line: text of the line`."""
        text, offset = cut(marked)
        spots = navigation.definition(*self.at(text), self.workspace.module, offset)
        return [self.shown(spot) for spot in spots]

    def references(self, marked: str) -> list[str]:
        text, offset = cut(marked)
        module, analysis = self.at(text)
        found = navigation.references(module, analysis, self.workspace.module, self.workspace.modules(), offset)
        return [self.shown(spot) for spot in found]

    def shown(self, spot: navigation.Spot) -> str:
        lines = (self.workspace.text(spot.path) or "").split("\n")
        line = spot.start if spot.by_line else self.workspace.lines(spot.path).line_of(spot.start) + 1
        return f"{Path(spot.path).name}:{line}: {lines[line - 1].strip()}"

    def rename(self, marked: str, new: str) -> dict[str, str] | str:
        """The texts of the files that change, or why not."""
        text, offset = cut(marked)
        module, analysis = self.at(text)
        found = rename.rename(
            module, analysis, self.workspace.module, self.workspace.modules(), offset, new, self.workspace.text
        )
        return found.why if isinstance(found, Refused) else self.edited(found)

    def edited(self, edits: Iterable[Edit]) -> dict[str, str]:
        texts: dict[str, str] = {}
        for edit in sorted(edits, key=lambda edit: -edit.start):
            text = texts.get(edit.path, self.workspace.text(edit.path) or "")
            texts[edit.path] = text[: edit.start] + edit.text + text[edit.end :]
        return {str(Path(path).relative_to(self.root)): text for path, text in texts.items()}


def cut(marked: str) -> tuple[str, int]:
    offset = marked.index("¦")
    return marked.replace("¦", "", 1), offset


@pytest.fixture
def editor(tmp_path: Path) -> Editor:
    root = tmp_path / "project"
    root.mkdir()
    editor = Editor(Workspace(targets()), root, str(root / "main.mlspec"))
    editor.workspace.folders = [root]
    editor.file("customers.csv", CUSTOMERS)
    editor.file("train.py", TRAIN)
    editor.put(SPEC)
    return editor


def with_line(line: str, after: str) -> str:
    """SPEC with a line more, below one that is there."""
    assert after in SPEC
    return SPEC.replace(after, f"{after}\n{line}", 1)


def in_model(line: str) -> str:
    return with_line(line, "  max_iter = 1000")


# --- positions ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("encoding", "character"), [("utf-8", 8), ("utf-16", 5), ("utf-32", 4)])
def test_positions_count_as_the_editor_does(encoding: str, character: int) -> None:
    lines = Lines("ä\n'üa🎈b'\r\nlast", encoding)  # type: ignore[arg-type]
    offset = lines.text.index("b")
    assert lines.position(offset) == Position(1, character)
    assert lines.offset(lines.position(offset)) == offset
    assert lines.offset(Position(1, 999)) == lines.text.index("\r\n")
    assert lines.offset(Position(99, 0)) == len(lines.text)


def test_lines_end_where_an_editor_ends_them() -> None:
    """Not at a form feed or a line separator, which Python's splitlines takes for ends."""
    lines = Lines("a\x0cb\u2028c\nd\re\r\nf")
    assert [lines.position(lines.text.index(letter)).line for letter in "abcdef"] == [0, 0, 0, 1, 2, 3]


def test_changes_are_made_in_their_order() -> None:
    first = Change(Position(0, 2), Position(0, 3), "xyz")
    second = Change(Position(0, 0), Position(0, 0), "> ")
    assert changed("🎈a\nb", [first, second], "utf-16") == "> 🎈xyz\nb"
    assert changed("anything", [Change(None, None, "new")], "utf-16") == "new"


# --- diagnostics ----------------------------------------------------------------------------------------------------


def test_mistakes_are_told_with_their_places(editor: Editor) -> None:
    text = SPEC.replace("accuracy", "acuracy")
    found = told(editor.put(text))[editor.path]
    assert [(one.code, text[one.span.start : one.span.end]) for one in found] == [("E602", "acuracy")]
    assert "did you mean accuracy?" in found[0].message


def test_an_edit_moves_the_mistakes_behind_it(editor: Editor) -> None:
    text = "# a line more 🎈\n" + SPEC.replace("accuracy", "acuracy")
    found = told(editor.put(text))[editor.path]
    assert [text[one.span.start : one.span.end] for one in found] == ["acuracy"]


def test_a_file_that_changes_is_read_again(editor: Editor) -> None:
    assert told(editor.put(SPEC))[editor.path] == []
    editor.file("customers.csv", "id,plan\n1,free\n")
    assert {one.code for one in told(editor.put(SPEC))[editor.path]} >= {"E501"}


def test_a_file_more_that_fits_a_pattern_is_seen(editor: Editor) -> None:
    editor.file("parts/one.csv", "id,plan\n1,free\n")
    text = 'data parts from csv "parts/*.csv"\n'
    assert told(editor.put(text))[editor.path] == []
    editor.file("parts/two.csv", "id,price\n1,free\n")
    assert told(editor.put(text + "# x\n"))[editor.path] != []


def test_of_a_large_file_the_beginning_is_looked_at(editor: Editor, monkeypatch: pytest.MonkeyPatch) -> None:
    from mlspec.lsp import files

    monkeypatch.setattr(files, "LARGE", 80)
    editor.file("large.csv", "id,größe\n" + "1,2.5\n" * 100 + "x,y\n")
    analysis = editor.put('data large from csv "large.csv"\n')
    assert [(c.name, str(c.type)) for c in analysis.columns("large")] == [("id", "int?"), ("größe", "float?")]


def test_what_is_not_saved_is_seen(editor: Editor) -> None:
    path = editor.file("query.sql", "select id from customers")
    text = SPEC + 'data ids from customers by sql "query.sql"\n'
    assert told(editor.put(text))[editor.path] == []
    editor.workspace.buffers[path] = "select idd from customers"
    assert [one.code for one in told(editor.put(text))[editor.path]] == ["E501"]


def test_a_used_spec_gets_its_params_from_who_uses_it(editor: Editor) -> None:
    editor.put('use "eu.mlspec" as eu {\n  region = "x"\n}\n')
    other = editor.file("eu.mlspec", "param region: text\n")
    assert editor.workspace.is_used(other)
    editor.path = other
    analysis = editor.put("param region: text\n")
    assert told(analysis, is_used=True)[other] == []
    assert [one.code for one in told(analysis)[other]] == ["E107"]


def test_to_open_a_file_makes_no_store(editor: Editor) -> None:
    editor.put(SPEC)
    editor.hover(SPEC.replace("model churn", "model ch¦urn"))
    assert not (editor.root / ".mlspec").exists()


# --- completion -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("marked", "wanted"),
    [
        ("¦", {"data", "model", "service", "param", "env", "use", "secret"}),
        (SPEC + "\nda¦", {"data"}),
        (SPEC + "\ndata x ¦", {"from", "by"}),
        (SPEC + "\ndata x from ¦", {"customers", "train", "csv", "parquet", "last"}),
        (SPEC + "\ndata x from customers ¦", {"by", "as"}),
        (SPEC + "\ndata x from customers by ¦", {"sql", "split", "python", "churn"}),
        (SPEC + "\nmodel x from customers by ¦", {"python"}),
        (SPEC + "\nservice x from churn by ¦", {"http"}),
        (SPEC + '\ndata x from csv "¦', {"customers.csv"}),
        (SPEC + '\ndata x from customers by python "¦', {"train.py", "sklearn"}),
        (SPEC + '\ndata x from customers by python "train.py:¦', {"train.py:fit"}),
        (SPEC + '\nmodel x from customers by python "sklearn.svm:¦', {"sklearn.svm:SVC"}),
        (SPEC + "\nparam p: ¦", {"int", "text", "list"}),
        (SPEC + "\nenv prod on ¦", {"local"}),
        (SPEC + "\nenv prod on local {\n  ¦\n}", {"set", "store", "workers"}),
        (SPEC + "\nenv prod on local {\n  set ¦\n}", {"country", "churn"}),
        (SPEC + "\nenv prod on local {\n  set churn.¦\n}", {"max_iter", "needs", "search"}),
        (SPEC + "\nenv prod on local {\n  set churn.needs.¦\n}", {"memory", "time"}),
        (in_model("  ¦"), {"C", "solver", "measure", "expect", "needs", "search"}),
        (in_model("  expect .¦"), {"roc_auc", "right"}),
        (in_model("  expect last.¦"), {"roc_auc", "right"}),
        (in_model("  expect train.¦"), {"rows", "longer"}),
        (in_model("  expect ¦"), {"churn", "train", "last", "not"} - {"churn"}),
        (in_model("  measure ¦ on test"), {"f1", "python"}),
        (in_model("  measure f1 ¦"), {"on", "as"}),
        (in_model("  measure f1 on ¦"), {"test", "train"}),
        (in_model("  needs ¦"), {"cpu", "memory"}),
        (in_model("  needs memory = 8¦"), {"8GiB", "8MB"}),
        (in_model("  sample_weight = .¦"), {"longer", "id"}),
        (in_model("  every ¦"), {"day", "monday"}),
        (in_model("  search best = max(.¦"), {"roc_auc"}),
        (SPEC.replace("from .longer", "from .¦"), {"id", "plan", "longer"}),
        (SPEC.replace("from .longer", "from .longer, .¦"), {"id", "plan"}),
        (SPEC.replace('== "Yes"', '== "¦'), set()),
        (SPEC.replace("  test = 20%", "  ¦"), {"test", "train", "stratify", "by"}),
        (SPEC.replace("  test = 20%", "  by = .¦"), {"id", "plan"}),
        (SPEC.replace("  test = 20%", "  test = 2¦"), {"2%"}),
        (with_line("  ¦", '  plan: "free" | "pro"'), {"id", "tenure", "expect", "missing", "fixed acidity"}),
        (with_line("  tenure: ¦", '  plan: "free" | "pro"'), {"int", "float"}),
        (with_line("  tenure: int, ¦", '  plan: "free" | "pro"'), {"unique"}),
        (with_line("  expect ¦", '  plan: "free" | "pro"'), {"unique", "mean", "quantile"}),
        (with_line("  expect .¦", '  plan: "free" | "pro"'), {"rows", "tenure"}),
        (with_line("  expect unique(.¦", '  plan: "free" | "pro"'), {"id", "fixed acidity"}),
        (with_line('  expect unique(."fi¦', '  plan: "free" | "pro"'), {"fixed acidity"}),
        (with_line('  expect .plan in "¦', '  plan: "free" | "pro"'), {"free", "pro"}),
        (with_line("  header = ¦", '  plan: "free" | "pro"'), {"true", "false"}),
        (SPEC.replace("c.tenure + 1", "c.¦"), {"id", "tenure", "churned"}),
        (SPEC.replace("from customers c", "from ¦"), {"customers"}),
        (SPEC.replace("$most", "$¦"), {"most", "country"}),
        (SPEC.replace("service api from churn by http", "service api from churn by http {\n  expect .¦\n}"), {"p95"}),
        (SPEC.replace("by http", "by http {\n  ¦\n}"), {"route", "port", "expect"}),
        (SPEC.replace("by http", "by http {\n  expect .p95 < 5¦\n}"), {"5ms", "5s"}),
    ],
)  # fmt: skip
def test_what_may_be_written_is_offered(editor: Editor, marked: str, wanted: set[str]) -> None:
    found = editor.complete(marked)
    assert wanted <= set(found), found


@pytest.mark.parametrize(
    ("marked", "unwanted"),
    [
        ("# a comm¦", {"data"}),
        (SPEC + "\ndata ¦", {"customers", "from"}),
        (in_model("  measure ¦ on test"), {"rmse"}),  # it is a classification
        (in_model("  ¦"), {"max_iter", "predict"}),  # given already
        (in_model("  expect .¦"), {"rows", "p95"}),
        (SPEC + "\nservice x from churn by ¦", {"split", "sql"}),
        (SPEC.replace("by http", "by http {\n  expect .p95 < 5¦\n}"), {"5GiB", "5%"}),
    ],
)
def test_what_may_not_be_written_is_not(editor: Editor, marked: str, unwanted: set[str]) -> None:
    assert not unwanted & set(editor.complete(marked))


def test_a_function_of_the_project_tells_its_parameters(editor: Editor) -> None:
    text = 'data train from csv "customers.csv"\nmodel m from train by python "train.py:fit" {\n  ¦\n}\n'
    found = editor.complete(text)
    assert {"trees", "rate"} <= set(found)
    assert "train" not in found[: found.index("trees")]


def test_columns_are_remembered_while_a_block_is_broken(editor: Editor) -> None:
    editor.put(SPEC)
    broken = SPEC.replace("select c.id", "select ((c.id").replace("from .longer", "from .¦")
    assert "longer" in editor.complete(broken)


def test_a_used_spec_tells_its_names_and_params(editor: Editor) -> None:
    editor.file("eu.mlspec", 'param region: text\ndata demand from csv "customers.csv"\n')
    use = 'use "eu.mlspec" as eu {\n  region = "x"\n}\n'
    assert {"demand"} <= set(editor.complete(use + "data x from eu.¦"))
    assert {"eu.demand"} <= set(editor.complete(use + "data x from ¦"))
    assert {"region"} <= set(editor.complete('use "eu.mlspec" as eu {\n  ¦\n}\n'))
    assert {"eu.mlspec"} <= set(editor.complete('use "¦'))


def test_a_warning_that_is_known_is_completed(editor: Editor) -> None:
    told_now = [d.code for d in editor.put(SPEC.replace("on test", "on train")).compiled.diagnostics]
    assert editor.complete(SPEC.replace("on test", "on train  # ok: ¦")) == told_now


@pytest.mark.parametrize("seed", range(4))
def test_no_feature_breaks_where_a_text_does(editor: Editor, seed: int) -> None:
    """Characters are taken out and words put in anywhere, and everything is asked somewhere."""
    draw = random.Random(seed)
    words = [*SPEC.split(), '"', '"""', "{", "}", ".", "$", "🎈", "\r\n", "# ok: W1", "eu.", "\n"]
    for _ in range(25):
        text = SPEC
        for _ in range(draw.randint(1, 4)):
            at = draw.randrange(len(text))
            text = text[:at] + draw.choice(["", draw.choice(words)]) + text[at + draw.choice([0, 1, 3, 30]) :]
        everything(editor, text, draw.randrange(len(text) + 1))


def everything(editor: Editor, text: str, offset: int) -> None:
    module, analysis = editor.at(text)
    read, around = editor.workspace.module, [editor.module()]
    completion.complete(analysis, text, offset)
    hover.hover(module, analysis, read, offset)
    navigation.definition(module, analysis, read, offset)
    navigation.references(module, analysis, read, around, offset)
    rename.rename(module, analysis, read, around, offset, "renamed", editor.workspace.text)
    hints.hints(analysis, 0, len(text))
    actions.actions(analysis, offset, offset)
    symbols.outline(module)
    symbols.folds(text)
    layout.layout(editor.path, text)
    tokens.encoded(text, Lines(text))
    told(analysis)


# --- hover ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("marked", "wanted"),
    [
        (SPEC.replace("from customers by", "from cust¦omers by"), "| `tenure` | int |"),
        (SPEC.replace("from customers by", "from cust¦omers by"), "One row a customer."),
        (SPEC.replace("from .longer", "from .lon¦ger"), "longer: int"),
        (SPEC.replace("max_iter", "max_¦iter"), "Maximum number of iterations"),
        (SPEC.replace("roc_auc,", "roc¦_auc,"), "ranked above negatives"),
        (SPEC.replace("by split", "by sp¦lit"), "Deals the rows"),
        (SPEC.replace("expect .roc", "exp¦ect .roc"), "Must hold"),
        (SPEC.replace("param country", "param cou¦ntry"), '"CH"'),
        (SPEC.replace("model churn", "mo¦del churn"), "What was learned?"),
        (SPEC.replace("api from churn", "api from chu¦rn"), "A classification: predicts .churned"),
        (SPEC.replace(":LogisticRegression", ":Logistic¦Regression"), "Logistic Regression"),
        (SPEC + "# ok: W1¦04\n", "W104"),
    ],
)
def test_hover_tells_what_is_known(editor: Editor, marked: str, wanted: str) -> None:
    assert wanted in editor.hover(marked)


def test_hover_of_an_argument_reads_the_docstring(editor: Editor) -> None:
    text = 'data train from csv "customers.csv"\nmodel m from train by python "train.py:fit" {\n  tr¦ees = 3\n}\n'
    assert "trees: int = 100" in editor.hover(text) and "How many." in editor.hover(text)


def test_hover_of_a_mistake_tells_why(editor: Editor) -> None:
    assert "usual names" in editor.hover(SPEC.replace("accuracy", "acur¦acy"))


def test_hover_tells_what_the_store_knows(project: Project) -> None:
    rows = "".join(f"{number},{number * 2 + number % 3},{number % 7}\n" for number in range(60))
    project.file("rows.csv", "x,y,z\n" + rows)
    text = """data rows from csv "rows.csv"
data train, test from rows by split {
  test = 20%
}
model m from train by python "sklearn.linear_model:LinearRegression" {
  predict .y from .x
  measure mae on test
}
"""
    project.file("main.mlspec", text)
    assert project.apply().code == 0
    before = {path: path.stat().st_mtime_ns for path in project.root.rglob("*")}
    editor = Editor(Workspace(targets()), project.root, str(project.root / "main.mlspec"))
    said = editor.hover(text.replace("model m", "model ¦m"))
    assert "mae 0." in said and "accepted 2" in said
    assert "60 rows" in editor.hover(text.replace("from rows", "from ro¦ws"))
    assert "last: 0." in editor.hover(text.replace("measure mae", "measure m¦ae"))
    assert {path: path.stat().st_mtime_ns for path in before} == before


# --- definition and references --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("marked", "wanted"),
    [
        (
            SPEC.replace("from customers by", "from cust¦omers by"),
            'main.mlspec:7: data customers from csv "customers.csv" {',
        ),
        (SPEC.replace("on test", "on te¦st"), "main.mlspec:15: data train, test from features by split {"),
        (SPEC.replace("expect .roc", "expect .r¦oc"), "main.mlspec:22: measure roc_auc, accuracy as right on test"),
        (SPEC.replace('"customers.csv"', '"custom¦ers.csv"'), "customers.csv:1: id,plan,tenure,fixed acidity,churned"),
        (SPEC.replace("$most", "$mo¦st"), "main.mlspec:4: param most: int = 40"),
        (
            SPEC.replace("from customers c", "from custo¦mers c"),
            'main.mlspec:7: data customers from csv "customers.csv" {',
        ),
        (SPEC.replace("c.plan", "c.pl¦an"), 'main.mlspec:8: plan: "free" | "pro"'),
    ],
)
def test_a_name_leads_to_where_it_is_declared(editor: Editor, marked: str, wanted: str) -> None:
    assert editor.definition(marked) == [wanted]


def test_a_column_leads_to_the_query_that_makes_it(editor: Editor) -> None:
    (found,) = editor.definition(SPEC.replace("from .longer", "from .lon¦ger"))
    assert found.startswith("main.mlspec:12: select c.id")


def test_a_place_leads_into_python(editor: Editor) -> None:
    text = 'data train from csv "customers.csv"\nmodel m from train by python "train.py:f¦it" {\n  trees = 3\n}\n'
    assert editor.definition(text) == ["train.py:1: def fit(train, trees: int = 100, rate=0.1):"]
    text = text.replace("f¦it", "fit").replace("trees", "tr¦ees")
    assert editor.definition(text) == ["train.py:1: def fit(train, trees: int = 100, rate=0.1):"]


def test_a_name_of_a_used_spec_leads_there(editor: Editor) -> None:
    editor.file("eu.mlspec", 'param region: text\ndata demand from csv "customers.csv"\n')
    text = 'use "eu.mlspec" as eu {\n  region = "x"\n}\ndata x from eu.dem¦and by split {\n  x = 20%\n}\n'
    assert editor.definition(text) == ['eu.mlspec:2: data demand from csv "customers.csv"']
    assert editor.definition(text.replace("dem¦and", "demand").replace("region", "reg¦ion")) == [
        "eu.mlspec:1: param region: text"
    ]
    assert len(editor.references(text)) == 2


def test_references_of_a_column_are_those_of_its_flow(editor: Editor) -> None:
    other = '\ndata more from csv "customers.csv" {\n  plan: text\n}\n'
    text = (SPEC + other).replace("from .longer", "from .longer, .pl¦an")
    found = editor.references(text)
    assert [line.split(":")[1] for line in found] == ["8", "20"]


# --- rename ---------------------------------------------------------------------------------------------------------


def test_rename_changes_every_place_that_names_it(editor: Editor) -> None:
    found = editor.rename(SPEC.replace("data customers", "data cust¦omers"), "people")
    assert isinstance(found, dict)
    expected = SPEC.replace("data customers", "data people").replace("from customers by", "from people by")
    assert found == {"main.mlspec": expected.replace("from customers c", "from people c")}


def test_rename_of_a_param_reaches_queries(editor: Editor) -> None:
    found = editor.rename(SPEC.replace("param most", "param mo¦st"), "least")
    assert found == {"main.mlspec": SPEC.replace("param most", "param least").replace("$most", "$least")}


def test_rename_keeps_the_name_that_a_function_is_handed(editor: Editor) -> None:
    text = 'data tr¦ain from csv "customers.csv"\nmodel m from train by python "train.py:fit"\n'
    found = editor.rename(text, "rows_")
    assert found == {
        "main.mlspec": 'data rows_ from csv "customers.csv"\nmodel m from rows_ as train by python "train.py:fit"\n'
    }


def test_rename_does_not_touch_a_query_that_may_mean_something_else(editor: Editor) -> None:
    text = 'data plan¦s from csv "customers.csv"\ndata x from plans by sql "select plan as plans from plans"\n'
    found = editor.rename(text, "tariffs")
    assert isinstance(found, dict)
    assert found["main.mlspec"].endswith('from tariffs as plans by sql "select plan as plans from plans"\n')


def test_rename_goes_across_files(editor: Editor) -> None:
    text = 'data dem¦and from csv "customers.csv"\n'
    user = editor.file("main2.mlspec", 'use "main.mlspec" as eu\ndata x from eu.demand by sql "select * from demand"\n')
    found = editor.rename(text, "orders")
    assert found == {
        "main.mlspec": 'data orders from csv "customers.csv"\n',
        Path(user).name: 'use "main.mlspec" as eu\ndata x from eu.orders by sql "select * from orders"\n',
    }


def test_rename_reaches_a_query_in_its_file(editor: Editor) -> None:
    editor.file("query.sql", "-- of customers\nselect customers.id from customers\n")
    text = 'data cust¦omers from csv "customers.csv"\ndata ids from customers by sql "query.sql"\n'
    found = editor.rename(text, "people")
    assert isinstance(found, dict)
    assert found["query.sql"] == "-- of customers\nselect people.id from people\n"


@pytest.mark.parametrize(
    ("marked", "new", "why"),
    [
        (SPEC.replace("data customers", "data cust¦omers"), "train", "there is a train already"),
        (SPEC.replace("data customers", "data cust¦omers"), "from", "a word of the language"),
        (SPEC.replace("data customers", "data cust¦omers"), "a b", "no name"),
        (SPEC.replace("from .longer", "from .lon¦ger"), "x", "a column of the data"),
        (SPEC.replace("expect .roc", "exp¦ect .roc"), "x", "no name here"),
        ("secret to¦ken\n", "x", "is a secret"),
    ],
)
def test_rename_says_why_not(editor: Editor, marked: str, new: str, why: str) -> None:
    found = editor.rename(marked, new)
    assert isinstance(found, str) and why in found


def test_what_was_renamed_has_no_mistakes(editor: Editor) -> None:
    for name in ("customers", "features", "train", "test", "churn", "api", "country", "most"):
        head = next(
            w for w in (f"data {name}", f"model {name}", f"service {name}", f"param {name}", f", {name}") if w in SPEC
        )
        found = editor.rename(SPEC.replace(head, f"{head[:-1]}¦{head[-1]}", 1), "renamed")
        assert isinstance(found, dict), found
        assert told(editor.put(found["main.mlspec"]))[editor.path] == []


# --- what else an editor shows --------------------------------------------------------------------------------------


def test_outline_and_folds(editor: Editor) -> None:
    found = symbols.outline(editor.module())
    assert [(entry.kind, entry.name) for entry in found][:3] == [
        ("param", "country"),
        ("param", "most"),
        ("data", "customers"),
    ]
    assert [entry.name for entry in found[2].inside] == ["plan"]
    lines = Lines(SPEC)
    assert (6, 8) in [(lines.line_of(fold.start), lines.line_of(fold.end)) for fold in symbols.folds(SPEC)]


def test_hints_tell_columns_and_what_an_env_overrides(editor: Editor) -> None:
    text = SPEC + 'env prod on local {\n  set country = "DE"\n  set churn.max_iter = 5\n}\n'
    found = {
        text[text.rfind("\n", 0, h.offset) + 1 : h.offset].strip(): h.text
        for h in hints.hints(editor.put(text), 0, len(text))
    }
    assert (
        found['data customers from csv "customers.csv" {']
        == "also id: int, tenure: int, fixed acidity: float, churned: text"
    )
    assert found['param country: text = "CH"'] == 'prod: "DE"'
    assert found["max_iter = 1000"] == "prod: 5"


def test_a_fix_is_offered_and_leaves_no_mistake(editor: Editor) -> None:
    text = SPEC.replace("from .longer", "from .lnger")
    analysis = editor.put(text)
    at = text.index(".lnger")
    (fix,) = [one for one in actions.actions(analysis, at, at) if one.kind == "quickfix"]
    assert fix.title == "Fix E302: did you mean .longer?"
    assert editor.edited(fix.edits) == {"main.mlspec": SPEC}


def test_columns_can_be_declared(editor: Editor) -> None:
    analysis = editor.put(SPEC)
    at = SPEC.index("customers.csv")
    (declare,) = [one for one in actions.actions(analysis, at, at) if one.kind == "refactor.rewrite"]
    text = editor.edited(declare.edits)["main.mlspec"]
    assert '  plan: "free" | "pro"\n  id: int\n  tenure: int\n  "fixed acidity": float\n  churned: text\n}' in text
    assert told(editor.put(text))[editor.path] == []


def test_a_warning_can_be_known(editor: Editor) -> None:
    text = SPEC.replace("on test", "on train")
    analysis = editor.put(text)
    (warning,) = [d for d in analysis.compiled.diagnostics if d.code.startswith("W")]
    (known,) = [
        a for a in actions.actions(analysis, warning.span.start, warning.span.start) if a.title.startswith("I know")
    ]
    after = editor.edited(known.edits)["main.mlspec"]
    assert f"# ok: {warning.code}" in after
    assert told(editor.put(after))[editor.path] == []


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_layout_touches_only_what_changes(editor: Editor, line_end: str) -> None:
    text = SPEC.replace("  max_iter = 1000", "     max_iter=1000").replace("\n", line_end)
    edits = layout.layout(editor.path, text)
    editor.put(text)
    assert len(edits) == 1
    assert editor.edited(edits) == {"main.mlspec": SPEC.replace("\n", line_end)}
    assert layout.layout(editor.path, text + "data x from (\n") == []


def test_colours_are_of_single_lines_in_order() -> None:
    text = '## 🎈\r\nparam ü: text = """a\r\n\r\nb"""\r\n' + SPEC
    numbers = tokens.encoded(text, Lines(text))
    line = character = 0
    lines = text.replace("\r\n", "\n").split("\n")
    for delta_line, delta, length, kind, _ in zip(*[iter(numbers)] * 5, strict=True):
        line, character = line + delta_line, delta + (0 if delta_line else character)
        assert length > 0 and character + length <= len(lines[line].encode("utf-16-le")) // 2
        assert kind < len(tokens.TYPES)


def test_windows_line_ends_are_no_mistake(editor: Editor) -> None:
    text = SPEC.replace("\n", "\r\n").replace("accuracy", "acuracy")
    found = told(editor.put(text))[editor.path]
    assert [text[one.span.start : one.span.end] for one in found] == ["acuracy"]


def test_files_that_move_are_named_where_they_will_be(editor: Editor) -> None:
    root, text = editor.root, SPEC + 'data more from csv "customers.csv"\n'
    editor.put(text)
    moved = {str(root / "customers.csv"): str(root / "data" / "people.csv")}
    edits = files_moved.edits([editor.module()], moved, lambda path: Path(path).exists())
    assert editor.edited(edits) == {"main.mlspec": text.replace('"customers.csv"', '"data/people.csv"')}
    moved = {editor.path: str(root / "specs" / "main.mlspec")}
    edits = files_moved.edits([editor.module()], moved, lambda path: Path(path).exists())
    assert editor.edited(edits) == {"main.mlspec": text.replace('"customers.csv"', '"../customers.csv"')}
    together = {str(root): f"{root}2"}
    assert files_moved.edits([editor.module()], together, lambda path: True) == []
