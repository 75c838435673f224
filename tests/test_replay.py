"""Recorded answers of real models, served by the replaying gateway and judged by `routemark run`."""

import asyncio
import json
import math
import os
import subprocess
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

import runs
from routemark.gateway.process import simulated_gateway

DATA = Path(__file__).parent.parent.parent / "shared/data/routerarena"
MODELS = {"claude-3-haiku-20240307": 344, "gemini-2.0-flash-001": 438}
"""Right multiple-choice answers by our graders; docs/grader-agreement.md explains the one that differs."""

pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="needs recorded answers")


def recorded() -> dict[str, list[dict[str, Any]]]:
    return {m: [json.loads(line) for line in (DATA / f"{m}.jsonl").read_text().splitlines()] for m in MODELS}


def routemark(folder: Path, *arguments: str) -> str:
    environ = {k: v for k, v in os.environ.items() if not k.startswith(("ROUTEMARK_", "OPENROUTER_"))}
    done = subprocess.run(
        [*runs.NURSERY.program, *arguments],
        cwd=folder,
        env={**environ, "OPENROUTER_API_KEY": "sk-or-of-no-account"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def replay(folder: Path, what: Path, *arguments: str) -> dict[str, Any]:
    """Run against a gateway that replays ``what``, and give results.json."""

    async def scenario() -> None:
        async with simulated_gateway(replay=what, latency="0") as base_url:
            await asyncio.to_thread(
                routemark, folder, "run", *arguments, "--base-url", base_url, "--quiet", "--run-id", what.name
            )

    asyncio.run(scenario())
    results: dict[str, Any] = json.loads((folder / "runs" / what.name / "results.json").read_text())
    return results


def test_809_recorded_questions_give_the_recorded_costs_and_accuracies(tmp_path: Path) -> None:
    routemark(tmp_path, "import", str(DATA), "-o", "questions.jsonl")
    arms = [f"-m{model}" for model in MODELS]
    results = replay(tmp_path, DATA, "questions.jsonl", *arms, "-m", "openrouter/auto")
    assert results["run"]["simulated"] is False
    rows = {(row["id"], row["arm"]): row for row in results["results"]}
    assert len(rows) == 3 * 809
    for model, truth in recorded().items():
        right: dict[str, float] = defaultdict(float)
        for line in truth:
            row = rows[line["global_index"], model]
            evaluation = line["evaluation_result"]
            assert (row["status"], row["model"], row["answer"]) == ("ok", model, line["generated_answer"])
            assert row["cost_usd"] == evaluation["inference_cost"]
            assert row["usage"]["prompt_tokens"] == line["token_usage"]["input_tokens"]
            assert row["usage"]["completion_tokens"] == line["token_usage"]["output_tokens"]
            right[evaluation["metric"]] += (row["grade"] or {}).get("score") or 0
            picked = rows[line["global_index"], "openrouter/auto"]
            if picked["model"] == model:
                assert (picked["answer"], picked["cost_usd"]) == (row["answer"], row["cost_usd"])
        costs = [line["evaluation_result"]["inference_cost"] for line in truth]
        assert results["summary"]["arms"][model]["cost_per_1k_usd"] == pytest.approx(
            math.fsum(costs) / 809 * 1000, rel=1e-12
        )
        assert right["mcq_accuracy"] == MODELS[model]
    auto = results["summary"]["arms"]["openrouter/auto"]
    assert set(auto["model_usage"]) == set(MODELS)
    assert auto["same_mix"] is not None, "both models were asked directly, so the mix can be judged"


def test_a_run_of_ours_can_be_replayed_in_its_turn(tmp_path: Path) -> None:
    routemark(
        tmp_path, "run", "--simulate", "--limit", "15", "-m", "sim/heron", "--run-id", "first", "--quiet"
    )
    first = json.loads((tmp_path / "runs/first/results.json").read_text())
    questions = str(tmp_path / "runs/first/questions.json")
    (tmp_path / "runs/first").rename(tmp_path / "recorded")
    again = replay(
        tmp_path, tmp_path / "recorded", questions.replace("runs/first", "recorded"), "-m", "sim/heron"
    )
    kept = ("id", "model", "answer", "grade", "usage", "cost_usd", "finish_reason")
    assert [[row[k] for k in kept] for row in again["results"]] == [
        [row[k] for k in kept] for row in first["results"]
    ]
    assert again["run"]["simulated"] is True, "recorded from fictitious models"
