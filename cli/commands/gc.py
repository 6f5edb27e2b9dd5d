from __future__ import annotations

import argparse

from ...runtimes.local.sweep import sweep
from .. import frame, words


def arguments(parser: argparse.ArgumentParser) -> None:
    frame.spec_argument(parser)
    frame.json_argument(parser)
    parser.add_argument("--dry-run", action="store_true", help="only tell what would go")


def run(given: argparse.Namespace) -> int:
    session = frame.open_session(given)
    swept = sweep(session.world, dry=given.dry_run)
    if given.json:
        frame.say_json({"objects": swept.objects, "bytes": swept.bytes, "kept": swept.kept, "projects": swept.projects})
        return frame.DONE
    verb = "would go" if given.dry_run else "gone"
    frame.say(
        f"{swept.objects:,} objects {verb}, {words.size(swept.bytes)}; {swept.kept:,} stay, held by a name, its history or a run"
    )
    if swept.projects:
        frame.say(f"{swept.projects:,} projects {verb} that were laid out here to run, and unused for a week")
    return frame.DONE
