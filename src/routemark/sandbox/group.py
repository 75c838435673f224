"""The processes of one sandbox, seen from outside: how much memory they hold together, and their end."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator
from pathlib import Path

_PAGE = os.sysconf("SC_PAGE_SIZE")
_PROC = Path("/proc")


def members(root: int) -> Iterator[int]:
    """Yield the ids of a process and all that descend from it.

    Nothing escapes: in a process namespace of its own, orphans are adopted by the namespace's first process.
    """
    waiting = [root]
    while waiting:
        pid = waiting.pop()
        yield pid
        with contextlib.suppress(OSError):  # it may end while we look
            for thread in (_PROC / str(pid) / "task").iterdir():
                waiting += map(int, (thread / "children").read_text().split())


def memory(root: int, enough: int) -> int:
    """Give the bytes that a process and its descendants hold.

    Pages that several of them share are counted once, by the kernel's slower account, when the quick one
    says more than ``enough``.
    """
    pids = list(members(root))
    quick = sum(map(_resident, pids))
    return quick if quick <= enough else sum(map(_share, pids))


def _resident(pid: int) -> int:
    try:
        return int((_PROC / str(pid) / "statm").read_text().split()[1]) * _PAGE
    except (OSError, LookupError):
        return 0


def _share(pid: int) -> int:
    """Give the proportional share of a process; where that cannot be read, all that it holds."""
    try:
        for line in (_PROC / str(pid) / "smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) << 10
    except OSError:
        pass
    return _resident(pid)


def kill(root: int) -> None:
    """Kill a process and all that descend from it; with the first one of a namespace, the kernel kills the rest."""
    for pid in list(members(root)):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)
