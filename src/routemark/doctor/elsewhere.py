"""Gateways other than OpenRouter: what can be told of one, and what only its first answer shows."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from routemark import numbers
from routemark.config import Settings, without_userinfo
from routemark.doctor.account import slugs
from routemark.doctor.findings import Finding, ok, problem, warning
from routemark.doctor.probe import Probe
from routemark.errors import APIError, rule
from routemark.prepare import dialect, make_arms
from routemark.router import OpenRouterClient
from routemark.wire import values
from routemark.wire.dialect import PRESETS
from routemark.wire.failures import Head

_SIGNS = {"x-litellm-": "litellm", "x-vsr-": "vllm-semantic-router"}
"""Beginnings of header names, and the gateway that sends such."""


def looks_like_another(head: Head, models: Any) -> Finding | None:
    """Give a warning when what answered ``/models`` is no OpenRouter but one of the gateways known by name."""
    signs = {
        preset for start, preset in _SIGNS.items() if any(name.startswith(start) for name in head.headers)
    }
    rows = [values.table(row) for row in values.rows(values.table(models).get("data"))]
    plain = bool(rows) and all("pricing" not in row for row in rows)
    if not signs and not plain:
        return None
    name = next(iter(signs), "openai")
    return problem(
        "gateway",
        f"It answers as {'an OpenAI-compatible' if name == 'openai' else f'a {name}'} gateway does, not as OpenRouter.",
        f"Give --gateway {name}, or what else it is ({', '.join(PRESETS)}), or a [gateway] table in the settings "
        "file, and examine it again: otherwise it would be sent fields that only OpenRouter knows.",
    )


async def other_gateway(settings: Settings, client: OpenRouterClient, probe: Probe) -> AsyncIterator[Finding]:
    """Yield what a gateway other than OpenRouter tells; its pages on key, credit and generations do not exist."""
    where = without_userinfo(settings.base_url)
    try:
        listed = slugs(await client.get_json("/models"))
    except APIError as error:
        kind = error.failure.kind
        if rule(kind).stops_run or error.failure.status is None:
            yield problem("gateway", f"{where}/models ({kind}): {error.failure.message}", rule(kind).advice)
            return
        listed = []
    if listed:
        yield ok("gateway", f"{where} answers and lists {numbers.count(len(listed))} models.")
    else:
        yield warning(
            "gateway", f"{where} lists no models: whether a name can be asked shows when it is asked."
        )
    yield ok(
        "key", "Key, credit and account were not checked: such a gateway has no pages that tell of them."
    )
    arms = make_arms(settings)
    if not settings.model and not settings.arm:
        yield warning(
            "probe", "No model is set, so nothing was asked.", "Give one: routemark doctor -m MODEL."
        )
        return
    for arm in arms[:_MOST]:
        async for finding in probe.ask_one(arm, has_prices=bool(dialect(settings).prices)):
            yield finding


_MOST = 3
"""Arms that are asked."""
