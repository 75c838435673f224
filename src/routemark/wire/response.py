"""What came back with a 200: JSON or a stream, into a Completion or a Refusal.

A 200 promises nothing: the error may stand in the body, in a choice, or in the last event, and a body
or stream may break off. An answer is accepted only when it is whole; nothing that is unknown, null or
missing is fatal, and nothing is invented. Latencies are the caller's to fill in.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, Protocol, TypeVar

import msgspec

from routemark.errors import RULES, FailureKind
from routemark.records import Arm, Completion, CostSource, Record, Usage
from routemark.wire import values
from routemark.wire.dialect import Told
from routemark.wire.failures import Head, Refusal, cost_of, refusal, refusal_in_200, refused
from routemark.wire.sse import EventParser

UNNAMED_MODEL = "unknown"
"""Stands for the model of a router's answer that nowhere names it."""


Said_co = TypeVar("Said_co", covariant=True)


class Reader(Protocol[Said_co]):
    """Takes a body chunk by chunk and says what it was."""

    first_token_at: float | None
    """When the first content, reasoning or tool call came, as given to `feed`; None before."""
    failed: bool
    """An error has been read; what may still come is its cost."""

    def feed(self, chunk: bytes, at: float) -> bool:
        """Take bytes that were read at a monotonic time; True: all has been said, stop reading."""

    def finish(self, broken: Refusal | None = None) -> Said_co | Refusal:
        """Say what it was; ``broken``: why the bytes ended too early, if they did."""


def reader_for(head: Head, arm: Arm, *, streamed: bool, told: Told | None = None) -> Reader[Completion]:
    """Give the reader that fits the head; the content type decides, then what was asked for.

    ``told``: how a gateway other than OpenRouter is understood.
    """
    if head.status != 200:
        return RefusalReader(head)
    kind = head.headers.get("content-type", "").lower()
    if "event-stream" in kind or (streamed and "json" not in kind and "html" not in kind):
        return StreamReader(head, arm, told)
    return WholeReader(head, lambda body, head: read_json(body, head, arm, told))


# --------------------------------------------------------------------------- whole bodies


REFUSAL_LIMIT = 1 << 20
"""Bytes of a refusal that are worth reading."""


class RefusalReader:
    """Reads the body of a status other than 200."""

    def __init__(self, head: Head) -> None:
        self.first_token_at: float | None = None
        self.failed = True
        self._head = head
        self._body = bytearray()

    def feed(self, chunk: bytes, at: float) -> bool:  # noqa: ARG002 - as Reader
        """Take bytes; True at the limit."""
        self._body += chunk
        return len(self._body) >= REFUSAL_LIMIT

    def finish(self, broken: Refusal | None = None) -> Refusal:  # noqa: ARG002 - the status says enough
        """Say what was refused, from as much of the body as came."""
        return refusal(self._head, bytes(self._body))


class Decoded(Record, frozen=True, kw_only=True):
    """The JSON of a look-up."""

    value: Any


class WholeReader(Generic[Said_co]):
    """Reads a body of JSON as one, by a function of its own."""

    def __init__(self, head: Head, read: Callable[[bytes, Head], Said_co | Refusal]) -> None:
        self.first_token_at: float | None = None
        self.failed = False
        self._head = head
        self._read = read
        self._chunks: list[bytes] = []

    def feed(self, chunk: bytes, at: float) -> bool:  # noqa: ARG002 - as Reader
        """Take bytes; never enough before the end."""
        self._chunks.append(chunk)
        return False

    def finish(self, broken: Refusal | None = None) -> Said_co | Refusal:
        """Say what it was; a body that is whole is read even when the connection broke after it."""
        result = self._read(b"".join(self._chunks), self._head)
        unreadable = isinstance(result, Refusal) and result.kind in _UNREADABLE
        return broken if broken is not None and unreadable else result


_UNREADABLE = {FailureKind.BODY_TRUNCATED, FailureKind.BODY_NOT_JSON}


def lookup_reader(head: Head) -> Reader[Decoded]:
    """Give the reader of a look-up, whose 200 may hold any JSON."""
    return WholeReader(head, _read_any) if head.status == 200 else RefusalReader(head)


def _read_any(body: bytes, head: Head) -> Decoded | Refusal:
    try:
        return Decoded(value=values.loads(body))
    except values.NotJSON as fault:
        return _unreadable(body, str(fault), head)


def read_json(body: bytes, head: Head, arm: Arm, told: Told | None = None) -> Completion | Refusal:
    """Read the body of a 200, which may start with blank lines that kept the connection alive."""
    try:
        response = values.loads(body)
    except values.NotJSON as fault:
        return _unreadable(body, str(fault), head)
    if not isinstance(response, dict):
        return refused(
            FailureKind.BODY_NOT_JSON, "JSON, but not an object", status=head.status, ids=head.ids()
        )
    choices = [choice for choice in values.rows(response.get("choices")) if isinstance(choice, dict)]
    error = response.get("error") or _choice_error(choices)
    if error:
        return refusal_in_200(
            error,
            head,
            body_id=response.get("id"),
            begun=FailureKind.PROVIDER_ERROR if choices else None,
            cost_usd=cost_of(response),
        )
    return _read_choice(choices, response, head, arm, told)


def _read_choice(
    choices: list[dict[str, Any]], response: dict[str, Any], head: Head, arm: Arm, told: Told | None
) -> Completion | Refusal:
    choice = choices[0] if len(choices) == 1 else _first(choices)
    message = choice.get("message")
    if not isinstance(message, dict):
        return _no_choices(response, head)
    return _completion(
        response,
        head,
        arm,
        told,
        text=_content(message.get("content")),
        reasoning=_reasoning(message) or None,
        refusal=values.text(message.get("refusal")),
        tool_calls=values.shallow(message.get("tool_calls")) or None,
        finish_reason=values.text(choice.get("finish_reason")),
        native_finish_reason=values.text(choice.get("native_finish_reason")),
    )


def _first(choices: list[dict[str, Any]]) -> dict[str, Any]:
    return min(choices, key=lambda one: values.count(one.get("index")) or 0, default={})


def _unreadable(body: bytes, fault: str, head: Head) -> Refusal:
    """Tell JSON that breaks off from what never was JSON."""
    start, end = body.lstrip()[:1], body.rstrip()[-1:]
    cut = start == b"{" and end != b"}"
    kind = FailureKind.BODY_TRUNCATED if cut else FailureKind.BODY_NOT_JSON
    page = body.lstrip()[:80].decode("utf-8", "replace")
    return refused(
        kind, f"{fault}; it starts: {page!r}" if body else "empty body", status=200, ids=head.ids()
    )


def _no_choices(response: dict[str, Any], head: Head) -> Refusal:
    return refused(
        FailureKind.NO_CHOICES,
        "a response without choices",
        status=head.status,
        ids=head.ids(response.get("id")),
        cost_usd=cost_of(response),
    )


def _choice_error(choices: list[dict[str, Any]]) -> Any:
    """Give the error of a choice, if it has one or ended in one."""
    for choice in choices:
        if choice.get("error"):
            return choice["error"]
        if choice.get("finish_reason") == "error":
            return {"message": "a choice ended with finish_reason error"}
    return None


# --------------------------------------------------------------------------- streams


_TOLD_BESIDE = ("id", "model", "provider", "usage", "openrouter_metadata")


class StreamReader:
    """Assembles a completion from the events of a stream.

    Whole when ``[DONE]`` came after a choice, or when a finish reason and the usage came without it.
    """

    def __init__(self, head: Head, arm: Arm, told: Told | None = None) -> None:
        self.first_token_at: float | None = None
        self.failed = False
        self._head = head
        self._arm = arm
        self._told = told
        self._beside = _TOLD_BESIDE if told is None else (*_TOLD_BESIDE, *told.fields)
        self._parser = EventParser()
        self._text: list[str] = []
        self._reasoning: list[str] = []
        self._refusals: list[str] = []
        self._tool_calls: dict[int, dict[str, Any]] = {}
        self._top: dict[str, Any] = {}
        """Latest value of each field that is told beside the choices."""
        self._last_choice: dict[str, Any] = {}
        """Latest finish reasons."""
        self._refusal: Refusal | None = None
        self._begun = False
        self._done = False

    def feed(self, chunk: bytes, at: float) -> bool:
        """Take bytes; True once ``[DONE]`` was read."""
        for data in self._parser.feed(chunk):
            if data.startswith(b"[DONE]"):
                self._done = True
                return True
            try:
                event = msgspec.json.decode(data)
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
                event = self._second_reading(data)
            self._take(event, at)
        return False

    def _second_reading(self, data: bytes) -> Any:
        try:
            return values.loads(data)
        except values.NotJSON as fault:
            if data.strip():
                message = f"{fault}; the event starts: {data[:80].decode('utf-8', 'replace')!r}"
                self._fail(refused(FailureKind.STREAM_UNREADABLE, message, status=200))
            return {}

    def _take(self, event: Any, at: float) -> None:
        if not isinstance(event, dict):
            self._fail(refused(FailureKind.STREAM_UNREADABLE, "an event is not an object", status=200))
            return
        choices = event.get("choices")
        for name in self._beside:
            value = event.get(name)
            if value is not None:
                self._top[name] = value
        if choices and isinstance(choices, list):
            for choice in choices:
                if isinstance(choice, dict) and not choice.get("index"):
                    self._take_choice(choice, at)
        if event.get("error"):
            self._fail(self._error(event["error"]))

    def _take_choice(self, choice: dict[str, Any], at: float) -> None:
        self._begun = True
        delta = choice.get("delta")
        if delta and isinstance(delta, dict):
            self._take_delta(delta, at)
        if choice.get("finish_reason") or choice.get("error"):
            self._last_choice = choice
            error = choice.get("error") or _choice_error([choice])
            if error:
                self._fail(self._error(error))

    def _take_delta(self, delta: dict[str, Any], at: float) -> None:
        content = delta.get("content")
        if content:
            self._text.append(content if isinstance(content, str) else _content(content))
        reasoning = delta.get("reasoning") or delta.get("reasoning_content")
        if reasoning and isinstance(reasoning, str):
            self._reasoning.append(reasoning)
        calls = delta.get("tool_calls")
        if calls:
            for call in values.rows(calls):
                _merge_call(self._tool_calls, values.table(call))
        if isinstance(delta.get("refusal"), str):
            self._refusals.append(delta["refusal"])
        if self.first_token_at is None and (content or reasoning or calls or delta.get("reasoning_details")):
            self.first_token_at = at

    def _error(self, error: Any) -> Refusal:
        return refusal_in_200(error, self._head, begun=FailureKind.STREAM_ERROR)

    def _fail(self, why: Refusal) -> None:
        """Keep the first failure, unless a later one names the cause of a bare finish reason."""
        bare = self._refusal is not None and "finish_reason" in self._refusal.message
        if self._refusal is None or bare:
            self._refusal = why
        self.failed = True

    def finish(self, broken: Refusal | None = None) -> Completion | Refusal:
        """Say what it was: an error read, an answer when whole, else why the stream ended too early."""
        if not self._done:
            self._take_tail()
        if self._refusal is not None:
            return self._costed(self._refusal)
        if self._done and not self._begun:
            return _no_choices(self._top, self._head)
        if self._done or (self._last_choice and isinstance(self._top.get("usage"), dict)):
            return self._completion()
        return self._costed(_cut(broken))

    def _take_tail(self) -> None:
        """Take the last event when only its closing blank line is missing."""
        for data in self._parser.finish():
            if data.startswith(b"[DONE]"):
                self._done = True
                return
            try:
                event = values.loads(data)
            except values.NotJSON:
                return
            if isinstance(event, dict):
                self._take(event, 0.0)

    def _costed(self, why: Refusal) -> Refusal:
        """Add what is known by now: cost and ids."""
        return msgspec.structs.replace(
            why,
            cost_usd=cost_of(self._top),
            ids=self._head.ids(self._top.get("id")),
            status=self._head.status,
        )

    def _completion(self) -> Completion:
        return _completion(
            self._top,
            self._head,
            self._arm,
            self._told,
            text="".join(self._text),
            reasoning="".join(self._reasoning) or None,
            refusal="".join(self._refusals) or None,
            tool_calls=[self._tool_calls[index] for index in sorted(self._tool_calls)] or None,
            finish_reason=values.text(self._last_choice.get("finish_reason")),
            native_finish_reason=values.text(self._last_choice.get("native_finish_reason")),
        )


def _cut(broken: Refusal | None) -> Refusal:
    """Give the refusal of a stream that ended too early; a broken body has its own name in a stream."""
    if broken is None:
        return refused(FailureKind.STREAM_TRUNCATED, "the stream ended without [DONE]")
    if broken.kind is FailureKind.BODY_TRUNCATED:
        rule = RULES[FailureKind.STREAM_TRUNCATED]
        return msgspec.structs.replace(broken, kind=FailureKind.STREAM_TRUNCATED, retryable=rule.retried)
    return broken


def _merge_call(calls: dict[int, dict[str, Any]], delta: dict[str, Any]) -> None:
    """Add a piece of a tool call: arguments are appended, all else is set once."""
    index = values.count(delta.get("index")) or 0
    call = calls.setdefault(
        index, {"id": None, "type": "function", "function": {"name": "", "arguments": ""}}
    )
    function = values.table(delta.get("function"))
    call["id"] = values.text(delta.get("id")) or call["id"]
    call["function"]["name"] = values.text(function.get("name")) or call["function"]["name"]
    call["function"]["arguments"] += values.text(function.get("arguments")) or ""


# --------------------------------------------------------------------------- shared by both


def _completion(response: dict[str, Any], head: Head, arm: Arm, told: Told | None, **said: Any) -> Completion:
    """Give the completion of what was said, with what the response tells about it."""
    ids = head.ids(response.get("id"))
    metadata = response.get("openrouter_metadata")
    usage = values.table(response.get("usage"))
    counted = _usage(usage)
    cost = cost_of(response)
    task_type = _task_type(metadata)
    source: CostSource | None = None if cost is None else "billed"
    model = _served(response, metadata, arm)
    if told is not None:
        model = next((name for name in told.models(response, head) if not _is_the_router(name, arm)), model)
        cost, source = _cost_told(told, response, head, model=model, usage=counted)
        task_type = told.task_type(response, head) or task_type
        metadata = told.metadata(metadata, head)
    return Completion(
        model=model,
        provider=values.text(response.get("provider")) or None,
        task_type=task_type,
        usage=counted,
        cost_usd=cost,
        cost_source=source,
        generation_id=ids.generation_id,
        request_id=ids.request_id,
        cf_ray=ids.cf_ray,
        usage_raw=values.shallow(usage) or None,
        metadata=values.shallow(metadata),
        cache_status=head.headers.get("x-openrouter-cache-status"),
        simulated=_is_simulated(head),
        **said,
    )


def _is_simulated(head: Head) -> bool:
    """Tell whether the model is fictitious, also where a LiteLLM proxy stands before the simulated gateway."""
    told = head.headers.get("x-routemark-simulated") or head.headers.get(
        "llm_provider-x-routemark-simulated", ""
    )
    return told.lower() == "true"


def _cost_told(
    told: Told, response: dict[str, Any], head: Head, *, model: str, usage: Usage
) -> tuple[float | None, CostSource | None]:
    """Give the cost where the gateway tells it, else by the table of prices."""
    billed = told.cost(response, head)
    if billed is None:
        billed = cost_of(response)
    if billed is not None:
        return billed, "billed"
    priced = told.priced(model, usage)
    return priced, None if priced is None else "prices"


def _is_the_router(name: str, arm: Arm) -> bool:
    return arm.is_router and name == arm.model


def _served(response: dict[str, Any], metadata: Any, arm: Arm) -> str:
    """Give the model that served: as named, else as the metadata marks it, else a fixed arm's own.

    A router's slug is no model, even where the response names it as one.
    """
    named = values.text(response.get("model"))
    if named and not _is_the_router(named, arm):
        return named
    endpoints = values.table(values.table(metadata).get("endpoints"))
    available = [values.table(one) for one in values.rows(endpoints.get("available"))]
    selected = [one.get("model") for one in available if one.get("selected") is True]
    if selected and isinstance(selected[0], str) and selected[0]:
        return selected[0]
    return UNNAMED_MODEL if arm.is_router or arm.models else arm.model


def _task_type(metadata: Any) -> str | None:
    """Give the task type of the first pipeline stage that tells one."""
    for stage in values.rows(values.table(metadata).get("pipeline")):
        task_type = values.table(values.table(stage).get("data")).get("task_type")
        if isinstance(task_type, str) and task_type:
            return task_type
    return None


def _usage(usage: dict[str, Any]) -> Usage:
    prompt = values.table(usage.get("prompt_tokens_details"))
    completion = values.table(usage.get("completion_tokens_details"))
    return Usage(
        prompt_tokens=values.count(usage.get("prompt_tokens")),
        completion_tokens=values.count(usage.get("completion_tokens")),
        reasoning_tokens=values.count(completion.get("reasoning_tokens")),
        cached_tokens=values.count(prompt.get("cached_tokens")),
    )


def _content(content: Any) -> str:
    """Give message content as text; of a list of parts, their texts."""
    if isinstance(content, str):
        return content
    return "".join(values.text(values.table(part).get("text")) or "" for part in values.rows(content))


def _reasoning(message: dict[str, Any]) -> str:
    """Give reasoning text under its usual name, or the one that other gateways use."""
    return values.text(message.get("reasoning")) or values.text(message.get("reasoning_content")) or ""
