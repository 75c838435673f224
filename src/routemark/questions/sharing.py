"""The questions of one shard of a plan: a view of the whole set."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from routemark.policy.sharding import shard_of
from routemark.questions.frozen import QuestionSet
from routemark.records import PERTURBATION, PERTURBED_FROM, Copies, Question


def share(questions: QuestionSet, number: int, count: int, seed: int) -> QuestionSet:
    """Give the questions of shard ``number`` of ``count``, in their order; a copy goes where its original goes."""

    def is_ours(question: Question) -> bool:
        original = question.metadata.get(PERTURBED_FROM, question.id)
        return shard_of(str(original), seed, count) == number

    return questions.where(is_ours)


def copies_in(questions: QuestionSet, whole: Mapping[str, Copies]) -> dict[str, Copies]:
    """Give how many of the copies of each kind a share holds; ``whole``: of the undivided set.

    How many questions were left out is known of the undivided set only, and stays as it is.
    """
    if not whole:
        return {}
    found = Counter(str(question.metadata.get(PERTURBATION)) for question in questions)
    return {kind: Copies(copies=found[kind], left_out=each.left_out) for kind, each in whole.items()}
