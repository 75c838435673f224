"""The limits of ``:free`` models, planned for instead of hit: so many a minute, so many a day.

OpenRouter counts the requests of an account to all free models together: 20 in a minute, and an
allowance for each UTC day that ``GET /key`` tells. Failed requests may count, so every request does.
Pure: times are handed in, monotonic seconds.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Any

from routemark.records import Arm
from routemark.wire import values
from routemark.wire.arms import plugin_name

PER_MINUTE = 20
WINDOW_S = 61.0
"""A second more than the minute: requests may arrive closer together than they were sent."""
FREE_ROUTER = "openrouter/free"


def is_free(arm: Arm) -> bool:
    """Tell whether requests of the arm count as free ones: of a plugin's router, whether it may pick a free model."""
    slugs = [arm.model, *(arm.models or [])]
    if plugin_name(arm.model) is not None:
        slugs += (arm.plugin or {}).get("allowed_models", [])
    return any(slug == FREE_ROUTER or "free" in slug.split(":")[1:] for slug in slugs)


def allowance(key_page: Any) -> int | None:
    """Give the day's requests that are left, from the answer of ``GET /key``; None when it tells none."""
    told = values.table(values.table(values.table(key_page).get("data")).get("free_model_daily_requests"))
    remaining, limit, used = (values.number(told.get(name)) for name in ("remaining", "limit", "used"))
    if remaining is None and limit is not None and used is not None:
        remaining = limit - used
    return None if remaining is None else max(0, int(remaining))


class FreeLimits:
    """Says when the next request to a free model may be sent, and whether any may be sent today."""

    def __init__(self, arms: Iterable[Arm]) -> None:
        self.arms: set[str] = set()
        """Names of the arms that these limits are for; the others are not held back."""
        self.remaining: int | None = None
        """Requests left today; None: not known, hence not limited."""
        self._sent: deque[float] = deque(maxlen=PER_MINUTE)
        """When the latest requests were sent, as many as fit into a minute."""
        self.add(arms)

    def add(self, arms: Iterable[Arm]) -> None:
        """Let the limits hold for those of the arms, too, that are free."""
        self.arms |= {arm.name for arm in arms if is_free(arm)}

    def spread(self, now: float) -> None:
        """Begin evenly spaced: a process before this one may just have used up the minute."""
        step = WINDOW_S / PER_MINUTE
        self._sent.extend(now - WINDOW_S + step * (number + 1) for number in range(PER_MINUTE))

    def ready_at(self, arm: str) -> float:
        """Give the time before which no request of the arm may be sent."""
        if arm not in self.arms or len(self._sent) < PER_MINUTE:
            return 0.0
        return self._sent[0] + WINDOW_S

    def spent(self, arm: str) -> bool:
        """Tell whether the arm has no request left today."""
        return arm in self.arms and self.remaining is not None and self.remaining <= 0

    def sent(self, arm: str, now: float) -> None:
        """Count a request of the arm."""
        if arm not in self.arms:
            return
        self._sent.append(now)
        if self.remaining is not None:
            self.remaining -= 1
