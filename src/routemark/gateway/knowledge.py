"""Which questions the simulated models know, and how likely each model is to answer them right.

The law is the two-parameter logistic of item-response theory (Birnbaum 1968): the chance of a
right answer is ``1 / (1 + exp(-a (ability - difficulty)))``, with the model's ability for the kind
of task and the question's difficulty: a centre by label and an offset by question id.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import msgspec

from routemark.gateway.catalogue import Family, Model
from routemark.gateway.contents import answer_text
from routemark.gateway.seeding import normal, unit
from routemark.gateway.tasks import classify
from routemark.graders import resolve
from routemark.interop.recordings import last_user_text, message_text
from routemark.questions import QuestionSet
from routemark.records import PERTURBED_FROM, GraderSpec, Question, Record
from routemark.wire.request import prompt_messages

DISCRIMINATION = 1.3
"""How sharply the chance turns from low to high around the question's difficulty."""

_CENTRES = {"easy": -2.25, "medium": -0.8, "hard": 0.05, "opt": 0.45}
_OFFSET_SD = 0.7
_OTHERS_KEPT = 64
"""Answers kept a category, to be wrong answers to other questions of it."""


class Known(Record, frozen=True, kw_only=True):
    """A question that the simulated models were given, ready to be answered."""

    question: Question
    spec: GraderSpec | None
    """How the answer will be judged; None: it will not be."""
    family: Family
    difficulty: float
    """On the scale of abilities."""
    others: tuple[str, ...]
    """Answers to other questions of the category."""


def chance_right(model: Model, known: Known) -> float:
    """Give the probability that a model answers a question right."""
    margin = model.ability[known.family] - known.difficulty
    return 1 / (1 + math.exp(-DISCRIMINATION * margin))


def is_right(model: Model, known: Known, seed: int, repeat: int) -> bool:
    """Tell whether this try is right: the same seed, model, question and repeat always agree."""
    return unit(seed, "right", model.id, known.question.id, repeat) < chance_right(model, known)


def difficulty_of(question: Question) -> float:
    """Give a question's difficulty: the centre of its label plus an offset by its id.

    Labels that are not ours get a centre of their own, between easy and hard. A perturbed copy is as
    difficult as its original.
    """
    label = question.difficulty.strip().casefold()
    centre = _CENTRES.get(label)
    if centre is None:
        centre = -1.5 + 1.5 * unit("label", label)
    original = question.metadata.get(PERTURBED_FROM, question.id)
    return centre + _OFFSET_SD * normal("difficulty", original)


class Knowledge:
    """Finds the question behind a request's messages.

    Holds two integers a question; the questions themselves stay in their set's file.
    """

    def __init__(self, questions: QuestionSet | Sequence[Question]) -> None:
        self._questions = questions
        self._by_conversation: dict[int, int] = {}
        self._by_prompt: dict[int, int] = {}
        self._others: dict[str | None, list[str]] = {}
        for index, question in enumerate(questions):
            self._add(index, question)
        self._known = lru_cache(maxsize=8_192)(self._build)

    def __len__(self) -> int:
        return len(self._questions)

    def find(self, messages: Sequence[Mapping[str, Any]]) -> Known | None:
        """Give the question that these messages ask, by the whole conversation or its last user message."""
        index = self._by_conversation.get(conversation_hash(messages))
        if index is None:
            index = self._by_prompt.get(_text_hash(last_user_text(messages)))
        return None if index is None else self._known(index)

    def _add(self, index: int, question: Question) -> None:
        messages = prompt_messages(question)
        self._by_conversation.setdefault(conversation_hash(messages), index)
        self._by_prompt.setdefault(_text_hash(last_user_text(messages)), index)
        others = self._others.setdefault(question.category, [])
        text = answer_text(question)
        if text is not None and len(others) < _OTHERS_KEPT and text not in others:
            others.append(text)

    def _build(self, index: int) -> Known:
        question = self._questions[index]
        return Known(
            question=question,
            spec=resolve(question),
            family=classify(last_user_text(prompt_messages(question))).family,
            difficulty=difficulty_of(question),
            others=tuple(self._others[question.category]),
        )


def conversation_hash(messages: Sequence[Mapping[str, Any]]) -> int:
    """Give 64 bits of roles and texts of a conversation; other fields do not count."""
    plain = [(message.get("role"), message_text(message).strip()) for message in messages]
    return _hash(msgspec.json.encode(plain))


def _text_hash(text: str) -> int:
    return _hash(text.strip().encode("utf-8", "surrogatepass"))


def _hash(data: bytes) -> int:
    return int.from_bytes(hashlib.blake2b(data, digest_size=8).digest())
