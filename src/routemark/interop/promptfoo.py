"""promptfoo's results (``promptfoo eval -o results.json``): under ``results.results`` one answer each.

A provider is a model. A question is a test with one of the prompts; ``testIdx`` and ``promptIdx`` name it, or its
text where they are missing. Repeats of a test are tests of their own, as there.
"""

from __future__ import annotations

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
    part,
    structs,
)
from routemark.interop.heads import Head
from routemark.questions.conversation import conversation_fault, last_user_text
from routemark.questions.fields import value_fault
from routemark.questions.validate import derived_id
from routemark.records import Question


class _Provider(msgspec.Struct):
    id: str | None = None
    label: str | None = None


class _Result(msgspec.Struct):
    provider: _Provider | str
    testIdx: int | None = None  # noqa: N815 - their name
    promptIdx: int | None = None  # noqa: N815
    prompt: Any = None
    success: bool = False
    score: float | None = None
    cost: float | None = None
    latencyMs: float | None = None  # noqa: N815
    description: str | None = None


def _detect(head: Head) -> bool:
    return head.shape == "object" and head.has("results") and (head.has("evalId") or head.has("shareableUrl"))


def _read(path: Path) -> Entries:
    found = document(path)
    results = part(found, "results", "results")
    if not isinstance(results, list):
        raise UsageError(f"{path}: not a result of promptfoo: it has no results.results.")
    for item in structs(results, _Result):
        yield item if isinstance(item, Wrong) else _entry(*item)


def _entry(number: int, result: _Result) -> Entry | Wrong:
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
    name = question.id if question is not None else f"test-{result.testIdx}-{result.promptIdx or 0}"
    return Entry(
        number,
        name,
        model,
        score=float(result.success) if result.score is None else min(1.0, max(0.0, result.score)),
        cost_usd=result.cost,
        latency_s=None if result.latencyMs is None else result.latencyMs / 1000,
        category=result.description,
        question=question,
    )


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
    known = result.testIdx is not None
    name = f"test-{result.testIdx}-{result.promptIdx or 0}" if known else derived_id(question)
    return msgspec.structs.replace(question, id=name)


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
