"""OmnisBench's ``results.json``: under ``items`` what each routing policy picked, and what came of it.

Policies that always take one model are policies, too. Prompts are not in the file.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any

import msgspec

from routemark.errors import UsageError
from routemark.interop.entries import Entries, Entry, Format, Wrong, document, part, structs
from routemark.interop.heads import Head
from routemark.interop.wide import score_of
from routemark.records import ResultRow

_PASSED = 0.5


class _Item(msgspec.Struct):
    policy: str
    item_id: str
    chosen_model: str
    passed: bool
    dataset: str | None = None
    cost_usd: float | None = None
    latency_ms: float | None = None


def _detect(head: Head) -> bool:
    return head.shape == "object" and head.has("provenance", "leaderboard")


def _read(path: Path) -> Entries:
    found = document(path)
    items, unpriced = part(found, "items"), part(found, "provenance", "unpriced_models")
    if not isinstance(items, list):
        raise UsageError(f"{path}: not a result of OmnisBench: it has no list of items.")
    free = {model for model in unpriced if isinstance(model, str)} if isinstance(unpriced, list) else set()
    for item in structs(items, _Item):
        if isinstance(item, Wrong):
            yield item
        else:
            yield _entry(*item, unpriced=free)


def _entry(number: int, item: _Item, unpriced: set[str]) -> Entry:
    return Entry(
        number,
        f"{item.dataset}/{item.item_id}" if item.dataset else item.item_id,
        item.chosen_model,
        arm=item.policy,
        score=float(item.passed),
        cost_usd=None
        if item.chosen_model in unpriced
        else item.cost_usd,  # theirs says 0 for "no price known"
        latency_s=None if item.latency_ms is None else item.latency_ms / 1000,
        category=item.dataset,
        repeat=item.policy,
    )


NOT_CARRIED = (
    "prompts, references, labels of questions",
    "repeats after the first",
    "scores between 0 and 1: passed from 0.5 on",
    "questions without a score",
)
"""What of a run has no place in such a file."""


def document_of(rows: Iterable[ResultRow], routers: Collection[str]) -> dict[str, Any]:
    """Give the file of a run, from the rows of first answers: every arm is a policy, of a fixed model ``always_...``."""
    items = [
        _item(row, row.arm if row.arm in routers else f"always_{row.arm}")
        for row in rows
        if score_of(row) is not None
    ]
    free = sorted({str(item["chosen_model"]) for item in items if item["cost_usd"] is None})
    return {
        "provenance": {"snapshot_date": "", "run_date": "", "max_tokens": 0, "unpriced_models": free},
        "frontier_model": None,
        "contamination_counts": {},
        "leaderboard": [],
        "splits": {},
        "items": items,
    }


def _item(row: ResultRow, policy: str) -> dict[str, Any]:
    return {
        "policy": policy,
        "dataset": None,
        "item_id": row.id,
        "grader": row.grade.grader if row.grade else "",
        "response_text": row.answer or "",
        "chosen_model": row.model or row.arm,
        "passed": (score_of(row) or 0.0) >= _PASSED,
        "cost_usd": row.cost_usd,
        "input_tokens": row.usage.prompt_tokens,
        "output_tokens": row.usage.completion_tokens,
        "latency_ms": None if row.latency_s is None else row.latency_s * 1000,
    }


FORMAT = Format(
    name="omnisbench",
    title="OmnisBench results",
    holds=("outcomes", "picks"),
    detect=_detect,
    read=_read,
    files="results.json",
    row="item",
    lacks=("prompts",),
)
