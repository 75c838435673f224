"""LLMRouterBench's results: one JSON file for each data set, split and model, its answers under ``records``.

The files lie at ``results/bench/<data set>/<split>/<model>/<...>-<YYYYmmdd_HHMMSS>.json``. Of several of one
data set, split and model, the newest counts, as there; demonstration files do not.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from routemark.errors import UsageError
from routemark.interop.entries import UNLABELLED, Entries, Entry, Format, Wrong, document, structs, told
from routemark.interop.heads import Head
from routemark.records import Question


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
    for file in sorted(files, key=lambda file: file.name[-20:]):  # YYYYmmdd_HHMMSS.json
        latest[file.parent] = file
    return sorted(latest.values())


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
