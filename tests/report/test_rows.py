"""Rows of results.json and of the CSV."""

import csv
import io
import math

import msgspec
import pytest

import report_factory as factory
from routemark.records import (
    Attempt,
    Completion,
    Failure,
    Grade,
    Outcome,
    Question,
    ResultRow,
    Usage,
)
from routemark.report.rows import Csv, columns, open_csv, result_row

QUESTION = Question(id="q1", difficulty="easy", question="2 + 2?", category="sums", reference=4)
FAILED_ATTEMPT = Attempt(started_at="2026-11-24T06:48:28Z", duration_s=0.1, status=502, cost_usd=0.001)
ATTEMPT = Attempt(started_at="2026-11-24T06:48:29Z", duration_s=0.5, status=200)


def outcome(**changes) -> Outcome:
    answered = Outcome(
        trial="k", question_id="q1", arm="a", repeat=1, session_id="s", attempts=[FAILED_ATTEMPT, ATTEMPT], queue_s=0.01,
        completion=Completion(
            text="4", model="sim/m", provider="P", task_type="math", finish_reason="stop",
            usage=Usage(prompt_tokens=5, completion_tokens=1), cost_usd=0.002, cost_source="lookup", latency_s=0.5,
            ttft_s=0.2, generation_id="gen-1",
        ),
    )  # fmt: skip
    return msgspec.structs.replace(answered, **changes)


def test_an_answer_becomes_a_row():
    grade = Grade(trial="k", grader="numeric", version=1, score=1.0, extracted="4", reason="equal")
    row = msgspec.to_builtins(result_row(QUESTION, outcome(), grade, counted=True))
    assert row == {
        "id": "q1", "difficulty": "easy", "category": "sums", "question": "2 + 2?", "reference": 4, "arm": "a", "repeat": 1,
        "status": "ok", "model": "sim/m", "provider": "P", "task_type": "math", "answer": "4", "finish_reason": "stop",
        "grade": {
            "score": 1.0,
            "grader": "numeric",
            "extracted": "4",
            "reason": "equal",
            "judge": None,
            "prompt_sha256": None,
            "cost_usd": None,
        },
        "usage": {"prompt_tokens": 5, "completion_tokens": 1, "reasoning_tokens": None, "cached_tokens": None},
        "cost_usd": 0.003, "cost_source": "lookup", "latency_s": 0.5, "ttft_s": 0.2, "queue_s": 0.01, "attempts": 2,
        "generation_id": "gen-1", "error": None, "counted": True, "flags": [],
        "perturbed_from": None, "perturbation": None, "picked": None, "pick_s": None,
    }  # fmt: skip


def test_a_failure_has_no_answer_grade_or_latency_but_its_known_cost():
    failure = Failure(kind="bad_gateway", message="Provider failed", status=502, generation_id="gen-2")
    failed = outcome(completion=None, failure=failure, attempts=[FAILED_ATTEMPT])
    grade = Grade(trial="k", grader="numeric", version=1, score=0.0)
    row = result_row(QUESTION, failed, grade, counted=False)
    assert row.status == "failed"
    assert (row.model, row.answer, row.grade, row.latency_s, row.ttft_s, row.finish_reason) == (None,) * 6
    assert (row.cost_usd, row.cost_source, row.attempts, row.generation_id) == (0.001, "billed", 1, "gen-2")
    assert msgspec.to_builtins(row.error) == {
        "kind": "bad_gateway",
        "status": 502,
        "message": "Provider failed",
    }
    assert row.usage == Usage()
    assert not row.counted


def test_unknown_cost_and_missing_grade_stay_unknown():
    answer = msgspec.structs.replace(outcome().completion, cost_usd=None, cost_source=None)
    row = result_row(QUESTION, outcome(completion=answer, attempts=[ATTEMPT]), None, counted=True)
    assert (row.cost_usd, row.cost_source, row.grade) == (None, None, None)


def read(rows: list[ResultRow]) -> list[dict[str, str]]:
    file = io.StringIO(newline="")
    written = Csv(file)
    for row in rows:
        written.row(row)
    file.seek(0)
    return list(csv.DictReader(file))


def test_csv_has_flat_columns_in_the_order_of_results_json():
    assert columns() == [
        "id", "difficulty", "category", "question", "reference", "arm", "repeat", "status", "model", "provider", "task_type",
        "answer", "finish_reason", "grade_score", "grade_grader", "grade_extracted", "grade_reason",
        "grade_judge", "grade_prompt_sha256", "grade_cost_usd",
        "usage_prompt_tokens", "usage_completion_tokens", "usage_reasoning_tokens", "usage_cached_tokens", "cost_usd",
        "cost_source", "latency_s", "ttft_s", "queue_s", "attempts", "generation_id", "error_kind", "error_status",
        "error_message", "counted", "flags", "perturbed_from", "perturbation", "picked", "pick_s",
    ]  # fmt: skip


def test_csv_holds_what_the_rows_hold():
    rows = factory.make_rows(40)
    read_back = read(rows)
    assert len(read_back) == len(rows)
    for row, cells in zip(rows, read_back, strict=True):
        assert cells["answer"] == (row.answer or "")
        assert cells["cost_usd"] == ("" if row.cost_usd is None else repr(row.cost_usd))
        assert cells["grade_score"] == ("" if row.grade is None else str(row.grade.score))
        assert cells["error_kind"] == ("" if row.error is None else row.error.kind)
        assert cells["counted"] == "true"


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("=1+1", "'=1+1"), ("+SUM(A1)", "'+SUM(A1)"), ("-cmd|x", "'-cmd|x"), ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"), ("\r=1", "'\r=1"), ("\uff1d1+1", "'\uff1d1+1"), ("-1+1", "'-1+1"), ("-", "'-"),
        ("-5", "-5"), ("+3.25e-7", "+3.25e-7"), ("a=1", "a=1"), ('say "hi", all', 'say "hi", all'), ("", ""),
    ],
)  # fmt: skip
def test_no_cell_is_a_formula(text, cell):
    row = msgspec.structs.replace(factory.make_rows(1)[0], answer=text, id=text, arm=text)
    (cells,) = read([row])
    assert (cells["answer"], cells["id"], cells["arm"]) == (cell,) * 3


def test_negative_and_unknown_numbers_stay_numbers():
    row = msgspec.structs.replace(factory.make_rows(1)[0], cost_usd=-0.5, latency_s=math.nan)
    (cells,) = read([row])
    assert (cells["cost_usd"], cells["latency_s"]) == ("-0.5", "")


def test_the_file_is_utf8_and_complete(tmp_path):
    rows = [msgspec.structs.replace(factory.make_rows(1)[0], answer="\u00fc\u4e2d\r\nline")]
    factory.written(
        open_csv, tmp_path / "rows.csv", factory.make_run(), factory.make_summary(rows), iter(rows)
    )
    with (tmp_path / "rows.csv").open(encoding="utf-8", newline="") as file:
        assert next(csv.DictReader(file))["answer"] == "\u00fc\u4e2d\r\nline"
    assert [path.name for path in tmp_path.iterdir()] == ["rows.csv"]
