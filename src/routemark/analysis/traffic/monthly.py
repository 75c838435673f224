"""Dollars a month: what an arm costs more, or less, than the baseline at the user's traffic."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from routemark.analysis.compare import Pair
from routemark.analysis.stats.arrays import Interval
from routemark.analysis.stats.resampling import difference, resampled
from routemark.analysis.traffic.weights import Mix


def monthly_usd(mix: Mix, arm: str, baseline: str, traffic: int) -> tuple[float, Interval] | None:
    """Give the mean paired cost difference times the calls of a month, US dollars, and its interval.

    The interval reaches as far as that of Student's t over clusters or the bootstrap-t (see ``resampling``),
    whichever goes further on either side: with skewed costs each of them alone covers too little, in different
    cases. Approximate. None below 20 questions with both costs known.
    """
    cost = mix.cells.cost
    paid = cost[:, [mix.of(arm)]] - cost[:, [mix.of(baseline)]]
    found = resampled(paid, mix.cells.cluster, mix.strata, difference, seed=mix.seed)
    if found is None:
        return None
    either = [found.interval(0.95), found._replace(t=None).interval(0.95)]
    low, high = zip(*(interval for interval in either if interval is not None), strict=True)
    return traffic * found.value, (traffic * min(low), traffic * max(high))


def with_months(pairs: Sequence[Pair], mix: Mix, traffic: int) -> list[Pair]:
    """Give the comparisons with their dollars a month."""
    found = []
    for pair in pairs:
        one = pair.comparison
        months = monthly_usd(mix, one.arm, one.baseline, traffic)
        if months is not None:
            one = msgspec.structs.replace(one, monthly_usd=months[0], monthly_usd_ci95=months[1])
        found.append(pair._replace(comparison=one))
    return found
