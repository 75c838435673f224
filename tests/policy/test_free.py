"""The limits of free models on a fake clock: never more than 20 in a minute, never more than the day allows."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routemark.policy.free import PER_MINUTE, WINDOW_S, FreeLimits, allowance, is_free
from routemark.policy.pacing import Pace
from routemark.records import Arm

FREE = Arm(name="f", model="a/b:free")
PAID = Arm(name="p", model="a/b")


@pytest.mark.parametrize(
    ("arm", "free"),
    [
        (FREE, True),
        (PAID, False),
        (Arm(name="x", model="openrouter/free"), True),
        (Arm(name="x", model="openrouter/auto"), False),
        (Arm(name="x", model="a/b:free:online"), True),
        (Arm(name="x", model="a/free-model"), False),
        (Arm(name="x", model="a/b", models=["a/b", "c/d:free"]), True),
        (Arm(name="x", model="plugin/p", plugin={"allowed_models": ["a/b", "c/d:free"]}), True),
        (Arm(name="x", model="plugin/p", plugin={"allowed_models": ["a/b"]}), False),
        (Arm(name="x", model="plugin/p"), False),
    ],
)
def test_what_counts_as_free(arm: Arm, free: bool) -> None:
    assert is_free(arm) is free


@given(st.lists(st.floats(0, 30), max_size=120), st.booleans())
def test_no_minute_ever_sees_more_than_twenty(gaps: list[float], resumed: bool) -> None:
    limits, now, sent = FreeLimits([FREE, PAID]), 100.0, list[float]()
    if resumed:
        limits.spread(now)
    for gap in gaps:
        now = max(now + gap, limits.ready_at("f"))
        limits.sent("f", now)
        sent.append(now)
    for first, later in zip(sent, sent[PER_MINUTE:], strict=False):
        assert later - first >= 60.0


def test_twenty_go_at_once_the_next_one_waits_for_the_first_to_be_a_minute_old() -> None:
    limits = FreeLimits([FREE])
    for n in range(PER_MINUTE):
        assert limits.ready_at("f") <= 0.1 * n
        limits.sent("f", 0.1 * n)
    assert limits.ready_at("f") == WINDOW_S


def test_a_resumed_run_begins_evenly_spaced() -> None:
    limits = FreeLimits([FREE])
    limits.spread(1000.0)
    waits = []
    now = 1000.0
    for _ in range(5):
        waits.append(limits.ready_at("f") - now)
        now = limits.ready_at("f")
        limits.sent("f", now)
    assert waits == pytest.approx([WINDOW_S / PER_MINUTE] * 5)


def test_paid_arms_are_not_held_back_and_do_not_count() -> None:
    limits = FreeLimits([FREE, PAID])
    limits.remaining = 1
    for _ in range(100):
        limits.sent("p", 0.0)
    assert limits.ready_at("p") == limits.ready_at("f") == 0.0
    assert not limits.spent("f")
    limits.sent("f", 0.0)
    assert limits.spent("f")
    assert not limits.spent("p")


def test_without_a_known_allowance_no_day_ends() -> None:
    limits = FreeLimits([FREE])
    for _ in range(5000):
        limits.sent("f", 0.0)
    assert not limits.spent("f")


def test_the_pace_knows_the_limits() -> None:
    limits = FreeLimits([FREE])
    limits.remaining = PER_MINUTE
    pace = Pace(100, free=limits)
    for _ in range(PER_MINUTE):
        assert not pace.spent("f")
        pace.sent("f", 5.0)
    assert pace.ready_at("f") == 5.0 + WINDOW_S
    assert pace.ready_at("p") == 0.0
    assert pace.spent("f")


@pytest.mark.parametrize(
    ("told", "left"),
    [
        ({"used": 3, "limit": 50, "remaining": 47}, 47),
        ({"used": 3, "limit": 50}, 47),
        ({"used": 60, "limit": 50, "remaining": -10}, 0),
        ({"used": 3, "limit": None, "remaining": None}, None),
        ({}, None),
        ("odd", None),
        (None, None),
    ],
)
def test_the_allowance_of_the_key_page(told: Any, left: int | None) -> None:
    assert allowance({"data": {"free_model_daily_requests": told}}) == left


@pytest.mark.parametrize("page", [None, [], {}, {"data": None}, {"data": []}, "x"])
def test_a_key_page_that_tells_nothing(page: Any) -> None:
    assert allowance(page) is None
