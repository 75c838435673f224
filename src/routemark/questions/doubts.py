"""What is doubtful about a set of questions that has no fault: it can be run, but may not measure what it seems to.

One pass over the questions with little memory each (some 8 bytes), so that a million are no matter; only the
search for near-duplicates is left out for large sets, and says so.
"""

from __future__ import annotations

import re
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from routemark import graders
from routemark.graders.base import texts
from routemark.graders.text import normal
from routemark.questions.rows import plain, shown
from routemark.records import Completion, Question

FEW = 30
"""Questions of a label below which its accuracy is known to no better than about 18 points."""
SHOWN = 5
"""Examples named in one warning."""
MOST_COMPARED = 20_000
"""Questions among which near-duplicates are looked for."""
ALIKE = 0.8
"""Share of common word sequences (Jaccard) from which two questions count as near-duplicates."""
_SHINGLE = 4
"""Words of a sequence."""
_FEWEST_WORDS = 12
"""Shorter questions are alike by chance: "What is 17 + 4?" """
_ROWS, _BANDS = 4, 16
"""MinHash: pairs of Jaccard 0.8 are found with a chance of 1 - (1 - 0.8^4)^16 = 0.9998."""
_NOTHING = ("", ".")
"""Answers that say nothing."""
_SHORTEST = 3
"""Characters of a reference from which it can be given away: "4" stands in many prompts by chance."""


def doubts(questions: Sequence[Question]) -> list[str]:
    """Give a sentence about each thing that is doubtful; the order is by weight."""
    seen = _Seen()
    for question in questions:
        seen.add(question)
    return [*seen.told(questions), *_near_duplicates(questions)]


class _Examples:
    """Ids of questions with something in common: the first ones, and how many there are."""

    def __init__(self) -> None:
        self.ids: list[str] = []
        self.count = 0

    def add(self, name: str) -> None:
        self.count += 1
        if len(self.ids) < SHOWN:
            self.ids.append(name)

    def told(self, one: str, many: str) -> Iterator[str]:
        """Yield the sentence, if there is anything to tell; ``{n}`` stands for the number."""
        if self.count:
            text = one if self.count == 1 else many.format(n=f"{self.count:,}")
            yield f"{text}: {', '.join(self.ids)}{', ...' if self.count > len(self.ids) else ''}"


class _Seen:
    """What one pass over the questions gathers."""

    def __init__(self) -> None:
        self._labels: Counter[str] = Counter()
        self._empty = _Examples()
        self._given_away = _Examples()
        self._hashes = array("q")

    def add(self, question: Question) -> None:
        self._labels[question.difficulty] += 1
        self._hashes.append(
            hash((normal(question.question), *(question.choices or ()), str(question.messages)))
        )
        if accepts_nothing(question):
            self._empty.add(shown(question.id))
        if gives_away(question):
            self._given_away.add(shown(question.id))

    def told(self, questions: Sequence[Question]) -> Iterator[str]:
        yield from self._empty.told(
            "1 question would take an answer that says nothing for a right one",
            "{n} questions would take an answer that says nothing for a right one",
        )
        yield from self._given_away.told(
            "1 question holds its own reference, which is right only where it is to be found there",
            "{n} questions hold their own reference, which is right only where it is to be found there",
        )
        yield from _duplicates(questions, np.frombuffer(self._hashes, dtype=np.int64))
        yield from self._small_labels()

    def _small_labels(self) -> Iterator[str]:
        small = [f"{plain(label)} {count}" for label, count in self._labels.most_common() if count < FEW]
        if small:
            more = f" and {len(small) - SHOWN:,} more" if len(small) > SHOWN else ""
            yield f"fewer than {FEW} questions of a difficulty are too few to compare: {', '.join(small[:SHOWN])}{more}"


def accepts_nothing(question: Question) -> bool:
    """Tell whether an answer that is empty, or as good as that, would have a score above 0.

    Not asked of ``refusal``, where any answer but a refusal may be right, nor of graders that need a tool.
    """
    spec = graders.resolve(question)
    if spec is None or spec.name in ("refusal", "code", "sql"):
        return False
    grades = [graders.grade("", question, Completion(text=text, model="")) for text in _NOTHING]
    return any(grade is not None and (grade.score or 0) > 0 for grade in grades)


_TOKEN = re.compile(r"\w+|[^\w\s]")


def gives_away(question: Question) -> bool:
    """Tell whether the prompt holds the reference as whole words; for ``exact`` and ``contains``."""
    spec = graders.resolve(question)
    if spec is None or spec.name not in ("exact", "contains") or question.choices:
        return False
    prompt = _line(question.question)
    accepted = [text for text in texts(question.reference) if len(text.strip()) >= _SHORTEST]
    return any(_line(text) in prompt for text in accepted)


def _line(text: str) -> str:
    """Give the words of a text between line ends, so that whole words are a substring."""
    return "\n" + "\n".join(_TOKEN.findall(text.casefold())) + "\n"


# --------------------------------------------------------------------------- the same question twice


def _duplicates(questions: Sequence[Question], hashes: NDArray[np.int64]) -> Iterator[str]:
    """Yield a sentence on questions that ask the same, word for word."""
    order = np.argsort(hashes, kind="stable")
    again = np.flatnonzero(hashes[order][1:] == hashes[order][:-1])
    found = _Examples()
    for position in again.tolist():
        if found.count < SHOWN:
            first, second = questions[int(order[position])], questions[int(order[position + 1])]
            found.add(f"{shown(first.id)} and {shown(second.id)}")
        else:
            found.count += 1
    yield from found.told("1 question is asked twice", "{n} questions are asked more than once")


def _near_duplicates(questions: Sequence[Question]) -> Iterator[str]:
    """Yield a sentence on questions that are nearly the same, those of one ``metadata.family`` apart."""
    if len(questions) > MOST_COMPARED:
        yield (
            f"near-duplicates were not looked for: that is done for up to {MOST_COMPARED:,} questions, "
            f"here are {len(questions):,}"
        )
        return
    found = _Examples()
    for first, second in sorted(alike(questions)):
        found.add(f"{shown(questions[first].id)} and {shown(questions[second].id)}")
    yield from found.told(
        "1 pair of questions is nearly the same; give both one metadata.family if they are meant to be",
        "{n} pairs of questions are nearly the same; give each pair one metadata.family if they are meant to be",
    )


class _Compared(NamedTuple):
    position: int
    family: object
    shingles: frozenset[int]


def alike(questions: Iterable[Question]) -> set[tuple[int, int]]:
    """Give the positions of near-duplicates: MinHash finds candidates, a comparison decides.

    Of a group that is all alike, each question is paired with the first one only.
    """
    compared = [
        _Compared(position, question.metadata.get("family"), shingles)
        for position, question in enumerate(questions)
        if (shingles := _shingles(question.question))
    ]
    buckets: dict[tuple[int, bytes], _Compared] = {}
    pairs = set()
    for one in compared:
        for band in _bands(one.shingles):
            first = buckets.setdefault(band, one)
            if first is not one and _near(first, one):
                pairs.add((first.position, one.position))
    return pairs


def _near(first: _Compared, second: _Compared) -> bool:
    if first.family is not None and first.family == second.family:
        return False
    common = len(first.shingles & second.shingles)
    share = common / (len(first.shingles) + len(second.shingles) - common)
    return ALIKE <= share < 1  # those that are the same to the word are told of already


def _shingles(text: str) -> frozenset[int]:
    """Give the hashes of the word sequences of a text; none for a short one."""
    words = _TOKEN.findall(text.casefold())
    if len(words) < _FEWEST_WORDS:
        return frozenset()
    return frozenset(hash(tuple(words[n : n + _SHINGLE])) for n in range(len(words) - _SHINGLE + 1))


_DRAW = np.random.default_rng(0).integers(1, 2**62, size=(2, _ROWS * _BANDS), dtype=np.uint64) | np.uint64(1)


def _bands(shingles: frozenset[int]) -> Iterator[tuple[int, bytes]]:
    """Yield the MinHash signature in bands: questions that share one are candidates."""
    values = np.array(list(shingles), dtype=np.int64).view(np.uint64)
    with np.errstate(over="ignore"):
        mixed = values[:, None] * _DRAW[0] + _DRAW[1]
    least = (mixed ^ (mixed >> np.uint64(29))).min(axis=0).reshape(_BANDS, _ROWS)
    return ((band, row.tobytes()) for band, row in enumerate(least))
