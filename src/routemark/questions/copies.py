"""A question set with perturbed copies at its end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from routemark.config import nearest
from routemark.errors import SettingsError, UsageError
from routemark.questions.frozen import QuestionSet
from routemark.questions.perturb import KINDS, perturb
from routemark.records import Copies, Question

ALL = "all"
"""Stands for every kind."""


def kinds_named(names: Sequence[str]) -> list[str]:
    """Give the kinds that are named, one by one or separated by commas, each once, in the order of `KINDS`.

    Raises: SettingsError for a name that is no kind.
    """
    asked = [name.strip() for each in names for name in each.split(",") if name.strip()]
    for name in asked:
        if name not in KINDS and name != ALL:
            raise SettingsError(
                f"--perturb {name}: no such kind of change.{nearest(name, [*KINDS, ALL])} "
                f"Known: {', '.join(KINDS)}, or {ALL}."
            )
    return [kind for kind in KINDS if ALL in asked or kind in asked]


def with_copies(
    questions: QuestionSet, kinds: Sequence[str], *, seed: int, most: int
) -> tuple[QuestionSet, dict[str, Copies]]:
    """Give the set with copies behind it, and by kind how many they are and how many questions were left out.

    The originals of a kind are the first ``most`` questions, in the order in which ``seed`` has them asked, to
    which it can be applied; those in between to which it cannot are counted. Raises: UsageError when the set
    holds a question by the id of a copy.
    """
    if not kinds:
        return questions, {}
    made, left_out = dict.fromkeys(kinds, 0), dict.fromkeys(kinds, 0)
    copies = list(_copies(questions.sample(len(questions), seed), made, left_out, seed, most))
    taken = {copy.id for copy in copies}.intersection(questions.ids())
    if taken:
        raise UsageError(
            f"--perturb: {questions.path} holds a question by the id of a copy: {min(taken)}. Give it another id."
        )
    counts = {kind: Copies(copies=made[kind], left_out=left_out[kind]) for kind in kinds}
    return questions.with_more(copies) if copies else questions, counts


def _copies(
    ordered: QuestionSet, made: dict[str, int], left_out: dict[str, int], seed: int, most: int
) -> Iterator[Question]:
    """Yield the copies question by question, and count."""
    for question in ordered:
        open_kinds = [kind for kind in made if made[kind] < most]
        if not open_kinds:
            return
        found = {kind: perturb(question, kind, seed) for kind in open_kinds}
        for kind, copy in found.items():
            (left_out if copy is None else made)[kind] += 1
            if copy is not None:
                yield copy
