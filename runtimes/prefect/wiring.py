"""A program -> what the templates say of it: the tasks, what each waits for, and what Prefect is told of each. Pure."""

from __future__ import annotations

import json
import keyword
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ... import __version__
from ...compiler.program import Needs, Node, Program, Value
from ...compiler.target import Project
from ..packages import distribution
from ..secrets import variable

TAKEN = {"flow", "task", "allow_failure", "Path", "Job", "end", "run", "ThreadPoolTaskRunner", "ProcessPoolTaskRunner",
         "DaskTaskRunner", "RayTaskRunner"}  # fmt: skip
TO_END = 60  # seconds: a job that is out of time says so itself, and is killed if it does not
CLUSTERS, WORKERS = ("dask", "ray"), 2  # runners whose tasks run in processes of their own, and how many if unsaid
TIED = "MLSPEC_TIED"  # the variable that tells a flow's process to end with the one that started it
PULL = "mlspec.pull"  # the logger by which a pull step tells why it went wrong
WAITS = "another apply is making it"
EXTRAS = {"dask": "prefect-dask", "ray": "prefect-ray"}


@dataclass(frozen=True, slots=True)
class Task:
    """`options` are the decorator's, as Python; `timeout` is in seconds; `after` are the tasks that it
    waits for, and `assistants` how many more make its trials or parts."""

    id: str
    title: str
    name: str
    doc: str
    options: tuple[str, ...]
    timeout: float | None
    after: tuple[str, ...]
    assistants: int


@dataclass(frozen=True, slots=True)
class Parameter:
    """`type` and `default` as Python."""

    id: str
    name: str
    type: str
    default: str


@dataclass(frozen=True, slots=True)
class Schedule:
    """`line` is what a deployment says: a cron or an interval."""

    slug: str
    line: str
    zone: str


@dataclass(frozen=True, slots=True)
class Flow:
    id: str
    name: str
    spec: str
    environment: str
    doc: str
    version: str
    runner: str
    alone: bool
    files: tuple[str, ...]  # of the project, where tasks take it along to other machines
    imports: tuple[str, ...]
    pool: str
    tasks: tuple[Task, ...]
    parameters: tuple[Parameter, ...]
    dates: tuple[str, ...]  # the params that are given without quotes
    schedules: tuple[Schedule, ...]
    requirements: tuple[str, ...]
    secrets: tuple[str, ...]
    store: str
    cluster: str  # the address of one that is there already, or ""


def wired(program: Program, project: Project) -> Flow:
    options = program.environment.options
    ids = _ids(program)
    runner = str(options.get("runner", "threads"))
    call, imports = _runner(runner, options)
    name = program.spec.removesuffix(".mlspec")
    return Flow(
        id=_identifier(name, set(ids.values())), name=name, spec=program.spec, environment=program.environment.name,
        doc=program.doc or f"{program.spec} on {program.environment.name}.", version=__version__, runner=call,
        imports=imports, pool=str(options.get("work_pool", "default")),
        alone=runner not in CLUSTERS, files=tuple(sorted(project.texts)) if runner in CLUSTERS else (),
        tasks=tuple(_task(node, program, ids, _assistants(node, runner, options)) for node in program.nodes),
        parameters=tuple(_parameters(program.params)), dates=program.moments, schedules=tuple(_schedules(program)),
        requirements=tuple(_requirements(program, project.versions, runner)), secrets=tuple(dict.fromkeys(map(variable, program.secrets))),
        store=str(options.get("store", "")), cluster=str(options.get("address") or "") if runner in CLUSTERS else "",
    )  # fmt: skip


# --- tasks ----------------------------------------------------------------------------------------------------------


def _ids(program: Program) -> dict[str, str]:
    """A Python name for each node, by the node's name."""
    found: dict[str, str] = {}
    for node in program.nodes:
        found[node.name] = _identifier("_".join(node.names), set(found.values()))
    return found


def _identifier(name: str, taken: set[str]) -> str:
    found = re.sub(r"\W", "_", name)
    found = f"_{found}" if found[:1].isdigit() else found
    while found in taken or found in TAKEN or keyword.iskeyword(found):
        found += "_"
    return found


def _task(node: Node, program: Program, ids: Mapping[str, str], assistants: int) -> Task:
    node_of = program.node_of()
    wanted = [item.name for item in node.inputs if not item.last] + list(node.reads)
    after = dict.fromkeys(ids[node_of[name].name] for name in wanted if name in node_of)
    doc = " ".join([*node.doc.split(), f"({node.span.path}, line {node.span.line})"])
    return Task(ids[node.name], node.title, node.name, doc.replace("\\", "\\\\").replace('"""', "'''"),
                tuple(_options(node)), node.needs.time and node.needs.time + TO_END, tuple(after), assistants)  # fmt: skip


def _assistants(node: Node, runner: str, options: Mapping[str, Value]) -> int:
    """On one machine a job uses all cores by itself; on a cluster there are as many workers as it is said to have."""
    divisible = node.search is not None or node.each is not None
    workers = options.get("workers")
    return max((workers if isinstance(workers, int) else WORKERS) - 1, 0) if divisible and runner in CLUSTERS else 0


def _options(node: Node) -> Iterator[str]:
    needs = node.needs
    yield f"name={_text(node.title)}"
    if needs.retries:
        yield f"retries={needs.retries}"
        yield "retry_condition_fn=Job.went_wrong"
    yield f"tags=[{', '.join(map(_text, [node.kind, *_tags(needs)]))}]"


def _text(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _tags(needs: Needs) -> Iterator[str]:
    """What a concurrency limit on the server may count."""
    if needs.cpu:
        yield f"cpu-{needs.cpu:g}"
    if needs.memory:
        yield f"memory-{needs.memory / 1024**3:g}GiB"
    if needs.gpu:
        yield "gpu"


def _runner(runner: str, options: Mapping[str, Value]) -> tuple[str, tuple[str, ...]]:
    """The task runner as it is constructed, and where it is imported from."""
    workers, address = options.get("workers"), options.get("address")
    match runner:
        case "dask":
            given = (
                f"address={address!r}"
                if address
                else f"cluster_kwargs={{'n_workers': {workers or WORKERS}, 'threads_per_worker': 1}}"
            )
            return f"DaskTaskRunner({given})", ("from prefect_dask import DaskTaskRunner",)
        case "ray":  # which would take one that it finds on that machine, if it were not told "local"
            given = (
                f"address={address!r}"
                if address
                else f"init_kwargs={{'address': 'local', 'num_cpus': {workers or WORKERS}}}"
            )
            return f"RayTaskRunner({given})", ("from prefect_ray import RayTaskRunner",)
        case _:
            name = {"processes": "ProcessPoolTaskRunner"}.get(runner, "ThreadPoolTaskRunner")
            return f"{name}(max_workers={workers or 4})", (f"from prefect.task_runners import {name}",)


# --- the deployment -------------------------------------------------------------------------------------------------


def _parameters(params: Mapping[str, Value]) -> Iterator[Parameter]:
    """Of a used spec they are its own affair."""
    taken: set[str] = set()
    for name, value in params.items():
        if "." not in name and not isinstance(value, tuple) and value is not None:
            id_ = _identifier(name, taken)
            taken.add(id_)
            yield Parameter(id_, name, type(value).__name__, repr(value))


def _schedules(program: Program) -> Iterator[Schedule]:
    for node in program.nodes:
        if node.every is not None:
            line = f"cron: {json.dumps(node.every.cron)}" if node.every.cron else f"interval: {node.every.seconds:g}"
            yield Schedule(re.sub(r"[^a-z0-9]+", "-", node.name.lower()).strip("-") or "it", line, node.every.zone)


def _requirements(program: Program, versions: Mapping[str, str], runner: str) -> Iterator[str]:
    """With the versions that the keys hold, since others would make everything anew."""
    yield f"mlspec[prefect,s3]=={__version__}"
    if runner in EXTRAS:
        yield EXTRAS[runner]
    named = {distribution(package): version for package, version in versions.items()}
    yield from sorted(
        f"{name}=={version}" for name, version in named.items() if version not in ("none", "") and name != "mlspec"
    )
