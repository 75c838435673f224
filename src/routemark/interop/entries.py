"""What a file of another tool holds, row by row, in our words.

Each foreign format has one module with a `Format`: how to know it, and how to read one file of it as entries.
From entries come all three things that we read: questions, outcomes and picks.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeVar

import msgspec

from routemark.errors import UsageError
from routemark.interop.heads import Head
from routemark.questions.rows import DECODER, json_trouble, plain
from routemark.records import Question

Holding = Literal["questions", "outcomes", "picks"]
UNLABELLED = "unlabelled"
"""The difficulty of a question of which a file tells none."""
_LARGEST = 1 << 30
"""Bytes of a file that has to be read as one JSON value."""


class Entry(NamedTuple):
    """One answer, or one question alone."""

    number: int
    """Of its line, row or record in the file, from 1."""
    question_id: str
    model: str | None = None
    """None: nobody was asked, or the file does not say who."""
    arm: str | None = None
    """The router or policy that chose the model; None: the model itself was asked."""
    score: float | None = None
    """In [0, 1]; None: not graded."""
    cost_usd: float | None = None
    latency_s: float | None = None
    category: str | None = None
    repeat: object = 0
    """Answers of a model to one question that differ in it are averaged; those that do not are a fault."""
    question: Question | None = None
    """None: the file does not say what was asked."""


class Wrong(NamedTuple):
    """A row that cannot be read."""

    number: int
    text: str


Entries = Iterator[Entry | Wrong]


class Format(NamedTuple):
    """A format of another tool."""

    name: str
    """For ``--format``."""
    title: str
    """Whose, in words."""
    holds: tuple[Holding, ...]
    """What can be read from it; the first is what it is for."""
    detect: Callable[[Head], bool]
    read: Callable[[Path], Entries]
    """Reads one file. Raises: UsageError when it cannot be read at all."""
    files: str
    """Pattern of its files in a folder."""
    row: str = "line"
    """What an entry's number counts."""
    among: Callable[[Sequence[Path]], list[Path]] = list
    """Of a folder's files those that count."""
    lacks: tuple[str, ...] = ()
    """What we would like to know and it does not say, for people."""


StructT = TypeVar("StructT")
_PATH = re.compile(r" - at `\$\.?([^`]*)`$")


def told(error: msgspec.MsgspecError) -> str:
    """Give what is wrong with a value, its field first."""
    text = str(error)
    where = _PATH.search(text)
    words = text[: where.start()] if where else text
    for theirs, ours in (
        (" | null", ""),
        ("`", ""),
        ("float", "a number"),
        ("int", "a whole number"),
        ("str", "text"),
    ):
        words = words.replace(theirs, ours)
    field = f"{plain(where[1])}: " if where and where[1] else ""
    return field + plain(words[:1].lower() + words[1:])


def decoded(data: bytes | str) -> Any:
    """Give a JSON value; NaN is read, too. Raises: ValueError in plain words."""
    try:
        return msgspec.json.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, UnicodeEncodeError, RecursionError):
        pass
    try:
        return DECODER.decode(data if isinstance(data, str) else data.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise ValueError("it is not UTF-8") from None
    except (ValueError, RecursionError) as error:
        raise ValueError(f"not valid JSON: {json_trouble(error)}") from None


def lines(path: Path, kind: type[StructT]) -> Iterator[tuple[int, StructT] | Wrong]:
    """Give the rows of JSON Lines with their line numbers, each as a struct."""
    decoder = msgspec.json.Decoder(kind)
    with opened(path) as file:
        for number, line in enumerate(file, 1):
            try:
                yield number, decoder.decode(line)
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
                if line.strip(b"\xef\xbb\xbf \t\r\n"):
                    yield _again(number, line, kind)


def _again(number: int, line: bytes, kind: type[StructT]) -> tuple[int, StructT] | Wrong:
    """Read a line that may hold NaN, or say what is wrong with it."""
    try:
        return number, msgspec.convert(decoded(line), kind)
    except msgspec.MsgspecError as error:
        return Wrong(number, told(error))
    except ValueError as error:
        return Wrong(number, str(error))


def document(path: Path) -> Any:
    """Read a file that is one JSON value. Raises: UsageError."""
    with opened(path) as file:
        data = file.read(_LARGEST + 1)
    if len(data) > _LARGEST:
        raise UsageError(f"{path}: larger than {_LARGEST >> 20:,} MiB; split it.")
    try:
        return decoded(data)
    except ValueError as error:
        raise UsageError(f"{path}: {error}.") from None


def structs(values: Sequence[Any], kind: type[StructT]) -> Iterator[tuple[int, StructT] | Wrong]:
    """Give the records of a list, each as a struct, numbered from 1."""
    for number, value in enumerate(values, 1):
        try:
            yield number, msgspec.convert(value, kind)
        except msgspec.MsgspecError as error:
            yield Wrong(number, told(error))


def opened(path: Path) -> Any:
    """Open a file for reading. Raises: UsageError in a sentence."""
    try:
        return path.open("rb", buffering=1 << 20)
    except FileNotFoundError:
        raise UsageError(f"{path}: there is no such file.") from None
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}.") from None


def part(value: Any, *names: str | int) -> Any:
    """Give what lies at the end of a path of keys and indices in a JSON value; None where it ends early."""
    for name in names:
        if isinstance(name, str):
            value = value.get(name) if isinstance(value, dict) else None
        else:
            value = value[name] if isinstance(value, list) and len(value) > name else None
    return value


def in_unit(score: float | None) -> float | None:
    """Give a score that a metric put below 0 as 0."""
    return None if score is None else max(0.0, score)
