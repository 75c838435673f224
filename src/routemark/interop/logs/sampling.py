"""Chooses a sample of requests that looks like all of them: strata of model, name and length, each its share."""

from __future__ import annotations

import hashlib
from array import array

import numpy as np
import numpy.typing as npt

from routemark.graders.text import normal
from routemark.interop.logs.requests import Request

Ints = npt.NDArray[np.int64]
TERCILES = ("short", "medium", "long")
_SPARE, _MORE = 1.5, 10
"""Candidates of a stratum for each that is wanted, and on top: some turn out to be nearly the same."""


def key(request: Request) -> int:
    """Give what requests that ask the same have in common, whatever their case and spacing: 63 bits of a hash."""
    said = "\x1f".join(f"{message['role']}\x1e{normal(message['content'])}" for message in request.messages)
    return int.from_bytes(hashlib.sha256(said.encode("utf-8", "surrogatepass")).digest()[:8], "big") >> 1


class Census:
    """All requests, each once: some 90 bytes a request, however long it is."""

    def __init__(self) -> None:
        self._keys, self._groups, self._lengths = array("q"), array("q"), array("q")
        self._seen: set[int] = set()
        self._group: dict[tuple[str | None, str | None], int] = {}
        self.repeated = 0
        """Requests that ask what another asked."""

    def __len__(self) -> int:
        return len(self._keys)

    def add(self, request: Request) -> None:
        """Count a request."""
        name = key(request)
        if name in self._seen:
            self.repeated += 1
            return
        self._seen.add(name)
        self._keys.append(name)
        self._groups.append(self._group.setdefault((request.model, request.name), len(self._group)))
        self._lengths.append(len(request.text))

    def sample(self, n: int, seed: int) -> Sample:
        """Give the candidates for a sample of ``n``; by key, so that the order of the log is of no consequence."""
        keys, groups, lengths = (
            np.array(each, dtype=np.int64) for each in (self._keys, self._groups, self._lengths)
        )
        stratum = self._by_name()[groups] * len(TERCILES) + terciles(lengths)
        order = np.lexsort((keys, _drawn(keys, seed)))
        wanted = allotted(np.bincount(stratum, minlength=1), n)
        candidates: dict[int, tuple[int, int]] = {}
        taken = np.zeros(len(wanted), dtype=np.int64)
        most = np.ceil(wanted * _SPARE).astype(np.int64) + _MORE
        for rank, at in enumerate(order.tolist()):
            of = int(stratum[at])
            if taken[of] < most[of] and wanted[of]:
                taken[of] += 1
                candidates[int(keys[at])] = (rank, of)
        return Sample(candidates, {of: int(count) for of, count in enumerate(wanted) if count})

    def _by_name(self) -> Ints:
        """Give each group its place by name, where the log gives it one by first sight."""
        ordered = sorted(self._group, key=lambda pair: (pair[0] or "", pair[1] or ""))
        place = {pair: i for i, pair in enumerate(ordered)}
        return np.array([place[pair] for pair in self._group], dtype=np.int64)


class Sample:
    """Which requests may be taken, in which order, and how many of each stratum."""

    def __init__(self, candidates: dict[int, tuple[int, int]], wanted: dict[int, int]) -> None:
        self._candidates = candidates
        self.wanted = wanted
        """By stratum."""

    def place(self, request: Request) -> tuple[int, int] | None:
        """Give rank and stratum of a candidate; None for every other request."""
        return self._candidates.get(key(request))


def terciles(lengths: Ints) -> Ints:
    """Give the third in which each length lies: 0 short, 1 medium, 2 long."""
    if not len(lengths):
        return lengths
    bounds = np.quantile(lengths, (1 / 3, 2 / 3), method="lower")
    found: Ints = np.searchsorted(bounds, lengths, side="left").astype(np.int64)
    return found


def allotted(counts: Ints, n: int) -> Ints:
    """Give each stratum its share of ``n``, and at least one while there is room; none gets more than it has."""
    total = int(counts.sum())
    n = min(n, total)
    if not n:
        return np.zeros_like(counts)
    exact = counts * (n / total)
    given: Ints = np.floor(exact).astype(np.int64)
    if n >= np.count_nonzero(counts):
        given = np.maximum(given, counts > 0)
    while given.sum() > n:
        given[np.argmax(np.where(given > 1, given - exact, -np.inf))] -= 1
    rest = np.argsort(-(exact - given), kind="stable")
    for at in rest[counts[rest] > given[rest]][: n - int(given.sum())]:
        given[at] += 1
    while given.sum() < n:  # the largest remainders were full already
        given[np.argmax(counts - given)] += 1
    return given


def _drawn(keys: Ints, seed: int) -> npt.NDArray[np.uint64]:
    """Give each key a number that ``seed`` draws (splitmix64)."""
    with np.errstate(over="ignore"):
        mixed = keys.astype(np.uint64) + np.uint64(seed + 1) * np.uint64(0x9E3779B97F4A7C15)
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))
