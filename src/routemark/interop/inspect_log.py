"""Inspect's logs: a ZIP archive with ``header.json`` and a JSON file for each sample and epoch, or all in one JSON.

Read from an archive are ``samples/<id>_epoch_<n>.json``, one at a time, and of them the first score alone: C, P, I and N stand for
1, 0.5, 0 and 0, as there. Samples in the chunked shape (``samples/<id>_epoch_<n>/sample.json``) have the same
fields. Newer logs are packed with Zstandard, which Python reads itself from 3.14 on; before, `backports.zstd` does.
"""

from __future__ import annotations

import math
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
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
    told,
)
from routemark.interop.heads import Head, head
from routemark.questions.conversation import conversation_fault, last_user_text
from routemark.questions.rows import plain
from routemark.records import Question
from routemark.wire.arms import router_of

_SAMPLE = re.compile(r"samples/[^/]+(?:\.json|/sample\.json)")
_LARGEST = 64 << 20
"""Bytes of one unpacked file; what is larger is refused before it fills the memory."""
_MOST = 4 << 30
"""Bytes unpacked of one log."""
_LETTERS = {"C": 1.0, "P": 0.5, "I": 0.0, "N": 0.0}
_WORDS = {"yes": 1.0, "true": 1.0, "no": 0.0, "false": 0.0}
_ZSTD = 93


class _Sample(msgspec.Struct):
    id: int | str
    epoch: int
    input: Any = None
    target: Any = None
    choices: list[str] | None = None
    scores: dict[str, Any] | None = None
    score: Any = None
    """Of the oldest logs, which had but one."""
    output: Any = None
    model_usage: Any = None
    total_time: float | None = None
    working_time: float | None = None
    error: Any = None


def _detect(head: Head) -> bool:
    packed = head.shape == "zip" and (head.has("header.json") or head.has("_journal/start.json"))
    return packed or (head.shape == "object" and head.has("version", "status", "eval"))


def _read(path: Path) -> Entries:
    if head(path).shape == "object":
        yield from _of_document(path)
        return
    with _opened(path) as archive:
        yield from _entries(path, _Archive(path, archive))


def _of_document(path: Path) -> Iterator[Entry | Wrong]:
    """Read a log that is one JSON document."""
    found = document(path)
    spec = _named(found)
    if spec is None:
        raise UsageError(f"{path}: not a log of Inspect: nothing in it names its model and task.")
    samples = part(found, "samples")
    if not isinstance(samples, list) or not samples:
        raise UsageError(f"{path}: a log of Inspect without samples; there is nothing to read.")
    for item in structs(samples, _Sample):
        yield item if isinstance(item, Wrong) else _entry(*item, *spec)


def _opened(path: Path) -> zipfile.ZipFile:
    try:
        archive: zipfile.ZipFile = _library().ZipFile(path)
    except Exception as error:  # noqa: BLE001 - the border to a library that says "damaged" in many ways
        raise UsageError(f"{path}: not an archive that can be read: {plain(str(error))[:200]}.") from None
    return archive


def _library() -> ModuleType:
    """Give the zipfile that knows Zstandard, else the plain one."""
    try:
        from backports.zstd import zipfile as able  # noqa: PLC0415 - an extra, loaded where it is needed
    except ImportError:
        return zipfile
    return able


class _Archive:
    """Unpacks files with a bound on each and on all."""

    def __init__(self, path: Path, archive: zipfile.ZipFile) -> None:
        self._path, self._archive = path, archive
        self._left = _MOST

    def names(self) -> list[str]:
        """Give the names of the samples, in their order in the archive."""
        return [name for name in self._archive.namelist() if _SAMPLE.fullmatch(name)]

    def json(self, name: str) -> Any:
        """Give what a file holds. Raises: ValueError in plain words; UsageError when it needs a library."""
        try:
            with self._archive.open(name) as file:
                data = file.read(_LARGEST + 1)
        except NotImplementedError:
            raise UsageError(
                f"{self._path}: packed with Zstandard, which this Python does not read: pip install 'routemark[data]'."
            ) from None
        except KeyError:
            raise ValueError(f"{plain(name)}: is not in the archive") from None
        except Exception as error:  # noqa: BLE001 - the border to four packers, each with its own errors of damaged data
            raise ValueError(f"{plain(name)}: cannot be unpacked: {plain(str(error))[:100]}") from None
        self._left -= len(data)
        if len(data) > _LARGEST or self._left < 0:
            raise UsageError(
                f"{self._path}: {plain(name)} unpacks to more than a log may hold; nothing was read."
            )
        return decoded(data)


def _entries(path: Path, archive: _Archive) -> Iterator[Entry | Wrong]:
    model, task = _spec(path, archive)
    for number, name in enumerate(archive.names(), 1):
        try:
            sample = msgspec.convert(archive.json(name), _Sample)
        except msgspec.MsgspecError as error:
            yield Wrong(number, told(error))
        except ValueError as error:
            yield Wrong(number, str(error))
        else:
            yield _entry(number, sample, model, task)


def _spec(path: Path, archive: _Archive) -> tuple[str, str]:
    """Give model and task of a log, from its header, or from its start when it never came to an end."""
    for name in ("header.json", "_journal/start.json"):
        try:
            spec = _named(archive.json(name))
        except ValueError:
            continue
        if spec is not None:
            return spec
    raise UsageError(f"{path}: not a log of Inspect: no header names its model and task.")


def _named(log: Any) -> tuple[str, str] | None:
    """Give model and task as a header names them."""
    model, task = part(log, "eval", "model"), part(log, "eval", "task")
    return (model, task) if isinstance(model, str) and isinstance(task, str) else None


def _entry(number: int, sample: _Sample, model: str, task: str) -> Entry:
    name = f"{task}/{sample.id}"
    served = part(sample.output, "model")
    routed = _is_router(model) and isinstance(served, str) and served
    cost = part(sample.model_usage, model, "total_cost")
    score = _score(sample.scores or {"": sample.score})
    return Entry(
        number,
        name,
        served if routed else model,
        arm=model if routed else None,
        score=0.0 if score is None and sample.error is not None else score,
        cost_usd=cost if isinstance(cost, int | float) and not isinstance(cost, bool) else None,
        latency_s=sample.working_time if sample.working_time is not None else sample.total_time,
        category=task,
        repeat=sample.epoch,
        question=_question(name, sample, task),
    )


def _is_router(model: str) -> bool:
    """Tell whether a model (``<provider>/<slug>``, as Inspect names it) is known as a router."""
    return router_of(model) is not None or router_of(model.partition("/")[2]) is not None


def _score(scores: dict[str, Any] | None) -> float | None:
    """Give the first score as a number; None for none, and for what is no single number."""
    value = part(next(iter(scores.values()), None), "value") if scores else None
    if isinstance(value, dict) and len(value) == 1:
        value = next(iter(value.values()))
    if isinstance(value, str):
        return _LETTERS.get(value, _WORDS.get(value.casefold(), _as_number(value)))
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else None


def _as_number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _question(name: str, sample: _Sample, task: str) -> Question | None:
    """Give what was asked; None when it holds more than texts and roles."""
    target = {} if sample.target in (None, "", []) else {"target": sample.target}
    if isinstance(sample.input, str):
        messages = None
        prompt = sample.input
    else:
        messages = _messages(sample.input)
        if messages is None:
            return None
        prompt = last_user_text(messages)
    if not prompt.strip():
        return None
    choices = sample.choices if sample.choices and len(sample.choices) > 1 else None
    return Question(
        id=name,
        difficulty=UNLABELLED,
        question=prompt,
        messages=messages,
        choices=choices,
        reference=_letter(sample.target) if choices else None,
        category=task,
        metadata=target,
    )


def _letter(target: Any) -> str | None:
    """Give a target that is the letter of a choice."""
    target = target[0] if isinstance(target, list) and len(target) == 1 else target
    return target if isinstance(target, str) and re.fullmatch("[A-Z]", target) else None


def _messages(given: Any) -> list[dict[str, Any]] | None:
    if not isinstance(given, list):
        return None
    messages = [{"role": part(one, "role"), "content": _text(part(one, "content"))} for one in given]
    return None if conversation_fault(messages) else messages


def _text(content: Any) -> str | None:
    """Give what a message says; None when it says it with more than text: a log keeps images apart from it."""
    if not isinstance(content, list):
        return content if isinstance(content, str) else None
    texts = [part(one, "text") for one in content if part(one, "type") == "text"]
    return "\n".join(map(str, texts)) if len(texts) == len(content) else None


FORMAT = Format(
    name="inspect",
    title="Inspect's logs",
    holds=("outcomes", "questions", "picks"),
    detect=_detect,
    read=_read,
    files="*.eval",
    row="sample",
    lacks=("billed costs: where a log has costs, they come from a price table", "scorers' own graders"),
)
