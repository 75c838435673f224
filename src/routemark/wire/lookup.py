"""What ``/generation`` tells of an answer, and where it differs from what the answer itself told."""

from __future__ import annotations

import math
from typing import Any, Literal

from routemark.records import Arm, Record
from routemark.wire import values
from routemark.wire.checks import same_model
from routemark.wire.response import UNNAMED_MODEL

COST_TOLERANCE_USD = 5e-7
"""A lookup may round to millionths of a dollar: half of one is no difference."""
COST_TOLERANCE = 0.001
"""Nor is a thousandth of the larger cost."""

_ALIASES = {"auto": "openrouter/auto"}


class Lookup(Record, frozen=True, kw_only=True):
    """What a lookup told; None where it did not."""

    cost_usd: float | None
    model: str | None
    router: str | None
    """Slug of the router that served; empty when the lookup says that none did."""


class Difference(Record, frozen=True, kw_only=True):
    """One field in which an answer and its lookup differ."""

    what: Literal["cost", "model", "router"]
    told: str | float
    """By the answer, or asked for by the arm."""
    lookup: str | float


def read_lookup(body: Any) -> Lookup | None:
    """Read the body of ``/generation``; None for one that tells of no generation."""
    data = values.table(body).get("data")
    if not isinstance(data, dict):
        return None
    cost = values.amount(data.get("total_cost"))
    router = values.text(data["router"]) or "" if "router" in data else None
    return Lookup(
        cost_usd=cost if cost is not None else values.amount(data.get("usage")),
        model=values.text(data.get("model")) or None,
        router=router,
    )


def same_cost(one: float, other: float) -> bool:
    """Tell whether two costs in US dollars differ by no more than rounding."""
    return math.isclose(one, other, rel_tol=COST_TOLERANCE, abs_tol=COST_TOLERANCE_USD)


def differences(
    arm: Arm | None, model: str | None, cost_usd: float | None, lookup: Lookup
) -> list[Difference]:
    """Give where a lookup differs from what the answer told; what either does not tell is no difference.

    ``arm``: the one that was asked; None for what a crash left open. ``model``, ``cost_usd``: of the answer.
    """
    found = []
    if cost_usd is not None and lookup.cost_usd is not None and not same_cost(cost_usd, lookup.cost_usd):
        found.append(Difference(what="cost", told=cost_usd, lookup=lookup.cost_usd))
    if model not in (None, UNNAMED_MODEL) and lookup.model and not same_model(model or "", lookup.model):
        found.append(Difference(what="model", told=model or "", lookup=lookup.model))
    if arm is not None and lookup.router is not None and not _same_router(arm, lookup.router):
        found.append(Difference(what="router", told=_router_of(arm), lookup=lookup.router or "none"))
    return found


def _same_router(arm: Arm, served: str) -> bool:
    """Compare without variants; a slug unknown to us that turns out to be a router is its own."""
    asked = _plain(arm.model)
    return _plain(served) == asked if arm.is_router else served == "" or _plain(served) == asked


def _router_of(arm: Arm) -> str:
    return arm.model if arm.is_router else "none"


def _plain(slug: str) -> str:
    bare = slug.lower().partition(":")[0]
    return _ALIASES.get(bare, bare)
