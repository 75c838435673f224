"""OmnisBench's ``results.json``: under ``items`` what each routing policy picked, and what came of it.

Policies that always take one model are policies, too. Prompts are not in the file.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from routemark.errors import UsageError
from routemark.interop.entries import Entries, Entry, Format, Wrong, document, part, structs
from routemark.interop.heads import Head


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
