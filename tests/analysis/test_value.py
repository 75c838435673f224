import numpy as np
import pytest
from scipy import stats

from routemark.analysis.value import price


def _world(rng, n, d=-0.05, c=-0.0045):
    score = rng.choice([-1.0, 0.0, 1.0], size=n, p=[0.1 - d / 2, 0.8, 0.1 + d / 2])
    return score, c * rng.lognormal(-0.5, 1, n)


def test_indifference_price_by_hand():
    found = price(np.array([-1.0, 0, 0, 0]), np.array([-0.02, -0.02, -0.04, np.nan]), np.arange(4))
    assert found.indifference_usd == pytest.approx((0.08 / 3) / (1 / 3))


@pytest.mark.parametrize("sign", [1, -1])
def test_no_price_where_one_is_better_and_cheaper(sign):
    score, cost = sign * np.array([1.0, 0, 1, 0]), -sign * np.array([0.01, 0.02, 0.01, 0.02])
    assert price(score, cost, np.arange(4)).indifference_usd is None


def test_sure_borders_are_where_net_benefit_touches_its_error():
    score, cost = _world(np.random.default_rng(0), 1_000)
    found = price(score, cost, np.arange(1_000))
    t = stats.t.ppf(0.975, 999)
    for border, side in [(found.surely_better_below_usd, 1), (found.surely_worse_above_usd, -1)]:
        benefit = border * score - cost
        assert side * benefit.mean() == pytest.approx(t * benefit.std(ddof=1) / np.sqrt(1_000))
    assert found.surely_better_below_usd < found.indifference_usd < found.surely_worse_above_usd


def test_no_upper_border_where_the_arm_may_not_be_worse():
    rng = np.random.default_rng(1)
    found = price(*_world(rng, 400, d=-0.005), np.arange(400))
    assert found.surely_worse_above_usd is None
    assert found.surely_better_below_usd > 0


def test_nothing_is_sure_of_one_family_and_nothing_known_of_no_question():
    assert price(np.array([-1.0, 0]), np.array([-1.0, -1.0]), np.zeros(2))[1:] == (None, None)
    assert price(np.array([np.nan]), np.array([1.0]), np.zeros(1)) == (None, None, None)


def test_surely_is_wrong_in_few_runs():
    rng = np.random.default_rng(2)
    tie, runs = 0.0045 / 0.05, 800
    wrong = [
        ((p := price(*_world(rng, 360), np.arange(360))).surely_better_below_usd or 0) > tie
        or (p.surely_worse_above_usd or 9) < tie
        for _ in range(runs)
    ]
    assert np.mean(wrong) <= 0.07
