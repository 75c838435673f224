"""How long the models take, and how much of it is really waited for.

A model has a median time to first token and a token rate; each answer draws around them
(log-normal). The ``--latency`` setting scales all of it, Retry-After and the lag of the generation
lookup included, so that a demo takes seconds and keeps its proportions.
"""

from __future__ import annotations

import math

from routemark.errors import SettingsError
from routemark.gateway.seeding import normal
from routemark.records import Record

_TTFT_SIGMA = 0.35
_RATE_SIGMA = 0.2
_FIXED_FACTOR = 0.01
"""Scale of everything that is not an answer, when answers take a fixed time."""


class Times(Record, frozen=True, kw_only=True):
    """What one answer takes, in seconds from the request."""

    ttft_s: float
    total_s: float


class Latency(Record, frozen=True, kw_only=True):
    """The scale of all waiting."""

    factor: float
    fixed_s: float | None = None
    """Every answer takes this long, all of it before the first token."""

    def times(self, ttft_s: float, tokens: int, tokens_per_s: float, *seeds: object) -> Times:
        """Draw what an answer of so many tokens takes, scaled."""
        first = ttft_s * math.exp(_TTFT_SIGMA * normal(*seeds, "ttft"))
        rest = tokens / tokens_per_s * math.exp(_RATE_SIGMA * normal(*seeds, "rate"))
        return self.scaled_times(first, first + rest)

    def scaled_times(self, ttft_s: float, total_s: float) -> Times:
        """Scale what an answer took."""
        if self.fixed_s is not None:
            return Times(ttft_s=self.fixed_s, total_s=self.fixed_s)
        return Times(ttft_s=ttft_s * self.factor, total_s=total_s * self.factor)

    def scaled(self, seconds: float) -> float:
        """Scale a wait that is no answer."""
        return seconds * self.factor


def parse_latency(spec: str) -> Latency:
    """Read ``0.01`` (a factor), ``0`` (no waiting), or ``fixed:0.2`` (seconds an answer).

    Raises: SettingsError.
    """
    kind, colon, number = spec.strip().rpartition(":")
    try:
        value = float(number)
    except ValueError:
        value = math.nan
    if not 0 <= value < math.inf or (colon and kind != "fixed"):
        raise SettingsError(
            f"--latency {spec!r}: give a factor such as 0.01, 0 for no waiting, or fixed:SECONDS."
        )
    return Latency(factor=_FIXED_FACTOR, fixed_s=value) if colon else Latency(factor=value)
