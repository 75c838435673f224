"""Tables fit, and say what they had to leave off."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from routemark.report.layout import Column, fit, grid

COLUMNS = [
    Column("first", ["1", "22"]),
    Column("second", ["a", "bb"], rank=1),
    Column("third", ["c", "dd"], rank=3),
    Column("fourth", ["e", "ff"], rank=2),
]


@pytest.mark.parametrize(
    ("width", "titles"),
    [
        (80, ["first", "second", "third", "fourth"]),
        (26, ["first", "second", "fourth"]),
        (20, ["first", "second"]),
        (12, ["first"]),
        (1, ["first"]),
    ],
)
def test_the_highest_rank_goes_first_and_rank_zero_never(width, titles):
    assert [column.title for column in fit(COLUMNS, width)] == titles


def test_names_stand_beside_their_cells_where_they_fit():
    lines = [line.plain for line in grid("Arm", ["x", "yy"], COLUMNS[:2], 40).lines]
    assert lines == ["Arm  first  second", "\u2500" * 18, "x        1       a", "yy      22      bb"]


def test_long_names_stand_above_their_cells():
    lines = [line.plain for line in grid("Arm", ["x" * 30, "y"], COLUMNS[:2], 35).lines]
    assert lines[2:] == ["x" * 30, "      1       a", "y", "     22      bb"]


def test_dropped_columns_are_named():
    assert grid("Arm", ["x", "y"], COLUMNS, 20).dropped == ["third", "fourth"]


@given(
    st.lists(
        st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cf", "Mn", "Me"]), max_size=12),
        min_size=2,
        max_size=2,
    ),
    st.integers(40, 100),
)
def test_every_line_fits(cells, width):
    table = grid(
        "Arm", ["a", "b"], [Column("one", cells), Column("two", cells, 1), Column("three", cells, 2)], width
    )
    assert all(cell_len(line.plain) <= width for line in table.lines)
