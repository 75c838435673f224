"""The wire in all its moods: what a gateway may say, byte by byte, and which failure it is."""

from __future__ import annotations

import json
from typing import Any

from routemark.errors import FailureKind
from scripted import (
    CLOSE,
    DONE,
    END,
    HANG,
    RESET,
    Script,
    answer,
    delta,
    event,
    head,
    piece,
    stream_head,
    streamed,
    usage,
    whole,
)

K = FailureKind


def refused(status: int, error: Any = None, **headers: str) -> Script:
    return [whole({"error": {"code": status, "message": "m", **(error or {})}}, status, **headers)]


PAGE = b"<html><title>Just a moment</title></html>"
HALF = stream_head(), piece(delta("par"))
CASES: list[tuple[str, Script, K]] = [
    ("reset before the head", [RESET], K.RESET),
    ("closed before the head", [CLOSE], K.RESET),
    ("closed within the head", [b"HTTP/1.1 200 OK\r\ncont", CLOSE], K.RESET),
    ("no HTTP", [b"hello\r\n\r\n", CLOSE], K.RESET),
    ("whole body reset", [head(content_type="application/json", content_length="99"), b'{"a', 0.02, RESET],
     K.BODY_TRUNCATED),
    ("whole body cut", [head(content_type="application/json", content_length="99"), b'{"a', CLOSE],
     K.BODY_TRUNCATED),
    ("whole body cut, length untold", [head(content_type="application/json"), b'{"a', CLOSE], K.BODY_TRUNCATED),
    ("body not JSON", [whole(b"oops")], K.BODY_NOT_JSON),
    ("empty body", [whole(b"")], K.BODY_NOT_JSON),
    ("HTML in a 200", [whole(PAGE, content_type="text/html")], K.BODY_NOT_JSON),
    ("HTML in a 503", [whole(PAGE, 503, content_type="text/html")], K.UNAVAILABLE),
    ("HTML in a 520", [whole(PAGE, 520, content_type="text/html")], K.SERVER_ERROR),
    ("error body reset", [head(502, content_length="99"), b'{"err', 0.02, RESET], K.BAD_GATEWAY),
    ("redirect", [whole(b"", 308, Location="https://elsewhere.example/")], K.REDIRECT),
    ("400", refused(400), K.BAD_REQUEST),
    ("400 context", refused(400, {"metadata": {"error_type": "context_length_exceeded"}}), K.CONTEXT_TOO_LONG),
    ("400 model", refused(400, {"message": "x is not a valid model ID"}), K.UNKNOWN_MODEL),
    ("401", refused(401), K.BAD_KEY),
    ("402 credit", refused(402), K.NO_CREDIT),
    ("402 key", refused(402, {"metadata": {"limit_source": "openrouter_key_limit"}}), K.KEY_LIMIT),
    ("402 flight", refused(402, {"metadata": {"limit_source": "openrouter_in_flight_budget"}}), K.IN_FLIGHT_BUDGET),
    ("403 guardrail", refused(403, {"metadata": {"patterns": ["p"]}}), K.GUARDRAIL),
    ("403 moderation", refused(403, {"metadata": {"reasons": ["r"]}}), K.MODERATION),
    ("404", refused(404), K.NO_ENDPOINT),
    ("404 gone", refused(404, {"availability": {"code": "model_deprecated", "retryable": False}}), K.MODEL_GONE),
    ("405", refused(405), K.UNKNOWN_STATUS),
    ("408", refused(408), K.REQUEST_TIMEOUT),
    ("413", refused(413), K.TOO_LARGE),
    ("422", refused(422), K.UNPROCESSABLE),
    ("429 platform", refused(429, X_RateLimit_Limit="20"), K.RATE_LIMIT_PLATFORM),
    ("429 providers", refused(429), K.RATE_LIMIT_PROVIDER),
    ("500", refused(500), K.SERVER_ERROR),
    ("502", refused(502), K.BAD_GATEWAY),
    ("503", refused(503), K.UNAVAILABLE),
    ("504", refused(504), K.GATEWAY_TIMEOUT),
    ("524", refused(524), K.EDGE_TIMEOUT),
    ("529", refused(529), K.OVERLOADED),
    ("599", refused(599), K.SERVER_ERROR),
    ("200 error alone", [whole({"error": {"code": "502", "message": "m"}})], K.BAD_GATEWAY),
    ("200 choice error", [whole({"choices": [{"error": {"code": 502}, "message": {"content": "par"}}]})],
     K.PROVIDER_ERROR),
    ("200 choices null", [whole({"choices": None})], K.NO_CHOICES),
    ("200 choices empty", [whole({"choices": []})], K.NO_CHOICES),
    ("200 finish error", [whole({"choices": [{"finish_reason": "error", "message": {"content": ""}}]})],
     K.PROVIDER_ERROR),
    ("stream error event", streamed(delta("par"), event({"error": {"code": 502, "message": "gone"}})),
     K.STREAM_ERROR),
    ("stream reset", [*HALF, 0.02, RESET], K.STREAM_TRUNCATED),
    ("stream cut", [*HALF, CLOSE], K.STREAM_TRUNCATED),
    ("stream without [DONE]", [*HALF, END], K.STREAM_TRUNCATED),
    ("stream with garbage", streamed(delta("a"), b"data: {oops\n\n", delta("b", "stop"), usage(), DONE),
     K.STREAM_UNREADABLE),
    ("stream of nothing", streamed(), K.STREAM_TRUNCATED),
    ("stream of [DONE]", streamed(DONE), K.NO_CHOICES),
]  # fmt: skip
"""(name, what is said to every request, kind): the failures that the table of kinds is made of."""


def trickle(part: bytes, times: int) -> Script:
    """Give a stream that never ends, but never goes silent either."""
    return [stream_head(), *(step for _ in range(times) for step in (piece(part), 0.05))]


def in_choice(**choice: Any) -> dict[str, Any]:
    return {"id": "gen-1", "model": "a/b", "choices": [choice]}


EMPTY = {"role": "assistant", "content": ""}
NULL = {"role": "assistant", "content": None}
DEEP = b"[" * 100_000
MORE: list[tuple[str, Script, K | None]] = [
    ("silence before the head", [HANG], K.IDLE_TIMEOUT),
    ("silence in the body", [head(content_type="application/json", content_length="99"), b"{", HANG], K.IDLE_TIMEOUT),
    ("silence in the stream", [*HALF, HANG], K.IDLE_TIMEOUT),
    ("comments for ever", trickle(b": OPENROUTER PROCESSING\n\n", 60), K.TIMEOUT),
    ("words for ever", trickle(delta("and "), 60), K.TIMEOUT),
    ("429 with the code as text", refused(429, {"code": "429"}, Retry_After="0"), K.RATE_LIMIT_PROVIDER),
    ("429 reset in the past", refused(429, X_RateLimit_Reset="1741305600000"), K.RATE_LIMIT_PLATFORM),
    ("the other shape of error", [whole({"error": {"error_type": "timeout", "http_status": 504, "message": "m"}}, 504)],
     K.GATEWAY_TIMEOUT),
    ("not to be retried, it says", refused(503, {"availability": {"retryable": False}}), K.UNAVAILABLE),
    ("in-flight budget", refused(402, {"metadata": {"limit_source": "openrouter_in_flight_budget"}}, Retry_After="0"),
     K.IN_FLIGHT_BUDGET),
    ("too dear", refused(402, {"metadata": {"reason": "weight_exceeds_budget"}}), K.REQUEST_TOO_DEAR),
    ("wait for a day", refused(429, Retry_After="86400"), K.RETRY_AFTER_TOO_LONG),
    ("wait until a date", refused(429, Retry_After="Fri, 01 Jan 2100 00:00:00 GMT"), K.RETRY_AFTER_TOO_LONG),
    ("418", refused(418), K.UNKNOWN_STATUS),
    ("204", [head(204)], K.UNKNOWN_STATUS),
    ("599 with HTML", [whole(PAGE, 599, content_type="text/html")], K.SERVER_ERROR),
    ("200 error as text", [whole({"error": "out of order"})], K.PROVIDER_ERROR),
    ("200 error without a code", [whole({"error": {"message": "m"}})], K.PROVIDER_ERROR),
    ("200 overloaded", [whole({"error": {"code": 529, "message": "m"}})], K.OVERLOADED),
    ("200 list", [whole([])], K.BODY_NOT_JSON),
    ("200 null", [whole(b"null")], K.BODY_NOT_JSON),
    ("200 choices of text", [whole({"choices": "none"})], K.NO_CHOICES),
    ("200 choice without message", [whole(in_choice(index=0))], K.NO_CHOICES),
    ("too deep", [whole(DEEP)], None),
    ("stream error of the key's limit, as number in text",
     streamed(event({"error": {"code": "429", "message": "m"}})), K.RATE_LIMIT_PROVIDER),
    ("stream finish error", streamed(delta("par", "error"), DONE), K.STREAM_ERROR),
    ("stream of HTML", [whole(PAGE, content_type="text/html")], K.BODY_NOT_JSON),
    ("stream event that is a list", streamed(event([1]), DONE), K.STREAM_UNREADABLE),
    ("gzip that is none", [whole(b"abc", content_encoding="gzip")], None),
    ("broken chunks", [stream_head(), b"zz\r\nabc\r\n", CLOSE], None),
    ("length that is none", [head(200, content_length="many"), b"{}", CLOSE], None),
    ("two lengths", [b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 5\r\n\r\n{}", CLOSE], None),
    ("a head without end", [b"HTTP/1.1 200 OK\r\n", *[b"x-a: " + b"b" * 8000 + b"\r\n"] * 40, CLOSE], None),
    ("HTTP/0.9", [b"4", CLOSE], K.RESET),
    ("status 42", [b"HTTP/1.1 42 What\r\ncontent-length: 0\r\n\r\n", CLOSE], None),
]  # fmt: skip
"""More failures; None: any kind will do, as long as it is one."""


def said(content: Any, finish: str = "stop", **more: Any) -> dict[str, Any]:
    """Give an answer with another message or finish reason."""
    message = content if isinstance(content, dict) else {"role": "assistant", "content": content}
    return answer("x", choices=[{"index": 0, "finish_reason": finish, "message": message}], **more)


def whole_rest(body: Any) -> Script:
    """Give what follows the first headers of a whole response."""
    data = json.dumps(body).encode()
    return [b"content-length: %d\r\n\r\n" % len(data) + data]


REASONED = {
    "prompt_tokens": 3,
    "completion_tokens": 9,
    "cost": 0.5,
    "completion_tokens_details": {"reasoning_tokens": 9},
}
WIDE = "é€😀" * 300_000
BYTES = event({"choices": [{"delta": {"content": "naïve ✓ 😀"}}]})
ANSWERS: list[tuple[str, Script, str, str | None]] = [
    ("an empty answer", [whole(said(EMPTY))], "", "stop"),
    ("content null", [whole(said(NULL))], "", "stop"),
    ("empty after reasoning", [whole(said(EMPTY, "length", usage=REASONED))], "", "length"),
    ("cut off at the limit", [whole(said("half an", "length"))], "half an", "length"),
    ("filtered", [whole(said("", "content_filter"))], "", "content_filter"),
    ("a finish reason nobody knows", [whole(said("x", "tired"))], "x", "tired"),
    ("without usage", [whole({k: v for k, v in answer("x").items() if k != "usage"})], "x", "stop"),
    ("usage of another type", [whole(answer("x", usage=["?"], mood={"a": [1]}))], "x", "stop"),
    ("a cost that is no number", [whole(answer("x", usage={"cost": "1e999", "prompt_tokens": -4}))], "x", "stop"),
    ("a negative cost", [whole(answer("x", usage={"cost": -58035}))], "x", "stop"),
    ("error null beside the answer", [whole(answer("x", error=None))], "x", "stop"),
    ("a model that is a number", [whole(answer("x", model=5, provider=[], id=7))], "x", "stop"),
    ("content in parts", [whole(said([{"type": "text", "text": "a"}, {"type": "image"}, {"text": "b"}]))], "ab", "stop"),
    ("blank lines before the body", [whole(b"\n \n" * 50 + json.dumps(answer("x")).encode())], "x", "stop"),
    ("NaN in the body", [whole(json.dumps(answer("x", odd=float("nan"))).encode())], "x", "stop"),
    ("a lone surrogate", [whole(json.dumps(answer("a\ud800b")).encode())], "a\ufffdb", "stop"),
    ("not UTF-8", [whole(json.dumps(answer("a_b")).encode().replace(b"a_b", b"a\xffb"))], "a\ufffdb", "stop"),
    ("stream without usage", streamed(delta("x", "stop"), DONE), "x", "stop"),
    ("stream without [DONE] but whole", streamed(delta("x", "stop"), usage()), "x", "stop"),
    ("stream with CRLF and comments",
     streamed(b": hi\r\n\r\n", delta("x", "stop").replace(b"\n", b"\r\n"), b"event: x\r\nid: 3\r\n\r\n", usage(), DONE),
     "x", "stop"),
    ("stream cut inside characters",
     [stream_head(), *(piece(BYTES[i : i + 1]) for i in range(len(BYTES))), piece(delta("", "stop") + usage() + DONE), END],
     "naïve ✓ 😀", "stop"),
    ("stream with bytes that are not UTF-8", streamed(delta("a_b", "stop").replace(b"a_b", b"a\xff\xfeb"), usage(), DONE),
     "a\ufffd\ufffdb", "stop"),
    ("stream with a lone surrogate", streamed(delta("a\ud800b", "stop"), usage(), DONE), "a\ufffdb", "stop"),
    ("a line of megabytes", streamed(delta(WIDE, "stop"), usage(), DONE), WIDE, "stop"),
    ("a header of other bytes",
     [b"HTTP/1.1 200 OK\r\nx-bad: \xff\xfe\r\ncontent-type: application/json\r\n", *whole_rest(answer("x"))], "x", "stop"),
]  # fmt: skip
"""(name, what is said, the answer's text, its finish reason)."""
