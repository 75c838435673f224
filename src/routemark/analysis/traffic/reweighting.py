"""What the arms would be for any mix of difficulties, told by a few numbers an arm and a pair.

Post-stratification (see `strata`): with W_h the weight of difficulty h, a mean is sum_h W_h mean_h and its
variance sum_hk W_h W_k G_hk, G_hk = sum over clusters c of f_h r_ch/n_h f_k r_ck/n_k, where r_ch is the sum of
the residuals of the cluster in h, n_h the number of questions and f_h^2 = C_h/(C_h - 1). So a page can weigh anew
what was measured, to the digit of `weights`, without the answers.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import combinations
from typing import NamedTuple

import numpy as np

from routemark.analysis.compare import Matrix, lost_share
from routemark.analysis.matrix.outcomes import Grouping
from routemark.analysis.stats.arrays import Codes, Floats, Ints
from routemark.analysis.stats.clusters import covariance_of_means
from routemark.analysis.sureness import sure_quantile
from routemark.records import ArmMoments, ArmSummary, Moments, PairMoments, Reweighting

MOST_LABELS = 8
"""With more difficulties there is nothing to reweight: all questions are one."""
MOST_ARMS = 12
MOST_CELLS = 20_000_000
"""Questions times pairs; beyond, only pairs with the arm that is judged."""
ALL = "all questions"


def reweighting(
    cells: Matrix, arms: Mapping[str, ArmSummary], difficulty: Grouping, subject: str | None
) -> Reweighting | None:
    """Give the moments of the first arms, the one that is judged (``subject``) among them; None below two.

    Arms that were asked a sample of the questions are left out. ``difficulty``: of the questions of ``cells``.
    """
    names = list(arms)
    kept = [
        i for i, name in enumerate(names) if arms[name].sample is None and arms[name].accuracy is not None
    ]
    kept.sort(key=lambda i: names[i] != subject)
    kept = sorted(kept[:MOST_ARMS])
    if len(kept) < 2:
        return None
    strata = _Strata(cells.cluster, difficulty)
    pairs = list(combinations(kept, 2))
    if len(pairs) * len(cells.cluster) > MOST_CELLS:
        pairs = [pair for pair in pairs if subject in {names[i] for i in pair}]
    pairs = [(b, a) if names[b] == subject else (a, b) for a, b in pairs]
    asked = np.bincount(strata.code[strata.code >= 0], minlength=len(strata.labels))
    return Reweighting(
        labels=strata.labels,
        shares=(asked / max(1, asked.sum())).tolist(),
        arms=[
            ArmMoments(
                arm=names[i],
                score=_moments(strata.moments(cells.score[:, [i]])),
                cost=_moments(strata.moments(cells.cost[:, [i]])),
            )
            for i in kept
        ],
        pairs=[_pair(cells, strata, arms, a, b) for a, b in pairs],
    )


def _pair(cells: Matrix, strata: _Strata, arms: Mapping[str, ArmSummary], a: int, b: int) -> PairMoments:
    values = np.column_stack([cells.score[:, a] - cells.score[:, b], cells.cost[:, a] - cells.cost[:, b]])
    found = strata.moments(values)
    labels, names = len(strata.labels), list(arms)
    lost = max(lost_share(arms[names[a]]), lost_share(arms[names[b]]))
    return PairMoments(
        arm=names[a],
        baseline=names[b],
        score=_moments(found, 0),
        cost=_moments(found, 1),
        cross=found.covariance[:labels, labels:].tolist(),
        whole=_whole(values, cells.cluster, lost),
    )


def _whole(values: Floats, cluster: Codes, lost: float) -> list[float]:
    """Give D, C, s_dd, s_dc, s_cc and t, as `value.price` has them; empty where nothing is sure at any mix."""
    known = ~np.isnan(values).any(axis=1)
    t = sure_quantile(int(known.sum()), len(np.unique(cluster[known])) - 1, lost)
    if math.isnan(t):
        return []
    (dd, dc), (_, cc) = covariance_of_means(values[known], cluster[known]).tolist()
    d, c = values[known].mean(axis=0).tolist()
    return [d, c, dd, dc, cc, t]


class _Found(NamedTuple):
    """Moments of k columns over h strata."""

    n: Ints
    clusters: Ints
    mean: Floats
    """(k, h)"""
    covariance: Floats
    """(k h, k h)"""


class _Strata:
    """The difficulties, laid out once for all columns."""

    def __init__(self, cluster: Codes, difficulty: Grouping) -> None:
        self.labels, self.code = list(difficulty.names), difficulty.code
        if not 1 < len(self.labels) <= MOST_LABELS or np.any(difficulty.code < 0):
            self.labels, self.code = [ALL], np.zeros(len(cluster), dtype=np.int32)
        of_cluster, place = np.unique(cluster, return_inverse=True)
        self._clusters = len(of_cluster)
        self._cell = place.astype(np.int64) * len(self.labels) + self.code

    def moments(self, values: Floats) -> _Found:
        """Give the moments of ``values`` (n, k) over the rows without an unknown entry."""
        rows = ~np.isnan(values).any(axis=1)
        values, cell, code = values[rows], self._cell[rows], self.code[rows]
        count, size = len(self.labels), self._clusters * len(self.labels)
        n = np.bincount(code, minlength=count)
        clusters = (np.bincount(cell, minlength=size).reshape(-1, count) > 0).sum(axis=0)
        sums = np.array([np.bincount(code, weights=column, minlength=count) for column in values.T])
        mean = np.divide(sums, n, out=np.zeros(sums.shape), where=n > 0)
        factor = np.divide(
            np.sqrt(np.divide(clusters, clusters - 1, out=np.zeros(count), where=clusters > 1)),
            n,
            out=np.zeros(count),
            where=n > 0,
        )
        inside = (values - mean[:, code].T) * factor[code][:, None]
        totals = np.concatenate(
            [np.bincount(cell, weights=column, minlength=size).reshape(-1, count) for column in inside.T],
            axis=1,
        )
        return _Found(n, clusters, mean, totals.T @ totals)


def _moments(found: _Found, column: int = 0) -> Moments:
    count = len(found.n)
    at = slice(column * count, (column + 1) * count)
    return Moments(
        n=found.n.tolist(),
        clusters=found.clusters.tolist(),
        mean=[_short(value) for value in found.mean[column].tolist()],
        covariance=[[_short(value) for value in row] for row in found.covariance[at, at].tolist()],
    )


def _short(value: float) -> float:
    """Cut digits that nobody will miss, so that the numbers stay small in a page."""
    return float(f"{value:.13g}") if math.isfinite(value) else value
