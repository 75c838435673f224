"""What a verdict says of the user's traffic."""

from __future__ import annotations

from collections.abc import Mapping

from routemark.analysis.words import dollars, listing, percent
from routemark.records import Comparison


def weighted(sentence: str) -> str:
    """Give a sentence of the verdict, marked as weighted."""
    return f"Weighted to your traffic: {sentence[:1].lower()}{sentence[1:]}"


def mix(weights: Mapping[str, float]) -> str:
    """Give the mix: ``easy 70 %, hard 30 %``."""
    return listing([f"{label} {percent(share)}" for label, share in weights.items()], most=12)


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
    usd, interval = comparison.monthly_usd, comparison.monthly_usd_ci95
    if usd is None:
        return None
    start = f"At {calls:,} calls a month"
    beside = f"than {comparison.baseline}"
    if interval is None or interval[0] == interval[1]:
        return f"{start} it costs about {dollars(abs(usd))} {'less' if usd <= 0 else 'more'} {beside}."
    low, high = interval
    if high <= 0:
        return f"{start} it saves about {dollars(-usd)} ({dollars(-high)} to {dollars(-low)}) beside {comparison.baseline}."
    if low >= 0:
        return f"{start} it costs about {dollars(usd)} more ({dollars(low)} to {dollars(high)}) {beside}."
    return (
        f"{start} it costs between {dollars(-low)} less and {dollars(high)} more {beside}: "
        "whether it saves money is open."
    )
