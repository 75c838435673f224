"""Writes question files."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from routemark.errors import UsageError
from routemark.questions.frozen import frozen_line
from routemark.records import Question


def write(questions: Iterable[Question], path: Path) -> int:
    """Write a question file, one question a line: a JSON list, or JSON Lines for ``.jsonl``; give their number.

    Raises: UsageError when the name has another ending or the file cannot be written.
    """
    if path.suffix not in (".json", ".jsonl"):
        raise UsageError(f"{path}: question files are written as .json or .jsonl.")
    lines = [frozen_line(question) for question in questions]
    text = b"\n".join(lines) + b"\n" if path.suffix == ".jsonl" else b"[\n" + b",\n".join(lines) + b"\n]\n"
    try:
        path.write_bytes(text)
    except OSError as error:
        raise UsageError(f"{path}: cannot be written: {error.strerror}.") from error
    return len(lines)
