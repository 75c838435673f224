"""The questions of a run as the viewer needs them: labels, place in the plan, and prompts to search in.

Prompts are searched in a copy of them in small letters, one behind another: finding a word there is one pass
at nearly the speed of memory, whatever the journal's length.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from zipfile import BadZipFile

import msgspec
import numpy as np
from numpy.typing import NDArray

from routemark.files import replaced
from routemark.policy import plan
from routemark.questions import QuestionSet
from routemark.records import Question, Run
from routemark.viewer.index import Entries, Progress, key_of

SCHEMA = 1
QUESTION = np.dtype(
    [("key", "<u8"), ("rank", "<i8"), ("difficulty", "<i4"), ("category", "<i4"), ("end", "<i8")]
)
"""``rank``: place in the plan; ``end``: of its prompt in the copy, in bytes."""
_BLOCK = 1 << 22
"""Bytes of prompts that are searched at a time."""
_STEP = 20_000
"""Questions between two reports of progress."""


class Head(msgspec.Struct):
    """What is kept beside the table."""

    schema: int
    sha256: str
    """Of the question set."""
    seed: int
    difficulties: list[str]
    categories: list[str]


class Prompts:
    """Labels, ranks and searchable prompts of all questions, in the order of the question file."""

    def __init__(self, head: Head, table: Entries, text: Text) -> None:
        self.head = head
        self.table = table
        self.text = text
        self.in_order: NDArray[np.int64] = np.argsort(table["rank"])
        """Question by rank."""
        self._by_key: NDArray[np.int64] = np.argsort(table["key"])

    def places(self, keys: NDArray[np.uint64]) -> NDArray[np.int64]:
        """Give the question of each key; -1 where there is none."""
        if not len(self.table):
            return np.full(len(keys), -1, dtype=np.int64)
        order = self._by_key
        known = self.table["key"][order]
        at = np.minimum(np.searchsorted(known, keys), len(known) - 1)
        return np.where(known[at] == keys, order[at], -1)

    def having(self, words: Iterable[str]) -> NDArray[np.bool_]:
        """Tell which questions have all the words in prompt or id, whatever their case."""
        return self.text.having({fold(word) for word in words})


def fold(text: str) -> bytes:
    """Give the text as it is searched: without regard to case."""
    return text.casefold().encode("utf-8", "replace")


class Text:
    """The copy of the prompts, on disk."""

    def __init__(self, path: Path, ends: NDArray[np.int64]) -> None:
        """Take where each question's prompt ends, in bytes."""
        self._path = path
        self._ends = ends

    @property
    def is_whole(self) -> bool:
        """Tell whether the copy has the length that it was made with."""
        return self._path.stat().st_size == (self._ends[-1] if len(self._ends) else 0)

    def having(self, words: Iterable[bytes]) -> NDArray[np.bool_]:
        """Tell which questions have all the words."""
        wanted, first, start = list(words), 0, 0
        found = np.ones(len(self._ends), dtype=bool)
        with self._path.open("rb") as file:
            while first < len(self._ends):  # some megabytes at a time
                last = min(int(np.searchsorted(self._ends, start + _BLOCK)) + 1, len(self._ends))
                ends = self._ends[first:last] - start
                text = file.read(int(ends[-1]))
                for word in wanted:
                    found[first:last] &= _with_word(text, word, ends)
                first, start = last, start + len(text)
        return found


def _with_word(text: bytes, word: bytes, ends: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Tell which prompts have a word: where the text splits at it, as the lengths of the pieces tell."""
    found = np.zeros(len(ends), dtype=bool)
    lengths = np.fromiter(map(len, text.split(word)), dtype=np.int64)
    places = np.cumsum(lengths + len(word))[:-1] - len(word)
    found[np.searchsorted(ends, places, side="right")] = True
    return found


def open_prompts(
    run: Run,
    questions: QuestionSet,
    folder: Path,
    progress: Progress = lambda done, of: None,  # noqa: ARG005
) -> Prompts:
    """Give the prompts of a run; what is kept of them in ``folder`` is made if it is not there.

    Raises: OSError; UsageError when the questions are damaged.
    """
    return load(run, folder, len(questions)) or _made(run, questions, folder, progress)


def load(run: Run, folder: Path, questions: int) -> Prompts | None:
    """Give what is kept; None where there is nothing that fits the run."""
    try:
        with (folder / "questions.npz").open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            head = msgspec.json.decode(file["head"].tobytes(), type=Head)
            table = file["table"]
        text = Text(folder / "prompts.txt", table["end"])
        fits = head.schema == SCHEMA and head.sha256 == run.questions_sha256 and head.seed == run.seed
        return Prompts(head, table, text) if fits and len(table) == questions and text.is_whole else None
    except (OSError, ValueError, KeyError, EOFError, BadZipFile, msgspec.MsgspecError):
        return None


def _made(run: Run, questions: QuestionSet, folder: Path, progress: Progress) -> Prompts:
    """Read the questions once, and keep what is needed of them."""
    table = np.zeros(len(questions), dtype=QUESTION)
    labels: dict[str, dict[str, int]] = {"difficulty": {}, "category": {}}
    ids: list[str] = []
    folder.mkdir(exist_ok=True)
    with replaced(folder / "prompts.txt") as file:
        end = 0
        for at, question in enumerate(_watched(questions, progress)):
            end += file.write(fold(f"{question.id}\n{question.question}\n"))
            codes = [_code(labels[field], getattr(question, field)) for field in ("difficulty", "category")]
            table[at] = (key_of(question.id), 0, *codes, end)
            ids.append(question.id)
    table["rank"][plan.order(ids, run.seed, run.copies)] = np.arange(len(ids))
    head = Head(SCHEMA, run.questions_sha256, run.seed, list(labels["difficulty"]), list(labels["category"]))
    with replaced(folder / "questions.npz") as file:
        np.savez(file, head=np.frombuffer(msgspec.json.encode(head), dtype=np.uint8), table=table)
    return Prompts(head, table, Text(folder / "prompts.txt", table["end"]))


def _watched(questions: QuestionSet, progress: Progress) -> Iterator[Question]:
    for done, question in enumerate(questions):
        if done % _STEP == 0:
            progress(done, len(questions))
        yield question


def _code(codes: dict[str, int], label: str | None) -> int:
    return -1 if label is None else codes.setdefault(label, len(codes))
