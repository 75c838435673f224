"""What ends a run at once, with a sentence that says what to do, and what ends only one trial."""

import signal
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import runs
from lookalike import Lookalike, Reply, Request
from nursery import Child, Nursery

N = 40
WORKERS = 4


def number(request: Request) -> int:
    return int(request.prompt.split()[2])


def good(request: Request, before: int = 0) -> Reply:
    return Reply(text=str(2 * number(request)), model="vendor/m", delay_s=0.002)


def command(server: Lookalike, *arms: str) -> list[str]:
    asked = [part for arm in arms or ("sim/a",) for part in ("-m", arm)]
    options = ("--run-id", "one", "-j", str(WORKERS), "--quiet")
    return ["run", "my.jsonl", *asked, "--base-url", server.base_url, *options]


def stopped(child: Child) -> str:
    """Give the sentence of a run that was stopped."""
    assert child.status == 1, child.stderr
    line = child.stderr.splitlines()[-1]
    assert "routemark resume" in line
    return line


def refusal(status: int, **error: Any) -> Reply:
    return Reply(status=status, error={"code": status, "message": "the gateway's own words", **error})


def inside_200(code: int, **metadata: Any) -> Reply:
    return Reply(status=200, error={"code": code, "message": "the gateway's own words", "metadata": metadata})


STOPS: list[tuple[str, Reply, str]] = [
    ("bad key", refusal(401), "OPENROUTER_API_KEY"),
    ("no credit", refusal(402), "add credit"),
    ("key limit", refusal(402, metadata={"limit_source": "openrouter_key_limit"}), "limit"),
    ("budget of the key", refusal(403, metadata={"error_type": "payment_required"}), "limit"),
    ("bad key in a 200", inside_200(401), "OPENROUTER_API_KEY"),
    ("no credit in a 200", inside_200(402), "add credit"),
    ("key limit in a 200", inside_200(402, limit_source="openrouter_key_limit"), "limit"),
]


@pytest.mark.parametrize(("reply", "hint"), [case[1:] for case in STOPS], ids=[case[0] for case in STOPS])
def test_a_run_stopping_kind_stops_at_once_and_resume_finishes(
    nursery: Nursery, tmp_path: Path, reply: Reply, hint: str
) -> None:
    runs.write_sums(tmp_path, N)

    def script(request: Request, before: int) -> Reply:
        return good(request) if len(server.requests) < 10 else reply

    with Lookalike(script) as server:
        line = stopped(nursery.run(*command(server), cwd=tmp_path))
        assert hint in line
        assert "the gateway's own words" in line
        assert len(server.requests) <= 10 + 2 * WORKERS
        results = runs.results(tmp_path / "runs/one")
        assert results["run"]["status"] == "stopped"
        assert results["run"]["stop_reason"] in line
        kept = {o.session_id for o in runs.outcomes(tmp_path / "runs/one") if o.completion is not None}
        before = len(server.requests)
        server._script = good
        assert nursery.run("resume", "one", cwd=tmp_path).status == 0
        again = Counter(request.session for request in server.requests[before:])
        assert not kept & set(again)
        assert set(again.values()) == {1}
    assert runs.results(tmp_path / "runs/one")["summary"]["succeeded"] == N


SINGLE: list[tuple[str, Reply, str]] = [
    ("guardrail", refusal(403, metadata={"patterns": ["p"]}), "guardrail"),
    ("moderation", refusal(403, metadata={"reasons": ["r"], "flagged_input": "x"}), "moderation"),
    ("too dear", refusal(402, metadata={"reason": "weight_exceeds_budget"}), "request_too_dear"),
    ("forbidden", refusal(403), "forbidden"),
    ("context", refusal(400, metadata={"error_type": "context_length_exceeded"}), "context_too_long"),
    ("unknown once", refusal(400, availability={"code": "model_not_found"}), "unknown_model"),
]


@pytest.mark.parametrize(("reply", "kind"), [case[1:] for case in SINGLE], ids=[case[0] for case in SINGLE])
def test_what_one_prompt_meets_fails_that_trial_only(
    nursery: Nursery, tmp_path: Path, reply: Reply, kind: str
) -> None:
    runs.write_sums(tmp_path, N)
    with Lookalike(lambda request, before: reply if number(request) == 7 else good(request)) as server:
        assert nursery.run(*command(server), cwd=tmp_path).status == 0
        assert len(server.requests) == N
    results = runs.results(tmp_path / "runs/one")
    assert results["summary"]["arms"]["sim/a"]["failures"] == {kind: 1}
    assert results["summary"]["failed_questions"] == ["q7"]


# --------------------------------------------------------------------------- models that are not served

MODELS = {"data": [{"id": "sim/quill"}, {"id": "sim/heron-flash"}, {"id": None}, "odd"]}


@pytest.mark.parametrize(
    ("reply", "hint"),
    [
        (refusal(400, message="sim/quil is not a valid model ID"), "Did you mean"),
        (refusal(404, availability={"code": "model_deprecated", "retryable": False}), ""),
    ],
)
def test_a_model_that_is_not_served_is_not_asked_for_hundreds_of_times(
    nursery: Nursery, tmp_path: Path, reply: Reply, hint: str
) -> None:
    runs.write_sums(tmp_path, N)

    def script(request: Request, before: int) -> Reply:
        return reply if request.body["model"] == "sim/quil" else good(request)

    pages: dict[str, Any] = {"/api/v1/models": (200, {}, MODELS)} if hint else {}
    with Lookalike(script, lambda request: pages.get(request.path)) as server:
        line = stopped(nursery.run(*command(server, "sim/b", "sim/quil"), cwd=tmp_path))
        asked = [r for r in server.requests if r.body and r.body["model"] == "sim/quil"]
    assert 3 <= len(asked) <= 3 + WORKERS
    assert "does not serve sim/quil (arm sim/quil)" in line
    assert ('Did you mean "sim/quill"?' in line) == bool(hint)


def test_a_model_that_was_answered_once_goes_on(nursery: Nursery, tmp_path: Path) -> None:
    runs.write_sums(tmp_path, N)
    gone = refusal(404, availability={"code": "model_unavailable_upstream", "retryable": False})
    gone.delay_s = 0.05
    with Lookalike(lambda request, before: good(request) if len(server.requests) == 1 else gone) as server:
        assert nursery.run(*command(server), cwd=tmp_path).status == 3
        assert len(server.requests) == N


# --------------------------------------------------------------------------- waits


def test_a_wait_longer_than_a_trial_may_take_fails_it_and_holds_nobody_else_back(
    nursery: Nursery, tmp_path: Path
) -> None:
    runs.write_sums(tmp_path, N)
    platform = Reply(
        status=429,
        error={"code": 429, "message": "come back tomorrow"},
        headers={"Retry-After": "86400", "X-RateLimit-Limit": "20"},
    )
    provider = Reply(status=429, error={"code": 429, "message": "x"}, headers={"Retry-After": "7200"})
    odd = {3: platform, 4: provider}
    with Lookalike(lambda request, before: odd.get(number(request)) or good(request)) as server:
        assert nursery.run(*command(server), cwd=tmp_path).status == 0
        assert len(server.requests) == N
    results = runs.results(tmp_path / "runs/one")
    failed = {row["id"]: row for row in results["results"] if row["status"] == "failed"}
    assert set(failed) == {"q3", "q4"}
    assert {row["error"]["kind"] for row in failed.values()} == {"retry_after_too_long"}
    assert {row["attempts"] for row in failed.values()} == {1}
    assert failed["q3"]["error"]["message"] == "come back tomorrow"


def test_a_pause_of_the_platform_is_for_all_one_of_a_provider_for_its_arm(
    nursery: Nursery, tmp_path: Path
) -> None:
    runs.write_sums(tmp_path, 8)
    first = {"sim/a": True}

    def script(request: Request, before: int) -> Reply:
        if first.pop("sim/a", None):
            error = {"code": 429, "message": "slow down"}
            return Reply(status=429, error=error, headers={"Retry-After": "1", "X-RateLimit-Limit": "20"})
        return good(request)

    with Lookalike(script) as server:
        assert nursery.run(*command(server, "sim/a", "sim/b"), cwd=tmp_path).status == 0
    paces = runs.events(tmp_path / "runs/one", "pace")
    assert [pace["reason"] for pace in paces] == ["rate_limit_platform", "the end"]
    assert paces[0]["limit"] == pytest.approx(0.8 * WORKERS)


def test_a_killed_run_keeps_how_its_pace_went(nursery: Nursery, tmp_path: Path) -> None:
    runs.write_sums(tmp_path, N)
    limited = Reply(status=429, error={"code": 429, "message": "x"}, headers={"X-RateLimit-Limit": "20"})

    def script(request: Request, before: int) -> Reply:
        return limited if len(server.requests) == 1 else Reply(text="4", delay_s=60)

    with Lookalike(script) as server:
        child = nursery.begin(*command(server), cwd=tmp_path)
        assert not child.wait(0.5)
        child.send_signal(signal.SIGKILL)
        assert child.wait(10)
    (pace,) = runs.events(tmp_path / "runs/one", "pace")
    assert pace["reason"] == "rate_limit_platform"
    assert pace["limit"] == pytest.approx(0.8 * WORKERS)


# --------------------------------------------------------------------------- free models


def key_page(**told: Any) -> Callable[[Request], Any]:
    page = {"data": {"label": "x", "free_model_daily_requests": told}}
    return lambda request: (200, {}, page) if request.path == "/api/v1/key" else None


def test_the_days_allowance_is_not_overdrawn(nursery: Nursery, tmp_path: Path) -> None:
    runs.write_sums(tmp_path, N)
    with Lookalike(good, key_page(used=44, limit=50, remaining=6)) as server:
        line = stopped(nursery.run(*command(server, "sim/b", "sim/a:free"), cwd=tmp_path))
        asked = [r for r in server.requests if r.body]
        assert sum(r.body["model"] == "sim/a:free" for r in asked) == 6
        assert sum(r.path == "/api/v1/key" for r in server.requests) == 1
    assert "midnight UTC" in line


def test_nothing_is_asked_when_nothing_is_left(nursery: Nursery, tmp_path: Path) -> None:
    runs.write_sums(tmp_path, N)
    with Lookalike(good, key_page(used=50, limit=50, remaining=0)) as server:
        assert "midnight UTC" in stopped(nursery.run(*command(server, "openrouter/free"), cwd=tmp_path))
        assert [request.path for request in server.requests] == ["/api/v1/key"]


def test_without_a_free_model_the_key_is_not_looked_at(nursery: Nursery, tmp_path: Path) -> None:
    runs.write_sums(tmp_path, 4)
    with Lookalike(good, key_page(used=50, limit=50, remaining=0)) as server:
        assert nursery.run(*command(server), cwd=tmp_path).status == 0
        assert len(server.requests) == 4


def test_a_limit_of_the_day_that_was_hit_nevertheless_stops_the_run(nursery: Nursery, tmp_path: Path) -> None:
    runs.write_sums(tmp_path, N)
    headers = {"X-RateLimit-Limit": "50", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "40000"}
    hit = Reply(status=429, error={"code": 429, "message": "free-models-per-day"}, headers=headers)
    with Lookalike(lambda request, before: hit) as server:
        line = stopped(nursery.run(*command(server, "sim/a:free"), cwd=tmp_path))
        assert len([r for r in server.requests if r.body]) <= 2 * WORKERS
    assert "midnight UTC" in line
    assert "free-models-per-day" in line
