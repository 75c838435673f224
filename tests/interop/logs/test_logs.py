"""Logs of every kind become questions: what was asked, once, anonymous, and a fair sample of it."""

import csv
import json
import tracemalloc
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routemark import graders, questions
from routemark.errors import UsageError
from routemark.interop.logs import otel, sampling
from routemark.interop.logs.making import Wish, in_words, make
from routemark.interop.logs.reading import NAMES, kind_of, read
from routemark.interop.logs.requests import Left, Request, request, text_of

CHAT = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "What is 17 + 4?"}]
REPLY = {"id": "c", "model": "gpt-x-2026", "choices": [{"message": {"role": "assistant", "content": "21"}, "finish_reason": "stop"}]}  # fmt: skip


def lines(path, *rows):
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    return path


def only(path, kind=None):
    """Give the one request of a log."""
    (found,) = read(path, kind or kind_of(path))
    return found


def made(path, tmp_path, **wished):
    output = tmp_path / "questions.jsonl"
    done = make(path, output, Wish(**{"n": 100, **wished}))
    return done, list(questions.load(output))


# --------------------------------------------------------------------------- kinds


@pytest.mark.parametrize(
    ("row", "model", "answer"),
    [
        ({"model": "gpt-x", "messages": CHAT}, "gpt-x", None),
        ({"messages": [*CHAT, {"role": "assistant", "content": "21"}]}, None, "21"),
        ({"request": {"model": "gpt-x", "messages": CHAT}, "response": REPLY}, "gpt-x-2026", "21"),
        ({"request": json.dumps({"messages": CHAT}), "response": json.dumps(REPLY)}, "gpt-x-2026", "21"),
        ({"custom_id": "1", "method": "POST", "url": "/v1/chat/completions", "body": {"model": "gpt-x", "messages": CHAT}}, "gpt-x", None),
        ({"model": "gpt-x", "instructions": "Be brief.", "input": "What is 17 + 4?", "output": [{"type": "message", "content": [{"type": "output_text", "text": "21"}]}]}, "gpt-x", "21"),
        ({"messages": [CHAT[0], {"role": "user", "content": [{"type": "text", "text": "What is 17 + 4?"}]}], "completion": "21"}, None, "21"),
    ],
)  # fmt: skip
def test_chat_logs(tmp_path, row, model, answer):
    path = lines(tmp_path / "log.jsonl", row)
    assert kind_of(path) == "chat"
    found = only(path)
    assert found.messages == CHAT
    assert (found.model, found.answer) == (model, answer)


SPEND = {
    "request_id": "r", "call_type": "acompletion", "api_key": "88dc28", "spend": 0.1, "total_tokens": 5, "model": "gpt-x",
    "model_group": "smart", "messages": "{}", "response": json.dumps(REPLY), "startTime": "2026-01-01T00:00:00Z",
    "proxy_server_request": json.dumps({"model": "smart", "messages": CHAT, "user": "u-1"}),
}  # fmt: skip


@pytest.mark.parametrize("shape", ["lines", "list", "csv", "page"])
def test_spend_logs_of_litellm(tmp_path, shape):
    path = tmp_path / ("log.csv" if shape == "csv" else "log.json")
    if shape == "lines":
        lines(path, SPEND)
    elif shape == "csv":
        with path.open("w", newline="") as file:
            table = csv.DictWriter(file, SPEND)
            table.writeheader()
            table.writerow(SPEND)
    else:
        path.write_text(json.dumps([SPEND] if shape == "list" else {"data": [SPEND], "total": 1}, indent=1))
    assert kind_of(path) == "litellm"
    assert only(path) == Request(CHAT, "21", "gpt-x", "smart")


def test_spend_logs_without_prompts_or_with_cut_ones_are_left_out(tmp_path):
    cut = {"messages": [{"role": "user", "content": "a... (litellm_truncated skipped 9 chars) ...b"}]}
    path = lines(
        tmp_path / "log.jsonl",
        {**SPEND, "proxy_server_request": "{}"},
        {**SPEND, "proxy_server_request": json.dumps(cut)},
        {**SPEND, "call_type": "aembedding"},
        {**SPEND, "proxy_server_request": {}, "messages": CHAT},
    )
    found = list(read(path, "litellm"))
    assert [each.reason for each in found if isinstance(each, Left)] == ["no prompt", "cut off", "no prompt"]
    assert found[3].messages == CHAT


@pytest.mark.parametrize(
    "row",
    [
        {"id": "o", "traceId": "t", "type": "GENERATION", "name": "n", "traceName": "support", "model": "gpt-x", "input": CHAT, "output": {"role": "assistant", "content": "21"}},
        {"id": "o", "trace_id": "t", "type": "GENERATION", "trace_name": "support", "provided_model_name": "gpt-x", "input": json.dumps({"messages": CHAT}), "output": "21"},
        {"id": "o", "traceId": "t", "type": "GENERATION", "name": "support", "model": "gpt-x", "input": json.dumps(CHAT), "output": json.dumps(REPLY)},
    ],
)  # fmt: skip
@pytest.mark.parametrize("shape", ["lines", "list", "page", "trace"])
def test_exports_of_langfuse(tmp_path, row, shape):
    span = {**row, "type": "SPAN"}
    path = tmp_path / "export.json"
    if shape == "lines":
        lines(path, row, span)
    else:
        wrapped = {
            "list": [row, span],
            "page": {"data": [row, span], "meta": {}},
            "trace": {"trace": {"id": "t", "input": "{}"}, "observations": [row, span], "scores": []},
        }
        path.write_text(json.dumps(wrapped[shape]))
    assert kind_of(path) == "langfuse"
    found = list(read(path, "langfuse"))
    assert found == [Request(CHAT, "21", "gpt-x", "support"), Left("no prompt")]


def attribute(name, value):
    if isinstance(value, str):
        return {"key": name, "value": {"stringValue": value}}
    if isinstance(value, list):
        return {
            "key": name,
            "value": {"arrayValue": {"values": [attribute("", each)["value"] for each in value]}},
        }
    pairs = [attribute(key, each) for key, each in value.items()]
    return {"key": name, "value": {"kvlistValue": {"values": pairs}}}


PARTS = [{"role": each["role"], "parts": [{"type": "text", "content": each["content"]}]} for each in CHAT]
OUT = [{"role": "assistant", "parts": [{"type": "text", "content": "21"}], "finish_reason": "stop"}]
NAMES_OF_MODELS = {
    "gen_ai.request.model": "auto",
    "gen_ai.response.model": "gpt-x",
    "gen_ai.operation.name": "chat",
}


def export(attributes, events=()):
    span = {
        "name": "chat auto",
        "attributes": [attribute(name, value) for name, value in attributes.items()],
        "events": [
            {"name": name, "attributes": [attribute(*each) for each in of.items()]} for name, of in events
        ],
    }
    other = {"name": "GET /", "attributes": [attribute("http.method", "GET")]}
    return {
        "resourceSpans": [
            {"resource": {"attributes": [attribute("service.name", "shop")]}, "scopeSpans": [{"spans": [other, span]}]}
        ]
    }  # fmt: skip


SPANS = {
    "json on the span": export({**NAMES_OF_MODELS, "gen_ai.input.messages": json.dumps(PARTS), "gen_ai.output.messages": json.dumps(OUT)}),
    "structured": export({**NAMES_OF_MODELS, "gen_ai.input.messages": PARTS, "gen_ai.output.messages": OUT}),
    "instructions apart": export({**NAMES_OF_MODELS, "gen_ai.system_instructions": json.dumps(PARTS[0]["parts"]), "gen_ai.input.messages": json.dumps(PARTS[1:]), "gen_ai.output.messages": json.dumps(OUT)}),
    "on an event": export(NAMES_OF_MODELS, [("gen_ai.client.inference.operation.details", {"gen_ai.input.messages": json.dumps(PARTS), "gen_ai.output.messages": json.dumps(OUT)})]),
    "an event each": export(NAMES_OF_MODELS, [("gen_ai.system.message", {"content": "Be brief."}), ("gen_ai.user.message", {"content": CHAT[1]["content"]}), ("gen_ai.choice", {"message": json.dumps({"role": "assistant", "content": "21"})})]),
    "numbered": export({**NAMES_OF_MODELS, "gen_ai.prompt.0.role": "system", "gen_ai.prompt.0.content": "Be brief.", "gen_ai.prompt.1.role": "user", "gen_ai.prompt.1.content": CHAT[1]["content"], "gen_ai.completion.0.role": "assistant", "gen_ai.completion.0.content": "21"}),
}  # fmt: skip


@pytest.mark.parametrize("row", SPANS.values(), ids=SPANS)
@pytest.mark.parametrize("indent", [None, 2])
def test_spans_of_opentelemetry(tmp_path, row, indent):
    path = tmp_path / "traces.json"
    path.write_text(json.dumps(row, indent=indent) + "\n")
    assert kind_of(path) == "otel"
    assert only(path) == Request(CHAT, "21", "gpt-x", "shop")


def test_log_records_of_opentelemetry_and_several_exports(tmp_path):
    record = {"eventName": "gen_ai.client.inference.operation.details", "attributes": [attribute("gen_ai.input.messages", PARTS)]}  # fmt: skip
    logs = {"resourceLogs": [{"scopeLogs": [{"logRecords": [record, {"body": {"stringValue": "x"}}]}]}]}
    path = lines(tmp_path / "t.jsonl", SPANS["structured"], logs, export(NAMES_OF_MODELS))
    found = list(read(path, kind_of(path)))
    assert [each.messages if isinstance(each, Request) else each.reason for each in found] == [
        CHAT,
        CHAT,
        "no prompt",
    ]


def told_of(span, name, body, *, in_attribute=False):
    """Give a log record that tells one message of a span."""
    named = {"attributes": [attribute("event.name", name)]} if in_attribute else {"eventName": name}
    return {"traceId": "t", "spanId": span, "body": attribute("", body)["value"], **named}


@pytest.mark.parametrize("in_attribute", [False, True])
def test_log_records_of_one_span_are_one_request(in_attribute):
    asked = [("a", "What is 3 * 7?"), ("b", "What is 4 * 7?")]
    records = [
        told_of(span, f"gen_ai.{role}.message", {"content": text}, in_attribute=in_attribute)
        for role in ("system", "user")
        for span, text in (asked if role == "user" else [("a", "Be brief."), ("b", "Be brief.")])
    ] + [
        told_of("a", "gen_ai.choice", {"message": {"role": "assistant", "content": "21"}}),
        told_of("c", "gen_ai.choice", {"message": {"role": "assistant", "content": "nothing was asked"}}),
        told_of("d", "gen_ai.user.message", {}),
        told_of("e", "gen_ai.assistant.message", {"tool_calls": [{"id": "1"}]}),
        told_of("f", "another.event", {"content": "x"}),
        told_of("", "gen_ai.user.message", {"content": "of no span"}),
    ]
    found = list(otel.read({"resourceLogs": [{"scopeLogs": [{"logRecords": records}]}]}))
    briefly = {"role": "system", "content": "Be brief."}
    assert found == [
        Request([briefly, {"role": "user", "content": asked[0][1]}], "21"),
        Request([briefly, {"role": "user", "content": asked[1][1]}]),
        Left("no prompt"),
        Left("tools"),
    ]


# --------------------------------------------------------------------------- what cannot be asked again


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"messages": CHAT, "tools": [{"type": "function"}]}, "tools"),
        (
            {
                "messages": [
                    *CHAT,
                    {"role": "assistant", "tool_calls": [{}]},
                    {"role": "tool", "content": "x"},
                ]
            },
            "tools",
        ),
        (
            {
                "messages": [
                    {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:"}}]}
                ]
            },
            "files",
        ),
        ({"messages": [{"role": "user", "parts": [{"type": "blob", "content": "aGk="}]}]}, "files"),
        ({"messages": []}, "no prompt"),
        ({"messages": [{"role": "system", "content": "x"}]}, "no prompt"),
        ({"messages": [{"role": "user", "content": "  "}]}, "no prompt"),
        ({"messages": [{"role": "wizard", "content": "x"}]}, "no prompt"),
        ({"messages": [7]}, "no prompt"),
        ({"messages": {"messages": {"messages": []}}}, "no prompt"),
        (7, "no prompt"),
        ({"prompt": "a" * (1 << 20) + "b"}, "too long"),
    ],
)
def test_a_request_that_is_more_than_texts_is_left_out_with_its_reason(body, reason):
    assert request(body) == Left(reason)


def test_other_names_of_roles_and_reasoning_are_understood():
    found = request([{"type": "human", "content": "Q?"}, {"role": "ai", "content": [{"type": "thinking", "thinking": "h"}, {"type": "text", "text": "A"}]}])  # fmt: skip
    assert found == Request([{"role": "user", "content": "Q?"}], "A")


def test_an_answer_nested_without_end_is_none():
    deep = "x"
    for _ in range(300):
        deep = {"output": deep}
    assert text_of(deep) == ""


def test_rows_left_out_are_counted_and_the_first_unreadable_is_named(tmp_path):
    path = lines(tmp_path / "log.jsonl", {"messages": CHAT}, {"messages": CHAT, "tools": [1]})
    with path.open("a") as file:
        file.write('{"messages": \n' + "[" * 100_000 + "\n7\n")
    done, found = made(path, tmp_path)
    assert (done.requests, done.different, len(found)) == (5, 1, 1)
    assert done.left == {"tools": 1, "unreadable": 3}
    assert done.first_unreadable.startswith("line 3: not valid JSON")
    told = " ".join(in_words(done))
    assert "3 that could not be read; 1 with tools, which a question cannot hold" in told


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "not a log that is known"),
        ("a,b\n1,2\n", "not a log that is known"),
        ('{"x": 1}\n', "not a log that is known"),
        ('{"messages": []}\n', "no request in it can be asked again: 1 without a prompt"),
        ("\x00\x01", "not a log that is known"),
    ],
)
def test_a_file_that_is_no_log_is_told(tmp_path, content, says):
    path = tmp_path / "log.jsonl"
    path.write_text(content)
    with pytest.raises(UsageError, match=says):
        made(path, tmp_path)
    with pytest.raises(UsageError, match="no such file"):
        made(tmp_path / "none.jsonl", tmp_path)


def test_the_kind_can_be_forced_and_must_exist(tmp_path):
    path = lines(tmp_path / "log.jsonl", {"prompt": "Q?", "traceId": "t", "input": "no"})
    assert (kind_of(path), kind_of(path, "chat")) == ("langfuse", "chat")
    with pytest.raises(UsageError, match="Did you mean langfuse"):
        kind_of(path, "langfus")
    for name in NAMES:
        assert kind_of(path, name) == name


# --------------------------------------------------------------------------- questions


def test_a_conversation_keeps_its_messages_and_a_lone_prompt_is_a_question(tmp_path):
    turns = [
        *CHAT,
        {"role": "assistant", "content": "21"},
        {"role": "user", "content": "Und jetzt auf Deutsch?"},
    ]
    path = lines(
        tmp_path / "log.jsonl",
        {"messages": turns},
        {"prompt": "素数を一つ。", "model": "m", "endpoint": "chat"},
    )
    _, found = made(path, tmp_path)
    talk = next(question for question in found if question.messages)
    alone = next(question for question in found if not question.messages)
    assert talk.messages == turns
    assert (alone.question, alone.category, alone.metadata) == ("素数を一つ。", "chat", {"logged_model": "m"})
    assert alone.id.startswith("q-")


def test_a_logged_answer_is_kept_but_is_no_reference(tmp_path):
    path = lines(tmp_path / "log.jsonl", {"request": {"messages": CHAT}, "response": REPLY})
    done, (found,) = made(path, tmp_path)
    assert (found.reference, found.grader, found.metadata["logged_answer"]) == (None, None, "21")
    assert done.with_answer == 1
    assert graders.resolve(found) is None


def test_a_reference_that_the_log_has_is_kept(tmp_path):
    path = lines(tmp_path / "log.jsonl", {"messages": CHAT, "expected_output": "21"})
    _, (found,) = made(path, tmp_path)
    assert found.reference == "21"


def test_a_judge_judges_only_when_it_is_asked_for(tmp_path):
    path = lines(tmp_path / "log.jsonl", {"messages": CHAT})
    _, (found,) = made(path, tmp_path, judge=True)
    assert (found.grader.name, found.grader.options) == ("judge", {"mode": "pairwise"})


def test_everything_written_is_masked_and_only_what_is_written_is_counted(tmp_path):
    rows = [
        {"messages": [{"role": "system", "content": "Mail ops@x.org"}, {"role": "user", "content": f"I am u{i}@x.org, +49 30 901820"}], "response": f"Hello u{i}@x.org", "endpoint": "for a@x.org"}
        for i in range(20)
    ]  # fmt: skip
    done, found = made(lines(tmp_path / "log.jsonl", *rows), tmp_path)
    text = (tmp_path / "questions.jsonl").read_text()
    assert "@" not in text
    assert "901820" not in text
    assert len(found) == 1  # they ask the same, now that they are masked
    assert done.masked == {"EMAIL": 4, "PHONE": 1}
    assert "e-mail address 4, phone number 1" in " ".join(in_words(done))
    assert not [line for line in in_words(done) if "@" in line]


# --------------------------------------------------------------------------- repeats and samples

WORDS = [f"w{i}" for i in range(200)]


def prompt(i, length=30):
    return " ".join(np.random.default_rng(i).choice(WORDS, length).tolist())


def test_repeats_and_near_repeats_are_asked_once(tmp_path):
    rows = [{"prompt": prompt(i)} for i in range(10)]
    rows += [{"prompt": prompt(i).upper() + " !"} for i in range(4)]
    rows += [{"prompt": prompt(i, 60).replace(" ", "  ")} for i in range(20, 23)]
    rows += [{"prompt": prompt(i, 60) + " please"} for i in range(20, 23)]
    done, found = made(lines(tmp_path / "log.jsonl", *rows), tmp_path)
    assert (done.different, done.repeated, done.alike) == (16, 4, 3)
    assert len(found) == 13


def test_two_conversations_with_one_last_message_are_two_questions(tmp_path):
    rows = [
        {"messages": [{"role": "user", "content": prompt(i)}, {"role": "assistant", "content": "ok"}, {"role": "user", "content": "Go on, in as many words as you like, and with all that you know of it"}]}
        for i in range(3)
    ]  # fmt: skip
    _, found = made(lines(tmp_path / "log.jsonl", *rows), tmp_path)
    assert len(found) == 3


@pytest.fixture
def mixed(tmp_path):
    rows = []
    for i in range(600):
        model = "big" if i % 6 == 0 else "small"
        rows.append({"prompt": prompt(i, 20 + i % 90), "model": model, "endpoint": "a" if i % 2 else "b"})
    return lines(tmp_path / "log.jsonl", *rows), rows


def test_a_sample_looks_like_the_whole(mixed, tmp_path):
    path, rows = mixed
    _, found = made(path, tmp_path, n=120)
    assert len(found) == 120
    of = Counter((question.metadata["logged_model"], question.category) for question in found)
    whole = Counter((row["model"], row["endpoint"]) for row in rows)
    assert all(abs(of[key] - count / 5) <= 3 for key, count in whole.items())
    lengths = np.array([len(row["prompt"]) for row in rows])
    third = np.quantile(lengths, (1 / 3, 2 / 3))
    each = np.bincount(np.searchsorted(third, [len(question.question) for question in found]), minlength=3)
    assert each.min() >= 34


def test_each_third_of_lengths_gets_its_share():
    census = sampling.Census()
    for i in range(90):
        census.add(Request([{"role": "user", "content": f"{i}" + "x" * (10 * i)}]))
    assert census.sample(30, 0).wanted == {0: 10, 1: 10, 2: 10}


def test_the_seed_draws_and_the_order_of_the_log_does_not_matter(mixed, tmp_path):
    path, rows = mixed
    drawn = [[question.id for question in made(path, tmp_path, n=50, seed=seed)[1]] for seed in (0, 0, 1)]
    assert drawn[0] == drawn[1] != drawn[2]
    lines(path, *rows[::-1])
    assert sorted(question.id for question in made(path, tmp_path, n=50)[1]) == sorted(drawn[0])


def test_asking_for_more_than_there_is_gives_all(mixed, tmp_path):
    assert len(made(mixed[0], tmp_path, n=10_000)[1]) == 600


@settings(max_examples=200, deadline=None)
@given(st.lists(st.integers(0, 50), min_size=1, max_size=30), st.integers(0, 400))
def test_shares_add_up_and_fit(counts, n):
    counts = np.array(counts)
    given = sampling.allotted(counts, n)
    assert given.sum() == min(n, counts.sum())
    assert (given <= counts).all()
    assert (given >= 0).all()
    if n >= np.count_nonzero(counts):
        assert (given[counts > 0] > 0).all()
        spare = max(0, np.count_nonzero(counts) - 1)
        assert (np.abs(given - counts * min(1, n / max(1, counts.sum()))) <= spare + 1).all()


def test_memory_is_bounded_by_the_sample_not_by_the_log(tmp_path):
    path = tmp_path / "log.jsonl"
    with path.open("w") as file:
        for i in range(3000):
            file.write(json.dumps({"prompt": f"{i} " + "x" * 20_000}) + "\n")
    tracemalloc.start()
    done, found = made(path, tmp_path, n=5)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (done.different, len(found)) == (3000, 5)
    assert peak < 20e6 < path.stat().st_size / 2
