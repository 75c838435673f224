"""What a reader must know of the models that were asked because a router picked them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from routemark.analysis.words import listing
from routemark.numbers import counted
from routemark.records import ArmSummary, Run, SameMix


def notes(run: Run, arms: Mapping[str, ArmSummary], router: str) -> Iterator[str]:
    """Give the notes, the most important first; ``router``: the arm that is judged."""
    if is_among_its_own(run, arms, router):
        yield (
            f"{router} was only compared with models that it picked itself: one that it never picks may be "
            "better. Add one with -m."
        )
    sampled = [
        f"{name} ({counted(arm.sample, 'question')})" for name, arm in arms.items() if arm.sample is not None
    ]
    if sampled:
        yield (
            f"Rarely picked, hence asked a random sample only and left out of the comparisons: {listing(sampled)}."
        )
    if run.unaskable:
        why = [f"{name} ({reason.rstrip('.')})" for name, reason in run.unaskable.items()]
        yield f"Picked, but not asked directly: {listing(why)}."
    if run.settings.get("baselines") == "missing" and run.baselines:
        yield (
            "With --baselines missing the router's own answers stand in for direct ones of the models that it "
            "picked, so what it adds or loses in delivering them does not show against these."
        )


def way_to_measure(run: Run, mix: SameMix | None) -> str:
    """Give a sentence more on how the same mix is measured; "" where it was, or the option was given."""
    lacks = mix is None and "baselines" in run.settings and run.settings["baselines"] is None
    return " Add --baselines picked to measure it." if lacks else ""


def is_among_its_own(run: Run, arms: Mapping[str, ArmSummary], router: str) -> bool:
    """Tell whether every fixed model that was measured is one that the router picked."""
    served = arms[router].model_usage
    picked = {*served, *(slug for name, slug in run.asked_as.items() if name in served)}
    fixed = [arm for arm in run.all_arms if arm.name in arms and not arms[arm.name].is_router]
    return bool(fixed) and all(picked & {arm.model, *arms[arm.name].model_usage} for arm in fixed)
