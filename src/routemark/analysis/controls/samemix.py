"""The gain of a router's picks over its own mix of models drawn at random.

P[i, m] is the share of question i's repeats that went to model m, Y[i, m] the score of model m asked
directly, n the number of questions. With s_m the mean of column m of P::

    expected = sum_m s_m mean_i Y[i, m]
    gain     = n/(n-1) (mean_i sum_m P[i, m] Y[i, m] - expected)

the sum over models of the covariance of being picked and being right. The p value is one-sided, from
permutations of the picks over the questions; above 2,000 questions from their exact mean and variance.

Inside strata (difficulties, categories) the same is computed in each, and averaged by their questions: what
the picks know beyond the stratum. The rest of the gain lies between the strata: telling one from another.

A model that was asked on a random share pi_m of the questions has its mean over these. Its part of the
influence of question i is then weighted by 1/pi_m where it was asked and 0 elsewhere, so that the interval
holds the chance of the draw; permutations would need all cells, so p comes from z = gain/se.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from routemark.analysis.stats.arrays import Bools, Codes, Floats, Interval, Ints, rows_of
from routemark.analysis.stats.clusters import covariance_of_means, distinct
from routemark.analysis.stats.distributions import normal_tail, student_t_quantile

PERMUTATIONS = 9_999
MOST_PERMUTED = 2_000
"""Questions; above, the permutation distribution is as good as normal."""

_CELLS = 1_000_000


class Gain(NamedTuple):
    """The picks against the same mix at random."""

    expected: float
    """Mean score of the mix at random; inside strata, of the mix of each stratum on that stratum."""
    gain: float
    interval: Interval
    p_value: float


def mix_gain(  # noqa: PLR0913 - two matrices, and how to look at them
    picks: Floats,
    scores: Floats,
    cluster: Codes,
    *,
    seed: int,
    strata: Codes | None = None,
    representative: Bools | None = None,
) -> Gain | None:
    """Give the gain of ``picks`` (n, models; rows sum to 1) on ``scores`` (n, models).

    ``strata``: one number a question; the gain inside them, the overall one without. ``representative``:
    the cells that tell a model's mean (None: all); a picked cell must be known, any other may be NaN where
    it is not representative. None below two clusters, and where nothing tells the mean of a picked model.
    """
    n, clusters = len(picks), distinct(cluster)
    if clusters < 2:
        return None
    at = np.ones_like(picks, dtype=bool) if representative is None else representative
    groups = _groups(np.zeros(n, dtype=np.int32) if strata is None else strata)
    parts = [_part(rows_of(picks, rows), rows_of(scores, rows), rows_of(at, rows)) for rows in groups]
    if any(np.isnan(part.expected) for part in parts):
        return None
    weights = np.array([len(rows) for rows in groups]) / n
    influence = np.empty(n)
    for rows, part in zip(groups, parts, strict=True):
        influence[rows] = part.influence
    gain = float(weights @ np.array([part.gain for part in parts]))
    error = math.sqrt(covariance_of_means(influence[:, None], cluster)[0, 0])
    half = student_t_quantile(0.95, clusters - 1) * error
    used = picks.any(axis=0)
    if at[:, used].all():
        p_value = permutation_p_value(picks[:, used], scores[:, used], seed=seed, strata=strata)
    else:
        p_value = _tail(gain, error)
    expected = float(weights @ np.array([part.expected for part in parts]))
    return Gain(expected, gain, (gain - half, gain + half), p_value)


class _Part(NamedTuple):
    """The gain inside one stratum."""

    expected: float
    """NaN where nothing tells the mean of a picked model."""
    gain: float
    influence: Floats
    """One a question; their mean is the gain without its factor n/(n-1)."""


def _part(picks: Floats, scores: Floats, at: Bools) -> _Part:
    n, used = len(picks), picks.any(axis=0)
    picks, at = picks[:, used], at[:, used]
    cells = np.where(np.isnan(scores[:, used]), 0.0, scores[:, used])
    asked = at.mean(axis=0)
    if not asked.all():
        return _Part(math.nan, math.nan, np.zeros(n))
    shares, means = picks.mean(axis=0), (cells * at).mean(axis=0) / asked
    influence = ((picks - at * (shares / asked)) * (cells - means)).sum(axis=1)
    gain = n / (n - 1) * float(influence.mean()) if n > 1 else 0.0
    return _Part(float(shares @ means), gain, influence)


def permutation_p_value(picks: Floats, scores: Floats, *, seed: int, strata: Codes | None = None) -> float:
    """Give P(the picks, dealt to the questions at random, score at least as well).

    With ``strata`` they are dealt anew inside each of them. The order of the questions does not matter.
    """
    n = len(picks)
    observed = float((picks * scores).sum())
    groups = _groups(np.zeros(n, dtype=np.int32) if strata is None else strata)
    if n > MOST_PERMUTED:
        return _tail_of_moments(picks, scores, groups, observed)
    patterns, code = np.unique(picks, axis=0, return_inverse=True)
    groups = [rows[np.lexsort((*scores[rows].T, code[rows]))] for rows in groups]
    table = scores @ patterns.T
    generator = np.random.default_rng(seed)
    block = max(1, _CELLS // n)
    reached = 0
    for start in range(0, PERMUTATIONS, block):
        totals = np.zeros(min(block, PERMUTATIONS - start))
        for rows in groups:
            dealt = generator.permuted(np.tile(code[rows], (len(totals), 1)), axis=1)
            totals += table[rows, dealt].sum(axis=1)
        reached += int(np.count_nonzero(totals >= observed - 1e-12 * n))
    return (1 + reached) / (1 + PERMUTATIONS)


def permutation_moments(picks: Floats, scores: Floats) -> tuple[float, float]:
    """Give exact mean and variance of the mean score over all permutations of the picks.

    Var T = sum_ij (A_ij - A_i. - A_.j + A_..)^2 / (n^2 (n-1)) with A = Y P', centred by centring Y and P.
    """
    n = len(picks)
    centred_picks, centred_scores = picks - picks.mean(axis=0), scores - scores.mean(axis=0)
    squares = (centred_scores.T @ centred_scores) * (centred_picks.T @ centred_picks)
    mean = float(picks.mean(axis=0) @ scores.mean(axis=0))
    return mean, float(squares.sum()) / (n * n * (n - 1)) if n > 1 else 0.0


def _tail_of_moments(picks: Floats, scores: Floats, groups: Sequence[Ints], observed: float) -> float:
    """Give the normal tail of the observed sum, from exact mean and variance in independent groups."""
    moments = [permutation_moments(rows_of(picks, rows), rows_of(scores, rows)) for rows in groups]
    sizes = [len(rows) for rows in groups]
    mean = sum(size * mean for size, (mean, _) in zip(sizes, moments, strict=True))
    variance = sum(size**2 * variance for size, (_, variance) in zip(sizes, moments, strict=True))
    return _tail(observed - mean, math.sqrt(variance)) if variance > 0 else 1.0


def _tail(gain: float, error: float) -> float:
    """Give P(Z > gain / error)."""
    if error > 0:
        return normal_tail(gain / error)
    return 0.0 if gain > 0 else 1.0


def _groups(strata: Codes) -> list[Ints]:
    """Give the rows of each stratum, in the order of their numbers."""
    order = np.argsort(strata, kind="stable")
    starts = np.flatnonzero(np.diff(strata[order])) + 1
    return np.split(order, starts)
