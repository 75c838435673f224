"""Write a file whole or not at all: a reader, or a crash, sees the old content or the new, never half."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

_BUFFER = 1 << 16


@contextmanager
def replaced(path: Path) -> Iterator[IO[bytes]]:
    """Open a temporary neighbour, to write and read; it takes the name ``path`` only when all went well.

    What was written is synced to disk first, the new name after it.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("w+b", buffering=_BUFFER) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    _sync_directory(path.parent)


def _sync_directory(directory: Path) -> None:
    """Make a rename last through a loss of power, where the file system can be asked to."""
    fd = os.open(directory, os.O_RDONLY)
    try:
        with suppress(OSError):  # some network file systems refuse
            os.fsync(fd)
    finally:
        os.close(fd)
