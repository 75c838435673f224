"""How fast the viewer is on a large journal: first indexing, opening, filtering, searching.

`python benchmarks/viewer.py [LINES]` makes a run with a journal of that many lines (a million) in a temporary
directory, and prints a table.
"""

from __future__ import annotations

import contextlib
import io
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

import journals
from routemark.rundir import RunDirectory
from routemark.viewer import child, pages
from routemark.viewer.filters import Filter
from routemark.viewer.opened import OpenRun

FILTERS = {
    "an arm, wrong": Filter(arm=journals.ARMS[0], status="wrong"),
    "arms disagree, hard": Filter(disagree=True, difficulty="hard"),
    "a model that served": Filter(model=journals.ARMS[2]),
    "a rare word": Filter(q="zebra"),
    "three words of every prompt": Filter(q="explain step number"),
    "dearest first": Filter(sort="cost"),
}


def timed(what: str, work: Callable[[], Any]) -> Any:
    """Do it and print how long it took."""
    begun = time.perf_counter()
    result = work()
    print(f"| {what} | {time.perf_counter() - begun:.3f} s |")
    return result


def main(lines: int) -> None:
    """Measure."""
    with tempfile.TemporaryDirectory() as folder:
        asked = journals.questions(lines // 8)
        path = journals.make(Path(folder), "large", asked, journals.large(asked))
        size = (path / "journal.jsonl").stat().st_size
        print(f"| {lines:,} lines, {size / 1e6:,.0f} MB | |\n|---|---|")
        directory, index = RunDirectory(path), path / "index"
        with contextlib.redirect_stdout(io.StringIO()) as said:
            begun = time.perf_counter()
            child.make(directory, index)
        print(
            f"| first indexing ({said.getvalue().count(chr(10))} reports of progress) | {time.perf_counter() - begun:.3f} s |"
        )
        opened = OpenRun(directory, index)
        reader = timed("opening", opened.reader)
        kept = sum(file.stat().st_size for file in index.iterdir())
        for name, wanted in FILTERS.items():
            found = timed(f"filter: {name}", lambda wanted=wanted: opened.select(reader, wanted))
            timed("- and its page", lambda found=found, wanted=wanted: pages.questions(reader, found, wanted))
        opened.directory.journal.open("ab").write(next(journals.full(asked[:1])))
        timed("opening again after one more line", opened.reader)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"| index on disk | {kept / 1e6:,.0f} MB |\n| memory at its peak | {peak:,.0f} MB |")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
