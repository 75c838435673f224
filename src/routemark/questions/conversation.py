"""Checks ``messages``: a conversation in the OpenAI chat format, sent in place of one prompt."""

from __future__ import annotations

from typing import Any

from routemark.questions.fields import must_be, value_fault
from routemark.questions.rows import shown

_ROLES = ("system", "developer", "user", "assistant", "tool")


def conversation_fault(messages: Any) -> str | None:
    """Say what is wrong with a conversation; None when it can be sent."""
    if not isinstance(messages, list):
        return must_be("a list of messages", messages)
    for index, message in enumerate(messages):
        fault = _message_fault(message)
        if fault:
            return f"message {index} (from 0) {fault}"
    if not any(message["role"] == "user" for message in messages):
        return "has no message of the user"
    return value_fault(messages)


def _message_fault(message: Any) -> str | None:
    if not isinstance(message, dict):
        return must_be('an object like {"role": "user", "content": "..."}', message)
    role = message.get("role")
    if not isinstance(role, str) or role not in _ROLES:
        return f"has the role {shown(role)}; known are {', '.join(_ROLES)}"
    content = message.get("content")
    if isinstance(content, str):
        return "of the user is empty" if role == "user" and not content.strip() else None
    if content is None and message.get("tool_calls"):
        return None
    if not isinstance(content, list) or not content:
        return f"needs content: {must_be('text or a list of parts', content)}"
    return next(filter(None, map(_part_fault, content)), None)


def _part_fault(part: Any) -> str | None:
    if not isinstance(part, dict) or not isinstance(part.get("type"), str):
        return f"has a content part without a type: {shown(part)}"
    if part["type"] == "text" and not isinstance(part.get("text"), str):
        return "has a text part without text"
    return None


def last_user_text(messages: list[dict[str, Any]]) -> str:
    """Give the text of the last user message; parts of other kinds are named in brackets."""
    content = next(message["content"] for message in reversed(messages) if message["role"] == "user")
    if isinstance(content, str):
        return content
    return "\n".join(part["text"] if part["type"] == "text" else f"[{part['type']}]" for part in content)
