"""promptfoo's results (``promptfoo eval -o results.json``, or ``.jsonl``): one answer each.

They lie under ``results.results`` of a document, or on a line each. A provider is a model. A question is what was sent,
since ``promptIdx`` counts prompts times providers there; tests that sent the same (``--repeat``) are repeats of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from routemark.errors import UsageError
from routemark.interop.entries import (
    UNLABELLED,
    Entries,
    Entry,
    Format,
    Wrong,
    decoded,
    document,
    lines,
    part,
    structs,
)
from routemark.interop.heads import Head, head
from routemark.questions.conversation import conversation_fault, last_user_text
from routemark.questions.fields import value_fault
from routemark.questions.validate import derived_id
from routemark.records import Question


class _Provider(msgspec.Struct):
    id: str | None = None
    label: str | None = None


class _Result(msgspec.Struct):
    provider: _Provider | str
    testIdx: int | None = None  # noqa: N815 - their names
    prompt: Any = None
    success: bool = False
    score: float | None = None
    cost: float | None = None
    response: Any = None
    latencyMs: float | None = None  # noqa: N815
    description: str | None = None


def _detect(head: Head) -> bool:
    whole = head.has("results") and (head.has("evalId") or head.has("shareableUrl"))
    return head.shape == "object" and (whole or head.has("promptIdx", "testIdx", "provider", "success"))


def _read(path: Path) -> Entries:
    for evaluation, item in _results(path):
        yield item if isinstance(item, Wrong) else _entry(evaluation, *item)


def _results(path: Path) -> Iterator[tuple[str, tuple[int, _Result] | Wrong]]:
    """Give the results with the evaluation that they are of."""
    if head(path).has("promptIdx"):
        yield from (("", item) for item in lines(path, _Result))
        return
    found = document(path)
    results = part(found, "results", "results")
    if not isinstance(results, list):
        raise UsageError(f"{path}: not a result of promptfoo: it has no results.results.")
    evaluation = str(part(found, "evalId") or part(found, "results", "timestamp"))
    yield from ((evaluation, item) for item in structs(results, _Result))


def _entry(evaluation: str, number: int, result: _Result) -> Entry | Wrong:
    fault = value_fault(result.prompt)
    if fault:
        return Wrong(number, f"prompt: {fault}")
    provider = result.provider
    model = provider if isinstance(provider, str) else provider.label or provider.id
    question = _question(result)
    if not model:
        return Wrong(number, "provider: has neither id nor label")
    if question is None and result.testIdx is None:
        return Wrong(number, "testIdx: is missing, and there is no prompt to tell the question by")
    return Entry(
        number,
        f"test-{result.testIdx}" if question is None else question.id,
        model,
        score=float(result.success) if result.score is None else min(1.0, max(0.0, result.score)),
        cost_usd=_cost(result),
        latency_s=None if result.latencyMs is None else result.latencyMs / 1000,
        category=result.description,
        repeat=(evaluation, number),
        question=question,
    )


def _cost(result: _Result) -> float | None:
    """Give the cost; a 0 that the provider did not report itself only stands for an unknown one."""
    return None if not result.cost and part(result.response, "cost") is None else result.cost


def _question(result: _Result) -> Question | None:
    text = result.prompt if isinstance(result.prompt, str) else part(result.prompt, "raw")
    if not isinstance(text, str) or not text.strip():
        return None
    messages = _messages(text)
    question = Question(
        id="?",
        difficulty=UNLABELLED,
        question=last_user_text(messages) if messages else text,
        messages=messages,
        category=result.description,
    )
    return msgspec.structs.replace(question, id=derived_id(question))


def _messages(text: str) -> list[dict[str, Any]] | None:
    """Give the conversation that a prompt is, when it is one, written as JSON."""
    if not text.lstrip().startswith("["):
        return None
    try:
        found = decoded(text)
    except ValueError:
        return None
    return None if conversation_fault(found) else found


FORMAT = Format(
    name="promptfoo",
    title="promptfoo's results",
    holds=("outcomes", "questions"),
    detect=_detect,
    read=_read,
    files="*.json",
    row="result",
    lacks=("assertions as graders: the questions are not graded",),
)
