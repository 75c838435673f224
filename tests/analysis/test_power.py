import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routemark.analysis.power import detectable_difference, questions_to_tell

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
