"""LiteLLM's spend logs: rows of ``LiteLLM_SpendLogs``, as JSON, JSON Lines or CSV.

What was asked is there when the proxy stores prompts (``store_prompts_in_spend_logs``): in ``proxy_server_request``,
formerly ``messages``; long texts in it are cut in the middle, and marked. The answer is in ``response``.
"""

from __future__ import annotations

from typing import Any

from routemark.interop.entries import part
from routemark.interop.logs.requests import Left, Request, loose, request

_CHAT = ("", "completion", "acompletion", "text_completion", "atext_completion", "responses", "aresponses")
_CUT = "litellm_truncated"


def is_one(names: set[str]) -> bool:
    """Tell whether rows with these names are such."""
    return {"request_id", "call_type"} <= names or {"request_id", "spend", "model"} <= names


def read(row: dict[str, Any]) -> Request | Left:
    """Give the request of a row."""
    if (row.get("call_type") or "") not in _CHAT:
        return Left("no prompt")
    body = loose(row.get("proxy_server_request")) or loose(row.get("messages"))
    body = part(body, "body") or body
    if not body:
        return Left("no prompt")
    found = request(body, row.get("response"), model=row.get("model"), name=row.get("model_group"))
    return Left("cut off") if isinstance(found, Request) and _CUT in found.text else found
