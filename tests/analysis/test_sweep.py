"""A router's own cost-quality curve."""

import numpy as np
import pytest

from analysis.worlds import arm_summary_of, run
from routemark.analysis.compare import matrix
from routemark.analysis.matrix.columns import Columns, Table
from routemark.analysis.stats.paired import difference_interval, paired
from routemark.analysis.steadiness.sweep import Gap, curves
from routemark.records import Arm
from routemark.wire.arms import parse_arm, sweep


def world(n=200, seed=1):
    """Three tiers of one router, by rising cost right in 50, 80 and 81 % of the questions, and a model."""
    draw = np.random.default_rng(seed)
    names = [f"openrouter/auto?cost_tier={tier}" for tier in ("max", "low", "medium")]
    chances, costs = (0.81, 0.5, 0.8), (0.02, 0.0002, 0.001)
    ease = draw.random(n)
    score = np.column_stack([(ease < chance).astype(float) for chance in chances])
    cost = np.column_stack([cost * np.exp(draw.normal(0, 0.3, n)) for cost in costs])
    arms = {
        name: arm_summary_of(score[:, i].mean(), 1000 * cost[:, i].mean(), n, is_router=True)
        for i, name in enumerate(names)
    }
    cells = matrix(Table(Columns(), names))._replace(
        score=score, cost=cost, cluster=np.arange(n, dtype=np.int32), single=[True] * 3
    )
    return [parse_arm(name) for name in names], arms, cells


def test_points_stand_by_rising_cost_with_paired_steps():
    arms, summaries, cells = world()
    (curve,) = curves(arms, summaries, cells, {}, seed=0)
    assert (curve.router, curve.setting) == ("openrouter/auto", "cost_tier")
    assert [point.value for point in curve.points] == ["low", "medium", "max"]
    assert [point.accuracy for point in curve.points] == sorted(point.accuracy for point in curve.points)
    low, medium, _ = curve.points
    assert (low.step, low.step_ci95, low.surely_better) == (None, None, None)
    pair = paired(cells.score[:, 2], cells.score[:, 1], cells.cluster, single=True)
    assert medium.step == pytest.approx(pair.mean)
    assert medium.step_ci95 == difference_interval(pair)
    assert medium.surely_better


def test_a_step_is_sure_only_at_the_level_of_all_steps():
    arms, summaries, cells = world()
    score = cells.score.copy()
    top, medium = 0, 2
    score[:, top] = score[:, medium]
    score[np.flatnonzero(score[:, medium] == 0)[:8], top] = 1
    score[np.flatnonzero(score[:, medium] == 1)[:1], top] = 0
    pair = paired(score[:, top], score[:, medium], cells.cluster, single=True)
    assert difference_interval(pair)[0] > 0 > difference_interval(pair, 1 - 0.05 / 2)[0]
    (curve,) = curves(arms, summaries, cells._replace(score=score), {}, seed=0)
    assert curve.points[-1].step_ci95[0] > 0
    assert not curve.points[-1].surely_better
    assert "1 of 2 steps: low to medium" in curve.sentence


def test_cost_has_an_interval_that_holds_its_mean():
    arms, summaries, cells = world()
    for point in curves(arms, summaries, cells, {}, seed=0)[0].points:
        low, high = point.cost_per_1k_ci95
        assert low < point.cost_per_1k_usd < high < 1.3 * low
        assert point.cost_rests_on is None


def test_gaps_to_the_hull_are_shown_where_known():
    arms, summaries, cells = world()
    gap = Gap(-0.1, (-0.15, -0.05), "below")
    (curve,) = curves(arms, summaries, cells, {arms[1].name: gap}, seed=0)
    low, medium, _ = curve.points
    assert (low.hull_gap, low.hull_gap_ci95, low.hull_standing) == (-0.1, (-0.15, -0.05), "below")
    assert medium.hull_gap is None
    assert "does better for the same money than low" in curve.sentence


def test_without_grades_the_sentence_says_so():
    arms, summaries, cells = world()
    bare = cells._replace(score=np.full_like(cells.score, np.nan))
    (curve,) = curves(arms, summaries, bare, {}, seed=0)
    assert "nothing was graded" in curve.sentence
    assert curve.points[1].step is None


def test_other_settings_make_another_curve_and_one_tier_makes_none():
    specs = ["openrouter/auto", "openrouter/auto?excluded_models=meta-llama/*"]
    arms = sweep([parse_arm(spec) for spec in specs], "cost_tier")
    arms += [parse_arm("openrouter/auto-beta?cost_tier=low"), Arm(name="m", model="m")]
    n = 30
    cells = matrix(Table(Columns(), [arm.name for arm in arms]))._replace(
        score=np.ones((n, len(arms))),
        cost=np.ones((n, len(arms))),
        cluster=np.arange(n, dtype=np.int32),
        single=[True] * len(arms),
    )
    summaries = {arm.name: arm_summary_of(1.0, 1.0, n) for arm in arms}
    found = curves(arms, summaries, cells, {}, seed=0)
    assert [(curve.router, len(curve.points)) for curve in found] == [(spec, 5) for spec in specs]


def test_dearer_tiers_that_are_no_better_are_rarely_called_better():
    wrong = 0
    for seed in range(40):
        arms, summaries, cells = world(n=120, seed=seed)
        draw = np.random.default_rng(seed + 1000)
        same = cells._replace(score=(draw.random(cells.score.shape) < 0.7).astype(float))
        (curve,) = curves(arms, summaries, same, {}, seed=0)
        wrong += any(point.surely_better for point in curve.points)
    assert wrong <= 4


def test_a_run_that_is_not_swept_has_no_curve():
    manifest = run("openrouter/auto", "m", routers=["openrouter/auto"])
    assert curves(manifest.arms, {}, world()[2], {}, seed=0) == []
