import math

import numpy as np
import pytest
from scipy import stats

from routemark.analysis.controls import cost
from routemark.analysis.controls.cost import cost_ratios, cost_standing, rests_on


def _one(arm, baseline, seed=0, comparisons=1):
    (found,) = cost_ratios([(np.asarray(arm), np.asarray(baseline))], seed=seed, comparisons=comparisons)
    return found


def _fieller(a, b):
    """Exact for normal costs, hence the oracle where tails are light: roots of (mean a - r mean b)^2 = t^2 var."""
    n, t2 = len(a), stats.t.ppf(0.975, len(a) - 1) ** 2
    (aa, ab), (_, bb) = np.cov(a, b) / n * t2
    roots = np.roots([b.mean() ** 2 - bb, -2 * (a.mean() * b.mean() - ab), a.mean() ** 2 - aa])
    return sorted(roots.real)


def test_interval_agrees_with_fieller_where_tails_are_light():
    rng = np.random.default_rng(0)
    a, b = rng.normal(2, 0.4, 200), rng.normal(1, 0.2, 200)
    found = _one(a, b)
    assert found.ratio == pytest.approx(a.mean() / b.mean())
    assert found.interval == pytest.approx(_fieller(a, b), rel=0.005)


def test_interval_agrees_with_a_plain_loop_of_resamples():
    rng = np.random.default_rng(1)
    a, b = rng.lognormal(0, 1, 60), rng.lognormal(0, 1, 60)

    def log_ratio_and_error(a, b):
        influence = a / a.mean() - b / b.mean()
        return math.log(a.mean() / b.mean()), influence.std(ddof=1) / math.sqrt(len(a))

    estimate, error = log_ratio_and_error(a, b)
    t = []
    for _ in range(4_000):
        drawn = rng.integers(0, 60, 60)
        again, its_error = log_ratio_and_error(a[drawn], b[drawn])
        t.append((again - estimate) / its_error)
    high, low = np.quantile(t, [0.025, 0.975])
    expected = math.exp(estimate - low * error), math.exp(estimate - high * error)
    assert _one(a, b).interval == pytest.approx(expected, rel=0.03)


def test_costs_that_are_not_known_are_left_out_of_their_pair_only():
    rng = np.random.default_rng(2)
    a, b, c = rng.lognormal(size=(3, 100))
    holes = a.copy()
    holes[:30] = np.nan
    first, second = cost_ratios([(holes, b), (c, b)], seed=3)
    assert first.n == 70
    assert first.ratio == pytest.approx(a[30:].mean() / b[30:].mean())
    assert first.interval == pytest.approx(_one(a[30:], b[30:]).interval, rel=0.03)
    assert second == _one(c, b, seed=3)


def test_scale_does_not_matter_and_direction_only_inverts():
    rng = np.random.default_rng(3)
    a, b = rng.lognormal(size=(2, 80))
    found, scaled, turned = _one(a, b), _one(1e-6 * a, 1e-6 * b), _one(b, a)
    assert scaled.interval == pytest.approx(found.interval)
    assert turned.interval == pytest.approx((1 / found.interval[1], 1 / found.interval[0]))


def test_an_arm_against_itself_costs_the_same_for_sure():
    costs = np.random.default_rng(4).lognormal(size=50)
    assert _one(costs, costs)[1:4] == (1.0, (1.0, 1.0), (1.0, 1.0))
    assert _one(3 * costs, costs).interval == pytest.approx((3.0, 3.0))


def test_correction_for_several_comparisons_widens():
    a, b = np.random.default_rng(5).lognormal(size=(2, 100))
    found = _one(a, b, comparisons=6)
    assert found.interval_all[0] < found.interval[0] < found.ratio < found.interval[1] < found.interval_all[1]


def test_few_questions_have_a_ratio_and_no_interval():
    costs = np.random.default_rng(6).lognormal(size=(2, 19))
    assert _one(*costs).ratio is not None
    assert _one(*costs)[2:] == (None, None, None)


def test_free_models_have_no_ratio_below_and_a_sure_one_above():
    paid, free = np.ones(30), np.zeros(30)
    assert _one(paid, free)[1:4] == (None, None, (math.inf, math.inf))
    assert _one(free, paid)[1:4] == (0.0, (0.0, 0.0), (0.0, 0.0))
    assert _one(free, free)[1:4] == (None, None, None)
    assert _one(np.full(30, np.nan), paid) == (0, None, None, None, None)


def test_many_questions_take_normal_quantiles_and_hardly_differ(monkeypatch):
    a, b = np.random.default_rng(7).lognormal(0, 0.6, size=(2, 3_000))
    resampled = _one(a, b).interval
    monkeypatch.setattr(cost, "MOST_RESAMPLED", 2_999)
    assert _one(a, b).interval == pytest.approx(resampled, rel=0.01)


def test_more_pairs_than_are_resampled_at_once_do_not_differ(monkeypatch):
    columns = np.random.default_rng(8).lognormal(size=(5, 40))
    pairs = [(columns[0], columns[i]) for i in range(1, 5)]
    together = cost_ratios(pairs, seed=1)
    monkeypatch.setattr(cost, "_PAIRS_AT_ONCE", 3)
    assert cost_ratios(pairs, seed=1) == together
    assert cost_ratios([], seed=1) == []


def test_concentration_is_told():
    costs = np.full(100, 0.01)
    costs[:4] = 0.4
    assert rests_on(costs) == 5
    assert rests_on(np.full(100, 0.01)) is None
    assert rests_on(costs[:10]) is None
    assert _one(np.full(100, 0.02), costs).rests_on == 5


@pytest.mark.parametrize(
    ("interval", "standing"),
    [
        ((0.5, 0.94), "cheaper"),
        ((0.5, 0.96), "open"),
        ((0.96, 1.04), "same"),
        ((1.04, 1.2), "open"),
        ((1.06, 1.2), "dearer"),
        ((0.5, 2.0), "open"),
        (None, "open"),
    ],
)
def test_standing_takes_5_percent_for_the_same(interval, standing):
    assert cost_standing(interval) == standing


@pytest.mark.parametrize(("n", "log_sd"), [(60, 0.6), (60, 1.0), (120, 1.0)])
def test_interval_covers_at_least_92_percent_up_to_log_sd_1(n, log_sd, monkeypatch):
    monkeypatch.setattr(cost, "REPLICATES", 600)
    rng = np.random.default_rng(9)
    pairs = [tuple(rng.lognormal(0, log_sd, (2, n))) for _ in range(1_200)]
    covered = [low <= 1 <= high for found in cost_ratios(pairs, seed=0) for low, high in [found.interval]]
    # three standard errors of the simulation below
    assert np.mean(covered) >= 0.92 - 0.02


def test_few_questions_whose_replicates_hardly_vary_have_no_interval_and_raise_nothing():
    found = _one([0.744, 6.472, 13.78], [0.461, 6.978, 0.427])
    assert (found.n, found.interval) == (3, None)
    assert found.ratio == pytest.approx(20.996 / 7.866)
