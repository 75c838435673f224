"""One job in its sandbox, from start to end, under the limits that are kept from outside: clock, memory, output."""

from __future__ import annotations

import contextlib
import math
import selectors
import socket
import time
from collections.abc import Sequence
from typing import NamedTuple

from routemark.graders.base import ToolError
from routemark.graders.code import Ran, Script, Suite
from routemark.sandbox.bubblewrap import trouble
from routemark.sandbox.group import memory
from routemark.sandbox.program import Program

TICK_S = 0.02
"""Time between two looks at memory and clock, seconds."""
TESTER_MB = 1024
"""Memory of the process that holds the tests, MiB."""
PROCESSES = 32
"""Processes and threads in one sandbox."""
FILE_BYTES = 16 << 20
OPEN_FILES = 64
START_S = 2.0
"""Seconds allowed for starting beside the job's own time."""


class _Watched(NamedTuple):
    program: Program
    memory_mb: int


def run(job: Script | Suite) -> Ran:
    """Run a job and give what came of it; blocks for at most the job's time and some seconds.

    The thread that calls this must live until it returns: the sandbox ends with it.
    Raises: ToolError when no sandbox can be made here.
    """
    hindered = trouble()
    if hindered:
        raise ToolError(hindered)
    return _run_script(job) if isinstance(job, Script) else _run_suite(job)


def _run_script(job: Script) -> Ran:
    task = {"code": job.code, "limits": _limits(job.cpu_s, job.memory_mb)}
    with Program("script", task, stdin=job.stdin) as program:
        _watch([_Watched(program, job.memory_mb)], job.clock_s + START_S)
        program.check_start()
        return Ran(program.status, bytes(program.output), program.error_text(), program.limit)


def _run_suite(job: Suite) -> Ran:
    """Run the code and its tests in two sandboxes; the tester's output counts, and what the code met with."""
    tests = len(job.tests) - job.first
    cpu_s = job.cpu_s * (tests + 1)  # the time of each test is kept by the tester
    code = {"code": job.code, "limits": _limits(cpu_s, job.memory_mb)}
    judging = {
        "tests": job.tests,
        "first": job.first,
        "stop": job.stop,
        "entry_point": job.entry_point,
        "timeout_s": job.clock_s,
        "limits": _limits(cpu_s, TESTER_MB),
    }
    here, there = socket.socketpair()
    with here, there, contextlib.ExitStack() as stack:
        subject = stack.enter_context(Program("subject", code | {"channel": here.fileno()}, channel=here))
        tester = stack.enter_context(Program("tester", judging | {"channel": there.fileno()}, channel=there))
        here.close()
        there.close()
        both = [_Watched(tester, TESTER_MB), _Watched(subject, job.memory_mb)]
        _watch(both, job.clock_s * (tests + 1) + START_S)
        tester.check_start()
        subject.check_start()
        told = subject.error_text() if tester.output else tester.error_text()
        return Ran(tester.status, bytes(tester.output), told, subject.limit or tester.limit)


def _limits(cpu_s: float, memory_mb: int) -> dict[str, tuple[int, int]]:
    """Give the limits that a process sets on itself before it runs foreign code: (soft, hard)."""
    cpu = math.ceil(cpu_s)
    same = {
        "RLIMIT_AS": memory_mb << 20,
        "RLIMIT_NPROC": PROCESSES,
        "RLIMIT_FSIZE": FILE_BYTES,
        "RLIMIT_NOFILE": OPEN_FILES,
        "RLIMIT_CORE": 0,
        "RLIMIT_MSGQUEUE": 0,
        "RLIMIT_MEMLOCK": 0,
    }
    return {"RLIMIT_CPU": (cpu, cpu + 1), **{name: (value, value) for name, value in same.items()}}


def _watch(watched: Sequence[_Watched], clock_s: float) -> None:
    """Read outputs and keep limits until the first program is over; end all of them then."""
    deadline = time.monotonic() + clock_s
    looked = time.monotonic()
    with selectors.DefaultSelector() as selector:
        for program, _ in watched:
            for pipe in program.pipes():
                selector.register(pipe, selectors.EVENT_READ, program)
        while _reading(selector, watched[0].program):
            for key, _ in selector.select(TICK_S):
                if not key.data.take(key.fileobj):
                    selector.unregister(key.fileobj)
            now = time.monotonic()
            if now >= deadline:
                for program, _ in reversed(watched):
                    program.stop("time")
                break
            if now - looked >= TICK_S:
                looked = now
                _look_at_memory(watched)
    for program, _ in watched:
        program.end()


def _reading(selector: selectors.BaseSelector, first: Program) -> bool:
    """Tell whether the first program still runs or has outputs that are not read to their end."""
    is_open = any(key.data is first for key in selector.get_map().values())
    return is_open or first.process.poll() is None


def _look_at_memory(watched: Sequence[_Watched]) -> None:
    for program, memory_mb in watched:
        allowed = memory_mb << 20
        if program.process.poll() is None and memory(program.process.pid, allowed) > allowed:
            program.stop("memory")
