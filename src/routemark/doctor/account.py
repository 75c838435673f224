"""What the gateway's pages tell about key, account and clock. Pure: pages in, findings out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from routemark import numbers
from routemark.doctor.findings import Finding, ok, problem, warning
from routemark.wire import values
from routemark.wire.arms import router_of

LITTLE_USD = 1.0
SKEWED_S, TOO_SKEWED_S = 5.0, 60.0
"""From a minute on, records of times and what hangs on the day (free allowances, prices) go wrong."""
SLUG = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9._-]+)?")
"""A model's own name, without variant."""
_PROBE_PROMPT_TOKENS, _PROBE_COMPLETION_TOKENS = 30, 16


# --------------------------------------------------------------------------- /key


def key_findings(page: Any, now: datetime) -> Iterator[Finding]:
    """Yield what ``/key`` tells of a key that was accepted; nothing of the key itself."""
    data = values.table(values.table(page).get("data"))
    yield from _standing(data)
    yield from _expiry(data, now)
    yield _limit(data)
    yield from _budgets(data)
    yield from _free_allowance(data)


def _standing(data: dict[str, Any]) -> Iterator[Finding]:
    if data.get("is_management_key") is True or data.get("is_provisioning_key") is True:
        yield warning(
            "key",
            "Accepted, but it is a management key, which is not made for asking models.",
            "Create an ordinary key and set OPENROUTER_API_KEY to it.",
        )
    else:
        yield ok("key", "Accepted.")
    if data.get("is_free_tier") is True:
        yield warning(
            "tier",
            "The account never bought credit: only :free models answer, a few dozen times a day.",
            "Add credit, or ask :free models only.",
        )
    regions = [str(region) for region in values.rows(data.get("allowed_data_regions"))]
    if regions:
        yield warning(
            "regions",
            f"The key may use the data regions {', '.join(regions)} only: a router has fewer models to pick.",
            "Use a key without that restriction, unless it is what you want to measure.",
        )


def _expiry(data: dict[str, Any], now: datetime) -> Iterator[Finding]:
    try:
        until = datetime.fromisoformat(str(data.get("expires_at")))
    except ValueError:
        return
    until = until.replace(tzinfo=until.tzinfo or UTC)
    if until <= now:
        yield problem("expiry", f"The key expired on {until:%Y-%m-%d %H:%M}.", "Create a new one.")
    elif until < now + timedelta(days=1):
        yield warning(
            "expiry", f"The key expires on {until:%Y-%m-%d %H:%M}.", "A long run needs a newer one."
        )


def _limit(data: dict[str, Any]) -> Finding:
    limit, left = values.number(data.get("limit")), values.number(data.get("limit_remaining"))
    if left is None:
        return ok(
            "limit",
            "The key has no limit of its own."
            if limit is None
            else f"The key's limit: {numbers.usd(limit)}.",
        )
    message = f"{numbers.usd(max(left, 0))} left" + (
        f" of the key's limit of {numbers.usd(limit)}." if limit is not None else "."
    )
    if left <= 0:
        return problem("limit", message, "Raise the key's limit, or use another key.")
    if left < LITTLE_USD:
        return warning("limit", message, "A run stops when it is spent; raise it, or set a small --limit.")
    return ok("limit", message)


def _budgets(data: dict[str, Any]) -> Iterator[Finding]:
    for budget in map(values.table, values.rows(data.get("budgets"))):
        left = values.number(budget.get("remaining_usd"))
        if left is not None and left <= 0:
            scope = values.text(budget.get("scope")) or "some"
            yield problem("budget", f"The {scope} budget is spent.", "Raise it, or wait until it is reset.")


def _free_allowance(data: dict[str, Any]) -> Iterator[Finding]:
    free = values.table(data.get("free_model_daily_requests"))
    left, limit = values.count(free.get("remaining")), values.count(free.get("limit"))
    if left is None or limit is None:
        return
    message = f"{numbers.count(left)} of {numbers.count(limit)} requests to :free models left today."
    if left:
        yield ok("free models", message)
    else:
        yield warning("free models", message, "They answer again after midnight UTC; paid models answer now.")


# --------------------------------------------------------------------------- /models, clock


def catalogue_finding(known: list[str], mine: list[str]) -> Finding:
    """Compare all models with those that the account's settings leave."""
    hidden = set(known) - set(mine)
    if not hidden:
        return ok("account", "Its settings leave all models.")
    return warning(
        "account",
        f"Its settings (privacy, guardrails, providers) hide {numbers.count(len(hidden))} of {numbers.count(len(known))} models: a router "
        "cannot pick those.",
        "Use a workspace with default settings, unless these are what you want to measure.",
    )


def slugs(page: Any) -> list[str]:
    """Give the models that ``/models`` lists."""
    return [slug for row in _rows(page) if (slug := values.text(row.get("id")))]


def cheapest_models(page: Any, n: int) -> list[str]:
    """Give the ``n`` fixed models for which a small request costs least, but not nothing."""
    priced = [(price, slug) for row in _rows(page) if (slug := _fixed(row)) and (price := _price(row))]
    return [slug for _, slug in sorted(priced)[:n]]


def _rows(page: Any) -> Iterator[dict[str, Any]]:
    return map(values.table, values.rows(values.table(page).get("data")))


def _fixed(row: dict[str, Any]) -> str | None:
    """Give the slug of a model that answers in text; None for routers, aliases and variants."""
    slug = values.text(row.get("id")) or ""
    writes = values.rows(values.table(row.get("architecture")).get("output_modalities")) or ["text"]
    routes = router_of(slug) is not None or slug.startswith(("openrouter/", "~", "@"))
    return slug if SLUG.fullmatch(slug) and writes == ["text"] and not routes else None


def _price(row: dict[str, Any]) -> float | None:
    """Give the price of a probe, US dollars; None where it is not told, or a placeholder."""
    pricing = values.table(row.get("pricing"))
    prompt, completion = (values.amount(pricing.get(name)) for name in ("prompt", "completion"))
    request = values.amount(pricing.get("request", 0))
    if prompt is None or completion is None or request is None:
        return None
    return _PROBE_PROMPT_TOKENS * prompt + _PROBE_COMPLETION_TOKENS * completion + request


def clock_finding(skew_s: float | None) -> Finding:
    """Judge by how many seconds this machine's clock is ahead of the gateway's."""
    if skew_s is None:
        return warning("clock", "The gateway does not tell the time: the clock was not compared.")
    size = abs(skew_s)
    if size <= SKEWED_S:
        return ok("clock", f"Within {numbers.seconds_round(SKEWED_S)} of the gateway's.")
    message = f"{numbers.seconds(size)} {'ahead of' if skew_s > 0 else 'behind'} the gateway's."
    advice = "Set the clock (NTP): times in the records would be wrong."
    return (problem if size > TOO_SKEWED_S else warning)("clock", message, advice)
