"""Disarm text that others wrote: model output, model and provider names, prompts, error messages.

`clean` takes out what acts instead of being read: terminal escape sequences, control characters,
and the invisible Unicode characters that reorder or hide text (Trojan Source, 2021). What remains is
ordinary text, to be escaped by whoever embeds it: HTML by the template's autoescape, Markdown by
`markdown.escape`, rich markup by never parsing any (`rich.text.Text`).
"""

from __future__ import annotations

import re
from typing import NamedTuple

# CSI and the string sequences (OSC, DCS, SOS, PM, APC) with 7-bit and 8-bit introducers, then the
# two-character escapes. Possessive, so that no input takes more than linear time.
_ESCAPES = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*+[ -/]*+[@-~]"
    r"|(?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x07\x1b\x9c]*+(?:\x07|\x1b\\|\x9c)"
    r"|\x1b[ -/]*+[0-~]"
)
_LINE_ENDS = re.compile(r"\r\n?|[\x85\u2028\u2029]")
_UNSEEN = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f"  # controls but tab and line feed
    r"\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"  # bidi, zero width
    r"\U000e0000-\U000e007f]"  # tags
)
_SURROGATES = re.compile(r"[\ud800-\udfff]")
_SPACE = re.compile(r"\s+")


def clean(text: str) -> str:
    """Give the text without escape sequences, controls and bidirectional overrides; lines end in LF."""
    text = _ESCAPES.sub("", text)
    text = _LINE_ENDS.sub("\n", text)
    return _SURROGATES.sub("\ufffd", _UNSEEN.sub("", text))


def one_line(text: str, limit: int = 200) -> str:
    """Give the cleaned text on one line, cut to ``limit`` characters with "..."."""
    line = _SPACE.sub(" ", clean(text[: 20 * limit])).strip()
    return line if len(line) <= limit else line[: limit - 3].rstrip() + "..."


class Clip(NamedTuple):
    """The beginning of a text that may be too long to show."""

    text: str
    total: int
    """Characters of the whole text."""

    @property
    def cut(self) -> bool:
        """Something was left off."""
        return len(self.text) < self.total


def clip(text: str, limit: int) -> Clip:
    """Give the cleaned beginning, at most ``limit`` characters; work and memory do not grow with the rest."""
    whole = len(text) <= limit
    shown = clean(text[:limit])
    return Clip(shown, len(shown) if whole else len(text))
