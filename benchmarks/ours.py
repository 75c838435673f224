"""Runs the command line with probes around its phases; writes what each cost, as JSON, where MEASURED names a file.

CPU seconds are this process's own, grading children are apart: they are known once they have ended.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from pathlib import Path
from typing import Any


def _cpu(who: int) -> float:
    used = resource.getrusage(who)
    return used.ru_utime + used.ru_stime


class Probe:
    """Notes the CPU and wall time spent when the asking began, when it ended, and at the end."""

    def __init__(self) -> None:
        self.points: dict[str, dict[str, float]] = {}

    def note(self, name: str) -> None:
        """Keep the first time that a point is passed."""
        now = {
            "self_s": _cpu(resource.RUSAGE_SELF),
            "children_s": _cpu(resource.RUSAGE_CHILDREN),
            "wall_s": time.monotonic(),
            "rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        }
        self.points.setdefault(name, now)


def main() -> None:
    """Run the command line as it is, with the probes in place."""
    probe = Probe()
    probe.note("begin")
    from routemark import main as running
    from routemark.engine.local import LocalExecutor

    execute, conclude = LocalExecutor.execute, running.conclude

    async def probed_execute(self: LocalExecutor, *arguments: Any) -> None:
        probe.note("ask")
        await execute(self, *arguments)

    def probed_conclude(*arguments: Any, **named: Any) -> Any:
        probe.note("conclude")
        return conclude(*arguments, **named)

    LocalExecutor.execute = probed_execute  # type: ignore[method-assign]
    running.conclude = probed_conclude
    from routemark.cli import main as command_line

    try:
        command_line()
    finally:
        probe.note("end")
        if name := os.environ.get("MEASURED"):
            Path(name).write_text(json.dumps(probe.points))


if __name__ == "__main__":
    sys.argv[0] = "routemark"
    main()
