"""An outage ends the run instead of its questions; a clock that is set back changes nothing."""

import asyncio
import itertools
import time
from pathlib import Path
from typing import Any

import pytest

import routemark
import runs
from lookalike import Lookalike, Reply, Request
from nursery import Child, Nursery

N = 40
ARMS = ("-m", "openrouter/auto", "-m", "sim/b")


def script(request: Request, before: int) -> Reply:
    n = int(request.prompt.split()[2])
    return Reply(text=str(2 * n + (n % 5 == 0)), model="vendor/m", delay_s=0.02)


def command(base_url: str, *more: str) -> list[str]:
    return ["run", "my.jsonl", *ARMS, "--base-url", base_url, "--run-id", "one", "-j", "6", "--quiet", *more]


def wait_for(server: Lookalike, answers: int) -> None:
    runs.wait_until(lambda: len(server.billed) >= answers)


def told(run: Path) -> Any:
    results = runs.timeless(runs.results(run))
    for row in results["results"]:
        del row["attempts"]
    return results


def undisturbed(nursery: Nursery, folder: Path, port: int, *more: str) -> Any:
    folder.mkdir()
    runs.write_sums(folder, N)
    with Lookalike(script, port=port) as server:
        assert nursery.run(*command(server.base_url, *more), cwd=folder).status == 0
    return told(folder / "runs/one")


@pytest.mark.parametrize("where", ["http://127.0.0.1:1/api/v1", "http://no-such-host.invalid/api/v1"])
def test_a_gateway_that_cannot_be_reached_stops_the_run_at_once(
    nursery: Nursery, tmp_path: Path, where: str
) -> None:
    runs.write_sums(tmp_path, N)
    done = nursery.run(*command(where, "--max-attempts", "2"), cwd=tmp_path)
    assert done.status == 1
    line = done.stderr.splitlines()[-1]
    assert f"The gateway cannot be reached at {where}: " in line
    for word in ("--base-url", "network", "routemark resume"):
        assert word in line
    assert len(runs.outcomes(tmp_path / "runs/one")) <= 6, "not all trials were burnt"
    assert runs.results(tmp_path / "runs/one")["run"]["status"] == "stopped"


def stopped_by_an_outage(child: Child) -> None:
    assert child.wait(60)
    assert child.status == 1, child.stderr
    assert "cannot be reached" in child.stderr


def test_a_gateway_that_goes_away_and_comes_back(nursery: Nursery, tmp_path: Path) -> None:
    runs.write_sums(tmp_path, N)
    more = ("--max-attempts", "2")
    with Lookalike(script) as server:
        child = nursery.begin(*command(server.base_url, *more), cwd=tmp_path)
        wait_for(server, 20)
    stopped_by_an_outage(child)
    answered = {o.session_id for o in runs.outcomes(tmp_path / "runs/one") if o.completion is not None}
    assert 20 - 6 <= len(answered) < 2 * N
    assert nursery.run("resume", "one", cwd=tmp_path).status == 1, "it is still away"
    with Lookalike(script, port=server.port) as again:
        assert nursery.run("resume", "one", "--quiet", cwd=tmp_path).status == 0
        assert not answered & {request.session for request in again.requests}
    assert told(tmp_path / "runs/one") == undisturbed(nursery, tmp_path / "calm", server.port, *more)


def test_an_outage_of_a_second_is_outlasted(nursery: Nursery, tmp_path: Path) -> None:
    runs.write_sums(tmp_path, N)
    with Lookalike(script) as server:
        child = nursery.begin(*command(server.base_url), cwd=tmp_path)
        wait_for(server, 20)
    time.sleep(1)
    with Lookalike(script, port=server.port):
        assert child.wait(60)
    assert child.status == 0, child.stderr
    assert told(tmp_path / "runs/one") == undisturbed(nursery, tmp_path / "calm", server.port)


# --------------------------------------------------------------------------- clocks


def test_a_clock_that_is_set_back_all_the_time_is_in_no_duration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, looks = time.time, itertools.count()
    monkeypatch.setattr("time.time", lambda: real() - 3600 * next(looks))  # an hour back at each look
    monkeypatch.chdir(tmp_path)

    def hinted(request: Request, before: int) -> Reply:
        if before == 0 and request.prompt.startswith("What is 7"):
            return Reply(status=503, error={"message": "wait"}, headers={"Retry-After": "0.05"})
        return script(request, before)

    began = time.monotonic()
    with Lookalike(hinted) as server:
        run = asyncio.run(
            routemark.run(str(runs.write_sums(tmp_path, N)), arms=["sim/a"], base_url=server.base_url)
        )
    took = time.monotonic() - began
    assert run.summary.succeeded == N
    for outcome in run.outcomes():
        assert outcome.completion is not None
        assert 0.02 <= outcome.completion.latency_s < took
        assert outcome.queue_s is not None
        assert 0 <= outcome.queue_s < took
        assert all(0 <= attempt.duration_s < took for attempt in outcome.attempts)
        assert all(0 <= (attempt.waited_s or 0) < took for attempt in outcome.attempts)
    paces = runs.events(run.path, "pace")
    assert paces
    assert all(0 <= pace["at_s"] < took for pace in paces)
