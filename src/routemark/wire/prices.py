"""What a request may cost: the gateway's catalogue as a price book, and the bound of each arm's requests.

Prices are whole picodollars (a millionth of a millionth of a US dollar), rounded up, so that sums are
exact. A bound takes the worst of everything that may apply:

- **prompt**: a token for every byte of the request's JSON and `OVERHEAD_TOKENS` more. Tokenizers split
  bytes, or characters with single bytes as the last resort, so no token stands for less than a byte;
  the overhead is for what chat templates and providers put before a conversation.
- **completion**: the token limit that is sent, or the model's context where that is shorter.
- **price**: the dearest of the model's listed price, its providers' prices, its conditional prices whose
  length condition may hold (the hour is never counted on), and, for a router or a fallback list, of
  every model that may serve.

A router has no price of its own: its row carries a negative sentinel, which is no price.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from decimal import ROUND_CEILING, Decimal, InvalidOperation
from typing import Any, NamedTuple

from routemark.errors import UsageError
from routemark.records import Arm, Question, Record
from routemark.wire import values
from routemark.wire.arms import router_of
from routemark.wire.request import RequestOptions

PICO = 10**12
"""Picodollars in a US dollar."""

OVERHEAD_TOKENS = 1_024
"""Prompt tokens that a provider may add to a conversation: its template, a default system prompt."""

MANY_MODELS = 100
"""Above so many models within reach of the arms, their providers' prices are not looked up one by one."""

_DEAREST_USD = 10**6
"""A listed price above this, US dollars a token or a request, is no price."""

_OWN_PRICE = {"openrouter/free", "openrouter/bodybuilder", "switchpoint/router"}
"""Routers whose own row tells what they charge."""
_MANY_CALLS = {"openrouter/fusion", "openrouter/fusion-flash", "nvidia/switchyard"}
"""Routers that ask several models for one answer; how much they bill has no bound."""
_MAY_IGNORE_ALLOWED = {"typesafe/jev-router"}
"""Routers that pass over ``allowed_models`` when nothing of theirs matches it."""
_SAME_MODEL = {"nitro", "floor", "exacto"}
"""Variants that choose among the providers of a model."""


class UnboundedError(UsageError):
    """What an arm or a question may cost has no known bound."""


class Rates(NamedTuple):
    """Prices in picodollars."""

    prompt: int
    """Of a token."""
    completion: int
    """Of a token, reasoning included."""
    request: int


class Listed(Record, frozen=True, kw_only=True):
    """A model of the catalogue."""

    id: str
    base: Rates
    """As the catalogue lists it."""
    offers: tuple[Rates, ...] = ()
    """Of its providers, where they were looked up."""
    cache_write: int = 0
    """Picodollars for a prompt token written to a provider's cache."""
    overrides: tuple[tuple[int, Rates], ...] = ()
    """(prompt tokens above which they may hold, prices)."""
    context_length: int | None = None
    """Of its longest offer."""


class PriceBook(Record, frozen=True, kw_only=True):
    """The models of a gateway with their prices."""

    models: dict[str, Listed]
    """By id."""
    own: dict[str, Listed]
    """Routers that have a price of their own, by slug."""
    names: dict[str, str]
    """Other names of models -> id."""
    unpriced: tuple[str, ...] = ()
    """Ids of models whose price cannot be read."""

    def find(self, slug: str) -> Listed | None:
        """Give the model that a slug names, whichever of its providers the variant prefers."""
        model, _, variant = slug.partition(":")
        model = self.names.get(model, model)
        found = self.models.get(f"{model}:{variant}" if variant else model)
        return found or (self.models.get(model) if variant in _SAME_MODEL else None)


# --------------------------------------------------------------------------- reading the catalogue


def read_prices(document: Any) -> PriceBook:
    """Give the price book of a ``/models`` document.

    Its optional ``endpoints`` holds ``/models/.../endpoints`` answers by model id. Raises UnboundedError
    when it is no catalogue, or only a part of one.
    """
    table = values.table(document)
    rows = [values.table(row) for row in values.rows(table.get("data"))]
    named = [(row, row["id"]) for row in rows if isinstance(row.get("id"), str) and row["id"]]
    if not named:
        raise UnboundedError("it lists no models.")
    if (total := values.count(table.get("total_count"))) and total > len(rows):
        raise UnboundedError(f"it lists {len(rows)} of {total} models.")
    models: dict[str, Listed] = {}
    own: dict[str, Listed] = {}
    unpriced: list[str] = []
    for row, slug in named:
        if _is_router(row, slug):
            if slug in _OWN_PRICE and (listed := _listed(row, slug, None)):
                own[slug] = listed
        elif listed := _listed(row, slug, values.table(table.get("endpoints")).get(slug)):
            models[slug] = listed
        else:
            unpriced.append(slug)
    names = {row["canonical_slug"]: slug for row, slug in named if _is_other_name(row, slug, models)}
    return PriceBook(models=models, own=own, names=names, unpriced=tuple(unpriced))


def _is_router(row: dict[str, Any], slug: str) -> bool:
    """Tell a router's row, by its slug or by its negative sentinel prices."""
    pricing = values.table(row.get("pricing"))
    prices = [values.number(pricing.get(name)) for name in Rates._fields]
    return router_of(slug) is not None or any(price is not None and price < 0 for price in prices)


def _is_other_name(row: dict[str, Any], slug: str, models: dict[str, Listed]) -> bool:
    """Tell whether the row's dated name can stand for it: a free variant shares it with its model."""
    other = row.get("canonical_slug")
    return isinstance(other, str) and slug in models and ":" not in slug and other not in models


def _listed(row: dict[str, Any], slug: str, endpoints: Any) -> Listed | None:
    """Give a row's model, its providers' offers included; None when a price cannot be read."""
    offered = [values.table(one) for one in values.rows(values.table(endpoints).get("endpoints"))]
    read = [_pricing(values.table(one.get("pricing"))) for one in (row, *offered)]
    known = [one for one in read if one is not None]
    if len(known) < len(read):
        return None
    contexts = [one.get("context_length") for one in (row, values.table(row.get("top_provider")), *offered)]
    return Listed(
        id=slug,
        base=known[0].base,
        offers=tuple(one.base for one in known[1:]),
        cache_write=max(one.cache_write for one in known),
        overrides=tuple(step for one in known for step in one.overrides),
        context_length=max(filter(None, map(values.count, contexts)), default=None),
    )


class _Pricing(NamedTuple):
    base: Rates
    cache_write: int
    overrides: list[tuple[int, Rates]]


def _pricing(pricing: dict[str, Any]) -> _Pricing | None:
    """Read a ``pricing`` object; None when something in it is no price."""
    base = _rates(pricing, None)
    writes = [_price(pricing.get(name, "0")) for name in ("input_cache_write", "input_cache_write_1h")]
    if base is None or None in writes:
        return None
    overrides = []
    for row in map(values.table, values.rows(pricing.get("overrides"))):
        rates = _rates(row, base)
        if rates is None:
            return None
        overrides.append((values.count(row.get("min_prompt_tokens")) or -1, rates))
    return _Pricing(base, max(write for write in writes if write is not None), overrides)


def _rates(pricing: dict[str, Any], base: Rates | None) -> Rates | None:
    """Read the three prices; those left out are the base's, or 0 for a request."""
    left_out = base._asdict() if base else {"request": 0}
    found = {name: _price(pricing[name]) if name in pricing else left_out.get(name) for name in Rates._fields}
    reasoning = _price(pricing.get("internal_reasoning", "0"))
    prompt, completion, request = found.values()
    if prompt is None or completion is None or request is None or reasoning is None:
        return None
    return Rates(prompt, max(completion, reasoning), request)


def _price(value: Any) -> int | None:
    """Give a price in picodollars, rounded up; None for what is negative, or no sensible number."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        usd = Decimal(str(value).strip())
    except InvalidOperation:
        return None
    return pico(usd) if usd.is_finite() and 0 <= usd <= _DEAREST_USD else None


def pico(usd: Decimal | float) -> int:
    """Give US dollars in picodollars, rounded up; a float stands for the decimal it is written as."""
    exact = usd if isinstance(usd, Decimal) else Decimal(repr(usd))
    return int((exact * PICO).to_integral_value(ROUND_CEILING))


def dollars(picodollars: float) -> float:
    """Give picodollars in US dollars."""
    return picodollars / PICO


# --------------------------------------------------------------------------- what an arm may reach


def reach(book: PriceBook, arm: Arm) -> tuple[Listed, ...]:
    """Give every model that may serve a request of the arm.

    Raises: UnboundedError, with a sentence, when that is not known.
    """
    found: dict[str, Listed] = {}
    for slug in (arm.model, *(arm.models or ())):
        routes = router_of(slug) is not None or (arm.is_router and slug == arm.model)
        for listed in _routed(book, arm, slug) if routes else (_named(book, arm, slug),):
            found[listed.id] = listed
    return tuple(found.values())


def _named(book: PriceBook, arm: Arm, slug: str) -> Listed:
    listed = book.find(slug)
    if listed is None:
        raise UnboundedError(
            f"{arm.name}: the gateway lists no price for {slug}, so what it may cost is not known. "
            f'Check the slug, give its price in [gateway.prices."{slug}"], or leave out --max-cost.'
        )
    if slug.endswith(":nitro") and not listed.offers:
        raise UnboundedError(
            f"{arm.name}: {slug} may be served at a higher price than the listed one, and the prices of "
            f"its providers cannot be read. Ask {listed.id}, or leave out --max-cost."
        )
    return listed


def _routed(book: PriceBook, arm: Arm, slug: str) -> Iterable[Listed]:
    """Give what a router may pick."""
    name = slug.partition(":")[0]
    if name in _MANY_CALLS:
        raise UnboundedError(
            f"{arm.name}: {slug} asks several models for one answer, so what it may cost has no bound. "
            "Leave out this arm, or --max-cost."
        )
    if name in book.own:
        return (book.own[name],)
    plugin = arm.plugin or {}
    allowed, excluded = plugin.get("allowed_models"), plugin.get("excluded_models") or []
    slugs = [*book.models, *book.unpriced]
    if allowed and name not in _MAY_IGNORE_ALLOWED:
        slugs = [slug for slug in slugs if _matches(slug, allowed, re.IGNORECASE)]
    slugs = [slug for slug in slugs if not _matches(slug, excluded)]
    if unpriced := [slug for slug in slugs if slug in book.unpriced]:
        raise UnboundedError(
            f"{arm.name}: may pick {unpriced[0]}, whose price cannot be read. "
            f"Set excluded_models={unpriced[0]}, or leave out --max-cost."
        )
    if not slugs:
        raise UnboundedError(
            f"{arm.name}: no model that the gateway lists is left to pick. Check allowed_models and "
            "excluded_models, or leave out --max-cost."
        )
    return [book.models[slug] for slug in slugs]


def _matches(slug: str, patterns: Sequence[str], flags: re.RegexFlag = re.NOFLAG) -> bool:
    """Tell whether a slug fits a pattern, in which ``*`` stands for anything."""
    return any(
        re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), slug, flags) for pattern in patterns
    )


def to_look_up(book: PriceBook, arms: Iterable[Arm]) -> list[str]:
    """Give the ids of the models whose providers' prices decide a bound: ask for their endpoints.

    Providers of one model may charge more than the catalogue lists. Where more than `MANY_MODELS` are
    within reach (a router without restrictions), their dearest listed price stands for all; an arm
    whose ``provider.max_price`` caps both prices needs no look-up.
    """
    wanted: dict[str, None] = {}
    for arm in arms:
        caps = _caps(arm)
        found = _known_reach(book, arm)
        if None in caps and len(found) <= MANY_MODELS:
            wanted |= {listed.id: None for listed in found if listed.id in book.models and any(listed.base)}
    return list(wanted)


def _known_reach(book: PriceBook, arm: Arm) -> Sequence[Listed]:
    """Give the reach as far as it is known before any look-up."""
    try:
        return reach(book, arm)
    except UnboundedError:
        return [listed for slug in (arm.model, *(arm.models or ())) if (listed := book.find(slug))]


# --------------------------------------------------------------------------- the bound of a request


class Step(NamedTuple):
    """Prices that may hold above a number of prompt tokens."""

    above: int
    prompt: int
    """Picodollars a prompt token."""
    fixed: int
    """Picodollars for the longest answer, and for the request itself."""


class Ceiling(Record, frozen=True, kw_only=True):
    """What one request of an arm costs at most."""

    steps: tuple[Step, ...]
    """By rising number of prompt tokens; the first holds for all."""
    dearest: str
    """The model that makes it so dear, by id."""
    completion_tokens: int
    """Of the longest answer of that model."""

    def pico(self, request_bytes: int) -> int:
        """Give the bound in picodollars for a request whose JSON has so many bytes."""
        tokens = request_bytes + OVERHEAD_TOKENS
        step = next(step for step in reversed(self.steps) if step.above < tokens)
        return tokens * step.prompt + step.fixed


def ceiling(book: PriceBook, arm: Arm, options: RequestOptions) -> Ceiling:
    """Give the bound of the arm's requests. Raises: UnboundedError, with a sentence."""
    models = reach(book, arm)
    limit = arm.body.get("max_completion_tokens", options.max_tokens)
    caps = _caps(arm)
    answers = {listed.id: _longest_answer(arm, listed, limit) for listed in models}
    worst = {listed.id: _at(listed, caps, answers[listed.id]) for listed in models}
    thresholds = sorted({-1, *(step.above for steps in worst.values() for step in steps)})
    dearest = max(worst, key=lambda slug: worst[slug][-1].fixed)
    return Ceiling(
        steps=tuple(_dearest_step(above, worst.values()) for above in thresholds),
        dearest=dearest,
        completion_tokens=answers[dearest],
    )


def _longest_answer(arm: Arm, listed: Listed, limit: int | None) -> int:
    tokens = min((n for n in (limit, listed.context_length) if n is not None), default=None)
    if tokens is None:
        raise UnboundedError(
            f"{arm.name}: no limit on the answers of {listed.id} is known. Set --max-tokens."
        )
    return tokens


def _at(listed: Listed, caps: tuple[int | None, int | None], answer_tokens: int) -> list[Step]:
    """Give one model's prices as steps; a cap holds the offers down, not what is conditional."""
    offers = [listed.base, *listed.offers]
    prompt = max(_capped(offer.prompt, caps[0]) for offer in offers)
    completion = max(_capped(offer.completion, caps[1]) for offer in offers)
    request = max(offer.request for offer in offers)
    rates = [(-1, Rates(max(prompt, listed.cache_write), completion, request)), *listed.overrides]
    return [
        Step(above, rate.prompt, rate.completion * answer_tokens + rate.request)
        for above, rate in sorted(rates)
    ]


def _dearest_step(above: int, models: Iterable[Sequence[Step]]) -> Step:
    """Give the dearest of all prices that may hold just above a number of tokens."""
    steps = [step for steps in models for step in steps if step.above <= above]
    return Step(above, max(step.prompt for step in steps), max(step.fixed for step in steps))


def _caps(arm: Arm) -> tuple[int | None, int | None]:
    """Give ``provider.max_price`` in picodollars a token: (prompt, completion)."""
    limits = values.table(values.table(arm.body.get("provider")).get("max_price"))
    prompt, completion = (
        None if (limit := _price(limits.get(name))) is None else -(-limit // 10**6)
        for name in ("prompt", "completion")
    )
    return prompt, completion


def _capped(price: int, cap: int | None) -> int:
    return price if cap is None else min(price, cap)


def has_known_size(question: Question) -> bool:
    """Tell whether a question is text alone: pictures and files are not billed by their bytes."""
    contents = [message.get("content") for message in question.messages or ()]
    parts = [part for content in contents if isinstance(content, list) for part in content]
    return all(isinstance(part, str) or values.table(part).get("type") == "text" for part in parts)


# --------------------------------------------------------------------------- what is to be expected


def expected_range(
    models: Sequence[Listed], prompt_tokens: float, completion_tokens: float, requests: int
) -> tuple[float, float]:
    """Give the cost, in picodollars, if the cheapest and if the dearest of the models served everything.

    At listed prices; free models are left out where others are.
    """
    totals = [
        prompt_tokens * listed.base.prompt
        + completion_tokens * listed.base.completion
        + requests * listed.base.request
        for listed in [listed for listed in models if any(listed.base)] or models
    ]
    return min(totals), max(totals)
