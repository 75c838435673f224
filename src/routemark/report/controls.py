"""Controls as sections for every format: how good the picking is, and what else the pool of models could do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from routemark import numbers
from routemark.records import ArmSummary, Delivery, EqualCost, Fixed, OracleSummary, Regret, SameMix
from routemark.report.layout import Column, Section

HOW_TO_READ = (
    "Own mix: the same models equally often, dealt at random. Hull: the best mixture of fixed models for the "
    "same money. Delivery: its own calls against direct calls of the models it picked. Missed: what picks that "
    "knew these answers would have had on top."
)


def picking(arms: dict[str, ArmSummary]) -> Iterator[Section]:
    """Put each router beside its own mix at random, the mixtures of its cost, and its models asked directly."""
    shown = {name: arm for name, arm in arms.items() if arm.same_mix or arm.delivery}
    if not shown:
        return
    rows = list(shown.values())
    columns = [
        Column("Over its\nown mix [95 %]", [_gain(arm.same_mix) for arm in rows]),
        Column("Over the\nhull [95 %]", [_gap(arm.equal_cost) for arm in rows]),
        Column("Delivery\n[95 %]", [_delivered(arm.delivery) for arm in rows], 1),
        Column("Missed,\nat most", [_missed(arm.regret) for arm in rows], 2),
    ]
    split = [note for name, arm in shown.items() for note in _split(name, arm.same_mix)]
    title = "How good the picking is, in points"
    yield Section(title, "Router", list(shown), columns, [HOW_TO_READ, *split])


def pool(oracle: OracleSummary | None) -> Iterator[Section]:
    """Say what fixed models, drawing lots and knowing the answers would have reached, from two models on."""
    if oracle is None or len(oracle.models) < 2:
        return
    points = list(_points(oracle))
    columns = [
        Column("\nAccuracy", [numbers.percent(point.accuracy) for point in points]),
        Column("Cost per\n1,000", [numbers.usd(point.cost_per_1k_usd) for point in points]),
    ]
    notes = ["The oracle is an upper bound: it knows these very answers, the lucky ones too."]
    if oracle.reachable is not None:
        notes.append(f"Shown to be reachable without knowing them: {numbers.percent(oracle.reachable)}.")
    if oracle.luck is not None:
        questions = numbers.counted(oracle.choice_questions, "question")
        notes.append(
            f"On the {questions} with choices an oracle over models that only guess has "
            f"{numbers.percent(oracle.luck)} right."
        )
    title = f"What the pool of {numbers.counted(len(oracle.models), 'model')} could do"
    yield Section(title, "Policy", [point.name for point in points], columns, notes)


class _Point(NamedTuple):
    name: str
    accuracy: float | None
    cost_per_1k_usd: float | None


def _points(oracle: OracleSummary) -> Iterator[_Point]:
    best = oracle.best_single
    if best is not None:
        yield _Point(f"best single, {best.model} (optimistic)", best.accuracy, best.cost_per_1k_usd)
    if best is not None and best.crossfit_accuracy is not None:
        yield _Point(
            "best single, chosen on other questions", best.crossfit_accuracy, best.crossfit_cost_per_1k_usd
        )
    yield from _fixed("cheapest", oracle.cheapest)
    yield from _fixed("dearest", oracle.dearest)
    yield from _fixed("any model at random", oracle.random)
    bound = oracle.best_then_cheapest
    yield _Point("oracle, upper bound", bound.accuracy, bound.cost_per_1k_usd)
    if oracle.confirmed is not None:
        yield _Point("oracle's picks, asked afresh", oracle.confirmed, None)


def _fixed(name: str, fixed: Fixed | None) -> Iterator[_Point]:
    if fixed is not None:
        model = "" if fixed.model is None else f", {fixed.model}"
        yield _Point(f"{name}{model}", fixed.accuracy, fixed.cost_per_1k_usd)


def _gain(mix: SameMix | None) -> str:
    return numbers.UNKNOWN if mix is None else numbers.points_ci(mix.gain, mix.gain_ci95)


def _gap(beside: EqualCost | None) -> str:
    return numbers.UNKNOWN if beside is None else numbers.points_ci(beside.gap, beside.gap_ci95)


def _delivered(delivery: Delivery | None) -> str:
    if delivery is None:
        return numbers.UNKNOWN
    return numbers.points_ci(delivery.accuracy_difference, delivery.ci95)


def _missed(regret: Regret | None) -> str:
    return numbers.UNKNOWN if regret is None else numbers.in_points(regret.router_did_not)


def _split(name: str, mix: SameMix | None) -> Iterator[str]:
    """Say how much of the gain comes of telling one difficulty from another."""
    split = mix.by_difficulty if mix is not None else None
    if split is None or split.strata < 2:
        return
    within = numbers.points_ci(split.within, split.within_ci95)
    yield (
        f"{name}: of its gain, {numbers.points_ci(split.between, None)} points come of telling one difficulty "
        f"from another, {within} of picking inside each."
    )
