"""Stopping a run once it is decided: the side of analysis.deciding that touches journal and executor."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from routemark.analysis.stopping import stopping_words
from routemark.analysis.stopping.deciding import Deciding, contest
from routemark.config import Settings
from routemark.engine.grading import Beside
from routemark.engine.purse import BUDGET_SPENT
from routemark.engine.run import Stop, Trials
from routemark.errors import RunError
from routemark.records import Grade, Outcome, Trial
from routemark.rundir import Ledger

MOST_ROOM, LEAST_ROOM = 200, 20
"""Answers that may wait for their grade, those in flight included, before asking waits for them; at least so many."""


def deciding(ledger: Ledger, settings: Settings) -> Deciding | None:
    """Look at a run as its journal tells it, in the order of the plan; None without ``--until-decided``.

    Once decided, the ledger counts no question beyond.
    """
    run = ledger.run
    of = contest(run.arms, settings, run.originals)
    if of is None:
        return None
    ids = list(ledger.questions.ids())
    found = Deciding(of, run, ids[: run.originals])
    for judged in ledger.judged():
        found.saw(judged.outcome, judged.grade)
    if found.early:
        ledger.limit = found.questions
    return found


class Watch:
    """Looks at a run while outcomes and grades come in, and stops it once it is decided; an Observer."""

    def __init__(self, looks: Deciding | None, stop: Callable[[str, int], None]) -> None:
        """Take the run so far, as `deciding` gives it; None: nothing is to be decided."""
        self.looks = looks
        self.on_grade: Callable[[], None] = lambda: None
        """Hears that an answer got its grade."""
        self._stop = stop
        self._stop_if_decided()

    @property
    def decided(self) -> str | None:
        """Give why no more has to be asked, a sentence; None while it has."""
        if self.looks is None or not self.looks.early:
            return None
        return stopping_words.reason(self.looks.stopping())

    def saw(self, trial: Trial, outcome: Outcome, grade: Grade | None) -> None:  # noqa: ARG002 - an Observer
        """Take note of one outcome."""
        if self.looks is not None:
            self.looks.saw(outcome, grade)
            self._stop_if_decided()

    def after(self, take: Callable[[Grade], None]) -> Callable[[Grade], None]:
        """Give what hands a grade to ``take``, then takes note of it; where that fails, no grade can decide."""

        def graded(grade: Grade) -> None:
            try:
                take(grade)
            except RunError as error:
                self._stop(str(error), error.exit_code)
                raise
            if self.looks is not None:
                self.looks.graded(grade)
                self._stop_if_decided()
            self.on_grade()

        return graded

    def outweigh(self, stop: Stop) -> None:
        """Let a decision be why the run stopped, where it came while the budget was ending it."""
        reason = self.decided
        if reason is not None and stop.exit_code == BUDGET_SPENT:
            stop.reason, stop.exit_code = reason, 0

    def _stop_if_decided(self) -> None:
        reason = self.decided
        if reason is not None:
            self._stop(reason, 0)


class Patient:
    """Trials that are given out at most a window ahead of the question that is looked at; an Observer.

    One slow answer keeps all that comes behind it from being looked at; without a bound a run would be asked
    to its end meanwhile, and nothing be saved. For the same reason few answers may wait for their grade. Where
    a question cannot be looked at in this process at all, the run goes on, a window at a time.
    """

    def __init__(
        self, trials: Trials, looks: Deciding, grading: Beside, *, window: int, workers: int
    ) -> None:
        """``window``: questions of a window of the plan; ``workers``: how many take trials."""
        self._trials = trials
        self._looks = looks
        self._grading = grading
        self._window = window
        self._room = max(LEAST_ROOM, MOST_ROOM - workers)
        self._out = 0
        """Trials under way."""
        self._furthest = 0
        """Index of the last window that is given out."""
        self._closed = False
        self._moved = asyncio.Event()

    async def take(self) -> Trial | None:
        """Give the next trial once it is its turn; None: there will be no more."""
        trial = await self._trials.take()
        while trial is not None and not self._closed and not self._is_due(trial):
            await self._moved.wait()
        if trial is None or self._closed:
            return None
        self._out += 1
        return trial

    def saw(self, trial: Trial, outcome: Outcome, grade: Grade | None) -> None:  # noqa: ARG002 - an Observer
        """Hear that a trial is over."""
        self._out -= 1
        self.move()

    def move(self) -> None:
        """Let those who wait see whether it is their turn now."""
        self._moved.set()
        self._moved.clear()

    def close(self) -> None:
        """Let nobody wait any more: the run stops."""
        self._closed = True
        self._trials.close()
        self.move()

    def _is_due(self, trial: Trial) -> bool:
        idle = self._out == 0 and self._grading.waiting == 0
        ahead = self._looks.questions // self._window + 1
        self._furthest = max(self._furthest + (idle and trial.window > self._furthest), ahead)
        return trial.window <= self._furthest and (idle or self._grading.waiting < self._room)
