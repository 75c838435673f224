"""When a run may stop: a function of the longest finished prefix of the plan, whoever was faster."""

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.worlds import answer, failure, run
from routemark.analysis.stopping.deciding import Deciding, contest
from routemark.analysis.stopping.sequential import Sequence
from routemark.config import Settings
from routemark.errors import UsageError
from routemark.policy.plan import order
from routemark.records import Grade

R, F, G = "openrouter/auto", "sim/f", "sim/g"


def settings_of(**fields):
    return Settings(**{"until_decided": "closed", **fields})


def deciding(names, manifest, **fields):
    return Deciding(contest(manifest.arms, settings_of(**fields), len(names)), manifest, names)


def events_of(names, score, arms=(R, F), repeats=1):
    """Outcomes and grades of every trial; ``score`` gives what (arm, question, repeat) gets."""
    found = []
    for i, name in enumerate(names):
        for arm in arms:
            for repeat in range(repeats):
                outcome = answer(arm, name, repeat=repeat)
                mark = Grade(trial=outcome.trial, grader="exact", version=1, score=score(arm, i, repeat))
                found.append((outcome, mark))
    return found


def fed(looks, events, shuffle=None):
    """Feed outcomes, and their grades later, in another order."""
    if shuffle is None:
        for outcome, mark in events:
            looks.saw(outcome, mark)
        return looks
    draw = random.Random(shuffle)
    steps = [(draw.random(), 0, outcome, mark) for outcome, mark in events]
    steps += [(at + draw.random(), 1, outcome, mark) for at, _, outcome, mark in steps]
    for _, is_grade, outcome, mark in sorted(steps, key=lambda step: step[:2]):
        if is_grade:
            looks.graded(mark)
        else:
            looks.saw(outcome, None)
    return looks


def often_better(arm, i, repeat):
    return float(arm == R or i % 10 > 3)


@settings(deadline=None, max_examples=15)
@given(st.integers(0, 2**32))
def test_the_order_in_which_outcomes_and_grades_come_changes_nothing(seed):
    names = [f"q{i}" for i in range(90)]
    manifest = run(R, F, routers=[R], questions=90)
    events = events_of(names, often_better)
    in_turn, mixed = deciding(names, manifest), deciding(names, manifest)
    fed(in_turn, events)
    fed(mixed, events, shuffle=seed)
    assert (mixed.decision, mixed.questions) == (in_turn.decision, in_turn.questions)
    assert mixed.decision == "better"
    assert 30 <= mixed.questions < 90
    assert np.array_equal(mixed.scores, in_turn.scores)


def test_it_decides_at_the_question_of_the_plan_at_which_the_test_gets_there():
    names = [f"q{i}" for i in range(90)]
    looks = fed(deciding(names, run(R, F, routers=[R])), events_of(names, often_better), shuffle=1)
    sequence = Sequence(looks.contest.design)
    for used, index in enumerate(order(names, 0).tolist(), start=1):
        sequence.add(1.0 - often_better(F, index, 0))
        if sequence.better and used >= 30:
            break
    assert looks.questions == used
    assert looks.early
    assert looks.stopping().decision == "better"


def test_nothing_is_decided_on_fewer_questions_than_a_verdict_needs():
    names = [f"q{i}" for i in range(60)]
    events = events_of(names, lambda arm, i, repeat: float(arm == R))
    looks = fed(deciding(names, run(R, F, routers=[R])), events)
    assert (looks.decision, looks.questions) == ("better", 30)


def test_nothing_is_looked_at_behind_a_question_that_is_not_done():
    names = [f"q{i}" for i in range(60)]
    first = names[order(names, 0)[0]]
    looks = deciding(names, run(R, F, routers=[R]))
    fed(looks, [pair for pair in events_of(names, often_better) if pair[0].question_id != first])
    assert (looks.questions, looks.decision) == (0, None)
    fed(looks, [pair for pair in events_of(names, often_better) if pair[0].question_id == first])
    assert looks.decision == "better"


@pytest.mark.parametrize(("kind", "looked"), [("server_error", 1), ("over_budget", 0)])
def test_failures_of_the_service_are_wrong_ours_are_not_asked(kind, looked):
    looks = deciding(["a"], run(R, F, routers=[R]))
    looks.saw(answer(R, "a"), Grade(trial="x", grader="exact", version=1, score=1.0))
    looks.saw(failure(F, "a", kind), None)
    assert looks.questions == looked
    if looked:
        assert looks.scores.tolist() == [[1.0, 0.0]]


def test_a_question_counts_as_the_mean_of_its_repeats():
    looks = deciding(["a"], run(R, F, routers=[R], repeats=4))
    fed(looks, events_of(["a"], lambda arm, i, repeat: float(arm == R or repeat == 0), repeats=4))
    assert looks.scores.tolist() == [[1.0, 0.25]]


def test_what_nobody_can_grade_is_unknown():
    looks = deciding(["a"], run(R, F, routers=[R]))
    fed(looks, events_of(["a"], lambda arm, i, repeat: None if arm == R else 1.0))
    assert np.isnan(looks.scores[0, 0])


def test_too_many_failures_keep_it_open():
    names = [f"q{i}" for i in range(90)]
    looks = deciding(names, run(R, F, routers=[R]))
    for i, (outcome, mark) in enumerate(events_of(names, lambda arm, i, repeat: 1.0)):
        is_lost = outcome.arm == F and i % 3 == 0
        looks.saw(failure(F, outcome.question_id) if is_lost else outcome, None if is_lost else mark)
    assert looks.decision is None


def scores(**by_arm):
    return lambda arm, i, repeat: by_arm[{R: "r", F: "f", G: "g"}[arm]](i)


ALWAYS, SELDOM, MOSTLY = (lambda i: 1.0), (lambda i: float(i % 3 == 0)), (lambda i: float(i % 3 > 0))


@pytest.mark.parametrize(
    ("score", "decision"),
    [
        (scores(r=ALWAYS, f=SELDOM, g=MOSTLY), "better"),
        (scores(r=SELDOM, f=SELDOM, g=ALWAYS), "worse"),
        (scores(r=ALWAYS, f=ALWAYS, g=ALWAYS), "equivalent"),
        (scores(r=ALWAYS, f=ALWAYS, g=SELDOM), "equivalent"),
    ],
)
def test_beside_several_models_it_must_hold_for_all_worse_for_one(score, decision):
    names = [f"q{i}" for i in range(600)]
    looks = fed(deciding(names, run(R, F, G, routers=[R])), events_of(names, score, arms=(R, F, G)))
    assert looks.decision == decision
    assert looks.stopping().worse_than == ([G] if decision == "worse" else [])


def test_the_named_baseline_alone_decides():
    arms = run(R, F, G, routers=[R]).arms
    of = contest(arms, settings_of(baseline=G), 10)
    assert (of.router, of.rivals) == (0, [2])
    assert contest(arms, settings_of(), 10).rivals == [1, 2]
    assert contest(arms, Settings(), 10) is None


@pytest.mark.parametrize(
    ("arms", "baseline", "says"),
    [
        (run(F, G).arms, None, "no router"),
        (run(R, routers=[R]).arms, None, "nothing to compare"),
        (run(R, F, routers=[R]).arms, R, "no router"),
    ],
)
def test_what_cannot_be_decided_is_an_error(arms, baseline, says):
    with pytest.raises(UsageError, match=says):
        contest(arms, settings_of(baseline=baseline), 10)


def test_trials_of_arms_that_joined_and_confirmations_are_passed_over():
    looks = deciding(["a"], run(R, F, routers=[R]))
    mark = Grade(trial="x", grader="exact", version=1, score=1.0)
    for outcome in (answer(G, "a"), answer(R, "a", repeat=1), answer(R, "not asked")):
        looks.saw(outcome, mark)
    fed(looks, events_of(["a"], often_better))
    assert looks.questions == 1
