"""Chance that depends on names alone: the same parts give the same draw, in any order of asking.

Every draw of the gateway is a hash of what it is about (seed, model, question, repeat, ...), never
the next number of a generator: answers are then independent of order, concurrency and restarts.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from statistics import NormalDist
from typing import TypeVar

T = TypeVar("T")

_STANDARD = NormalDist()
_BITS = 53
_STEPS = float(2**_BITS)


def digest(*parts: object) -> int:
    """Give 64 bits named by the parts; their texts are what counts."""
    text = "\x1f".join(map(str, parts))
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest())


def unit(*parts: object) -> float:
    """Draw uniformly from [0, 1)."""
    return (digest(*parts) >> (64 - _BITS)) / _STEPS


def normal(*parts: object) -> float:
    """Draw from the standard normal distribution."""
    return _STANDARD.inv_cdf(unit(*parts) or 1 / _STEPS)


def pick(options: Sequence[T], *parts: object) -> T:
    """Draw one of the options, all equally likely.

    Raises: IndexError when there is none.
    """
    return options[min(int(unit(*parts) * len(options)), len(options) - 1)]
