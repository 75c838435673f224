"""One program in one sandbox: how it is started, what it writes, and how it is ended."""

from __future__ import annotations

import contextlib
import functools
import importlib.resources
import json
import os
import socket
import subprocess
from collections.abc import Iterator
from typing import IO, Any, Literal, Self

from routemark.graders.base import ToolError
from routemark.graders.code import Limit
from routemark.sandbox.bubblewrap import command, interpreter, memory_file
from routemark.sandbox.group import kill
from routemark.sandbox.seccomp import program as syscall_filter

Role = Literal["script", "subject", "tester"]
OUTPUT_BYTES = 4 << 20
"""Of standard output and error together; a program that writes more is ended."""
KEPT_ERROR = 4_000
"""Bytes at the end of standard error that are kept."""
_SIGXCPU = 24
_MODULES: dict[Role, tuple[str, ...]] = {
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


@functools.cache
def _sources(role: Role) -> list[tuple[str, str]]:
    folder = importlib.resources.files("routemark.sandbox") / "inside"
    return [(f"{_PACKAGE}.{name}", (folder / f"{name}.py").read_text("utf-8")) for name in _MODULES[role]]


class Program:
    """A process tree in a sandbox of its own; at the end of the context nothing of it is left."""

    def __init__(
        self, role: Role, task: dict[str, Any], *, channel: socket.socket | None = None, stdin: bytes = b""
    ) -> None:
        """Start it; ``task`` is what `inside.launch` reads, ``channel`` its end of the socket of a pair."""
        self.output = bytearray()
        self.limit: Limit | None = None
        """The limit that ended it; None while none did."""
        self._written = 0
        self._error = bytearray()
        self._files = contextlib.ExitStack()
        content = json.dumps({"role": role, "modules": _sources(role), **task}).encode()
        self._task = self._opened(content)
        self.process = self._started(channel, self._opened(stdin), 1 if role == "tester" else 0)

    def _opened(self, content: bytes) -> int:
        file = memory_file(content)
        self._files.callback(os.close, file)
        return file

    def _started(self, channel: socket.socket | None, stdin: int, side: int) -> subprocess.Popen[bytes]:
        program = syscall_filter()
        calls = self._opened(program) if program is not None else None
        passed = [self._task, *([] if calls is None else [calls]), *([channel.fileno()] if channel else [])]
        start = [*command(2 * os.getpid() + side, calls), interpreter()]
        return subprocess.Popen(  # noqa: S603 - our own command
            [*start, "-I", "-S", "-B", "-c", _BOOT, str(self._task)],
            stdin=stdin,
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
        self._files.close()

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
        kill(self.process.pid)

    def end(self) -> None:
        """Make sure that nothing of it is left."""
        if self.process.poll() is None:
            kill(self.process.pid)
        self.process.wait()
        if self.limit is None and self.status == 128 + _SIGXCPU:
            self.limit = "time"

    def check_start(self) -> None:
        """Raise ToolError if it never began, so that what hindered the sandbox is not held against the answer.

        A program that begins has read its task, and the place in that file is common to both of us.
        """
        if self.limit is None and os.lseek(self._task, 0, os.SEEK_CUR) == 0:
            raise ToolError(f"the sandbox did not start: {self.error_text().strip() or 'it said nothing'}")

    @property
    def status(self) -> int:
        """Exit status; 128 + n when signal n ended it."""
        code = self.process.returncode
        return code if code >= 0 else 128 - code

    def error_text(self) -> str:
        """Give the end of what it wrote to standard error."""
        return self._error.decode(errors="replace")
