"""The simulated models at work: route, answer, cut to length, bill, and time one request."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import msgspec

from routemark.gateway.answers import Said, ramble, say
from routemark.gateway.billing import FREE, PromptCache, bill
from routemark.gateway.catalogue import BY_SLUG, Model
from routemark.gateway.completed import Completed, Try
from routemark.gateway.knowledge import Knowledge
from routemark.gateway.latency import Latency
from routemark.gateway.pages import endpoints_page, model_rows
from routemark.gateway.providers import Tried, try_providers
from routemark.gateway.refusals import context_too_long
from routemark.gateway.request import ChatRequest, count_tokens
from routemark.gateway.router import ALIASES, Candidate, Route, route
from routemark.gateway.sessions import Repeats, StickyModels
from routemark.gateway.verdicts import asked_verdict, judge
from routemark.records import Record

_BYTES_A_TOKEN = 4
_HICCUP_S = 0.4
"""What a failed provider costs in time before the next one is asked, seconds."""


class Output(Record, frozen=True, kw_only=True):
    """What comes out of a model when its token limit has been applied."""

    text: str
    reasoning: str | None
    tokens: int
    reasoning_tokens: int
    finish_reason: str


class Simulator:
    """Answers requests with the catalogue's models."""

    def __init__(
        self,
        knowledge: Knowledge,
        latency: Latency,
        seed: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._knowledge = knowledge
        self._latency = latency
        self._seed = seed
        self._repeats = Repeats()
        self._sticky = StickyModels(clock)
        self._cache = PromptCache(clock)

    def complete(self, request: ChatRequest) -> Completed:
        """Answer a request.

        Raises: RefusedError when it cannot be served.
        """
        asked = request.models[0]
        sticky = self._sticky.recall(ALIASES.get(asked, asked), request.sticky_key)
        sticky_model, sticky_provider = sticky or (None, None)
        repeat = self._repeats.number(asked, request.key, request.session_id)
        chosen = route(request, self._seed, repeat, sticky_model)
        candidate = _first_that_fits(request, chosen)
        return self._serve(request, chosen, candidate, repeat, sticky_provider)

    def note_served(self, request: ChatRequest, completed: Completed) -> None:
        """Let the conversation stick: at once with a session id, else when a cache hit was seen."""
        self._repeats.note_answered(request.models[0], request.key, request.session_id)
        if completed.router is not None and (request.session_id or completed.cached_tokens):
            model = completed.model.partition(":")[0]
            self._sticky.remember(completed.router, request.sticky_key, model, completed.provider)

    def models(self) -> list[dict[str, Any]]:
        """Give the rows of ``/models``."""
        return model_rows()

    def endpoints(self, model_id: str) -> dict[str, Any] | None:
        """Give a model with its providers' offers; None when there is no such model."""
        model = BY_SLUG.get(model_id)
        return None if model is None else endpoints_page(model)

    def _serve(
        self,
        request: ChatRequest,
        chosen: Route,
        candidate: Candidate,
        repeat: int,
        sticky_provider: str | None,
    ) -> Completed:
        model = candidate.model
        about = (self._seed, model.id, request.key, repeat)
        tried = try_providers(model, request.provider, candidate.variant, sticky_provider, *about)
        output = _limit(self._said(request, model, repeat), _output_limit(request, model))
        endpoint = tried[-1].endpoint
        cached = self._cache.read(model.id, endpoint.provider, request.key, request.prompt_tokens)
        charge = (
            FREE if candidate.variant == "free" else bill(model, request.prompt_tokens, cached, output.tokens)
        )
        waited = _HICCUP_S * (len(tried) - 1)
        times = self._latency.times(
            model.ttft_s + waited, output.tokens, model.tokens_per_s * endpoint.speed, *about
        )
        return Completed(
            requested=chosen.requested,
            router=chosen.router,
            strategy=chosen.strategy,
            task_type=chosen.task_type,
            model=candidate.slug,
            permaslug=model.canonical_slug,
            provider=endpoint.provider,
            tries=_tries(tried, candidate),
            offers=_offers(chosen, candidate),
            repeat=repeat,
            text=output.text,
            reasoning=output.reasoning,
            finish_reason=output.finish_reason,
            native_finish_reason=output.finish_reason,
            prompt_tokens=request.prompt_tokens,
            completion_tokens=output.tokens,
            reasoning_tokens=output.reasoning_tokens,
            cached_tokens=cached,
            cost_usd=charge.cost_usd,
            bill=charge,
            times=times,
        )

    def _said(self, request: ChatRequest, model: Model, repeat: int) -> Said:
        """Give what a model says: its verdict where one is asked for, else its answer."""
        verdict = asked_verdict(request)
        if verdict is not None:
            return judge(request, verdict, model, self._knowledge, self._seed, repeat)
        return say(model, self._knowledge.find(request.messages), request.key, self._seed, repeat)


def _first_that_fits(request: ChatRequest, chosen: Route) -> Candidate:
    """Give the first candidate whose context holds prompt and answer."""
    for candidate in chosen.candidates:
        if _tokens_needed(request, candidate.model) <= candidate.model.context_length:
            return candidate
    first = chosen.candidates[0].model
    raise context_too_long(first.context_length, _tokens_needed(request, first))


def _tokens_needed(request: ChatRequest, model: Model) -> int:
    return request.prompt_tokens + _output_limit(request, model)


def _output_limit(request: ChatRequest, model: Model) -> int:
    return min(request.max_tokens or model.max_completion_tokens, model.max_completion_tokens)


def _limit(said: Said, limit: int) -> Output:
    """Cut an answer to the token limit; thinking comes first and may leave nothing for the answer."""
    if said.kind == "runaway":
        said = msgspec.structs.replace(said, text=ramble(said.text, limit * _BYTES_A_TOKEN))
    thinking = min(said.reasoning_tokens, limit)
    wanted = count_tokens(said.text)
    room = limit - thinking
    fits = wanted <= room and said.reasoning_tokens <= limit
    text = said.text if fits else _cut(said.text, room)
    return Output(
        text=text,
        reasoning=said.reasoning,
        tokens=thinking + (wanted if fits else room),
        reasoning_tokens=thinking,
        finish_reason="stop" if fits else "length",
    )


def _cut(text: str, tokens: int) -> str:
    return text.encode()[: tokens * _BYTES_A_TOKEN].decode(errors="ignore")


def _tries(tried: tuple[Tried, ...], candidate: Candidate) -> tuple[Try, ...]:
    return tuple(
        Try(provider=one.endpoint.provider, model=candidate.slug, status=one.status) for one in tried
    )


def _offers(chosen: Route, served: Candidate) -> tuple[tuple[str, str], ...]:
    own = [(endpoint.provider, served.slug) for endpoint in served.model.endpoints]
    others = [
        (candidate.model.endpoints[0].provider, candidate.slug)
        for candidate in chosen.candidates
        if candidate is not served
    ]
    return (*own, *others)
