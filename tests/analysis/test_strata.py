"""Means for another mix: hand cases, the textbook's stratified variance, and coverage."""

import numpy as np
import pytest
from scipy import stats

from routemark.analysis.stats.clusters import covariance_of_means
from routemark.analysis.stats.intervals import wilson
from routemark.analysis.stats.paired import difference_interval, difference_p_value, paired
from routemark.analysis.stats.strata import Strata, stratified, weighted_accuracy, weighted_difference

MIX = np.array([0.8, 0.15, 0.05])


def test_a_mean_by_hand():
    values = np.array([[1.0], [0.0], [1.0], [1.0], [0.0], [0.5]])
    found = stratified(values, np.arange(6), Strata(np.array([0, 0, 1, 1, 1, 1]), np.array([0.9, 0.1])))
    assert found.mean[0] == pytest.approx(0.9 * 0.5 + 0.1 * 2.5 / 4)
    inner = np.var([1, 1, 0, 0.5], ddof=1) / 4
    assert found.covariance[0, 0] == pytest.approx(0.81 * 0.5 / 2 + 0.01 * inner)
    assert (found.rows, found.clusters) == (6, 6)
    assert found.alike == pytest.approx(1 / (0.81 / 2 + 0.01 / 4))


def test_degrees_of_freedom_are_satterthwaites():
    rng = np.random.default_rng(0)
    code, values = np.repeat([0, 1], [5, 100]), rng.normal(size=105)
    found = stratified(values[:, None], np.arange(105), Strata(code, np.array([0.7, 0.3])))
    v = [0.49 * values[:5].var(ddof=1) / 5, 0.09 * values[5:].var(ddof=1) / 100]
    assert found.degrees == int(sum(v) ** 2 / (v[0] ** 2 / 4 + v[1] ** 2 / 99))


@pytest.mark.parametrize("per_family", [1, 5])
def test_one_stratum_is_the_ordinary_mean(per_family):
    rng = np.random.default_rng(1)
    values, family = rng.random((200, 2)), np.arange(200) // per_family
    found = stratified(values, family, Strata(np.zeros(200, dtype=int), np.ones(1)))
    assert found.mean == pytest.approx(values.mean(axis=0))
    assert found.covariance == pytest.approx(covariance_of_means(values, family))
    assert found.degrees == 200 // per_family - 1


def test_families_inside_strata_have_the_textbooks_variance():
    rng = np.random.default_rng(2)
    family = np.repeat(np.arange(60), 4)
    code, values = (family % 3), rng.random(240) + family % 5
    found = stratified(values[:, None], family, Strata(code, MIX))
    wanted = 0.0
    for h in range(3):
        means = values[code == h].reshape(-1, 4).mean(axis=1)
        wanted += MIX[h] ** 2 * means.var(ddof=1) / len(means)
    assert found.covariance[0, 0] == pytest.approx(wanted)


def test_families_across_strata_bring_their_covariance():
    """Brute force: the sum over families of the squared weighted residuals."""
    rng = np.random.default_rng(3)
    family, code = np.repeat(np.arange(40), 6), np.tile([0, 0, 1, 1, 2, 2], 40)
    values = rng.random(240) + rng.normal(size=40)[family]
    found = stratified(values[:, None], family, Strata(code, MIX)).covariance[0, 0]
    total = 0.0
    for one in range(40):
        piece = 0.0
        for h in range(3):
            inside = values[(family == one) & (code == h)] - values[code == h].mean()
            piece += np.sqrt(40 / 39) * MIX[h] / np.sum(code == h) * inside.sum()
        total += piece**2
    assert found == pytest.approx(total)


def test_unknown_values_and_strata_without_weight_are_left_out():
    values = np.array([1.0, 0.0, np.nan, 1.0, 0.0, 9.0, 9.0])
    strata = Strata(np.array([0, 0, 0, 1, 1, 2, 2]), np.array([0.5, 0.5, 0.0]))
    found = stratified(values[:, None], np.arange(7), strata)
    assert found.mean[0] == pytest.approx(0.5)
    assert found.rows == 4


def test_a_stratum_of_one_family_tells_no_variance():
    strata = Strata(np.array([0, 0, 1, 1]), np.array([0.5, 0.5]))
    assert stratified(np.ones((4, 1)), np.array([0, 1, 2, 2]), strata) is None
    assert weighted_accuracy(np.ones(4), np.array([0, 1, 2, 2]), strata) is None
    assert weighted_difference(np.ones(4), np.ones(4), np.array([0, 1, 2, 2]), strata, single=True) is None


def test_all_right_has_the_width_of_the_families_that_tell_as_much():
    code = np.repeat([0, 1], [40, 160])
    p, interval = weighted_accuracy(np.ones(200), np.arange(200), Strata(code, np.array([0.9, 0.1])))
    alike = 1 / (0.81 / 40 + 0.01 / 160)
    assert p == 1.0
    assert interval == pytest.approx(wilson(1.0, alike, stats.t.ppf(0.975, 198)))


def test_a_difference_never_has_width_zero_and_p_goes_with_it():
    code = np.repeat([0, 1, 2], 40)
    same = weighted_difference(np.ones(120), np.ones(120), np.arange(120), Strata(code, MIX), single=True)
    low, high = difference_interval(same)
    assert low == -high < -0.02
    assert difference_p_value(same) == pytest.approx(1.0)


def test_shares_as_asked_give_the_ordinary_difference():
    rng = np.random.default_rng(4)
    code = rng.integers(0, 3, 300)
    arm, baseline = rng.random(300), rng.random(300)
    shares = np.bincount(code) / 300
    found = weighted_difference(arm, baseline, np.arange(300), Strata(code, shares), single=True)
    plain = paired(arm, baseline, np.arange(300), single=True)
    assert found.mean == pytest.approx(plain.mean)
    assert found.variance == pytest.approx(plain.variance, rel=0.05)


def world(rng, n, per_family):
    """Right or wrong by difficulty and family; the arms differ on some 15 % of the questions."""
    families = n // per_family
    code = np.repeat(rng.integers(0, 3, families), per_family)
    family = np.repeat(np.arange(families), per_family)
    ease = np.array([1.5, 0.0, -0.7])[code] + rng.normal(0, 0.8 if per_family > 1 else 0, families)[family]
    right = 1 / (1 + np.exp(-ease))
    baseline = (rng.random(len(code)) < right).astype(float)
    asked_anew = rng.random(len(code)) < 0.35
    arm = np.where(asked_anew, rng.random(len(code)) < right - 0.12 * (code == 0), baseline).astype(float)
    return arm, baseline, family, code


def coverage(n, per_family, runs):
    big = world(np.random.default_rng(10**6), 300_000, per_family)
    truth = [
        sum(MIX[h] * column[big[3] == h].mean() for h in range(3)) for column in (big[0], big[0] - big[1])
    ]
    hits = np.zeros(2)
    for seed in range(runs):
        arm, baseline, family, code = world(np.random.default_rng(seed), n, per_family)
        strata = Strata(code, MIX)
        intervals = (
            weighted_accuracy(arm, family, strata)[1],
            difference_interval(weighted_difference(arm, baseline, family, strata, single=True)),
        )
        hits += [low <= true <= high for (low, high), true in zip(intervals, truth, strict=True)]
    return hits / runs


def test_weighted_intervals_cover():
    for one in coverage(360, 4, 150):
        assert 0.91 <= one <= 0.99


@pytest.mark.slow
@pytest.mark.parametrize(("n", "per_family"), [(360, 1), (720, 6)])
def test_weighted_intervals_cover_in_many_worlds(n, per_family):
    for one in coverage(n, per_family, 800):
        assert 0.93 <= one <= 0.972
