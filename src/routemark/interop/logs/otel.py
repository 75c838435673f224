"""OpenTelemetry's GenAI spans and events, as OTLP JSON: one export request a line, or one in the file.

Content is where instrumentations put it: ``gen_ai.input.messages`` and ``gen_ai.output.messages`` on the span, on an
event of it or on a log record; before, one event a message (``gen_ai.user.message``, ...), of the span or as log
records that name it; before that, attributes ``gen_ai.prompt.0.content``, .... Most record no content unless they are
told to.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from routemark.interop.entries import part
from routemark.interop.logs.requests import Left, Request, loose, request

_INDEXED = re.compile(r"gen_ai\.(prompt|completion)\.(\d{1,4})\.(role|content)")
_EVENT = re.compile(r"gen_ai\.(system|user|assistant|tool)\.message")
_DEEPEST = 50


def is_one(names: set[str]) -> bool:
    """Tell whether a file that begins with these names is such."""
    return bool(names & {"resourceSpans", "resourceLogs", "resource_spans", "resource_logs"})


def read(row: dict[str, Any]) -> Iterator[Request | Left]:
    """Give the requests of an export: of its spans, and of log records that hold content."""
    for resource in _list(row, "resourceSpans", "resource_spans"):
        service = _attributes(part(resource, "resource")).get("service.name")
        for scope in _list(resource, "scopeSpans", "scope_spans", "instrumentationLibrarySpans"):
            for span in _list(scope, "spans"):
                yield from _of_span(span, service)
    for resource in _list(row, "resourceLogs", "resource_logs"):
        service = _attributes(part(resource, "resource")).get("service.name")
        for scope in _list(resource, "scopeLogs", "scope_logs"):
            yield from _of_records(_list(scope, "logRecords", "log_records"), service)


def _of_span(span: Any, service: Any) -> Iterator[Request | Left]:
    own = _attributes(span)
    if not any(name.startswith("gen_ai.") for name in own):
        return
    events = [(part(event, "name"), _attributes(event)) for event in _list(span, "events")]
    for _, attributes in events:
        own |= {
            name: value for name, value in attributes.items() if name.endswith((".messages", "_instructions"))
        }
        own |= {
            name: attributes[name] for name in ("gen_ai.prompt", "gen_ai.completion") if name in attributes
        }
    if "gen_ai.input.messages" not in own:
        own |= _of_events(events) or _of_indexed(own)
    yield _request(own, service)


def _of_records(records: list[Any], service: Any) -> Iterator[Request | Left]:
    """Give the requests of log records: of one that holds a whole request, and of those that tell a span's messages."""
    spans: dict[tuple[str, str], list[tuple[Any, dict[str, Any]]]] = {}
    for record in records:
        own = _attributes(record)
        if "gen_ai.input.messages" in own:
            yield _request(own, service)
            continue
        if not part(record, "spanId"):
            continue  # nothing tells which messages belong together
        name = next((part(record, key) for key in ("eventName", "event_name") if part(record, key)), None)
        span = str(part(record, "traceId")), str(part(record, "spanId"))
        body = _any(part(record, "body"))
        said = own | body if isinstance(body, dict) else own
        spans.setdefault(span, []).append((name or own.get("event.name"), said))
    for events in spans.values():
        if found := _of_events(events):
            yield _request(found, service)


def _request(found: dict[str, Any], service: Any) -> Request | Left:
    messages = loose(found.get("gen_ai.input.messages", found.get("gen_ai.prompt")))
    if not messages:
        return Left("no prompt")
    system = loose(found.get("gen_ai.system_instructions"))
    if isinstance(messages, str):
        messages = [{"role": "user", "content": messages}]
    if isinstance(messages, list) and system:
        messages = [{"role": "system", "content": system}, *messages]
    answer = found.get("gen_ai.output.messages", found.get("gen_ai.completion"))
    model = found.get("gen_ai.response.model") or found.get("gen_ai.request.model")
    tools = found.get("gen_ai.tool.definitions")
    body = {"messages": messages, "tools": tools} if tools else messages
    return request(body, answer, model=model, name=service)


def _of_events(events: list[tuple[Any, dict[str, Any]]]) -> dict[str, Any]:
    """Give the messages that stand in events of their own."""
    messages, answer = [], None
    for name, attributes in events:
        match = _EVENT.fullmatch(name) if isinstance(name, str) else None
        if match:
            messages.append({**attributes, "role": attributes.get("role") or match[1]})
        elif name == "gen_ai.choice" and answer is None:
            answer = loose(attributes.get("message", attributes.get("content")))
    return {"gen_ai.input.messages": messages, "gen_ai.output.messages": answer} if messages else {}


def _of_indexed(found: dict[str, Any]) -> dict[str, Any]:
    """Give the messages that stand in numbered attributes."""
    parts: dict[str, dict[int, dict[str, Any]]] = {"prompt": {}, "completion": {}}
    for name, value in found.items():
        match = _INDEXED.fullmatch(name)
        if match:
            parts[match[1]].setdefault(int(match[2]), {})[match[3]] = loose(value)
    if not parts["prompt"]:
        return {}
    messages = [{"role": "user", **parts["prompt"][at]} for at in sorted(parts["prompt"])]
    answers = [parts["completion"][at] for at in sorted(parts["completion"])]
    return {"gen_ai.input.messages": messages, "gen_ai.output.messages": answers[:1]}


def _list(value: Any, *names: str) -> list[Any]:
    found = next((part(value, name) for name in names if part(value, name)), None)
    return found if isinstance(found, list) else []


def _attributes(value: Any) -> dict[str, Any]:
    """Give the attributes of a resource, span, event or record by name."""
    pairs = ((part(each, "key"), part(each, "value")) for each in _list(value, "attributes"))
    return {key: _any(given) for key, given in pairs if isinstance(key, str)}


def _any(value: Any, depth: int = 0) -> Any:
    """Give an OTLP value as a plain one; what is nested too deeply as none."""
    if not isinstance(value, dict) or depth > _DEEPEST:
        return None
    for name in ("stringValue", "string_value", "boolValue", "doubleValue", "intValue"):
        if name in value:
            return value[name]
    if "arrayValue" in value:
        return [_any(each, depth + 1) for each in _list(value["arrayValue"], "values")]
    if "kvlistValue" in value:
        pairs = _list(value["kvlistValue"], "values")
        return {str(part(each, "key")): _any(part(each, "value"), depth + 1) for each in pairs}
    return None
