"""What judges said, in the journal: each reply is a line of its own, written before the grade that it leads to.

So nothing that was paid for is lost by a crash, nobody is asked twice for the same, and a grade can be made
again from the reply. Replies are found by the hash of what was sent: model, settings and prompt.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import BinaryIO

import msgspec

from routemark.journal import Event, Journal, read_at, replay
from routemark.records import Outcome, Record

JUDGED = "judged"
"""Name of the event that a judge was asked, answered or not."""


class Consultation(Record, frozen=True, kw_only=True):
    """A prompt that was put to a judge, and what came of it."""

    trial: str
    """Key of the trial whose answer is judged, and which bears the cost."""
    request_bytes: int
    """Of the request's JSON, without its session id."""
    outcome: Outcome
    """Of the judge's own trial: its attempts, and the reply or the failure."""


def judged(consultation: Consultation, at: str) -> Event:
    """Give the line of a consultation, without what no grade needs."""
    reply = consultation.outcome.completion
    if reply is not None:
        bare = msgspec.structs.replace(reply, usage_raw=None, metadata=None, reasoning=None)
        outcome = msgspec.structs.replace(consultation.outcome, completion=bare)
        consultation = msgspec.structs.replace(consultation, outcome=outcome)
    return Event(event=JUDGED, at=at, data=msgspec.to_builtins(consultation))


def consultation_of(event: Event) -> Consultation:
    """Give the consultation of its line."""
    return msgspec.convert(event.data, Consultation)


def cost_of(event: Event) -> float:
    """Give the known cost of a consultation by its line, US dollars."""
    return consultation_of(event).outcome.cost_usd or 0.0


def is_sound(event: Event) -> bool:
    """Tell whether the line of a consultation holds all that it was written with; other events always do."""
    if event.event != JUDGED:
        return True
    try:
        consultation_of(event)
    except msgspec.ValidationError:
        return False
    return True


class Replies:
    """The replies in a journal that is open for writing; memory holds their places alone."""

    def __init__(self, journal: Journal, now: Callable[[], str]) -> None:
        self._journal = journal
        self._now = now
        self._at: dict[bytes, int] = {}
        self._file: BinaryIO = journal.path.open("rb")
        for offset, consultation in self._consultations():
            self._note(offset, consultation)

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def find(self, request_sha256: str) -> Consultation | None:
        """Give the newest reply to a request; None when there is none."""
        at = self._at.get(bytes.fromhex(request_sha256))
        event = read_at(self._file, at) if at is not None else None
        return consultation_of(event) if isinstance(event, Event) else None

    def add(self, consultation: Consultation) -> None:
        """Journal a consultation. Raises: JournalError."""
        offset = self._journal.size
        self._journal.append(judged(consultation, self._now()))
        self._note(offset, consultation)

    def _note(self, offset: int, consultation: Consultation) -> None:
        sent = consultation.outcome.request_sha256
        if consultation.outcome.completion is not None and sent is not None:
            self._at[bytes.fromhex(sent)] = offset

    def _consultations(self) -> Iterator[tuple[int, Consultation]]:
        for offset, record in replay(self._journal.path):
            if isinstance(record, Event) and record.event == JUDGED:
                yield offset, consultation_of(record)
