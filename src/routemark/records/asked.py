"""What is asked: questions, arms, trials."""

from __future__ import annotations

from typing import Any

from routemark.records.base import Record


class GraderSpec(Record, frozen=True, kw_only=True):
    """Which grader judges an answer, and with which options."""

    name: str
    """Name in the registry: ``exact``, ``choice``, ``numeric``, ..."""
    options: dict[str, Any] = {}
    """Options of that grader; unknown ones are refused when the question file is loaded."""


class Question(Record, frozen=True, kw_only=True):
    """One thing to ask, with what is needed to judge the answer."""

    id: str
    """Unique in its set."""
    difficulty: str
    """Any label; the shipped set uses ``easy``, ``hard`` and ``opt``."""
    question: str
    """The prompt; with ``messages``, the text of the last user message (for display and search)."""
    messages: list[dict[str, Any]] | None = None
    """A whole conversation in the OpenAI chat format, sent instead of ``question``."""
    reference: Any = None
    """The expected answer, as the grader wants it; None: the answer is not graded."""
    choices: list[str] | None = None
    """Texts of the choices A, B, C, ...; they are part of the prompt when ``question`` lacks them."""
    grader: GraderSpec | None = None
    """None: chosen from the reference (see graders.resolve)."""
    category: str | None = None
    """Any label."""
    metadata: dict[str, Any] = {}
    """Kept, never sent. ``family`` groups questions that are not independent of each other."""


class Arm(Record, frozen=True, kw_only=True):
    """What is asked and compared: a router with its settings, a fixed model, or a fallback list."""

    name: str
    """Unique and readable, e.g. ``openrouter/auto?cost_tier=low``: the key in every output."""
    model: str
    """The slug that is sent."""
    models: list[str] | None = None
    """Fallback list, in order of priority, sent beside ``model``."""
    plugin: dict[str, Any] | None = None
    """The router plugin to send, with its ``id``; None for a fixed model or a plugin-less router."""
    body: dict[str, Any] = {}
    """Other request fields of this arm (``temperature``, ``provider``, ...), sent as they are."""
    is_router: bool = False
    """The slug is known to name a router, not a model."""
    sticky: bool = False
    """The repeats of a question share one session, one after another, so that stickiness can be measured.

    Never sent: what is sent is the shared session id.
    """


class Trial(Record, frozen=True, kw_only=True):
    """The unit of work: one question put to one arm, once."""

    key: str
    """Names the trial across restarts: hash of question id, arm name, repeat and what would be sent."""
    question: Question
    arm: Arm
    repeat: int
    """0-based."""
    session_id: str
    """Sent with every attempt of this trial and of no other, so that answers stay independent.

    Only the repeats of a sticky arm's question share theirs.
    """
    window: int = 0
    """Index of the window of questions in which the trial was planned; of one that joined, behind which it is asked."""
