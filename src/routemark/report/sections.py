"""Sections that only some runs have, as data for every format: see ``controls``, ``buying``; steadiness, robustness, own curves.

Text and Markdown lay the same table out, each in its own way; a section without a table has sentences alone.
"""

from __future__ import annotations

from collections.abc import Iterator

from routemark import numbers
from routemark.records import ArmSummary, Estimate, Perturbation, Run, Summary, Sweep, SweepPoint
from routemark.report import buying, controls, views
from routemark.report.layout import Column, Section

OVERALL = "all kinds"


def sections(run: Run, summary: Summary) -> Iterator[Section]:
    """Yield what there is to say, in the order of the report; nothing for a plain run."""
    arms = views.ordered_arms(run, summary)
    yield from _gates(summary)
    yield from controls.picking(arms)
    yield from controls.pool(summary.oracle)
    yield from buying.weighted(run, summary)
    yield from buying.month(run, summary)
    yield from buying.value(run, summary)
    yield from buying.rules(summary.rules)
    yield from _noise(summary, arms)
    yield from _stability(arms)
    yield from _robustness(run, arms)
    yield from map(_curve, summary.sweep)


def _gates(summary: Summary) -> Iterator[Section]:
    """Say of each gate whether it passed, and by which numbers."""
    if summary.gates:
        yield Section("Gates", "", [], [], views.gate_lines(summary.gates))


# ----------------------------------------------------------------------------- repeats


def _noise(summary: Summary, arms: dict[str, ArmSummary]) -> Iterator[Section]:
    """Put each pair's disagreement beside how often its arms disagree with themselves."""
    floor = {name: _floor(arm) for name, arm in arms.items()}
    shown = [
        pair
        for pair in summary.comparisons[: views.MAX_COMPARISONS]
        if pair.discordance is not None and (floor.get(pair.arm) or floor.get(pair.baseline))
    ]
    if not shown:
        return
    columns = [
        Column("Score\ndiffers", [numbers.percent(pair.discordance) for pair in shown]),
        Column("Arm from\nitself", [_value(floor.get(pair.arm)) for pair in shown]),
        Column("Baseline\nfrom itself", [_value(floor.get(pair.baseline)) for pair in shown]),
    ]
    note = (
        "The same arm asked twice disagrees with itself that often: this noise is part of every difference "
        "between two arms."
    )
    names = [f"{pair.arm} - {pair.baseline}" for pair in shown]
    yield Section("How much of it is noise", "Arm - baseline", names, columns, [note])


def _floor(arm: ArmSummary) -> Estimate | None:
    return arm.stability.self_disagreement if arm.stability is not None else None


def _stability(arms: dict[str, ArmSummary]) -> Iterator[Section]:
    """Say how often an arm gives the same question to the same model, and the same score."""
    shown = {name: arm.stability for name, arm in arms.items() if arm.stability is not None}
    if not shown:
        return
    steady = list(shown.values())
    columns = [
        Column("Same model\n[95 %]", [_percent(one.same_pick) for one in steady]),
        Column("Entropy,\nbits", [_bits(one.pick_entropy_bits) for one in steady], 2),
        Column("Differs from\nitself [95 %]", [_percent(one.self_disagreement) for one in steady]),
        Column("\nQuestions", [_questions(one.same_pick or one.self_disagreement) for one in steady], 1),
    ]
    notes = [note for name, arm in arms.items() for note in _flip_notes(name, arm)]
    if any(one.pairs_other_model and one.flip_effect is None for one in steady):
        notes.append("Those are other questions: three repeats or more tell what the flip itself does.")
    sticky = [name for name, one in shown.items() if one.sticky]
    if sticky:
        notes.append(
            f"Repeats in one session, one after another: {', '.join(sticky)}. Others: a fresh one each."
        )
    most = max(one.repeats for one in steady)
    yield Section(f"Asked {most} times", "Arm", list(shown), columns, notes)


def _flip_notes(name: str, arm: ArmSummary) -> Iterator[str]:
    """Say what another pick does to the score, for an arm that picks."""
    steady = arm.stability
    if steady is None or steady.score_change_other_model is None:
        return
    moved, pairs = steady.score_change_other_model, numbers.counted(steady.pairs_other_model, "pair")
    text = f"{name}: where two repeats got different models, the score moved by {_size(moved)} ({pairs})"
    if steady.score_change_same_model is not None:
        still, alike = steady.score_change_same_model, numbers.counted(steady.pairs_same_model, "pair")
        text += f", where they got the same one by {_size(still)} ({alike})"
    if steady.flip_effect is None:
        yield f"{text}."
        return
    effect = numbers.points_ci(steady.flip_effect.value, steady.flip_effect.ci95)
    both = numbers.counted(steady.flip_effect.n, "question")
    yield f"{text}. On the {both} with both, the first minus the second is {effect} points."


# ----------------------------------------------------------------------------- perturbations


def _robustness(run: Run, arms: dict[str, ArmSummary]) -> Iterator[Section]:
    """Say, arm by arm, what each kind of change did."""
    notes = list(_left_out(run))
    for name, arm in arms.items():
        if arm.robustness is None:
            continue
        overall, by_kind = arm.robustness.overall, arm.robustness.by_kind
        rows = {**by_kind, **({OVERALL: overall} if len(by_kind) > 1 else {})}
        title = f"Changes to the prompt that should not matter: {name}"
        columns = list(_robustness_columns(list(rows.values()), arm))
        yield Section(title, "Change", list(rows), columns, [*_flicker(arm), *notes])
        notes = []


def _robustness_columns(parts: list[Perturbation], arm: ArmSummary) -> Iterator[Column]:
    """Yield what is known; a fixed model has no picks to change."""
    if arm.is_router:
        yield Column("Other model\n[95 %]", [_percent(part.flip_rate) for part in parts])
    if arm.is_router and any(part.excess_flips for part in parts):
        yield Column("Beyond flicker,\npoints [95 %]", [_points(part.excess_flips) for part in parts], 2)
    if any(part.score_change for part in parts):
        yield Column("Score, points\n[95 %]", [_points(part.score_change) for part in parts])
    yield Column("\nCopies", [numbers.count(part.copies) for part in parts], 1)


def _flicker(arm: ArmSummary) -> Iterator[str]:
    """Say what the share of other models does not tell."""
    if not arm.is_router or arm.robustness is None or arm.robustness.overall.excess_flips is not None:
        return
    if arm.stability is not None and arm.stability.sticky:
        yield "Some of this is ordinary flicker, which repeats in one session do not show."
    else:
        yield "Some of this is the router's ordinary flicker: --repeats 2 or more tells how much."


def _left_out(run: Run) -> Iterator[str]:
    kinds = {kind: made.left_out for kind, made in run.perturbed.items() if made.left_out}
    if kinds:
        counts = ", ".join(f"{kind} to {numbers.count(n)}" for kind, n in kinds.items())
        yield f"Not applicable, of the questions looked at: {counts}."


# ----------------------------------------------------------------------------- cost tiers


def _curve(sweep: Sweep) -> Section:
    """Show a router's arms from the cheapest to the dearest."""
    points = sweep.points
    columns = [
        Column("Cost per 1,000\n[95 %, approx.]", [_cost(p) for p in points]),
        Column("Accuracy\n[95 %]", [numbers.percent_ci(p.accuracy, p.accuracy_ci95) for p in points]),
        Column(
            "Than the one before,\npoints [95 %]",
            ["" if i == 0 else numbers.points_ci(p.step, p.step_ci95) for i, p in enumerate(points)],
            1,
        ),
    ]
    title = f"The router's own cost-quality curve: {sweep.router}"
    return Section(title, sweep.setting, [p.value for p in points], columns, list(_curve_notes(sweep)))


def _curve_notes(sweep: Sweep) -> Iterator[str]:
    yield sweep.sentence
    placed = [p for p in sweep.points if p.hull_gap is not None]
    if placed:
        gaps = ", ".join(f"{p.value} {numbers.points_ci(p.hull_gap, p.hull_gap_ci95)}" for p in placed)
        yield f"Beside the best mixture of fixed models for the same money, points [95 %]: {gaps}."
    if len(placed) < len(sweep.points):
        beyond = ", ".join(p.value for p in sweep.points if p.hull_gap is None)
        why = (
            "cheaper than every fixed model asked"
            if placed
            else "ask fixed models with -m or --baselines picked"
        )
        yield f"Not placed beside such mixtures: {beyond} ({why})."
    if any(p.cost_rests_on for p in sweep.points):
        yield (
            "+ More than half of that cost rests on the dearest 5 % of the questions: another sample may cost "
            "something else."
        )


def _cost(point: SweepPoint) -> str:
    return numbers.usd_ci(point.cost_per_1k_usd, point.cost_per_1k_ci95) + "+" * bool(point.cost_rests_on)


# ----------------------------------------------------------------------------- cells


def _value(estimate: Estimate | None) -> str:
    return numbers.percent(estimate.value if estimate is not None else None)


def _percent(estimate: Estimate | None) -> str:
    return numbers.UNKNOWN if estimate is None else numbers.percent_ci(estimate.value, estimate.ci95)


def _points(estimate: Estimate | None) -> str:
    return numbers.UNKNOWN if estimate is None else numbers.points_ci(estimate.value, estimate.ci95)


def _size(estimate: Estimate) -> str:
    return numbers.in_points(estimate.value)


def _bits(estimate: Estimate | None) -> str:
    return numbers.plain(estimate.value if estimate is not None else None)


def _questions(estimate: Estimate | None) -> str:
    return numbers.count(estimate.n if estimate is not None else None)
