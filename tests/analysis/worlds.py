"""Builders of small runs for the tests of analysis."""

from __future__ import annotations

import random
from collections.abc import Iterable

from routemark.analysis.summary import Fold
from routemark.records import (
    Arm,
    ArmSummary,
    Completion,
    Failure,
    Grade,
    Outcome,
    Quantiles,
    Question,
    Run,
    Summary,
)

STARTED = "2026-03-01T23:30:00-02:00"


def question(name: str, **fields) -> Question:
    return Question(**{"id": name, "difficulty": "easy", "question": "?", "reference": "1"} | fields)


def answer(arm: str, name: str, *, repeat: int = 0, **fields) -> Outcome:
    fields = {
        "text": "1",
        "model": arm,
        "cost_usd": 0.001,
        "latency_s": 1.0,
        "finish_reason": "stop",
    } | fields
    return _outcome(arm, name, repeat, completion=Completion(**fields))


def failure(arm: str, name: str, kind: str = "server_error", *, repeat: int = 0) -> Outcome:
    return _outcome(arm, name, repeat, failure=Failure(kind=kind, message="no"))


def grade(score: float | None) -> Grade:
    return Grade(trial="t", grader="exact", version=1, score=score)


def run(*names: str, routers: Iterable[str] = (), questions: int = 0, **fields) -> Run:
    arms = [Arm(name=name, model=name, is_router=name in set(routers)) for name in names]
    return Run(
        **{
            "id": "r",
            "status": "complete",
            "simulated": False,
            "started_at": STARTED,
            "questions_sha256": "0",
            "questions": questions,
            "arms": arms,
            "base_url": "http://127.0.0.1",
            "routemark_version": "0",
        }
        | fields
    )


def summarise(
    trials: list[tuple[Question, Outcome, Grade | None]],
    manifest: Run,
    *,
    shuffle: int | None = None,
    **fields,
) -> Summary:
    fold = Fold()
    if shuffle is not None:
        trials = random.Random(shuffle).sample(trials, len(trials))
    for item, outcome, mark in trials:
        fold.add(item, outcome, mark, counted=True)
    fields = {
        "planned": len(trials),
        "finished_questions": manifest.questions,
        "margin": 0.03,
        "baseline": None,
    } | fields
    return fold.close(manifest, **fields)


def arm_summary_of(
    accuracy: float | None, cost: float | None, n: int, *, is_router: bool = False, **fields
) -> ArmSummary:
    return ArmSummary(
        **{
            "n": n,
            "succeeded": n,
            "failed": 0,
            "failures": {},
            "truncated": 0,
            "empty": 0,
            "ungraded": 0,
            "graded": n,
            "clusters": n,
            "is_router": is_router,
            "accuracy": accuracy,
            "accuracy_ci95": None,
            "accuracy_answered": accuracy,
            "cost_usd": None,
            "cost_unknown": 0,
            "cost_per_1k_usd": cost,
            "cost_per_correct_usd": None,
            "arena_score": None,
            "latency_s": Quantiles(),
            "ttft_s": Quantiles(),
            "model_usage": {},
            "provider_usage": {},
            "pick_entropy_bits": None,
            "by_difficulty": {},
            "by_category": {},
            "by_task_type": {},
        }
        | fields
    )


def _outcome(arm: str, name: str, repeat: int, **end) -> Outcome:
    return Outcome(
        trial=f"{name}/{arm}/{repeat}",
        question_id=name,
        arm=arm,
        repeat=repeat,
        session_id="s",
        attempts=[],
        **end,
    )
