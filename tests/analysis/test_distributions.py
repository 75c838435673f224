import numpy as np
import pytest
from scipy import stats

from routemark.analysis.stats import distributions
from routemark.analysis.stats.distributions import (
    binomial_half_tail,
    normal_quantile,
    normal_tail,
    student_t_quantile,
    student_t_tail,
)

DEGREES = [1, 2, 3, 5, 10, 29, 99, 199, 200, 201, 359, 5_000, 10**6]


@pytest.mark.parametrize("degrees", DEGREES)
@pytest.mark.parametrize("level", [0.8, 0.95, 0.99, 0.999, 1 - 0.05 / 14])
def test_student_quantile_is_scipys(degrees, level):
    assert student_t_quantile(level, degrees) == pytest.approx(
        stats.t.ppf(0.5 + level / 2, degrees), rel=1e-9
    )


@pytest.mark.parametrize("degrees", [1, 100, 17_999, 35_999, 10**7])
def test_a_quantile_takes_a_few_steps_however_the_last_ones_round(degrees, monkeypatch):
    taken = []
    tail = distributions.student_t_tail
    monkeypatch.setattr(distributions, "student_t_tail", lambda *at: taken.append(at) or tail(*at))
    student_t_quantile.__wrapped__(0.95, degrees)
    assert len(taken) < 30


@pytest.mark.parametrize("degrees", DEGREES)
@pytest.mark.parametrize("t", [0.0, 0.01, 0.5, 1.0, 2.0, 5.0, 20.0])
def test_student_tail_is_scipys(degrees, t):
    assert student_t_tail(t, degrees) == pytest.approx(stats.t.sf(t, degrees), rel=1e-9)


def test_student_tail_at_infinity_is_zero():
    assert student_t_tail(float("inf"), 3) == 0.0


@pytest.mark.parametrize("n", [0, 1, 5, 40, 1_001, 200_001])
def test_tail_of_the_fair_coin_is_scipys(n):
    for k in {0, n // 3, n // 2}:
        tail, point = binomial_half_tail(k, n)
        assert tail == pytest.approx(stats.binom.cdf(k, n, 0.5), rel=1e-8, abs=1e-300)
        assert point == pytest.approx(stats.binom.pmf(k, n, 0.5), rel=1e-8, abs=1e-300)


def test_normal_quantile_is_the_rounded_one_at_95_percent_only():
    assert normal_quantile(0.95) == 1.96
    assert normal_quantile(0.99) == pytest.approx(stats.norm.ppf(0.995), rel=1e-12)
    assert normal_tail(1.5) == pytest.approx(stats.norm.sf(1.5), rel=1e-12)
    assert np.isclose(normal_tail(0), 0.5)
