"""lm-evaluation-harness's ``samples_<task>_<time>.jsonl``: a row for each document, filter and task.

The model's name stands beside them in ``results_<time>.json``, else in the name of their folder. Of several filters
the first counts, of several metrics the first of the row's ``metrics`` that is a number in [0, 1].
"""

from __future__ import annotations

import re
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
from routemark.records import Question

_NAME = re.compile(r"samples_(?P<task>.+?)_(?P<time>\d{4}-\d{2}-\d{2}T[\d.-]+)\.jsonl")
_METRICS = ("exact_match", "acc", "acc_norm", "pass@1", "f1", "prompt_level_strict_acc", "mc2", "mc1")
"""Looked for where a row does not name its metrics, as older ones do not."""


class _Row(msgspec.Struct):
    doc_id: int | str
    doc: Any = None
    target: Any = None
    arguments: Any = None
    filter: str = "none"


def _detect(head: Head) -> bool:
    return head.shape in ("object", "list") and head.has("doc_id", "resps", "filtered_resps")


def _read(path: Path) -> Entries:
    name = _NAME.fullmatch(path.name)
    task = name["task"] if name else path.stem
    model = _model(path, name["time"] if name else None)
    first: str | None = None
    for item in _rows(path):
        if isinstance(item, Wrong):
            yield item
            continue
        number, row = item
        try:
            found = msgspec.convert(row, _Row)
        except msgspec.MsgspecError:
            yield Wrong(number, "doc_id: is missing, or neither a number nor text")
            continue
        first = found.filter if first is None else first
        if found.filter == first:
            yield _entry(number, found, row, task, model)


def _rows(path: Path) -> Iterator[tuple[int, dict[str, Any]] | Wrong]:
    """Give the rows of a file; older ones are one JSON list, whatever their name says."""
    if head(path).shape != "list":
        return lines(path, dict[str, Any])
    return structs(document(path), dict[str, Any])


def _model(path: Path, time: str | None) -> str:
    """Give the name of the model that a file of samples belongs to. Raises: UsageError when nothing tells it."""
    results = path.with_name(f"results_{time}.json")
    if time and results.is_file():
        found = document(results)
        for name in (part(found, "model_name"), part(found, "config", "model_args")):
            if isinstance(name, str) and name:
                return name
    if path.absolute().parent.name:
        return path.absolute().parent.name
    raise UsageError(f"{path}: nothing names the model; put the file in a folder of the model's name.")


def _entry(number: int, found: _Row, row: dict[str, Any], task: str, model: str) -> Entry:
    name = f"{task}/{found.doc_id}"
    return Entry(
        number,
        name,
        model,
        score=_score(row),
        category=task,
        question=_question(name, found, task),
    )


def _score(row: dict[str, Any]) -> float | None:
    named = row.get("metrics")
    for metric in named if isinstance(named, list) else _METRICS:
        value = row.get(metric) if isinstance(metric, str) else None
        if isinstance(value, bool | int | float) and 0 <= value <= 1:
            return float(value)
    return None


def _question(name: str, found: _Row, task: str) -> Question | None:
    """Give what was asked; None for several requests, which compare choices by their likelihood."""
    arguments = found.arguments
    prompt = part(arguments, "gen_args_0", "arg_0") if isinstance(arguments, dict) else part(arguments, 0, 0)
    prompt = part(prompt, 0) if isinstance(prompt, list) else prompt
    if (
        not isinstance(prompt, str)
        or not prompt.strip()
        or (isinstance(arguments, dict | list) and len(arguments) > 1)
    ):
        return None
    messages = _messages(prompt)
    return Question(
        id=name,
        difficulty=UNLABELLED,
        question=last_user_text(messages) if messages else prompt,
        messages=messages,
        category=task,
        metadata={} if found.target is None else {"target": found.target},
    )


def _messages(prompt: str) -> list[dict[str, Any]] | None:
    """Give the conversation that a prompt of a chat model is, written as JSON."""
    if not prompt.startswith("["):
        return None
    try:
        found = decoded(prompt)
    except ValueError:
        return None
    if not isinstance(found, list):
        return None
    messages = [{"role": part(one, "role"), "content": part(one, "content")} for one in found]
    return None if conversation_fault(messages) else messages


FORMAT = Format(
    name="lm-eval",
    title="lm-evaluation-harness samples",
    holds=("outcomes", "questions"),
    detect=_detect,
    read=_read,
    files="samples_*.jsonl",
    lacks=("costs", "latency", "graders: targets are kept in the metadata, the questions are not graded"),
)
