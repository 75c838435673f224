"""Stopping once decided: what a watch hears, and how far ahead trials are given out."""

import asyncio

import pytest

from analysis.worlds import answer, failure, question, run
from routemark.analysis.stopping.deciding import Deciding, contest
from routemark.config import Settings
from routemark.engine.deciding import Patient, Watch
from routemark.engine.purse import BUDGET_SPENT
from routemark.engine.run import Planned, Stop
from routemark.errors import JournalError
from routemark.policy.plan import order
from routemark.records import Grade, Trial

R, F = "openrouter/auto", "sim/f"
NAMES = [f"q{i}" for i in range(80)]
MANIFEST = run(R, F, routers=[R], questions=80)


def looks():
    return Deciding(contest(MANIFEST.arms, Settings(until_decided="closed"), 80), MANIFEST, NAMES)


def trials(window=4):
    """Every trial of the plan, in order."""
    for position, index in enumerate(order(NAMES, 0).tolist()):
        for arm in MANIFEST.arms:
            yield Trial(
                key=f"{NAMES[index]}/{arm.name}/0", question=question(NAMES[index]), arm=arm, repeat=0,
                session_id="s", window=position // window,
            )  # fmt: skip


def graded(trial, score):
    return Grade(trial=trial.key, grader="exact", version=1, score=score)


def test_a_watch_stops_the_run_once_the_grades_decide():
    stop = Stop(lambda: None)
    watch, journaled = Watch(looks(), stop), []
    take = watch.after(journaled.append)
    for trial in trials():
        watch.saw(trial, answer(trial.arm.name, trial.question.id), None)
        assert not stop.requested() or watch.decided
        take(graded(trial, float(trial.arm.name == R)))
        if stop.requested():
            break
    assert (stop.reason, stop.exit_code) == (watch.decided, 0)
    assert stop.reason.startswith("Decided after 30 of 80 questions: openrouter/auto is surely better")
    assert len(journaled) == 60


def test_a_grade_that_cannot_be_journaled_stops_the_run():
    stop = Stop(lambda: None)

    def take(grade):
        raise JournalError("full")

    with pytest.raises(JournalError):
        Watch(looks(), stop).after(take)(graded(next(trials()), 1.0))
    assert stop.reason == "full"


def test_without_the_option_a_watch_only_passes_grades_on():
    stop, taken = Stop(lambda: None), []
    watch = Watch(None, stop)
    trial = next(trials())
    watch.saw(trial, answer(R, "q0"), None)
    watch.after(taken.append)(graded(trial, 1.0))
    assert (len(taken), stop.requested(), watch.decided) == (1, False, None)


def test_a_decision_outweighs_the_end_of_the_budget_and_nothing_else():
    watch = Watch(looks(), lambda reason, code: None)
    for trial in trials():
        watch.saw(trial, answer(trial.arm.name, trial.question.id), graded(trial, float(trial.arm.name == R)))
    for code, after in ((BUDGET_SPENT, 0), (130, 130), (1, 1)):
        stop = Stop(lambda: None)
        stop("something else", code)
        watch.outweigh(stop)
        assert stop.exit_code == after
        assert (stop.reason == watch.decided) == (after == 0)


class Grading:
    """What is asked of it here."""

    waiting = 0


def patient(looked, grading=None, workers=8):
    return Patient(Planned(trials()), looked, grading or Grading(), window=4, workers=workers)


async def taken(source, most=200):
    """Take trials until none is given out."""
    found = []
    while len(found) < most:
        task = asyncio.ensure_future(source.take())
        for _ in range(3):
            await asyncio.sleep(0)
        if not task.done():
            return found, task
        if task.result() is None:
            return found, None
        found.append(task.result())
    return found, None


def test_trials_are_given_out_a_window_ahead_of_the_looks():
    async def scenario():
        looked = looks()
        source = patient(looked)
        first, waiting = await taken(source)
        assert {trial.window for trial in first} == {0, 1}
        assert len(first) == 16
        for trial in first[8:]:  # the second window is done first: nothing can be looked at yet
            looked.saw(answer(trial.arm.name, trial.question.id), graded(trial, 1.0))
            source.saw(trial, answer(trial.arm.name, trial.question.id), None)
        await asyncio.sleep(0)
        assert not waiting.done()
        for trial in first[:8]:
            looked.saw(answer(trial.arm.name, trial.question.id), graded(trial, 1.0))
            source.saw(trial, answer(trial.arm.name, trial.question.id), None)
        assert (await waiting).window == 2
        more, last = await taken(source)
        assert {trial.window for trial in more} == {2, 3}
        source.close()
        assert await last is None

    asyncio.run(scenario())


def test_a_question_that_cannot_be_looked_at_does_not_hold_the_run_for_ever():
    """Failures of our own are asked again by another process only."""

    async def scenario():
        looked = looks()
        source, seen = patient(looked), []
        while True:
            some, waiting = await taken(source)
            seen += some
            for trial in some:
                source.saw(trial, failure(trial.arm.name, trial.question.id, "over_budget"), None)
            if waiting is None:
                return seen
            late = await asyncio.wait_for(waiting, 1)
            seen.append(late)
            source.saw(late, failure(late.arm.name, late.question.id, "over_budget"), None)

    assert len(asyncio.run(scenario())) == 160


def test_asking_waits_while_too_many_answers_wait_for_their_grade():
    async def scenario():
        grading = Grading()
        source = patient(looks(), grading)
        assert await source.take() is not None
        grading.waiting = 192
        task = asyncio.ensure_future(source.take())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert not task.done()
        grading.waiting = 191
        source.move()
        assert await asyncio.wait_for(task, 1) is not None

    asyncio.run(scenario())
