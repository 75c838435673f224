"""The zero router against SciPy's convex hull, and against every mixture of two models."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial import ConvexHull

from routemark.analysis.controls.hull import height, heights, mixture, zero_router

NAN = float("nan")
POINTS = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=6)


def _hull(points):
    cost, score = np.array(points, dtype=float).T
    return zero_router(cost, score / 4)


def _best_mixture(points, at):
    """Give the best mean score of all mixtures of two models that cost at most ``at``; None without one."""
    best = [score / 4 for cost, score in points if cost <= at]
    for (c, s), (d, t) in itertools.permutations(points, 2):
        if c < at < d:
            share = (at - c) / (d - c)
            best.append(((1 - share) * s + share * t) / 4)
    return max(best, default=None)


@pytest.mark.parametrize(
    ("cost", "score", "models"),
    [
        ([1, 2, 3], [0.2, 0.9, 1.0], (0, 1, 2)),
        ([1, 2, 3], [0.2, 0.3, 1.0], (0, 2)),  # below the line
        ([1, 2, 3], [0.2, 0.6, 1.0], (0, 2)),  # on the line
        ([1, 2, 3], [0.9, 0.6, 0.8], (0,)),  # dearer and worse
        ([1, 1, 2], [0.4, 0.5, 0.9], (1, 2)),  # of equal cost, the better
        ([1, 1, 2], [0.5, 0.5, 0.5], (0,)),  # alike: the first
        ([0, 0, 2], [0.0, 0.3, 0.9], (1, 2)),  # free models
        ([3, 1, 2], [1.0, 0.2, 0.9], (1, 2, 0)),  # in any order
        ([1, NAN, 2], [0.4, 0.9, NAN], (0,)),  # unknown is left out
        ([NAN], [0.5], ()),
        ([], [], ()),
    ],
)
def test_vertices(cost, score, models):
    cost, score = np.array(cost, dtype=float), np.array(score, dtype=float)
    hull = zero_router(cost, score)
    assert hull.models == models
    assert hull.cost.tolist() == cost[list(models)].tolist()
    assert hull.score.tolist() == score[list(models)].tolist()


@given(POINTS, st.floats(-1, 6))
def test_height_is_the_best_mixture_for_the_money(points, at):
    wanted, found = _best_mixture(points, at), height(_hull(points), at)
    if wanted is None:
        # a cost that is lower by rounding alone still buys the cheapest model
        assert found is None or at == pytest.approx(min(cost for cost, _ in points), rel=1e-11)
    else:
        assert found == pytest.approx(wanted, abs=1e-9)


@given(POINTS, st.floats(0, 6))
def test_the_mixture_costs_no_more_and_scores_as_high(points, at):
    hull = _hull(points)
    mixed = mixture(hull, at)
    if mixed is None:
        assert height(hull, at) is None
        return
    (c, s), (d, t) = points[mixed.cheap], points[mixed.dear]
    assert 0 <= mixed.dear_share < 1
    assert (mixed.cheap == mixed.dear) == (mixed.dear_share == 0)
    assert c + mixed.dear_share * (d - c) <= at + 1e-9
    assert (s + mixed.dear_share * (t - s)) / 4 == pytest.approx(height(hull, at), abs=1e-9)


@given(st.lists(POINTS, min_size=1, max_size=4), st.floats(0, 6))
def test_many_hulls_at_once_have_the_heights_of_each(worlds, at):
    width = max(map(len, worlds))
    padded = np.array([[*world, *[(NAN, NAN)] * (width - len(world))] for world in worlds], dtype=float)
    found = heights(padded[:, :, 0], padded[:, :, 1] / 4, np.full(len(worlds), at))
    single = [height(_hull(world), at) for world in worlds]
    np.testing.assert_allclose(found, [NAN if one is None else one for one in single], atol=1e-9)


def test_vertices_are_those_of_scipy():
    rng = np.random.default_rng(0)
    for _ in range(50):
        cost, score = rng.random((2, 12))
        hull = zero_router(cost, score)
        best, cheapest = int(score.argmax()), int(cost.argmin())
        upper = {
            int(vertex)
            for vertex in ConvexHull(np.column_stack([cost, score])).vertices
            if cost[vertex] <= cost[best]
            and score[vertex] >= np.interp(cost[vertex], cost[[cheapest, best]], score[[cheapest, best]])
        }
        assert set(hull.models) == upper


def test_flat_to_the_right_and_nothing_to_the_left():
    hull = _hull([(1, 1), (3, 4)])
    assert height(hull, 0.9) is None
    assert mixture(hull, 0.9) is None
    assert (height(hull, 3), height(hull, 1e9)) == (1.0, 1.0)
    assert mixture(hull, 1e9) == (1, 1, 0.0)
    assert mixture(hull, 2) == (0, 1, 0.5)
    assert mixture(hull, 1 + 1e-13) == mixture(hull, 1) == (0, 0, 0.0)
    assert mixture(hull, 3 - 1e-13) == mixture(hull, 3) == (1, 1, 0.0)
