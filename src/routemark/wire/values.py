"""Foreign JSON, read with care: nothing in it is trusted to be there, to be of its type, or to be sane.

The getters give a value of the wanted type or None, never raise, and never guess.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any

import msgspec

_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
"""In a Python string a surrogate pair is one character: whatever surrogate is left stands alone."""


_ANY_COUNT = 1 << 53
"""Whole numbers below are counts, and floats without loss."""


class NotJSON(ValueError):  # noqa: N818 - reads as what it says
    """The bytes are not JSON, however forgiving one reads them."""


def loads(data: bytes) -> Any:
    """Decode JSON; what strict readers refuse but can be read (lone surrogates, NaN) is read.

    Raises: NotJSON.
    """
    try:
        return msgspec.json.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return _loads_forgiving(data)


def _loads_forgiving(data: bytes) -> Any:
    try:
        return scrub(json.loads(data.decode("utf-8-sig", "replace"), strict=False))
    except (ValueError, RecursionError) as fault:
        raise NotJSON(str(fault)) from None


def scrub(value: Any) -> Any:
    """Give the value with every lone surrogate replaced by U+FFFD, at any depth."""
    if isinstance(value, str):
        return _LONE_SURROGATE.sub("�", value)
    if isinstance(value, list):
        return [scrub(item) for item in value]
    if isinstance(value, dict):
        return {scrub(key): scrub(item) for key, item in value.items()}
    return value


def shallow(value: Any, levels: int = 64) -> Any:
    """Give the value, or if it is nested deeper than that, what fits: then it can be encoded again."""
    if not isinstance(value, dict | list):
        return value
    return value if _fits(value, levels) else _pruned(value, levels)


def _fits(value: Any, levels: int) -> bool:
    """Tell, fast, whether the value is surely no deeper: it has no more brackets than that."""
    try:
        encoded = msgspec.json.encode(value)
    except RecursionError:
        return False
    return encoded.count(b"{") + encoded.count(b"[") <= levels


def _pruned(value: Any, levels: int) -> Any:
    if isinstance(value, dict):
        return {key: _pruned(item, levels - 1) for key, item in value.items()} if levels else None
    if isinstance(value, list):
        return [_pruned(item, levels - 1) for item in value] if levels else None
    return value


def text(value: Any) -> str | None:
    """Give a string."""
    return value if isinstance(value, str) else None


def table(value: Any) -> dict[str, Any]:
    """Give an object, or an empty one."""
    return value if isinstance(value, dict) else {}


def rows(value: Any) -> list[Any]:
    """Give a list, or an empty one."""
    return value if isinstance(value, list) else []


def number(value: Any) -> float | None:
    """Give a finite number, also from its decimal spelling."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        result = float(value)
    except (ValueError, OverflowError):
        return None
    return result if math.isfinite(result) else None


def count(value: Any) -> int | None:
    """Give a whole number that is not negative, also from its decimal spelling."""
    if type(value) is int and 0 <= value < _ANY_COUNT:
        return value
    result = number(value)
    return int(result) if result is not None and result >= 0 and result == int(result) else None


def amount(value: Any) -> float | None:
    """Give a sum of money; negative ones are placeholders, not prices, and give None."""
    result = number(value)
    return result if result is not None and result >= 0 else None
