"""The words about two dates. `drift` and `twodates` decide what holds; here it is only said."""

from __future__ import annotations

from typing import NamedTuple

from routemark.analysis.controls.cost import cost_standing
from routemark.analysis.stats.arrays import Interval
from routemark.analysis.sureness import FEWEST_ANSWERS, MOST_LOST, is_enough
from routemark.numbers import counted, in_points, less, more, point_range, standing, usd, whole_percent
from routemark.records import Adjusted, ArmChange, DriftKind, PickDrift


class Dates(NamedTuple):
    """How the two runs are named in a sentence: by day, by minute where the days are the same."""

    a: str
    b: str


def decide(change: ArmChange, interval: Interval | None, n: int, *, graded: bool, margin: float) -> DriftKind:
    """Give how quality moved: the first that holds.

    ``interval``: of the change that counts, on ``n`` questions. Too little to judge is what a verdict calls so:
    fewer than 30 questions, or more than 20 % failed or not graded on a date.
    """
    if not graded:
        return "not_graded"
    if interval is None or not is_enough(n, change.lost_share):
        return "too_little"
    low, high = interval
    if low > 0:
        return "better"
    if high < 0:
        return "worse"
    return "within_margin" if -margin < low and high < margin else "open"


class Finding(NamedTuple):
    """What the first sentence about a router is made of."""

    kind: DriftKind
    change: ArmChange
    adjusted: Adjusted | None
    interval: Interval | None
    """The one that ``kind`` was decided by."""
    needed: int | None
    """Questions that tell a difference of the margin."""


def sentence(finding: Finding, dates: Dates, margin: float) -> str:
    """Give the first sentence about a router: what became of its quality, and between which days."""
    change, adjusted, interval = finding.change, finding.adjusted, finding.interval
    n = change.n if adjusted is None else adjusted.n
    if finding.kind == "not_graded":
        return "Quality was not graded in both runs: only picks, cost and latency are compared."
    if finding.kind == "too_little" or interval is None:
        return _too_little(change, n)
    if change.arm_a != change.arm_b:
        said = _settings(finding.kind, change, interval, dates, margin)
    else:
        said = _changed(finding, interval, f"between {dates.a} and {dates.b}", margin)
    beside = "" if adjusted is None else f"beside {_anchors(adjusted)} asked on both dates, "
    more = _to_settle(finding.needed, n, margin) if finding.kind == "open" else ""
    return f"{said}, {beside}on {counted(n, 'question')}.{more}"


def _changed(finding: Finding, interval: Interval, between: str, margin: float) -> str:
    """Say what became of an arm that has one name on both dates; without anchors, of it or its models."""
    arm = finding.change.arm_b
    subject, who = (arm, "") if finding.adjusted is not None else ("the router or its models", f"{arm} ")
    match finding.kind:
        case "better" | "worse":
            said = f"{subject} changed for the {finding.kind} {between}: {who}by {point_range(interval)}"
        case "within_margin":
            within = f"by more than {in_points(margin)} {between}"
            said = f"{arm} did not change {within}: {standing(interval)}"
        case _:
            said = f"whether {subject} changed {between} cannot be told: {who}{standing(interval)}"
    return said if said.startswith(arm) else said[0].upper() + said[1:]


def _settings(kind: DriftKind, change: ArmChange, interval: Interval, dates: Dates, margin: float) -> str:
    """Say how two arms with different names stand, each on its date."""
    b, a = f"{change.arm_b} ({dates.b})", f"{change.arm_a} ({dates.a})"
    match kind:
        case "better" | "worse":
            return f"{b} is {kind} than {a}, by {point_range(interval)}"
        case "within_margin":
            return f"{b} is as good as {a}, within {in_points(margin)}: {standing(interval)}"
        case _:
            return f"{b} cannot be told apart from {a}: {standing(interval)}"


def _anchors(adjusted: Adjusted) -> str:
    return (
        "the one fixed model" if len(adjusted.anchors) == 1 else f"the {len(adjusted.anchors)} fixed models"
    )


def _to_settle(needed: int | None, n: int, margin: float) -> str:
    if needed is None:
        return f" Asking more questions is no way to settle a difference of {in_points(margin)}."
    if needed <= n:
        return f" So many questions tell a difference of {in_points(margin)} in four runs of five."
    return f" About {counted(needed - n, 'more question')} on both dates would settle a difference of {in_points(margin)}."


def _too_little(change: ArmChange, n: int) -> str:
    if n < FEWEST_ANSWERS:
        return f"Too little to judge: {counted(n, 'question')} with a score on both dates ({FEWEST_ANSWERS} needed)."
    if change.lost_share > MOST_LOST:
        return (
            f"Too little to judge: {whole_percent(change.lost_share)} of the answers of {change.arm_b} on one date failed "
            f"or were not graded ({whole_percent(MOST_LOST)} at most)."
        )
    return "Too little to judge: all questions are of one family, so they count as one."


def cost(change: ArmChange) -> str:
    """Give what became of the cost, as a sentence."""
    before, after = change.cost_per_1k_usd_a, change.cost_per_1k_usd_b
    if before is None or after is None:
        return "Cost is not known on both dates."
    said = f"Cost per 1,000 questions: {usd(before)} in A, {usd(after)} in B"
    ratio, interval = change.cost_ratio, change.cost_ratio_ci95
    if ratio is None:
        return f"{said}."
    if interval is None:
        return f"{said}; too few questions to be sure."
    match cost_standing(interval):
        case "cheaper":
            text = less(ratio, interval)
        case "dearer":
            text = more(ratio, interval)
        case "same":
            text = "the same, within 5 %"
        case "open":
            text = f"whether that is a change is open ({_change(interval[0])} to {_change(interval[1])})"
    return f"{said}: {text}."


def picks(found: PickDrift | None) -> list[str]:
    """Give what became of the picks: how many changed, beyond what flicker, and the mix as a whole."""
    if found is None:
        return ["Which models it picked is not known on both dates."]
    if found.changed == 0:
        return [f"It picked the same models on all {counted(found.n, 'question')}."]
    said = f"Another model was picked on {whole_percent(found.changed)} of {counted(found.n, 'question')}"
    return [f"{said}{_flicker(found)}", _mix(found)]


def _flicker(found: PickDrift) -> str:
    if found.excess is None or found.excess_ci95 is None:
        known = [flip for flip in (found.flip_a, found.flip_b) if flip is not None]
        seen = f" (asked twice on one day: {whole_percent(known[0])})" if known else ""
        return (
            f"; some of this is its ordinary flicker{seen}. Repeats in both runs (--repeats 2) tell how much."
        )
    flips = ((found.flip_a or 0.0) + (found.flip_b or 0.0)) / 2
    low, high = found.excess_ci95
    ordinary = f"; asked twice on one day, it picks another on {whole_percent(flips)}"
    if low > 0:
        return f"{ordinary}: the dates add {point_range((low, high))}."
    return f"{ordinary}: no more than its ordinary flicker can be seen."


def _mix(found: PickDrift) -> str:
    if found.p_value < 0.05:
        return "Its mix of models changed, by more than chance would (95 %)."
    return "That its mix of models is as it was cannot be excluded."


def _change(ratio: float) -> str:
    return f"{whole_percent(1 - ratio)} less" if ratio < 1 else f"{whole_percent(ratio - 1)} more"
