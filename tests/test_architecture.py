"""The house rules, held: imports point one way, packages are listed, and each check is shown to catch a planted fault."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
LAYERS = ("grammar", "compiler", "runtimes", "lsp", "cli")
FOLDERS = LAYERS


def modules() -> dict[str, str]:
    """Module name (without mlspec) -> source, of everything that the wheel holds."""
    found = {}
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*.py")):
            found[".".join(path.relative_to(ROOT).with_suffix("").parts)] = path.read_text()
    return found


def imports(module: str, source: str, *, is_package: bool) -> set[str]:
    """The modules of ours that one imports, relative imports resolved."""
    package = module.split(".") if is_package else module.split(".")[:-1]
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = package[: len(package) - node.level + 1]
            target = ".".join([*base, *(node.module.split(".") if node.module else [])])
            found.add(target)
            found |= {f"{target}.{alias.name}".lstrip(".") for alias in node.names}
    return found


def wrong_ways(sources: dict[str, str]) -> list[str]:
    found = []
    for module, source in sources.items():
        layer = module.split(".")[0]
        allowed = LAYERS[: LAYERS.index(layer) + 1] if layer in LAYERS else FOLDERS
        for target in imports(module.removesuffix(".__init__"), source, is_package=module.endswith("__init__")):
            top = target.split(".")[0]
            if top in FOLDERS and top not in allowed:
                found.append(f"{module} imports {target}")
    return found


def circles(sources: dict[str, str]) -> list[str]:
    """Circles among module-level imports; an import in a function is deferred, and is no circle at import time."""
    names = {name.removesuffix(".__init__"): name for name in sources}
    edges = {}
    for short, name in names.items():
        tree = ast.parse(sources[name])
        top = ast.Module([node for node in tree.body if isinstance(node, ast.ImportFrom)], [])
        found = imports(short, ast.unparse(top), is_package=name.endswith("__init__"))
        edges[short] = {target for target in found if target in names and target != short}
    done: set[str] = set()
    told = []
    for start in edges:
        path: list[str] = []
        if _walk(start, edges, done, path):
            told.append(" -> ".join(path))
    return told


def _walk(name: str, edges: dict[str, set[str]], done: set[str], path: list[str]) -> bool:
    if name in path:
        path.append(name)
        return True
    if name in done:
        return False
    path.append(name)
    for target in sorted(edges[name]):
        if _walk(target, edges, done, path):
            return True
    path.pop()
    done.add(name)
    return False


def test_imports_point_one_way() -> None:
    assert wrong_ways(modules()) == []


def test_a_planted_import_upwards_is_caught() -> None:
    planted = {**modules(), "grammar.planted": "from ..runtimes import tables\n"}
    assert any("grammar.planted" in line for line in wrong_ways(planted))


def test_there_are_no_circles() -> None:
    assert circles(modules()) == []


def test_a_planted_circle_is_caught() -> None:
    planted = {**modules(), "grammar.one": "from .two import x\n", "grammar.two": "from .one import y\n"}
    assert any("grammar.one" in circle and "grammar.two" in circle for circle in circles(planted))


def test_every_package_is_listed() -> None:
    listed = set(tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"])
    folders = {path.parent for folder in FOLDERS for path in (ROOT / folder).rglob("__init__.py")}
    there = {"mlspec"} | {"mlspec." + ".".join(folder.relative_to(ROOT).parts) for folder in folders}
    assert listed == there


def test_the_compiler_opens_nothing() -> None:
    """Pure: no disk, clock, network or environment but through what it is handed (signature reads installed packages)."""
    forbidden = {"os", "socket", "subprocess", "time", "urllib", "sqlite3", "shutil"}
    for module, source in modules().items():
        if module.startswith("compiler."):
            names = {
                alias.name
                for node in ast.walk(ast.parse(source))
                if isinstance(node, ast.Import)
                for alias in node.names
            }
            assert not names & forbidden, module


HEAVY = (
    "pandas",
    "sklearn",
    "duckdb",
    "pyarrow",
    "lark",
    "rich",
    "jinja2",
    "uvicorn",
    "starlette",
    "numpy",
    "pygls",
    "lsprotocol",
)


def imported_by(code: str) -> set[str]:
    listing = f"{code}\nimport sys; print(' '.join(sys.modules))"
    out = subprocess.run([sys.executable, "-c", listing], capture_output=True, text=True, check=True)
    return set(out.stdout.splitlines()[-1].split())


def test_start_up_imports_nothing_heavy() -> None:
    found = imported_by("from mlspec.cli import main; main(['--version'])")
    assert not found & {*HEAVY, "pydantic", "argparse.x"}


def test_what_plans_imports_nothing_heavy() -> None:
    found = imported_by("import mlspec.cli.commands.apply, mlspec.cli.frame, mlspec.runtimes.serving.control")
    assert not found & set(HEAVY)
