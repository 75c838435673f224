"""Grading beside the asking: in a few child processes of low priority; in the loop only what is sure to take no time.

A grade takes some tenths of a millisecond for most graders and seconds for those that run code; in the loop it
would be taken for latency of the router. Short answers to be compared with a short text are the exception: the
way to a child and back takes longer. What waits for a child is bounded: an answer that comes when the queue is
full is left without a grade, and `Beside.grade_rest` finds it in the journal afterwards. So grading never holds
the asking back, and a grade that a crash has cost is made up for by the same road.

Children have neither key nor network: answers that a model judges wait in a line of their own, for `judging`. So do
those that other machines grade, where a cluster is at hand (`cluster_grading`).
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Callable, Coroutine, Iterable
from typing import Any, Generic, NamedTuple, Protocol, Self, TypeVar

import msgspec

from routemark import graders
from routemark.engine.grading_child import ALLOW_CODE, HEAD, Task
from routemark.engine.judging import Judge
from routemark.graders.judge import Rival
from routemark.records import Completion, Grade, Outcome, Question

WAITING = 20_000
"""Answers that may wait for a child, or for the judge."""
WAITING_BYTES = 16 << 20
"""Room for what waits, of which one answer may be more."""
QUICK = frozenset(
    {"exact", "choice", "numeric", "contains", "f1", "set", "sequence", "json", "tool_call", "refusal"}
)
"""Graders that take less than a message to a child does: their answers travel together."""
AT_ONCE = frozenset({"exact", "contains"})
"""Graders that take less than the way to a child does, as long as answer and reference are short."""
SHORT = 200
"""Characters of such an answer or reference: grading it takes about a millisecond at the very worst."""
TOGETHER = 64
"""Such answers in one message."""
MOST_CHILDREN = 8
_PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "VIRTUAL_ENV", "TMPDIR")
"""What children get of the environment; no key is among it."""


class Job(NamedTuple):
    """An answer for a child."""

    ungraded: Grade
    """What is said when no child could grade the answer."""
    task: bytes

    @property
    def size(self) -> int:
        """Bytes that it takes while it waits."""
        return len(self.task)

    @property
    def is_quick(self) -> bool:
        """Whether it may travel with others."""
        return self.ungraded.grader in QUICK


class _Judgement(NamedTuple):
    """An answer for a judge."""

    trial: str
    question: Question
    completion: Completion
    rival: Rival | None

    @property
    def size(self) -> int:
        """Bytes that it takes while it waits, about."""
        return len(self.completion.text)


class Elsewhere(Protocol):
    """Other machines that grade."""

    lanes: int
    """Answers that they may be handed at once."""

    def takes(self, question: Question) -> bool:
        """Tell whether a question's answers are to be graded there."""

    async def grade(self, job: Job) -> Grade:
        """Give the grade of an answer, once there is room for it. Raises: RunError when nothing can be graded."""

    async def close(self) -> None:
        """Leave them."""


class _Sized(Protocol):
    @property
    def size(self) -> int: ...


JobT = TypeVar("JobT", bound=_Sized)


class _Line(Generic[JobT]):
    """Jobs that wait, at most `WAITING`, and the workers that take them, each hired when it is needed."""

    def __init__(self, work: Callable[[_Line[JobT]], Coroutine[Any, Any, None]], workers: int) -> None:
        self.waiting = 0
        """Jobs in line or under way."""
        self._work = work
        self._most = workers
        self._queue: asyncio.Queue[JobT] = asyncio.Queue()
        self._bytes = 0
        self._taken = asyncio.Event()
        """Set when a job leaves the line."""
        self._workers: list[asyncio.Task[None]] = []

    def offer(self, job: JobT) -> bool:
        """Put a job in line; False, when there is no room."""
        if self._is_full():
            return False
        self.waiting += 1
        self._bytes += job.size
        self._queue.put_nowait(job)
        self._hire()
        return True

    async def put(self, job: JobT) -> None:
        """Put a job in line once there is room."""
        while not self.offer(job):
            self._taken.clear()
            await self._or_fail(self._taken.wait())

    async def get(self) -> JobT:
        """Give the next job, for a worker."""
        return self._out(await self._queue.get())

    def get_at_once(self) -> JobT | None:
        """Give a worker one job more, if one waits."""
        return None if self._queue.empty() else self._out(self._queue.get_nowait())

    def _out(self, job: JobT) -> JobT:
        self._bytes -= job.size
        self._taken.set()
        return job

    def _is_full(self) -> bool:
        return self._queue.qsize() >= WAITING or self._bytes >= WAITING_BYTES

    def done(self) -> None:
        """Hear from a worker that a job is done."""
        self._queue.task_done()

    async def drain(self) -> None:
        """Wait until nothing is in line or under way; raise what a worker raised."""
        await self._or_fail(self._queue.join())

    async def close(self) -> None:
        """Let the workers go."""
        for worker in self._workers:
            worker.cancel()
        await asyncio.gather(*self._workers, return_exceptions=True)

    def _hire(self) -> None:
        """Let one more work, if more jobs wait than have a worker."""
        if len(self._workers) < min(self._most, self.waiting):
            self._workers.append(asyncio.create_task(self._work(self)))

    async def _or_fail(self, waited: Coroutine[Any, Any, object]) -> None:
        """Wait for something that the workers bring about, unless one of them has failed."""
        waiting = asyncio.ensure_future(waited)
        try:
            done, _ = await asyncio.wait({waiting, *self._workers}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            if not waiting.done():
                waiting.cancel()
        for task in done:
            task.result()


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
        judge: Judge | None = None,
        elsewhere: Elsewhere | None = None,
    ) -> None:
        """``allow_code``: code in answers may be run; ``children``: at most so many processes at once.

        ``judge``: grades what asks for one; without it such answers could not be graded, and say so.
        ``elsewhere``: machines that grade what they take; without it all is graded here.
        """
        self.left = 0
        """Answers that were left without a grade: too many were waiting, or another answer is needed first."""
        self._take = take
        self.judge = judge
        self._allow_code = allow_code
        self._for_children = _Line(self._work, children or min(os.cpu_count() or 1, MOST_CHILDREN))
        self._for_judge = _Line(self._have_judged, judge.workers if judge is not None else 1)
        self._elsewhere = elsewhere
        self._for_others = _Line(self._have_graded, elsewhere.lanes if elsewhere is not None else 1)

    @property
    def waiting(self) -> int:
        """Number of answers that wait for their grade."""
        return self._for_children.waiting + self._for_judge.waiting + self._for_others.waiting

    @property
    def owing(self) -> int:
        """Number of answers without the grade that they are to get."""
        return self.left + self.waiting

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.gather(self._for_children.close(), self._for_judge.close(), self._for_others.close())
        if self._elsewhere is not None:
            await self._elsewhere.close()

    def grade(self, trial: str, question: Question, completion: Completion) -> Grade | None:
        """Give the grade of an answer, if that is soon done; else it comes to ``take``, if there is room.

        A question that is not graded has none.
        """
        spec = graders.resolve(question)
        if spec is None:
            return None
        if spec.name in AT_ONCE and _are_short(completion.text, question.reference):
            return graders.grade(trial, question, completion)
        if self.judge is None or not graders.judge_options(question):
            taken = self._line_for(question).offer(_job(trial, question, completion))
        else:
            taken = not self.judge.compares(question) and self._for_judge.offer(
                _Judgement(trial, question, completion, None)
            )
        self.left += not taken
        return None

    async def grade_rest(self, outcomes: Iterable[tuple[Question, Outcome]]) -> None:
        """Grade the answers among these outcomes, waiting for room, and wait for all that are under way.

        Left without a grade is what cannot be compared yet, because the baseline has no answer.
        """
        left = 0
        for question, outcome in outcomes:
            if outcome.completion is None or graders.resolve(question) is None:
                continue
            if self.judge is None or not graders.judge_options(question):
                await self._line_for(question).put(_job(outcome.trial, question, outcome.completion))
                continue
            rival = self.judge.rival(question, outcome)
            if rival is None and self.judge.compares(question):
                left += 1
                continue
            await self._for_judge.put(_Judgement(outcome.trial, question, outcome.completion, rival))
        await self.drain()
        self.left = left

    async def drain(self) -> None:
        """Wait until nothing waits for a grade; raise what ``take`` raised."""
        for line in (self._for_children, self._for_others, self._for_judge):
            await line.drain()

    def _line_for(self, question: Question) -> _Line[Job]:
        """Give the line of the children that grade a question's answers, here or elsewhere."""
        goes = self._elsewhere is not None and self._elsewhere.takes(question)
        return self._for_others if goes else self._for_children

    async def _work(self, line: _Line[Job]) -> None:
        """Grade what waits, with a child that is replaced when it breaks."""
        child = Replaced(allow_code=self._allow_code)
        following: Job | None = None
        try:
            while True:
                jobs = [following or await line.get()]
                following = _join(jobs, line)
                for grade in await child.grades(jobs):
                    line.waiting -= 1
                    self._take(grade)
                    line.done()
        finally:
            await child.end()

    async def _have_graded(self, line: _Line[Job]) -> None:
        """Have other machines grade what waits, one by one."""
        assert self._elsewhere is not None
        while True:
            grade = await self._elsewhere.grade(await line.get())
            line.waiting -= 1
            self._take(grade)
            line.done()

    async def _have_judged(self, line: _Line[_Judgement]) -> None:
        """Have the judge grade what waits, one by one."""
        assert self.judge is not None
        while True:
            grade = await self.judge.grade(*await line.get())
            line.waiting -= 1
            if grade is not None:
                self._take(grade)
            line.done()


def _are_short(answer: str, reference: object) -> bool:
    return len(answer) <= SHORT and isinstance(reference, str) and len(reference) <= SHORT


def _job(trial: str, question: Question, completion: Completion) -> Job:
    spec = graders.resolve(question)
    assert spec is not None
    bare = msgspec.structs.replace(completion, usage_raw=None, metadata=None, reasoning=None)
    task = msgspec.json.encode(Task(trial=trial, question=question, completion=bare))
    reason = "the process that graded it ended unexpectedly"
    return Job(Grade(trial=trial, grader=spec.name, version=0, score=None, reason=reason), task)


def _join(jobs: list[Job], line: _Line[Job]) -> Job | None:
    """Let quick jobs that wait behind a quick one travel with it; give the slow one that ended that."""
    while jobs[0].is_quick and len(jobs) < TOGETHER and (job := line.get_at_once()) is not None:
        if not job.is_quick:
            return job
        jobs.append(job)
    return None


class Replaced:
    """A child, started when it is needed, and again when it broke."""

    def __init__(self, *, allow_code: bool) -> None:
        self._allow_code = allow_code
        self._child: _Child | None = None

    async def grades(self, jobs: list[Job]) -> list[Grade]:
        """Have jobs graded together; once a child breaks, each alone, so that only what breaks it goes ungraded."""
        try:
            if self._child is None:
                self._child = await _Child.started(allow_code=self._allow_code)
            return await self._child.ask([job.task for job in jobs])
        except (OSError, EOFError):
            await self.end()
        if len(jobs) == 1:
            return [jobs[0].ungraded]
        return [grade for job in jobs for grade in await self.grades([job])]

    async def end(self) -> None:
        """End the child, if there is one."""
        if self._child is not None:
            await self._child.end()
            self._child = None


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

    async def ask(self, tasks: list[bytes]) -> list[Grade]:
        """Let it grade. Raises: OSError, EOFError when it ended."""
        message = b"[%b]" % b",".join(tasks)
        self._stdin.write(HEAD.pack(len(message)) + message)
        await self._stdin.drain()
        (size,) = HEAD.unpack(await self._stdout.readexactly(HEAD.size))
        return msgspec.json.decode(await self._stdout.readexactly(size), type=list[Grade])

    async def end(self) -> None:
        """End it now, and wait until nothing of it is left."""
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        with contextlib.suppress(OSError):  # what was still on its way to it
            await self._process.communicate()
