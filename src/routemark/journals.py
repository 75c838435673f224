"""Several journals into one: the lines of all, each once, copied as they stand.

The journals are shares of one plan, so a trial's outcomes stand in one of them, or in copies of it of which one
may have gone on. Where two journals hold outcomes of a trial that no such history explains, they disagree. Both
passes stream: memory holds 8 bytes for each line, and 16 more for each outcome and 8 for each grade.
"""

from __future__ import annotations

from array import array
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import IO, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from routemark.errors import UsageError
from routemark.journal import lines, read_at
from routemark.records import Outcome

MOST_NAMED = 5
"""Trials about which journals disagree that are named."""
_DIGEST_BYTES = 16

Keys = NDArray[np.uint64]


class _Head(msgspec.Struct):
    """What of a line decides where it belongs."""

    kind: str = ""
    trial: str = ""


_head = msgspec.json.Decoder(_Head)


class Surveyed(NamedTuple):
    """A journal that was read once: the first 64 bits of digests and keys, in the order of writing."""

    path: Path
    size: int
    """Bytes up to the end of its last whole line; what comes later belongs to a process that still writes."""
    digests: Keys
    """Of every line."""
    trials: Keys
    """Of the outcomes."""
    outcomes: Keys
    """Digests of the outcomes' lines."""
    offsets: NDArray[np.int64]
    """Of the outcomes' lines."""
    graded: Keys
    """Trials of the grades."""


class Join(NamedTuple):
    """How journals become one."""

    journals: list[Surveyed]
    """In the order in which they are written: the longest first, so that a copy comes behind what went on."""
    repeated: set[int]
    """Digests of lines that more than one journal holds."""
    owner: dict[int, int]
    """Trial that more than one journal holds -> place of the journal that its outcomes and grades are taken from."""


def survey(path: Path) -> Surveyed:
    """Read a journal once. Raises: JournalError where it is damaged."""
    digests, trials, outcomes, graded = array("Q"), array("Q"), array("Q"), array("Q")
    offsets = array("q")
    size = 0
    for offset, line, head in lines(path, _head.decode):
        size = offset + len(line)
        digest = _first(_digest(line))
        digests.append(digest)
        if head.kind == "outcome":
            trials.append(_key(head.trial))
            outcomes.append(digest)
            offsets.append(offset)
        elif head.kind == "grade":
            graded.append(_key(head.trial))
    return Surveyed(
        path=path,
        size=size,
        digests=_array(digests),
        trials=_array(trials),
        outcomes=_array(outcomes),
        offsets=np.frombuffer(offsets, dtype=np.int64),
        graded=_array(graded),
    )


def join(journals: Iterable[Surveyed]) -> Join:
    """Decide from which journal the outcomes of each trial are taken.

    Raises: UsageError, naming trials, when journals disagree.
    """
    ordered = sorted(journals, key=lambda one: (-len(one.digests), str(one.path)))
    shared = _held_twice([one.trials for one in ordered])
    repeated = {int(digest) for digest in _held_twice([one.digests for one in ordered])}
    owner, unsettled = _owners(ordered, shared)
    if unsettled:
        raise _disagreement(ordered, unsettled)
    return Join(ordered, repeated, owner)


def write(joined: Join, file: IO[bytes]) -> int:
    """Copy the lines of all journals, each once; give the number of lines."""
    written: dict[bytes, int] = {}
    """Digest of a repeated line -> place of the journal that it was taken from."""
    count = 0
    for place, journal in enumerate(joined.journals):
        for offset, line, head in lines(journal.path, _head.decode):
            if offset >= journal.size:
                break
            if _is_taken(joined, place, line, head, written):
                file.write(line)
                count += 1
    return count


def _is_taken(joined: Join, place: int, line: bytes, head: _Head, written: dict[bytes, int]) -> bool:
    """Tell whether a line is copied from this journal; lines that one journal holds twice are so on purpose."""
    if head.kind in ("outcome", "grade"):
        owner = joined.owner.get(_key(head.trial))
        if owner is not None:
            return owner == place
    if not joined.repeated:
        return True
    digest = _digest(line)
    return _first(digest) not in joined.repeated or written.setdefault(digest, place) == place


# --------------------------------------------------------------------------- who has a trial's outcomes


def _owners(
    journals: Sequence[Surveyed], shared: Keys
) -> tuple[dict[int, int], dict[int, list[tuple[int, int]]]]:
    """Give trial -> place of the journal whose history holds that of all others; and those without one.

    Of the latter: (place, offset) of the newest outcome in each journal that holds the trial.
    """
    histories: dict[int, dict[int, list[int]]] = defaultdict(dict)
    newest: dict[int, dict[int, int]] = defaultdict(dict)
    grades: Counter[tuple[int, int]] = Counter()
    for place, journal in enumerate(journals):
        for index in np.flatnonzero(np.isin(journal.trials, shared)).tolist():
            trial = int(journal.trials[index])
            histories[trial].setdefault(place, []).append(int(journal.outcomes[index]))
            newest[trial][place] = int(journal.offsets[index])
        grades.update((int(trial), place) for trial in journal.graded[np.isin(journal.graded, shared)])
    owner, unsettled = {}, {}
    for trial, by_place in histories.items():
        best = max(by_place, key=lambda place: (len(by_place[place]), grades[trial, place], -place))
        if _holds_all(by_place[best], by_place.values()):
            owner[trial] = best
        else:
            unsettled[trial] = list(newest[trial].items())
    return owner, unsettled


def _holds_all(longest: list[int], histories: Iterable[list[int]]) -> bool:
    """Tell whether every history is a part of the longest one, without a gap."""
    return all(
        any(longest[start : start + len(one)] == one for start in range(len(longest) - len(one) + 1))
        for one in histories
    )


def _disagreement(journals: Sequence[Surveyed], unsettled: dict[int, list[tuple[int, int]]]) -> UsageError:
    named = []
    for held in list(unsettled.values())[:MOST_NAMED]:
        folders = ", ".join(str(journals[place].path.parent) for place, _ in held)
        named.append(f"  {_named(journals[held[0][0]].path, held[0][1])}: in {folders}")
    more = len(unsettled) - len(named)
    have = "trials have" if len(unsettled) > 1 else "trial has"
    what = (
        f"{len(unsettled):,} {have} two different outcomes; nothing was written. The same share was asked twice: "
        "leave one of the runs out."
    )
    rest = [f"  ... and {more:,} more"] if more else []
    return UsageError("\n".join([what, *named, *rest]))


def _named(path: Path, offset: int) -> str:
    with path.open("rb") as file:
        found = read_at(file, offset)
    assert isinstance(found, Outcome)
    return f"question {found.question_id!r}, arm {found.arm}, repeat {found.repeat}"


# --------------------------------------------------------------------------- keys


def _digest(line: bytes) -> bytes:
    return blake2b(line, digest_size=_DIGEST_BYTES).digest()


def _first(digest: bytes) -> int:
    return int.from_bytes(digest[:8], "big")


def _key(trial: str) -> int:
    """Give the first 64 bits of a trial's key, which is a hash."""
    return _first(blake2b(trial.encode(), digest_size=8).digest())


def _array(values: array[int]) -> Keys:
    return np.frombuffer(values, dtype=np.uint64)


def _held_twice(columns: Sequence[Keys]) -> Keys:
    """Give the values that more than one column holds."""
    each = [np.unique(column) for column in columns]
    values, times = np.unique(np.concatenate([*each, np.zeros(0, np.uint64)]), return_counts=True)
    return values[times > 1]
