"""Ids of generations, journaled before their answers are there: what a crash cuts off may have been billed.

An answer that comes soon after its id tells the id itself, so ids are not written as they come, but within `PATIENCE_S`:
all that still wait by then, in one write.
"""

from __future__ import annotations

import asyncio
import time

from routemark import generations
from routemark.clock import iso
from routemark.engine.run import Stop
from routemark.errors import JournalError
from routemark.journal import Journal
from routemark.records import Grade, Outcome, Trial

PATIENCE_S = 0.05
"""Seconds at most; a process killed before leaves no trace of an id, and its request counts at its worst case."""


class Arrivals:
    """Hears of ids as they come, and journals those whose outcomes do not follow soon; an Observer."""

    def __init__(self, journal: Journal, stop: Stop) -> None:
        self._journal = journal
        self._stop = stop
        self._waiting: dict[str, tuple[str, float]] = {}
        """Trial -> generation id, and when it came, seconds since 1970."""
        self._is_due = False
        """A timer is set."""

    def note(self, trial: str, generation_id: str) -> None:
        """Take the id that came with the head of a trial's response."""
        if trial in self._waiting:  # an earlier attempt's
            self.write()
        if not self._is_due:
            self._is_due = True
            asyncio.get_running_loop().call_later(PATIENCE_S, self._come_due)
        self._waiting[trial] = (generation_id, time.time())

    def saw(self, trial: Trial, outcome: Outcome, grade: Grade | None) -> None:  # noqa: ARG002 - an Observer
        """Let go of the id that an outcome tells, which is in the journal by now."""
        self._waiting.pop(trial.key, None)

    def _come_due(self) -> None:
        self._is_due = False
        self.write()

    def write(self) -> None:
        """Journal what waits. A full disk stops the run, but not the answers that are on their way."""
        for trial, (generation_id, arrived_at) in self._waiting.items():
            self._journal.hold(generations.arrived(trial, generation_id, iso(arrived_at)))
        self._waiting.clear()
        try:
            self._journal.flush()
        except JournalError as error:
            self._stop(str(error), error.exit_code)
