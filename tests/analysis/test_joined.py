"""Arms that joined: which trials tell of them, and what a reader is told."""

from __future__ import annotations

from typing import Any

import pytest

from analysis.worlds import answer, grade, question, run
from routemark.analysis.matrix.joined import Joined
from routemark.analysis.summary import Fold
from routemark.records import Arm, Grade, Outcome, Question, Run, Summary

ROUTER, MODEL = "openrouter/auto", "v/model"
DATED = "v/model-2026"
Trials = list[tuple[Question, Outcome, Grade | None]]


def summary_of(trials: Trials, manifest: Run, joined: Joined) -> Summary:
    fold = Fold()
    for item, outcome, mark in trials:
        fold.add(item, outcome, mark, counted=True)
    return fold.close(
        manifest,
        planned=len(trials),
        finished_questions=60,
        margin=0.03,
        baseline=None,
        joined=joined,
    )


def world(direct_at: range) -> Trials:
    """The router is served by the model, dated, on the first 20 of 60 questions, and right there alone."""
    trials: Trials = []
    for n in range(60):
        item = question(f"q{n}")
        served = DATED if n < 20 else "v/other"
        trials.append((item, answer(ROUTER, f"q{n}", model=served), grade(float(n < 20))))
        if n in direct_at:
            trials.append((item, answer(MODEL, f"q{n}", model=MODEL), grade(float(n % 2 == 0))))
    return trials


def manifest(**fields: Any) -> Run:
    return run(
        ROUTER,
        routers=[ROUTER],
        questions=60,
        baselines=[Arm(name=MODEL, model=MODEL)],
        asked_as={DATED: MODEL},
        **fields,
    )


def test_a_rare_models_figures_rest_on_its_sample_alone() -> None:
    sample = [f"q{n}" for n in range(10, 45)]
    found = summary_of(world(range(5, 45)), manifest(), Joined({MODEL: sample}, {}, [0]))
    arm = found.arms[MODEL]
    assert (arm.n, arm.sample, arm.joined) == (35, 35, True)
    assert arm.accuracy == pytest.approx(18 / 35)
    assert found.total == 100
    assert found.comparisons == []
    (note,) = [note for note in found.verdict.notes if "random sample" in note]
    assert f"{MODEL} (35 questions)" in note


def test_with_missing_the_routers_answers_stand_in_and_count_once() -> None:
    settings = {"baselines": "missing"}
    joined = Joined({}, {MODEL: {DATED, MODEL}}, [0])
    found = summary_of(world(range(20, 60)), manifest(settings=settings), joined)
    arm = found.arms[MODEL]
    assert (arm.n, arm.is_router) == (60, False)
    assert arm.accuracy == pytest.approx((20 + 20) / 60)
    assert found.total == 100
    assert found.cost_usd == pytest.approx(100 * 0.001)
    (comparison,) = found.comparisons
    assert comparison.n == 60
    assert any("stand in for direct ones" in note for note in found.verdict.notes)


def test_a_router_beside_its_own_picks_alone_is_told_so() -> None:
    warning = "only compared with models that it picked itself"
    alone = summary_of(world(range(60)), manifest(), Joined({}, {}, [0]))
    assert any(warning in note for note in alone.verdict.notes)
    other = run(
        ROUTER,
        "v/never",
        routers=[ROUTER],
        questions=60,
        baselines=[Arm(name=MODEL, model=MODEL)],
        asked_as={DATED: MODEL},
    )
    more: Trials = [(question(f"q{n}"), answer("v/never", f"q{n}"), grade(1.0)) for n in range(60)]
    beside = summary_of([*world(range(60)), *more], other, Joined({}, {}, [0]))
    assert not any(warning in note for note in beside.verdict.notes)


def test_what_could_not_be_asked_is_told_once_with_its_reason() -> None:
    found = summary_of(world(range(60)), manifest(unaskable={"v/other": "gone."}), Joined({}, {}, [0]))
    (note,) = [note for note in found.verdict.notes if "not asked directly" in note]
    assert note == "Picked, but not asked directly: v/other (gone)."
