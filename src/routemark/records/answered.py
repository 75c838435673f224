"""What comes back: attempts, completions, failures, outcomes, grades."""

from __future__ import annotations

from typing import Any, Literal

from routemark.records.base import Record


class Usage(Record, frozen=True, kw_only=True):
    """Tokens as the gateway counted them; None where it did not say."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    """Includes reasoning tokens."""
    reasoning_tokens: int | None = None
    cached_tokens: int | None = None
    """Prompt tokens served from the provider's prompt cache."""


CostSource = Literal["billed", "lookup", "prices"]


class Attempt(Record, frozen=True, kw_only=True):
    """One HTTP request within a trial."""

    started_at: str
    """UTC, ISO 8601, when the request was handed to the transport."""
    duration_s: float
    """Seconds from there to the last byte or the failure, by a monotonic clock."""
    status: int | None = None
    """HTTP status; None when no response came."""
    kind: str | None = None
    """Failure kind (see errors.FailureKind); None when the attempt gave the answer."""
    message: str | None = None
    """What was wrong, in the gateway's or the transport's words."""
    retry_after_s: float | None = None
    """Wait asked for by the gateway, seconds."""
    waited_s: float | None = None
    """Pause that followed before the next attempt, seconds; None when none followed."""
    generation_id: str | None = None
    request_id: str | None = None
    cf_ray: str | None = None
    cost_usd: float | None = None
    """Cost known for a failed attempt; the answer's own cost stands in the completion."""
    cost_source: CostSource | None = None
    """Set where ``cost_usd`` was not billed with the response but looked up afterwards."""


class Completion(Record, frozen=True, kw_only=True):
    """An answer."""

    text: str
    """The message content; empty when the model said nothing."""
    model: str
    """The model that served, as the gateway named it; never the router's slug."""
    provider: str | None = None
    task_type: str | None = None
    """What the router took the prompt for, e.g. ``code:debugging``."""
    finish_reason: str | None = None
    """Normalised: ``stop``, ``length``, ``content_filter``, ``tool_calls``, ..."""
    native_finish_reason: str | None = None
    usage: Usage = Usage()
    cost_usd: float | None = None
    """US dollars billed for this answer; None when the gateway did not say."""
    cost_source: CostSource | None = None
    latency_s: float = 0.0
    """Seconds from sending the request that was answered to its last byte."""
    ttft_s: float | None = None
    """Seconds to the first content or reasoning; None without streaming."""
    generation_id: str | None = None
    request_id: str | None = None
    cf_ray: str | None = None
    reasoning: str | None = None
    """Reasoning text, when the gateway sent it."""
    tool_calls: Any = None
    refusal: str | None = None
    usage_raw: Any = None
    """``usage`` as received."""
    metadata: Any = None
    """``openrouter_metadata`` as received."""
    cache_status: str | None = None
    """``X-OpenRouter-Cache-Status``; a benchmark wants no ``HIT`` here."""
    simulated: bool = False
    """The gateway says (``X-Routemark-Simulated: true``) that the model behind this is fictitious."""


class Failure(Record, frozen=True, kw_only=True):
    """The end of a trial without an answer."""

    kind: str
    """See errors.FailureKind."""
    message: str
    status: int | None = None
    generation_id: str | None = None
    request_id: str | None = None
    cf_ray: str | None = None


class Outcome(Record, frozen=True, kw_only=True):
    """A trial, its attempts, and either a completion or a failure: what the journal stores."""

    trial: str
    """The trial's key."""
    question_id: str
    arm: str
    repeat: int
    session_id: str
    attempts: list[Attempt]
    completion: Completion | None = None
    failure: Failure | None = None
    queue_s: float | None = None
    """Seconds the client itself kept the answered (else the last) request back: admitted, not yet sent."""
    picked: str | None = None
    """The slug that a router which is a plugin picked, and the gateway was asked for; None for every other arm."""
    pick_s: float | None = None
    """Seconds that such a router took by itself; in no latency."""
    request_sha256: str | None = None
    """Of the body sent, without its session id."""
    response_sha256: str | None = None
    """Of the body received by the last attempt."""
    window: int = 0

    @property
    def cost_usd(self) -> float | None:
        """All known cost of the trial, failed attempts included; None when nothing is known."""
        known = [a.cost_usd for a in self.attempts if a.cost_usd is not None]
        if self.completion is not None:
            if self.completion.cost_usd is None:
                return None
            known.append(self.completion.cost_usd)
        return sum(known) if known else None


class Grade(Record, frozen=True, kw_only=True):
    """A grader's word on one answer."""

    trial: str
    grader: str
    version: int
    """Of the grader; raised whenever it would judge some answer differently."""
    score: float | None
    """In [0, 1]; None: not graded or could not tell, the reason says which."""
    extracted: str | None = None
    """What was taken for the final answer."""
    reason: str = ""
    judge: str | None = None
    """The model that judged, as served; None: no model was asked."""
    prompt_sha256: str | None = None
    """Of all that the judge was sent: model, settings and prompt."""
    cost_usd: float | None = None
    """US dollars that judging this answer cost, not part of any arm's costs; None: nothing, or not known."""
