"""Question sets on disk: one format, an index of it in memory, and questions decoded as they are asked for.

The format is a JSON list with one question a line::

    [
    {"id":"q1","difficulty":"easy","question":"..."},
    {"id":"q2","difficulty":"hard","question":"..."}
    ]

A question's line is canonical: fields in the order of `Question`, names in inner objects sorted, fields
at their default left out (so that a field added later changes no hash). A set of n questions takes
8 (n + 1) bytes of memory, however long its questions are.
"""

from __future__ import annotations

import hashlib
import itertools
import os
import tempfile
import weakref
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import IO, Any, Self, TypeVar, overload

import msgspec
import numpy as np
import numpy.typing as npt

from routemark.errors import UsageError
from routemark.files import replaced
from routemark.policy import plan
from routemark.records import Question

_BUFFER = 1 << 20
_BETWEEN = b",\n"
_DIGEST_BYTES = 32


DecodedT = TypeVar("DecodedT")


class _Line(msgspec.Struct, omit_defaults=True, kw_only=True):
    """What a question's line holds: the fields of `Question`."""

    id: str
    difficulty: str
    question: str
    messages: list[dict[str, Any]] | None = None
    reference: Any = None
    choices: list[str] | None = None
    grader: dict[str, Any] | None = None
    category: str | None = None
    metadata: dict[str, Any] = {}


class _Id(msgspec.Struct):
    id: str


_ENCODER = msgspec.json.Encoder(order="deterministic")
_DECODER = msgspec.json.Decoder(Question)
_ID_DECODER = msgspec.json.Decoder(_Id)


def frozen_line(question: Question) -> bytes:
    """Give the canonical JSON of a question, without a line break."""
    grader: dict[str, Any] | None = None
    if question.grader is not None:
        grader = {"name": question.grader.name}
        if question.grader.options:
            grader["options"] = question.grader.options
    return _ENCODER.encode(
        _Line(
            id=question.id,
            difficulty=question.difficulty,
            question=question.question,
            messages=question.messages,
            reference=question.reference,
            choices=question.choices,
            grader=grader,
            category=question.category,
            metadata=question.metadata,
        )
    )


class FrozenFile:
    """A file in the frozen format, open for reading; closed when the last set over it is gone."""

    def __init__(self, file: IO[bytes], starts: npt.NDArray[np.uint64]) -> None:
        """Take over the file: where each line starts, and where one more would; ``file`` may be closed then."""
        self._starts = starts
        self._fd = os.dup(file.fileno())
        weakref.finalize(self, os.close, self._fd)

    @classmethod
    def written(cls, file: IO[bytes], lines: Iterable[bytes]) -> Self:
        """Write the lines to an empty file and index them; ``file`` may be unlinked, too."""
        starts = array("Q", [2])
        between = b""
        file.write(b"[\n")
        for line in lines:
            file.write(between + line)
            between = _BETWEEN
            starts.append(starts[-1] + len(line) + len(_BETWEEN))
        file.write(b"\n]\n")
        file.flush()
        return cls(file, np.frombuffer(starts, dtype=np.uint64))

    @classmethod
    def read(cls, file: IO[bytes]) -> Self:
        """Index a file that `written` made. Raises ValueError when it is not in the frozen format."""
        breaks = _line_breaks(file)
        size = file.tell()
        if len(breaks) < 3 or breaks[0] != 1 or list(breaks[-2:]) != [size - 3, size - 1]:
            raise ValueError("not in the format of a frozen question file")
        starts = breaks[:-1] + np.uint64(1)
        starts[-1] += np.uint64(1)  # the last question has no comma behind it
        return cls(file, starts)

    def __len__(self) -> int:
        """Give the number of questions."""
        return len(self._starts) - 1

    def line(self, index: int) -> bytes:
        """Give the JSON of one question. Safe in threads and forks: no file position is shared."""
        start = int(self._starts[index])
        return os.pread(self._fd, int(self._starts[index + 1]) - len(_BETWEEN) - start, start)


class QuestionSet(Sequence[Question]):
    """Validated questions with unique ids, in a fixed order; read from disk, one by one, as asked for."""

    def __init__(self, file: FrozenFile, path: Path, order: npt.NDArray[np.int64] | None = None) -> None:
        self._file = file
        self._order = order
        """Indices into the file; None: all of it, as it stands."""
        self.path = path
        """Where the questions came from."""

    def __repr__(self) -> str:
        return f"QuestionSet({str(self.path)!r}, {len(self)} questions)"

    def __len__(self) -> int:
        return len(self._file) if self._order is None else len(self._order)

    @overload
    def __getitem__(self, index: int) -> Question: ...
    @overload
    def __getitem__(self, index: slice) -> QuestionSet: ...
    def __getitem__(self, index: int | slice) -> Question | QuestionSet:
        """Give one question, or a view of a range of them."""
        if isinstance(index, slice):
            return self._view(np.arange(*index.indices(len(self)), dtype=np.int64))
        position = range(len(self))[index]  # negative indices and IndexError as in a list
        try:
            return _DECODER.decode(self._line(position))
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise self._damaged(error) from None

    def __iter__(self) -> Iterator[Question]:
        return self._decoded(_DECODER, self._lines())

    def _decoded(self, decoder: msgspec.json.Decoder[DecodedT], lines: Iterable[bytes]) -> Iterator[DecodedT]:
        """Decode lines; raise UsageError when the file is no longer what was written."""
        try:
            yield from map(decoder.decode, lines)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise self._damaged(error) from None

    def _damaged(self, error: Exception) -> UsageError:
        return UsageError(f"{self.path}: damaged: {error}. Put a good copy in its place.")

    def _line(self, position: int) -> bytes:
        return self._file.line(position if self._order is None else int(self._order[position]))

    def _lines(self) -> Iterator[bytes]:
        return map(self._line, range(len(self)))

    def _view(self, positions: npt.NDArray[np.int64]) -> QuestionSet:
        return QuestionSet(
            self._file, self.path, positions if self._order is None else self._order[positions]
        )

    @cached_property
    def sha256(self) -> str:
        """SHA-256 over the sorted SHA-256 digests of the questions' canonical lines.

        It tells whether two sets hold the same questions: file format, aliases, spacing and order of
        the questions do not count. Trials are planned in an order of their own, so neither do they there.
        """
        digests = bytearray()
        for line in self._lines():
            digests += hashlib.sha256(line).digest()
        np.frombuffer(digests, dtype=f"S{_DIGEST_BYTES}").sort()
        return hashlib.sha256(digests).hexdigest()

    def sample(self, n: int, seed: int) -> QuestionSet:
        """Give the first ``n`` questions of the order that ``seed`` draws; all of them if there are fewer.

        It is the order in which a run asks (see `policy.plan.order`): a smaller sample is the beginning of a larger one,
        and neither the order of the file nor questions added to it change how two questions are ranked.

        Raises: ValueError when ``n`` is below 1.
        """
        if n < 1:
            raise ValueError(f"a sample has at least one question, not {n}")
        return self._view(plan.order(self.ids(), seed)[:n].copy())  # the copy lets go of the rest

    def where(self, keep: Callable[[Question], bool]) -> QuestionSet:
        """Give the questions that are to be kept, in their order."""
        kept = [position for position, question in enumerate(self) if keep(question)]
        return self._view(np.array(kept, dtype=np.int64))

    def with_more(self, more: Iterable[Question]) -> QuestionSet:
        """Give these questions with more behind them, in a temporary file. Raises: OSError."""
        lines = itertools.chain(self._lines(), map(frozen_line, more))
        with tempfile.TemporaryFile("w+b", _BUFFER, prefix="routemark-") as store:
            return QuestionSet(FrozenFile.written(store, lines), self.path)

    def ids(self) -> Iterator[str]:
        """Yield the questions' ids; cheaper than decoding the questions."""
        return (found.id for found in self._decoded(_ID_DECODER, self._lines()))

    def freeze(self, path: Path) -> QuestionSet:
        """Write the questions to ``path`` and give the set over that file.

        The file appears whole and synced to disk, or not at all.
        """
        with replaced(path) as file:
            frozen = FrozenFile.written(file, self._lines())
        return QuestionSet(frozen, path)


def open_frozen(path: Path) -> QuestionSet:
    """Open a set that `QuestionSet.freeze` wrote, without checking its questions again.

    Raises: OSError; ValueError when the file is not in the frozen format.
    """
    with path.open("rb") as file:
        return QuestionSet(FrozenFile.read(file), path)


def _line_breaks(file: IO[bytes]) -> npt.NDArray[np.uint64]:
    """Give the offset of every line break, reading the file once, block by block."""
    found, start = [np.zeros(0, dtype=np.uint64)], 0
    while block := file.read(_BUFFER):
        here = np.flatnonzero(np.frombuffer(block, dtype=np.uint8) == ord("\n"))
        found.append(here.astype(np.uint64) + np.uint64(start))
        start += len(block)
    return np.concatenate(found)
