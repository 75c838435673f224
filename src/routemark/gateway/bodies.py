"""The JSON of answers: completion bodies, stream chunks, usage and routing metadata."""

from __future__ import annotations

from typing import Any

from routemark.gateway.billing import Bill
from routemark.gateway.catalogue import PICO
from routemark.gateway.completed import Completed
from routemark.records import Record

REGION = "sim"
_CHUNK_CHARACTERS = 24
_MAX_CHUNKS = 48


class Labels(Record, frozen=True, kw_only=True):
    """What names one response."""

    generation_id: str
    request_id: str
    ray: str
    created: int
    """Seconds since 1970."""


def completion_body(completed: Completed, labels: Labels, *, metadata: bool) -> dict[str, Any]:
    """Give the body of a plain response."""
    body = _head(completed, labels, "chat.completion")
    body["choices"] = [
        {
            "index": 0,
            "finish_reason": completed.finish_reason,
            "native_finish_reason": completed.native_finish_reason,
            "logprobs": None,
            "message": {
                "role": "assistant",
                "content": completed.text,
                "refusal": None,
                "reasoning": completed.reasoning,
            },
        }
    ]
    body["usage"] = usage(completed)
    if metadata:
        body["openrouter_metadata"] = routing_metadata(completed)
    return body


def _head(completed: Completed, labels: Labels, kind: str) -> dict[str, Any]:
    return {
        "id": labels.generation_id,
        "object": kind,
        "created": labels.created,
        "model": completed.model,
        "provider": completed.provider,
        "system_fingerprint": None,
        "service_tier": "default",
    }


def usage(completed: Completed) -> dict[str, Any]:
    """Give tokens and cost."""
    prompt, completion = completed.prompt_tokens, completed.completion_tokens
    total = None if prompt is None or completion is None else prompt + completion
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": total,
        "cost": completed.cost_usd,
        "is_byok": False,
        "prompt_tokens_details": {
            "cached_tokens": completed.cached_tokens,
            "cache_write_tokens": 0,
            "audio_tokens": 0,
            "video_tokens": 0,
        },
        "completion_tokens_details": {"reasoning_tokens": completed.reasoning_tokens, "image_tokens": 0},
        "cost_details": _cost_details(completed.bill),
    }


def _cost_details(bill: Bill | None) -> dict[str, Any]:
    return {
        "upstream_inference_cost": None,
        "upstream_inference_prompt_cost": None if bill is None else bill.prompt_pico / PICO,
        "upstream_inference_completions_cost": None if bill is None else bill.completion_pico / PICO,
    }


def routing_metadata(completed: Completed) -> dict[str, Any]:
    """Give ``openrouter_metadata``."""
    chosen = (completed.provider, completed.model)
    metadata: dict[str, Any] = {
        "requested": completed.requested,
        "strategy": completed.strategy,
        "region": REGION,
        "summary": f"available={len(completed.offers)}, selected={completed.provider}",
        "attempt": len(completed.tries),
        "is_byok": False,
        "endpoints": {
            "total": len(completed.offers),
            "available": [
                {"provider": provider, "model": model, "selected": (provider, model) == chosen}
                for provider, model in completed.offers
            ],
        },
        "attempts": [
            {"provider": one.provider, "model": one.model, "status": one.status} for one in completed.tries
        ],
        "generation_time": round(completed.times.total_s * 1000, 3),
    }
    if completed.task_type is not None:
        metadata["pipeline"] = [
            {"type": "plugin", "name": "auto-router", "data": {"task_type": completed.task_type}}
        ]
    return metadata


# --------------------------------------------------------------------------- stream chunks


def delta_chunks(completed: Completed, labels: Labels) -> list[dict[str, Any]]:
    """Give the chunks of a stream up to the last content: role, reasoning, content."""
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": ""}]
    if completed.reasoning:
        deltas += [{"content": "", "reasoning": part} for part in _parts(completed.reasoning)]
    deltas += [{"content": part} for part in _parts(completed.text)]
    return [_chunk(completed, labels, delta, None) for delta in deltas]


def closing_chunks(completed: Completed, labels: Labels, *, metadata: bool) -> list[dict[str, Any]]:
    """Give the last two chunks: the finish reason, then usage without choices."""
    finish = _chunk(completed, labels, {"content": ""}, completed.finish_reason)
    last = _head(completed, labels, "chat.completion.chunk") | {"choices": [], "usage": usage(completed)}
    if metadata:
        last["openrouter_metadata"] = routing_metadata(completed)
    return [finish, last]


def error_chunk(completed: Completed, labels: Labels, error: dict[str, Any]) -> dict[str, Any]:
    """Give the event that ends a stream in an error."""
    return _chunk(completed, labels, {"content": ""}, "error") | {"error": error}


def _chunk(completed: Completed, labels: Labels, delta: dict[str, Any], finish: str | None) -> dict[str, Any]:
    choice: dict[str, Any] = {"index": 0, "delta": delta, "finish_reason": finish, "logprobs": None}
    if finish is not None:
        choice["native_finish_reason"] = completed.native_finish_reason if finish != "error" else None
    return _head(completed, labels, "chat.completion.chunk") | {"choices": [choice]}


def _parts(text: str) -> list[str]:
    """Cut a text into at most so many parts of about the same size."""
    size = max(_CHUNK_CHARACTERS, -(-len(text) // _MAX_CHUNKS))
    return [text[start : start + size] for start in range(0, len(text), size)]
