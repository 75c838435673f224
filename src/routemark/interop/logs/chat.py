"""OpenAI-style chat logs: JSON Lines of requests, alone or with their responses.

A row is a request body (``messages``, ``input`` or ``prompt``), or holds one under ``request`` or ``body``, and may
hold the answer under ``response``, ``completion`` or ``output``. A conversation that ends in an answer is a request and
its answer, as in files for fine-tuning.
"""

from __future__ import annotations

from typing import Any

from routemark.interop.entries import part
from routemark.interop.logs.requests import Left, Request, loose, reference_in, request

_ANSWERS = ("response", "completion", "output", "answer")


def is_one(names: set[str]) -> bool:
    """Tell whether rows with these names are such."""
    return bool(names & {"messages", "request", "body", "input", "prompt"})


def read(row: dict[str, Any]) -> Request | Left:
    """Give the request of a row."""
    body = next((found for key in ("request", "body") if (found := loose(row.get(key)))), row)
    body = part(body, "body") or body
    answer = next((row[key] for key in _ANSWERS if row.get(key)), None)
    response = loose(answer)
    served = part(response, "model") or part(response, "body", "model")
    asked = part(body, "model") or row.get("model")
    name = next((row[key] for key in ("name", "endpoint", "url", "route") if row.get(key)), None)
    return request(body, answer, model=served or asked, name=name, reference=reference_in(row))
