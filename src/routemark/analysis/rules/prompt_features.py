"""What can be read off a prompt without a model, in microseconds: the inputs of a rule that routes.

Each feature is written once, as the text of a Python expression over ``prompt``. `features` is made of these
texts, and so is the function that a rule is printed as: they cannot differ. Lengths are taken as they are; a
rule compares, so that their logarithm would give the same rules.
"""

from __future__ import annotations

from hashlib import blake2b
from string import digits, punctuation, whitespace
from typing import Any, Literal, NamedTuple

from routemark.analysis.stats.arrays import Codes, Floats
from routemark.numbers import plain, whole_percent
from routemark.records import Question
from routemark.wire.request import prompt_messages


class Feature(NamedTuple):
    """One thing to know of a prompt."""

    name: str
    kind: Literal["count", "share", "flag"]
    """A whole number, a share in [0, 1], or whether something is there."""
    expression: str
    """Python, over ``prompt``."""
    some: str
    """What is said of a prompt with any of it: ``has code``."""
    more: str = ""
    """What is said of a prompt with more than ``{cut}`` of it."""

    def above(self, cut: float) -> str:
        """Say, after "the prompt", that the feature is above the cut; rounded, for a person."""
        if self.kind == "flag" or cut <= 0:
            return self.some
        shown = whole_percent(cut) if self.kind == "share" else plain(cut, 0)
        return self.more.format(cut=shown, s="" if cut == 1 else "s")


_CODE = (
    '"```" in prompt or any(map(f"\\n{prompt}\\n".__contains__, ("\\ndef ", "\\nclass ", "\\nimport ", '
    '"\\n    return ", "\\nprint(", "\\n#include", "\\nfunction ", "\\nconst ", "\\npublic ", "\\nSELECT ", '
    '");\\n", "{\\n", "</")))'
)
_CHOICES = (
    'any(all(map(f"\\n{prompt}".__contains__, marks)) '
    'for marks in (("\\nA. ", "\\nB. "), ("\\nA) ", "\\nB) "), ("\\nA: ", "\\nB: "), ("(A)", "(B)")))'
)
_LATEX = (
    '"\\\\" in prompt and any(map(prompt.__contains__, ("\\\\(", "\\\\[", "\\\\frac", "\\\\sqrt", "\\\\sum", '
    '"\\\\int", "\\\\begin{", "\\\\cdot", "\\\\times", "\\\\le", "\\\\ge", "\\\\pi")))'
)

FEATURES = (
    Feature("characters", "count", "len(prompt)", "is not empty", "is longer than {cut} characters"),
    Feature(
        "digits",
        "share",
        'sum(map(prompt.count, "0123456789")) / max(1, len(prompt))',
        "has digits",
        "is more than {cut} digits",
    ),
    Feature("code", "flag", _CODE, "has code"),
    Feature(
        "question_marks",
        "count",
        'prompt.count("?")',
        "has a question mark",
        "has more than {cut} question mark{s}",
    ),
    Feature(
        "non_ascii",
        "share",
        '(len(prompt) - len(prompt.encode("ascii", "ignore"))) / max(1, len(prompt))',
        "has letters beyond ASCII",
        "is more than {cut} letters beyond ASCII",
    ),
    Feature("choices", "flag", _CHOICES, "lists lettered choices"),
    Feature("latex", "flag", _LATEX, "has LaTeX"),
    Feature("json", "flag", '"{" in prompt and "}" in prompt and \'":\' in prompt', "has JSON"),
)
"""In the order of the columns that `features` gives."""

_measure: Any = eval(f"lambda prompt: ({', '.join(feature.expression for feature in FEATURES)})")  # noqa: S307 - our own text
_NOT_LETTERS = dict.fromkeys(map(ord, digits + punctuation + whitespace))


def features(prompt: str) -> tuple[float, ...]:
    """Give one number for each of `FEATURES`; O(characters), some 10 microseconds for 500 of them."""
    return tuple(map(float, _measure(prompt)))


def skeleton(prompt: str) -> int:
    """Give 64 bits that near-duplicates share: prompts that are alike but for case, numbers and marks."""
    letters = prompt.casefold().translate(_NOT_LETTERS)
    return int.from_bytes(blake2b(letters.encode(errors="replace"), digest_size=8).digest())


def prompt_of(question: Question) -> str:
    """Give the text of the last message of the user that is sent for a question, its lettered choices included."""
    if not question.choices:
        return question.question
    messages = prompt_messages(question)
    users = [message for message in messages if message.get("role") == "user"]
    content = (users or messages)[-1].get("content")
    if isinstance(content, list):
        parts = [part.get("text") for part in content if isinstance(part, dict)]
        content = "\n".join(part for part in parts if isinstance(part, str))
    return content if isinstance(content, str) else question.question


class Prompts(NamedTuple):
    """What is kept of the prompts of n questions."""

    features: Floats
    """(n, k) the columns are `FEATURES`."""
    skeleton: Codes
    """(n,) equal for near-duplicates."""
