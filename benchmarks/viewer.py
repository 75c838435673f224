"""How fast the viewer is on a large journal: first indexing, opening, every page, filtering, searching, a look at a live run.

`python benchmarks/viewer.py [LINES]` makes a run with a journal of that many lines (a million) in a temporary
directory, sums it up as `routemark run` does at its end, and prints a table. Beside the seconds that a person
waits stand those that the processor was at it: on an idle machine the two are the same.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

import journals
from routemark import main as benchmark
from routemark.rundir import RunDirectory
from routemark.viewer import lists, pages
from routemark.viewer.figures import Told
from routemark.viewer.filters import Filter
from routemark.viewer.live import Watch
from routemark.viewer.opened import OpenRun
from routemark.viewer.shelf import summary_of
from routemark.viewer.trials import Reader

FILTERS = {
    "an arm, wrong": Filter(arm=journals.ARMS[0], status="wrong"),
    "arms disagree, hard": Filter(disagree=True, difficulty="hard"),
    "a model that served": Filter(model=journals.ARMS[2]),
    "a rare word": Filter(q="zebra"),
    "three words of every prompt": Filter(q="explain step number"),
    "dearest first": Filter(sort="cost"),
}


def busy() -> float:
    """Seconds of processor time of this process and of its children that have ended."""
    return sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))


def timed(what: str, work: Callable[[], Any]) -> Any:
    """Do it and print how long it took."""
    begun, at = time.perf_counter(), busy()
    result = work()
    print(f"| {what} | {time.perf_counter() - begun:.3f} s | {busy() - at:.3f} s |", flush=True)
    return result


def made(folder: Path, lines: int) -> RunDirectory:
    """Make the run, and sum it up."""
    asked = journals.questions(lines // 8)
    directory = RunDirectory(journals.make(folder, "large", asked, journals.large(asked)))
    size = directory.journal.stat().st_size
    print(f"| {lines:,} lines, {size / 1e6:,.0f} MB | waited | processor |\n|---|---|---|", flush=True)
    benchmark.summarise(directory, files=[directory.results])
    return directory


def summary_page(opened: OpenRun, reader: Reader) -> str:
    """Give the page of the summary, of whose text the charts and lists are a part."""
    run = reader.table.run
    found = summary_of(opened.directory, run)
    assert found is not None
    shown = pages.summary(opened, reader, Told(found, lists.of_run(reader, run, found, opened.folder)))
    about = {"run": run, "name": "large", "state": "complete", "tags": [], "token": "", "here": "summary"}
    return pages.environment().get_template("run.html.j2").render({**about, **shown})


def measure(directory: RunDirectory) -> None:
    """Print what a run that was never opened takes."""
    index = directory.path / "index"
    child = [sys.executable, "-m", "routemark.viewer.child", str(directory.path), str(index)]
    timed("first indexing", lambda: subprocess.run(child, check=True, stdout=subprocess.DEVNULL))
    opened = OpenRun(directory, index)
    reader = timed("opening", opened.reader)
    timed("the summary, with charts and lists", lambda: summary_page(opened, reader))
    for name, wanted in FILTERS.items():
        found = timed(f"filter: {name}", lambda wanted=wanted: opened.select(reader, wanted))
        timed("- and its page", lambda found=found, wanted=wanted: pages.questions(reader, found, wanted))
    timed("one question", lambda: pages.answers(reader, 3))
    watch = Watch(opened)
    watch.look()
    timed("a look at it, were it live", watch.look)
    opened.directory.journal.open("ab").write(next(journals.full(journals.questions(1))))
    timed("opening again after one more line", opened.reader)
    kept = sum(file.stat().st_size for file in index.iterdir())
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"| index on disk | {kept / 1e6:,.0f} MB | |\n| memory of the indexing | {peak:,.0f} MB | |")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        measure(made(Path(temporary), int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000))
