"""This machine: worker processes, a folder as the store, services as supervised processes."""

from __future__ import annotations

from pathlib import Path

from ...compiler.program import Program
from ...compiler.target import Files, Project, Target
from ...grammar.kinds import Argument

TEMPLATES = Path(__file__).with_name("templates")


def compile_program(program: Program, _: Project) -> Files:
    """The plan as files that can be read and diffed; they are used where the spec is."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(loader=FileSystemLoader(TEMPLATES), undefined=StrictUndefined, keep_trailing_newline=True)
    written = {
        name: environment.get_template(f"{name}.j2").render(program=program)
        for name in ("README.md", "steps.txt", "run.sh")
    }
    return {**written, "program.json": program.model_dump_json(indent=2) + "\n"}


TARGET = Target(
    name="local",
    doc="This machine, with nothing else installed.",
    compile=compile_program,
    options=(
        Argument(
            "store",
            "text",
            "Where artifacts and names lie: a folder, or a bucket, s3://…; several specs may share one.",
            ".mlspec",
        ),
        Argument("workers", "int", "How many steps run at once; as many as there are cores, if unsaid.", least=1),
    ),
)
