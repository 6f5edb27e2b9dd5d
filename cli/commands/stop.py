from __future__ import annotations

import argparse

from ...runtimes.serving import control
from ...runtimes.trouble import Trouble
from .. import frame, words


def arguments(parser: argparse.ArgumentParser) -> None:
    frame.name_and_spec(parser)


def run(given: argparse.Namespace) -> int:
    session = frame.open_session(given)
    folder = session.world.service(given.name)
    if not folder.is_dir() or not control.status(folder).running:
        elsewhere = session.world.status(given.name)
        if elsewhere.running and session.stop(frame.program_of(session), given.name, frame.say):
            return _stopped(given)
        if elsewhere.running:
            raise Trouble(f"stop {given.name}", f"another machine runs it, at {elsewhere.address}",
                          f"stop it there: mlspec stop {given.name} --on {given.on}")  # fmt: skip
        raise Trouble(f"stop {given.name}", "no such service is running", "mlspec status shows what runs")
    control.stop(folder)
    return _stopped(given)


def _stopped(given: argparse.Namespace) -> int:
    frame.say(f"{given.name} is stopped; mlspec apply{words.on(given.on)} starts it again")
    return frame.DONE
