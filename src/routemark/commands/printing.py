"""What every command prints alike: data to standard output, notices to standard error."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from routemark.config import Settings

if TYPE_CHECKING:
    from rich.console import Console

    from routemark.main import Finished
    from routemark.records import GateResult, Run, Summary
    from routemark.rundir import RunDirectory


def width() -> int:
    """Give the columns of the terminal, 80 where there is none."""
    import shutil

    return shutil.get_terminal_size((80, 24)).columns


def notices_to(*, quiet: bool) -> Console:
    """Give the console for progress and notices."""
    from rich.console import Console

    return Console(stderr=True, quiet=quiet)


def print_result(settings: Settings, result: msgspec.Struct, text: str) -> None:
    """Print a result as JSON where that is asked for, else its text."""
    if settings.json:
        sys.stdout.buffer.write(msgspec.json.encode(result) + b"\n")
    else:
        sys.stdout.write(text)


def print_finished(settings: Settings, finished: Finished) -> None:
    """Print the summary of a run, or the head of its results as JSON."""
    from routemark.report.results import results_head

    if settings.json:
        sys.stdout.buffer.write(msgspec.json.encode(results_head(finished.run, finished.summary)) + b"\n")
    else:
        print_text(finished.run, finished.summary, finished.directory)


def print_text(run: Run, summary: Summary, directory: RunDirectory) -> None:
    """Print the summary of a run, and where its files lie."""
    from routemark.report.text import render

    color = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    files = [str(path) for path in (directory.report, directory.results) if path.exists()]
    sys.stdout.write(render(run, summary, width=width(), color=color, files=files).rstrip("\n") + "\n")


def say_failed(gates: Sequence[GateResult]) -> bool:
    """Tell whether a gate failed, and say so on standard error."""
    failed = sum(not gate.passed for gate in gates)
    if failed:
        sys.stderr.write(f"routemark: {failed} of {len(gates)} gates failed.\n")
    return failed > 0
