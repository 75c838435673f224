"""Rows, places and faults: what the readers of the file formats hand to the checks.

A reader turns one file format into a stream of rows. Whatever it cannot read becomes a `Fault` in the
row's stead, so that the rows after it are still checked.
"""

from __future__ import annotations

import json
import re
from typing import Any, NamedTuple


class Place(NamedTuple):
    """Where a question stands in its file; places of one file sort in the order of the file."""

    line: int
    """Physical line on which it begins, counted from 1."""
    item: int | None = None
    """Index in a JSON list, counted from 0; None in JSON Lines and CSV."""

    def told(self, question_id: str | None = None) -> str:
        """Give the place in words, with the question's id where a list is read."""
        if self.item is None:
            return f"line {self.line}"
        named = f"; id {shown(question_id)}" if question_id else ""
        return f"item {self.item} (from 0; line {self.line}{named})"


class Fault(NamedTuple):
    """One thing that is wrong with a row."""

    field: str | None
    """As the file spells it; None: the row as a whole."""
    text: str

    def told(self, place: str) -> str:
        """Give the fault as a line for a person: ``place: field: what is wrong``."""
        return f"{place}: {self.text}" if self.field is None else f"{place}: {plain(self.field)}: {self.text}"


class Row(NamedTuple):
    """A row as read: a JSON value (meant to be an object), or the fault that kept it from being read."""

    place: Place
    value: Any


class RepeatedKeys(dict[str, Any]):
    """A JSON object in which a name stands more than once; the last value has won."""

    repeated: str


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) == len(pairs):
        return fields
    names = [name for name, _ in pairs]
    marked = RepeatedKeys(fields)
    marked.repeated = next(name for name in names if names.count(name) > 1)
    return marked


DECODER = json.JSONDecoder(object_pairs_hook=_object)
"""Reads NaN and lone surrogates, too: the checks then name the field that holds them."""

_TOO_MANY_DIGITS = "a number in it has more digits than can be read"
_TOO_DEEP = "it is nested too deeply"


def json_trouble(error: ValueError | RecursionError) -> str:
    """Say what kept a JSON text from being read, without the place."""
    if isinstance(error, json.JSONDecodeError):
        return error.msg[0].lower() + error.msg[1:].removesuffix(" starting at").removesuffix(" at")
    return _TOO_DEEP if isinstance(error, RecursionError) else _TOO_MANY_DIGITS


_SHOWN = 60


def plain(text: str) -> str:
    """Give text from a file fit for a terminal: one line, nothing that could steer it."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def shown(value: Any) -> str:
    """Give a value from a file as a fault quotes it: short, printable, texts in double quotes."""
    if isinstance(value, str):
        cut = value if len(value) <= _SHOWN else value[:_SHOWN] + "..."
        return '"' + plain(cut) + '"'
    try:
        text = json.dumps(value, ensure_ascii=False)
    except RecursionError:
        return kind(value)
    return plain(text if len(text) <= _SHOWN else text[:_SHOWN] + "...")


_KINDS = {dict: "an object", list: "a list", str: "text", bool: "true or false", type(None): "null"}


def kind(value: Any) -> str:
    """Name the JSON type of a value."""
    return _KINDS.get(dict if isinstance(value, dict) else type(value), "a number")


CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
"""Characters that have no place in ids and labels."""
