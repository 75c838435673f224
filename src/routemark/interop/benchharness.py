"""OpenRouter's own harness: Parquet, a row for each sample and epoch, totals of the run repeated in each.

``score_value`` is C, I or S: right, wrong, skipped. Its cost and its time are the whole run's, so neither is
known for a single answer; nor is the model that a router picked. One file holds one model.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from routemark.interop.entries import UNLABELLED, Entries, Entry, Format, Wrong, told
from routemark.interop.heads import Head
from routemark.interop.tabular import rows
from routemark.records import Question

_SCORES = {"C": 1.0, "I": 0.0, "S": None}


class _Row(msgspec.Struct):
    task: str
    model: str
    sample_id: str
    epoch: int
    score_value: str
    input: str | None = None
    target: str | None = None


def _detect(head: Head) -> bool:
    return head.shape == "parquet" and head.has("format_version", "sample_id", "epoch", "score_value")


def _read(path: Path) -> Entries:
    for number, row in rows(path):
        yield Wrong(number, row) if isinstance(row, str) else _entry(number, row)


def _entry(number: int, row: dict[str, Any]) -> Entry | Wrong:
    try:
        found = msgspec.convert(row, _Row)
    except msgspec.MsgspecError as error:
        return Wrong(number, told(error))
    name = f"{found.task}/{found.sample_id}"
    question = None
    if found.input and found.input.strip():
        question = Question(
            id=name,
            difficulty=UNLABELLED,
            question=found.input,
            category=found.task,
            metadata={} if found.target is None else {"target": found.target},
        )
    return Entry(
        number,
        name,
        found.model,
        score=_SCORES.get(found.score_value),
        category=found.task,
        repeat=found.epoch,
        question=question,
    )


FORMAT = Format(
    name="openrouter-bench",
    title="results of OpenRouter's benchmark harness",
    holds=("outcomes", "questions"),
    detect=_detect,
    read=_read,
    files="*.parquet",
    row="row",
    lacks=(
        "the cost and latency of single answers: its totals are of the whole run",
        "the model that a router picked",
        "graders: targets are kept in the metadata, the questions are not graded",
    ),
)
