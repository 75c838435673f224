"""A person's own words on a run, in ``tags.json`` beside it: they move with the run, and nothing else reads them."""

from __future__ import annotations

import msgspec

from routemark.errors import RunError
from routemark.files import replaced
from routemark.report.clean import one_line
from routemark.rundir import RunDirectory

FILE = "tags.json"
MAX_TAGS = 20
MAX_LENGTH = 60
_MAX_BYTES = 1 << 16


def parse(text: str) -> list[str]:
    """Give the tags in a text, between commas; cleaned, each once, in order."""
    tags = (one_line(part, MAX_LENGTH) for part in text[:_MAX_BYTES].split(","))
    return list(dict.fromkeys(tag for tag in tags if tag))[:MAX_TAGS]


def read(directory: RunDirectory) -> list[str]:
    """Give the tags of a run; none where there are none that can be read."""
    path = directory.path / FILE
    try:
        if path.is_symlink() or path.stat().st_size > _MAX_BYTES:
            return []
        tags = msgspec.json.decode(path.read_bytes(), type=list[str])
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return []
    return parse(",".join(tags))


def write(directory: RunDirectory, tags: list[str]) -> None:
    """Replace the tags of a run; raise RunError when they cannot be written."""
    path = directory.path / FILE
    try:
        with replaced(path) as file:
            file.write(msgspec.json.encode(tags) + b"\n")
    except OSError as error:
        raise RunError(f"{path}: cannot be written: {error.strerror}.") from None
