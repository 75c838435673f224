"""Equivalence of mathematical expressions, found out by math-verify in a process that can be killed.

`MathChecker` is the tool of the grader ``math``. It keeps one child (see `mathchild`), started at the
first question and again whenever it was killed. The child sees nothing of the environment but its paths.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import queue
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import IO, Any

from routemark.graders.base import ToolError

TIMEOUT_S = 5.0
"""Seconds that one comparison may take."""
START_S = 60.0
"""Seconds that the child may take to load math-verify."""
_PROGRAM = Path(__file__).with_name("mathchild.py")
_PASSED_ON = ("PATH", "PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "LANG", "LC_ALL", "SYSTEMROOT", "TEMP")
_MISSING = "needs math-verify: install Routemark with its extra, `pip install 'routemark[math]'`"


class MathChecker:
    """Compares expressions, one at a time, from any thread; every process that uses it has its own child."""

    def __init__(self, timeout_s: float = TIMEOUT_S) -> None:
        self._timeout_s = timeout_s
        self._child: _Child | None = None
        self._lock = threading.Lock()

    def __getstate__(self) -> dict[str, Any]:
        return {"timeout_s": self._timeout_s}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(**state)  # type: ignore[misc]

    def __call__(self, expected: str, given: str) -> bool | None:
        """Tell whether two LaTeX expressions are equivalent; None when one of them cannot be read.

        Raises: ToolError when math-verify is missing, ran out of time or memory, or broke.
        """
        with self._lock:
            child = self._ready_child()
            try:
                return child.ask(expected, given, self._timeout_s)
            except ToolError:
                self._drop()
                raise

    def close(self) -> None:
        """End the child, if there is one."""
        with self._lock:
            self._drop()

    def _ready_child(self) -> _Child:
        if self._child is not None and not self._child.usable():
            self._drop()
        if self._child is None:
            if importlib.util.find_spec("math_verify") is None:
                raise ToolError(_MISSING)
            self._child = _Child(self._timeout_s)
        return self._child

    def _drop(self) -> None:
        if self._child is not None:
            self._child.kill()
            self._child = None


class _Child:
    """The parent's end: a process, and a thread that collects the lines it prints."""

    def __init__(self, timeout_s: float) -> None:
        self._owner = os.getpid()
        self._process = subprocess.Popen(  # noqa: S603  our own program; expressions go by its input
            [sys.executable, "-P", "-W", "ignore", str(_PROGRAM), str(timeout_s)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={name: os.environ[name] for name in _PASSED_ON if name in os.environ},
            text=True,
            encoding="utf-8",
            start_new_session=True,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._stdin: IO[str] = self._process.stdin
        self._lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        threading.Thread(target=_collect, args=(self._process.stdout, self._lines), daemon=True).start()
        self._is_loaded = False

    def usable(self) -> bool:
        """Tell whether the child runs and belongs to this process, not to one that this was forked from."""
        return self._owner == os.getpid() and self._process.poll() is None

    def ask(self, expected: str, given: str, timeout_s: float) -> bool | None:
        """Give the child's word on a pair."""
        if not self._is_loaded:
            self._next_line(START_S, "math-verify did not start")
            self._is_loaded = True
        try:
            self._stdin.write(json.dumps([expected, given]) + "\n")
            self._stdin.flush()
        except OSError as error:
            raise ToolError("math-verify ended unexpectedly") from error
        # A little more than the child gives itself, so that it is the child that ends first.
        line = self._next_line(timeout_s + 1, f"math-verify took longer than {timeout_s:g} s")
        reply: bool | str | None = json.loads(line)
        if isinstance(reply, str):
            raise ToolError(f"math-verify failed: {reply}")
        return reply

    def _next_line(self, wait_s: float, otherwise: str) -> str:
        try:
            line = self._lines.get(timeout=wait_s)
        except queue.Empty:
            raise ToolError(otherwise) from None
        if line:
            return line
        self._process.wait()
        late = self._process.returncode == -getattr(signal, "SIGALRM", 0)
        raise ToolError(otherwise if late or not self._is_loaded else "math-verify ended unexpectedly")

    def kill(self) -> None:
        """End the child now, if it is this process's own, and forget it."""
        with contextlib.suppress(OSError):
            self._stdin.close()
        if self._owner == os.getpid():
            self._process.kill()
            self._process.wait()


def _collect(stdout: IO[str], lines: queue.SimpleQueue[str]) -> None:
    with stdout:
        for line in stdout:
            lines.put(line)
    lines.put("")
