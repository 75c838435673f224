"""The machine that is measured on, and processes pinned to its cores with the operating system's account of them."""

from __future__ import annotations

import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

HERE = Path(__file__).parent
CORES = sorted(os.sched_getaffinity(0))


class Used(NamedTuple):
    """What a process and the children that it waited for took."""

    cpu_s: float
    wall_s: float
    rss_mb: float
    """Its own peak."""
    said: str


def pinned(core: int | None, command: list[str]) -> list[str]:
    """Give the command on one core, where there are two to tell apart; None: on all of them."""
    return command if core is None or len(CORES) < 2 else ["taskset", "-c", str(CORES[core]), *command]


def run(command: list[str], *, core: int | None = 1, cwd: Path | None = None, **environ: str) -> Used:
    """Run a command to its end; raise where it fails."""
    with tempfile.TemporaryFile() as said, tempfile.TemporaryFile() as complaints:
        begun = time.monotonic()
        process = subprocess.Popen(
            pinned(core, command), stdout=said, stderr=complaints, cwd=cwd, env={**os.environ, **environ}
        )
        _, status, used = os.wait4(process.pid, 0)
        wall_s = time.monotonic() - begun
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            complaints.seek(0)
            raise SystemExit(f"{' '.join(command)}: {complaints.read().decode()[-2000:]}")
        said.seek(0)
        return Used(used.ru_utime + used.ru_stime, wall_s, used.ru_maxrss / 1024, said.read().decode())


@contextmanager
def server(**options: float | str) -> Iterator[str]:
    """Run the canned server on the first core; give its base URL."""
    arguments = [
        part for name, value in options.items() for part in (f"--{name.replace('_', '-')}", str(value))
    ]
    process = subprocess.Popen(
        pinned(0, [sys.executable, str(HERE / "server.py"), *arguments]), stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
    finally:
        process.kill()
        process.wait()


def questions(path: Path, n: int, grader: str = "exact") -> Path:
    """Write ``n`` questions with a short answer."""
    with path.open("w") as file:
        for index in range(n):
            row = {
                "id": f"q{index:07d}",
                "difficulty": ("easy", "hard", "opt")[index % 3],
                "question": f"Question {index}: what is six times seven?",
                "reference": "42",
                "grader": grader,
            }
            file.write(json.dumps(row) + "\n")
    return path


def timed(name: str, outcomes: int, command: list[str]) -> None:
    """Run a command of ours over so many outcomes, and print what it took."""
    used = run([sys.executable, "-m", "routemark", *command])
    million = outcomes / 1e6
    print(
        f"{name}, {outcomes:,} outcomes: {used.wall_s:.1f} s, CPU {used.cpu_s:.1f} s, peak {used.rss_mb:.0f} MB; for "
        f"each million {used.cpu_s / million:.1f} s of CPU and {used.rss_mb / million:.0f} MB"
    )


class Phases(NamedTuple):
    """One run of ours; CPU in seconds, its grading children's beside it."""

    start_cpu_s: float
    ask_cpu_s: float
    ask_wall_s: float
    write_cpu_s: float
    children_cpu_s: float
    rss_mb: float
    results: dict[str, Any]


def ours(folder: Path, url: str, file: Path, *options: str) -> Phases:
    """Run the whole benchmark once, from the command line, in a fresh run directory."""
    run_id = f"run-{time.monotonic_ns()}"
    command = [
        sys.executable, str(HERE / "ours.py"), "run", str(file), "--base-url", url, "-m", "bench/model",
        "--run-id", run_id, "--json", *options,
    ]  # fmt: skip
    measured = folder / "measured.json"
    key = "sk-or-v1-" + "0" * 32
    done = run(command, cwd=folder, MEASURED=str(measured), OPENROUTER_API_KEY=key)
    at = json.loads(measured.read_bytes())
    begin, ask, conclude, end = (at[name] for name in ("begin", "ask", "conclude", "end"))
    return Phases(
        start_cpu_s=ask["self_s"],
        ask_cpu_s=conclude["self_s"] - ask["self_s"],
        ask_wall_s=conclude["wall_s"] - ask["wall_s"],
        write_cpu_s=end["self_s"] - conclude["self_s"],
        children_cpu_s=end["children_s"] - begin["children_s"],
        rss_mb=end["rss_mb"],
        results=json.loads(done.said),
    )


class Reference(NamedTuple):
    """One run of a reference loop."""

    cpu_s: float
    """Of the loop alone."""
    wall_s: float
    p50: float
    p99: float


def reference(url: str, client: str, n: int, concurrency: int, *, stream: bool = False) -> Reference:
    """Run a reference loop once."""
    command = [
        sys.executable, str(HERE / "reference.py"), "--client", client, "--url", url, "-n", str(n),
        "--concurrency", str(concurrency), *(["--stream"] if stream else []),
    ]  # fmt: skip
    said = json.loads(run(command).said)
    return Reference(said["cpu_s"], said["wall_s"], said["p50"], said["p99"])


def line() -> str:
    """Tell machine, interpreter and load in a line."""
    with open("/proc/cpuinfo") as file:
        model = next((row.split(":", 1)[1].strip() for row in file if row.startswith("model name")), "?")
    load = os.getloadavg()[0]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{len(CORES)} cores of {model}, {memory:.0f} GiB, CPython {platform.python_version()}, "
        f"load {load:.1f} when this began"
    )


def spread(values: list[float]) -> str:
    """Tell how far repeats lie apart, as a share of their median."""
    middle = median(values)
    return f"{(max(values) - min(values)) / middle:.0%}" if middle else "-"


def own_cpu_s() -> float:
    """Give the CPU time of this process so far."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
