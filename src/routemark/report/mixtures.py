"""What mixtures of models, and knowing every answer, reach on each difficulty: numbers for the page's script.

The script weighs them anew, as it does the arms. A mixture of an arm's picks takes each model as often as the arm
did on such traffic, whatever the question: sum over models of (sum_h w_h share_hm)(sum_h w_h mean_hm), with w_h
the weight of difficulty h, share_hm that of model m in the arm's answers there, mean_hm the model's own mean.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from routemark.records import ArmSummary, OraclePoint, Run, Slice, Summary
from routemark.report.charts_cost import ORACLE, mix_of
from routemark.wire.checks import same_model

Point = tuple[float, float] | None
"""Accuracy and cost per 1,000 questions; None where one of them is not known."""


def mixtures(run: Run, summary: Summary, labels: Sequence[str]) -> dict[str, Any]:
    """Give, with an entry a label: means of the arms, shares of the routers' picks, and the oracle.

    ``pool``: fixed models that were asked all questions, between which lots may be drawn; empty below two.
    """
    oracle = summary.oracle
    bound = None if oracle is None else [_point(oracle.by_difficulty.get(label)) for label in labels]
    return {
        "means": {name: _means(arm, labels) for name, arm in summary.arms.items()},
        "mixes": list(_mixes(run, summary, labels)),
        "oracle": None if bound is None else {"short": ORACLE, "means": bound},
        "pool": _pool(summary) if oracle is not None and len(oracle.zero_router) > 1 else [],
        "sweeps": [[point.arm for point in sweep.points] for sweep in summary.sweep],
    }


def _pool(summary: Summary) -> list[str]:
    return [name for name, arm in summary.arms.items() if not arm.is_router and arm.sample is None]


def _means(arm: ArmSummary, labels: Sequence[str]) -> list[Point]:
    return [_point(arm.by_difficulty.get(label)) for label in labels]


def _point(part: Slice | OraclePoint | None) -> Point:
    if part is None or part.accuracy is None or part.cost_per_1k_usd is None:
        return None
    return part.accuracy, part.cost_per_1k_usd


def _mixes(run: Run, summary: Summary, labels: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Yield the mix of each router whose models were all asked directly."""
    asked = {arm.name: arm.model for arm in run.all_arms if arm.name in summary.arms and not arm.is_router}
    for name, arm in summary.arms.items():
        if arm.same_mix is None:
            continue
        shares = [_shares(arm.by_difficulty, label, asked) for label in labels]
        if None not in shares:
            yield {"short": mix_of(name), "shares": shares}


def _shares(parts: Mapping[str, Slice], label: str, asked: Mapping[str, str]) -> dict[str, float] | None:
    """Give the share of each fixed arm in the answers to such questions; None where a model is no arm."""
    usage = parts[label].model_usage if label in parts else {}
    total = sum(usage.values())
    found: dict[str, float] = {}
    for model, n in usage.items():
        arm = next((name for name, slug in asked.items() if same_model(slug, model)), None)
        if arm is None:
            return None
        found[arm] = found.get(arm, 0.0) + n / total
    return found
