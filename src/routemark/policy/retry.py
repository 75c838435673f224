"""Whether and when to ask again: exponential backoff with full jitter, bounded by count and by time.

Pure: elapsed time and the random number are handed in. Full jitter spreads the crowd that one outage
makes better than any other (M. Brooker, "Exponential Backoff And Jitter", 2015). Where nothing was
reached there is no crowd to spread, only an outage to outlast: then at least half of each ceiling.
"""

from __future__ import annotations

import enum

from routemark.errors import FailureKind
from routemark.records import Record
from routemark.wire.failures import Refusal

TIME_BUDGET_S = 1800.0

NEVER_REACHED = frozenset(
    {FailureKind.DNS, FailureKind.CONNECT_REFUSED, FailureKind.CONNECT_TIMEOUT, FailureKind.TLS}
)
"""The request did not get to the gateway: nothing was asked, nothing can have been billed."""


class Stop(enum.Enum):
    """Why a trial is not asked again."""

    FINAL = "asking again cannot help"
    ATTEMPTS_SPENT = "all attempts are spent"
    TIME_SPENT = "the next attempt would start after the trial's time budget"
    RETRY_AFTER_TOO_LONG = "the wait asked for exceeds the trial's time budget"


class RetryPolicy(Record, frozen=True, kw_only=True):
    """The bounds of asking again."""

    max_attempts: int = 6
    """Requests of one trial, the first included."""
    base_s: float = 1.0
    """Ceiling of the first wait, seconds; it doubles with every attempt."""
    cap_s: float = 60.0
    """Ceiling of every wait that nobody asked for, seconds."""
    time_budget_s: float = TIME_BUDGET_S
    """Seconds after a trial's first request in which its last attempt must have begun."""

    def delay(self, attempt: int, refusal: Refusal, elapsed_s: float, random: float) -> float | Stop:
        """Give the seconds to wait after the 1-based ``attempt`` was refused, or why not to ask again.

        ``elapsed_s``: since the trial's first request; ``random``: uniform in [0, 1). Never less than the wait
        the gateway asked for; a little more, so that not all who were told the same return at once.
        """
        if not refusal.retryable:
            return Stop.FINAL
        if attempt >= self.max_attempts:
            return Stop.ATTEMPTS_SPENT
        asked = refusal.retry_after_s
        if asked is not None and elapsed_s + asked > self.time_budget_s:
            return Stop.RETRY_AFTER_TOO_LONG
        floor = 0.5 if refusal.kind in NEVER_REACHED else 0.0
        wait = (floor + random * (1.0 - floor)) * self._ceiling(attempt)
        if asked is not None:
            wait = max(wait, asked + random * min(self.base_s, asked))
        return wait if elapsed_s + wait <= self.time_budget_s else Stop.TIME_SPENT

    def _ceiling(self, attempt: int) -> float:
        """Give the longest wait after an attempt, seconds; doubling stops before it overflows."""
        return min(self.cap_s, self.base_s * 2.0 ** min(attempt - 1, 60))
