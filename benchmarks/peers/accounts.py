"""The operating system's account of a command and of everything that it started, and a network of loopback only."""

from __future__ import annotations

import ctypes
import fcntl
import os
import resource
import signal
import socket
import struct
import subprocess
import time
from pathlib import Path
from typing import NamedTuple

from benchmarks.machine import pinned

PAGE = os.sysconf("SC_PAGE_SIZE")
TICK = os.sysconf("SC_CLK_TCK")
LOOK_S = 0.1
LIBC = ctypes.CDLL(None, use_errno=True)
PR_SET_CHILD_SUBREAPER = 36
CLONE_NEWUSER, CLONE_NEWNET = 0x10000000, 0x40000000
SIOCSIFFLAGS, IFF_UP_RUNNING = 0x8914, 0x41


class Account(NamedTuple):
    """What a command and all its descendants took."""

    cpu_s: float
    wall_s: float
    rss_mb: float
    """Largest sum of resident memory over the tree, looked at ten times a second; at least its largest process."""
    others: float
    """Cores that other work on the machine took meanwhile, the server and this process left out."""
    status: int | None
    """Exit status; none where the deadline ended it."""
    said: str
    complaint: str
    """Last line of what it wrote to its error output."""


def measure(
    command: list[str], folder: Path, environ: dict[str, str], *, deadline_s: float, server: int
) -> Account:
    """Run a command on the second core to its end or its deadline; ``server`` is another child of ours.

    Output goes to two files in the folder. Descendants that outlive the command are ended and counted, too.
    """
    before = set(_children(os.getpid()))
    LIBC.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)  # what the command leaves behind becomes ours to wait for
    output, errors = folder / "output.txt", folder / "errors.txt"
    with output.open("wb") as said, errors.open("wb") as complaints:
        begun, busy = time.monotonic(), _elsewhere_s(server)
        process = subprocess.Popen(
            pinned(1, command),
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=complaints,
            cwd=folder,
            env={**os.environ, **environ},
            process_group=0,  # not a session: it would leave the scheduling group, and its priority, of this one
        )
        try:
            used, rss, in_time = _watch(process, begun + deadline_s)
        except BaseException:  # Ctrl-C, or an end asked for: no harness may go on alone
            os.killpg(process.pid, signal.SIGKILL)
            raise
        wall_s = time.monotonic() - begun
    cpu_s = used.ru_utime + used.ru_stime + _end_orphans(before)
    LIBC.prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)
    return Account(
        cpu_s=cpu_s,
        wall_s=wall_s,
        rss_mb=max(rss, used.ru_maxrss * 1024) / 2**20,
        others=max(0.0, _elsewhere_s(server) - busy - cpu_s) / wall_s,
        status=process.returncode if in_time else None,
        said=output.read_text(),
        complaint=(errors.read_text(errors="replace").strip().splitlines() or [""])[-1],
    )


def _watch(process: subprocess.Popen[bytes], deadline: float) -> tuple[resource.struct_rusage, int, bool]:
    peak, in_time = 0, True
    while True:
        pid, status, used = os.wait4(process.pid, os.WNOHANG)
        if pid:
            process.returncode = os.waitstatus_to_exitcode(status)
            return used, peak, in_time
        peak = max(peak, sum(map(_resident, tree(process.pid))))
        if in_time and time.monotonic() > deadline:
            in_time = False
            os.killpg(process.pid, signal.SIGKILL)
        time.sleep(LOOK_S)


def _end_orphans(spare: set[int]) -> float:
    cpu_s = 0.0
    while left := set(_children(os.getpid())) - spare:
        for pid in left:
            os.kill(pid, signal.SIGKILL)
            _, _, used = os.wait4(pid, 0)
            cpu_s += used.ru_utime + used.ru_stime
    return cpu_s


def tree(pid: int) -> list[int]:
    """Give a process and its descendants."""
    found = [pid]
    for one in found:
        found += _children(one)
    return found


def _children(pid: int) -> list[int]:
    try:
        threads = list(Path(f"/proc/{pid}/task").iterdir())
        return [int(child) for thread in threads for child in (thread / "children").read_text().split()]
    except (FileNotFoundError, ProcessLookupError):
        return []  # it ended meanwhile


def _resident(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE
    except (FileNotFoundError, ProcessLookupError):
        return 0


def _elsewhere_s(server: int) -> float:
    """Give the CPU seconds of all cores since the machine started, but for the server's and this process's own."""
    fields = Path("/proc/stat").read_text().splitlines()[0].split()[1:9]
    user, nice, system, _idle, _iowait, irq, softirq, steal = map(int, fields)
    served = Path(f"/proc/{server}/stat").read_text().rpartition(")")[2].split()
    ticks = user + nice + system + irq + softirq + steal - int(served[11]) - int(served[12])
    return ticks / TICK - time.process_time()


def isolate() -> bool:
    """Move this process into a network that has nothing but loopback; say whether the system allows it."""
    wanted = CLONE_NEWNET if os.geteuid() == 0 else CLONE_NEWUSER | CLONE_NEWNET
    if LIBC.unshare(wanted):
        return False
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as handle:
        fcntl.ioctl(handle, SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", IFF_UP_RUNNING))
    return True
