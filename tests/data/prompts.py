"""Reads the data of a shipped question back out of its text, for the proofs beside this file.

The proofs know nothing of how a question was made: whatever they compute with stands in the prompt.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import io
import re
import sqlite3
from collections import deque
from collections.abc import Callable
from typing import Any

from routemark.records import Question

Proof = Callable[[Question], object]
"""Computes the answer of a question from its text."""


def numbers(text: str) -> list[str]:
    """Give the numbers of a text in order, as written but without thousands separators."""
    return re.findall(r"\d+(?:\.\d+)?", re.sub(r"(?<=\d),(?=\d{3}\b)", "", text))


def ints(text: str) -> list[int]:
    """Give the whole numbers of a text in order."""
    return [int(number) for number in numbers(text)]


def bullets(text: str, pattern: str) -> list[tuple[str, ...]]:
    """Give the groups of a pattern on every line that begins with "- "; each such line must match."""
    found = []
    for line in text.splitlines():
        if line.startswith("- "):
            match = re.fullmatch("- " + pattern, line)
            assert match, line
            found.append(match.groups())
    assert found, "the prompt has no list"
    return found


def table(text: str) -> list[list[str]]:
    """Give the cells of the lines between bars, one list a line."""
    return [[c.strip() for c in line[1:-1].split("|")] for line in text.splitlines() if line.startswith("|")]


def number_table(text: str) -> list[list[int]]:
    """Give the numbers of a table, without its heading line and its first column."""
    return [[int(cell) for cell in row[1:]] for row in table(text)[1:]]


def find(pattern: str, text: str) -> tuple[str, ...]:
    """Give the groups of the only match of a pattern; fails on none and on several."""
    found = [match.groups() for match in re.finditer(pattern, text)]
    assert len(found) == 1, (pattern, found)
    return found[0]


def day(text: str) -> dt.date:
    """Give a date written as "9 February 2027"."""
    return dt.datetime.strptime(text, "%d %B %Y").date()  # noqa: DTZ007  a calendar date has no zone


def fenced(text: str, language: str) -> str:
    """Give the content of the only fenced block of a language."""
    (code,) = find(rf"(?s)```{language}\n(.*?)\n```", text)
    return code


# --------------------------------------------------------------------------- programs

_NAMES = (
    "abs all any dict enumerate int isinstance len list max min next print range reversed set sorted str sum"
    " tuple zip object __build_class__"
)


def _only_collections(name: str, *_: Any) -> Any:
    if name != "collections":
        raise ImportError(name)
    return __import__("types").SimpleNamespace(deque=deque)


def namespace(code: str) -> dict[str, Any]:
    """Run a printed program with a few harmless names, and give what it defined."""
    import builtins

    allowed = {name: getattr(builtins, name) for name in _NAMES.split()}
    scope = {"__builtins__": allowed | {"__import__": _only_collections}, "__name__": "printed"}
    exec(code, scope)
    return scope


def printed(question: Question) -> str:
    """Give what the printed Python program writes, without the last line end."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        namespace(fenced(question.question, "python"))
    return out.getvalue().rstrip("\n")


def queried(question: Question) -> object:
    """Run the printed query on the printed tables; give the value, or the number of rows where that is asked."""
    text = question.question
    with contextlib.closing(sqlite3.connect(":memory:")) as base:
        for name, block in re.findall(r"Table (\w+):\n\n((?:\|.*\n)+)", text):
            heading, *rows = table(block)
            base.execute(f"CREATE TABLE {name} ({', '.join(heading)})")
            marks = ", ".join("?" * len(heading))
            base.executemany(
                f"INSERT INTO {name} VALUES ({marks})", [[_cell(cell) for cell in row] for row in rows]
            )
        result = base.execute(fenced(text, "sql")).fetchall()
    if "How many rows" in text:
        return len(result)
    ((value,),) = result
    return value


def _cell(text: str) -> int | str | None:
    return None if not text else int(text) if text.isdigit() else text
