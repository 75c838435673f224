"""Which file ending is written by what, and how several files are written together in one pass."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from importlib import import_module
from pathlib import Path

from routemark import plugins
from routemark.errors import RunError, SettingsError
from routemark.records import ResultRow, Run, Summary
from routemark.report import plugged
from routemark.report.sinks import Opener, Sink

WRITERS = {
    ".csv": "rows.open_csv",
    ".html": "page.open_page",
    ".json": "results.open_results",
    ".junit.xml": "junit.open_junit",
    ".md": "markdown.open_comment",
    ".parquet": "parquet.open_parquet",
}
"""Below `routemark.report`; imported when first written, since templates and pictures are heavy."""
ENDINGS = {"json": ".json", "markdown": ".md", "html": ".html", "junit": ".junit.xml"}
"""File ending of each format that `report` prints."""


def writer_for(name: str) -> Opener:
    """Give the writer of a file by its ending.

    Raises SettingsError for an ending without one, and for one whose library is not installed; PluginError for a
    plugin's that cannot be used.
    """
    ending = _ending(name)
    if ending is None and (plugin := plugin_for(name)) is not None:
        reporter = plugins.find_callable("reporter", plugin, "run, summary, rows")
        assert reporter is not None
        return plugged.opener(reporter)
    if ending is None:
        known = sorted([*WRITERS, *(f".{reporter}" for reporter in plugins.names("reporter"))])
        raise SettingsError(f"--output {name}: no such format; use {', '.join(known)}.")
    module, _, function = WRITERS[ending].partition(".")
    writers = import_module(f"routemark.report.{module}")
    if ending == ".parquet":
        writers.require(name)
    opener: Opener = getattr(writers, function)
    return opener


def _ending(name: str) -> str | None:
    return next((ending for ending in WRITERS if Path(name).name.endswith(ending)), None)


def plugin_for(name: str) -> str | None:
    """Give the reporter of a plugin that writes a file, by its ending; None where one of ours does, or none."""
    if _ending(name) is not None:
        return None
    fitting = (reporter for reporter in plugins.names("reporter") if Path(name).name.endswith(f".{reporter}"))
    return max(fitting, key=len, default=None)


class _File:
    """One file being written. What the disk refuses is kept as its error, so that the others go on."""

    def __init__(self, path: Path, run: Run) -> None:
        self.path = path
        self.error: RunError | None = None
        self._stack = ExitStack()
        self._sink: Sink | None = None
        opened = writer_for(path.name)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._sink = self._stack.enter_context(opened(path, run))
        except OSError as error:
            self._fail(error)

    def row(self, row: ResultRow) -> None:
        if self._sink is not None:
            try:
                self._sink.row(row)
            except OSError as error:
                self._fail(error)

    def close(self, summary: Summary) -> None:
        """Write the rest, and put the file in its place."""
        if self._sink is not None:
            try:
                self._sink.close(summary)
                self._stack.close()
            except OSError as error:
                self._fail(error)
            except RunError as error:  # a plugin's reporter failed
                self.error = error
                self.discard(error)

    def discard(self, error: Exception) -> None:
        """Leave what was there before; do nothing once the file is in its place."""
        self._sink = None
        with suppress(OSError):  # a full disk refuses what was still to be flushed, too
            self._stack.__exit__(type(error), error, error.__traceback__)

    def _fail(self, error: OSError) -> None:
        self.error = RunError(
            f"{self.path}: cannot be written: {error.strerror or error}. The journal has everything."
        )
        self.discard(error)


class Files:
    """Files of one run that are written together."""

    def __init__(self) -> None:
        self._files: list[_File] = []

    def open(self, path: Path, run: Run) -> None:
        """Begin one more. Raises: SettingsError for an ending without a writer."""
        self._files.append(_File(path, run))

    def row(self, row: ResultRow) -> None:
        """Give a row to each."""
        for file in self._files:
            file.row(row)

    def close(self, summary: Summary) -> None:
        """Finish them in their order. Raises RunError for the first that could not be written."""
        for file in self._files:
            file.close(summary)
        for file in self._files:
            if file.error is not None:
                raise file.error

    def discard(self) -> None:
        """Leave all that are not in their place as they were."""
        for file in self._files:
            file.discard(_NotFinishedError())


class _NotFinishedError(Exception):
    """Tells a file that it will never be whole."""


@contextmanager
def opened(paths: Sequence[Path], run: Run) -> Iterator[Files]:
    """Begin the files; those that are not closed when the context is left are as they were before.

    Raises: SettingsError for an ending without a writer.
    """
    files = Files()
    try:
        for path in paths:
            files.open(path, run)
        yield files
    finally:
        files.discard()
