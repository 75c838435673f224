"""The plan: which trials a run is made of, and in which order. Pure, lazy, flat in memory.

Questions come in a random order that hangs on the seed and each question's id alone: the same on
every machine and library version, and unchanged for the rest when a question is added or left out.
They are cut into windows; inside a window the (question, arm, repeat) triples are shuffled, so that
all arms meet the same weather and a run stopped anywhere still holds complete pairs. The repeats of a
sticky arm's question keep their order, since the second only means something after the first.
"""

from __future__ import annotations

import hashlib
import math
import random
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from routemark.records import Arm, Question, Record, Trial
from routemark.wire.request import RequestOptions, plan_digest, question_digest, trial_key

MIN_WINDOW = 32


class Place(NamedTuple):
    """Where a trial stands in the plan."""

    question: int
    """Index in the question set."""
    arm: int
    repeat: int
    window: int


def window_size(concurrency: int, arms: int) -> int:
    """Give the number of questions in a window: enough for every slot, at least 32."""
    return max(MIN_WINDOW, math.ceil(concurrency / arms))


def order_key(seed: int, question_id: str) -> int:
    """Give a question's 64-bit sort key in the order of ``seed``."""
    digest = hashlib.blake2b(question_id.encode(), digest_size=8, key=str(seed).encode()[:64]).digest()
    return int.from_bytes(digest, "big")


def order(question_ids: Iterable[str], seed: int, copies: int = 0) -> NDArray[np.int64]:
    """Give the question indices in plan order, shape (n,).

    ``copies``: so many at the end of the set are perturbed copies; they come behind all the others, so that
    the finished prefix of the others is what it would be without them.
    """
    keys = np.fromiter((order_key(seed, name) for name in question_ids), dtype=np.uint64)
    behind = np.arange(len(keys)) >= len(keys) - copies
    return np.lexsort((keys, behind)).astype(np.int64)


class Plan(Record, frozen=True, kw_only=True):
    """What, with a question set, makes every trial of a run."""

    run_id: str
    arms: list[Arm]
    options: RequestOptions
    repeats: int
    window: int
    """Questions in a window."""
    seed: int

    @property
    def trials_per_question(self) -> int:
        """Arms times repeats."""
        return len(self.arms) * self.repeats


def places(plan: Plan, questions: NDArray[np.int64]) -> Iterator[Place]:
    """Yield every place of the plan, window by window, shuffled inside each.

    ``questions``: question indices in plan order (see `order`).
    """
    for index, start in enumerate(range(0, len(questions), plan.window)):
        inside = [
            Place(int(question), arm, repeat, index)
            for question in questions[start : start + plan.window]
            for arm in range(len(plan.arms))
            for repeat in range(plan.repeats)
        ]
        random.Random(f"{plan.seed}:{index}").shuffle(inside)  # noqa: S311 - an order, not a secret
        yield from _in_turn(inside, [arm.sticky for arm in plan.arms])


def _in_turn(inside: Iterable[Place], sticky: Sequence[bool]) -> Iterator[Place]:
    """Let the repeats of a sticky arm's question come in their order, at the places the shuffle gave them."""
    turns: Counter[tuple[int, int]] = Counter()
    for place in inside:
        if sticky[place.arm]:
            yield place._replace(repeat=turns[place.question, place.arm])
            turns[place.question, place.arm] += 1
        else:
            yield place


def session_id(run_id: str, key: str, repeat: int | None) -> str:
    """Give the session of one trial of one run: fresh in every run, the same when a run resumes.

    ``repeat`` None: the session that all repeats share; ``key`` is then the first one's.
    """
    digest = hashlib.blake2b(f"{run_id}\0{key}".encode(), digest_size=12).hexdigest()
    return f"rm-{digest}" if repeat is None else f"rm-{digest}.r{repeat}"


def trials(plan: Plan, questions: Sequence[Question], at: Iterable[Place]) -> Iterator[Trial]:
    """Yield the trial of each place, made only when asked for."""
    digests = [plan_digest(arm, plan.options) for arm in plan.arms]
    for place in at:
        question, arm = questions[place.question], plan.arms[place.arm]
        made_of = question_digest(question), digests[place.arm], question.id, arm.name
        key = trial_key(*made_of, place.repeat)
        own = session_id(plan.run_id, key, place.repeat)
        yield Trial(
            key=key,
            question=question,
            arm=arm,
            repeat=place.repeat,
            session_id=session_id(plan.run_id, trial_key(*made_of, 0), None) if arm.sticky else own,
            window=place.window,
        )
