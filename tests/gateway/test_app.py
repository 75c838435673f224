"""The wire format over real sockets: bodies, streams, metadata, errors, lookups, counts."""

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest

from routemark.config import GatewayOptions
from routemark.errors import SettingsError
from routemark.gateway.app import create_app

METADATA = {"X-OpenRouter-Metadata": "enabled"}
AUTO = {"plugins": [{"id": "auto-router", "cost_tier": "high"}]}


def prices(client):
    rows = client.get("/models").json["data"]
    return {row["id"]: row["pricing"] for row in rows}


def expected_cost(pricing, usage):
    prompt, completion = Decimal(pricing["prompt"]), Decimal(pricing["completion"])
    cached = usage["prompt_tokens_details"]["cached_tokens"]
    return (
        (usage["prompt_tokens"] - cached) * prompt
        + cached * Decimal(pricing.get("input_cache_read", "0"))
        + usage["completion_tokens"] * completion
    )


def stream_text(events):
    return "".join(
        event["choices"][0]["delta"].get("content") or ""
        for event in events
        if isinstance(event, dict) and event["choices"]
    )


def test_a_plain_answer_has_every_field_of_the_wire(start, sums):
    client = start(sums)
    answer = client.ask(sums[0]["question"], "openrouter/auto", headers=METADATA, **AUTO)
    body = answer.json
    assert answer.status == 200
    assert answer.headers["x-generation-id"] == body["id"]
    assert body["id"].startswith("gen-")
    assert {"cf-ray", "x-request-id"} <= answer.headers.keys()
    assert answer.headers["x-routemark-simulated"] == "true"
    assert body["object"] == "chat.completion"
    assert body["model"].startswith("sim/")
    assert (
        body["usage"]["total_tokens"] == body["usage"]["prompt_tokens"] + body["usage"]["completion_tokens"]
    )
    assert body["usage"]["is_byok"] is False
    metadata = body["openrouter_metadata"]
    assert metadata["requested"] == "openrouter/auto"
    assert metadata["strategy"] == "auto"
    assert metadata["pipeline"][0]["data"]["task_type"] == "math"
    assert metadata["attempts"][-1] == {"provider": body["provider"], "model": body["model"], "status": 200}
    selected = [offer for offer in metadata["endpoints"]["available"] if offer["selected"]]
    assert [(offer["provider"], offer["model"]) for offer in selected] == [(body["provider"], body["model"])]


def test_metadata_comes_only_when_asked_for(start, sums):
    client = start(sums)
    assert "openrouter_metadata" not in client.ask(sums[0]["question"]).json
    disabled = client.ask(sums[0]["question"], headers={"X-OpenRouter-Metadata": "yes"})
    assert "openrouter_metadata" not in disabled.json


def test_a_stream_says_the_same_as_the_plain_answer(start, sums):
    client = start(sums)
    for question in sums[::9]:
        plain = client.ask(question["question"], "sim/abacus").json
        streamed = client.ask(question["question"], "sim/abacus", headers=METADATA, stream=True)
        assert streamed.headers["content-type"].startswith("text/event-stream")
        assert streamed.body.startswith(b": OPENROUTER PROCESSING\n\n")
        *chunks, last, done = streamed.events
        assert done == "[DONE]"
        assert chunks[0]["choices"][0]["delta"] == {"role": "assistant", "content": ""}
        assert stream_text(chunks) == plain["choices"][0]["message"]["content"]
        assert chunks[-1]["choices"][0]["finish_reason"] == plain["choices"][0]["finish_reason"]
        assert last["choices"] == []
        assert last["usage"] == plain["usage"]
        assert last["openrouter_metadata"]["strategy"] == "direct"
        assert not any("usage" in chunk for chunk in chunks)


def test_long_answers_come_in_several_chunks(start):
    client = start()
    events = client.ask("not known to anybody", stream=True).events
    assert len([event for event in events if isinstance(event, dict)]) > 5


def test_some_plain_answers_begin_with_blank_lines(start, sums):
    client = start(sums)
    bodies = [client.ask(question["question"]).body for question in sums]
    blank = [body for body in bodies if body.startswith(b"\n")]
    assert 0 < len(blank) < len(bodies) / 2
    assert all(json.loads(body)["choices"] for body in blank)


def test_answers_do_not_depend_on_order_concurrency_or_restart(start, sums):
    slugs = ["openrouter/auto", "sim/quill", "sim/finch-8b"]
    asked = [(slug, question["question"]) for slug in slugs for question in sums[::4]]

    def answer(client, slug, prompt):
        body = client.ask(prompt, slug, session=f"any-{slug}-{prompt}.r1").json
        return body["model"], body["choices"][0]["message"]["content"], body["usage"]["completion_tokens"]

    first, second = start(sums, seed=4), start(sums, seed=4)
    serial = [answer(first, *one) for one in asked]
    with ThreadPoolExecutor(8) as pool:
        parallel = list(pool.map(lambda one: answer(second, *one), reversed(asked)))
    assert serial == parallel[::-1]
    other = start(sums, seed=5)
    assert serial != [answer(other, *one) for one in asked]


def test_repeats_are_named_by_the_session_or_counted(start, sums):
    first, second = start(sums), start(sums)
    prompt = sums[41]["question"]
    named = [first.ask(prompt, session=f"a{n}.r{n}").json["usage"] for n in (2, 0, 1)]
    counted = [second.ask(prompt, session=f"session {n}").json["usage"] for n in range(3)]
    assert [named[1], named[2], named[0]] == counted
    again = second.ask(prompt, session="session 1").json["usage"]
    assert again == counted[2], "asked again in its session, a prompt is answered anew"


def test_bills_are_tokens_times_listed_price(start, sums):
    client = start(sums)
    listed = prices(client)
    for slug in ("sim/pebble-nano", "sim/colossus", "sim/abacus", "sim/finch-8b:free", "openrouter/auto"):
        body = client.ask(sums[50]["question"], slug).json
        cost = expected_cost(listed[body["model"]], body["usage"])
        assert body["usage"]["cost"] == float(cost)
        details = body["usage"]["cost_details"]
        parts = details["upstream_inference_prompt_cost"] + details["upstream_inference_completions_cost"]
        assert parts == pytest.approx(float(cost))


def test_a_long_prompt_is_cheaper_the_second_time(start):
    client = start()
    listed = prices(client)["sim/quill"]
    first, second = (client.ask("word " * 2000, session=f"{n}.r0").json["usage"] for n in "ab")
    assert first["prompt_tokens_details"]["cached_tokens"] == 0
    assert second["prompt_tokens_details"]["cached_tokens"] >= 1024
    assert second["cost"] == float(expected_cost(listed, second)) < first["cost"]
    short = [client.ask("word", session=f"{n}.r0").json["usage"] for n in "ab"]
    assert short[0] == short[1]


def test_prompts_above_the_limit_pay_the_overriding_price(start):
    client = start()
    override = prices(client)["sim/heron"]["overrides"][0]
    usage = client.ask("x" * 4 * (override["min_prompt_tokens"] + 10), "sim/heron").json["usage"]
    assert usage["prompt_tokens"] > override["min_prompt_tokens"]
    assert usage["cost"] == float(expected_cost(override, usage))


def test_an_answer_is_cut_at_the_token_limit(start, sums):
    client = start(sums)
    for stream in (False, True):
        answer = client.ask("unknown prompt", max_completion_tokens=5, stream=stream)
        usage = answer.events[-2]["usage"] if stream else answer.json["usage"]
        assert usage["completion_tokens"] == 5
        choice = answer.events[-3]["choices"][0] if stream else answer.json["choices"][0]
        assert choice["finish_reason"] == "length"
    thinking = client.ask(sums[0]["question"], "sim/abacus", max_completion_tokens=5).json
    assert thinking["choices"][0]["message"]["content"] == ""
    assert thinking["usage"]["completion_tokens_details"]["reasoning_tokens"] == 5


def test_a_prompt_beyond_the_context_is_400_or_falls_back(start):
    client = start()
    prompt = "x" * 4 * 40_000
    refused = client.ask(prompt, "sim/pebble-nano")
    assert refused.status == 400
    assert refused.json["error"]["metadata"]["error_type"] == "context_length_exceeded"
    body = client.ask(prompt, "sim/pebble-nano", models=["sim/quill"], headers=METADATA).json
    assert body["model"] == "sim/quill"
    assert body["openrouter_metadata"]["strategy"] == "fallback"


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[]",
        b'{"model":"sim/quill"}',
        b'{"model":"sim/quill","messages":[]}',
        b'{"model":"sim/quill","messages":["hello"]}',
        b'{"messages":[{"role":"user","content":"x"}]}',
        b'{"model":"sim/quill","messages":[{"role":"user","content":"x"}],"temperature":3}',
        b'{"model":"sim/quill","messages":[{"role":"user","content":"x"}],"max_tokens":0}',
        b'{"model":"sim/quill","messages":[{"role":"user","content":"x"}],"plugins":[{}]}',
        b'{"model":"sim/quill","messages":[{"role":"user","content":"x"}],"session_id":"%b"}' % (b"s" * 257),
        b'{"model":"nobody/nothing","messages":[{"role":"user","content":"x"}]}',
    ],
)
def test_a_request_that_cannot_be_read_is_400_with_the_documented_body(start, body):
    answer = start().post(body)
    error = answer.json["error"]
    assert answer.status == error["code"] == 400
    assert error["message"]
    assert error["metadata"]["error_type"] == "invalid_request"


def test_keys_are_wanted_and_checked(start):
    client = start(api_key="right")
    for path in ("/key", "/credits", "/generation?id=x"):
        assert client.get(path, {}).status == 401
    ask = {"model": "sim/quill", "messages": [{"role": "user", "content": "x"}]}
    assert client.post(ask, {}).json["error"]["message"] == "Missing Authentication header"
    for value in ("Bearer wrong", "Bearer ", "Basic right", "right"):
        assert client.post(ask, {"Authorization": value}).status == 401
    assert client.post(ask, {"Authorization": "Bearer right"}).status == 200
    open_to_all = start()
    assert open_to_all.post(ask, {"Authorization": "Bearer anything"}).status == 200
    assert open_to_all.post(ask, {"Authorization": "Bearer "}).status == 401
    assert client.get("/models", {}).status == 200


def test_the_catalogue_lists_models_free_variants_and_routers(start):
    client = start()
    page = client.get("/models").json
    rows = {row["id"]: row for row in page["data"]}
    assert page["total_count"] == len(rows)
    assert all(row["simulated"] and row["name"].startswith("Simulated: ") for row in rows.values())
    assert rows["openrouter/auto"]["pricing"] == {"prompt": "-1", "completion": "-1"}
    assert rows["sim/finch-8b:free"]["pricing"]["prompt"] == "0"
    assert rows["sim/quill"]["pricing"]["prompt"] == "0.000001"
    assert rows["sim/abacus"]["reasoning"]["mandatory"] is True
    assert "reasoning" not in rows["openrouter/auto"]
    assert len(client.get("/models?limit=3&offset=2").json["data"]) == 3


def test_endpoints_list_the_providers_of_a_model(start):
    client = start()
    page = client.get("/models/sim/quill/endpoints").json["data"]
    names = [endpoint["provider_name"] for endpoint in page["endpoints"]]
    assert page["id"] == "sim/quill"
    assert 2 <= len(names) <= 3
    assert client.get("/models/sim/none/endpoints").status == 404
    for wanted in (page["endpoints"][1]["tag"], names[1]):
        assert client.ask("hi", provider={"only": [wanted]}).json["provider"] == names[1]
    assert client.ask("hi", provider={"order": names[::-1]}).json["provider"] in names[-2:]
    refused = client.ask("hi", provider={"only": ["nobody"]}).json["error"]
    assert refused["availability"]["code"] == "constraint_filtered"


def test_key_and_credits_tell_what_was_used(start):
    client = start()
    cost = client.ask("hi").json["usage"]["cost"]
    assert client.ask("hi", "sim/finch-8b:free").json["usage"]["cost"] == 0
    key = client.get("/key").json["data"]
    assert key["usage"] == cost
    assert key["free_model_daily_requests"]["used"] == 1
    assert client.get("/credits").json["data"]["total_usage"] == cost


def test_unknown_paths_are_404_with_a_json_body(start):
    assert start().get("/nothing/here").json["error"]["code"] == 404


def test_a_generation_can_be_looked_up_after_its_lag(start, sums):
    late = start(sums, latency="1", generation_lag_s=60)
    name = late.ask("hi", "sim/pebble-nano").headers["x-generation-id"]
    assert late.get(f"/generation?id={name}").status == 404
    client = start(sums)
    answer = client.ask(sums[0]["question"], "openrouter/auto", session="mine.r0").json
    found = client.get(f"/generation?id={answer['id']}").json["data"]
    assert found["router"] == "openrouter/auto"
    assert found["total_cost"] == answer["usage"]["cost"]
    assert found["native_tokens_completion"] == answer["usage"]["completion_tokens"]
    assert found["provider_responses"][-1]["status"] == 200
    assert found["provider_responses"][-1]["model_permaslug"].startswith(answer["model"])
    assert found["session_id"] == "mine.r0"
    assert client.get("/generation?id=gen-none").status == 404


def test_the_dated_name_of_a_model_is_another_name_of_it(start):
    client = start()
    row = next(row for row in client.get("/models").json["data"] if row["id"] == "sim/quill")
    assert client.ask("hi", row["canonical_slug"]).json["model"] == "sim/quill"


def test_a_conversation_sticks_to_its_model_and_provider(start):
    client = start()
    tier = {"plugins": [{"id": "auto-router", "cost_tier": "max"}]}
    for number in range(12):
        prompts = [f"Translate the poem {number}", f"Prove the theorem {number}", f"Debug the code {number}"]
        served = {
            (body["model"], body["provider"])
            for body in (
                client.ask(prompt, "openrouter/auto", f"chat {number}", **tier).json for prompt in prompts
            )
        }
        assert len(served) == 1


def test_now_and_then_a_provider_fails_and_the_next_one_serves(start):
    client = start()
    tries = [
        client.ask(f"prompt {number}", headers=METADATA).json["openrouter_metadata"]["attempts"]
        for number in range(200)
    ]
    two = [attempts for attempts in tries if len(attempts) == 2]
    assert 0 < len(two) < 20
    assert all(attempts[0]["status"] >= 400 and attempts[1]["status"] == 200 for attempts in two)


def test_stats_count_requests_sessions_and_double_bills(start):
    client = start()
    bodies = [client.ask("hi", session=session).json for session in ("a", "a", "b")]
    bodies += [client.ask("hi", session=None).json for _ in range(2)]
    client.ask("hi", "nobody/nothing", session="b")
    stats = client.stats()
    assert stats["by_status"] == {"200": 5, "400": 1}
    assert stats["distinct_sessions"] == 2
    assert stats["double_bills"] == stats["rebilled"] == 1
    assert stats["billed_usd"] == pytest.approx(sum(body["usage"]["cost"] for body in bodies))
    assert stats["by_model"] == {"sim/quill": 5}
    assert stats["in_flight"] == stats["billed_undelivered"] == 0
    assert client.get("/__stats").json == stats


def test_the_session_may_come_in_a_header_and_the_body_goes_before_it(start, sums):
    client = start(sums)
    prompts = [question["question"] for question in sums[40:60]]

    def told(session, header):
        headers = {} if header is None else {"X-Session-Id": header}
        return [client.ask(prompt, session=session, headers=headers).text for prompt in prompts]

    assert told(None, "h.r1") == told("b.r1", None) == told("b.r1", "h.r0") != told("b.r0", None)


def test_waiting_streams_show_signs_of_life_and_then_pace_the_answer(start):
    client = start(latency="1")
    models = {"sim/marble": 1, "sim/pebble-nano": 0}
    for model, comments in models.items():
        began = time.perf_counter()
        answer = client.ask("hi", model, headers=METADATA, stream=True)
        took = time.perf_counter() - began
        metadata = answer.events[-2]["openrouter_metadata"]
        assert took >= metadata["generation_time"] / 1000 * 0.95
        assert answer.body.count(b": OPENROUTER PROCESSING") - 1 >= comments


def test_answers_take_their_time_and_overlap(start):
    client = start(latency="fixed:0.3")
    threads = [threading.Thread(target=client.ask, args=(f"prompt {n}",)) for n in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert client.stats()["in_flight_peak"] == 5


@pytest.mark.parametrize("latency", ["slow", "-1", "fixed:", "nan", "fixed:inf", "about:1"])
def test_a_latency_that_is_none_is_refused(latency):
    with pytest.raises(SettingsError, match="--latency"):
        create_app(GatewayOptions(latency=latency))
