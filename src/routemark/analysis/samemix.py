"""The gain of a router's picks over its own mix of models drawn at random.

P[i, m] is the share of question i's repeats that went to model m, Y[i, m] the score of model m asked
directly, n the number of questions. With s_m the mean of column m of P::

    expected = sum_m s_m mean_i Y[i, m]
    gain     = n/(n-1) (mean_i sum_m P[i, m] Y[i, m] - expected)

the sum over models of the covariance of being picked and being right. The p value is one-sided, from
permutations of the picks over the questions; above 2,000 questions from their exact mean and variance.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from routemark.analysis.arrays import Codes, Floats, Interval
from routemark.analysis.clusters import covariance_of_means
from routemark.analysis.distributions import normal_tail, student_t_quantile

PERMUTATIONS = 9_999
MOST_PERMUTED = 2_000
"""Questions; above, the permutation distribution is as good as normal."""

_CELLS = 1_000_000


class Gain(NamedTuple):
    """The picks against the same mix at random."""

    expected: float
    """Mean score of the mix at random."""
    gain: float
    interval: Interval
    p_value: float


def mix_gain(picks: Floats, scores: Floats, cluster: Codes, *, seed: int) -> Gain | None:
    """Give the gain of ``picks`` (n, models; rows sum to 1) on ``scores`` (n, models); None below two clusters.

    No entry may be unknown.
    """
    n, clusters = len(picks), len(np.unique(cluster))
    if clusters < 2:
        return None
    shares, means = picks.mean(axis=0), scores.mean(axis=0)
    expected = float(shares @ means)
    gain = n / (n - 1) * (float((picks * scores).sum(axis=1).mean()) - expected)
    influence = (picks * scores).sum(axis=1) - scores @ shares - picks @ means
    error = math.sqrt(covariance_of_means(influence[:, None], cluster)[0, 0])
    half = student_t_quantile(0.95, clusters - 1) * error
    return Gain(expected, gain, (gain - half, gain + half), permutation_p_value(picks, scores, seed=seed))


def permutation_p_value(picks: Floats, scores: Floats, *, seed: int) -> float:
    """Give P(the picks, dealt to the questions at random, score at least as well)."""
    n = len(picks)
    observed = float((picks * scores).sum())
    if n > MOST_PERMUTED:
        mean, variance = permutation_moments(picks, scores)
        return normal_tail((observed / n - mean) / math.sqrt(variance)) if variance > 0 else 1.0
    table = scores @ picks.T
    generator = np.random.default_rng(seed)
    block = max(1, _CELLS // n)
    reached = 0
    for start in range(0, PERMUTATIONS, block):
        count = min(block, PERMUTATIONS - start)
        order = generator.permuted(np.tile(np.arange(n), (count, 1)), axis=1)
        totals = table[np.arange(n), order].sum(axis=1)
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
    return mean, float(squares.sum()) / (n * n * (n - 1))
