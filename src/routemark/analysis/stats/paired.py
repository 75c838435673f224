"""The paired difference of two arms' scores: condensed once, then interval, test and spread from it."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from routemark.analysis.stats.arrays import Codes, Floats, Interval
from routemark.analysis.stats.clusters import covariance_of_means, distinct
from routemark.analysis.stats.distributions import student_t_quantile, student_t_tail
from routemark.analysis.stats.intervals import bonett_price
from routemark.analysis.stats.significance import mcnemar_mid_p


class Paired(NamedTuple):
    """What intervals and tests need of n paired score differences, arm minus baseline."""

    n: int
    """Questions with a score of both."""
    clusters: int
    mean: float
    """NaN when n is 0."""
    variance: float
    """Of the mean, from clusters; NaN below two."""
    only_arm: int | None
    """Questions that only the arm got right; None unless all scores are 0 or 1, one a cluster."""
    only_baseline: int | None
    degrees: int | None = None
    """For Student's t; None: clusters - 1."""


def paired(arm: Floats, baseline: Floats, cluster: Codes, *, single: bool) -> Paired:
    """Condense two score columns (one entry a question, NaN unknown).

    ``single``: no entry is a mean of repeats, so that 0 and 1 stand for wrong and right.
    """
    known = ~(np.isnan(arm) | np.isnan(baseline))
    arm, baseline, cluster = arm[known], baseline[known], cluster[known]
    n, clusters = len(arm), distinct(cluster)
    if n == 0:
        return Paired(0, 0, math.nan, math.nan, None, None)
    difference = arm - baseline
    variance = float(covariance_of_means(difference[:, None], cluster)[0, 0])
    scores = np.concatenate([arm, baseline])
    right_wrong = single and clusters == n and bool(np.all((scores == 0) | (scores == 1)))
    only_arm = int(np.count_nonzero(difference > 0)) if right_wrong else None
    only_baseline = int(np.count_nonzero(difference < 0)) if right_wrong else None
    return Paired(n, clusters, float(difference.mean()), variance, only_arm, only_baseline)


def difference_interval(pair: Paired, level: float = 0.95, *, reach: float = 1.0) -> Interval | None:
    """Give the interval of the mean difference, within -``reach`` .. ``reach``; None below two clusters.

    Bonett-Price for right/wrong scores, one a cluster; else t with clusters - 1. Where no cluster differs
    from any other, t has width zero, which n identical answers do not prove: the width of Bonett-Price
    without a discordant cluster is taken. ``reach``: 2 for a difference of two differences.
    """
    if pair.only_arm is not None and pair.only_baseline is not None:
        return bonett_price(pair.only_arm, pair.only_baseline, pair.n, level)
    if pair.clusters < 2:
        return None
    if pair.variance > 0:
        half = student_t_quantile(level, pair.degrees or pair.clusters - 1) * math.sqrt(pair.variance)
    else:
        half = bonett_price(0, 0, pair.clusters, level)[1]
    return max(-reach, pair.mean - half), min(reach, pair.mean + half)


def difference_p_value(pair: Paired) -> float | None:
    """Give the two-sided p of "no difference": mid-p McNemar, or of the t statistic; None below two clusters."""
    if pair.only_arm is not None and pair.only_baseline is not None:
        return mcnemar_mid_p(pair.only_arm, pair.only_baseline)
    if pair.clusters < 2:
        return None
    if pair.variance == 0:
        return 1.0 if pair.mean == 0 else 0.0
    degrees = pair.degrees or pair.clusters - 1
    return min(1.0, 2 * student_t_tail(abs(pair.mean) / math.sqrt(pair.variance), degrees))


def spread(pair: Paired) -> float | None:
    """Give psi, the variance of one cluster's difference, which decides how many questions are needed.

    Right/wrong: (b + c + 2)/(n + 2), the share of discordant questions, Laplace-adjusted.
    """
    if pair.only_arm is not None and pair.only_baseline is not None:
        return (pair.only_arm + pair.only_baseline + 2) / (pair.n + 2)
    return pair.variance * pair.clusters if pair.clusters > 1 else None
