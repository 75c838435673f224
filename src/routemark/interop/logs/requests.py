"""What a log holds, row by row: a request that can be asked again, or the reason why not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal, NamedTuple

from routemark.interop.entries import decoded, part
from routemark.questions.conversation import conversation_fault

Reason = Literal["unreadable", "no prompt", "tools", "files", "cut off", "too long"]
REASONS: dict[Reason, str] = {
    "unreadable": "that could not be read",
    "no prompt": "without a prompt",
    "tools": "with tools, which a question cannot hold",
    "files": "with images or other files",
    "cut off": "with a prompt that the log cut off",
    "too long": "with more than a million characters",
}
"""Why a row was left out, behind "N requests"."""
LONGEST = 1 << 20
"""Characters of a conversation."""


class Request(NamedTuple):
    """One request of a log."""

    messages: list[dict[str, Any]]
    """What was sent, in the OpenAI chat format, texts alone."""
    answer: str | None = None
    model: str | None = None
    """That answered, else that was asked."""
    name: str | None = None
    """Of the endpoint, trace or service that asked."""
    reference: Any = None
    """The right answer, where the log has one."""

    @property
    def text(self) -> str:
        """Everything that was said, for comparing and measuring."""
        return "\n".join(str(message["content"]) for message in self.messages)


class Left(NamedTuple):
    """A row that is no request, and why."""

    reason: Reason
    place: str = ""
    told: str = ""
    """What is wrong with it, of an unreadable row."""


Requests = Iterator[Request | Left]
_REFERENCES = ("reference", "expected_output", "expectedOutput", "ideal", "target")


def reference_in(row: dict[str, Any]) -> Any:
    """Give the right answer that a row names, if it does."""
    found = next((row[name] for name in _REFERENCES if row.get(name) not in (None, "", [])), None)
    return found if isinstance(found, str | int | float) and not isinstance(found, bool) else None


def loose(value: Any) -> Any:
    """Give the JSON value that a text is, where it is one; else the value itself."""
    if isinstance(value, str) and value.lstrip()[:1] in ("{", "["):
        try:
            return decoded(value)
        except ValueError:
            return value
    return value


def request(
    body: Any, answer: Any = None, *, model: Any = None, name: Any = None, reference: Any = None
) -> Request | Left:
    """Give the request of a chat body: ``messages``, or ``input`` or ``prompt``; a last answer in it is the answer."""
    body = (
        {"messages": body} if isinstance(body, list) else {"prompt": body} if isinstance(body, str) else body
    )
    if not isinstance(body, dict):
        return Left("no prompt")
    if any(body.get(key) for key in ("tools", "functions")):
        return Left("tools")
    messages = _messages(body)
    if not messages:
        return Left("no prompt")
    kept: list[dict[str, Any]] = []
    for message in messages:
        simple = _plain(message)
        if isinstance(simple, Left):
            return simple
        kept.append(simple)
    said = text_of(answer)
    while kept and kept[-1]["role"] == "assistant":
        last = kept.pop()
        said = said or last["content"]
    if not kept or conversation_fault(kept):
        return Left("no prompt")
    found = Request(kept, said or None, _name(model) or _name(body.get("model")), _name(name), reference)
    return Left("too long") if len(found.text) > LONGEST else found


def _messages(body: dict[str, Any]) -> list[Any]:
    """Give the messages of a body, whichever field holds them."""
    for key in ("messages", "input", "prompt"):
        given = loose(body.get(key))
        if isinstance(given, dict):
            given = given.get("messages")
        if isinstance(given, str) and given.strip():
            given = [{"role": "user", "content": given}]
        if isinstance(given, list) and given:
            first = body.get("instructions") or body.get("system")
            return (
                [{"role": "system", "content": first}, *given] if isinstance(first, str) and first else given
            )
    return []


_ROLES = {"human": "user", "ai": "assistant", "model": "assistant", "developer": "developer"}
_TEXTS = ("text", "input_text", "output_text")


def _plain(message: Any) -> dict[str, Any] | Left:
    """Give a message as role and text, or why it is more than that."""
    if not isinstance(message, dict):
        return Left("no prompt")
    role = message.get("role") or message.get("type")
    if not isinstance(role, str):
        return Left("no prompt")
    if message.get("tool_calls") or message.get("function_call") or role in ("tool", "function"):
        return Left("tools")
    content = message.get("content", message.get("parts"))
    if isinstance(content, dict):
        content = [content]
    if isinstance(content, list):
        texts = [_part(each) for each in content]
        left = next((text for text in texts if isinstance(text, Left)), None)
        if left is not None:
            return left
        content = "\n".join(text for text in texts if isinstance(text, str) and text)
    if content is None or (isinstance(content, str) and not content.strip() and role == "assistant"):
        content = ""
    if not isinstance(content, str):
        return Left("no prompt")
    return {"role": _ROLES.get(role, role), "content": content}


def _part(part_: Any) -> str | Left:
    """Give the text of a content part, or what it is instead."""
    if isinstance(part_, str):
        return part_
    kind = part(part_, "type")
    text = next((part_[key] for key in ("text", "content") if isinstance(part(part_, key), str)), None)
    if kind in _TEXTS or (kind is None and text is not None):
        return text or ""
    if kind in ("reasoning", "thinking"):
        return ""
    if isinstance(kind, str) and "tool" in kind:
        return Left("tools")
    return Left("files")


_DEEPEST = 10


def text_of(answer: Any, depth: int = 0) -> str:
    """Give the text of a logged answer, whatever object it stands in; "" for none."""
    answer = loose(answer)
    if isinstance(answer, str):
        return answer
    if isinstance(answer, list):
        answer = answer[-1] if answer else None
    if not isinstance(answer, dict) or depth > _DEEPEST:
        return answer if isinstance(answer, str) else ""
    for path in (("choices", 0, "message"), ("choices", 0, "text"), ("body",), ("output",), ("message",)):
        inner = part(answer, *path)
        if inner:
            return text_of(inner, depth + 1)
    plain_one = _plain(
        {"role": "assistant", **{key: answer[key] for key in ("content", "parts") if key in answer}}
    )
    if isinstance(plain_one, Left):
        return ""
    text = answer.get("text")
    return str(plain_one["content"]) or (text if isinstance(text, str) else "")


def _name(value: Any) -> str | None:
    text = value.strip() if isinstance(value, str) else ""
    return text[:200] if text and text.isprintable() else None
