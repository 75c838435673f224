"""The router beside the best mixture for the same money: by hand, its laws, and its error rates."""

import numpy as np
import pytest

from analysis.matrices import answers, drawn, matrix, picks
from routemark.analysis.controls import equalcost
from routemark.analysis.controls.equalcost import equal_costs

NAN = float("nan")


def equal_cost(world, router, *, seed):
    return equal_costs(world, [router], seed=seed)[0]


def _world(n=200, seed=0, **fields):
    rng = np.random.default_rng(seed)
    chance, cost = answers(rng, n)
    return matrix(drawn(rng, chance), cost, **fields), chance, rng


def test_gap_to_the_line_between_two_models():
    score = np.column_stack([np.tile([1.0, 0.0], 10), np.ones(20)])
    found = equal_cost(matrix(score, [[1, 3]]), picks([0] * 20, 2, score=[0.5] * 20, cost=[2] * 20), seed=0)
    assert (found.n, found.accuracy, found.cost_per_1k_usd) == (20, 0.5, 2000)
    assert (found.mixture_accuracy, found.gap) == (0.75, -0.25)
    assert (found.cheap, found.dear, found.dear_share) == ("m0", "m1", 0.5)


def test_without_own_answers_the_picked_cells_count():
    world, _, rng = _world()
    choice = rng.integers(0, 6, 200)
    at = np.arange(200), choice
    own = picks(choice, 6, score=world.score[at], cost=world.cost[at])
    assert equal_cost(world, picks(choice, 6), seed=4) == equal_cost(world, own, seed=4)


def test_bootstrap_is_what_resampling_by_hand_gives(monkeypatch):
    monkeypatch.setattr(equalcost, "REPLICATES", 4_000)
    world, _, rng = _world(n=60, cluster=np.arange(60) // 2)
    choice = rng.integers(0, 6, 60)
    score, cost = world.score[np.arange(60), choice], world.cost[np.arange(60), choice]
    gaps = []
    for _ in range(4_000):
        rows = np.concatenate([[2 * c, 2 * c + 1] for c in rng.integers(0, 30, 30)])
        hull = equalcost.zero_router(world.cost[rows].mean(axis=0), world.score[rows].mean(axis=0))
        gaps.append(score[rows].mean() - equalcost.height(hull, cost[rows].mean()))
    found = equal_cost(world, picks(choice, 6), seed=0)
    assert found.gap_ci95 == pytest.approx(np.quantile(gaps, [0.025, 0.975]), abs=0.01)
    assert found.gap_ci99 == pytest.approx(np.quantile(gaps, [0.005, 0.995]), abs=0.02)


def test_a_fixed_model_on_the_hull_is_on_it_and_one_below_is_below():
    score = np.column_stack([np.tile([1.0, 0, 0], 60), np.tile([1.0, 0, 0], 60), np.tile([1.0, 1, 0], 60)])
    world = matrix(score, [[1, 3, 4]])
    on, below = (equal_cost(world, picks([model] * 180, 3), seed=0) for model in (2, 1))
    assert (on.gap, on.standing, on.cheap, on.dear) == (0, "open", "m2", "m2")
    assert (below.standing, below.cheap, below.dear) == ("below", "m0", "m2")


def test_a_router_that_knows_is_above():
    world, _, _ = _world(n=400)
    choice = np.where(world.score.max(axis=1) > 0, world.score.argmax(axis=1), 0)
    assert equal_cost(world, picks(choice, 6), seed=0).standing == "above"


def test_order_does_not_matter_and_costs_scale():
    world, _, rng = _world()
    choice = rng.integers(0, 6, 200)
    plain = equal_cost(world, picks(choice, 6), seed=0)
    turn = rng.permutation(200)
    renumbered = world.where(turn).asked._replace(cluster=np.arange(200, dtype=np.int32))
    turned = equal_cost(world.where(turn)._replace(asked=renumbered), picks(choice[turn], 6), seed=0)
    dear = equal_cost(world._replace(cost=4 * world.cost), picks(choice, 6), seed=0)
    for other in (turned, dear):
        assert other.gap == pytest.approx(plain.gap)
        assert other.gap_ci95 == pytest.approx(plain.gap_ci95, rel=1e-9)
        assert (other.standing, other.cheap, other.dear) == (plain.standing, plain.cheap, plain.dear)
    assert dear.cost_per_1k_usd == pytest.approx(4 * plain.cost_per_1k_usd)


def test_many_clusters_are_thrown_together(monkeypatch):
    world, _, rng = _world(n=600)
    choice = rng.integers(0, 6, 600)
    plain = equal_cost(world, picks(choice, 6), seed=0)
    monkeypatch.setattr(equalcost, "MOST_RESAMPLED", 150)
    grouped = equal_cost(world, picks(choice, 6), seed=0)
    assert grouped.gap == plain.gap
    assert grouped.gap_ci95 == pytest.approx(plain.gap_ci95, abs=0.015)


def test_models_that_were_only_sampled_are_not_on_the_hull():
    score = np.column_stack([np.tile([1.0, 0.0], 20), np.ones(40)])
    sampled = np.ones((40, 2), dtype=bool)
    sampled[20:, 1] = False
    found = equal_cost(matrix(score, sampled=sampled), picks([0] * 40, 2), seed=0)
    assert (found.mixture_accuracy, found.dear) == (0.5, "m0")


@pytest.mark.parametrize(
    ("world", "choice", "own"),
    [
        (matrix([[1.0], [0.0]]), [-1, -1], {}),
        (matrix([[NAN], [NAN]]), [0, 0], {"score": [1, 1], "cost": [1, 1]}),
        (matrix([[1.0], [0.0]], cluster=[0, 0]), [0, 0], {}),
        (matrix([[1.0], [0.0]], [[2]]), [0, 0], {"score": [1, 1], "cost": [1, 1]}),
    ],
    ids=["no pick", "no model", "one family", "cheaper than every model"],
)
def test_nothing_to_compare_with(world, choice, own):
    assert equal_cost(world, picks(choice, len(world.models), **own), seed=0) is None


@pytest.mark.slow
@pytest.mark.parametrize(("n", "live"), [(120, False), (360, True)], ids=["picks", "own answers"])
def test_a_mixture_is_seldom_called_above_or_below(n, live, monkeypatch):
    _seldom_wrong(n, live, 200, monkeypatch)


def test_a_mixture_is_seldom_called_above_or_below_in_short(monkeypatch):
    _seldom_wrong(120, True, 100, monkeypatch)


def _seldom_wrong(n, live, runs, monkeypatch):
    """Draw lots between two neighbours on the hull; at most 2.5 % false "above", as many false "below"."""
    monkeypatch.setattr(equalcost, "REPLICATES", 600)
    rng = np.random.default_rng(n)
    said = {"above": 0, "below": 0, "open": 0}
    for _ in range(runs):
        chance, cost = answers(rng, n)
        choice = rng.integers(4, 6, n)
        own = {}
        if live:
            again, paid = drawn(rng, chance), cost * rng.lognormal(0, 0.2, cost.shape) / np.exp(0.02)
            at = np.arange(n), choice
            own = {"score": again[at], "cost": paid[at]}
        found = equal_cost(
            matrix(drawn(rng, chance), cost), picks(choice, 6, **own), seed=int(rng.integers(2**31))
        )
        said[found.standing] += 1
    chance_of_the_draw = 2 * (0.025 * 0.975 / runs) ** 0.5
    assert said["above"] / runs <= 0.025 + chance_of_the_draw
    assert said["below"] / runs <= 0.025 + chance_of_the_draw


def test_routers_together_have_the_gaps_that_each_has_alone():
    world, chance, _ = _world()
    rng = np.random.default_rng(5)
    choices = [chance.argmax(axis=1), rng.integers(0, chance.shape[1], len(chance)), chance.argmin(axis=1)]
    choices.append(np.where(np.arange(len(chance)) < 150, choices[0], -1))  # on other questions than the rest
    routers = [picks(choice, chance.shape[1]) for choice in choices]
    together = equal_costs(world, routers, seed=2)
    for found, router in zip(together, routers, strict=True):
        alone = equal_cost(world, router, seed=2)
        assert (found is None) == (alone is None)
        if found is not None:
            assert found.n == int(router.picked.sum())
            assert [found.gap, *found.gap_ci95, *found.gap_ci99] == pytest.approx(
                [alone.gap, *alone.gap_ci95, *alone.gap_ci99], abs=1e-12
            )
    assert sum(found is not None for found in together) >= 2
