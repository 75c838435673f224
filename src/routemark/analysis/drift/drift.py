"""What became of an arm between two dates, A and B, on the same questions.

Arrays have one row a question. Picks are codes of models (n, repeats), negative where there is none, so that
a million questions take a few bytes each; scores, costs and latencies are NaN where unknown. A question with
several picks on a date spreads itself over them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from routemark.analysis.stats.arrays import Bools, Codes, Floats, Interval, Ints
from routemark.analysis.stats.paired import Paired, difference_interval, difference_p_value, paired
from routemark.analysis.stats.significance import benjamini_hochberg

SWAPS = 10_000
"""Random swaps of the dates."""
FEWEST_IN_STRATUM = 10
"""Questions of a label, below which nothing is said of it."""
FALSE_DISCOVERIES = 0.1
"""Share of the strata listed "to look at" that may be there by chance, on average."""
RESAMPLES = 2_000
FEWEST_RESAMPLES = 200
FEWEST_QUESTIONS = 20
"""Below, a change of a percentile has no interval."""

_CELLS = 1_000_000
_DRAWS = 30_000_000


# ------------------------------------------------------------------------------------------ scores


class Scores(NamedTuple):
    """Two columns (n,) whose difference is what became of an arm.

    Without anchors its scores on B and on A. With them the difference in differences: its own change of score,
    and on the same question the mean change of the anchors that are known on both dates (`mean_known`).
    """

    arm: Floats
    baseline: Floats
    single: bool
    """Both are scores, and no entry is a mean of repeats."""
    reach: float
    """The largest difference there can be: 1 of scores, 2 of their changes."""


def difference(scores: Scores, cluster: Codes) -> Paired:
    """Give the mean difference over the questions on which both columns are known."""
    return paired(scores.arm, scores.baseline, cluster, single=scores.single)


def mean_known(values: Floats) -> Floats:
    """Give the mean of the known values of each row (n,); NaN without one."""
    known = ~np.isnan(values)
    count = known.sum(axis=1)
    total = np.where(known, values, 0.0).sum(axis=1)
    mean: Floats = np.divide(total, count, out=np.full(len(values), np.nan), where=count > 0)
    return mean


# ------------------------------------------------------------------------------------------- picks


class PickChange(NamedTuple):
    """Which models an arm picked on the two dates."""

    n: int
    """Questions with a pick on both."""
    changed: float
    """Mean probability that a pick of A and a pick of B of a question differ."""
    flips: tuple[float | None, float | None]
    """The same for two repeats within A, and within B; None without repeats."""
    excess: Paired | None
    """``changed`` beyond the mean of the two flips, on questions with repeats on both dates."""
    p_value: float
    """Of "the shares of the models moved by chance"."""
    shares: tuple[Floats, Floats]
    """(m,) of the picks of A, of B."""
    matrix: Floats
    """(m, m) questions by model on A (row) and model on B (column)."""


def pick_change(before: Codes, after: Codes, cluster: Codes, models: int, *, seed: int) -> PickChange | None:
    """Give what became of the picks; None where no question has one on both dates.

    excess = P(pick A != pick B) - (flip_A + flip_B) / 2, zero on average when a question's picks are drawn
    from one distribution on both dates.
    """
    at = has_pick(before) & has_pick(after)
    before, after, cluster = before[at], after[at], cluster[at]
    if not len(before):
        return None
    changed, flips = between(before, after), (within(before), within(after))
    excess = paired(changed, (flips[0] + flips[1]) / 2, cluster, single=False)
    return PickChange(
        n=len(before),
        changed=float(changed.mean()),
        flips=(_mean(flips[0]), _mean(flips[1])),
        excess=excess if excess.n else None,
        p_value=swap_p_value(before, after, seed=seed),
        shares=(_shares(before, models), _shares(after, models)),
        matrix=_moves(before, after, models),
    )


def has_pick(picks: Codes) -> Bools:
    """Give the questions (n,) with a pick."""
    found: Bools = np.asarray((picks >= 0).any(axis=1))
    return found


def between(before: Codes, after: Codes) -> Floats:
    """Give the share (n,) of pairs of a pick of A and a pick of B that differ; NaN without a pair."""
    return _differing([(a, b) for a in before.T for b in after.T], len(before))


def within(picks: Codes) -> Floats:
    """Give the share (n,) of pairs of repeats of a question that got different models; NaN without a pair."""
    columns = list(picks.T)
    return _differing([(a, b) for i, a in enumerate(columns) for b in columns[:i]], len(picks))


def swap_p_value(before: Codes, after: Codes, *, seed: int) -> float:
    """Give P(shares move at least as far) when the dates of each question are swapped at random.

    The statistic is the L1 distance of the shares of the models on the two dates; p = (1 + reached) / (1 +
    swaps). Questions with the same picks are swapped together: of k alike, a binomial number goes one way.
    ``before``, ``after``: with a pick on every row.
    """
    alike, count = _distinct(before, after)
    models = int(alike.max(initial=0)) + 1
    width = before.shape[1]
    move = _shares_of_rows(alike[:, width:], models) - _shares_of_rows(alike[:, :width], models)
    moved = (move != 0).any(axis=1)
    move, count = move[moved], count[moved]
    if not len(move):
        return 1.0
    least = float(np.abs(count @ move).sum()) - 1e-9 * len(before)
    generator = np.random.default_rng(seed)
    block = max(1, _CELLS // len(move))
    reached = 0
    for start in range(0, SWAPS, block):
        size = (min(block, SWAPS - start), len(move))
        balance = 2 * generator.binomial(count, 0.5, size=size) - count
        reached += int(np.count_nonzero(np.abs(balance @ move).sum(axis=1) >= least))
    return (1 + reached) / (1 + SWAPS)


def _distinct(before: Codes, after: Codes) -> tuple[Codes, Ints]:
    """Give the distinct rows of picks on both dates, repeats in any order, and how often each occurs."""
    rows = np.concatenate([np.sort(before, axis=1), np.sort(after, axis=1)], axis=1)
    found, count = np.unique(rows, axis=0, return_counts=True)
    return found, count.astype(np.int64)


def _differing(pairs: Sequence[tuple[Codes, Codes]], n: int) -> Floats:
    differ, known = np.zeros(n), np.zeros(n)
    for a, b in pairs:
        both = (a >= 0) & (b >= 0)
        known += both
        differ += both & (a != b)
    share: Floats = np.divide(differ, known, out=np.full(n, np.nan), where=known > 0)
    return share


def _mean(values: Floats) -> float | None:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else None


def _shares(picks: Codes, models: int) -> Floats:
    """Give the share (models,) of the questions that each model got."""
    known = picks >= 0
    weight = np.broadcast_to(1 / known.sum(axis=1, keepdims=True), picks.shape)
    return np.bincount(picks[known], weights=weight[known], minlength=models) / len(picks)


def _shares_of_rows(picks: Codes, models: int) -> Floats:
    """Give the shares (rows, models) of each row's picks."""
    row = np.broadcast_to(np.arange(len(picks))[:, None], picks.shape)
    known = picks >= 0
    cell = row[known] * models + picks[known]
    counts = np.bincount(cell, minlength=len(picks) * models).reshape(len(picks), models)
    shares: Floats = counts / known.sum(axis=1, keepdims=True)
    return shares


def _moves(before: Codes, after: Codes, models: int) -> Floats:
    """Give the matrix (models, models) of questions by their pick on A and on B."""
    weight = 1.0 / ((before >= 0).sum(axis=1) * (after >= 0).sum(axis=1))
    total = np.zeros(models * models)
    for a in before.T:
        for b in after.T:
            both = (a >= 0) & (b >= 0)
            cell = a[both].astype(np.int64) * models + b[both]
            total += np.bincount(cell, weights=weight[both], minlength=models * models)
    return total.reshape(models, models)


# ------------------------------------------------------------------------------------------ strata


class Stratum(NamedTuple):
    """What became of an arm on the questions of one label."""

    label: int
    n: int
    picks_changed: float | None
    picks_p_value: float | None
    difference: Paired
    interval: Interval | None
    p_value: float | None
    """Of the difference of scores."""
    look_at: tuple[bool, bool]
    """Picks, scores: stands out among all tests of all strata."""


def strata(
    label: Codes, picks: tuple[Codes, Codes], scores: Scores, cluster: Codes, *, seed: int
) -> list[Stratum]:
    """Give the strata of at least 10 questions, by label code; a negative code is no label.

    Picks are tested by `swap_p_value`, scores as a paired difference; all these tests make one family, in which
    Benjamini and Hochberg's procedure at 10 % says what to look at.
    """
    found = []
    for code in np.flatnonzero(np.bincount(label[label >= 0]) >= FEWEST_IN_STRATUM).tolist():
        at = label == code
        inside = scores._replace(arm=scores.arm[at], baseline=scores.baseline[at])
        found.append(_stratum(code, (picks[0][at], picks[1][at]), inside, cluster[at], seed))
    tests = [(i, k, p) for i, one in enumerate(found) for k, p in enumerate(_p_values(one)) if p is not None]
    adjusted = benjamini_hochberg([p for _, _, p in tests])
    notable = {(i, k) for (i, k, _), p in zip(tests, adjusted, strict=True) if p <= FALSE_DISCOVERIES}
    return [one._replace(look_at=((i, 0) in notable, (i, 1) in notable)) for i, one in enumerate(found)]


def _p_values(stratum: Stratum) -> tuple[float | None, float | None]:
    return stratum.picks_p_value, stratum.p_value


def _stratum(code: int, picks: tuple[Codes, Codes], scores: Scores, cluster: Codes, seed: int) -> Stratum:
    at = has_pick(picks[0]) & has_pick(picks[1])
    before, after = picks[0][at], picks[1][at]
    tested = len(before) >= FEWEST_IN_STRATUM
    pair = difference(scores, cluster)
    scored = pair.n >= FEWEST_IN_STRATUM
    return Stratum(
        label=code,
        n=len(cluster),
        picks_changed=float(between(before, after).mean()) if tested else None,
        picks_p_value=swap_p_value(before, after, seed=seed) if tested else None,
        difference=pair,
        interval=difference_interval(pair, reach=scores.reach) if scored else None,
        p_value=difference_p_value(pair) if scored else None,
        look_at=(False, False),
    )


# ----------------------------------------------------------------------------------------- latency


class Shift(NamedTuple):
    """A percentile on the two dates."""

    before: float
    after: float
    interval: Interval | None
    """95 %, of ``after`` - ``before``."""


def quantile_shifts(before: Floats, after: Floats, quantiles: Sequence[float], *, seed: int) -> list[Shift]:
    """Give how quantiles of all values (n, repeats) moved; nothing without a question known on both dates.

    Percentile bootstrap over questions, both dates and all repeats of a question drawn together; quantiles are
    interpolated linearly between ranks, as everywhere. 2,000 resamples up to 15,000 questions, beyond that
    fewer. O(resamples x n).
    """
    at = ~np.isnan(before).all(axis=1) & ~np.isnan(after).all(axis=1)
    n = int(at.sum())
    if not n:
        return []
    levels = np.asarray(quantiles, dtype=float)
    sides = (_Sorted(before[at]), _Sorted(after[at]))
    once = np.ones(n, dtype=np.int64)
    first, second = (side.quantiles(once, levels) for side in sides)
    intervals: list[Interval | None] = [None] * len(levels)
    if n >= FEWEST_QUESTIONS:
        generator = np.random.default_rng(seed)
        shifts = np.empty((min(RESAMPLES, max(FEWEST_RESAMPLES, _DRAWS // n)), len(levels)))
        for row in shifts:
            weight = np.bincount(generator.integers(0, n, n), minlength=n)
            row[:] = sides[1].quantiles(weight, levels) - sides[0].quantiles(weight, levels)
        low, high = np.quantile(shifts, [0.025, 0.975], axis=0)
        intervals = [(float(a), float(b)) for a, b in zip(low, high, strict=True)]
    return [
        Shift(float(a), float(b), interval) for a, b, interval in zip(first, second, intervals, strict=True)
    ]


class _Sorted:
    """The known values of (n, repeats), sorted once, so that a reweighting of the rows costs no sort."""

    def __init__(self, values: Floats) -> None:
        owner = np.broadcast_to(np.arange(len(values))[:, None], values.shape)
        known = ~np.isnan(values)
        order = np.argsort(values[known], kind="stable")
        self._values, self._owner = values[known][order], owner[known][order]

    def quantiles(self, weight: Ints, levels: Floats) -> Floats:
        """Give the quantiles of the values, each taken as often as its row's weight says."""
        ranks = np.cumsum(weight[self._owner])
        place = (ranks[-1] - 1) * levels
        below = np.floor(place)
        low, high = (self._at(ranks, rank) for rank in (below, np.minimum(below + 1, ranks[-1] - 1)))
        between_ranks: Floats = low + (high - low) * (place - below)
        return between_ranks

    def _at(self, ranks: Ints, rank: Floats) -> Floats:
        """Give the values of 0-based ranks."""
        values: Floats = self._values[np.searchsorted(ranks, rank, side="right")]
        return values
