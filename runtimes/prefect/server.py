"""The Prefect server as mlspec talks to it: every failure on the way is one line."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from .. import tied
from ..trouble import Trouble
from .wiring import TIED, Flow, Parameter

QUIET = {
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "DO_NOT_TRACK": "1",
    "PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW": "ignore",
}
TO_START = 60.0  # seconds for a server of our own
ANSWER, RETRIES = 8.0, 2  # seconds that a server has for an answer, and how often it is asked again
TYPES = {"int": "integer", "float": "number", "bool": "boolean", "str": "string"}
PAGE = 200
LATE = timedelta(seconds=20)


@contextmanager
def server(say: Callable[[str], None]) -> Iterator[Server]:
    """The server that Prefect is configured for; where there is none, one of our own for as long as this lasts."""
    try:
        from prefect.client.orchestration import get_client
        from prefect.settings import PREFECT_API_URL
    except ImportError:
        raise Trouble("talk to Prefect", "it is not installed", 'pip install "mlspec[prefect]"') from None
    url = PREFECT_API_URL.value()
    own = None
    if not url:
        say("no Prefect server is configured: one of our own is used, for this apply alone")
        own, url = _started()
    try:
        with _told(url), _configured(url), get_client(sync_client=True) as client:
            client.hello()
            found = Server(client, url, own)
            try:
                yield found
            finally:
                if found.runner is not None:
                    tied.end(found.runner)  # while its server is there to be told
    finally:
        if own is not None:
            tied.end(own)


@dataclass(slots=True)
class Server:
    """`own` is the process of an embedded server."""

    client: Any
    url: str
    own: subprocess.Popen[bytes] | None = None
    runner: subprocess.Popen[bytes] | None = None
    heard: datetime | None = None  # when the last line was said
    known: set[Any] = field(default_factory=set)

    @property
    def embedded(self) -> bool:
        return self.own is not None

    @property
    def where(self) -> str:
        return "the embedded server" if self.embedded else self.url.removesuffix("/api")

    def pool(self, name: str) -> Any:
        from prefect.exceptions import ObjectNotFound

        with _told(self.url):
            try:
                return self.client.read_work_pool(name)
            except ObjectNotFound:
                help_ = f"prefect work-pool create {name} --type process, or say work_pool = in the env"
                raise Trouble(f"run on the work pool {name}", f"{self.where} has none of that name", help_) from None

    def start(self, flow: Flow, step: dict[str, Any], pool: Any) -> Any:
        """Register the deployment, as its own users would, and ask for a run of it."""
        with _told(self.url):
            deployment = self.client.create_deployment(
                self.client.create_flow_from_name(flow.name), flow.environment, entrypoint=f"flow.py:{flow.id}",
                description=flow.doc, tags=["mlspec"], work_pool_name=flow.pool if pool else None, pull_steps=[step],
                schedules=_schedules(flow) if pool else None, parameter_openapi_schema=_schema(flow.parameters),
                enforce_parameter_schema=True,
            )  # fmt: skip
            return self._run(deployment)

    def stop_services(self, flow: Flow, step: dict[str, Any], pool: Any, names: Sequence[str]) -> Any:
        """Ask for a run that stops them where they are."""
        from .stopping import ENTRYPOINT, FLOW

        with _told(self.url):
            deployment = self.client.create_deployment(
                self.client.create_flow_from_name(FLOW), f"{flow.name} {flow.environment}", entrypoint=ENTRYPOINT,
                tags=["mlspec"], work_pool_name=flow.pool if pool else None, pull_steps=[step],
            )  # fmt: skip
            return self._run(deployment, {"spec": flow.spec, "env": flow.environment, "names": list(names)})

    def _run(self, deployment: Any, parameters: dict[str, Any] | None = None) -> Any:
        run = self.client.create_flow_run_from_deployment(
            deployment, parameters=parameters or {}, tags=["mlspec"], idempotency_key=uuid.uuid4().hex
        )  # asked again, it is one run
        if self.embedded:
            command = [sys.executable, "-m", "prefect", "flow-run", "execute", str(run.id)]
            self.runner = tied.start(command, {**_environment(self.url), TIED: "1"})
        return run

    def look(self, run: Any) -> tuple[Any, list[Any]]:
        """The run's state, and the runs of its tasks."""
        from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterId

        only = FlowRunFilter(id=FlowRunFilterId(any_=[run]))
        with _told(self.url):
            found: list[Any] = []
            state = self.client.read_flow_run(run).state
            while True:
                page = self.client.read_task_runs(flow_run_filter=only, limit=PAGE, offset=len(found))
                found += page
                if len(page) < PAGE:
                    return state, found

    def logs(self, run: Any) -> list[Any]:
        """What was said since it was last asked. Lines arrive late, so those of the last seconds are asked for again."""
        from prefect.client.schemas.filters import LogFilter, LogFilterFlowRunId, LogFilterTimestamp
        from prefect.client.schemas.sorting import LogSort

        since = LogFilterTimestamp.model_validate({"after_": self.heard - LATE}) if self.heard else None
        only = LogFilter(flow_run_id=LogFilterFlowRunId(any_=[run]), timestamp=since)
        new: list[Any] = []
        with _told(self.url):
            for offset in count(0, PAGE):
                page = self.client.read_logs(only, limit=PAGE, offset=offset, sort=LogSort.TIMESTAMP_ASC)
                new += [line for line in page if line.id not in self.known]
                if len(page) < PAGE:
                    break
        self.known.update(line.id for line in new)
        self.heard = max([line.timestamp for line in new] + ([self.heard] if self.heard else []), default=None)
        return new

    def workers(self, pool: str) -> list[str]:
        """The names of those that are alive."""
        with _told(self.url):
            return [w.name for w in self.client.read_workers_for_work_pool(pool) if str(w.status).endswith("ONLINE")]

    def cancel(self, run: Any) -> None:
        from prefect.states import Cancelling

        with _told(self.url):
            self.client.set_flow_run_state(run, Cancelling())

    def crashed(self, run: Any, why: str) -> None:
        from prefect.states import Crashed

        with _told(self.url):
            self.client.set_flow_run_state(run, Crashed(message=why), force=True)

    def still_there(self) -> None:
        """Raises Trouble where the process that was to run the flow has ended without a word."""
        if self.runner is not None and self.runner.poll() not in (None, 0):
            raise Trouble("run the flow", f"its process ended with code {self.runner.returncode}", "apply again")


# --- a deployment ---------------------------------------------------------------------------------------------------


def _schedules(flow: Flow) -> list[Any]:
    from prefect.client.schemas.actions import DeploymentScheduleCreate
    from prefect.client.schemas.schedules import CronSchedule, IntervalSchedule

    made = []
    for one in flow.schedules:
        word, _, value = one.line.partition(": ")
        schedule: Any = (
            CronSchedule(cron=value.strip('"'), timezone=one.zone)
            if word == "cron"
            else IntervalSchedule(interval=timedelta(seconds=float(value)))
        )
        made.append(DeploymentScheduleCreate(schedule=schedule, slug=one.slug))
    return made


def _schema(parameters: tuple[Parameter, ...]) -> dict[str, Any]:
    import ast

    properties = {
        one.id: {"type": TYPES[one.type], "title": one.name, "default": ast.literal_eval(one.default), "position": at}
        for at, one in enumerate(parameters)
    }
    return {"type": "object", "title": "Parameters", "properties": properties, "required": []}


# --- a server of our own --------------------------------------------------------------------------------------------


def _started() -> tuple[subprocess.Popen[bytes], str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}/api"
    command = [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)]
    process = tied.start(command, _environment(url))
    end = time.monotonic() + TO_START
    while time.monotonic() < end and process.poll() is None:
        if _answers(url):
            return process, url
        time.sleep(0.2)
    tied.end(process)
    raise Trouble("start a Prefect server", "it did not come up", "prefect server start tells why")


def _answers(url: str) -> bool:
    import httpx

    try:
        return httpx.get(f"{url}/health", timeout=2).status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False


def _environment(url: str) -> dict[str, str]:
    return {**os.environ, **QUIET, "PREFECT_API_URL": url}


@contextmanager
def _configured(url: str) -> Iterator[None]:
    from prefect.settings import PREFECT_API_REQUEST_TIMEOUT, PREFECT_API_URL, PREFECT_CLIENT_MAX_RETRIES
    from prefect.settings import temporary_settings as settings

    patience = {PREFECT_API_REQUEST_TIMEOUT: ANSWER, PREFECT_CLIENT_MAX_RETRIES: RETRIES}
    ours = {setting: value for setting, value in patience.items() if setting.name not in os.environ}
    with settings({PREFECT_API_URL: url, **ours}):
        yield


@contextmanager
def _told(url: str) -> Iterator[None]:
    """What goes wrong on the way to the server, as one line."""
    import httpx
    from prefect.exceptions import PrefectHTTPStatusError

    where = url.split("@")[-1].removesuffix("/api")
    try:
        yield
    except PrefectHTTPStatusError as error:
        code = error.response.status_code
        if code in (401, 403):
            raise Trouble(
                f"talk to Prefect at {where}", f"it does not let us in ({code})", "look at PREFECT_API_KEY"
            ) from None
        if code == 404:
            raise Trouble(f"talk to Prefect at {where}", "there is something else at that address",
                          "PREFECT_API_URL ends in /api") from None  # fmt: skip
        raise Trouble(f"talk to Prefect at {where}", f"it answered {code}: {error.response.text[:200]}") from None
    except (httpx.HTTPError, OSError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and "reach API" not in str(error):
            raise
        raise Trouble(f"talk to Prefect at {where}", "nothing answers there",
                      "prefect server start brings one up; PREFECT_API_URL says where it is") from None  # fmt: skip
