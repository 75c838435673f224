"""The grader ``f1``: how many words an answer shares with the expected one (SQuAD, Rajpurkar et al. 2016).

Words are compared in lower case, without punctuation and the articles a, an, the. In scripts that put no
spaces between words (Chinese, Japanese, Thai) every character counts as one.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter

from routemark.graders.base import Grader, Options, Tools, Verdict, brief, check_texts, texts
from routemark.graders.extract import SEARCHED, final_answer, visible, without_emphasis
from routemark.records import Completion, Question

_SCRIPT_WITHOUT_SPACES = "\u0e00-\u0eff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
_WORD = re.compile(rf"[{_SCRIPT_WITHOUT_SPACES}]|[^\W{_SCRIPT_WITHOUT_SPACES}]+")
_INSIDE = re.compile(r"(?<=\w)['\u2019.,\-](?=\w)")
_READ = SEARCHED // 2
"""Characters that are looked at."""
_ARTICLES = frozenset({"a", "an", "the"})


def words(text: str) -> list[str]:
    """Give the words that count; what is left of "1,000" and "don't" without punctuation is one word."""
    text = unicodedata.normalize("NFKC", text[-_READ:])[-_READ:].casefold()
    text = _INSIDE.sub("", text.replace("_", " "))
    return [word for word in _WORD.findall(text) if word not in _ARTICLES]


def f1(given: Counter[str], expected: Counter[str]) -> float:
    """Give the harmonic mean of precision and recall of words; two texts without words are equal."""
    sizes = given.total() + expected.total()
    return 2 * (given & expected).total() / sizes if sizes else 1.0


def grade(completion: Completion, question: Question, _options: Options, _tools: Tools) -> Verdict:
    """Score the best F1 over the references, of the whole answer or of its labelled final answer."""
    answer = visible(completion.text)
    if not answer:
        return Verdict(0.0, None, "no answer")
    final = final_answer(answer)
    readings = [without_emphasis(answer)]
    if final.source in ("box", "marker", "head"):
        readings.append(final.text)
    counted = [(Counter(words(reading)), reading) for reading in readings]
    expected = [Counter(words(reference)) for reference in texts(question.reference)]
    score, taken = max((max(f1(given, one) for one in expected), reading) for given, reading in counted)
    return Verdict(score, brief(taken), "" if score == 1 else f"best F1 of words: {score:.3f}")


def check(question: Question, options: Options) -> list[str]:
    """Give the fault of a reference that is no text, or has no word that counts."""
    faults = check_texts(question, options)
    if not faults and not all(words(text) for text in texts(question.reference)):
        return ["reference: has no word but articles and punctuation, so that 'f1' has nothing to compare"]
    return faults


F1 = Grader("f1", 1, grade, check)
