"""Keep, from rows that pass once, what one page can hold: whole questions, spread over difficulties.

Up to `MAX_ROWS` rows everything is kept. Beyond, questions are kept by the rank of a hash of their id,
with a quota for each difficulty that shrinks as rows arrive. So which questions are kept has nothing to
do with what was answered or how fast, all arms' answers to a kept question are kept, and memory is
bounded by the sample.
"""

from __future__ import annotations

import heapq
from bisect import bisect_right
from collections.abc import Iterable
from hashlib import blake2b
from typing import NamedTuple

import msgspec
from markupsafe import escape

from routemark.records import ResultRow
from routemark.report.clean import Clip, clip

MAX_ROWS = 5000
MAX_HELD = 4000
"""Characters of one text that are held; the page may show fewer."""
MAX_STRATA = 50
"""Difficulties with a quota of their own; later ones share one."""


class Kept(NamedTuple):
    """One trial of a kept question; its long texts cut."""

    row: ResultRow
    """Without question and answer."""
    answer: Clip | None


class Entry(NamedTuple):
    """One kept question with the trials of all arms."""

    place: int
    """Rows that came before its first."""
    id: str
    difficulty: str
    category: str | None
    prompt: Clip
    reference: object
    trials: list[Kept]


class Sample(NamedTuple):
    """What the page embeds."""

    entries: list[Entry]
    """In the order in which the questions first came."""
    seen: int
    """Rows seen."""
    kept: int
    """Rows kept."""


class _Stratum:
    """Kept questions of one difficulty; ``bound`` is the rank from which none is kept any more."""

    def __init__(self) -> None:
        self.entries: dict[int, Entry] = {}
        self.ranks: list[int] = []
        """Negated, a heap: the worst rank first."""
        self.rows = 0
        self.bound = 1 << 64

    def add(self, row: ResultRow, place: int) -> int:
        """Keep the row if its question is kept; give the number of rows added."""
        rank = _rank(row.id)
        if rank >= self.bound:
            return 0
        entry = self.entries.get(rank)
        if entry is None:
            prompt = clip(row.question, MAX_HELD)
            entry = Entry(place, row.id, row.difficulty, row.category, prompt, row.reference, [])
            self.entries[rank] = entry
            heapq.heappush(self.ranks, -rank)
        entry.trials.append(_kept(row))
        self.rows += 1
        return 1

    def drop_worst(self) -> int:
        """Leave the question of the worst rank; give the number of rows dropped."""
        self.bound = -heapq.heappop(self.ranks)
        dropped = len(self.entries.pop(self.bound).trials)
        self.rows -= dropped
        return dropped


class Sampler:
    """Takes rows, and keeps all questions if they have at most ``limit`` rows, else a sample by difficulty."""

    def __init__(self, limit: int = MAX_ROWS) -> None:
        self._limit = limit
        self._strata: dict[str, _Stratum] = {}
        self._seen = self._kept = 0

    def add(self, row: ResultRow) -> None:
        """Take a row."""
        strata = self._strata
        label = row.difficulty if row.difficulty in strata or len(strata) < MAX_STRATA else ""
        self._kept += strata.setdefault(label, _Stratum()).add(row, self._seen)
        self._seen += 1
        while self._kept > self._limit and sum(len(stratum.entries) for stratum in strata.values()) > 1:
            self._kept -= max(strata.values(), key=lambda stratum: stratum.rows).drop_worst()

    def taken(self) -> Sample:
        """Give what is kept."""
        entries = [entry for stratum in self._strata.values() for entry in stratum.entries.values()]
        return Sample(sorted(entries, key=lambda entry: entry.place), self._seen, self._kept)


def _rank(question_id: str) -> int:
    digest = blake2b(question_id.encode(errors="surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big")


def _kept(row: ResultRow) -> Kept:
    answer = None if row.answer is None else clip(row.answer, MAX_HELD)
    return Kept(msgspec.structs.replace(row, question="", answer=None), answer)


# ------------------------------------------------------------------------------- fitting the page


def level(sizes: Iterable[int], budget: int) -> int:
    """Give the largest limit L for which the sum of min(size, L) stays within the budget.

    Short texts stay whole and long ones share what is left. O(n log n).
    """
    ordered = sorted(sizes)
    left = budget
    for i, size in enumerate(ordered):
        rest = len(ordered) - i
        if size * rest > left:
            return left // rest
        left -= size
    return ordered[-1] if ordered else 0


def weight(text: str) -> int:
    """Give the bytes that the text takes in an HTML page."""
    return len(escape(text).encode())


def shorten(shown: Clip, limit: int) -> Clip:
    """Cut the text further, to ``limit`` bytes of HTML."""
    if weight(shown.text) <= limit:
        return shown
    text = shown.text
    fits = bisect_right(range(len(text) + 1), limit, key=lambda length: weight(text[:length])) - 1
    return Clip(text[: max(fits, 0)], shown.total)
