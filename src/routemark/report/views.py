"""Choose which figures of a Summary go together, once for all faces: text, Markdown and page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import NamedTuple

from routemark.records import ArmSummary, Comparison, Run, Slice, Summary
from routemark.report import numbers
from routemark.wire.checks import FLAGS

SIMULATED = (
    "Every answer came from the simulated gateway. Its models are fictitious: "
    "these figures show the wiring, not the worth of any real model or router."
)
LIMITED = "* The client itself took a noticeable share of the time: read latencies as upper bounds."


def ordered_arms(run: Run, summary: Summary) -> dict[str, ArmSummary]:
    """Give the arms in the order of every table: the user's own baseline first, else as planned."""
    baseline = _chosen_baseline(run, summary)
    if baseline is None:
        return summary.arms
    return {baseline: summary.arms[baseline], **summary.arms}


def _chosen_baseline(run: Run, summary: Summary) -> str | None:
    chosen = run.settings.get("baseline")
    return chosen if isinstance(chosen, str) and chosen in summary.arms else None


def subject(summary: Summary) -> str | None:
    """Name the arm that the headline is about: the first router, else the first arm."""
    routers = [name for name, arm in summary.arms.items() if arm.is_router]
    return next(iter(routers or summary.arms), None)


def best_model(summary: Summary) -> str | None:
    """Name the fixed model with the highest accuracy; seen on these same answers, hence optimistic."""
    fixed = {n: a.accuracy for n, a in summary.arms.items() if not a.is_router and a.accuracy is not None}
    return max(fixed, key=lambda name: fixed[name], default=None)


def headline(run: Run, summary: Summary) -> Comparison | None:
    """Give the comparison on the first screen: the subject with `--baseline`, else with the best model."""
    arm = subject(summary)
    own = [c for c in summary.comparisons if c.arm == arm]
    wanted = _chosen_baseline(run, summary) or best_model(summary)
    return next((c for c in own if c.baseline == wanted), own[0] if own else None)


def basis(run: Run, summary: Summary) -> str:
    """Say in one sentence what all figures rest on."""
    repeats = f", each asked {run.repeats} times" if run.repeats > 1 else ""
    text = (
        f"{numbers.counted(summary.finished_questions, 'question')}{repeats}, "
        f"{numbers.counted(len(summary.arms), 'arm')}, {numbers.counted(summary.total, 'trial')}, "
        f"{numbers.usd(summary.cost_usd)} spent."
    )
    if summary.detectable_difference is None:
        return text
    told = numbers.margin(summary.detectable_difference)
    return f"{text} Smallest difference this run could tell: {told}."


def incomplete(run: Run, summary: Summary) -> str | None:
    """Say on how many finished questions a run rests that did not get to its end; None if it did."""
    if run.status == "complete":
        return None
    rests = (
        f"Everything below rests on the first {numbers.counted(summary.finished_questions, 'finished question')}"
        f" of {numbers.count(run.questions)} in plan order"
        f" ({numbers.count(summary.total)} of {numbers.counted(summary.planned, 'planned trial')})."
    )
    if run.status == "running":
        return f"Still running. {rests}"
    reason = (run.stop_reason or "no reason recorded").rstrip(".")
    return f"Stopped before the end: {reason}. {rests}"


def oddities(summary: Summary) -> list[str]:
    """List, arm by arm, answers that are not what an answer should be; empty when there are none."""
    kinds: list[tuple[str, Callable[[ArmSummary], int]]] = [
        ("cut off at the token limit", lambda arm: arm.truncated),
        ("empty", lambda arm: arm.empty),
        ("not graded", lambda arm: arm.ungraded if summary.graded else 0),
        ("of unknown cost, left out of every cost", lambda arm: arm.cost_unknown),
    ]
    lines = []
    for what, number in kinds:
        found = {name: number(arm) for name, arm in summary.arms.items() if number(arm)}
        if found:
            by_arm = ", ".join(f"{name} {numbers.count(n)}" for name, n in found.items())
            lines.append(f"{numbers.count(sum(found.values()))} {what}: {by_arm}")
    return [*lines, *_flagged(summary)]


def _flagged(summary: Summary) -> Iterator[str]:
    """Say how many answers were not served as the settings would have it, flag by flag."""
    for flag, meaning in FLAGS.items():
        found = {name: arm.flags[flag] for name, arm in summary.arms.items() if arm.flags.get(flag)}
        if found:
            by_arm = ", ".join(f"{name} {numbers.count(n)}" for name, n in found.items())
            yield f"{numbers.count(sum(found.values()))} {meaning}: {by_arm}"


def failures(summary: Summary) -> dict[str, dict[str, int]]:
    """Give kind -> arm -> trials, the most frequent kind first."""
    total: Counter[str] = Counter()
    for arm in summary.arms.values():
        total.update(arm.failures)
    return {
        kind: {name: arm.failures[kind] for name, arm in summary.arms.items() if arm.failures.get(kind)}
        for kind, _ in total.most_common()
    }


def choosers(run: Run, summary: Summary) -> dict[str, ArmSummary]:
    """Give the arms of which it is worth asking who answered: routers, and whatever used several models."""
    arms = ordered_arms(run, summary)
    return {name: arm for name, arm in arms.items() if arm.is_router or len(arm.model_usage) > 1}


class Served(NamedTuple):
    """Which models answered for one arm, by a label of the questions."""

    labels: list[str]
    slices: list[Slice]
    models: list[tuple[str, int, list[int]]]
    """Model, its answers in all, its answers per label; the busiest model first."""
    answers: int
    """Answers of the arm in all."""
    more: int
    """Labels left off, the rarest."""


def served(arm: ArmSummary, slices: dict[str, Slice], *, limit: int = 12) -> Served:
    """Give the table model x label, for the ``limit`` most frequent labels in the order of the slices."""
    frequent = set(sorted(slices, key=lambda label: -slices[label].n)[:limit])
    labels = [label for label in slices if label in frequent]
    kept = [slices[label] for label in labels]
    usage = sorted(arm.model_usage.items(), key=lambda item: (-item[1], item[0]))
    models = [(model, n, [s.model_usage.get(model, 0) for s in kept]) for model, n in usage]
    return Served(labels, kept, models, sum(arm.model_usage.values()), len(slices) - len(labels))
