"""Whether a runtime keeps what all runtimes promise: tried for real, on small projects in a folder of their own."""

from __future__ import annotations

from .ground import Missed, Subject
from .points import POINTS, Trial, begin, clear

__all__ = ["POINTS", "Missed", "Subject", "Trial", "begin", "clear"]
