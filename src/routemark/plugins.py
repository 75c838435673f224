"""Plugins: what installed packages add to Routemark, found by entry points and loaded when it is used.

A package names what it brings in its ``pyproject.toml``::

    [project.entry-points."routemark.graders"]
    words = "my_package:WORDS"

Here they are found and imported, and everything that can be wrong with one is said to a person. What a plugin of
each kind must be is checked where that kind is used. Looking for them imports none.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from routemark.errors import PluginError

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

Kind = Literal["grader", "arm", "loader", "reporter"]
KINDS: tuple[Kind, ...] = ("grader", "arm", "loader", "reporter")


def group(kind: Kind) -> str:
    """Give the entry-point group of a kind."""
    return f"routemark.{kind}s"


class Plugin(NamedTuple):
    """One thing that a package brings."""

    kind: Kind
    name: str
    package: str
    """With its version, such as ``routemark-example 0.1.0``."""
    value: Any

    def __str__(self) -> str:
        return f"the {self.kind} {self.name!r} of {self.package}"

    def wrong(self, what: str) -> PluginError:
        """Give the error that says what is wrong with it."""
        return PluginError(f"{str(self)[:1].upper()}{str(self)[1:]}: {what}")

    def call(self, *arguments: Any, **named: Any) -> Any:
        """Call it. Raises: PluginError for whatever it raises."""
        try:
            return self.value(*arguments, **named)
        except Exception as error:  # border: what a stranger's code does must be told as his
            raise self.wrong(f"it failed: {told(error)}.") from error


def told(error: BaseException) -> str:
    """Give an exception in one line."""
    return f"{type(error).__name__}: {' '.join(str(error).split())[:300]}".rstrip(": ")


@cache
def _entries() -> Mapping[Kind, Mapping[str, list[EntryPoint]]]:
    """Give all that is installed, by kind and name."""
    from importlib.metadata import entry_points  # noqa: PLC0415 - slow to import, and not always needed

    found: dict[Kind, dict[str, list[EntryPoint]]] = {kind: {} for kind in KINDS}
    for kind in KINDS:
        for entry in entry_points(group=group(kind)):
            found[kind].setdefault(entry.name, []).append(entry)
    return found


def names(kind: Kind) -> list[str]:
    """Give the names of the plugins of a kind, sorted; none is imported."""
    return sorted(_entries()[kind])


def versions(kind: Kind, used: Collection[str]) -> dict[str, str]:
    """Give which package brings each of these, as ``{"grader words": "routemark-example 0.1.0"}``."""
    known = _entries()[kind]
    return {f"{kind} {name}": _package(known[name][0]) for name in sorted(used) if name in known}


@cache
def find(kind: Kind, name: str) -> Plugin | None:
    """Give a plugin, imported; None when none has this name.

    Raises: PluginError when it cannot be imported, or when two packages bring one of this name.
    """
    entries = _entries()[kind].get(name)
    if not entries:
        return None
    if len(entries) > 1:
        packages = " and ".join(sorted(map(_package, entries)))
        raise PluginError(f"Two packages bring the {kind} {name!r}: {packages}. Uninstall one of them.")
    plugin = Plugin(kind, name, _package(entries[0]), None)
    try:
        return plugin._replace(value=entries[0].load())
    except Exception as error:  # border: importing runs a stranger's code
        raise plugin.wrong(f"cannot be imported from {entries[0].value}: {told(error)}.") from error


def find_callable(kind: Kind, name: str, takes: str) -> Plugin | None:
    """Give a plugin that can be called with so many arguments, named in ``takes`` for people; see `find`.

    Raises: PluginError, too, when it cannot.
    """
    plugin = find(kind, name)
    if plugin is None:
        return None
    if not callable(plugin.value):
        raise plugin.wrong(f"must be a function {name}({takes}), not {type(plugin.value).__name__}.")
    if not _accepts(plugin.value, len(takes.split(", "))):
        raise plugin.wrong(f"must take ({takes}), not {_signature(plugin.value)}.")
    return plugin


def _accepts(function: Callable[..., Any], arguments: int) -> bool:
    try:
        inspect.signature(function).bind(*range(arguments))
    except TypeError:
        return False
    except ValueError:  # made in C: it does not tell
        return True
    return True


def _signature(function: Callable[..., Any]) -> str:
    return str(inspect.signature(function))


def shadowed(kind: Kind, ours: Collection[str]) -> list[str]:
    """Give a sentence for each installed plugin that has the name of something of ours."""
    return [
        f"{_package(entries[0])} brings a {kind} named {name!r}, as which Routemark has its own: which one is "
        "meant cannot be told. Rename it, or uninstall the package."
        for name, entries in sorted(_entries()[kind].items())
        if name in ours
    ]


def refuse_shadows(kind: Kind, ours: Collection[str]) -> None:
    """Raise PluginError when an installed plugin has the name of something of ours."""
    for sentence in shadowed(kind, ours):
        raise PluginError(sentence)


def forget() -> None:
    """Look anew at what is installed."""
    _entries.cache_clear()
    find.cache_clear()


def _package(entry: EntryPoint) -> str:
    return f"{entry.dist.name} {entry.dist.version}" if entry.dist is not None else "an unnamed package"
