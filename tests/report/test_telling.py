"""Questions that explain a verdict, and the lists made of them."""

import msgspec

import report_factory as factory
from routemark.records import ErrorRow, GradeRow
from routemark.report.lists import lists
from routemark.report.telling import MOST, Collector

CHEAP, GOOD, BEST = factory.MODELS
PLAIN = next(row for row in factory.make_rows(1) if row.grade)
RUN = factory.make_run()


def row(question: str, arm: str, score: float | None, cost: float | None = 0.01, **changes):
    grade = None if score is None else GradeRow(score=score, grader="exact", extracted="1", reason="")
    return msgspec.structs.replace(
        PLAIN, **{"id": question, "arm": arm, "grade": grade, "cost_usd": cost, "counted": True} | changes
    )


def collected(rows) -> Collector:
    found = Collector(RUN)
    for one in rows:
        found.add(one)
    return found


def ids(listed) -> list[str]:
    return [one.id for one in listed.questions]


def test_only_questions_with_different_scores_decide_in_plan_order():
    found = collected(
        [
            row("a", factory.ROUTER, 1.0), row("a", BEST, 0.0),
            row("b", factory.ROUTER, 0.0), row("b", BEST, 1.0),
            row("c", factory.ROUTER, 1.0), row("c", BEST, 1.0),
            row("d", factory.ROUTER, 0.5), row("d", BEST, 1.0),
        ]
    )  # fmt: skip
    alone, ahead = found.deciding(BEST)
    assert (ids(alone), ids(ahead)) == (["b", "d"], ["a"])
    assert alone.questions[0].other.arm == BEST


def test_paid_too_much_is_a_right_answer_at_more_than_twice_the_cheapest_right_one():
    found = collected(
        [
            row("a", factory.ROUTER, 1.0, 0.10), row("a", CHEAP, 1.0, 0.01), row("a", GOOD, 1.0, 0.02),
            row("b", factory.ROUTER, 1.0, 0.90), row("b", CHEAP, 0.0, 0.01), row("b", GOOD, 1.0, 0.02),
            row("c", factory.ROUTER, 1.0, 0.03), row("c", CHEAP, 1.0, 0.02),
            row("d", factory.ROUTER, 0.0, 0.90), row("d", CHEAP, 1.0, 0.02),
        ]
    )  # fmt: skip
    listed = found.overpaid()
    assert ids(listed) == ["b", "a"], "the dearest mistake first"
    assert [one.other.arm for one in listed.questions] == [GOOD, CHEAP]


def test_too_cheap_is_a_wrong_answer_where_a_dearer_model_was_right():
    found = collected(
        [
            row("a", factory.ROUTER, 0.0, 0.001), row("a", BEST, 1.0, 0.5),
            row("b", factory.ROUTER, 0.0, 0.001), row("b", GOOD, 1.0, 0.002), row("b", BEST, 1.0, 0.5),
            row("c", factory.ROUTER, 0.0, 0.010), row("c", GOOD, 1.0, 0.002),
            row("d", factory.ROUTER, 0.0, None), row("d", GOOD, 1.0, 0.002),
        ]
    )  # fmt: skip
    listed = found.underpaid()
    assert ids(listed) == ["b", "a"], "what would have cost least more comes first"


def test_repeats_are_averaged_and_what_does_not_count_is_left_out():
    found = collected(
        [
            row("a", factory.ROUTER, 1.0), row("a", factory.ROUTER, 0.0, repeat=1), row("a", BEST, 1.0),
            row("b", factory.ROUTER, 0.0, counted=False), row("b", BEST, 1.0, counted=False),
            row("c", factory.ROUTER, None), row("c", BEST, 1.0),
        ]
    )  # fmt: skip
    (one,) = found.deciding(BEST)[0].questions
    assert (one.id, one.own.score) == ("a", 0.5)


def test_a_call_that_the_service_failed_is_wrong_one_that_we_failed_unknown():
    def failed(question, kind):
        return row(
            question,
            factory.ROUTER,
            None,
            status="failed",
            error=ErrorRow(kind=kind, status=None, message=""),
        )

    found = collected(
        [failed("a", "server_error"), row("a", BEST, 1.0), failed("b", "bad_key"), row("b", BEST, 1.0)]
    )
    assert ids(found.deciding(BEST)[0]) == ["a"]


def test_lists_are_bounded_and_say_how_many_there_are():
    rows = [
        one for i in range(100) for one in (row(f"q{i}", factory.ROUTER, 0.0), row(f"q{i}", BEST, 1.0, 0.5))
    ]
    alone, _ = collected(rows).deciding(BEST)
    assert (len(alone.questions), alone.total) == (MOST, 100)
    assert ids(alone) == [f"q{i}" for i in range(MOST)]


def test_sections_name_router_and_baseline_and_are_left_out_without_a_question():
    rows = factory.make_rows()
    summary = factory.make_summary(rows)
    deciding, picked = lists(RUN, summary, collected(rows))
    assert deciding.title == f"The answers that decide: {factory.ROUTER} beside {BEST}"
    assert [part.title.split()[0] for part in picked.parts] == ["A", "A"]
    assert list(lists(RUN, summary, collected([]))) == []
    assert list(lists(RUN, msgspec.structs.replace(summary, graded=False), collected(rows))) == []
