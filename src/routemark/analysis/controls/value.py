"""What a right answer must be worth for one arm to be the better buy (net benefit).

NB(v) = v D - C, with D and C the mean paired differences of score and of cost in US dollars a question,
arm minus baseline, and v US dollars a right answer: the net monetary benefit of health economics (Stinnett
and Mullahy 1998). With their covariance matrix s (of the means), se(v)^2 = v^2 s_dd + s_cc - 2 v s_dc.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Literal, NamedTuple

import numpy as np

from routemark.analysis.stats.arrays import Codes, Floats, by_column
from routemark.analysis.stats.clusters import covariance_of_means, distinct
from routemark.analysis.sureness import sure_quantile
from routemark.records import BenefitStanding, NetBenefit, PriceRange

PRICES_USD = (0.001, 0.01, 0.1, 1.0, 10.0)
"""US dollars a right answer at which net benefits are told; none of them is meant to be yours."""


class Means(NamedTuple):
    """The two differences of a pair, and how sure they are."""

    score: float
    """D, arm minus baseline."""
    cost: float
    """C, US dollars a question."""
    covariance: Floats
    """(2, 2) of D and C; NaN where nothing tells it."""
    t: float
    """Quantile of Student's t, two-sided 95 %; NaN leaves everything open."""

    def benefit(self, price: float) -> tuple[float, float]:
        """Give NB and t se(NB) at a price of a right answer, US dollars a question."""
        (dd, dc), (_, cc) = self.covariance
        variance = price * price * dd + cc - 2 * price * dc
        return price * self.score - self.cost, self.t * math.sqrt(max(0.0, variance))


class Price(NamedTuple):
    """Where the choice flips; US dollars a right answer."""

    indifference_usd: float | None
    """Both are equally good there; None when one is better at every price, or nothing is known."""
    always: Literal["better", "worse"] | None
    """What the arm is at every price above 0, as far as the means go."""
    surely_better: PriceRange | None
    """The prices at which the arm is surely (95 %) the better buy; None: at none."""
    surely_worse: PriceRange | None
    net_benefit: list[NetBenefit]
    """At `PRICES_USD`."""


NOTHING = Price(None, None, None, None, [])


def price(score_difference: Floats, cost_difference: Floats, cluster: Codes, lost: float = 0.0) -> Price:
    """Give where the arm is the better buy; one entry a question, NaN unknown.

    Only questions count on which both differences are known. Nothing is sure of too few of them, nor where too
    many answers were lost (see `sureness`).
    """
    known = ~(np.isnan(score_difference) | np.isnan(cost_difference))
    values = by_column([score_difference[known], cost_difference[known]])
    if not len(values):
        return NOTHING
    d, c = (float(mean) for mean in values.mean(axis=0))
    t = sure_quantile(len(values), distinct(cluster[known]) - 1, lost)
    return price_of(Means(d, c, covariance_of_means(values, cluster[known]), t))


def price_of(means: Means) -> Price:
    """Give where the arm is the better buy, from the two mean differences and their covariance."""
    d, c = means.score, means.cost
    always: Literal["better", "worse"] | None = None
    if d * c <= 0 and (d or c):
        always = "better" if d >= 0 and c <= 0 else "worse"
    better, worse = sure_ranges(means)
    return Price(
        c / d if d * c > 0 else None, always, better, worse, [net_benefit(means, v) for v in PRICES_USD]
    )


def net_benefit(means: Means, price_usd: float) -> NetBenefit:
    """Give NB(v), its interval NB -+ t se, and whether that is clear of 0."""
    benefit, half = means.benefit(price_usd)
    known = math.isfinite(half)
    return NetBenefit(
        price_usd=price_usd,
        per_1k_usd=1000 * benefit,
        ci95=(1000 * (benefit - half), 1000 * (benefit + half)) if known else None,
        standing=_standing(benefit, half),
    )


def sure_ranges(means: Means) -> tuple[PriceRange | None, PriceRange | None]:
    """Give the prices v >= 0 at which NB(v) is t standard errors above 0, and those at which it is below.

    Between them is Fieller's set {v: (D^2 - t^2 s_dd) v^2 - 2 (D C - t^2 s_dc) v + (C^2 - t^2 s_cc) <= 0},
    which may be bounded, unbounded on either side, empty, or everything. NB is linear in v, so that neither
    side has a gap. Nothing is sure where the covariance is not known.
    """
    (dd, dc), (_, cc) = (means.covariance * means.t**2).tolist()  # plain numbers
    if not math.isfinite(dd + dc + cc):
        return None, None
    d, c = means.score, means.cost
    roots = sorted({v for v in _roots(d * d - dd, -2 * (d * c - dc), c * c - cc) if v > 0})
    borders = [0.0, *roots, math.inf]
    found: dict[BenefitStanding, list[float]] = {}
    for low, high in pairwise(borders):
        inside = min(2 * low + 1, (low + high) / 2)  # near the lower one: a far border may be rounding alone
        found.setdefault(_standing(*means.benefit(inside)), []).extend((low, high))
    return _range(found.get("better", ())), _range(found.get("worse", ()))


def _range(borders: Sequence[float]) -> PriceRange | None:
    if not borders:
        return None
    low, high = borders[0], borders[-1]
    return PriceRange(from_usd=low, to_usd=None if math.isinf(high) else high)


def _standing(benefit: float, half: float) -> BenefitStanding:
    if benefit - half > 0:
        return "better"
    return "worse" if benefit + half < 0 else "open"


def _roots(a: float, b: float, c: float) -> list[float]:
    """Give the real roots of a v^2 + b v + c; none where every v is one."""
    if a == 0:
        return [-c / b] if b else []
    discriminant = b * b - 4 * a * c
    if discriminant < 0:
        return []
    # the stable pair: no difference of nearly equal numbers
    q = -0.5 * (b + math.copysign(math.sqrt(discriminant), b))
    return [q / a, c / q] if q else [0.0, 0.0]
