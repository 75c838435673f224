"""Runs that are looked at: each is indexed once, read on as its journal grows, and kept in memory for a while.

Little is read at once, in the thread that asks. Much is read by a process of its own (`child`), so that no
page waits behind it: whoever asks meanwhile hears how far it is (`Working`).
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from routemark.errors import JournalError
from routemark.questions import QuestionSet
from routemark.records import Run
from routemark.rundir import RunDirectory
from routemark.viewer import index as indices
from routemark.viewer import prompts as prompting
from routemark.viewer.child import READING
from routemark.viewer.figures import Figures
from routemark.viewer.filters import Filter
from routemark.viewer.index import Index
from routemark.viewer.prompts import Prompts
from routemark.viewer.shelf import Shelf, summary_of
from routemark.viewer.table import Selection, Table
from routemark.viewer.trials import Reader

AT_ONCE = 1 << 24
"""Bytes of journal and questions that are read in the thread that asks."""
SAVED_AFTER = 1 << 22
"""Bytes by which a run under way may grow before its index is saved again."""
PATIENCE_S = 0.5
"""Seconds that who asks waits for what is being worked on, before hearing how far it is."""
KEPT = 24
"""Runs kept in memory, and results of long work."""
KEPT_OUTCOMES = 2_000_000
"""Outcomes in the indexes that are kept, of one run or of several: some 250 bytes each."""
_SELECTIONS = 8


class Working(Exception):  # noqa: N818 - no error: the answer is "not yet"
    """What was asked for is being worked on."""

    def __init__(self, what: str, done: int = 0, of: int = 0) -> None:
        self.what, self.done, self.of = what, done, of
        super().__init__(what)


class Jobs:
    """Work that may take long, each piece once, whoever and however often asks for it."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(2, thread_name_prefix="viewer")
        self._jobs: OrderedDict[tuple[Any, ...], Future[Any]] = OrderedDict()
        self._lock = threading.Lock()

    def result(
        self, key: tuple[Any, ...], what: str, work: Callable[[], Any], patience_s: float | None = None
    ) -> Any:
        """Give what the work gives, or raises; raise Working while it is not over. Its last results are kept."""
        with self._lock:
            future = self._jobs.get(key)
            if future is None:
                future = self._jobs[key] = self._pool.submit(work)
                while len(self._jobs) > KEPT and next(iter(self._jobs.values())).done():
                    self._jobs.popitem(last=False)
        if future not in wait([future], PATIENCE_S if patience_s is None else patience_s).done:
            raise Working(what)
        if future.exception() is not None:
            with self._lock:
                self._jobs.pop(key, None)  # what failed is tried again
        return future.result()

    def close(self) -> None:
        """Begin nothing more."""
        self._pool.shutdown(wait=False, cancel_futures=True)


class OpenRun:
    """One run: its manifest, index, prompts and table, all of the same moment."""

    def __init__(self, directory: RunDirectory, folder: Path) -> None:
        """``folder``: where the index is kept."""
        self.directory = directory
        self.folder = folder
        self._lock = threading.Lock()
        self._index: Index | None = None
        self._saved = 0
        self._prompts: Prompts | None = None
        self._questions: QuestionSet | None = None
        self._reader: tuple[tuple[Any, ...], Reader] | None = None
        self._selected: OrderedDict[str, Selection] = OrderedDict()
        self._child: _Child | None = None

    def index(self) -> tuple[Run, Index]:
        """Give manifest and index as of now.

        Raises: Working while much is read; JournalError for damage; UsageError when this is no run any more.
        """
        with self._lock:
            run = self.directory.read()
            return run, self._indexed(run)

    def reader(self) -> Reader:
        """Give what reads trials, as of now. Raises as `index` does."""
        with self._lock:
            run = self.directory.read()
            index = self._indexed(run)
            version = index.head.size, index.head.mark, run
            if self._reader is None or self._reader[0] != version:
                self._reader = version, self._made(run, index)
                self._selected.clear()
            return self._reader[1]

    def select(self, reader: Reader, wanted: Filter) -> Selection:
        """Give what a filter leaves; the last few are kept, so that turning pages costs nothing."""
        key = wanted.url(page=1)
        with self._lock:
            known = self._selected.get(key)
        if known is not None and self._reader is not None and self._reader[1] is reader:
            return known
        found = reader.table.select(wanted)
        with self._lock:
            if self._reader is not None and self._reader[1] is reader:
                self._selected[key] = found
                while len(self._selected) > _SELECTIONS:
                    self._selected.popitem(last=False)
        return found

    @property
    def outcomes(self) -> int:
        """Number of outcomes that the index holds by now."""
        return 0 if self._index is None else len(self._index.outcomes)

    def close(self) -> None:
        """End what is still being read."""
        if self._child is not None:
            self._child.end()

    def _made(self, run: Run, index: Index) -> Reader:
        if self._prompts is not None and self._prompts.head.sha256 != run.questions_sha256:
            self._questions = self._prompts = None  # another run took the place of this one
        if self._questions is None:
            self._questions = self.directory.load_questions()
        if self._prompts is None:
            self._prompts = prompting.open_prompts(run, self._questions, self.folder)
        table = Table(run, index, self._prompts)
        return Reader(
            journal=self.directory.journal,
            questions=self._questions,
            index=index,
            table=table,
            counted=self._counted(run, table),
        )

    def _counted(self, run: Run, table: Table) -> int:
        """Give the number of questions of the plan that count, as the summary says if there is one."""
        summary = summary_of(self.directory, run)
        if summary is not None:
            return summary.finished_questions
        return run.questions if run.status == "complete" else table.finished_prefix()

    def _indexed(self, run: Run) -> Index:
        """Read what the journal has more than the index."""
        journal = self.directory.journal
        size = journal.stat().st_size if journal.exists() else 0
        if self._index is None:
            self._index = indices.load(self.folder / "journal.npz") or Index.empty()
            self._saved = self._index.head.size
        if size == self._index.head.size == 0:
            return self._index
        if size < self._index.head.size or not indices.is_of(self._index, journal):
            self._index, self._saved = Index.empty(), 0
        if self._child is not None or self._much(run, size - self._index.head.size):
            self._wait_for_child()
        if size > self._index.head.size:
            self._index = indices.read_on(journal, self._index)
        grown = self._index.head.size - self._saved
        if grown > SAVED_AFTER or (grown and run.status != "running"):
            with suppress(OSError):  # a full disk: it is made anew next time
                indices.save(self._index, self.folder / "journal.npz")
                self._saved = self._index.head.size
        return self._index

    def _much(self, run: Run, more: int) -> bool:
        questions = self.directory.questions
        if self._prompts is None and questions.exists():
            self._prompts = prompting.load(run, self.folder, run.questions)
            more += 0 if self._prompts else questions.stat().st_size
        return more > AT_ONCE

    def _wait_for_child(self) -> None:
        """Let a process index the run, and take what it made; raise Working until then."""
        if self._child is None:
            self._child = _Child(self.directory, self.folder)
        if not self._child.over.wait(PATIENCE_S):
            raise Working(*self._child.progress)
        error, self._child = self._child.error, None
        if error:
            raise JournalError(error)
        self._index = indices.load(self.folder / "journal.npz") or Index.empty()
        self._saved = self._index.head.size


class _Child:
    """A process that indexes a run."""

    def __init__(self, directory: RunDirectory, folder: Path) -> None:
        self.progress = (READING, 0, 0)
        self.error = ""
        self.over = threading.Event()
        command = [sys.executable, "-m", "routemark.viewer.child", str(directory.path), str(folder)]
        self._process = subprocess.Popen(  # noqa: S603 - our own program
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        threading.Thread(target=self._follow, name="indexing", daemon=True).start()

    def _follow(self) -> None:
        with self._process as process:
            for line in process.stdout or ():
                done, of, what = line.rstrip().split(" ", 2)
                self.progress = what, int(done), int(of)
            said = process.stderr.read() if process.stderr else ""
        if process.returncode:
            self.error = said.strip().rpartition("\n")[2] or f"indexing ended with {process.returncode}"
        self.over.set()

    def end(self) -> None:
        """End it early; what it made so far is thrown away."""
        self._process.terminate()


class Library:
    """All runs of a shelf that are open, and the work that is done for pages beside reading journals."""

    def __init__(self, shelf: Shelf) -> None:
        self.shelf = shelf
        self.jobs = Jobs()
        self.figures = Figures()
        self._open: OrderedDict[str, OpenRun] = OrderedDict()
        self._lock = threading.Lock()
        self._elsewhere = tempfile.TemporaryDirectory(prefix="routemark-view-")
        """For the indexes of runs whose directory cannot be written."""

    def open(self, name: str) -> OpenRun | None:
        """Give a run by its name; None where there is none."""
        directory = self.shelf.find(name)
        if directory is None:
            return None
        with self._lock:
            found = self._open.pop(name, None) or OpenRun(directory, self._folder(directory))
            self._open[name] = found
            while len(self._open) > 1 and self._too_many():
                self._open.popitem(last=False)
            return found

    def _too_many(self) -> bool:
        outcomes = sum(one.outcomes for one in self._open.values())
        return len(self._open) > KEPT or outcomes > KEPT_OUTCOMES

    def _folder(self, directory: RunDirectory) -> Path:
        own = directory.path / "index"
        if os.access(directory.path, os.W_OK) and not own.is_symlink():
            return own
        return Path(self._elsewhere.name) / directory.path.name

    def close(self) -> None:
        """Let go of everything."""
        self.jobs.close()
        self.figures.close()
        for run in self._open.values():
            run.close()
        self._elsewhere.cleanup()


def positions(selection: Selection, place: int) -> tuple[int | None, int | None]:
    """Give the places before and behind one in what a filter left; None at the ends, or when it is not in it."""
    at = np.flatnonzero(selection.questions == place)
    if not len(at):
        return None, None
    here = int(at[0])
    before = int(selection.questions[here - 1]) if here else None
    behind = int(selection.questions[here + 1]) if here + 1 < len(selection.questions) else None
    return before, behind
