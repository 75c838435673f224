"""What can be told without a network: libraries, the sandbox for code, room on the disk."""

from __future__ import annotations

import os
import platform
import shutil
from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path

from routemark import numbers, plugins
from routemark._version import __version__
from routemark.doctor.findings import Finding, ok, problem, warning
from routemark.errors import PluginError
from routemark.graders import GRADERS
from routemark.graders.plugged import plugged
from routemark.picking import with_reach
from routemark.report.outputs import WRITERS
from routemark.sandbox import trouble
from routemark.wire.arms import PLUGIN, parse_arm

LIBRARIES = ("uvloop", "pyreqwest", "httpx", "httpx-aiohttp")
LITTLE_BYTES, TOO_LITTLE_BYTES = 1 << 30, 100 << 20
"""A trial takes a few kilobytes, answers with much reasoning a hundred."""


def machine(runs_dir: Path) -> Iterator[Finding]:
    """Yield what was found on this machine."""
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in LIBRARIES)
    yield ok("software", f"Routemark {__version__}, Python {platform.python_version()}, {versions}.")
    yield disk(runs_dir)
    yield sandbox()
    yield from installed_plugins()


def installed_plugins() -> Iterator[Finding]:
    """Yield what plugins bring, each imported and looked at; nothing where none is installed."""
    found: dict[str, list[str]] = {}
    for kind in plugins.KINDS:
        for sentence in plugins.shadowed(kind, _OURS.get(kind, ())):
            yield problem("plugins", sentence, "Nothing runs until then.")
        for name in plugins.names(kind):
            try:
                _LOOK[kind](name)
            except PluginError as error:
                yield problem("plugins", str(error), "Mend or uninstall it, if your runs need it.")
            else:
                package = plugins.versions(kind, [name])[f"{kind} {name}"]
                found.setdefault(package, []).append(f"{kind} {name}")
    for package, brings in found.items():
        yield ok("plugins", f"{package}: {', '.join(brings)}.")


_OURS: dict[str, list[str]] = {
    "grader": list(GRADERS),
    "reporter": [ending.lstrip(".") for ending in WRITERS],
}
_LOOK: dict[plugins.Kind, Callable[[str], object]] = {
    "grader": plugged,
    "arm": lambda name: with_reach(parse_arm(PLUGIN + name)),
    "loader": lambda name: plugins.find_callable("loader", name, "source"),
    "reporter": lambda name: plugins.find_callable("reporter", name, "run, summary, rows"),
}


def disk(runs_dir: Path) -> Finding:
    """Tell whether runs can be kept where they are to be kept."""
    place = next(path for path in [runs_dir, *runs_dir.absolute().parents] if path.exists())
    if not place.is_dir() or not os.access(place, os.W_OK | os.X_OK):
        return problem("disk", f"{runs_dir}: cannot be written.", "Choose another --runs-dir.")
    free = shutil.disk_usage(place).free
    message = f"{runs_dir}: {numbers.gigabytes(free)} free."
    if free < TOO_LITTLE_BYTES:
        return problem("disk", message, "Free some space, or choose another --runs-dir.")
    if free < LITTLE_BYTES:
        return warning("disk", message, "Enough for a small run; free some space before a large one.")
    return ok("disk", message)


def sandbox() -> Finding:
    """Tell whether answers that are programs can be run in isolation."""
    why = trouble()
    if why is None:
        return ok("sandbox", "bubblewrap works.")
    return warning(
        "sandbox", f"Answers that are code cannot be run: {why}", "Mend it if your questions need it."
    )
