"""Killed with SIGKILL in the middle: what was journaled is never asked again, the rest is answered once."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import runs
from lookalike import Lookalike, Reply, Request
from routemark.journal import replay
from routemark.records import Outcome

N = 60


def script(request: Request, before: int) -> Reply:
    n = int(request.prompt.split()[2])
    return Reply(text=str(2 * n), model=str(request.body["model"]), cost=0.001, delay_s=0.02)


def start(folder: Path, base_url: str) -> subprocess.Popen[str]:
    environ = {k: v for k, v in os.environ.items() if not k.startswith(("ROUTEMARK_", "OPENROUTER_"))}
    command = ["run", "my.jsonl", "-m", "sim/a", "-m", "sim/b", "--base-url", base_url, "-j", "8", "--quiet"]
    return subprocess.Popen(
        [sys.executable, "-m", "routemark", *command],
        cwd=folder,
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def settle(server: Lookalike) -> None:
    """Wait until the server has read what a killed process had still sent."""
    seen = -1
    deadline = time.monotonic() + 60
    while server.in_flight or len(server.requests) > seen:
        assert time.monotonic() < deadline
        seen = len(server.requests)
        time.sleep(0.1)


def outcomes(folder: Path) -> list[Outcome]:
    return [e.record for e in replay(folder / "runs/latest/journal.jsonl") if isinstance(e.record, Outcome)]


@pytest.mark.parametrize("answered", [1, 30, 100])
def test_the_same_command_goes_on_where_the_killed_one_was(tmp_path: Path, answered: int) -> None:
    lines = [
        json.dumps(
            {"id": f"q{i}", "difficulty": "easy", "question": f"What is {i} + {i}?", "reference": 2 * i}
        )
        for i in range(N)
    ]
    (tmp_path / "my.jsonl").write_text("\n".join(lines))
    with Lookalike(script) as server:
        first = start(tmp_path, server.base_url)
        runs.wait_until(lambda: len(server.billed) >= answered)
        first.send_signal(signal.SIGKILL)
        first.communicate(timeout=60)
        settle(server)
        kept = {outcome.session_id for outcome in outcomes(tmp_path)}
        before = [request.session for request in server.requests]
        second = start(tmp_path, server.base_url)
        _, stderr = second.communicate(timeout=60)
    assert second.returncode == 0, stderr
    asked_again = [request.session for request in server.requests[len(before) :]]
    assert not kept & set(asked_again), "asked again although it had been journaled"
    assert len(asked_again) == len(set(asked_again)) == 2 * N - len(kept)
    assert len(before) - len(kept) <= 8, "more was lost than was in flight"
    final = outcomes(tmp_path)
    assert len({outcome.trial for outcome in final}) == len(final) == 2 * N
    results = json.loads((tmp_path / "runs/latest/results.json").read_text())
    assert results["summary"]["succeeded"] == 2 * N
    assert results["summary"]["arms"]["sim/a"]["accuracy"] == 1.0
    assert len(list((tmp_path / "runs").iterdir())) == 2, "one run and its latest link"


def test_ctrl_c_drains_what_is_in_flight_and_exits_130(tmp_path: Path) -> None:
    lines = [
        json.dumps({"id": f"q{i}", "difficulty": "easy", "question": f"What is {i} + {i}?"}) for i in range(N)
    ]
    (tmp_path / "my.jsonl").write_text("\n".join(lines))
    with Lookalike(script) as server:
        process = start(tmp_path, server.base_url)
        runs.wait_until(lambda: len(server.billed) >= 10)
        process.send_signal(signal.SIGINT)
        stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == 130, stderr
    assert "routemark resume" in stderr
    kept = outcomes(tmp_path)
    assert len(kept) == len(server.requests), "what was in flight was waited for"
    run = json.loads((tmp_path / "runs/latest/run.json").read_text())
    assert (run["status"], run["stop_reason"]) == ("stopped", "Interrupted.")
    results = json.loads((tmp_path / "runs/latest/results.json").read_text())
    assert len(results["results"]) == len(kept)
    assert results["summary"]["total"] == sum(row["counted"] for row in results["results"])
    assert "finished" in stdout
