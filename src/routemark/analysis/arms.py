"""Everything that is said of one arm, from its rows."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from routemark.analysis.matrix.columns import EMPTY, NONE, TRUNCATED, Columns, Labels, Rows
from routemark.analysis.published.metrics import (
    arena_score,
    cost_per_correct_usd,
    mean_cost_per_1k_usd,
    pick_entropy_bits,
    quantiles,
)
from routemark.analysis.spreads import histogram
from routemark.analysis.stats.arrays import Bools, Codes, Interval
from routemark.analysis.stats.clusters import Mean, grouped_means
from routemark.analysis.stats.intervals import accuracy_interval
from routemark.records import Arm, ArmSummary, Slice

FIRST_LABELS = ("easy", "hard", "opt")
"""Come first, in this order, where present; other labels follow by name."""


class Accuracy(NamedTuple):
    """A mean score as a summary shows it."""

    value: float | None
    interval: Interval | None
    graded: int
    clusters: int


def arm_summary(
    rows: Rows, columns: Columns, arm: Arm | None, *, joined: bool = False, sample: int | None = None
) -> ArmSummary:
    """Give the summary of an arm; ``columns`` holds the names behind the codes.

    ``joined``: it asks a model that a router picked, whatever the names under which that served. ``sample``:
    number of questions of the random sample that ``rows`` are cut down to.
    """
    answered = rows.answered
    cost, score, flags = rows.cost, rows.score, rows.flags
    accuracy = mean_accuracy(rows)
    model_usage = usage(rows.model, columns.models)
    is_router = (arm is not None and arm.is_router) or (len(model_usage) > 1 and not joined)
    cost_per_1k_usd = mean_cost_per_1k_usd(cost)
    known_cost = cost[~np.isnan(cost)]
    return ArmSummary(
        n=len(rows),
        succeeded=int(answered.sum()),
        failed=int((~answered).sum()),
        failures=usage(rows.failure, columns.failures),
        truncated=int(np.count_nonzero(flags & TRUNCATED)),
        empty=int(np.count_nonzero(flags & EMPTY)),
        ungraded=int((answered & np.isnan(score)).sum()),
        graded=accuracy.graded,
        clusters=accuracy.clusters,
        is_router=is_router,
        accuracy=accuracy.value,
        accuracy_ci95=accuracy.interval,
        accuracy_answered=mean_accuracy(rows, answered).value,
        cost_usd=float(known_cost.sum()) if len(known_cost) else None,
        cost_unknown=len(rows) - len(known_cost),
        cost_per_1k_usd=cost_per_1k_usd,
        cost_per_correct_usd=cost_per_correct_usd(cost, score),
        arena_score=arena_score(accuracy.value, cost_per_1k_usd),
        latency_s=quantiles(rows.latency),
        ttft_s=quantiles(rows.ttft),
        pick_s=None if np.isnan(rows.pick).all() else quantiles(rows.pick),
        latency_histogram=histogram(rows.latency),
        ttft_histogram=histogram(rows.ttft),
        model_usage=model_usage,
        provider_usage=usage(rows.provider, columns.providers),
        pick_entropy_bits=pick_entropy_bits(model_usage.values()) if is_router else None,
        by_difficulty=slices(rows, rows.difficulty, columns.difficulties, columns.models),
        by_category=slices(rows, rows.category, columns.categories, columns.models),
        by_task_type=slices(rows, rows.task_type, columns.task_types, columns.models),
        joined=joined,
        sample=sample,
    )


def mean_accuracy(rows: Rows, which: Bools | None = None) -> Accuracy:
    """Give the mean score of the rows (of ``which``) that have one, each question counting once."""
    label = np.zeros(len(rows), dtype=np.int32)
    if which is not None:
        label[~which] = NONE
    return _accuracy(_means(rows, 1, label)[0])


def slices(rows: Rows, label: Codes, labels: Labels, models: Labels) -> dict[str, Slice]:
    """Give the arm on the trials of each label; trials without a label are in none."""
    count = len(labels.names)
    n = np.bincount(label[label != NONE], minlength=count)
    means = _means(rows, count, label)
    costs = _mean_costs(rows, count, label)
    usages = _usage_by_label(rows.model, label, models)
    found: dict[str, Slice] = {}
    for code in sorted(np.flatnonzero(n).tolist(), key=lambda code: label_order(labels.names[code])):
        accuracy = _accuracy(means[code])
        found[labels.names[code]] = Slice(
            n=int(n[code]),
            graded=accuracy.graded,
            accuracy=accuracy.value,
            accuracy_ci95=accuracy.interval,
            cost_per_1k_usd=costs[code],
            model_usage=usages.get(code, {}),
        )
    return found


def label_order(label: str) -> tuple[int, str]:
    """Give the key that sorts labels: easy, hard, opt, then the others by name."""
    return (FIRST_LABELS.index(label) if label in FIRST_LABELS else len(FIRST_LABELS), label)


def usage(codes: Codes, labels: Labels) -> dict[str, int]:
    """Give how often each name occurs, the most frequent first, then by name."""
    counts = np.bincount(codes[codes != NONE])
    return _most_first({labels.names[code]: int(counts[code]) for code in np.flatnonzero(counts)})


def _most_first(counts: dict[str, int]) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _means(rows: Rows, groups: int, label: Codes) -> list[Mean]:
    score = rows.score
    scored = ~np.isnan(score) & (label != NONE)
    return grouped_means(groups, label[scored], rows.question[scored], rows.cluster[scored], score[scored])


def _accuracy(mean: Mean) -> Accuracy:
    if not mean.rows:
        return Accuracy(None, None, 0, 0)
    return Accuracy(mean.value, accuracy_interval(mean), mean.rows, mean.clusters)


def _mean_costs(rows: Rows, groups: int, label: Codes) -> list[float | None]:
    cost = rows.cost
    known = ~np.isnan(cost) & (label != NONE)
    n = np.bincount(label[known], minlength=groups)
    total = np.bincount(label[known], weights=cost[known], minlength=groups)
    return [float(t) / int(k) * 1000 if k else None for t, k in zip(total, n, strict=True)]


def _usage_by_label(model: Codes, label: Codes, models: Labels) -> dict[int, dict[str, int]]:
    picked = (model != NONE) & (label != NONE)
    width = len(models.names)
    keys, counts = np.unique(label[picked].astype(np.int64) * width + model[picked], return_counts=True)
    found: dict[int, dict[str, int]] = {}
    for key, count in zip(keys.tolist(), counts.tolist(), strict=True):
        found.setdefault(key // width, {})[models.names[key % width]] = count
    return {code: _most_first(used) for code, used in found.items()}
