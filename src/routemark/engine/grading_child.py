"""The child process of `grading`: reads answers from its input, writes their grades to its output.

Messages are JSON behind their length. It works at low priority, so that the asking comes first, and ends when
its input ends.
"""

from __future__ import annotations

import os
import struct
import sys
from typing import BinaryIO

import msgspec

from routemark import graders
from routemark.records import Completion, Grade, Question, Record
from routemark.tools import at_hand

HEAD = struct.Struct(">I")
NICENESS = 10
ALLOW_CODE = "--allow-code"


class Task(Record, frozen=True, kw_only=True):
    """An answer to grade."""

    trial: str
    question: Question
    completion: Completion


def main() -> None:
    """Grade until the input ends."""
    os.nice(NICENESS)
    tools = at_hand(allow_code=ALLOW_CODE in sys.argv)
    while (message := _read(sys.stdin.buffer)) is not None:
        task = msgspec.json.decode(message, type=Task)
        grade = graders.grade(task.trial, task.question, task.completion, tools)
        _write(sys.stdout.buffer, grade)


def _read(file: BinaryIO) -> bytes | None:
    head = file.read(HEAD.size)
    return file.read(*HEAD.unpack(head)) if len(head) == HEAD.size else None


def _write(file: BinaryIO, grade: Grade | None) -> None:
    content = msgspec.json.encode(grade)
    file.write(HEAD.pack(len(content)) + content)
    file.flush()


if __name__ == "__main__":
    main()
