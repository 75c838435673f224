import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from routemark.analysis.stats.clusters import Mean, grouped_means
from routemark.analysis.stats.intervals import accuracy_interval, bonett_price, effective_size, wilson


def test_wilson_is_scipys():
    interval = stats.binomtest(290, 360).proportion_ci(method="wilson")
    z = stats.norm.ppf(0.975)
    assert wilson(290 / 360, 360, z) == pytest.approx((interval.low, interval.high), rel=1e-9)


def test_wilson_by_hand_at_zero_of_ten():
    assert wilson(0.0, 10, 1.96) == pytest.approx((0.0, 1.96**2 / (10 + 1.96**2)))


@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_holds_the_estimate_within_0_and_1(counts):
    k, n = counts
    low, high = wilson(k / n, n, 1.96)
    assert 0 <= low <= k / n <= high <= 1


def test_plain_case_takes_z_and_all_rows():
    mean = Mean(0.8, 0.8 * 0.2 / 119, 120, 120, plain=True)
    assert accuracy_interval(mean) == wilson(0.8, 120, 1.96)


def test_clusters_take_effective_size_and_t():
    mean = Mean(0.8, 0.004, 120, 30, plain=False)
    assert effective_size(mean) == pytest.approx(40)
    assert accuracy_interval(mean) == pytest.approx(wilson(0.8, 40, stats.t.ppf(0.975, 29)))


@pytest.mark.parametrize(
    ("value", "variance", "size"),
    [(0.5, 0.1, 30), (0.5, 1e-9, 120), (0.5, 0.0, 120), (1.0, 0.0, 30), (0.0, 0.0, 30)],
)
def test_effective_size_lies_between_clusters_and_rows(value, variance, size):
    assert effective_size(Mean(value, variance, 120, 30, plain=False)) == size


def test_no_interval_without_a_score_or_of_one_dependent_cluster():
    assert accuracy_interval(Mean(math.nan, math.nan, 0, 0, plain=True)) is None
    assert accuracy_interval(Mean(0.5, math.nan, 4, 1, plain=False)) is None


def test_bonett_price_is_the_published_one():
    # example of ci.prop.ps in the R package statpsych, which rounds nothing and takes z = 1.959964
    assert bonett_price(26, 4, 48) == pytest.approx((0.2548067, 0.6251933), abs=5e-6)


def test_bonett_price_never_has_width_zero():
    low, high = bonett_price(0, 0, 120)
    assert high == -low == pytest.approx(0.023, abs=5e-4)


@pytest.mark.parametrize(("families", "size", "p"), [(120, 1, 0.8), (120, 3, 0.7), (40, 4, 0.85)])
def test_accuracy_interval_covers_93_to_97_percent(families, size, p):
    """Questions of a family share a difficulty, so that plain Wilson over rows would cover far less."""
    rng = np.random.default_rng(11)
    covered, runs = 0, 1_500
    cluster = np.repeat(np.arange(families), size)
    question = np.arange(families * size)
    group = np.zeros(families * size, dtype=np.int32)
    concentration = 3.0
    for _ in range(runs):
        of_family = rng.beta(p * concentration, (1 - p) * concentration, families)
        score = (rng.random(families * size) < of_family[cluster]).astype(float)
        low, high = accuracy_interval(grouped_means(1, group, question, cluster, score)[0])
        covered += low <= p <= high
    assert 0.93 <= covered / runs <= 0.97
