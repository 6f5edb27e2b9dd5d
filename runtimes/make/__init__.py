"""make: a Makefile with a rule for each artifact. The smallest whole runtime; docs/runtimes.md takes it apart."""

from __future__ import annotations

import shlex
from pathlib import Path

from ...compiler.program import Node, Program
from ...compiler.target import Files, Project, Target
from ...grammar.kinds import Argument

TEMPLATES = Path(__file__).with_name("templates")


def compile_program(program: Program, project: Project) -> Files:
    """A folder where `make` makes what is not made yet."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(loader=FileSystemLoader(TEMPLATES), undefined=StrictUndefined, keep_trailing_newline=True,
                              trim_blocks=True, lstrip_blocks=True)  # fmt: skip
    environment.filters |= {"quoted": quoted, "needs": needs}
    written = {
        path: environment.get_template(f"{path}.j2").render(program=program) for path in ("Makefile", "README.md")
    }
    return {**written, **{f"project/{path}": text for path, text in project.texts.items()}}


def needs(node: Node) -> list[str]:
    """What must be done before: all that goes in, and what only the judgement reads."""
    return list(dict.fromkeys([*node.awaits, *node.reads]))


def quoted(text: str) -> str:
    """A word for the shell that make hands on as it is."""
    return shlex.quote(text).replace("$", "$$")


TARGET = Target(
    name="make",
    doc="A Makefile, and make to run it on this machine.",
    compile=compile_program,
    options=(
        Argument("store", "text", "Where artifacts and names lie: a folder, or a bucket, s3://…"),
        Argument("workers", "int", "How many jobs run at once; as many as there are cores, if unsaid."),
    ),
    required=frozenset({"store"}),
    ships=True,
    apply="mlspec.runtimes.make.apply",
)
