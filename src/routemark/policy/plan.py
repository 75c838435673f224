"""The plan: which trials a run is made of, and in which order. Pure, lazy, flat in memory.

Questions come in a random order that hangs on the seed and each question's id alone: the same on
every machine and library version, and unchanged for the rest when a question is added or left out.
They are cut into windows; inside a window the (question, arm, repeat) triples are shuffled, so that
all arms meet the same weather and a run stopped anywhere still holds complete pairs.
"""

from __future__ import annotations

import hashlib
import math
import random
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


def order(question_ids: Iterable[str], seed: int) -> NDArray[np.int64]:
    """Give the question indices in plan order, shape (n,)."""
    keys = np.fromiter((order_key(seed, name) for name in question_ids), dtype=np.uint64)
    return np.argsort(keys, kind="stable").astype(np.int64)


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
        yield from inside


def session_id(run_id: str, key: str, repeat: int) -> str:
    """Give the session of one trial of one run: fresh in every run, the same when a run resumes."""
    digest = hashlib.blake2b(f"{run_id}\0{key}".encode(), digest_size=12).hexdigest()
    return f"rm-{digest}.r{repeat}"


def trials(plan: Plan, questions: Sequence[Question], at: Iterable[Place]) -> Iterator[Trial]:
    """Yield the trial of each place, made only when asked for."""
    digests = [plan_digest(arm, plan.options) for arm in plan.arms]
    for place in at:
        question, arm = questions[place.question], plan.arms[place.arm]
        key = trial_key(question_digest(question), digests[place.arm], question.id, arm.name, place.repeat)
        yield Trial(
            key=key,
            question=question,
            arm=arm,
            repeat=place.repeat,
            session_id=session_id(plan.run_id, key, place.repeat),
            window=place.window,
        )
