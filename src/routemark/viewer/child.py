"""The process that indexes a large run, so that the server goes on: ``python -m routemark.viewer.child RUN FOLDER``.

Prints how far it is, a line ``DONE TOTAL`` in bytes every now and then. What is wrong is said on standard
error, and the exit code is 1.
"""

from __future__ import annotations

import sys
from pathlib import Path

from routemark.errors import RoutemarkError
from routemark.rundir import RunDirectory
from routemark.viewer import index, prompts


def make(directory: RunDirectory, folder: Path) -> None:
    """Index questions and journal, on from what is there."""
    path = folder / "journal.npz"
    run = directory.read()
    before = index.load(path) or index.Index.empty()
    if directory.journal.stat().st_size < before.head.size or not index.is_of(before, directory.journal):
        before = index.Index.empty()
    prompts.open_prompts(run, directory.load_questions(), folder)
    index.save(index.read_on(directory.journal, before, _say), path)


def _say(done: int, of: int) -> None:
    sys.stdout.write(f"{done} {of}\n")
    sys.stdout.flush()


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
