"""Failed calls and slow answers of two arms, paired by question."""

from __future__ import annotations

import numpy as np

from routemark.analysis.compare import question_means
from routemark.analysis.drift.drift import quantile_shifts
from routemark.analysis.drift.twodates import by_repeat
from routemark.analysis.matrix.columns import Rows, Table
from routemark.analysis.stats.arrays import Codes, Floats
from routemark.analysis.stats.paired import difference_interval, paired
from routemark.records import Service

HIGH = 0.9
"""The quantile of the latency that is compared."""


def service(table: Table, cluster: Codes, arm: str, baseline: str, *, seed: int) -> Service:
    """Put an arm's failed share and p90 latency beside those of a fixed model.

    ``cluster`` (questions,). Failed share: mean paired difference as of scores (`paired.difference_interval`).
    Latency: difference of the two quantiles over the questions that both answered, percentile bootstrap over
    questions (`drift.quantile_shifts`).
    """
    own, other = (table.rows(table.arms.index(name)) for name in (arm, baseline))
    sides = [_failed(rows, table.questions) for rows in (own, other)]
    failed = paired(sides[0], sides[1], cluster, single=_single(own) and _single(other))
    latency = [by_repeat(rows, rows.latency, table.questions, np.float64(np.nan)) for rows in (other, own)]
    both = ~np.isnan(latency[0]).all(axis=1) & ~np.isnan(latency[1]).all(axis=1)
    shifts = quantile_shifts(latency[0], latency[1], [HIGH], seed=seed)
    p90 = shifts[0] if shifts else None
    return Service(
        arm=arm,
        baseline=baseline,
        n=failed.n,
        failed_difference=failed.mean if failed.n else 0.0,
        failed_ci95=difference_interval(failed) if failed.n else None,
        latency_n=int(both.sum()),
        latency_p90_s=p90 and p90.after,
        baseline_latency_p90_s=p90 and p90.before,
        latency_p90_difference_s=p90 and p90.after - p90.before,
        latency_p90_ci95_s=p90 and p90.interval,
    )


def _failed(rows: Rows, questions: int) -> Floats:
    """Give the share of each question's trials that ended without an answer (questions,), NaN where not asked."""
    return question_means(rows.question, (~rows.answered).astype(float), questions)[0]


def _single(rows: Rows) -> bool:
    return int(rows.repeat.max(initial=0)) == 0
