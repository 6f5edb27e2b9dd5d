"""Services run on workers' machines: they are stopped there, by a flow of its own on the same pool."""

from __future__ import annotations

from pathlib import Path

from prefect import flow

from ..local.session import Session
from ..serving import control

FLOW, ENTRYPOINT = "mlspec stop", f"{__name__}.stop_services"


@flow(name=FLOW)
def stop_services(spec: str, env: str, names: list[str]) -> None:
    """Runs in the pulled folder. Raises RuntimeError where one of them answers on yet another machine."""
    session = Session(Path("project") / spec, env)
    session.check()  # the spec says which store knows where a service answers
    world = session.world
    for name in names:
        control.stop(world.service(name))
    left = [f"{name} answers at {found.address}" for name in names if (found := world.status(name)).running]
    if left:
        raise RuntimeError(f"another machine than this worker's runs it: {', '.join(left)}")
