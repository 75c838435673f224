"""The nouns of Routemark: frozen records, each with one meaning in code, files and output.

Everything that travels between two rooms of the house is one of these. Records that are stored
(journal, manifest, results) read their older selves: fields are only added, with a default, and
fields that a reader does not know are skipped.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """Base of every record: immutable, built by keyword, equal by value."""


# --------------------------------------------------------------------------- what is asked


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


class Trial(Record, frozen=True, kw_only=True):
    """The unit of work: one question put to one arm, once."""

    key: str
    """Names the trial across restarts: hash of question id, arm name, repeat and what would be sent."""
    question: Question
    arm: Arm
    repeat: int
    """0-based."""
    session_id: str
    """Sent with every attempt of this trial and of no other, so that answers stay independent."""
    window: int = 0
    """Index of the window of questions in which the trial was planned."""


# --------------------------------------------------------------------------- what comes back


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


# --------------------------------------------------------------------------- the run


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


class Quantiles(Record, frozen=True, kw_only=True):
    """Percentiles, seconds; None where there was nothing to measure."""

    p50: float | None = None
    p90: float | None = None
    p99: float | None = None


class Slice(Record, frozen=True, kw_only=True):
    """One arm on the questions that share a label."""

    n: int
    """Trials."""
    graded: int
    """Trials that count in ``accuracy``: graded answers and service failures."""
    accuracy: float | None
    accuracy_ci95: tuple[float, float] | None
    cost_per_1k_usd: float | None
    model_usage: dict[str, int]


class SameMix(Record, frozen=True, kw_only=True):
    """The arm's own mix of models, picked at random (RouterBench's idea; see docs/methods.md)."""

    accuracy: float
    cost_per_1k_usd: float | None
    gain: float
    gain_ci95: tuple[float, float]
    p_value: float


class ArmSummary(Record, frozen=True, kw_only=True):
    """Everything that is said of one arm."""

    n: int
    """Trials that ended, in the finished prefix of the plan."""
    succeeded: int
    failed: int
    failures: dict[str, int]
    truncated: int
    """Completions cut off at the token limit."""
    empty: int
    """Completions without text."""
    ungraded: int
    """Completions that no grader scored."""
    graded: int
    """Trials that count in ``accuracy``."""
    clusters: int
    """Independent groups behind ``accuracy_ci95``."""
    is_router: bool
    accuracy: float | None
    """Mean score; a service failure counts 0, a failure of ours and an ungraded answer not at all."""
    accuracy_ci95: tuple[float, float] | None
    accuracy_answered: float | None
    """Mean score of graded completions only."""
    cost_usd: float | None
    cost_unknown: int
    """Trials whose cost is not known; left out of every cost figure."""
    cost_per_1k_usd: float | None
    cost_per_correct_usd: float | None
    arena_score: float | None
    latency_s: Quantiles
    ttft_s: Quantiles
    model_usage: dict[str, int]
    provider_usage: dict[str, int]
    pick_entropy_bits: float | None
    by_difficulty: dict[str, Slice]
    by_category: dict[str, Slice]
    by_task_type: dict[str, Slice]
    same_mix: SameMix | None = None
    delivery: dict[str, Any] | None = None
    stability: dict[str, Any] | None = None
    flags: dict[str, int] = {}
    """Answers by what is odd about how they were served (see wire.checks.FLAGS), the most frequent first."""


class McNemar(Record, frozen=True, kw_only=True):
    """Discordant questions of a pair of arms whose scores are all 0 or 1."""

    only_arm: int
    only_baseline: int
    p_value: float
    """Exact, two-sided."""


class Comparison(Record, frozen=True, kw_only=True):
    """Two arms on the questions both were asked."""

    arm: str
    baseline: str
    n: int
    """Questions compared."""
    clusters: int
    accuracy_difference: float | None
    """Arm minus baseline, mean of paired differences."""
    ci95: tuple[float, float] | None
    p_value: float | None
    """Mid-p McNemar, or of the paired t interval."""
    p_value_holm: float | None
    """Adjusted over the primary family (each router against each fixed model); None outside it."""
    mcnemar: McNemar | None
    cost_ratio: float | None
    """Mean cost of the arm / mean cost of the baseline."""
    cost_ratio_ci95: tuple[float, float] | None
    cost_rests_on: int | None
    """Set when the dearest 5 % of the questions make more than half of a cost: how many they are."""
    indifference_price_usd: float | None
    """US dollars per right answer at which the two tie; None when one is better at every price."""
    questions_to_decide: int | None
    """Questions in total that tell a difference of the margin; None above 20,000."""
    failed_or_ungraded: float
    """Largest share, over the two arms, of trials that failed or were not graded."""


class Verdict(Record, frozen=True, kw_only=True):
    """The answer in words (statistics of docs/methods.md, verdict table)."""

    row: int
    """0-7."""
    sentence: str
    skill: str
    """Whether the picks beat the same mix at random."""
    notes: list[str]
    margin: float
    date: str
    """UTC date of the run: routers move."""


class Summary(Record, frozen=True, kw_only=True):
    """Everything a report shows, computed from run, outcomes and grades."""

    total: int
    """Trials counted."""
    succeeded: int
    failed: int
    model_usage: dict[str, int]
    failed_questions: list[str]
    cost_usd: float | None
    """All known cost of the run, whether its trial is counted in the prefix or not."""
    arms: dict[str, ArmSummary]
    comparisons: list[Comparison]
    oracle: dict[str, Any] | None
    detectable_difference: float | None
    """Smallest accuracy difference that a run of this size tells with 80 % power."""
    verdict: Verdict
    planned: int
    """Trials planned."""
    finished_questions: int
    """Questions in the longest finished prefix of the plan: what everything above rests on."""
    graded: bool
    """Some answer has a score; else quality is "not graded"."""


# --------------------------------------------------------------------------- results.json


class GradeRow(Record, frozen=True, kw_only=True):
    """The grade inside a row of results.json."""

    score: float | None
    grader: str
    extracted: str | None
    reason: str


class ErrorRow(Record, frozen=True, kw_only=True):
    """The failure inside a row of results.json."""

    kind: str
    status: int | None
    message: str


class ResultRow(Record, frozen=True, kw_only=True):
    """One trial in results.json, flat."""

    id: str
    difficulty: str
    category: str | None
    question: str
    reference: Any
    """The expected answer, as in the question file; None: there is none."""
    arm: str
    repeat: int
    status: Literal["ok", "failed"]
    model: str | None
    provider: str | None
    task_type: str | None
    answer: str | None
    finish_reason: str | None
    grade: GradeRow | None
    usage: Usage
    cost_usd: float | None
    cost_source: CostSource | None
    latency_s: float | None
    ttft_s: float | None
    queue_s: float | None
    attempts: int
    generation_id: str | None
    error: ErrorRow | None
    counted: bool
    """In the finished prefix, hence in the summary."""
    flags: list[str] = []
    """What is odd about how the answer was served (see wire.checks.FLAGS); empty when nothing is."""
