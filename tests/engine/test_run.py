"""The loop: journal first, memory bounded by workers, stops that lose nothing."""

import asyncio
import math
from collections.abc import Iterator
from pathlib import Path

import pytest

from routemark.engine.gate import Gate
from routemark.engine.run import Desk, Observer, Planned, Stop, work
from routemark.errors import FailureKind, JournalError
from routemark.journal import Journal, replay
from routemark.policy.pacing import Pace
from routemark.policy.stopping import StopRules
from routemark.records import Arm, Completion, Failure, Grade, Outcome, Question, Trial

ARM = Arm(name="a", model="a")


def trial(n: int) -> Trial:
    question = Question(id=f"q{n}", difficulty="easy", question="?")
    return Trial(key=f"{n:024x}", question=question, arm=ARM, repeat=0, session_id=f"s{n}")


def answered(asked: Trial, kind: FailureKind | None = None) -> Outcome:
    return Outcome(
        trial=asked.key,
        question_id=asked.question.id,
        arm="a",
        repeat=0,
        session_id=asked.session_id,
        attempts=[],
        completion=None if kind else Completion(text="4", model="m"),
        failure=Failure(kind=kind, message="no") if kind else None,
    )


def grade(key: str, question: Question, completion: Completion) -> Grade:
    return Grade(trial=key, grader="exact", version=1, score=1.0, reason=completion.text + question.id)


def desk_of(journal: Journal, stop: Stop, *observers: Observer) -> Desk:
    rules = StopRules("http://x")
    return Desk(journal, grade, list(observers), stop, rules=rules, heard_at=lambda: -math.inf)


class Watcher:
    """Sees outcomes, and that they stand in the journal by then."""

    def __init__(self, path: Path) -> None:
        self.seen: list[str] = []
        self._path = path

    def saw(self, trial: Trial, outcome: Outcome, grade: Grade | None) -> None:
        assert outcome.trial.encode() in self._path.read_bytes()
        self.seen.append(outcome.trial)


def test_every_trial_is_journaled_then_graded_then_seen(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    watcher = Watcher(path)

    async def complete(asked: Trial) -> Outcome:
        await asyncio.sleep(0)
        return answered(asked)

    async def scenario() -> None:
        stop = Stop(lambda: None)
        with Journal(path) as journal:
            desk = desk_of(journal, stop, watcher)
            await work(Planned(iter([trial(n) for n in range(50)])), complete, desk, stop, workers=8)

    asyncio.run(scenario())
    records = [entry.record for entry in replay(path)]
    assert len([r for r in records if isinstance(r, Outcome)]) == len(watcher.seen) == 50
    assert {r.trial for r in records if isinstance(r, Grade)} == set(watcher.seen)


def test_no_more_trials_are_pulled_than_there_are_workers(tmp_path: Path) -> None:
    pulled = finished = most = 0

    def trials() -> Iterator[Trial]:
        nonlocal pulled, most
        for n in range(1000):
            pulled += 1
            most = max(most, pulled - finished)
            yield trial(n)

    async def complete(asked: Trial) -> Outcome:
        nonlocal finished
        await asyncio.sleep(0)
        finished += 1
        return answered(asked)

    async def scenario() -> None:
        stop = Stop(lambda: None)
        with Journal(tmp_path / "journal.jsonl") as journal:
            await work(Planned(trials()), complete, desk_of(journal, stop), stop, workers=10)

    asyncio.run(scenario())
    assert finished == 1000
    assert most <= 11


def test_a_run_stopping_kind_ends_the_run_and_keeps_what_was_in_flight(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    gate = Gate(Pace(4, fixed=True))
    stop = Stop(gate.close)

    async def complete(asked: Trial) -> Outcome:
        await gate.admit("a")
        await asyncio.sleep(0)
        gate.release("a", None)
        return answered(asked, FailureKind.BAD_KEY if asked.question.id == "q9" else None)

    async def scenario() -> None:
        with Journal(path) as journal:
            trials = iter([trial(n) for n in range(10_000)])
            await work(Planned(trials), complete, desk_of(journal, stop), stop, workers=12)

    asyncio.run(scenario())
    kept = [e.record for e in replay(path) if isinstance(e.record, Outcome)]
    assert stop.reason is not None
    assert "OPENROUTER_API_KEY" in stop.reason
    assert stop.exit_code == 1
    assert 10 <= len(kept) < 40


def test_an_answer_is_journaled_even_where_its_grading_breaks(tmp_path: Path) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    with Journal(tmp_path / "journal.jsonl") as journal:
        stop, rules = Stop(lambda: None), StopRules("http://x")
        desk = Desk(journal, broken, [], stop, rules=rules, heard_at=lambda: -math.inf)
        with pytest.raises(ZeroDivisionError):
            desk.take(trial(1), answered(trial(1)), 0.0)
    assert [type(entry.record) for entry in replay(tmp_path / "journal.jsonl")] == [Outcome]


def test_what_a_worker_raises_ends_the_run_with_that_error(tmp_path: Path) -> None:
    async def complete(asked: Trial) -> Outcome:
        await asyncio.sleep(0)
        return answered(asked)

    class Full(Journal):
        def hold(self, record: object) -> bool:
            raise JournalError("full")

    async def scenario() -> None:
        stop = Stop(lambda: None)
        with Full(tmp_path / "journal.jsonl") as journal:
            await work(Planned(iter([trial(n) for n in range(9)])), complete, desk_of(journal, stop), stop, 3)

    with pytest.raises(JournalError, match="full"):
        asyncio.run(scenario())


def test_cancelling_the_run_cancels_its_workers(tmp_path: Path) -> None:
    async def complete(asked: Trial) -> Outcome:
        await asyncio.sleep(3600)
        raise AssertionError

    async def scenario() -> None:
        stop = Stop(lambda: None)
        with Journal(tmp_path / "journal.jsonl") as journal:
            task = asyncio.create_task(
                work(Planned(iter([trial(1)])), complete, desk_of(journal, stop), stop, workers=2)
            )
            await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(scenario())
