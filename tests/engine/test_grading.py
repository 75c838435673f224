"""Grading beside the asking: nothing is lost, nothing is held up, no child is left."""

import asyncio
import functools
import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import msgspec
import numpy as np
import pytest

from routemark import graders
from routemark.engine import cluster_grading, grading
from routemark.engine.cluster_grading import Graded, grade_here, is_heavy
from routemark.engine.grading import Beside, Job
from routemark.engine.health import HealthMonitor
from routemark.errors import JournalError, RunError
from routemark.records import Completion, Grade, GraderSpec, Outcome, Question
from routemark.sandbox import group

SQL = GraderSpec(name="sql", options={"database": "shop"})
CHEAP = Question(id="c", difficulty="e", question="?", reference=42)
HEAVY = Question(id="h", difficulty="e", question="?", reference=[[15]], grader=SQL)
RIGHT = Completion(text="SELECT COUNT(*) FROM orders", model="m")
SLOW = Completion(
    text="WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) SELECT MAX(n) FROM r", model="m"
)


BEFORE: set[int] = set()


def children() -> list[int]:
    """Give the processes below this one that were not there before the test."""
    return [pid for pid in group.members(os.getpid()) if pid not in BEFORE]


@pytest.fixture(autouse=True)
def leaves_no_child() -> Iterator[None]:
    BEFORE.clear()
    BEFORE.update(group.members(os.getpid()))
    yield
    deadline = time.monotonic() + 5
    while children() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert children() == []


def outcome(key: str, completion: Completion | None = RIGHT) -> Outcome:
    return Outcome(
        trial=key, question_id="h", arm="a", repeat=0, session_id="s", attempts=[], completion=completion
    )


def test_a_question_that_is_not_graded_starts_nothing() -> None:
    async def scenario() -> int:
        async with Beside([].append) as beside:
            beside.grade("t", Question(id="q", difficulty="e", question="?"), RIGHT)
            await beside.drain()
            return len(children())

    assert asyncio.run(scenario()) == 0


def test_only_short_answers_to_short_texts_are_graded_at_once() -> None:
    exact = Question(id="x", difficulty="e", question="?", reference="Rome")
    long, listed = "Rome" + " " * grading.SHORT, msgspec.structs.replace(exact, reference=["Rome", "Roma"])

    taken: list[Grade] = []

    async def scenario() -> None:
        async with Beside(taken.append, children=1) as beside:
            right = Completion(text="Rome", model="m")
            assert beside.grade("t", exact, right) == graders.grade("t", exact, right)
            assert beside.owing == 0
            assert beside.grade("t", exact, Completion(text=long, model="m")) is None
            assert beside.grade("t", listed, right) is None
            assert beside.grade("t", CHEAP, right) is None
            assert beside.owing == 3

    asyncio.run(scenario())


def test_grades_come_as_if_they_had_been_made_here() -> None:
    taken: list[Grade] = []

    async def scenario() -> None:
        async with Beside(taken.append, children=2) as beside:
            for n in range(50):
                beside.grade(f"t{n}", HEAVY, RIGHT)
            assert beside.waiting == beside.owing == 50
            await beside.drain()
            assert beside.owing == 0

    asyncio.run(scenario())
    assert {grade.trial for grade in taken} == {f"t{n}" for n in range(50)}
    assert all(grade == graders.grade(grade.trial, HEAVY, RIGHT) for grade in taken)


def test_what_finds_no_room_is_left_and_found_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grading, "WAITING", 4)
    taken: list[Grade] = []
    keys = [f"t{n}" for n in range(20)]

    async def scenario() -> None:
        async with Beside(taken.append, children=1) as beside:
            for key in keys:
                beside.grade(key, HEAVY, RIGHT)
            assert (beside.left, beside.owing) == (16, 20)
            await beside.drain()
            there = {grade.trial for grade in taken}
            await beside.grade_rest((HEAVY, outcome(key)) for key in keys if key not in there)
            assert beside.owing == 0

    asyncio.run(scenario())
    assert sorted(grade.trial for grade in taken) == sorted(keys)


def test_the_rest_is_graded_with_few_in_hand() -> None:
    drawn = most = 0
    taken: list[Grade] = []

    def outcomes() -> Iterator[tuple[Question, Outcome]]:
        nonlocal drawn, most
        for n in range(1000):
            drawn += 1
            most = max(most, drawn - len(taken))
            yield (HEAVY if n % 2 else CHEAP), outcome(f"t{n}", None if n % 10 == 0 else RIGHT)

    async def scenario() -> None:
        async with Beside(taken.append) as beside:
            await beside.grade_rest(outcomes())

    asyncio.run(scenario())
    assert len(taken) == 900
    assert most <= 2 * grading.WAITING + 200


def test_a_child_that_dies_costs_one_grade_which_says_so() -> None:
    taken: list[Grade] = []

    async def scenario() -> None:
        async with Beside(taken.append, children=1) as beside:
            beside.grade("first", HEAVY, RIGHT)
            await beside.drain()
            (child,) = children()
            os.kill(child, 9)
            for key in ("second", "third"):
                beside.grade(key, HEAVY, RIGHT)
            await beside.drain()

    asyncio.run(scenario())
    assert [grade.score for grade in taken] == [1, None, 1]
    assert taken[1].reason == "the process that graded it ended unexpectedly"


def test_an_error_in_taking_a_grade_is_raised_to_who_waits() -> None:
    def full(_: Grade) -> None:
        raise JournalError("full")

    async def scenario() -> None:
        async with Beside(full, children=1) as beside:
            beside.grade("t", HEAVY, RIGHT)
            await beside.drain()

    with pytest.raises(JournalError, match="full"):
        asyncio.run(scenario())


def test_leaving_does_not_wait_for_grades() -> None:
    async def scenario() -> None:
        async with Beside([].append) as beside:
            for n in range(150):
                beside.grade(f"t{n}", HEAVY, SLOW)
            await asyncio.sleep(0.2)

    start = time.monotonic()
    asyncio.run(scenario())
    assert time.monotonic() - start < 5


def test_children_know_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENROUTER_API_KEY", "sk-or-v1-not-to-be-found")

    async def scenario() -> bytes:
        async with Beside([].append, children=1) as beside:
            beside.grade("t", HEAVY, RIGHT)
            await beside.drain()
            (child,) = children()
            with open(f"/proc/{child}/environ", "rb") as file:  # noqa: ASYNC230, PTH123
                return file.read()

    assert b"not-to-be-found" not in asyncio.run(scenario())


def test_heavy_grading_does_not_delay_the_loop() -> None:
    """The asking's clock stays true while every core grades."""

    async def scenario() -> tuple[list[float], int]:
        monitor = HealthMonitor()
        taken: list[Grade] = []
        async with Beside(taken.append, children=2) as beside:
            beside.grade("warm", HEAVY, RIGHT)
            beside.grade("up", HEAVY, RIGHT)
            await beside.drain()
            watch = asyncio.create_task(monitor.watch_loop())
            end = time.monotonic() + 2.5
            while time.monotonic() < end:
                if beside.waiting < 20:
                    beside.grade(f"t{time.monotonic()}", HEAVY, SLOW)
                await asyncio.sleep(0.005)
            watch.cancel()
        return list(monitor._lags), len(taken)

    lags, graded = asyncio.run(scenario())
    assert graded > 5
    assert float(np.median(lags)) < 0.01
    assert float(np.quantile(lags, 0.9)) < 0.05


# --------------------------------------------------------------------------- on other machines


class Others:
    """Machines that grade what is work, each answer when it is told to."""

    lanes = 2

    def __init__(self) -> None:
        self.jobs: list[Job] = []
        self.may = asyncio.Event()
        self.closed = False
        self.machine = ThreadPoolExecutor(1)

    def takes(self, question: Question) -> bool:
        return is_heavy(question)

    async def grade(self, job: Job) -> Grade:
        self.jobs.append(job)
        await self.may.wait()
        if job.ungraded.trial == "bad":
            raise RunError("no sandbox there")
        ungraded = msgspec.json.encode(job.ungraded)
        here = functools.partial(grade_here, ungraded, job.task, allow_code=False)
        said = await asyncio.get_running_loop().run_in_executor(self.machine, here)
        grade = msgspec.json.decode(said, type=Graded).grade
        assert grade is not None
        return grade

    async def close(self) -> None:
        self.closed = True
        self.machine.shutdown()


@pytest.fixture
def bench() -> Iterator[None]:
    """Let go of the child that `grade_here` keeps."""
    yield
    runner, child = cluster_grading._bench(False)
    runner.run(child.end())
    runner.close()
    cluster_grading._bench.cache_clear()


def test_what_is_work_goes_to_other_machines_and_the_rest_stays(bench: None) -> None:
    async def scenario() -> tuple[list[Grade], Others, int]:
        taken: list[Grade] = []
        others = Others()
        async with Beside(taken.append, elsewhere=others) as beside:
            beside.grade("quick", CHEAP, Completion(text="42", model="m"))
            for name in ("a", "b", "c"):
                beside.grade(name, HEAVY, RIGHT)
            while len(others.jobs) < 2 or not taken:  # noqa: ASYNC110 - what another process does
                await asyncio.sleep(0.01)
            handed, owing = len(others.jobs), beside.owing
            others.may.set()
            await beside.drain()
            assert owing == 3
        return taken, others, handed

    taken, others, handed = asyncio.run(asyncio.wait_for(scenario(), 30))
    assert [grade.trial for grade in taken[:1]] == ["quick"]
    assert {grade.trial: grade.score for grade in taken} == dict.fromkeys(("quick", "a", "b", "c"), 1.0)
    assert handed == Others.lanes, "no more than they take at once"
    assert others.closed


def test_machines_that_cannot_grade_end_the_grading_and_the_answer_is_owed() -> None:
    async def scenario() -> int:
        taken: list[Grade] = []
        others = Others()
        others.may.set()
        async with Beside(taken.append, elsewhere=others) as beside:
            beside.grade("bad", HEAVY, RIGHT)
            with pytest.raises(RunError, match="no sandbox there"):
                await beside.drain()
            return beside.owing

    assert asyncio.run(asyncio.wait_for(scenario(), 30)) == 1


def test_a_machine_without_a_sandbox_says_so_instead_of_grading(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster_grading, "_trouble", lambda: "bubblewrap is missing.")
    ungraded = Grade(trial="t", grader="code", version=0, score=None)
    found = msgspec.json.decode(
        grade_here(msgspec.json.encode(ungraded), b"{}", allow_code=True), type=Graded
    )
    assert found.grade is None
    assert "bubblewrap is missing" in str(found.trouble)


@pytest.mark.parametrize(
    ("spec", "heavy"),
    [
        (GraderSpec(name="math"), True),
        (GraderSpec(name="code"), True),
        (GraderSpec(name="exact"), False),
        (GraderSpec(name="composite", options={"parts": [{"name": "exact"}, {"name": "math"}]}), True),
        (GraderSpec(name="composite", options={"parts": [{"name": "exact"}]}), False),
        (None, False),
    ],
)
def test_graders_that_eat_cores_are_known(spec: GraderSpec | None, heavy: bool) -> None:
    assert is_heavy(Question(id="q", difficulty="e", question="?", grader=spec)) == heavy
