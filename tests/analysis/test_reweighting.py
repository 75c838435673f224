"""What a page needs to weigh anew says the same as weighing the answers themselves."""

import itertools

import numpy as np
import pytest

from routemark.analysis.compare import Matrix
from routemark.analysis.controls.value import price
from routemark.analysis.matrix.outcomes import Grouping
from routemark.analysis.stats.strata import Strata, stratified
from routemark.analysis.traffic.reweighting import ALL, MOST_ARMS, reweighting
from routemark.records import ArmSummary, Moments, Quantiles, Slice

LABELS = ["easy", "hard", "opt"]


def arm(sample: int | None = None, accuracy: float | None = 0.5) -> ArmSummary:
    none: dict[str, Slice] = {}
    return ArmSummary(
        n=90, succeeded=90, failed=0, failures={}, truncated=0, empty=0, ungraded=0, graded=0, clusters=0, is_router=False,
        accuracy=accuracy, accuracy_ci95=None, accuracy_answered=None, cost_usd=None, cost_unknown=0, cost_per_1k_usd=None,
        cost_per_correct_usd=None, arena_score=None, latency_s=Quantiles(), ttft_s=Quantiles(), model_usage={},
        provider_usage={}, pick_entropy_bits=None, by_difficulty=none, by_category=none, by_task_type=none, sample=sample,
    )  # fmt: skip


def world(n: int = 90, arms: int = 3, seed: int = 4) -> tuple[Matrix, Grouping]:
    """Some cells unknown, families of three questions, some of which reach over two difficulties."""
    draw = np.random.default_rng(seed)
    score = (draw.random((n, arms)) < np.linspace(0.4, 0.8, arms)).astype(float)
    cost = draw.lognormal(-6, 1, (n, arms))
    score[draw.random((n, arms)) < 0.05] = np.nan
    cost[draw.random((n, arms)) < 0.05] = np.nan
    cells = Matrix(
        score, cost, np.arange(n, dtype=np.int32) // 3, [True] * arms, np.zeros((n, arms), dtype=bool)
    )
    return cells, Grouping(draw.integers(0, 3, n).astype(np.int32), LABELS)


def weighted(moments: Moments, weights: np.ndarray) -> tuple[float, float]:
    return float(weights @ moments.mean), float(weights @ np.array(moments.covariance) @ weights)


@pytest.mark.parametrize("weights", [(0.2, 0.5, 0.3), (1.0, 0.0, 0.0), (0.0, 0.9, 0.1)])
def test_means_and_variances_are_those_of_the_answers_weighed(weights):
    cells, difficulty = world()
    found = reweighting(cells, {name: arm() for name in "abc"}, difficulty, "a")
    mix, strata = np.array(weights), Strata(difficulty.code, np.array(weights))
    for i, one in enumerate(found.arms):
        for moments, column in ((one.score, cells.score[:, i]), (one.cost, cells.cost[:, i])):
            known = stratified(column[:, None], cells.cluster, strata)
            assert weighted(moments, mix) == pytest.approx(
                (known.mean[0], known.covariance[0, 0]), rel=1e-9, abs=1e-18
            )
    for one, (a, b) in zip(found.pairs, itertools.combinations(range(3), 2), strict=True):
        values = np.column_stack([cells.score[:, a] - cells.score[:, b], cells.cost[:, a] - cells.cost[:, b]])
        known = stratified(values, cells.cluster, strata)
        assert weighted(one.score, mix) == pytest.approx((known.mean[0], known.covariance[0, 0]), rel=1e-9)
        assert weighted(one.cost, mix) == pytest.approx((known.mean[1], known.covariance[1, 1]), rel=1e-9)
        assert mix @ np.array(one.cross) @ mix == pytest.approx(known.covariance[0, 1], rel=1e-9)


def test_the_whole_says_where_the_choice_flips_as_the_comparison_does():
    cells, difficulty = world()
    one = reweighting(cells, {name: arm() for name in "abc"}, difficulty, "a").pairs[1]
    known = price(cells.score[:, 0] - cells.score[:, 2], cells.cost[:, 0] - cells.cost[:, 2], cells.cluster)
    d, c, dd, dc, cc, t = one.whole
    at = known.net_benefit[2]
    assert 1000 * (at.price_usd * d - c) == pytest.approx(at.per_1k_usd)
    half = t * (at.price_usd**2 * dd + cc - 2 * at.price_usd * dc) ** 0.5
    assert 1000 * (at.price_usd * d - c - half) == pytest.approx(at.ci95[0])


def test_the_arm_judged_stands_first_in_its_pairs_and_is_never_left_out():
    cells, difficulty = world(arms=MOST_ARMS + 2)
    arms = {f"m{i}": arm() for i in range(MOST_ARMS + 2)}
    last = f"m{MOST_ARMS + 1}"
    found = reweighting(cells, arms, difficulty, last)
    assert len(found.arms) == MOST_ARMS
    assert sum(one.arm == last for one in found.pairs) == MOST_ARMS - 1
    assert all(one.baseline != last for one in found.pairs)


def test_one_label_or_too_many_are_one_and_sampled_or_ungraded_arms_are_left_out():
    cells, difficulty = world()
    arms = {"a": arm(), "b": arm(), "c": arm(sample=30)}
    for labels in (["easy"], [str(i) for i in range(9)]):
        found = reweighting(cells, arms, Grouping(difficulty.code % len(labels), labels), "a")
        assert found.labels == [ALL]
        assert [one.arm for one in found.arms] == ["a", "b"]
    assert (
        reweighting(cells, {"a": arm(), "b": arm(accuracy=None), "c": arm(sample=3)}, difficulty, "a") is None
    )
