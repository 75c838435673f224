"""Graders: how an answer becomes a score in [0, 1], or "could not tell" with a reason.

`resolve` names the grader of a question, `check` its faults, `grade` judges one answer. Each grader is
an entry of `GRADERS`; where a final answer is looked for is decided in one place, `extract`.
Three things stay apart: wrong or no answer (score 0), could not tell (score None with a reason), and
not graded at all (None instead of a grade).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from routemark import plugins
from routemark.errors import PluginError
from routemark.graders import (
    choice,
    code,
    composite,
    equivalence,
    instructions,
    json_fields,
    judge,
    lists,
    numeric,
    overlap,
    pattern,
    refusal,
    sql,
    text,
    tool_call,
)
from routemark.graders.base import (
    NO_TOOLS,
    Grader,
    Option,
    ToolError,
    Tools,
    Verdict,
    did_you_mean,
    is_number,
    show,
)
from routemark.graders.extract import SEARCHED
from routemark.graders.plugged import plugged
from routemark.records import Completion, Grade, GraderSpec, Question

__all__ = [
    "GRADERS",
    "Grader",
    "Option",
    "Verdict",
    "check",
    "grade",
    "judge_options",
    "resolve",
    "used",
]

GRADERS: dict[str, Grader] = {
    grader.name: grader
    for grader in (
        text.EXACT,
        choice.CHOICE,
        numeric.NUMERIC,
        text.CONTAINS,
        pattern.REGEX,
        equivalence.MATH,
        json_fields.JSON,
        lists.SET,
        lists.SEQUENCE,
        overlap.F1,
        instructions.INSTRUCTIONS,
        tool_call.TOOL_CALL,
        refusal.REFUSAL,
        sql.SQL,
        code.CODE,
        judge.JUDGE,
    )
}
"""Every grader of this version, by name; ``composite`` is added below, since it is made of the others.

Plugins bring more (see `plugged`)."""

_PLAIN_NUMBER = re.compile(r"[-+\u2212]?(?:0|[1-9]\d*|[1-9]\d{0,2}(?:,\d{3})+)(?:\.\d+)?")


def _found(name: str) -> Grader | str:
    """Give a grader by its name, ours or a plugin's; a fault where there is none, or none that can be used."""
    if name in GRADERS:
        return GRADERS[name]
    try:
        return plugged(name) or _no_grader(name)
    except PluginError as error:
        return f"grader: {error}"


def used(questions: Iterable[Question]) -> set[str]:
    """Give the names of the graders that questions ask for, those of parts of a ``composite`` included."""
    found: set[str] = set()
    for question in questions:
        spec = resolve(question)
        if spec is not None:
            found.add(spec.name)
            found |= {part["name"] for part in spec.options.get("parts", ()) if spec.name == "composite"}
    return found


def resolve(question: Question) -> GraderSpec | None:
    """Give the grader of a question: its own, else the one its reference asks for; None: not graded.

    A string that is plainly a number ("42", "1,000", "-2.5") counts as one, since a CSV file has no
    other way to give it and "42.0" is then as right as "42". Codes and dates ("007", "17:03") stay text.
    """
    if question.grader is not None:
        return question.grader
    reference = question.reference
    if reference is None:
        return None
    if question.choices:
        return GraderSpec(name="choice")
    if is_number(reference) or (isinstance(reference, str) and _PLAIN_NUMBER.fullmatch(reference.strip())):
        return GraderSpec(name="numeric")
    return GraderSpec(name="exact")


def judge_options(question: Question) -> list[dict[str, Any]]:
    """Give the options of each grader ``judge`` that a question has, by itself or as a part; often none."""
    spec = resolve(question)
    if spec is None:
        return []
    if spec.name == "composite":
        return [part for part in spec.options["parts"] if part["name"] == "judge"]
    return [spec.options] if spec.name == "judge" else []


def check(question: Question) -> list[str]:
    """Give every fault of a question's grader, options, reference and choices, as ``field: what is wrong``."""
    spec = resolve(question)
    if spec is None:
        return []
    grader = _found(spec.name)
    if isinstance(grader, str):
        return [grader]
    faults = _option_faults(grader, spec.options)
    if question.reference is None and grader.needs_reference:
        return [*faults, f"reference: missing; the grader '{grader.name}' needs one"]
    if faults:
        return faults
    return grader.check(question, _complete(grader, spec.options))


def grade(trial: str, question: Question, completion: Completion, tools: Tools = NO_TOOLS) -> Grade | None:
    """Grade one answer; None when the question is not graded.

    ``tools`` do what a pure grader cannot (see `base.Tool`); a grader that misses its own cannot tell.
    Raises nothing for any answer: what a grader fails at is a score of None with the reason.
    """
    spec = resolve(question)
    if spec is None:
        return None
    grader = _found(spec.name)
    verdict = _judged(grader, spec, question, completion, tools)
    return Grade(
        trial=trial,
        grader=spec.name,
        version=grader.version if isinstance(grader, Grader) else 0,
        score=verdict.score,
        extracted=verdict.extracted,
        reason=verdict.reason,
        judge=verdict.judged.model if verdict.judged else None,
        prompt_sha256=verdict.judged.prompt_sha256 if verdict.judged else None,
        cost_usd=verdict.judged.cost_usd if verdict.judged else None,
    )


def _verdict(question: Question, completion: Completion, tools: Tools) -> Verdict:
    """Judge an answer by the question's own grader."""
    spec = resolve(question)
    assert spec is not None
    return _judged(_found(spec.name), spec, question, completion, tools)


def _judged(
    grader: Grader | str, spec: GraderSpec, question: Question, completion: Completion, tools: Tools
) -> Verdict:
    """Judge an answer by a grader that `_found` gave."""
    if isinstance(grader, str):
        return Verdict(None, None, grader)
    try:
        if grader.needs_text and not completion.text[-SEARCHED:].strip():
            verdict = Verdict(0.0, None, "no answer")
        else:
            verdict = grader.grade(completion, question, _complete(grader, spec.options), tools)
    except ToolError as error:
        return Verdict(None, None, str(error))
    except Exception as error:  # noqa: BLE001  border: a grader's bug must never become a wrong answer
        return Verdict(None, None, f"grader failed: {type(error).__name__}: {error}")
    if verdict.score == 0 and completion.finish_reason == "length":
        return verdict._replace(
            reason=f"{verdict.reason} (the answer was cut off at the token limit)".lstrip()
        )
    return verdict


def _complete(grader: Grader, options: dict[str, Any]) -> dict[str, Any]:
    return {name: option.default for name, option in grader.options.items()} | options


def _no_grader(name: str) -> str:
    return f"grader: unknown grader '{name}'" + did_you_mean(name, [*GRADERS, *plugins.names("grader")])


def _option_faults(grader: Grader, options: dict[str, Any]) -> list[str]:
    faults = []
    for name, value in options.items():
        option = grader.options.get(name)
        if option is None:
            hint = did_you_mean(name, list(grader.options))
            faults.append(f"grader.{name}: unknown option of '{grader.name}'{hint}")
        elif not option.accepts(value):
            faults.append(f"grader.{name}: must be {option.wants}, not {show(value)}")
    return faults


GRADERS["composite"] = composite.grader(_verdict, check)
