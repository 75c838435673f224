"""Time limits, size limits and the aftermath of one exchange, over real sockets."""

import asyncio
import time
from typing import Any

import pytest

from routemark import exchange
from routemark.errors import FailureKind
from routemark.exchange import Exchange, Request, Tried
from routemark.records import Arm, Completion
from routemark.transport import Limits, make_transport
from routemark.wire.failures import Head, Refusal
from routemark.wire.response import Reader, reader_for
from scripted import (
    DONE,
    END,
    HANG,
    Script,
    ScriptedServer,
    delta,
    event,
    head,
    piece,
    stream_head,
    usage,
    whole,
)

K = FailureKind
BOTH = pytest.mark.parametrize("name", ["pyreqwest", "httpx"])


def choose(head_: Head) -> Reader[Completion]:
    return reader_for(head_, Arm(name="a", model="x/y"), streamed=True)


def run(
    script: Script, name: str = "pyreqwest", *, idle_s: float = 10.0, total_s: float = 10.0
) -> Tried[Completion]:
    async def scenario() -> Tried[Completion]:
        async with ScriptedServer([script]) as server:
            transport = make_transport(name, 2)
            request = Request("POST", server.base_url, {}, b"{}")
            limits = Limits(idle_s=idle_s, total_s=total_s)
            try:
                return await Exchange(transport, request, choose, limits).run(time.monotonic())
            finally:
                await transport.aclose()

    return asyncio.run(asyncio.wait_for(scenario(), 20))


def refusal(tried: Tried[Any]) -> Refusal:
    assert isinstance(tried.result, Refusal), tried.result
    assert tried.attempt.kind == tried.result.kind
    assert tried.attempt.status == tried.result.status
    return tried.result


def completion(tried: Tried[Completion]) -> Completion:
    assert isinstance(tried.result, Completion), tried.result
    return tried.result


@BOTH
@pytest.mark.parametrize(
    ("script", "status"),
    [
        ([HANG], None),
        ([stream_head(), HANG], 200),
        ([stream_head(), piece(delta("x")), HANG], 200),
        ([head(content_type="application/json", content_length="9"), b"{", HANG], 200),
    ],
    ids=["before the head", "after the head", "in the stream", "in a whole body"],
)
def test_silence_and_slowness_have_kinds_of_their_own(script: Script, status: int | None, name: str) -> None:
    silent = run(script, name, idle_s=0.15)
    assert refusal(silent).kind is K.IDLE_TIMEOUT
    assert silent.attempt.status == status
    assert 0.15 <= silent.attempt.duration_s < 1.0
    slow = run(script, name, total_s=0.15)
    assert refusal(slow).kind is K.TIMEOUT
    assert 0.15 <= slow.attempt.duration_s < 1.0


@BOTH
def test_comment_lines_are_signs_of_life(name: str) -> None:
    comments: Script = [step for _ in range(5) for step in (piece(b": OPENROUTER PROCESSING\n\n"), 0.1)]
    script: Script = [stream_head(), *comments, piece(delta("x", "stop") + usage() + DONE), END]
    assert completion(run(script, name, idle_s=0.3)).text == "x"
    assert refusal(run(script, name, idle_s=0.3, total_s=0.25)).kind is K.TIMEOUT


@BOTH
def test_an_answer_that_is_whole_counts_although_the_stream_never_ends(name: str) -> None:
    got = completion(run([stream_head(), piece(delta("x", "stop") + usage()), HANG], name, idle_s=0.2))
    assert got.text == "x"
    assert got.latency_s < 0.15  # to the last byte, not to the time limit


def test_a_status_counts_although_its_body_never_comes() -> None:
    assert refusal(run([head(503, content_length="9"), HANG], idle_s=0.2)).kind is K.UNAVAILABLE


def test_after_an_error_its_cost_is_waited_for_but_not_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange, "AFTERMATH_S", 0.2)
    error = piece(event({"error": {"code": 502, "message": "gone"}}))
    told = run([stream_head(), error, 0.05, piece(usage(0.5)), END])
    assert (refusal(told).kind, refusal(told).cost_usd) == (K.STREAM_ERROR, 0.5)
    untold = run([stream_head(), error, HANG])
    assert (refusal(untold).kind, refusal(untold).message) == (K.STREAM_ERROR, "gone")
    assert untold.attempt.duration_s < 1.0


@BOTH
def test_an_endless_body_is_given_up_and_not_asked_for_again(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exchange, "BODY_LIMIT", 1 << 20)
    big = piece(b": " + b"x" * (1 << 16) + b"\n")
    got = refusal(run([stream_head(), *[big] * 64, HANG], name))
    assert not got.retryable
    assert "larger than 1 MiB" in got.message


def test_a_refusal_of_endless_words_is_cut_short() -> None:
    got = run([whole(b"x" * (3 << 20), 500)])
    assert refusal(got).kind is K.SERVER_ERROR
    assert len(got.attempt.message or "") <= exchange.MESSAGE_LIMIT


def test_the_first_token_is_timed_at_the_socket() -> None:
    script: Script = [
        stream_head(),
        piece(delta("", role="assistant")),
        0.1,
        piece(delta("x", "stop") + usage() + DONE),
        END,
    ]
    got = completion(run(script))
    assert got.ttft_s is not None
    assert 0.1 <= got.ttft_s < 0.5
    assert got.ttft_s == got.latency_s
