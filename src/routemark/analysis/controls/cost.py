"""The ratio of two arms' mean costs, with a bootstrap-t interval, and what it rests on.

L = log(mean a / mean b) has influence psi_i = a_i/mean a - b_i/mean b and se = sd(psi)/sqrt(n). Every
replicate draws the questions anew (multinomial weights W) and studentises its own L*, by matrix products
W @ [1, a, b, a^2, ab, b^2]. All pairs of a run share the draws: where a cost is unknown the question has no
weight in that pair, and a replicate counts as many questions as it drew with both costs known.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from routemark.analysis.stats.arrays import Floats, Interval, by_column
from routemark.analysis.stats.distributions import normal_quantile

REPLICATES = 10_000
FEWEST_QUESTIONS = 20
"""Below, no interval."""
MOST_RESAMPLED = 5_000
"""Questions; above, the studentised log ratio is close to normal and its normal quantiles are used."""
DEAREST_SHARE = 0.05
"""The share of questions that should not make more than half of a cost."""

SAME_COST = 0.05
"""Two costs within this share of each other count as the same."""

Standing = Literal["cheaper", "dearer", "same", "open"]

_MOST_KEPT = 50_000_000
"""Bytes of draws that are kept for the next arm."""
_CELLS = 100_000
"""Numbers drawn at once: few enough to stay in the processor's cache."""
_PAIRS_AT_ONCE = 64
_MOMENTS = 6
_MOST_EXPONENT = 700.0
"""exp of more is no number."""


class CostRatio(NamedTuple):
    """Mean cost of an arm / mean cost of a baseline, over the questions with both known."""

    n: int
    ratio: float | None
    """None without such a question, or against a free baseline."""
    interval: Interval | None
    """95 %, approximate; None below 20 questions."""
    interval_all: Interval | None
    """The same at the level that holds for all the comparisons at once (Bonferroni).

    Beside a free baseline, which has no ratio, infinite: the arm is dearer, however sure one wants to be.
    """
    rests_on: int | None
    """The number of the dearest 5 % of the questions, when they make more than half of either cost."""


def cost_ratios(
    pairs: Sequence[tuple[Floats, Floats]], *, seed: int, comparisons: int = 1
) -> list[CostRatio]:
    """Give the cost ratio of each (arm, baseline) pair of columns of equal length, NaN unknown.

    ``comparisons``: how many of them are looked at together, for ``interval_all``.
    """
    return [
        ratio
        for chunk in _chunks(pairs)
        for ratio in _ratios_of_chunk(chunk, seed, (0.95, 1 - 0.05 / max(1, comparisons)))
    ]


def mean_costs(columns: Sequence[Floats], *, seed: int) -> list[CostRatio]:
    """Give the mean of each column of costs (n,), US dollars, with its interval.

    The mean is the ratio to a cost of one dollar a question.
    """
    dollar = np.ones(len(columns[0]) if columns else 0)
    return cost_ratios([(column, dollar) for column in columns], seed=seed)


def cost_standing(interval: Interval | None) -> Standing:
    """Give where a cost ratio surely lies: below 1 - 5 %, above 1 + 5 %, between; open where not sure."""
    if interval is None:
        return "open"
    low, high = interval
    if high < 1 - SAME_COST:
        return "cheaper"
    if low > 1 + SAME_COST:
        return "dearer"
    return "same" if low >= 1 - SAME_COST and high <= 1 + SAME_COST else "open"


def rests_on(costs: Floats) -> int | None:
    """Give how many questions the dearest 5 % are, when they make more than half of the total; else None."""
    dearest = math.ceil(DEAREST_SHARE * len(costs))
    if len(costs) < FEWEST_QUESTIONS:
        return None
    top = np.partition(costs, len(costs) - dearest)[len(costs) - dearest :]
    return dearest if top.sum() > 0.5 * costs.sum() else None


class _Studentised(NamedTuple):
    """log ratio and standard error; arrays over pairs, or replicates x pairs."""

    log_ratio: Floats
    error: Floats


def _chunks(pairs: Sequence[tuple[Floats, Floats]]) -> Iterator[tuple[tuple[Floats, Floats], ...]]:
    """Cut the pairs so that the replicates of a chunk stay small in memory."""
    chunk: list[tuple[Floats, Floats]] = []
    for pair in pairs:
        chunk.append(pair)
        if len(chunk) == _PAIRS_AT_ONCE:
            yield tuple(chunk)
            chunk = []
    if chunk:
        yield tuple(chunk)


def _ratios_of_chunk(
    pairs: Sequence[tuple[Floats, Floats]], seed: int, levels: tuple[float, float]
) -> list[CostRatio]:
    """Give the ratios of pairs that are resampled together."""
    sums = np.array([column.sum() for arm, baseline in pairs for column in _moments(arm, baseline)])
    log_ratio, error = (column[0] for column in _studentise(sums[None, :]))
    t: Floats | None = None
    if 0 < len(pairs[0][0]) <= MOST_RESAMPLED:
        moments = by_column([column for arm, baseline in pairs for column in _moments(arm, baseline)])
        replicated = _studentise(resampled_sums(moments, seed=seed, replicates=REPLICATES))
        with np.errstate(divide="ignore", invalid="ignore"):
            t = (replicated.log_ratio - log_ratio) / replicated.error
    found = []
    for i, (arm, baseline) in enumerate(pairs):
        replicates = None if t is None else t[:, i]
        interval, at_once = (
            _bounds(float(log_ratio[i]), float(error[i]), replicates, level) for level in levels
        )
        found.append(_ratio(arm, baseline, interval, at_once))
    return found


def _moments(arm: Floats, baseline: Floats) -> list[Floats]:
    """Give the columns 1, a, b, a^2, ab, b^2, all zero where a cost is unknown."""
    known = ~(np.isnan(arm) | np.isnan(baseline))
    a, b = np.where(known, arm, 0.0), np.where(known, baseline, 0.0)
    return [known.astype(float), a, b, a * a, a * b, b * b]


def resampled_sums(rows: Floats, *, seed: int, replicates: int) -> Floats:
    """Give the sums of each column (replicates, columns) over as many rows, drawn with replacement."""
    n = len(rows)
    drawn = kept_draws if n * replicates <= _MOST_KEPT else _draws
    return np.concatenate([times.astype(float) @ rows for times in drawn(n, seed, replicates)])


def _draws(n: int, seed: int, replicates: int) -> Iterator[NDArray[np.uint8]]:
    """Yield how often each of ``n`` rows is drawn (replicates, n), some replicates at a time.

    A byte is enough: more than 255 of n draws on one row of n do not happen, P < 1e-500.
    """
    generator = np.random.default_rng(seed)
    block = max(1, _CELLS // n)
    for start in range(0, replicates, block):
        count = min(block, replicates - start)
        drawn = generator.integers(0, n, size=(count, n)) + np.arange(count)[:, None] * n
        yield np.bincount(drawn.ravel(), minlength=count * n).reshape(count, n).astype(np.uint8)


@lru_cache(maxsize=1)
def kept_draws(n: int, seed: int, replicates: int) -> list[NDArray[np.uint8]]:
    """Give the draws at once: the next arm of the same questions has the same; who is done clears the cache."""
    return list(_draws(n, seed, replicates))


def _studentise(sums: Floats) -> _Studentised:
    """Give log ratio and error from sums (rows, 6 a pair); NaN where a mean cost is not positive."""
    n, a, b, aa, ab, bb = np.moveaxis(sums.reshape(len(sums), -1, _MOMENTS), 2, 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean_a, mean_b = a / n, b / n
        squares = aa / mean_a**2 - 2 * ab / (mean_a * mean_b) + bb / mean_b**2
        variance = np.maximum(squares, 0.0) / (n - 1)
        return _Studentised(np.log(mean_a / mean_b), np.sqrt(variance / n))


def _ratio(arm: Floats, baseline: Floats, interval: Interval | None, at_once: Interval | None) -> CostRatio:
    """Put together what is known of one pair; the intervals where there are enough questions."""
    known = ~(np.isnan(arm) | np.isnan(baseline))
    a, b = arm[known], baseline[known]
    n, enough = len(a), len(a) >= FEWEST_QUESTIONS
    if n == 0 or b.sum() <= 0:
        return CostRatio(n, None, None, (math.inf, math.inf) if enough and a.sum() > 0 else None, None)
    ratio = float(a.mean() / b.mean())
    if not enough:
        return CostRatio(n, ratio, None, None, None)
    if ratio == 0:
        return CostRatio(n, ratio, (0.0, 0.0), (0.0, 0.0), rests_on(b))
    return CostRatio(n, ratio, interval, at_once, rests_on(a) or rests_on(b))


def _bounds(log_ratio: float, error: float, t: Floats | None, level: float) -> Interval | None:
    """Give exp of L - q(upper) se .. L - q(lower) se; costs in exact proportion have width zero."""
    if not math.isfinite(log_ratio):
        return None
    if error < 1e-7:
        return math.exp(log_ratio), math.exp(log_ratio)
    if t is None:
        z = normal_quantile(level)
        return _exponentials(log_ratio - z * error, log_ratio + z * error)
    finite = t[np.isfinite(t)]
    if len(finite) < REPLICATES // 2:
        return None
    low, high = np.quantile(finite, [(1 - level) / 2, (1 + level) / 2])
    return _exponentials(log_ratio - float(high) * error, log_ratio - float(low) * error)


def _exponentials(low: float, high: float) -> Interval | None:
    """Give exp of both; None where a bound is beyond all numbers: a few questions that hardly vary."""
    return (math.exp(low), math.exp(high)) if high < _MOST_EXPONENT else None
