"""What one page holds of many rows, and how its texts are cut."""

import random
from collections import Counter

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

import report_factory as factory
from routemark.report import sample
from routemark.report.clean import Clip

ROW = factory.make_rows(1)[1]


def rows_of(questions: int, arms: int = 2, difficulty=lambda i: "easy"):
    for i in range(questions):
        for arm in range(arms):
            yield msgspec.structs.replace(ROW, id=f"q{i}", arm=f"arm{arm}", difficulty=difficulty(i))


def take(rows, limit=sample.MAX_ROWS) -> sample.Sample:
    sampler = sample.Sampler(limit)
    for row in rows:
        sampler.add(row)
    return sampler.taken()


def test_few_rows_are_all_kept_in_their_order():
    taken = take(rows_of(50), limit=100)
    assert [entry.id for entry in taken.entries] == [f"q{i}" for i in range(50)]
    assert (taken.seen, taken.kept) == (100, 100)
    assert all([kept.row.arm for kept in entry.trials] == ["arm0", "arm1"] for entry in taken.entries)


def test_of_many_rows_whole_questions_are_kept_up_to_the_limit():
    taken = take(rows_of(5000), limit=300)
    assert taken.seen == 10_000
    assert 290 <= taken.kept == sum(len(entry.trials) for entry in taken.entries) <= 300
    assert all(len(entry.trials) == 2 for entry in taken.entries)


def test_rare_difficulties_keep_their_share_of_the_page():
    taken = take(rows_of(3000, difficulty=lambda i: "rare" if i % 30 == 0 else "common"), limit=300)
    kept = Counter(entry.difficulty for entry in taken.entries)
    assert 70 <= kept["rare"] <= 80
    assert 70 <= kept["common"] <= 80


def test_what_is_kept_does_not_depend_on_the_order_within_the_run():
    rows = list(rows_of(1000))
    shuffled = rows.copy()
    random.Random(1).shuffle(shuffled)
    kept = {entry.id for entry in take(rows, limit=200).entries}
    assert len(kept) > 90
    assert {entry.id for entry in take(shuffled, limit=200).entries} == kept


def test_a_dropped_question_does_not_come_back_in_parts():
    rows = list(rows_of(600, arms=7))
    random.Random(2).shuffle(rows)
    taken = take(rows, limit=200)
    assert {len(entry.trials) for entry in taken.entries} == {7}


def test_as_many_difficulties_as_questions_neither_lose_nor_hoard():
    taken = take(rows_of(2000, difficulty=str), limit=200)
    assert 190 <= taken.kept <= 200


def test_a_long_answer_is_not_held():
    (entry,) = take([msgspec.structs.replace(ROW, answer="x" * 10**6)]).entries
    assert entry.trials[0].answer == ("x" * sample.MAX_HELD, 10**6)
    assert entry.trials[0].row.answer is None


@pytest.mark.parametrize(
    ("sizes", "budget", "limit"),
    [([], 100, 0), ([10, 20], 100, 20), ([10, 200, 300], 100, 45), ([50, 50], 10, 5), ([0, 0], 10, 0)],
)
def test_level(sizes, budget, limit):
    assert sample.level(sizes, budget) == limit


@given(st.lists(st.integers(0, 10_000), min_size=1), st.integers(0, 100_000))
def test_the_level_spends_the_budget_and_no_more(sizes, budget):
    limit = sample.level(sizes, budget)
    assert sum(min(size, limit) for size in sizes) <= budget
    if max(sizes) > limit:
        assert sum(min(size, limit + 1) for size in sizes) > budget


@given(st.text(), st.integers(0, 60))
def test_a_shortened_text_is_a_beginning_of_that_weight(text, limit):
    shown = sample.shorten(Clip(text, len(text)), limit)
    assert text.startswith(shown.text)
    assert sample.weight(shown.text) <= limit
    if shown.cut:
        assert sample.weight(text[: len(shown.text) + 1]) > limit


def test_the_weight_is_what_html_takes():
    assert sample.weight("<&>\"'\u00fc") == len("&lt;&amp;&gt;&#34;&#39;\u00fc".encode())
