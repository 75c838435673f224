"""Every mood of the wire through a whole run: the kind, the number of requests and the text in results.json."""

import asyncio
import functools
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

import routemark
import runs
from moods import ANSWERS, CASES, MORE
from routemark.errors import RULES, FailureKind
from routemark.policy.retry import RetryPolicy
from scripted import DONE, Heard, Script, ScriptedServer, delta, event, streamed, usage

K = FailureKind
SCRIPTS: dict[str, Script] = {name: script for name, script, *_ in (*CASES, *MORE, *ANSWERS)}
KINDS = {name: kind for name, _, kind in (*CASES, *MORE)}
TEXTS = {name: (text, finish) for name, _, text, finish in ANSWERS}
ELSEWHERE = {name for name, kind in KINDS.items() if kind and RULES[kind].stops_run}
"""Cases that would end the run."""


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("routemark.main.RetryPolicy", functools.partial(RetryPolicy, base_s=0.001))


def name_of(heard: Heard) -> str:
    return str(heard.json["messages"][0]["content"])


def run_against(folder: Path, scripts: dict[str, Script], **settings: Any) -> tuple[Any, Counter[str]]:
    """Ask one question a script; give results.json and how often each was asked for."""
    questions = [{"id": name, "difficulty": "x", "question": name} for name in scripts]

    async def scenario() -> list[Heard]:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda *_: None)  # connections that the server's scripts broke
        async with ScriptedServer([], choose=lambda heard: scripts[name_of(heard)]) as server:
            await routemark.run(
                questions,
                ["sim/a"],
                base_url=server.base_url,
                runs_dir=str(folder / "runs"),
                run_id="one",
                max_attempts=2,
                timeout=1.5,
                idle_timeout=0.5,
                **settings,
            )
            return server.heard

    heard = asyncio.run(asyncio.wait_for(scenario(), 60))
    return runs.results(folder / "runs/one"), Counter(map(name_of, heard))


@pytest.mark.parametrize(
    ("transport", "stream"), [("pyreqwest", True), ("pyreqwest", False), ("httpx", True), ("httpx", False)]
)
def test_results_tell_every_mood_of_the_wire_as_it_was(tmp_path: Path, transport: str, stream: bool) -> None:
    scripts = {name: script for name, script in SCRIPTS.items() if name not in ELSEWHERE}
    results, asked = run_against(tmp_path, scripts, transport=transport, stream=stream, concurrency=20)
    assert results["run"]["status"] == "complete"
    rows = {row["id"]: row for row in results["results"]}
    assert set(rows) == set(scripts)
    wrong = {name: told for name in rows if (told := complaint(rows[name], asked[name]))}
    assert wrong == {}
    assert sum(results["summary"]["arms"]["sim/a"]["failures"].values()) == len(KINDS) - len(ELSEWHERE)


def complaint(row: dict[str, Any], asked: int) -> str | None:
    """Say what a row tells otherwise than it was; None when it is right."""
    name = row["id"]
    if row["attempts"] != asked:
        return f"{row['attempts']} attempts, {asked} requests"
    if name in TEXTS:
        text, finish = TEXTS[name]
        right = (row["status"], row["answer"], row["finish_reason"], asked) == ("ok", text, finish, 1)
        return None if right and row["error"] is None else f"{str(row)[:300]}"
    if row["status"] != "failed" or row["answer"] is not None or row["cost_usd"] not in (None, 0.5):
        return f"{str(row)[:300]}"
    kind = FailureKind(row["error"]["kind"])
    if KINDS[name] is not None and kind is not KINDS[name]:
        return f"{kind}, not {KINDS[name]}: {row['error']['message']}"
    final = name == "not to be retried, it says" or not RULES[kind].retried
    return None if asked == (1 if final else 2) else f"{kind} asked for {asked} times"


MIDSTREAM = {
    "bad key": (event({"error": {"code": 401, "message": "no"}}), K.BAD_KEY),
    "no credit": (event({"error": {"code": "402", "message": "empty"}}), K.NO_CREDIT),
    "key limit": (
        event({"error": {"code": 402, "metadata": {"limit_source": "openrouter_key_limit"}}}),
        K.KEY_LIMIT,
    ),
}


@pytest.mark.parametrize("name", MIDSTREAM)
def test_a_run_stopping_kind_in_the_middle_of_a_stream(tmp_path: Path, name: str) -> None:
    said, kind = MIDSTREAM[name]
    scripts = {f"q{n}": streamed(delta("par"), said, usage(), DONE) for n in range(30)}
    results, asked = run_against(tmp_path, scripts, concurrency=3)
    assert results["run"]["status"] == "stopped"
    assert RULES[kind].advice in results["run"]["stop_reason"]
    assert {row["error"]["kind"] for row in results["results"]} == {kind}
    assert asked.total() <= 6


def test_cases_of_the_table_that_end_a_run_are_tested_to_end_it() -> None:
    assert {KINDS[name] for name in ELSEWHERE} == {kind for kind, rule in RULES.items() if rule.stops_run}
