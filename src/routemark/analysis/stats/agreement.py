"""How well a judge agrees with labels, and which way it leans: tables and arrays in, estimates out.

All intervals are at 95 %. Letters: n answers or pairs; p the table of shares, labels in rows and judge in
columns; w the weights of agreement, 1 on the diagonal.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from routemark.analysis.stats.arrays import Floats, Interval, Ints
from routemark.analysis.stats.clusters import grouped_means
from routemark.analysis.stats.distributions import normal_quantile
from routemark.analysis.stats.intervals import accuracy_interval, wilson
from routemark.analysis.stats.paired import difference_interval, paired
from routemark.records import Measured

UNKNOWN = Measured(value=None, ci95=None)
Z = normal_quantile(0.95)


def share(k: int, n: int) -> Measured:
    """Give k/n with Wilson's interval (Wilson 1927)."""
    return Measured(value=k / n, ci95=wilson(k / n, n, Z)) if n else UNKNOWN


def confusion(labels: Ints, judged: Ints, levels: int) -> Ints:
    """Count (label, judge) pairs in a table (levels, levels); both columns hold codes from 0."""
    return np.bincount(labels * levels + judged, minlength=levels * levels).reshape(levels, levels)


def quadratic(levels: int) -> Floats:
    """Give the weights 1 - (i - j)^2 / (levels - 1)^2 (Cohen 1968)."""
    place = np.arange(levels)
    return 1 - (place[:, None] - place) ** 2 / max(levels - 1, 1) ** 2


def kappa(table: Ints, weights: Floats | None = None) -> Measured:
    """Give Cohen's kappa, (po - pe) / (1 - pe), with po = sum w p and pe = sum w p_i. p_.j (Cohen 1960, 1968).

    ``weights``: of agreement, (levels, levels); None: the diagonal counts 1, all else 0. The interval is the
    large-sample one (Fleiss, Cohen and Everitt 1969). It has no width where all agree or none does: there
    Wilson's interval of po, with pe as it is, gives the bounds. Unknown where pe is 1: one level alone was used.
    """
    n = int(table.sum())
    if n == 0:
        return UNKNOWN
    w = np.eye(len(table)) if weights is None else weights
    p = table / n
    row, column = p.sum(axis=1), p.sum(axis=0)
    po, pe = float((w * p).sum()), float(row @ w @ column)
    if 1 - pe < 1e-12:
        return UNKNOWN
    value = (po - pe) / (1 - pe)
    mean_weight = (w @ column)[:, None] + (row @ w)
    inner = float((p * (w * (1 - pe) - mean_weight * (1 - po)) ** 2).sum())
    variance = (inner - (po * pe - 2 * pe + po) ** 2) / (n * (1 - pe) ** 4)
    return Measured(value=value, ci95=_kappa_interval(value, variance, po, pe, n))


def _kappa_interval(value: float, variance: float, po: float, pe: float, n: int) -> Interval:
    if variance > 1e-15:
        half = Z * math.sqrt(variance)
        low, high = value - half, value + half
    else:
        low, high = ((bound - pe) / (1 - pe) for bound in wilson(min(max(po, 0.0), 1.0), n, Z))
    return max(-1.0, min(low, value)), min(1.0, max(high, value))


# --------------------------------------------------------------------------- which way a judge leans


def orders_disagree(orders: Sequence[tuple[str, str]]) -> Measured:
    """Give the share of pairs whose two orders name different winners.

    ``orders``: who won ("first", "second", "tie") with A as the first, and with B as the first.
    """
    consistent = {("first", "second"), ("second", "first"), ("tie", "tie")}
    return share(sum(pair not in consistent for pair in orders), len(orders))


def first_preferred(orders: Sequence[tuple[str, str]]) -> Measured:
    """Give the share of verdicts with a winner that name the first answer: 0.5 without position bias.

    The two orders of a pair are a cluster: Wilson's interval with the effective size.
    """
    decided = [(at, won == "first") for at, pair in enumerate(orders) for won in pair if won != "tie"]
    if not decided:
        return UNKNOWN
    pair = np.array([at for at, _ in decided], dtype=np.int32)
    score = np.array([first for _, first in decided], dtype=np.float64)
    each = np.arange(len(decided), dtype=np.int32)
    (mean,) = grouped_means(1, np.zeros(len(decided), dtype=np.int32), each, pair, score)
    return Measured(value=mean.value, ci95=accuracy_interval(mean))


def prefers_longer(judged: Floats, labels: Floats, lengths: Floats) -> Measured:
    """Give how much more often the judge prefers the longer answer than the labels do: a difference of shares.

    ``judged``, ``labels``: (n,) 1 where A is preferred, 0 where B is, 0.5 for a tie. ``lengths``: (n, 2), of A
    and B; pairs of equal length are left out. Paired, Student's t over the pairs.
    """
    differ = lengths[:, 0] != lengths[:, 1]
    a_longer = lengths[differ, 0] > lengths[differ, 1]
    towards = [np.where(a_longer, score[differ], 1 - score[differ]) for score in (judged, labels)]
    pair = paired(towards[0], towards[1], np.arange(len(a_longer), dtype=np.int32), single=False)
    return UNKNOWN if pair.n == 0 else Measured(value=pair.mean, ci95=difference_interval(pair))


def correlation(x: Floats, y: Floats) -> Measured:
    """Give Pearson's r with the interval of Fisher's z, 1 / sqrt(n - 3) (Fisher 1921).

    Unknown below two points and where one of the two does not vary; without an interval below four.
    """
    n = len(x)
    if n < 2 or np.ptp(x) == 0 or np.ptp(y) == 0:
        return UNKNOWN
    r = float(np.clip(np.corrcoef(x, y)[0, 1], -1.0, 1.0))
    if n < 4:
        return Measured(value=r, ci95=None)
    if abs(r) == 1.0:
        return Measured(value=r, ci95=(r, r))
    z, half = math.atanh(r), Z / math.sqrt(n - 3)
    return Measured(value=r, ci95=(math.tanh(z - half), math.tanh(z + half)))
