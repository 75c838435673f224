"""A journal as numbers: some 100 bytes an outcome, built in one pass, and read on from where the index ended.

The index tells where every line of interest stands and what is filtered, counted and sorted by; texts stay
in the journal. Tables have an entry a line, in the order of writing, so an index grows as its journal does.
Names are known by their codes or by 64-bit hashes. A torn end is no line yet: it is read when it is whole.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Iterator
from datetime import datetime
from hashlib import blake2b
from pathlib import Path
from typing import BinaryIO, NamedTuple
from zipfile import BadZipFile

import msgspec
import numpy as np
from numpy.typing import NDArray

from routemark import generations, judgements
from routemark.errors import JournalError
from routemark.files import replaced
from routemark.journal import Event, damaged, decode, read_at, replay
from routemark.records import Outcome

SCHEMA = 2
"""Raised whenever an older index cannot be read on."""
TRUNCATED, EMPTY = 1, 2
"""Cut off at the token limit; without text."""
_MARK = 4096
"""Bytes at the beginning and at the end of what was read by which a journal is known again."""
_STEP = 1 << 23
"""Bytes between two reports of progress."""

Entries = NDArray[np.void]
"""A table: fields by name."""
Progress = Callable[[int, int], None]
"""Is told how many bytes are read, and of how many."""

OUTCOME = np.dtype(
    [
        ("key", "<u8"), ("question", "<u8"), ("session", "<u8"), ("offset", "<i8"), ("ended", "<f8"),
        ("cost", "<f8"), ("latency", "<f8"), ("model", "<i4"), ("provider", "<i4"), ("task_type", "<i4"),
        ("arm", "<i4"), ("repeat", "<i4"), ("failure", "<i4"), ("tokens", "<i4"), ("flags", "<i4"),
    ]
)  # fmt: skip
"""``key``: of the trial; ``ended``: seconds since 1970; NaN and -1: not known, or none."""
GRADE = np.dtype([("key", "<u8"), ("offset", "<i8"), ("score", "<f8")])
ARRIVAL = np.dtype([("key", "<u8"), ("offset", "<i8"), ("at", "<f8")])
"""A generation's id came, hence its response has begun."""
LOOKUP = np.dtype([("key", "<u8"), ("offset", "<i8")])
PACE = np.dtype([("at", "<f8"), ("limit", "<f8"), ("peak", "<i8")])
FAULT = np.dtype([("at", "<f8"), ("kind", "<i4")])
"""An attempt that failed, when it did; the last of a trial, or asked again."""
TABLES = {
    "outcomes": OUTCOME,
    "grades": GRADE,
    "arrivals": ARRIVAL,
    "lookups": LOOKUP,
    "paces": PACE,
    "faults": FAULT,
}

_OUTCOME = struct.Struct("<QQQqdddiiiiiiii")
_GRADE, _ARRIVAL, _LOOKUP, _PACE, _FAULT = (
    struct.Struct(form) for form in ("<Qqd", "<Qqd", "<Qq", "<ddq", "<di")
)


class Names(msgspec.Struct):
    """What the codes of the outcomes stand for, in the order of first sight."""

    arm: list[str] = []
    model: list[str] = []
    provider: list[str] = []
    task_type: list[str] = []
    failure: list[str] = []
    fault: list[str] = []
    """Kinds of failed attempts; ``failure``: of failed trials."""


class Head(msgspec.Struct):
    """What an index holds beside its tables."""

    schema: int = SCHEMA
    size: int = 0
    """Bytes of the journal that were read: whole lines."""
    mark: str = ""
    """Hash of how these bytes begin and end."""
    names: Names = msgspec.field(default_factory=Names)
    launched_at: int = -1
    """Offset of the latest launch."""
    left_open_usd: float = 0.0
    """Costs that were looked up for what a crash cut off."""
    judge_usd: float = 0.0
    """Known costs of judging."""
    judged: int = 0
    """Times that a judge was asked."""


class Index(NamedTuple):
    """A journal up to some byte; never changed, only followed by a longer one."""

    head: Head
    outcomes: Entries
    grades: Entries
    arrivals: Entries
    lookups: Entries
    paces: Entries
    faults: Entries

    @classmethod
    def empty(cls) -> Index:
        """Give the index of nothing."""
        return cls(Head(), *(np.zeros(0, dtype=kind) for kind in TABLES.values()))


def key_of(name: str) -> int:
    """Give the 64-bit hash by which a question or a session is known."""
    return int.from_bytes(blake2b(name.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")


def seconds_of(iso: str) -> float:
    """Give seconds since 1970 of an ISO 8601 time; NaN for what is none."""
    try:
        return datetime.fromisoformat(iso).timestamp()
    except ValueError:
        return math.nan


# --------------------------------------------------------------------------------- kept on disk


def save(index: Index, path: Path) -> None:
    """Write the index whole or not at all. Raises: OSError."""
    tables = {name: getattr(index, name) for name in TABLES}
    path.parent.mkdir(exist_ok=True)
    with replaced(path) as file:
        np.savez(file, head=np.frombuffer(msgspec.json.encode(index.head), dtype=np.uint8), **tables)


def load(path: Path) -> Index | None:
    """Give a saved index; None where there is none that this version can read."""
    try:
        with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            head = msgspec.json.decode(file["head"].tobytes(), type=Head)
            tables = [file[name] for name in TABLES]
    except (OSError, ValueError, KeyError, EOFError, BadZipFile, msgspec.MsgspecError):
        return None
    fits = head.schema == SCHEMA and [table.dtype for table in tables] == list(TABLES.values())
    return Index(head, *tables) if fits else None


# ------------------------------------------------------------------------------------- building


def is_of(index: Index, journal: Path) -> bool:
    """Tell whether the journal begins with what the index was made of."""
    return index.head.size == 0 or _mark(journal, index.head.size) == index.head.mark


def _mark(journal: Path, size: int) -> str:
    with journal.open("rb") as file:
        beginning = file.read(min(_MARK, size))
        file.seek(max(0, size - _MARK))
        ending = file.read(min(_MARK, size))
    return blake2b(beginning + ending, digest_size=16).hexdigest()


def read_on(journal: Path, before: Index, progress: Progress = lambda done, of: None) -> Index:  # noqa: ARG005
    """Give the index of the journal as it is now; ``before``: of its beginning, or of nothing.

    One pass over what is new, in memory that grows with the index alone. Raises: JournalError for a damaged
    line, OSError.
    """
    reader = _Reader(journal, before.head)
    total, reported = journal.stat().st_size, before.head.size
    for offset, line in _lines(journal, before.head.size):
        reader.take(offset, line)
        if offset - reported >= _STEP:
            progress(offset, total)
            reported = offset
    return reader.close(before)


def _lines(journal: Path, start: int) -> Iterator[tuple[int, bytes]]:
    """Yield whole lines with their places."""
    with journal.open("rb", buffering=1 << 20) as file:
        file.seek(start)
        for line in file:
            if not line.endswith(b"\n"):
                return
            yield start, line
            start += len(line)


class _Attempt(msgspec.Struct):
    started_at: str = ""
    duration_s: float = 0.0
    kind: str | None = None
    cost_usd: float | None = None


class _Usage(msgspec.Struct):
    completion_tokens: int | None = None


class _Completion(msgspec.Struct):
    text: str = ""
    model: str = ""
    provider: str | None = None
    task_type: str | None = None
    finish_reason: str | None = None
    usage: _Usage = msgspec.field(default_factory=_Usage)
    cost_usd: float | None = None
    latency_s: float = math.nan


class _Failure(msgspec.Struct):
    kind: str = ""


class _Line(msgspec.Struct):
    """What is read of a line of any kind: the rest is not even decoded."""

    kind: str = ""
    trial: str = ""
    question_id: str = ""
    arm: str = ""
    repeat: int = 0
    session_id: str = ""
    attempts: list[_Attempt] = []
    completion: _Completion | None = None
    failure: _Failure | None = None
    score: float | None = None
    event: str = ""
    at: str = ""
    data: msgspec.Raw = msgspec.field(default_factory=msgspec.Raw)

    cost_usd = Outcome.cost_usd
    """The one formula for what a trial cost."""


_decode = msgspec.json.Decoder(_Line).decode
_ENTRIES = {"outcome", "grade"}


class _Reader:
    """Takes lines, and gives the index that has them, too."""

    def __init__(self, journal: Path, before: Head) -> None:
        self._journal = journal
        self._head = msgspec.structs.replace(before, names=msgspec.convert(before.names, Names))
        self._packed = {name: bytearray() for name in TABLES}
        self._codes: dict[str, dict[str, int]] = {
            field: {name: code for code, name in enumerate(getattr(before.names, field))}
            for field in Names.__struct_fields__
        }
        self._over = False
        """A torn end was met: nothing behind it is a line."""

    def take(self, offset: int, line: bytes) -> None:
        """Take a line; a torn one ends the journal for now."""
        if self._over:
            return
        try:
            found = _decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError):
            if not self._may_pass(offset, line):
                self._over = True
                return
        else:
            try:
                self._enter(offset, found, line)
            except (ValueError, KeyError, TypeError, msgspec.MsgspecError) as error:
                raise damaged(self._journal, offset, str(error)) from None
        self._head.size = offset + len(line)

    def _may_pass(self, offset: int, line: bytes) -> bool:
        """Tell whether a line is of a kind that this version does not know; raise JournalError for damage."""
        try:
            return decode(line) is None
        except JournalError:
            for _ in replay(self._journal, offset):  # raises, if whole lines follow
                break
            return False

    def _enter(self, offset: int, line: _Line, raw: bytes) -> None:
        match line.kind:
            case "outcome":
                self._outcome(offset, line)
            case "grade":
                score = math.nan if line.score is None else line.score
                self._packed["grades"] += _GRADE.pack(_key(line.trial), offset, score)
            case "launch":
                self._head.launched_at = offset
            case "event":
                self._event(offset, line, raw)

    def _outcome(self, offset: int, line: _Line) -> None:
        answer, failure = line.completion, line.failure
        if (answer is None) == (failure is None):
            raise ValueError("an outcome is either an answer or a failure")
        last = line.attempts[-1] if line.attempts else _Attempt()
        cost = line.cost_usd  # type: ignore[misc]  # it reads what both have
        numbers = (
            _key(line.trial),
            key_of(line.question_id),
            key_of(line.session_id),
            offset,
            _end(last),
            math.nan if cost is None else cost,
            math.nan if answer is None else answer.latency_s,
        )
        self._packed["outcomes"] += _OUTCOME.pack(
            *numbers,
            self._code("model", None if answer is None else answer.model),
            self._code("provider", None if answer is None else answer.provider),
            self._code("task_type", None if answer is None else answer.task_type),
            self._code("arm", line.arm),
            line.repeat,
            self._code("failure", None if failure is None else failure.kind),
            -1 if answer is None else _small(answer.usage.completion_tokens),
            0 if answer is None else _flags(answer),
        )
        for attempt in line.attempts:
            if attempt.kind is not None:
                self._packed["faults"] += _FAULT.pack(_end(attempt), self._code("fault", attempt.kind))

    def _code(self, field: str, name: str | None) -> int:
        if name is None:
            return -1
        codes = self._codes[field]
        if name not in codes:
            codes[name] = len(codes)
            getattr(self._head.names, field).append(name)
        return codes[name]

    def _event(self, offset: int, line: _Line, raw: bytes) -> None:
        if line.event == generations.ARRIVED:
            data = msgspec.json.decode(line.data)
            self._packed["arrivals"] += _ARRIVAL.pack(_key(data["trial"]), offset, seconds_of(line.at))
        elif line.event == "pace":
            data = msgspec.json.decode(line.data)
            self._packed["paces"] += _PACE.pack(
                seconds_of(line.at), float(data["limit"]), int(data.get("peak_in_flight", -1))
            )
        elif line.event in {generations.LOOKED_UP, judgements.JUDGED}:
            event = decode(raw)
            if isinstance(event, Event):
                self._cost_beside(offset, event)

    def _cost_beside(self, offset: int, event: Event) -> None:
        """Note a cost that no outcome tells, or not by itself."""
        if not (generations.is_sound(event) and judgements.is_sound(event)):
            raise ValueError("the event does not say what it is about")
        if event.event == judgements.JUDGED:
            self._head.judge_usd += judgements.cost_of(event)
            self._head.judged += 1
        elif event.data["left_open"]:
            self._head.left_open_usd += generations.cost_of(event)
        else:
            self._packed["lookups"] += _LOOKUP.pack(_key(event.data["trial"]), offset)

    def close(self, before: Index) -> Index:
        """Give the index of all lines taken, with those before them."""
        new = {name: np.frombuffer(bytes(packed), TABLES[name]) for name, packed in self._packed.items()}
        tables = {name: np.concatenate([getattr(before, name), new[name]]) for name in TABLES}
        lookups = tables["lookups"]
        fresh = np.isin(lookups["key"], new["outcomes"]["key"])
        fresh[len(before.lookups) :] = True
        if fresh.any():
            _settle(self._journal, tables["outcomes"], lookups, np.unique(lookups["key"][fresh]))
        self._head.mark = _mark(self._journal, self._head.size)
        return Index(self._head, **tables)


def _settle(journal: Path, outcomes: Entries, lookups: Entries, keys: NDArray[np.uint64]) -> None:
    """Put costs that were looked up into the outcomes of their trials."""
    lookups = by_key(lookups)
    with journal.open("rb") as file:
        for at in np.flatnonzero(np.isin(outcomes["key"], keys)).tolist():
            outcome = read_at(file, int(outcomes["offset"][at]))
            if isinstance(outcome, Outcome):
                costs = looked_up(file, lookups, int(outcomes["key"][at]))
                cost = generations.settled(outcome, costs).cost_usd
                outcomes["cost"][at] = math.nan if cost is None else cost


def by_key(entries: Entries) -> Entries:
    """Give entries in the order of their keys, those of one key in the order of writing."""
    return entries[np.argsort(entries["key"], kind="stable")]


def of_key(entries: Entries, key: int) -> Entries:
    """Give the entries of one key, among entries in the order of their keys."""
    start, end = (np.searchsorted(entries["key"], np.uint64(key), side=side) for side in ("left", "right"))
    return entries[start:end]


def looked_up(file: BinaryIO, lookups: Entries, key: int) -> dict[str, float]:
    """Give the costs that were looked up for a trial, by generation id.

    ``file``: the journal; ``lookups``: in the order of their keys.
    """
    events = [read_at(file, int(at)) for at in of_key(lookups, key)["offset"]]
    return {generations.id_of(one): generations.cost_of(one) for one in events if isinstance(one, Event)}


def _key(trial: str) -> int:
    """Give the first 64 bits of a trial's key. Raises ValueError for what is none."""
    if len(trial) < 16:
        raise ValueError(f"{trial!r} is no trial")
    return int(trial[:16], 16)


def _end(attempt: _Attempt) -> float:
    """Give when an attempt was over, in seconds since 1970."""
    return seconds_of(attempt.started_at) + attempt.duration_s


def _small(number: int | None) -> int:
    return -1 if number is None else max(-1, min(number, 2**31 - 1))


def _flags(answer: _Completion) -> int:
    empty = not answer.text or answer.text.isspace()
    return TRUNCATED * (answer.finish_reason == "length") + EMPTY * empty
