"""Shards: which share of a plan one process asks, so that many can without talking to each other. Pure.

A question belongs to the shard that its id and the seed say, the same on every machine; all its arms, repeats
and perturbed copies go with it, so that pairs stay together.
"""

from __future__ import annotations

import hashlib
import re

from routemark.errors import SettingsError

_SHARD = re.compile(r"([0-9]{1,7})/([0-9]{1,7})")


def parse_shard(text: str) -> tuple[int, int]:
    """Give (number, count) of a shard written ``I/N``, the number from 1 to N.

    Raises: SettingsError when it is not one.
    """
    found = _SHARD.fullmatch(text.strip())
    number, count = (int(found[1]), int(found[2])) if found else (0, 0)
    if not 1 <= number <= count:
        raise SettingsError(f"--shard {text}: write it I/N, I from 1 to N: 2/4 is the second of four shares.")
    return number, count


def shard_of(question_id: str, seed: int, count: int) -> int:
    """Give the number, from 1 to ``count``, of the shard that a question belongs to."""
    key = str(seed).encode()[:64]
    digest = hashlib.blake2b(question_id.encode(), digest_size=8, key=key, person=b"shard").digest()
    return int.from_bytes(digest, "big") % count + 1
