"""What stopping early may save, foreseen: seeded simulation of the very tests that a run uses.

A question on which arm and baseline differ, one in ``discordance``, is won by the arm so often that the mean
difference is as wanted; questions are independent, right or wrong, and one fixed model is the rival.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from routemark.analysis.stats.arrays import Bools, Floats
from routemark.analysis.stats.paired import Paired
from routemark.analysis.stopping.sequential import SHARES, Design, last_intervals
from routemark.analysis.sureness import FEWEST_ANSWERS
from routemark.records import Claim

RUNS = 400
"""Simulated: a share is told to 2.5 points, one standard error at most."""
_AT_ONCE = 100
"""Questions between which decided runs are dropped."""


class Saving(NamedTuple):
    """How runs go in a world with a known difference: shares of runs, and questions asked."""

    early: float
    """Decided before the last question."""
    better: float
    """Decided so, at the last question at the latest."""
    worse: float
    equivalent: float
    questions: float
    """Mean number asked; N where nothing is decided before."""

    @property
    def decided(self) -> float:
        """Give the share of runs that are decided."""
        return self.better + self.worse + self.equivalent


def saving(
    design: Design, discordance: float, difference: float, *, runs: int = RUNS, seed: int = 0
) -> Saving:
    """Simulate runs; ``difference`` is at most ``discordance`` in size."""
    up, down = (discordance + difference) / 2, (discordance - difference) / 2
    generator = np.random.default_rng(seed)
    going = _Going(design, runs)
    taken: list[int] = []
    claims: list[Claim | None] = []
    while len(going) and going.t < design.questions:
        shape = (len(going), min(_AT_ONCE, design.questions - going.t))
        draw = generator.random(shape)
        at, made = going.look(np.where(draw < up, 1.0, np.where(draw < up + down, -1.0, 0.0)))
        taken += at
        claims += made
    early = sum(at < design.questions for at in taken) / runs
    claims += [going.last(run) for run in range(len(going))]
    questions = (sum(taken) + len(going) * design.questions) / runs
    better, worse, equivalent = (claims.count(claim) / runs for claim in ("better", "worse", "equivalent"))
    return Saving(early, better, worse, equivalent, questions)


class _Going:
    """Runs that are not decided yet, side by side, with the bets that decide: K+(0), K-(0), K+(-M), K-(M)."""

    def __init__(self, design: Design, runs: int) -> None:
        self.t = 0
        self._design = design
        self._side = np.array([1.0, -1.0, 1.0, -1.0])
        self._means = np.array([0.0, 0.0, -design.margin, design.margin])
        self._logs = np.zeros((runs, 4, len(SHARES)))
        self._made = np.zeros((runs, 4))
        self._won, self._lost = np.zeros(runs), np.zeros(runs)

    def __len__(self) -> int:
        """Give the number of runs."""
        return len(self._made)

    def look(self, d: Floats) -> tuple[list[int], list[Claim | None]]:
        """Take more questions (runs, k); give when and how runs were decided, and drop those."""
        logs = self._logs[:, None] + np.cumsum(self._payments(d), axis=1)
        wealth = np.logaddexp.reduce(logs, axis=-1) - math.log(len(SHARES))
        made = np.maximum.accumulate(np.maximum(wealth, self._made[:, None]), axis=1)
        differs, within = math.log(self._design.differs), math.log(self._design.within)
        better, worse = made[..., 0] >= differs, made[..., 1] >= differs
        equivalent = (made[..., 2] >= within) & (made[..., 3] >= within)
        questions = self.t + 1 + np.arange(d.shape[1])
        over = np.logical_and(better | worse | equivalent, questions >= FEWEST_ANSWERS)
        at = over.argmax(axis=1)
        decided: Bools = over[np.arange(len(over)), at]
        claims: list[Claim | None] = [
            "better" if better[run, at[run]] else "worse" if worse[run, at[run]] else "equivalent"
            for run in np.flatnonzero(decided)
        ]
        self._logs, self._made = logs[:, -1], made[:, -1]
        self._won, self._lost = self._won + (d > 0).sum(axis=1), self._lost + (d < 0).sum(axis=1)
        self.t += d.shape[1]
        self._keep(~decided)
        return questions[at[decided]].tolist(), claims

    def last(self, run: int) -> Claim | None:
        """Give what the last question shows of a run that was not decided before."""
        design, won, lost = self._design, int(self._won[run]), int(self._lost[run])
        if design.estimand == "file":
            return "better" if won > lost else "worse" if won < lost else "equivalent"
        intervals = last_intervals(Paired(self.t, self.t, (won - lost) / self.t, 0.0, won, lost), 1)
        if not design.split or intervals is None:
            return None
        (low, high), _, (least, most) = intervals
        if low > 0 or high < 0:
            return "better" if low > 0 else "worse"
        return "equivalent" if -design.margin < least and most < design.margin else None

    def _payments(self, d: Floats) -> Floats:
        """Give the logarithms (runs, k, 4, shares) of what the bets pay."""
        means = np.broadcast_to(self._means, (*d.shape, 4))
        if self._design.estimand == "file":
            before = (self._won - self._lost)[:, None] + np.cumsum(d, axis=1) - d
            left = self._design.questions - self.t - np.arange(d.shape[1])
            means = (self._design.questions * self._means - before[..., None]) / left[None, :, None]
        room, gain = 1.0 + self._side * means, self._side * (d[..., None] - means)
        won = np.divide(gain, room, out=np.zeros(room.shape), where=room > 0)
        payments: Floats = np.log1p(won[..., None] * SHARES)
        payments[(room < 0) | ((room == 0) & (gain > 0))] = math.inf
        return payments

    def _keep(self, which: Bools) -> None:
        self._logs, self._made = self._logs[which], self._made[which]
        self._won, self._lost = self._won[which], self._lost[which]
