"""The grader ``choice``: which of the labelled choices the answer picks.

The pick is looked for in the final answer (see `extract`). There a letter alone, a letter before the
text of its choice, the text of a choice, and a letter named as the answer count; denied ones ("not B"),
the article "A", the pronoun "I" and letters beyond the choices do not. Two different picks are none.
Where the final answer holds no pick, the last sentence that declares one does ("B is correct"), then
the first line.
"""

from __future__ import annotations

import re
import string
from collections.abc import Iterator
from typing import NamedTuple

from routemark.graders.base import Grader, Options, Tools, Verdict, flag, show
from routemark.graders.extract import (
    Final,
    final_answer,
    first_sentence,
    last_lines,
    undress,
    visible,
    without_emphasis,
)
from routemark.graders.text import normal
from routemark.records import Completion, Question

LETTERS = string.ascii_uppercase


class Choices(NamedTuple):
    """The letters that can be picked, and the text that each stands for."""

    letters: str
    """A, B, ... as far as the choices reach; all 26 when they are not known."""
    texts: dict[str, str]
    """Letter -> normal form of its choice; empty when they are not known."""


# --------------------------------------------------------------------------- the question's side

_LABEL = re.compile(r"^[ \t]*(?:[-*][ \t]+)?\(?([A-Z])[.):][ \t]*(.*)$", re.MULTILINE)


def choices_of(question: Question) -> Choices:
    """Give the choices of a question: its own, else those labelled A., B., ... in its text."""
    texts = question.choices or labelled(question.question)
    if not texts:
        return Choices(LETTERS, {})
    return Choices(LETTERS[: len(texts)], dict(zip(LETTERS, map(_unlabelled, texts, LETTERS), strict=False)))


def labelled(prompt: str) -> list[str]:
    """Give the texts of the last list A., B., C., ... in a prompt; empty when it has fewer than two."""
    found: list[str] = []
    for label in _LABEL.finditer(prompt):
        if label[1] == "A":
            found = []
        if len(found) < len(LETTERS) and label[1] == LETTERS[len(found)]:
            found.append(label[2].strip())
    return found if len(found) > 1 else []


def _unlabelled(text: str, letter: str) -> str:
    return normal(undress(re.sub(rf"\s*\(?{letter}[.):]\s+", "", text, count=1)))


def right_letter(question: Question, choices: Choices) -> str | None:
    """Give the letter that the reference means; None when it means none of the choices.

    The reference is the text of a choice, its letter (bare or dressed: "(B)", "B. Paris"), or its
    position counted from 0, as many public sets give it. Of a number that could be text and position,
    the text counts where the question has ``choices``, else (they stand in the prompt) the position.
    """
    reference = str(question.reference).strip()
    position = int(float(reference)) if re.fullmatch(r"\d{1,2}(?:\.0)?", reference) else len(LETTERS)
    if not question.choices and position < len(choices.letters):
        return choices.letters[position]
    same = [letter for letter, text in choices.texts.items() if text and text == normal(undress(reference))]
    if same and reference.upper() not in choices.letters:
        return same[0]
    if len(reference) == 1 and reference.upper() in choices.letters:
        return reference.upper()
    if position < len(choices.letters):
        return choices.letters[position]
    label = re.match(r"\(?([A-Za-z])(?:[.):]\s*|\)?$)", reference)
    if label is None or label[1].upper() not in choices.letters:
        return None
    rest = normal(reference[label.end() :])
    return label[1].upper() if not rest or choices.texts.get(label[1].upper(), rest) == rest else None


def check(question: Question, _options: Options) -> list[str]:
    """Give the faults of the choices, and of a reference that names none of them or two."""
    if isinstance(question.reference, bool | list | dict):
        return [f"reference: must be the letter or the text of a choice, not {show(question.reference)}"]
    if question.choices is not None and len(question.choices) > len(LETTERS):
        return [f"choices: at most {len(LETTERS)} can be told apart by letter"]
    choices = choices_of(question)
    letter = right_letter(question, choices)
    if letter is None:
        return [_misses(question, choices)]
    reference = normal(str(question.reference))
    other = [key for key, text in choices.texts.items() if text == reference and key != letter]
    if question.choices and other and reference.upper() == letter:
        shown = show(question.reference)
        return [
            f"reference: {shown} is a letter and the text of choice {other[0]}: give its position, from 0"
        ]
    return []


def _misses(question: Question, choices: Choices) -> str:
    shown = show(question.reference)
    if not choices.texts:
        return f"choices: missing; without them the reference must be a letter, not {shown}"
    return f"reference: {shown} is neither a letter from A to {choices.letters[-1]} nor the text of a choice"


# --------------------------------------------------------------------------- the answer's side

_FOLLOWS = (
    r"(?=\s*(?:$|[.,;:!?)\]}\u2013\u2014-]|\(|(?:because|since|as|is|which|due|given|and|or|&|but|not)\b))"
)
_NAMED = r"(?:(?:the\s+)?(?:option|choice|letter|answer)\s*:?\s*)"
_LEAD = re.compile(rf"\W*{_NAMED}?[(\[]?([A-Za-z])(?:[)\].:]|(?![\w'\u2019]))", re.IGNORECASE)
_MORE = re.compile(
    rf"\W{{0,3}}\s*(?:,|/|&|\band\b|\bor\b|\+)+\s*\W{{0,3}}{_NAMED}?[(\[]?([A-Z])(?![\w'\u2019])",
    re.IGNORECASE,
)
_DENIED = re.compile(
    rf"\b(?:not|(?:is|was|ca|could)n['\u2019]t(?:\s+be)?|cannot\s+be|rather than|instead of|except|unlike|neither|nor|eliminat(?:e|es|ed|ing)|rul(?:e|es|ed|ing) out|exclud(?:e|es|ed|ing))\s+\W{{0,3}}{_NAMED}?"
    r"[(\[]?[A-Z](?![\w'\u2019])\W{0,3}(?:\s*(?:,|or|nor|and)\s+\W?[A-Z](?![\w'\u2019]))*"
    rf"|{_NAMED}?(?<![\w'\u2019])[A-Z]\W{{0,3}}\s+(?:is|are|seems)\s+(?:not|wrong|incorrect|false)\b"
    r"|(?<![\w'\u2019])[A-Z]\?\s+No\b",
    re.IGNORECASE,
)
_STRONG = re.compile(
    rf"{_NAMED}[(\[]?([A-Z])(?![\w'\u2019])|[(\[]([A-Z])[)\]]|(?<![\w(])([A-Z])[).:](?=\s|$)", re.IGNORECASE
)
_WEAK = re.compile(r"(?<![\w'\u2019.\\/=+^-])([A-Z])(?![\w'\u2019/=+^({-])")
_ARTICLE = re.compile(
    r"A\s+(?!(?:because|since|as|is|which|due|and|or)\b)[\w\"']|I\s+(?!(?:because|since|is|which|due|and|or)\b)\w"
)
_DECLARED_WITHIN = 20_000
"""Characters at the end of an answer in which a sentence that declares a pick is looked for."""
_DECLARED = re.compile(
    rf"\b(?:choose|chose|pick|select|go\s+with|opt\s+for|answer\s+with|prefer)\s+\W{{0,3}}{_NAMED}?\W{{0,3}}([A-Z])(?![\w'\u2019])"
    rf"|(?<![\w'\u2019]){_NAMED}?\W{{0,3}}\b([A-Z])\b\W{{0,3}}\s+(?:is|would be|must be|seems|appears)\s+"
    r"(?:therefore\s+|thus\s+|clearly\s+|likely\s+)?(?:the\s+)?(?:most\s+likely\s+)?(?:correct|right|best|true|answer)\b",
    re.IGNORECASE,
)


def grade(completion: Completion, question: Question, options: Options, _tools: Tools) -> Verdict:
    """Score 1 when the answer picks the right choice and no other."""
    choices = choices_of(question)
    right = right_letter(question, choices)
    if right is None:
        return Verdict(None, None, _misses(question, choices))
    answer = visible(completion.text)
    if not answer:
        return Verdict(0.0, None, "no answer")
    final = final_answer(answer)
    if options["strict"]:
        return _strict(final, choices, right)
    for phrase in _phrases(answer, final, choices):
        picked = picks(phrase, choices)
        if len(picked) == 1:
            wrong = f"picks {picked[0]}, not {right}"
            return Verdict(float(picked[0] == right), picked[0], "" if picked[0] == right else wrong)
        if picked:
            return Verdict(0.0, ", ".join(picked), f"picks {len(picked)} choices: {', '.join(picked)}")
    return Verdict(0.0, None, "no choice is picked")


def _strict(final: Final, choices: Choices, right: str) -> Verdict:
    whole = final.text if final.source == "box" else first_sentence(final.text)
    letter = undress(whole).strip(" .()[]").upper()
    if len(letter) == 1 and letter in choices.letters:
        return Verdict(
            float(letter == right), letter, "" if letter == right else f"picks {letter}, not {right}"
        )
    return Verdict(0.0, whole[:200] or None, "the final answer is not a letter alone")


def _phrases(answer: str, final: Final, choices: Choices) -> Iterator[str]:
    """Yield where a pick is looked for, in order; the first that holds one decides."""
    first = undress(answer.partition("\n")[0][:1000])
    if final.source == "line" and _is_bare(first, choices) and not _CONCLUDES.match(final.text):
        yield first
    yield final.text
    if final.source == "box":
        return
    plain = without_emphasis(answer[-_DECLARED_WITHIN:])
    for declared in reversed(list(_DECLARED.finditer(plain))[-20:]):
        sentence = _sentence_around(plain, declared.start(), declared.end())
        if not re.search(r"\b(?:not|incorrect|wrong|if)\b|n't\b", sentence):
            yield next(f"({letter})" for letter in declared.groups() if letter)
    yield from last_lines(answer, 3)[1:]
    yield first


_CONCLUDES = re.compile(
    r"(?:so|therefore|thus|hence|finally|actually|in conclusion|overall)\b", re.IGNORECASE
)


def _is_bare(line: str, choices: Choices) -> bool:
    """Tell whether a line is nothing but a choice: its letter, its text, or both."""
    if normal(line) in choices.texts.values():
        return True
    label = re.fullmatch(r"\W*([A-Za-z])\W*|\W*([A-Za-z])[.):\]-]+\s+(.*)", line)
    if label is None:
        return False
    letter, text = (label[1] or label[2]).upper(), normal(label[3] or "")
    return letter in choices.letters and text in ("", choices.texts.get(letter, text))


def _sentence_around(text: str, start: int, end: int) -> str:
    begin = max(text.rfind(mark, max(0, start - 200), start) for mark in ("\n", ". ", "? ", "! ")) + 1
    return text[max(begin, start - 200) : end]


def picks(phrase: str, choices: Choices) -> list[str]:
    """Give the letters of all choices that a phrase picks, in order, each once."""
    alone = normal(phrase).strip(" ()[].").upper()
    if len(alone) == 1 and alone in choices.letters:
        return [alone]
    words = re.findall(r"\w+", phrase[:100])
    if len(words) > 1 and all(len(word) == 1 and word in choices.letters for word in words):
        return list(dict.fromkeys(words))
    by_text = _text_at_start(phrase, choices)
    if by_text:
        return by_text
    phrase = _DENIED.sub(" ", phrase)
    lead = _leading_letters(phrase, choices)
    if lead:
        return _with_contradiction(phrase, lead, choices)
    return _mentioned(phrase, choices) or _texts_within(phrase, choices)


def _leading_letters(phrase: str, choices: Choices) -> list[str]:
    """Give the letters that a phrase begins with: "B", "(B) because ...", "A and C", "option b"."""
    lead = _LEAD.match(phrase)
    if lead is None or lead[1].upper() not in choices.letters:
        return []
    letter, rest = lead[1], phrase[lead.end(1) :]
    bare = not re.match(r"[)\].:]", rest) and not re.search(_NAMED, lead[0], re.IGNORECASE)
    if bare and (letter in "AI" or letter.islower()) and not re.match(_FOLLOWS, rest):
        return []
    found = [letter.upper()]
    position = lead.end()
    while (more := _MORE.match(phrase, position)) and more[1].upper() in choices.letters:
        if more[1].islower() or (more[1] == "A" and _ARTICLE.match(phrase, more.start(1))):
            break
        found.append(more[1].upper())
        position = more.end()
    return list(dict.fromkeys(found))


def _with_contradiction(phrase: str, lead: list[str], choices: Choices) -> list[str]:
    """Add the choice whose text stands, whole, behind the letter of another one."""
    if len(lead) > 1 or not choices.texts:
        return lead
    rest = normal(re.sub(r"^\W*\w*\W*[A-Za-z]\W+", "", phrase, count=1))
    other = [letter for letter, text in choices.texts.items() if text and text == rest]
    return lead + [letter for letter in other[:1] if lead[0] not in other]


def _mentioned(phrase: str, choices: Choices) -> list[str]:
    """Give the letters named as choices anywhere in a phrase, else the capitals that stand alone."""
    strong = [next(filter(None, match.groups())) for match in _STRONG.finditer(phrase)]
    strong = [letter.upper() for letter in strong if letter.upper() in choices.letters]
    weak = [
        m[1]
        for m in _WEAK.finditer(phrase)
        if m[1] in choices.letters and not _ARTICLE.match(phrase, m.start())
    ]
    return list(dict.fromkeys(strong or weak))


_GOES_ON = re.compile(r"\w|\s+(?:is|are|was)\s+(?:not|wrong|incorrect|false)\b")
_OR = re.compile(r"\s*(?:[,/&]|\band\b|\bor\b)+\s*(?:and |or )?")


def _text_at_start(phrase: str, choices: Choices) -> list[str]:
    """Give the choice whose text a phrase is or begins with, and those joined to it ("Paris or London")."""
    rest = normal(phrase)
    found: list[str] = []
    while True:
        fitting = [
            (len(text), letter)
            for letter, text in choices.texts.items()
            if len(text) > 1 and rest.startswith(text) and not _GOES_ON.match(rest, len(text))
        ]
        if not fitting:
            return list(dict.fromkeys(found))
        length, letter = max(fitting)
        found.append(letter)
        joint = _OR.match(rest, length)
        if joint is None or joint.end() == length:
            return list(dict.fromkeys(found))
        rest = rest[joint.end() :]


def _texts_within(phrase: str, choices: Choices) -> list[str]:
    """Give the choices whose text stands in a phrase as whole words, outside the text of a longer one."""
    rest = normal(phrase)
    found: list[tuple[int, str]] = []
    for letter, text in sorted(choices.texts.items(), key=lambda item: -len(item[1])):
        match = re.search(rf"(?<!\w)(?<!not ){re.escape(text)}(?!\w)", rest) if text else None
        if match:
            found.append((match.start(), letter))
            rest = rest[: match.start()] + "\0" * len(text) + rest[match.end() :]
    return [letter for _, letter in sorted(found)]


CHOICE = Grader("choice", 1, grade, check, {"strict": flag()})
