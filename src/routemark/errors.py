"""What can go wrong: the exception tree, and the closed list of failure kinds.

Failures are values at the border, exceptions are for the caller's mistakes and for bugs::

    RoutemarkError                what the user reads: what happened, where, what to do
    +- UsageError                 exit 2: wrong flags, settings, files
    |  +- SettingsError
    |  +- QuestionFileError       every fault of a question file, each with its place
    |  +- TableError              the same of a table of outcomes or picks
    |  +- PluginError           an installed plugin that cannot be loaded or used as it is
   |  +- GateError               a --gate that says nothing that can be checked, with the place
    +- RunError                   exit 1: the run could not go on
    |  +- JournalError            the run directory is locked, unreadable or not ours
    +- APIError                   a Failure as an exception, for callers of Outcome-less code
       +- APIConnectionError      no HTTP response arrived whole
       |  +- APITimeoutError
       +- APIStatusError          the gateway answered with an error status
       |  +- RateLimitError       429
       +- APIResponseError        HTTP 200 with something that is no answer

A trial that ends without an answer has exactly one `FailureKind`; `RULES` says what each kind does.
"""

from __future__ import annotations

import enum
from typing import Literal, NamedTuple

from routemark.records import Completion, Failure, Outcome


class RoutemarkError(Exception):
    """Base of every error that Routemark raises on purpose; its text is written for a person."""

    exit_code = 1


class UsageError(RoutemarkError):
    """The command, the settings or a file cannot be used as given."""

    exit_code = 2


class SettingsError(UsageError):
    """A setting is unknown, has a wrong type or is out of range."""


class PluginError(UsageError):
    """A plugin cannot be loaded, is not what its group promises, or shares its name with another."""


class QuestionFileError(UsageError):
    """A question file has faults; ``faults`` lists them all, each as ``place: field: what is wrong``."""

    def __init__(self, path: str, faults: list[str], more: int = 0) -> None:
        self.path = path
        self.faults = faults
        self.more = more
        """Faults beyond those listed."""
        count = len(faults) + more
        lines = [f"{path}: {count} fault{'s' if count != 1 else ''}; nothing was sent."]
        lines += [f"  {fault}" for fault in faults]
        if more:
            lines.append(f"  ... and {more} more")
        super().__init__("\n".join(lines))


class TableError(UsageError):
    """A table of outcomes or picks has faults; ``faults`` lists the first, each as ``place: what is wrong``."""

    def __init__(self, path: str, faults: list[str], more: int = 0, undone: str = "judged") -> None:
        self.path = path
        self.faults = faults
        self.more = more
        """Faults beyond those listed."""
        count = len(faults) + more
        lines = [f"{path}: {count:,} fault{'s' if count != 1 else ''}; nothing was {undone}."]
        lines += [f"  {fault}" for fault in faults]
        if more:
            lines.append(f"  ... and {more:,} more")
        super().__init__("\n".join(lines))


class GateError(UsageError):
    """A gate cannot be read; the text shows it with a caret below the place at fault."""

    _SHOWN = 72
    """Characters of a long expression that are shown, around the place."""

    def __init__(self, expression: str, position: int, what: str) -> None:
        self.expression = expression
        self.position = position
        """0-based index of the character at fault; the length of the expression for its end."""
        self.what = what
        line = "".join(one if one.isprintable() else " " for one in expression)
        start = max(0, min(position - self._SHOWN // 2, len(line) - self._SHOWN))
        before, after = "..." * (start > 0), "..." * (start + self._SHOWN < len(line))
        shown = f"{before}{line[start : start + self._SHOWN]}{after}".rstrip()
        caret = " " * (len(before) + position - start) + "^"
        super().__init__(f"--gate: {what}\n  {shown}\n  {caret}")


class RunError(RoutemarkError):
    """The run could not start or go on."""


class JournalError(RunError):
    """The run directory is in use, unreadable, or belongs to another plan."""


class APIError(RoutemarkError):
    """A trial ended without an answer; ``failure`` carries kind, status and ids."""

    def __init__(self, failure: Failure) -> None:
        self.failure = failure
        ids = {
            "generation": failure.generation_id,
            "request": failure.request_id,
            "cf-ray": failure.cf_ray,
        }
        named = ", ".join(f"{name} {value}" for name, value in ids.items() if value)
        super().__init__(f"{failure.kind}: {failure.message}" + (f" ({named})" if named else ""))


class APIConnectionError(APIError):
    """No whole HTTP response arrived."""


class APITimeoutError(APIConnectionError):
    """A time limit of ours passed."""


class APIStatusError(APIError):
    """The gateway answered with an error status."""


class RateLimitError(APIStatusError):
    """The gateway or all its providers asked to slow down."""


class APIResponseError(APIError):
    """HTTP 200, but no answer in it."""


class FailureKind(enum.StrEnum):
    """Why a trial, or an attempt, ended without an answer."""

    # no response
    DNS = "dns"
    CONNECT_REFUSED = "connect_refused"
    CONNECT_TIMEOUT = "connect_timeout"
    TLS = "tls"
    RESET = "reset"
    IDLE_TIMEOUT = "idle_timeout"
    TIMEOUT = "timeout"
    # a response that breaks off or cannot be read
    BODY_TRUNCATED = "body_truncated"
    BODY_NOT_JSON = "body_not_json"
    STREAM_TRUNCATED = "stream_truncated"
    STREAM_UNREADABLE = "stream_unreadable"
    # an error status, or an error object inside a 200
    BAD_REQUEST = "bad_request"
    CONTEXT_TOO_LONG = "context_too_long"
    UNKNOWN_MODEL = "unknown_model"
    BAD_KEY = "bad_key"
    NO_CREDIT = "no_credit"
    KEY_LIMIT = "key_limit"
    REQUEST_TOO_DEAR = "request_too_dear"
    IN_FLIGHT_BUDGET = "in_flight_budget"
    FORBIDDEN = "forbidden"
    GUARDRAIL = "guardrail"
    MODERATION = "moderation"
    NO_ENDPOINT = "no_endpoint"
    MODEL_GONE = "model_gone"
    REQUEST_TIMEOUT = "request_timeout"
    TOO_LARGE = "too_large"
    UNPROCESSABLE = "unprocessable"
    RATE_LIMIT_PLATFORM = "rate_limit_platform"
    RATE_LIMIT_PROVIDER = "rate_limit_provider"
    SERVER_ERROR = "server_error"
    BAD_GATEWAY = "bad_gateway"
    UNAVAILABLE = "unavailable"
    GATEWAY_TIMEOUT = "gateway_timeout"
    EDGE_TIMEOUT = "edge_timeout"
    OVERLOADED = "overloaded"
    REDIRECT = "redirect"
    UNKNOWN_STATUS = "unknown_status"
    # HTTP 200 without an answer
    NO_CHOICES = "no_choices"
    PROVIDER_ERROR = "provider_error"
    STREAM_ERROR = "stream_error"
    # a router that is a plugin
    ROUTER_FAULT = "router_fault"
    # ours
    WORKER_LOST = "worker_lost"
    RETRY_AFTER_TOO_LONG = "retry_after_too_long"
    OVER_BUDGET = "over_budget"
    CLIENT_FAULT = "client_fault"


Slows = Literal["no", "holds", "shrinks"]
"""What a kind does to the pace: nothing, stop its growth, or shrink it (see policy.pacing)."""

Cause = Literal["service", "ours"]
"""Who failed: ``service`` counts as a wrong answer in the headline, ``ours`` as not asked."""


class Rule(NamedTuple):
    """What one failure kind does, and the sentence that tells a person about it."""

    retried: bool
    slows: Slows
    stops_run: bool
    cause: Cause
    raises: type[APIError]
    advice: str


def _retried(
    advice: str, raises: type[APIError] = APIStatusError, *, slows: Slows = "holds", cause: Cause = "service"
) -> Rule:
    return Rule(retried=True, slows=slows, stops_run=False, cause=cause, raises=raises, advice=advice)


def _final(advice: str, raises: type[APIError] = APIStatusError, *, cause: Cause = "service") -> Rule:
    return Rule(retried=False, slows="no", stops_run=False, cause=cause, raises=raises, advice=advice)


def _stops(advice: str) -> Rule:
    return Rule(retried=False, slows="no", stops_run=True, cause="ours", raises=APIStatusError, advice=advice)


RULES: dict[FailureKind, Rule] = {
    FailureKind.DNS: _retried(
        "The gateway's host name was not found: check --base-url.", APIConnectionError, cause="ours"
    ),
    FailureKind.CONNECT_REFUSED: _retried(
        "Nothing accepted the connection.", APIConnectionError, cause="ours"
    ),
    FailureKind.CONNECT_TIMEOUT: _retried(
        "No connection within the time limit.", APITimeoutError, slows="holds", cause="ours"
    ),
    FailureKind.TLS: _retried(
        "The TLS handshake failed: check certificates and proxy.", APIConnectionError, cause="ours"
    ),
    FailureKind.RESET: _retried("The connection broke before a response came.", APIConnectionError),
    FailureKind.IDLE_TIMEOUT: _retried(
        "The stream went silent for longer than --idle-timeout.", APITimeoutError
    ),
    FailureKind.TIMEOUT: _retried("The attempt took longer than --timeout.", APITimeoutError),
    FailureKind.BODY_TRUNCATED: _retried("The body broke off.", APIConnectionError),
    FailureKind.BODY_NOT_JSON: _retried("The body is not JSON.", APIResponseError),
    FailureKind.STREAM_TRUNCATED: _retried(
        "The stream ended without [DONE] and without saying that it had finished.", APIConnectionError
    ),
    FailureKind.STREAM_UNREADABLE: _retried("An event of the stream is not JSON.", APIResponseError),
    FailureKind.BAD_REQUEST: _final("The gateway refused the request's parameters."),
    FailureKind.CONTEXT_TOO_LONG: _final("The prompt and --max-tokens exceed the context."),
    FailureKind.UNKNOWN_MODEL: _final("The gateway does not know this model: check the slug."),
    FailureKind.BAD_KEY: _stops("The API key is missing or not valid: set OPENROUTER_API_KEY."),
    FailureKind.NO_CREDIT: _stops("The account has no credit left: add credit, then resume."),
    FailureKind.KEY_LIMIT: _stops("The key's own limit is spent: raise it, then resume."),
    FailureKind.REQUEST_TOO_DEAR: _final(
        "This request alone exceeds what the balance covers: lower --max-tokens or add credit."
    ),
    FailureKind.IN_FLIGHT_BUDGET: Rule(
        True,
        "shrinks",
        False,
        "ours",
        APIStatusError,
        "Too much in flight for the balance: the pace goes down.",
    ),
    FailureKind.FORBIDDEN: _final("The key may not do this."),
    FailureKind.GUARDRAIL: _final("A guardrail of the account blocked the prompt."),
    FailureKind.MODERATION: _final("The prompt was flagged by moderation."),
    FailureKind.NO_ENDPOINT: _final("No model or provider is left after the restrictions."),
    FailureKind.MODEL_GONE: _final("The model is no longer served."),
    FailureKind.REQUEST_TIMEOUT: _retried("The gateway gave up waiting (408)."),
    FailureKind.TOO_LARGE: _final("The request is too large (413)."),
    FailureKind.UNPROCESSABLE: _final("The gateway could not process the request (422)."),
    FailureKind.RATE_LIMIT_PLATFORM: _retried(
        "The gateway's own rate limit was reached.", RateLimitError, slows="shrinks", cause="service"
    ),
    FailureKind.RATE_LIMIT_PROVIDER: _retried(
        "All providers of the model are rate limited.", RateLimitError, slows="shrinks", cause="service"
    ),
    FailureKind.SERVER_ERROR: _retried("The gateway failed (500, or a status above that we do not know)."),
    FailureKind.BAD_GATEWAY: _retried("The provider failed (502)."),
    FailureKind.UNAVAILABLE: _retried("No provider is available now (503)."),
    FailureKind.GATEWAY_TIMEOUT: _retried("The provider timed out (504)."),
    FailureKind.EDGE_TIMEOUT: _retried("The edge timed out (524)."),
    FailureKind.OVERLOADED: _retried("The provider is overloaded (529)."),
    FailureKind.REDIRECT: _final("The gateway answered with a redirect: check --base-url."),
    FailureKind.UNKNOWN_STATUS: _final("The gateway answered with a status below 500 that we do not know."),
    FailureKind.NO_CHOICES: _retried("The response holds no choices.", APIResponseError),
    FailureKind.PROVIDER_ERROR: _retried("The provider failed after it had begun.", APIResponseError),
    FailureKind.STREAM_ERROR: _retried("The stream ended in an error.", APIResponseError),
    FailureKind.ROUTER_FAULT: _final("A router that is a plugin failed, or picked no model.", APIError),
    FailureKind.WORKER_LOST: _retried(
        "A worker of the cluster was lost on the way.", APIConnectionError, slows="no", cause="ours"
    ),
    FailureKind.RETRY_AFTER_TOO_LONG: _final(
        "The wait asked for exceeds the trial's time budget.", RateLimitError, cause="service"
    ),
    FailureKind.OVER_BUDGET: _final(
        "Asking again did not fit into --max-cost: resume with more.", APIError, cause="ours"
    ),
    FailureKind.CLIENT_FAULT: _final(
        "Routemark itself failed here: please report it.", APIError, cause="ours"
    ),
}


def rule(kind: str) -> Rule:
    """Give the rule of a kind read from a file, which a newer version may have written."""
    try:
        return RULES[FailureKind(kind)]
    except ValueError:
        return RULES[FailureKind.UNKNOWN_STATUS]


def unwrap(outcome: Outcome) -> Completion:
    """Give the answer, or raise the failure as the exception its kind names.

    Raises: APIError or the subclass of the kind, with generation id, request id and cf-ray.
    """
    if outcome.completion is not None:
        return outcome.completion
    if outcome.failure is None:
        raise ValueError("an outcome has either a completion or a failure")
    raise rule(outcome.failure.kind).raises(outcome.failure)
