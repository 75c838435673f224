"""The driver of a cluster and its workers, all on one loop: messages are lost, workers die, and nothing else changes.

What only Ray itself can break is in tests/cluster.
"""

import asyncio
import functools
import json
import urllib.request
from pathlib import Path
from typing import Any

import msgspec
import pytest

from lookalike import Lookalike, Reply, Request
from routemark.config import Settings
from routemark.engine.cluster import LostError
from routemark.engine.cluster_messages import Report, unpack
from routemark.engine.cluster_worker import Worker
from routemark.errors import RunError
from routemark.gateway.process import simulated_gateway
from routemark.main import Finished, ask, rows, summarise
from routemark.policy.retry import RetryPolicy
from routemark.prepare import open_resumed, open_run, prepare
from routemark.pricing import priced
from runs import events, leave_out_pages, outcomes, write_sums

KEY = "sk-or-v1-cluster-0123456789"
ARMS = ["sim/pebble-nano", "sim/abacus"]


class Here:
    """A worker on this loop, that can be shot."""

    def __init__(self, team: "TeamHere", setup: bytes) -> None:
        self.team = team
        self.worker = Worker(setup)
        self.dead = asyncio.Event()
        self.orders = self.reports = 0
        team.said.append(setup)

    async def _alive(self, work: Any) -> Any:
        """Do something unless we are shot meanwhile; then even the answer that was ready is lost."""
        doing = asyncio.ensure_future(work)
        dying = asyncio.ensure_future(self.dead.wait())
        await asyncio.wait({doing, dying}, return_when=asyncio.FIRST_COMPLETED)
        dying.cancel()
        if self.dead.is_set():
            doing.cancel()
            await asyncio.gather(doing, return_exceptions=True)
            raise LostError("shot")
        return doing.result()

    async def hello(self) -> bytes:
        if self.team.unborn:
            raise LostError("no such module")
        return await self._alive(self.worker.hello())

    async def order(self, data: bytes) -> None:
        self.team.said.append(data)
        self.orders += 1
        await self._alive(self.worker.order(data))
        if self.team.stutters:  # the receipt was lost
            await self._alive(self.worker.order(data))

    async def report(self, acknowledged: int) -> bytes:
        self.reports += 1
        told = await self._alive(self.worker.report(acknowledged))
        if self.team.stutters:
            told = await self._alive(self.worker.report(acknowledged))
        return told

    def dismiss(self) -> None:
        """Be gone, as a killed process is, with all that was in flight."""
        self.dead.set()
        for task in self.worker._tasks.values():
            task.cancel()
        for task in (getattr(self.worker, "_watch", None),):
            if task is not None:
                task.cancel()

    async def gone(self) -> None:
        await asyncio.gather(*self.worker._tasks.values(), return_exceptions=True)
        if self.worker._client is not None:
            await self.worker._client.aclose()


class TeamHere:
    """Hires workers on this loop."""

    def __init__(self, workers: int = 2, *, stutters: bool = False, unborn: bool = False) -> None:
        self.workers = workers
        self.stutters = stutters
        self.unborn = unborn
        self.said: list[bytes] = []
        self.hired: list[Here] = []

    async def open(self) -> None:
        """Nothing to reach."""

    def wanted(self) -> int:
        return self.workers

    def hire(self, setup: bytes) -> Here:
        self.hired.append(Here(self, setup))
        return self.hired[-1]

    async def close(self) -> None:
        for worker in self.hired:
            worker.dismiss()
            await worker.gone()


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nobody wait long before asking again, nor for a page, and look after the team often."""
    leave_out_pages(monkeypatch)
    for module in ("main", "pricing", "engine.cluster_worker"):
        monkeypatch.setattr(f"routemark.{module}.RetryPolicy", functools.partial(RetryPolicy, base_s=0.01))
    monkeypatch.setattr("routemark.engine.cluster.LOOK_S", 0.02)
    monkeypatch.setattr("routemark.prepare.require_ray", lambda address: None)
    monkeypatch.setenv("OPENROUTER_API_KEY", KEY)


@pytest.fixture
def team(monkeypatch: pytest.MonkeyPatch) -> TeamHere:
    made = TeamHere()
    monkeypatch.setattr("routemark.main.RayTeam", lambda address, workers: made)
    return made


def settings(folder: Path, base_url: str, **more: Any) -> Settings:
    wanted = {
        "questions": str(write_sums(folder, 40)),
        "model": ARMS,
        "base_url": base_url,
        "runs_dir": str(folder / "runs"),
        "run_id": "one",
        "executor": "ray",
        "concurrency": 12,
        "max_tokens": 1000,
    }
    return msgspec.convert({**wanted, **more}, Settings)


async def begin(wanted: Settings, **more: Any) -> Finished:
    prepared = await priced(prepare(wanted), KEY)
    return await ask(prepared, open_run(prepared), KEY, **more)


def answers(finished: Finished) -> list[tuple[Any, ...]]:
    """Give what does not depend on times, attempts and the names of generations."""
    ledger, _ = summarise(finished.directory)
    return [
        (row.id, row.arm, row.status, row.model, row.answer, row.finish_reason, row.grade)
        for row in rows(ledger)
    ]


def stats(base_url: str) -> dict[str, Any]:
    with urllib.request.urlopen(base_url.removesuffix("/api/v1") + "/__stats") as response:
        found: dict[str, Any] = json.load(response)
        return found


class Shot:
    """An observer that shoots a worker after so many outcomes."""

    def __init__(self, team: TeamHere, after: int, which: int = 0) -> None:
        self.team, self.left, self.which = team, after, which

    def saw(self, *_: Any) -> None:
        self.left -= 1
        if self.left == 0:
            self.team.hired[self.which].dismiss()


def test_ids_of_answers_that_take_their_time_are_journaled(tmp_path: Path, team: TeamHere) -> None:
    async def scenario() -> Finished:
        async with simulated_gateway(seed=3, latency="fixed:0.01", faults="stall:1.0") as base_url:
            wanted = settings(
                tmp_path, base_url, idle_timeout=0.5, max_attempts=1, limit=4, fail_on_error=1.0
            )
            return await begin(wanted)

    finished = asyncio.run(scenario())
    found = outcomes(finished.directory.path)
    told = {event["generation_id"] for event in events(finished.directory.path, "generation")}
    assert found
    assert told == {attempt.generation_id for one in found for attempt in one.attempts}


@pytest.mark.parametrize("stutters", [False, True])
def test_results_are_those_of_one_process_and_each_trial_is_asked_once(
    tmp_path: Path, team: TeamHere, stutters: bool
) -> None:
    team.stutters = stutters

    async def scenario() -> tuple[Finished, Finished]:
        async with simulated_gateway(seed=3, latency="fixed:0.01") as base_url:
            on_cluster = await begin(settings(tmp_path, base_url))
            asked = stats(base_url)
            assert asked["distinct_sessions"] == 80
            assert asked["rebilled"] == 0
            return on_cluster, await begin(settings(tmp_path, base_url, executor=None, run_id="two"))

    on_cluster, local = asyncio.run(scenario())
    assert answers(on_cluster) == answers(local)
    assert on_cluster.run.status == "complete"
    found = outcomes(on_cluster.directory.path)
    assert len({one.trial for one in found}) == len(found) == 80
    assert all(here.orders for here in team.hired[:2]), "both workers had a share"
    assert not any(KEY.encode() in said for said in team.said), "the key was sent in a message"
    assert not any(b'"reference":78' in said for said in team.said), "workers need no references"


@pytest.mark.parametrize("after", [1, 20, 60])
def test_trials_of_a_lost_worker_are_asked_again_once_and_flagged(
    tmp_path: Path, team: TeamHere, after: int
) -> None:
    seen: dict[str, int] = {}

    def script(request: Request, before: int) -> Reply:
        seen[request.session] = before + 1
        n = int(request.prompt.split()[2])
        return Reply(text=str(2 * n), model=str(request.body["model"]), delay_s=0.02)

    with Lookalike(script) as server:
        finished = asyncio.run(
            begin(settings(tmp_path, server.base_url), observers=lambda executor, done: [Shot(team, after)])
        )
    assert finished.run.status == "complete"
    found = outcomes(finished.directory.path)
    assert len({one.trial for one in found}) == len(found) == 80
    assert all(one.completion is not None for one in found)
    (lost,) = events(finished.directory.path, "worker_lost")
    assert len(lost["trials"]) > 0
    flagged = {one.trial for one in found if one.attempts[0].kind == "worker_lost"}
    assert flagged == set(lost["trials"]), "what the lost worker had, and nothing else"
    twice = {session for session, times in seen.items() if times > 1}
    assert twice <= {one.session_id for one in found if one.trial in flagged}
    assert max(seen.values()) <= 2
    ledger, summary = summarise(finished.directory)
    assert sum("asked_twice" in judged.flags for judged in ledger.judged()) == len(flagged)
    assert len(team.hired) == 3, "another was hired in its place"
    assert summary.succeeded == 80


def test_a_trial_that_loses_two_workers_is_left_for_resume(tmp_path: Path, team: TeamHere) -> None:
    team.workers = 1

    def script(request: Request, before: int) -> Reply:
        slow = request.prompt.split()[2] == "7" and before < 2
        return Reply(text="14", model=str(request.body["model"]), delay_s=5.0 if slow else 0.001)

    async def scenario(server: Lookalike) -> Finished:
        """Shoot whoever has nothing left but the slow one, twice."""
        wanted = settings(tmp_path, server.base_url, model=ARMS[:1])
        task = asyncio.create_task(begin(wanted))
        for number in (0, 1):
            while len(team.hired) <= number or len(outcomes(tmp_path / "runs/one")) < 39:  # noqa: ASYNC110 - what another process does
                await asyncio.sleep(0.01)
            while len(team.hired[number].worker._tasks) != 1:  # noqa: ASYNC110 - as above
                await asyncio.sleep(0.01)
            team.hired[number].dismiss()
        return await task

    with Lookalike(script) as server:
        finished = asyncio.run(scenario(server))
        (failed,) = [one for one in outcomes(finished.directory.path) if one.failure is not None]
        assert failed.failure is not None
        assert failed.failure.kind == "worker_lost"
        assert [attempt.kind for attempt in failed.attempts] == ["worker_lost"] * 2
        prepared, opened = open_resumed(str(finished.directory.path), Settings(executor="local"))
        again = asyncio.run(ask(prepared, opened, KEY))
    assert again.summary.succeeded == 40
    assert sum(one.session_id == failed.session_id for one in outcomes(again.directory.path)) == 2


def test_a_rate_limit_met_by_one_worker_holds_all(tmp_path: Path, team: TeamHere) -> None:
    refused_at: list[float] = []
    heard: list[float] = []

    def script(request: Request, before: int) -> Reply:
        now = asyncio.get_running_loop().time()
        heard.append(now)
        if len(heard) == 15:
            refused_at.append(now)
            error = {"code": 429, "message": "slow down", "metadata": {"limit_source": "openrouter"}}
            return Reply(status=429, error=error, headers={"Retry-After": "2"})
        return Reply(text="4", model=str(request.body["model"]), delay_s=0.01)

    with Lookalike(script) as server:
        finished = asyncio.run(begin(settings(tmp_path, server.base_url, fixed_concurrency=True)))
    (at,) = refused_at
    during = [one for one in heard if at + 1.0 < one < at + 1.95]
    assert finished.summary.succeeded == 80
    assert sum(one > at + 1.95 for one in heard) > 20
    assert during == [], "somebody went on asking"


def test_the_budget_is_kept_and_a_lost_request_counts_at_its_worst(tmp_path: Path, team: TeamHere) -> None:
    async def scenario() -> tuple[Finished, dict[str, Any]]:
        faults = "502:0.1,midstream:0.1,no-usage:0.05"
        async with simulated_gateway(seed=1, latency="fixed:0.02", faults=faults) as base_url:
            wanted = settings(
                tmp_path, base_url, max_cost=0.3, model=["sim/abacus", "sim/colossus"], max_attempts=9
            )
            shot = Shot(team, 3)
            finished = await begin(wanted, observers=lambda executor, done: [shot])
            return finished, stats(base_url)

    finished, asked = asyncio.run(scenario())
    assert finished.exit_code == 4
    assert finished.run.status == "stopped"
    assert 0 < asked["billed_usd"] <= 0.3
    found = outcomes(finished.directory.path)
    reserved = events(finished.directory.path, "reserved")
    by_outcome = sum(len(one.attempts) for one in found)
    given_up = sum(event["requests"] for event in events(finished.directory.path, "abandoned"))
    assert len(reserved) == by_outcome + given_up, "each request was paid for before it went out"
    (lost,) = events(finished.directory.path, "worker_lost")
    told = {one.trial for one in found if any(attempt.kind == "worker_lost" for attempt in one.attempts)}
    told |= {event["trial"] for event in events(finished.directory.path, "abandoned")}
    assert set(lost["trials"]) <= told
    assert lost["trials"]


def test_a_lost_request_is_not_asked_again_on_money_that_it_may_have_spent(
    tmp_path: Path, team: TeamHere
) -> None:
    team.workers = 1

    async def scenario() -> Finished:
        async with simulated_gateway(seed=1, latency="fixed:0.6") as base_url:
            one = {"model": ["sim/colossus"], "limit": 1}
            first = await begin(settings(tmp_path, base_url, max_cost=9, **one))
            (reserved,) = events(first.directory.path, "reserved")
            assert first.run.status == "complete"
            team.hired.clear()
            enough_for_one = reserved["worst_usd"] * 1.5
            wanted = settings(tmp_path, base_url, max_cost=enough_for_one, run_id="two", **one)
            task = asyncio.create_task(begin(wanted))
            while not team.hired or not team.hired[0].worker._gate.in_flight:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            team.hired[0].dismiss()
            return await task

    stopped = asyncio.run(scenario())
    assert stopped.exit_code == 4
    assert "worst case" in str(stopped.run.stop_reason)
    assert len(events(stopped.directory.path, "reserved")) == 1, "it was asked again"


def test_a_stop_lets_what_is_in_flight_end_and_sends_nothing_more(tmp_path: Path, team: TeamHere) -> None:
    class Stops:
        def __init__(self, executor: Any) -> None:
            self.executor, self.left = executor, 10

        def saw(self, *_: Any) -> None:
            self.left -= 1
            if self.left == 0:
                self.executor.stop("Enough.", 130)

    def script(request: Request, before: int) -> Reply:
        return Reply(text="4", model=str(request.body["model"]), delay_s=0.05)

    with Lookalike(script) as server:
        finished = asyncio.run(
            begin(settings(tmp_path, server.base_url), observers=lambda executor, done: [Stops(executor)])
        )
        assert finished.run.stop_reason == "Enough."
        assert len(outcomes(finished.directory.path)) == len(server.requests), "all was waited for"
        assert len(server.requests) < 60
        prepared, opened = open_resumed(str(finished.directory.path), Settings())
        assert prepared.settings.executor == "ray", "resumed as it was begun"
        again = asyncio.run(ask(prepared, opened, KEY))
        assert len(server.requests) == 80
    assert again.summary.succeeded == 80


def test_until_decided_and_baselines_go_as_in_one_process(tmp_path: Path, team: TeamHere) -> None:
    async def scenario(**more: Any) -> Finished:
        async with simulated_gateway(seed=2, latency="fixed:0.005") as base_url:
            return await begin(settings(tmp_path, base_url, **more))

    more = {"model": ["openrouter/auto", "sim/abacus"], "baselines": "picked"}
    on_cluster = asyncio.run(scenario(**more))
    local = asyncio.run(scenario(**more, executor=None, run_id="two"))
    assert [arm.name for arm in on_cluster.run.baselines] == [arm.name for arm in local.run.baselines]
    assert answers(on_cluster) == answers(local)
    more = {"model": ["openrouter/auto", "sim/pebble-nano"], "until_decided": "closed", "margin": 0.4}
    decided = asyncio.run(scenario(**more, run_id="three"))
    assert decided.run.status in ("stopped", "complete")
    assert decided.run.decided or decided.run.status == "complete"


def test_workers_without_a_key_or_that_do_not_start_end_the_run_with_a_sentence(
    tmp_path: Path, team: TeamHere, monkeypatch: pytest.MonkeyPatch
) -> None:
    team.unborn = True
    finished = asyncio.run(begin(settings(tmp_path, "http://127.0.0.1:9/api/v1")))
    assert finished.exit_code == RunError.exit_code
    assert "No worker of the cluster can be started: no such module" in str(finished.run.stop_reason)
    team.unborn = False
    monkeypatch.delenv("OPENROUTER_API_KEY")
    finished = asyncio.run(begin(settings(tmp_path, "http://127.0.0.1:9/api/v1", run_id="two")))
    assert "has no API key" in str(finished.run.stop_reason)


def test_a_report_is_told_again_until_it_is_acknowledged(tmp_path: Path) -> None:
    from routemark.engine.cluster_messages import Order, Setup, pack
    from routemark.wire.request import RequestOptions

    def script(request: Request, before: int) -> Reply:
        return Reply(text="4", model="sim/abacus")

    async def scenario(base_url: str) -> None:
        options = RequestOptions(max_tokens=10, temperature=None, stream=True)
        setup = Setup(
            base_url=base_url, options=options, transport="pyreqwest", concurrency=4, timeout_s=5, idle_timeout_s=5,
            max_attempts=1, simulated=False, metered=False,
        )  # fmt: skip
        worker = Worker(pack(setup))
        await worker.hello()
        prepared = prepare(settings(tmp_path, base_url))
        from routemark.main import _remaining, planned_by
        from routemark.rundir import Ledger

        opened = open_run(prepared)
        ledger = Ledger(opened.run, prepared.questions, opened.directory.journal)
        trial = next(_remaining(planned_by(prepared, opened.run), prepared.questions, ledger))
        order = pack(Order(number=1, trials=[trial], lease=1, slots=1))
        await worker.order(order)
        await worker.order(order)
        first = Report(number=0)
        async with asyncio.timeout(60):
            while not first.ended:
                first = unpack(await worker.report(first.number), Report)
        again = unpack(await worker.report(first.number - 1), Report)
        assert again.ended == first.ended
        assert len(again.ended) == 1
        assert unpack(await worker.report(again.number), Report).ended == []
        worker._watch.cancel()
        assert worker._client is not None
        await worker._client.aclose()

    with Lookalike(script) as server:
        asyncio.run(scenario(server.base_url))
        assert len(server.requests) == 1
