"""What a filter leaves is what going through all rows one by one would leave; URLs carry filters there and back."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.datastructures import QueryParams

import journals
from routemark.journal import encode
from routemark.records import Question
from routemark.report.page import status
from routemark.rundir import RunDirectory
from routemark.viewer.filters import Filter
from routemark.viewer.opened import OpenRun, positions
from routemark.viewer.prompts import fold

ASKED = [
    *journals.questions(60),
    Question(id="Größe", difficulty="hard", question="Die STRASSE ist lang", reference="x"),
    Question(
        id="quoted", difficulty="opt", question='say "zebra\\" \n\t now', category="with <b>", reference="x"
    ),
]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    draw = random.Random(3)
    lines = []
    for question in ASKED:
        for arm in journals.ARMS[: draw.randint(0, 4)]:
            fate = draw.random()
            if fate < 0.2:
                lines.append(
                    encode(
                        journals.failed(
                            question, arm, kind=draw.choice(["rate_limit_platform", "bad_gateway"])
                        )
                    )
                )
                continue
            text, reason = draw.choice(["Final: 4", "", " "]), draw.choice(["stop", "length"])
            answer = journals.outcome(
                question,
                arm,
                text=text,
                finish_reason=reason,
                latency_s=fate,
                cost_usd=draw.choice([None, fate]),
            )
            lines.append(encode(answer))
            if fate < 0.8:
                lines.append(encode(journals.grade(question, arm, draw.choice([0.0, 1.0, 0.5, None]))))
    path = journals.make(tmp_path_factory.mktemp("runs"), "run", ASKED, lines)
    return OpenRun(RunDirectory(path), path / "index")


def matches(row, wanted: Filter) -> bool:
    """Whether a trial is what the filter is about, by its row."""
    odd = {
        "": True,
        "truncated": row.finish_reason == "length",
        "empty": row.answer is not None and not row.answer.strip(),
    }
    return (
        wanted.arm in ("", row.arm)
        and wanted.model in ("", row.model)
        and wanted.status in ("", status(row))
        and wanted.kind in ("", row.error and row.error.kind)
        and odd[wanted.odd]
    )


def expected(rows, wanted: Filter) -> tuple[list[str], int]:
    """Ids of questions and number of trials, one by one."""
    by_id = {}
    for row in rows:
        by_id.setdefault(row.id, []).append(row)
    found, trials = [], 0
    for name, own in by_id.items():
        scores = {row.grade.score for row in own if row.grade and row.grade.score is not None}
        text = f"{name} {own[0].question}".casefold()
        hits = sum(matches(row, wanted) for row in own)
        if (
            hits
            and wanted.difficulty in ("", own[0].difficulty)
            and wanted.category in ("", own[0].category)
            and (not wanted.disagree or len(scores) > 1)
            and all(word.casefold() in text for word in wanted.words)
        ):
            found.append(name)
            trials += hits
    return found, trials


def mostly_empty(*values: str):
    """Two in three times no filter, so that several together still leave something."""
    return st.sampled_from(["", *values]).flatmap(lambda one: st.sampled_from(["", "", one]))


some = {
    "q": mostly_empty(
        "zebra",
        "ZEBRA q0",
        "explain number",
        "strasse",
        "stra\u00dfe",
        "gr\u00f6\u00dfe",
        '"zebra\\"',
        "nowhere",
    ),
    "arm": mostly_empty(*journals.ARMS, "no/arm"),
    "model": mostly_empty(*journals.ARMS[1:], "no/model"),
    "status": mostly_empty("right", "wrong", "partial", "failed", "not graded", "odd"),
    "kind": mostly_empty("rate_limit_platform", "bad_gateway", "timeout"),
    "odd": mostly_empty("truncated", "empty"),
    "difficulty": mostly_empty(*journals.DIFFICULTIES, "none"),
    "category": mostly_empty(*journals.CATEGORIES, "with <b>"),
    "disagree": st.booleans(),
}
filters = st.builds(Filter, **some)


@settings(max_examples=60, deadline=None)
@given(filters)
def test_it_leaves_what_going_through_all_rows_leaves(run, wanted):
    reader = run.reader()
    found = run.select(reader, wanted)
    ids = [reader.questions[int(reader.table.question[place])].id for place in found.questions]
    assert (ids, found.trials) == expected(reader.rows(range(len(reader.table))), wanted)
    assert all(matches(row, wanted) for row in reader.rows([i for i, kept in enumerate(found.rows) if kept]))


@given(filters, st.integers(1, 99), st.sampled_from(["plan", "cost", "slow", "newest"]))
def test_a_filter_goes_into_a_url_and_comes_back(wanted, page, sort):
    wanted = Filter(**{name: getattr(wanted, name) for name in some}, page=page, sort=sort)
    assert Filter.parse(QueryParams(wanted.url())) == wanted
    assert Filter.parse(QueryParams(wanted.url(page=1))).page == 1
    assert wanted.narrows is (wanted.url(page=1, sort="plan") != "")


@pytest.mark.parametrize(
    "query", ["page=-1", "page=x", "page=99999999999999999999", "page=\u00b2", "sort=__class__", "x=1"]
)
def test_what_is_no_filter_is_passed_over(query):
    assert Filter.parse(QueryParams(query)) == Filter()


@pytest.mark.parametrize(("sort", "column"), [("cost", "cost_usd"), ("slow", "latency_s")])
def test_an_order_goes_by_the_largest_of_a_question_and_unknown_comes_last(run, sort, column):
    reader = run.reader()
    places = run.select(reader, Filter(sort=sort)).questions
    best = [
        max((getattr(row, column) or 0.0 for row in reader.rows(reader.table.rows_of(place))), default=0.0)
        for place in places.tolist()
    ]
    assert best == sorted(best, reverse=True)
    assert sorted(places.tolist()) == list(range(len(reader.table.first)))


def test_turning_pages_does_not_filter_again(run):
    reader = run.reader()
    assert run.select(reader, Filter(q="zebra", page=1)) is run.select(reader, Filter(q="zebra", page=2))


def test_the_neighbours_of_a_question_are_those_that_the_filter_leaves(run):
    reader = run.reader()
    found = run.select(reader, Filter(difficulty="hard"))
    first, second, *_, last = found.questions.tolist()
    assert positions(found, first) == (None, second)
    assert positions(found, second)[0] == first
    assert positions(found, last)[1] is None
    absent = next(place for place in range(len(reader.table.first)) if place not in found.questions.tolist())
    assert positions(found, absent) == (None, None)


def test_words_are_searched_across_the_blocks_of_a_long_text(tmp_path, monkeypatch):
    monkeypatch.setattr("routemark.viewer.prompts._BLOCK", 1000)
    asked = journals.questions(300)
    path = journals.make(tmp_path, "run", asked, journals.full(asked))
    prompts = OpenRun(RunDirectory(path), path / "index").reader().table.prompts
    for words in (["zebra"], ["q000299"], ["explain", "number"], ["e"], ["zebra", "q0001"], ["nowhere"]):
        wanted = [all(fold(word) in fold(f"{one.id}\n{one.question}") for word in words) for one in asked]
        assert prompts.having(words).tolist() == wanted


def test_a_run_of_which_nothing_is_answered_yet_has_an_empty_table(tmp_path):
    path = journals.make(tmp_path, "run", ASKED, [], status="running")
    run = OpenRun(RunDirectory(path), path / "index")
    reader = run.reader()
    assert len(reader.table) == len(run.select(reader, Filter(q="zebra", status="right")).questions) == 0
    (path / "journal.jsonl").unlink()
    assert len(run.reader().table) == 0
