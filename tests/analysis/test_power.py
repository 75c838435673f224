import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routemark.analysis.stats.power import (
    detectable_difference,
    questions_for_equivalent,
    questions_for_not_worse,
    questions_to_tell,
    spread_range,
)

TABLE = [
    (0.10, 0.02, 1_960),
    (0.10, 0.03, 870),
    (0.10, 0.05, 312),
    (0.15, 0.02, 2_941),
    (0.15, 0.03, 1_306),
    (0.15, 0.05, 469),
    (0.15, 0.10, 115),
    (0.20, 0.03, 1_742),
    (0.30, 0.02, 5_884),
    (0.30, 0.10, 233),
]


@pytest.mark.parametrize(("psi", "difference", "questions"), TABLE)
def test_questions_to_tell_a_difference(psi, difference, questions):
    assert questions_to_tell(difference, psi) == pytest.approx(questions, abs=1)


@pytest.mark.parametrize(
    ("psi", "clusters", "difference"),
    [(0.10, 120, 0.080), (0.15, 360, 0.057), (0.15, 1_000, 0.034), (0.20, 120, 0.113), (0.30, 3_000, 0.028)],
)
def test_detectable_difference(psi, clusters, difference):
    assert detectable_difference(clusters, psi) == pytest.approx(difference, abs=6e-4)


@given(st.floats(0.02, 0.5), st.floats(0.02, 0.2))
def test_the_two_are_inverse(psi, difference):
    questions = questions_to_tell(difference, psi)
    if questions is not None and difference**2 < psi and questions > 10:
        assert detectable_difference(questions, psi) == pytest.approx(
            difference, rel=1 / math.sqrt(questions)
        )
        assert detectable_difference(questions, psi) <= difference * (1 + 1e-9)


def test_dependent_questions_need_as_many_clusters():
    alone = questions_to_tell(0.05, 0.15)
    assert questions_to_tell(0.05, 0.15, per_cluster=3) == pytest.approx(3 * alone, abs=3)


def test_beyond_20_000_questions_and_without_a_difference_there_is_no_advice():
    assert questions_to_tell(0.005, 0.3) is None
    assert questions_to_tell(0.0, 0.3) is None
    assert detectable_difference(3, 0.3) is None


NOT_WORSE = [
    (0.10, 0.02, 1_962),
    (0.10, 0.03, 872),
    (0.15, 0.03, 1_308),
    (0.15, 0.05, 471),
    (0.20, 0.02, 3_924),
    (0.30, 0.05, 942),
]


@pytest.mark.parametrize(("psi", "margin", "questions"), NOT_WORSE)
def test_questions_to_show_not_worse_by_a_margin(psi, margin, questions):
    assert questions_for_not_worse(margin, psi) == pytest.approx(questions, abs=1)
    assert questions_for_not_worse(margin, psi) == pytest.approx(7.849 * psi / margin**2, rel=1e-3, abs=1)


@pytest.mark.parametrize(("psi", "margin"), [case[:2] for case in NOT_WORSE])
def test_questions_to_show_equivalence(psi, margin):
    assert questions_for_equivalent(margin, psi) == pytest.approx(8.564 * psi / margin**2, rel=1e-3, abs=1)


def test_the_range_of_the_spread_is_wilsons_at_80_percent():
    n, p, z = 360, 0.15, 1.281552
    centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    assert spread_range(p, n) == pytest.approx((centre - half, centre + half), abs=1e-6)
    assert spread_range(1.2, 50)[1] == 1.0
