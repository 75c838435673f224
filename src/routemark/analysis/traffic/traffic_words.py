"""What a verdict says of the user's traffic."""

from __future__ import annotations

from collections.abc import Mapping

from routemark.analysis.words import listing
from routemark.numbers import count, usd, whole_percent
from routemark.records import Comparison


def weighted(sentence: str) -> str:
    """Give a sentence of the verdict, marked as weighted."""
    return f"Weighted to your traffic: {sentence[:1].lower()}{sentence[1:]}"


def mix(weights: Mapping[str, float]) -> str:
    """Give the mix: ``easy 70 %, hard 30 %``."""
    return listing([f"{label} {whole_percent(share)}" for label, share in weights.items()], most=12)


def weights_note(weights: Mapping[str, float]) -> str:
    """Say what is weighted, and what is not."""
    return (
        f"Weighted to your traffic ({mix(weights)}): quality, cost and the value of a right answer in the "
        "verdict. Gain over the mix of models, latency and breakdowns are those of the questions as asked."
    )


def lacking_note(weights: Mapping[str, float]) -> str:
    """Say why nothing is weighted."""
    return (
        f"Not weighted to your traffic ({mix(weights)}): some difficulty has no finished question. "
        "Everything here is of the questions as asked."
    )


def month(comparison: Comparison, calls: int) -> str | None:
    """Say what a month costs more or less than the baseline; None where it is not known."""
    change, interval = comparison.monthly_usd, comparison.monthly_usd_ci95
    if change is None:
        return None
    start = f"At {count(calls)} calls a month"
    beside = f"than {comparison.baseline}"
    if interval is None or interval[0] == interval[1]:
        return f"{start} it costs about {usd(abs(change))} {'less' if change <= 0 else 'more'} {beside}."
    low, high = interval
    if high <= 0:
        return f"{start} it saves about {usd(-change)} ({usd(-high)} to {usd(-low)}) beside {comparison.baseline}."
    if low >= 0:
        return f"{start} it costs about {usd(change)} more ({usd(low)} to {usd(high)}) {beside}."
    return (
        f"{start} it costs between {usd(-low)} less and {usd(high)} more {beside}: "
        "whether it saves money is open."
    )
