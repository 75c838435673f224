"""Recorded completions served again: text, tokens and cost exactly as they were recorded.

An answer is found by its model and the exact text of the last user message. A model may be asked
for by its recorded name, or by any ``author/name`` whose last part is that name; the response names
it as recorded. What was not recorded is a 404.

`openrouter/auto` picks among the models that have a recording for the prompt and are left by the
request's ``allowed_models``, ``excluded_models`` and cost setting (percentiles of mean recorded
cost over all models; without a cost setting, all). Among those left, the pick is uniform: the
model whose hash with the gateway's seed and the prompt is smallest. It depends on nothing else.

When a model has several recordings of one prompt, repeat N of a session gets the one of repeat N,
counted round.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from routemark.errors import UsageError
from routemark.gateway.catalogue import PICO
from routemark.gateway.completed import Completed, Try
from routemark.gateway.latency import Latency
from routemark.gateway.pages import free_pricing, router_row, usd
from routemark.gateway.refusals import no_match, not_found, unknown_model
from routemark.gateway.request import ChatRequest
from routemark.gateway.restrictions import PLUGINS, Restrictions, permits, read_restrictions, survivors
from routemark.gateway.router import ALIASES
from routemark.gateway.seeding import digest
from routemark.gateway.sessions import Repeats
from routemark.gateway.tasks import classify
from routemark.interop.recordings import Recording, is_run, read_run
from routemark.interop.routerarena import read_recordings

_TYPICAL_TTFT_S = 0.6
_TYPICAL_TOKENS_PER_S = 80.0


def load_recordings(path: Path) -> Iterator[Recording]:
    """Read a run directory, a directory of runs, or RouterArena's cached results (file or folder).

    Raises: UsageError when there is nothing to replay.
    """
    if not path.exists():
        raise UsageError(f"--replay {path}: no such file or directory.")
    runs = [path] if is_run(path) else sorted(filter(is_run, path.iterdir())) if path.is_dir() else []
    if not runs:
        yield from read_recordings(path)
    for run in _without_links(runs):
        yield from read_run(run)


def _without_links(runs: list[Path]) -> list[Path]:
    """Leave out second names of the same directory, such as ``latest``."""
    return list({run.resolve(): run for run in runs}.values())


class Replay:
    """Answers requests with recordings."""

    def __init__(self, recordings: Iterable[Recording], latency: Latency, seed: int) -> None:
        self._latency = latency
        self._seed = seed
        self._repeats = Repeats()
        self._by_prompt: dict[str, dict[str, dict[int, Recording]]] = {}
        self._totals: dict[str, list[tuple[float, float, float]]] = {}
        self.is_simulated = False
        """Some recording came from the simulated gateway."""
        for recording in recordings:
            self._add(recording)
        if not self._totals:
            raise UsageError("--replay: there is no recorded answer in it.")
        self._names = _names(self._totals)
        self._by_cost = tuple(sorted(self._totals, key=self._mean_cost))

    def complete(self, request: ChatRequest) -> Completed:
        """Give the recorded answer.

        Raises: RefusedError (400, 404).
        """
        asked = request.models[0]
        router = ALIASES.get(asked, asked)
        recorded = self._by_prompt.get(request.prompt, {})
        if router in PLUGINS:
            model = self._pick(request, router, recorded)
            return self._completed(request, recorded[model], router, "auto")
        for slug in request.models:
            name = self._names.get(slug) or self._names.get(slug.rpartition("/")[2])
            if name is None:
                raise unknown_model(slug)
            if name in recorded:
                strategy = "direct" if len(request.models) == 1 else "fallback"
                return self._completed(request, recorded[name], None, strategy)
        raise not_found(f"No answer of {asked} to this prompt was recorded")

    def note_served(self, request: ChatRequest, completed: Completed) -> None:
        """Learn nothing: the pick depends on seed and prompt alone."""

    def models(self) -> list[dict[str, Any]]:
        """Give the rows of ``/models``: the recorded models, and the router."""
        return [self._row(name) for name in self._by_cost] + [router_row(slug) for slug in PLUGINS]

    def endpoints(self, model_id: str) -> dict[str, Any] | None:
        """Give a recorded model; its providers' offers were not recorded."""
        name = self._names.get(model_id) or self._names.get(model_id.rpartition("/")[2])
        return None if name is None else {**self._row(name), "endpoints": []}

    # ----------------------------------------------------------------------- the index

    def _add(self, recording: Recording) -> None:
        models = self._by_prompt.setdefault(recording.prompt, {})
        models.setdefault(recording.model, {}).setdefault(recording.repeat, recording)
        self.is_simulated |= recording.simulated
        usage = recording.usage
        known = (usage.prompt_tokens or 0, usage.completion_tokens or 0, recording.cost_usd or 0.0)
        self._totals.setdefault(recording.model, []).append(known)

    def _mean_cost(self, model: str) -> float:
        costs = [cost for _, _, cost in self._totals[model]]
        return sum(costs) / len(costs)

    def _pick(self, request: ChatRequest, router: str, recorded: dict[str, dict[int, Recording]]) -> str:
        """Pick a recorded model by the stated rule."""
        restrictions = read_restrictions(request.plugins.get(PLUGINS[router]))
        left = [name for name in self._left(restrictions) if name in recorded]
        if not left:
            raise no_match()
        return min(left, key=lambda name: digest(self._seed, "replay", request.prompt, name))

    def _left(self, restrictions: Restrictions) -> Iterable[str]:
        if restrictions.cost_tier is None and restrictions.tradeoff is None:
            return [name for name in self._by_cost if permits(restrictions, name)]
        return survivors(self._by_cost, restrictions)

    # ----------------------------------------------------------------------- one answer

    def _completed(
        self, request: ChatRequest, takes: dict[int, Recording], router: str | None, strategy: str
    ) -> Completed:
        repeat = self._repeats.number(request.models[0], request.key, request.session_id)
        recording = takes[sorted(takes)[repeat % len(takes)]]
        provider = recording.provider or "recorded"
        usage = recording.usage
        return Completed(
            requested=request.models[0],
            router=router,
            strategy=strategy,
            task_type=(recording.task_type or classify(request.prompt).name) if router else None,
            model=recording.model,
            permaslug=recording.model,
            provider=provider,
            tries=(Try(provider=provider, model=recording.model, status=200),),
            offers=((provider, recording.model),),
            repeat=repeat,
            text=recording.text,
            finish_reason=recording.finish_reason or "stop",
            native_finish_reason=recording.finish_reason,
            prompt_tokens=usage.prompt_tokens,
            completion_tokens=usage.completion_tokens,
            reasoning_tokens=usage.reasoning_tokens,
            cached_tokens=usage.cached_tokens,
            cost_usd=recording.cost_usd,
            bill=None,
            times=self._latency.scaled_times(*_took(recording)),
        )

    def _row(self, name: str) -> dict[str, Any]:
        return {
            "id": name,
            "canonical_slug": name,
            "name": f"Recorded: {name}",
            "created": 0,
            "description": "Recorded answers; what was not recorded is a 404.",
            "context_length": None,
            "architecture": {
                "modality": "text->text",
                "input_modalities": ["text"],
                "output_modalities": ["text"],
            },
            "pricing": fitted_pricing(self._totals[name]),
            "top_provider": {"context_length": None, "max_completion_tokens": None, "is_moderated": False},
            "per_request_limits": None,
            "supported_parameters": ["max_tokens"],
            "default_parameters": None,
            "simulated": self.is_simulated,
        }


def _names(models: Iterable[str]) -> dict[str, str]:
    """Give the recorded name for every name it can be asked by; ambiguous last parts are left out."""
    names = {model: model for model in models}
    last_parts: dict[str, list[str]] = {}
    for model in models:
        last_parts.setdefault(model.rpartition("/")[2], []).append(model)
    short = {part: owners[0] for part, owners in last_parts.items() if len(owners) == 1}
    return {**short, **names}


def _took(recording: Recording) -> tuple[float, float]:
    """Give (seconds to the first token, seconds in all), as recorded or as typical."""
    total = recording.latency_s
    if total is None:
        tokens = recording.usage.completion_tokens or 0
        total = _TYPICAL_TTFT_S + tokens / _TYPICAL_TOKENS_PER_S
    first = min(_TYPICAL_TTFT_S, total) if recording.ttft_s is None else recording.ttft_s
    return min(first, total), total


def fitted_pricing(totals: list[tuple[float, float, float]]) -> dict[str, Any]:
    """Give the prices per token that explain recorded (prompt tokens, completion tokens, cost) best.

    Least squares over all answers of a model, never below zero.
    """
    table = np.array(totals, dtype=float)
    if not table[:, 2].any():
        return free_pricing()
    prices, *_ = np.linalg.lstsq(table[:, :2], table[:, 2], rcond=None)
    prompt, completion = (max(0, round(price * PICO)) for price in prices)
    return {"prompt": usd(prompt), "completion": usd(completion), "request": "0"}
