"""Questions that a plugin brings: ``NAME://SOURCE`` in the place of a file, checked as the rows of a file are."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import msgspec

from routemark import plugins
from routemark.errors import UsageError
from routemark.questions.rows import Place, Row
from routemark.records import Question

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9_.-]*)://")


def scheme_of(source: str) -> str | None:
    """Give the name of the loader that ``NAME://SOURCE`` asks for; None for the path of a file."""
    found = _SCHEME.match(source)
    return found[1] if found else None


@contextmanager
def plugged_rows(scheme: str, source: str) -> Iterator[Iterator[Row]]:
    """Give the rows of a plugin's loader, read as they are asked for.

    Raises: UsageError when no loader has this name; PluginError when it cannot be used, or fails.
    """
    loader = plugins.find_callable("loader", scheme, "source")
    if loader is None:
        known = ", ".join(f"{name}://" for name in plugins.names("loader"))
        there = f"There is {known}" if known else "None is installed"
        raise UsageError(f"{source}: no installed package brings a loader {scheme!r}. {there}.")
    given = loader.call(source.partition("://")[2])
    if not isinstance(given, Iterable) or isinstance(given, str | bytes | dict):
        raise loader.wrong(f"must give questions, one after the other, not {type(given).__name__}.")
    yield _rows(loader, given)


def _rows(loader: plugins.Plugin, given: Iterable[object]) -> Iterator[Row]:
    """Give the rows with their numbers, counted from 1 as if they were lines."""
    rows = iter(given)
    number = 0
    while True:
        try:
            row = next(rows)
        except StopIteration:
            return
        except Exception as error:  # border: a stranger's loader
            raise loader.wrong(f"it failed after {number:,} questions: {plugins.told(error)}.") from error
        number += 1
        yield Row(Place(number), msgspec.to_builtins(row) if isinstance(row, Question) else row)
