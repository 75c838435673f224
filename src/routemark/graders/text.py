"""The graders ``exact`` and ``contains``: an answer's words against accepted strings."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from routemark.graders.base import Grader, Options, Tools, Verdict, brief, check_texts, flag, texts
from routemark.graders.extract import (
    SEARCHED,
    Final,
    final_answer,
    first_sentence,
    undress,
    visible,
    without_emphasis,
)
from routemark.records import Completion, Question

_CLOSING = ".!?,;:\u3002\uff01\uff1f\u2026"
_IDENTIFIER = re.compile(r"[a-z0-9.]+(?:_+[a-z0-9.]+)+|[A-Z0-9]+(?:_+[A-Z0-9]+)+|_.*|.*_|.*__.*|.*[{\\].*")
_FENCE_LINE = re.compile(r"^\s*[`~]{3,}.*$", re.MULTILINE)


def normal(text: str, *, case: bool = False) -> str:
    """Give a text as ``exact`` compares it: NFKC, case folded unless ``case``, white space, closing punctuation."""
    text = unicodedata.normalize("NFKC", text)
    text = " ".join((text if case else text.casefold()).split())
    return text.rstrip(_CLOSING + " ") or text


def forms(text: str, *, case: bool = False) -> set[str]:
    """Give the normal forms of a text: as it stands, and with dressing and closing punctuation peeled off."""
    found = {normal(text, case=case), normal(text.strip("`*\"' "), case=case)}
    for _ in range(3):
        text = undress(text).strip()
        found.add(normal(text, case=case))
        text = text.rstrip(_CLOSING + " ") or text
    return found - {""}


# --------------------------------------------------------------------------- exact


def grade_exact(completion: Completion, question: Question, options: Options, _tools: Tools) -> Verdict:
    """Score 1 when the final answer, or the whole answer, is one of the accepted strings.

    An underscore counts as white space (``New_York``), unless the reference is an identifier
    such as ``max_value``.
    """
    answer = visible(completion.text)
    case = options["case"]
    accepted = texts(question.reference)
    longest = max(map(len, accepted))
    plainly = {normal(reference, case=case) for reference in accepted}
    if len(answer) <= _room(longest) and normal(answer, case=case) in plainly:
        # many answers say nothing else
        return Verdict(1.0, brief(answer))
    final = final_answer(answer)
    for candidate in _candidates(answer, final, longest):  # most right answers need no peeling
        if normal(candidate, case=case) in plainly:
            return Verdict(1.0, brief(candidate))
    candidates = list(_candidates(answer, final, longest))
    for reference in accepted:
        if _IDENTIFIER.fullmatch(reference):
            wanted, spaced = {normal(reference, case=case)}, False
        else:
            wanted, spaced = forms(_spaced(reference), case=case), True
        for candidate in candidates:
            given = forms(candidate, case=case) | (forms(_spaced(candidate), case=case) if spaced else set())
            if wanted & given:
                return Verdict(1.0, brief(candidate))
    if not final.text:
        return Verdict(0.0, None, "no answer")
    return Verdict(0.0, brief(final.text), "the final answer is not an accepted one")


def _candidates(answer: str, final: Final, longest: int) -> Iterator[str]:
    """Yield what may be the whole of the answer: the final answer, its first sentence, everything."""
    if final.text:
        yield final.text
        yield final.raw
        yield first_sentence(final.text)
    if len(answer) <= _room(longest):
        yield _FENCE_LINE.sub("", answer)


def _room(longest: int) -> int:
    """Give the characters of an answer that may as a whole be an accepted string of so many."""
    return 2 * longest + 200


def _spaced(text: str) -> str:
    return text.replace("\\_", " ").replace("_", " ")


EXACT = Grader("exact", 1, grade_exact, check_texts, {"case": flag()})


# --------------------------------------------------------------------------- contains

_TOKEN = re.compile(r"(?<![\w.,])[-\u2212](?=\d)[\d]+(?:[.,]\d+)*|\d+(?:[.,]\d+)*(?:\w+)?|\w+|[^\w\s]")


def grade_contains(completion: Completion, question: Question, options: Options, _tools: Tools) -> Verdict:
    """Score 1 when the answer holds an accepted string (with ``all``: every one) as whole tokens."""
    answer = visible(completion.text)
    if not answer:
        return Verdict(0.0, None, "no answer")
    undecorated = without_emphasis(answer)
    haystack = _token_line(answer) + (_token_line(undecorated) if undecorated != answer else "")
    wanted = texts(question.reference)
    found = [text for text in wanted if _token_line(text) in haystack]
    missing = [text for text in wanted if text not in found]
    if (options["all"] and missing) or not found:
        named = ", ".join(brief(text, 40) for text in missing[:5])
        return Verdict(0.0, ", ".join(found) or None, f"the answer does not contain: {named}")
    return Verdict(1.0, ", ".join(brief(text) for text in found))


def _token_line(text: str) -> str:
    """Give the tokens of a text between line ends, so that a run of whole tokens is a substring."""
    text = unicodedata.normalize("NFKC", text)[-SEARCHED:].casefold()
    return "\n" + "\n".join(_TOKEN.findall(text)) + "\n"


CONTAINS = Grader("contains", 1, grade_contains, check_texts, {"all": flag()})
