"""results.json: head, one row a line, summary; written row by row and put in place at once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import msgspec

from routemark.files import replaced
from routemark.records import GateResult, ResultRow, Run, Summary
from routemark.report.sinks import Sink

SCHEMA = "routemark.results/1"

RUN_FIELDS = (
    "id",
    "status",
    "stop_reason",
    "simulated",
    "started_at",
    "finished_at",
    "questions_sha256",
    "shard",
    "routemark_version",
    "seed",
    "settings",
    "plugins",
    "client",
)
"""Of the manifest; arms and settings are told, places on this machine are not."""


def results_head(run: Run, summary: Summary) -> dict[str, Any]:
    """Give the object of results.json without ``results``: what ``--json`` prints."""
    head = {"schema": SCHEMA, "run": _run(run)}
    return {**head, **_plain(_gates(summary)), "summary": _plain(_without_gates(summary))}


class _Results:
    """The file, of which memory holds one row."""

    def __init__(self, file: IO[bytes], run: Run) -> None:
        self._file = file
        self._encode = msgspec.json.Encoder().encode  # NaN and infinity become null
        self._separator = b"\n"
        file.write(b'{"schema":%b,\n"run":%b,\n"results":[' % (self._encode(SCHEMA), self._encode(_run(run))))

    def row(self, row: ResultRow) -> None:
        """Write a row."""
        self._file.write(self._separator + self._encode(row))
        self._separator = b",\n"

    def close(self, summary: Summary) -> None:
        """Write the summary behind the rows."""
        self._file.write(b"\n],\n")
        for name, gates in _gates(summary).items():
            self._file.write(b"%b:%b,\n" % (self._encode(name), self._encode(gates)))
        self._file.write(b'"summary":%b}\n' % self._encode(_without_gates(summary)))


@contextmanager
def open_results(path: Path, run: Run) -> Iterator[Sink]:
    """Begin results.json; see `sinks`."""
    with replaced(path) as file:
        yield _Results(file, run)


def _gates(summary: Summary) -> dict[str, list[GateResult]]:
    """Give what stands beside the summary where gates were given."""
    return {"gates": summary.gates} if summary.gates else {}


def _without_gates(summary: Summary) -> dict[str, Any]:
    fields = msgspec.structs.fields(Summary)
    return {field.name: getattr(summary, field.name) for field in fields if field.name != "gates"}


def _run(run: Run) -> dict[str, Any]:
    return {name: _plain(getattr(run, name)) for name in RUN_FIELDS}


def _plain(value: Any) -> Any:
    """Turn records into what any JSON library writes: through JSON, so that NaN is null here, too."""
    return msgspec.json.decode(msgspec.json.encode(value))
