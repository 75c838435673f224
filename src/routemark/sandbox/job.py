"""One job in its sandbox, from start to end: limits, output, time, memory, and the end of the whole group."""

from __future__ import annotations

import contextlib
import functools
import importlib.resources
import json
import math
import os
import selectors
import socket
import subprocess
import time
from collections.abc import Iterator
from typing import IO, Any, Self

from routemark.graders.base import ToolError
from routemark.graders.code import Limit, Ran, Script, Suite
from routemark.sandbox import bubblewrap, group

OUTPUT_BYTES = 4 << 20
"""Of standard output and error together; a program that writes more is ended."""
KEPT_ERROR = 4_000
"""Bytes at the end of standard error that are kept."""
TICK_S = 0.02
"""Time between two looks at memory and clock, seconds."""
TESTER_MB = 1024
"""Memory of the process that holds the tests, MiB."""
PROCESSES = 32
"""Processes and threads in one sandbox."""
FILE_BYTES = 16 << 20
START_S = 2.0
"""Seconds allowed for starting beside the job's own time."""
_ENDED_S = 5.0
"""Seconds within which the kernel takes down a group that was killed."""
_MODULES = {
    "script": ("launch",),
    "subject": ("values", "peer", "subject", "launch"),
    "tester": ("values", "peer", "tester", "remote", "judge", "launch"),
}
"""What runs inside, by role, in the order of import."""
_PACKAGE = "routemark.sandbox.inside"
_BOOT = f"""\
import json, os, sys, types
with os.fdopen(int(sys.argv[1]), "rb") as file:
    task = json.load(file)
for name, source in task["modules"]:
    module = sys.modules[name] = types.ModuleType(name)
    exec(compile(source, name, "exec"), module.__dict__)
sys.modules["{_PACKAGE}.launch"].main(task)
"""
"""The program that Python is started with: makes modules of the sources in the task, and begins."""


def run(job: Script | Suite) -> Ran:
    """Run a job and give what came of it; blocks for at most the job's time and some seconds.

    Raises: ToolError when no sandbox can be made here.
    """
    hindered = bubblewrap.trouble()
    if hindered:
        raise ToolError(hindered)
    return _run_script(job) if isinstance(job, Script) else _run_suite(job)


def _run_script(job: Script) -> Ran:
    task = {"code": job.code, "limits": _limits(job.cpu_s, job.memory_mb)}
    with _Program("script", task, 0, stdin=job.stdin) as program:
        _watch([program], [job.memory_mb], job.clock_s + START_S)
        return Ran(program.status, bytes(program.output), program.error_text(), program.limit)


def _run_suite(job: Suite) -> Ran:
    """Run the code and its tests in two sandboxes; the tester's output counts, and what the code met with."""
    tests = len(job.tests) - job.first
    here, there = socket.socketpair()
    with here, there, contextlib.ExitStack() as stack:
        cpu_s = job.cpu_s * (tests + 1)  # each test's own time is kept by the tester
        task = {"code": job.code, "limits": _limits(cpu_s, job.memory_mb), "channel": here.fileno()}
        subject = stack.enter_context(_Program("subject", task, 0, here))
        task = {
            "tests": job.tests,
            "first": job.first,
            "stop": job.stop,
            "entry_point": job.entry_point,
            "timeout_s": job.clock_s,
            "limits": _limits(cpu_s, TESTER_MB),
            "channel": there.fileno(),
        }
        tester = stack.enter_context(_Program("tester", task, 1, there))
        here.close()
        there.close()
        _watch([tester, subject], [TESTER_MB, job.memory_mb], job.clock_s * (tests + 1) + START_S)
        told = subject.error_text() if tester.output else tester.error_text()
        return Ran(tester.status, bytes(tester.output), told, subject.limit or tester.limit)


def _limits(cpu_s: float, memory_mb: int) -> dict[str, tuple[int, int]]:
    """Give the limits that a process sets on itself before it runs foreign code: (soft, hard)."""
    cpu = math.ceil(cpu_s)
    same = {
        "RLIMIT_AS": memory_mb << 20,
        "RLIMIT_NPROC": PROCESSES,
        "RLIMIT_FSIZE": FILE_BYTES,
        "RLIMIT_NOFILE": 64,
        "RLIMIT_CORE": 0,
        "RLIMIT_MSGQUEUE": 0,
        "RLIMIT_MEMLOCK": 0,
    }
    return {"RLIMIT_CPU": (cpu, cpu + 1), **{name: (value, value) for name, value in same.items()}}


@functools.cache
def _sources(role: str) -> list[tuple[str, str]]:
    folder = importlib.resources.files("routemark.sandbox") / "inside"
    return [(f"{_PACKAGE}.{name}", (folder / f"{name}.py").read_text("utf-8")) for name in _MODULES[role]]


class _Program:
    """One process tree in one sandbox."""

    def __init__(
        self,
        role: str,
        task: dict[str, Any],
        side: int,
        channel: socket.socket | None = None,
        stdin: bytes = b"",
    ) -> None:
        self.output = bytearray()
        self.limit: Limit | None = None
        """The limit that ended it; None while none did."""
        self._written = 0
        self._error = bytearray()
        content = json.dumps({"role": role, "modules": _sources(role), **task}).encode()
        with contextlib.ExitStack() as files:
            task_fd, stdin_fd = (_opened(files, data) for data in (content, stdin))
            filter_fd = bubblewrap.filter_file()
            passed = [
                task_fd,
                *([filter_fd] if filter_fd is not None else []),
                *([channel.fileno()] if channel else []),
            ]
            if filter_fd is not None:
                files.callback(os.close, filter_fd)
            start = [*bubblewrap.command(2 * os.getpid() + side, filter_fd), bubblewrap.interpreter()]
            self.process = subprocess.Popen(  # noqa: S603 - our own command
                [*start, "-I", "-S", "-B", "-c", _BOOT, str(task_fd)],
                stdin=stdin_fd,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                pass_fds=passed,
                env={},  # what bubblewrap itself is given can be read inside, in /proc/1/environ;
                cwd="/",  # the same goes for where it is called from
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()
        for pipe in self.pipes():
            pipe.close()

    def pipes(self) -> Iterator[IO[bytes]]:
        """Yield its two outputs."""
        for pipe in (self.process.stdout, self.process.stderr):
            if pipe is not None:
                yield pipe

    def take(self, pipe: IO[bytes]) -> bool:
        """Take what it has written; tell whether more may come."""
        data = os.read(pipe.fileno(), 1 << 16)
        self._written += len(data)
        if self._written > OUTPUT_BYTES:
            self.stop("output")
        elif pipe is self.process.stdout:
            self.output += data
        else:
            self._error = (self._error + data)[-KEPT_ERROR:]
        return bool(data)

    def stop(self, limit: Limit) -> None:
        """End it because of a limit; the first one counts."""
        self.limit = self.limit or limit
        group.kill(self.process.pid)

    def end(self) -> None:
        """Make sure that nothing of it is left."""
        if self.process.poll() is None:
            group.kill(self.process.pid)
        self.process.wait()
        self.limit = self.limit or ("time" if self.status in _CPU_STATUSES else None)

    @property
    def status(self) -> int:
        """Exit status; 128 + n when signal n ended it."""
        code = self.process.returncode
        return code if code >= 0 else 128 - code

    def error_text(self) -> str:
        """Give the end of what it wrote to standard error."""
        return self._error.decode(errors="replace")


_CPU_STATUSES = (128 + 24,)
"""SIGXCPU."""


def _opened(files: contextlib.ExitStack, content: bytes) -> int:
    file = bubblewrap.memory_file(content)
    files.callback(os.close, file)
    return file


def _watch(programs: list[_Program], memory_mb: list[int], clock_s: float) -> None:
    """Read outputs and keep limits until the first program is over; end all of them then."""
    deadline = time.monotonic() + clock_s
    with selectors.DefaultSelector() as selector:
        for program in programs:
            for pipe in program.pipes():
                selector.register(pipe, selectors.EVENT_READ, program)
        looked = time.monotonic()
        while _reading(selector, programs[0]):
            for key, _ in selector.select(TICK_S):
                if not key.data.take(key.fileobj):
                    selector.unregister(key.fileobj)
            now = time.monotonic()
            if now >= deadline:
                for program in reversed(programs):
                    program.stop("time")
                break
            if now - looked >= TICK_S:
                looked = now
                _look_at_memory(programs, memory_mb)
    for program in programs:
        program.end()


def _reading(selector: selectors.BaseSelector, first: _Program) -> bool:
    """Tell whether the first program still runs or has outputs that are not read to their end."""
    open_pipes = [key for key in selector.get_map().values() if key.data is first]
    return bool(open_pipes) or first.process.poll() is None


def _look_at_memory(programs: list[_Program], memory_mb: list[int]) -> None:
    for program, allowed_mb in zip(programs, memory_mb, strict=True):
        allowed = allowed_mb << 20
        if program.process.poll() is None and group.memory(program.process.pid, allowed) > allowed:
            program.stop("memory")
