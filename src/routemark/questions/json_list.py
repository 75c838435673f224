"""JSON lists, item by item: a window slides over the text, so a list of any length takes little memory.

The standard parser reads each item. It is asked again with more text when an item reaches beyond the
window; an error is believed only when more text could not mend it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, TextIO

from routemark.questions.rows import DECODER, Fault, Place, Row, json_trouble

_CHUNK = 1 << 20
"""Characters read at a time."""
_LONGEST_TOKEN = 16
"""An error this close to the window's end may be a token that the end has cut, such as ``-Infinity``."""
_SPACE = re.compile(r"[ \t\n\r]*")


class _BrokenError(Exception):
    """The text is no JSON from here on."""


class _Window:
    """The part of the text in memory; knows line and column of every position in it."""

    def __init__(self, source: TextIO) -> None:
        self._source = source
        self._text = ""
        self.at = 0
        """Position of the next character to read."""
        self._line = 1
        self._line_start = 0
        """Position of the first character of that line; negative when it has left the window."""
        self._counted = 0
        """Lines are counted up to here."""

    def _count_lines(self, to: int) -> None:
        new = self._text.count("\n", self._counted, to)
        if new:
            self._line += new
            self._line_start = self._text.rfind("\n", self._counted, to) + 1
        self._counted = to

    def line(self) -> int:
        """Give the line of the next character, counted from 1."""
        self._count_lines(self.at)
        return self._line

    def _grow(self) -> bool:
        """Drop what has been read and read on; False, and all positions still good, at the end."""
        unread = len(self._text) - self.at
        chunk = self._source.read(max(_CHUNK, unread))  # doubles, so a long item is read few times over
        if not chunk:
            return False
        self._count_lines(self.at)
        self._text = self._text[self.at :] + chunk
        self._line_start -= self.at
        self.at = self._counted = 0
        return True

    def peek(self) -> str:
        """Skip white space and give the next character without taking it; empty at the end."""
        while True:
            match = _SPACE.match(self._text, self.at)
            self.at = match.end() if match else self.at
            if self.at < len(self._text):
                return self._text[self.at]
            if not self._grow():
                return ""

    def value(self) -> Any:
        """Take one JSON value.

        Raises: _BrokenError with line, column and what is wrong there.
        """
        while True:
            try:
                value, end = DECODER.raw_decode(self._text, self.at)
            except json.JSONDecodeError as error:
                cut = len(self._text) - error.pos < _LONGEST_TOKEN or error.msg.startswith("Unterminated")
                if cut and self._grow():
                    continue
                raise self._broken(error, error.pos) from None
            except (ValueError, RecursionError) as error:
                raise self._broken(error, self.at) from None
            if len(self._text) - end < _LONGEST_TOKEN and self._grow():  # the end may have cut a number
                continue
            self.at = end
            return value

    def _broken(self, error: ValueError | RecursionError, position: int) -> _BrokenError:
        self._count_lines(position)
        where = f"line {self._line} column {position - self._line_start + 1}"
        return _BrokenError(f"not valid JSON at {where}: {json_trouble(error)}; nothing after it was checked")


def read_list(source: TextIO) -> Iterator[Row]:
    """Give the items of the JSON list that a text holds, as they are met."""
    window = _Window(source)
    if window.peek() != "[":
        yield Row(Place(window.line()), Fault(None, "the file must hold a list of questions: [{...}, {...}]"))
        return
    window.at += 1
    yield from _items(window)


def _items(window: _Window) -> Iterator[Row]:
    index = 0
    mark = window.peek()
    while mark != "]":
        place = Place(window.line(), index)
        if not mark:
            yield Row(place, Fault(None, "the file ends before the list does: its closing ] is missing"))
            return
        try:
            value = window.value()
        except _BrokenError as error:
            yield Row(place, Fault(None, str(error)))
            return
        yield Row(place, value)
        index += 1
        fault = _separator(window)
        if fault:
            yield Row(Place(window.line(), index), Fault(None, fault))
        mark = window.peek()
    window.at += 1
    if window.peek():
        yield Row(Place(window.line(), index), Fault(None, "text follows after the end of the list"))


def _separator(window: _Window) -> str | None:
    """Take what stands behind an item; say what is wrong with it, if anything."""
    mark = window.peek()
    if mark == ",":
        window.at += 1
        return "a comma without a question behind it" if window.peek() == "]" else None
    if mark in ("]", ""):
        return None
    return "the comma between this and the item before it is missing"
