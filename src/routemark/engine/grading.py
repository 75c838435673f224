"""Grading beside the asking: in a few child processes of low priority, never in the loop.

A grade takes some tenths of a millisecond for most graders and seconds for those that run code; in the loop it
would be taken for latency of the router. What waits for a child is bounded: an answer that comes when the queue is
full is left without a grade, and `Beside.grade_rest` finds it in the journal afterwards. So grading never holds
the asking back, and a grade that a crash has cost is made up for by the same road.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Callable, Coroutine, Iterable
from typing import Any, NamedTuple, Self

import msgspec

from routemark import graders
from routemark.engine.grading_child import ALLOW_CODE, HEAD, Task
from routemark.records import Completion, Grade, Outcome, Question

WAITING = 200
"""Answers that may wait for a child."""
MOST_CHILDREN = 8
_PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "VIRTUAL_ENV", "TMPDIR")
"""What children get of the environment; no key is among it."""


class _Job(NamedTuple):
    ungraded: Grade
    """What is said when no child could grade the answer."""
    message: bytes


class Beside:
    """Grades answers; ``take`` gets the grades as they come, in no order.

    Use as an async context manager: at its end no child is left, and what still waited is not graded.
    """

    def __init__(
        self,
        take: Callable[[Grade], None],
        *,
        allow_code: bool = False,
        children: int | None = None,
    ) -> None:
        """``allow_code``: code in answers may be run; ``children``: at most so many processes at once."""
        self.left = 0
        """Answers that were left without a grade because too many were waiting."""
        self._waited_for = 0
        self._take = take
        self._allow_code = allow_code
        self._children = children or min(os.cpu_count() or 1, MOST_CHILDREN)
        self._queue: asyncio.Queue[_Job] = asyncio.Queue(WAITING)
        self._workers: list[asyncio.Task[None]] = []

    @property
    def waiting(self) -> int:
        """Number of answers that wait for a child, or for its word."""
        return self._waited_for

    @property
    def owing(self) -> int:
        """Number of answers without the grade that they are to get."""
        return self.left + self._waited_for

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for worker in self._workers:
            worker.cancel()
        await asyncio.gather(*self._workers, return_exceptions=True)

    def grade(self, trial: str, question: Question, completion: Completion) -> None:
        """Have an answer graded: its grade comes to ``take``, if its question is graded and there is room."""
        if graders.resolve(question) is None:
            return
        if self._queue.full():
            self.left += 1
            return
        self._waited_for += 1
        self._queue.put_nowait(_job(trial, question, completion))
        self._hire()

    async def grade_rest(self, outcomes: Iterable[tuple[Question, Outcome]]) -> None:
        """Grade the answers among these outcomes, waiting for room, and wait for all that are under way."""
        for question, outcome in outcomes:
            if outcome.completion is None or graders.resolve(question) is None:
                continue
            self._waited_for += 1
            await self._or_fail(self._queue.put(_job(outcome.trial, question, outcome.completion)))
            self._hire()
        await self.drain()
        self.left = 0

    async def drain(self) -> None:
        """Wait until nothing waits for a grade; raise what ``take`` raised."""
        await self._or_fail(self._queue.join())

    async def _or_fail(self, waited: Coroutine[Any, Any, None]) -> None:
        """Wait for something that the workers bring about, unless one of them has failed."""
        waiting = asyncio.ensure_future(waited)
        try:
            done, _ = await asyncio.wait({waiting, *self._workers}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            if not waiting.done():
                waiting.cancel()
        for task in done:
            task.result()

    def _hire(self) -> None:
        """Let one more child work, if more answers wait than have one."""
        if len(self._workers) < min(self._children, self._waited_for):
            self._workers.append(asyncio.create_task(self._work()))

    async def _work(self) -> None:
        """Grade what waits, one by one, with a child that is replaced when it breaks."""
        child: _Child | None = None
        try:
            while True:
                job = await self._queue.get()
                try:
                    child = child or await _Child.started(allow_code=self._allow_code)
                    grade = await child.ask(job.message)
                except (OSError, EOFError):
                    grade = job.ungraded
                    if child is not None:
                        await child.end()
                        child = None
                self._waited_for -= 1
                self._take(grade)
                self._queue.task_done()
        finally:
            if child is not None:
                await child.end()


def _job(trial: str, question: Question, completion: Completion) -> _Job:
    spec = graders.resolve(question)
    assert spec is not None
    bare = msgspec.structs.replace(completion, usage_raw=None, metadata=None, reasoning=None)
    message = msgspec.json.encode(Task(trial=trial, question=question, completion=bare))
    reason = "the process that graded it ended unexpectedly"
    return _Job(Grade(trial=trial, grader=spec.name, version=0, score=None, reason=reason), message)


class _Child:
    """A child process that grades; it ends when its input does, hence with us."""

    def __init__(self, process: Process) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._process = process
        self._stdin, self._stdout = process.stdin, process.stdout

    @classmethod
    async def started(cls, *, allow_code: bool) -> Self:
        """Start a child."""
        environ = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-P",
            "-m",
            "routemark.engine.grading_child",
            *([ALLOW_CODE] if allow_code else []),
            stdin=PIPE,
            stdout=PIPE,
            stderr=DEVNULL,
            env={**environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            start_new_session=True,  # Ctrl-C is for us to hear
        )
        return cls(process)

    async def ask(self, message: bytes) -> Grade:
        """Let it grade. Raises: OSError, EOFError when it ended."""
        self._stdin.write(HEAD.pack(len(message)) + message)
        await self._stdin.drain()
        (size,) = HEAD.unpack(await self._stdout.readexactly(HEAD.size))
        return msgspec.json.decode(await self._stdout.readexactly(size), type=Grade)

    async def end(self) -> None:
        """End it now, and wait until nothing of it is left."""
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        with contextlib.suppress(OSError):  # what was still on its way to it
            await self._process.communicate()
