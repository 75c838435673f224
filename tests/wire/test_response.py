"""A 200 becomes a completion only when it is a whole answer; nothing unknown is fatal."""

import json
from typing import Any

import msgspec
import pytest

from routemark.errors import FailureKind
from routemark.records import Arm, Completion, Usage
from routemark.wire.failures import Head, Refusal, refused
from routemark.wire.response import (
    UNNAMED_MODEL,
    RefusalReader,
    StreamReader,
    WholeReader,
    lookup_reader,
    read_json,
    reader_for,
)
from scripted import DONE, answer, delta, event, usage

K = FailureKind
FIXED = Arm(name="x/y", model="x/y")
ROUTER = Arm(name="openrouter/auto", model="openrouter/auto", is_router=True)
HEAD = Head(200, {"x-generation-id": "gen-h", "x-request-id": "r", "cf-ray": "c"}, 0.0)


def whole(body: Any, arm: Arm = FIXED, head: Head = HEAD) -> Completion | Refusal:
    return read_json(body if isinstance(body, bytes) else json.dumps(body).encode(), head, arm)


def completed(result: Completion | Refusal) -> Completion:
    assert isinstance(result, Completion), result
    msgspec.json.encode(result)
    return result


def refusal(result: Completion | Refusal) -> Refusal:
    assert isinstance(result, Refusal), result
    return result


def stream(*events: bytes, arm: Arm = FIXED, broken: Refusal | None = None) -> Completion | Refusal:
    reader = StreamReader(HEAD, arm)
    for at, data in enumerate(events):
        if reader.feed(data, float(at)):
            break
    return reader.finish(broken)


# --------------------------------------------------------------------------- whole bodies


def test_every_field_of_an_answer_is_kept() -> None:
    usage_ = {
        "prompt_tokens": 12,
        "completion_tokens": "40",
        "cost": 0.0000123,
        "prompt_tokens_details": {"cached_tokens": 5},
        "completion_tokens_details": {"reasoning_tokens": 31},
        "something_new": {"x": 1},
    }
    metadata = {"pipeline": [{"type": "guardrail"}, {"data": None}, {"data": {"task_type": "math"}}]}
    body = answer(usage=usage_, openrouter_metadata=metadata, new_field=[1])
    message = {"content": "4", "reasoning": "2+2", "refusal": None, "tool_calls": None}
    body["choices"] = [
        {"index": 0, "finish_reason": "stop", "native_finish_reason": "STOP", "message": message}
    ]
    got = completed(
        whole(
            b"\n \n\n" + json.dumps(body).encode(),
            head=Head(200, {**HEAD.headers, "x-openrouter-cache-status": "HIT"}, 0),
        )
    )
    assert got == Completion(
        text="4",
        model="a/b",
        provider="P",
        task_type="math",
        finish_reason="stop",
        native_finish_reason="STOP",
        usage=Usage(prompt_tokens=12, completion_tokens=40, reasoning_tokens=31, cached_tokens=5),
        cost_usd=0.0000123,
        cost_source="billed",
        generation_id="gen-h",
        request_id="r",
        cf_ray="c",
        reasoning="2+2",
        usage_raw=usage_,
        metadata=metadata,
        cache_status="HIT",
    )


def test_the_simulated_gateway_is_recognised_by_its_header() -> None:
    assert completed(whole(answer(), head=Head(200, {"x-routemark-simulated": "true"}, 0))).simulated
    assert not completed(whole(answer())).simulated


@pytest.mark.parametrize("content", [None, "", [], 5, {"x": 1}])
def test_an_answer_without_text_is_an_empty_answer(content: Any) -> None:
    assert completed(whole(answer(content))).text == ""


def test_content_in_parts_is_joined() -> None:
    assert (
        completed(whole(answer([{"type": "text", "text": "a"}, {"type": "image"}, {"text": "b"}]))).text
        == "ab"
    )


@pytest.mark.parametrize("finish", ["length", "content_filter", "tool_calls", "something_new", None])
def test_other_ends_than_stop_are_answers_too(finish: str | None) -> None:
    body = answer()
    body["choices"][0]["finish_reason"] = finish
    assert completed(whole(body)).finish_reason == finish


@pytest.mark.parametrize(
    ("body", "kind", "retryable"),
    [
        (b"", K.BODY_NOT_JSON, True),
        (b"<html>busy</html>", K.BODY_NOT_JSON, True),
        (b"\n\n  \n", K.BODY_NOT_JSON, True),
        (json.dumps(answer()).encode()[:-20], K.BODY_TRUNCATED, True),
        (b'  {"id":', K.BODY_TRUNCATED, True),
        (b"[]", K.BODY_NOT_JSON, True),
        (b"null", K.BODY_NOT_JSON, True),
        ({}, K.NO_CHOICES, True),
        ({"choices": None}, K.NO_CHOICES, True),
        ({"choices": []}, K.NO_CHOICES, True),
        ({"choices": [None]}, K.NO_CHOICES, True),
        ({"choices": [{"message": None}]}, K.NO_CHOICES, True),
        ({"choices": "none"}, K.NO_CHOICES, True),
        ({"error": {"code": 502, "message": "m"}}, K.BAD_GATEWAY, True),
        ({"error": {"code": "429", "message": "m"}}, K.RATE_LIMIT_PROVIDER, True),
        ({"error": {"code": 400, "message": "m"}}, K.BAD_REQUEST, False),
        ({"error": "words"}, K.PROVIDER_ERROR, True),
        (answer(error={"code": 502, "message": "m"}), K.PROVIDER_ERROR, True),
        ({"choices": [{"error": {"code": 502, "message": "m"}, "message": {"content": "par"}}]},
         K.PROVIDER_ERROR, True),
        ({"choices": [{"error": {"code": 403, "message": "flagged"}}]}, K.MODERATION, False),
        ({"choices": [{"finish_reason": "error", "message": {"content": "par"}}]}, K.PROVIDER_ERROR, True),
    ],
)  # fmt: skip
def test_a_200_without_an_answer_is_refused(body: Any, kind: K, retryable: bool) -> None:
    got = refusal(whole(body))
    assert (got.kind, got.retryable, got.status) == (kind, retryable, 200)
    assert got.ids.generation_id == "gen-h"


def test_a_failure_inside_a_200_keeps_its_cost() -> None:
    assert refusal(whole({"choices": [], "usage": {"cost": 0.5}})).cost_usd == 0.5
    assert refusal(whole({"error": {"code": 502}, "usage": {"cost": 0.5}})).cost_usd == 0.5


@pytest.mark.parametrize("error", [None, {}, "", 0])
def test_an_empty_error_is_no_error(error: Any) -> None:
    assert completed(whole(answer(error=error))).text == "4"


@pytest.mark.parametrize(
    ("usage_", "cost", "tokens"),
    [
        ({"cost": 0, "prompt_tokens": 0}, 0.0, 0),
        ({"cost": "0.25", "prompt_tokens": "3"}, 0.25, 3),
        ({"cost": -58035.0, "prompt_tokens": -1}, None, None),
        ({"cost": None, "prompt_tokens": None, "prompt_tokens_details": None}, None, None),
        ({"cost": True, "prompt_tokens": 1.5}, None, None),
        (None, None, None),
        ([], None, None),
    ],
)
def test_unknown_cost_is_unknown_and_never_zero_or_negative(
    usage_: Any, cost: float | None, tokens: int | None
) -> None:
    got = completed(whole(answer(usage=usage_)))
    assert (got.cost_usd, got.usage.prompt_tokens) == (cost, tokens)
    assert got.cost_source == ("billed" if cost is not None else None)


SELECTED = {
    "endpoints": {"available": [{"model": "m/1", "selected": False}, {"model": "m/2", "selected": True}]}
}


@pytest.mark.parametrize(
    ("arm", "named", "metadata", "model"),
    [
        (ROUTER, "a/b", None, "a/b"),
        (FIXED, "a/b-2026", None, "a/b-2026"),
        (FIXED, None, None, "x/y"),
        (ROUTER, None, None, UNNAMED_MODEL),
        (ROUTER, "openrouter/auto", None, UNNAMED_MODEL),
        (ROUTER, "openrouter/auto", SELECTED, "m/2"),
        (ROUTER, "", SELECTED, "m/2"),
        (Arm(name="n", model="x/y", models=["c/d"]), None, None, UNNAMED_MODEL),
        (ROUTER, 5, {"endpoints": {"available": [None, {"selected": True}]}}, UNNAMED_MODEL),
    ],
)
def test_the_model_is_the_one_that_served(arm: Arm, named: Any, metadata: Any, model: str) -> None:
    assert completed(whole(answer(model=named, openrouter_metadata=metadata), arm)).model == model


def test_hostile_text_can_be_stored() -> None:
    body = json.dumps(answer("x")).encode().replace(b'"x"', b'"\\ud800\\u0000\x1b[31m\xff"')
    got = completed(whole(body))
    assert got.text == "�\x00\x1b[31m�"


# --------------------------------------------------------------------------- streams


def test_a_stream_is_assembled() -> None:
    got = completed(
        stream(
            b": OPENROUTER PROCESSING\n\n",
            delta(None, role="assistant"),
            delta("", reasoning="think"),
            delta("Hel"),
            delta("lo"),
            delta("", "stop"),
            usage(0.5, provider="Q", openrouter_metadata={"pipeline": [{"data": {"task_type": "qa"}}]}),
            DONE,
        )
    )
    assert (got.text, got.reasoning, got.finish_reason) == ("Hello", "think", "stop")
    assert (got.model, got.provider, got.task_type) == ("a/b", "Q", "qa")
    assert (got.cost_usd, got.cost_source, got.usage.completion_tokens) == (0.5, "billed", 2)
    assert got.generation_id == "gen-h"


@pytest.mark.parametrize(
    ("first", "counts"),
    [
        (delta("x"), True),
        (delta("", reasoning="x"), True),
        (delta(None, tool_calls=[{"index": 0}]), True),
        (delta(None, reasoning_details=[{"text": "x"}]), True),
        (b": comment\n\n", False),
        (delta("", role="assistant"), False),
        (delta(None, reasoning="", tool_calls=[], reasoning_details=[]), False),
        (usage(), False),
    ],
)
def test_the_first_token_is_the_first_content_reasoning_or_tool_call(first: bytes, counts: bool) -> None:
    reader = StreamReader(HEAD, FIXED)
    reader.feed(first, 1.0)
    assert reader.first_token_at == (1.0 if counts else None)
    reader.feed(delta("more"), 2.0)
    assert reader.first_token_at == (1.0 if counts else 2.0)


def test_pieces_of_tool_calls_are_joined_by_index() -> None:
    call = {"index": 0, "id": "c0", "function": {"name": "add", "arguments": '{"a":'}}
    other = {"index": 1, "id": "c1", "function": {"name": "sub", "arguments": "{}"}}
    rest = {"index": 0, "function": {"arguments": "1}"}}
    got = completed(
        stream(delta(None, tool_calls=[call]), delta(None, tool_calls=[other, rest]), usage(), DONE)
    )
    assert got.tool_calls == [
        {"id": "c0", "type": "function", "function": {"name": "add", "arguments": '{"a":1}'}},
        {"id": "c1", "type": "function", "function": {"name": "sub", "arguments": "{}"}},
    ]


def test_other_choices_are_left_out() -> None:
    other = event({"choices": [{"index": 1, "delta": {"content": "no"}}]})
    assert completed(stream(delta("yes"), other, DONE)).text == "yes"


@pytest.mark.parametrize(
    ("events", "kind", "cost"),
    [
        ([delta("x")], K.STREAM_TRUNCATED, None),
        ([delta("x", "stop")], K.STREAM_TRUNCATED, None),
        ([delta("x"), usage(0.5)], K.STREAM_TRUNCATED, 0.5),
        ([], K.STREAM_TRUNCATED, None),
        ([b": only comments\n\n"], K.STREAM_TRUNCATED, None),
        ([DONE], K.NO_CHOICES, None),
        ([usage(0.5), DONE], K.NO_CHOICES, 0.5),
        ([delta("x"), event(b"{garbage"), delta("y", "stop"), usage(0.5), DONE], K.STREAM_UNREADABLE, 0.5),
        ([delta("x"), event(b"5"), DONE], K.STREAM_UNREADABLE, None),
        ([event({"error": {"code": 502, "message": "m"}})], K.STREAM_ERROR, None),
        (
            [delta("x"), event({"error": {"message": "m"}, "choices": []}), usage(0.5), DONE],
            K.STREAM_ERROR,
            0.5,
        ),
        ([delta("x", "error"), DONE], K.STREAM_ERROR, None),
        ([delta("x"), event({"error": {"code": "400"}})], K.BAD_REQUEST, None),
        ([delta("x"), event({"error": {"code": 429}})], K.RATE_LIMIT_PROVIDER, None),
        ([event({"choices": [{"error": {"code": 500}, "delta": {}}]})], K.STREAM_ERROR, None),
    ],
)
def test_a_stream_that_is_no_answer_is_refused_with_its_known_cost(
    events: list[bytes], kind: K, cost: float | None
) -> None:
    got = refusal(stream(*events))
    assert (got.kind, got.cost_usd, got.status) == (kind, cost, 200)
    assert got.ids.generation_id == "gen-h"


def test_an_error_event_is_told_in_its_own_words() -> None:
    event_ = event(
        {"error": {"code": 502, "message": "gone"}, "choices": [{"delta": {}, "finish_reason": "error"}]}
    )
    assert refusal(stream(delta("x"), event_)).message == "gone"


def test_done_without_usage_is_an_answer_of_unknown_cost() -> None:
    got = completed(stream(delta("x"), delta("", "stop"), DONE))
    assert (got.text, got.cost_usd, got.cost_source) == ("x", None, None)


@pytest.mark.parametrize("kind", [K.BODY_TRUNCATED, K.RESET, K.IDLE_TIMEOUT, K.TIMEOUT])
def test_finish_and_usage_without_done_are_a_whole_answer_however_it_ended(kind: K) -> None:
    got = completed(stream(delta("x"), delta("", "stop"), usage(0.5), broken=refused(kind, "m")))
    assert (got.text, got.cost_usd) == ("x", 0.5)


def test_a_last_event_that_lacks_only_its_blank_line_counts() -> None:
    assert completed(stream(delta("x"), delta("", "stop"), usage()[:-2])).cost_usd == 0.25
    assert completed(stream(delta("x"), DONE[:-2])).text == "x"
    assert refusal(stream(delta("x"), usage()[:-20])).kind is K.STREAM_TRUNCATED


def test_a_broken_stream_says_why_and_what_it_cost() -> None:
    got = refusal(stream(delta("x"), usage(0.5), broken=refused(K.IDLE_TIMEOUT, "silence")))
    assert (got.kind, got.message, got.cost_usd, got.retryable) == (K.IDLE_TIMEOUT, "silence", 0.5, True)
    assert refusal(stream(delta("x"), broken=refused(K.BODY_TRUNCATED, "eof"))).kind is K.STREAM_TRUNCATED


def test_null_and_odd_fields_do_no_harm() -> None:
    odd = [
        event({"id": None, "model": None, "usage": None, "choices": None}),
        event({"choices": [None, 5, {"delta": None}, {"delta": []}, {"index": 0, "delta": {"content": 5}}]}),
        event({"choices": [{"delta": {"tool_calls": [None, {"index": "x", "function": None}]}}]}),
        event({"choices": {}, "usage": [], "error": None}),
        b"data: \n\n",
    ]
    got = completed(stream(usage(0.5), *odd, delta("x"), DONE))
    assert (got.text, got.model, got.cost_usd) == ("x", "a/b", None)


def test_characters_split_between_chunks_arrive_whole() -> None:
    data = delta("é€😀").replace(b"\\u", b"\\u") + event(
        json.dumps({"choices": [{"delta": {"content": "日本"}}]}, ensure_ascii=False).encode()
    )
    pieces = [data[i : i + 1] for i in range(len(data))]
    assert completed(stream(*pieces, DONE)).text == "é€😀日本"


def test_done_ends_the_reading() -> None:
    reader = StreamReader(HEAD, FIXED)
    assert not reader.feed(delta("x"), 0.0)
    assert reader.feed(usage() + DONE + event({"error": {"code": 502}}), 0.0)
    assert completed(reader.finish()).text == "x"


# --------------------------------------------------------------------------- which reader


@pytest.mark.parametrize(
    ("status", "content_type", "streamed", "reader"),
    [
        (200, "text/event-stream; charset=utf-8", True, StreamReader),
        (200, "text/event-stream", False, StreamReader),
        (200, "application/json", True, WholeReader),
        (200, "application/json", False, WholeReader),
        (200, "text/html", True, WholeReader),
        (200, "text/plain", True, StreamReader),
        (200, "", True, StreamReader),
        (200, "", False, WholeReader),
        (503, "text/event-stream", True, RefusalReader),
    ],
)
def test_what_came_decides_how_it_is_read(
    status: int, content_type: str, streamed: bool, reader: type
) -> None:
    assert (
        type(reader_for(Head(status, {"content-type": content_type}, 0), FIXED, streamed=streamed)) is reader
    )


def test_a_whole_body_is_read_even_when_the_connection_broke_after_it() -> None:
    broken = refused(K.BODY_TRUNCATED, "eof")
    reader = reader_for(HEAD, FIXED, streamed=False)
    reader.feed(json.dumps(answer()).encode(), 0.0)
    assert completed(reader.finish(broken)).text == "4"
    reader = reader_for(HEAD, FIXED, streamed=False)
    reader.feed(b'{"id":', 0.0)
    assert reader.finish(broken) is broken


def test_a_lookup_gives_any_json() -> None:
    reader = lookup_reader(HEAD)
    reader.feed(b'{"data":[1,', 0.0)
    reader.feed(b"2]}", 0.0)
    result = reader.finish()
    assert not isinstance(result, Refusal)
    assert result.value == {"data": [1, 2]}
