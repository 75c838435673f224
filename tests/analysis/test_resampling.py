"""Bootstrap-t of weighted means: the cost ratio's own code agrees, and the intervals cover."""

import numpy as np
import pytest
from scipy import stats

from routemark.analysis.controls.cost import cost_ratios
from routemark.analysis.stats import resampling
from routemark.analysis.stats.resampling import difference, log_ratio, resampled
from routemark.analysis.stats.strata import Strata, stratified

MIX = np.array([0.7, 0.2, 0.1])


def alike(n):
    return Strata(np.zeros(n, dtype=int), np.ones(1))


def costs(rng, n):
    """One call in five goes to a model ten times dearer."""
    arm = np.exp(rng.normal(0, 1, n)) * np.where(rng.random(n) < 0.2, 10, 1)
    return arm, 2 * np.exp(rng.normal(0, 1, n))


def test_without_strata_and_families_the_ratio_is_that_of_the_cost_module():
    arm, baseline = costs(np.random.default_rng(0), 200)
    found = resampled(np.column_stack([arm, baseline]), np.arange(200), alike(200), log_ratio, seed=5)
    (wanted,) = cost_ratios([(arm, baseline)], seed=5)
    assert np.exp(found.value) == pytest.approx(wanted.ratio)
    assert np.exp(found.interval(0.95)) == pytest.approx(wanted.interval)


def test_the_error_is_that_of_stratified_means():
    rng = np.random.default_rng(1)
    family = np.arange(300) // 3
    arm, baseline = costs(rng, 300)
    strata = Strata(rng.integers(0, 3, 100)[family], MIX)
    found = resampled((arm - baseline)[:, None], family, strata, difference, seed=0)
    means = stratified((arm - baseline)[:, None], family, strata)
    assert found.value == pytest.approx(means.mean[0])
    assert found.error == pytest.approx(np.sqrt(means.covariance[0, 0]), rel=0.02)


def test_replicates_by_hand():
    """Draw the same families by a loop, and studentise each difference of means."""
    rng = np.random.default_rng(2)
    values, family = rng.lognormal(0, 1, 60), np.arange(60) // 2
    found = resampled(values[:, None], family, alike(60), difference, seed=9)
    drawn = np.random.default_rng(9).integers(0, 30, size=(10_000, 30))
    for draw, t in zip(drawn[:50], found.t[:50], strict=True):
        sample = values.reshape(30, 2)[draw]
        mean = sample.mean()
        error = np.sqrt(30 / 29 * ((sample - mean).sum(axis=1) ** 2).sum()) / 60
        assert t == pytest.approx((mean - values.mean()) / error)


def test_above_five_thousand_families_it_is_students_t(monkeypatch):
    monkeypatch.setattr(resampling, "MOST_RESAMPLED", 100)
    values = np.random.default_rng(3).normal(size=(101, 1))
    found = resampled(values, np.arange(101), alike(101), difference, seed=0)
    assert found.t is None
    wanted = stats.t.interval(0.95, 100, values.mean(), values.std(ddof=1) / np.sqrt(101))
    assert found.interval(0.95) == pytest.approx(wanted)


def test_nothing_below_twenty_questions_or_without_a_stratum_or_a_second_family():
    values = np.ones((30, 1))
    assert resampled(values[:19], np.arange(19), alike(19), difference, seed=0) is None
    assert resampled(values, np.zeros(30), alike(30), difference, seed=0) is None
    lacking = Strata(np.zeros(30, dtype=int), np.array([0.5, 0.5]))
    assert resampled(values, np.arange(30), lacking, difference, seed=0) is None
    values[:15] = np.nan
    assert resampled(values, np.arange(30), alike(30), difference, seed=0) is None


def test_costs_that_differ_by_the_same_everywhere_are_sure():
    found = resampled(np.full((40, 1), 0.25), np.arange(40), alike(40), difference, seed=0)
    assert found.interval(0.95) == (0.25, 0.25)


def test_a_free_side_has_no_ratio():
    values = np.column_stack([np.ones(40), np.zeros(40)])
    assert resampled(values, np.arange(40), alike(40), log_ratio, seed=0).interval(0.95) is None
