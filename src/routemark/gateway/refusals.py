"""Errors as the gateway words them: status, type, message, and the bodies that carry them.

OpenRouter has two shapes of error object: one with ``code`` and ``metadata``, and one that says the
same with ``error_type`` and ``http_status``. Both are served, so that clients meet both.
"""

from __future__ import annotations

from typing import Any

import msgspec

from routemark.records import Record

DOCS_URL = "https://openrouter.ai/docs/api-reference/errors"


class Problem(Record, frozen=True, kw_only=True):
    """One error, before it has a body."""

    status: int
    message: str
    error_type: str
    metadata: dict[str, Any] = msgspec.field(default_factory=dict)
    """Beside ``error_type``."""
    availability: dict[str, Any] | None = None
    """OpenRouter's word on who is to blame and whether to try again."""
    retry_after_s: float | None = None
    """Seconds, unscaled."""
    rate_limit: int | None = None
    """Requests a window; set for the platform's own limit only, which tells its state in headers."""
    without_code: bool = False
    """Use the shape that has ``error_type`` and ``http_status`` in place of ``code``."""
    code_as_text: bool = False
    """Give ``code`` as a string, as some upstreams do."""


class RefusedError(Exception):
    """A request cannot be served; ``problem`` says why."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        super().__init__(problem.message)


def error_object(problem: Problem, retry_after_s: float | None = None) -> dict[str, Any]:
    """Give the value of ``error``, with the wait as scaled."""
    shape: dict[str, Any] = (
        {"error_type": problem.error_type, "http_status": problem.status}
        if problem.without_code
        else {"code": str(problem.status) if problem.code_as_text else problem.status}
    )
    shape["message"] = problem.message
    if not problem.without_code and problem.status != 500:
        shape["metadata"] = {"error_type": problem.error_type, **problem.metadata}
    if problem.availability is not None:
        wait = {} if retry_after_s is None else {"retry_after": retry_after_s}
        shape["availability"] = {**problem.availability, **wait, "docs_url": DOCS_URL}
    return shape


def error_body(problem: Problem, retry_after_s: float | None = None) -> dict[str, Any]:
    """Give the whole body of an error response."""
    return {
        "error": error_object(problem, retry_after_s),
        "openrouter_metadata": None,
        "user_id": "user_simulated",
    }


# --------------------------------------------------------------------------- the ones that routing raises


def invalid(message: str) -> RefusedError:
    """Give 400: the request's parameters are wrong."""
    return RefusedError(Problem(status=400, message=message, error_type="invalid_request"))


def unknown_model(model: str) -> RefusedError:
    """Give 400: there is no such model."""
    availability = {"code": "model_not_found", "retryable": False, "requested_models": [model]}
    return RefusedError(
        Problem(
            status=400,
            message=f"{model} is not a valid model ID",
            error_type="invalid_request",
            availability=availability,
        )
    )


def no_match() -> RefusedError:
    """Give 404: the restrictions leave no model."""
    return RefusedError(
        Problem(
            status=404,
            message="No models match your request and model restrictions",
            error_type="not_found",
        )
    )


def no_endpoints(model: str, excluded_by: str) -> RefusedError:
    """Give 404: the restrictions leave no provider of a model."""
    availability = {
        "code": "constraint_filtered",
        "retryable": False,
        "requested_models": [model],
        "excluded_by": [excluded_by],
    }
    return RefusedError(
        Problem(
            status=404,
            message=f"No endpoints found for {model} that match the request's restrictions.",
            error_type="not_found",
            availability=availability,
        )
    )


def context_too_long(limit: int, asked: int) -> RefusedError:
    """Give 400: prompt and answer do not fit into the context."""
    return RefusedError(
        Problem(
            status=400,
            message=f"This endpoint's maximum context length is {limit} tokens. However, you requested about"
            f" {asked} tokens. Please reduce the length of either one.",
            error_type="context_length_exceeded",
        )
    )


def unauthorized(message: str) -> RefusedError:
    """Give 401: the key is missing or wrong."""
    return RefusedError(Problem(status=401, message=message, error_type="authentication"))


def not_found(message: str) -> RefusedError:
    """Give 404: nothing by this name."""
    return RefusedError(Problem(status=404, message=message, error_type="not_found"))
