"""What the gateway has done so far: bills, generations to look up, and the counts of ``/__stats``.

Generations and pairs of session and prompt are kept for the last 200,000, sessions counted up to a
million; the totals go on for ever.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import msgspec

from routemark.gateway.bodies import Labels
from routemark.gateway.bounded import BoundedDict
from routemark.gateway.catalogue import PICO
from routemark.gateway.completed import Completed
from routemark.gateway.request import ChatRequest

_KEPT = 200_000
_SESSIONS_COUNTED = 1_000_000


class Generation(msgspec.Struct, frozen=True, array_like=True):
    """What the lookup knows of one answer."""

    id: str
    request_id: str
    created: int
    finished: float
    """On the gateway's monotonic clock, seconds."""
    model: str
    permaslug: str
    provider: str
    router: str | None
    tries: tuple[tuple[str, int], ...]
    """(provider, status)."""
    streamed: bool
    session_id: str | None
    prompt_tokens: int | None
    completion_tokens: int | None
    reasoning_tokens: int | None
    cached_tokens: int | None
    finish_reason: str | None
    cost_usd: float | None
    saved_usd: float
    ttft_s: float
    total_s: float


class Ledger:
    """Counts requests, keeps bills."""

    def __init__(self) -> None:
        self.in_flight = 0
        self._peak = 0
        self._statuses: Counter[int] = Counter()
        self._faults: Counter[str] = Counter()
        self._models: Counter[str] = Counter()
        self._sessions: set[int] = set()
        self._free_requests = 0
        self._billed_pico = 0
        self._undelivered_pico = 0
        self._billed = 0
        self._undelivered = 0
        self._rebilled = 0
        self._double = 0
        self._pairs: BoundedDict[int, bool] = BoundedDict(_KEPT)
        """Session, prompt and model that were billed; True when the answer was delivered, too."""
        self._generations: BoundedDict[str, bytes] = BoundedDict(_KEPT)
        self._encode = msgspec.msgpack.Encoder().encode
        self._decode = msgspec.msgpack.Decoder(Generation).decode

    # ----------------------------------------------------------------------- counting

    def enter(self) -> None:
        """Count a chat request in flight."""
        self.in_flight += 1
        self._peak = max(self._peak, self.in_flight)

    def leave(self) -> None:
        """Count it out."""
        self.in_flight -= 1

    def note_session(self, session_id: str | None) -> None:
        """Count a session once."""
        if session_id is not None and len(self._sessions) < _SESSIONS_COUNTED:
            self._sessions.add(hash(session_id))

    def note_status(self, status: int) -> None:
        """Count a response; 0 stands for none at all."""
        self._statuses[status] += 1

    def note_fault(self, name: str) -> None:
        """Count a fault."""
        self._faults[name] += 1

    # ----------------------------------------------------------------------- billing

    def bill(self, request: ChatRequest, completed: Completed, labels: Labels, finished: float) -> None:
        """Book an answer before it is sent: what happens to it on the wire changes no bill."""
        cost = round((completed.cost_usd or 0.0) * PICO)
        self._billed += 1
        self._billed_pico += cost
        self._undelivered += 1
        self._undelivered_pico += cost
        self._models[completed.model] += 1
        self._free_requests += completed.model.endswith(":free")
        self._note_pair(request, completed)
        generation = _generation(request, completed, labels, finished)
        self._generations[generation.id] = self._encode(generation)

    def _note_pair(self, request: ChatRequest, completed: Completed) -> None:
        if request.session_id is None:
            return
        pair = _pair(request, completed)
        before = self._pairs.get(pair)
        self._rebilled += before is not None
        self._double += before is True
        self._pairs[pair] = before is True

    def deliver(self, request: ChatRequest, completed: Completed) -> None:
        """Note that a booked answer went out whole."""
        self._undelivered -= 1
        self._undelivered_pico -= round((completed.cost_usd or 0.0) * PICO)
        if request.session_id is not None:
            self._pairs[_pair(request, completed)] = True

    def find(self, generation_id: str) -> Generation | None:
        """Give a generation, when it is still known."""
        stored = self._generations.get(generation_id)
        return None if stored is None else self._decode(stored)

    @property
    def billed_usd(self) -> float:
        """US dollars billed in all."""
        return self._billed_pico / PICO

    @property
    def free_requests(self) -> int:
        """Answers of free variants."""
        return self._free_requests

    def stats(self) -> dict[str, Any]:
        """Give the counts of ``/__stats``.

        ``rebilled`` counts bills for what the same session had been billed before (same prompt,
        same model); ``double_bills`` those of them whose earlier answer had gone out whole, so that
        asking again was the client's doing.
        """
        return {
            "requests": sum(self._statuses.values()) + self.in_flight,
            "by_status": {str(status): count for status, count in sorted(self._statuses.items())},
            "by_fault": dict(sorted(self._faults.items())),
            "in_flight": self.in_flight,
            "in_flight_peak": self._peak,
            "distinct_sessions": len(self._sessions),
            "double_bills": self._double,
            "rebilled": self._rebilled,
            "billed": self._billed,
            "billed_usd": self.billed_usd,
            "billed_undelivered": self._undelivered,
            "billed_undelivered_usd": self._undelivered_pico / PICO,
            "by_model": dict(self._models.most_common()),
        }


def _pair(request: ChatRequest, completed: Completed) -> int:
    return hash((request.session_id, request.key, completed.model))


def _generation(request: ChatRequest, completed: Completed, labels: Labels, finished: float) -> Generation:
    saved = 0.0 if completed.bill is None else completed.bill.saved_pico / PICO
    return Generation(
        id=labels.generation_id,
        request_id=labels.request_id,
        created=labels.created,
        finished=finished,
        model=completed.model,
        permaslug=completed.permaslug,
        provider=completed.provider,
        router=completed.router,
        tries=tuple((one.provider, one.status) for one in completed.tries),
        streamed=request.stream,
        session_id=request.session_id,
        prompt_tokens=completed.prompt_tokens,
        completion_tokens=completed.completion_tokens,
        reasoning_tokens=completed.reasoning_tokens,
        cached_tokens=completed.cached_tokens,
        finish_reason=completed.finish_reason,
        cost_usd=completed.cost_usd,
        saved_usd=saved,
        ttft_s=completed.times.ttft_s,
        total_s=completed.times.total_s,
    )
