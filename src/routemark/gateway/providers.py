"""Which provider serves a model, and which ones were tried before it.

Without preferences the choice is random by traffic weight, seeded; now and then the first provider
fails and the next one serves, which the response shows among its attempts.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from routemark.gateway.catalogue import Endpoint, Model
from routemark.gateway.refusals import invalid, no_endpoints
from routemark.gateway.seeding import pick, unit
from routemark.records import Record

_HICCUP_SHARE = 0.02
_HICCUP_STATUSES = (429, 502, 503)


class Tried(Record, frozen=True, kw_only=True):
    """One provider's turn."""

    endpoint: Endpoint
    status: int


def try_providers(
    model: Model, preferences: dict[str, Any], variant: str, sticky: str | None, *seeds: object
) -> tuple[Tried, ...]:
    """Give the providers tried for one answer, in order; the last one served.

    ``sticky`` is the provider that served the conversation before: it serves again, so that a request
    whose answer was lost gets the same one when it is asked again.
    Raises: RefusedError (404) when the preferences leave no provider.
    """
    order = _ordered(model, preferences, variant, sticky, *seeds)
    may_fall_back = preferences.get("allow_fallbacks") is not False and len(order) > 1
    if may_fall_back and order[0].provider != sticky and unit(*seeds, "hiccup") < _HICCUP_SHARE:
        failed = Tried(endpoint=order[0], status=pick(_HICCUP_STATUSES, *seeds, "hiccup status"))
        return failed, Tried(endpoint=order[1], status=200)
    return (Tried(endpoint=order[0], status=200),)


def _ordered(
    model: Model, preferences: dict[str, Any], variant: str, sticky: str | None, *seeds: object
) -> list[Endpoint]:
    left = _filtered(model, preferences)
    named = _names(preferences, "order")
    if named:
        return sorted(left, key=lambda endpoint: _place(endpoint, named))
    by = preferences.get("sort")
    by = by.get("by") if isinstance(by, dict) else by
    if by in {"throughput", "latency"} or variant == "nitro":
        return sorted(left, key=lambda endpoint: -endpoint.speed)
    return sorted(_shuffled(left, *seeds), key=lambda endpoint: endpoint.provider != sticky)


def _filtered(model: Model, preferences: dict[str, Any]) -> list[Endpoint]:
    only, ignore = _names(preferences, "only"), _names(preferences, "ignore")
    left = [
        endpoint
        for endpoint in model.endpoints
        if (not only or _is_named(endpoint, only)) and not _is_named(endpoint, ignore)
    ]
    if preferences.get("allow_fallbacks") is False and (named := _names(preferences, "order")):
        left = [endpoint for endpoint in left if _is_named(endpoint, named)]
    if not left:
        raise no_endpoints(model.id, "allowed_providers")
    return left


def _names(preferences: dict[str, Any], name: str) -> list[str]:
    names = preferences.get(name) or []
    if not isinstance(names, list) or not all(isinstance(item, str) for item in names):
        raise invalid(f"Invalid request parameters: provider.{name} must be a list of provider slugs")
    return names


def _is_named(endpoint: Endpoint, names: Sequence[str]) -> bool:
    return _place(endpoint, names) < len(names)


def _place(endpoint: Endpoint, names: Sequence[str]) -> int:
    """Give where a provider first stands among slugs or display names; behind all when it does not."""
    own = {endpoint.tag, endpoint.provider.casefold()}
    return next((index for index, name in enumerate(names) if name.casefold() in own), len(names))


def _shuffled(endpoints: Sequence[Endpoint], *seeds: object) -> list[Endpoint]:
    """Order providers at random, heavier ones earlier (Efraimidis and Spirakis 2006)."""

    def key(endpoint: Endpoint) -> float:
        return -math.pow(unit(*seeds, endpoint.tag), 1 / endpoint.weight)

    return sorted(endpoints, key=key)
