r"""Where an answer's final answer stands: one order for all graders.

1. Reasoning is set aside: ``<think>...</think>`` and its like, closed or not.
2. The last complete ``\boxed{...}`` that is not empty. Boxes that are only joined by "and", "or" or
   a comma ("\boxed{2} or \boxed{3}") are one final answer.
3. What follows the last "final answer", "the answer is", "answer:", "correct option is", <answer> and such,
   to the end of that line, or the next line when the label stands alone. Denied and supposed ones
   ("the answer is not", "if the answer is") do not count; "answer: not stated" is an answer.
4. A short first line that is followed by nothing but an explanation headed as such.
5. The last line that is not empty; fences, rules and closing courtesies are no lines.

Markdown, LaTeX and quotes around the result are stripped. Everything here is linear in the length of
the answer, and only the last `SEARCHED` characters are looked at.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Literal, NamedTuple

SEARCHED = 100_000
"""Characters at the end of an answer in which a final answer is looked for (about 25,000 tokens)."""
LONGEST = 1_000
"""Characters of a final answer that are kept."""

Source = Literal["box", "marker", "head", "line", "none"]


class Final(NamedTuple):
    """A final answer and where it stood."""

    text: str
    """Without Markdown, LaTeX dressing and quotes; empty when there is none."""
    raw: str
    """As written, white space at the ends stripped."""
    source: Source


def final_answer(answer: str) -> Final:
    """Give the final answer of an answer from which reasoning was set aside (see `visible`)."""
    answer = answer[-SEARCHED:]
    for source, find in _ORDER:
        raw = find(answer)[:LONGEST].strip()
        text = undress(raw)
        if text:
            return Final(text, raw, source)
    return Final("", "", "none")


# --------------------------------------------------------------------------- reasoning

_BRACKETS = "<[\u25c1"
_TAG = re.compile(r"[<\[\u25c1](?P<close>/?)(?:think|thinking|thought|reasoning)[>\]\u25b7]", re.IGNORECASE)


def visible(text: str) -> str:
    """Give an answer without its reasoning blocks, at most its last `SEARCHED` characters.

    A closing tag without an opening one ends reasoning that began before the text; an opening tag at
    the start of a line that is never closed begins reasoning that never ended.
    """
    window = text[-SEARCHED:]
    if len(text) > SEARCHED and _thinks_to_the_end(text):
        return ""
    if not any(bracket in window for bracket in _BRACKETS):
        return window.strip()
    kept: list[str] = []
    start, opened = 0, None
    for tag in _TAG.finditer(window):
        if tag["close"]:
            kept = kept if opened is not None else []
            start, opened = tag.end(), None
        elif opened is None:
            kept.append(window[start : tag.start()])
            start = opened = tag.start()
    if opened is None or not _at_line_start(window, opened):
        kept.append(window[start:])
    return "".join(kept).strip()


def _thinks_to_the_end(text: str) -> bool:
    """Tell whether a text opens with reasoning that is never closed."""
    head = _TAG.match(text[:SEARCHED].lstrip())
    return head is not None and not head["close"] and f"{head[0][0]}/{head[0][1:]}" not in text


def _at_line_start(text: str, position: int) -> bool:
    line_start = text.rfind("\n", 0, position) + 1
    return not text[line_start:position].strip()


# --------------------------------------------------------------------------- boxes

_BRACE = re.compile(r"\\(?:boxed|fbox)\s{0,4}\{|\\[{}\\]|[{}]")
_JOIN = re.compile(r"[\s$,;.*)(\\]{0,20}(?:and|or|&)?[\s$,;.*)(\\]{0,20}(?:[a-z]\s?=\s?)?", re.IGNORECASE)


def _last_box(answer: str) -> str:
    r"""Give the content of the last complete, non-empty ``\boxed{...}``, joined to those beside it."""
    if "box" not in answer:
        return ""
    boxes = [box for box in _boxes(answer) if undress(answer[box[1] : box[2]][:LONGEST])]
    if not boxes:
        return ""
    begin, inner, inner_end = boxes.pop()
    contents = [answer[inner:inner_end]]
    while boxes and len(contents) < 10:
        before, inner, inner_end = boxes.pop()
        if inner_end >= begin:  # a box inside the one already taken
            continue
        between = answer[inner_end + 1 : begin]
        if "\n" in between or len(between) > 50 or not _JOIN.fullmatch(between):
            break
        contents.insert(0, answer[inner:inner_end])
        begin = before
    return ", ".join(undress(content[:LONGEST]) for content in contents) if len(contents) > 1 else contents[0]


def _boxes(answer: str) -> list[tuple[int, int, int]]:
    """Give every complete box in the order of their ends: its start, and the span of its content."""
    found: list[tuple[int, int, int]] = []
    opened: list[tuple[int, int, bool]] = []
    for brace in _BRACE.finditer(answer):
        sign = brace[0]
        if sign.endswith("{") and sign != "\\{":
            opened.append((brace.start(), brace.end(), sign != "{"))
        elif sign == "}" and opened:
            begin, inner, is_box = opened.pop()
            if is_box:
                found.append((begin, inner, brace.start()))
    return found[-50:]


# --------------------------------------------------------------------------- markers

_EMPHASIS = re.compile(r"(?<![\w*_])[*_]{1,3}(?=\S)|(?<=\S)[*_]{1,3}(?![\w{*_])")
_MARKER = re.compile(
    r"""
    (?<![\w-])(?<!\bif\s)(?<!\bif\sthe\s)(?<!\bif\sthe\scorrect\s)(?<!\bwhether\sthe\s)
    (?:
        (?:answer|final\s+result|ans\.?)s?(?!\s+(?:choices|options|key|format))
        (?:
            (?:\s+(?:choice|option|letter))?["']?\s*(?:\([^()\n]{0,40}\)\s*)?[:\uFF1A=\u2248\u2192]
          | \s+[-\u2013\u2014]\s
          | (?:\s+(?:choice|option|letter))?(?:,?\s[^.:\n]{0,60}?)??
            \s+(?:is|are|would\s+be|should\s+be|must\s+be|equals|is\s+therefore|is\s+thus)\b
            (?!\s*(?:not|n't|neither|never)\b)
        )
      | (?:correct|right|best|final)\s+(?:option|choice|letter)
        \s*(?:(?:is|would\s+be)\b(?!\s*(?:not|n't|neither|never)\b)|:)
      | <answer>
      | (?m:^)[ \t]*\#{0,6}[ \t]*(?:the\s+)?(?:final\s+)?answer[ \t]*(?=\n)
    )
    """,
    re.IGNORECASE | re.VERBOSE,
)
_MARKER_WORDS = ("ans", "result", "option", "choice", "letter")
"""Each label holds one of these."""
_POINTER = re.compile(r"\W*(?:as follows|below|given below|the following)?\W*", re.IGNORECASE)


def _after_marker(answer: str) -> str:
    """Give what follows the last label of a final answer on its line, or else on the next."""
    plain = without_emphasis(answer)
    if not _may_hold_marker(plain):
        return ""
    for marker in reversed(list(_MARKER.finditer(plain))[-20:]):
        line, _, rest = plain[marker.end() :].partition("\n")
        if not _POINTER.fullmatch(line[:LONGEST]):
            line = line.lstrip(" \t:\uff1a=")
            return line.strip("\"'}, ") if marker[0][-2:-1] in "\"'" else line
        following = _lines(rest[:LONGEST])
        if following:
            return following[0]
    return ""


def _may_hold_marker(plain: str) -> bool:
    """Tell whether looking for a label can find one; exact would be as slow as looking."""
    if not plain.isascii():  # letters beyond ASCII may be the same as one within it, whatever their case
        return True
    lower = plain.lower()
    return any(word in lower for word in _MARKER_WORDS)


def without_emphasis(text: str) -> str:
    """Give a text without the Markdown marks of bold and italics; ``2**3`` and ``a_b`` stay."""
    plain = text.replace("`", "")
    return _EMPHASIS.sub("", plain) if "*" in plain or "_" in plain else plain


# --------------------------------------------------------------------------- lines

_NO_LINE = re.compile(
    r"\s*(?:[`~]{3,}\s*\w*|[-*_=]{3,}|\$\$|\\[\[\]]|\\(?:begin|end)\{\w+\*?\}|[{}\[\]()|]+)?\s*"
)
_COURTESY = re.compile(
    r"\W*(?:i hope|hope (?:this|that|it)|(?:please )?let me know|(?:please )?feel free|if you (?:have|need|would like)"
    r"|is there anything|would you like|do you (?:want|need))\b",
    re.IGNORECASE,
)
_EXPLANATION = re.compile(
    r"[\W_]*(?:explanation|reasoning|rationale|justification|reason|because|working|calculation|why)\b",
    re.IGNORECASE,
)


def _lines(text: str) -> list[str]:
    return [
        line for line in text.splitlines() if not _NO_LINE.fullmatch(line[:LONGEST]) and not is_courtesy(line)
    ]


def is_courtesy(line: str) -> bool:
    """Tell whether a line is a closing courtesy ("I hope this helps!"), which answers nothing."""
    return _COURTESY.match(line) is not None


def _head(answer: str) -> str:
    """Give a short first line when all that follows it is an explanation headed as such."""
    first, newline, rest = answer[:SEARCHED].lstrip().partition("\n")
    return first if newline and len(first) <= 80 and _EXPLANATION.match(rest[:LONGEST].lstrip()) else ""


def _last_line(answer: str) -> str:
    lines = _lines(answer[-10 * LONGEST :])
    return lines[-1][-LONGEST:] if lines else ""


def last_lines(answer: str, limit: int = 20) -> list[str]:
    """Give the last lines that are not empty, the last one first, undressed."""
    return [undress(line[-LONGEST:]) for line in reversed(_lines(answer[-10 * LONGEST :])[-limit:])]


_ORDER: tuple[tuple[Source, Callable[[str], str]], ...] = (
    ("box", _last_box),
    ("marker", _after_marker),
    ("head", _head),
    ("line", _last_line),
)


# --------------------------------------------------------------------------- dressing

_UNWRAP = re.compile(
    r"\\(?:text|textbf|textit|textrm|textsf|texttt|mathrm|mathbf|mathit|mathsf|mathtt|operatorname|emph|boxed|fbox|mbox)"
    r"\s{0,4}\{([^{}]*)\}"
)
_SPACE = re.compile(r"</?answer>|\\[,;: ]|\\q?quad\b|\\(?:left|right|displaystyle|bf|rm|it)\b|\u200b|\ufeff")
_CUT_OFF = re.compile(r"\\(?:boxed|fbox)\s{0,4}\{(?=[^{}]*\Z)")
_ESCAPED = re.compile(r"\\([%$_&#])")
_PAIRS = (
    ("$$", "$$"),
    ("$", "$"),
    ("\\(", "\\)"),
    ("\\[", "\\]"),
    ('"', '"'),
    ("'", "'"),
    ("\u201c", "\u201d"),
    ("\u2018", "\u2019"),
    ("\u00ab", "\u00bb"),
)
_PREFIX = re.compile(r"\A(?:#{1,6}\s+|[-*+\u2022>]\s+)+")
_PAIR_STARTS = frozenset(opening[0] for opening, _ in _PAIRS)
_DRESSED = re.compile(r"[\\*_`$\"'{}#<>\u2022\u200b\ufeff\u201c\u201d\u2018\u2019\u00ab\u00bb]|\A\s*[-+]\s")
"""Any dressing at all holds one of these."""


def undress(text: str) -> str:
    """Give a text without headings, bullets, emphasis, LaTeX wrappers and quotes around it."""
    if not _DRESSED.search(text):
        return text.strip()
    text = _CUT_OFF.sub("", text)
    text = _ESCAPED.sub(r"\1", _SPACE.sub(" ", text.replace("\\!", "")))
    for _ in range(8):
        before = text
        text = without_emphasis(_UNWRAP.sub(r"\1", _PREFIX.sub("", text.strip(), count=1))).strip()
        if text[:1] in _PAIR_STARTS:
            for opening, closing in _PAIRS:
                text = _unpair(text, opening, closing)
        text = _unbrace(text)
        if text == before:
            break
    return text


def _unpair(text: str, opening: str, closing: str) -> str:
    inner = text[len(opening) : -len(closing)]
    paired = len(text) > len(opening) + len(closing) and text.startswith(opening) and text.endswith(closing)
    return inner.strip() if paired and opening not in inner and closing not in inner else text


def _unbrace(text: str) -> str:
    """Strip the braces around a text when the first closes only at its end."""
    if not (text.startswith("{") and text.endswith("}")):
        return text
    depth = 0
    for index, char in enumerate(text):
        depth += (char == "{") - (char == "}")
        if depth == 0:
            return text[1:-1].strip() if index == len(text) - 1 else text
    return text


_SENTENCE_END = re.compile(r"(?<=\S)[.!?](?=\s+[A-Z\"'(\u201c]|\s*\Z)|\n")


def first_sentence(text: str) -> str:
    """Give a text up to the end of its first sentence."""
    return _SENTENCE_END.split(text, maxsplit=1)[0].strip()
