"""Recorded completions: what a replaying gateway serves, wherever they were recorded.

A `Recording` is one answer that a model once gave to a prompt, with what it cost. Readers of
foreign formats yield them (`routemark.interop.routerarena.read_recordings`); `read_run` reads
Routemark's own run directories.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from routemark import questions
from routemark.errors import UsageError
from routemark.records import Completion, Outcome, Record, Usage
from routemark.wire.request import prompt_messages


class Recording(Record, frozen=True, kw_only=True):
    """One recorded answer of one model to one prompt."""

    model: str
    """The model's name as recorded."""
    prompt: str
    """Text of the last user message: the key under which the answer is found again."""
    text: str
    """The answer, verbatim."""
    usage: Usage = Usage()
    """Tokens as recorded."""
    cost_usd: float | None = None
    """US dollars billed then; None when it was not recorded."""
    finish_reason: str | None = None
    provider: str | None = None
    latency_s: float | None = None
    """Seconds to the last byte, as recorded."""
    ttft_s: float | None = None
    """Seconds to the first content, as recorded."""
    task_type: str | None = None
    """What the router had taken the prompt for."""
    question_id: str | None = None
    repeat: int = 0
    """0-based; several answers of a model to one prompt differ in it."""
    simulated: bool = False
    """The answer came from the simulated gateway, not from a real model."""


class _Header(msgspec.Struct):
    """What is read of a journal line before it is known to be an outcome."""

    kind: str = ""


def last_user_text(messages: Sequence[Mapping[str, Any]]) -> str:
    """Give the text of the last user message, its text parts joined; "" when there is none."""
    for message in reversed(messages):
        if message.get("role") == "user":
            return message_text(message)
    return ""


def message_text(message: Mapping[str, Any]) -> str:
    """Give a message's text: its content, or its text parts joined by line ends."""
    content = message.get("content")
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return ""
    parts = (part.get("text") for part in content if isinstance(part, dict))
    return "\n".join(part for part in parts if isinstance(part, str))


def is_run(path: Path) -> bool:
    """Tell whether a path is a Routemark run directory."""
    return (path / "journal.jsonl").is_file() and (path / "questions.json").is_file()


def read_run(path: Path) -> Iterator[Recording]:
    """Yield the answers in a run directory, in journal order; failures hold none.

    Raises: UsageError when the directory is no run.
    """
    if not is_run(path):
        raise UsageError(f"{path}: not a run directory (no journal.jsonl and questions.json in it).")
    prompts = {
        question.id: last_user_text(prompt_messages(question))
        for question in questions.load(path / "questions.json")
    }
    for outcome in _outcomes(path / "journal.jsonl"):
        prompt = prompts.get(outcome.question_id)
        if prompt is not None and outcome.completion is not None:
            yield _recording(outcome, outcome.completion, prompt)


def _recording(outcome: Outcome, completion: Completion, prompt: str) -> Recording:
    return Recording(
        model=completion.model,
        prompt=prompt,
        text=completion.text,
        usage=completion.usage,
        cost_usd=completion.cost_usd,
        finish_reason=completion.finish_reason,
        provider=completion.provider,
        latency_s=completion.latency_s,
        ttft_s=completion.ttft_s,
        task_type=completion.task_type,
        question_id=outcome.question_id,
        repeat=outcome.repeat,
        simulated=completion.simulated,
    )


def _outcomes(journal: Path) -> Iterator[Outcome]:
    """Yield the outcomes of a journal; lines of other kinds, or torn ones, are skipped."""
    header = msgspec.json.Decoder(_Header)
    decoder = msgspec.json.Decoder(Outcome)
    with journal.open("rb") as lines:
        for line in lines:
            try:
                if header.decode(line).kind == "outcome":
                    yield decoder.decode(line)
            except msgspec.MsgspecError:
                continue
