"""`routemark run` from outside: a real process, a gateway that is not ours, every field of results.json."""

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from lookalike import Lookalike, Reply, Request

ROUTED = {True: "vendor/model-a", False: "vendor/model-b"}


def routemark(*arguments: str, cwd: Path, key: str | None = "sk-or-test") -> subprocess.CompletedProcess[str]:
    """Run the command with a clean environment."""
    environ = {k: v for k, v in os.environ.items() if not k.startswith(("ROUTEMARK_", "OPENROUTER_"))}
    if key:
        environ["OPENROUTER_API_KEY"] = key
    return subprocess.run(
        [sys.executable, "-m", "routemark", *arguments],
        cwd=cwd,
        env=environ,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def write_questions(folder: Path, n: int = 40) -> list[dict[str, Any]]:
    questions = [
        {
            "id": f"q/{i}",
            "difficulty": ["easy", "hard"][i % 2],
            "question": f"What is {i} + {i}?",
            "reference": i + i,
        }
        for i in range(n)
    ]
    (folder / "my.jsonl").write_text("".join(json.dumps(q) + "\n" for q in questions))
    return questions


def number(request: Request) -> int:
    return int(request.prompt.split()[2])


def script(request: Request, before: int) -> Reply:
    """Answer by arm; the fixed model errs on every fifth; some first tries meet trouble."""
    n = number(request)
    if before == 0 and n % 10 == 3:
        error = {"code": 429, "message": "slow down", "metadata": {"error_type": "rate_limit_exceeded"}}
        return Reply(status=429, error=error, headers={"Retry-After": "0"})
    if before == 0 and n % 10 == 7:
        return Reply(status=200, error={"code": 502, "message": "Provider returned error"})
    if n == 39:
        return Reply(status=404, error={"code": 404, "message": "No endpoints found"})
    if request.body["model"] == "openrouter/auto":
        return Reply(
            text=f"The answer is **{2 * n}**, naïvely ✓.", model=ROUTED[n % 2 == 0], cost=0.001 * (n + 1)
        )
    wrong = n % 5 == 0
    return Reply(text=f"{2 * n + wrong}", model="sim/fixed", provider="P", cost=0.002, task_type=None)


@pytest.mark.parametrize("stream", ["--stream", "--no-stream"])
def test_what_is_sent_and_every_field_of_the_results(tmp_path: Path, stream: str) -> None:
    questions = write_questions(tmp_path)
    with Lookalike(script) as server:
        done = routemark(
            "run", "my.jsonl", "-m", "openrouter/auto?cost_tier=low", "-m", "sim/fixed", "--base-url",
            server.base_url, "-j", "50", "--json", stream, "--run-id", "one", "--max-tokens", "512",
            cwd=tmp_path,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    head = json.loads(done.stdout)
    results = json.loads((tmp_path / "runs/one/results.json").read_text())
    assert {**results, "results": None} == {**head, "results": None}
    assert "results" not in head
    assert (tmp_path / "runs/latest").resolve() == (tmp_path / "runs/one").resolve()
    check_sent(server, streamed=stream == "--stream")
    check_rows(results["results"], questions, streamed=stream == "--stream")
    check_summary(results["summary"], results["results"], server)
    assert "sk-or-test" not in done.stdout + done.stderr
    for path in (tmp_path / "runs/one").iterdir():
        assert b"sk-or-test" not in path.read_bytes(), path


def check_sent(server: Lookalike, *, streamed: bool) -> None:
    asked = [request for request in server.requests if request.path == "/api/v1/chat/completions"]
    sessions = Counter(request.session for request in asked)
    assert len(sessions) == 80
    assert len(asked) == 80 + 16  # 4 of 40 numbers end in 3, 4 in 7, for each of two arms
    assert server.peak <= 50
    for request in asked:
        assert request.headers["authorization"] == "Bearer sk-or-test"
        assert request.headers["x-openrouter-metadata"] == "enabled"
        assert request.headers["x-openrouter-cache"] == "false"
        assert request.headers["content-type"] == "application/json"
        body = request.body
        assert body["stream"] is streamed
        assert body["max_completion_tokens"] == 512
        assert body["messages"] == [{"role": "user", "content": request.prompt}]
        assert 0 < len(body["session_id"]) <= 256
        plugins = {plugin["id"]: plugin for plugin in body["plugins"]}
        assert plugins["context-compression"]["enabled"] is False
        assert not {"temperature", "usage", "stream_options", "max_tokens", "transforms"} & set(body)
        if body["model"] == "openrouter/auto":
            assert plugins["auto-router"]["cost_tier"] == "low"
        else:
            assert body["model"] == "sim/fixed"
            assert set(plugins) == {"context-compression"}


def check_rows(rows: list[dict[str, Any]], questions: list[dict[str, Any]], *, streamed: bool) -> None:
    by_key = {(row["id"], row["arm"]): row for row in rows}
    assert len(by_key) == len(rows) == 80
    for i, question in enumerate(questions):
        row = by_key[question["id"], "openrouter/auto?cost_tier=low"]
        assert (row["difficulty"], row["question"], row["repeat"]) == (
            question["difficulty"],
            question["question"],
            0,
        )
        assert row["attempts"] == (2 if i % 10 in (3, 7) else 1)
        if i == 39:
            assert (row["status"], row["error"]["kind"], row["error"]["status"]) == (
                "failed",
                "no_endpoint",
                404,
            )
            assert (
                row["grade"] is row["model"] is row["answer"] is row["cost_usd"] is row["latency_s"] is None
            )
            continue
        assert (row["status"], row["error"]) == ("ok", None)
        assert row["answer"] == f"The answer is **{2 * i}**, naïvely ✓."
        assert (row["model"], row["provider"], row["task_type"]) == (ROUTED[i % 2 == 0], "Provider A", "math")
        assert row["finish_reason"] == "stop"
        assert row["grade"]["score"] == 1
        assert row["grade"]["extracted"] == str(2 * i)
        assert row["usage"] == {
            "prompt_tokens": 11, "completion_tokens": 7, "reasoning_tokens": 3, "cached_tokens": 2,
        }  # fmt: skip
        assert row["cost_usd"] == pytest.approx(0.001 * (i + 1), abs=1e-12)
        assert row["cost_source"] == "billed"
        assert row["generation_id"].startswith("gen-")
        assert 0 < row["latency_s"] < 30
        assert (row["ttft_s"] is not None) is streamed
        assert row["ttft_s"] is None or 0 < row["ttft_s"] <= row["latency_s"]
        assert 0 <= row["queue_s"] < 30


def check_summary(summary: dict[str, Any], rows: list[dict[str, Any]], server: Lookalike) -> None:
    assert (summary["total"], summary["succeeded"], summary["failed"]) == (80, 78, 2)
    assert summary["failed_questions"] == ["q/39"]
    assert summary["model_usage"] == Counter(row["model"] for row in rows if row["model"])
    assert summary["cost_usd"] == pytest.approx(sum(server.billed), rel=1e-12)
    auto = summary["arms"]["openrouter/auto?cost_tier=low"]
    fixed = summary["arms"]["sim/fixed"]
    assert (auto["n"], auto["succeeded"], auto["failed"], auto["failures"]) == (40, 39, 1, {"no_endpoint": 1})
    assert auto["accuracy"] == pytest.approx(39 / 40)  # a failure of the service is a wrong answer
    assert auto["accuracy_answered"] == 1.0
    assert fixed["accuracy"] == pytest.approx((40 - 8 - 1) / 40)
    low, high = fixed["accuracy_ci95"]
    assert low < fixed["accuracy"] < high
    assert auto["model_usage"] == {"vendor/model-a": 20, "vendor/model-b": 19}
    assert set(auto["by_difficulty"]) == {"easy", "hard"}
    (comparison,) = summary["comparisons"]
    assert (comparison["arm"], comparison["baseline"], comparison["n"]) == (
        "openrouter/auto?cost_tier=low", "sim/fixed", 40,
    )  # fmt: skip
    assert comparison["accuracy_difference"] == pytest.approx(8 / 40)
    assert comparison["mcnemar"]["only_arm"] == 8
    assert comparison["mcnemar"]["only_baseline"] == 0
    assert summary["verdict"]["row"] in range(8)


def test_a_bad_key_stops_the_run_at_once_says_what_to_do_and_leaves_it_resumable(tmp_path: Path) -> None:
    write_questions(tmp_path)
    error = {"code": 401, "message": "No auth credentials found"}
    arguments = ["run", "my.jsonl", "-m", "sim/fixed", "-j", "4", "--run-id", "one"]
    with Lookalike(lambda request, before: Reply(status=401, error=error)) as server:
        done = routemark(*arguments, "--base-url", server.base_url, cwd=tmp_path)
        assert done.returncode == 1
        assert "OPENROUTER_API_KEY" in done.stderr
        assert "routemark resume" in done.stderr
        assert len(server.requests) <= 8
        server._script = script
        again = routemark("resume", "one", cwd=tmp_path)
    assert again.returncode == 0, again.stderr
    results = json.loads((tmp_path / "runs/one/results.json").read_text())
    assert results["run"]["status"] == "complete"
    assert results["summary"]["succeeded"] == 39


def test_a_faulty_question_file_sends_nothing(tmp_path: Path) -> None:
    (tmp_path / "my.jsonl").write_text(
        '{"id": "a", "difficulty": "easy"}\n{"id": "b", "question": "?"}\nnonsense\n'
    )
    with Lookalike(script) as server:
        done = routemark("run", "my.jsonl", "-m", "sim/a", "--base-url", server.base_url, cwd=tmp_path)
    assert done.returncode == 2
    for place in ("line 1", "line 2", "line 3"):
        assert place in done.stderr
    assert server.requests == []
    assert "Traceback" not in done.stderr


def test_without_a_key_openrouter_is_not_asked(tmp_path: Path) -> None:
    write_questions(tmp_path)
    done = routemark("run", "my.jsonl", cwd=tmp_path, key=None)
    assert done.returncode == 2
    assert "OPENROUTER_API_KEY" in done.stderr
    assert "--simulate" in done.stderr


def test_only_failures_exit_3_and_quality_is_not_a_number(tmp_path: Path) -> None:
    write_questions(tmp_path, 6)
    error = {"code": 404, "message": "No endpoints found"}
    with Lookalike(lambda request, before: Reply(status=404, error=error)) as server:
        done = routemark(
            "run", "my.jsonl", "-m", "sim/a", "--base-url", server.base_url, "--json", cwd=tmp_path
        )
    assert done.returncode == 3
    arm = json.loads(done.stdout)["summary"]["arms"]["sim/a"]
    assert (arm["succeeded"], arm["failed"], arm["cost_usd"]) == (0, 6, None)
    assert arm["accuracy_answered"] is None


def test_questions_without_references_report_routing_and_cost_but_no_quality(tmp_path: Path) -> None:
    lines = [json.dumps({"id": f"{i}", "difficulty": "x", "question": f"What is {i} + 1?"}) for i in range(5)]
    (tmp_path / "my.jsonl").write_text("\n".join(lines))
    with Lookalike(lambda request, before: Reply(text="2", cost=0.5)) as server:
        done = routemark("run", "my.jsonl", "--base-url", server.base_url, cwd=tmp_path)
        report = routemark("report", "latest", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "not graded" in done.stdout
    assert "vendor/model-a" in done.stdout
    assert done.stdout == report.stdout
    results = json.loads((tmp_path / "runs/latest/results.json").read_text())
    assert {row["grade"] for row in results["results"]} == {None}
    assert results["summary"]["arms"]["openrouter/auto"]["accuracy"] is None
    assert results["summary"]["arms"]["openrouter/auto"]["cost_per_1k_usd"] == pytest.approx(500)
