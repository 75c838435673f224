"""The paired difference looked at after every question: tests and intervals that hold whenever one stops.

D_i in [-1, 1] is the i-th score difference in the order of the plan, arm minus baseline. A gambler who bets
the share c against a mean m has, after t questions, made of one dollar on either side ::

    K+(m) = mean over c of prod_i (1 + c (D_i - m) / (1 + m))     grows when the mean is above m
    K-(m) = mean over c of prod_i (1 - c (D_i - m) / (1 - m))     grows when it is below

If m is the mean, neither ever reaches 1/a with a chance above a (Ville): exact after every question, no
normality assumed. This is the grid form of the betting martingales of Waudby-Smith and Ramdas 2023. K+ falls
and K- grows with m, so the means not yet rejected are an interval, and rejected ones need no more sums.

Of exactly N questions in random order (``file``) the mean of what is still to come is known for each m:
m_t = (N m - D_1 - .. - D_{t-1}) / (N - t + 1) takes the place of m, and an m whose m_t leaves [-1, 1] is
impossible (Waudby-Smith and Ramdas 2020). After the last question nothing is unknown.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from routemark.analysis.controls.cost import rests_on
from routemark.analysis.stats.arrays import Floats, Interval
from routemark.analysis.stats.paired import Paired, difference_interval
from routemark.records import Estimand, StoppingMode

SHARES = np.array([0.05, 0.1, 0.2, 0.35, 0.5])
"""What the gambler bets, C."""
GRID = np.arange(-400, 401) / 400
"""Means of which the interval is made: 801, a quarter of a point apart."""
LAST_LEVEL = 0.96
"""Of the interval at the last question, which has 4 % of the error to spend: z = 2.054."""
LAST_WITHIN = 0.92
"""Two-sided level of a one-sided 4 %, for "within the margin": z = 1.751."""

FIRST_COST = 100
"""Questions with both costs known, below which costs have no interval."""
ZERO_ABOVE, ZERO_BELOW, LOW_ABOVE, HIGH_BELOW = range(4)
"""The bets that decide: K+(0), K-(0), K+(-M), K-(M)."""

_TINY = 1e-9
_MOST_KNOWN = 16
_RATE = (-2 * math.log(0.05) + math.log(-2 * math.log(0.05) + 1)) / 200


class Design(NamedTuple):
    """How a run that may stop early spends its error of 5 %."""

    mode: StoppingMode
    """``closed``: 1 % while looking, 4 % at the last question, which exists. ``open``: all of it while looking."""
    estimand: Estimand
    margin: float
    questions: int
    """N, of the whole plan."""

    @property
    def split(self) -> bool:
        """Tell whether part of the error is kept for the last question."""
        return self.mode == "closed" and self.estimand == "population"

    @property
    def differs(self) -> float:
        """Give what a gambler must have made before "better" or "worse" is said: 200, or 40."""
        return 200.0 if self.split else 40.0

    @property
    def within(self) -> float:
        """Give the same for "not worse by the margin" and "equivalent": 100, or 20."""
        return 100.0 if self.split else 20.0


class Sequence:
    """One pair of arms: what was learnt of the mean difference so far. A question costs O(|C|) for each mean left."""

    def __init__(self, design: Design, rivals: int = 1) -> None:
        """``rivals``: how many pairs are looked at together; "worse" is then said at a threshold so much higher."""
        self.design = design
        self.n = 0
        """Questions with a score of both."""
        self._rivals = rivals
        self._sum = 0.0
        self._population = design.questions
        self._bets = _Bets(design.margin)

    def add(self, difference: float) -> None:
        """Take the next question's difference; NaN, unknown, leaves the question out of the file, too."""
        if math.isnan(difference):
            self._population -= 1
            return
        means = None
        if self.design.estimand == "file":
            left = self._population - self.n
            means = (self._population * self._bets.means - self._sum) / left
        self._bets.add(difference, means)
        self._bets.forget(self._limit(self._rivals))
        self.n += 1
        self._sum += float(difference)

    @property
    def mean(self) -> float:
        """Give the mean difference so far; NaN at the beginning."""
        return self._sum / self.n if self.n else math.nan

    @property
    def exact(self) -> bool:
        """Tell whether nothing is unknown: the questions are the whole population, and all are in."""
        return self.design.estimand == "file" and 0 < self.n == self._population

    @property
    def better(self) -> bool:
        """Tell whether it is sure that the mean is above 0."""
        return self._surely(ZERO_ABOVE, self.mean, self._limit(1))

    @property
    def worse(self) -> bool:
        """Tell whether it is sure, among all rivals, that the mean is below 0."""
        return self._surely(ZERO_BELOW, -self.mean, self._limit(self._rivals))

    @property
    def not_worse(self) -> bool:
        """Tell whether it is sure that the mean is above -M."""
        return self._surely(LOW_ABOVE, self.mean + self.design.margin, math.log(self.design.within))

    @property
    def equivalent(self) -> bool:
        """Tell whether it is sure that the mean is within -M .. M; either side may have been settled before."""
        beyond = self.design.margin - self.mean
        return self.not_worse and self._surely(HIGH_BELOW, beyond, math.log(self.design.within))

    def interval(self, rivals: int = 1) -> Interval:
        """Give the means that were never rejected: 99 % where error is kept for the last question, else 95 %.

        ``rivals``: 1, or as many as are looked at together, for the level that holds for all of them at once.
        Where every mean is rejected, which is an error's doing, the one that nearly was not.
        """
        if self.exact:
            return self.mean, self.mean
        low, high = self._bets.interval(self._limit(rivals))
        if self.design.estimand == "population":
            return low, high
        left = self._population - self.n
        least, most = ((self._sum + end) / self._population for end in (-left, left))
        return max(low, least), min(high, most)

    def _limit(self, rivals: int) -> float:
        return math.log(self.design.differs * rivals)

    def _surely(self, test: int, beyond: float, limit: float) -> bool:
        """Tell what a bet has shown; where nothing is unknown, whether the mean lies beyond."""
        return bool(beyond > 0 if self.exact else self._bets.made[test] >= limit)


class _Bets:
    """Gamblers against several means: the four that decide, then the grid from above, then from below."""

    def __init__(self, margin: float) -> None:
        deciding = np.array([0.0, 0.0, -margin, margin])
        self.means = np.concatenate([deciding, GRID, GRID])
        side = np.where(np.arange(2 * len(GRID)) < len(GRID), 1.0, -1.0)
        self._side = np.concatenate([[1.0, -1.0, 1.0, -1.0], side])
        self._logs = np.zeros((len(SHARES), len(self.means)))
        self.made = np.zeros(len(self.means))
        """Logarithm of the most that each ever had."""
        self._known: dict[float, Floats] = {}
        """What the bets pay for a difference, for those met most: right and wrong make only three."""

    def add(self, difference: float, means: Floats | None = None) -> None:
        """Pay out the bets; ``means``: what they are against now, where that moves."""
        if means is not None:
            self._logs += self._payment(difference, means)
        elif difference in self._known:
            self._logs += self._known[difference]
        else:
            payment = self._payment(difference, self.means)
            self._logs += payment
            if len(self._known) < _MOST_KNOWN:
                self._known[difference] = payment
        np.maximum(self.made, np.logaddexp.reduce(self._logs) - math.log(len(SHARES)), out=self.made)

    def _payment(self, difference: float, means: Floats) -> Floats:
        """Give the logarithms of what the bets pay; where no room is left beyond a mean, it is impossible."""
        room, gain = 1.0 + self._side * means, self._side * (difference - means)
        fair = room > _TINY
        won = np.divide(gain, room, out=np.zeros(len(room)), where=fair)
        payment: Floats = np.log1p(np.multiply.outer(SHARES, won))
        if not fair.all():
            payment[:, ~fair & ((room < -_TINY) | (gain > _TINY))] = math.inf
        return payment

    def forget(self, limit: float) -> None:
        """Pay no more for means of the grid that are rejected at this limit, while any is not."""
        above, below = self.made[4:].reshape(2, -1)
        if above[0] < limit and below[-1] < limit:
            return
        kept = (above < limit) & (below < limit)
        if kept.any():
            which = np.concatenate([np.ones(4, dtype=bool), kept, kept])
            self.means, self.made = self.means[which], self.made[which]
            self._side, self._logs = self._side[which], self._logs[:, which]
            self._known.clear()

    def interval(self, limit: float) -> Interval:
        """Give the first and the last mean of the grid that are not rejected at this limit."""
        grid = self.means[4:].reshape(2, -1)[0]
        most = self.made[4:].reshape(2, -1).max(axis=0)
        left = np.flatnonzero(most < limit) if (most < limit).any() else [np.argmin(most)]
        return float(grid[left[0]]), float(grid[left[-1]])


def last_intervals(pair: Paired, rivals: int) -> tuple[Interval, Interval, Interval] | None:
    """Give the fixed intervals of the last question; None below two clusters.

    They are at 96 %, at the level that holds for ``rivals`` at once, and at 92 %, whose one side errs by 4 %.
    """
    levels = (LAST_LEVEL, 1 - (1 - LAST_LEVEL) / rivals, LAST_WITHIN)
    plain, at_once, within = (difference_interval(pair, level) for level in levels)
    if plain is None or at_once is None or within is None:
        return None
    return plain, at_once, within


def cost_sequence(arm: Floats, baseline: Floats, error: float = 0.05) -> Interval | None:
    """Give the interval of the ratio of mean costs that holds at every look from question 100 on; approximate.

    With L = log(mean a / mean b), its influence psi_i = a_i / mean a - b_i / mean b, v = var psi, t questions ::

        L +- sqrt(v * 2 (t r + 1) / (t^2 r) * ln(sqrt(t r + 1) / error)),
        r = (-2 ln .05 + ln(-2 ln .05 + 1)) / 200

    (the asymptotic confidence sequence of Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas 2024). None before
    question 100, of an arm that is free, and while the dearest 5 % of the questions make more than half of
    either cost: no bound worth having exists then. NaN is unknown.
    """
    known = ~(np.isnan(arm) | np.isnan(baseline))
    a, b = arm[known], baseline[known]
    t = len(a)
    if t < FIRST_COST or a.sum() <= 0 or b.sum() <= 0 or rests_on(a) or rests_on(b):
        return None
    psi = a / a.mean() - b / b.mean()
    tr = t * _RATE
    half = math.sqrt(float(psi.var(ddof=1)) * 2 * (tr + 1) / (t * tr) * math.log(math.sqrt(tr + 1) / error))
    centre = math.log(a.mean() / b.mean())
    return math.exp(centre - half), math.exp(centre + half)
