"""What is sent: the body in its order, the digests that name a trial, the headers."""

import hashlib
from typing import Any

import msgspec
import pytest

from routemark.records import Arm, Question, Trial
from routemark.wire.arms import parse_arm
from routemark.wire.request import (
    RequestOptions,
    body,
    encode,
    encode_shared,
    headers,
    letter,
    plan_digest,
    prompt_messages,
    question_digest,
    request_sha256,
    trial_key,
)

QUESTION = Question(id="q1", difficulty="easy", question="What is 2 + 2?")
AUTO = parse_arm("openrouter/auto?cost_tier=low")
OPTIONS = RequestOptions()


def trial(question: Question = QUESTION, arm: Arm = AUTO) -> Trial:
    return Trial(key="k", question=question, arm=arm, repeat=0, session_id="s-1")


def test_the_body_of_a_router_arm_in_its_order() -> None:
    assert encode(trial(), OPTIONS) == (
        b'{"model":"openrouter/auto","messages":[{"role":"user","content":"What is 2 + 2?"}],'
        b'"stream":true,"max_completion_tokens":16384,'
        b'"plugins":[{"id":"auto-router","cost_tier":"low"},{"id":"context-compression","enabled":false}],'
        b'"session_id":"s-1"}'
    )


def test_the_body_of_a_fixed_arm_with_everything() -> None:
    arm = parse_arm("a/b?models=c/d&seed=7&provider.order=p")
    sent = body(QUESTION, arm, RequestOptions(max_tokens=5, temperature=0.0, stream=False))
    assert list(sent) == [
        "model", "models", "messages", "stream", "max_completion_tokens", "temperature", "plugins", "seed",
        "provider",
    ]  # fmt: skip
    assert sent["stream"] is False
    assert sent["temperature"] == 0.0
    assert sent["plugins"] == [{"id": "context-compression", "enabled": False}]


def test_what_is_not_set_is_not_sent() -> None:
    sent = body(QUESTION, parse_arm("a/b"), RequestOptions(max_tokens=None))
    assert not {"max_completion_tokens", "temperature", "models", "usage", "stream_options"} & set(sent)


def test_an_arms_own_setting_beats_the_runs() -> None:
    sent = body(QUESTION, parse_arm("a/b?max_tokens=9&temperature=1"), RequestOptions(temperature=0.5))
    assert (sent["max_completion_tokens"], sent["temperature"]) == (9, 1.0)


@pytest.mark.parametrize(
    ("text", "choices", "appended"),
    [
        ("Which?", ["Red", "Blue"], True),
        ("Which: Red or Blue?", ["Red", "Blue"], False),
        ("Which?\nA. Red\nB. Blue", ["Red", "Blue"], False),
        ("Which: Blue or Red?", ["Red", "Blue"], True),
        ("Which: Redwood or Blue?", ["Red", "Blue"], True),
        ("What is 3 + 4?", ["3", "4", "7"], True),
        ("Which? (a+b)* or a|b", ["(a+b)*", "a|b"], False),
    ],
)
def test_choices_are_appended_unless_they_stand_there(text: str, choices: list[str], appended: bool) -> None:
    question = Question(id="q", difficulty="e", question=text, choices=choices)
    content = prompt_messages(question)[-1]["content"]
    letters = "\n".join(f"{letter(i)}. {choice}" for i, choice in enumerate(choices))
    assert content == (f"{text}\n\n{letters}" if appended else text)


def test_choices_join_the_last_user_message() -> None:
    parts: list[dict[str, Any]] = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": [{"type": "text", "text": "Which?"}]},
        {"role": "assistant", "content": "Hm."},
    ]
    question = Question(id="q", difficulty="e", question="Which?", messages=parts, choices=["X", "Y"])
    sent = prompt_messages(question)
    assert sent[1]["content"] == [{"type": "text", "text": "Which?"}, {"type": "text", "text": "A. X\nB. Y"}]
    assert sent[0] is parts[0]
    assert parts[1]["content"] == [{"type": "text", "text": "Which?"}]


def test_letters_go_on_after_z() -> None:
    assert [letter(i) for i in (0, 25, 26, 51, 52, 701, 702)] == ["A", "Z", "AA", "AZ", "BA", "ZZ", "AAA"]


def test_a_lone_surrogate_in_a_question_is_sent_as_a_replacement() -> None:
    question = Question(id="q", difficulty="e", question="a\ud800b\x00")
    assert msgspec.json.decode(encode(trial(question), OPTIONS))["messages"][0]["content"] == "a�b\x00"
    assert len(question_digest(question)) == 32


def test_the_request_hash_leaves_the_session_out() -> None:
    shared = encode_shared(QUESTION, AUTO, OPTIONS)
    assert b"session_id" not in shared
    assert request_sha256(shared) == hashlib.sha256(shared).hexdigest()
    assert msgspec.json.decode(encode(trial(), OPTIONS)) == {
        **msgspec.json.decode(shared),
        "session_id": "s-1",
    }


def test_a_key_is_24_hex_digits_and_stays_what_it_is() -> None:
    key = trial_key(question_digest(QUESTION), plan_digest(AUTO, OPTIONS), "q1", AUTO.name, 0)
    assert len(key) == 24
    int(key, 16)
    assert key == "a552f9cdc71a165c8d27b717"


def test_a_key_changes_with_everything_that_names_a_trial() -> None:
    def key(
        question: Question = QUESTION, arm: Arm = AUTO, options: RequestOptions = OPTIONS, n: int = 0
    ) -> str:
        return trial_key(question_digest(question), plan_digest(arm, options), question.id, arm.name, n)

    other = msgspec.structs.replace
    keys = [
        key(),
        key(n=1),
        key(other(QUESTION, id="q2")),
        key(other(QUESTION, question="What is 2 + 3?")),
        key(other(QUESTION, choices=["4", "5"])),
        key(arm=other(AUTO, name="other")),
        key(arm=other(AUTO, plugin={"id": "auto-router", "cost_tier": "high"})),
        key(arm=other(AUTO, models=["a/b"])),
        key(arm=other(AUTO, body={"seed": 1})),
        key(options=RequestOptions(max_tokens=1)),
        key(options=RequestOptions(temperature=0.0)),
        key(options=RequestOptions(stream=False)),
    ]
    assert len(set(keys)) == len(keys)
    assert key(other(QUESTION, reference="4", difficulty="hard")) == key()


def test_headers_ask_for_metadata_and_for_no_cached_answer() -> None:
    sent = headers("sk-secret")
    assert sent["Authorization"] == "Bearer sk-secret"
    assert sent["X-OpenRouter-Metadata"] == "enabled"
    assert sent["X-OpenRouter-Cache"] == "false"
    assert sent["X-OpenRouter-Title"] == "Routemark"
    assert sent["Content-Type"] == "application/json"
    assert sent["HTTP-Referer"].startswith("https://")
    assert sent["User-Agent"].startswith("routemark/")
    assert "Authorization" not in headers(None)
