"""LLMRouterBench's results: one JSON file for each data set, split and model, its answers under ``records``.

The files lie at ``results/bench/<data set>/<split>/<model>/<...>-<YYYYmmdd_HHMMSS>.json``. Of several of one
data set, split and model, the newest counts, as there; demonstration files do not.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from routemark.errors import UsageError
from routemark.interop.entries import UNLABELLED, Entries, Entry, Format, Wrong, document, structs, told
from routemark.interop.heads import Head
from routemark.interop.wide import score_of
from routemark.records import Question, ResultRow

_TIME = re.compile(r"\d{8}_\d{6}(?=\.json$)")
"""In a file's name; the oldest files have none."""


class _File(msgspec.Struct):
    model_name: str
    dataset_name: str
    records: list[Any]
    split: str = "test"
    demo: bool = False


class _Record(msgspec.Struct):
    index: int | str
    prompt: Any = None
    origin_query: Any = None
    ground_truth: Any = None
    score: float | None = None
    cost: float | None = None


def _detect(head: Head) -> bool:
    return head.shape == "object" and head.has("performance", "counts", "records")


def _read(path: Path) -> Entries:
    try:
        found = msgspec.convert(document(path), _File)
    except msgspec.MsgspecError as error:
        raise UsageError(f"{path}: not a result of LLMRouterBench: {told(error)}.") from None
    if found.demo:
        return
    for item in structs(found.records, _Record):
        if isinstance(item, Wrong):
            yield item
        else:
            yield _entry(found, *item)


def _entry(found: _File, number: int, record: _Record) -> Entry:
    name = f"{found.dataset_name}/{found.split}/{record.index}"
    prompt = record.prompt or record.origin_query
    question = None
    if isinstance(prompt, str) and prompt.strip():
        question = Question(
            id=name,
            difficulty=UNLABELLED,
            question=prompt,
            category=found.dataset_name,
            metadata={} if record.ground_truth is None else {"ground_truth": record.ground_truth},
        )
    return Entry(
        number,
        name,
        found.model_name,
        score=record.score,
        cost_usd=record.cost,
        category=found.dataset_name,
        question=question,
    )


def _newest(files: Sequence[Path]) -> list[Path]:
    """Give the files without older ones beside them: those of one folder differ in their times only."""
    latest: dict[Path, Path] = {}
    for file in sorted(files, key=lambda file: (_TIME.findall(file.name), file.name)):
        latest[file.parent] = file
    return sorted(latest.values())


NOT_CARRIED = (
    "other arms, repeats after the first",
    "the model that answered for a router",
    "latency, graders, labels of questions",
    "whether an answer failed: its score is 0",
)
"""What of a run has no place in such a file."""


def document_of(rows: Iterable[ResultRow], arm: str) -> dict[str, Any]:
    """Give the file of one arm, from the rows of its first answers."""
    records = [_record(row) for row in rows]
    scores = [record["score"] for record in records if record["score"] is not None]
    return {
        "performance": sum(scores) / len(scores) if scores else None,
        "time_taken": 0.0,
        "prompt_tokens": sum(record["prompt_tokens"] or 0 for record in records),
        "completion_tokens": sum(record["completion_tokens"] or 0 for record in records),
        "cost": sum(record["cost"] or 0.0 for record in records),
        "counts": len(records),
        "model_name": arm,
        "dataset_name": "routemark",
        "split": "test",
        "demo": False,
        "records": records,
    }


def _record(row: ResultRow) -> dict[str, Any]:
    return {
        "index": row.id,
        "origin_query": row.question,
        "prompt": row.question,
        "prompt_tokens": row.usage.prompt_tokens,
        "completion_tokens": row.usage.completion_tokens,
        "cost": row.cost_usd,
        "score": score_of(row),
        "prediction": (row.grade.extracted if row.grade else None) or "",
        "ground_truth": row.reference,
        "raw_output": row.answer or "",
        "extra_fields": {},
    }


FORMAT = Format(
    name="llmrouterbench",
    title="LLMRouterBench's results",
    holds=("outcomes", "questions"),
    detect=_detect,
    read=_read,
    files="*.json",
    row="record",
    among=_newest,
    lacks=("latency", "graders: ground truths are kept in the metadata, the questions are not graded"),
)
