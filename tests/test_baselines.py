"""``--baselines`` and ``--confirm-oracle`` from end to end, against gateways that count what they are asked."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import time
from collections import Counter
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from lookalike import Lookalike, Reply, Request
from routemark import baselines
from routemark.config import Settings
from routemark.errors import SettingsError
from routemark.gateway.process import simulated_gateway
from routemark.main import Finished, ask, rows, summarise
from routemark.prepare import make_arms, open_resumed, open_run, prepare
from routemark.pricing import priced
from routemark.report.results import results_head
from routemark.rundir import Ledger, RunDirectory
from runs import begin, leave_out_pages, outcomes, stats

N = 96
ROUTER = "openrouter/auto"
CHEAP, DEAR, RARE = "vendor/cheap", "vendor/dear", "vendor/rare"
DATED = "vendor/dear-2025-08-07"
RARELY = 78
"""The question on which the rare model is picked: in the second window, and not in its sample."""


@pytest.fixture(autouse=True)
def no_page(monkeypatch: pytest.MonkeyPatch) -> None:
    leave_out_pages(monkeypatch)


def pick(n: int) -> str:
    """Give the name under which the router's model serves question n."""
    return RARE if n == RARELY else DATED if n % 5 == 0 and n < 90 else CHEAP


def number(request: Request) -> int:
    return int(request.prompt.split()[2])


def is_right(model: str, n: int) -> bool:
    return model.startswith(DEAR) or n % 2 == 0


def script(request: Request, before: int) -> Reply:
    n, asked = number(request), str(request.body["model"])
    model = pick(n) if asked == ROUTER else asked
    return Reply(text=str(2 * n if is_right(model, n) else 1), model=model, cost=0.001, delay_s=0.002)


MODELS = [
    {
        "id": slug,
        "canonical_slug": dated,
        "context_length": 9_999,
        "pricing": {"prompt": "0.000001", "completion": "0.000010"},
    }
    for slug, dated in ((CHEAP, CHEAP), (DEAR, DATED), (RARE, RARE), ("vendor/other", "vendor/other"))
]


def pages(request: Request) -> tuple[int, dict[str, str], Any] | None:
    return (200, {}, {"data": MODELS}) if request.path.endswith("/models") else None


def question_file(folder: Path, n: int = N) -> str:
    path = folder / "q.jsonl"
    lines = (
        json.dumps({"id": f"q{i}", "difficulty": "x", "question": f"What is {i} + {i}?", "reference": 2 * i})
        for i in range(n)
    )
    path.write_text("\n".join(lines))
    return str(path)


def settings(folder: Path, base_url: str, **more: Any) -> Settings:
    given = {
        "questions": question_file(folder),
        "model": [ROUTER],
        "baselines": "picked",
        "base_url": base_url,
        "runs_dir": str(folder / "runs"),
        "run_id": "one",
        "concurrency": 16,
        "fixed_concurrency": True,
        "max_tokens": 100,
        **more,
    }
    return msgspec.convert(given, Settings)


async def start(wanted: Settings) -> Finished:
    prepared = await priced(prepare(wanted), None)
    return await ask(prepared, open_run(prepared), "key")


async def resume(wanted: Settings) -> Finished:
    prepared, opened = open_resumed("one", wanted)
    return await ask(await priced(prepared, None), opened, "key")


def direct(server: Lookalike) -> dict[str, Counter[int]]:
    """Give how often each model was asked each question directly."""
    found: dict[str, Counter[int]] = {}
    for request in server.requests:
        if request.path.endswith("completions") and request.body["model"] != ROUTER:
            found.setdefault(str(request.body["model"]), Counter())[number(request)] += 1
    return found


def sample(finished: Finished, arm: str) -> set[int]:
    """Give the questions of an arm's random sample, as the run directory tells them."""
    ledger = ledger_of(finished.directory)
    cells = baselines.replay(ledger)
    assert cells is not None
    ids = list(ledger.questions.ids())
    return {int(ids[index][1:]) for index in ledger.order[cells.sampled(arm)]}


def ledger_of(directory: RunDirectory) -> Ledger:
    return Ledger(directory.read(), directory.load_questions(), directory.journal)


# --------------------------------------------------------------------------- which cells


def test_every_picked_model_is_asked_every_question_once_and_a_rare_one_a_sample(tmp_path: Path) -> None:
    with Lookalike(script, pages) as server:
        finished = asyncio.run(start(settings(tmp_path, server.base_url)))
        asked = direct(server)
    assert asked.keys() == {CHEAP, DEAR, RARE}, "the dated name is the same model"
    assert asked[CHEAP] == asked[DEAR] == Counter(range(N))
    chosen = sample(finished, RARE)
    assert len(chosen) == 44, "96 questions times the root of (1 / 96) / 0.05, rounded up"
    assert RARELY not in chosen
    assert asked[RARE] == Counter(chosen | {RARELY})
    assert (finished.exit_code, finished.run.status) == (0, "complete")
    assert {arm.name for arm in finished.run.baselines} == {CHEAP, DEAR, RARE}
    arms = finished.summary.arms
    assert (arms[CHEAP].n, arms[CHEAP].accuracy, arms[CHEAP].sample) == (N, 0.5, None)
    assert (arms[RARE].n, arms[RARE].sample) == (44, 44), "the mean is that of the sample"
    assert arms[RARE].accuracy == pytest.approx(np.mean([n % 2 == 0 for n in chosen]))
    assert finished.summary.total == finished.summary.planned == len(outcomes(finished.directory.path))
    assert {c.baseline for c in finished.summary.comparisons} == {CHEAP, DEAR}, "a sample is no rival"
    mix = arms[ROUTER].same_mix
    assert mix is not None
    assert mix.p_value is not None
    assert any("was only compared with models that it picked itself" in note for note in notes(finished))
    assert any(f"{RARE} (44 questions)" in note for note in notes(finished))


def notes(finished: Finished) -> list[str]:
    return finished.summary.verdict.notes


def test_missing_asks_only_what_the_router_did_not_answer_live(tmp_path: Path) -> None:
    with Lookalike(script, pages) as server:
        finished = asyncio.run(start(settings(tmp_path, server.base_url, baselines="missing")))
        asked = direct(server)
    live = {CHEAP: {n for n in range(N) if pick(n) == CHEAP}, DEAR: {n for n in range(N) if pick(n) == DATED}}
    for model, answered in live.items():
        assert asked[model] == Counter(set(range(N)) - answered)
        assert finished.summary.arms[model].n == N, "live answers stand in for direct ones"
    assert asked[RARE] == Counter(sample(finished, RARE)), "its one pick was answered live"
    assert finished.summary.arms[CHEAP].accuracy == 0.5
    assert not finished.summary.arms[DEAR].is_router, "served under two names, but one model"
    mix = finished.summary.arms[ROUTER].same_mix
    assert mix is None or mix.p_value is None
    assert finished.summary.total == len(outcomes(finished.directory.path))


def test_a_model_that_is_an_arm_already_is_not_asked_twice(tmp_path: Path) -> None:
    with Lookalike(script, pages) as server:
        given = [ROUTER, f"{DEAR}", "vendor/other"]
        finished = asyncio.run(start(settings(tmp_path, server.base_url, model=given, limit=30)))
        asked = direct(server)
    assert asked[DEAR] == asked["vendor/other"] == asked[CHEAP]
    assert set(asked[DEAR].values()) == {1}
    assert (len(asked[DEAR]), [arm.name for arm in finished.run.baselines]) == (30, [CHEAP])
    assert not any("only compared with models" in note for note in notes(finished))


def test_the_router_s_other_settings_are_copied_and_its_own_are_not(tmp_path: Path) -> None:
    spelled = "temperature=0.5&max_tokens=64&provider.order=p1,p2"
    given = [f"{ROUTER}?cost_tier=low&{spelled}", DEAR]
    with Lookalike(script, pages) as server:
        finished = asyncio.run(start(settings(tmp_path, server.base_url, model=given, limit=12)))
        bodies = [r.body for r in server.requests if r.path.endswith("completions")]
    copied = [body for body in bodies if body["model"] == CHEAP]
    assert len(copied) == 12
    for body in copied:
        assert (body["temperature"], body["max_completion_tokens"]) == (0.5, 64)
        assert body["provider"] == {"order": ["p1", "p2"]}
        assert [plugin["id"] for plugin in body["plugins"]] == ["context-compression"]
    joined = {arm.name for arm in finished.run.baselines}
    assert f"{CHEAP}?{spelled}" in joined
    assert DEAR not in joined, "asked with other settings it is another arm"
    assert make_arms(msgspec.convert({"model": sorted(joined)}, Settings))


def test_every_repeat_is_asked_in_a_session_of_its_own(tmp_path: Path) -> None:
    with Lookalike(script, pages) as server:
        wanted = settings(tmp_path, server.base_url, repeats=2, limit=20)
        finished = asyncio.run(start(wanted))
        sessions = [r.session for r in server.requests if r.path.endswith("completions")]
    assert len(sessions) == len(set(sessions)) == finished.summary.total
    assert finished.summary.arms[CHEAP].n == 40


# --------------------------------------------------------------------------- models that cannot be asked


def test_a_model_that_is_not_listed_is_noted_and_not_asked(tmp_path: Path) -> None:
    def without_dear(request: Request) -> tuple[int, dict[str, str], Any] | None:
        rest = [model for model in MODELS if model["id"] != DEAR]
        return (200, {}, {"data": rest}) if request.path.endswith("/models") else None

    with Lookalike(script, without_dear) as server:
        finished = asyncio.run(start(settings(tmp_path, server.base_url, limit=30)))
        assert direct(server).keys() == {CHEAP}
    assert finished.run.status == "complete"
    assert list(finished.run.unaskable) == [DATED]
    (note,) = [note for note in notes(finished) if "not asked directly" in note]
    assert note.count(DATED) == 1


def test_a_model_that_turns_out_not_to_be_served_is_given_up_without_ending_the_run(tmp_path: Path) -> None:
    def refuses(request: Request, before: int) -> Reply:
        if request.body["model"] == DEAR:
            return Reply(status=404, error={"code": 404, "message": "No endpoints found"})
        return script(request, before)

    with Lookalike(refuses, pages) as server:
        finished = asyncio.run(start(settings(tmp_path, server.base_url, limit=60)))
        tried = sum(direct(server)[DEAR].values())
        assert 3 <= tried <= 3 + 16, "no more than were in flight"
        again = asyncio.run(resume(settings(tmp_path, server.base_url, limit=60)))
        assert sum(direct(server)[DEAR].values()) == tried
    assert (finished.exit_code, finished.run.status, again.run.status) == (0, "complete", "complete")
    assert DEAR not in finished.summary.arms
    assert finished.summary.failed == 0
    assert "No endpoints found" in finished.run.unaskable[DATED]


def test_without_a_catalogue_the_served_name_is_asked(tmp_path: Path) -> None:
    with Lookalike(script) as server:
        asyncio.run(start(settings(tmp_path, server.base_url, limit=40)))
        assert {CHEAP, DATED} <= direct(server).keys()


@pytest.mark.parametrize("option", [{"baselines": "picked"}, {"baselines": "missing"}])
def test_without_a_router_there_is_a_clear_error(option: dict[str, Any]) -> None:
    with pytest.raises(SettingsError, match="no arm is a router"):
        make_arms(msgspec.convert({"model": [CHEAP], **option}, Settings))


def test_confirming_needs_models_that_are_asked_directly() -> None:
    with pytest.raises(SettingsError, match="--confirm-oracle: no fixed model"):
        make_arms(msgspec.convert({"confirm_oracle": True}, Settings))


# --------------------------------------------------------------------------- windows, budget, crashes


def test_direct_questions_follow_the_router_window_by_window_and_backfills_are_marked(tmp_path: Path) -> None:
    with Lookalike(script, pages) as server:
        finished = asyncio.run(start(settings(tmp_path, server.base_url)))
        order = [r.body["model"] for r in server.requests if r.path.endswith("completions")]
    last_router = max(place for place, model in enumerate(order) if model == ROUTER)
    assert order.index(CHEAP) < last_router, "not only after the router's last trial"
    told = outcomes(finished.directory.path)
    window = {o.question_id: o.window for o in told if o.arm == ROUTER}
    assert all(o.window == window[o.question_id] for o in told if o.arm == CHEAP), "picked from the first on"
    rare = Counter((window[o.question_id], o.window) for o in told if o.arm == RARE)
    assert rare.keys() == {(0, 1), (1, 1), (2, 2)}, "first picked in the second window"


def test_workers_wait_for_the_last_picks_and_then_all_of_them_ask(tmp_path: Path) -> None:
    """One slow trial of the router holds its window open; fifteen workers have nothing to do until it ends."""
    together: list[int] = []

    def one_is_slow(request: Request, before: int) -> Reply:
        reply = script(request, before)
        if request.body["model"] != ROUTER:
            together.append(server.in_flight + 1)
        reply.delay_s = 0.5 if request.body["model"] == ROUTER and number(request) == 3 else 0.02
        return reply

    with Lookalike(one_is_slow, pages) as server:
        finished = asyncio.run(start(settings(tmp_path, server.base_url, limit=32, seed=5)))
        assert 3 in {number(request) for request in server.requests if "completions" in request.path}
    assert finished.run.status == "complete"
    assert len(together) >= 32
    assert max(together) == 16


def cells(folder: Path) -> set[tuple[str, str]]:
    found = [(o.arm, o.question_id) for o in outcomes(folder / "runs/one") if o.completion is not None]
    assert len(found) == len(set(found)), "no cell is answered twice"
    return set(found)


def test_a_budget_stops_the_run_and_more_money_completes_the_same_cells(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    with Lookalike(script, pages) as server:
        asyncio.run(start(settings(tmp_path / "a", server.base_url, limit=60)))
    with Lookalike(script, pages) as server:
        wanted = settings(tmp_path / "b", server.base_url, limit=60, max_cost=0.12)
        stopped = asyncio.run(start(wanted))
        assert (stopped.exit_code, stopped.run.status) == (4, "stopped")
        assert 60 < len(server.billed) <= 120
        assert stopped.run.baselines
        done = asyncio.run(resume(msgspec.structs.replace(wanted, max_cost=1.0)))
        assert len(server.billed) == len(cells(tmp_path / "b"))
    assert (done.exit_code, done.run.status) == (0, "complete")
    assert cells(tmp_path / "a") == cells(tmp_path / "b")


def test_an_arm_that_joins_is_bounded_by_what_its_dearest_provider_charges(tmp_path: Path) -> None:
    """Of more than a hundred models within reach nobody looks up the providers, until one of them joins."""
    many = [{**MODELS[-1], "id": f"vendor/m{n}", "canonical_slug": f"vendor/m{n}"} for n in range(120)]
    dear = {"data": {"endpoints": [{"pricing": {"prompt": "0.001", "completion": "0.001"}}]}}

    def catalogue(request: Request) -> tuple[int, dict[str, str], Any] | None:
        if request.path.endswith("/models"):
            return 200, {}, {"data": [*MODELS, *many]}
        return (200, {}, dear) if request.path.endswith("/endpoints") else None

    with Lookalike(script, catalogue) as server:
        wanted = settings(tmp_path, server.base_url, limit=32, max_cost=1.0)
        stopped = asyncio.run(start(wanted))
        again = asyncio.run(resume(wanted))
        assert direct(server) == {}, "a request of either may cost more than a dollar"
        looked_up = {r.path.rpartition("/models/")[2] for r in server.requests if "/endpoints" in r.path}
    assert looked_up == {f"{CHEAP}/endpoints", f"{DEAR}/endpoints"}
    assert (stopped.exit_code, again.exit_code) == (4, 4)
    assert "The next request, of vendor/" in (stopped.run.stop_reason or "")


def test_killed_midway_a_run_asks_the_same_cells_and_none_twice(tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / name).mkdir()
        question_file(tmp_path / name)
    with Lookalike(script, pages) as server:
        asyncio.run(start(settings(tmp_path / "a", server.base_url, limit=60)))
    options = [
        "run",
        "q.jsonl",
        "-m",
        ROUTER,
        "--baselines",
        "picked",
        "--run-id",
        "one",
        "-j",
        "8",
        "--quiet",
    ]
    with Lookalike(script, pages) as server:
        for answered in (30, 110):
            process = begin(
                *options,
                "--base-url",
                server.base_url,
                "--limit",
                "60",
                "--max-tokens",
                "100",
                cwd=tmp_path / "b",
            )
            deadline = time.monotonic() + 60
            while len(server.billed) < answered and time.monotonic() < deadline:
                time.sleep(0.001)
            os.kill(process.pid, signal.SIGKILL)
            process.communicate()
        kept = {outcome.session_id for outcome in outcomes(tmp_path / "b/runs/one")}
        before = len(server.requests)
        done = asyncio.run(resume(settings(tmp_path / "b", server.base_url, limit=60)))
        again = {r.session for r in server.requests[before:] if r.path.endswith("completions")}
    assert done.run.status == "complete"
    assert not kept & again, "asked again although it had been journaled"
    assert cells(tmp_path / "a") == cells(tmp_path / "b")


def test_the_options_are_part_of_the_plan(tmp_path: Path) -> None:
    with Lookalike(script, pages) as server:
        asyncio.run(start(settings(tmp_path, server.base_url, limit=8)))
        for other in ({"baselines": "missing"}, {"confirm_oracle": True}):
            with pytest.raises(Exception, match=f"other {next(iter(other))}"):
                open_run(prepare(settings(tmp_path, server.base_url, limit=8, **other)))


# --------------------------------------------------------------------------- the oracle, confirmed


def test_the_oracle_s_picks_are_asked_afresh_and_mixed_into_nothing(tmp_path: Path) -> None:
    def forgetful(request: Request, before: int) -> Reply:
        """Answer confirmations, which come with the second session, wrong for every fourth question."""
        n = number(request)
        if request.session.endswith(".r1") and n % 4 == 0:
            return Reply(text="1", model=str(request.body["model"]), cost=0.001)
        return script(request, before)

    with Lookalike(forgetful, pages) as server:
        wanted = settings(tmp_path, server.base_url, confirm_oracle=True, limit=60)
        finished = asyncio.run(start(wanted))
        fresh = [r for r in server.requests if r.session.endswith(".r1")]
        asked = len(server.requests)
        asyncio.run(resume(wanted))
        assert [r.path for r in server.requests[asked:] if "completions" in r.path] == []
    asked_afresh = Counter(map(number, fresh))
    assert (len(asked_afresh), set(asked_afresh.values())) == (60, {1})
    assert {r.body["model"] for r in fresh} == {DEAR}, (
        "of equally right models the better one, not the cheaper"
    )
    assert finished.summary.oracle is not None
    oracle = msgspec.to_builtins(finished.summary.oracle)
    assert oracle["confirmed"] == pytest.approx(np.mean([n % 4 != 0 for n in asked_afresh]))
    assert oracle["best_then_cheapest"]["accuracy"] == 1.0
    assert finished.summary.arms[DEAR].accuracy == 1.0
    assert finished.summary.arms[DEAR].n == 60
    assert finished.summary.cost_usd == pytest.approx(0.001 * len(server.billed))
    assert all(row.repeat == 0 for row in rows(summarise(finished.directory)[0]))


def test_confirming_goes_on_where_it_stopped(tmp_path: Path) -> None:
    with Lookalike(script, pages) as server:
        wanted = settings(tmp_path, server.base_url, confirm_oracle=True, baselines=None, max_cost=0.11)
        wanted = msgspec.structs.replace(wanted, model=[CHEAP, DEAR], limit=40)
        stopped = asyncio.run(start(wanted))
        assert (stopped.exit_code, stopped.run.status) == (4, "stopped")
        assert 80 < len(server.billed) < 120
        oracle = msgspec.to_builtins(stopped.summary.oracle)
        assert oracle["confirmed"] is None, "half of them would be those first in the plan"
        done = asyncio.run(resume(msgspec.structs.replace(wanted, max_cost=1.0)))
        assert len(server.billed) == 120
    assert done.run.status == "complete"
    assert msgspec.to_builtins(done.summary.oracle)["confirmed"] == 1.0


# --------------------------------------------------------------------------- the shipped gateway


def test_against_the_shipped_gateway_its_own_counter_tells_the_same(tmp_path: Path) -> None:
    async def scenario() -> tuple[Finished, dict[str, Any]]:
        async with simulated_gateway(seed=1, latency="fixed:0.001") as base_url:
            wanted = settings(tmp_path, base_url, questions=None, limit=60, confirm_oracle=True)
            return await start(msgspec.structs.replace(wanted, max_tokens=4_000)), stats(base_url)

    finished, counted = asyncio.run(scenario())
    assert finished.exit_code == 0
    served = Counter(finished.summary.arms[ROUTER].model_usage)
    fresh = Counter(judged.outcome.arm for judged in ledger_of(finished.directory).confirmations())
    asked = Counter({arm.name: 0 for arm in finished.run.baselines})
    asked.update(o.arm for o in outcomes(finished.directory.path) if o.arm != ROUTER and o.repeat == 0)
    assert asked.keys() == served.keys()
    assert {count for name, count in asked.items() if served[name] >= 3} == {60}
    assert served + asked + fresh == Counter(counted["by_model"])
    assert counted["double_bills"] == 0
    assert results_head(finished.run, finished.summary)["summary"]["oracle"]["confirmed"] is not None
