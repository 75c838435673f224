"""What commands share: arguments that several take, and the options as they hold after all sources.

Each option is a field of a record of `config`, of which `flags` makes a flag. A command names those that it takes.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import msgspec
from cyclopts import Parameter

from routemark.config import Settings, option_names, resolve

if TYPE_CHECKING:
    from routemark.rundir import RunDirectory

Config = Annotated[str | None, Parameter(name="--config", help="Settings file. [default: routemark.toml]")]
ForeignFormat = Annotated[
    str | None, Parameter(name="--format", help="Format of the file, when what it holds does not tell.")
]
Options = TypeVar("Options", bound=msgspec.Struct)
_ALL = option_names()


def all_but(*names: str) -> tuple[str, ...]:
    """Give every option's name but these: what a command leaves out that takes only these."""
    return tuple(_ALL - {*names})


def settings_of(given: dict[str, Any], config: str | None, questions: str | None = None) -> Settings:
    """Give the settings by flags, environment and settings file; raise SettingsError."""
    return options_of(Settings, {**given, **({"questions": questions} if questions else {})}, config)


def options_of(kind: type[Options], given: dict[str, Any], config: str | None) -> Options:
    """Give one record of options by the same sources; raise SettingsError."""
    return resolve(kind, {**given, "config": config}, os.environ, others=_ALL)


def directory_of(run: str, settings: Settings) -> RunDirectory:
    """Give the directory of a run that is named by its path, or by its name in the runs directory."""
    from routemark.rundir import find

    return find(run, Path(settings.runs_dir))
