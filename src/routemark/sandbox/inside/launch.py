"""Sets the limits that a process sets on itself, then plays one role."""
# ruff: noqa: PLC0415 - a role's modules are there in its own sandbox only

from __future__ import annotations

import contextlib
import os
import resource
import socket
import sys
import types
from collections.abc import Mapping
from typing import Any


def main(task: Mapping[str, Any]) -> None:
    """Play the role of the task; ``channel`` is the file descriptor of the socket to the other side."""
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w", encoding="ascii") as file:  # noqa: PTH123
        file.write("1000")  # where memory runs out after all, this is to go first
    for name, (soft, hard) in task["limits"].items():
        resource.setrlimit(getattr(resource, name), (soft, hard))
    if task["role"] == "script":
        _run(task["code"])
        return
    with socket.socket(fileno=task["channel"]) as channel:
        if task["role"] == "subject":
            from routemark.sandbox.inside.subject import Subject, serve

            serve(Subject(channel), task["code"])
        else:
            from routemark.sandbox.inside.judge import judge
            from routemark.sandbox.inside.tester import Tester

            judge(Tester(channel), task)
            os._exit(0)  # do not wait for threads that a test has left behind


def _run(code: str) -> None:
    """Run the answer as ``__main__``; what it raises ends the process, as it does with any program."""
    module = sys.modules["__main__"] = types.ModuleType("__main__")
    sys.argv = ["answer.py"]
    exec(compile(code, "answer.py", "exec"), module.__dict__)  # noqa: S102 - this is what the sandbox is for
