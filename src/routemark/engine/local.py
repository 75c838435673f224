"""The local executor: all trials are asked by this process, on one event loop."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Protocol, Self

import msgspec

from routemark.clock import now
from routemark.config import nearest
from routemark.engine.arrivals import Arrivals
from routemark.engine.gate import Gate
from routemark.engine.health import HealthMonitor
from routemark.engine.purse import BudgetPurse
from routemark.engine.run import Desk, Grading, Observer, Stop, Trials, work
from routemark.errors import APIError, JournalError, RunError
from routemark.journal import Event, Journal
from routemark.policy.free import FreeLimits, allowance
from routemark.policy.pacing import Pace, PaceChange
from routemark.policy.stopping import StopRules, free_is_spent
from routemark.records import Outcome, Trial
from routemark.wire import values

SELDOM = 20_000
"""Objects that come to stay between two looks of the garbage collector."""
HANDOVER_S = 0.0005
"""Seconds that another thread waits for the interpreter's lock; Python's own 0.005 is as long as many an answer."""
LOOKUP_S = 20.0
"""Seconds that a look-up beside the run may take before the run does without."""


class Client(Protocol):
    """Completes trials: `router.OpenRouterClient` from here, `cluster.Cluster` from other machines."""

    async def complete(self, trial: Trial) -> Outcome:
        """Give what came of a trial; CancelledError when the run stops before."""

    async def get_json(self, path: str) -> Any:
        """Give the JSON of a look-up below the base URL. Raises: APIError."""

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


Connect = Callable[[Gate, Callable[[str, str], None]], Client]
"""Makes the client that passes through a gate, and tells a function (trial key, generation id) as ids come."""


class LocalExecutor:
    """Turns planned trials into journaled outcomes, in this process."""

    def __init__(  # noqa: PLR0913 - the seams of a run, by name
        self,
        connect: Connect,
        *,
        where: str,
        concurrency: int,
        fixed: bool = False,
        free: FreeLimits | None = None,
        purse: BudgetPurse | None = None,
    ) -> None:
        """``connect`` makes the client; ``where``: what it asks.

        ``free``: the limits of free models; if the plan has some, their allowance is asked for before the first trial.
        ``purse``: the client's, which stops the run when it is empty, and is closed when the run stops.
        """
        self._free = free
        self.gate = Gate(Pace(concurrency, fixed=fixed, free=self._free))
        """Holds at most ``concurrency`` requests in flight."""
        self.stop = Stop(self._close)
        """Call it to end the run early: what is in flight is still journaled."""
        self.to_grade: Callable[[], int] = lambda: 0
        """Tells how many answers wait for their grade, once somebody grades beside the asking."""
        self.added: Callable[[], int] = lambda: 0
        """Tells how many trials joined the plan, earlier processes' included."""
        self.on_end: Callable[[], None] = lambda: None
        """For who runs the executor to call when nothing is in flight and nothing waits any more."""
        self.health = HealthMonitor()
        self._connect = connect
        self.workers = concurrency
        """Trials under way at most."""
        self._rules = StopRules(where)
        self.expendable = self._rules.expendable
        """Names of arms that may turn out not to be served without ending the run."""
        self._trials: Trials | None = None
        self._purse = purse
        if purse is not None:
            purse.on_empty = self.stop
        self.gate.on_spent = lambda: self.stop(free_is_spent(), RunError.exit_code)

    def _close(self) -> None:
        self.gate.close()
        if self._purse is not None:
            self._purse.close()
        if self._trials is not None:
            self._trials.close()

    async def execute(
        self, trials: Trials, journal: Journal, grade: Grading, observers: list[Observer]
    ) -> None:
        """Ask the trials until none is left or `stop` is called; the pace is journaled as it changes."""
        self._trials = trials
        arrivals = Arrivals(journal, self.stop)
        desk = Desk(
            journal,
            grade,
            [arrivals, self.health, *observers],
            self.stop,
            rules=self._rules,
            heard_at=lambda: self.gate.heard_at,
        )
        keep = _PaceKeeper(journal, self.gate, self.stop)
        self.gate.on_change = keep.changed
        watch = asyncio.create_task(self.health.watch_loop())
        try:
            async with self._connect(self.gate, arrivals.note) as client:
                _share_the_lock()
                _spare_the_collector()
                if self._free is not None and self._free.arms:
                    self._free.remaining = allowance(await _looked_up(client, "/key"))
                await work(trials, client.complete, desk, self.stop, self.workers)
                if self._rules.unknown_slug is not None:
                    page = await _looked_up(client, "/models")
                    self.stop.add(_nearest_model(self._rules.unknown_slug, page))
        finally:
            arrivals.write()
            keep.ended()
            watch.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await watch


def _share_the_lock() -> None:
    """Let the HTTP library's thread hand an answer over soon: it waits for the interpreter's lock meanwhile."""
    sys.setswitchinterval(HANDOVER_S)


def _spare_the_collector() -> None:
    """Let the garbage collector leave alone what is there for good, and look seldom: trials leave no cycles."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(SELDOM)


class _PaceKeeper:
    """Journals how the pace goes, so that a killed run keeps it, too."""

    def __init__(self, journal: Journal, gate: Gate, stop: Stop) -> None:
        self._journal = journal
        self._gate = gate
        self._stop = stop
        self._begun = time.monotonic()

    def changed(self, change: PaceChange) -> None:
        """Keep a change, its time counted from the beginning."""
        self._keep(msgspec.structs.replace(change, at_s=round(change.at_s - self._begun, 3)))

    def ended(self) -> None:
        """Keep where the pace ended."""
        self._keep(
            PaceChange(
                at_s=round(time.monotonic() - self._begun, 3), limit=self._gate.pace.limit, reason="the end"
            )
        )

    def _keep(self, change: PaceChange) -> None:
        data = {**msgspec.to_builtins(change), "peak_in_flight": self._gate.peak}
        try:
            self._journal.append(Event(event="pace", at=now(), data=data))
        except JournalError as error:  # ends the run; the answer that is on its way is not to be lost by it
            self._stop(str(error), error.exit_code)


async def _looked_up(client: Client, path: str) -> Any:
    """Give what a page of the gateway says; None when it cannot be had soon."""
    try:
        async with asyncio.timeout(LOOKUP_S):
            return await client.get_json(path)
    except (APIError, TimeoutError):
        return None
    except asyncio.CancelledError:
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise
        return None  # the gate is closed: no second try


def _nearest_model(slug: str, page: Any) -> str:
    """Give the question whether a model of ``/models`` was meant; nothing when none is near."""
    rows = values.rows(values.table(page).get("data"))
    known = [name for row in rows if (name := values.text(values.table(row).get("id")))]
    return nearest(slug, known)
