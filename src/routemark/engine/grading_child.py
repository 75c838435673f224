"""The child process of `grading`: reads answers from its input, writes their grades to its output.

Messages are JSON behind their length: a list of answers, and the list of their grades. It works at low priority, so that the asking comes first, and ends when
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
    decode = msgspec.json.Decoder(list[Task]).decode
    while (message := _read(sys.stdin.buffer)) is not None:
        grades = [graders.grade(one.trial, one.question, one.completion, tools) for one in decode(message)]
        _write(sys.stdout.buffer, grades)


def _read(file: BinaryIO) -> bytes | None:
    head = file.read(HEAD.size)
    return file.read(*HEAD.unpack(head)) if len(head) == HEAD.size else None


def _write(file: BinaryIO, grades: list[Grade | None]) -> None:
    content = msgspec.json.encode(grades)
    file.write(HEAD.pack(len(content)) + content)
    file.flush()


if __name__ == "__main__":
    main()
