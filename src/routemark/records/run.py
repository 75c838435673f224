"""The run: its manifest."""

from __future__ import annotations

from typing import Any, Literal

from routemark.records.asked import Arm
from routemark.records.base import Record

RunStatus = Literal["running", "complete", "stopped"]


class ClientHealth(Record, frozen=True, kw_only=True):
    """The client's own share of what it measured."""

    loop_lag_p99_s: float | None = None
    """99th percentile of how late the event loop ran, seconds."""
    queue_p99_s: float | None = None
    """99th percentile of admitted-but-not-yet-sent, seconds."""
    limited: bool = False
    """The client's share is above 5 % of the median latency: read latencies as upper bounds."""


class Run(Record, frozen=True, kw_only=True):
    """The manifest, ``run.json``."""

    schema: str = "routemark.run/1"
    id: str
    status: RunStatus
    stop_reason: str | None = None
    simulated: bool
    """Answered by the simulated gateway: fictitious models, no meaning beyond the wiring."""
    started_at: str
    finished_at: str | None = None
    questions_sha256: str
    questions: int
    """Number of questions planned."""
    arms: list[Arm]
    repeats: int = 1
    seed: int = 0
    window: int = 32
    """Questions per window of the plan."""
    base_url: str
    routemark_version: str
    settings: dict[str, Any] = {}
    """All settings as resolved, without secrets."""
    client: ClientHealth = ClientHealth()
