"""Whatever a gateway does, a trial ends in an Outcome: over real sockets, with both HTTP libraries."""

import asyncio
import hashlib
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import msgspec
import pytest

from moods import CASES, refused
from routemark.errors import RULES, APIStatusError, FailureKind, RateLimitError, SettingsError
from routemark.policy.retry import RetryPolicy
from routemark.records import Outcome, Question, Trial
from routemark.router import OpenRouterClient
from routemark.transport import make_transport
from routemark.wire.arms import parse_arm
from routemark.wire.failures import Refusal
from routemark.wire.request import RequestOptions, encode, encode_shared
from scripted import (
    CLOSE,
    DONE,
    END,
    GOOD_STREAM,
    HANG,
    RESET,
    Script,
    ScriptedServer,
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
KEY = "sk-or-v1-MARKERKEY0123456789"
BOTH = pytest.mark.parametrize("name", ["pyreqwest", "httpx"])
TRIAL = Trial(
    key="trial-1",
    question=Question(id="q1", difficulty="easy", question="What is 2 + 2?"),
    arm=parse_arm("openrouter/auto?cost_tier=low"),
    repeat=2,
    session_id="session-1",
    window=3,
)


class Naps:
    """Sleeps for no time, and remembers for how long it should have."""

    def __init__(self) -> None:
        self.taken: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.taken.append(seconds)


Use = Callable[[OpenRouterClient, ScriptedServer], Awaitable[Any]]


def against(scripts: list[Script], use: Use, name: str = "pyreqwest", **settings: Any) -> Any:
    """Let ``use`` talk to a server that plays the scripts; no test here takes longer than seconds."""

    async def scenario() -> Any:
        async with ScriptedServer(scripts) as server:
            defaults: dict[str, Any] = {
                "api_key": KEY,
                "retry": RetryPolicy(max_attempts=2),
                "sleep": Naps(),
                "random": lambda: 0.5,
                "transport": make_transport(name, 4),
            }
            async with OpenRouterClient(base_url=server.base_url, **{**defaults, **settings}) as client:
                return await use(client, server)

    return asyncio.run(asyncio.wait_for(scenario(), 20))


def outcome_of(scripts: list[Script], name: str = "pyreqwest", **settings: Any) -> Outcome:
    async def use(client: OpenRouterClient, _: ScriptedServer) -> Outcome:
        return await client.complete(TRIAL)

    outcome: Outcome = against(scripts, use, name, **settings)
    assert (outcome.trial, outcome.question_id, outcome.arm) == ("trial-1", "q1", TRIAL.arm.name)
    assert (outcome.repeat, outcome.session_id, outcome.window) == (2, "session-1", 3)
    assert (outcome.completion is None) != (outcome.failure is None)
    assert msgspec.json.decode(msgspec.json.encode(outcome), type=Outcome) == outcome
    assert KEY.encode() not in msgspec.json.encode(outcome)
    return outcome


# --------------------------------------------------------------------------- answers


@BOTH
def test_a_streamed_answer_with_everything_measured(name: str) -> None:
    script: Script = [
        stream_head(
            X_Generation_Id="gen-h", cf_ray="ray", x_request_id="req", X_OpenRouter_Cache_Status="MISS"
        ),
        piece(b": OPENROUTER PROCESSING\n\n"),
        0.05,
        piece(delta("4")),
        0.05,
        piece(delta("!", "stop") + usage(0.5)),
        piece(DONE),
        END,
    ]
    outcome = outcome_of([script], name)
    answer_ = outcome.completion
    assert answer_ is not None
    assert (answer_.text, answer_.model, answer_.provider, answer_.cost_usd) == ("4!", "a/b", "P", 0.5)
    assert (answer_.generation_id, answer_.request_id, answer_.cf_ray) == ("gen-h", "req", "ray")
    assert answer_.cache_status == "MISS"
    assert answer_.ttft_s is not None
    assert 0.05 <= answer_.ttft_s < answer_.latency_s - 0.04
    assert outcome.queue_s is not None
    assert 0 <= outcome.queue_s < 0.5
    (attempt,) = outcome.attempts
    assert (attempt.status, attempt.kind, attempt.waited_s) == (200, None, None)
    assert (attempt.generation_id, attempt.cost_usd) == ("gen-h", None)
    assert attempt.duration_s == answer_.latency_s
    assert attempt.started_at.endswith("Z")
    assert len(attempt.started_at) == len("2026-11-24T07:07:09.557Z")
    assert outcome.cost_usd == 0.5


@BOTH
def test_a_whole_answer_after_blank_keep_alive_lines(name: str) -> None:
    body = b"\n \n" + msgspec.json.encode(answer())
    script: Script = [
        head(content_type="application/json", content_length=str(len(body))),
        b"\n \n",
        0.05,
        body[3:],
    ]
    outcome = outcome_of([script], name, options=RequestOptions(stream=False))
    assert outcome.completion is not None
    assert (outcome.completion.text, outcome.completion.ttft_s) == ("4", None)
    assert outcome.completion.latency_s >= 0.05
    assert outcome.response_sha256 == hashlib.sha256(body).hexdigest()


@BOTH
@pytest.mark.parametrize("stream", [True, False])
def test_what_comes_is_read_as_what_it_is(stream: bool, name: str) -> None:
    whole_answer: Script = [whole(answer())]
    for script in (whole_answer, GOOD_STREAM):
        outcome = outcome_of([script], name, options=RequestOptions(stream=stream))
        assert outcome.completion is not None
        assert outcome.completion.text == "4"


@BOTH
def test_what_is_sent(name: str) -> None:
    async def use(client: OpenRouterClient, server: ScriptedServer) -> Outcome:
        outcome: Outcome = await client.complete(TRIAL)
        (heard,) = server.heard
        assert (heard.method, heard.path) == ("POST", "/api/v1/chat/completions")
        assert heard.body == encode(TRIAL, RequestOptions(max_tokens=77))
        assert heard.json["session_id"] == "session-1"
        assert heard.headers["authorization"] == f"Bearer {KEY}"
        assert heard.headers["content-type"] == "application/json"
        assert heard.headers["x-openrouter-metadata"] == "enabled"
        assert heard.headers["x-openrouter-cache"] == "false"
        assert heard.headers["x-openrouter-title"] == "Routemark"
        assert heard.headers["http-referer"]
        assert heard.headers["user-agent"].startswith("routemark/")
        return outcome

    outcome: Outcome = against([GOOD_STREAM], use, name, options=RequestOptions(max_tokens=77))
    shared = encode_shared(TRIAL.question, TRIAL.arm, RequestOptions(max_tokens=77))
    assert outcome.request_sha256 == hashlib.sha256(shared).hexdigest()


@BOTH
def test_without_a_key_none_is_sent(name: str) -> None:
    async def use(client: OpenRouterClient, server: ScriptedServer) -> None:
        await client.complete(TRIAL)
        assert "authorization" not in server.heard[0].headers

    against([GOOD_STREAM], use, name, api_key=None)


# --------------------------------------------------------------------------- what goes wrong


@BOTH
@pytest.mark.parametrize(("script", "kind"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_every_mood_of_the_wire_has_its_kind_and_is_asked_again_by_rule(
    script: Script, kind: K, name: str
) -> None:
    async def use(client: OpenRouterClient, server: ScriptedServer) -> Outcome:
        outcome: Outcome = await client.complete(TRIAL)
        assert len(server.heard) == len(outcome.attempts)
        return outcome

    outcome: Outcome = against([script], use, name)
    assert outcome.failure is not None
    assert outcome.failure.kind == kind
    assert len(outcome.attempts) == (2 if RULES[kind].retried else 1)
    assert {attempt.kind for attempt in outcome.attempts} == {kind.value}
    assert outcome.attempts[0].message
    assert outcome.completion is None


@BOTH
def test_a_trial_recovers_from_each_kind_that_is_asked_again(name: str) -> None:
    passing = [script for _, script, kind in CASES if RULES[kind].retried]
    outcome = outcome_of([*passing, GOOD_STREAM], name, retry=RetryPolicy(max_attempts=99, time_budget_s=1e6))
    assert outcome.completion is not None
    assert outcome.completion.text == "4"
    assert len(outcome.attempts) == len(passing) + 1
    assert outcome.attempts[-1].kind is None


def nowhere(url: str, name: str) -> Outcome:
    async def scenario() -> Outcome:
        settings: dict[str, Any] = {"retry": RetryPolicy(max_attempts=2), "sleep": Naps()}
        async with OpenRouterClient(base_url=url, transport=make_transport(name, 4), **settings) as client:
            return await client.complete(TRIAL)

    return asyncio.run(asyncio.wait_for(scenario(), 20))


@BOTH
@pytest.mark.parametrize(
    ("url", "kind"),
    [("http://127.0.0.1:1/api/v1", K.CONNECT_REFUSED), ("http://no-such-host.invalid/api/v1", K.DNS)],
)
def test_a_gateway_that_is_not_there(url: str, kind: K, name: str) -> None:
    outcome = nowhere(url, name)
    assert outcome.failure is not None
    assert (outcome.failure.kind, outcome.failure.status) == (kind, None)
    assert len(outcome.attempts) == 2
    assert outcome.response_sha256 is None


# --------------------------------------------------------------------------- waits


def test_waits_grow_and_obey_the_gateway_and_are_recorded() -> None:
    naps = Naps()
    scripts = [
        refused(502),
        refused(429, Retry_After="7"),
        refused(503, {"availability": {"retryable": True, "retry_after": 40}}, Retry_After="30"),
        refused(500),
        GOOD_STREAM,
    ]
    outcome = outcome_of(scripts, sleep=naps, retry=RetryPolicy())
    assert naps.taken == [0.5, 7.5, 40.5, 4.0]
    assert [attempt.waited_s for attempt in outcome.attempts] == [*naps.taken, None]
    assert [attempt.retry_after_s for attempt in outcome.attempts] == [None, 7.0, 40.0, None, None]
    assert [attempt.status for attempt in outcome.attempts] == [502, 429, 503, 500, 200]


def test_a_wait_beyond_the_time_budget_is_a_failure_of_its_own() -> None:
    outcome = outcome_of([refused(429, Retry_After="7200", cf_ray="ray")])
    assert outcome.failure is not None
    assert (outcome.failure.kind, outcome.failure.status) == (K.RETRY_AFTER_TOO_LONG, 429)
    assert outcome.failure.cf_ray == "ray"
    assert [attempt.kind for attempt in outcome.attempts] == ["rate_limit_provider"]


def test_what_the_gateway_calls_final_is_not_asked_again() -> None:
    outcome = outcome_of([refused(503, {"availability": {"code": "x", "retryable": False}})])
    assert len(outcome.attempts) == 1


def test_the_known_cost_of_every_attempt_counts() -> None:
    failed = streamed(delta("par"), event({"error": {"code": 502, "message": "gone"}}), usage(0.5), DONE)
    outcome = outcome_of([failed, GOOD_STREAM])
    assert [attempt.cost_usd for attempt in outcome.attempts] == [0.5, None]
    assert outcome.cost_usd == 0.75
    assert outcome_of([failed]).cost_usd == 1.0


# --------------------------------------------------------------------------- streams and connections


@BOTH
def test_reading_ends_at_done_even_when_the_server_does_not_go(name: str) -> None:
    script: Script = [stream_head(), piece(delta("4", "stop") + usage() + DONE), HANG]
    outcome = outcome_of([script], name)
    assert outcome.completion is not None
    assert outcome.completion.latency_s < 0.2


@BOTH
def test_connections_are_kept_through_answers_streams_and_refusals(name: str) -> None:
    async def use(client: OpenRouterClient, server: ScriptedServer) -> None:
        for _ in range(4):
            await client.complete(TRIAL)
            await asyncio.sleep(0.01)
        assert (len(server.heard), server.connections) == (5, 1)

    late_end: Script = [stream_head(), piece(delta("4", "stop") + usage() + DONE), 0.02, END]
    against([late_end, refused(500), [whole(answer())], GOOD_STREAM, refused(404)], use, name)


@BOTH
def test_a_ten_megabyte_line_and_a_split_character(name: str) -> None:
    text = "é€😀" * 1_200_000
    data = event(msgspec.json.encode({"choices": [{"delta": {"content": text}}]}))
    script: Script = [
        head(content_type="text/event-stream"),
        data[:31],
        0.02,
        data[31:],
        delta("", "stop"),
        DONE,
        CLOSE,
    ]
    outcome = outcome_of([script], name)
    assert outcome.completion is not None
    assert outcome.completion.text == text


def test_the_generation_id_is_told_as_soon_as_the_head_is_there() -> None:
    told: list[tuple[str, str]] = []
    script: Script = [stream_head(X_Generation_Id="gen-9"), 0.02, RESET]
    outcome_of(
        [script, GOOD_STREAM], on_generation=lambda trial, generation: told.append((trial, generation))
    )
    assert told == [("trial-1", "gen-9")]


def test_neither_a_told_id_nor_a_look_up_carries_the_key_that_a_gateway_echoes() -> None:
    told: list[str] = []
    outcome_of(
        [[stream_head(X_Generation_Id=f"gen-{KEY}"), RESET], GOOD_STREAM],
        on_generation=lambda trial, generation: told.append(generation),
    )
    assert told == ["gen-[key]"]

    async def look_up(client: OpenRouterClient, _: ScriptedServer) -> Any:
        return await client.get_json("/generation?id=1")

    echoed = {"data": {KEY: [f"<{KEY}>", 1]}}
    assert against([[whole(echoed)]], look_up) == {"data": {"[key]": ["<[key]>", 1]}}


# --------------------------------------------------------------------------- the pacer


class Recorder:
    """A pacer that lets everything through and writes down what it hears."""

    def __init__(self) -> None:
        self.heard: list[Any] = []

    async def admit(self, arm: str) -> None:
        self.heard.append(arm)

    def release(self, arm: str, refusal: Refusal | None) -> None:
        self.heard.append((arm, refusal and refusal.kind, refusal and refusal.retry_after_s))


def test_the_pacer_is_asked_before_every_attempt_and_told_after() -> None:
    pacer = Recorder()
    outcome_of([refused(429, Retry_After="3"), GOOD_STREAM], pacer=pacer)
    arm = TRIAL.arm.name
    assert pacer.heard == [arm, (arm, K.RATE_LIMIT_PROVIDER, 3.0), arm, (arm, None, None)]


def test_a_cancelled_trial_gives_its_slot_back_and_stays_cancelled() -> None:
    pacer = Recorder()

    async def use(client: OpenRouterClient, _: ScriptedServer) -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(client.complete(TRIAL), 0.1)

    against([[stream_head(), HANG]], use, pacer=pacer)
    assert [type(entry) for entry in pacer.heard] == [str, tuple]
    assert RULES[pacer.heard[1][1]].slows == "no"


# --------------------------------------------------------------------------- our own faults


class Broken:
    """A pacer with a bug whose text holds the key."""

    async def admit(self, arm: str) -> None:
        raise ZeroDivisionError(f"oops {KEY}")

    def release(self, arm: str, refusal: Refusal | None) -> None:
        raise AssertionError("never admitted")


def test_a_bug_of_ours_ends_one_trial_and_is_logged_without_the_key(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        outcome = outcome_of([GOOD_STREAM], pacer=Broken())
    assert outcome.failure is not None
    assert outcome.failure.kind == K.CLIENT_FAULT
    assert outcome.failure.message == "ZeroDivisionError: oops [key]"
    assert "test_router.py" in caplog.text
    assert KEY not in caplog.text


def test_a_look_up_gives_json_and_asks_again() -> None:
    async def use(client: OpenRouterClient, server: ScriptedServer) -> Any:
        value = await client.get_json("/models?limit=5")
        assert [(heard.method, heard.path) for heard in server.heard] == [
            ("GET", "/api/v1/models?limit=5")
        ] * 2
        assert server.heard[0].body == b""
        return value

    assert against([refused(502), [whole({"data": [1]})]], use) == {"data": [1]}


def test_a_failed_look_up_raises_what_its_kind_names_without_the_key() -> None:
    async def use(client: OpenRouterClient, _: ScriptedServer) -> None:
        with pytest.raises(RateLimitError):
            await client.get_json("/key")
        with pytest.raises(APIStatusError, match="bad_key: no \\[key\\]"):
            await client.get_json("key")

    against([refused(429), refused(429), refused(401, {"message": f"no {KEY}"})], use)


# --------------------------------------------------------------------------- the key


@BOTH
@pytest.mark.parametrize(
    "script",
    [
        refused(401, {"message": f"Invalid key {KEY}", "metadata": {"raw": f"Bearer {KEY}"}}),
        [whole(f"<title>{KEY}</title>".encode(), 502, content_type="text/html")],
        [whole(f"not json {KEY}".encode())],
        [whole(answer(KEY))],
        [whole(answer("x", openrouter_metadata={"deep": [{"er": KEY}]}, provider=KEY))],
        streamed(delta(KEY[:9]), delta(KEY[9:]), usage(), DONE),
        streamed(delta("x"), event(f"{{{KEY}".encode())),
        refused(500, X_Generation_Id=KEY, cf_ray=KEY),
        [whole(answer("x", openrouter_metadata={KEY: {"a" + KEY: 1}}))],
    ],
)
def test_a_key_that_the_gateway_echoes_is_in_no_outcome(
    script: Script, name: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    with caplog.at_level(logging.DEBUG):
        outcome = outcome_of([script], name)
    assert KEY not in repr(outcome)
    assert KEY not in caplog.text
    assert KEY not in "".join(capfd.readouterr())


@pytest.mark.parametrize("key", ["x", "test", "simulated", "completion"])
def test_a_key_that_is_a_plain_word_harms_no_answer(key: str) -> None:
    outcome = outcome_of([[whole(answer("x is simulated by a test"))]], api_key=key)
    assert outcome.completion is not None
    text = "x is [key] by a test" if key == "simulated" else "x is simulated by a test"
    assert outcome.completion.text == text


def test_the_client_shows_no_key() -> None:
    assert KEY not in repr(OpenRouterClient(api_key=KEY))
    assert "openrouter.ai" in repr(OpenRouterClient())


@BOTH
def test_a_redirect_never_carries_the_key_elsewhere(name: str) -> None:
    async def use(client: OpenRouterClient, server: ScriptedServer) -> None:
        async with ScriptedServer([[whole(answer())]]) as other:
            server.scripts = [[whole(b"", 307, Location=other.base_url)]]
            outcome = await client.complete(TRIAL)
            assert outcome.failure is not None
            assert outcome.failure.kind == K.REDIRECT
            assert other.heard == []

    against([[]], use, name)


@pytest.mark.parametrize("key", ["with space", "line\nbreak", "ключ", "tab\tin"])
def test_a_key_that_cannot_be_sent_is_refused_without_showing_it(key: str) -> None:
    with pytest.raises(SettingsError) as refused_:
        OpenRouterClient(api_key=key)
    assert key not in str(refused_.value)
    assert "set" in repr(OpenRouterClient(api_key=f" {KEY}\n"))


@pytest.mark.parametrize(
    "url",
    ["", "openrouter.ai", "ftp://x/", "http://", "https://user:pass@x/api", "https://x/?a=1", "https://x/#f"],
)
def test_a_base_url_that_cannot_be_meant_is_refused(url: str) -> None:
    with pytest.raises(SettingsError, match="base URL"):
        OpenRouterClient(base_url=url)


# --------------------------------------------------------------------------- a client of one's own


def test_an_httpx_client_handed_in_is_used_and_left_open() -> None:
    async def scenario() -> Outcome:
        async with ScriptedServer([GOOD_STREAM]) as server, httpx.AsyncClient() as own:
            async with OpenRouterClient(base_url=server.base_url, transport=own) as client:
                outcome = await client.complete(TRIAL)
            assert not own.is_closed
            return outcome

    outcome = asyncio.run(scenario())
    assert outcome.completion is not None


def test_many_trials_at_once_do_not_mix() -> None:
    """Two hundred in flight: every answer belongs to its question."""

    async def scenario() -> list[Outcome]:
        async def echo(request: httpx.Request) -> httpx.Response:
            await asyncio.sleep(0)
            said = msgspec.json.decode(request.content)["messages"][0]["content"]
            return httpx.Response(200, json=answer(said))

        async with httpx.AsyncClient(transport=httpx.MockTransport(echo)) as own:
            client = OpenRouterClient(transport=own)
            questions = [Question(id=f"q{n}", difficulty="e", question=f"say {n}") for n in range(200)]
            trials = [msgspec.structs.replace(TRIAL, question=question) for question in questions]
            return await asyncio.gather(*(client.complete(trial) for trial in trials))

    for number, outcome in enumerate(asyncio.run(scenario())):
        assert outcome.completion is not None
        assert outcome.completion.text == f"say {number}"
        assert outcome.question_id == f"q{number}"
