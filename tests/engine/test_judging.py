"""Judging beside the asking: nothing is asked twice, what cannot be asked says why, nobody is left waiting."""

import asyncio
import threading
import time

import pytest

from routemark.engine import grading
from routemark.engine.grading import Beside
from routemark.engine.judging import SPENT, Judge
from routemark.errors import FailureKind, JournalError
from routemark.graders.judge import Rival
from routemark.records import Arm, Attempt, Completion, Failure, Grade, GraderSpec, Outcome, Question
from routemark.wire.request import RequestOptions

JUDGED = Question(
    id="q", difficulty="e", question="Who?", reference="Goethe", grader=GraderSpec(name="judge")
)
PAIR = Question(
    id="p",
    difficulty="e",
    question="Who?",
    reference="Goethe",
    grader=GraderSpec(name="judge", options={"mode": "pairwise"}),
)
PLAIN = Question(id="c", difficulty="e", question="?", reference=42)
ATTEMPT = Attempt(started_at="2026-01-01T00:00:00Z", duration_s=0.1)


class Memory:
    """Replies kept in memory."""

    def __init__(self):
        self.kept = []

    def find(self, sha256):
        for one in reversed(self.kept):
            if one.outcome.request_sha256 == sha256 and one.outcome.completion is not None:
                return one
        return None

    def add(self, consultation):
        self.kept.append(consultation)


class Client:
    """A judge that answers, in its own time."""

    def __init__(self, end=None, wait_s=0.0):
        self.trials = []
        self.in_flight = self.peak = 0
        self._end = end or Completion(text='{"reason": "r", "score": 5}', model="vendor/j-1", cost_usd=0.5)
        self._wait_s = wait_s

    async def complete(self, trial):
        self.trials.append(trial)
        self.in_flight += 1
        self.peak = max(self.peak, self.in_flight)
        try:
            await asyncio.sleep(self._wait_s)
        finally:
            self.in_flight -= 1
        end = self._end(trial) if callable(self._end) else self._end
        if isinstance(end, BaseException):
            raise end
        return Outcome(
            trial=trial.key,
            question_id=trial.question.id,
            arm=trial.arm.name,
            repeat=0,
            session_id=trial.session_id,
            attempts=[ATTEMPT],
            completion=end if isinstance(end, Completion) else None,
            failure=end if isinstance(end, Failure) else None,
        )


def judge_of(client, replies=None, *, mode="rubric", workers=4):
    return Judge(
        Arm(name="vendor/j", model="vendor/j"),
        RequestOptions(max_tokens=100, temperature=0.0),
        client,
        replies or Memory(),
        mode=mode,
        workers=workers,
        tools={},
    )


def answer(text):
    return Completion(text=text, model="m")


def outcome(key, text, arm="a"):
    return Outcome(
        trial=key, question_id="q", arm=arm, repeat=0, session_id="s", attempts=[], completion=answer(text)
    )


def graded(client, answers, replies=None, question=JUDGED):
    """Give the grades of these answers by their keys."""
    taken: dict[str, Grade] = {}

    async def scenario():
        async with (
            judge_of(client, replies) as judge,
            Beside(lambda grade: taken.update({grade.trial: grade}), judge=judge) as beside,
        ):
            for key, text in answers.items():
                beside.grade(key, question, answer(text))
            await beside.drain()
            assert beside.owing == 0

    asyncio.run(scenario())
    return taken


def test_answers_are_judged_and_tell_by_whom_and_for_how_much():
    client = Client()
    taken = graded(client, {"t1": "Goethe", "t2": "Goethe did."})
    assert [taken[key].score for key in ("t1", "t2")] == [1, 1]
    assert {grade.judge for grade in taken.values()} == {"vendor/j-1"}
    assert [grade.cost_usd for grade in taken.values()] == [0.5, 0.5]
    assert len({grade.prompt_sha256 for grade in taken.values()}) == 2
    trial = client.trials[0]
    assert trial.session_id == f"judge-{trial.key}"
    assert trial.arm.body["response_format"]["type"] == "json_schema"


def test_the_same_prompt_is_asked_once_and_paid_by_one():
    client = Client(wait_s=0.02)
    taken = graded(client, dict.fromkeys(("t1", "t2", "t3"), "Goethe"))
    assert len(client.trials) == 1
    assert sorted(grade.cost_usd for grade in taken.values()) == [0, 0, 0.5]


def test_what_was_replied_before_is_not_asked_again_and_gives_the_same_grade():
    replies = Memory()
    before = graded(Client(), {"t1": "Goethe"}, replies)
    silent = Client()
    assert graded(silent, {"t1": "Goethe"}, replies) == before
    assert silent.trials == []


def test_no_more_are_judged_at_once_than_may_be_and_the_loop_goes_on():
    client = Client(wait_s=0.05)
    late = []

    async def scenario():
        async def tick():
            while True:
                at = time.monotonic()
                await asyncio.sleep(0.005)
                late.append(time.monotonic() - at - 0.005)

        ticking = asyncio.create_task(tick())
        async with judge_of(client, workers=3) as judge, Beside([].append, judge=judge) as beside:
            for n in range(12):
                beside.grade(f"t{n}", JUDGED, answer(f"answer {n}"))
            assert beside.waiting == 12
            await beside.drain()
        ticking.cancel()

    asyncio.run(scenario())
    assert client.peak == 3
    assert sorted(late)[len(late) // 2] < 0.01


def test_too_many_are_left_for_afterwards(monkeypatch):
    monkeypatch.setattr(grading, "WAITING", 2)
    taken = []

    async def scenario():
        async with judge_of(Client(), workers=1) as judge, Beside(taken.append, judge=judge) as beside:
            for n in range(6):
                beside.grade(f"t{n}", JUDGED, answer(f"answer {n}"))
            assert (beside.left, beside.owing) == (4, 6)
            await beside.drain()
            there = {grade.trial for grade in taken}
            rest = [f"t{n}" for n in range(6) if f"t{n}" not in there]
            await beside.grade_rest((JUDGED, outcome(key, key)) for key in rest)
            assert beside.owing == 0

    asyncio.run(scenario())
    assert {grade.trial for grade in taken} == {f"t{n}" for n in range(6)}


def test_other_graders_are_still_for_the_children():
    taken = []

    async def scenario():
        async with judge_of(Client()) as judge, Beside(taken.append, judge=judge) as beside:
            beside.grade("plain", PLAIN, answer("42"))
            beside.grade("judged", JUDGED, answer("Goethe"))
            await beside.drain()

    asyncio.run(scenario())
    assert {grade.trial: grade.grader for grade in taken} == {"plain": "numeric", "judged": "judge"}


def test_a_comparison_waits_until_the_baseline_has_answered():
    client = Client(Completion(text='{"reason": "r", "winner": "tie"}', model="j"))
    taken = []

    async def scenario():
        async with judge_of(client) as judge, Beside(taken.append, judge=judge) as beside:
            beside.grade("t1", PAIR, answer("mine"))
            assert (beside.left, client.trials) == (1, [])
            await beside.grade_rest([(PAIR, outcome("t1", "mine"))])
            assert (beside.owing, taken) == (1, [])
            judge.rival = lambda question, outcome: Rival("theirs", itself=outcome.arm == "base")
            await beside.grade_rest([(PAIR, outcome("t1", "mine")), (PAIR, outcome("t2", "x", "base"))])
            assert beside.owing == 0

    asyncio.run(scenario())
    assert {grade.trial: grade.score for grade in taken} == {"t1": 0.5, "t2": 0.5}
    assert len(client.trials) == 2


# --------------------------------------------------------------------------- what cannot be asked


def failure(kind):
    return Failure(kind=kind, message="no")


@pytest.mark.parametrize(
    "kind", [FailureKind.BAD_KEY, FailureKind.UNKNOWN_MODEL, FailureKind.CONNECT_REFUSED]
)
def test_a_judge_that_will_never_answer_is_asked_once(kind):
    client = Client(failure(kind))

    async def scenario():
        async with judge_of(client, workers=1) as judge, Beside(taken.append, judge=judge) as beside:
            for n in range(5):
                beside.grade(f"t{n}", JUDGED, answer(f"answer {n}"))
            await beside.drain()

    taken: list[Grade] = []
    asyncio.run(scenario())
    assert len(client.trials) == 1
    assert {grade.reason for grade in taken} == {f"could not grade: the judge gave no answer: {kind}: no"}
    assert {grade.score for grade in taken} == {None}


def test_a_judge_that_failed_may_answer_the_next():
    ends = iter([failure(FailureKind.BAD_GATEWAY), Completion(text='{"reason": "r", "score": 5}', model="j")])
    client = Client(lambda trial: next(ends))

    async def scenario():
        async with judge_of(client, workers=1) as judge, Beside(taken.append, judge=judge) as beside:
            for n in range(2):
                beside.grade(f"t{n}", JUDGED, answer(f"answer {n}"))
            await beside.drain()

    taken: list[Grade] = []
    asyncio.run(scenario())
    assert [grade.score for grade in taken] == [None, 1]


def test_when_the_purse_is_empty_the_rest_says_so_and_nothing_more_is_asked():
    async def scenario():
        async with Judged() as beside:
            for n in range(4):
                beside.grade(f"t{n}", JUDGED, answer(f"answer {n}"))
            await beside.drain()

    class Judged:
        async def __aenter__(self):
            def end(trial):
                self.judge.empty("spent", 4)
                return asyncio.CancelledError()

            self.client = Client(end)
            self.judge = judge_of(self.client, workers=1)
            self.beside = Beside(taken.append, judge=self.judge)
            return self.beside

        async def __aexit__(self, *error):
            await self.beside.__aexit__(*error)
            await self.judge.__aexit__(*error)
            assert len(self.client.trials) == 1

    taken: list[Grade] = []
    asyncio.run(scenario())
    assert [grade.reason for grade in taken] == [SPENT] * 4


def test_a_request_that_the_budget_cut_short_says_so():
    taken = graded(Client(failure(FailureKind.OVER_BUDGET)), {"t": "x"})
    assert (taken["t"].score, taken["t"].reason) == (None, SPENT)


def test_leaving_ends_what_is_under_way_without_a_grade():
    client = Client(wait_s=60)
    taken = []

    async def scenario():
        async with judge_of(client, workers=3) as judge, Beside(taken.append, judge=judge) as beside:
            for n in range(8):
                beside.grade(f"t{n}", JUDGED, answer(f"answer {n}"))
            while len(client.trials) < 3:  # noqa: ASYNC110 - what is waited for has no event
                await asyncio.sleep(0.001)

    before = threading.active_count()
    start = time.monotonic()
    asyncio.run(scenario())
    assert time.monotonic() - start < 5
    assert (taken, client.in_flight) == ([], 0)
    assert threading.active_count() <= before + 1


def test_a_disk_that_takes_no_grade_is_told_to_who_waits():
    def full(_):
        raise JournalError("full")

    async def scenario():
        async with judge_of(Client()) as judge, Beside(full, judge=judge) as beside:
            beside.grade("t", JUDGED, answer("x"))
            await beside.drain()

    with pytest.raises(JournalError, match="full"):
        asyncio.run(scenario())
