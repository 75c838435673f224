"""Several journals into one: the lines of all, each once, copied as they stand.

The journals are shares of one plan, so a trial's outcomes stand in one of them, or in copies of it of which one
may have gone on. Where two journals hold outcomes of a trial that no such history explains, they disagree.

Memory does not grow with the journals: what of each line decides where it belongs goes to files, dealt by the hash of
the trial, or of the line where it has none. All that must be held against each other is then in one such file, and
they are gone through one by one.
"""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import IO, NamedTuple, Self

import msgspec
import numpy as np
from numpy.typing import NDArray

from routemark.errors import UsageError
from routemark.journal import lines, read_at
from routemark.records import Outcome

MOST_NAMED = 5
"""Trials about which journals disagree that are named."""
PARTS = 256
"""Files that lines are dealt to: of a billion lines, one holds 140 MB."""
TOGETHER = 1 << 17
"""Lines that are dealt at once."""

_OTHER, _OUTCOME, _GRADE = range(3)
_KINDS = {"outcome": _OUTCOME, "grade": _GRADE}
_ENTRY = np.dtype(
    [("key", "u8"), ("high", "u8"), ("low", "u8"), ("offset", "i8"), ("journal", "u2"), ("kind", "u1")]
)
"""A line: hash of its trial, digest in two halves, place, journal, kind."""

Entries = NDArray[np.void]
Offsets = NDArray[np.int64]


class _Head(msgspec.Struct):
    """What of a line decides where it belongs."""

    kind: str = ""
    trial: str = ""


_head = msgspec.json.Decoder(_Head)


class Surveyed(NamedTuple):
    """A journal that was read once."""

    path: Path
    size: int
    """Bytes up to the end of its last whole line; what comes later belongs to a process that still writes."""
    lines: int


class Join(NamedTuple):
    """How journals become one."""

    journals: list[Surveyed]
    """In the order in which they are written: the longest first, so that a copy comes behind what went on."""
    left_out: list[Offsets]
    """By journal, where the lines start that another journal gives; sorted."""


def join(paths: Sequence[Path], scratch: Path) -> Join:
    """Read journals once, and decide from which of them each line is taken.

    ``scratch``: an empty folder, which holds 35 bytes for each line as long as the result is in use. Raises:
    JournalError where a journal is damaged; UsageError, naming trials, when journals disagree; OSError.
    """
    with _Dealt(scratch) as dealt:
        found = [_survey(path, number, dealt) for number, path in enumerate(paths)]
    ordered = sorted(range(len(found)), key=lambda number: (-found[number].lines, str(found[number].path)))
    journals = [found[number] for number in ordered]
    place = np.empty(len(found), dtype=np.uint16)
    place[ordered] = np.arange(len(found))
    unsettled = _Unsettled()
    files = [(scratch / f"out-{number}").open("wb") for number in range(len(found))]
    try:
        for entries in dealt.parts():
            entries["journal"] = place[entries["journal"]]
            for number, offsets in _left_out(entries, unsettled):
                offsets.tofile(files[number])
    finally:
        for file in files:
            file.close()
    if unsettled.count:
        raise _disagreement(journals, unsettled)
    return Join(journals, [_sorted(Path(file.name)) for file in files])


def write(joined: Join, file: IO[bytes]) -> int:
    """Copy the lines of all journals, each once; give the number of lines."""
    count = 0
    for journal, left_out in zip(joined.journals, joined.left_out, strict=True):
        skipped = iter(left_out)
        skip = next(skipped, None)
        for offset, line, _ in lines(journal.path, _head.decode):
            if offset >= journal.size:
                break
            if offset == skip:
                skip = next(skipped, None)
                continue
            file.write(line)
            count += 1
    return count


# --------------------------------------------------------------------------- reading and dealing


class _Dealt:
    """Entries of lines, in files by the first byte of their key."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files: dict[int, IO[bytes]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for file in self._files.values():
            file.close()

    def deal(self, entries: Entries) -> None:
        """Put entries where they belong, each behind those before it."""
        part = (entries["key"] >> np.uint64(56)).astype(np.int64)
        order = np.argsort(part, kind="stable")
        bounds = np.searchsorted(part[order], np.arange(PARTS + 1))
        for number in np.flatnonzero(np.diff(bounds)).tolist():
            if number not in self._files:
                self._files[number] = (self._folder / f"part-{number}").open("wb")
            self._files[number].write(entries[order[bounds[number] : bounds[number + 1]]].tobytes())

    def parts(self) -> Iterator[Entries]:
        """Yield the entries of each file, once all is written; in the order in which the lines were read."""
        for number in sorted(self._files):
            path = self._folder / f"part-{number}"
            yield np.fromfile(path, dtype=_ENTRY)
            path.unlink()


def _survey(path: Path, number: int, dealt: _Dealt) -> Surveyed:
    """Read a journal. Raises: JournalError where it is damaged."""
    keys, highs, lows, offsets, kinds = array("Q"), array("Q"), array("Q"), array("q"), array("B")
    columns = (keys, highs, lows, offsets, kinds)
    size = count = 0

    def deal() -> None:
        entries = np.zeros(len(keys), dtype=_ENTRY)
        entries["journal"] = number
        for name, column in zip(("key", "high", "low", "offset", "kind"), columns, strict=True):
            entries[name] = np.frombuffer(column, dtype=column.typecode)
        dealt.deal(entries)
        for column in columns:
            del column[:]

    for offset, line, head in lines(path, _head.decode):
        digest = blake2b(line, digest_size=16).digest()
        kind = _KINDS.get(head.kind, _OTHER)
        high = int.from_bytes(digest[:8], "big")
        keys.append(high if kind == _OTHER else _key(head.trial))
        highs.append(high)
        lows.append(int.from_bytes(digest[8:], "big"))
        offsets.append(offset)
        kinds.append(kind)
        size, count = offset + len(line), count + 1
        if len(keys) == TOGETHER:
            deal()
    deal()
    return Surveyed(path, size, count)


def _key(trial: str) -> int:
    return int.from_bytes(blake2b(trial.encode(), digest_size=8).digest(), "big")


def _sorted(path: Path) -> Offsets:
    """Give the numbers in a file, sorted, still on disk."""
    if not path.stat().st_size:
        return np.zeros(0, dtype=np.int64)
    offsets = np.memmap(path, dtype=np.int64, mode="r+")
    offsets.sort()
    return offsets


# --------------------------------------------------------------------------- who gives a line


class _Unsettled:
    """Trials about which journals disagree."""

    def __init__(self) -> None:
        self.count = 0
        self.first: list[list[tuple[int, int]]] = []
        """Of some: (place, offset) of the newest outcome in each journal that holds the trial."""

    def add(self, newest: list[tuple[int, int]]) -> None:
        self.count += 1
        if len(self.first) < MOST_NAMED:
            self.first.append(newest)


def _left_out(entries: Entries, unsettled: _Unsettled) -> Iterator[tuple[int, Offsets]]:
    """Yield, by journal, the lines that another one gives; ``entries`` belong together, with places for journals."""
    owner = _owners(entries, unsettled)
    given = _given_before(entries)
    kept = owner >= 0
    given[kept] = entries["journal"][kept] != owner[kept]
    for place in np.unique(entries["journal"][given]).tolist():
        yield place, entries["offset"][given & (entries["journal"] == place)]


def _given_before(entries: Entries) -> NDArray[np.bool_]:
    """Tell which lines an earlier journal holds, too; what one journal holds twice is there twice on purpose."""
    order = np.lexsort((entries["journal"], entries["low"], entries["high"]))
    high, low, journal = (entries[name][order] for name in ("high", "low", "journal"))
    starts = np.append(True, (high[1:] != high[:-1]) | (low[1:] != low[:-1]))[: len(order)]
    first = journal[np.flatnonzero(starts)][np.cumsum(starts) - 1]
    given = np.empty(len(order), dtype=bool)
    given[order] = journal != first
    return given


def _owners(entries: Entries, unsettled: _Unsettled) -> NDArray[np.int64]:
    """Give, by entry, the place of the journal from which its trial's outcomes and grades are taken.

    -1: for lines of no trial, and trials whose outcomes one journal alone holds.
    """
    owner = np.full(len(entries), -1, dtype=np.int64)
    at = np.flatnonzero(entries["kind"] != _OTHER)
    at = at[np.lexsort((entries["offset"][at], entries["journal"][at], entries["key"][at]))]
    key = entries["key"][at]
    bounds = np.flatnonzero(np.append(True, key[1:] != key[:-1])) if len(at) else np.zeros(0, dtype=np.int64)
    several = np.minimum.reduceat(entries["journal"][at], bounds) if len(at) else bounds
    several = several != np.maximum.reduceat(entries["journal"][at], bounds) if len(at) else several
    for start, end in zip(bounds[several], np.append(bounds, len(at))[1:][several], strict=True):
        rows = at[start:end]
        best = _owner(entries[rows], unsettled)
        if best is not None:
            owner[rows] = best
    return owner


def _owner(rows: Entries, unsettled: _Unsettled) -> int | None:
    """Give the place of the journal whose history of a trial holds that of all others; None: no choice is to be made.

    ``rows``: the lines of the trial, sorted by journal and offset.
    """
    histories: dict[int, list[tuple[int, int]]] = defaultdict(list)
    newest: dict[int, int] = {}
    grades: dict[int, int] = defaultdict(int)
    for _, high, low, offset, place, kind in rows.tolist():
        if kind == _GRADE:
            grades[place] += 1
            continue
        histories[place].append((high, low))
        newest[place] = offset
    if len(histories) < 2:
        return None
    best = max(histories, key=lambda place: (len(histories[place]), grades[place], -place))
    if not _holds_all(histories[best], histories.values()):
        unsettled.add(list(newest.items()))
    return best


def _holds_all(longest: list[tuple[int, int]], histories: Iterable[list[tuple[int, int]]]) -> bool:
    """Tell whether every history is a part of the longest one, without a gap."""
    return all(
        any(longest[start : start + len(one)] == one for start in range(len(longest) - len(one) + 1))
        for one in histories
    )


def _disagreement(journals: Sequence[Surveyed], unsettled: _Unsettled) -> UsageError:
    named = []
    for held in unsettled.first:
        folders = ", ".join(str(journals[place].path.parent) for place, _ in held)
        named.append(f"  {_named(journals[held[0][0]].path, held[0][1])}: in {folders}")
    more = unsettled.count - len(named)
    have = "trials have" if unsettled.count > 1 else "trial has"
    what = (
        f"{unsettled.count:,} {have} two different outcomes; nothing was written. The same share was asked twice: "
        "leave one of the runs out."
    )
    rest = [f"  ... and {more:,} more"] if more else []
    return UsageError("\n".join([what, *named, *rest]))


def _named(path: Path, offset: int) -> str:
    with path.open("rb") as file:
        found = read_at(file, offset)
    assert isinstance(found, Outcome)
    return f"question {found.question_id!r}, arm {found.arm}, repeat {found.repeat}"
