"""What every grader is made of: its options, its verdict, and the words that faults are told in."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, NamedTuple

from routemark.records import Completion, Question

Options = Mapping[str, Any]
"""The options of one question's grader, defaults filled in."""

Tool = Callable[..., Any]
"""Work that a pure grader cannot do itself: run a program, query a database, ask a judge.

Each grader that needs one says in a protocol of its own how it is called. A tool raises `ToolError` for
what hindered it; what it found out about the answer it returns.
"""
Tools = Mapping[str, Tool]
"""The tools at hand, by the name of the grader they serve. `routemark.tools` puts them together."""
NO_TOOLS: Tools = MappingProxyType({})


class ToolError(Exception):
    """A tool could not do its work (missing, not allowed, out of time); the message is the grade's reason."""


def need(tools: Tools, name: str) -> Any:
    """Give the tool of a grader.

    Raises: ToolError when it is not at hand.
    """
    if name not in tools:
        raise ToolError(f"the grader '{name}' has no tool to work with here")
    return tools[name]


class Judged(NamedTuple):
    """Who judged an answer, where a model did."""

    model: str
    """As served."""
    prompt_sha256: str
    """Of all that it was sent."""
    cost_usd: float | None
    """US dollars; None: not known."""


class Verdict(NamedTuple):
    """A grader's word on one answer, before it is bound to a trial."""

    score: float | None
    """In [0, 1]; None: the grader could not tell, and ``reason`` says why."""
    extracted: str | None = None
    """What was taken for the final answer."""
    reason: str = ""
    judged: Judged | None = None
    """Set where a model was asked."""


class Option(NamedTuple):
    """One option of a grader."""

    default: Any
    accepts: Callable[[Any], bool]
    wants: str
    """What ``accepts`` accepts, in words: "must be <wants>"."""


@dataclass(frozen=True)
class Grader:
    """One way to judge an answer, as it stands in the registry."""

    name: str
    version: int
    """Raised whenever some answer would be judged differently."""
    grade: Callable[[Completion, Question, Options, Tools], Verdict]
    """Judge one answer; the options are complete, the question passed ``check``.

    A `ToolError` that it lets pass becomes "could not tell".
    """
    check: Callable[[Question, Options], list[str]]
    """Give the faults of reference and choices as ``field: what is wrong``."""
    options: Mapping[str, Option] = field(default_factory=dict)
    needs_reference: bool = True
    needs_text: bool = True
    """An answer without text is no answer, and scores 0 without being looked at."""
    limit_s: float = 60.0
    """Seconds that a plugin's grader may take for an answer, loading included; ours bound their own work."""


def is_flag(value: object) -> bool:
    """Tell whether a value is true or false."""
    return isinstance(value, bool)


def is_number(value: object) -> bool:
    """Tell whether a value is a number; true and false are none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def flag(*, default: bool = False) -> Option:
    """Give an option that is true or false."""
    return Option(default, is_flag, "true or false")


def tolerance(default: float) -> Option:
    """Give an option that is a number of at least 0."""
    return Option(
        default, lambda value: is_number(value) and 0 <= value < float("inf"), "a number, 0 or above"
    )


def texts(reference: object) -> list[str]:
    """Give the accepted strings of a reference that is one string, number or a list of such."""
    return [str(item) for item in (reference if isinstance(reference, list) else [reference])]


def check_texts(question: Question, _options: Options) -> list[str]:
    """Give the faults of a reference that must be a string or a list of strings; numbers pass as text."""
    reference = question.reference
    if reference == []:
        return ["reference: the list is empty"]
    items = reference if isinstance(reference, list) else [reference]
    if not all(isinstance(item, str) or is_number(item) for item in items):
        return [f"reference: must be a string or a list of strings, not {show(reference)}"]
    if not all(str(item).strip() for item in items):
        return ["reference: is blank, so that an empty answer would be right"]
    return []


def show(value: object, limit: int = 40) -> str:
    """Give a value as it is named in a fault: short, and with its quotes."""
    text = repr(value)
    return text if len(text) <= limit else text[: limit - 3] + "..."


def brief(text: str, limit: int = 200) -> str:
    """Give a text as it is shown in a grade: on one line, and not too long."""
    text = " ".join(text[: 2 * limit].split())
    return text if len(text) <= limit else text[: limit - 3] + "..."


def did_you_mean(name: str, known: list[str]) -> str:
    """Give the end of a fault about an unknown name: the nearest known one, or all of them."""
    close = difflib.get_close_matches(name.lower(), known, n=1, cutoff=0.5)
    if close:
        return f"; did you mean '{close[0]}'?"
    return f"; known are {', '.join(sorted(known))}" if known else "; it has none"
