"""OpenRouter's own harness: Parquet, a row for each sample and epoch, totals of the run repeated in each.

``score_value`` is C, I or S: right, wrong, skipped. Its cost and its time are the whole run's, so neither is
known for a single answer; nor is the model that a router picked. One file holds one model.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from routemark.interop.entries import UNLABELLED, Entries, Entry, Format, Wrong, told
from routemark.interop.heads import Head
from routemark.interop.tabular import rows as table_rows
from routemark.interop.wide import score_of
from routemark.records import Question, ResultRow

_RIGHT = 0.5
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
    for number, row in table_rows(path):
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


NOT_CARRIED = (
    "other arms, answers, the model that answered for a router",
    "costs and latency of single answers",
    "scores between 0 and 1: right from 0.5 on",
)
"""What of a run has no place in such a table."""


def records(rows: Iterable[ResultRow], arm: str) -> Iterator[dict[str, Any]]:
    """Yield a record for each answer of one arm; totals of the run stand in each, as there."""
    kept = list(rows)
    scores = [score for row in kept if (score := score_of(row)) is not None]
    whole = {
        "format_version": 1,
        "task": "routemark",
        "model": arm,
        "epochs": len({row.repeat for row in kept}),
        "accuracy": sum(scores) / len(scores) if scores else None,
        "total_cost": sum(row.cost_usd or 0.0 for row in kept),
        "generation_time_ms": round(sum(row.latency_s or 0.0 for row in kept) * 1000),
    }
    for row in kept:
        target = (
            row.reference
            if isinstance(row.reference, str | None)
            else msgspec.json.encode(row.reference).decode()
        )
        score = score_of(row)
        verdict = "S" if score is None else "C" if score >= _RIGHT else "I"
        own = {"sample_id": row.id, "epoch": row.repeat, "input": row.question, "target": target}
        yield {**whole, **own, "score_value": verdict}


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
