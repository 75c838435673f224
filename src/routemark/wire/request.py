"""What is sent for a trial: the body, its digests, and the headers.

A trial's key must name what was asked, so that a resumed run never asks twice and never takes an
answer to another request for its own. It is made of three digests that cost little for a million
trials: one per question, one per arm, and a short hash of both with the names and the repeat.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import msgspec

from routemark._version import __version__
from routemark.records import Arm, Question, Record, Trial
from routemark.wire.dialect import AUTHORIZATION, OPENROUTER, Dialect
from routemark.wire.values import scrub

APP_TITLE = "Routemark"
APP_URL = "https://routemark.example"
"""Names the application to the gateway (HTTP-Referer): a name, not a page, while there is no site."""

_NO_COMPRESSION = {"id": "context-compression", "enabled": False}
"""On by default for small contexts, it would cut prompts silently."""


class RequestOptions(Record, frozen=True, kw_only=True):
    """What every request of a run has in common."""

    max_tokens: int | None = 16384
    """Sent as ``max_completion_tokens``; None: not sent."""
    temperature: float | None = None
    """None: not sent."""
    stream: bool = True
    dialect: Dialect = OPENROUTER
    """The gateway's manners."""


# --------------------------------------------------------------------------- messages


def prompt_messages(question: Question) -> list[dict[str, Any]]:
    """Give the conversation to send: the question's own, or its text as one user message.

    Choices whose texts do not stand in the text, in their order, are appended with letters.
    """
    messages = question.messages or [{"role": "user", "content": question.question}]
    if not question.choices:
        return messages
    text = question.question if not question.messages else _text_of(messages)
    if _stand_in(text, question.choices):
        return messages
    return _append(messages, _lettered(question.choices))


def prompt_text(question: Question) -> str:
    """Give the text of what is asked, as one: that of all messages, choices included."""
    return _text_of(prompt_messages(question))


def _text_of(messages: list[dict[str, Any]]) -> str:
    """Give the text of all messages, parts of multimodal ones included."""
    contents = [message.get("content") for message in messages]
    parts = [part for content in contents for part in (content if isinstance(content, list) else [content])]
    texts = [part.get("text") if isinstance(part, dict) else part for part in parts]
    return "\n".join(text for text in texts if isinstance(text, str))


def _stand_in(text: str, choices: list[str]) -> bool:
    """Tell whether the choices stand in the text one after the other, each as whole words.

    The order matters: an answer by letter means nothing when the letters go another way.
    """
    start = 0
    for choice in choices:
        found = re.compile(rf"(?<!\w){re.escape(choice)}(?!\w)").search(text, start)
        if found is None:
            return False
        start = found.end()
    return True


def letter(index: int) -> str:
    """Give the letter of a choice: A to Z, then AA, AB, ..."""
    head, tail = divmod(index, 26)
    return (letter(head - 1) if head else "") + chr(ord("A") + tail)


def _lettered(choices: list[str]) -> str:
    return "\n".join(f"{letter(index)}. {choice}" for index, choice in enumerate(choices))


def _append(messages: list[dict[str, Any]], text: str) -> list[dict[str, Any]]:
    """Give the messages with text after a blank line at the end of the last user message."""
    users = [i for i, message in enumerate(messages) if message.get("role") == "user"]
    at = users[-1] if users else len(messages) - 1
    content = messages[at].get("content")
    if isinstance(content, list):
        content = [*content, {"type": "text", "text": text}]
    else:
        content = f"{content}\n\n{text}" if content else text
    return [*messages[:at], {**messages[at], "content": content}, *messages[at + 1 :]]


# --------------------------------------------------------------------------- body


def body(question: Question, arm: Arm, options: RequestOptions) -> dict[str, Any]:
    """Give the request body without its session id, keys always in the same order."""
    return {**_before_messages(arm), "messages": prompt_messages(question), **_after_messages(arm, options)}


def _before_messages(arm: Arm) -> dict[str, Any]:
    return {"model": arm.model, **({"models": arm.models} if arm.models else {})}


def _after_messages(arm: Arm, options: RequestOptions) -> dict[str, Any]:
    fields: dict[str, Any] = {"stream": options.stream}
    if options.max_tokens is not None:
        fields["max_completion_tokens"] = options.max_tokens
    if options.temperature is not None:
        fields["temperature"] = options.temperature
    if options.dialect.openrouter_fields:
        fields["plugins"] = [*([arm.plugin] if arm.plugin else []), _NO_COMPRESSION]
    elif options.stream:
        fields["stream_options"] = {"include_usage": True}  # OpenRouter tells it unasked
    return {**fields, **options.dialect.body, **arm.body}


def encode_shared(question: Question, arm: Arm, options: RequestOptions) -> bytes:
    """Give the JSON of the body without its session id: the same for every repeat of a trial."""
    return _json(body(question, arm, options))


def message_bytes(question: Question) -> int:
    """Give the size of what the question adds to the body, in bytes of JSON."""
    return len(_json(prompt_messages(question)))


def with_session(shared: bytes, session_id: str) -> bytes:
    """Give the JSON that is sent: the shared body with the session id as its last field."""
    return b'%b,"session_id":%b}' % (shared[:-1], _json(session_id))


def to_send(shared: bytes, trial: Trial, options: RequestOptions) -> bytes:
    """Give the JSON that is sent for a trial: the shared body, with the session id where the gateway knows sessions."""
    return with_session(shared, trial.session_id) if options.dialect.openrouter_fields else shared


def encode(trial: Trial, options: RequestOptions) -> bytes:
    """Give the JSON that is sent for a trial."""
    return to_send(encode_shared(trial.question, trial.arm, options), trial, options)


def _json(value: Any) -> bytes:
    """Encode; lone surrogates, which UTF-8 cannot carry, become U+FFFD."""
    try:
        return msgspec.json.encode(value)
    except UnicodeEncodeError:
        return msgspec.json.encode(scrub(value))


# --------------------------------------------------------------------------- digests and keys


def request_sha256(shared: bytes) -> str:
    """Give the hash of the body without its session id, in hex."""
    return hashlib.sha256(shared).hexdigest()


def question_digest(question: Question) -> str:
    """Give the hash of what a question adds to the request and of its id, in hex; once per question."""
    return _digest([question.id, prompt_messages(question)])


def plan_digest(arm: Arm, options: RequestOptions) -> str:
    """Give the hash of all else that is sent, in hex; once per arm."""
    return _digest([_before_messages(arm), _after_messages(arm, options)])


def trial_key(question_digest: str, arm_digest: str, question_id: str, arm_name: str, repeat: int) -> str:
    """Give the name of a trial: 24 hex digits.

    Takes what `question_digest` and `plan_digest` gave, the names, and the 0-based repeat.
    """
    named = _json([question_digest, arm_digest, question_id, arm_name, repeat])
    return hashlib.blake2b(named, digest_size=12).hexdigest()


def _digest(value: Any) -> str:
    return hashlib.blake2b(_json(value), digest_size=16).hexdigest()


# --------------------------------------------------------------------------- headers


_COMMON = {
    "Content-Type": "application/json",
    "Accept": "application/json, text/event-stream",
    "Accept-Encoding": "identity",  # compressing a stream would delay its tokens
    "User-Agent": f"routemark/{__version__}",
}
_OPENROUTER = {
    "HTTP-Referer": APP_URL,
    "X-OpenRouter-Title": APP_TITLE,
    "X-OpenRouter-Metadata": "enabled",
    "X-OpenRouter-Cache": "false",
}


def headers(
    api_key: str | None, dialect: Dialect = OPENROUTER, own: Mapping[str, str] = MappingProxyType({})
) -> dict[str, str]:
    """Give the request headers; without a key there is no Authorization.

    Asks OpenRouter for the routing metadata, and for no answer from its response cache. ``own``: the dialect's
    headers, resolved, which go before ours; where one of them carries a key, ours is not sent.
    """
    common = {**_COMMON, **_OPENROUTER} if dialect.openrouter_fields else _COMMON
    names = {name.lower() for name in own}
    ours = {name: value for name, value in common.items() if name.lower() not in names}
    has_key = bool(names & {AUTHORIZATION, "api-key", "x-api-key"})
    return {
        **({"Authorization": f"Bearer {api_key}"} if api_key and not has_key else {}),
        **ours,
        **own,
    }
