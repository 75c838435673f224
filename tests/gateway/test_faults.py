"""Faults over real sockets: each one shows as its line in the list says."""

import http.client
import json
import socket
import threading
from urllib.parse import urlsplit

import pytest

from routemark.errors import SettingsError
from routemark.gateway.faults import FAULTS, fault_names, parse_faults

STREAMED = [False, True]


def test_every_kind_asked_for_is_in_the_list():
    names = [name for name, _ in fault_names()]
    wanted = (
        "429 429-provider 402-in-flight 402 401 403 404 408 500 502 503 524 529 html error200 choice-error"
        " no-choices empty length midstream cut truncated garbage stall slow reset not-json"
    )
    assert set(wanted.split()) <= set(names)
    assert len(names) == len(set(names))
    assert all(what for _, what in fault_names())


@pytest.mark.parametrize(
    ("spec", "told"),
    [
        ("midstrem:0.1", "Did you mean midstream"),
        ("429", "kind:share"),
        ("429:2", "kind:share"),
        ("429:-0.1", "kind:share"),
        ("429:nan", "kind:share"),
        ("429:0.6,502:0.6", "1.2"),
        (":0.5", "kind:share"),
    ],
)
def test_a_spec_that_cannot_be_is_refused_by_name(spec, told):
    with pytest.raises(SettingsError, match=told):
        parse_faults(spec)


def test_shares_are_kept_and_draws_depend_on_names_alone():
    plan = parse_faults("429:0.1, 502:0.2")
    drawn = [plan.draw(1, prompt, "s", 0) for prompt in range(4000)]
    names = [fault.name if fault else "" for fault in drawn]
    assert names.count("429") / 4000 == pytest.approx(0.1, abs=0.02)
    assert names.count("502") / 4000 == pytest.approx(0.2, abs=0.02)
    assert [plan.draw(1, prompt, "s", 0) for prompt in reversed(range(4000))] == drawn[::-1]
    assert [plan.draw(1, prompt, "s", 1) for prompt in range(4000)] != drawn


def strike(start, name, **options):
    return start(faults=f"{name}:1", **options)


REFUSED = [name for name, fault in FAULTS.items() if fault.problem is not None and fault.stage == "refused"]


@pytest.mark.parametrize("name", REFUSED)
def test_refusals_have_their_status_and_an_error_body(start, name):
    client = strike(start, name, latency="0.5")
    for stream in STREAMED:
        answer = client.ask("hi", stream=stream)
        error = answer.json["error"]
        problem = FAULTS[name].problem
        assert answer.status == problem.status == int(name.partition("-")[0])
        assert str(error.get("code", error.get("http_status"))) == str(problem.status)
        assert error["message"]
        assert ("retry-after" in answer.headers) == (problem.retry_after_s is not None)
        assert ("x-ratelimit-limit" in answer.headers) == (name == "429")
    stats = client.stats()
    assert stats["by_fault"] == {name: 2}
    assert stats["billed"] == 0


def test_retry_after_is_scaled_with_the_latency(start):
    assert strike(start, "429", latency="0.5").ask("hi").headers["retry-after"] == "1"
    answer = strike(start, "429-provider", latency="0.01").ask("hi")
    assert answer.headers["retry-after"] == "0.02"
    assert answer.json["error"]["availability"]["retry_after"] == 0.02


def test_both_shapes_of_error_body_are_served(start):
    assert "code" in strike(start, "502").ask("hi").json["error"]
    assert "http_status" in strike(start, "503").ask("hi").json["error"]
    assert isinstance(strike(start, "524").ask("hi").json["error"]["code"], str)


def test_html_is_no_json(start):
    answer = strike(start, "html").ask("hi")
    assert answer.status == 502
    assert answer.headers["content-type"] == "text/html"
    assert answer.body.startswith(b"<!DOCTYPE html>")


@pytest.mark.parametrize("stream", STREAMED)
def test_error200_is_an_error_alone_and_costs_nothing(start, stream):
    client = strike(start, "error200")
    answer = client.ask("hi", stream=stream)
    body = answer.events[0] if stream else answer.json
    assert answer.status == 200
    assert body["error"]["code"] == 502
    assert "choices" not in body
    assert client.stats()["billed"] == 0


def test_no_choices_and_empty_cost_nothing(start):
    assert strike(start, "no-choices").ask("hi").json["choices"] == []
    client = strike(start, "empty")
    body = client.ask("hi").json
    assert body["choices"][0]["message"]["content"] == ""
    assert body["usage"]["completion_tokens"] == body["usage"]["cost"] == 0
    assert [event for event in client.ask("hi", stream=True).events[:-1] if event["choices"]]
    assert client.stats()["billed_usd"] == 0


@pytest.mark.parametrize("name", ["choice-error", "midstream"])
def test_an_error_after_the_start_comes_with_a_part_of_the_answer(start, name):
    client = strike(start, name)
    choice = client.ask("hi").json["choices"][0]
    assert choice["finish_reason"] == "error"
    assert choice["error"]["message"] == "Provider returned error"
    assert choice["message"]["content"]
    *before, last = client.ask("hi", stream=True, session="t.r0").events
    assert last["error"]["code"] == 502
    assert last["choices"][0]["finish_reason"] == "error"
    assert any(event["choices"][0]["delta"].get("content") for event in before)
    stats = client.stats()
    assert stats["billed"] == stats["billed_undelivered"] == 2


@pytest.mark.parametrize(("name", "reason"), [("length", "length"), ("content-filter", "content_filter")])
def test_an_answer_cut_short_says_why(start, name, reason):
    whole = start().ask("hi").text
    cut = strike(start, name).ask("hi").json["choices"][0]
    assert cut["finish_reason"] == reason
    assert whole.startswith(cut["message"]["content"])
    assert len(cut["message"]["content"]) < len(whole)


def test_a_cut_stream_ends_cleanly_without_usage_and_done(start):
    events = strike(start, "cut").ask("hi", stream=True).events
    assert events
    assert "[DONE]" not in events
    assert not any("usage" in event for event in events)


def test_no_usage_leaves_the_rest_whole(start):
    client = strike(start, "no-usage")
    assert "usage" not in client.ask("hi").json
    events = client.ask("hi", stream=True).events
    assert events[-1] == "[DONE]"
    assert not any("usage" in event for event in events[:-1])


@pytest.mark.parametrize("stream", STREAMED)
def test_a_truncated_body_breaks_off(start, stream):
    client = strike(start, "truncated")
    for number in range(4):
        with pytest.raises(http.client.IncompleteRead):
            client.ask("hi", stream=stream, session=f"{number}")
    assert client.stats()["billed_undelivered"] == 4


def test_garbage_between_events_is_no_json(start):
    client = strike(start, "garbage")
    events = client.ask("hi", stream=True).events
    assert events[-1] == "[DONE]"
    assert sum(isinstance(event, str) for event in events) == 2
    with pytest.raises(json.JSONDecodeError):
        client.ask("hi").json  # noqa: B018


@pytest.mark.parametrize("stream", STREAMED)
def test_not_json_is_a_200_that_cannot_be_read(start, stream):
    answer = strike(start, "not-json").ask("hi", stream=stream)
    assert answer.status == 200
    assert b"upstream connect error" in answer.body


def test_slow_takes_twenty_times_as_long(start):
    quick, slow = start(latency="0.001"), strike(start, "slow", latency="0.001")
    times = [
        client.ask("hi", headers={"X-OpenRouter-Metadata": "enabled"}).json["openrouter_metadata"]
        for client in (quick, slow)
    ]
    assert times[1]["generation_time"] == pytest.approx(20 * times[0]["generation_time"], abs=0.02)


def raw(client, body):
    """Send a request by hand and give the open socket."""
    address = urlsplit(client.base_url)
    data = json.dumps(body).encode()
    connection = socket.create_connection((address.hostname, address.port), timeout=10)
    connection.sendall(
        b"POST %b/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer k\r\n"
        b"Content-Length: %d\r\n\r\n%b" % (address.path.encode(), len(data), data)
    )
    return connection


def read_on(connection, received=None):
    """Read to the end of a connection, or to the exception that it comes to."""
    while part := connection.recv(65536):
        if received is not None:
            received += part


ASK = {"model": "sim/quill", "messages": [{"role": "user", "content": "hi"}]}


def test_reset_is_a_tcp_reset_before_any_byte(start):
    client = strike(start, "reset")
    with raw(client, ASK) as connection, pytest.raises(ConnectionResetError):
        connection.recv(1)
    assert client.stats()["by_status"] == {"0": 1}


@pytest.mark.parametrize("stream", STREAMED)
def test_reset_after_comes_behind_the_headers(start, stream):
    client = strike(start, "reset-after")
    with raw(client, {**ASK, "stream": stream}) as connection, pytest.raises(ConnectionResetError):
        read_on(connection)


@pytest.mark.parametrize("stream", STREAMED)
def test_a_stall_is_silence_until_the_client_leaves(start, stream):
    client = strike(start, "stall")
    with raw(client, {**ASK, "stream": stream}) as connection:
        received = bytearray()
        connection.settimeout(0.3)
        with pytest.raises(TimeoutError):
            read_on(connection, received)
        assert received.startswith(b"HTTP/1.1 200 OK")
        assert b"[DONE]" not in received
        assert client.stats()["in_flight"] == 1
    left = threading.Event()
    for _ in range(200):
        if client.stats()["in_flight"] == 0:
            break
        left.wait(0.01)
    assert client.stats()["in_flight"] == 0


def test_asking_again_after_a_fault_is_no_double_bill_of_the_client(start):
    client = start(faults="no-usage:0.3,midstream:0.4")
    for number in range(30):
        for _ in range(6):
            answer = client.ask(f"prompt {number}", session=f"s{number}")
            if "error" not in answer.json["choices"][0]:
                break
    stats = client.stats()
    assert stats["by_fault"]["midstream"] > 5
    assert stats["rebilled"] > 5
    assert stats["double_bills"] == 0


def test_a_retry_of_the_same_session_draws_anew(start):
    client = start(faults="502:0.5")
    statuses = [[client.ask("hi", session=f"s{n}").status for _ in range(4)] for n in range(20)]
    assert any(502 in row and 200 in row for row in statuses)
    again = start(faults="502:0.5")
    assert [[again.ask("hi", session=f"s{n}").status for _ in range(4)] for n in range(20)] == statuses
