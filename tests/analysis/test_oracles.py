"""Both oracles against enumeration, and by hand with ties, free models and unknown cells."""

from math import isnan

import numpy as np
import pytest
from hypothesis import given

from analysis.matrices import matrix, small_matrices
from routemark.analysis.controls.oracles import best_then_cheapest, cheapest_full_score

NAN = float("nan")


def test_highest_score_then_cheapest_then_name():
    world = matrix(
        [[1, 1, 0.5], [0, 0.5, 0.5], [0, 0, 0], [1, 1, 1]],
        [[3, 2, 1], [1, 2, 1], [1, 1, 1], [0, 0, 5]],
    )
    found = best_then_cheapest(world)
    assert found == (4, 0.625, pytest.approx(1000 * (2 + 1 + 0 + 0) / 4), {"m0": 1, "m1": 1, "m2": 1})


def test_nothing_is_bought_where_the_best_score_is_0():
    found = best_then_cheapest(matrix([[0, 0]], [[1, 2]]))
    assert found == (1, 0.0, 0.0, {})


def test_cheapest_full_score_leaves_out_what_no_model_gets_right():
    world = matrix([[1, 1, 0], [0.9, 0.5, 0], [0, 1, 1]], [[3, 2, 1], [1, 1, 1], [1, 4, 4]])
    assert cheapest_full_score(world) == (2, 1.0, pytest.approx(3000), {"m1": 2})


def test_unknown_cells_are_never_0_and_never_bought():
    world = matrix([[NAN, 0.5], [NAN, NAN], [0, NAN]], [[0, 2], [0, 0], [1, 0]])
    assert best_then_cheapest(world) == (2, 0.25, pytest.approx(1000), {"m1": 1})
    assert cheapest_full_score(world) == (0, None, None, {})


def test_unknown_costs_lose_ties_and_are_left_out_of_the_mean():
    world = matrix([[1, 1], [1, 0]], [[NAN, 7], [NAN, 1]])
    for oracle in (best_then_cheapest, cheapest_full_score):
        assert oracle(world) == (2, 1.0, pytest.approx(7000), {"m0": 1, "m1": 1})


def test_names_break_ties_of_cost_in_the_counts_alone():
    world = matrix([[1, 1], [1, 1]], models=("b", "a"))
    assert best_then_cheapest(world).picks == {"a": 2}
    assert cheapest_full_score(world).picks == {"a": 2}


def _enumerated(world, *, full):
    """Give (questions, accuracy, cost) question by question in plain Python."""
    scores, costs = [], []
    for score, cost in zip(world.score.tolist(), world.cost.tolist(), strict=True):
        cells = [(s, c) for s, c in zip(score, cost, strict=True) if not isnan(s) and (s >= 1 or not full)]
        if cells:
            best = max(s for s, _ in cells)
            prices = [c for s, c in cells if s == best and not isnan(c)]
            scores.append(best)
            costs.append(0.0 if best == 0 else min(prices, default=NAN))
    known = [c for c in costs if not isnan(c)]
    mean = sum(scores) / len(scores) if scores else None
    return len(scores), mean, 1000 * sum(known) / len(known) if known else None


@given(small_matrices())
def test_oracles_are_what_enumeration_finds(world):
    for full, oracle in ((False, best_then_cheapest), (True, cheapest_full_score)):
        found, (questions, accuracy, cost) = oracle(world), _enumerated(world, full=full)
        assert found.questions == questions
        assert found.accuracy == (None if accuracy is None else pytest.approx(accuracy))
        assert found.cost_per_1k_usd == (None if cost is None else pytest.approx(cost))


@given(small_matrices(unknown=False))
def test_no_router_beats_the_oracle(world):
    n, models = world.score.shape
    choice = np.random.default_rng(n).integers(0, models, n)
    found = best_then_cheapest(world)
    assert found.accuracy >= world.score[np.arange(n), choice].mean() - 1e-12
    assert found.questions == n


@given(small_matrices())
def test_order_of_questions_and_models_does_not_matter(world):
    n, models = world.score.shape
    turned = world.where(np.arange(n)[::-1]).only(range(models)[::-1])
    for oracle in (best_then_cheapest, cheapest_full_score):
        one, other = oracle(world), oracle(turned)
        assert (one.questions, one.picks) == (other.questions, other.picks)
        assert other.accuracy == (None if one.accuracy is None else pytest.approx(one.accuracy))
