import itertools

import numpy as np
import pytest
from scipy import stats

from routemark.analysis.controls import samemix
from routemark.analysis.controls.samemix import mix_gain, permutation_moments, permutation_p_value


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


def test_p_value_inside_strata_is_that_of_all_permutations_inside_them():
    """The picks tell the strata apart, and one question within them."""
    picks, scores = np.array([0, 0, 0, 1, 1, 1, 0]), np.tile([0.0, 1.0], (7, 1))
    scores[[0, 1, 6]] = [[1, 0], [1, 0], [0, 0]]
    strata = np.array([0, 0, 0, 0, 1, 1, 1], dtype=np.int32)
    totals = [
        scores[np.arange(7), picks[[*first, *second]]].sum()
        for first in itertools.permutations(range(4))
        for second in itertools.permutations(range(4, 7))
    ]
    exact = np.mean(np.array(totals) >= scores[np.arange(7), picks].sum() - 1e-12)
    found = permutation_p_value(_one_hot(picks, 2), scores, seed=5, strata=strata)
    assert found == pytest.approx(exact, abs=0.02)
    assert permutation_p_value(_one_hot(picks, 2), scores, seed=5) < exact - 0.05


def test_many_questions_in_strata_take_the_normal_tail_too(monkeypatch):
    rng = np.random.default_rng(8)
    strata = rng.integers(0, 4, 400).astype(np.int32)
    picks, scores = _one_hot(rng.integers(0, 3, 400), 3), rng.integers(0, 2, (400, 3)).astype(float)
    permuted = permutation_p_value(picks, scores, seed=0, strata=strata)
    monkeypatch.setattr(samemix, "MOST_PERMUTED", 399)
    assert permutation_p_value(picks, scores, seed=0, strata=strata) == pytest.approx(permuted, abs=0.02)


def test_p_value_does_not_hang_on_the_order_of_the_questions():
    rng = np.random.default_rng(9)
    picks, scores = _one_hot(rng.integers(0, 3, 50), 3), rng.integers(0, 2, (50, 3)).astype(float)
    turn = rng.permutation(50)
    assert permutation_p_value(picks, scores, seed=0) == permutation_p_value(
        picks[turn], scores[turn], seed=0
    )


def test_influence_is_the_published_one_where_every_cell_is_known():
    rng = np.random.default_rng(10)
    picks, scores = _one_hot(rng.integers(0, 3, 80), 3), rng.random((80, 3))
    shares, means = picks.mean(axis=0), scores.mean(axis=0)
    psi = (picks * scores).sum(axis=1) - scores @ shares - (picks @ means - shares @ means)
    half = stats.t.ppf(0.975, 79) * psi.std(ddof=1) / 80**0.5
    found = mix_gain(picks, scores, np.arange(80), seed=0)
    assert found.interval == pytest.approx((found.gain - half, found.gain + half))


def test_a_sample_weighs_the_influence_by_the_inverse_of_its_share():
    rng = np.random.default_rng(12)
    picks, scores = _one_hot(rng.integers(0, 2, 80), 2), rng.random((80, 2))
    at = np.column_stack([np.ones(80, dtype=bool), rng.permutation(80) < 20])
    shares, means = picks.mean(axis=0), np.array([scores[:, 0].mean(), scores[at[:, 1], 1].mean()])
    psi = [
        sum(
            picks[i, m] * (scores[i, m] - means[m])
            - shares[m] * at[i, m] / at[:, m].mean() * (scores[i, m] - means[m])
            for m in range(2)
        )
        for i in range(80)
    ]
    half = stats.t.ppf(0.975, 79) * np.std(psi, ddof=1) / 80**0.5
    found = mix_gain(picks, scores, np.arange(80), seed=0, representative=at)
    assert found.expected == pytest.approx(shares @ means)
    assert found.gain == pytest.approx(80 / 79 * ((picks * scores).sum(axis=1).mean() - shares @ means))
    assert found.interval == pytest.approx((found.gain - half, found.gain + half))
    assert found.p_value == pytest.approx(stats.norm.sf(found.gain / (np.std(psi, ddof=1) / 80**0.5)))


def test_a_stratum_without_a_cell_of_a_picked_model_tells_nothing():
    picks, scores = _one_hot([0, 1, 0, 1], 2), np.ones((4, 2))
    at = np.array([[True, False], [True, False], [True, True], [True, True]])
    strata = np.array([0, 0, 1, 1], dtype=np.int32)
    assert mix_gain(picks, scores, np.arange(4), seed=0, representative=at) is not None
    assert mix_gain(picks, scores, np.arange(4), seed=0, representative=at, strata=strata) is None


WORLD = "n, sampled, family, runs"


@pytest.mark.slow
@pytest.mark.parametrize(
    WORLD,
    [
        (120, False, 1, 500),
        (360, False, 1, 300),
        (120, True, 1, 500),
        (360, True, 1, 300),
        (360, False, 4, 300),
    ],
)
def test_intervals_cover_93_to_97_percent_in_many_worlds(n, sampled, family, runs, monkeypatch):
    _covers(n, sampled, family, runs, monkeypatch)


def test_intervals_cover_93_to_97_percent_in_short(monkeypatch):
    _covers(120, True, 1, 300, monkeypatch)


def _covers(n, sampled, family, runs, monkeypatch):
    """Six models, picks with some skill; rare models asked a sample of the questions only."""
    monkeypatch.setattr(samemix, "PERMUTATIONS", 0)
    rng = np.random.default_rng(n + family)
    whole = _drawn_world(rng, 100_000, family)
    truth = _covariance(*whole[:2])
    labels = [whole[3] == label for label in range(3)]
    inside = sum(at.mean() * _covariance(whole[0][at], whole[1][at]) for at in labels)
    covered = within = 0
    for _ in range(runs):
        picks, chance, cluster, label = _drawn_world(rng, n, family)
        at = _asked(rng, picks) if sampled else None
        scores = (rng.random(chance.shape) < chance).astype(float)
        low, high = mix_gain(picks, scores, cluster, seed=0, representative=at).interval
        covered += low <= truth <= high
        low, high = mix_gain(picks, scores, cluster, seed=0, representative=at, strata=label).interval
        within += low <= inside <= high
    margin = 2 * (0.05 * 0.95 / runs) ** 0.5
    assert 0.93 - margin <= covered / runs <= 0.97 + margin
    assert 0.93 - margin <= within / runs <= 0.97 + margin


def _drawn_world(rng, n, family):
    """Give picks (n, 6), each model's chance of being right, the cluster and the difficulty."""
    families = -(-n // family)
    cluster = np.repeat(np.arange(families), family)[:n]
    label = rng.integers(0, 3, families)[cluster]
    hardness = 0.8 * (label - 1) + rng.normal(0, 0.7, families)[cluster] + rng.normal(0, 0.7, n)
    logit = 1.5 * (np.linspace(-1, 1.5, 6) - hardness[:, None] + rng.normal(0, 0.7, (n, 6)))
    chance = 1 / (1 + np.exp(-logit))
    lots = rng.choice(6, n, p=[0.5, 0.35, 0.06, 0.04, 0.03, 0.02])
    knows = np.where(label == 2, 5, (chance + rng.normal(0, 0.3, chance.shape)).argmax(axis=1))
    return _one_hot(np.where(rng.random(n) < 0.3, knows, lots), 6), chance, cluster, label.astype(np.int32)


def _covariance(picks, chance):
    return (picks * chance).sum(axis=1).mean() - picks.mean(axis=0) @ chance.mean(axis=0)


def _asked(rng, picks):
    """Give the cells of the random samples: max(30, n sqrt(s / 0.05)) questions below a share s of 5 %."""
    at = np.ones(picks.shape, dtype=bool)
    for model, share in enumerate(picks.mean(axis=0)):
        if share < 0.05:
            size = max(30, int(np.ceil(len(picks) * (share / 0.05) ** 0.5)))
            at[:, model] = rng.permutation(len(picks)) < size
    return at


@pytest.mark.slow
def test_permutation_p_rejects_at_most_5_and_a_half_percent(monkeypatch):
    """A coin over three models, in all and inside difficulties."""
    monkeypatch.setattr(samemix, "PERMUTATIONS", 399)
    rng = np.random.default_rng(11)
    runs, overall, inside = 500, 0, 0
    for _ in range(runs):
        label = rng.integers(0, 3, 60).astype(np.int32)
        scores = (
            rng.random((60, 3)) < np.array([[0.9, 0.95, 1], [0.5, 0.7, 0.8], [0.1, 0.3, 0.6]])[label]
        ).astype(float)
        picks = _one_hot(rng.choice(3, 60, p=[0.5, 0.3, 0.2]), 3)
        overall += permutation_p_value(picks, scores, seed=1) <= 0.05
        inside += permutation_p_value(picks, scores, seed=1, strata=label) <= 0.05
    margin = 2 * (0.05 * 0.95 / runs) ** 0.5
    assert overall / runs <= 0.055 + margin
    assert inside / runs <= 0.055 + margin
