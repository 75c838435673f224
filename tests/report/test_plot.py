"""The picture in characters: where things stand, and that it keeps to its width."""

import pytest
from rich.cells import cell_len

import report_factory as factory
from routemark.report import text
from routemark.report.plot import Dot, frontier

DOTS = [
    Dot("openrouter/auto", 0.1, 0.68, True), Dot("sim/heron", 0.33, 0.72, False), Dot("sim/osprey-max", 26.0, 0.9, False),
]  # fmt: skip


def place(lines: list[str], named: str) -> tuple[int, int]:
    ((x, y),) = [(line.index(named), y) for y, line in enumerate(lines) if named in line]
    return x, y


def test_right_is_dearer_and_up_is_better():
    lines = frontier(DOTS, [], 100)
    router, cheap = place(lines, "openrouter/auto"), place(lines, "sim/heron")
    best = place(lines, "sim/osprey-max o")
    assert router[0] < cheap[0] < best[0]
    assert router[1] > cheap[1] > best[1]


@pytest.mark.parametrize("width", [100, 117, 240])
def test_no_line_is_wider_than_the_terminal(width):
    dots = [Dot(f"模型/{'long-' * i}name", 10.0 ** (i - 4), 0.3 + i / 20, i % 2 == 0) for i in range(9)]
    lines = frontier(dots, [(0.01, 0.4), (1.0, 0.6)], width)
    assert lines
    assert max(cell_len(line) for line in lines[:-1]) <= width


def test_names_that_find_no_room_are_told_below():
    dots = [Dot(f"sim/model-{i}", 1.0 + i / 1000, 0.5, False) for i in range(12)]
    lines = frontier(dots, [], 100)
    assert lines[-1].startswith("No room for the name of: ")
    assert sum(f"sim/model-{i}" in "\n".join(lines) for i in range(12)) == 12


def test_a_narrow_terminal_and_a_single_arm_have_none():
    assert frontier(DOTS, [], 99) == []
    assert frontier(DOTS[:1], [], 200) == []


def test_the_summary_has_it_from_a_hundred_cells_on():
    summary = factory.make_summary(factory.make_rows())
    title = "Accuracy by cost per 1,000 questions"
    assert title in text.render(factory.make_run(), summary, width=100, color=False)
    assert title not in text.render(factory.make_run(), summary, width=99, color=False)
