"""The simulated auto router: task type, market ranking, cost band, restrictions, a little flicker.

A prompt is classified by its words; models are ranked for its task type by a fixed "market share"
that follows ability and price with some fashion in it; the cost band and the request's restrictions
thin the ranking, and its top three are the primary model and its fallbacks. Between the best two
the router flickers now and then, as live routers do, seeded by prompt and repeat.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Literal

from routemark.gateway.catalogue import BY_SLUG, CATALOGUE, Model
from routemark.gateway.refusals import invalid, no_endpoints, no_match, unknown_model
from routemark.gateway.request import ChatRequest
from routemark.gateway.restrictions import PLUGINS, permits, read_restrictions, survivors
from routemark.gateway.seeding import normal, pick, unit
from routemark.gateway.tasks import TASK_TYPES, TaskType, classify
from routemark.records import Record

Strategy = Literal["direct", "auto", "free", "alias", "fallback"]
Variant = Literal["", "free", "nitro", "floor"]

ALIASES = {"auto": "openrouter/auto"}
FREE_ROUTER = "openrouter/free"
ROUTERS = (*PLUGINS, FREE_ROUTER)

_CANDIDATES = 3
"""Primary and fallbacks."""
_FLICKER = 0.3
"""Times the second's share of the top two: the chance that it goes before the first."""
_FASHION_SD = 0.5
_PER_MILLION = 10**6

BY_PRICE: tuple[str, ...] = tuple(model.id for model in sorted(CATALOGUE, key=lambda model: model.price))


class Candidate(Record, frozen=True, kw_only=True):
    """A model that may serve the request."""

    model: Model
    variant: Variant = ""

    @property
    def slug(self) -> str:
        """The model as it is named in the response."""
        return f"{self.model.id}:free" if self.variant == "free" else self.model.id


class Route(Record, frozen=True, kw_only=True):
    """Who shall serve a request."""

    requested: str
    router: str | None
    """Slug of the router that decided; None when the request named its models."""
    strategy: Strategy
    task_type: str | None
    candidates: tuple[Candidate, ...]
    """In order of preference."""


def route(request: ChatRequest, seed: int, repeat: int, sticky_model: str | None = None) -> Route:
    """Decide who serves a request.

    ``sticky_model`` served this conversation before; it is kept while it is a top candidate.
    Raises: RefusedError (400, 404).
    """
    asked = request.models[0]
    router = ALIASES.get(asked, asked)
    if router in PLUGINS:
        return _auto(request, router, seed, repeat, sticky_model)
    if router == FREE_ROUTER:
        return _free(request, seed, repeat)
    return _named(request)


# --------------------------------------------------------------------------- named models


def _named(request: ChatRequest) -> Route:
    wanted = [candidate_of(slug) for slug in request.models]
    affordable = [candidate for candidate in wanted if _affordable(candidate.model, request.provider)]
    if not affordable:
        raise no_endpoints(request.models[0], "max_price")
    return Route(
        requested=request.models[0],
        router=None,
        strategy="fallback" if len(wanted) > 1 else "direct",
        task_type=None,
        candidates=tuple(affordable),
    )


def candidate_of(slug: str) -> Candidate:
    """Give the model and variant that a slug names.

    Raises: RefusedError (400).
    """
    name, _, suffix = slug.partition(":")
    model = BY_SLUG.get(name)
    if model is None or suffix not in ("", "free", "nitro", "floor"):
        raise unknown_model(slug)
    if suffix == "free" and not model.has_free_variant:
        raise unknown_model(slug)
    return Candidate(model=model, variant=suffix)  # type: ignore[arg-type]  # checked two lines above


def _affordable(model: Model, provider: dict[str, Any]) -> bool:
    """Tell whether a model's prices are within ``provider.max_price``, US dollars per million tokens."""
    limits = provider.get("max_price")
    if limits is None:
        return True
    if not isinstance(limits, dict):
        raise invalid("Invalid request parameters: provider.max_price must be an object")
    prices = {"prompt": model.prompt_pico, "completion": model.completion_pico}
    return all(price <= _pico(limits[name]) for name, price in prices.items() if limits.get(name) is not None)


def _pico(usd_per_million: Any) -> float:
    try:
        return round(float(usd_per_million) * _PER_MILLION)
    except (TypeError, ValueError, OverflowError):
        raise invalid("Invalid request parameters: provider.max_price needs numbers") from None


# --------------------------------------------------------------------------- routers


def _free(request: ChatRequest, seed: int, repeat: int) -> Route:
    """Pick uniformly among the free models."""
    free = [model for model in CATALOGUE if model.has_free_variant]
    chosen = pick(free, seed, "free", request.key, repeat)
    return Route(
        requested=request.models[0],
        router=FREE_ROUTER,
        strategy="free",
        task_type=None,
        candidates=(Candidate(model=chosen, variant="free"),),
    )


def _auto(request: ChatRequest, router: str, seed: int, repeat: int, sticky_model: str | None) -> Route:
    restrictions = read_restrictions(request.plugins.get(PLUGINS[router]))
    task = classify(request.prompt)
    left = survivors(BY_PRICE, restrictions)
    ranked = [
        model for model, _ in ranking(task.name) if model.id in left and _affordable(model, request.provider)
    ]
    pinned = _pinned_model(request) if restrictions.pin_model else None
    if pinned is not None and permits(restrictions, pinned.id):
        ranked = [pinned, *(model for model in ranked if model is not pinned)]
    elif len(ranked) > 1 and _flickers(task, ranked, seed, request.key, repeat):
        ranked[:2] = ranked[1], ranked[0]
    if not ranked:
        raise no_match()
    top = _sticky_first(ranked[:_CANDIDATES], sticky_model)
    return Route(
        requested=request.models[0],
        router=router,
        strategy="auto",
        task_type=task.name,
        candidates=tuple(Candidate(model=model) for model in top),
    )


def _pinned_model(request: ChatRequest) -> Model | None:
    """Give the model that wrote the last assistant message, when the message says so."""
    for message in reversed(request.messages):
        if message["role"] == "assistant":
            name = message.get("model")
            return BY_SLUG.get(name) if isinstance(name, str) else None
    return None


def _sticky_first(top: list[Model], sticky_model: str | None) -> list[Model]:
    return sorted(top, key=lambda model: model.id != sticky_model)


def _flickers(task: TaskType, ranked: Sequence[Model], seed: int, key: int, repeat: int) -> bool:
    shares = {model.id: share for model, share in ranking(task.name)}
    first, second = (shares[model.id] for model in ranked[:2])
    return unit(seed, "flicker", key, repeat) < _FLICKER * second / (first + second)


@lru_cache(maxsize=64)
def ranking(task_name: str) -> tuple[tuple[Model, float], ...]:
    """Give the models with their market share for a task type, largest first; shares sum to 1.

    The market is the same for every seed of the gateway: it is part of the catalogue.
    """
    family = TASK_TYPES[task_name].family
    weights = [
        math.exp(
            1.5 * model.ability[family]
            - 0.35 * math.log(model.price)
            + _FASHION_SD * normal("market", task_name, model.id)
        )
        for model in CATALOGUE
    ]
    total = sum(weights)
    shares = ((model, weight / total) for model, weight in zip(CATALOGUE, weights, strict=True))
    return tuple(sorted(shares, key=lambda pair: -pair[1]))
