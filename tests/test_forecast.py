"""`routemark plan` and ``--dry-run``: no model is asked, and every figure says what it assumes."""

import asyncio
import functools
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from lookalike import Lookalike, Reply, Request
from routemark import numbers
from routemark.config import Settings
from routemark.forecast import forecast
from routemark.main import ask
from routemark.policy.forecast import Forecast
from routemark.policy.retry import RetryPolicy
from routemark.prepare import open_run, prepare
from routemark.report.forecast import render
from test_end_to_end import routemark, write_questions

PRICES = [
    {"id": "sim/fixed", "context_length": 9_999, "pricing": {"prompt": "0.000001", "completion": "0.00001"}},
    {"id": "sim/dear", "context_length": 9_999, "pricing": {"prompt": "0.0001", "completion": "0.001"}},
    {"id": "openrouter/auto", "pricing": {"prompt": "-1", "completion": "-1"}},
]
ARMS = ["openrouter/auto", "sim/fixed"]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nobody wait long before asking again."""
    monkeypatch.setattr("routemark.pricing.RetryPolicy", functools.partial(RetryPolicy, base_s=0.01))


def pages(request: Request) -> tuple[int, dict[str, str], Any] | None:
    return (200, {}, {"data": PRICES}) if request.path.endswith("/models") else None


def answer(request: Request, before: int) -> Reply:
    return Reply(text="4", model="sim/fixed", cost=0.002)


def settings(folder: Path, base_url: str, n: int = 40, **more: Any) -> Settings:
    write_questions(folder, n)
    given = {"questions": str(folder / "my.jsonl"), "model": ARMS, "base_url": base_url, "max_tokens": 1_000}
    return msgspec.convert({**given, "runs_dir": str(folder / "runs"), **more}, Settings)


def foreseen(wanted: Settings) -> tuple[Forecast, str]:
    """Give the forecast, and its text on one line."""
    found = asyncio.run(forecast(prepare(wanted), None))
    text = render(found)
    assert max(map(len, text.split("\n"))) <= 80
    return found, " ".join(text.split())


@pytest.mark.parametrize("command", [["plan"], ["run", "--dry-run"]])
def test_a_plan_tells_what_would_be_sent_and_cost_and_asks_no_model(
    tmp_path: Path, command: list[str]
) -> None:
    write_questions(tmp_path, 40)
    with Lookalike(answer, pages) as server:
        arguments = ["-m", ARMS[0], "-m", ARMS[1], "--max-tokens", "1000", "--base-url", server.base_url]
        told = routemark(*command, "my.jsonl", *arguments, "--json", cwd=tmp_path, key=None)
        text = routemark(*command, "my.jsonl", *arguments, cwd=tmp_path, key=None)
        assert [request for request in server.requests if "completions" in request.path] == []
    assert (told.returncode, told.stderr, text.returncode) == (0, "", 0)
    plan = json.loads(told.stdout)
    assert (plan["schema"], plan["trials"], plan["questions"], plan["simulated"]) == (
        "routemark.plan/1", 80, 40, False,
    )  # fmt: skip
    auto, fixed = (plan["arms"][name] for name in ARMS)
    assert (auto["models"], auto["dearest"], auto["trials"]) == (2, "sim/dear", 40)
    low, high = auto["cost_expected_usd"]
    assert fixed["cost_expected_usd"][1] < high < auto["cost_worst_usd"]
    assert low == pytest.approx(fixed["cost_expected_usd"][0], rel=0.01)
    assert fixed["cost_worst_usd"] > 40 * 1_000 * 0.00001
    assert plan["cost_worst_usd"] == pytest.approx(auto["cost_worst_usd"] + fixed["cost_worst_usd"])
    assert text.stdout.startswith("80 trials: 40 questions x 2 arms (openrouter/auto, sim/fixed) x 1 repeats")
    assert numbers.usd(plan["cost_worst_usd"]) in text.stdout
    assert not (tmp_path / "runs").exists()


def test_a_plan_states_its_assumptions_and_how_far_the_budget_reaches(tmp_path: Path) -> None:
    with Lookalike(answer, pages) as server:
        for limit, says in [
            (None, "500 tokens an answer"),
            (0.5, "does not cover one such request: the run would stop before it"),
            (20, "does not cover the worst case: the run may stop before its end"),
            (500, "--max-cost $500.00 covers the worst case, retries aside"),
        ]:
            found, text = foreseen(settings(tmp_path, server.base_url, max_cost=limit))
            assert says in text
            assert found.max_cost_usd == limit
            assert "One request may cost up to" in text


def test_what_the_latest_run_paid_goes_before_an_assumption(tmp_path: Path) -> None:
    with Lookalike(answer, pages) as server:
        wanted = settings(tmp_path, server.base_url, 10)
        prepared = prepare(wanted)
        asyncio.run(ask(prepared, open_run(prepared), "key"))
        found, text = foreseen(msgspec.structs.replace(wanted, repeats=3))
        for arm in found.arms.values():
            assert arm.expected_from == "latest run"
            assert arm.cost_expected_usd == (pytest.approx(30 * 0.002),) * 2
        assert "the mean cost of a trial in the latest run" in text
        other = msgspec.structs.replace(wanted, base_url=f"{server.base_url}/")
        assert {arm.expected_from for arm in foreseen(other)[0].arms.values()} == {"prices"}


def test_without_prices_the_plan_stands_and_its_costs_are_unknown(tmp_path: Path) -> None:
    with Lookalike(answer) as server:
        found, text = foreseen(settings(tmp_path, server.base_url, 4))
    assert (found.trials, found.cost_worst_usd, found.cost_expected_usd) == (8, None, None)
    assert text.startswith("8 trials")
    assert "n/a" in text
    assert text.count("Cost not known: http://127.0.0.1") == 1


def test_an_arm_without_a_bound_says_why_and_leaves_the_others_known(tmp_path: Path) -> None:
    with Lookalike(answer, pages) as server:
        found, text = foreseen(settings(tmp_path, server.base_url, 4, model=["sim/fixed", "sim/gone"]))
    assert found.arms["sim/fixed"].cost_worst_usd
    assert found.arms["sim/gone"].cost_worst_usd is found.cost_worst_usd is None
    assert "Cost not known: sim/gone: the gateway lists no price" in text


def test_the_simulated_gateways_prices_are_marked(tmp_path: Path) -> None:
    found, text = foreseen(settings(tmp_path, "http://127.0.0.1:9/v1", 4, simulate=True))
    assert "*** SIMULATED ***" in text
    assert found.arms["openrouter/auto"].dearest == "sim/colossus"


def test_the_command_line_keeps_the_budget_and_exits_4(tmp_path: Path) -> None:
    write_questions(tmp_path, 10)
    with Lookalike(answer, pages) as server:
        arguments = ["my.jsonl", "-m", "sim/fixed", "--max-tokens", "1000", "--base-url", server.base_url]
        stopped = routemark("run", *arguments, "--max-cost", "0.02", "--run-id", "one", cwd=tmp_path)
        assert stopped.returncode == 4
        assert sum(server.billed) <= 0.02
        assert stopped.stderr.count("routemark resume") == 1
        assert "routemark resume runs/one --max-cost MORE" in stopped.stderr
        assert "Traceback" not in stopped.stderr
        again = routemark("resume", "one", "--max-cost", "1", "--json", cwd=tmp_path)
    assert again.returncode == 0, again.stderr
    assert json.loads(again.stdout)["summary"]["succeeded"] == 10


@pytest.mark.parametrize("value", ["-1", "inf"])
def test_a_limit_that_is_no_sum_is_refused(tmp_path: Path, value: str) -> None:
    done = routemark("run", "--simulate", f"--max-cost={value}", cwd=tmp_path)
    assert done.returncode == 2
    assert "--max-cost" in done.stderr


def test_a_plan_tells_what_a_difference_needs_and_what_stopping_early_saves(tmp_path: Path) -> None:
    with Lookalike(answer, pages) as server:
        wanted = settings(tmp_path, server.base_url, detect=0.05, until_decided="closed")
        found, text = foreseen(wanted)
        assert found.detection is not None
        assert found.savings is not None
        assert [need.measured for need in found.detection.needs] == [False] * 4
        assert "To tell an accuracy difference of 5 points" in text
        assert "--until-decided, of 40 questions" in text
        assert "Savings are large for differences above about twice the margin" in text
        prepared = prepare(msgspec.structs.replace(wanted, until_decided=None))
        asyncio.run(ask(prepared, open_run(prepared), "key"))
        again, text = foreseen(wanted)
    assert again.detection is not None
    assert again.savings is not None
    measured = again.detection.needs[-1]
    assert (measured.measured, again.savings.measured) == (True, True)
    assert again.savings.discordance == measured.discordance
    assert "(latest run)" in text


@pytest.mark.parametrize("value", ["0", "1.5", "much"])
def test_a_difference_that_is_none_is_refused(tmp_path: Path, value: str) -> None:
    done = routemark("plan", "--simulate", f"--detect={value}", cwd=tmp_path)
    assert done.returncode != 0
    assert "detect" in done.stderr + done.stdout
