"""The time of day, as it is written into records: for people and files, never for durations."""

from __future__ import annotations

import functools
import time
from datetime import UTC, datetime


def now() -> str:
    """Give the time of day in UTC, ISO 8601 with milliseconds: ``2026-01-31T12:00:00.123Z``."""
    return iso(time.time())


def iso(timestamp: float) -> str:
    """Give a time, seconds since 1970, as `now` gives the present one."""
    second, fraction = divmod(timestamp, 1)
    return f"{_up_to_the_second(int(second))}.{int(fraction * 1000):03d}Z"


@functools.lru_cache(maxsize=2)
def _up_to_the_second(second: int) -> str:
    """Format once what thousands of records of a second have in common."""
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S")
