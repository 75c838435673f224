"""The whole examination, from the machine to the last probe; what cannot be reached ends it."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from routemark import numbers
from routemark.config import Settings, without_userinfo
from routemark.doctor.account import catalogue_finding, cheapest_models, clock_finding, key_findings, slugs
from routemark.doctor.elsewhere import looks_like_another, other_gateway
from routemark.doctor.findings import Finding, Status, ok, problem, warning
from routemark.doctor.machine import machine
from routemark.doctor.probe import OPTIONS, ROUTER, Probe
from routemark.errors import APIError, rule
from routemark.exchange import Exchange, Request
from routemark.policy.retry import RetryPolicy
from routemark.prepare import dialect
from routemark.records import Record
from routemark.router import OpenRouterClient
from routemark.transport import Limits, Transport, make_transport
from routemark.wire.failures import Head, Refusal, clock_skew_s
from routemark.wire.request import headers
from routemark.wire.response import Decoded, Reader, lookup_reader

LIMITS = Limits(connect_s=10.0, idle_s=30.0, total_s=60.0)
_CONNECTIONS = 2
_CANDIDATES = 3
"""Models to try for a probe: the cheapest may be out of order today."""


class Examination(Record, frozen=True, kw_only=True):
    """What ``--json`` prints."""

    schema: str = "routemark.doctor/1"
    base_url: str
    status: Status
    """The worst of the findings."""
    simulated: bool
    """The models asked are fictitious."""
    findings: list[Finding]
    requests: int
    """Requests that asked a model."""
    cost_usd: float
    """What they cost, as far as known."""
    cost_unknown: int
    """Answers whose cost is not known."""


async def examine(settings: Settings, key: str | None) -> Examination:
    """Examine machine, gateway, key, account and clock; ask a few tiny requests when there is a key."""
    spoken = dialect(settings)
    transport = make_transport(settings.transport, _CONNECTIONS)
    client = OpenRouterClient(
        api_key=key,
        base_url=settings.base_url,
        transport=transport,
        options=msgspec.structs.replace(OPTIONS, dialect=spoken),
        timeout_s=LIMITS.total_s,
        idle_timeout_s=LIMITS.idle_s,
        retry=RetryPolicy(max_attempts=2),
    )
    probe = Probe(client)
    async with client:
        asked = (
            _findings(settings, key, client, transport, probe)
            if spoken.openrouter_fields
            else other_gateway(settings, client, probe)
        )
        findings = [*machine(Path(settings.runs_dir)), *[one async for one in asked]]
    statuses = {one.status for one in findings}
    worst: Status = "problem" if "problem" in statuses else "warning" if "warning" in statuses else "ok"
    return Examination(
        base_url=without_userinfo(settings.base_url),
        status=worst,
        simulated=probe.simulated,
        findings=findings,
        requests=probe.requests,
        cost_usd=probe.cost_usd,
        cost_unknown=probe.cost_unknown,
    )


async def _findings(
    settings: Settings, key: str | None, client: OpenRouterClient, transport: Transport, probe: Probe
) -> AsyncIterator[Finding]:
    head, models = await _models(transport, settings.base_url)
    if (
        head is not None and isinstance(models, Refusal) and key is not None
    ):  # it may show them to its keys only
        models = await _page(client, "/models") or models
    if head is not None and (hint := looks_like_another(head, models)) is not None:
        yield hint
        return
    if head is None or isinstance(models, Refusal):
        yield _unreachable(settings, models)
        return
    known = slugs(models)
    yield ok(
        "gateway",
        f"{without_userinfo(settings.base_url)} answers and lists {numbers.count(len(known))} models.",
    )
    yield clock_finding(clock_skew_s(head))
    if key is None:
        yield _no_key(settings)
        return
    try:
        page = await client.get_json("/key")
    except APIError as error:
        yield problem(
            "key",
            f"Not accepted ({error.failure.kind}): {error.failure.message}",
            rule(error.failure.kind).advice,
        )
        return
    for finding in key_findings(page, datetime.now(UTC)):
        yield finding
    mine = await _page(client, "/models/user")
    if mine is not None:
        yield catalogue_finding(known, slugs(mine))
    async for finding in probe.findings(cheapest_models(models, _CANDIDATES), routes=ROUTER in known):
        yield finding


async def _models(transport: Transport, base_url: str) -> tuple[Head | None, Any]:
    """Give the head and the body of ``/models``, asked without the key; a Refusal for a body that is none."""
    heads: list[Head] = []

    def choose(head: Head) -> Reader[Decoded]:
        heads.append(head)
        return lookup_reader(head)

    request = Request("GET", f"{base_url.rstrip('/')}/models", headers(None), b"")
    tried = await Exchange(transport, request, choose, LIMITS).run(time.monotonic())
    head = heads[0] if heads else None
    return head, tried.result if isinstance(tried.result, Refusal) else tried.result.value


async def _page(client: OpenRouterClient, path: str) -> Any:
    """Give a page that not every gateway has; None without it."""
    try:
        return await client.get_json(path)
    except APIError:
        return None


def _unreachable(settings: Settings, why: Any) -> Finding:
    said = f" ({why.kind}): {why.message}" if isinstance(why, Refusal) else "."
    advice = rule(why.kind).advice if isinstance(why, Refusal) else "Check --base-url."
    return problem("gateway", f"{without_userinfo(settings.base_url)}/models does not answer{said}", advice)


def _no_key(settings: Settings) -> Finding:
    advice = (
        "Set OPENROUTER_API_KEY in the environment or in .env; key, account and answers were not checked."
    )
    if "openrouter.ai" in settings.base_url:
        return problem("key", "There is none.", advice)
    return warning("key", "There is none; some gateways need none.", advice)
