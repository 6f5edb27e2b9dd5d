"""What happens during an apply, as it happens: live in a terminal, plain lines when piped."""

from __future__ import annotations

import sys
import threading
import time
from typing import Any

from ..compiler.actions import Warned
from ..compiler.program import LOCAL
from ..runtimes.events import Event, Failed, Moving, Parted, Planned, Said, Settled, Started, Tried, Waiting
from . import words
from .frame import painter

TINTS = {"made": "green", "accepted": "green", "served": "green", "refused": "red", "failed": "red", "waits": "yellow",
         "retired": "yellow", "reused": "grey"}  # fmt: skip
QUIET = ("reused",)
OFTEN = 10  # every so many trials of a search are told, besides the best ones and those that failed
ROOM = 70  # characters of a trial in the live view


class Lines:
    """One line for what is done. Shared by the live view, which writes it above its own."""

    def __init__(self, stream: Any, width: int = 12) -> None:
        self.paint = painter(stream)
        self.width, self.on = width, LOCAL

    def of(self, event: Event) -> list[str]:
        match event:
            case Settled(how=how) if how in QUIET and not event.notes and not event.warned:
                return []
            case Settled():
                return self._settled(event)
            case Failed():
                return self._failed(event)
            case Tried() if event.is_best or event.failure or event.number % OFTEN == 0 or event.number == event.of:
                return self._tried(event)
            case Said(name="", text=text):
                return [self.paint(f"  {text}", "grey")]
            case Said(name=name, text=text):
                return [self.paint(f"  {'says':8} {name:{self.width}}  {line}", "grey") for line in text.split("\n")]
            case Parted() if event.failure:
                return [self._line("failed", "red", event.name, f"{event.number:,}/{event.of:,}  {event.failure}")]
            case Waiting(name=name):
                return [self._line("waits", "yellow", name, "another apply is making it")]
            case _:
                return []

    def _line(self, word: str, tint: str, name: str, text: str, took: str = "") -> str:
        end = self.paint(took, "grey")
        return f"  {self.paint(f'{word:8}', tint)} {name:{self.width}}  {text}{'  ' if text and took else ''}{end}".rstrip()

    def _settled(self, event: Settled) -> list[str]:
        facts = [words.rows(event.rows), words.metrics(event.metrics), event.address]
        if event.how in ("waits", "refused"):
            facts.append(event.reason)
        took = words.duration(event.seconds) if event.seconds else ""
        lines = [self._line(event.how, TINTS[event.how], event.name, ", ".join(filter(None, facts)), took)]
        margin = " " * (self.width + 13)
        for one in event.judged:
            if not one.holds:
                lines += [f"{margin}expect {one.text}", f"{margin}  {self.paint(one.shown, 'red')}"]
        if event.how == "refused" and event.kind != "service":
            lines.append(f"{margin}kept, not accepted: the name and what depends on it stay as they were")
            lines.append(f"{margin}look at it: mlspec show {event.name.split(', ')[0]} --refused{words.on(self.on)}")
        if event.how == "refused" and event.kind == "service":
            lines.append(f"{margin}what answered before goes on")
        lines += [margin + note for note in event.notes]
        return lines + [margin + line for one in event.warned for line in self._warned(one)]

    def _warned(self, one: Warned) -> list[str]:
        told = f"warning[{one.code}]: {one.title}"
        way = f"  help: {one.help}; if it is meant so: # ok: {one.code}"
        return [f"{self.paint(told, 'yellow')} ({one.path}:{one.line})", way]

    def _tried(self, event: Tried) -> list[str]:
        tint = "yellow" if event.failure else "blue"
        count = f"{event.number:{len(str(event.of))}}/{event.of}  {words.arguments(event.arguments)}"
        return [self._line("tried", tint, event.name, f"{count}  {event.failure or scored(event)}")]

    def _failed(self, event: Failed) -> list[str]:
        margin = " " * (self.width + 13)
        lines = [self._line("failed", "red", event.name, event.message)]
        lines += [margin + line for line in event.detail.rstrip().split("\n") if event.detail]
        if event.help:
            lines.append(f"{margin}help: {event.help}")
        if event.log:
            lines.append(f"{margin}log: mlspec logs {event.name.split(',')[0]}{words.on(self.on)}")
        return lines


def scored(event: Tried) -> str:
    """roc_auc 0.8412, best 0.8431"""
    if event.is_best or event.score is None or event.best is None:
        return f"{event.metric} {words.number(event.score)}, the best so far"
    return f"{event.metric} {words.number(event.score)}, best {words.number(event.best)}"


class Plain:
    """For pipes and files."""

    def __init__(self, stream: Any) -> None:
        self.stream, self.lines = stream, Lines(stream)

    def __call__(self, event: Event) -> None:
        if isinstance(event, Planned):
            self.lines.width, self.lines.on = _width(event), event.plan.environment
        for line in self.lines.of(event):
            self.stream.write(line + "\n")
        self.stream.flush()

    def close(self) -> None: ...


class Live(Plain):
    """For terminals: below the lines of what is done, one for each step at work, with the time it has taken."""

    def __init__(self, stream: Any) -> None:
        super().__init__(stream)
        self.working: dict[str, tuple[str, float]] = {}
        self.trying: dict[str, Tried] = {}  # the last trial of each search
        self.parting: dict[str, Parted] = {}  # the last part of each block that is made part by part
        self.moving: dict[str, Moving] = {}  # how far the transfer of a step has come
        self.drawn = 0
        self.lock = threading.Lock()
        self.closed = threading.Event()
        self.ticker = threading.Thread(target=self._tick, daemon=True)
        self.ticker.start()

    def __call__(self, event: Event) -> None:
        with self.lock:
            self._clear()
            if isinstance(event, Started):
                self.working[event.name] = (event.verb, time.monotonic())
            elif isinstance(event, Settled | Failed):
                self.working.pop(event.name, None)
                self.trying.pop(event.name, None)
                self.parting.pop(event.name, None)
                self.moving.pop(event.name, None)
            elif isinstance(event, Tried):
                self.trying[event.name] = event
            elif isinstance(event, Parted):
                self.parting[event.name] = event
            elif isinstance(event, Moving):
                self.moving[event.name] = event
            if not isinstance(event, Tried) or event.failure:
                super().__call__(event)
            self._draw()

    def close(self) -> None:
        self.closed.set()
        with self.lock:
            self._clear()
            self.stream.flush()

    def _tick(self) -> None:
        while not self.closed.wait(0.1):
            with self.lock:
                if self.working and not self.closed.is_set():
                    self._clear()
                    self._draw()

    def _clear(self) -> None:
        if self.drawn:
            self.stream.write(f"\x1b[{self.drawn}A\x1b[J")
            self.drawn = 0

    def _draw(self) -> None:
        paint = self.lines.paint
        for name, (verb, began) in list(self.working.items())[:8]:
            took = words.duration(time.monotonic() - began)
            word = {"make": "making", "judge": "judging", "serve": "starting", "search": "trying", "parts": "making"}[
                verb
            ]
            shown = f"{_trying(self.trying[name])}  " if verb == "search" and name in self.trying else ""
            if verb == "parts" and name in self.parting:
                shown = f"{self.parting[name].number:,}/{self.parting[name].of:,}  "
            if name in self.moving:
                shown += _moving(self.moving[name])
            self.stream.write(
                f"  {paint(f'{word:8}', 'blue')} {name:{self.lines.width}}  {shown}{paint(took, 'grey')}\n"
            )
            self.drawn += 1
        self.stream.flush()


def _moving(event: Moving) -> str:
    of = f" of {words.size(event.of)}" if event.of else ""
    return f"{words.size(event.done)}{of} {event.way}  "


def _trying(event: Tried) -> str:
    """In the place of the trial before: it has to fit on one line."""
    text = f"{event.number}/{event.of}  {words.arguments(event.arguments)}  {scored(event)}"
    return text if len(text) <= ROOM else f"{event.number}/{event.of}  {scored(event)}"


def _width(event: Planned) -> int:
    return max((len(", ".join(action.names)) for action in event.plan.changes()), default=12)


def watcher() -> Plain:
    return Live(sys.stdout) if sys.stdout.isatty() else Plain(sys.stdout)
