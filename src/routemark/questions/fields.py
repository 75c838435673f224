"""Names and values of single fields: aliases, misspellings, labels, and text that cannot be sent.

Every check gives None or what is wrong, in words that go behind ``place: field:``.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Collection
from functools import lru_cache
from typing import Any

from routemark.questions.rows import CONTROL, RepeatedKeys, kind, plain, shown

_NAMES: dict[str, tuple[str, ...]] = {
    "id": ("id", "question_id"),
    "difficulty": ("difficulty",),
    "question": ("question", "input", "prompt"),
    "messages": ("messages",),
    "reference": ("reference", "target", "answer", "expected"),
    "choices": ("choices", "options"),
    "grader": ("grader",),
    "category": ("category", "subject", "topic"),
    "metadata": ("metadata",),
}

KNOWN: dict[str, str] = {name: field for field, names in _NAMES.items() for name in names}
"""Every name that a file may use, and the field it means."""

_SPELLCHECKED = [
    name
    for field in ("difficulty", "question", "messages", "reference", "choices", "grader")
    for name in _NAMES[field]
]
"""Names whose misspelling would change what is asked or leave answers without a grade."""
_ORDINARY = frozenset({"grade", "preference"})
"""Names close to one of those that people give to other things."""
_CUTOFF = 0.82
"""Similarity (difflib's ratio) from which a name is taken for a misspelling: "choises" has 0.86."""
_LONGEST_LABEL = 512
_DEEPEST = 100


@lru_cache(maxsize=4096)
def _meant(name: str) -> str | None:
    folded = name.strip().casefold().replace("-", "_").replace(" ", "_")
    if folded in _ORDINARY:
        return None
    close = difflib.get_close_matches(folded, _SPELLCHECKED, n=1, cutoff=_CUTOFF)
    return close[0] if close else None


def near_miss(name: str, present: Collection[str]) -> str | None:
    """Give the known name that an unknown one probably means; None where that field is there already."""
    if name in KNOWN:
        return None
    meant = _meant(name)
    if meant is None or any(KNOWN.get(other) == KNOWN[meant] for other in present):
        return None
    return meant


def as_text(value: Any) -> str | None:
    """Give a text as it is and a finite number as the text JSON would show; None for anything else."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return str(value)


def label_fault(value: str) -> str | None:
    """Say why a text cannot be an id or a label."""
    if not value:
        return "is empty"
    if len(value) > _LONGEST_LABEL:
        return f"has {len(value)} characters; at most {_LONGEST_LABEL} are allowed"
    if value.isprintable():  # then there are no halves of surrogate pairs in it, either
        return None
    match = CONTROL.search(value)
    return f"holds the control character U+{ord(match[0]):04X}" if match else text_fault(value)


def text_fault(value: str) -> str | None:
    """Say why a text cannot be sent as UTF-8 JSON."""
    if "\0" in value:
        return "holds a NUL character"
    if value.isascii():
        return None
    try:
        value.encode()
    except UnicodeEncodeError as error:
        code = ord(value[error.start])
        if 0xDC80 <= code <= 0xDCFF:  # how the reader keeps a byte that it could not decode
            return f"holds the byte 0x{code - 0xDC00:02X}, which is not UTF-8; save the file as UTF-8"
        return f"holds half of a surrogate pair (U+{code:04X})"
    return None


def value_fault(value: Any, depth: int = 0) -> str | None:
    """Say what in a JSON value cannot be stored and read back as the same."""
    if isinstance(value, str):
        return text_fault(value)
    if isinstance(value, float):
        return None if math.isfinite(value) else f"holds {value}, which is not a number in JSON"
    if isinstance(value, dict | list):
        return _container_fault(value, depth)
    return None


def _container_fault(value: dict[str, Any] | list[Any], depth: int) -> str | None:
    if depth > _DEEPEST:
        return f"is nested deeper than {_DEEPEST} levels"
    if isinstance(value, list):
        return next(filter(None, (value_fault(part, depth + 1) for part in value)), None)
    if isinstance(value, RepeatedKeys):
        return f"holds the name {shown(value.repeated)} more than once in one object"
    for name, part in value.items():
        fault = text_fault(name) or value_fault(part, depth + 1)
        if fault:
            return fault
    return None


def must_be(wanted: str, value: Any) -> str:
    """Say that a value has the wrong type, and show it."""
    return f"must be {wanted}, not {kind(value)}: {plain(shown(value))}"
