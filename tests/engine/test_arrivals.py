"""Ids of generations are journaled where their answers take their time, and only there."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from routemark import generations
from routemark.engine import arrivals
from routemark.engine.arrivals import Arrivals
from routemark.engine.run import Stop
from routemark.journal import Event, Journal, replay
from routemark.records import Arm, Outcome, Question, Trial


def trial(key: str) -> Trial:
    question = Question(id="q", difficulty="easy", question="?")
    return Trial(key=key, question=question, arm=Arm(name="a", model="a/b"), repeat=0, session_id="s")


def outcome(key: str) -> Outcome:
    return Outcome(trial=key, question_id="q", arm="a", repeat=0, session_id="s", attempts=[])


def told(path: Path) -> list[tuple[str, str]]:
    """Give (trial, id) of each line about an id, in their order."""
    events = [entry.record for entry in replay(path)]
    return [(event.data["trial"], generations.id_of(event)) for event in events if isinstance(event, Event)]


def hear(path: Path, what: Callable[[Arrivals], Awaitable[None]]) -> None:
    """Let something be heard over a fresh journal."""

    async def heard() -> None:
        with Journal(path) as journal:
            await what(Arrivals(journal, Stop(lambda: None)))

    asyncio.run(heard())


def test_only_an_id_whose_answer_does_not_follow_is_journaled_and_soon(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"

    async def some_slow(taken: Arrivals) -> None:
        taken.note("quick", "gen-1")
        taken.note("slow", "gen-2")
        taken.note("slower", "gen-3")
        taken.saw(trial("quick"), outcome("quick"), None)
        assert told(path) == []
        await asyncio.sleep(2 * arrivals.PATIENCE_S)  # its timer is due before ours
        assert told(path) == [("slow", "gen-2"), ("slower", "gen-3")]
        taken.note("later", "gen-4")
        await asyncio.sleep(2 * arrivals.PATIENCE_S)
        assert told(path)[2:] == [("later", "gen-4")]

    hear(path, some_slow)


def test_the_id_of_an_earlier_attempt_is_not_lost_to_the_next(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"

    async def twice(taken: Arrivals) -> None:
        taken.note("again", "gen-1")
        taken.note("again", "gen-2")
        assert told(path) == [("again", "gen-1")]
        taken.saw(trial("again"), outcome("again"), None)
        taken.write()

    hear(path, twice)
    assert told(path) == [("again", "gen-1")]


def test_a_full_disk_stops_the_run_and_breaks_no_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    async def heard() -> Stop:
        with Journal(tmp_path / "journal.jsonl") as journal:
            stop = Stop(lambda: None)
            taken = Arrivals(journal, stop)
            taken.note("slow", "gen-1")
            with monkeypatch.context() as patched:
                patched.setattr("routemark.journal.os.write", full)
                taken.write()
            return stop

    stop = asyncio.run(heard())
    assert "No space left" in (stop.reason or "")
