"""The figures of a run that has not ended: worked out anew whenever they are asked for.

Those of a large journal take as long as those of a finished run, so a process of its own works them out
(``python -m routemark.viewer.figures RUN FOLDER``, which prints them as JSON): no other page waits behind it.
"""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import msgspec

from routemark import main as benchmark
from routemark.errors import RoutemarkError, RunError
from routemark.records import Summary
from routemark.report.lists import Listing
from routemark.rundir import RunDirectory
from routemark.viewer import child, lists, prompts
from routemark.viewer.table import Table
from routemark.viewer.trials import Reader

AT_ONCE = 1 << 22
"""Bytes of journal of which the figures are worked out in the thread that asks."""


class Told(msgspec.Struct):
    """Summary and lists, both of the same questions."""

    summary: Summary
    lists: list[Listing]


class Figures:
    """Works out figures; knows its processes, so that none outlives the server."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._processes: set[subprocess.Popen[bytes]] = set()
        self._closed = False

    def of(self, directory: RunDirectory, folder: Path) -> Told:
        """Give what there is to tell as of now; ``folder``: where the index is kept.

        Raises: JournalError, UsageError; RunError for what a process says.
        """
        if not directory.journal.exists() or directory.journal.stat().st_size <= AT_ONCE:
            return tell(directory, folder)
        made, said, code = self._asked(directory.path, folder)
        if code:
            raise RunError(said.strip().rpartition("\n")[2] or f"the figures ended with {code}")
        return msgspec.json.decode(made, type=Told)

    def _asked(self, path: Path, folder: Path) -> tuple[bytes, str, int]:
        """Give what a process printed, what it said of errors, and its exit code."""
        command = [sys.executable, "-m", "routemark.viewer.figures", str(path), str(folder)]
        with self._lock:
            if self._closed:
                raise RunError("the viewer ends")
            process = subprocess.Popen(  # noqa: S603 - our own program
                command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
            )
            self._processes.add(process)
        try:
            made, said = process.communicate()
        finally:
            with self._lock:
                self._processes.discard(process)
        return made, said.decode("utf-8", "replace"), process.returncode

    def close(self) -> None:
        """End what is still at work; begin nothing more."""
        with self._lock:
            self._closed = True
            for process in self._processes:
                process.terminate()


def tell(directory: RunDirectory, folder: Path) -> Told:
    """Work out summary and lists; nothing is kept. Raises: JournalError, UsageError."""
    summary = benchmark.summarise(directory)[1]
    run, questions = directory.read(), directory.load_questions()
    found = child.indexed(directory, folder, lambda done, of: None)  # noqa: ARG005
    table = Table(run, found, prompts.open_prompts(run, questions, folder))
    reader = Reader(
        journal=directory.journal,
        questions=questions,
        index=found,
        table=table,
        counted=summary.finished_questions,
    )
    return Told(summary, lists.of_run(reader, run, summary, folder))


def main() -> int:
    """Do it; give the exit code."""
    try:
        told = tell(RunDirectory(Path(sys.argv[1])), Path(sys.argv[2]))
    except (RoutemarkError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.buffer.write(msgspec.json.encode(told))
    return 0


if __name__ == "__main__":
    sys.exit(main())
