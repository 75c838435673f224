"""What driver and workers of a cluster tell each other. No message holds a key."""

from __future__ import annotations

from typing import TypeVar

import msgspec
from msgspec import field

from routemark.errors import FailureKind
from routemark.records import Attempt, Outcome, Record, Trial
from routemark.wire.failures import Refusal, refused
from routemark.wire.request import RequestOptions


class Setup(Record, frozen=True, kw_only=True):
    """What a worker's client is made of, but for its key."""

    base_url: str
    options: RequestOptions
    transport: str
    concurrency: int
    timeout_s: float
    idle_timeout_s: float
    max_attempts: int
    simulated: bool
    """The gateway is the simulated one, which takes any key."""
    metered: bool
    """Every request but a trial's first must be paid for by the driver before it is sent."""


class Hello(Record, frozen=True, kw_only=True):
    """A worker is ready."""

    host: str
    pid: int
    keyed: bool
    """Its environment holds an API key."""


class Heard(Record, frozen=True, kw_only=True):
    """An attempt is over."""

    arm: str
    kind: FailureKind | None = None
    """None: an answer came."""
    status: int | None = None
    retry_after_s: float | None = None

    @classmethod
    def of(cls, arm: str, refusal: Refusal | None) -> Heard:
        """Tell of an attempt."""
        if refusal is None:
            return cls(arm=arm)
        return cls(arm=arm, kind=refusal.kind, status=refusal.status, retry_after_s=refusal.retry_after_s)

    def refusal(self) -> Refusal | None:
        """Give what the pace must know of it."""
        if self.kind is None:
            return None
        bare = refused(self.kind, "", status=self.status)
        return msgspec.structs.replace(bare, retry_after_s=self.retry_after_s)


class Again(Record, frozen=True, kw_only=True):
    """A trial wants another request paid for."""

    trial: str
    attempt: Attempt
    """Its latest, which is over."""


class Granted(Record, frozen=True, kw_only=True):
    """Whether a trial's next request is paid for."""

    trial: str
    paid: bool


class Arrived(Record, frozen=True, kw_only=True):
    """A generation's id came."""

    trial: str
    generation_id: str


class Ended(Record, frozen=True, kw_only=True):
    """A trial is over."""

    trial: str
    outcome: Outcome | None
    """None: it was given up without one, since the run stops."""


class Order(Record, frozen=True, kw_only=True):
    """The driver to a worker."""

    number: int
    """Rising: an order that comes twice, since its receipt was lost, is followed once."""
    trials: list[Trial] = field(default_factory=list)
    granted: list[Granted] = field(default_factory=list)
    refused: list[Heard] = field(default_factory=list)
    """What other workers were refused, where it bids to wait."""
    lease: int = 0
    """Number of the lease."""
    slots: int = 0
    close: bool = False
    """Send nothing more; what is in flight goes on."""


class Report(Record, frozen=True, kw_only=True):
    """A worker to the driver: all that the driver has not acknowledged, and how things stand."""

    number: int
    heard: list[Heard] = field(default_factory=list)
    arrived: list[Arrived] = field(default_factory=list)
    again: list[Again] = field(default_factory=list)
    ended: list[Ended] = field(default_factory=list)
    lags_s: list[float] = field(default_factory=list)
    """How late the worker's loop ran, seconds."""
    lease: int = 0
    """Number of the latest lease seen."""
    in_flight: int = 0
    pausing: int = 0
    """Trials that wait for another reason than a slot."""


MessageT = TypeVar("MessageT", bound=Record)


def pack(message: Record) -> bytes:
    """Give a message's bytes."""
    return msgspec.json.encode(message)


def unpack(data: bytes, kind: type[MessageT]) -> MessageT:
    """Give a message."""
    return msgspec.json.decode(data, type=kind)
