"""Bounds of what a pool can do: by hand, and against worlds whose true oracle is known."""

import numpy as np
import pytest
from hypothesis import given

from analysis.matrices import answers, drawn, matrix, picks, small_matrices
from routemark.analysis.controls.bounds import luck, regret, split_halves, to_confirm
from routemark.analysis.controls.oracles import best_then_cheapest

NAN = float("nan")


def test_the_answer_to_confirm_is_of_the_model_that_is_right_more_often_not_of_the_cheaper():
    score = [[1, 1, 0], [0, 1, 0], [1, 0, 0], [0, 0, 0], [NAN, 0.9, 0.2], [NAN, NAN, NAN]]
    world = matrix(score, [[1, 5, 1]])
    assert to_confirm(world).tolist() == [1, 1, 0, -1, 1, -1]


def test_a_fresh_answer_of_the_oracles_pick_is_a_lower_bound_of_the_true_oracle():
    rng = np.random.default_rng(0)
    chance, _ = answers(rng, 3_000)
    world = matrix(drawn(rng, chance))
    choice = to_confirm(world)
    fresh = np.where(choice >= 0, drawn(rng, chance)[np.arange(len(choice)), choice], 0)
    truth = chance.max(axis=1).mean()
    assert 0.7 < fresh.mean() < truth < best_then_cheapest(world).accuracy


def test_split_halves_chooses_on_one_half_and_scores_on_the_other():
    first, second = np.array([[1.0, 0.0], [1.0, 0.0]]), np.array([[0.0, 0.5], [1.0, 1.0]])
    world = matrix((first + second) / 2, halves=(first, second), single=False)
    # chosen on the first: m0, m0 -> 0, 1; on the second: m1, then a tie to the better m1 -> 0, 0
    assert split_halves(world) == pytest.approx((0.5 + 0.0) / 2)
    assert split_halves(matrix([[1.0]])) is None


def test_split_halves_skips_models_without_both_halves():
    world = matrix([[1, 1]], halves=(np.array([[NAN, 0.0]]), np.array([[1.0, 1.0]])), single=False)
    assert split_halves(world) == pytest.approx(0.5)
    assert split_halves(matrix([[1]], halves=(np.array([[NAN]]), np.array([[1.0]])))) is None


def test_split_halves_lies_below_the_true_oracle_and_the_single_sample_above():
    rng = np.random.default_rng(1)
    chance, _ = answers(rng, 2_000)
    first, second = drawn(rng, chance), drawn(rng, chance)
    world = matrix((first + second) / 2, halves=(first, second), single=False)
    assert split_halves(world) < chance.max(axis=1).mean() < best_then_cheapest(world).accuracy


def test_luck_counts_the_models_that_answered_each_choice_question():
    world = matrix([[1, 1, 1], [1, NAN, 1], [0, 0, 0]], choices=[4, 5, 0])
    level, questions = luck(world)
    assert level == pytest.approx(((1 - 0.75**3) + (1 - 0.8**2)) / 2)
    assert questions == 2
    assert luck(matrix([[1.0]])) == (None, 0)


def test_guessing_models_reach_the_luck_level():
    rng = np.random.default_rng(2)
    world = matrix((rng.random((4_000, 5)) < 0.25).astype(float), choices=np.full(4_000, 4))
    assert best_then_cheapest(world).accuracy == pytest.approx(luck(world)[0], abs=0.02)


def test_regret_is_split_into_pool_and_router():
    world = matrix([[1, 0], [0, 0.5], [0, 0], [NAN, 1]])
    found = regret(world, picks([1, 1, 0, 0], 2))
    assert (found.n, found.accuracy) == (3, pytest.approx(0.5 / 3))
    assert found.pool_could_not == pytest.approx(1 - 1.5 / 3)
    assert found.router_did_not == pytest.approx(1 / 3)
    assert regret(world, picks([-1, -1, -1, 0], 2)) is None


@given(small_matrices())
def test_regret_is_never_negative_and_adds_up(world):
    choice = np.random.default_rng(0).integers(-1, len(world.models), len(world.score))
    found = regret(world, picks(choice, len(world.models)))
    if found is not None:
        assert found.router_did_not >= -1e-12
        assert found.pool_could_not + found.router_did_not == pytest.approx(1 - found.accuracy)
