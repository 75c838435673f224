"""The asking behind the grader ``judge``: a few threads grade, and the prompts they have go out on the loop.

The graders are plain functions that wait for their tool, so each answer under judgement has a thread of its
own, which does nothing but wait. Requests go through the same client as all others, with a pace and a purse of
their own. What the journal already holds is never asked again; what is asked is journaled before it is graded.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import CancelledError, ThreadPoolExecutor
from types import TracebackType
from typing import Any, NamedTuple, Protocol, Self, TypeVar
from weakref import WeakValueDictionary

import msgspec

from routemark import graders
from routemark.errors import FailureKind, rule
from routemark.graders.base import ToolError, Tools, brief
from routemark.graders.judge import Mode, Reply, Rival, mode_of
from routemark.graders.verdicts import Prompt
from routemark.judgements import Consultation
from routemark.policy.retry import NEVER_REACHED
from routemark.records import Arm, Completion, Failure, Grade, Outcome, Question, Trial
from routemark.wire.request import RequestOptions, encode_shared, request_sha256

T = TypeVar("T")

SPENT = "could not grade: the judge's budget is spent"
_HOPELESS = {FailureKind.UNKNOWN_MODEL, FailureKind.MODEL_GONE, *NEVER_REACHED}
"""Kinds of failure after which it is no use to ask the judge for another answer, besides those that stop a run."""


class Client(Protocol):
    """Who asks."""

    async def complete(self, trial: Trial) -> Outcome:
        """Give what came of a trial; cancelled when it cannot be paid for."""


class Replies(Protocol):
    """Where replies are kept."""

    def find(self, request_sha256: str) -> Consultation | None:
        """Give the reply to a request that was sent before."""

    def add(self, consultation: Consultation) -> None:
        """Keep what came of a request."""


class Tool:
    """The judge as the grader of one answer has it."""

    def __init__(
        self, ask: Callable[[str, Prompt], Reply], mode: Mode, trial: str, rival: Rival | None
    ) -> None:
        self.mode = mode
        self.rival = rival
        self._ask = ask
        self._trial = trial

    def __call__(self, prompt: Prompt) -> Reply:
        """Put a prompt to the judge, and wait for the reply; for any thread but the loop's."""
        return self._ask(self._trial, prompt)


class _LeftError(BaseException):
    """The grading is broken off; no grader may take it for an error of its own."""


class Judge:
    """Grades answers with the help of a model. Use as an async context manager: at its end nobody waits."""

    def __init__(  # noqa: PLR0913 - what a judge is made of, by name
        self,
        arm: Arm,
        options: RequestOptions,
        client: Client,
        replies: Replies,
        *,
        mode: Mode,
        workers: int,
        tools: Tools,
    ) -> None:
        """``workers``: answers under judgement at once. ``tools``: of the other graders in a composite."""
        self.mode = mode
        self.workers = workers
        self.rival: Callable[[Question, Outcome], Rival | None] = lambda question, outcome: None  # noqa: ARG005
        """Tells the baseline's answer to a question, once all answers are there."""
        self.asked = 0
        """Prompts that were put to the model; what the journal answered is not among them."""
        self.cost_usd = 0.0
        """What is known of their cost."""
        self.simulated = False
        """Some reply came from the simulated gateway."""
        self._arm = arm
        self._options = options
        self._client = client
        self._replies = replies
        self._tools = tools
        self._off: str | None = None
        """Why nothing more is asked."""
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="judge")
        self._loop = asyncio.get_running_loop()
        self._asking: set[asyncio.Task[Any]] = set()
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._left = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._left = True
        for task in self._asking:
            task.cancel()
        await asyncio.to_thread(self._threads.shutdown)

    def empty(self, reason: str, exit_code: int) -> None:  # noqa: ARG002 - as the purse calls it
        """Ask nothing more, since the money is spent."""
        self._off = self._off or SPENT

    def compares(self, question: Question) -> bool:
        """Tell whether a question's answers are compared with the baseline's, which must be there before."""
        return any(mode_of(options, self.mode) == "pairwise" for options in graders.judge_options(question))

    async def grade(
        self, trial: str, question: Question, completion: Completion, rival: Rival | None
    ) -> Grade | None:
        """Grade an answer whose question has a judge; None when it was broken off."""
        tools: Tools = {**self._tools, "judge": self.tool(trial, rival)}
        return await self.run(lambda: graders.grade(trial, question, completion, tools))

    def tool(self, trial: str, rival: Rival | None = None) -> Tool:
        """Give the tool for one answer."""
        return Tool(self._wait, self.mode, trial, rival)

    async def run(self, work: Callable[[], T]) -> T | None:
        """Let a thread do work that waits for the judge; None when it was broken off."""

        def guarded() -> T | None:
            try:
                return work()
            except _LeftError:
                return None

        return await self._loop.run_in_executor(self._threads, guarded)

    # ----------------------------------------------------------------- in a thread

    def _wait(self, trial: str, prompt: Prompt) -> Reply:
        try:
            return asyncio.run_coroutine_threadsafe(self._reply(trial, prompt), self._loop).result()
        except CancelledError:
            raise _LeftError from None

    # ----------------------------------------------------------------- on the loop

    async def _reply(self, trial: str, prompt: Prompt) -> Reply:
        """Give the reply to a prompt, from the journal or from the judge. Raises: ToolError."""
        if self._left:
            raise asyncio.CancelledError
        task = asyncio.current_task()
        assert task is not None
        self._asking.add(task)
        try:
            request = _request(self._arm, self._options, prompt)
            lock = self._locks.setdefault(request.sha256, asyncio.Lock())
            async with lock:  # another answer may have the very same prompt under way
                known = self._replies.find(request.sha256)
                return _reply_of(known or await self._consult(trial, request), trial)
        finally:
            self._asking.discard(task)

    async def _consult(self, trial: str, request: _Request) -> Consultation:
        """Ask the judge. Raises: ToolError when there is no reply."""
        self._check_on()
        try:
            outcome = await self._client.complete(request.trial)
        except asyncio.CancelledError:
            if not self._left:
                self._check_on()  # the purse turned it away
            raise
        outcome = msgspec.structs.replace(outcome, request_sha256=request.sha256)
        consultation = Consultation(trial=trial, request_bytes=request.size, outcome=outcome)
        self.asked += 1
        self.cost_usd += outcome.cost_usd or 0.0
        self.simulated |= outcome.completion is not None and outcome.completion.simulated
        self._replies.add(consultation)
        if outcome.failure is not None:
            raise ToolError(self._why(outcome.failure))
        return consultation

    def _check_on(self) -> None:
        """Raise ToolError when nothing more is asked."""
        if self._off is not None:
            raise ToolError(self._off)

    def _why(self, failure: Failure) -> str:
        if failure.kind == FailureKind.OVER_BUDGET:
            return SPENT
        reason = f"could not grade: the judge gave no answer: {failure.kind}: {brief(failure.message)}"
        if rule(failure.kind).stops_run or failure.kind in _HOPELESS:
            self._off = self._off or reason
        return reason


class _Request(NamedTuple):
    """What is sent for a prompt."""

    trial: Trial
    sha256: str
    size: int


def _request(arm: Arm, options: RequestOptions, prompt: Prompt) -> _Request:
    """Give the request of a prompt: always the same, so that its hash tells whether it was sent before."""
    arm = msgspec.structs.replace(arm, body={**arm.body, "response_format": prompt.response_format})
    question = Question(id="judge", difficulty="judge", question="", messages=prompt.messages)
    shared = encode_shared(question, arm, options)
    sha256 = request_sha256(shared)
    key = sha256[:24]
    trial = Trial(key=key, question=question, arm=arm, repeat=0, session_id=f"judge-{key}")
    return _Request(trial, sha256, len(shared))


def _reply_of(consultation: Consultation, trial: str) -> Reply:
    """Give the reply as the grader sees it; only the trial that it was asked for bears its cost."""
    outcome = consultation.outcome
    assert outcome.completion is not None
    assert outcome.request_sha256 is not None
    cost_usd = outcome.cost_usd if consultation.trial == trial else 0.0
    return Reply(outcome.completion.text, outcome.completion.model, outcome.request_sha256, cost_usd)
