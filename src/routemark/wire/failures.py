"""What a refusal means: from a status, headers and a body to one failure kind, by tables.

Gateways word the same thing in several ways: a code that is a number or a string, an error type
inside ``metadata`` or beside the message, a page of HTML from the edge. Every reading happens here,
so that the rest of the program knows only `Refusal`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple

from routemark.errors import RULES, FailureKind
from routemark.records import Record
from routemark.wire import values

Kind = FailureKind


class Ids(Record, frozen=True, kw_only=True):
    """Names under which the gateway and its edge know a request."""

    generation_id: str | None = None
    request_id: str | None = None
    cf_ray: str | None = None


class Refusal(Record, frozen=True, kw_only=True):
    """The end of one attempt without an answer."""

    kind: FailureKind
    message: str
    """In the gateway's or the transport's words."""
    status: int | None = None
    retryable: bool
    """Whether asking again may help: the kind's rule, unless the gateway denied it."""
    retry_after_s: float | None = None
    """Wait asked for, seconds."""
    ids: Ids = Ids()
    cost_usd: float | None = None
    """What the attempt cost nevertheless; None when not known."""


def refused(
    kind: FailureKind,
    message: str,
    *,
    status: int | None = None,
    ids: Ids = Ids(),  # noqa: B008 - frozen
    cost_usd: float | None = None,
) -> Refusal:
    """Give the refusal of a kind that its rule decides alone."""
    return Refusal(
        kind=kind,
        message=message,
        status=status,
        retryable=RULES[kind].retried,
        ids=ids,
        cost_usd=cost_usd,
    )


# --------------------------------------------------------------------------- the head of a response


class Head(NamedTuple):
    """What is known of a response before its body."""

    status: int
    headers: Mapping[str, str]
    """By lower-case name."""
    now: float
    """When it came, seconds since 1970; needed for a Retry-After that is a date."""

    def ids(self, body_id: Any = None) -> Ids:
        """Give the ids in the headers; the body's id stands in for a missing generation id."""
        return Ids(
            generation_id=self.generation_id or (body_id[:256] if isinstance(body_id, str) else None),
            request_id=self._id("x-request-id"),
            cf_ray=self._id("cf-ray"),
        )

    @property
    def generation_id(self) -> str | None:
        """The id under which the gateway keeps what it billed; None where the headers lack it."""
        return self._id("x-generation-id")

    def _id(self, name: str) -> str | None:
        value = self.headers.get(name)
        return value.strip()[:256] or None if value else None


def retry_after(head: Head) -> float | None:
    """Give the wait of ``Retry-After`` in seconds, from a number or an HTTP date.

    A date is measured from the response's own ``Date``, where there is one, so that a wrong clock
    here does no harm.
    """
    value = head.headers.get("retry-after", "").strip()
    seconds = values.amount(value)
    if seconds is not None or not value:
        return seconds
    until = _timestamp(value)
    since = _timestamp(head.headers.get("date", "")) or head.now
    return None if until is None else max(0.0, until - since)


def limit_reset(head: Head, told: Mapping[str, Any]) -> float | None:
    """Give the seconds until ``X-RateLimit-Reset``, from the headers or from those that a body repeats.

    Gateways write a time since 1970 in milliseconds or in seconds, or the seconds that remain: the size
    tells which, for none of them can be taken for another within this century. None when it makes no sense.
    """
    names = {str(name).lower(): value for name, value in (*told.items(), *head.headers.items())}
    value = values.amount(names.get("x-ratelimit-reset"))
    if value is None or value < _SECONDS_SINCE_1970:
        return value if value is not None and value <= _LONGEST_RESET_S else None
    until = value / 1000 if value >= _MILLISECONDS_SINCE_1970 else value
    left = max(0.0, until - (_timestamp(head.headers.get("date", "")) or head.now))
    return left if left <= _LONGEST_RESET_S else None


_SECONDS_SINCE_1970 = 1e9
"""September 2001; as seconds that remain, 31 years."""
_MILLISECONDS_SINCE_1970 = 1e11
"""March 1973; as seconds since 1970, the year 5138."""
_LONGEST_RESET_S = 2 * 86_400.0
"""No limit is renewed later than the next day: a time beyond was written in another unit, or is wrong."""


def clock_skew_s(head: Head) -> float | None:
    """Give by how many seconds our clock is ahead of the response's ``Date``; None without one.

    ``Date`` is cut to whole seconds, so half a second either way means nothing.
    """
    date = _timestamp(head.headers.get("date", ""))
    return None if date is None else head.now - date - 0.5


def _timestamp(value: str) -> float | None:
    try:
        return parsedate_to_datetime(value).timestamp()
    except (ValueError, OverflowError, OSError):
        return None


# --------------------------------------------------------------------------- tables

BY_STATUS: dict[int, FailureKind] = {
    400: Kind.BAD_REQUEST,
    401: Kind.BAD_KEY,
    402: Kind.NO_CREDIT,
    403: Kind.FORBIDDEN,
    404: Kind.NO_ENDPOINT,
    408: Kind.REQUEST_TIMEOUT,
    413: Kind.TOO_LARGE,
    422: Kind.UNPROCESSABLE,
    429: Kind.RATE_LIMIT_PROVIDER,
    500: Kind.SERVER_ERROR,
    502: Kind.BAD_GATEWAY,
    503: Kind.UNAVAILABLE,
    504: Kind.GATEWAY_TIMEOUT,
    524: Kind.EDGE_TIMEOUT,
    529: Kind.OVERLOADED,
}
"""The kind of a status that nothing refines."""

STATUS_OF_TYPE: dict[str, int] = {
    "context_length_exceeded": 400,
    "max_tokens_exceeded": 400,
    "token_limit_exceeded": 400,
    "string_too_long": 400,
    "authentication": 401,
    "permission_denied": 403,
    "payment_required": 402,
    "rate_limit_exceeded": 429,
    "provider_overloaded": 503,
    "provider_unavailable": 502,
    "timeout": 504,
    "invalid_request": 400,
    "invalid_prompt": 400,
    "not_found": 404,
    "precondition_failed": 412,
    "payload_too_large": 413,
    "unprocessable": 422,
    "content_policy_violation": 400,
    "refusal": 400,
    "invalid_image": 400,
    "image_too_large": 400,
    "image_too_small": 400,
    "unsupported_image_format": 400,
    "image_download_failed": 400,
    "image_not_found": 404,
    "server": 500,
    "unmapped": 500,
}
"""The status an ``error_type`` stands for, where an error inside a 200 has no code of its own."""

REFINED: dict[tuple[int, str], FailureKind] = {
    (400, "context_length_exceeded"): Kind.CONTEXT_TOO_LONG,
    (400, "max_tokens_exceeded"): Kind.CONTEXT_TOO_LONG,
    (400, "token_limit_exceeded"): Kind.CONTEXT_TOO_LONG,
    (400, "string_too_long"): Kind.CONTEXT_TOO_LONG,
    (400, "content_policy_violation"): Kind.MODERATION,
    (400, "refusal"): Kind.MODERATION,
    (400, "model_not_found"): Kind.UNKNOWN_MODEL,
    (402, "openrouter_in_flight_budget"): Kind.IN_FLIGHT_BUDGET,
    (402, "openrouter_key_limit"): Kind.KEY_LIMIT,
    (402, "weight_exceeds_budget"): Kind.REQUEST_TOO_DEAR,
    (403, "payment_required"): Kind.KEY_LIMIT,
    (403, "openrouter_key_limit"): Kind.KEY_LIMIT,
    (403, "content_policy_violation"): Kind.MODERATION,
    (403, "region_restricted"): Kind.NO_ENDPOINT,
    (404, "model_not_found"): Kind.UNKNOWN_MODEL,
    (404, "model_deprecated"): Kind.MODEL_GONE,
    (404, "model_unavailable_upstream"): Kind.MODEL_GONE,
    (404, "free_variant_ended"): Kind.MODEL_GONE,
}
"""(status, word) -> kind, where the word is an availability code, an error type, or a 402's limit source
or reason."""

BY_FIELD: dict[tuple[int, str], FailureKind] = {
    (403, "flagged_input"): Kind.MODERATION,
    (403, "reasons"): Kind.MODERATION,
    (403, "patterns"): Kind.GUARDRAIL,
}
"""(status, key of ``metadata``) -> kind."""

BY_WORDING: list[tuple[int, re.Pattern[str], FailureKind]] = [
    (
        400,
        re.compile(r"not a valid model|model \S+ (does not exist|not found)", re.IGNORECASE),
        Kind.UNKNOWN_MODEL,
    ),
    (
        400,
        re.compile(r"context (length|window|size)|maximum context|too many tokens", re.IGNORECASE),
        Kind.CONTEXT_TOO_LONG,
    ),
    (402, re.compile(r"key limit", re.IGNORECASE), Kind.KEY_LIMIT),
    (403, re.compile(r"key limit|budget|spend(ing)? limit", re.IGNORECASE), Kind.KEY_LIMIT),
    (403, re.compile(r"guardrail", re.IGNORECASE), Kind.GUARDRAIL),
    (403, re.compile(r"moderation|flagged", re.IGNORECASE), Kind.MODERATION),
    (404, re.compile(r"deprecated|no longer", re.IGNORECASE), Kind.MODEL_GONE),
]
"""Last resort, for gateways that say it in the message only."""


# --------------------------------------------------------------------------- reading an error object


class _Error(Record, frozen=True, kw_only=True):
    """An error object, whatever its shape."""

    message: str
    code: Any
    metadata: dict[str, Any]
    availability: dict[str, Any]
    fields: dict[str, Any]

    def words(self) -> list[str]:
        """Give the words that may refine a kind, the most telling first."""
        found = [
            self.availability.get("code"),
            self.metadata.get("limit_source"),
            self.metadata.get("reason"),
            self.metadata.get("error_type"),
            self.fields.get("error_type"),
            self.code,
            self.fields.get("type"),
        ]
        return [word for word in found if isinstance(word, str)]

    def status(self) -> int | None:
        """Give the status it names, by code, field or type; None when it names none."""
        named = (self.code, self.fields.get("http_status"), self.fields.get("status"))
        numbers = [number for value in named if (number := values.count(value)) and 300 <= number <= 999]
        typed = [STATUS_OF_TYPE[word] for word in self.words() if word in STATUS_OF_TYPE]
        return next(iter([*numbers, *typed]), None)

    def waits(self) -> list[float | None]:
        """Give the waits it asks for, seconds."""
        return [
            values.amount(place.get("retry_after"))
            for place in (self.availability, self.metadata, self.fields)
        ]


def _error_of(value: Any) -> _Error:
    """Read an error object; a bare string is its message."""
    fields = values.table(value)
    metadata = values.table(fields.get("metadata"))
    own = value if isinstance(value, str) else values.text(fields.get("message"))
    parts = [own, values.text(metadata.get("provider_name")), values.text(metadata.get("raw"))]
    return _Error(
        message=": ".join(part for part in parts if part) or "no message",
        code=fields.get("code"),
        metadata=metadata,
        availability=values.table(fields.get("availability")),
        fields=fields,
    )


def _kind(status: int, error: _Error, headers: Mapping[str, str]) -> FailureKind:
    """Give the kind of a status, refined by what the error object says."""
    if status == 429 and _is_platform_limit(error, headers):
        return Kind.RATE_LIMIT_PLATFORM
    refined = [
        *(REFINED.get((status, word)) for word in error.words()),
        *(BY_FIELD.get((status, key)) for key in error.metadata),
        *(kind for code, wording, kind in BY_WORDING if code == status and wording.search(error.message)),
    ]
    return next(filter(None, refined), None) or plain_kind(status)


def plain_kind(status: int) -> FailureKind:
    """Give the kind of a status alone."""
    if status in BY_STATUS:
        return BY_STATUS[status]
    if 300 <= status < 400:
        return Kind.REDIRECT
    return Kind.SERVER_ERROR if status >= 500 else Kind.UNKNOWN_STATUS


def _is_platform_limit(error: _Error, headers: Mapping[str, str]) -> bool:
    """Tell the gateway's own limit from its providers': only the former carries ``X-RateLimit-*``."""
    names = [*headers, *values.table(error.metadata.get("headers"))]
    return any(str(name).lower().startswith("x-ratelimit-") for name in names)


# --------------------------------------------------------------------------- the two doors


def refusal(head: Head, body: bytes) -> Refusal:
    """Give the refusal of a response whose status is not 200."""
    try:
        decoded = values.loads(body)
    except values.NotJSON:
        decoded = {"error": _words_of_page(body)}
    holder = values.table(decoded)
    error = _error_of(holder.get("error", holder.get("message", holder.get("detail"))))
    return _refusal(_kind(head.status, error, head.headers), error, head, head.ids(), cost_of(holder))


def refusal_in_200(
    error: Any,
    head: Head,
    *,
    body_id: Any = None,
    begun: FailureKind | None = None,
    cost_usd: float | None = None,
) -> Refusal:
    """Give the refusal of an error object inside a 200.

    ``begun``: the kind of a failure after the model had started; it stands for every error of the
    service (500 and above) and for one that says nothing about its nature. Errors of the request,
    the key or a limit keep the kind that their code has as a status.
    """
    read = _error_of(error)
    status = read.status()
    if status is None or (begun is not None and status >= 500):
        kind = begun or Kind.PROVIDER_ERROR
    else:
        kind = _kind(status, read, head.headers)
    return _refusal(kind, read, head, head.ids(body_id), cost_usd)


def _refusal(kind: FailureKind, error: _Error, head: Head, ids: Ids, cost_usd: float | None) -> Refusal:
    waits = [wait for wait in (retry_after(head), *error.waits()) if wait is not None]
    if not waits and kind is Kind.RATE_LIMIT_PLATFORM:
        reset = limit_reset(head, values.table(error.metadata.get("headers")))
        waits = [] if reset is None else [reset]
    return Refusal(
        kind=kind,
        message=error.message,
        status=head.status,
        retryable=RULES[kind].retried and error.availability.get("retryable") is not False,
        retry_after_s=max(waits, default=None),
        ids=ids,
        cost_usd=cost_usd,
    )


def cost_of(holder: dict[str, Any]) -> float | None:
    """Give ``usage.cost`` of a body, US dollars; None when absent, no number, or negative."""
    return values.amount(values.table(holder.get("usage")).get("cost"))


def _words_of_page(body: bytes) -> str:
    """Give the words of a body that is not JSON: the title of a page, or its first words."""
    page = body[:65536].decode("utf-8", "replace")
    title = re.search(r"<title[^>]*>(.*?)</title>", page, re.IGNORECASE | re.DOTALL)
    words = " ".join(re.sub(r"<[^>]*>", " ", title[1] if title else page).split())
    return f"not JSON: {words[:200]}" if words else "empty body"
