"""The window over a JSON list reads what the standard parser reads, wherever the window ends."""

from __future__ import annotations

import io
import json
from typing import Any
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routemark.questions.json_list import read_list
from routemark.questions.rows import Fault, Row

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=8,
)


def read(text: str, chunk: int) -> list[Row]:
    with mock.patch("routemark.questions.json_list._CHUNK", chunk):
        return list(read_list(io.StringIO(text)))


@settings(deadline=None, derandomize=True)
@given(st.lists(VALUES, max_size=5), st.integers(1, 40), st.sampled_from([None, 0, 2]), st.booleans())
def test_items_are_those_of_the_standard_parser(
    items: list[Any], chunk: int, indent: int | None, ascii_only: bool
) -> None:
    text = json.dumps(items, indent=indent, ensure_ascii=ascii_only)
    assert [row.value for row in read(text, chunk)] == items


@settings(deadline=None, derandomize=True)
@given(st.lists(VALUES, min_size=1, max_size=4), st.integers(1, 40), st.data())
def test_places_and_faults_do_not_depend_on_the_window(
    items: list[Any], chunk: int, data: st.DataObject
) -> None:
    text = json.dumps(items, indent=data.draw(st.sampled_from([None, 1])))
    at = data.draw(st.integers(1, len(text)))
    broken = text[:at] + data.draw(st.sampled_from(["", "x", '"', "]", ",", "\n", "9", "{"])) + text[at + 1 :]
    assert repr(read(broken, chunk)) == repr(read(broken, 1 << 20))


@pytest.mark.parametrize("chunk", [1, 7, 1 << 20])
def test_every_item_knows_its_line(chunk: int) -> None:
    text = '[ {"a":\n1}, 2,\r\n\n3, "x\\n" \n, -Infinity]'
    assert [(row.place.line, row.place.item) for row in read(text, chunk)] == [
        (1, 0),
        (2, 1),
        (4, 2),
        (4, 3),
        (5, 4),
    ]


def test_the_column_counts_from_the_start_of_the_line() -> None:
    rows = read('[\n 1, 2, {"abc": 3, oops}]', 4)
    assert isinstance(rows[-1].value, Fault)
    assert "line 2 column 19" in rows[-1].value.text
