"""What is counted in a text: words, sentences, lines, paragraphs, list items, marks.

- A word is a run of characters between white space with a letter or digit in it; list marks are none
  ("1.", "-"), and "well-known" is one.
- A sentence ends with ``. ! ?`` (or their like) before white space, not after a title, an initial or inside
  a number. A list line, a heading and an unfinished end count as one each.
- A line is one that is not blank, a paragraph a run of lines between blank ones.
"""

from __future__ import annotations

import re

from routemark.graders.json_text import fences

_LIST_MARK = re.compile(r"^[ \t>]{0,20}(?:[-*+\u2022]|\d{1,3}[.)])(?=[ \t])[ \t]*", re.MULTILINE)
_BULLET = re.compile(r"^[ \t]{0,20}[-*+\u2022][ \t]+\S", re.MULTILINE)
_NUMBERED = re.compile(r"^[ \t]{0,20}\d{1,3}[.)][ \t]+\S", re.MULTILINE)
_HEADING = re.compile(r"^#{1,6}[ \t]+\S", re.MULTILINE)
_PLACEHOLDER = re.compile(r"\[[^\[\]\n]{1,80}\](?!\()")
_HIGHLIGHT = re.compile(r"(?<![\w*])(\*{1,3})(?=[^\s*])[^*\n]{1,200}(?<=\S)\1(?![\w*])")


def words(text: str) -> list[str]:
    """Give the words of a text."""
    return [word for word in _LIST_MARK.sub("", text).split() if any(map(str.isalnum, word))]


def lines(text: str) -> list[str]:
    """Give the lines of a text that are not blank."""
    return [line.strip() for line in text.splitlines() if line.strip()]


def paragraphs(text: str) -> list[str]:
    """Give the paragraphs of a text; rules ("---", "***") are none."""
    parts: list[list[str]] = [[]]
    for line in text.splitlines():
        if line.strip():
            parts[-1].append(line)
        elif parts[-1]:
            parts.append([])
    joined = ["\n".join(part) for part in parts]
    return [part for part in joined if any(map(str.isalnum, part))]


_END = re.compile(r"(?<![.!?\u2026])[.!?\u2026]++[\"')\]\u201d\u2019*_]{0,5}(?=\s)|[\u3002\uff01\uff1f]+")
_TITLE = re.compile(r"(?:\b(?:Mr|Mrs|Ms|Dr|Prof|Sr|Jr|St|vs|e\.g|i\.e|cf|Fig|approx)|\b[A-Z])\.$")
_SHORTENED = re.compile(r"(?:\b(?:etc|Inc|Ltd|Co|a\.m|p\.m|[A-Z]\.[A-Z]))\.$")


def sentences(text: str) -> list[str]:
    """Give the sentences of a text."""
    found = []
    for block in _blocks(text):
        start = 0
        for end in _END.finditer(block):
            if not _goes_on(block, start, end):
                found.append(block[start : end.end()])
                start = end.end()
        found.append(block[start:])
    return [sentence.strip() for sentence in found if any(map(str.isalnum, sentence))]


def _goes_on(block: str, start: int, end: re.Match[str]) -> bool:
    """Tell whether a sentence goes on behind a full stop, which ended an abbreviation."""
    if end[0] != ".":
        return False
    before = block[max(start, end.start() - 10) : end.end()]
    following = block[end.end() : end.end() + 3].strip()
    is_upper = following[:1].isupper()
    return bool(_SHORTENED.search(before) and not is_upper) or bool(
        _TITLE.search(before) and not _SHORTENED.search(before)
    )


def _blocks(text: str) -> list[str]:
    """Give the runs of lines in which a sentence may go on: list lines and headings stand alone."""
    blocks: list[list[str]] = [[]]
    for line in text.splitlines():
        is_heading = _HEADING.match(line) is not None
        if not line.strip() or is_heading or _LIST_MARK.match(line):
            blocks.append([])
        blocks[-1].append(_LIST_MARK.sub("", line).lstrip("#"))
        if is_heading:
            blocks.append([])
    return [" ".join(block) + " " for block in blocks]


def count_bullets(text: str) -> int:
    """Give the number of lines with a bullet."""
    return len(_BULLET.findall(text))


def count_numbered(text: str) -> int:
    """Give the number of numbered lines."""
    return len(_NUMBERED.findall(text))


def count_headings(text: str) -> int:
    """Give the number of Markdown headings."""
    return len(_HEADING.findall(text))


def count_fences(text: str) -> int:
    """Give the number of code fences."""
    return len(fences(text))


def count_placeholders(text: str) -> int:
    """Give the number of placeholders such as "[name]"; links are none."""
    return len(_PLACEHOLDER.findall(text))


def count_highlights(text: str) -> int:
    """Give the number of parts in bold or italics with asterisks."""
    return len(_HIGHLIGHT.findall(text))


def count_capital_words(text: str) -> int:
    """Give the number of words all in capitals, with two letters or more."""
    return sum(word.isupper() and sum(map(str.isalpha, word)) >= 2 for word in words(text))


def count_text(text: str, wanted: str, *, case: bool) -> int:
    """Give how often a text stands in another as whole words."""
    if not case:
        text, wanted = text.casefold(), wanted.casefold()
    pattern = r"\s+".join(map(re.escape, wanted.split()))
    opening = r"(?<!\w)" if re.match(r"\w", wanted) else ""
    closing = r"(?!\w)" if re.search(r"\w\Z", wanted) else ""
    return sum(1 for _ in re.finditer(opening + pattern + closing, text))
