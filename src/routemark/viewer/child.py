"""The process that indexes a large run, so that the server goes on: ``python -m routemark.viewer.child RUN FOLDER``.

Prints how far it is, a line ``DONE TOTAL WHAT`` every now and then. What is wrong is said on standard error,
and the exit code is 1.
"""

from __future__ import annotations

import sys
from pathlib import Path

from routemark.errors import RoutemarkError
from routemark.rundir import RunDirectory
from routemark.viewer import index, lists, prompts
from routemark.viewer.shelf import summary_of
from routemark.viewer.table import Table
from routemark.viewer.trials import Reader

READING = "Reading the journal"
LISTING = "Looking for the answers that decide"


def make(directory: RunDirectory, folder: Path) -> None:
    """Index questions and journal, on from what is there; make the lists of a run that has a summary."""
    run = directory.read()
    questions = directory.load_questions()
    made_of = prompts.open_prompts(run, questions, folder)
    found = indexed(directory, folder, _saying(READING))
    index.save(found, folder / "journal.npz")
    summary = summary_of(directory, run)
    if summary is not None:
        reader = Reader(
            journal=directory.journal,
            questions=questions,
            index=found,
            table=Table(run, found, made_of),
            counted=summary.finished_questions,
        )
        lists.of_run(reader, run, summary, folder, _saying(LISTING))


def indexed(directory: RunDirectory, folder: Path, progress: index.Progress) -> index.Index:
    """Give the index of the whole journal, on from what is kept."""
    if not directory.journal.exists():
        return index.Index.empty()
    before = index.load(folder / "journal.npz") or index.Index.empty()
    if directory.journal.stat().st_size < before.head.size or not index.is_of(before, directory.journal):
        before = index.Index.empty()
    return index.read_on(directory.journal, before, progress)


def _saying(what: str) -> index.Progress:
    def say(done: int, of: int) -> None:
        sys.stdout.write(f"{done} {of} {what}\n")
        sys.stdout.flush()

    return say


def main() -> int:
    """Do it; give the exit code."""
    try:
        make(RunDirectory(Path(sys.argv[1])), Path(sys.argv[2]))
    except BrokenPipeError:  # the server is gone
        return 1
    except (RoutemarkError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
