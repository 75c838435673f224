"""Gives birth to `routemark` processes that need no time to start: each is a fork of one that has imported all.

A line of JSON on standard input is one process. Its pid is printed, then, when it has ended, its wait
status. As a class, `Nursery` is the other end of it. A process can be told to kill itself where a random
signal would seldom strike: before, after, or half-way through the nth call of a function.
"""

from __future__ import annotations

import functools
import json
import os
import pkgutil
import resource
import signal
import subprocess
import sys
import threading
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self


class Child:
    """A process of the nursery."""

    def __init__(self, pid: int, said: Path) -> None:
        self.pid = pid
        self.status: int | None = None
        """Exit code, or minus the number of the signal that killed it; None while it lives."""
        self._said = said
        self._over = threading.Event()

    def send_signal(self, number: int) -> None:
        os.kill(self.pid, number)

    def wait(self, seconds: float) -> bool:
        """Wait for so long at most; tell whether it has ended."""
        return self._over.wait(seconds)

    @property
    def stderr(self) -> str:
        return self._text(".stderr")

    @property
    def stdout(self) -> str:
        return self._text(".stdout")

    def _text(self, suffix: str) -> str:
        file = self._said.with_suffix(suffix)  # not there when it was killed at once
        return file.read_text(encoding="utf-8") if file.exists() else ""

    def has_ended(self, status: int) -> None:
        self.status = os.waitstatus_to_exitcode(status)
        self._over.set()


class Nursery:
    """Use as a context manager; ``begin`` starts the command."""

    def __init__(self, folder: Path, environ: Mapping[str, str]) -> None:
        self._folder = folder
        self._environ = environ
        self._children = 0
        self._child: Child | None = None
        self._born = threading.Event()

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, __file__],
            env=self._environ,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(20)
        self._reader.join()
        assert self._process.stdout is not None
        self._process.stdout.close()

    def run(self, *argv: str, cwd: Path, file_limit: int | None = None) -> Child:
        """Run the command to its end; whatever befell it, no traceback may be shown.

        ``file_limit``: bytes that no file of it may exceed.
        """
        child = self.begin(*argv, cwd=cwd, file_limit=file_limit)
        assert child.wait(60)
        assert "Traceback" not in child.stderr, child.stderr
        return child

    def begin(
        self,
        *argv: str,
        cwd: Path,
        die: tuple[str, str, int] | None = None,
        file_limit: int | None = None,
    ) -> Child:
        """Start the command; one at a time. ``die``: when, at which function, at which call of it."""
        assert self._process.stdin is not None
        self._children += 1
        self._said = self._folder / f"child{self._children}"
        self._born.clear()
        order = {"argv": argv, "cwd": str(cwd), "said": str(self._said), "die": die, "file_limit": file_limit}
        self._process.stdin.write(json.dumps(order) + "\n")
        assert self._born.wait(60)
        assert self._child is not None
        return self._child

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            word, number = line.split()
            if word == "pid":
                self._child = Child(int(number), self._said)
                self._born.set()
            elif self._child is not None:
                self._child.has_ended(int(number))


# --------------------------------------------------------------------------- the process itself


def serve() -> None:
    """Fork a process for every line of standard input."""
    for line in sys.stdin:
        order = json.loads(line)
        pid = os.fork()
        if pid == 0:
            live(order)
        print(f"pid {pid}", flush=True)
        _, status = os.waitpid(pid, 0)
        print(f"status {status}", flush=True)


def live(order: dict[str, Any]) -> None:
    """Be the command."""
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for number, name in ((1, "stdout"), (2, "stderr")):
        os.dup2(os.open(f"{order['said']}.{name}", os.O_WRONLY | os.O_CREAT), number)
    os.chdir(order["cwd"])
    if order["file_limit"]:
        resource.setrlimit(resource.RLIMIT_FSIZE, (order["file_limit"], order["file_limit"]))
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if order["die"]:
        set_trap(*order["die"])
    sys.argv = ["routemark", *order["argv"]]
    code: Any = 70
    try:
        cli.main()
    except SystemExit as end:
        code = end.code or 0
    except BaseException:  # noqa: BLE001 - what a real process would show
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def set_trap(when: str, name: str, nth: int) -> None:
    """Let the process die at the nth call of a function."""
    owner = pkgutil.resolve_name(name.rpartition(".")[0])
    attribute = name.rpartition(".")[2]
    real, calls = getattr(owner, attribute), 0

    @functools.wraps(real)
    def trapped(*arguments: Any, **named: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls != nth:
            return real(*arguments, **named)
        if when == "half":  # a call like os.write(descriptor, data)
            real(arguments[0], arguments[1][: len(arguments[1]) // 2])
        elif when == "after":
            real(*arguments, **named)
        os.kill(os.getpid(), signal.SIGKILL)
        return None

    setattr(owner, attribute, trapped)


if __name__ == "__main__":
    import altair as alt  # noqa: F401
    import uvloop  # noqa: F401

    from routemark import cli, commands, main  # noqa: F401
    from routemark.report import (  # noqa: F401
        bundle,
        junit,
        markdown,
        outputs,
        page,
        parquet,
        progress,
        results,
        rows,
        text,
    )

    bundle.vega()

    serve()
