"""What a request asks of a router: allowed and excluded models, and how dear they may be.

Order of filters: the cost band is taken over all candidates, then the patterns are applied; an
exclusion always wins. An explicit cost setting is a hard band: what it leaves empty is a 404.
Without one the router prefers the low band, and looks further up only when the patterns leave
nothing there.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from routemark.gateway.refusals import invalid
from routemark.records import Record

PLUGINS = {"openrouter/auto": "auto-router", "openrouter/auto-beta": "auto-beta-router"}
"""The plugin whose settings each router reads; settings under another id are ignored in silence."""

TIERS: dict[str, tuple[float, float]] = {
    "low": (0, 20),
    "medium": (20, 40),
    "high": (40, 60),
    "xhigh": (60, 80),
    "max": (80, 100),
}
"""Bands of cost percentiles, upper ends excluded but the last."""

_MAX_PATTERNS = 1_024
_MAX_PATTERN_LENGTH = 1_024
_MAX_PATTERNS_LENGTH = 65_536


class Restrictions(Record, frozen=True, kw_only=True):
    """The settings of a router plugin."""

    allowed: tuple[str, ...] | None = None
    """Patterns; None: all candidates."""
    excluded: tuple[str, ...] = ()
    cost_tier: str | None = None
    tradeoff: int | None = None
    """0-10; 10 keeps about the cheapest tenth, 0 allows up to the 90th percentile."""
    pin_model: bool = False


def read_restrictions(plugin: dict[str, Any] | None) -> Restrictions:
    """Read a plugin's settings; None or a disabled plugin restricts nothing.

    Raises: RefusedError (400) for values out of range.
    """
    if plugin is None or plugin.get("enabled") is False:
        return Restrictions()
    tier = plugin.get("cost_tier")
    if tier is not None and tier not in TIERS:
        raise invalid(f"Invalid request parameters: cost_tier must be one of {', '.join(TIERS)}")
    tradeoff = plugin.get("cost_quality_tradeoff")
    if tradeoff is not None and not (type(tradeoff) is int and 0 <= tradeoff <= 10):
        raise invalid("Invalid request parameters: cost_quality_tradeoff must be an integer from 0 to 10")
    return Restrictions(
        allowed=_patterns(plugin, "allowed_models") or None,
        excluded=_patterns(plugin, "excluded_models"),
        cost_tier=tier,
        tradeoff=tradeoff,
        pin_model=plugin["id"] == "auto-router" and plugin.get("pin_model") is True,
    )


def _patterns(plugin: dict[str, Any], name: str) -> tuple[str, ...]:
    patterns = plugin.get(name) or []
    if not isinstance(patterns, list) or not all(isinstance(pattern, str) for pattern in patterns):
        raise invalid(f"Invalid request parameters: {name} must be a list of strings")
    if (
        len(patterns) > _MAX_PATTERNS
        or max(map(len, patterns), default=0) > _MAX_PATTERN_LENGTH
        or sum(map(len, patterns)) > _MAX_PATTERNS_LENGTH
    ):
        raise invalid(f"Invalid request parameters: {name} has too many or too long patterns")
    return tuple(patterns)


@lru_cache(maxsize=1_024)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(".*".join(map(re.escape, pattern.split("*"))), re.DOTALL)


def matches(name: str, patterns: Sequence[str]) -> bool:
    """Tell whether a name fits one of the patterns, in which ``*`` stands for anything."""
    return any(_compiled(pattern).fullmatch(name) for pattern in patterns)


def permits(restrictions: Restrictions, name: str) -> bool:
    """Tell whether the patterns leave a model in."""
    if matches(name, restrictions.excluded):
        return False
    return restrictions.allowed is None or matches(name, restrictions.allowed)


@lru_cache(maxsize=1_024)
def survivors(by_price: tuple[str, ...], restrictions: Restrictions) -> frozenset[str]:
    """Give the names, of all candidates in ascending price, that cost setting and patterns leave."""
    permitted = frozenset(name for name in by_price if permits(restrictions, name))
    if restrictions.cost_tier is not None:
        return permitted & _band(by_price, *TIERS[restrictions.cost_tier])
    if restrictions.tradeoff is not None:
        return permitted & _band(by_price, 0, 90 - 8 * restrictions.tradeoff + 1e-9)
    bands = (permitted & _band(by_price, low, high) for low, high in TIERS.values())
    return next(filter(None, bands), frozenset())


def _band(by_price: Sequence[str], low: float, high: float) -> set[str]:
    """Give the names between two cost percentiles: the cheapest is at 0, the dearest at 100."""
    step = 100 / max(1, len(by_price) - 1)
    return {
        name
        for index, name in enumerate(by_price)
        if low <= index * step and (index * step < high or high == 100)
    }
