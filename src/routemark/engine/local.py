"""The local executor: all trials are asked by this process, on one event loop."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator

from routemark.engine.gate import Gate
from routemark.engine.health import HealthMonitor
from routemark.engine.run import Desk, Grading, Observer, Stop, work
from routemark.journal import Journal
from routemark.policy.pacing import Pace
from routemark.records import Trial
from routemark.router import OpenRouterClient


class LocalExecutor:
    """Turns planned trials into journaled outcomes, in this process."""

    def __init__(
        self, connect: Callable[[Gate], OpenRouterClient], *, concurrency: int, fixed: bool = False
    ) -> None:
        """``connect`` makes the client that passes through the given gate."""
        self.gate = Gate(Pace(concurrency, fixed=fixed))
        """Holds at most ``concurrency`` requests in flight."""
        self.stop = Stop(self.gate.close)
        """Call it to end the run early: what is in flight is still journaled."""
        self.health = HealthMonitor()
        self._connect = connect
        self._workers = concurrency

    async def execute(
        self, trials: Iterator[Trial], journal: Journal, grade: Grading, observers: list[Observer]
    ) -> None:
        """Ask the trials until none is left or `stop` is called."""
        desk = Desk(journal, grade, [self.health, *observers], self.stop)
        watch = asyncio.create_task(self.health.watch_loop())
        try:
            async with self._connect(self.gate) as client:
                await work(trials, client.complete, desk, self.stop, self._workers)
        finally:
            watch.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await watch
