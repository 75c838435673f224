"""Draws questions from the families: by seed, balanced, no two alike.

Every try has a random state of its own, made of the family's name, the seed and the number of the try,
so that a family's questions do not depend on the other families, and asking for more of them changes
none of the earlier ones.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from itertools import count, islice
from random import Random
from typing import Any

from routemark.families.base import Draft, Family
from routemark.records import Question

DIFFICULTIES = ("easy", "hard", "opt")
MOST_TRIES = 5_000
"""Tries for one question; a family that needs more has run out of questions."""
DIFFERING = 4
"""Words and numbers in which two questions of a family differ at least, counted on both sides."""
SHORT, DIFFERING_SHORT = 30, 2
"""The same for questions of so many words at most, such as those that ask for one fact."""
_TOKEN = re.compile(r"\w+|[#.]{2,}")
_NUMBER = re.compile(r"\d+(?:\.\d+)?")


class Drawer:
    """Draws the questions of one family, each different from those before and from those to avoid.

    It ends when the family seems to have no more of them.
    """

    def __init__(self, family: Family, seed: int | str, avoid: Iterable[Question] = ()) -> None:
        self._family = family
        self._seed = seed
        self._seen = [_tokens(question.question) for question in avoid]
        self._tries = count()

    def __iter__(self) -> Iterator[Draft]:
        while (draft := self._next()) is not None:
            yield draft

    def _next(self) -> Draft | None:
        for number in islice(self._tries, MOST_TRIES):
            state = Random(f"{self._family.name}/{self._seed}/{number}")  # noqa: S311 - drawn again by the same seed
            draft = self._family.draw(state)
            if draft is not None and (self._family.quotes or not gives_away(draft)):
                tokens = _tokens(draft.question)
                if not any(_near(tokens, other) for other in self._seen):
                    self._seen.append(tokens)
                    return draft
        return None


def draw(families: Sequence[Family], seed: int, n: int, avoid: Iterable[Question] = ()) -> list[Question]:
    """Give n new questions: a third of each difficulty, its families in turn; the same seed, the same questions.

    None of them is a near copy of a question to avoid.
    """
    known = list(avoid)
    found: list[Question] = []
    for place, difficulty in enumerate(DIFFICULTIES):
        own = [family for family in families if family.difficulty == difficulty]
        Random(f"{difficulty}/{seed}").shuffle(own)  # noqa: S311 - a small n meets other families by another seed
        found += islice(_in_turn(own, seed, known), n // 3 + (place < n % 3))
    return found


def _in_turn(families: Sequence[Family], seed: int, known: list[Question]) -> Iterator[Question]:
    """Yield one question of each family, then a second of each, and so on; a family that runs dry is passed over."""
    drawers = [(family, iter(Drawer(family, seed, _of(family, known)))) for family in families]
    for number in count(1):
        for family, drafts in list(drawers):
            draft = next(drafts, None)
            if draft is None:
                drawers.remove((family, drafts))
            else:
                yield named(draft, family, f"{family.prefix}-s{seed}-{number:02d}")
        if not drawers:
            return


def named(draft: Draft, family: Family, question_id: str, **metadata: Any) -> Question:
    """Make a draft a question of its family."""
    own: dict[str, Any] = {"family": family.name, "template": True}
    if draft.example is not None:
        own["example"] = draft.example
    if draft.source is not None:
        own["source"] = draft.source
    return Question(
        id=question_id,
        difficulty=family.difficulty,
        category=family.category,
        question=draft.question,
        reference=draft.reference,
        choices=draft.choices,
        grader=draft.grader,
        metadata={**own, **metadata},
    )


def gives_away(draft: Draft) -> bool:
    """Tell whether the answer stands in the prompt, where a guess would find it.

    Numbers below 10 and choices cannot help standing there.
    """
    if draft.choices or draft.reference is None:
        return False
    spec = draft.grader.name if draft.grader is not None else "numeric"
    answers = draft.reference if isinstance(draft.reference, list) else [draft.reference]
    if spec != "numeric":
        prompt = draft.question.lower()
        return spec == "exact" and any(str(answer).lower() in prompt for answer in answers)
    shown = str(draft.reference)
    small = "/" not in shown and abs(Fraction(shown)) < 10
    return not small and (shown in _numbers(draft.question) or shown in draft.question.split())


def _numbers(text: str) -> list[str]:
    return _NUMBER.findall(re.sub(r"(?<=\d),(?=\d{3}\b)", "", text))


def _of(family: Family, questions: list[Question]) -> list[Question]:
    return [question for question in questions if question.metadata.get("family") == family.name]


def _tokens(text: str) -> Counter[str]:
    return Counter(_TOKEN.findall(text.lower()))


def _near(one: Counter[str], other: Counter[str]) -> bool:
    least = DIFFERING if max(one.total(), other.total()) > SHORT else DIFFERING_SHORT
    return ((one - other) + (other - one)).total() < least
