"""JSON in answers: found in code fences first, then anywhere in the text; read strictly, compared by value.

Strictly: what Python or JavaScript would take (single quotes, a trailing comma, NaN) is no JSON. Numbers are
equal by value (1 and 1.0), true is not 1, and texts are equal character by character after Unicode NFC.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

from routemark.graders.extract import SEARCHED

DEEPEST = 64
"""Levels of nesting that are looked at."""
_ATTEMPTS = 300
"""Opening brackets at which reading is tried."""
_EFFORT = 3 * SEARCHED
"""Characters that all tries together may read."""

_FENCE = re.compile(r"[ \t>]{0,20}(`{3,}|~{3,})(.{0,40})")
_OPENING = re.compile(r"[{\[]")


class Found(NamedTuple):
    """A JSON value and the text that it stood in."""

    value: Any
    text: str


def find(answer: str, wanted: type | None = None) -> Found | None:
    """Give the JSON object or list that an answer ends with; None when there is none.

    The whole answer when it is JSON, else the last code fence that is, else the last one in the text.
    With ``wanted`` (dict or list), values of that type go before others, so that a "[1]" in the text
    does not hide the object before it; empty ones come last.
    """
    answer = answer[-SEARCHED:]
    for places in (_whole, _fenced, _inline):
        found = list(places(answer))
        if found:
            return max(enumerate(found), key=lambda item: _rank(item[1], wanted, item[0]))[1]
    return None


def loads(text: str) -> Any:
    """Give the value of a text that is JSON.

    Raises: ValueError when it is none, or nested deeper than `DEEPEST`.
    """
    try:
        value, end = _DECODER.raw_decode(text, len(text) - len(text.lstrip()))
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    if text[end:].strip():
        raise ValueError("something follows")
    if _depth_exceeds(value):
        raise ValueError("nested too deeply")
    return value


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


_DECODER = json.JSONDecoder(parse_constant=_refuse)


def _rank(found: Found, wanted: type | None, position: int) -> tuple[bool, bool, int]:
    return wanted is None or isinstance(found.value, wanted), bool(found.value), position


def _whole(answer: str) -> Iterator[Found]:
    stripped = answer.strip()
    if stripped[:1] in ("{", "["):
        yield from _read(stripped)


def _fenced(answer: str) -> Iterator[Found]:
    for content in fences(answer)[-50:]:
        if content[:1] in ("{", "["):
            yield from _read(content)


def fences(answer: str) -> list[str]:
    """Give the contents of the code fences of an answer; one that is never closed reaches to the end."""
    found: list[str] = []
    opened, content = "", list[str]()
    for line in answer[-SEARCHED:].splitlines():
        fence = _FENCE.match(line)
        if fence and not opened and "`" not in fence[2]:
            opened = fence[1]
        elif fence and opened and fence[1].startswith(opened) and not fence[2].strip():
            found.append("\n".join(content).strip())
            opened, content = "", []
        elif opened:
            content.append(line)
    return [*found, "\n".join(content).strip()] if opened else found


def _read(text: str) -> Iterator[Found]:
    try:
        yield Found(loads(text), text)
    except ValueError:
        return


def _inline(answer: str) -> Iterator[Found]:
    """Yield the outermost values in a text, within the bounds on attempts and effort."""
    effort, at = 0, 0
    for _ in range(_ATTEMPTS):
        opening = _OPENING.search(answer, at)
        if opening is None or effort > _EFFORT:
            return
        start = opening.start()
        try:
            value, at = _DECODER.raw_decode(answer, start)
        except json.JSONDecodeError as error:
            effort += max(error.pos - start, 0)
            at = start + 1
        except (ValueError, RecursionError):
            effort += SEARCHED // 50
            at = start + 1
        else:
            effort += at - start
            if not _depth_exceeds(value):
                yield Found(value, answer[start:at])


def _depth_exceeds(value: Any) -> bool:
    """Tell whether a value is nested deeper than `DEEPEST`; without recursion."""
    level = [value]
    for _ in range(DEEPEST):
        level = [inner for outer in level if isinstance(outer, dict | list) for inner in _inside(outer)]
        if not level:
            return False
    return True


def _inside(value: dict[str, Any] | list[Any]) -> list[Any]:
    return list(value.values()) if isinstance(value, dict) else value


# --------------------------------------------------------------------------- comparing


def canonical(value: Any, *, ordered: bool = True) -> Any:
    """Give a hashable stand-in for a value: equal ones have equal stand-ins.

    Without ``ordered``, lists are equal that hold the same elements in another order.
    """
    if isinstance(value, dict):
        return ("{", frozenset((key, canonical(item, ordered=ordered)) for key, item in value.items()))
    if isinstance(value, list):
        items = [canonical(item, ordered=ordered) for item in value]
        return ("[", tuple(items)) if ordered else ("[", frozenset(Counter(items).items()))
    return scalar(value)


def scalar(value: Any) -> tuple[str, Any]:
    """Give the stand-in of a text, number, true, false or null; floats count to 12 digits."""
    if isinstance(value, str):
        return "text", unicodedata.normalize("NFC", value)
    if isinstance(value, bool) or value is None:
        return "word", value
    if isinstance(value, float) and not value.is_integer():
        return "number", float(f"{value:.12g}")
    return "number", int(value) if abs(value) < float("inf") else str(value)
