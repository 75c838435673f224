"""The run: its manifest."""

from __future__ import annotations

from typing import Any, Literal

from routemark.records.asked import Arm
from routemark.records.base import Record
from routemark.records.stability import Copies

RunStatus = Literal["running", "complete", "stopped"]


class ClientHealth(Record, frozen=True, kw_only=True):
    """The client's own share of what it measured."""

    loop_lag_p99_s: float | None = None
    """99th percentile of how late the event loop ran, seconds."""
    queue_p99_s: float | None = None
    """99th percentile of admitted-but-not-yet-sent, seconds."""
    limited: bool = False
    """The client's share is above 5 % of the median latency: read latencies as upper bounds."""


class Shard(Record, frozen=True, kw_only=True):
    """Which share of an undivided plan a run asks, and what that plan is made of."""

    number: int
    """From 1 to ``count``."""
    count: int
    questions: int
    """Of the undivided plan, perturbed copies included: ``questions.json`` holds them all."""
    questions_sha256: str
    """Of the undivided plan."""
    perturbed: dict[str, Copies] = {}
    """Of the undivided plan."""

    def __str__(self) -> str:
        return f"shard {self.number} of {self.count}"

    @property
    def originals(self) -> int:
        """Number of questions of the undivided plan that are no perturbed copies."""
        return self.questions - sum(kind.copies for kind in self.perturbed.values())


class Run(Record, frozen=True, kw_only=True):
    """The manifest, ``run.json``."""

    schema: str = "routemark.run/1"
    id: str
    status: RunStatus
    stop_reason: str | None = None
    decided: bool = False
    """Stopped since ``--until-decided`` had its answer: nothing is missing by intent."""
    simulated: bool
    """Answered by the simulated gateway: fictitious models, no meaning beyond the wiring."""
    started_at: str
    finished_at: str | None = None
    questions_sha256: str
    """Of the questions planned."""
    questions: int
    """Number of questions planned, perturbed copies included."""
    shard: Shard | None = None
    """The run asks this share of a plan; None: all of it. Counts and hashes of the run are those of the share."""
    plan_id: str | None = None
    """What the shards of one plan call it; session ids are made of it. None: ``id``."""
    perturbed: dict[str, Copies] = {}
    """The perturbed copies among them, which stand at the end of the question file, by kind."""
    arms: list[Arm]
    """As planned."""
    baselines: list[Arm] = []
    """Arms that joined because a router picked their models (``--baselines``), in the order in which they did."""
    asked_as: dict[str, str] = {}
    """Name under which a picked model served -> slug under which it is asked."""
    unaskable: dict[str, str] = {}
    """Name under which a picked model served -> why it is not asked directly, a clause."""
    repeats: int = 1
    seed: int = 0
    window: int = 32
    """Questions per window of the plan."""
    base_url: str
    routemark_version: str
    settings: dict[str, Any] = {}
    """All settings as resolved, without secrets."""
    client: ClientHealth = ClientHealth()
    plugins: dict[str, str] = {}
    """``grader words`` -> ``routemark-example 0.1.0``: what plugins brought when the run began, and which package."""

    @property
    def all_arms(self) -> list[Arm]:
        """The planned arms, and behind them those that joined."""
        return [*self.arms, *self.baselines]

    @property
    def copies(self) -> int:
        """Number of perturbed copies among the questions."""
        return sum(kind.copies for kind in self.perturbed.values())

    @property
    def originals(self) -> int:
        """Number of questions that are no perturbed copies."""
        return self.questions - self.copies
