"""The journal: an append-only file of JSON lines, and the one source of every figure.

Each record is handed to the kernel in one write the moment it completes; only then is it counted.
A thread syncs the file to disk in the background, `SYNC_INTERVAL_S` apart: a killed process loses
no completed outcome, a loss of power at most the last interval. What a crash left at the end that is no
whole line of JSON is set aside in `journal.torn` when the file is next opened, never parsed and never
deleted. Such a line with whole ones behind it is damage, and an error.

Lines are ``{"v":1,"kind":"outcome"|"grade"|"launch"|"event", ...}``; readers skip kinds and fields
that they do not know.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, NamedTuple, Self, TypeVar

import msgspec

from routemark.errors import JournalError
from routemark.records import Grade, Outcome, Record

SYNC_INTERVAL_S = 0.1
LINGER_S = 5.0
"""Seconds for which the lock may outlive the process that took it: a child holds it, too, until it has become a program
of its own."""
VERSION = 1


class Launch(Record, frozen=True, kw_only=True):
    """A process began to work on the run."""

    at: str
    """UTC, ISO 8601."""
    pid: int
    routemark_version: str


class Event(Record, frozen=True, kw_only=True):
    """Something worth keeping that is neither outcome nor grade, e.g. a change of pace."""

    event: str
    at: str
    data: dict[str, Any] = msgspec.field(default_factory=dict)


Line = Outcome | Grade | Launch | Event
ReadT = TypeVar("ReadT")


class Entry(NamedTuple):
    """A line read back, with its place in the file."""

    offset: int
    """Bytes from the start of the file to the start of the line."""
    record: Line


class _Head(msgspec.Struct):
    kind: str = ""


_KINDS: dict[type, str] = {Outcome: "outcome", Grade: "grade", Launch: "launch", Event: "event"}
_PREFIXES = {kind: f'{{"v":{VERSION},"kind":"{name}",'.encode() for kind, name in _KINDS.items()}
_head = msgspec.json.Decoder(_Head)
_decoders: dict[str, msgspec.json.Decoder[Any]] = {
    name: msgspec.json.Decoder(kind) for kind, name in _KINDS.items()
}
_STARTS = [(prefix, _decoders[_KINDS[kind]]) for kind, prefix in _PREFIXES.items()]
_encoder = msgspec.json.Encoder()


def encode(record: Line) -> bytes:
    """Give the record's line, newline included."""
    return _PREFIXES[type(record)] + _encoder.encode(record)[1:] + b"\n"


def decode(line: bytes) -> Line | None:
    """Give the record of a line; None for a kind that this version does not know.

    Raises JournalError when the line is not valid.
    """
    try:
        decoder = _decoder_by_start(line) or _decoders.get(_head.decode(line).kind)
        record: Line | None = decoder.decode(line) if decoder else None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise JournalError(str(error)) from None
    return record


def _decoder_by_start(line: bytes) -> msgspec.json.Decoder[Any] | None:
    """Give the decoder of a line that begins as we write it; else its kind may stand anywhere."""
    for prefix, decoder in _STARTS:
        if line.startswith(prefix):
            return decoder
    return None


class Journal:
    """The journal of one run, open for appending by this process alone."""

    def __init__(self, path: Path) -> None:
        """Open the file, creating it if needed; raise JournalError when another process has it."""
        self.path = path
        self._file = _open_locked(path)
        self.torn_bytes = _set_torn_tail_aside(self._file, path)
        """Bytes of a torn last line found at opening and set aside."""
        self._size = self._file.seek(0, os.SEEK_END)
        self._held = b""
        """Lines that go with the next write."""
        self._sync_error: OSError | None = None
        self._closing = threading.Event()
        self._dirty = threading.Event()
        self._syncer = threading.Thread(target=self._sync_forever, name="journal-sync", daemon=True)
        self._syncer.start()

    def append(self, record: Line) -> None:
        """Hand the record to the kernel in one write; it counts once this returns.

        Raises JournalError when the disk takes no more; the file is then as it was before.
        """
        self._write(encode(record))

    def hold(self, record: Line) -> None:
        """Keep a record until the next is appended, so that one write takes both.

        It is not in the file yet: who holds it sees to it that `flush` follows at once.
        """
        self._held += encode(record)

    def flush(self) -> None:
        """Write what is held, if anything is. Raises JournalError as `append` does."""
        if self._held:
            self._write(b"")

    def _write(self, line: bytes) -> None:
        line, self._held = self._held + line, b""
        if self._sync_error is not None:
            raise self._unwritable(self._sync_error)
        try:
            written = os.write(self._file.fileno(), line)
            while written < len(line):  # a signal or a full disk cut the write short
                written += os.write(self._file.fileno(), line[written:])
        except OSError as error:
            with contextlib.suppress(OSError):  # else the tail is torn, and set aside at the next opening
                os.ftruncate(self._file.fileno(), self._size)
            raise self._unwritable(error) from None
        self._size += len(line)
        if not self._dirty.is_set():  # setting it takes a lock
            self._dirty.set()

    @property
    def size(self) -> int:
        """Bytes so far: the place of the next record."""
        return self._size + len(self._held)

    def _unwritable(self, error: OSError) -> JournalError:
        return JournalError(
            f"{self.path}: cannot be written: {error.strerror}. Make room for it, then resume."
        )

    def close(self) -> None:
        """Sync what was appended and let go of the file.

        Raises JournalError when the disk did not take it all.
        """
        if self._closing.is_set():
            return
        self._closing.set()
        self._dirty.set()
        self._syncer.join()
        with self._file:
            self.flush()
            self._sync()
            with contextlib.suppress(OSError):  # a courtesy to others, see _open_locked
                _pid_file(self.path).unlink(missing_ok=True)
        if self._sync_error is not None:
            raise self._unwritable(self._sync_error)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _sync_forever(self) -> None:
        while not self._closing.is_set():
            self._dirty.wait()
            self._dirty.clear()
            self._sync()
            self._closing.wait(SYNC_INTERVAL_S)

    def _sync(self) -> None:
        """Sync to disk; an error is kept for the next `append` to raise."""
        try:
            os.fdatasync(self._file.fileno())
        except OSError as error:
            self._sync_error = error


def replay(path: Path, start: int = 0) -> Iterator[Entry]:
    """Yield the journal's records in the order of writing, from byte ``start`` on; see `lines`."""
    for offset, _, record in lines(path, decode, start):
        if record is not None:
            yield Entry(offset, record)


def lines(path: Path, read: Callable[[bytes], ReadT], start: int = 0) -> Iterator[tuple[int, bytes, ReadT]]:
    """Yield (offset, line, what ``read`` makes of it) of a journal, in the order of writing, from byte ``start`` on.

    A torn end is left out. Raises JournalError, with the line's place, for any other line that cannot be
    read: that is damage, and guessing would lose what was paid for.
    """
    with path.open("rb") as file:
        file.seek(start)
        offset = start
        for line in file:
            if not line.endswith(b"\n"):
                return
            try:
                found = read(line)
            except (JournalError, msgspec.DecodeError, UnicodeDecodeError) as error:
                if not any(map(_is_json, (line, *file))):
                    return
                raise damaged(path, offset, str(error)) from None
            yield offset, line, found
            offset += len(line)


def damaged(path: Path, offset: int, fault: str) -> JournalError:
    """Give the error of a line that was not written like that."""
    return JournalError(
        f"{path}: damaged at byte {offset}: {fault}. Put a good copy in its place, or take that line out: "
        "its trial is then asked again."
    )


def _is_json(line: bytes) -> bool:
    try:
        msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False
    return True


_MOST_LINES = 4096
"""Bytes that hold most lines."""


def read_at(file: BinaryIO, offset: int) -> Line | None:
    """Give the record of the line that starts at ``offset``; the file's own position counts for nothing."""
    line = os.pread(file.fileno(), _MOST_LINES, offset)
    end = line.find(b"\n")
    if end >= 0:
        return decode(line[:end])
    file.seek(offset)
    return decode(file.readline())


def _pid_file(path: Path) -> Path:
    """Name the file that tells who holds the journal's lock."""
    return path.with_name("run.pid")


def _open_locked(path: Path) -> BinaryIO:
    """Open the file for reading and appending, locked against every other process."""
    pid_file = _pid_file(path)
    try:
        file = path.open("a+b", buffering=0)
    except OSError as error:
        raise JournalError(f"{path}: cannot be opened for writing: {error.strerror}.") from None
    try:
        is_ours = _lock_in_time(file, pid_file)
    except OSError as error:
        file.close()
        raise JournalError(f"{path}: cannot be locked: {error.strerror}.") from None
    if not is_ours:
        file.close()
        raise JournalError(
            f"{path.parent}: process {_holder(pid_file)} is writing this run. "
            "Wait for it, or stop it, then resume."
        )
    with contextlib.suppress(OSError):  # the lock is what counts; the number only names its holder
        pid_file.write_text(f"{os.getpid()}\n")
    return file


def _lock_in_time(file: BinaryIO, pid_file: Path) -> bool:
    """Lock the file, for which a lock that outlived its holder is waited for; False when another process has it."""
    begun = time.monotonic()
    while not _lock(file):
        if _is_alive(_holder(pid_file)) or time.monotonic() > begun + LINGER_S:
            return False
        time.sleep(0.02)
    return True


def _lock(file: BinaryIO) -> bool:
    """Lock the file; False when another process has it."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_alive(holder: str) -> bool:
    """Tell whether there may be a process of that number; one that is not known may be there."""
    try:
        os.kill(int(holder), 0)
    except ProcessLookupError:
        return False
    except (ValueError, OSError, OverflowError):
        return True
    return True


def _holder(pid_file: Path) -> str:
    try:
        return pid_file.read_text().strip() or "unknown"
    except OSError:
        return "unknown"


def _set_torn_tail_aside(file: BinaryIO, path: Path) -> int:
    """Move what follows the last line of JSON to `journal.torn`; give its length in bytes.

    Raises JournalError when the disk does not take it.
    """
    end = file.seek(0, os.SEEK_END)
    whole = _end_of_last_json(file, end)
    if whole == end:
        return 0
    file.seek(whole)
    try:
        with path.with_suffix(".torn").open("ab") as torn:
            torn.write(file.read(end - whole) + b"\n")
        os.ftruncate(file.fileno(), whole)
    except OSError as error:
        file.close()
        raise JournalError(
            f"{path}: its torn end cannot be set aside: {error.strerror}. Make room for it, then resume."
        ) from None
    return end - whole


def _end_of_last_json(file: BinaryIO, end: int) -> int:
    """Give the offset just behind the last whole line of JSON, looking back line by line."""
    end = _end_of_last_line(file, end)
    while end > 0:
        start = _end_of_last_line(file, end - 1)
        file.seek(start)
        if _is_json(file.read(end - start)):
            return end
        end = start
    return 0


def _end_of_last_line(file: BinaryIO, end: int, block: int = 65536) -> int:
    """Give the offset just behind the file's last newline, looking back block by block."""
    start = end
    while start > 0:
        size = min(block, start)
        start -= size
        file.seek(start)
        found = file.read(size).rfind(b"\n")
        if found >= 0:
            return start + found + 1
    return 0
