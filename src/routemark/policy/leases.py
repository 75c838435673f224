"""Leases: how the requests in flight that the pace allows are shared among workers. Pure: no clock, no messages.

A worker may have as many requests in flight as its lease holds, without asking for each. Leases grow with what a
worker has to send and shrink only where another is short, or the limit has fallen, so a settled run exchanges
none. A lease that shrinks still counts in full until its worker has acknowledged it: what is in flight together
never exceeds the limit, but for what was in flight already when the limit itself fell.

Where not all can have what they want, the smaller wishes are met and the rest is shared evenly (max-min
fairness). Where there is less than one for each, those who have waited longest come first.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple


class Lease(NamedTuple):
    """What a worker is told."""

    number: int
    """Rising; the worker acknowledges the latest one that it has seen."""
    slots: int
    """Requests that it may have in flight."""


class _Worker:
    """What is known of one worker."""

    def __init__(self) -> None:
        self.slots = 0
        self.number = 0
        self.bound = 0
        """Requests that it may have in flight as far as can be known here."""
        self.wanted = 0
        self.had_at = 0
        """The latest round of dealing in which it had a slot."""


class Leases:
    """Shares slots among workers, which come and go."""

    def __init__(self, limit: float) -> None:
        self.limit = limit
        """Requests that may be in flight together; set it whenever the pace changes."""
        self._workers: dict[str, _Worker] = {}
        self._round = 0

    @property
    def held(self) -> int:
        """Requests that may be in flight together as far as can be known here."""
        return sum(worker.bound for worker in self._workers.values())

    def slots(self, name: str) -> int:
        """Give how many requests a worker may have in flight."""
        return self._workers[name].slots

    def join(self, name: str) -> None:
        """Take a worker in, with nothing."""
        self._workers[name] = _Worker()

    def leave(self, name: str) -> None:
        """Let a worker go; what it held is free again."""
        self._workers.pop(name, None)

    def wants(self, name: str, requests: int) -> None:
        """Hear how many requests a worker has in flight or ready to be sent."""
        self._workers[name].wanted = requests

    def acknowledged(self, name: str, number: int, in_flight: int) -> None:
        """Hear which lease a worker has seen last, and how many requests it has in flight under it."""
        worker = self._workers[name]
        if number == worker.number:
            worker.bound = max(worker.slots, in_flight)

    def deal(self) -> dict[str, Lease]:
        """Give the leases that change now, by worker."""
        self._round += 1
        limit = max(1, int(self.limit))
        fair = self._fair(limit)
        before = {name: worker.slots for name, worker in self._workers.items()}
        short = sum(max(0, slots - worker.slots) for worker, slots in fair)
        if short > limit - self.held:
            for worker, slots in fair:
                worker.slots = min(worker.slots, slots)
        free = limit - self.held
        for worker, slots in fair if free >= 0 else ():
            more = min(slots - worker.slots, worker.bound - worker.slots + free)
            if more > 0:
                worker.slots += more
                free -= max(0, worker.slots - worker.bound)
                worker.bound = max(worker.bound, worker.slots)
        return dict(self._told(before))

    def _told(self, before: dict[str, int]) -> Iterator[tuple[str, Lease]]:
        for name, worker in self._workers.items():
            if worker.slots:
                worker.had_at = self._round
            if worker.slots != before[name]:
                worker.number += 1
                yield name, Lease(worker.number, worker.slots)

    def _fair(self, limit: int) -> list[tuple[_Worker, int]]:
        """Give each worker's fair number of slots, the smaller ones first."""
        wanting = sorted((w for w in self._workers.values() if w.wanted), key=lambda w: w.wanted)
        idle = [(worker, 0) for worker in self._workers.values() if not worker.wanted]
        if len(wanting) > limit:
            longest = sorted(wanting, key=lambda w: w.had_at)
            return idle + [(worker, int(place < limit)) for place, worker in enumerate(longest)]
        met = 0
        while met < len(wanting) and wanting[met].wanted <= limit // (len(wanting) - met):
            limit -= wanting[met].wanted
            met += 1
        level, more = divmod(limit, max(1, len(wanting) - met))
        others = sorted(wanting[met:], key=lambda w: -w.slots)  # who has one more keeps it
        shared = [(worker, level + (place < more)) for place, worker in enumerate(others)]
        return [*idle, *((worker, worker.wanted) for worker in wanting[:met]), *shared]
