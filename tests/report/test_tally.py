"""Counts of right answers by model and label."""

import msgspec

import report_factory as factory
from routemark.report.tally import Tally


def test_a_cell_counts_the_graded_answers_of_one_model_there():
    rows = factory.make_rows(240)
    tally = Tally()
    for row in rows:
        tally.add(row)
    mine = [
        row.grade.score
        for row in rows
        if row.arm == factory.ROUTER and row.model == "sim/sparrow-mini" and row.difficulty == "easy"
    ]
    assert len(mine) >= 20
    cell = tally.cell(factory.ROUTER, "difficulty", "easy", "sim/sparrow-mini")
    assert cell == (f"{100 * sum(mine) / len(mine):.1f} %", "full")


def test_ungraded_and_uncounted_answers_are_in_no_cell():
    row = next(row for row in factory.make_rows(3) if row.model and row.grade.score == 1.0)
    left_out = [
        msgspec.structs.replace(row, counted=False),
        msgspec.structs.replace(row, grade=None),
        msgspec.structs.replace(row, grade=msgspec.structs.replace(row.grade, score=None)),
    ]
    tally = Tally()
    for one in [*left_out, row]:
        tally.add(one)
    assert tally.cell(row.arm, "category", row.category, row.model) == ("1 of 1", "few")
    assert tally.cell(row.arm, "category", row.category, "other") == ("n/a", "none")


def test_a_cell_below_twenty_has_wilsons_interval():
    row = next(row for row in factory.make_rows(3) if row.model and row.grade.score == 1.0)
    wrong = msgspec.structs.replace(row, grade=msgspec.structs.replace(row.grade, score=0.0))
    tally = Tally()
    for one in [row] * 7 + [wrong] * 5:
        tally.add(one)
    assert tally.cell(row.arm, "difficulty", row.difficulty, row.model) == ("7/12 [32, 81]", "grey")
