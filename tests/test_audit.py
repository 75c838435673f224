"""`routemark audit`: billed cost against the lookup, and what a crash left open, over real sockets."""

import asyncio
import json
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from lookalike import Lookalike, Page, Reply, Request
from routemark import api, audit, generations
from routemark.errors import JournalError, RunError, UsageError
from routemark.journal import Event, Journal, replay
from routemark.main import summarise
from routemark.report.audit import render
from routemark.rundir import RunDirectory

AUTO, FIXED = "openrouter/auto", "vendor/model-a"
KEY = "sk-or-v1-MARKERKEY0123456789"
N = 6


class Gateway:
    """Bills every answer 0.001, and tells of it what a test wants."""

    def __init__(self, told: Callable[[str, int, dict[str, Any]], Page | None]) -> None:
        self.asked: Counter[str] = Counter()
        self.in_flight_peak = 0
        self._told = told
        self.server = Lookalike(self._answer, self._page)
        self.unbilled: set[int] = set()
        """Numbers of questions whose answer does not tell its cost."""
        self.failing: set[int] = set()
        """Numbers of questions whose first attempt fails after it was billed."""

    def _answer(self, request: Request, before: int) -> Reply:
        n = int(request.prompt.split()[2])
        if n in self.failing and not before:
            error = {"code": 502, "message": "Provider returned error"}
            return Reply(
                status=502, error=error, headers={"X-Generation-Id": f"gen-failed-{request.session}"}
            )
        return Reply(text=str(n), cost=None if n in self.unbilled else 0.001)

    def _page(self, request: Request) -> Page | None:
        parts = urlsplit(request.path)
        if not parts.path.endswith("/generation"):
            return None
        assert request.headers["authorization"] == f"Bearer {KEY}"
        (name,) = parse_qs(parts.query)["id"]
        self.asked[name] += 1
        return self._told(name, self.asked[name], self.truth(name))

    def truth(self, name: str) -> dict[str, Any]:
        """Tell a generation as it was."""
        number = name.removeprefix("gen-")
        sent = [
            one
            for one in self.server.requests
            if one.body.get("session_id") == number.removeprefix("failed-")
        ]
        if number.isdigit():
            sent = [self.server.requests[int(number) - 1]]
        router = AUTO if sent and sent[0].body["model"] == AUTO else None
        return {"id": name, "total_cost": 0.001, "model": "vendor/model-a-20260217", "router": router}


@contextmanager
def gateway(told: Callable[[str, int, dict[str, Any]], Page | None]) -> Iterator[Gateway]:
    made = Gateway(told)
    with made.server:
        yield made


def truly(name: str, times: int, truth: dict[str, Any]) -> Page:
    return 200, {}, {"data": truth}


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENROUTER_API_KEY", KEY)


def run(folder: Path, server: Lookalike) -> RunDirectory:
    questions = [{"id": f"q{i}", "difficulty": "e", "question": f"What is {i} ?"} for i in range(N)]
    settings: dict[str, Any] = {"runs_dir": str(folder), "run_id": "one", "base_url": server.base_url}
    handle = asyncio.run(api.run(questions, arms=[AUTO, FIXED], **settings))
    return RunDirectory(handle.path)


class Naps:
    """Sleeps for no time, and remembers for how long it should have."""

    def __init__(self) -> None:
        self.taken: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.taken.append(seconds)


def audited(directory: RunDirectory, **options: Any) -> audit.Audit:
    return asyncio.run(audit.audit(directory, KEY, **{"sleep": Naps()} | options))


def test_a_run_whose_lookups_agree_has_no_difference(tmp_path: Path) -> None:
    with gateway(truly) as made:
        directory = run(tmp_path, made.server)
        result = audited(directory)
    assert (result.answers.generations, result.answers.told, result.agree) == (2 * N, 2 * N, 2 * N)
    assert result.differences == []
    assert result.billed_usd == result.lookup_usd == pytest.approx(0.001 * 2 * N)
    assert result.cost_usd == pytest.approx(0.001 * 2 * N)
    assert not result.failed
    assert max(made.asked.values()) == 1
    assert "no difference" in render(result)


def test_differences_in_cost_model_and_router_are_listed(tmp_path: Path) -> None:
    def told(name: str, times: int, truth: dict[str, Any]) -> Page:
        bent = {"gen-1": {"total_cost": 0.002}, "gen-2": {"model": "other/model"}, "gen-3": {"router": "x/y"}}
        return 200, {}, {"data": truth | bent.get(name, {})}

    with gateway(told) as made:
        directory = run(tmp_path, made.server)
        before = directory.journal.read_bytes()
        result = audited(directory)
    found = {one.generation_id: one.difference for one in result.differences}
    assert {name: (one.what, one.lookup) for name, one in found.items()} == {
        "gen-1": ("cost", 0.002),
        "gen-2": ("model", "other/model"),
        "gen-3": ("router", "x/y"),
    }
    assert found["gen-1"].told == 0.001
    assert result.agree == 2 * N - 3
    assert directory.journal.read_bytes() == before  # what is known is never overwritten
    text = render(result)
    assert "3 differences" in text
    assert "cost $0.001, lookup says $0.002" in text


def test_lookups_that_lag_are_asked_for_again_every_five_seconds(tmp_path: Path) -> None:
    statuses = {1: 404, 2: 429, 3: 500, 4: 408}

    def late(name: str, times: int, truth: dict[str, Any]) -> Page | None:
        return (
            (statuses[times], {}, {"error": {"message": "no"}})
            if times in statuses
            else truly(name, times, truth)
        )

    naps = Naps()
    with gateway(late) as made:
        result = audited(run(tmp_path, made.server), sleep=naps)
    assert naps.taken == [5.0] * 4
    assert set(made.asked.values()) == {5}
    assert result.answers.told == 2 * N


def test_what_never_comes_stays_unknown_after_a_minute_and_old_ones_are_asked_once(tmp_path: Path) -> None:
    with gateway(lambda *_: None) as made:
        made.unbilled = {0}
        directory = run(tmp_path, made.server)
        naps = Naps()
        result = audited(directory, sleep=naps)
        assert sum(naps.taken) == 60
        assert (result.answers.missing, result.answers.told, result.answers.unknown) == (2 * N, 0, 2)
        assert result.failed
        assert "Nothing could be looked up" in render(result)
        made.asked.clear()
        old = audited(directory, sleep=naps, clock=lambda: time.time() + 86_400)
        assert set(made.asked.values()) == {1}
        assert old.answers.missing == 2 * N


def test_unknown_costs_are_settled_in_the_journal_and_the_outcomes_are_not_rewritten(tmp_path: Path) -> None:
    with gateway(truly) as made:
        made.unbilled, made.failing = {0, 1}, {2}
        directory = run(tmp_path, made.server)
        before = directory.journal.read_bytes()
        results = json.loads(directory.results.read_text())
        result = audited(directory)
        again = audited(directory)
    assert sum(row["cost_usd"] is None for row in results["results"]) == 4
    assert (result.answers.settled, result.attempts.settled) == (4, 2)
    assert result.cost_usd == pytest.approx(0.001 * (2 * N + 2))
    assert directory.journal.read_bytes().startswith(before)
    rows = {(row["id"], row["arm"]): row for row in json.loads(directory.results.read_text())["results"]}
    assert {row["cost_usd"] for row in rows.values()} == {0.001, 0.002}
    assert {name: row["cost_source"] for (name, _), row in rows.items()} == {
        f"q{i}": "lookup" if i < 2 else "billed" for i in range(N)
    }
    assert summarise(directory)[1].cost_usd == result.cost_usd
    assert (again.answers.settled, again.attempts.settled, again.cost_usd) == (0, 0, result.cost_usd)
    assert again.agree == 2 * N + 2


def test_what_a_crash_left_open_counts_in_the_cost_of_the_run_once(tmp_path: Path) -> None:
    with gateway(truly) as made:
        directory = run(tmp_path, made.server)
        with Journal(directory.journal) as journal:
            for _ in range(2):
                journal.append(generations.arrived("ab" * 12, "gen-lost", "2026-01-01T00:00:00Z"))
        result = audited(directory)
        again = audited(directory)
    assert (result.open.generations, result.open.told, result.open.settled) == (1, 1, 1)
    assert result.cost_usd == pytest.approx(0.001 * (2 * N + 1))
    assert again.open.settled == 0
    assert again.cost_usd == result.cost_usd
    assert json.loads(directory.results.read_text())["summary"]["cost_usd"] == result.cost_usd
    assert "1 cut-off request: 1 told" in render(result)


def test_every_id_is_in_the_journal_once_its_answer_is(tmp_path: Path) -> None:
    with gateway(truly) as made:
        made.failing = {1}
        directory = run(tmp_path, made.server)
    told: set[str] = set()
    for entry in replay(directory.journal):
        match entry.record:
            case Event(event=generations.ARRIVED):
                told.add(generations.id_of(entry.record))
            case outcome if hasattr(outcome, "attempts"):
                told |= {attempt.generation_id for attempt in outcome.attempts}
    assert len(told) == 2 * N + 2


@pytest.mark.parametrize("status", [401, 402])
def test_a_refused_key_ends_the_audit_with_what_to_do(tmp_path: Path, status: int) -> None:
    with gateway(
        lambda *_: (status, {}, {"error": {"code": status, "message": f"no \x1b[2J {KEY}"}})
    ) as made:
        directory = run(tmp_path, made.server)
        with pytest.raises(RunError, match=r"OPENROUTER_API_KEY|credit") as refused:
            audited(directory)
    assert KEY not in str(refused.value)
    assert "\x1b" not in str(refused.value)
    assert sum(made.asked.values()) <= audit.AT_ONCE


def test_a_gateway_that_is_gone_ends_the_audit_at_once(tmp_path: Path) -> None:
    with gateway(truly) as made:
        directory = run(tmp_path, made.server)
    naps = Naps()
    with pytest.raises(RunError, match="does not answer"):
        audited(directory, sleep=naps)
    assert naps.taken == []


def test_a_generation_that_is_not_ours_to_see_is_no_end(tmp_path: Path) -> None:
    def told(name: str, times: int, truth: dict[str, Any]) -> Page:
        if name == "gen-1":
            return 403, {}, {"error": {"code": 403, "message": "not yours"}}
        return truly(name, times, {} if name == "gen-2" else truth)

    with gateway(told) as made:
        result = audited(run(tmp_path, made.server))
    assert (result.answers.refused, result.answers.told) == (1, 2 * N - 1)
    assert result.refusals == {"forbidden": 1}


def test_no_more_than_eight_lookups_at_once(tmp_path: Path) -> None:
    peak = in_flight = 0

    class Client:
        async def get_json(self, path: str) -> Any:
            nonlocal peak, in_flight
            in_flight += 1
            peak = max(peak, in_flight)
            await asyncio.sleep(0)
            in_flight -= 1
            return {"data": {}}

    taken: list[str] = []
    these = [audit.Wanted(f"a/b?&{i}", "t", "", "answer") for i in range(50)]
    lookups = audit.Lookups(Client(), lambda one, _: taken.append(one.id), note=taken.append)  # type: ignore[arg-type]
    asyncio.run(lookups.run(these))
    assert peak == audit.AT_ONCE
    assert sorted(taken) == sorted(one.id for one in these)


def test_a_run_that_is_being_written_or_was_simulated_here_is_refused(tmp_path: Path) -> None:
    with gateway(truly) as made:
        directory = run(tmp_path, made.server)
        with Journal(directory.journal), pytest.raises(JournalError, match="is writing this run"):
            audited(directory)
    directory.write(_simulated(directory))
    with pytest.raises(UsageError, match="simulated"):
        audited(directory)


def _simulated(directory: RunDirectory) -> Any:
    manifest = directory.read()
    return type(manifest)(**{
        name: getattr(manifest, name) for name in manifest.__struct_fields__ if name != "settings"
    }, settings={**manifest.settings, "simulate": True})  # fmt: skip


def test_names_in_the_report_do_not_act() -> None:
    evil = "\x1b[2J\u202e" + "x" * 500
    difference = audit.Difference(what="model", told=evil, lookup=evil)
    found = audit.Found(generation_id=evil, trial="t", question_id=evil, arm=evil, difference=difference)
    counted = audit.Count(generations=1, told=1)
    result = audit.Audit(run=evil, simulated=True, answers=counted, differences=[found] * 60)
    text = render(result)
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "and 10 more" in text
    assert text.startswith("*** SIMULATED ***")
