"""Prefect: a flow of one task for each artifact, on a work pool; what is made lies in a store that all workers share."""

from __future__ import annotations

import json
from pathlib import Path

from ...compiler.program import Program
from ...compiler.target import Files, Project, Target
from ...grammar.kinds import Argument

TEMPLATES = Path(__file__).with_name("templates")
RUNNERS = ("threads", "processes", "dask", "ray")


def compile_program(program: Program, project: Project) -> Files:
    """A folder that Prefect deploys as it is: the flow, its deployments, and the project that the tasks work on."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    from .wiring import wired

    environment = Environment(loader=FileSystemLoader(TEMPLATES), undefined=StrictUndefined, keep_trailing_newline=True,
                              trim_blocks=True, lstrip_blocks=True)  # fmt: skip
    environment.filters["python"] = lambda text: json.dumps(text, ensure_ascii=False)
    flow = wired(program, project)
    written = {
        path: environment.get_template(f"{path}.j2").render(flow=flow)
        for path in ("README.md", "flow.py", "prefect.yaml", "requirements.txt")
    }
    return {**written, **{f"project/{path}": text for path, text in project.texts.items()}}


TARGET = Target(
    name="prefect",
    doc="A flow on a Prefect server and its workers.",
    compile=compile_program,
    options=(
        Argument(
            "store",
            "text",
            "Where artifacts and names lie: a bucket, s3://…, or a folder that all workers see.",
            anywhere=True,
        ),
        Argument("work_pool", "text", "The work pool that runs the flow.", "default"),
        Argument("runner", "text", "What runs the tasks of a flow beside each other.", "threads", RUNNERS),
        Argument("workers", "int", "How many tasks run at once, and of dask or ray how many processes.", least=1),
        Argument("address", "text", "A Dask or Ray cluster that is there already; one of this run's own, if unsaid."),
    ),
    required=frozenset({"store"}),
    lacks={"seen": "what a service saw lies on the one worker where it runs; run this block on local"},
    ships=True,
    apply="mlspec.runtimes.prefect.apply",
)
