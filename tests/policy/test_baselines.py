"""Which picked models are asked which questions: by the picks alone, never twice, and rare ones by a fair sample."""

from __future__ import annotations

import math
from collections import Counter
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routemark.policy.baselines import RARE, Cells, Mode, Pick, expected_cells, ranks, sample_size
from routemark.policy.plan import order_key

MODELS = ("a", "b", "c", "d")
World = tuple[int, int, int, list[Pick]]
"""Questions, size of a window, repeats, and picks in any order."""


def keys(n: int, seed: int = 0) -> np.ndarray:
    return np.sort(np.array([order_key(seed, f"q{i}") for i in range(n)], dtype=np.uint64))


@st.composite
def worlds(draw: st.DrawFn) -> World:
    n, window, repeats = draw(st.integers(1, 90)), draw(st.integers(1, 40)), draw(st.integers(1, 2))
    generator = np.random.default_rng(draw(st.integers(0, 2**32)))
    weights = draw(st.sampled_from([(1, 1, 1, 1), (60, 2, 1, 1), (200, 1, 0, 0), (90, 9, 1, 0)]))
    names = [*MODELS, None]
    odds = np.array([*weights, draw(st.sampled_from([0, 3]))], dtype=float)
    drawn = generator.choice(len(names), size=(draw(st.integers(1, 2)), n, repeats), p=odds / odds.sum())
    failed = generator.random(drawn.shape) < draw(st.sampled_from([0.0, 0.1]))
    picks = [
        Pick(router, position, names[drawn[router, position, repeat]])
        for router, position, repeat in np.argwhere(~failed).tolist()
    ]
    return n, window, repeats, picks


def closed(
    world: World, mode: Mode, *, shuffle: int | None = None
) -> tuple[Cells, list[tuple[int, str, int]]]:
    """Close all windows; give the cells called due, as (window, model, position) in the order of the calls."""
    n, window, repeats, picks = world
    if shuffle is not None:
        picks = [picks[i] for i in np.random.default_rng(shuffle).permutation(len(picks))]
    cells = Cells(keys(n), window=window, repeats=repeats, mode=mode, seed=3)
    called = []
    for index in range(cells.windows):
        start, end = cells.bounds(index)
        due = cells.close([pick for pick in picks if start <= pick.position < end])
        called += [(index, one.model, int(position)) for one in due for position in one.positions]
    return cells, called


def share(world: World, model: str) -> Fraction:
    """Give the largest share of some router's answers."""
    answers = Counter(pick.router for pick in world[3])
    own = Counter(pick.router for pick in world[3] if pick.model == model)
    return max(Fraction(count, answers[router]) for router, count in own.items())


def picked_at(world: World, model: str) -> set[int]:
    return {pick.position for pick in world[3] if pick.model == model}


def names(world: World) -> set[str]:
    return {pick.model for pick in world[3] if pick.model is not None}


@pytest.mark.parametrize(
    ("n", "share", "size"),
    [
        (360, 0.05, 360),
        (360, 0.0125, 180),
        (360, 1 / 360, 85),  # 360 sqrt(1/18) = 84.85
        (1_000, 0.0005, 100),
        (1_000, 0.00001, 30),
        (20, 0.01, 20),
    ],
)
def test_a_rare_models_sample_has_the_documented_size(n: int, share: float, size: int) -> None:
    assert sample_size(n, share) == size


@settings(max_examples=150, deadline=None)
@given(worlds())
def test_picked_asks_frequent_models_everything_and_rare_ones_sample_and_picks(world: World) -> None:
    cells, called = closed(world, "picked")
    n = world[0]
    assert {model for _, model, _ in called} == names(world)
    for model in names(world):
        asked = {position for _, one, position in called if one == model}
        assert asked == set(np.flatnonzero(cells.due(model)))
        if share(world, model) >= Fraction(RARE).limit_denominator(20):
            assert asked == set(range(n))
            assert cells.sampled(model).all()
        else:
            sample = set(np.flatnonzero(cells.sampled(model)))
            wanted = max(30, math.ceil(n * math.sqrt(20 * share(world, model)) - 1e-9))
            assert len(sample) == min(n, wanted)
            assert sample | picked_at(world, model) <= asked


@settings(max_examples=150, deadline=None)
@given(worlds())
def test_missing_asks_exactly_what_no_router_answered_of_what_picked_asks(world: World) -> None:
    cells, called = closed(world, "missing")
    whole, _ = closed(world, "picked")
    for model in names(world):
        asked = {position for _, one, position in called if one == model}
        assert asked == set(np.flatnonzero(whole.due(model))) - picked_at(world, model)
        assert np.array_equal(cells.sampled(model), whole.sampled(model))


@settings(max_examples=100, deadline=None)
@given(worlds(), st.sampled_from(["picked", "missing"]))
def test_no_cell_is_called_twice_nor_before_its_window_is_closed(world: World, mode: Mode) -> None:
    cells, called = closed(world, mode)
    asked = [(model, position) for _, model, position in called]
    assert len(asked) == len(set(asked)) == cells.total
    assert all(position < cells.bounds(window)[1] for window, _, position in called)


@settings(max_examples=100, deadline=None)
@given(worlds(), st.sampled_from(["picked", "missing"]), st.integers(0, 99))
def test_the_order_of_answers_within_a_window_leaves_no_trace(world: World, mode: Mode, shuffle: int) -> None:
    _, called = closed(world, mode)
    _, again = closed(world, mode, shuffle=shuffle)
    assert sorted(called) == sorted(again)


def test_a_model_that_joins_late_is_asked_its_earlier_windows_too() -> None:
    picks = [Pick(0, position, "a" if position < 64 else "b") for position in range(128)]
    _, called = closed((128, 32, 1, picks), "picked")
    assert {window for window, model, _ in called if model == "b"} == {2, 3}
    assert {position for window, model, position in called if (window, model) == (2, "b")} == set(range(96))


def test_while_the_run_goes_on_a_rare_model_is_asked_only_what_it_is_sure_to_need() -> None:
    """One pick of 320: 80 questions, and no more than the window in which it was frequent, 1 of 16."""
    picks = [Pick(0, position, "b" if position == 20 else "a") for position in range(320)]
    cells, called = closed((320, 16, 1, picks), "picked")
    assert sample_size(320, 1 / 320) == 80
    asked = {position for _, model, position in called if model == "b"}
    assert asked == set(np.flatnonzero(cells.sampled("b"))) | {20}
    frequent = [Pick(0, position, "b" if position == 3 else "a") for position in range(320)]
    cells, called = closed((320, 16, 1, frequent), "picked")
    asked = {position for _, model, position in called if model == "b"}
    assert asked == set(np.flatnonzero(cells.sampled("b"))) | set(range(16))


def test_the_sample_does_not_hang_on_where_the_model_was_picked() -> None:
    def sampled(at: int) -> np.ndarray:
        picks = [Pick(0, position, "b" if position == at else "a") for position in range(200)]
        return closed((200, 32, 1, picks), "picked")[0].sampled("b")

    assert np.array_equal(sampled(7), sampled(150))
    assert 0.3 < sampled(7).mean() < 0.4


def test_ranks_are_a_fair_order_of_their_own_for_each_model_and_seed() -> None:
    """Over 400 models, how often each of 50 questions is among the first 10: chi-square below its 99.99 % point."""
    base = keys(50)
    counts = sum((ranks(base, f"m{model}", 0) < 10).astype(int) for model in range(400))
    assert float(np.sum((counts - 80) ** 2)) / (80 * 0.8) < 98
    assert sorted(ranks(base, "m", 1)) == list(range(50))
    assert not np.array_equal(ranks(base, "m", 0), ranks(base, "m", 1))


def test_the_mean_over_a_rare_models_sample_is_unbiased_although_it_is_picked_where_it_is_good() -> None:
    """The router picks it on one question that it answers right; the picks would tell 100 %, the truth is 25 %."""
    n, right = 120, 30
    base = keys(n)
    means = []
    for seed in range(300):
        cells = Cells(base, window=n, repeats=1, mode="picked", seed=seed)
        cells.close([Pick(0, position, "b" if position == seed % right else "a") for position in range(n)])
        score = np.arange(n) < right
        means.append(score[cells.sampled("b")].mean())
    assert np.mean(means) == pytest.approx(right / n, abs=0.012)


def test_what_is_expected_is_what_comes_of_steady_shares() -> None:
    shares = {"a": 0.9, "b": 0.08, "c": 0.02}
    for mode in ("picked", "missing"):
        found = []
        for seed in range(40):
            drawn = np.random.default_rng(seed).choice(3, size=360, p=list(shares.values()))
            picks = [Pick(0, position, "abc"[code]) for position, code in enumerate(drawn)]
            found.append(closed((360, 360, 1, picks), mode)[0].total)
        assert np.mean(found) == pytest.approx(expected_cells(360, list(shares.values()), mode), rel=0.05)
