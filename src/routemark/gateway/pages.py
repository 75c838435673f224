"""The catalogue as the gateway's read-only routes show it: models, endpoints, key, generation."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from routemark.gateway.catalogue import CATALOGUE, PICO, Endpoint, Model
from routemark.gateway.ledger import Generation, Ledger
from routemark.gateway.router import ROUTERS

_CREATED = 1_788_220_800
_PARAMETERS = [
    "max_tokens",
    "temperature",
    "top_p",
    "stop",
    "seed",
    "response_format",
    "tools",
]
_NOTE = "SIMULATED: a fictitious model of Routemark's gateway; no real model stands behind it."
_CREDITS_USD = 1_000.0


def model_rows() -> list[dict[str, Any]]:
    """Give the rows of ``/models``: models, their free variants, and the routers."""
    rows = [_model_row(model, free=False) for model in CATALOGUE]
    rows += [_model_row(model, free=True) for model in CATALOGUE if model.has_free_variant]
    return rows + [router_row(slug) for slug in ROUTERS]


def _model_row(model: Model, *, free: bool) -> dict[str, Any]:
    row = {
        "id": f"{model.id}:free" if free else model.id,
        "canonical_slug": model.canonical_slug,
        "name": f"{model.name} (free)" if free else model.name,
        "created": _CREATED,
        "description": _NOTE,
        "context_length": model.context_length,
        "architecture": _architecture(),
        "pricing": free_pricing() if free else _pricing(model),
        "top_provider": {
            "context_length": model.context_length,
            "max_completion_tokens": model.max_completion_tokens,
            "is_moderated": False,
        },
        "per_request_limits": None,
        "supported_parameters": _PARAMETERS + (["reasoning"] if model.reasons else []),
        "default_parameters": None,
        "knowledge_cutoff": None,
        "links": {"details": f"/api/v1/models/{model.id}/endpoints"},
        "simulated": True,
    }
    if model.reasons:
        row["reasoning"] = {"mandatory": True, "default_enabled": True}
    return row


def router_row(slug: str) -> dict[str, Any]:
    """Give the row of a router: its price is the sentinel -1, for it depends on the model picked."""
    pricing = free_pricing() if slug.endswith("/free") else {"prompt": "-1", "completion": "-1"}
    return {
        "id": slug,
        "canonical_slug": slug,
        "name": f"Simulated: {slug.partition('/')[2].replace('-', ' ').title()} Router",
        "created": _CREATED,
        "description": "SIMULATED: picks one of the models of this gateway.",
        "context_length": 2_000_000,
        "architecture": {**_architecture(), "tokenizer": "Router"},
        "pricing": pricing,
        "top_provider": {"context_length": None, "max_completion_tokens": None, "is_moderated": False},
        "per_request_limits": None,
        "supported_parameters": _PARAMETERS,
        "default_parameters": None,
        "links": {"details": f"/api/v1/models/{slug}/endpoints"},
        "simulated": True,
    }


def _architecture() -> dict[str, Any]:
    return {
        "modality": "text->text",
        "input_modalities": ["text"],
        "output_modalities": ["text"],
        "tokenizer": "Other",
        "instruct_type": None,
    }


def usd(pico: int) -> str:
    """Give picodollars as a decimal string of US dollars, the form of all listed prices."""
    return format((Decimal(pico) / PICO).normalize(), "f")


def free_pricing() -> dict[str, Any]:
    """Give the prices of what costs nothing."""
    return {"prompt": "0", "completion": "0", "request": "0"}


def _pricing(model: Model) -> dict[str, Any]:
    pricing: dict[str, Any] = {
        "prompt": usd(model.prompt_pico),
        "completion": usd(model.completion_pico),
        "request": "0",
        "input_cache_read": usd(model.cache_read_pico),
    }
    if model.long_prompt is not None:
        pricing["overrides"] = [
            {
                "min_prompt_tokens": model.long_prompt.min_prompt_tokens,
                "prompt": usd(model.long_prompt.prompt_pico),
                "completion": usd(model.long_prompt.completion_pico),
            }
        ]
    return pricing


def endpoints_page(model: Model) -> dict[str, Any]:
    """Give ``/models/{author}/{slug}/endpoints``."""
    return {
        "id": model.id,
        "name": model.name,
        "created": _CREATED,
        "description": _NOTE,
        "architecture": _architecture(),
        "endpoints": [_endpoint_row(model, endpoint) for endpoint in model.endpoints],
    }


def _endpoint_row(model: Model, endpoint: Endpoint) -> dict[str, Any]:
    ttft_ms = round(model.ttft_s * 1000)
    rate = round(model.tokens_per_s * endpoint.speed)
    return {
        "tag": endpoint.tag,
        "provider_name": endpoint.provider,
        "name": f"{endpoint.provider} | {model.id}",
        "model_id": model.canonical_slug,
        "model_name": model.name,
        "context_length": model.context_length,
        "max_completion_tokens": model.max_completion_tokens,
        "max_prompt_tokens": None,
        "quantization": endpoint.quantization,
        "pricing": _pricing(model),
        "supported_parameters": _PARAMETERS,
        "status": 0,
        "uptime_last_30m": 100.0,
        "latency_last_30m": {
            "p50": ttft_ms,
            "p75": round(ttft_ms * 1.3),
            "p90": round(ttft_ms * 1.6),
            "p99": ttft_ms * 2,
        },
        "throughput_last_30m": {
            "p50": rate,
            "p75": round(rate * 1.1),
            "p90": round(rate * 1.3),
            "p99": round(rate * 1.6),
        },
        "supports_implicit_caching": True,
        "supports_tool_choice": {"literal_none": True, "literal_auto": True},
    }


def key_page(ledger: Ledger) -> dict[str, Any]:
    """Give the data of ``/key``."""
    used = ledger.billed_usd
    return {
        "label": "sk-or-v1-sim...key",
        "limit": None,
        "limit_remaining": None,
        "limit_reset": None,
        "include_byok_in_limit": False,
        "usage": used,
        "usage_daily": used,
        "usage_weekly": used,
        "usage_monthly": used,
        "byok_usage": 0,
        "byok_usage_daily": 0,
        "byok_usage_weekly": 0,
        "byok_usage_monthly": 0,
        "is_free_tier": False,
        "is_management_key": False,
        "is_provisioning_key": False,
        "expires_at": None,
        "creator_user_id": "user_simulated",
        "organization_id": None,
        "workspace_id": None,
        "allowed_data_regions": [],
        "budgets": [],
        "effective_budget": None,
        "free_model_daily_requests": {
            "used": ledger.free_requests,
            "limit": 1_000,
            "remaining": max(0, 1_000 - ledger.free_requests),
        },
        "rate_limit": {"requests": -1, "interval": "10s", "note": "This field is deprecated."},
    }


def credits_page(ledger: Ledger) -> dict[str, Any]:
    """Give the data of ``/credits``."""
    return {"total_credits": _CREDITS_USD + ledger.billed_usd, "total_usage": ledger.billed_usd}


def generation_page(generation: Generation) -> dict[str, Any]:
    """Give the data of ``/generation``."""
    return {
        "id": generation.id,
        "request_id": generation.request_id,
        "upstream_id": None,
        "model": generation.permaslug,
        "router": generation.router,
        "provider_name": generation.provider,
        "api_type": "completions",
        "created_at": datetime.fromtimestamp(generation.created, UTC).isoformat().replace("+00:00", "Z"),
        "data_region": "global",
        "streamed": generation.streamed,
        "cancelled": False,
        "session_id": generation.session_id,
        "is_byok": False,
        "service_tier": "default",
        "total_cost": generation.cost_usd,
        "usage": generation.cost_usd,
        "upstream_inference_cost": None,
        "cache_discount": generation.saved_usd or None,
        "latency": round(generation.ttft_s * 1000),
        "generation_time": round((generation.total_s - generation.ttft_s) * 1000),
        "moderation_latency": None,
        "tokens_prompt": generation.prompt_tokens,
        "tokens_completion": generation.completion_tokens,
        "native_tokens_prompt": generation.prompt_tokens,
        "native_tokens_completion": generation.completion_tokens,
        "native_tokens_reasoning": generation.reasoning_tokens,
        "native_tokens_cached": generation.cached_tokens,
        "native_tokens_completion_images": 0,
        "num_media_prompt": None,
        "num_media_completion": None,
        "num_search_results": None,
        "finish_reason": generation.finish_reason,
        "native_finish_reason": generation.finish_reason,
        "response_cache_source_id": None,
        "provider_responses": [
            {
                "status": status,
                "provider_name": provider,
                "model_permaslug": generation.permaslug,
                "is_byok": False,
            }
            for provider, status in generation.tries
        ],
    }
