"""Means for another mix of questions than the one that was asked: post-stratification.

With W_h the weight of stratum h and n_h its questions, mean = sum_h W_h mean_h. Its variance comes from the
residuals inside the strata: a cluster c adds (sum_h f_h W_h/n_h sum of its residuals in h)^2, where
f_h^2 = C_h/(C_h - 1) for the C_h clusters of the stratum. Where no cluster reaches over two strata, this is the
textbook sum_h W_h^2 s_h^2/C_h of a stratified mean of clusters; with one stratum, the variance of ``clusters``.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from routemark.analysis.stats.arrays import Bools, Codes, Floats, Interval, Ints
from routemark.analysis.stats.distributions import student_t_quantile
from routemark.analysis.stats.intervals import wilson
from routemark.analysis.stats.paired import Paired


class Strata(NamedTuple):
    """A mix of questions."""

    code: Codes
    """(n,) stratum of each question."""
    weight: Floats
    """(strata,) share of each in the mix, adding up to 1."""


class Stratified(NamedTuple):
    """Weighted means of k columns."""

    mean: Floats
    """(k,)"""
    covariance: Floats
    """(k, k) of the means."""
    rows: int
    clusters: int
    degrees: int
    """For Student's t: Satterthwaite's, of the first column, at least 1."""
    alike: float
    """Clusters of a sample in the very mix that would tell as much: 1 / sum W_h^2/C_h."""


def stratified(values: Floats, cluster: Codes, strata: Strata) -> Stratified | None:
    """Give the weighted means of ``values`` (n, k); rows with an unknown entry are left out.

    None where a stratum with a weight has fewer than two clusters: nothing is known of its spread.
    """
    rows = ~np.isnan(values).any(axis=1) & (strata.weight[strata.code] > 0)
    values, code = values[rows], strata.code[rows]
    of_cluster, place = np.unique(cluster[rows], return_inverse=True)
    count = len(strata.weight)
    used = strata.weight > 0
    n = np.bincount(code, minlength=count)
    pairs = np.unique(place.astype(np.int64) * count + code)
    clusters = np.bincount(pairs % count, minlength=count)
    if np.any(clusters[used] < 2):
        return None
    share = np.divide(strata.weight, n, out=np.zeros(count), where=n > 0)
    sums = np.array([np.bincount(code, weights=column, minlength=count) for column in values.T])
    inside = values - np.divide(sums, n, out=np.zeros_like(sums), where=n > 0)[:, code].T
    factor = np.sqrt(np.divide(clusters, clusters - 1, out=np.zeros(count), where=clusters > 1))
    scaled = inside * (factor * share)[code][:, None]
    whole = np.array([np.bincount(place, weights=column, minlength=len(of_cluster)) for column in scaled.T])
    own = np.bincount(place.astype(np.int64) * count + code, weights=scaled[:, 0])
    own = np.resize(np.append(own, np.zeros(len(of_cluster) * count - len(own))), (len(of_cluster), count))
    return Stratified(
        mean=sums @ share,
        covariance=whole @ whole.T,
        rows=int(rows.sum()),
        clusters=len(of_cluster),
        degrees=_satterthwaite((own**2).sum(axis=0), clusters),
        alike=1 / float((strata.weight[used] ** 2 / clusters[used]).sum()),
    )


def weighted_accuracy(score: Floats, cluster: Codes, strata: Strata) -> tuple[float, Interval] | None:
    """Give the weighted mean score and its interval; scores (n,), NaN unknown; None as for `stratified`.

    Wilson's with the effective number of answers p(1 - p)/variance, held between the clusters that would tell
    as much and the scores there are, and t by Satterthwaite's degrees of freedom.
    """
    found = stratified(score[:, None], cluster, strata)
    if found is None:
        return None
    # weights that add up to 1 but for rounding must not make all right almost all right
    p, variance = round(float(found.mean[0]), 12), float(found.covariance[0, 0])
    size = found.alike
    if p not in {0.0, 1.0}:
        size = max(found.alike, min(found.rows, p * (1 - p) / variance)) if variance > 0 else found.rows
    return p, wilson(p, size, student_t_quantile(0.95, found.degrees))


def weighted_difference(
    arm: Floats, baseline: Floats, cluster: Codes, strata: Strata, *, single: bool
) -> Paired | None:
    """Condense two score columns, as `paired.paired` does, for the mix; None as for `stratified`.

    Right/wrong scores, one a cluster, have in each stratum the variance of Bonett and Price, hence never none.
    """
    difference = arm - baseline
    found = stratified(difference[:, None], cluster, strata)
    if found is None:
        return None
    known = ~np.isnan(difference) & (strata.weight[strata.code] > 0)
    scores = np.concatenate([arm[known], baseline[known]])
    variance = float(found.covariance[0, 0])
    if single and found.clusters == found.rows and np.all((scores == 0) | (scores == 1)):
        variance = _adjusted_variance(difference, known, strata)
    return Paired(found.rows, found.clusters, float(found.mean[0]), variance, None, None, found.degrees)


def _adjusted_variance(difference: Floats, known: Bools, strata: Strata) -> float:
    """Give the sum over strata of W_h^2 (p1 + p2 - (p1 - p2)^2)/(n_h + 2), p1 = (b_h + 1)/(n_h + 2)."""
    count = len(strata.weight)
    n = np.bincount(strata.code[known], minlength=count)
    p1, p2 = (
        (np.bincount(strata.code[known & better], minlength=count) + 1) / (n + 2)
        for better in (difference > 0, difference < 0)
    )
    return float((strata.weight**2 * (p1 + p2 - (p1 - p2) ** 2) / (n + 2)).sum())


def _satterthwaite(variances: Floats, clusters: Ints) -> int:
    """Give (sum v_h)^2 / sum v_h^2/(C_h - 1); without any variance, clusters - strata."""
    used = clusters > 1
    below = float((variances[used] ** 2 / (clusters[used] - 1)).sum())
    most = int((clusters[used] - 1).sum())
    if below <= 0:
        return max(1, most)
    return max(1, min(most, math.floor(float(variances.sum()) ** 2 / below + 1e-9)))
