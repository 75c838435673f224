"""The pace: how many requests may be in flight, and when to hold back. State in, decision out.

Additive-increase, multiplicative-decrease, as Inspect does it for model APIs: start at 20, double
after every clean round until the first rate limit, then grow by 5 % a round; a rate limit cuts to
80 %, once an episode; server errors and timeouts stop growth for a while but do not shrink, since
fewer requests would not mend them. A wait that is longer than a trial may take pauses nobody: it ends
the trial that was told so. Every time is given as an argument, monotonic seconds.
"""

from __future__ import annotations

from routemark.errors import FailureKind, rule
from routemark.policy.free import FreeLimits
from routemark.policy.retry import TIME_BUDGET_S
from routemark.records import Record

START = 20
SHRINK = 0.8
GROWTH = 1.05
COOLDOWN_S = 15.0
HISTORY_LIMIT = 10_000


class PaceChange(Record, frozen=True, kw_only=True):
    """One change of the ceiling, kept in the run."""

    at_s: float
    """Monotonic seconds."""
    limit: float
    """Requests in flight allowed from here on."""
    reason: str


class Pace:
    """Decides how many requests may be in flight (``limit``) and until when an arm must wait."""

    def __init__(
        self,
        ceiling: int,
        *,
        fixed: bool = False,
        free: FreeLimits | None = None,
        longest_pause_s: float = TIME_BUDGET_S,
    ) -> None:
        self.ceiling = ceiling
        self.limit = float(ceiling if fixed else min(START, ceiling))
        self.history: list[PaceChange] = []
        self._fixed = fixed
        self._free = free or FreeLimits([])
        self._longest_pause_s = longest_pause_s
        self._met_rate_limit = False
        self._clean = 0
        self._hold_until = 0.0
        self._episode_until = 0.0
        self._pool_until = 0.0
        self._arm_until: dict[str, float] = {}
        self._paused = False

    @property
    def held(self) -> bool:
        """Whether some arm has ever been told to wait, or is free: then `ready_at` and `spent` must be asked."""
        return self._paused or bool(self._free.arms)

    def ready_at(self, arm: str) -> float:
        """Give the time before which no request of the arm may be sent."""
        return max(self._pool_until, self._arm_until.get(arm, 0.0), self._free.ready_at(arm))

    def spent(self, arm: str) -> bool:
        """Tell whether no request of the arm may be sent today any more."""
        return self._free.spent(arm)

    def sent(self, arm: str, now: float) -> None:
        """Take note of a request that is sent."""
        self._free.sent(arm, now)

    def answered(self, now: float) -> None:
        """Take note of an answer: a round of them, undisturbed, raises the limit."""
        self._clean += 1
        if self._fixed or self.limit >= self.ceiling or now < self._hold_until or self._clean < self.limit:
            return
        grown = self.limit * GROWTH + 1 if self._met_rate_limit else self.limit * 2
        self._change(min(grown, float(self.ceiling)), now, "a clean round")

    def refused(self, arm: str, kind: str, retry_after_s: float | None, now: float) -> None:
        """Take note of a failed attempt: its kind decides whether to pause, shrink or only hold."""
        self._clean = 0
        slows = rule(kind).slows
        if slows == "no":
            return
        if retry_after_s is not None and retry_after_s > self._longest_pause_s:
            retry_after_s = None
        self._pause(arm, kind, retry_after_s, now)
        self._hold_until = max(self._hold_until, now + COOLDOWN_S)
        if slows == "shrinks":
            self._shrink(kind, retry_after_s, now)

    def _pause(self, arm: str, kind: str, retry_after_s: float | None, now: float) -> None:
        """Obey Retry-After: a provider's limit pauses the arm, the gateway's own everyone."""
        if retry_after_s is None:
            return
        self._paused = True
        until = now + retry_after_s
        if kind in (FailureKind.RATE_LIMIT_PLATFORM, FailureKind.IN_FLIGHT_BUDGET):
            self._pool_until = max(self._pool_until, until)
        elif kind == FailureKind.RATE_LIMIT_PROVIDER:
            self._arm_until[arm] = max(self._arm_until.get(arm, 0.0), until)

    def _shrink(self, kind: str, retry_after_s: float | None, now: float) -> None:
        """Cut the limit once an episode; further refusals of the episode only prolong it."""
        self._met_rate_limit = True
        new_episode = now >= self._episode_until
        self._episode_until = max(self._episode_until, now + max(COOLDOWN_S, retry_after_s or 0.0))
        if new_episode and not self._fixed:
            self._change(max(1.0, self.limit * SHRINK), now, kind)

    def _change(self, limit: float, now: float, reason: str) -> None:
        self.limit = limit
        self._clean = 0
        if len(self.history) < HISTORY_LIMIT:
            self.history.append(PaceChange(at_s=now, limit=limit, reason=reason))
