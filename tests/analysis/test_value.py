"""What a right answer must be worth: means, Fieller's set in all its shapes, and how often "surely" is wrong."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from routemark.analysis.controls.value import PRICES_USD, Means, net_benefit, price, price_of, sure_ranges


def _world(rng, n, d=-0.05, c=-0.0045):
    score = rng.choice([-1.0, 0.0, 1.0], size=n, p=[0.1 - d / 2, 0.8, 0.1 + d / 2])
    return score, c * rng.lognormal(-0.5, 1, n)


def means(d, c, dd, cc, dc=0.0):
    return Means(d, c, np.array([[dd, dc], [dc, cc]]), 1.0)


def test_indifference_price_by_hand():
    found = price(np.array([-1.0, 0, 0, 0]), np.array([-0.02, -0.02, -0.04, np.nan]), np.arange(4))
    assert found.indifference_usd == pytest.approx((0.08 / 3) / (1 / 3))


@pytest.mark.parametrize(
    ("d", "c", "always"),
    [
        (0.1, -1, "better"),
        (0.1, 0, "better"),
        (0, -1, "better"),
        (-0.1, 1, "worse"),
        (-0.1, 0, "worse"),
        (0, 1, "worse"),
        (0, 0, None),
        (0.1, 1, None),
        (-0.1, -1, None),
    ],
)
def test_one_side_is_better_at_every_price_where_it_loses_nothing(d, c, always):
    found = price_of(means(d, c, 0.01, 0.01))
    assert found.always == always
    assert (found.indifference_usd is None) == (always is not None or d == c == 0)


# d, c, s_dd, s_cc, s_dc with t = 1; then the prices at which the arm, or the baseline, is surely the better buy:
# from, to, where "low" and "high" are the positive roots of (d^2 - s_dd) v^2 - 2 (d c - s_dc) v + (c^2 - s_cc)
SHAPES = {
    "worse and cheaper, both sure": ((-3, -3, 4, 4, 0), (0, "low"), ("high", None)),
    "better and dearer, both sure": ((3, 3, 4, 4, 0), ("high", None), (0, "low")),
    "cheaper, quality open: no upper border": ((-1, -3, 4, 4, 0), (0, "low"), None),
    "dearer, quality open": ((1, 3, 4, 4, 0), None, (0, "low")),
    "worse, cost open: no lower border": ((-3, -1, 4, 4, 0), None, ("low", None)),
    "better, cost open": ((3, 1, 4, 4, 0), ("low", None), None),
    "better and cheaper, both sure: everywhere": ((3, -3, 4, 4, 0), (0, None), None),
    "worse and dearer, both sure: everywhere": ((-3, 3, 4, 4, 0), None, (0, None)),
    "nothing sure: everywhere open": ((1, -1, 4, 4, 0), None, None),
    "sure in the middle alone": ((1, -1, 1.2, 1.2, 0.9), ("low", "high"), None),
    "quality without any difference": ((0, -3, 0, 4, 0), (0, None), None),
    "cost without any difference": ((3, 0, 4, 0, 0), (0, None), None),
    "nothing differs": ((0, 0, 0, 0, 0), None, None),
    "the leading term vanishes": ((2, 3, 4, 1, 0), None, (0, "low")),
}


@pytest.mark.parametrize(("shape", "better", "worse"), SHAPES.values(), ids=SHAPES)
def test_every_shape_of_the_sure_set(shape, better, worse):
    d, c, dd, cc, dc = shape
    roots = sorted(
        np.roots([d * d - dd, -2 * (d * c - dc), c * c - cc]).tolist(), key=lambda z: complex(z).real
    )
    positive = [root for root in roots if not isinstance(root, complex) and root > 0]
    named = dict(zip(("low", "high"), positive, strict=False)) | {0: 0, None: None}
    for found, wanted in zip(sure_ranges(means(d, c, dd, cc, dc)), (better, worse), strict=True):
        assert (found and (found.from_usd, found.to_usd)) == (
            wanted and pytest.approx(tuple(map(named.get, wanted)))
        )


signed = st.floats(-5, 5).map(lambda x: round(x, 3))


@given(d=signed, c=signed, spread=st.tuples(st.floats(0.1, 5), st.floats(0.1, 5)), r=st.floats(-0.95, 0.95))
def test_the_sure_ranges_are_those_of_a_dense_grid(d, c, spread, r):
    s, u = spread
    pair = means(d, c, s * s, u * u, r * s * u)
    better, worse = sure_ranges(pair)
    grid = np.concatenate([[0.0], np.geomspace(1e-4, 1e4, 4_001)])
    benefit = grid * d - c
    half = np.sqrt(grid**2 * s * s + u * u - 2 * grid * r * s * u)
    for found, sure, clear in (
        (better, benefit - half > 0, np.abs(benefit - half)),
        (worse, benefit + half < 0, np.abs(benefit + half)),
    ):
        inside = np.zeros(len(grid), bool)
        if found is not None:
            inside = (grid >= found.from_usd) & (grid <= (np.inf if found.to_usd is None else found.to_usd))
        decided = clear > 1e-6 * (1 + np.abs(benefit))
        assert np.array_equal(inside[decided], sure[decided])


def test_sure_borders_are_where_net_benefit_touches_its_error():
    score, cost = _world(np.random.default_rng(0), 1_000)
    found = price(score, cost, np.arange(1_000))
    t = stats.t.ppf(0.975, 999)
    for border, side in [(found.surely_better.to_usd, 1), (found.surely_worse.from_usd, -1)]:
        benefit = border * score - cost
        assert side * benefit.mean() == pytest.approx(t * benefit.std(ddof=1) / np.sqrt(1_000))
    assert found.surely_better.to_usd < found.indifference_usd < found.surely_worse.from_usd
    assert (found.surely_better.from_usd, found.surely_worse.to_usd) == (0, None)


def test_families_widen_what_is_open():
    score, cost = (np.repeat(column, 5) for column in _world(np.random.default_rng(3), 400))
    alone, together = (price(score, cost, cluster) for cluster in (np.arange(2_000), np.arange(2_000) // 5))
    assert together.surely_better.to_usd < alone.surely_better.to_usd
    assert together.indifference_usd == alone.indifference_usd


def test_no_upper_border_where_the_arm_may_not_be_worse():
    rng = np.random.default_rng(1)
    found = price(*_world(rng, 400, d=-0.005), np.arange(400))
    assert found.surely_worse is None
    assert found.surely_better.to_usd > 0


def test_net_benefits_are_ordinary_t_intervals():
    score, cost = _world(np.random.default_rng(4), 200, d=-0.12)
    found = price(score, cost, np.arange(200)).net_benefit
    assert [one.price_usd for one in found] == list(PRICES_USD)
    for one in found:
        benefit = 1_000 * (one.price_usd * score - cost)
        wanted = stats.t.interval(0.95, 199, benefit.mean(), benefit.std(ddof=1) / np.sqrt(200))
        assert one.per_1k_usd == pytest.approx(benefit.mean(), rel=1e-9)
        assert one.ci95 == pytest.approx(wanted, rel=1e-9)
        assert one.standing == ("better" if wanted[0] > 0 else "worse" if wanted[1] < 0 else "open")
    assert {one.standing for one in found} == {"better", "open", "worse"}


def test_nothing_is_sure_of_one_family_and_nothing_known_of_no_question():
    found = price(np.array([-1.0, 0]), np.array([-1.0, -1.0]), np.zeros(2))
    assert (found.surely_better, found.surely_worse) == (None, None)
    assert {(one.ci95, one.standing) for one in found.net_benefit} == {(None, "open")}
    assert price(np.array([np.nan]), np.array([1.0]), np.zeros(1)) == (None, None, None, None, [])


def test_a_sure_cost_without_a_spread_is_sure():
    assert net_benefit(means(0, -0.01, 0, 0), 1.0).standing == "better"


def test_surely_is_wrong_in_few_runs():
    rng = np.random.default_rng(2)
    tie, runs = 0.0045 / 0.05, 800
    wrong = 0
    for _ in range(runs):
        found = price(*_world(rng, 360), np.arange(360))
        better, worse = found.surely_better, found.surely_worse
        wrong += (better is not None and better.to_usd > tie) or (worse is not None and worse.from_usd < tie)
    assert wrong / runs <= 0.07
