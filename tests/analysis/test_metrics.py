import math

import numpy as np
import pytest

from routemark.analysis.published.metrics import (
    arena_score,
    cost_per_correct_usd,
    mean_cost_per_1k_usd,
    pick_entropy_bits,
    quantiles,
)


def test_arena_score_by_hand():
    cheapness = (math.log2(200) - math.log2(1)) / (math.log2(200) - math.log2(0.0044))
    assert arena_score(0.7, 1.0) == pytest.approx(1.1 * 0.7 * cheapness / (0.1 * 0.7 + cheapness))


@pytest.mark.parametrize(
    ("accuracy", "cost", "score"),
    [
        (0.7, 0.0044, 1.1 * 0.7 / (0.07 + 1)),
        (0.7, 1e-9, 1.1 * 0.7 / (0.07 + 1)),
        (0.7, 200, 0.0),
        (0.7, 1_000, 0.0),
        (0.0, 1_000, 0.0),
        (0.7, 0.0, None),
        (0.7, None, None),
        (None, 1.0, None),
    ],
)
def test_arena_score_at_the_ends_of_its_scale(accuracy, cost, score):
    assert arena_score(accuracy, cost) == (None if score is None else pytest.approx(score))


def test_entropy_in_bits():
    assert pick_entropy_bits([5]) == 0
    assert pick_entropy_bits([3, 3, 3, 3, 0]) == pytest.approx(2)
    assert pick_entropy_bits([3, 1]) == pytest.approx(0.8112781245)
    assert pick_entropy_bits([]) is None


def test_quantiles_interpolate_between_ranks_and_skip_the_unknown():
    found = quantiles(np.array([1.0, np.nan, 2.0, 3.0, 4.0]))
    assert (found.p50, found.p90, found.p99) == pytest.approx((2.5, 3.7, 3.97))
    assert quantiles(np.array([np.nan])).p50 is None


def test_costs_leave_the_unknown_out():
    costs, scores = np.array([0.01, np.nan, 0.03]), np.array([1.0, 1.0, np.nan])
    assert mean_cost_per_1k_usd(costs) == pytest.approx(20)
    assert mean_cost_per_1k_usd(np.array([np.nan])) is None
    assert cost_per_correct_usd(costs, scores) == pytest.approx(0.01)
    assert cost_per_correct_usd(costs, np.zeros(3)) is None
