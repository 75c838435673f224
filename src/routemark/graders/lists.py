"""The graders ``set`` and ``sequence``: the items of an answer against those expected.

The list is looked for in this order: the labelled final answer (see `extract`; list lines that follow the
label belong to it), the last code fence that is a JSON list, the last block of list lines, the last line.
Items are told apart by the ``separator``, or without one by line ends, else by the first of ``; | -> ,``
(and ``and``) ``> -`` that the text has and no expected item contains, else by spaces where no expected
item has one. They are compared as ``exact`` does, numbers by value. Brackets around the list, an opening
such as "The primes are", and what follows a list line's item behind a dash or colon do not count.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterator, Sequence
from fractions import Fraction

from routemark.graders.base import (
    Grader,
    Option,
    Options,
    Tools,
    Verdict,
    brief,
    check_texts,
    flag,
    show,
    texts,
)
from routemark.graders.extract import final_answer, is_courtesy, undress, visible
from routemark.graders.json_text import fences, loads
from routemark.graders.text import normal
from routemark.records import Completion, Question

_MOST_ITEMS = 2_000
"""Items of an answer that are looked at."""
_TAIL = 20_000
"""Characters at the end of an answer in which an unlabelled list is looked for."""
_LONGEST_LINE = 2_000
"""Characters at the end of a line that are looked at."""

_NUMBER = re.compile(r"[-+]?(?:\d+|[1-9]\d{0,2}(?:,\d{3})+)(?:\.\d+)?")


def key(item: str) -> Hashable:
    """Give what two items must share to be equal: their value when numbers, else their normal text."""
    text = normal(undress(item[:1_000]).strip("$ ")).replace("\u2212", "-")
    if len(text) < 100 and _NUMBER.fullmatch(text):
        return Fraction(text.replace(",", ""))
    return text


# --------------------------------------------------------------------------- where the list stands

_MARK = re.compile(r"\s{0,8}(?:[-*+\u2022\u2013]|\(?(?:\d{1,3}|[A-Za-z])[.)])\s+(?=\S)")
_BREAK = re.compile(r"\s*(?:[`~]{3,}.*|[-*_=]{3,}|\$\$)?\s*")
_HEADING = re.compile(r".*[:\uff1a]\W*")


def readings(answer: str, expected: Sequence[str], separator: str | None) -> list[list[str]]:
    """Give the items of an answer, in each of the ways in which its list can be read."""
    final = final_answer(answer)
    blocks = _blocks(answer[-_TAIL:])
    if final.source in ("box", "marker", "head"):
        block = _beginning_with(final.text, blocks) or [final.text]
    elif (listed := _json_list(next(reversed(fences(answer)), ""))) is not None:
        return [listed]
    else:
        block = _last_list(blocks)
    return list(_split(block, expected, separator))


def _blocks(text: str) -> list[list[str]]:
    """Give the runs of lines that belong together: between blank lines, fences and changes of list marks."""
    blocks: list[list[str]] = []
    marked, open_ = False, False
    for line in text.splitlines():
        is_marked = _MARK.match(line) is not None
        if _BREAK.fullmatch(line[:100]):
            open_ = False
        elif not is_courtesy(line):
            goes_on = blocks and (open_ or (marked and is_marked)) and is_marked == marked
            if not goes_on:
                blocks.append([])
            blocks[-1].append(line.strip()[-_LONGEST_LINE:])
            marked, open_ = is_marked, True
    return blocks


def _beginning_with(first: str, blocks: list[list[str]]) -> list[str] | None:
    """Give the last block from the line that is a final answer on, when lines of its kind follow it."""
    for block in reversed(blocks[-3:]):
        for index, line in enumerate(block[:-1]):
            if undress(line) == first and _is_listing(block[index:]):
                return block[index:]
    return None


def _last_list(blocks: list[list[str]]) -> list[str]:
    """Give the last block of list lines, unless a line with a list of its own follows it."""
    if not blocks:
        return []
    last = blocks[-1]
    if _is_listing(last):
        return last[1:] if _HEADING.fullmatch(last[0][:200]) and len(last) > 1 else last
    earlier = [block for block in blocks[-6:-1] if len(block) > 1 and all(map(_MARK.match, block))]
    return earlier[-1] if earlier and not re.search(r"[,;|\u2192]|->", last[-1]) else last[-1:]


def _is_listing(block: list[str]) -> bool:
    """Tell whether lines are items: marked as such, or several short ones that are no sentences."""
    if all(map(_MARK.match, block)):
        return True
    return len(block) > 1 and all(len(line) <= 80 and not line.endswith((".", "!", "?")) for line in block)


def _json_list(text: str) -> list[str] | None:
    """Give the items of a text that is a JSON list of plain values."""
    if not text.startswith("["):
        return None
    try:
        value = loads(text)
    except ValueError:
        return None
    if not all(isinstance(item, str | int | float | None) for item in value):
        return None
    words = {"True": "true", "False": "false", "None": "null"}
    return [words.get(str(item), str(item)) for item in value[:_MOST_ITEMS]]


# --------------------------------------------------------------------------- telling items apart

_CUTS = tuple(
    re.compile(cut)
    for cut in (
        r"\s*\n\s*",
        r"\s*;\s*",
        r"\s*\|\s*",
        r"\s*(?:-{1,3}>|={1,3}>|\u2192|\u27a1\ufe0f?|\\(?:to|rightarrow|Rightarrow)\b)\s*",
        r"\s*,(?!(?<=\d,)\d{3}(?!\d))\s*(?:(?:and|or|then)\s+)?|\s+(?:and|or|&)\s+",
        r"\s*,\s*",
        r"\s*[<>]\s*",
        r"\s+[-\u2013\u2014]\s+|(?<=\w)[-\u2013](?=\w)",
        r"\s+",
    )
)
_LEAD = re.compile(r"[^,;|\n]{0,200}?(?:[:=]|\b(?:are|is|were|was|includes?|contains?|follows)\b:?)\s*")
_TAIL_OF_ITEM = re.compile(r"\s*(?::|\s[-\u2013\u2014]\s|\s\().*", re.DOTALL)
_AND = re.compile(r"(?:and|or|&)\s+", re.IGNORECASE)


def _split(block: list[str], expected: Sequence[str], separator: str | None) -> Iterator[list[str]]:
    if len(block) > 1 and (separator is None or not any(separator.strip() in line for line in block)):
        items = [_MARK.sub("", line, count=1) for line in block]
        yield items[:_MOST_ITEMS]
        yield [_TAIL_OF_ITEM.sub("", undress(item[:1_000])) for item in items[:_MOST_ITEMS]]
        return
    text = "\n".join(block)
    unmarked = _MARK.sub("", text, count=1)
    for part in dict.fromkeys((text, unmarked, _LEAD.sub("", unmarked, count=1))):
        inner = _without_brackets(part.strip())
        as_json = _json_list(f"[{inner}]") if inner != part.strip() else None
        items = as_json or _cutter(inner, expected, separator)(inner)
        yield [_AND.sub("", item) if item == items[-1] else item for item in items if item][:_MOST_ITEMS]


def _cutter(text: str, expected: Sequence[str], separator: str | None) -> Callable[[str], list[str]]:
    if separator is not None:
        exact = re.compile(rf"\s*{re.escape(separator.strip())}\s*") if separator.strip() else None
        return (exact or re.compile(re.escape(separator))).split
    for cut in _CUTS:
        if cut.search(text) and not any(cut.search(item) for item in expected):
            return cut.split
    if all(len(item) == 1 for item in expected):
        return lambda word: list(word) if word.isalnum() else [word]
    return lambda whole: [whole]


_OPENING = {"[": "]", "(": ")", "{": "}", "\\{": "\\}", "\\[": "\\]", "<": ">", "$": "$"}


def _without_brackets(text: str) -> str:
    """Give a text without the brackets around it, when the first closes only at its end."""
    for _ in range(4):
        text = text.strip().rstrip(".")
        opening = text[:2] if text[:2] in _OPENING else text[:1]
        closing = _OPENING.get(opening)
        inner = text[len(opening) : -len(closing)] if closing and text.endswith(closing) else None
        if inner is None or closing is None or opening[-1] in inner or closing[-1] in inner:
            return text
        text = inner
    return text


# --------------------------------------------------------------------------- scores


def grade_set(completion: Completion, question: Question, options: Options, _tools: Tools) -> Verdict:
    """Score 1 when the answer has exactly the expected items, in any order; with ``partial``, their F1."""
    expected = {key(item) for item in texts(question.reference)}

    def score(items: list[str]) -> float:
        given = set(map(key, items))
        if not options["partial"]:
            return float(given == expected)
        return 2 * len(given & expected) / (len(given) + len(expected))

    return _best(completion, question, options, score)


def grade_sequence(completion: Completion, question: Question, options: Options, _tools: Tools) -> Verdict:
    """Score 1 when the answer has the expected items in their order; with ``partial``, the share of right places."""
    expected = [key(item) for item in texts(question.reference)]

    def score(items: list[str]) -> float:
        given = list(map(key, items))
        if not options["partial"]:
            return float(given == expected)
        right = sum(one == other for one, other in zip(given, expected, strict=False))
        return right / max(len(given), len(expected))

    return _best(completion, question, options, score)


def _best(
    completion: Completion, question: Question, options: Options, score: Callable[[list[str]], float]
) -> Verdict:
    """Give the verdict on the reading of the answer that scores best."""
    answer = visible(completion.text)
    if not answer:
        return Verdict(0.0, None, "no answer")
    found = [items for items in readings(answer, texts(question.reference), options["separator"]) if items]
    if not found:
        return Verdict(0.0, None, "there is no list in the answer")
    best, items = max(((score(items), items) for items in found), key=lambda pair: pair[0])
    reason = "" if best == 1 else "the items are not the expected ones"
    return Verdict(best, brief(" | ".join(item.strip() for item in items[:100])), reason)


# --------------------------------------------------------------------------- the question's side


def check_sequence(question: Question, options: Options) -> list[str]:
    """Give the faults of a reference that is no list of texts and numbers."""
    if not isinstance(question.reference, list):
        return [f"reference: must be a list of items, not {show(question.reference)}"]
    return check_texts(question, options)


def check_set(question: Question, options: Options) -> list[str]:
    """Give the faults of a reference that is no list, or holds an item twice."""
    faults = check_sequence(question, options)
    if faults:
        return faults
    keys = [key(item) for item in texts(question.reference)]
    twice = [item for index, item in enumerate(texts(question.reference)) if keys[index] in keys[:index]]
    return [f"reference: the set holds {show(twice[0])} twice"] if twice else []


_OPTIONS = {
    "separator": Option(None, lambda value: isinstance(value, str) and value != "", "a text"),
    "partial": flag(),
}
SET = Grader("set", 1, grade_set, check_set, _OPTIONS)
SEQUENCE = Grader("sequence", 1, grade_sequence, check_sequence, _OPTIONS)
