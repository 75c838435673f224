"""Grades heavy answers on other machines: what the driver hands out, and what is done with it there. Nothing of Ray.

Only graders that eat cores travel; for the others a message costs more than the grade. What grades there is the same
child as beside the driver (`grading_child`): at low priority, without a key, and with the same sandbox.
"""

from __future__ import annotations

import asyncio
import functools
import socket

import msgspec

from routemark import graders, sandbox
from routemark.engine.grading import Job, Replaced
from routemark.records import Grade, Question, Record

HEAVY = frozenset({"code", "math", "sql"})
"""Graders that run programs or solve equations."""


class Graded(Record, frozen=True, kw_only=True):
    """What a machine says of an answer that it was to grade."""

    grade: Grade | None
    trouble: str | None = None
    """Why nothing can be graded on it; names the machine."""


def is_heavy(question: Question) -> bool:
    """Tell whether grading a question's answers is work for other machines."""
    spec = graders.resolve(question)
    if spec is None:
        return False
    parts = spec.options["parts"] if spec.name == "composite" else [{"name": spec.name}]
    return any(part["name"] in HEAVY for part in parts)


def grade_here(ungraded: bytes, task: bytes, *, allow_code: bool) -> bytes:
    """Grade an answer on this machine, in a child that stays for the next; give a `Graded`."""
    trouble = _trouble() if allow_code else None
    if trouble is not None:
        found = Graded(grade=None, trouble=f"{socket.gethostname()}: {trouble}")
    else:
        job = Job(msgspec.json.decode(ungraded, type=Grade), task)
        runner, child = _bench(allow_code)
        (grade,) = runner.run(child.grades([job]))
        found = Graded(grade=grade)
    return msgspec.json.encode(found)


@functools.cache
def _trouble() -> str | None:
    """Give why code cannot be kept in a sandbox here; None when it can."""
    return sandbox.trouble()


@functools.cache
def _bench(allow_code: bool) -> tuple[asyncio.Runner, Replaced]:
    """Give this process's child, and the loop that it lives on; it ends with the process."""
    return asyncio.Runner(), Replaced(allow_code=allow_code)
