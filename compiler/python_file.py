"""One file of a user's Python, by its text -> the names that it binds and what it does besides when imported."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeGuard

from .load import undecoded

Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
Chain = tuple[str, ...]  # a name and the attributes asked of it: pd.DataFrame is ("pd", "DataFrame")


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong, in plain words, and where: `line` is 0 where there is none to show. `instead` is the entry to
    write."""

    message: str
    help: str = ""
    path: str = ""
    line: int = 0
    instead: str = ""


@dataclass(frozen=True, slots=True)
class Imported:
    """A name that an import binds: `from module import name`, or the module itself where `name` is empty.

    `level` counts the leading dots. `rooted` is `import a.b`, which binds `a`.
    """

    module: str
    name: str = ""
    level: int = 0
    rooted: bool = False


@dataclass(frozen=True, slots=True)
class Module:
    """What a file binds at its top level, what else it does when imported, and what it takes in with a star.

    `runs` are the statements that bind names and run what is called on the way: each with the names that it calls by.
    """

    tree: ast.Module
    binds: dict[str, list[ast.stmt | Imported]]
    acts: tuple[ast.stmt, ...]
    stars: tuple[Imported, ...]
    runs: tuple[tuple[ast.stmt, frozenset[str]], ...] = ()


class Broken(Exception):
    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


@lru_cache(maxsize=256)
def module_of(path: str, text: str) -> Module:
    wrong = undecoded(path, text)
    if wrong is not None:
        raise Broken(Problem(wrong.why, wrong.help, path))
    try:
        tree = ast.parse(text)
    except SyntaxError as error:
        raise Broken(Problem(f"{path} is not valid Python: {error.msg}", "", path, error.lineno or 0)) from None
    except ValueError as error:
        raise Broken(Problem(f"{path} is not valid Python: {error}", "", path)) from None
    binds: dict[str, list[ast.stmt | Imported]] = {}
    stars: list[Imported] = []
    for statement in tree.body:
        if _is_main(statement):
            continue
        for name, bound in _bindings(statement):
            if name == "*" and isinstance(bound, Imported):
                stars.append(bound)
            else:
                binds.setdefault(name, []).append(bound)
    ran = [statement for statement in tree.body if not _is_main(statement)]
    acts = tuple(statement for statement in ran if _acts(statement))
    runs = tuple((one, called) for one in ran if one not in acts and (called := frozenset(_run([one]))))
    return Module(tree, binds, acts, tuple(stars), runs)


def _bindings(statement: ast.stmt) -> Iterator[tuple[str, ast.stmt | Imported]]:
    if isinstance(statement, ast.Import | ast.ImportFrom):
        yield from imports_of(statement)
        return
    imported = [part for part in within([statement]) if isinstance(part, ast.Import | ast.ImportFrom)]
    for part in imported:
        yield from ((name, found) if name == "*" else (name, statement) for name, found in imports_of(part))
    for name in sorted(stored([statement])):
        yield name, statement


def imports_of(statement: ast.Import | ast.ImportFrom) -> Iterator[tuple[str, Imported]]:
    for alias in statement.names:
        if isinstance(statement, ast.ImportFrom):
            yield alias.asname or alias.name, Imported(statement.module or "", alias.name, statement.level)
        elif alias.asname:
            yield alias.asname, Imported(alias.name)
        else:
            yield alias.name.split(".")[0], Imported(alias.name, rooted=True)


def _is_main(statement: ast.stmt) -> bool:
    """`if __name__ == "__main__":` does not run here."""
    return isinstance(statement, ast.If) and any(
        isinstance(part, ast.Name) and part.id == "__name__" for part in ast.walk(statement.test)
    )


def _acts(statement: ast.stmt) -> bool:
    """Whether a statement does more than bind names: a bare call, or a change of something that was there."""
    match statement:
        case ast.Expr():
            return not isinstance(statement.value, ast.Constant)
        case ast.Assign():
            return any(isinstance(target, ast.Attribute | ast.Subscript) for target in statement.targets)
        case ast.AugAssign():
            return not isinstance(statement.target, ast.Name)
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            return False
        case ast.Delete() | ast.Assert() | ast.Raise():
            return True
    return any(_acts(part) for part in within(ast.iter_child_nodes(statement)) if isinstance(part, ast.stmt))


def _run(nodes: Iterable[ast.AST]) -> Iterator[str]:
    """The names that are called by while statements bind theirs: as decorator, as base or metaclass of a class (which
    may keep its subclasses), or outright. `reg.add(f)` is a call by `reg`."""
    for node in nodes:
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                yield from filter(None, map(_head, node.decorator_list))
            case ast.ClassDef():
                above = (*node.decorator_list, *node.bases, *(given.value for given in node.keywords))
                yield from filter(None, map(_head, above))
                yield from _run(node.body)
            case ast.Lambda():
                pass
            case _:
                if isinstance(node, ast.Call):
                    yield from filter(None, [_head(node)])
                yield from _run(ast.iter_child_nodes(node))


def _head(node: ast.AST) -> str:
    while isinstance(node, ast.Attribute | ast.Call | ast.Subscript):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else ""


def within(nodes: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """All nodes of one scope: a function or class in it is met, not entered; nor is a comprehension."""
    for node in nodes:
        yield node
        if not isinstance(node, Function | ast.ClassDef | ast.comprehension):
            yield from within(ast.iter_child_nodes(node))


def stored(nodes: Iterable[ast.AST]) -> set[str]:
    """The names that one scope binds, imports aside."""
    names: set[str] = set()
    for node in within(nodes):
        match node:
            case ast.Name(ctx=ast.Store() | ast.Del()):
                names.add(node.id)
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                names.add(node.name)
            case ast.ExceptHandler() | ast.MatchAs() | ast.MatchStar() if node.name:
                names.add(node.name)
            case ast.MatchMapping() if node.rest:
                names.add(node.rest)
            case _:
                pass
    return names


def chain_of(node: ast.AST) -> Chain | None:
    names: list[str] = []
    while isinstance(node, ast.Attribute):
        names.append(node.attr)
        node = node.value
    return (node.id, *reversed(names)) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) else None


def defines(part: ast.AST, name: str) -> TypeGuard[ast.stmt]:
    if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return part.name == name
    targets = part.targets if isinstance(part, ast.Assign) else [part.target] if isinstance(part, ast.AnnAssign) else []
    return any(isinstance(target, ast.Name) and target.id == name for target in targets)
