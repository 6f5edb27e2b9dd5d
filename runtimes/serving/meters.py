"""What the service counts: for /metrics in Prometheus' words, and for `status` the times of the last requests."""

from __future__ import annotations

from collections import deque
from typing import Any

from .release import Release, quantile

REMEMBERED = 2000
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Meters:
    def __init__(self) -> None:
        from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

        self.registry = CollectorRegistry()
        self.codes = Counter("mlspec_requests", "Predictions asked for.", ["code"], registry=self.registry)
        self.seconds = Histogram(
            "mlspec_request_seconds", "Time from request to answer.", buckets=BUCKETS, registry=self.registry
        )
        self.rows = Counter("mlspec_rows", "Rows predicted.", registry=self.registry)
        self.restarts = Counter("mlspec_worker_restarts", "Workers that ended by themselves.", registry=self.registry)
        self.model = Gauge(
            "mlspec_model_info", "The release that answers.", ["service", "release", "model"], registry=self.registry
        )
        self.by_code: dict[int, Any] = {}
        self.requests = self.errors = 0
        self.last: deque[float] = deque(maxlen=REMEMBERED)

    def count(self, code: int, rows: int, seconds: float) -> None:
        self.requests += 1
        self.errors += code >= 500
        if code not in self.by_code:
            self.by_code[code] = self.codes.labels(str(code))
        self.by_code[code].inc()
        self.seconds.observe(seconds)
        if code == 200:
            self.rows.inc(rows)
            self.last.append(seconds)

    def show(self, release: Release) -> None:
        self.model.clear()
        self.model.labels(release.name, release.id, release.mark).set(1)

    def text(self) -> bytes:
        from prometheus_client import generate_latest

        return generate_latest(self.registry)

    def summary(self) -> dict[str, Any]:
        times = sorted(self.last)
        return {
            "requests": self.requests,
            "errors": self.errors,
            "p50": quantile(times, 0.5) if times else None,
            "p95": quantile(times, 0.95) if times else None,
        }
