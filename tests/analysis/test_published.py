"""Published metrics: each against hand-computed cases, and against another way of computing it."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routemark.analysis.controls.hull import zero_router
from routemark.analysis.matrix.outcomes import FILE, Asked, Grouping, Outcomes, Picks, one_each
from routemark.analysis.published import published

NAN = math.nan


def outcomes(score, cost):
    score, cost = np.array(score, dtype=float), np.array(cost, dtype=float)
    n, m = score.shape
    asked = Asked(
        np.arange(n, dtype=np.int32),
        *[Grouping(np.full(n, -1, dtype=np.int32), ())] * 2,
        np.zeros(n, dtype=int),
    )
    source = np.full((n, m), FILE, dtype=np.int8)
    return Outcomes(asked, tuple("abcdefgh"[:m]), score, cost, np.full((n, m), NAN), source)


def picks(choice, models):
    unknown = np.full(len(choice), NAN)
    return Picks("r", one_each(np.array(choice), models), unknown, unknown)


# ------------------------------------------------------------------------------------------ RouterArena


def test_optimality_by_hand():
    # a right and cheap; b right where a is wrong; nobody right; only half right
    score = [[1, 1], [0, 1], [0, 0], [0.5, 0]]
    cost = [[1, 3], [1, 4], [1, 4], [1, 4]]
    found = published.optimality(outcomes(score, cost), picks([1, 1, 0, 0], 2))
    assert found == (2, 0.5, 1.0, 5 / 7)


def test_every_model_tied_in_cost_is_optimal_and_free_picks_have_no_cost_ratio():
    free = outcomes([[1, 1]], [[0, 0]])
    assert (
        published.optimality(free, picks([0], 2))
        == published.optimality(free, picks([1], 2))
        == (1, 1, 1, None)
    )


def test_unknown_costs_stay_out_of_optimal_cost():
    matrix = outcomes([[1, 1], [1, 0]], [[NAN, 2], [NAN, 1]])
    assert published.optimality(matrix, picks([0, 0], 2)) == (2, 0.5, 1.0, None)
    assert published.optimality(matrix, picks([1, 0], 2)) == (2, 1.0, 1.0, 1.0)


def test_questions_without_a_pick_or_a_right_model_have_no_optimum():
    assert published.optimality(outcomes([[0.9, 0]], [[1, 1]]), picks([0], 2)) == (0, None, None, None)
    assert published.optimality(outcomes([[1, 0]], [[1, 1]]), picks([-1], 2)) == (0, None, None, None)


def optimality_one_by_one(score, cost, choice):
    chosen = right = total = spent = least = asked = 0
    for scores, costs, pick in zip(score, cost, choice, strict=True):
        full = [c for s, c in zip(scores, costs, strict=True) if s >= 1]
        if not full:
            continue
        asked += 1
        chosen += scores[pick] >= 1 and costs[pick] == min(full)
        total += scores[pick]
        if scores[pick] >= 1:
            spent, least, right = spent + costs[pick], least + min(full), right + 1
    if not asked:
        return (0, None, None, None)
    return (asked, chosen / asked, total / asked, least / spent if spent else None)


@settings(deadline=None)
@given(st.data())
def test_optimality_of_random_matrices(data):
    n, m = data.draw(st.integers(1, 6)), data.draw(st.integers(1, 4))
    cell = st.lists(st.sampled_from([0.0, 0.5, 1.0]), min_size=m, max_size=m)
    price = st.lists(st.sampled_from([0.0, 0.1, 0.2, 1.5]), min_size=m, max_size=m)
    score = data.draw(st.lists(cell, min_size=n, max_size=n))
    cost = data.draw(st.lists(price, min_size=n, max_size=n))
    choice = data.draw(st.lists(st.integers(0, m - 1), min_size=n, max_size=n))
    found = published.optimality(outcomes(score, cost), picks(choice, m))
    assert found == pytest.approx(optimality_one_by_one(score, cost, choice), abs=1e-12)


# ------------------------------------------------------------------------------------------ RouterBench

COSTS = st.lists(st.floats(0.01, 100), min_size=2, max_size=6, unique=True)


def upper_hull_height(cost, score, at):
    """Give the best score of a mixture of two points that costs at most ``at``: brute force."""
    best = max(s for c, s in zip(cost, score, strict=True) if c <= at)
    for i in range(len(cost)):
        for j in range(len(cost)):
            if cost[i] <= at < cost[j]:
                share = (at - cost[i]) / (cost[j] - cost[i])
                best = max(best, score[i] + share * (score[j] - score[i]))
    return best


@settings(deadline=None, max_examples=50)
@given(COSTS, st.data())
def test_aiq_is_the_mean_height_of_the_hull(cost, data):
    score = data.draw(st.lists(st.floats(0, 1), min_size=len(cost), max_size=len(cost)))
    hull = zero_router(np.array(cost), np.array(score))
    dearest = float(hull.cost[-1]) + data.draw(st.sampled_from([0.0, 7.0]))
    ends = [*sorted(c for c in cost if c <= hull.cost[-1]), dearest]
    heights = [upper_hull_height(cost, score, c) for c in ends]
    area = sum(
        (b - a) * (x + y) / 2 for a, b, x, y in zip(ends, ends[1:], heights, heights[1:], strict=False)
    )
    width = dearest - ends[0]
    expected = area / width if width else None
    assert published.aiq(hull, dearest) == (None if expected is None else pytest.approx(expected, abs=1e-9))
    assert published.aiq_code(hull, dearest) == pytest.approx(area / dearest, abs=1e-9)


def test_aiq_by_hand():
    hull = zero_router(np.array([1.0, 2.0, 4.0, 3.0]), np.array([0.2, 0.6, 0.8, 0.1]))
    assert hull.models == (0, 1, 2)
    assert published.aiq(hull, 4) == pytest.approx((0.4 + 1.4) / 3)
    assert published.aiq_code(hull, 4) == pytest.approx(1.8 / 4)
    assert published.aiq(hull, 5) == pytest.approx((1.8 + 0.8) / 4)


def test_a_hull_without_width_has_no_aiq():
    one = zero_router(np.array([2.0]), np.array([0.5]))
    assert (published.aiq(one, 2.0), published.aiq_code(one, 2.0)) == (None, 0.0)
    assert published.aiq(one, 4.0) == 0.5
    assert published.aiq_code(zero_router(np.array([0.0]), np.array([0.5])), 0.0) is None
    assert published.aiq(zero_router(np.array([NAN]), np.array([1.0])), 1.0) is None
    with pytest.raises(ValueError, match="dearest"):
        published.aiq(one, 1.0)


@settings(deadline=None, max_examples=50)
@given(COSTS, st.data())
def test_willingness_to_pay_is_the_argmax_at_every_price(cost, data):
    score = data.draw(st.lists(st.floats(0, 1), min_size=len(cost), max_size=len(cost)))
    buys = published.willingness_to_pay(zero_router(np.array(cost), np.array(score)))
    assert buys[0].from_usd == 0
    for price in np.geomspace(1e-3, 1e5, 60):
        model = [buy.model for buy in buys if buy.from_usd <= price][-1]
        value = price * np.array(score) - np.array(cost)
        assert value[model] == pytest.approx(value.max(), rel=1e-9, abs=1e-9)


# ------------------------------------------------------------------------------------------ RouteLLM


def test_pgr_apgr_and_cpt_by_hand():
    share, score = np.array([1.0, 0.0, 0.5]), np.array([0.8, 0.4, 0.7])
    assert published.pgr(0.7, 0.4, 0.8) == pytest.approx(0.75)
    assert published.apgr(share, score, 0.4, 0.8) == pytest.approx((0.275 + 0.375 - 0.4) / 0.4)
    assert published.cpt(0.5, share, score, 0.4, 0.8) == pytest.approx(100 / 3)
    assert published.cpt(0.75, share, score, 0.4, 0.8) == pytest.approx(50)


def test_drawing_lots_recovers_half_the_gap():
    share = np.linspace(0, 1, 11)
    assert published.apgr(share, 0.3 + 0.4 * share, 0.3, 0.7) == pytest.approx(0.5)
    assert published.cpt(0.3, share, 0.3 + 0.4 * share, 0.3, 0.7) == pytest.approx(30)


def test_cpt_takes_the_first_crossing_where_the_curve_dips():
    share, score = np.array([0, 0.2, 0.4, 0.6, 1]), np.array([0, 0.6, 0.2, 0.4, 1.0])
    assert published.cpt(0.5, share, score, 0, 1) == pytest.approx(100 * 0.2 * 0.5 / 0.6)
    assert published.cpt(0.0, share, score, 0, 1) == 0
    assert published.cpt(1.2, share, score, 0, 1) is None


def test_tied_models_and_single_points_recover_nothing():
    assert published.pgr(0.5, 0.5, 0.5) is None
    assert published.cpt(0.5, np.array([0.0, 1]), np.array([0.5, 0.5]), 0.5, 0.5) is None
    assert published.apgr(np.array([0.3]), np.array([0.5]), 0.4, 0.8) is None
    assert published.apgr(np.zeros(0), np.zeros(0), 0.4, 0.8) is None


# ------------------------------------------------------------------------ LLMRouterBench and RouterEval


def test_relative_figures():
    assert published.gain(0.8, 0.75) == pytest.approx(1 / 15)
    assert published.gap(0.6, 0.9) == pytest.approx(1 / 3)
    assert published.relative_score(0.8, 0.75) == pytest.approx(1 + published.gain(0.8, 0.75))
    assert published.gain(0.1, 0) is published.gap(0, 0) is published.relative_score(0, 0) is None


def test_perf_gain_and_cost_save():
    scores, costs = [0.7, 0.8, 0.82, 0.9], [1.0, 3.0, 4.0, 9.0]
    assert published.perf_gain(scores, 0.8) == pytest.approx(0.125)
    assert published.cost_save(scores, costs, 0.8, 6.0) == pytest.approx(0.5)
    assert published.cost_save(scores, costs, 0.85, 6.0) == pytest.approx(-0.5)
    assert published.cost_save(scores, costs, 0.95, 6.0) is None
    assert published.cost_save(scores, costs, 0.8, 0.0) is None
    assert published.perf_gain([], 0.8) is None


def test_pareto_frontier_and_distance_by_hand():
    cost, score = np.array([0, 4, 10, 5, 10]), np.array([0.0, 0.8, 1.0, 0.8, 0.5])
    assert list(published.pareto_frontier(cost, score)) == [True, True, True, False, False]
    router = np.array([False, False, False, True, True])
    assert published.pareto_distance(cost, score, router) == pytest.approx((0.1 + 0.5) / 2)
    assert published.pareto_distance(cost, score, np.zeros(5, dtype=bool)) is None
    assert published.pareto_distance(np.array([2.0]), np.array([0.5]), np.array([True])) == 0


@given(
    st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=8), st.floats(0.1, 1000)
)
def test_the_frontier_is_what_nobody_dominates_and_no_unit_matters(points, factor):
    cost, score = np.array(points, dtype=float).T
    frontier = published.pareto_frontier(cost, score)
    for i, (c, s) in enumerate(points):
        beaten = any(x <= c and y >= s and (x, y) != (c, s) for x, y in points)
        assert frontier[i] == (not beaten)
    everyone = np.ones(len(points), dtype=bool)
    distance = published.pareto_distance(cost, score, everyone)
    assert distance == pytest.approx(published.pareto_distance(cost * factor, score, everyone), abs=1e-9)
    assert published.pareto_distance(cost, score, frontier) == 0
