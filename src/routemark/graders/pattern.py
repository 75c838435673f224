"""The grader ``regex``: a pattern of the author's, searched in the answer under a time limit."""

from __future__ import annotations

from functools import lru_cache

import regex

from routemark.graders.base import Grader, Option, Options, Tools, Verdict, flag
from routemark.graders.extract import visible
from routemark.records import Completion, Question

TIMEOUT_S = 0.1
"""Seconds that one answer may cost; a pattern that needs longer could not be judged."""


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> regex.Pattern[str]:
    return regex.compile(pattern)


def grade(completion: Completion, _question: Question, options: Options, _tools: Tools) -> Verdict:
    """Score 1 when the pattern is found in the answer (with ``full``: matches all of it)."""
    pattern = _compiled(options["pattern"])
    look = pattern.fullmatch if options["full"] else pattern.search
    try:
        match = look(visible(completion.text), timeout=TIMEOUT_S)
    except TimeoutError:
        return Verdict(None, None, f"the pattern took longer than {TIMEOUT_S} s")
    if match is None:
        return Verdict(0.0, None, "the pattern does not match")
    return Verdict(1.0, match[0][:200])


def check(_question: Question, options: Options) -> list[str]:
    """Give the fault of a pattern that is missing or is no regular expression."""
    pattern = options["pattern"]
    if pattern is None:
        return ["grader.pattern: missing"]
    try:
        _compiled(pattern)
    except regex.error as error:
        return [f"grader.pattern: is no regular expression: {error}"]
    return []


REGEX = Grader(
    "regex",
    1,
    grade,
    check,
    {"pattern": Option(None, lambda value: isinstance(value, str), "a string"), "full": flag()},
    needs_reference=False,
)
