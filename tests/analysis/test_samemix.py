import itertools

import numpy as np
import pytest

from routemark.analysis import samemix
from routemark.analysis.samemix import mix_gain, permutation_moments, permutation_p_value


def _one_hot(picks, models):
    return np.eye(models)[np.asarray(picks)]


def test_gain_is_the_sum_of_covariances_of_being_picked_and_being_right():
    rng = np.random.default_rng(0)
    picks, scores = _one_hot(rng.integers(0, 3, 40), 3), rng.random((40, 3))
    found = mix_gain(picks, scores, np.arange(40), seed=0)
    assert found.expected == pytest.approx(picks.mean(axis=0) @ scores.mean(axis=0))
    assert found.gain == pytest.approx(sum(np.cov(picks[:, m], scores[:, m])[0, 1] for m in range(3)))


def test_same_mix_of_a_constant_router_is_that_constant():
    scores = np.random.default_rng(1).random((50, 3))
    found = mix_gain(_one_hot(np.ones(50, dtype=int), 3), scores, np.arange(50), seed=0)
    assert found.expected == pytest.approx(scores[:, 1].mean())
    assert found.gain == pytest.approx(0, abs=1e-12)
    assert found.p_value == 1.0


def test_p_value_is_that_of_all_permutations():
    rng = np.random.default_rng(2)
    picks, scores = rng.integers(0, 3, 7), rng.integers(0, 2, (7, 3)).astype(float)
    totals = np.array([scores[np.arange(7), picks[list(p)]].sum() for p in itertools.permutations(range(7))])
    exact = np.mean(totals >= totals[0] - 1e-12)
    assert permutation_p_value(_one_hot(picks, 3), scores, seed=5) == pytest.approx(exact, abs=0.02)
    mean, variance = permutation_moments(_one_hot(picks, 3), scores)
    assert mean == pytest.approx((totals / 7).mean())
    assert variance == pytest.approx((totals / 7).var())


def test_repeats_of_a_question_share_its_pick():
    rng = np.random.default_rng(3)
    first, second = rng.integers(0, 2, 30), rng.integers(0, 2, 30)
    scores = rng.random((30, 2))
    found = mix_gain((_one_hot(first, 2) + _one_hot(second, 2)) / 2, scores, np.arange(30), seed=0)
    halves = [mix_gain(_one_hot(p, 2), scores, np.arange(30), seed=0).gain for p in (first, second)]
    assert found.gain == pytest.approx(np.mean(halves), abs=0.01)


def test_many_questions_take_the_normal_tail_of_exact_moments(monkeypatch):
    rng = np.random.default_rng(4)
    picks, scores = _one_hot(rng.integers(0, 3, 400), 3), rng.integers(0, 2, (400, 3)).astype(float)
    permuted = permutation_p_value(picks, scores, seed=0)
    monkeypatch.setattr(samemix, "MOST_PERMUTED", 399)
    assert permutation_p_value(picks, scores, seed=0) == pytest.approx(permuted, abs=0.02)


def test_one_family_has_no_gain():
    assert mix_gain(np.ones((3, 1)), np.ones((3, 1)), np.zeros(3), seed=0) is None


@pytest.mark.parametrize("strength", [0.0, 0.5])
def test_interval_covers_93_to_97_percent(strength, monkeypatch):
    """Two models, the second right on hard questions; picks that know the question with some strength."""
    monkeypatch.setattr(samemix, "PERMUTATIONS", 0)
    rng = np.random.default_rng(5)
    n, runs = 120, 1_500
    chance = np.array([[0.9, 0.9], [0.3, 0.7]])
    pick_second = 0.5 + strength * np.array([-0.5, 0.5])
    # truth: covariance of picking the second and its advantage over the first
    advantage = chance[:, 1] - chance[:, 0]
    truth = np.mean(pick_second * advantage) - pick_second.mean() * advantage.mean()
    covered = 0
    for _ in range(runs):
        hard = rng.integers(0, 2, n)
        picks = (rng.random(n) < pick_second[hard]).astype(int)
        scores = (rng.random((n, 2)) < chance[hard]).astype(float)
        low, high = mix_gain(_one_hot(picks, 2), scores, np.arange(n), seed=0).interval
        covered += low <= truth <= high
    assert 0.93 <= covered / runs <= 0.97


def test_coin_is_called_skilled_in_at_most_5_and_a_half_percent():
    rng = np.random.default_rng(6)
    n, runs, rejected = 60, 600, 0
    chance = np.array([[0.9, 0.95], [0.3, 0.6]])
    for _ in range(runs):
        scores = (rng.random((n, 2)) < chance[rng.integers(0, 2, n)]).astype(float)
        picks = _one_hot((rng.random(n) < 0.4).astype(int), 2)
        mean, variance = permutation_moments(picks, scores)
        rejected += (picks * scores).sum() / n > mean + 1.6449 * variance**0.5
    assert rejected / runs <= 0.055 + 3 * (0.05 * 0.95 / runs) ** 0.5
