"""One question in all runs that have it: the same id with the same content."""

from __future__ import annotations

import mmap
import time
from typing import NamedTuple

import msgspec
import numpy as np

from routemark.drift import content_key
from routemark.errors import RoutemarkError
from routemark.records import Question, Run
from routemark.rundir import RunDirectory
from routemark.viewer.index import key_of
from routemark.viewer.opened import Library, Working
from routemark.viewer.pages import Answer, answers

_WAIT_S = 0.2


class There(NamedTuple):
    """The question in one run."""

    name: str
    run: Run
    n: int
    answers: list[Answer]


def everywhere(library: Library, question: Question) -> list[There]:
    """Give the question's answers in every run that was asked it, the newest run first.

    Runs that cannot be read are left out. Waits for those that must be indexed first.
    """
    found = []
    for listed in library.shelf.listed():
        directory = library.shelf.find(listed.name)
        opened = library.open(listed.name)
        if directory is None or opened is None or not _has(directory, question):
            continue
        try:
            there = _in_run(library, listed.name, question)
        except (RoutemarkError, OSError):  # one damaged run does not hide the others
            continue
        if there is not None and there.answers:
            found.append(there)
    return found


def _in_run(library: Library, name: str, question: Question) -> There | None:
    while (opened := library.open(name)) is not None:
        try:
            reader = opened.reader()
        except Working:
            time.sleep(_WAIT_S)
            continue
        n = int(reader.table.prompts.places(np.array([key_of(question.id)], dtype=np.uint64))[0])
        if n < 0 or content_key(reader.questions[n]) != content_key(question):
            return None
        return There(name, reader.table.run, n, answers(reader, reader.table.place_of(n)))
    return None


def _has(directory: RunDirectory, question: Question) -> bool:
    """Tell whether the frozen questions have a line with this id, without reading them one by one."""
    start = b'\n{"id":' + msgspec.json.encode(question.id) + b","
    try:
        with (
            directory.questions.open("rb") as file,
            mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped,
        ):
            return mapped.find(start) >= 0
    except (OSError, ValueError):  # not there, or empty
        return False
