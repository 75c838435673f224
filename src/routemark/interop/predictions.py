"""RouterArena's prediction files: a JSON list, one routing decision each, and what came of it.

A record holds ``global index``, ``prompt``, ``prediction`` (the model picked), ``generated_result`` (the answer
of that model, or null), and, once evaluated, ``accuracy`` and ``cost`` in US dollars. The router has the name of
the file: ``router_inference/predictions/<router>.json``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from routemark.errors import UsageError
from routemark.interop.entries import UNLABELLED, Entries, Entry, Format, Wrong, document, in_unit, structs
from routemark.interop.heads import Head
from routemark.records import Question, ResultRow


class _Tokens(msgspec.Struct):
    input_tokens: int | None = None
    output_tokens: int | None = None


class _Generated(msgspec.Struct):
    generated_answer: str | None = None
    success: bool = False
    token_usage: _Tokens | None = None


class _Record(msgspec.Struct):
    spaced: str | None = msgspec.field(default=None, name="global index")
    global_index: str | None = None
    prompt: str | None = None
    prediction: str | None = None
    generated_result: _Generated | None = None
    cost: float | None = None
    accuracy: float | None = None


def _detect(head: Head) -> bool:
    return (
        head.shape == "list"
        and head.has("prediction")
        and bool({"global index", "global_index"} & {*head.names})
    )


def _read(path: Path) -> Entries:
    records = document(path)
    if not isinstance(records, list):
        raise UsageError(f"{path}: a prediction file is a list of records.")
    for item in structs(records, _Record):
        if isinstance(item, Wrong):
            yield item
        else:
            yield _entry(path, *item)


def _entry(path: Path, number: int, record: _Record) -> Entry | Wrong:
    index = record.spaced or record.global_index
    if not index:
        return Wrong(number, "global index: is missing")
    if not record.prediction:
        return Wrong(number, "prediction: is missing; it names the model that was picked")
    generated = record.generated_result
    failed = generated is not None and not generated.success
    category = index.partition("_")[0]
    question = None
    if record.prompt:
        question = Question(id=index, difficulty=UNLABELLED, question=record.prompt, category=category)
    return Entry(
        number,
        index,
        model=record.prediction,
        arm=path.stem,
        score=0.0 if failed and record.accuracy is None else in_unit(record.accuracy),
        cost_usd=record.cost,
        category=category,
        question=question,
    )


FORMAT = Format(
    name="routerarena-predictions",
    title="RouterArena predictions",
    holds=("picks", "outcomes", "questions"),
    detect=_detect,
    read=_read,
    files="*.json",
    row="record",
    lacks=("references: the questions are not graded", "latency"),
)

NOT_CARRIED = ("difficulty, category, task type", "latency and time to first token", "grader and judge")
"""What of a run has no place in a prediction file."""


def records(rows: Iterable[ResultRow]) -> Iterator[dict[str, Any]]:
    """Yield a record for each row: one arm's, one row a question."""
    for row in rows:
        usage = row.usage
        tokens = (usage.prompt_tokens or 0, usage.completion_tokens or 0)
        yield {
            "global index": row.id,
            "prompt": row.question,
            "prediction": row.model,
            "generated_result": {
                "generated_answer": row.answer or "",
                "success": row.status == "ok",
                "token_usage": {
                    "input_tokens": tokens[0],
                    "output_tokens": tokens[1],
                    "total_tokens": sum(tokens),
                },
                "provider": row.provider or "unknown",
                "error": row.error.message if row.error else None,
            },
            "cost": row.cost_usd,
            "accuracy": row.grade.score if row.grade else None,
        }
