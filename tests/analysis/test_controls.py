"""Controls of routers over an outcome matrix: by hand, by laws, and where cells are missing."""

import msgspec
import numpy as np
import pytest
from scipy import stats

from analysis.matrices import answers, drawn, matrix, picks
from routemark.analysis.controls.controls import controls, delivery, oracle_summary, same_mix
from routemark.analysis.matrix.outcomes import DIRECT, FILE, LIVE
from routemark.records import OracleSummary, SameMix

NAN = float("nan")


def _world(n=120, seed=0, **fields):
    """Give a matrix of three models with labels, and picks that know a little."""
    rng = np.random.default_rng(seed)
    chance, cost = answers(rng, n, 3)
    fields = {"difficulty": np.arange(n) % 3, "category": np.arange(n) % 7} | fields
    choice = np.where(rng.random(n) < 0.4, chance.argmax(axis=1), rng.integers(0, 3, n))
    return matrix(drawn(rng, chance), cost, **fields), picks(choice, 3)


def test_same_mix_by_hand():
    world = matrix([[1, 0], [0, 1], [1, 1], [0, 0]], [[1, 3], [1, 5], [2, 5], [2, 11]])
    found = same_mix(world, picks([0, 1, 1, 0], 2), seed=0)
    assert (found.n, found.accuracy, found.picks_accuracy) == (4, 0.5, 0.75)
    assert found.gain == pytest.approx(4 / 3 * 0.25)
    assert found.cost_per_1k_usd == pytest.approx(1000 * (1.5 + 6) / 2)
    # of the six ways to deal the picks, two score as much; three cost no more, four no less
    assert found.p_value == pytest.approx(1 / 3, abs=0.02)
    assert found.cost_p_value == pytest.approx(3 / 6, abs=0.02)
    assert found.by_difficulty is found.by_category is None


def test_same_mix_of_a_constant_router_is_that_model():
    world, _ = _world()
    found = same_mix(world, picks([1] * 120, 3), seed=0)
    assert found.accuracy == found.picks_accuracy == pytest.approx(world.mean_score()[1])
    assert found.cost_per_1k_usd == pytest.approx(1000 * world.mean_cost()[1])
    assert found.gain == pytest.approx(0, abs=1e-12)
    assert found.by_difficulty.within == pytest.approx(0, abs=1e-12)
    assert (found.p_value, found.cost_p_value) == (1.0, 1.0)


def test_gain_is_gain_within_plus_gain_between():
    world, taken = _world()
    found = same_mix(world, taken, seed=0)
    for split, labels in ((found.by_difficulty, 3), (found.by_category, 7)):
        assert split.strata == labels
        assert split.within + split.between == pytest.approx(found.gain)
        assert split.within_ci95[0] < split.within < split.within_ci95[1]
    parts = []
    for label in range(3):
        rows = world.asked.difficulty.code == label
        parts.append(same_mix(world.where(rows), taken.where(rows), seed=0).gain)
    assert found.by_difficulty.within == pytest.approx(np.mean(parts))


def test_a_router_that_only_tells_easy_from_hard_gains_between_them():
    rng = np.random.default_rng(0)
    hard = np.arange(600) % 2
    chance = np.array([[0.9, 0.9], [0.2, 0.8]])[hard]
    found = same_mix(matrix(drawn(rng, chance), difficulty=hard), picks(hard, 2), seed=0)
    assert found.by_difficulty.within == pytest.approx(0, abs=1e-12)
    assert found.by_difficulty.within_p_value == 1.0
    assert found.by_difficulty.between == found.gain > 0.1
    assert found.p_value < 0.001


def test_order_of_questions_does_not_matter_and_costs_scale():
    world, taken = _world()
    plain = same_mix(world, taken, seed=0)
    turn = np.random.default_rng(0).permutation(120)
    turned = same_mix(world.where(turn), taken.where(turn), seed=0)
    dear = same_mix(world._replace(cost=world.cost * 1024), taken, seed=0)
    assert _close(turned, plain)
    assert dear.cost_per_1k_usd == pytest.approx(1024 * plain.cost_per_1k_usd)
    assert _close(msgspec.structs.replace(dear, cost_per_1k_usd=plain.cost_per_1k_usd), plain)


def _close(one: SameMix, other: SameMix) -> bool:
    first, second = (np.hstack([*_numbers(msgspec.to_builtins(record))]) for record in (one, other))
    return first.shape == second.shape and bool(np.allclose(first, second, atol=1e-12))


def _numbers(value):
    if isinstance(value, dict):
        return [number for part in value.values() for number in _numbers(part)]
    if isinstance(value, tuple | list):
        return list(value)
    return [] if value is None else [float(value)]


def test_free_models_have_a_mix_of_cost_0_and_no_p_for_it():
    world, taken = _world()
    found = same_mix(world._replace(cost=world.cost * 0), taken, seed=0)
    assert (found.cost_per_1k_usd, found.cost_p_value) == (0.0, None)


def test_a_model_that_nobody_asked_directly_leaves_no_same_mix():
    world, taken = _world()
    score, source = world.score.copy(), world.source.copy()
    unasked = taken.share[:, 2] == 0
    score[unasked, 2], source[:, 2] = NAN, LIVE
    found = world._replace(score=score, source=source)
    assert same_mix(found, taken, seed=0) is None
    assert same_mix(matrix(np.full((4, 2), NAN)), picks([0, 1, 0, 1], 2), seed=0) is None
    assert same_mix(world, picks([-1] * 120, 3), seed=0) is None


@pytest.mark.parametrize("asked", [[], range(5), range(90)], ids=["never", "where picked", "too seldom"])
def test_a_rarely_picked_model_must_be_told_as_well(asked):
    world, _ = _world()
    score = world.score.copy()
    score[np.setdiff1d(np.arange(120), asked), 2] = NAN
    choice = np.arange(120) % 2
    choice[:5] = 2
    found = world._replace(score=score)
    assert same_mix(found, picks(choice, 3), seed=0) is None
    assert same_mix(found, picks(np.arange(120) % 2, 3), seed=0) is not None


def test_questions_without_a_score_of_the_pick_are_left_out_up_to_one_in_five():
    world, taken = _world()
    for lost, there in ((24, True), (25, False)):
        score = world.score.copy()
        score[:lost] = NAN
        found = same_mix(world._replace(score=score), taken, seed=0)
        assert (found is not None) == there
        if found is not None:
            rest = np.arange(120) >= lost
            assert found == same_mix(world.where(rest), taken.where(rest), seed=0)


def test_with_unknown_cells_p_comes_from_z():
    world, taken = _world()
    score = world.score.copy()
    score[np.flatnonzero(taken.share[:, 0] == 0)[:3], 0] = NAN
    found = same_mix(world._replace(score=score), taken, seed=0)
    assert found.n == 120
    assert found.accuracy == pytest.approx(np.nanmean(score, axis=0) @ taken.shares())
    error = (found.gain_ci95[1] - found.gain) / stats.t.ppf(0.975, 119)
    assert found.p_value == pytest.approx(stats.norm.sf(found.gain / error))


def test_a_sampled_model_has_its_mean_over_the_sample_alone():
    world, _ = _world()
    choice = np.zeros(120, dtype=int)
    choice[:4] = 1
    sampled = np.ones((120, 3), dtype=bool)
    sampled[:, 1] = np.arange(120) >= 60
    score = np.where(sampled | (np.eye(3)[choice] > 0), world.score, NAN)
    found = same_mix(world._replace(score=score, sampled=sampled), picks(choice, 3), seed=0)
    assert found.accuracy == pytest.approx(
        (116 * world.score[:, 0].mean() + 4 * world.score[60:, 1].mean()) / 120
    )


def test_live_cells_that_stand_in_for_direct_ones_give_picking_and_delivery_together():
    world, taken = _world()
    stood_in = world._replace(source=np.where(taken.share > 0, LIVE, DIRECT).astype(np.int8))
    found, plain = same_mix(stood_in, taken, seed=0), same_mix(world, taken, seed=0)
    assert (found.includes_delivery, found.p_value, found.cost_p_value) == (True, None, None)
    assert (found.gain, found.gain_ci95) == (plain.gain, plain.gain_ci95)
    assert not plain.includes_delivery
    assert delivery(stood_in, taken) is None


def test_delivery_is_live_minus_direct_on_the_picked_cells():
    world = matrix([[1, 0], [0, 1], [1, 1], [NAN, 0]], [[1, 2], [1, 2], [1, 2], [1, 2]])
    found = delivery(world, picks([0, 0, 1, 0], 2, score=[1, 1, 1, 1], cost=[2, 2, NAN, 2]))
    assert (found.n, found.clusters, found.live_accuracy) == (3, 3, 1.0)
    assert found.accuracy_difference == pytest.approx(1 / 3)
    assert found.direct_accuracy == pytest.approx(2 / 3)
    assert found.cost_difference_per_1k_usd == pytest.approx(1000)


def test_delivery_interval_of_families_is_t():
    rng = np.random.default_rng(0)
    family = np.arange(60) // 3
    world = matrix(drawn(rng, np.full((60, 2), 0.6)), cluster=family)
    live = drawn(rng, np.full(60, 0.8))
    found = delivery(world, picks([0] * 60, 2, score=live))
    means = (live - world.score[:, 0]).reshape(20, 3).mean(axis=1)
    wanted = stats.t.interval(0.95, 19, means.mean(), stats.sem(means))
    assert found.ci95 == pytest.approx(wanted)
    assert found.clusters == 20


def test_live_less_same_mix_is_picking_and_delivery():
    world, taken = _world()
    live = drawn(np.random.default_rng(9), np.full(120, 0.7))
    taken = taken._replace(score=live)
    mix, brought = same_mix(world, taken, seed=0), delivery(world, taken)
    picking = mix.picks_accuracy - mix.accuracy
    assert picking + brought.accuracy_difference == pytest.approx(live.mean() - mix.accuracy)


def test_files_know_of_no_delivery():
    world, taken = _world()
    world = world._replace(source=np.full(world.source.shape, FILE, dtype=np.int8))
    assert delivery(world, taken._replace(score=np.ones(120))) is None
    assert same_mix(world, taken, seed=0) is not None


def test_oracle_summary_puts_the_bounds_side_by_side():
    world, _ = _world(choices=np.where(np.arange(120) < 30, 4, 0))
    found = oracle_summary(world, seed=0, confirmed=0.5)
    assert (found.questions, found.models) == (120, ["m0", "m1", "m2"])
    assert found.reachable == max(found.best_single.crossfit_accuracy, 0.5)
    assert found.reachable <= found.best_then_cheapest.accuracy
    assert (found.choice_questions, found.luck) == (30, pytest.approx(1 - 0.75**3))
    assert found.split_halves is None
    assert found.zero_router[0].model == found.cheapest.model
    assert found.zero_router[-1].model == found.best_single.model
    assert oracle_summary(world, seed=0, confirmed=0.99).reachable == 0.99
    assert sum(part.questions for part in found.by_difficulty.values()) == 120
    weighed = sum(part.questions * part.accuracy for part in found.by_difficulty.values()) / 120
    assert weighed == pytest.approx(found.best_then_cheapest.accuracy)
    assert msgspec.json.decode(msgspec.json.encode(found), type=OracleSummary) == found


def test_a_pool_of_one_has_no_oracle():
    world, _ = _world()
    score = world.score.copy()
    score[:, 1:] = NAN
    assert oracle_summary(world._replace(score=score), seed=0) is None


def test_controls_hold_every_router():
    world, taken = _world()
    found = controls(world, {"a": taken, "b": picks([-1] * 120, 3)}, seed=0)
    assert found.oracle == oracle_summary(world, seed=0)
    assert found.arms["a"].same_mix == same_mix(world, taken, seed=0)
    assert found.arms["a"].regret.n == found.arms["a"].equal_cost.n == 120
    assert found.arms["b"] == (None, None, None, None)
