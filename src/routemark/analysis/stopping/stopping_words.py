"""What a run that may stop early says of its end."""

from __future__ import annotations

from routemark.analysis.words import listing
from routemark.numbers import count, counted, in_points
from routemark.records import Stopping

EVER = "The intervals of the comparisons hold however often one looks: 95 % or better."


def claim(stopping: Stopping) -> str:
    """Give what is sure of the router beside all that it is judged by, without a full stop; "" if nothing is."""
    arm, names, several = stopping.arm, listing(stopping.baselines), len(stopping.baselines) > 1
    margin = in_points(stopping.margin)
    match stopping.decision:
        case "better":
            return f"{arm} is surely better than {'each of ' * several}{names}"
        case "worse":
            return f"{arm} is surely worse than {listing(stopping.worse_than)}"
        case "equivalent":
            each = f"each of {names}, or better" if several else names
            return f"{arm} is surely as good as {each} (within {margin})"
        case "not worse":
            return f"{arm} is surely not worse than {'any of ' * several}{names} by more than {margin}"
        case None:
            return ""


def reason(stopping: Stopping) -> str:
    """Give why a run stopped, as a sentence."""
    return f"Decided after {count(stopping.questions)} of {counted(stopping.planned, 'question')}: {claim(stopping)}."


def note(stopping: Stopping) -> str:
    """Give what was decided, where, and what the intervals are worth."""
    if stopping.decision is None:
        return (
            f"Not decided on {count(stopping.questions)} of {counted(stopping.planned, 'question')}. {EVER}"
        )
    if stopping.early:
        return f"{reason(stopping)} {EVER}"
    return f"Decided at the last of {counted(stopping.planned, 'question')}: {claim(stopping)}. {EVER}"


def about_these(stopping: Stopping | None, sentence: str) -> str:
    """Let a sentence say that it is about exactly the questions of the file, where it is."""
    if stopping is None or stopping.estimand == "population":
        return sentence
    return f"On these {counted(stopping.planned, 'question')}: {sentence[0].lower()}{sentence[1:]}"


def families(questions: int, clusters: int) -> str:
    """Say what stopping early takes for independent."""
    return (
        f"The {counted(questions, 'question')} come in {count(clusters)} families; stopping early takes all of them for "
        "independent, so the chance of an error is somewhat larger (docs/stopping.md)."
    )
