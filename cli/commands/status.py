from __future__ import annotations

import argparse
from typing import Any

from ...runtimes.local.session import Session
from .. import frame, words


def arguments(parser: argparse.ArgumentParser) -> None:
    frame.spec_argument(parser)
    frame.json_argument(parser)


def run(given: argparse.Namespace) -> int:
    session = frame.open_session(given)
    names = session.world.ledger.names()
    services = {name: _service(session, name) for name, one in names.items() if one.kind == "service"}
    runs = session.world.ledger.runs(1)
    if given.json:
        frame.say_json({
            "names": {name: {"kind": one.kind, "digest": one.digest, "since": one.at, **services.get(name, {})} for name, one in names.items()},
            "last_run": None if not runs else {"status": runs[0].status, "started": runs[0].started, "counts": runs[0].summary},
        })  # fmt: skip
        return frame.DONE
    if not names:
        frame.say(f"Nothing has been accepted yet: mlspec apply{words.on(given.on)}")
        return frame.DONE
    lines = [
        (
            name,
            one.kind,
            one.digest.removeprefix("folder:")[:12],
            words.moment(one.at),
            _line(services.get(name), given.on),
        )
        for name, one in names.items()
    ]
    frame.say(words.table(lines))
    if runs:
        frame.say(
            f"\nThe last apply {'began' if runs[0].ended is None else 'ended'} {words.moment(runs[0].ended or runs[0].started)}: {runs[0].status}."
        )
    return frame.DONE


def _service(session: Session, name: str) -> dict[str, Any]:
    return dict(session.world.status(name).model_dump())


def _line(service: dict[str, Any] | None, env: str) -> str:
    if service is None:
        return ""
    if not service["running"]:
        return f"not running: mlspec apply{words.on(env)} starts it"
    p95 = f", p95 {words.duration(service['p95'])}" if service.get("p95") else ""
    count = service.get("requests") or 0
    return f"{service['address']}  {count:,} request{'s' * (count != 1)}{p95}"
