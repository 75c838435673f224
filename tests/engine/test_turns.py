"""A sticky question's repeats are asked one after another, with any number of workers; all others side by side."""

import asyncio
import math
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from routemark.engine.run import Desk, Planned, Stop, work
from routemark.journal import Journal, replay
from routemark.policy import plan
from routemark.policy.stopping import StopRules
from routemark.records import Arm, Completion, Outcome, Question, Trial
from routemark.wire.request import RequestOptions

ARMS = [Arm(name="sticky", model="r", sticky=True), Arm(name="fresh", model="r")]
QUESTIONS = [Question(id=f"q{i}", difficulty="easy", question=f"{i}?") for i in range(12)]
PLAN = plan.Plan(run_id="r", arms=ARMS, options=RequestOptions(), repeats=4, window=5, seed=3)


class Asked:
    """A client that takes its time, more for some, and remembers who was in flight together."""

    def __init__(self) -> None:
        self.begun: list[Trial] = []
        self.most: Counter[str] = Counter()
        self._now: Counter[str] = Counter()

    async def complete(self, trial: Trial) -> Outcome:
        self.begun.append(trial)
        self._now[trial.session_id] += 1
        self._now[trial.arm.name] += 1
        for name in (trial.session_id, trial.arm.name):
            self.most[name] = max(self.most[name], self._now[name])
        for _ in range(1 + int(trial.key, 16) % 7):
            await asyncio.sleep(0)
        self._now[trial.session_id] -= 1
        self._now[trial.arm.name] -= 1
        return Outcome(
            trial=trial.key,
            question_id=trial.question.id,
            arm=trial.arm.name,
            repeat=trial.repeat,
            session_id=trial.session_id,
            attempts=[],
            completion=Completion(text="4", model="m"),
        )


def ask(path: Path, workers: int, stop_after: int | None = None) -> Asked:
    client = Asked()
    stop = Stop(lambda: None)

    async def complete(trial: Trial) -> Outcome:
        if stop_after is not None and len(client.begun) == stop_after:
            stop("enough", 0)
        if stop.requested():
            raise asyncio.CancelledError
        return await client.complete(trial)

    async def scenario() -> None:
        with Journal(path) as journal:
            desk = Desk(
                journal,
                lambda *_: None,
                [],
                stop,
                rules=StopRules("http://x"),
                heard_at=lambda: -math.inf,
            )
            trials = plan.trials(PLAN, QUESTIONS, plan.places(PLAN, np.arange(len(QUESTIONS))))
            async with asyncio.timeout(20):
                await work(Planned(trials), complete, desk, stop, workers)

    asyncio.run(scenario())
    return client


@pytest.mark.parametrize("workers", [1, 2, 3, 40, 200])
def test_one_after_another_in_the_order_of_the_repeats(tmp_path: Path, workers: int) -> None:
    client = ask(tmp_path / "journal.jsonl", workers)
    assert len(client.begun) == 12 * 2 * 4
    for question in QUESTIONS:
        turns = [t.repeat for t in client.begun if t.question.id == question.id and t.arm.sticky]
        assert turns == [0, 1, 2, 3]
    sessions = {trial.session_id for trial in client.begun if trial.arm.sticky}
    assert all(client.most[session] == 1 for session in sessions)
    if workers >= 40:
        assert client.most["sticky"] > 4, "other questions do not wait"
        assert client.most["fresh"] > 12


def test_a_stop_lets_nobody_wait_for_ever(tmp_path: Path) -> None:
    client = ask(tmp_path / "journal.jsonl", 200, stop_after=20)
    journaled = [entry.record for entry in replay(tmp_path / "journal.jsonl")]
    assert len(journaled) == len(client.begun) == 20
