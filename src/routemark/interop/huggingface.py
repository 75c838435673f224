"""Data sets of the Hugging Face hub, or saved by its library: ``hf://NAME[/CONFIG][:SPLIT]`` or ``hf://FOLDER[:SPLIT]``.

Rows are read as those of our own files are: as questions, outcomes or picks, by their columns. Only data is loaded;
data sets that are programs are refused by the library.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from routemark.errors import UsageError
from routemark.questions.rows import plain

_SCHEME = "hf://"


def is_one(path: str) -> bool:
    """Tell whether a path names a data set."""
    return path.startswith(_SCHEME)


def columns(path: str) -> tuple[str, ...]:
    """Give the columns of a data set. Raises: UsageError."""
    return tuple(_loaded(path).column_names)


def rows(path: str) -> Iterator[dict[str, Any]]:
    """Give the rows of a data set. Raises: UsageError when it cannot be had."""
    yield from _loaded(path)


def _loaded(path: str) -> Any:
    try:
        datasets = importlib.import_module("datasets")  # an extra, loaded where it is needed
    except ImportError:
        raise UsageError(f"{path}: reading data sets needs datasets: pip install 'routemark[hf]'.") from None
    name, split = _parts(path)
    try:
        found = _of_folder(datasets, name) if Path(name).is_dir() else _of_hub(datasets, name)
    except Exception as error:  # noqa: BLE001 - the border to a library that raises its dependencies' errors, too
        raise UsageError(f"{path}: cannot be loaded: {plain(str(error))[:300]}") from None
    return (
        found
        if hasattr(found, "column_names") and not isinstance(found, dict)
        else _split(path, found, split)
    )


def _parts(path: str) -> tuple[str, str | None]:
    """Give name and split of a path."""
    name, _, split = path.removeprefix(_SCHEME).partition(":")
    if not name:
        raise UsageError(f"{path}: names no data set; write hf://NAME or hf://FOLDER.")
    return name, split or None


def _of_folder(datasets: Any, folder: str) -> Any:
    marks = ("dataset_info.json", "dataset_dict.json", "state.json")
    if any((Path(folder) / mark).is_file() for mark in marks):
        return datasets.load_from_disk(folder)
    return datasets.load_dataset(folder)


def _of_hub(datasets: Any, name: str) -> Any:
    parts = name.split("/")
    return datasets.load_dataset("/".join(parts[:2]), "/".join(parts[2:]) or None)


def _split(path: str, found: Any, split: str | None) -> Any:
    names = [str(name) for name in found]
    if split is None and len(names) == 1:
        return found[names[0]]
    if split in names:
        return found[split]
    said = f"no split {split}" if split else "which split?"
    raise UsageError(f"{path}: {said} Write hf://...:SPLIT; there are {', '.join(names)}.")
