"""The loop: workers pull trials, outcomes go to the journal, grades follow them.

Nothing is gathered in waves and no list of trials exists: memory is bounded by the number of
workers. A trial counts once its outcome is in the journal, and only the journal is read afterwards.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Protocol
from weakref import WeakValueDictionary

from routemark.errors import RunError
from routemark.journal import Journal
from routemark.policy.stopping import StopRules
from routemark.records import Completion, Grade, Outcome, Question, Trial


class Trials(Protocol):
    """Where workers get what to ask next."""

    async def take(self) -> Trial | None:
        """Give the next trial, once there is one; None: there will be no more."""

    def close(self) -> None:
        """Let nobody wait any more: the run stops."""


class Planned:
    """Trials that are all known beforehand."""

    def __init__(self, trials: Iterator[Trial]) -> None:
        self._trials = trials

    async def take(self) -> Trial | None:
        """Give the next one."""
        return next(self._trials, None)

    def close(self) -> None:
        """Do nothing: nobody waits."""


Grading = Callable[[str, Question, Completion], Grade | None]


class Observer(Protocol):
    """Is told of every outcome, after it has been journaled."""

    def saw(self, trial: Trial, outcome: Outcome, grade: Grade | None) -> None:
        """Take note of one outcome and its grade."""


class Stop:
    """Why the run must end early, said once; workers look at it before they pull."""

    def __init__(self, on_stop: Callable[[], None]) -> None:
        self.reason: str | None = None
        """A sentence for people; None while the run may go on."""
        self.exit_code = 0
        self._on_stop = on_stop

    def requested(self) -> bool:
        """Tell whether the run must end."""
        return self.reason is not None

    def add(self, words: str) -> None:
        """Say more about the reason, once more is known."""
        self.reason = f"{self.reason}{words}"

    def __call__(self, reason: str, exit_code: int) -> None:
        """Let no further trial begin; the first reason given stays."""
        if self.reason is None:
            self.reason = reason
            self.exit_code = exit_code
            self._on_stop()


class Desk:
    """Where an outcome ends up: journal first, then its grade, then whoever watches, then the stop rules."""

    def __init__(  # noqa: PLR0913 - the seams of the loop, by name
        self,
        journal: Journal,
        grade: Grading,
        observers: list[Observer],
        stop: Stop,
        *,
        rules: StopRules,
        heard_at: Callable[[], float],
    ) -> None:
        """``heard_at`` tells when the latest response of any kind came, monotonic seconds."""
        self._journal = journal
        self._grade = grade
        self._observers = observers
        self._stop = stop
        self._rules = rules
        self._heard_at = heard_at

    def take(self, trial: Trial, outcome: Outcome, begun: float) -> None:
        """Journal one outcome, grade its answer, and stop the run if the rules say so.

        ``begun``: when the trial was taken up, monotonic seconds.
        """
        grade = self._written(trial, outcome)
        for observer in self._observers:
            observer.saw(trial, outcome, grade)
        reason = self._rules.after(trial, outcome, begun=begun, heard_at=self._heard_at())
        if reason is not None:
            self._stop(reason, RunError.exit_code)

    def _written(self, trial: Trial, outcome: Outcome) -> Grade | None:
        """Journal an outcome, in one write with its grade where that is there at once; give the grade."""
        grade = None
        self._journal.hold(outcome)
        try:
            if outcome.completion is not None:
                grade = self._grade(trial.key, trial.question, outcome.completion)
            if grade is not None:
                self._journal.hold(grade)
        finally:  # an answer must not be lost by what grades it
            self._journal.flush()
        return grade


async def work(
    trials: Trials,
    complete: Callable[[Trial], Awaitable[Outcome]],
    desk: Desk,
    stop: Stop,
    workers: int,
) -> None:
    """Pull trials with so many workers until none is left or the run is stopped.

    Raises what a worker raised (a full disk, a bug), after the others have been cancelled.
    """
    turns = _Turns()

    async def asked(trial: Trial) -> None:
        begun = time.monotonic()
        desk.take(trial, await complete(trial), begun)

    async def worker() -> None:
        while not stop.requested() and (trial := await trials.take()) is not None:
            if stop.requested():
                return
            try:
                if trial.arm.sticky:
                    async with turns.of(trial):
                        await asked(trial)
                else:
                    await asked(trial)
            except asyncio.CancelledError:
                if not stop.requested() or _being_cancelled():
                    raise
                return  # the gate closed before this trial's first or next request: it was not answered

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(workers):
                group.create_task(worker())
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from None


class _Turns:
    """Has the trials of a sticky arm's session asked one after another, in the order in which they were pulled.

    The plan has them pulled in the order of their repeats, so a trial only ever waits for one that is in
    flight, and no number of workers can lock each other out.
    """

    def __init__(self) -> None:
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def of(self, trial: Trial) -> asyncio.Lock:
        """Give what to hold while a trial of a sticky arm is asked; first come, first served."""
        return self._locks.setdefault(trial.session_id, asyncio.Lock())


def _being_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
