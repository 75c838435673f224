"""results.json keeps its promise, name by name, and is whole or absent."""

import json
import math
import tracemalloc

import msgspec
import pytest

import report_factory as factory
from routemark.report.results import open_results, results_head

RUN = {
    "id", "status", "stop_reason", "simulated", "started_at", "finished_at", "questions_sha256", "routemark_version",
    "seed", "settings", "client", "shard", "plugins",
}  # fmt: skip
ROW = {
    "id", "difficulty", "category", "question", "arm", "repeat", "status", "model", "provider", "task_type", "answer",
    "finish_reason", "grade", "usage", "cost_usd", "cost_source", "latency_s", "ttft_s", "queue_s", "attempts",
    "generation_id", "error",
}  # fmt: skip
SUMMARY = {
    "total", "succeeded", "failed", "model_usage", "failed_questions", "cost_usd", "arms", "comparisons", "oracle",
    "detectable_difference", "verdict",
}  # fmt: skip
ARM = {
    "n", "succeeded", "failed", "failures", "truncated", "empty", "accuracy", "accuracy_ci95", "accuracy_answered",
    "cost_usd", "cost_per_1k_usd", "cost_per_correct_usd", "arena_score", "latency_s", "ttft_s", "model_usage",
    "provider_usage", "pick_entropy_bits", "by_difficulty", "by_category", "by_task_type", "same_mix", "delivery",
    "stability",
}  # fmt: skip
COMPARISON = {
    "arm", "baseline", "n", "accuracy_difference", "ci95", "p_value", "p_value_holm", "mcnemar", "cost_ratio",
    "cost_ratio_ci95", "indifference_price_usd", "questions_to_decide",
}  # fmt: skip


def write(tmp_path, rows, **changes) -> dict:
    path = tmp_path / "results.json"
    factory.written(open_results, path, factory.make_run(), factory.make_summary(rows, **changes), iter(rows))
    assert [p.name for p in tmp_path.iterdir()] == ["results.json"]
    return json.loads(path.read_bytes(), parse_constant=pytest.fail)


def test_every_promised_name_is_there(tmp_path):
    decoded = write(tmp_path, factory.make_rows(30))
    assert list(decoded) == ["schema", "run", "results", "summary"]
    assert decoded["schema"] == "routemark.results/1"
    assert set(decoded["run"]) == RUN
    assert set(decoded["run"]["client"]) == {"loop_lag_p99_s", "queue_p99_s", "limited"}
    summary = decoded["summary"]
    assert set(summary) >= SUMMARY
    arm = summary["arms"][factory.ROUTER]
    assert set(arm) >= ARM
    assert set(arm["latency_s"]) == set(arm["ttft_s"]) == {"p50", "p90", "p99"}
    assert set(arm["by_difficulty"]["easy"]) >= {"n", "accuracy", "cost_per_1k_usd", "model_usage"}
    assert set(arm["same_mix"]) >= {"accuracy", "cost_per_1k_usd", "gain", "gain_ci95", "p_value"}
    assert set(summary["comparisons"][0]) >= COMPARISON
    assert set(summary["comparisons"][0]["mcnemar"]) == {"only_arm", "only_baseline", "p_value"}
    assert set(summary["verdict"]) == {"row", "sentence", "skill", "notes", "margin", "date"}


def test_every_row_is_there_with_its_promised_names(tmp_path):
    rows = factory.make_rows(60)
    results = write(tmp_path, rows)["results"]
    assert all(set(row) >= ROW for row in results)
    assert [msgspec.convert(row, type(rows[0])) for row in results] == rows
    graded = next(row for row in results if row["grade"])
    assert {"score", "grader", "extracted", "reason"} <= set(graded["grade"])
    assert set(graded["usage"]) == {"prompt_tokens", "completion_tokens", "reasoning_tokens", "cached_tokens"}
    failed = next(row for row in results if row["error"])
    assert set(failed["error"]) == {"kind", "status", "message"}


def test_no_rows_is_an_empty_list(tmp_path):
    path = tmp_path / "results.json"
    factory.written(open_results, path, factory.make_run(), factory.make_summary(factory.make_rows(3)), [])
    assert json.loads(path.read_bytes())["results"] == []


def test_the_head_is_the_file_without_its_rows(tmp_path):
    rows = factory.make_rows(30)
    decoded = write(tmp_path, rows, detectable_difference=math.nan)
    del decoded["results"]
    head = results_head(factory.make_run(), factory.make_summary(rows, detectable_difference=math.nan))
    assert head == decoded
    assert head["summary"]["detectable_difference"] is None


def test_hostile_text_survives_as_it_was(tmp_path):
    rows = factory.hostile_rows()
    assert [row["answer"] for row in write(tmp_path, rows)["results"]] == [row.answer for row in rows]


def test_an_interrupted_write_leaves_the_old_file(tmp_path):
    path = tmp_path / "results.json"
    path.write_text("old")
    rows = factory.make_rows(3)

    def broken():
        yield rows[0]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        factory.written(open_results, path, factory.make_run(), factory.make_summary(rows), broken())
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["results.json"]


def test_memory_does_not_grow_with_the_rows(tmp_path):
    row, summary = factory.make_rows(1)[1], factory.make_summary(factory.make_rows(3))
    tracemalloc.start()
    many = (row for _ in range(20_000))
    factory.written(open_results, tmp_path / "results.json", factory.make_run(), summary, many)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (tmp_path / "results.json").stat().st_size > 10_000_000
    assert peak < 1_000_000
