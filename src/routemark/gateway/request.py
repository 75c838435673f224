"""A chat request as the gateway understands it: checked, with what was left out filled in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from routemark.gateway.knowledge import conversation_hash
from routemark.gateway.refusals import invalid
from routemark.interop.recordings import last_user_text, message_text
from routemark.records import Record

MAX_SESSION_ID = 256
_TOKENS_A_MESSAGE = 4


class ChatRequest(Record, frozen=True, kw_only=True):
    """One request for a chat completion."""

    models: list[str]
    """Slugs in order of preference; at least one."""
    messages: list[dict[str, Any]]
    prompt: str
    """Text of the last user message."""
    key: int
    """Names the conversation: 64 bits of roles and texts."""
    prompt_tokens: int
    max_tokens: int | None
    session_id: str | None
    sticky_key: str
    """Names the conversation for sticky routing: session, cache key, or hash of its first messages."""
    stream: bool
    plugins: dict[str, dict[str, Any]]
    """By plugin id."""
    provider: dict[str, Any]
    response_format: dict[str, Any]
    wants_metadata: bool


def count_tokens(text: str) -> int:
    """Count tokens the gateway's way: one for every four bytes begun."""
    return -(-len(text.encode("utf-8", "surrogatepass")) // 4)


def parse(raw: bytes, headers: Mapping[str, str]) -> ChatRequest:
    """Read a request's body and headers.

    Raises: RefusedError (400) when they make no chat request.
    """
    body = _decode(raw)
    messages = _messages(body)
    session_id = _session_id(body, headers)
    return ChatRequest(
        models=_models(body),
        messages=messages,
        prompt=last_user_text(messages),
        key=conversation_hash(messages),
        prompt_tokens=sum(_TOKENS_A_MESSAGE + count_tokens(message_text(message)) for message in messages),
        max_tokens=_max_tokens(body),
        session_id=session_id,
        sticky_key=session_id or _text(body, "prompt_cache_key") or _fingerprint(messages),
        stream=_is_true(body, "stream"),
        plugins=_plugins(body),
        provider=_object(body, "provider"),
        response_format=_object(body, "response_format"),
        wants_metadata=_wants_metadata(headers),
    )


def _decode(raw: bytes) -> dict[str, Any]:
    try:
        body = msgspec.json.decode(raw)
    except (msgspec.DecodeError, RecursionError) as error:
        raise invalid(f"The request body is not valid JSON: {error}") from None
    if not isinstance(body, dict):
        raise invalid("The request body must be a JSON object")
    _check_sampling(body)
    return body


def _check_sampling(body: dict[str, Any]) -> None:
    for name, low, high in (("temperature", 0, 2), ("top_p", 0, 1)):
        value = body.get(name)
        if value is not None and not (_is_number(value) and low <= value <= high):
            raise invalid(f"Invalid request parameters: {name} must be a number between {low} and {high}")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _messages(body: dict[str, Any]) -> list[dict[str, Any]]:
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages:
        raise invalid("Invalid request parameters: messages must be a list of at least one message")
    if not all(isinstance(message, dict) and isinstance(message.get("role"), str) for message in messages):
        raise invalid("Invalid request parameters: every message needs a role")
    return messages


def _models(body: dict[str, Any]) -> list[str]:
    fallbacks = body.get("models") or []
    if not isinstance(fallbacks, list) or not all(isinstance(slug, str) for slug in fallbacks):
        raise invalid("Invalid request parameters: models must be a list of model IDs")
    model = _text(body, "model")
    slugs = [*([model] if model else []), *(slug for slug in fallbacks if slug != model)]
    if not slugs:
        raise invalid("No model specified, and the account has no default model")
    return slugs


def _text(body: dict[str, Any], name: str) -> str | None:
    value = body.get(name)
    if value is not None and not isinstance(value, str):
        raise invalid(f"Invalid request parameters: {name} must be a string")
    return value


def _is_true(body: dict[str, Any], name: str) -> bool:
    value = body.get(name)
    if value is not None and not isinstance(value, bool):
        raise invalid(f"Invalid request parameters: {name} must be a boolean")
    return bool(value)


def _object(body: dict[str, Any], name: str) -> dict[str, Any]:
    value = body.get(name)
    if value is not None and not isinstance(value, dict):
        raise invalid(f"Invalid request parameters: {name} must be an object")
    return value or {}


def _plugins(body: dict[str, Any]) -> dict[str, dict[str, Any]]:
    plugins = body.get("plugins") or []
    if not isinstance(plugins, list) or not all(isinstance(plugin, dict) for plugin in plugins):
        raise invalid("Invalid request parameters: plugins must be a list of objects")
    if not all(isinstance(plugin.get("id"), str) for plugin in plugins):
        raise invalid("Invalid request parameters: every plugin needs an id")
    return {plugin["id"]: plugin for plugin in plugins}


def _max_tokens(body: dict[str, Any]) -> int | None:
    """Give the limit; ``max_completion_tokens`` goes before its old name."""
    for name in ("max_completion_tokens", "max_tokens"):
        value = body.get(name)
        if value is None:
            continue
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise invalid(f"Invalid request parameters: {name} must be a positive integer")
        return value
    return None


def _session_id(body: dict[str, Any], headers: Mapping[str, str]) -> str | None:
    session_id = _text(body, "session_id") or headers.get("x-session-id")
    if session_id is not None and len(session_id) > MAX_SESSION_ID:
        raise invalid(f"Invalid request parameters: session_id is longer than {MAX_SESSION_ID} characters")
    return session_id or None


def _fingerprint(messages: list[dict[str, Any]]) -> str:
    """Name a conversation by its first system message and its first other message."""
    system = next((m for m in messages if m["role"] in {"system", "developer"}), None)
    first = next((m for m in messages if m["role"] not in {"system", "developer"}), None)
    return f"messages:{conversation_hash([m for m in (system, first) if m is not None]):x}"


def _wants_metadata(headers: Mapping[str, str]) -> bool:
    value = headers.get("x-openrouter-metadata") or headers.get("x-openrouter-experimental-metadata") or ""
    return value.strip().lower() == "enabled"
