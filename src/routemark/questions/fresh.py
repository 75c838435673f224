"""Fresh questions: the shipped templates drawn anew, so that no answer can have been learnt by heart."""

from __future__ import annotations

from routemark.errors import UsageError
from routemark.families import FAMILIES, draw
from routemark.questions.loading import load, shipped
from routemark.records import Question

MOST = 3_000
"""Questions that can be drawn at once; beyond them some families begin to run dry."""


def fresh(seed: int, n: int) -> list[Question]:
    """Give n new questions, a third of each difficulty, its families in turn; the same seed, the same questions.

    None is a shipped question or a near copy of one. Raises: UsageError when n or the seed is out of range.
    """
    if not 1 <= n <= MOST:
        raise UsageError(f"-n {n}: from 1 to {MOST:,} questions can be drawn at once.")
    if seed < 0:
        raise UsageError(f"--fresh {seed}: the seed is a whole number of at least 0.")
    return draw(FAMILIES, seed, n, load(shipped()))
