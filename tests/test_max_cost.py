"""``--max-cost`` against the gateway's own ledger: whatever breaks, no more is billed than was allowed."""

import asyncio
import functools
import json
import urllib.request
from pathlib import Path
from typing import Any

import msgspec
import pytest

import runs
from lookalike import Lookalike, Reply, Request
from routemark.config import Settings
from routemark.errors import RunError, UsageError
from routemark.gateway.process import simulated_gateway
from routemark.journal import Event, replay
from routemark.main import Finished, ask
from routemark.policy.retry import RetryPolicy
from routemark.prepare import open_resumed, open_run, prepare
from routemark.pricing import priced
from routemark.records import Outcome
from routemark.rundir import RunDirectory

ARMS = [
    "openrouter/auto?allowed_models=sim/*-mini,sim/finch-*",
    "sim/pebble-nano",
    "sim/abacus",
    "sim/colossus",
]
"""Prices over three decades: 0.05 to 120 US dollars per million tokens."""
FAULTS = (
    "429:0.05,429-provider:0.03,502:0.04,524:0.02,midstream:0.03,cut:0.03,reset-after:0.02,no-usage:0.02,"
    "truncated:0.02,garbage:0.02,error200:0.02"
)
STALLS = ",stall:0.01"
"""A stream that falls silent is waited for, hence only with some seeds."""


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nobody wait long before asking again, nor for a report."""
    runs.leave_out_pages(monkeypatch)
    for module in ("main", "pricing"):
        monkeypatch.setattr(f"routemark.{module}.RetryPolicy", functools.partial(RetryPolicy, base_s=0.01))


def settings(folder: Path, base_url: str, **more: Any) -> Settings:
    given = {
        "model": ARMS,
        "base_url": base_url,
        "runs_dir": str(folder),
        "run_id": "one",
        "concurrency": 96,
        "fixed_concurrency": True,
        "max_tokens": 1_000,
        "max_attempts": 20,
        **more,
    }
    return msgspec.convert(given, Settings)


def stats(base_url: str) -> dict[str, Any]:
    with urllib.request.urlopen(base_url.removesuffix("/api/v1") + "/__stats") as response:
        found: dict[str, Any] = json.load(response)
        return found


def billed(base_url: str) -> float:
    return float(stats(base_url)["billed_usd"])


async def begin(wanted: Settings) -> Finished:
    prepared = await priced(prepare(wanted), None)
    return await ask(prepared, open_run(prepared), "key")


async def resume(wanted: Settings) -> Finished:
    prepared, opened = open_resumed("one", wanted)
    return await ask(await priced(prepared, None), opened, "key")


def answers(finished: Finished) -> list[tuple[Any, ...]]:
    """Give what does not depend on times, attempts and the names of generations."""
    kept = ("id", "arm", "status", "model", "answer", "finish_reason", "grade")
    return [tuple(row[name] for name in kept) for row in runs.results(finished.directory.path)["results"]]


def outcomes(directory: RunDirectory) -> list[Outcome]:
    return [entry.record for entry in replay(directory.journal) if isinstance(entry.record, Outcome)]


SEEDS = [*range(2), *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(2, 20))]


@pytest.mark.parametrize("seed", SEEDS)
def test_no_more_is_billed_than_allowed_and_more_money_gives_the_undisturbed_results(
    tmp_path: Path, seed: int
) -> None:
    """Dozens at once; answers that break off are billed by the gateway and never tell their cost."""
    stalls = seed % 5 == 0
    faults = FAULTS + STALLS * stalls
    more = {"seed": seed, "stream": seed % 2 == 0, "limit": 60, "idle_timeout": 1.5 if stalls else 30.0}
    limits = (3.4, 3.9)

    async def scenario() -> tuple[Finished, Finished]:
        wanted = settings(tmp_path / "a", "", **more)
        async with simulated_gateway(seed=seed, latency="fixed:0.3", faults=faults) as base_url:
            wanted = msgspec.structs.replace(wanted, base_url=base_url, max_cost=limits[0])
            stopped = await begin(wanted)
            assert (stopped.exit_code, stopped.run.status) == (4, "stopped")
            assert 0.3 * limits[0] < billed(base_url) <= limits[0]
            assert stats(base_url)["in_flight_peak"] >= 50
            again = await resume(msgspec.structs.replace(wanted, max_cost=limits[1]))
            assert again.exit_code == 4
            assert billed(base_url) <= limits[1]
            finished = await resume(msgspec.structs.replace(wanted, max_cost=1_000.0))
            assert stats(base_url)["double_bills"] == 0
        async with simulated_gateway(seed=seed, latency="fixed:0.02", faults=faults) as base_url:
            undisturbed = await begin(settings(tmp_path / "b", base_url, **more))
        return finished, undisturbed

    finished, undisturbed = asyncio.run(scenario())
    assert (finished.exit_code, finished.run.status) == (0, "complete")
    assert undisturbed.summary.total == 240
    assert answers(finished) == answers(undisturbed)


# --------------------------------------------------------------------------- what is told, journaled, refused


def question_file(folder: Path, n: int = 8) -> str:
    path = folder / "q.jsonl"
    path.write_text(
        "".join(json.dumps({"id": f"q{i}", "difficulty": "x", "question": f"{i}?"}) + "\n" for i in range(n))
    )
    return str(path)


def catalogue(*rows: tuple[str, str, str]) -> list[dict[str, Any]]:
    return [
        {"id": slug, "context_length": 9_999, "pricing": {"prompt": prompt, "completion": completion}}
        for slug, prompt, completion in rows
    ]


PRICES = catalogue(("sim/a", "0.000001", "0.000010"), ("sim/b", "0", "0"), ("openrouter/auto", "-1", "-1"))
"""A request of sim/a costs at most a little more than 1 cent, at 1,000 tokens an answer."""


def pages(request: Request) -> tuple[int, dict[str, str], Any] | None:
    return (200, {}, {"data": PRICES}) if request.path.endswith("/models") else None


def small(folder: Path, server: Lookalike, **more: Any) -> Settings:
    given = {"questions": question_file(folder), "model": ["sim/a"], "concurrency": 4, **more}
    return settings(folder / "runs", server.base_url, **given)


def cheap(request: Request, before: int) -> Reply:
    return Reply(text="4", model="sim/a", cost=0.004)


def test_the_run_stops_before_a_request_that_may_not_fit_and_says_how_to_go_on(tmp_path: Path) -> None:
    with Lookalike(cheap, pages) as server:
        stopped = asyncio.run(begin(small(tmp_path, server, max_cost=0.02)))
        assert stopped.exit_code == 4
        assert len(server.billed) == 3, "after three times 0.4 cents 0.8 are left, and 1.1 may be needed"
        reason = stopped.run.stop_reason or ""
        assert "$0.012 of --max-cost $0.02 is spent." in reason
        assert f"routemark resume {stopped.directory.path} --max-cost MORE" in reason
        kept = json.loads(stopped.directory.models.read_bytes())
        assert kept["data"] == PRICES
        assert [outcome.failure for outcome in outcomes(stopped.directory)] == [None] * 3
        again = asyncio.run(resume(small(tmp_path, server, max_cost=None)))
        assert (again.exit_code, len(server.billed)) == (4, 3), "the limit is kept by the run"
        done = asyncio.run(resume(small(tmp_path, server, max_cost=1.0)))
    assert (done.exit_code, len(server.billed)) == (0, 8)
    assert done.run.settings["max_cost"] == 1.0
    assert done.summary.cost_usd == pytest.approx(0.032)


def fails_first(request: Request, before: int) -> Reply:
    """Break off every first attempt after it had begun, without a word on its cost."""
    if before == 0:
        return Reply(error={"code": 502, "message": "Provider returned error"})
    return cheap(request, before)


def test_a_retry_that_does_not_fit_ends_its_trial_as_not_asked(tmp_path: Path) -> None:
    with Lookalike(fails_first, pages) as server:
        stopped = asyncio.run(begin(small(tmp_path, server, max_cost=0.02)))
        (outcome,) = outcomes(stopped.directory)
        assert outcome.failure is not None
        assert (outcome.failure.kind, len(outcome.attempts)) == ("over_budget", 1)
        assert stopped.summary.total == 0, "neither right nor wrong"
        assert "the worst case of requests that did not tell their cost" in (stopped.run.stop_reason or "")
        done = asyncio.run(resume(small(tmp_path, server, max_cost=1.0)))
    assert (done.exit_code, done.summary.succeeded) == (0, 8)


def test_what_a_crash_left_open_is_counted_when_the_run_goes_on(tmp_path: Path) -> None:
    with Lookalike(cheap, pages) as server:
        stopped = asyncio.run(begin(small(tmp_path, server, max_cost=0.02)))
        events = [e.record for e in replay(stopped.directory.journal) if isinstance(e.record, Event)]
        sent = next(event for event in events if event.event == "reserved")
        lost = json.dumps({"v": 1, "kind": "event", **msgspec.to_builtins(sent)}).encode() + b"\n"
        with stopped.directory.journal.open("ab") as journal:
            journal.write(lost.replace(sent.data["trial"].encode(), b"f" * 24))
        again = asyncio.run(resume(small(tmp_path, server, max_cost=0.025)))
    assert (again.exit_code, len(server.billed)) == (4, 3)
    assert "$0.02319 of --max-cost $0.025 is spent ($0.01119 of it" in (again.run.stop_reason or "")


def test_a_run_without_a_limit_can_go_on_with_one(tmp_path: Path) -> None:
    with Lookalike(lambda request, before: Reply(text="4", model="sim/a", cost=None), pages) as server:
        done = asyncio.run(begin(small(tmp_path, server)))
        (tmp_path / "q.jsonl").unlink()
        journal = done.directory.journal.read_bytes().splitlines(keepends=True)
        cut = next(place for place, line in enumerate(journal) if b'"kind":"outcome"' in line) + 1
        done.directory.journal.write_bytes(b"".join(journal[:cut]))
        asked = len(server.requests)
        stopped = asyncio.run(resume(small(tmp_path, server, max_cost=0.012)))
        assert stopped.exit_code == 4
        assert [r for r in server.requests[asked:] if "completions" in r.path] == []
    assert "is spent ($0.01119 of it the worst case" in (stopped.run.stop_reason or "")


@pytest.mark.parametrize(
    ("arm", "answer", "says"),
    [
        ("sim/a", (404, {}, {"error": {"code": 404, "message": "none"}}), "prices cannot be read"),
        ("sim/a", (200, {}, {"data": []}), "it lists no models"),
        ("sim/gone", None, "sim/gone: the gateway lists no price for sim/gone"),
        ("openrouter/fusion", None, "openrouter/fusion: .* has no bound"),
        ("openrouter/auto?allowed_models=x/*", None, "no model that the gateway lists is left"),
    ],
)
def test_what_cannot_be_bounded_is_refused_before_anything_is_asked(
    tmp_path: Path, arm: str, answer: Any, says: str
) -> None:
    with Lookalike(cheap, lambda request: answer or pages(request)) as server:
        with pytest.raises((RunError, UsageError), match=says) as refused:
            asyncio.run(begin(small(tmp_path, server, model=[arm], max_cost=1.0)))
        assert "--max-cost" in str(refused.value)
        assert [request for request in server.requests if "completions" in request.path] == []
    assert not (tmp_path / "runs").exists()


def test_a_picture_has_no_known_price(tmp_path: Path) -> None:
    content = [{"type": "image_url", "image_url": {"url": "https://example.org/x.png"}}]
    line = {"id": "pic", "difficulty": "x", "messages": [{"role": "user", "content": content}]}
    (tmp_path / "p.jsonl").write_text(json.dumps(line) + "\n")
    with Lookalike(cheap, pages) as server, pytest.raises(UsageError, match="'pic': holds pictures"):
        asyncio.run(begin(small(tmp_path, server, questions=str(tmp_path / "p.jsonl"), max_cost=1.0)))


def test_free_models_are_asked_without_money(tmp_path: Path) -> None:
    with Lookalike(lambda request, before: Reply(text="4", model="sim/b", cost=0.0), pages) as server:
        done = asyncio.run(begin(small(tmp_path, server, model=["sim/b"], max_cost=0.0)))
    assert (done.exit_code, done.summary.succeeded, done.summary.cost_usd) == (0, 8, 0.0)


def test_bills_above_the_listed_prices_stop_the_run(tmp_path: Path) -> None:
    with Lookalike(lambda request, before: Reply(text="4", model="sim/a", cost=0.5), pages) as server:
        stopped = asyncio.run(begin(small(tmp_path, server, concurrency=1, max_cost=5.0)))
    assert (stopped.exit_code, len(server.billed)) == (4, 1)
    assert "more than the $0.01" in (stopped.run.stop_reason or "")
