"""results.json: head, one row a line, summary; written row by row and put in place at once."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from routemark.files import replaced
from routemark.records import ResultRow, Run, Summary

SCHEMA = "routemark.results/1"

_RUN_FIELDS = (
    "id",
    "status",
    "stop_reason",
    "simulated",
    "started_at",
    "finished_at",
    "questions_sha256",
    "routemark_version",
    "seed",
    "settings",
    "client",
)


def results_head(run: Run, summary: Summary) -> dict[str, Any]:
    """Give the object of results.json without ``results``: what ``--json`` prints."""
    return {"schema": SCHEMA, "run": _run(run), "summary": _plain(summary)}


def write_results(path: Path, run: Run, summary: Summary, rows: Iterable[ResultRow]) -> None:
    """Write results.json whole or not at all; memory does not grow with the rows.

    Raises: OSError.
    """
    encode = msgspec.json.Encoder().encode  # NaN and infinity become null
    with replaced(path) as file:
        file.write(b'{"schema":%b,\n"run":%b,\n"results":[' % (encode(SCHEMA), encode(_run(run))))
        separator = b"\n"
        for row in rows:
            file.write(separator + encode(row))
            separator = b",\n"
        file.write(b'\n],\n"summary":%b}\n' % encode(summary))


def _run(run: Run) -> dict[str, Any]:
    return {name: _plain(getattr(run, name)) for name in _RUN_FIELDS}


def _plain(value: Any) -> Any:
    """Turn records into what any JSON library writes: through JSON, so that NaN is null here, too."""
    return msgspec.json.decode(msgspec.json.encode(value))
