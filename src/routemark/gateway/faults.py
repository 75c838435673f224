"""Failures on demand: the list of them, and the seeded draw that decides which request gets one.

A fault hangs on the prompt, the session and the number of its request in the session, so that it strikes
the same requests whatever their order, and a retry may go through. Faults that only a stream can
show have a counterpart for plain responses: each line of the list says so.
"""

from __future__ import annotations

import difflib
from typing import Literal

from routemark.errors import SettingsError
from routemark.gateway.refusals import Problem
from routemark.gateway.seeding import unit
from routemark.records import Record

Stage = Literal["refused", "unbilled", "billed"]
"""How far the request gets: refused before any model, or answered with or without a bill."""


class Fault(Record, frozen=True, kw_only=True):
    """One kind of failure."""

    name: str
    what: str
    """What the client sees."""
    stage: Stage
    problem: Problem | None = None
    """The error of a plain error response, or the one that is wrapped into something else."""


_RATE_LIMITED = {"code": "capacity_exhausted", "retryable": True, "requested_models": []}
_UPSTREAM = Problem(
    status=502,
    message="Provider returned error",
    error_type="provider_unavailable",
    metadata={"provider_name": "Tidepool", "provider_code": "upstream_error"},
)
_WAIT_S = 2.0
"""Wait that refusals ask for, seconds, before scaling."""


def _refused(name: str, what: str, problem: Problem) -> Fault:
    return Fault(name=name, what=what, stage="refused", problem=problem)


_REFUSED: tuple[Fault, ...] = (
    _refused(
        "400",
        "400: a parameter is wrong",
        Problem(status=400, message="Invalid request parameters", error_type="invalid_request"),
    ),
    _refused(
        "400-context",
        "400: prompt and answer do not fit the context",
        Problem(
            status=400,
            message="This endpoint's maximum context length is 8192 tokens",
            error_type="context_length_exceeded",
        ),
    ),
    _refused(
        "401",
        "401: the key is not valid",
        Problem(status=401, message="User not found or key disabled", error_type="authentication"),
    ),
    _refused(
        "402",
        "402: no credit left",
        Problem(
            status=402,
            message="Insufficient credits. Add more using https://openrouter.ai/credits",
            error_type="payment_required",
            metadata={"limit_source": "openrouter_credits", "reason": "insufficient_credits"},
        ),
    ),
    _refused(
        "402-in-flight",
        "402: too much in flight for the balance; Retry-After",
        Problem(
            status=402,
            message="In-flight requests exceed the spending budget of this balance. Retry shortly.",
            error_type="payment_required",
            metadata={"limit_source": "openrouter_in_flight_budget", "reason": "in_flight_budget_exhausted"},
            retry_after_s=_WAIT_S,
        ),
    ),
    _refused(
        "402-too-dear",
        "402: this request alone exceeds the balance",
        Problem(
            status=402,
            message="This request requires more credits, or fewer max_tokens.",
            error_type="payment_required",
            metadata={"limit_source": "openrouter_credits", "reason": "weight_exceeds_budget"},
        ),
    ),
    _refused(
        "402-key-limit",
        "402: the key's own limit is spent",
        Problem(
            status=402,
            message="Key limit exceeded (total limit)",
            error_type="payment_required",
            metadata={"limit_source": "openrouter_key_limit", "reason": "key_limit_exceeded"},
        ),
    ),
    _refused(
        "403",
        "403: a guardrail blocked the prompt",
        Problem(
            status=403,
            message="Request blocked by guardrail",
            error_type="permission_denied",
            metadata={"patterns": ["simulated"]},
        ),
    ),
    _refused(
        "403-moderation",
        "403: the prompt was flagged",
        Problem(
            status=403,
            message="Your input was flagged by moderation",
            error_type="permission_denied",
            metadata={"reasons": ["simulated"], "flagged_input": "...", "provider_name": "Brightforge"},
        ),
    ),
    _refused(
        "404",
        "404: no endpoint is left after the restrictions",
        Problem(
            status=404,
            message="No endpoints found that match your data policy",
            error_type="not_found",
            availability={"code": "no_endpoints", "retryable": False, "requested_models": []},
        ),
    ),
    _refused(
        "404-gone",
        "404: the model is no longer served; the other shape of error body",
        Problem(
            status=404,
            message="This model has been deprecated",
            error_type="not_found",
            availability={"code": "model_deprecated", "retryable": False, "requested_models": []},
            without_code=True,
        ),
    ),
    _refused(
        "408",
        "408: the gateway gave up waiting",
        Problem(status=408, message="Operation timed out", error_type="timeout"),
    ),
    _refused(
        "413",
        "413: the request is too large",
        Problem(status=413, message="Request payload too large", error_type="payload_too_large"),
    ),
    _refused(
        "422",
        "422: the request cannot be processed",
        Problem(status=422, message="Invalid argument", error_type="unprocessable"),
    ),
    _refused(
        "429",
        "429 by the platform: X-RateLimit-* and Retry-After",
        Problem(
            status=429,
            message="Rate limit exceeded",
            error_type="rate_limit_exceeded",
            retry_after_s=_WAIT_S,
            rate_limit=20,
        ),
    ),
    _refused(
        "429-provider",
        "429 by all providers: Retry-After, no X-RateLimit-*",
        Problem(
            status=429,
            message="Provider returned error",
            error_type="rate_limit_exceeded",
            metadata={
                "provider_name": "Tidepool",
                "provider_code": "rate_limited",
                "raw": "this model is temporarily rate-limited upstream",
            },
            availability=_RATE_LIMITED,
            retry_after_s=_WAIT_S,
        ),
    ),
    _refused(
        "500",
        "500: the gateway failed; no metadata",
        Problem(status=500, message="Internal Server Error", error_type="server"),
    ),
    _refused("502", "502: the provider failed", _UPSTREAM),
    _refused(
        "503",
        "503: no provider now; Retry-After, the other shape of error body",
        Problem(
            status=503,
            message="Service temporarily unavailable",
            error_type="provider_overloaded",
            availability={"code": "temporarily_unavailable", "retryable": True, "requested_models": []},
            retry_after_s=_WAIT_S,
            without_code=True,
        ),
    ),
    _refused(
        "504",
        "504: the provider timed out",
        Problem(status=504, message="Upstream timed out", error_type="timeout"),
    ),
    _refused(
        "524",
        "524: the edge timed out; the code is a string",
        Problem(status=524, message="Request timed out", error_type="timeout", code_as_text=True),
    ),
    _refused(
        "529",
        "529: the provider is overloaded",
        Problem(status=529, message="Provider returned error", error_type="provider_overloaded"),
    ),
    Fault(name="html", what="502 with an HTML page for a body", stage="refused"),
    Fault(name="reset", what="the connection is reset before any header", stage="refused"),
)

_ANSWERED: tuple[Fault, ...] = (
    Fault(name="error200", what="200 whose body is only an error", stage="unbilled", problem=_UPSTREAM),
    Fault(name="no-choices", what="200 without choices", stage="unbilled"),
    Fault(name="empty", what="200 with empty content and no tokens, not billed", stage="unbilled"),
    Fault(
        name="choice-error",
        what="200 with a partial answer and an error in its choice; in a stream as midstream",
        stage="billed",
        problem=_UPSTREAM,
    ),
    Fault(name="length", what="the answer is cut off half-way, finish_reason length", stage="billed"),
    Fault(
        name="content-filter",
        what="the answer is cut off half-way, finish_reason content_filter",
        stage="billed",
    ),
    Fault(
        name="midstream",
        what="the stream breaks off in an error event; else as choice-error",
        stage="billed",
        problem=_UPSTREAM,
    ),
    Fault(name="cut", what="the stream ends without usage and [DONE]; else as truncated", stage="billed"),
    Fault(name="no-usage", what="the answer comes without usage", stage="billed"),
    Fault(name="truncated", what="the body is shorter than its content-length says", stage="billed"),
    Fault(name="garbage", what="an event of the stream is not JSON; else as not-json", stage="billed"),
    Fault(name="not-json", what="200 whose body is not JSON", stage="billed"),
    Fault(name="stall", what="silence after the first part of the answer", stage="billed"),
    Fault(name="slow", what="the answer takes twenty times as long", stage="billed"),
    Fault(
        name="verdict-prose",
        what="a judge's verdict comes as prose, not as JSON; other answers as ever",
        stage="billed",
    ),
    Fault(
        name="verdict-first",
        what="a judge prefers the first of two answers; other answers as ever",
        stage="billed",
    ),
    Fault(name="reset-after", what="the connection is reset after the headers", stage="billed"),
)

FAULTS: dict[str, Fault] = {fault.name: fault for fault in (*_REFUSED, *_ANSWERED)}

VERDICTS = frozenset({"verdict-prose", "verdict-first"})
"""Faults that strike a judge's verdict alone."""
STILL_ANSWERS = VERDICTS | {"empty", "length", "content-filter", "no-usage", "slow"}
"""Faults after which the client has an answer all the same, and no reason to ask again."""


class FaultPlan(Record, frozen=True, kw_only=True):
    """Which share of the requests gets which fault."""

    shares: tuple[tuple[Fault, float], ...] = ()

    def draw(self, seed: int, prompt_key: int, session_id: str | None, attempt: int) -> Fault | None:
        """Give the fault of one request, or None."""
        if not self.shares:
            return None
        roll = unit(seed, "fault", prompt_key, session_id, attempt)
        for fault, share in self.shares:
            if roll < share:
                return fault
            roll -= share
        return None


def parse_faults(spec: str) -> FaultPlan:
    """Read ``kind:share`` pairs, comma-separated; an empty spec means none.

    Raises: SettingsError naming the pair.
    """
    pairs = [_pair(part.strip()) for part in spec.split(",") if part.strip()]
    total = sum(share for _, share in pairs)
    if total > 1 + 1e-9:
        raise SettingsError(f"--faults {spec!r}: the shares add up to {total:g}, more than 1.")
    return FaultPlan(shares=tuple(pairs))


def _pair(part: str) -> tuple[Fault, float]:
    name, _, number = part.rpartition(":")
    try:
        share = float(number)
    except ValueError:
        share = -1.0
    if not name or not 0 <= share <= 1:
        raise SettingsError(f"--faults {part!r}: give kind:share with a share from 0 to 1, such as 429:0.05.")
    fault = FAULTS.get(name)
    if fault is None:
        near = difflib.get_close_matches(name, FAULTS, n=1, cutoff=0.4)
        hint = f" Did you mean {near[0]}?" if near else ""
        raise SettingsError(f"--faults: there is no fault {name!r}.{hint} See gateway --list-faults.")
    return fault, share


def fault_names() -> list[tuple[str, str]]:
    """Give every fault with what the client sees of it, in the order of the list."""
    return [(fault.name, fault.what) for fault in FAULTS.values()]
