"""Perturbed copies of questions: changed in ways that should matter neither to a router nor to an answer.

Every kind is a pure function of a question and a seed, made without a model. What carries meaning is never
touched: code (fenced or inline), quotes, numbers and everything joined to one, names (capitalised words),
words of the reference, the choices and the grader's options, formulas, addresses, tables, lists and lines
that begin with a label. A kind that finds nothing it may change makes no copy.

| kind | change |
|---|---|
| ``typos`` | two neighbouring letters swapped inside one plain word in ten |
| ``case`` | sentences begin with a small letter |
| ``space`` | double spaces, spaces at line ends, more blank lines |
| ``polite`` | a greeting and a please before the prompt |
| ``choices`` | the choices in another order; the reference goes with its choice |
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from routemark import graders
from routemark.graders.choice import choices_of, labelled, right_letter
from routemark.records import PERTURBATION, PERTURBED_FROM, Question
from routemark.wire.request import letter

Change = Callable[[str, frozenset[str], random.Random], str]
"""Takes a prompt, the words that must stay (in lower case), and chance; gives the prompt back if it finds nothing."""

TYPO_SHARE = 0.1
"""Of the plain words; at least one."""
SPACE_SHARE = 0.15
"""Of the gaps between words of a sentence; at least one."""

GREETINGS = (
    "Hello! Could you please help me with the following?",
    "Hi there, I would be grateful if you could answer this, please.",
    "Good day. Please be so kind as to look at this for me:",
    "Hey, sorry to bother you. Could you please help me with this one?",
    "Hello, thank you in advance for your help! Here is what I would like to know.",
)


def perturb(question: Question, kind: str, seed: int) -> Question | None:
    """Give the copy of a question that a kind makes; None where the kind cannot be applied.

    The copy's id is ``<id>~<kind>``; its metadata name the original and the kind. The same seed gives the same
    copy. Raises: KeyError for a kind that is none of `KINDS`.
    """
    chance = random.Random(f"{seed}:{kind}:{question.id}")  # noqa: S311 - a draw, not a secret
    changed = KINDS[kind](question, chance)
    if changed is None or graders.check(changed):
        return None
    return msgspec.structs.replace(
        changed,
        id=copy_id(question.id, kind),
        metadata={**question.metadata, PERTURBED_FROM: question.id, PERTURBATION: kind},
    )


def copy_id(question_id: str, kind: str) -> str:
    """Give the id of a copy."""
    return f"{question_id}~{kind}"


# ----------------------------------------------------------------------------- the prompt


def _in_prompt(change: Change) -> Callable[[Question, random.Random], Question | None]:
    """Make a kind of a change to the prompt: the question's text, or that of its last user message."""

    def changed(question: Question, chance: random.Random) -> Question | None:
        prompt = _prompt(question)
        if prompt is None:
            return None
        new = change(prompt, _must_stay(question), chance)
        return None if new == prompt else _with_prompt(question, new)

    return changed


def _prompt(question: Question) -> str | None:
    """Give the text to change; None where the last user message is not plain text."""
    if question.messages is None:
        return question.question
    content = question.messages[_last_user(question.messages)].get("content")
    return content if isinstance(content, str) else None


def _with_prompt(question: Question, text: str) -> Question:
    if question.messages is None:
        return msgspec.structs.replace(question, question=text)
    messages = list(question.messages)
    at = _last_user(messages)
    messages[at] = {**messages[at], "content": text}
    return msgspec.structs.replace(question, question=text, messages=messages)


def _last_user(messages: list[dict[str, Any]]) -> int:
    return max(i for i, message in enumerate(messages) if message.get("role") == "user")


_WORD = re.compile(r"[^\W\d_]+")


def _must_stay(question: Question) -> frozenset[str]:
    """Give the words, in lower case, that an answer is judged by."""
    options = question.grader.options if question.grader is not None else {}
    texts = _texts([question.reference, question.choices, options])
    return frozenset(word.lower() for text in texts for word in _WORD.findall(text))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from _texts([*value.keys(), *value.values()])
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _texts(part)


# ----------------------------------------------------------------------------- what may be changed

_PROTECTED = re.compile(
    r"""
      (?P<fence>`{3,}|~{3,}).*?(?:(?P=fence)|\Z)        # code, to its end or the prompt's
    | `[^`\n]*`
    | "[^"]*" | \u201c[^\u201d]*\u201d | \u201e[^\u201c\u201d]*[\u201c\u201d] | \u00ab[^\u00bb]*\u00bb
    | \u2018[^\u2019]*\u2019 | (?<!\w)'[^'\n]*'(?!\w)
    | \$\$.*?\$\$ | \$[^$\n]*\$ | \\\(.*?\\\) | \\\[.*?\\\]
    | <[^<>\n]*> | \{[^{}]*\} | \[[^\[\]\n]*\]
    | \S*(?:://|@|www\.|\\)\S*
    """,
    re.VERBOSE | re.DOTALL,
)
_TOKEN = re.compile(r"[^\s,;:.!?()]+(?:[.,:][^\s,;:.!?()]+)*")
_PROSE = re.compile(r"[^\n]+")
_NOT_PROSE = re.compile(r"\s*(?:[-*+#>|]|\(?\w{1,3}[.):]\s|\w+(?: \w+)?:(?:\s|$))|\s{2,}|\t")
"""Begins a list, a table, a heading, a quotation, a choice, a label, or something indented."""
_FEWEST_WORDS = 4
"""In a line of prose."""


def _prose(text: str) -> Iterator[tuple[int, int]]:
    """Yield (start, end) of the stretches of sentences, without anything protected."""
    spans = [found.span() for found in _PROTECTED.finditer(text)]
    for line in _PROSE.finditer(text):
        if _NOT_PROSE.match(line[0]) or len(line[0].split()) < _FEWEST_WORDS or "|" in line[0]:
            continue
        start = line.start()
        for low, high in spans:
            if high <= start or low >= line.end():
                continue
            if low > start:
                yield start, low
            start = max(start, high)
        if start < line.end():
            yield start, line.end()


def _tokens(text: str) -> Iterator[tuple[int, str]]:
    """Yield (start, token) of the tokens in prose, each whole: a code, a time or a hyphenated word is one."""
    for start, end in _prose(text):
        for token in _TOKEN.finditer(text, start, end):
            before, after = text[token.start() - 1 : token.start()], text[token.end() : token.end() + 1]
            if not _joins(before) and not _joins(after):
                yield token.start(), token[0]


def _joins(neighbour: str) -> bool:
    """Tell whether a character belongs to the token beside it, in something protected."""
    return bool(neighbour) and (neighbour.isalnum() or neighbour in "\"'`_-/$\\<{[")


# ----------------------------------------------------------------------------- the kinds

_PLAIN = re.compile(r"[a-z]{5,}")


def typos(text: str, must_stay: frozenset[str], chance: random.Random) -> str:
    """Swap two neighbouring inner letters in a tenth of the plain words, at least one."""
    places = [
        (start, word)
        for start, word in _tokens(text)
        if _PLAIN.fullmatch(word) and not _is_kin(word, must_stay) and _swaps(word)
    ]
    if not places:
        return text
    letters = list(text)
    for start, word in chance.sample(places, max(1, round(TYPO_SHARE * len(places)))):
        at = start + chance.choice(_swaps(word))
        letters[at], letters[at + 1] = letters[at + 1], letters[at]
    return "".join(letters)


def _swaps(word: str) -> list[int]:
    """Give where two unlike inner letters stand beside each other."""
    return [i for i in range(1, len(word) - 2) if word[i] != word[i + 1]]


def _is_kin(word: str, must_stay: frozenset[str]) -> bool:
    """Tell whether a word is one of those, or part of one, or has one in it: endings must not blur it."""
    return any(word in other or (len(other) > 3 and other in word) for other in must_stay)


_SENTENCE_END = re.compile(r"(?:\A|[.!?]\s+|\n\s*)\Z")


def case(text: str, must_stay: frozenset[str], _chance: random.Random) -> str:
    """Let sentences begin with a small letter, unless with a name: a word that is also capitalised elsewhere."""
    begins, inside = [], set()
    for start, word in _tokens(text):
        if word[0].isupper() and word[1:].islower() and word.isalpha():
            if _SENTENCE_END.search(text[max(0, start - 8) : start]) and (
                start >= 8 or _is_start(text, start)
            ):
                begins.append((start, word))
            else:
                inside.add(word)
    letters = list(text)
    for start, word in begins:
        if word not in inside and word.lower() not in must_stay:
            letters[start] = word[0].lower()
    return "".join(letters)


def _is_start(text: str, start: int) -> bool:
    """Tell whether nothing stands before, or a sentence ends there."""
    return not text[:start].strip() or bool(_SENTENCE_END.search(text[:start]))


_GAP = re.compile(r"(?<=[^\s\d]) (?=[^\s\d])")
"""Not beside a digit: "10 000" is a number."""


def space(text: str, _must_stay: frozenset[str], chance: random.Random) -> str:
    """Double some spaces between words, add some at the ends of lines, and widen blank lines."""
    gaps = [start + found.start() for start, end in _prose(text) for found in _GAP.finditer(text[start:end])]
    if not gaps:
        return text
    doubled = set(chance.sample(gaps, max(1, round(SPACE_SHARE * len(gaps)))))
    spread = "".join(c + " " * (i in doubled) for i, c in enumerate(text))
    return _outside_protected(spread, lambda part: re.sub(r"(?<=[.!?])\n\n(?=\w)", " \n\n\n", part))


def _outside_protected(text: str, change: Callable[[str], str]) -> str:
    parts, at = [], 0
    for found in _PROTECTED.finditer(text):
        parts += [change(text[at : found.start()]), found[0]]
        at = found.end()
    return "".join([*parts, change(text[at:])])


def polite(text: str, _must_stay: frozenset[str], chance: random.Random) -> str:
    """Put a greeting before the prompt."""
    return f"{chance.choice(GREETINGS)}\n\n{text}"


_REFERS = re.compile(
    r"\b(?:all|none|both|neither|either|any|two|some|more than one) of (?:the|these|them|those)\b"
    r"|\b(?:above|below|preceding|following|previous|former|latter)\b"
    r"|\b[A-Z]\s+(?:and|or|&)\s+[A-Z]\b|\b(?:option|choice|answer)s?\s+[A-Z]\b",
    re.IGNORECASE,
)
"""A choice that speaks of others changes its meaning with their order."""
_LETTER_NAMED = re.compile(r"\b(?i:options?|choices?|answers?|statements?)\s+\(?[A-Z]\b(?![a-z])")


def choices(question: Question, chance: random.Random) -> Question | None:
    """Give the question with its choices in another order, the right one at another place."""
    spec = graders.resolve(question)
    prompt = _prompt(question)
    if spec is None or spec.name != "choice" or prompt is None:
        return None
    texts = question.choices or labelled(prompt)
    right = right_letter(question, choices_of(question))
    if right is None or len(set(texts)) != len(texts) or len(texts) < 2 or any(map(_REFERS.search, texts)):
        return None
    old = ord(right) - ord("A")
    order = _moved(len(texts), old, chance)
    reordered = [texts[i] for i in order]
    shown = _relabelled(prompt, texts, reordered)
    if shown is None:
        return None
    new = _with_prompt(question, shown) if shown != prompt else question
    new = msgspec.structs.replace(
        new,
        choices=reordered if question.choices else None,
        reference=letter(order.index(old)),
    )
    same = right_letter(new, choices_of(new)) == letter(order.index(old))
    return new if same else None


def _moved(n: int, right: int, chance: random.Random) -> list[int]:
    """Give an order of n in which the right one stands elsewhere."""
    order = list(range(n))
    while order[right] == right:
        chance.shuffle(order)
    return order


def _relabelled(prompt: str, texts: list[str], reordered: list[str]) -> str | None:
    """Give the prompt with the choices' texts changed places behind their letters.

    As it is where it does not show them; None where it shows them in a way that is not understood.
    """
    if _LETTER_NAMED.search(prompt):
        return None
    if labelled(prompt) == [text.strip() for text in texts]:
        start = prompt.rindex(_line_of(prompt, texts[0]))
        head, lines = prompt[:start], prompt[start:].split("\n")
        for index, (old, new) in enumerate(zip(texts, reordered, strict=True)):
            at = next((i for i, line in enumerate(lines) if _labels(line, index, old)), None)
            if at is None:
                return None
            lines[at] = lines[at][: lines[at].rindex(old.strip())] + new.strip() + _tail(lines[at], old)
        return head + "\n".join(lines)
    return None if any(text.strip() and text.strip() in prompt for text in texts) else prompt


def _line_of(prompt: str, text: str) -> str:
    return next(line for line in reversed(prompt.split("\n")) if _labels(line, 0, text))


def _labels(line: str, index: int, text: str) -> bool:
    """Tell whether a line is the choice with that letter and text."""
    return bool(
        re.fullmatch(rf"[ \t]*(?:[-*][ \t]+)?\(?{letter(index)}[.):][ \t]*{re.escape(text.strip())}\s*", line)
    )


def _tail(line: str, text: str) -> str:
    return line[line.rindex(text.strip()) + len(text.strip()) :]


KINDS: dict[str, Callable[[Question, random.Random], Question | None]] = {
    "typos": _in_prompt(typos),
    "case": _in_prompt(case),
    "space": _in_prompt(space),
    "polite": _in_prompt(polite),
    "choices": choices,
}
"""Every kind of change, by name."""
