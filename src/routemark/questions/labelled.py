"""Labelled answers: what a judge is measured against.

JSONL, all rows of one kind: answers with their level, ``{"question", "reference" or "rubric", "answer", "score"}``, or
pairs with their winner, ``{"question", "answer_a", "answer_b", "winner": "a" | "b" | "tie"}``. A scale, ``"scale":
[worst, best]``, holds for the whole file; without one it is 0 to 1 if all scores are that, else the grader's own.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from routemark import graders
from routemark.errors import QuestionFileError, UsageError
from routemark.graders.extract import visible
from routemark.graders.verdicts import SCALE
from routemark.records import GraderSpec, Question

MOST_FAULTS = 20
WINNERS = ("a", "b", "tie")


class Labelled(NamedTuple):
    """A row of the file."""

    line: int
    question: Question
    answers: tuple[str, ...]
    """One, or the two of a pair, as a judge sees them: without reasoning."""
    label: int
    """Level of the scale, or index of the winner among a, b, tie."""

    @property
    def options(self) -> dict[str, Any]:
        """Options of the grader, complete."""
        assert self.question.grader is not None
        return {"rubric": None, "scale": None, "mode": None} | self.question.grader.options


def read_labels(path: Path) -> list[Labelled]:
    """Read labelled answers, or pairs.

    Raises: QuestionFileError with the faulty lines, UsageError when the file cannot be read or is empty.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}.") from None
    tables: dict[int, dict[str, Any]] = {}
    faults: list[str] = []
    for number, line in enumerate(lines, start=1):
        if line.strip():
            try:
                tables[number] = _table(line)
            except ValueError as error:
                faults.append(f"line {number}: {error}")
    if not tables and not faults:
        raise UsageError(f"{path}: holds no labelled answer.")
    rows = list(_rows(tables, faults))
    if faults:
        faults.sort(key=lambda fault: int(fault.removeprefix("line ").partition(":")[0]))
        raise QuestionFileError(str(path), faults[:MOST_FAULTS], max(0, len(faults) - MOST_FAULTS))
    return rows


def _table(line: str) -> dict[str, Any]:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"is not JSON: {error}") from None
    if not isinstance(value, dict):
        raise ValueError("must be a JSON object")  # noqa: TRY004 - the line is at fault, not its caller
    return value


def _rows(tables: dict[int, dict[str, Any]], faults: list[str]) -> Iterator[Labelled]:
    """Yield what is sound; the rest is added to the faults. All rows must be of the first one's kind."""
    first = next(iter(tables), 0)
    pairs = bool(tables) and "winner" in tables[first]
    scale = _scale(list(tables.values()))
    for number, table in tables.items():
        if ("winner" in table) is not pairs:
            kinds = ("an answer with its score", "a pair with its winner")
            faults.append(
                f"line {number}: is {kinds['winner' in table]}, but line {first} is {kinds[pairs]}; "
                "give each kind a file of its own"
            )
            continue
        found = _faults(table, pairs=pairs, scale=scale)
        if found:
            faults += [f"line {number}: {fault}" for fault in found]
        else:
            yield _labelled(number, table, pairs=pairs, scale=scale)


def _scale(tables: Sequence[dict[str, Any]]) -> list[int]:
    """Give the scale of the whole file: the first one named; else 0 to 1 if all scores are that; else 1 to 5."""
    for table in tables:
        if "scale" in table:
            scale: list[int] = table["scale"]
            return scale
    scores = [table.get("score") for table in tables]
    return [0, 1] if all(type(score) in (int, float) and score in (0, 1) for score in scores) else list(SCALE)


def _faults(table: dict[str, Any], *, pairs: bool, scale: list[int]) -> list[str]:
    texts = ("question", "answer_a", "answer_b") if pairs else ("question", "answer")
    found = [f"{name}: {fault}" for name in texts if (fault := _text_fault(table, name))]
    found += _label_faults(table, pairs=pairs, scale=scale)
    if not found:
        options = _options(table, pairs=pairs, scale=scale)
        spec = GraderSpec(name="judge", options=options)
        found = graders.check(
            Question(id="0", difficulty="-", question="?", reference=table.get("reference"), grader=spec)
        )
    return found


def _text_fault(table: dict[str, Any], name: str) -> str | None:
    if name not in table:
        return "missing"
    value = table[name]
    if not isinstance(value, str):
        return "must be a text"
    if not (value if name == "question" else visible(value)).strip():
        return "is blank"
    return None


def _label_faults(table: dict[str, Any], *, pairs: bool, scale: list[int]) -> list[str]:
    if pairs:
        winner = table.get("winner")
        return [] if winner in WINNERS else [f"winner: must be 'a', 'b' or 'tie', not {winner!r}"]
    if table.get("scale", scale) != scale:
        return [f"scale: is {table['scale']!r}, but {scale!r} in the rest of the file"]
    if "score" not in table:
        return ["score: missing"]
    score = table["score"]
    whole = type(score) is int or (type(score) is float and score.is_integer())
    try:
        low, high = scale
        fits = whole and low <= score <= high
    except (TypeError, ValueError):
        return [f"scale: must be the worst and the best level, such as [1, 5], not {scale!r}"]
    if fits:
        return []
    another = 'name another scale in a row: "scale": [0, 10]'
    return [f"score: must be a whole number from {low} to {high}, not {score!r}; {another}"]


def _options(table: dict[str, Any], *, pairs: bool, scale: list[int]) -> dict[str, Any]:
    how: dict[str, Any] = {"mode": "pairwise"} if pairs else {"mode": "rubric", "scale": scale}
    return how | ({"rubric": table["rubric"]} if table.get("rubric") is not None else {})


def _labelled(number: int, table: dict[str, Any], *, pairs: bool, scale: list[int]) -> Labelled:
    spec = GraderSpec(name="judge", options=_options(table, pairs=pairs, scale=scale))
    question = Question(
        id=f"line {number}",
        difficulty="-",
        question=table["question"],
        reference=table.get("reference"),
        grader=spec,
    )
    if pairs:
        answers = (visible(table["answer_a"]), visible(table["answer_b"]))
        return Labelled(number, question, answers, WINNERS.index(table["winner"]))
    return Labelled(number, question, (visible(table["answer"]),), int(table["score"]))
