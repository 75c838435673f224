"""The figures that a gate can ask for, and where a summary or a judged file has them.

Figures are those of the report, in its units: fractions in [0, 1], seconds, US dollars. Where the run is weighted
to a mix of difficulties, accuracy, cost per 1,000 and pairs are the weighted ones, which the verdict rests on, too.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from routemark.analysis.gates.language import Signature
from routemark.analysis.stats.arrays import Interval
from routemark.analysis.traffic.weights import as_weighted
from routemark.records import (
    ArmSummary,
    Comparison,
    Estimate,
    Offline,
    OfflineArm,
    OfflineModel,
    Run,
    Summary,
)

FIGURES: dict[str, Signature] = {
    "accuracy": Signature(1, has_interval=True),
    "accuracy_answered": Signature(1),
    "cost_usd": Signature(1),
    "cost_per_1k_usd": Signature(1),
    "cost_per_correct_usd": Signature(1),
    "n": Signature(1),
    "failed_share": Signature(1),
    "ungraded_share": Signature(1),
    "truncated_share": Signature(1),
    "empty_share": Signature(1),
    "latency_p50": Signature(1),
    "latency_p90": Signature(1),
    "latency_p99": Signature(1),
    "ttft_p50": Signature(1),
    "ttft_p90": Signature(1),
    "ttft_p99": Signature(1),
    "arena_score": Signature(1),
    "pick_entropy_bits": Signature(1),
    "gain": Signature(1, has_interval=True),
    "hull_gap": Signature(1, has_interval=True),
    "delivery": Signature(1, has_interval=True),
    "regret": Signature(1),
    "same_pick": Signature(1, has_interval=True),
    "self_disagreement": Signature(1, has_interval=True),
    "flip_rate": Signature(1, has_interval=True),
    "difference": Signature(2, has_interval=True),
    "cost_ratio": Signature(2, has_interval=True),
    "verdict_row": Signature(0),
    "total_cost_usd": Signature(0),
    "questions": Signature(0),
    "detectable_difference": Signature(0),
}
"""Every figure by its name; docs/gates.md says what each is."""

OFFLINE_FIGURES = {
    name: FIGURES[name]
    for name in (
        *(
            "accuracy",
            "cost_per_1k_usd",
            "cost_per_correct_usd",
            "n",
            "arena_score",
            "pick_entropy_bits",
            "gain",
        ),
        *("hull_gap", "regret", "difference", "cost_ratio", "verdict_row", "questions"),
    )
}
"""Those that files can tell."""


class Value(NamedTuple):
    """A figure; None: unknown."""

    value: float | None
    interval: Interval | None = None
    """95 %."""


class Facts(NamedTuple):
    """What gates are judged by."""

    arms: Mapping[str, Mapping[str, Value]]
    pairs: Mapping[tuple[str, str], Comparison]
    whole: Mapping[str, Value]
    aliases: Mapping[str, str]
    """Alias -> arm; those that nobody fills are missing."""
    unfinished: str | None = None
    """Why nothing can pass, a clause."""


def of_summary(run: Run, summary: Summary) -> Facts:
    """Give what a run knows. One that did not come to its end, nor was decided, can pass no gate."""
    arms = as_weighted(summary.arms)
    over = run.status == "complete" or run.decided
    return Facts(
        arms={name: _of_arm(arm) for name, arm in arms.items()},
        pairs=_by_sides(pair.weighted or pair for pair in summary.comparisons),
        whole={
            "verdict_row": Value(summary.verdict.row),
            "total_cost_usd": Value(summary.cost_usd),
            "questions": Value(summary.finished_questions),
            "detectable_difference": Value(summary.detectable_difference),
        },
        aliases=_aliases(
            next((arm.name for arm in run.arms if arm.is_router), None)
            or next((name for name, arm in arms.items() if arm.is_router), None),
            {name: arm for name, arm in arms.items() if not arm.is_router and arm.sample is None},
        ),
        unfinished=None if over else f"the run has not finished ({run.status})",
    )


def of_offline(found: Offline) -> Facts:
    """Give what the judgement of a file knows: arms of picks, and models."""
    first = next(iter(found.arms), None)
    return Facts(
        arms={
            **{name: _of_model(model) for name, model in found.models.items()},
            **{name: _of_picks(arm) for name, arm in found.arms.items()},
        },
        pairs=_by_sides(found.comparisons),
        whole={
            "verdict_row": Value(None if first is None else found.arms[first].verdict.row),
            "questions": Value(found.questions),
        },
        aliases=_aliases(first, found.models),
    )


def _aliases(router: str | None, fixed: Mapping[str, ArmSummary | OfflineModel]) -> dict[str, str]:
    """Give whom the aliases mean; the figures of fixed models decide, as they are in this very run."""
    cost = {name: arm.cost_per_1k_usd for name, arm in fixed.items() if arm.cost_per_1k_usd is not None}
    accuracy = {name: arm.accuracy for name, arm in fixed.items() if arm.accuracy is not None}
    named = {
        "auto": router,
        "best_single": min(
            accuracy, key=lambda name: (-accuracy[name], cost.get(name, math.inf)), default=None
        ),
        "cheapest": min(cost, key=lambda name: cost[name], default=None),
        "dearest": max(cost, key=lambda name: cost[name], default=None),
    }
    return {alias: name for alias, name in named.items() if name is not None}


def _by_sides(pairs: Iterable[Comparison]) -> dict[tuple[str, str], Comparison]:
    return {(pair.arm, pair.baseline): pair for pair in pairs}


def _of_arm(arm: ArmSummary) -> dict[str, Value]:
    mix, equal, delivery, regret = arm.same_mix, arm.equal_cost, arm.delivery, arm.regret
    steady = arm.stability
    return {
        "accuracy": Value(arm.accuracy, arm.accuracy_ci95),
        "accuracy_answered": Value(arm.accuracy_answered),
        "cost_usd": Value(arm.cost_usd),
        "cost_per_1k_usd": Value(arm.cost_per_1k_usd),
        "cost_per_correct_usd": Value(arm.cost_per_correct_usd),
        "n": Value(arm.n),
        "failed_share": _share(arm.failed, arm.n),
        "ungraded_share": _share(arm.ungraded, arm.n),
        "truncated_share": _share(arm.truncated, arm.n),
        "empty_share": _share(arm.empty, arm.n),
        "latency_p50": Value(arm.latency_s.p50),
        "latency_p90": Value(arm.latency_s.p90),
        "latency_p99": Value(arm.latency_s.p99),
        "ttft_p50": Value(arm.ttft_s.p50),
        "ttft_p90": Value(arm.ttft_s.p90),
        "ttft_p99": Value(arm.ttft_s.p99),
        "arena_score": Value(arm.arena_score),
        "pick_entropy_bits": Value(arm.pick_entropy_bits),
        "gain": Value(None) if mix is None else Value(mix.gain, mix.gain_ci95),
        "hull_gap": Value(None) if equal is None else Value(equal.gap, equal.gap_ci95),
        "delivery": Value(None) if delivery is None else Value(delivery.accuracy_difference, delivery.ci95),
        "regret": Value(None if regret is None else regret.router_did_not),
        "same_pick": _estimate(steady.same_pick if steady else None),
        "self_disagreement": _estimate(steady.self_disagreement if steady else None),
        "flip_rate": _estimate(arm.robustness.overall.flip_rate if arm.robustness else None),
    }


def _of_model(model: OfflineModel) -> dict[str, Value]:
    return {
        "accuracy": Value(model.accuracy, model.accuracy_ci95),
        "cost_per_1k_usd": Value(model.cost_per_1k_usd),
        "n": Value(model.n),
    }


def _of_picks(arm: OfflineArm) -> dict[str, Value]:
    mix = arm.same_mix
    return {
        "accuracy": Value(arm.accuracy, arm.accuracy_ci95),
        "cost_per_1k_usd": Value(arm.cost_per_1k_usd),
        "cost_per_correct_usd": Value(arm.cost_per_correct_usd),
        "n": Value(arm.n),
        "arena_score": Value(arm.arena_score),
        "pick_entropy_bits": Value(arm.pick_entropy_bits),
        "gain": Value(None) if mix is None else Value(mix.gain, mix.gain_ci95),
        "hull_gap": Value(arm.hull_gap, arm.hull_gap_ci95),
        "regret": Value(arm.regret),
    }


def _share(part: int, whole: int) -> Value:
    return Value(part / whole if whole else None)


def _estimate(estimate: Estimate | None) -> Value:
    return Value(None) if estimate is None else Value(estimate.value, estimate.ci95)
