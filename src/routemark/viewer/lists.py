"""Lists of single questions that explain a verdict: the report's own, over the whole journal, kept beside the index.

Rows pass through the report's collector once. That takes some seconds for a million lines, so what came of
it is kept, and used again for as long as journal, summary and version are the same.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import msgspec
import numpy as np

from routemark._version import __version__
from routemark.files import replaced
from routemark.records import Run, Summary
from routemark.report import views
from routemark.report.lists import Listing, lists
from routemark.report.telling import Collector
from routemark.viewer.index import Progress
from routemark.viewer.trials import Reader

_STEP = 10_000
"""Trials between two reports of progress."""


class _Kept(msgspec.Struct):
    version: str
    lists: list[Listing]


def of_run(
    reader: Reader,
    run: Run,
    summary: Summary,
    folder: Path,
    progress: Progress = lambda done, of: None,  # noqa: ARG005
) -> list[Listing]:
    """Give the lists; those in ``folder`` if they are of this very journal and summary. Raises: OSError, JournalError."""
    version, path = _version(reader, run, summary), folder / "lists.json"
    kept = _load(path)
    if kept is not None and kept.version == version:
        return kept.lists
    found = _made(reader, run, summary, progress)
    with suppress(OSError):  # a full disk: they are made anew next time
        folder.mkdir(exist_ok=True)
        with replaced(path) as file:
            file.write(msgspec.json.encode(_Kept(version, found)))
    return found


def _version(reader: Reader, run: Run, summary: Summary) -> str:
    head, pair = reader.index.head, views.headline(run, summary)
    beside = "" if pair is None else f"{pair.arm} {pair.baseline}"
    return f"{__version__} {head.size} {head.mark} {reader.counted} {summary.graded} {beside}"


def _load(path: Path) -> _Kept | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=_Kept)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return None


def _made(reader: Reader, run: Run, summary: Summary, progress: Progress) -> list[Listing]:
    collector = Collector(run)
    counted = np.flatnonzero(reader.table.rank < reader.counted).tolist()
    for done, row in enumerate(reader.rows(counted)):
        if done % _STEP == 0:
            progress(done, len(counted))
        collector.add(row)
    return list(lists(run, summary, collector))
