"""The runs directory: which runs are there, in short, and the one way to a run, which no name leads out of."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, NamedTuple, TypeVar

import msgspec

from routemark.errors import UsageError
from routemark.records import Run, Summary
from routemark.rundir import RUN_ID, RunDirectory
from routemark.viewer import tags

State = Literal["running", "interrupted", "complete", "stopped"]
"""``interrupted``: the manifest says running, but no process is at work."""
_TAIL = 1 << 18
"""Bytes at the end of results.json that are read first."""
KindT = TypeVar("KindT", "Brief", Summary)
_SUMMARY = b'\n"summary":'


class Brief(msgspec.Struct):
    """What the list tells of a summary."""

    total: int
    planned: int
    finished_questions: int
    cost_usd: float | None
    verdict: BriefVerdict


class BriefVerdict(msgspec.Struct):
    """The verdict's sentence."""

    sentence: str


class Listed(NamedTuple):
    """One run in the list."""

    name: str
    run: Run
    state: State
    brief: Brief | None
    tags: list[str]

    @property
    def text(self) -> str:
        """What a search in the list looks at."""
        sentence = self.brief.verdict.sentence if self.brief else ""
        arms = " ".join(arm.name for arm in self.run.arms)
        return f"{self.name} {arms} {sentence} {' '.join(self.tags)}".casefold()


class Shelf:
    """The runs in one directory."""

    def __init__(self, path: Path) -> None:
        """Take the directory; raise UsageError when it is none."""
        if not path.is_dir():
            raise UsageError(f"{path}: no such directory. Name the one that holds your runs.")
        self.path = path.resolve()
        self._briefs: dict[str, tuple[tuple[int, int], Brief | None]] = {}

    def find(self, name: str) -> RunDirectory | None:
        """Give a run by its name; None for what is no run in this very directory, or leads elsewhere."""
        if not RUN_ID.fullmatch(name):
            return None
        directory = RunDirectory(self.path / name)
        files = (
            directory.path,
            directory.manifest,
            directory.questions,
            directory.journal,
            directory.results,
        )
        if any(path.is_symlink() for path in files) or not directory.manifest.is_file():
            return None
        # a pipe or a device would keep who reads it waiting
        return None if any(path.exists() and not path.is_file() for path in files[1:]) else directory

    def listed(self) -> list[Listed]:
        """Give all runs, the newest first; what cannot be read is left out."""
        found = []
        for entry in os.scandir(self.path):
            directory = self.find(entry.name)
            if directory is None:
                continue
            try:
                found.append(self._listed(directory))
            except UsageError:
                continue
        return sorted(found, key=lambda one: (_moment(one.run), one.name), reverse=True)

    def _listed(self, directory: RunDirectory) -> Listed:
        run, name = directory.read(), directory.path.name
        return Listed(name, run, state_of(directory, run), self._brief(directory, run), tags.read(directory))

    def _brief(self, directory: RunDirectory, run: Run) -> Brief | None:
        """Give what the end of results.json tells, if it is of the run as it stands; read once."""
        try:
            found = directory.results.stat()
        except OSError:
            return None
        version = found.st_mtime_ns, found.st_size
        known = self._briefs.get(directory.path.name)
        if known is None or known[0] != version:
            known = version, _decoded(directory, Brief)
            self._briefs[directory.path.name] = known
        return None if run.status == "running" else known[1]


def _moment(run: Run) -> datetime:
    when = datetime.fromisoformat(run.started_at)
    return when if when.tzinfo else when.replace(tzinfo=UTC)


def state_of(directory: RunDirectory, run: Run) -> State:
    """Tell how a run stands; the process that holds the journal leaves its number beside it."""
    if run.status != "running":
        return run.status
    try:
        os.kill(int((directory.path / "run.pid").read_text()), 0)
    except PermissionError:  # it lives, and is another user's
        return "running"
    except (OSError, ValueError, OverflowError):
        return "interrupted"
    return "running"


def summary_of(directory: RunDirectory, run: Run) -> Summary | None:
    """Give the summary in results.json; None while there is none of the run as it stands."""
    return None if run.status == "running" else _decoded(directory, Summary)


def _decoded(directory: RunDirectory, kind: type[KindT]) -> KindT | None:
    raw = _tail(directory.results)
    try:
        return None if raw is None else msgspec.json.decode(raw, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None


def _tail(results: Path) -> bytes | None:
    """Give the JSON of the summary, which is the last line of results.json, without reading the rows."""
    try:
        with results.open("rb") as file:
            size, take = file.seek(0, os.SEEK_END), _TAIL
            while True:
                file.seek(max(0, size - take))
                end = file.read(take)
                at = end.rfind(_SUMMARY)
                if at >= 0:
                    return end[at + len(_SUMMARY) :].rstrip().removesuffix(b"}")
                if take >= size:
                    return None
                take *= 8
    except OSError:
        return None
