"""Means of questions that are not all independent, and the variance of such means.

A cluster is a family of questions (``metadata.family``), else the question itself. Repeats are averaged
within the question first; every question then has the same weight. The variance comes from the sums of
residuals of whole clusters, so whatever dependence there is inside a cluster is in it. With clusters of one
size this is the variance of the cluster means, ddof 1, divided by their number.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from routemark.analysis.stats.arrays import Codes, Floats, Ints


class Mean(NamedTuple):
    """A mean score, with what its interval needs."""

    value: float
    """NaN without a score."""
    variance: float
    """Of the mean; NaN below two clusters."""
    rows: int
    """Scores."""
    clusters: int
    plain: bool
    """All scores are 0 or 1, one a cluster: the textbook case."""


def grouped_means(groups: int, group: Codes, question: Codes, cluster: Codes, score: Floats) -> list[Mean]:
    """Give the mean score of each of ``groups`` groups; the arrays have one entry a score, none NaN."""
    rows = np.bincount(group, minlength=groups)
    first, of_question, repeats = _sums_by_pair(group, question, score)
    of_question /= repeats
    group, cluster = group[first], cluster[first]
    questions = np.bincount(group, minlength=groups)
    total = np.bincount(group, weights=of_question, minlength=groups)
    with np.errstate(invalid="ignore"):
        mean = total / questions
    partial = np.bincount(group, weights=(of_question != 0) & (of_question != 1), minlength=groups)
    clusters, variance = _cluster_variance(groups, group, cluster, of_question - mean[group])
    return [
        Mean(float(m), float(v), int(r), int(c), bool(r == c and not p))
        for m, v, r, c, p in zip(mean, variance, rows, clusters, partial, strict=True)
    ]


def distinct(codes: Codes) -> int:
    """Give the number of different codes; counted, not sorted, where they are indices."""
    return int(np.count_nonzero(np.bincount(codes))) if _are_indices(codes) else len(np.unique(codes))


def _are_indices(codes: Codes) -> bool:
    """Tell whether an array by code is hardly longer than the codes themselves."""
    whole = bool(len(codes)) and np.issubdtype(codes.dtype, np.integer)
    return whole and int(codes.min()) >= 0 and int(codes.max()) < 4 * len(codes) + 1000


def covariance_of_means(values: Floats, cluster: Codes) -> Floats:
    """Give the covariance matrix (k, k) of the column means of ``values`` (n, k).

    ``cluster`` has one index a row. Below two clusters nothing is known: NaN.
    """
    residuals: Floats = np.subtract(values, values.mean(axis=0)).T
    count = distinct(cluster)
    if count < 2:
        return np.full((values.shape[1], values.shape[1]), np.nan)
    if count < len(values):
        place = cluster if _are_indices(cluster) else np.unique(cluster, return_inverse=True)[1]
        residuals = np.array([np.bincount(place, weights=column) for column in residuals])
    # not by @, whose last digit hangs on the number of its threads
    covariance: Floats = np.einsum("ic,jc->ij", residuals, residuals) * (
        count / (count - 1) / len(values) ** 2
    )
    return covariance


def _cluster_variance(groups: int, group: Codes, cluster: Codes, residual: Floats) -> tuple[Ints, Floats]:
    """Give the number of clusters and the variance of the mean of each group; one residual a question."""
    first, of_cluster, questions_each = _sums_by_pair(group, cluster, residual)
    of_pair = group[first]
    clusters = np.bincount(of_pair, minlength=groups)
    spread = np.bincount(of_pair, weights=of_cluster**2, minlength=groups)
    questions = np.bincount(of_pair, weights=questions_each, minlength=groups)
    with np.errstate(invalid="ignore", divide="ignore"):
        variance = spread / questions**2 * clusters / (clusters - 1)
    return clusters, np.where(clusters > 1, variance, np.nan)


def _sums_by_pair(major: Codes, minor: Codes, values: Floats) -> tuple[Ints, Floats, Ints]:
    """Give the first position of each distinct pair, the sum of its values and their number."""
    width = int(minor.max(initial=0)) + 1
    key = major.astype(np.int64) * width + minor
    order = np.argsort(key, kind="stable")
    key = key[order]
    starts = np.flatnonzero(np.diff(key, prepend=-1))
    if not len(starts):
        return starts, np.zeros(0), starts
    return order[starts], np.add.reduceat(values[order], starts), np.diff(starts, append=len(key))
