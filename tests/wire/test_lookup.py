"""What a lookup told, and what counts as a difference."""

from typing import Any

import pytest

from routemark.wire.arms import parse_arm
from routemark.wire.lookup import Lookup, differences, read_lookup, same_cost

AUTO, FIXED = parse_arm("openrouter/auto?cost_tier=low"), parse_arm("a/b")


@pytest.mark.parametrize(
    ("body", "lookup"),
    [
        (
            {"data": {"total_cost": 0.25, "model": "a/b", "router": "openrouter/auto", "new": [1]}},
            Lookup(cost_usd=0.25, model="a/b", router="openrouter/auto"),
        ),
        (
            {"data": {"total_cost": "0.25", "model": "a/b", "router": None}},
            Lookup(cost_usd=0.25, model="a/b", router=""),
        ),
        ({"data": {"usage": 0.5}}, Lookup(cost_usd=0.5, model=None, router=None)),
        ({"data": {"total_cost": None, "model": 7}}, Lookup(cost_usd=None, model=None, router=None)),
        ({"data": {"total_cost": -1}}, Lookup(cost_usd=None, model=None, router=None)),
        ({"data": None}, None),
        ([], None),
        (None, None),
    ],
)
def test_a_lookup_is_read_with_care(body: Any, lookup: Lookup | None) -> None:
    assert read_lookup(body) == lookup


@pytest.mark.parametrize(
    ("arm", "model", "cost", "lookup", "found"),
    [
        (AUTO, "a/b", 0.5, ("a/b-20260217", 0.5, "openrouter/auto"), []),
        (AUTO, "a/b", 0.5, ("a/b", 0.6, "openrouter/auto"), ["cost"]),
        (AUTO, "a/b", 0.5, ("a/c", 0.5, "openrouter/auto"), ["model"]),
        (AUTO, "a/b", 0.5, ("a/b", 0.5, ""), ["router"]),
        (AUTO, "a/b", 0.5, ("a/b", 0.5, "openrouter/fusion"), ["router"]),
        (AUTO, "a/b", 0.5, ("a/c", 0.7, ""), ["cost", "model", "router"]),
        (parse_arm("auto"), "a/b", 0.5, ("a/b", 0.5, "openrouter/auto"), []),
        (FIXED, "a/b", 0.5, ("a/b", 0.5, ""), []),
        (FIXED, "a/b", 0.5, ("a/b", 0.5, "openrouter/auto"), ["router"]),
        (AUTO, "unknown", None, (None, None, None), []),
        (AUTO, "unknown", None, ("a/b", 0.5, "openrouter/auto"), []),
        (None, None, None, ("a/b", 0.5, "openrouter/auto"), []),
    ],
)
def test_what_either_does_not_tell_is_no_difference(
    arm: Any, model: str | None, cost: float | None, lookup: tuple[Any, Any, Any], found: list[str]
) -> None:
    told = Lookup(model=lookup[0], cost_usd=lookup[1], router=lookup[2])
    assert [one.what for one in differences(arm, model, cost, told)] == found


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (0.0123456, 0.012346, True),  # rounded to millionths
        (10.0, 10.009, True),
        (10.0, 10.02, False),
        (0.001, 0.0011, False),
        (0.0000123, 0.0000246, False),
        (0.0, 0.00001, False),
    ],
)
def test_rounding_is_no_difference(one: float, other: float, same: bool) -> None:
    assert same_cost(one, other) is same
    assert same_cost(other, one) is same
