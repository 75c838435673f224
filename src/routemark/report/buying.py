"""Sections for a buyer: what a right answer must be worth, a month's dollars, the own traffic, and rules."""

from __future__ import annotations

from collections.abc import Iterator

from routemark import numbers
from routemark.analysis.controls.cost import SAME_COST
from routemark.analysis.traffic.traffic_words import mix
from routemark.records import Comparison, PriceRange, Rule, Rules, Run, Summary
from routemark.report import views
from routemark.report.layout import Column, Section

_STANDING = {"better": "surely better", "worse": "surely worse", "open": "open"}
_KINDS = {"prompt": "from the prompt", "labels": "from labels"}


def value(run: Run, summary: Summary) -> Iterator[Section]:
    """Give the net benefit of the arm judged at some prices of a right answer, and its sure ranges."""
    found = views.headline(run, summary)
    pair = found and (found.weighted or found)
    if pair is None or not pair.net_benefit or not summary.graded:
        return
    benefits = pair.net_benefit
    columns = [
        Column(
            "Net benefit per 1,000\n[95 %]", [numbers.usd_change_ci(b.per_1k_usd, b.ci95) for b in benefits]
        ),
        Column("\nThe arm is", [_STANDING[b.standing] for b in benefits]),
    ]
    title = f"What a right answer must be worth: {pair.arm} beside {pair.baseline}"
    names = [numbers.usd(benefit.price_usd) for benefit in benefits]
    notes = list(_value_notes(pair))
    if summary.weights:
        notes.append("Weighted to your traffic.")
    yield Section(title, "A right answer's worth", names, columns, notes)


def _value_notes(pair: Comparison) -> Iterator[str]:
    if pair.better_at_every_price is not None:
        yield f"As measured, {pair.better_at_every_price} is the better buy at every price."
    elif pair.indifference_price_usd is not None:
        yield f"As measured, they tie where a right answer is worth {numbers.usd(pair.indifference_price_usd)}."
    for name, prices in ((pair.arm, pair.surely_better_usd), (pair.baseline, pair.surely_worse_usd)):
        if prices is not None:
            yield f"{name} is surely (95 %) the better buy {where(prices)}."
    if pair.surely_better_usd is None and pair.surely_worse_usd is None:
        yield "At no price is either surely the better buy."


def where(prices: PriceRange) -> str:
    """Give a range of prices as it is said: ``below $0.12``."""
    low, high = numbers.usd(prices.from_usd), numbers.usd(prices.to_usd)
    if prices.to_usd is None:
        return "at every price" if prices.from_usd == 0 else f"above {low}"
    return f"below {high}" if prices.from_usd == 0 else f"between {low} and {high}"


def month(run: Run, summary: Summary) -> Iterator[Section]:
    """Give each pair's dollars a month at the user's calls."""
    calls = run.settings.get("traffic")
    shown = [(pair, pair.weighted or pair) for pair in views.ordered_comparisons(run, summary)]
    shown = [both for both in shown if both[1].monthly_usd is not None][: views.MAX_COMPARISONS]
    if not shown or not isinstance(calls, int):
        return
    cells = [numbers.usd_change_ci(judged.monthly_usd, judged.monthly_usd_ci95) for _, judged in shown]
    notes = ["Below $0 the arm costs less than the baseline. The intervals are approximate."]
    if summary.weights:
        notes.append("Weighted to your traffic.")
    names = [f"{pair.arm} - {pair.baseline}" for pair, _ in shown]
    columns = [Column("US dollars a month\n[95 %, approximate]", cells)]
    yield Section(f"A month at {numbers.counted(calls, 'call')}", "Arm - baseline", names, columns, notes)


def weighted(run: Run, summary: Summary) -> Iterator[Section]:
    """Give arms and comparisons for the user's mix of difficulties."""
    if not summary.weights:
        return
    arms = {name: arm.weighted for name, arm in views.ordered_arms(run, summary).items() if arm.weighted}
    columns = [
        Column(
            "Accuracy\n[95 % interval]",
            [numbers.percent_ci(arm.accuracy, arm.accuracy_ci95) for arm in arms.values()],
        ),
        Column("Cost per\n1,000", [numbers.usd(arm.cost_per_1k_usd) for arm in arms.values()], 1),
    ]
    note = "All other tables are of the questions as asked, unless they say that they are weighted."
    yield Section(f"Weighted to your traffic: {mix(summary.weights)}", "Arm", list(arms), columns, [note])
    pairs = [pair.weighted for pair in views.ordered_comparisons(run, summary) if pair.weighted]
    pairs = pairs[: views.MAX_COMPARISONS]
    if pairs:
        columns = [
            Column(
                "Accuracy, points\n[95 % interval]",
                [numbers.points_ci(pair.accuracy_difference, pair.ci95) for pair in pairs],
            ),
            Column(
                "Cost ratio\n[95 %, approximate]",
                [numbers.ratio_ci(pair.cost_ratio, pair.cost_ratio_ci95) for pair in pairs],
                1,
            ),
        ]
        names = [f"{pair.arm} - {pair.baseline}" for pair in pairs]
        yield Section("Compared, weighted to your traffic", "Arm - baseline", names, columns, [])


def rules(found: Rules | None) -> Iterator[Section]:
    """Give what a rule of a few lines would have done in the router's place."""
    if found is None:
        return
    shown = [rule for rule in (found.prompt, found.labels) if rule is not None]
    if not shown:
        return
    columns = [
        Column(
            "The rule's accuracy\n[95 % interval]",
            [numbers.percent_ci(r.accuracy, r.accuracy_ci95) for r in shown],
        ),
        Column("Cost per\n1,000", [numbers.usd(r.cost_per_1k_usd) for r in shown], 2),
        Column(
            "Router minus rule,\npoints [95 %]",
            [numbers.points_ci(r.accuracy_difference, r.difference_ci95) for r in shown],
        ),
        Column(
            "Cost, router / rule\n[95 %, approx.]",
            [numbers.ratio_ci(r.cost_ratio, r.cost_ratio_ci95) for r in shown],
            1,
        ),
    ]
    notes = [note for rule in shown for note in _rule_notes(rule)]
    notes.append(
        "The figures are out of fold: each question is answered by a rule that was made without it and its family. "
        "The rule shown was made on all of them. results.json holds it as a Python function."
    )
    code = "\n\n".join(rule.python.rstrip() for rule in shown if not isinstance(rule.tree, str))
    title = f"A rule in the place of {found.router}"
    yield Section(title, "Rule", [_KINDS[rule.kind] for rule in shown], columns, notes, code)


def _rule_notes(rule: Rule) -> Iterator[str]:
    kind = _KINDS[rule.kind]
    label = " (needs someone to label each question)" if rule.kind == "labels" else ""
    yield f"{kind[0].upper()}{kind[1:]}{label}: {rule.sentence}"
    if rule.cost_ratio is not None and rule.cost_ratio < 1 - SAME_COST:
        yield f"No rule {kind} was found that costs as little as the router: this one is the cheapest."
    if rule.unstable:
        yield (
            f"The rule {kind} is unstable: {rule.same_in_folds} of 5 parts of the questions led to the same one."
        )
