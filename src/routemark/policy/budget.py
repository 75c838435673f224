"""The budget: what may still be spent. State in, decision out; whole picodollars, hence exact.

The worst case of a request is set aside before it is sent, and gives way to its bill afterwards. A
request that may have been billed without telling its cost counts at its worst case, never at 0: so what
is spent, known or not, never exceeds the limit.
"""

from __future__ import annotations

from collections.abc import Callable

from routemark.policy.retry import NEVER_REACHED
from routemark.records import Attempt, Completion, Outcome
from routemark.wire.prices import pico

_REFUSED_BEFORE_A_TOKEN = {502, 503, 529}
_GAVE_UP_WAITING = {408, 499}


class Budget:
    """Decides whether a request may be sent: ``spent + reserved`` never exceeds ``limit``."""

    def __init__(self, limit: int, spent: int = 0, assumed: int = 0) -> None:
        """``spent``: before now, with ``assumed`` as the part of it that nobody told."""
        self.limit = limit
        self.spent = spent
        self.assumed = assumed
        """Part of ``spent`` that is the worst case of requests which did not tell their cost."""
        self.reserved = 0

    @property
    def left(self) -> int:
        """What may still be reserved; below 0 when more was spent than is allowed."""
        return self.limit - self.spent - self.reserved

    def reserve(self, worst: int) -> bool:
        """Set the worst case of a request aside; False, and nothing changes, when it does not fit."""
        if worst > self.left:
            return False
        self.reserved += worst
        return True

    def settle(self, worst: int, billed: int | None) -> None:
        """Put a bill in the place of a reservation; None: unknown, hence the worst case."""
        self.reserved -= worst
        self.spent += worst if billed is None else billed
        self.assumed += worst if billed is None else 0


def bill_of(attempt: Attempt, completion: Completion | None = None) -> int | None:
    """Give what an attempt was billed, in picodollars; None when it may have been, unknown how much.

    ``completion``: what it gave, if it was answered.
    """
    cost_usd = attempt.cost_usd if completion is None else completion.cost_usd
    if cost_usd is not None:
        return pico(cost_usd)
    return None if completion is not None or may_be_billed(attempt) else 0


def may_be_billed(attempt: Attempt) -> bool:
    """Tell whether a failed attempt may have been billed although nothing said so.

    Not when it never got through, nor when the gateway refused it with an error status before the first
    token: what produced no token is not charged. A status 200 has begun; a timeout, whoever's, may have
    cut off a model at work.
    """
    if attempt.kind in NEVER_REACHED:
        return False
    status = attempt.status or 0
    refused = 300 <= status < 500 and status not in _GAVE_UP_WAITING
    return not (refused or status in _REFUSED_BEFORE_A_TOKEN)


class Accounts:
    """What a journal says was spent: by every attempt of every outcome, and by what a crash left open.

    A reservation is journaled before its request is sent; the outcome that follows closes as many of its
    trial's reservations as it has attempts. One that stays open was sent by a process that died.
    """

    def __init__(self, worst: Callable[[Outcome], int]) -> None:
        """``worst`` gives the worst case of one request of an outcome's trial, in picodollars."""
        self._worst = worst
        self._known = 0
        self._assumed = 0
        self._open: dict[str, list[int]] = {}
        self._untold: dict[str, int] = {}
        """Generation id -> worst case of an attempt whose cost is not known."""

    @property
    def spent(self) -> int:
        """Picodollars, those of `assumed` included."""
        return self._known + self.assumed

    @property
    def assumed(self) -> int:
        """Picodollars: the worst case of every attempt and open reservation of unknown cost."""
        return self._assumed + sum(map(sum, self._open.values()))

    def reserved(self, trial: str, worst: int) -> None:
        """Take a reservation that was journaled."""
        self._open.setdefault(trial, []).append(worst)

    def abandoned(self, trial: str, requests: int, known: int, assumed: int) -> None:
        """Take what a trial had spent when it was given up without an outcome."""
        self._close(trial, requests)
        self._known += known
        self._assumed += assumed

    def ended(self, outcome: Outcome) -> None:
        """Take an outcome that was journaled, superseded ones included."""
        promised = self._close(outcome.trial, len(outcome.attempts))
        for place, attempt in enumerate(outcome.attempts):
            answered = attempt.kind is None and attempt is outcome.attempts[-1]
            billed = bill_of(attempt, outcome.completion if answered else None)
            if billed is not None:
                self._known += billed
            elif len(promised) == len(outcome.attempts):
                self._assume(attempt, promised[place])
            else:
                self._assume(attempt, self._worst(outcome))

    def looked_up(self, trial: str, generation_id: str, cost: int, *, left_open: bool) -> None:
        """Take a cost that was looked up later; ``left_open``: no outcome tells of the generation."""
        if left_open:
            self._close(trial, 1)
        else:
            worst = self._untold.pop(generation_id, None)
            if worst is None:
                return
            self._assumed -= worst
        self._known += cost

    def _assume(self, attempt: Attempt, worst: int) -> None:
        self._assumed += worst
        if attempt.generation_id is not None:
            self._untold[attempt.generation_id] = worst

    def _close(self, trial: str, requests: int) -> list[int]:
        """Close the trial's latest reservations; give them in their order."""
        waiting = self._open.pop(trial, [])
        kept = max(0, len(waiting) - requests)
        if kept:
            self._open[trial] = waiting[:kept]
        return waiting[kept:]
