"""Whether what was set took effect: what the gateway told about an answer, held against its arm.

An account's own defaults, a preset or a mistake can bend a benchmark without any error. Each sign of
it has a flag here; flags stand on the rows and are counted in the summary, and change no figure.
Names of models are compared with care, since a gateway may name the same model with or without its
date, its variant, or its author.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec

from routemark.errors import FailureKind
from routemark.records import Arm, Completion, Outcome
from routemark.wire import values
from routemark.wire.response import UNNAMED_MODEL

FLAGS: dict[str, str] = {
    "outside_allowed_models": "served by a model outside allowed_models (the setting did not take effect)",
    "inside_excluded_models": "served by a model in excluded_models (the setting did not take effect)",
    "other_model": "served by another model than the one asked (or the slug asked routes)",
    "cache_hit": "replayed by the gateway's response cache, which was off (cost and latency are not real)",
    "byok": "billed to a provider key of your own (the cost leaves out what the provider charges)",
    "session_reused": "with the session id of another trial (a router may have stuck to its earlier pick)",
    "asked_twice": "to a trial that was asked twice, since a worker of the cluster was lost (it may be billed twice)",
    "context_compressed": "to a prompt that the gateway had shortened, although that was off",
    "no_metadata": "without routing metadata (task type and attempts of providers are not known)",
}
"""Flag -> what is odd about such an answer, to be read after a count."""

SESSION_REUSED = "session_reused"
"""The one flag that a single answer does not show."""
ASKED_TWICE = "asked_twice"
"""The one flag that an outcome's attempts show."""

_SLUG_LIMIT = 256
"""Characters of a name that are read: no slug is longer, but a gateway may say anything."""

_DATE = re.compile(r"-(20\d{2})-?(\d{2})-?(\d{2})$")


def flags(arm: Arm, completion: Completion) -> list[str]:
    """Give the flags of one answer, in the order of `FLAGS`; what the gateway did not tell gives none."""
    found = {
        **_restrictions(arm, completion.model),
        "other_model": not served_as_asked(arm, completion.model),
        "cache_hit": (completion.cache_status or "").strip().upper() == "HIT",
        "byok": _is_byok(completion),
        "context_compressed": completion.metadata is not None
        and any(map(_compresses, _pipeline(completion))),
        "no_metadata": not isinstance(completion.metadata, dict),
    }
    return [flag for flag in FLAGS if found.get(flag)]


def flags_of(arm: Arm, outcome: Outcome) -> list[str]:
    """Give the flags that an outcome shows: its answer's, and that it was asked twice since a worker was lost."""
    found = flags(_asked(arm, outcome), outcome.completion) if outcome.completion is not None else []
    twice = any(attempt.kind == FailureKind.WORKER_LOST for attempt in outcome.attempts)
    return [*found, ASKED_TWICE] if twice else found


def _asked(arm: Arm, outcome: Outcome) -> Arm:
    """Give the arm as the gateway saw it: for a router that is a plugin, the model that was picked."""
    if outcome.picked is None:
        return arm
    return msgspec.structs.replace(arm, model=outcome.picked, plugin=None, is_router=False)


def _restrictions(arm: Arm, model: str) -> dict[str, bool]:
    if not arm.plugin or model == UNNAMED_MODEL:
        return {}
    allowed, excluded = (values.rows(arm.plugin.get(name)) for name in ("allowed_models", "excluded_models"))
    return {
        "outside_allowed_models": bool(allowed) and not matches(model, allowed),
        "inside_excluded_models": matches(model, excluded),
    }


def served_as_asked(arm: Arm, model: str) -> bool:
    """Tell whether a fixed model, or a fallback list, was served by itself; True for what routes."""
    if arm.model == model:
        return True
    asked = [arm.model, *(arm.models or [])]
    if (
        arm.is_router
        or model == UNNAMED_MODEL
        or any(slug.startswith(("openrouter/", "@")) for slug in asked)
    ):
        return True
    return any(same_model(slug, model) for slug in asked)


def _is_byok(completion: Completion) -> bool:
    usage, metadata = values.table(completion.usage_raw), values.table(completion.metadata)
    return usage.get("is_byok") is True or metadata.get("is_byok") is True


def _pipeline(completion: Completion) -> Iterable[dict[str, Any]]:
    return map(values.table, values.rows(values.table(completion.metadata).get("pipeline")))


def _compresses(stage: dict[str, Any]) -> bool:
    words = (str(stage.get(name)).replace("-", "_") for name in ("type", "name"))
    return "context_compression" in words


# --------------------------------------------------------------------------- names of models


class _Name(NamedTuple):
    """A slug taken apart."""

    author: str
    """Empty where the slug has none."""
    words: tuple[str, ...]
    """Of the name, sorted: gateways write both claude-sonnet-4.6 and claude-4.6-sonnet."""
    date: str
    """Empty where the slug has none."""
    floats: bool
    """``~author/family-latest``: whichever model of the author is newest."""


@lru_cache(maxsize=1_024)
def _name(slug: str) -> _Name:
    bare = slug.lower().partition("@")[0].partition(":")[0]
    author, _, name = bare.rpartition("/")
    dated = _DATE.search(name)
    words = tuple(sorted((name[: dated.start()] if dated else name).split("-")))
    return _Name(author.lstrip("~"), words, "".join(dated.groups()) if dated else "", slug.startswith("~"))


def same_model(one: str, other: str) -> bool:
    """Tell whether two slugs name the same model.

    A date, a variant (``:free``), a preset and an author count only where both slugs have one that
    differs; variants never count, for they are offers of one model.
    """
    a, b = _name(one[:_SLUG_LIMIT]), _name(other[:_SLUG_LIMIT])
    if a.author and b.author and a.author != b.author:
        return False
    if a.floats or b.floats:
        return True
    return a.words == b.words and (not a.date or not b.date or a.date == b.date)


def matches(model: str, patterns: Sequence[Any]) -> bool:
    """Tell whether a model fits a pattern, in which ``*`` stands for anything, as a router reads it.

    The model's name counts as it was told, and without its variant, its date, or both.
    """
    named = model[:_SLUG_LIMIT]
    bare = named.partition(":")[0]
    names = {named, bare, _DATE.sub("", bare)}
    return any(_fits(name.lower(), str(pattern).lower()) for pattern in patterns for name in names)


def _fits(name: str, pattern: str) -> bool:
    """Match in linear time, whatever the name and the pattern."""
    first, *rest = pattern.split("*")
    if not rest:
        return name == pattern
    *middle, last = rest
    at = len(first)
    for part in middle:
        found = name.find(part, at)
        if found < 0:
            return False
        at = found + len(part)
    return name.startswith(first) and name.endswith(last) and at + len(last) <= len(name)
