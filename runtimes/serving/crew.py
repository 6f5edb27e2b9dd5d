"""The workers of one release, as the front sees them: calls in, answers out, what dies is started again.

There is no timer in the batching: an idle worker takes at once what waits; what comes while it works waits together.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from ...compiler.requests import Row
from ..trouble import Trouble
from .attached import Attached, attach
from .journal import Journal
from .release import Release
from .worker import Answer

BATCH = 4_000  # rows that one prediction takes at most, unless one call alone has more
WAITING = 2_000  # calls that may wait; the next one is told to come back later
LOADING = 600.0  # seconds for a model to load
PATIENCE = 60.0  # seconds for a prediction; then its worker is taken for hung
PATIENCE_IN_LINE = 20.0  # seconds for a call to wait for a worker, which may be one that is being started again
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 30.0  # seconds before a worker that died is started again; doubled each time
STEADY = 30.0  # seconds after which a worker's death is the first again

BUSY: Answer = (503, b"too many requests are waiting; try again later")
LATE: Answer = (503, b"no worker was free in time; try again later")
LOST: Answer = (503, b"the workers that took this request ended; try again later")
ENDED: Answer = (503, b"the service is stopping")


@dataclass(slots=True, eq=False)
class Call:
    rows: list[Row]
    single: bool
    answer: asyncio.Future[Answer]
    since: float = field(default_factory=time.monotonic)
    tries: int = 0


class Crew:
    """`replicas` workers with the same model. `died` is called for each worker that ended by itself."""

    def __init__(self, release: Release, journal: Journal, died: Any) -> None:
        self.release, self.journal, self.died = release, journal, died
        self.workers: list[Attached] = []
        self.joining: list[Attached] = []  # those that still load the model
        self.idle: deque[Attached] = deque()
        self.waiting: deque[Call] = deque()
        self.pause = FIRST_PAUSE
        self.ended = False
        self.tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> dict[str, Any]:
        """Start all workers and wait until each has loaded the model. Returns the model's signature as JSON."""
        try:
            async with asyncio.timeout(LOADING):
                signatures = await asyncio.gather(*(self._join() for _ in range(self.release.replicas)))
        except TimeoutError:
            raise Trouble(self._loading(), f"it was not loaded within {LOADING:.0f} s") from None
        self._keep(self._watch())
        return signatures[0]

    def submit(self, rows: list[Row], single: bool) -> asyncio.Future[Answer]:
        call = Call(rows, single, asyncio.get_running_loop().create_future())
        if self.ended or len(self.waiting) >= WAITING:
            call.answer.set_result(ENDED if self.ended else BUSY)
        else:
            self.waiting.append(call)
            self._dispatch()
        return call.answer

    @property
    def healthy(self) -> bool:
        return bool(self.workers)

    async def retire(self) -> None:
        """Let the workers finish what they hold, then end them."""
        while self.waiting or any(worker.calls for worker in self.workers):
            await asyncio.sleep(0.02)
        self.end()

    def end(self) -> None:
        self.ended = True
        for call in self.waiting:
            _settle(call, ENDED)
        self.waiting.clear()
        for worker in (*self.workers, *self.joining):
            worker.end()
        for task in self.tasks:
            task.cancel()

    def _dispatch(self) -> None:
        while self.idle and self.waiting:
            worker, batch = self.idle.popleft(), self._batch()
            worker.ask(batch)

    def _batch(self) -> list[Call]:
        """The calls that wait, as many as fit. One that already cost a worker its life goes alone, and one that a
        function answers: the next ones need not wait for it."""
        batch = [self.waiting.popleft()]
        rows = len(batch[0].rows)
        while self.waiting and not self.release.called and not batch[0].tries and not self.waiting[0].tries:
            rows += len(self.waiting[0].rows)
            if rows > BATCH:
                break
            batch.append(self.waiting.popleft())
        return batch

    def _answered(self, worker: Attached, calls: list[Call], answers: list[Answer]) -> None:
        for call, answer in zip(calls, answers, strict=True):
            _settle(call, answer)
        self.idle.append(worker)
        self._dispatch()

    def _lost(self, worker: Attached, calls: list[Call]) -> None:
        """A worker ended. What it held goes to another one, once; a new one takes its place."""
        for call in reversed(calls):
            call.tries += 1
            if call.tries > 1 or self.ended:
                _settle(call, LOST)
            else:
                self.waiting.appendleft(call)
        if worker in self.idle:
            self.idle.remove(worker)
        if worker in self.workers:
            self.workers.remove(worker)
            if not self.ended:
                self.died()
                self.journal.line(f"worker {worker.pid} ended ({worker.exit_words()}); it is started again")
                self._keep(self._replace(steady=time.monotonic() - worker.born > STEADY))
        self._dispatch()

    async def _replace(self, *, steady: bool) -> None:
        self.pause = FIRST_PAUSE if steady else self.pause
        while not self.ended:
            await asyncio.sleep(self.pause)
            self.pause = min(2 * self.pause, LONGEST_PAUSE)
            try:
                await self._join()
                return
            except (Trouble, OSError) as trouble:
                self.journal.line(f"could not start a worker again: {trouble}")

    async def _join(self) -> dict[str, Any]:
        """Start a worker; it joins the others once it has loaded the model."""
        worker = await attach(self.release, self.journal, self._answered, self._lost)
        self.joining.append(worker)
        try:
            signature = await worker.ready
        except Trouble as trouble:
            worker.end()
            raise Trouble(self._loading(), trouble.cause, trouble.help, trouble.detail) from None
        except BaseException:
            worker.end()
            raise
        finally:
            self.joining.remove(worker)
        self.workers.append(worker)
        self.idle.append(worker)
        self._dispatch()
        return signature

    def _loading(self) -> str:
        return f"load the {'function' if self.release.called else 'model'} of {self.release.name}"

    async def _watch(self) -> None:
        """What waits too long is told so; a worker that works too long is ended, as if it had died."""
        while True:
            await asyncio.sleep(1)
            now = time.monotonic()
            while self.waiting and now - self.waiting[0].since > PATIENCE_IN_LINE:
                _settle(self.waiting.popleft(), LATE)
            for worker in self.workers:
                if worker.calls and now - worker.asked > PATIENCE:
                    self.journal.line(f"worker {worker.pid} did not answer within {PATIENCE:.0f} s and is ended")
                    worker.end()

    def _keep(self, coroutine: Any) -> None:
        task = asyncio.get_running_loop().create_task(coroutine)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)


def _settle(call: Call, answer: Answer) -> None:
    if not call.answer.done():
        call.answer.set_result(answer)
