"""What the gateway remembers of sessions: which repeat a request is, which attempt, which model.

Which repeat of a prompt a request is decides which answer it gets, so it must not depend on order:
a session id that ends in ``.rN`` names repeat N (the client that numbers its repeats gets the same
answers whatever order it asks in). Other session ids are counted as they first come, for each slug
asked and prompt, and one that asks again what it was answered before gets a new answer: the next repeat.
A request without session id is repeat 0.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable

from routemark.gateway.bounded import BoundedDict

_NAMED_REPEAT = re.compile(r"\.r(\d{1,9})$")
_REMEMBERED = 200_000
_STICKY_S = 600.0
"""A conversation's model is forgotten when it was idle for longer."""


class Repeats:
    """Numbers the sessions that ask the same thing."""

    def __init__(self) -> None:
        self._next: BoundedDict[Hashable, int] = BoundedDict(_REMEMBERED)
        self._numbers: BoundedDict[Hashable, int] = BoundedDict(_REMEMBERED)
        self._answered: BoundedDict[Hashable, int] = BoundedDict(_REMEMBERED)
        """How often a session was answered the same prompt."""

    def note_answered(self, asked: str, prompt_key: int, session_id: str | None) -> None:
        """Let the session's next request for the same be another repeat."""
        if session_id is not None and not _NAMED_REPEAT.search(session_id):
            about = (asked, prompt_key, session_id)
            self._answered[about] = self._answered.get(about, 0) + 1

    def number(self, asked: str, prompt_key: int, session_id: str | None) -> int:
        """Give the 0-based repeat of a session for a slug and prompt."""
        if session_id is None:
            return 0
        named = _NAMED_REPEAT.search(session_id)
        if named is not None:
            return int(named.group(1))
        known = self._numbers.get((asked, prompt_key, session_id))
        if known is not None:
            return known + self._answered.get((asked, prompt_key, session_id), 0)
        number = self._next.get((asked, prompt_key), 0)
        self._next[(asked, prompt_key)] = number + 1
        self._numbers[(asked, prompt_key, session_id)] = number
        return number


class Attempts:
    """Numbers the requests of one session for one prompt."""

    def __init__(self) -> None:
        self._counts: BoundedDict[Hashable, int] = BoundedDict(_REMEMBERED)

    def number(self, prompt_key: int, session_id: str | None) -> int:
        """Give the 0-based number of this request, and count it."""
        number = self._counts.get((prompt_key, session_id), 0)
        self._counts[(prompt_key, session_id)] = number + 1
        return number


class StickyModels:
    """Remembers which model and provider a conversation was served by."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        """Monotonic seconds."""
        self._served: BoundedDict[tuple[str, str], tuple[str, str, float]] = BoundedDict(_REMEMBERED)

    def recall(self, router: str, key: str) -> tuple[str, str] | None:
        """Give the (model, provider) of a conversation that is not idle for too long."""
        served = self._served.get((router, key))
        if served is None or self._clock() - served[2] > _STICKY_S:
            return None
        return served[0], served[1]

    def remember(self, router: str, key: str, model: str, provider: str) -> None:
        """Note what served a conversation now."""
        self._served[(router, key)] = (model, provider, self._clock())
