"""Fixed models and lots between them: by hand, and the laws of cross-fitting."""

import numpy as np
import pytest

from analysis.matrices import answers, drawn, labels, matrix
from routemark.analysis.controls.baselines import best_single, cheapest, dearest, eligible, ranks, uniform
from routemark.analysis.matrix.outcomes import Grouping

NAN = float("nan")
COSTS = [[1, 3, 2]]


def test_best_single_is_the_highest_mean_and_ties_go_to_the_cheaper():
    found = best_single(matrix([[1, 1, 0], [1, 0, 1], [0, 1, 1]], COSTS), seed=0)
    assert (found.model, found.n, found.accuracy, found.cost_per_1k_usd) == ("m0", 3, 2 / 3, 1000)
    found = best_single(matrix([[1, 1, 0], [0, 1, 1], [0, 1, 1]], COSTS), seed=0)
    assert found.model == "m1"


def test_cheapest_dearest_and_lots():
    world = matrix([[1, 0, 0], [1, 1, 0]], COSTS)
    assert (cheapest(world).model, cheapest(world).accuracy) == ("m0", 1.0)
    assert (dearest(world).model, dearest(world).accuracy) == ("m1", 0.5)
    lots = uniform(world)
    assert (lots.model, lots.n, lots.accuracy, lots.cost_per_1k_usd) == (None, 2, 0.5, 2000)


def test_ties_of_cost_go_to_the_better():
    world = matrix([[0, 1], [1, 1]], [[2, 2]])
    assert cheapest(world).model == dearest(world).model == "m1"


def test_unknown_costs_are_not_free():
    world = matrix([[1, 1], [1, 1]], [[NAN, 2]])
    assert cheapest(world).model == "m1"
    assert uniform(world).cost_per_1k_usd is None
    assert cheapest(matrix([[1], [1]], [[NAN]])) is None


def test_a_model_that_was_only_sampled_cannot_be_the_best():
    score = np.tile([0.0, 1.0], (20, 1))
    sampled = np.ones((20, 2), dtype=bool)
    sampled[:, 1] = np.arange(20) < 18
    score[19, 1] = NAN
    world = matrix(score, sampled=sampled)  # question 18 was asked beyond the sample
    assert eligible(world).tolist() == [True, False]
    assert best_single(world, seed=0).model == "m0"
    score[:5, 1] = NAN
    assert eligible(matrix(score)).tolist() == [True, False], "three in four are too few"


def test_nobody_to_be_the_best():
    nothing = matrix([[NAN], [NAN]])
    assert best_single(nothing, seed=0) is uniform(nothing) is cheapest(nothing) is None
    assert best_single(matrix(np.empty((0, 2))), seed=0) is None


def test_cross_fit_of_a_constant_winner_is_its_own_score():
    score = np.column_stack([np.ones(40), np.tile([0.0, 1.0], 20)])
    found = best_single(matrix(score, [[2, 1]]), seed=3)
    assert (found.crossfit_accuracy, found.crossfit_cost_per_1k_usd) == (1.0, 2000)
    assert found.crossfit_models == {"m0": 10}


def test_cross_fit_never_scores_a_question_with_a_model_chosen_on_its_family():
    """Each family is right with one model only; in-sample they tie, chosen elsewhere the other one wins."""
    family = np.repeat(np.arange(2), 10)
    score = np.column_stack([family == 0, family == 1]).astype(float)
    found = best_single(matrix(score, cluster=family), seed=0)
    assert (found.accuracy, found.crossfit_accuracy) == (0.5, 0.0)


def test_cross_fit_takes_the_optimism_off_tied_models():
    rng = np.random.default_rng(0)
    own, honest = [], []
    for _ in range(120):
        found = best_single(matrix(drawn(rng, np.full((60, 8), 0.5))), seed=1)
        own.append(found.accuracy)
        honest.append(found.crossfit_accuracy)
    assert np.mean(own) > 0.56
    assert np.mean(honest) == pytest.approx(0.5, abs=0.02)


def test_scaling_costs_scales_costs_and_nothing_else():
    rng = np.random.default_rng(1)
    chance, cost = answers(rng, 60)
    score = drawn(rng, chance)
    one, other = (best_single(matrix(score, by * cost), seed=0) for by in (1, 8))
    assert (one.model, one.accuracy, one.crossfit_accuracy) == (
        other.model,
        other.accuracy,
        other.crossfit_accuracy,
    )
    assert other.cost_per_1k_usd == pytest.approx(8 * one.cost_per_1k_usd)
    assert other.crossfit_cost_per_1k_usd == pytest.approx(8 * one.crossfit_cost_per_1k_usd)


def test_labels_are_numbered_by_name():
    assert ranks(Grouping(np.array([0, 1, -1, 2], dtype=np.int32), ("z", "a", "k"))).tolist() == [2, 0, 3, 1]
    assert ranks(labels(2, None)).tolist() == [0, 0]


@pytest.mark.parametrize("sampled", [False, True])
def test_means_without_a_fold_are_those_of_the_other_questions(sampled):
    rng = np.random.default_rng(8)
    score = np.where(rng.random((60, 4)) < 0.1, NAN, rng.random((60, 4)))
    cost = np.where(rng.random((60, 4)) < 0.1, NAN, rng.random((60, 4)))
    world = matrix(score, cost, **({"sampled": rng.random((60, 4)) < 0.7} if sampled else {}))
    fold = rng.integers(0, 5, 60)
    for number, (scores, costs) in enumerate(zip(*world.means_without(fold), strict=True)):
        rest = world.where(fold != number)
        assert scores == pytest.approx(rest.mean_score())
        assert costs == pytest.approx(rest.mean_cost())


def test_a_model_known_in_one_fold_alone_has_no_mean_without_it():
    scores, _ = matrix([[1, 1], [1, NAN]], COSTS[0][:2]).means_without(np.array([0, 1]))
    assert np.isnan(scores).tolist() == [[False, True], [False, False]]
