"""Judge routing decisions that exist in files: outcomes of models, and picks of arms among them.

No request is sent, so the picks are scored by the answers in the file, and the router's own delivery stays
unknown. Models and arms become the columns of one matrix, and go through the same comparisons, controls and
verdict as a run does.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import msgspec
import numpy as np
from msgspec import UNSET, UnsetType

from routemark.analysis.compare import (
    Doubt,
    Matrix,
    Pair,
    by_quality,
    compare,
    compare_at_worst,
    pairs_to_compare,
)
from routemark.analysis.controls import baselines, bounds, controls, oracles
from routemark.analysis.controls.cost import kept_draws
from routemark.analysis.controls.equalcost import equal_costs
from routemark.analysis.matrix.outcomes import FILE, Outcomes, Picks
from routemark.analysis.published.metrics import (
    arena_score,
    cost_per_correct_usd,
    mean_cost_per_1k_usd,
    pick_entropy_bits,
    quantiles,
)
from routemark.analysis.published.published import aiq, aiq_code, optimality
from routemark.analysis.published.specialists import Pools, arm_metrics, offline_metrics, zero_of
from routemark.analysis.rules.rules import routing_rules
from routemark.analysis.stats.arrays import Bools, Codes, Floats, by_column
from routemark.analysis.stats.clusters import grouped_means
from routemark.analysis.stats.intervals import accuracy_interval
from routemark.analysis.verdict import Evidence, verdict
from routemark.errors import UsageError
from routemark.numbers import count, counted
from routemark.records import (
    Arm,
    ArmMetrics,
    ArmSummary,
    BestOracle,
    EqualCost,
    FullScoreOracle,
    Offline,
    OfflineArm,
    OfflineMetrics,
    OfflineModel,
    Oracles,
    Quantiles,
    Run,
    Verdict,
    ZeroRouter,
)


class Chosen(NamedTuple):
    """The picks of one arm, as far as the outcomes can score them."""

    picks: Picks
    """A question whose pick has no score counts as one without a pick."""
    left_out: int
    """Picks without a score."""
    ungraded: Bools
    """(n,) questions among them whose picked answer is in the file, but without a score."""


class Asking(NamedTuple):
    """What is asked of the analysis."""

    baseline: str | None = None
    """The model in use today: every model and arm is compared with it."""
    margin: float = 0.03
    seed: int = 0
    all_metrics: bool = False


def judge(outcomes: Outcomes, arms: Sequence[Chosen], asking: Asking) -> Offline:
    """Give everything that the files tell. Raises: UsageError for a baseline that is not in them."""
    _check_baseline(asking.baseline, [*outcomes.models, *(chosen.picks.arm for chosen in arms)])
    with ThreadPoolExecutor(1) as beside:  # numpy lets go of the interpreter's lock
        rules = (
            beside.submit(routing_rules, outcomes, arms[0].picks, None, seed=asking.seed) if arms else None
        )
        found = _judged(outcomes, arms, asking)
    kept_draws.cache_clear()
    return found if rules is None else msgspec.structs.replace(found, rules=rules.result())


def _judged(outcomes: Outcomes, arms: Sequence[Chosen], asking: Asking) -> Offline:
    """Give everything but the rules."""
    board = _board(outcomes, arms, asking)
    pairs = _pairs(board, asking)
    pools = Pools(outcomes, seed=asking.seed) if asking.all_metrics else None
    metrics: OfflineMetrics | UnsetType = UNSET
    if pools is not None:
        metrics = offline_metrics(pools, [chosen.picks for chosen in arms])
    whole = _Whole(outcomes, board, pairs, pools, asking)
    equal = equal_costs(outcomes, [chosen.picks for chosen in arms], seed=asking.seed)
    return Offline(
        questions=outcomes.asked.n,
        models={
            name: OfflineModel(
                n=arm.graded,
                accuracy=arm.accuracy,
                accuracy_ci95=arm.accuracy_ci95,
                cost_per_1k_usd=arm.cost_per_1k_usd,
            )
            for name, arm in board.sides.items()
            if not arm.is_router
        },
        best_single=baselines.best_single(outcomes, seed=asking.seed),
        oracles=_oracles(outcomes),
        zero_router=_zero_router(outcomes),
        arms={
            chosen.picks.arm: _arm(whole, chosen, at_its_cost)
            for chosen, at_its_cost in zip(arms, equal, strict=True)
        },
        comparisons=[pair.comparison for pair in pairs],
        metrics=metrics,
    )


def _check_baseline(name: str | None, known: Sequence[str]) -> None:
    if name is not None and name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        meant = f' Did you mean "{near[0]}"?' if near else ""
        raise UsageError(f'--baseline "{name}": neither a model nor an arm of the files.{meant}')


# --------------------------------------------------------------------------- models and arms side by side


class _Board(NamedTuple):
    """Models and arms as the sides of comparisons, arms first."""

    cells: Matrix
    sides: dict[str, ArmSummary]


def _board(outcomes: Outcomes, arms: Sequence[Chosen], asking: Asking) -> _Board:
    picks = [chosen.picks for chosen in arms]
    score, cost, latency = (
        by_column([*(pick.of(cells) for pick in picks), *cells.T])
        for cells in (outcomes.score, outcomes.cost, outcomes.latency)
    )
    nobody_could = (outcomes.source == FILE) & np.isnan(outcomes.score)
    ungraded = by_column([*(chosen.ungraded for chosen in arms), *nobody_could.T])
    cells = Matrix(score, cost, outcomes.asked.cluster, [outcomes.single] * score.shape[1], ungraded)
    sides: dict[str, ArmSummary] = {}
    for i, name in enumerate([*(pick.arm for pick in picks), *outcomes.models]):
        summary = _side(cells, i, latency[:, i])
        if i < len(arms):
            left_out = arms[i].left_out
            summary = msgspec.structs.replace(
                summary,
                n=summary.graded + left_out,
                ungraded=left_out,
                is_router=True,
                model_usage=_usage(outcomes, picks[i]),
                same_mix=controls.same_mix(outcomes, picks[i], seed=asking.seed),
            )
        sides[name] = summary
    return _Board(cells, sides)


def _side(cells: Matrix, column: int, latency: Floats) -> ArmSummary:
    """Give the summary of one column, as of a fixed model; no more is known of a file."""
    score, cost = cells.score[:, column], cells.cost[:, column]
    known = np.flatnonzero(~np.isnan(score))
    one_group: Codes = np.zeros(len(known), dtype=np.int32)
    mean = grouped_means(1, one_group, known.astype(np.int32), cells.cluster[known], score[known])[0]
    accuracy = mean.value if mean.rows else None
    per_1k = mean_cost_per_1k_usd(cost)
    priced, ungraded = cost[~np.isnan(cost)], int(cells.ungraded[:, column].sum())
    return ArmSummary(
        n=mean.rows + ungraded,
        succeeded=mean.rows + ungraded,
        failed=0,
        failures={},
        truncated=0,
        empty=0,
        ungraded=ungraded,
        graded=mean.rows,
        clusters=mean.clusters,
        is_router=False,
        accuracy=accuracy,
        accuracy_ci95=accuracy_interval(mean) if mean.rows else None,
        accuracy_answered=accuracy,
        cost_usd=float(priced.sum()) if len(priced) else None,
        cost_unknown=mean.rows + ungraded - len(priced),
        cost_per_1k_usd=per_1k,
        cost_per_correct_usd=cost_per_correct_usd(cost, score),
        arena_score=arena_score(accuracy, per_1k),
        latency_s=quantiles(latency),
        ttft_s=Quantiles(),
        model_usage={},
        provider_usage={},
        pick_entropy_bits=None,
        by_difficulty={},
        by_category={},
        by_task_type={},
    )


def _usage(outcomes: Outcomes, picks: Picks) -> dict[str, int]:
    """Give how often each model was picked, the most frequent first, then by name."""
    counts = (picks.share > 0).sum(axis=0)
    used = {outcomes.models[model]: int(counts[model]) for model in np.flatnonzero(counts)}
    return dict(sorted(used.items(), key=lambda item: (-item[1], item[0])))


def _pairs(board: _Board, asking: Asking) -> list[Pair]:
    """Compare every arm with every model and every other arm; without an arm, every model with the best."""
    names = list(board.sides)
    routers = [side.is_router for side in board.sides.values()]
    reference = asking.baseline
    if reference is None and not any(routers):
        reference = min(names, key=lambda name: by_quality(board.sides[name]))
    index = None if reference is None else names.index(reference)
    pairs = pairs_to_compare(routers, index)
    return compare(board.cells, board.sides, pairs, margin=asking.margin, seed=asking.seed)


def _verdict(board: _Board, pairs: list[Pair], subject: str, asking: Asking) -> Verdict:
    """Give the verdict about one arm."""
    questions = len(board.cells.cluster)
    doubt: Doubt | None = None
    if board.cells.ungraded.any():
        doubt = compare_at_worst(pairs, board.cells, board.sides, subject=subject, margin=asking.margin)
    evidence = Evidence(
        run=_as_run(subject, questions, asking.seed),
        arms=board.sides,
        pairs=pairs,
        leaders=None,
        graded=any(side.accuracy is not None for side in board.sides.values()),
        finished_questions=questions,
        margin=asking.margin,
        baseline=asking.baseline,
        doubt=doubt,
    )
    found = verdict(evidence)
    notes = [*found.notes, *_notes(board.sides[subject], subject, questions)]
    return msgspec.structs.replace(found, notes=notes)


def _notes(side: ArmSummary, subject: str, questions: int) -> Iterator[str]:
    if side.graded < questions:
        yield f"{subject} has scored picks on {count(side.graded)} of {counted(questions, 'question')}."
    yield (
        "The answers come from a file: how the router's own calls differ from direct calls of the models "
        "cannot be told."
    )


def _as_run(subject: str, questions: int, seed: int) -> Run:
    """Describe the file as the run that it stands for; on which day it was asked is not known."""
    return Run(
        id="offline",
        status="complete",
        simulated=False,
        started_at="",
        questions_sha256="",
        questions=questions,
        arms=[Arm(name=subject, model=subject, is_router=True)],
        seed=seed,
        base_url="",
        routemark_version="",
    )


# --------------------------------------------------------------------------- the figures of the file


def _oracles(outcomes: Outcomes) -> Oracles:
    best, full = oracles.best_then_cheapest(outcomes), oracles.cheapest_full_score(outcomes)
    luck, choice_questions = bounds.luck(outcomes)
    return Oracles(
        best_then_cheapest=BestOracle(**best._asdict()),
        cheapest_full_score=FullScoreOracle(
            questions=full.questions, cost_per_1k_usd=full.cost_per_1k_usd, picks=full.picks
        ),
        luck=luck,
        choice_questions=choice_questions,
    )


def _zero_router(outcomes: Outcomes) -> ZeroRouter:
    hull, names = zero_of(outcomes)
    dearest = float(hull.cost[-1]) if len(hull.cost) else 0.0
    return ZeroRouter(hull=list(names), aiq=aiq(hull, dearest), aiq_code=aiq_code(hull, dearest))


class _Whole(NamedTuple):
    """What all arms have in common."""

    outcomes: Outcomes
    board: _Board
    pairs: list[Pair]
    pools: Pools | None
    """Where all metrics are asked for."""
    asking: Asking


def _arm(whole: _Whole, chosen: Chosen, equal: EqualCost | None) -> OfflineArm:
    outcomes, board, pairs, pools, asking = whole
    picks, side = chosen.picks, board.sides[chosen.picks.arm]
    best = optimality(outcomes, picks)
    missed = bounds.regret(outcomes, picks)
    metrics: ArmMetrics | UnsetType = UNSET
    if pools is not None:
        metrics = arm_metrics(pools, picks, reference=_reference(outcomes, asking))
    return OfflineArm(
        n=side.graded,
        accuracy=side.accuracy,
        accuracy_ci95=side.accuracy_ci95,
        cost_per_1k_usd=side.cost_per_1k_usd,
        arena_score=side.arena_score,
        opt_sel=best.sel,
        opt_acc=best.acc,
        opt_cost=best.cost,
        pick_shares={name: n / side.graded for name, n in side.model_usage.items()},
        pick_entropy_bits=pick_entropy_bits(side.model_usage.values()),
        same_mix=side.same_mix,
        hull_gap=None if equal is None else equal.gap,
        hull_gap_ci95=None if equal is None else equal.gap_ci95,
        hull_gap_ci99=None if equal is None else equal.gap_ci99,
        regret=None if missed is None else missed.router_did_not,
        cost_per_correct_usd=side.cost_per_correct_usd,
        left_out=chosen.left_out,
        verdict=_verdict(board, pairs, picks.arm, asking),
        metrics=metrics,
    )


def _reference(outcomes: Outcomes, asking: Asking) -> str | None:
    """Give the baseline where it is a model."""
    return asking.baseline if asking.baseline in outcomes.models else None
