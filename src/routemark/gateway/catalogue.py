"""The fictitious models: prices, providers, speed, and how able each is at which kind of task.

Names are invented; no figure here says anything about a real model. Prices span three orders of
magnitude, and ability rises with price only roughly: some cheap models are good at one thing, and
one dear model is mediocre, so that a router has something to find.
"""

from __future__ import annotations

from typing import Literal

from routemark.records import Record

Family = Literal["knowledge", "reasoning", "math", "code", "language", "extraction"]
"""Kind of work in which a model has one ability."""

FAMILIES: tuple[Family, ...] = ("knowledge", "reasoning", "math", "code", "language", "extraction")

PICO = 10**12
"""Prices and bills are counted in whole millionths of a millionth of a US dollar, hence exact."""


class Endpoint(Record, frozen=True, kw_only=True):
    """One provider's offer of a model; all providers of a model charge the same."""

    provider: str
    """Display name."""
    tag: str
    """The provider's slug."""
    quantization: str
    speed: float
    """Factor on the model's token rate."""
    weight: float
    """Share of the traffic, before normalising."""


class LongPrompt(Record, frozen=True, kw_only=True):
    """Other prices for prompts longer than a limit."""

    min_prompt_tokens: int
    """The prices hold above this many tokens, not at it."""
    prompt_pico: int
    completion_pico: int


class Model(Record, frozen=True, kw_only=True):
    """One fictitious model."""

    id: str
    name: str
    prompt_pico: int
    """Price of a prompt token, in picodollars."""
    completion_pico: int
    """Price of a completion token, in picodollars; reasoning tokens included."""
    cache_read_pico: int
    """Price of a prompt token served from the prompt cache, in picodollars."""
    long_prompt: LongPrompt | None
    context_length: int
    max_completion_tokens: int
    reasons: bool
    """Thinks before it answers: reasoning tokens are billed, and needed."""
    ability: dict[Family, float]
    """On the scale of question difficulty: equal means an even chance."""
    verbosity: float
    """Share of its answers that explain themselves."""
    ttft_s: float
    """Median time to first token, seconds."""
    tokens_per_s: float
    endpoints: tuple[Endpoint, ...]
    has_free_variant: bool

    @property
    def canonical_slug(self) -> str:
        """The dated name, as lookups and the catalogue give it beside the id."""
        return f"{self.id}-20260901"

    @property
    def price(self) -> int:
        """What ranks models by price: three prompt tokens to one of completion, in picodollars."""
        return 3 * self.prompt_pico + self.completion_pico


_PROVIDERS = (
    ("Cumulus Works", "cumulus", "fp8", 1.0),
    ("Brightforge", "brightforge", "bf16", 0.8),
    ("Northwind Compute", "northwind", "fp8", 1.3),
    ("Tidepool", "tidepool", "int4", 1.6),
    ("Granite Row", "granite-row", "fp16", 0.9),
)


def _endpoints(first: int, count: int) -> tuple[Endpoint, ...]:
    chosen = [_PROVIDERS[(first + step) % len(_PROVIDERS)] for step in range(count)]
    return tuple(
        Endpoint(provider=name, tag=tag, quantization=quantization, speed=speed, weight=1 / (1 + place))
        for place, (name, tag, quantization, speed) in enumerate(chosen)
    )


def _ability(general: float, offsets: dict[Family, float]) -> dict[Family, float]:
    return {family: general + offsets.get(family, 0.0) for family in FAMILIES}


def _model(  # noqa: PLR0913 - a row of the table below
    slug: str,
    prices: tuple[float, float],
    general: float,
    offsets: dict[Family, float],
    *,
    speed: tuple[float, float],
    context: int = 131_072,
    reasons: bool = False,
    verbosity: float = 0.5,
    free: bool = False,
    long_prompt_from: int | None = None,
) -> Model:
    """Build a row from prices in US dollars per million tokens and (ttft_s, tokens_per_s)."""
    prompt, completion = (round(price * PICO / 1e6) for price in prices)
    place = len(slug) + round(100 * general)
    return Model(
        id=f"sim/{slug}",
        name=f"Simulated: {slug.replace('-', ' ').title()}",
        prompt_pico=prompt,
        completion_pico=completion,
        cache_read_pico=prompt // 4,
        long_prompt=None
        if long_prompt_from is None
        else LongPrompt(
            min_prompt_tokens=long_prompt_from, prompt_pico=2 * prompt, completion_pico=completion * 3 // 2
        ),
        context_length=context,
        max_completion_tokens=min(context // 4, 32_768 if reasons else 8_192),
        reasons=reasons,
        ability=_ability(general, offsets),
        verbosity=verbosity,
        ttft_s=speed[0],
        tokens_per_s=speed[1],
        endpoints=_endpoints(place, 2 + place % 2),
        has_free_variant=free,
    )


CATALOGUE: tuple[Model, ...] = (
    _model(
        "pebble-nano", (0.02, 0.05), -1.2, {"extraction": 0.5}, speed=(0.18, 260), context=32_768, free=True
    ),
    _model(
        "finch-8b",
        (0.04, 0.08),
        -0.8,
        {"language": 0.6, "math": -0.5},
        speed=(0.22, 190),
        verbosity=0.7,
        free=True,
    ),
    _model(
        "tern-mini", (0.06, 0.18), -0.7, {"code": 1.1, "language": -0.3}, speed=(0.25, 170), verbosity=0.3
    ),
    _model(
        "abacus-mini",
        (0.07, 0.28),
        -0.6,
        {"math": 1.3, "reasoning": 0.5, "language": -0.4},
        speed=(0.45, 160),
        reasons=True,
        verbosity=0.6,
    ),
    _model("pebble-mini", (0.10, 0.30), -0.5, {"extraction": 0.4}, speed=(0.25, 210)),
    _model("finch-70b", (0.25, 0.45), 0.0, {"language": 0.4, "math": -0.3}, speed=(0.40, 85), free=True),
    _model(
        "quill-lite", (0.15, 0.60), -0.1, {"language": 0.5, "code": -0.4}, speed=(0.35, 140), verbosity=0.8
    ),
    _model("heron-flash", (0.30, 1.20), 0.2, {}, speed=(0.30, 230), context=1_048_576),
    _model(
        "lantern",
        (0.40, 1.60),
        0.1,
        {"language": 1.0, "extraction": 0.4, "math": -0.6},
        speed=(0.5, 110),
        verbosity=0.8,
    ),
    _model(
        "tern-coder", (0.60, 2.40), 0.2, {"code": 1.6, "knowledge": -0.4}, speed=(0.45, 120), verbosity=0.3
    ),
    _model(
        "abacus",
        (0.80, 3.20),
        0.4,
        {"math": 1.5, "reasoning": 0.9, "language": -0.4},
        speed=(0.9, 110),
        reasons=True,
        verbosity=0.6,
    ),
    _model("quill", (1.00, 4.00), 0.6, {"language": 0.6}, speed=(0.6, 95), verbosity=0.8),
    _model("heron", (1.50, 6.00), 0.8, {}, speed=(0.7, 100), context=1_048_576, long_prompt_from=200_000),
    _model("osprey", (3.00, 15.00), 1.1, {"code": 0.5, "language": 0.3}, speed=(0.9, 75)),
    _model("heron-pro", (4.00, 18.00), 1.3, {"reasoning": 0.5, "math": 0.4}, speed=(1.6, 90), reasons=True),
    _model("marble", (8.00, 24.00), 0.5, {"language": 0.4, "math": -0.3}, speed=(1.2, 45), verbosity=0.9),
    _model("osprey-max", (10.00, 50.00), 1.6, {"code": 0.5, "reasoning": 0.3}, speed=(1.5, 55), reasons=True),
    _model("colossus", (30.00, 120.00), 1.9, {"math": 0.4, "reasoning": 0.4}, speed=(2.5, 40), reasons=True),
)

BY_ID: dict[str, Model] = {model.id: model for model in CATALOGUE}
BY_SLUG: dict[str, Model] = BY_ID | {model.canonical_slug: model for model in CATALOGUE}
"""By id and by dated name."""
