"""Choose which figures of a Summary go together, once for all faces: text, Markdown and page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from routemark import numbers
from routemark.analysis.traffic.weights import as_weighted
from routemark.records import ArmSummary, Comparison, GateResult, Run, Slice, Summary
from routemark.wire.checks import FLAGS, same_model

SIMULATED = (
    "Every answer came from the simulated gateway. Its models are fictitious: "
    "these figures show the wiring, not the worth of any real model or router."
)
MAX_COMPARISONS = 20
"""Pairs of arms in a report for a terminal."""
TO_LOOK_AT = "To look at, not to conclude from."
LIMITED = "* The client itself took a noticeable share of the time: read latencies as upper bounds."


def ordered_arms(run: Run, summary: Summary) -> dict[str, ArmSummary]:
    """Give the arms in the order of every table: the user's own baseline first, else as planned."""
    baseline = _chosen_baseline(run, summary)
    if baseline is None:
        return summary.arms
    return {baseline: summary.arms[baseline], **summary.arms}


def _chosen_baseline(run: Run, summary: Summary) -> str | None:
    chosen = run.settings.get("baseline")
    names = [chosen, *(arm.name for arm in run.arms if arm.model == chosen)]
    return next((name for name in names if name in summary.arms), None)


def ordered_comparisons(run: Run, summary: Summary) -> list[Comparison]:
    """Give the comparisons in the order of every table: those with the user's own baseline first."""
    baseline = _chosen_baseline(run, summary)
    return sorted(summary.comparisons, key=lambda pair: baseline not in (pair.arm, pair.baseline))


def as_judged(arm: ArmSummary) -> ArmSummary:
    """Give the arm with the figures that the verdict rests on: weighted ones in the place of the others."""
    return as_weighted({"": arm})[""]


def subject(summary: Summary) -> str | None:
    """Name the arm that the headline is about: the first router, else the first arm."""
    routers = [name for name, arm in summary.arms.items() if arm.is_router]
    return next(iter(routers or summary.arms), None)


def router(summary: Summary) -> str | None:
    """Name the router that the verdict is about; None where only fixed models were compared."""
    name = subject(summary)
    return name if name is not None and summary.arms[name].is_router else None


def best_model(summary: Summary) -> str | None:
    """Name the fixed model with the highest accuracy; seen on these same answers, hence optimistic."""
    fixed = {
        name: arm.accuracy
        for name, arm in summary.arms.items()
        if not arm.is_router and arm.accuracy is not None and arm.sample is None
    }
    return max(fixed, key=lambda name: fixed[name], default=None)


def headline(run: Run, summary: Summary) -> Comparison | None:
    """Give the comparison on the first screen: the subject with `--baseline`, else with the best model."""
    arm = subject(summary)
    own = [c for c in summary.comparisons if c.arm == arm]
    wanted = _chosen_baseline(run, summary) or best_model(summary)
    return next((c for c in own if c.baseline == wanted), own[0] if own else None)


def notes(run: Run, summary: Summary) -> list[str]:
    """Give the notes of the verdict for a face that says at its top, in large letters, that a run is simulated."""
    return [note for note in summary.verdict.notes if not (run.simulated and note.startswith("SIMULATED"))]


def basis(run: Run, summary: Summary) -> str:
    """Say in one sentence what all figures rest on."""
    repeats = f", each asked {run.repeats} times" if run.repeats > 1 else ""
    text = (
        f"{numbers.counted(summary.finished_questions, 'question')}{repeats}, "
        f"{numbers.counted(len(summary.arms), 'arm')}, a pool of {numbers.counted(_pool(summary), 'model')}, "
        f"{numbers.counted(summary.total, 'trial')}, "
        f"{numbers.usd(summary.cost_usd)} spent{_on_judging(summary)}."
    )
    gateway = run.settings.get("gateway")
    if isinstance(gateway, dict) and gateway.get("prices"):
        text += " Where the gateway told no cost, tokens count at the prices of the settings."
    if summary.detectable_difference is None:
        return text
    told = numbers.in_points(summary.detectable_difference)
    return f"{text} Smallest difference this run could tell: {told}."


def _pool(summary: Summary) -> int:
    """Count the models that answered: those that were asked directly, else all that served."""
    asked = summary.oracle.models if summary.oracle is not None else []
    return len(asked or summary.model_usage)


def _on_judging(summary: Summary) -> str:
    """Say what judging cost beside the answers, if a judge was asked."""
    if summary.judge_cost_usd is None:
        return ""
    return f", and {numbers.usd(summary.judge_cost_usd)} on judging"


def incomplete(run: Run, summary: Summary) -> str | None:
    """Say on how many finished questions a run rests that did not get to its end; None if it did."""
    stopping = summary.stopping
    if stopping is not None and stopping.early:
        return (
            f"Stopped after {numbers.count(stopping.questions)} of "
            f"{numbers.counted(stopping.planned, 'question')}: decided. Everything below rests on these."
        )
    if run.status == "complete":
        return None
    rests = (
        f"Everything below rests on the first {numbers.counted(summary.finished_questions, 'finished question')}"
        f" of {numbers.count(run.originals)} in plan order"
        f" ({numbers.count(summary.total)} of {numbers.counted(summary.planned, 'planned trial')})."
    )
    if run.status == "running":
        return f"Still running. {rests}"
    reason = (run.stop_reason or "no reason recorded").rstrip(".")
    return f"Stopped before the end: {reason}. {rests}"


def level(summary: Summary) -> str:
    """Give how sure the intervals of paired differences are; those of a run that may stop early at any question."""
    return "95 %" if summary.stopping is None else "95 % or better"


def to_decide(comparison: Comparison) -> str:
    """Give the questions that tell a difference of the margin: number, 80 % range, what the missing ones cost."""
    if comparison.questions_to_decide is None:
        return "above 20,000" if comparison.accuracy_difference is not None else numbers.UNKNOWN
    text = numbers.count(comparison.questions_to_decide)
    if comparison.questions_to_decide_range is not None:
        low, high = comparison.questions_to_decide_range
        text += f" ({numbers.count(low or 0)} {'or more' if high is None else f'to {numbers.count(high)}'})"
    if comparison.cost_to_decide_usd:
        text += f", {numbers.usd(comparison.cost_to_decide_usd)} more"
    return text


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
    return [*lines, *_flagged(summary), *_picking(summary)]


def _picking(summary: Summary) -> Iterator[str]:
    """Say how long routers that are plugins took by themselves."""
    for name, arm in summary.arms.items():
        if arm.pick_s is not None:
            p50, p90 = (_short_time(value) for value in (arm.pick_s.p50, arm.pick_s.p90))
            yield f"{name} itself took {p50} for half of its picks, {p90} for nine in ten, beside the latency"


def _short_time(seconds: float | None) -> str:
    return "under 0.1 ms" if seconds is not None and seconds < 1e-4 else numbers.seconds(seconds)


def _flagged(summary: Summary) -> Iterator[str]:
    """Say how many answers were not served as the settings would have it, flag by flag."""
    for flag, meaning in FLAGS.items():
        found = {name: arm.flags[flag] for name, arm in summary.arms.items() if arm.flags.get(flag)}
        if found:
            by_arm = ", ".join(f"{name} {numbers.count(n)}" for name, n in found.items())
            yield f"{numbers.count(sum(found.values()))} {meaning}: {by_arm}"


def gate_lines(gates: Sequence[GateResult]) -> list[str]:
    """Say of each gate whether it passed, and by which numbers."""
    return [f"{'passed' if gate.passed else 'FAILED'}: {gate.expression} ({gate.reason})" for gate in gates]


def failures(summary: Summary) -> dict[str, dict[str, int]]:
    """Give kind -> arm -> trials, the most frequent kind first."""
    total: Counter[str] = Counter()
    for arm in summary.arms.values():
        total.update(arm.failures)
    return {
        kind: {name: arm.failures[kind] for name, arm in summary.arms.items() if arm.failures.get(kind)}
        for kind, _ in total.most_common()
    }


class Providers(NamedTuple):
    """Who served one arm."""

    arm: str
    providers: list[tuple[str, int]]
    """With their answers, the busiest first."""
    answers: int
    fallbacks: int | None
    """Answers by another model than the first of the arm's list; None for an arm without one."""


def providers(run: Run, summary: Summary) -> list[Providers]:
    """Give the providers of each arm whose providers are known."""
    lists = {arm.name: arm.models for arm in run.all_arms if arm.models}
    found = []
    for name, arm in ordered_arms(run, summary).items():
        busiest = sorted(arm.provider_usage.items(), key=lambda item: (-item[1], item[0]))
        fallbacks = None
        if name in lists:
            first = lists[name][0]
            fallbacks = sum(n for model, n in arm.model_usage.items() if not same_model(first, model))
        if busiest:
            found.append(Providers(name, busiest, arm.succeeded, fallbacks))
    return found


def client_share(run: Run, summary: Summary) -> str:
    """Say how much of the latencies is the client's own."""
    lag, queue = run.client.loop_lag_p99_s, run.client.queue_p99_s
    if lag is None and queue is None:
        return "How much of it is the client's own was not measured."
    medians = [arm.latency_s.p50 for arm in summary.arms.values() if arm.latency_s.p50]
    own = max(lag or 0.0, queue or 0.0)
    share = f": {numbers.percent(own / min(medians))} of the fastest arm's median" if medians else ""
    return (
        f"The client's own share (99th percentiles): its event loop ran late by {numbers.seconds(lag)}, requests "
        f"were held back by {numbers.seconds(queue)}{share}."
    )


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
