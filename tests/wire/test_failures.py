"""Every refusal gets its kind from a table, whatever shape the error has."""

import json
from email.utils import parsedate_to_datetime
from typing import Any

import pytest

from routemark.errors import RULES, FailureKind
from routemark.wire.failures import STATUS_OF_TYPE, Head, Ids, Refusal, plain_kind, refusal, refusal_in_200

K = FailureKind
NOW = 1_790_000_000.0


def read(status: int, body: Any = None, **headers: str) -> Refusal:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return refusal(Head(status, named, NOW), data)


def error(message: str = "m", code: Any = None, availability: Any = None, **metadata: Any) -> dict[str, Any]:
    return {
        "error": {"code": code, "message": message, "metadata": metadata, "availability": availability},
        "user_id": "u",
    }


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (301, K.REDIRECT), (302, K.REDIRECT), (308, K.REDIRECT), (304, K.REDIRECT),
        (400, K.BAD_REQUEST), (401, K.BAD_KEY), (402, K.NO_CREDIT), (403, K.FORBIDDEN), (404, K.NO_ENDPOINT),
        (408, K.REQUEST_TIMEOUT), (413, K.TOO_LARGE), (422, K.UNPROCESSABLE), (429, K.RATE_LIMIT_PROVIDER),
        (500, K.SERVER_ERROR), (502, K.BAD_GATEWAY), (503, K.UNAVAILABLE), (504, K.GATEWAY_TIMEOUT),
        (524, K.EDGE_TIMEOUT), (529, K.OVERLOADED), (520, K.SERVER_ERROR), (599, K.SERVER_ERROR),
        (405, K.UNKNOWN_STATUS), (409, K.UNKNOWN_STATUS), (412, K.UNKNOWN_STATUS), (418, K.UNKNOWN_STATUS),
        (204, K.UNKNOWN_STATUS),
    ],
)  # fmt: skip
def test_a_status_alone_has_a_kind_and_its_rule_says_whether_to_ask_again(status: int, kind: K) -> None:
    bodies: list[Any] = [error(code=status), error(code=str(status)), {}, [], b"", b"<html>oops</html>", None]
    for body in bodies:
        read_ = read(status, body)
        assert (read_.kind, read_.status) == (kind, status)
        assert read_.retryable == RULES[kind].retried
    assert RULES[kind].retried == (status in {408, 429} or status >= 500)


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, error(error_type="context_length_exceeded"), K.CONTEXT_TOO_LONG),
        (400, error("This endpoint's maximum context length is 8192 tokens"), K.CONTEXT_TOO_LONG),
        (400, error(error_type="max_tokens_exceeded"), K.CONTEXT_TOO_LONG),
        (400, error("x/y is not a valid model ID", code=400), K.UNKNOWN_MODEL),
        (400, error(availability={"code": "model_not_found", "retryable": False}), K.UNKNOWN_MODEL),
        (400, error(availability={"code": "wrong_endpoint", "retryable": False}), K.BAD_REQUEST),
        (400, error(error_type="invalid_request"), K.BAD_REQUEST),
        (400, error(error_type="content_policy_violation"), K.MODERATION),
        (400, {"error": {"error_type": "context_length_exceeded", "http_status": 400}}, K.CONTEXT_TOO_LONG),
        (400, {"error": {"code": "context_length_exceeded", "message": "m"}}, K.CONTEXT_TOO_LONG),
        (402, error("Insufficient credits", code=402), K.NO_CREDIT),
        (402, error(limit_source="openrouter_key_limit"), K.KEY_LIMIT),
        (402, error("Key limit exceeded"), K.KEY_LIMIT),
        (402, error(limit_source="openrouter_in_flight_budget", reason="in_flight_budget_exhausted"),
         K.IN_FLIGHT_BUDGET),
        (402, error(limit_source="openrouter_credits", reason="weight_exceeds_budget"), K.REQUEST_TOO_DEAR),
        (402, error(limit_source="openrouter_credits"), K.NO_CREDIT),
        (403, error("Blocked by guardrail", patterns=["p"]), K.GUARDRAIL),
        (403, error("Request blocked by a guardrail"), K.GUARDRAIL),
        (403, error("Input was flagged", reasons=["violence"], flagged_input="..."), K.MODERATION),
        (403, error("Your input was flagged"), K.MODERATION),
        (403, error("Only management keys"), K.FORBIDDEN),
        (403, error("Workspace budget exceeded"), K.KEY_LIMIT),
        (403, error("Key limit exceeded (total limit)"), K.KEY_LIMIT),
        (403, error(availability={"code": "region_restricted", "retryable": False}), K.NO_ENDPOINT),
        (404, error(availability={"code": "no_endpoints", "retryable": False}), K.NO_ENDPOINT),
        (404, error(availability={"code": "constraint_filtered", "retryable": False}), K.NO_ENDPOINT),
        (404, error(availability={"code": "privacy_restricted"}), K.NO_ENDPOINT),
        (404, error(availability={"code": "model_deprecated"}), K.MODEL_GONE),
        (404, error(availability={"code": "model_unavailable_upstream"}), K.MODEL_GONE),
        (404, error(availability={"code": "free_variant_ended"}), K.MODEL_GONE),
        (404, error("No models match your request and model restrictions"), K.NO_ENDPOINT),
        (429, error(error_type="rate_limit_exceeded", provider_name="P"), K.RATE_LIMIT_PROVIDER),
        (429, error(headers={"X-RateLimit-Limit": "20"}), K.RATE_LIMIT_PLATFORM),
        (503, error(error_type="provider_overloaded"), K.UNAVAILABLE),
        (500, error(error_type="context_length_exceeded"), K.SERVER_ERROR),
    ],
)  # fmt: skip
def test_what_the_body_says_refines_the_kind(status: int, body: Any, kind: K) -> None:
    assert read(status, body).kind is kind


def test_only_the_platforms_own_limit_carries_rate_limit_headers() -> None:
    assert read(429, error(), x_ratelimit_limit="20", x_ratelimit_remaining="0").kind is K.RATE_LIMIT_PLATFORM
    assert read(429, error(), retry_after="3").kind is K.RATE_LIMIT_PROVIDER


@pytest.mark.parametrize("status", [429, 503])
def test_the_gateway_can_deny_that_asking_again_helps(status: int) -> None:
    assert not read(status, error(availability={"retryable": False})).retryable
    assert read(status, error(availability={"retryable": True})).retryable
    assert read(status, error(availability={"code": "new"})).retryable


def test_the_gateway_cannot_make_a_final_kind_asked_again() -> None:
    assert not read(404, error(availability={"retryable": True})).retryable


@pytest.mark.parametrize(
    ("headers", "in_body", "wait"),
    [
        ({"retry_after": "7"}, None, 7.0),
        ({"retry_after": " 1.5 "}, None, 1.5),
        ({"retry_after": "0"}, None, 0.0),
        ({"retry_after": "7"}, 40, 40.0),
        ({"retry_after": "70"}, 40, 70.0),
        ({}, "12", 12.0),
        ({}, None, None),
        ({"retry_after": "-3"}, None, None),
        ({"retry_after": "soon"}, None, None),
        ({"retry_after": "nan"}, None, None),
        ({"retry_after": "1e999"}, None, None),
        ({"retry_after": ""}, None, None),
        ({"retry_after": "Mon, 21 Sep 2026 14:14:20 GMT"}, None, 60.0),
        (
            {"retry_after": "Mon, 21 Sep 2026 14:14:20 GMT", "date": "Mon, 21 Sep 2026 14:14:10 GMT"},
            None,
            10.0,
        ),
        ({"retry_after": "Mon, 21 Sep 2020 14:14:20 GMT"}, None, 0.0),
        ({"retry_after": "Mon, 99 Sep 2026 14:14:20 GMT"}, None, None),
    ],
)
def test_the_larger_wait_asked_for_counts(headers: dict[str, str], in_body: Any, wait: float | None) -> None:
    assert read(429, error(availability={"retry_after": in_body}), **headers).retry_after_s == wait


def test_ids_are_kept() -> None:
    got = read(502, error(), x_generation_id="gen-1", x_request_id="req-1", cf_ray="ray-1")
    assert got.ids == Ids(generation_id="gen-1", request_id="req-1", cf_ray="ray-1")
    assert len(read(502, error(), cf_ray="x" * 9000).ids.cf_ray or "") == 256


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (error("Provider returned error", provider_name="P", raw="upstream said no"),
         "Provider returned error: P: upstream said no"),
        (b"<html><head><title>502 Bad\n Gateway</title></head><body>x</body></html>", "not JSON: 502 Bad Gateway"),
        (b"plain words", "not JSON: plain words"),
        (b"", "empty body"),
        ({"error": "just words"}, "just words"),
        ({"message": "top level"}, "top level"),
        ({"detail": "elsewhere"}, "elsewhere"),
        ({"error": {"message": 5}}, "no message"),
        ({"error": [1, 2]}, "no message"),
        ([], "no message"),
        (b'{"error":{"message":"\\ud800 \\u0000"}}', "� \x00"),
    ],
)  # fmt: skip
def test_the_message_is_in_the_gateways_words(body: Any, message: str) -> None:
    assert read(502, body).message == message


def test_cost_of_a_refusal_is_kept_unless_negative() -> None:
    assert read(502, {**error(), "usage": {"cost": "0.5"}}).cost_usd == 0.5
    assert read(502, {**error(), "usage": {"cost": -1}}).cost_usd is None


# --------------------------------------------------------------------------- inside a 200


def read_200(value: Any, begun: K | None = None) -> Refusal:
    return refusal_in_200(value, Head(200, {}, NOW), begun=begun)


@pytest.mark.parametrize(
    ("value", "kind", "begun_kind"),
    [
        ({"code": 502, "message": "m"}, K.BAD_GATEWAY, K.STREAM_ERROR),
        ({"code": "503", "message": "m"}, K.UNAVAILABLE, K.STREAM_ERROR),
        ({"code": 429, "message": "m"}, K.RATE_LIMIT_PROVIDER, K.RATE_LIMIT_PROVIDER),
        ({"code": "rate_limit_exceeded"}, K.RATE_LIMIT_PROVIDER, K.RATE_LIMIT_PROVIDER),
        ({"code": 400, "message": "m"}, K.BAD_REQUEST, K.BAD_REQUEST),
        ({"code": 401}, K.BAD_KEY, K.BAD_KEY),
        (
            {"http_status": 402, "metadata": {"limit_source": "openrouter_key_limit"}},
            K.KEY_LIMIT,
            K.KEY_LIMIT,
        ),
        ({"metadata": {"error_type": "context_length_exceeded"}}, K.CONTEXT_TOO_LONG, K.CONTEXT_TOO_LONG),
        ({"error_type": "provider_unavailable"}, K.BAD_GATEWAY, K.STREAM_ERROR),
        ({"error_type": "timeout", "http_status": "504"}, K.GATEWAY_TIMEOUT, K.STREAM_ERROR),
        ({"message": "no code"}, K.PROVIDER_ERROR, K.STREAM_ERROR),
        ({"code": 200}, K.PROVIDER_ERROR, K.STREAM_ERROR),
        ({"code": {"a": 1}}, K.PROVIDER_ERROR, K.STREAM_ERROR),
        ("words", K.PROVIDER_ERROR, K.STREAM_ERROR),
    ],
)
def test_an_error_inside_a_200_counts_as_the_status_it_names(value: Any, kind: K, begun_kind: K) -> None:
    assert (read_200(value).kind, read_200(value).status) == (kind, 200)
    assert read_200(value, begun=K.STREAM_ERROR).kind is begun_kind


def test_every_error_type_stands_for_a_status_with_a_kind() -> None:
    for error_type, status in STATUS_OF_TYPE.items():
        got = read_200({"metadata": {"error_type": error_type}})
        assert got.retryable == RULES[plain_kind(status)].retried, error_type


RESET_IN_MS = {"x_ratelimit_reset": str(int(NOW * 1000) + 12_500)}


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        (RESET_IN_MS, 12.5),
        ({"x_ratelimit_reset": str(int(NOW) + 40)}, 40.0),
        ({"x_ratelimit_reset": "7"}, 7.0),
        ({"x_ratelimit_reset": str(int(NOW * 1000) - 5000)}, 0.0),
        ({"x_ratelimit_reset": str(int(NOW * 1000) + 12_500), "retry_after": "3"}, 3.0),
        ({"x_ratelimit_reset": "soon"}, None),
        ({"x_ratelimit_reset": "-5"}, None),
        ({"x_ratelimit_reset": str(int(NOW * 1_000_000))}, None),  # microseconds: the year 58,000
        ({"x_ratelimit_reset": "900000000"}, None),
        ({"x_ratelimit_limit": "20"}, None),
    ],
)
def test_a_platform_limit_without_retry_after_is_waited_for_until_its_reset(
    headers: dict[str, str], wait: float | None
) -> None:
    read_ = read(429, error(), **headers)
    assert (read_.kind, read_.retry_after_s) == (K.RATE_LIMIT_PLATFORM, wait)


def test_a_reset_is_measured_from_the_gateways_own_clock() -> None:
    date = "Mon, 21 Sep 2026 13:00:00 GMT"
    until = 1_790_010_000 - 7200 + 30  # what the clock here says does not matter
    assert read(429, error(), date=date, x_ratelimit_reset=str(until)).retry_after_s == pytest.approx(
        until - parsedate_to_datetime(date).timestamp()
    )


def test_a_reset_that_the_body_repeats_counts_too() -> None:
    body = error(headers={"X-RateLimit-Reset": str(int(NOW * 1000) + 9000), "X-RateLimit-Limit": "20"})
    read_ = read(429, body)
    assert (read_.kind, read_.retry_after_s) == (K.RATE_LIMIT_PLATFORM, 9.0)


def test_a_reset_means_nothing_beside_another_kind() -> None:
    assert read(503, error(), **RESET_IN_MS).retry_after_s is None
