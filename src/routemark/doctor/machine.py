"""What can be told without a network: libraries, the sandbox for code, room on the disk."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from routemark._version import __version__
from routemark.doctor.findings import Finding, ok, problem, warning

LIBRARIES = ("uvloop", "pyreqwest", "httpx", "httpx-aiohttp")
LITTLE_BYTES, TOO_LITTLE_BYTES = 1 << 30, 100 << 20
"""A trial takes a few kilobytes, answers with much reasoning a hundred."""

_TRY_SANDBOX = ["--ro-bind", "/", "/", "--unshare-all", "true"]


def machine(runs_dir: Path) -> Iterator[Finding]:
    """Yield what was found on this machine."""
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in LIBRARIES)
    yield ok("software", f"Routemark {__version__}, Python {platform.python_version()}, {versions}.")
    yield disk(runs_dir)
    yield sandbox()


def disk(runs_dir: Path) -> Finding:
    """Tell whether runs can be kept where they are to be kept."""
    place = next(path for path in [runs_dir, *runs_dir.absolute().parents] if path.exists())
    if not place.is_dir() or not os.access(place, os.W_OK | os.X_OK):
        return problem("disk", f"{runs_dir}: cannot be written.", "Choose another --runs-dir.")
    free = shutil.disk_usage(place).free
    message = f"{runs_dir}: {free / 1e9:,.1f} GB free."
    if free < TOO_LITTLE_BYTES:
        return problem("disk", message, "Free some space, or choose another --runs-dir.")
    if free < LITTLE_BYTES:
        return warning("disk", message, "Enough for a small run; free some space before a large one.")
    return ok("disk", message)


def sandbox() -> Finding:
    """Tell whether answers that are programs could be run in isolation."""
    program = shutil.which("bwrap")
    if program is None:
        return warning(
            "sandbox",
            "bubblewrap (bwrap) is not installed: answers that are code cannot be run.",
            "Install bubblewrap, if your questions need it.",
        )
    try:
        tried = subprocess.run([program, *_TRY_SANDBOX], capture_output=True, timeout=10, check=False)  # noqa: S603 - found above
    except (OSError, subprocess.TimeoutExpired) as error:
        return _no_sandbox(str(error))
    if tried.returncode:
        return _no_sandbox(tried.stderr.decode(errors="replace").strip())
    return ok("sandbox", "bubblewrap works.")


def _no_sandbox(why: str) -> Finding:
    return warning(
        "sandbox",
        f"bubblewrap does not work here ({why}): answers that are code cannot be run.",
        "Allow unprivileged user namespaces, if your questions need it.",
    )
