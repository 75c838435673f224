"""Reads a run directory as a resumed run, or as its summary does, and tells time and peak memory."""

from __future__ import annotations

import resource
import sys
import time
from pathlib import Path

from routemark.main import summarise
from routemark.rundir import Ledger, RunDirectory


def main() -> None:
    """Do what is named: ``ledger``, or ``summary`` without and with its files."""
    what, directory = sys.argv[1], RunDirectory(Path(sys.argv[2]))
    steps = {
        "ledger": [
            (
                "what is left to ask",
                lambda: Ledger(directory.read(), directory.load_questions(), directory.journal),
            )
        ],
        "summary": [
            ("summary", lambda: summarise(directory)),
            (
                "summary, results.json and report.html",
                lambda: summarise(directory, files=(directory.results, directory.report)),
            ),
        ],
    }[what]
    for name, step in steps:
        begun, used = time.monotonic(), time.process_time()
        step()
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        wall, cpu = time.monotonic() - begun, time.process_time() - used
        print(f"    {name}: {wall:.1f} s ({cpu:.1f} of CPU), peak {peak:.0f} MB")


if __name__ == "__main__":
    main()
