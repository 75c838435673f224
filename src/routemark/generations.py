"""What the journal tells of generations beside their outcomes: ids that arrived, costs looked up later.

A request is billed from the moment it is served, but its outcome is written when it is over. What a
crash cut off in between left an id behind, so that its cost can still be looked up. No line is ever
rewritten: `settled` puts what was looked up into an outcome as it is read.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping
from hashlib import blake2b
from pathlib import Path
from typing import Literal, NamedTuple, TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from routemark.journal import Event, replay
from routemark.records import Attempt, Completion, Outcome


class Wanted(NamedTuple):
    """A generation to look up, with what the journal tells of it."""

    id: str
    trial: str
    at: str
    """When its request was sent, or its id arrived; UTC, ISO 8601."""
    kind: Literal["answer", "attempt", "open"]
    """It gave the trial's answer, failed, or was cut off by a crash before its outcome."""
    question_id: str | None = None
    arm: str | None = None
    model: str | None = None
    cost_usd: float | None = None


BilledT = TypeVar("BilledT", Attempt, Completion)

ARRIVED = "generation"
"""Name of the event that a generation id has come with the head of a response."""
LOOKED_UP = "audit"
"""Name of the event that the cost of a generation, unknown before, was looked up."""


def arrived(trial: str, generation_id: str, at: str) -> Event:
    """Give the line that is written as soon as a generation's id is known."""
    return Event(event=ARRIVED, at=at, data={"trial": trial, "generation_id": generation_id})


def looked_up(trial: str, generation_id: str, at: str, *, cost_usd: float, left_open: bool) -> Event:
    """Give the line of a cost that was looked up; ``left_open``: no outcome tells of the generation."""
    data = {"trial": trial, "generation_id": generation_id, "cost_usd": cost_usd, "left_open": left_open}
    return Event(event=LOOKED_UP, at=at, data=data)


def is_sound(event: Event) -> bool:
    """Tell whether a line of a lookup holds all that it was written with; other events always do."""
    if event.event != LOOKED_UP:
        return True
    trial, name, cost = (event.data.get(key) for key in ("trial", "generation_id", "cost_usd"))
    texts = isinstance(trial, str) and isinstance(name, str)
    return texts and isinstance(cost, int | float) and isinstance(event.data.get("left_open"), bool)


def cost_of(event: Event) -> float:
    """Give the cost that a `looked_up` line tells, US dollars."""
    return float(event.data["cost_usd"])


def id_of(event: Event) -> str:
    """Give the generation that a line of either kind is about."""
    return str(event.data["generation_id"])


def settled(outcome: Outcome, costs: Mapping[str, float]) -> Outcome:
    """Give the outcome with the costs that it does not know itself, by generation id, in US dollars."""
    failed = {id(attempt) for attempt in failed_attempts(outcome)}
    attempts = [_priced(one, costs) if id(one) in failed else one for one in outcome.attempts]
    completion = None if outcome.completion is None else _priced(outcome.completion, costs)
    return msgspec.structs.replace(outcome, attempts=attempts, completion=completion)


def failed_attempts(outcome: Outcome) -> list[Attempt]:
    """Give the attempts that have a generation, and a cost, of their own: not the one that gave the answer."""
    answered = None if outcome.completion is None else outcome.completion.generation_id
    return [
        attempt
        for attempt in outcome.attempts
        if attempt.kind is not None and attempt.generation_id not in (None, answered)
    ]


def _priced(part: BilledT, costs: Mapping[str, float]) -> BilledT:
    cost = costs.get(part.generation_id or "")
    if part.cost_usd is not None or cost is None:
        return part
    return msgspec.structs.replace(part, cost_usd=cost, cost_source="lookup")


# --------------------------------------------------------------------------- what to look up


def wanted(journal: Path) -> Iterator[Wanted]:
    """Yield each generation of a journal, in the order of writing; those looked up before with their cost.

    The journal is read twice, and 8 bytes are kept for each generation.
    """
    ended, costs = _ended(journal)
    seen_open: set[int] = set()
    for entry in replay(journal):
        match entry.record:
            case Outcome():
                yield from _of_outcome(settled(entry.record, costs))
            case Event() as event if event.event == ARRIVED:
                one = _of_event(event)
                name = _hash(one.id)
                at = int(np.searchsorted(ended, name))
                if (at < len(ended) and ended[at] == name) or name in seen_open:
                    continue
                seen_open.add(name)
                yield one._replace(cost_usd=costs.get(one.id))


def _ended(journal: Path) -> tuple[NDArray[np.uint64], dict[str, float]]:
    """Give the sorted hashes of the ids that outcomes tell of, and the costs looked up before."""
    names = array("Q")
    costs: dict[str, float] = {}
    for entry in replay(journal):
        match entry.record:
            case Outcome():
                names.extend(_hash(one.id) for one in _of_outcome(entry.record))
            case Event() as event if event.event == LOOKED_UP:
                costs[id_of(event)] = cost_of(event)
    return np.unique(np.array(names, dtype=np.uint64)), costs


def _of_outcome(outcome: Outcome) -> Iterator[Wanted]:
    about = {"trial": outcome.trial, "question_id": outcome.question_id, "arm": outcome.arm}
    for attempt in failed_attempts(outcome):
        yield Wanted(
            attempt.generation_id or "",
            at=attempt.started_at,
            kind="attempt",
            cost_usd=attempt.cost_usd,
            **about,
        )
    answer = outcome.completion
    if answer is not None and answer.generation_id:
        at = outcome.attempts[-1].started_at if outcome.attempts else ""
        yield Wanted(
            answer.generation_id, at=at, kind="answer", model=answer.model, cost_usd=answer.cost_usd, **about
        )


def _of_event(event: Event) -> Wanted:
    return Wanted(id_of(event), trial=str(event.data["trial"]), at=event.at, kind="open")


def _hash(name: str) -> int:
    return int.from_bytes(blake2b(name.encode("utf-8", "replace"), digest_size=8).digest())
