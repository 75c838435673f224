"""The rows of results.json."""

from __future__ import annotations

from typing import Any, Literal

from routemark.records.answered import CostSource, Usage
from routemark.records.base import Record


class GradeRow(Record, frozen=True, kw_only=True):
    """The grade inside a row of results.json."""

    score: float | None
    grader: str
    extracted: str | None
    reason: str
    judge: str | None = None
    """The model that judged, as served; None: no model was asked."""
    prompt_sha256: str | None = None
    """Of all that the judge was sent."""
    cost_usd: float | None = None
    """Of judging, US dollars."""


class ErrorRow(Record, frozen=True, kw_only=True):
    """The failure inside a row of results.json."""

    kind: str
    status: int | None
    message: str


class ResultRow(Record, frozen=True, kw_only=True):
    """One trial in results.json, flat."""

    id: str
    difficulty: str
    category: str | None
    question: str
    reference: Any
    """The expected answer, as in the question file; None: there is none."""
    arm: str
    repeat: int
    status: Literal["ok", "failed"]
    model: str | None
    provider: str | None
    task_type: str | None
    answer: str | None
    finish_reason: str | None
    grade: GradeRow | None
    usage: Usage
    cost_usd: float | None
    cost_source: CostSource | None
    latency_s: float | None
    ttft_s: float | None
    queue_s: float | None
    attempts: int
    generation_id: str | None
    error: ErrorRow | None
    counted: bool
    """In the finished prefix, hence in the summary; never for a perturbed copy."""
    flags: list[str] = []
    """What is odd about how the answer was served (see wire.checks.FLAGS); empty when nothing is."""
    perturbed_from: str | None = None
    """Id of the question that this one is a perturbed copy of; None: it is no copy."""
    perturbation: str | None = None
    """The kind of change."""
    picked: str | None = None
    """The slug that a router which is a plugin picked; None for every other arm."""
    pick_s: float | None = None
    """Seconds that such a router took by itself; in no latency."""
