"""The client's own share of what it measures: how late its loop runs, how long it holds requests back."""

from __future__ import annotations

import asyncio
import time
from array import array
from collections.abc import Iterable

import numpy as np

from routemark.records import ClientHealth, Grade, Outcome, Trial

TICK_S = 0.05
LIMITED_SHARE = 0.05
"""Above this share of the median latency a run calls itself client-limited."""


class HealthMonitor:
    """Samples the event loop's lag and keeps each trial's queue time and latency (8 bytes each)."""

    def __init__(self) -> None:
        self._lags = array("d")
        self._queues = array("d")
        self._latencies = array("d")

    async def watch_loop(self) -> None:
        """Measure, until cancelled, how late a timer of this loop fires, seconds."""
        while True:
            due = time.monotonic() + TICK_S
            await asyncio.sleep(TICK_S)
            self._lags.append(max(0.0, time.monotonic() - due))

    def lags(self) -> list[float]:
        """Give the samples of the loop's lag, seconds, and forget them: they are kept elsewhere."""
        taken = self._lags.tolist()
        del self._lags[:]
        return taken

    def lagged(self, samples: Iterable[float]) -> None:
        """Take samples of a loop's lag, seconds."""
        self._lags.extend(samples)

    def saw(self, trial: Trial, outcome: Outcome, grade: Grade | None) -> None:  # noqa: ARG002 - an Observer
        """Take note of one outcome."""
        if outcome.queue_s is not None:
            self._queues.append(outcome.queue_s)
        if outcome.completion is not None:
            self._latencies.append(outcome.completion.latency_s)

    def report(self) -> ClientHealth:
        """Give the 99th percentiles, and whether their sum is more than 5 % of the median latency."""
        lag, queue = _quantile(self._lags, 0.99), _quantile(self._queues, 0.99)
        median = _quantile(self._latencies, 0.5)
        own = (lag or 0.0) + (queue or 0.0)
        return ClientHealth(
            loop_lag_p99_s=lag,
            queue_p99_s=queue,
            limited=median is not None and own > LIMITED_SHARE * median,
        )


def _quantile(values: array[float], share: float) -> float | None:
    return float(np.quantile(np.frombuffer(values), share)) if values else None
