"""Texts in the cells of a CSV table, where a spreadsheet would run some of them as formulas."""

from __future__ import annotations

import re

# What a spreadsheet takes for a formula, full-width forms included. A plain number begins with
# a sign, too, and is none.
_FORMULA = re.compile(r"[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
_NUMBER = re.compile(r"[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?", re.ASCII)


def harmless(text: str) -> str:
    """Give a text with an apostrophe before it where it would be run."""
    return "'" + text if _FORMULA.match(text) and not _NUMBER.fullmatch(text) else text


def bare(text: str) -> str:
    """Give a text without the apostrophe that `harmless` put before it."""
    return text[1:] if text[:1] == "'" and harmless(text[1:]) == text else text
