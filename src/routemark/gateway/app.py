"""The gateway as an ASGI application: OpenRouter's routes, and ``/__stats``."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route

from routemark.config import GatewayOptions
from routemark.gateway.chat import ChatEndpoint, Gateway
from routemark.gateway.completed import Backend
from routemark.gateway.exchange import Headers
from routemark.gateway.faults import parse_faults
from routemark.gateway.knowledge import Knowledge
from routemark.gateway.latency import parse_latency
from routemark.gateway.pages import credits_page, generation_page, key_page
from routemark.gateway.refusals import RefusedError, error_body, not_found
from routemark.gateway.replay import Replay, load_recordings
from routemark.gateway.simulator import Simulator
from routemark.questions import load, shipped

PREFIX = "/api/v1"
SIMULATED_HEADER = "X-Routemark-Simulated"
"""``true`` on every response that comes from, or was recorded from, simulated models."""
REPLAY_HEADER = "X-Routemark-Replay"
"""``true`` on every response of a replaying gateway."""

_DEFAULT_LIMIT = 1_000


def create_app(options: GatewayOptions) -> Starlette:
    """Build the gateway.

    Faults that break connections need `routemark.gateway.exchange.AbortableProtocol` under it.
    Raises: UsageError when a setting or a file cannot be used.
    """
    latency = parse_latency(options.latency)
    faults = parse_faults(options.faults)
    backend, marks = _backend(options)
    gateway = Gateway(
        backend=backend,
        latency=latency,
        faults=faults,
        seed=options.seed,
        api_key=options.api_key,
        marks=marks,
        generation_lag_s=latency.scaled(options.generation_lag_s),
    )
    return Starlette(routes=_routes(gateway))


def _backend(options: GatewayOptions) -> tuple[Backend, Headers]:
    """Give what answers, and the headers that say what it is."""
    latency = parse_latency(options.latency)
    if options.replay is not None:
        replay = Replay(load_recordings(Path(options.replay)), latency, options.seed)
        marks = {SIMULATED_HEADER: str(replay.is_simulated).lower(), REPLAY_HEADER: "true"}
        return replay, _encoded(marks)
    simulator = Simulator(_knowledge(options), latency, options.seed)
    return simulator, _encoded({SIMULATED_HEADER: "true"})


def _knowledge(options: GatewayOptions) -> Knowledge:
    if options.questions is not None:
        return Knowledge(load(options.questions))
    path = shipped()
    return Knowledge(load(path) if path.is_file() else [])


def _encoded(headers: dict[str, str]) -> Headers:
    return [(name.lower().encode(), value.encode()) for name, value in headers.items()]


# --------------------------------------------------------------------------- routes


def _routes(gateway: Gateway) -> list[Route | Mount]:
    pages = _Pages(gateway)
    stats = Route("/__stats", pages.stats)
    api = [
        Route("/chat/completions", ChatEndpoint(gateway), methods=["POST"]),
        Route("/models", pages.route(pages.models)),
        Route("/models/{author}/{slug:path}/endpoints", pages.route(pages.endpoints)),
        Route("/key", pages.route(pages.key, secret=True)),
        Route("/credits", pages.route(pages.credits, secret=True)),
        Route("/generation", pages.route(pages.generation, secret=True)),
        stats,
        Route("/{path:path}", pages.route(pages.nothing), methods=["GET", "POST", "PUT", "PATCH", "DELETE"]),
    ]
    return [stats, Mount(PREFIX, routes=api)]


Page = Callable[[Request], dict[str, Any]]
Endpoint = Callable[[Request], Awaitable[Response]]


class _Pages:
    """The read-only routes."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._rows = gateway.backend.models()

    def route(self, page: Page, *, secret: bool = False) -> Endpoint:
        """Turn a page into a route; a secret one wants a key."""

        async def answer(request: Request) -> Response:
            try:
                if secret:
                    self._gateway.authorize(dict(request.headers))
                return self._json(200, page(request))
            except RefusedError as refused:
                return self._json(refused.problem.status, error_body(refused.problem))

        return answer

    async def stats(self, _: Request) -> Response:
        """Answer ``/__stats``."""
        return self._json(200, self._gateway.ledger.stats())

    def models(self, request: Request) -> dict[str, Any]:
        """Answer ``/models``, a page of it when asked for."""
        offset, limit = (_whole(request, name) for name in ("offset", "limit"))
        start = offset or 0
        stop = None if limit is None else start + min(limit, _DEFAULT_LIMIT)
        return {"data": self._rows[start:stop], "total_count": len(self._rows), "links": {"next": None}}

    def endpoints(self, request: Request) -> dict[str, Any]:
        """Answer ``/models/{author}/{slug}/endpoints``."""
        model_id = f"{request.path_params['author']}/{request.path_params['slug']}"
        page = self._gateway.backend.endpoints(model_id)
        if page is None:
            raise not_found(f"Model {model_id} not found")
        return {"data": page}

    def key(self, _: Request) -> dict[str, Any]:
        """Answer ``/key``."""
        return {"data": key_page(self._gateway.ledger)}

    def credits(self, _: Request) -> dict[str, Any]:
        """Answer ``/credits``."""
        return {"data": credits_page(self._gateway.ledger)}

    def generation(self, request: Request) -> dict[str, Any]:
        """Answer ``/generation``: 404 until the lag after the answer's end is over."""
        generation_id = request.query_params.get("id", "")
        found = self._gateway.ledger.find(generation_id)
        if found is None or time.monotonic() < found.finished + self._gateway.generation_lag_s:
            raise not_found(f"Generation {generation_id} not found")
        return {"data": generation_page(found)}

    def nothing(self, _: Request) -> dict[str, Any]:
        """Answer any other path."""
        raise not_found("Resource not found")

    def _json(self, status: int, value: dict[str, Any]) -> Response:
        headers = {name.decode(): mark.decode() for name, mark in self._gateway.marks}
        return Response(msgspec.json.encode(value), status, headers, "application/json")


def _whole(request: Request, name: str) -> int | None:
    value = request.query_params.get(name)
    return int(value) if value is not None and value.isascii() and value.isdigit() else None
