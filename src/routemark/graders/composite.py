"""The grader ``composite``: the weighted mean of several graders on the same answer.

A part is a grader with its options, ``{"name": ..., options}``, a ``weight`` (1) and, where it
differs from the question's, a ``reference``. When one part cannot tell, the whole cannot: a mean of the
others would be another measure, on other questions.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from routemark.graders.base import Grader, Option, Options, Tools, Verdict, is_number, show
from routemark.graders.judge import joined
from routemark.records import Completion, GraderSpec, Question

Judge = Callable[[Question, Completion, Tools], Verdict]
"""Judges an answer by the question's own grader."""
Check = Callable[[Question], list[str]]
"""Gives the faults of a question's grader."""


def grader(judge: Judge, check: Check) -> Grader:
    """Give the grader, which finds its parts by the registry that it will stand in."""

    def grade(completion: Completion, question: Question, options: Options, tools: Tools) -> Verdict:
        parts = options["parts"]
        verdicts = [judge(_asked(question, part), completion, tools) for part in parts]
        return _joined(parts, verdicts)

    def faults(question: Question, options: Options) -> list[str]:
        if not options["parts"]:
            return ["grader.parts: missing"]
        return [
            fault
            for index, part in enumerate(options["parts"])
            for fault in _part_faults(index, question, part, check)
        ]

    wants = "a list of graders with their options"
    options = {"parts": Option(None, lambda value: isinstance(value, list), wants)}
    return Grader("composite", 1, grade, faults, options, needs_reference=False, needs_text=False)


def _asked(question: Question, part: dict[str, Any]) -> Question:
    """Give the question as one part sees it."""
    options = {name: value for name, value in part.items() if name not in ("name", "weight", "reference")}
    return msgspec.structs.replace(
        question,
        grader=GraderSpec(name=part["name"], options=options),
        reference=part.get("reference", question.reference),
    )


def _joined(parts: list[dict[str, Any]], verdicts: list[Verdict]) -> Verdict:
    named = [(part["name"], verdict) for part, verdict in zip(parts, verdicts, strict=True)]
    extracted = "; ".join(f"{name}: {verdict.extracted}" for name, verdict in named if verdict.extracted)
    judged = joined([verdict.judged for verdict in verdicts])
    unable = [f"{name}: {verdict.reason}" for name, verdict in named if verdict.score is None]
    if unable:
        return Verdict(None, extracted or None, "; ".join(unable), judged)
    weights = [part.get("weight", 1) for part in parts]
    products = [weight * (verdict.score or 0.0) for weight, verdict in zip(weights, verdicts, strict=True)]
    reasons = "; ".join(f"{name}: {verdict.reason}" for name, verdict in named if verdict.reason)
    return Verdict(min(sum(products) / sum(weights), 1.0), extracted or None, reasons, judged)


def _part_faults(index: int, question: Question, part: Any, check: Check) -> list[str]:
    place = f"grader.parts[{index}]"
    if not isinstance(part, dict) or not isinstance(part.get("name"), str):
        return [f'{place}: must be a grader such as {{"name": "exact", "weight": 2}}, not {show(part)}']
    if part["name"] == "composite":
        return [f"{place}: a composite cannot be part of a composite"]
    weight = part.get("weight", 1)
    if not is_number(weight) or not 0 < weight < float("inf"):
        return [f"{place}.weight: must be a number above 0, not {show(weight)}"]
    return [f"{place}: {fault}" for fault in check(_asked(question, part))]
