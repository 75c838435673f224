"""An answer with all that the response, the ledger and the lookup need to know about it."""

from __future__ import annotations

from typing import Any, Protocol

from routemark.gateway.billing import FREE, Bill
from routemark.gateway.latency import Times
from routemark.gateway.request import ChatRequest
from routemark.records import Record


class Try(Record, frozen=True, kw_only=True):
    """One provider asked on the way to the answer."""

    provider: str
    model: str
    status: int


class Completed(Record, frozen=True, kw_only=True):
    """One answer."""

    requested: str
    """The slug that was asked for."""
    router: str | None
    """Slug of the router that decided; None when the model was named."""
    strategy: str
    task_type: str | None
    model: str
    """The model that served."""
    permaslug: str
    """Its dated name."""
    provider: str
    tries: tuple[Try, ...]
    """The last one served."""
    offers: tuple[tuple[str, str], ...]
    """Other ways it could have gone, the chosen one included: (provider, model)."""
    repeat: int
    text: str
    reasoning: str | None = None
    finish_reason: str | None = "stop"
    native_finish_reason: str | None = "stop"
    prompt_tokens: int | None
    completion_tokens: int | None
    """Reasoning tokens included."""
    reasoning_tokens: int | None = 0
    cached_tokens: int | None = 0
    cost_usd: float | None
    """US dollars; None when a recording does not say."""
    bill: Bill | None = FREE
    """Where the cost comes from; None for a recording, which knows the total only."""
    times: Times


class Backend(Protocol):
    """What answers the requests: simulated models, or recordings."""

    def complete(self, request: ChatRequest) -> Completed:
        """Answer a request.

        Raises: RefusedError when it cannot be served.
        """
        ...

    def note_served(self, request: ChatRequest, completed: Completed) -> None:
        """Learn that an answer was given, for conversations that stick to their model."""
        ...

    def models(self) -> list[dict[str, Any]]:
        """Give the rows of ``/models``."""
        ...

    def endpoints(self, model_id: str) -> dict[str, Any] | None:
        """Give a model with its providers' offers; None when there is no such model."""
        ...
