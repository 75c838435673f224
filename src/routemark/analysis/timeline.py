"""What happened when: attempts as columns, some 20 bytes each, and bins of them once the run is over.

Bins have one length, a round one, such that there are at most `MOST_BINS`. A time of more than `PAUSE_S`
without the end of any attempt is a pause, e.g. between a stop and its resume: it is cut out of the time line.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

import numpy as np

from routemark.analysis.stats.arrays import Floats, Ints
from routemark.records import Outcome, PaceStep, Pause, Timeline

MOST_BINS = 60
PAUSE_S = 900.0
"""Longer than any attempt may take by default."""
MOST_STEPS = 400
"""Of the pace; where there are more, evenly spread ones are kept."""
ANSWERED = -1
_LENGTHS_S = (
    0.1,
    0.2,
    0.5,
    1,
    2,
    5,
    10,
    15,
    30,
    60,
    120,
    300,
    600,
    900,
    1800,
    3600,
    7200,
    14400,
    43200,
    86400,
)


class PaceChanged(NamedTuple):
    """A change of the pace as it was journaled."""

    at: float
    """Seconds since 1970."""
    limit: float
    reason: str


class Attempts:
    """Growing columns, one entry an attempt."""

    def __init__(self) -> None:
        self._end, self._cost = array("d"), array("d")
        self._kind = array("h")
        self._kinds: dict[str, int] = {}
        self._first = float("inf")

    def append(self, outcome: Outcome) -> None:
        """Take the attempts of one trial. The answer's own cost belongs to its last attempt."""
        for attempt in outcome.attempts:
            start = seconds_since_1970(attempt.started_at)
            if start is None:
                continue
            answered = attempt.kind is None
            cost = attempt.cost_usd
            if answered and outcome.completion is not None:
                cost = outcome.completion.cost_usd
            self._first = min(self._first, start)
            self._end.append(start + attempt.duration_s)
            self._cost.append(cost or 0.0)
            self._kind.append(
                ANSWERED if answered else self._kinds.setdefault(str(attempt.kind), len(self._kinds))
            )

    def close(self, pace: Sequence[PaceChanged]) -> Timeline | None:
        """Give the time line; None where no attempt tells its time. The order of arrival leaves no trace."""
        if not len(self._end):
            return None
        order = np.lexsort((np.asarray(self._cost), np.asarray(self._end)))
        end, cost = np.asarray(self._end)[order], np.asarray(self._cost)[order]
        kind = np.asarray(self._kind)[order]
        clock = Clock(self._first, end)
        bin_s = _bin_length(clock.length_s)
        count = max(1, int(np.ceil(clock.length_s / bin_s + 1e-9)))
        place = np.minimum((clock.run_time(end) / bin_s).astype(np.int64), count - 1)
        started = datetime.fromtimestamp(self._first, UTC).isoformat(timespec="milliseconds")
        return Timeline(
            started_at=started.replace("+00:00", "Z"),
            bin_s=bin_s,
            answers=np.bincount(place[kind == ANSWERED], minlength=count).tolist(),
            failed=self._failed(place, kind, count),
            spend_usd=np.bincount(place, weights=cost, minlength=count).tolist(),
            pauses=clock.pauses,
            pace=_steps(pace, clock),
        )

    def _failed(self, place: Ints, kind: Ints, count: int) -> dict[str, list[int]]:
        found = {
            name: np.bincount(place[kind == code], minlength=count).tolist()
            for name, code in self._kinds.items()
        }
        return dict(sorted(found.items(), key=lambda item: (-sum(item[1]), item[0])))


class Clock:
    """Turns times of day into seconds at work, pauses left out."""

    def __init__(self, first: float, end: Floats) -> None:
        """``end``: sorted ends of attempts, seconds since 1970; ``first``: the beginning of the first."""
        before = np.append(first, end[:-1])
        gap = end - before
        at = np.flatnonzero(gap > PAUSE_S)
        self._first = first
        self._from, self._length = before[at], gap[at]
        cut = np.append(0.0, np.cumsum(self._length))
        self.length_s = float(end[-1] - first - cut[-1])
        self.pauses = [
            Pause(at_s=float(start - first - left_out), length_s=float(length))
            for start, length, left_out in zip(self._from, self._length, cut[:-1], strict=True)
        ]

    def run_time(self, at: Floats) -> Floats:
        """Give seconds at work; a time inside a pause is the moment of the pause."""
        elapsed = at - self._first
        for start, length in zip(self._from, self._length, strict=True):
            elapsed = elapsed - np.clip(at - start, 0.0, length)
        return np.clip(elapsed, 0.0, max(self.length_s, 0.0))


def seconds_since_1970(iso: str) -> float | None:
    """Give the time of an ISO 8601 text; None for what is none."""
    try:
        when = datetime.fromisoformat(iso)
    except ValueError:
        return None
    return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()


def _bin_length(length_s: float) -> float:
    fitting = (length for length in _LENGTHS_S if length_s <= length * MOST_BINS)
    return next(fitting, length_s / MOST_BINS)


def _steps(pace: Sequence[PaceChanged], clock: Clock) -> list[PaceStep]:
    if not pace:
        return []
    ordered = sorted(pace)
    kept = [ordered[i] for i in np.unique(np.linspace(0, len(ordered) - 1, MOST_STEPS).astype(int))]
    times = clock.run_time(np.array([step.at for step in kept]))
    return [
        PaceStep(at_s=round(float(at), 3), limit=step.limit, reason=step.reason)
        for at, step in zip(times, kept, strict=True)
    ]
