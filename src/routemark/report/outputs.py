"""Which file ending is written by what."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

from routemark.errors import RunError, SettingsError
from routemark.records import ResultRow, Run, Summary
from routemark.report import markdown, page, results, rows

Writer = Callable[[Path, Run, Summary, Iterable[ResultRow]], None]

WRITERS: dict[str, Writer] = {
    ".json": results.write_results,
    ".html": page.write_page,
    ".md": markdown.write_markdown,
    ".csv": rows.write_csv_file,
}


ENDINGS = {"json": ".json", "markdown": ".md", "html": ".html"}
"""File ending of each format that `report` prints."""


def writer_for(name: str) -> Writer:
    """Give the writer of a file by its ending; raise SettingsError for an ending without one."""
    ending = Path(name).suffix
    if ending not in WRITERS:
        raise SettingsError(f"--output {name}: no such format; use {', '.join(sorted(WRITERS))}.")
    return WRITERS[ending]


def write(path: Path, run: Run, summary: Summary, results_rows: Iterable[ResultRow]) -> None:
    """Write the file in the format of its ending; raise RunError when it cannot be written."""
    writer = writer_for(path.name)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        writer(path, run, summary, results_rows)
    except OSError as error:
        raise RunError(f"{path}: cannot be written: {error.strerror}. The journal has everything.") from None


def as_text(name: str, run: Run, summary: Summary, results_rows: Iterable[ResultRow]) -> str:
    """Give what the file of this format would hold: ``json``, ``markdown`` or ``html``."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"report{ENDINGS[name]}"
        write(path, run, summary, results_rows)
        return path.read_text(encoding="utf-8")
