"""Schedules and moments -> what is due. The moments are handed in, in seconds since the epoch."""

from __future__ import annotations

from .program import Schedule


def is_due(schedule: Schedule, made: float, now: float) -> bool:
    """Whether a moment of the schedule lies between when it was made and now."""
    return next_due(schedule, made) <= now


def next_due(schedule: Schedule, after: float) -> float:
    """The first moment of the schedule after another."""
    if not schedule.cron:
        return after + schedule.seconds
    from datetime import datetime  # only a spec with a schedule pays for these
    from zoneinfo import ZoneInfo

    from cronsim import CronSim

    moment: datetime = next(CronSim(schedule.cron, datetime.fromtimestamp(after, ZoneInfo(schedule.zone))))
    return moment.timestamp()
