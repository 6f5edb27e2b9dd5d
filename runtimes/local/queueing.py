"""Tasks that wait for a worker, and the cores and GPUs that those at work hold."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from .pool import Task

Tag = tuple[str, str]


class Queue:
    """First come, first served; what needs more than is free lets others pass. A task may hold all cores at most."""

    def __init__(self, cores: int, gpus: tuple[str, ...]) -> None:
        self.cores, self.cores_free, self.gpus_free = float(cores), float(cores), gpus
        self.waiting: list[tuple[Task, float]] = []
        self.cores_held: dict[Tag, float] = {}
        self.gpus_held: dict[Tag, tuple[str, ...]] = {}

    def put(self, task: Task, cores: float) -> None:
        self.waiting.append((task, min(cores, self.cores)))

    def ready(self, free: Callable[[], int], is_ours: Callable[[Task, float], bool]) -> Iterator[Task]:
        """Those that can be done now, while there are `free` workers; one that `is_ours` refuses is dropped."""
        waiting, self.waiting = self.waiting, []
        for task, cores in waiting:
            enough = free() > 0 and (cores <= self.cores_free or self.cores_free == self.cores)
            if enough and not is_ours(task, cores):
                continue
            if enough and self._takes_gpus(task):
                self.cores_free -= cores
                self.cores_held[task.tag] = cores
                yield task
            else:
                self.waiting.append((task, cores))

    def done(self, tag: Tag) -> None:
        self.cores_free += self.cores_held.pop(tag, 1.0)
        self.gpus_free += self.gpus_held.pop(tag, ())

    def _takes_gpus(self, task: Task) -> bool:
        """Whether as many as the task needs were free; they are its own until it is done."""
        wanted = int(task.message["order"]["needs"].get("gpu") or 0) if task.alone else 0
        if wanted > len(self.gpus_free):
            return False
        self.gpus_held[task.tag], self.gpus_free = self.gpus_free[:wanted], self.gpus_free[wanted:]
        if wanted:
            task.message["gpus"] = ",".join(self.gpus_held[task.tag])
        return True
