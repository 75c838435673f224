"""Resolving a grader, telling faults, and keeping wrong, no answer and could not tell apart."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routemark import graders
from routemark.graders.base import Grader, ToolError
from routemark.records import Completion, GraderSpec, Question


def question(reference=None, grader=None, choices=None, prompt="?", **options):
    spec = GraderSpec(name=grader, options=options) if grader else None
    return Question(
        id="q", difficulty="easy", question=prompt, reference=reference, choices=choices, grader=spec
    )


def answered(text, **fields):
    return Completion(text=text, model="m", **fields)


# --------------------------------------------------------------------------- resolve


@pytest.mark.parametrize(
    ("asked", "name"),
    [
        (question("B", choices=["x", "y"]), "choice"),
        (question(1, choices=["x", "y"]), "choice"),
        (question(42), "numeric"),
        (question(2.5), "numeric"),
        (question("42"), "numeric"),
        (question("-1,000.5"), "numeric"),
        (question("007"), "exact"),
        (question("17:03"), "exact"),
        (question("3/4"), "exact"),
        (question("42 km"), "exact"),
        (question("Paris"), "exact"),
        (question(["Paris", "paris"]), "exact"),
        (question("42", grader="exact"), "exact"),
        (question(grader="regex", pattern="x"), "regex"),
    ],
)
def test_the_grader_follows_from_the_reference(asked, name):
    spec = graders.resolve(asked)
    assert spec is not None
    assert spec.name == name


def test_without_a_reference_nothing_is_graded():
    assert graders.resolve(question()) is None
    assert graders.check(question()) == []
    assert graders.grade("t", question(), answered("42")) is None


# --------------------------------------------------------------------------- check


@pytest.mark.parametrize(
    ("asked", "fault"),
    [
        (question("x", "exat"), "grader: unknown grader 'exat'; did you mean 'exact'?"),
        (question("x", "jsn"), "grader: unknown grader 'jsn'; did you mean 'json'?"),
        (
            question("x", "exact", cas=True),
            "grader.cas: unknown option of 'exact'; did you mean 'case'?",
        ),
        (question("x", "exact", case="yes"), "grader.case: must be true or false, not 'yes'"),
        (question("x", "exact", case=1), "grader.case: must be true or false, not 1"),
        (question(1, "numeric", abs_tol=-1), "grader.abs_tol: must be a number, 0 or above, not -1"),
        (question(1, "numeric", rel_tol=True), "grader.rel_tol: must be a number, 0 or above, not True"),
        (question(1, "numeric", abs_tol=float("nan")), "grader.abs_tol: must be a number, 0 or above"),
        (question(None, "exact"), "reference: missing; the grader 'exact' needs one"),
        (question({"a": 1}, "exact"), "reference: must be a string or a list of strings, not {'a': 1}"),
        (question([], "exact"), "reference: the list is empty"),
        (question([None], "contains"), "reference: must be a string or a list of strings"),
        (question(" ", "exact"), "reference: is blank"),
        (question("Paris", "numeric"), "reference: must be a number, a fraction"),
        (question("3 or 4", "numeric"), "reference: must be a number, a fraction"),
        (question(True, "numeric"), "reference: must be a number, a fraction"),
        (question([1], "numeric"), "reference: must be a number, a fraction"),
        (question(float("inf"), "numeric"), "reference: must be a number, a fraction"),
        (
            question("Paris", "choice"),
            "choices: missing; without them the reference must be a letter, not 'Paris'",
        ),
        (
            question("C", choices=["x", "y"]),
            "reference: 'C' is neither a letter from A to B nor the text of a choice",
        ),
        (question("z", choices=["x", "y"]), "reference: 'z' is neither a letter from A to B"),
        (question(2, choices=["x", "y"]), "reference: 2 is neither a letter from A to B"),
        (question(["A"], choices=["x", "y"]), "reference: must be the letter or the text of a choice"),
        (question("B. x", choices=["x", "y"]), "reference: 'B. x' is neither a letter"),
        (question("A", choices=["B", "A"]), "reference: 'A' is a letter and the text of choice B"),
        (question("A", choices=["x"] * 27), "choices: at most 26"),
        (question(grader="regex"), "grader.pattern: missing"),
        (question(grader="regex", pattern="(a"), "grader.pattern: is no regular expression: "),
        (question(grader="regex", pattern=5), "grader.pattern: must be a string, not 5"),
        (
            question(grader="regex", patern="x"),
            "grader.patern: unknown option of 'regex'; did you mean 'pattern'?",
        ),
    ],
)
def test_faults_are_told(asked, fault):
    (told,) = graders.check(asked)
    assert told.startswith(fault)


def test_every_faulty_option_is_told():
    told = graders.check(question("1", "numeric", abs_tol="x", percnt=True))
    assert [fault.partition(":")[0] for fault in told] == ["grader.abs_tol", "grader.percnt"]


# --------------------------------------------------------------------------- grade


def test_a_grade_names_trial_grader_version_and_what_it_took():
    grade = graders.grade("key", question(42), answered("The answer is **42**."))
    assert grade is not None
    assert (grade.trial, grade.grader, grade.version, grade.score) == ("key", "numeric", 1, 1.0)
    assert grade.extracted == "42"


def test_wrong_no_answer_and_could_not_tell_are_apart():
    def outcome(text, **fields):
        grade = graders.grade("t", question(42), answered(text, **fields))
        return grade.score, grade.reason

    assert outcome("41") == (0.0, "is not 42 within the tolerance")
    assert outcome("") == (0.0, "no answer")
    assert outcome("<think>42") == (0.0, "no answer")
    assert outcome("\\boxed{6\\pi}")[0] is None
    assert "cut off" in outcome("41", finish_reason="length")[1]
    assert "cut off" in outcome("", finish_reason="length")[1]
    assert outcome("42", finish_reason="length") == (1.0, "")


def test_a_bug_in_a_grader_is_not_a_wrong_answer(monkeypatch):
    def broken(*_):
        raise ZeroDivisionError("oh")

    monkeypatch.setitem(graders.GRADERS, "exact", Grader("exact", 1, broken, lambda *_: []))
    grade = graders.grade("t", question("x"), answered("x"))
    assert (grade.score, grade.reason) == (None, "grader failed: ZeroDivisionError: oh")


def test_a_grader_that_is_not_known_could_not_tell():
    asked = question("x", "later")
    (fault,) = graders.check(asked)
    assert fault.startswith("grader: unknown grader 'later'")
    grade = graders.grade("t", asked, answered("x"))
    assert (grade.score, grade.version, grade.reason) == (None, 0, fault)


def test_a_grader_that_misses_its_tool_or_whose_tool_fails_could_not_tell():
    def broken(*_):
        raise ToolError("out of order")

    asked = question("x + 1", "math")
    answer = answered(r"\boxed{1 + x}")
    for tools, reason in (
        ({}, "the grader 'math' has no tool to work with here"),
        ({"math": broken}, "out of order"),
    ):
        grade = graders.grade("t", asked, answer, tools)
        assert (grade.score, grade.reason) == (None, reason)


def test_choices_are_read_from_the_prompt():
    prompt = "Which?\n\nOptions:\nA. Paris\nB. London\nC. 3\n\nGive the letter."
    assert graders.check(question("London", "choice", prompt=prompt)) == []
    assert graders.grade("t", question("B", "choice", prompt=prompt), answered("London")).score == 1
    assert graders.grade("t", question("B", "choice", prompt=prompt), answered("D")).score == 0
    assert graders.grade("t", question("2", "choice", prompt=prompt), answered("C")).score == 1


def test_a_strict_choice_is_a_letter_alone():
    def score(text):
        return graders.grade("t", question("B", "choice", ["x", "y"], strict=True), answered(text)).score

    assert [score(text) for text in ("B", r"\boxed{B}", "**(B)**", "The answer is B. It fits.")] == [1] * 4
    assert [score(text) for text in (r"\boxed{B. y}", "y", "A", "The answer is B because.")] == [0] * 4


# --------------------------------------------------------------------------- hostile answers

CITIES = ["Paris", "London", "New York", "A"]
ASKED = [
    question("Paris x", "exact"),
    question("B", "choice", CITIES),
    question(42, "numeric"),
    question(["a b", "c"], "contains"),
    question(r"2\sqrt{3}", "math"),
    question({"a": 1, "b": [1, 2]}, "json", partial=True),
    question([{"a": 1}, {"a": 2}], "json", partial=True, ordered=False),
    question(grader="json", schema={"type": "array", "uniqueItems": True, "items": {"type": "object"}}),
    question(["a", "b"], "set"),
    question([1, 2], "sequence", partial=True),
    question("a b c", "f1"),
    question({"name": "a", "arguments": {}}, "tool_call"),
    question(True, "refusal"),
    question(grader="instructions", rules=[{"rule": "words", "max": 9}, {"rule": "sentences", "max": 3}]),
    question(grader="instructions", rules=[{"rule": "highlights", "max": 9}, {"rule": "no_commas"}]),
    question("a", grader="composite", parts=[{"name": "exact"}, {"name": "contains", "weight": 2}]),
    question(grader="regex", pattern=r"(a|aa)+$"),
]
SIZE = 5_000_000
PIECES = [
    "{",
    "}",
    r"\boxed{",
    r"\boxed{1}",
    "<think>",
    "</think>",
    "<think",
    "the answer is ",
    "answer ",
    "answer:\n",
    "1,",
    "1,000,",
    "1",
    " ",
    "\n",
    "*",
    "_",
    "`",
    "$",
    "(",
    "A or ",
    "not A ",
    r"\frac{1}{",
    r"\text{",
    "1/",
    "2^",
    "1e9999 ",
    "x=1 ",
    "\u22481",
    "\u00bd",
    "\ufdfa",
    "a\u0300",
    "B is ",
    "B is not correct. ",
    "London, ",
    "five hundred ",
    "a",
    "[",
    "[1,",
    '{"a":',
    '{"a": 1}',
    "[1e999,",
    "```\n",
    "~~~",
    "- a\n",
    "1. A. ",
    "...",
    ", ",
    "\u2192",
    r"\{",
    r"\frac",
    "I cannot ",
    "I'm very sorry, ",
    "\u5317",
    "<<",
    "P.S. ",
]


@pytest.mark.parametrize("piece", PIECES)
def test_no_answer_costs_much_however_long_and_odd(piece):
    """Bounded well above the 0.1 s of a quiet machine, far below what anything quadratic would take."""
    answer = answered(piece * (SIZE // len(piece)))
    for asked in ASKED:
        start = time.process_time()
        grade = graders.grade("t", asked, answer)
        assert time.process_time() - start < 0.5
        assert "grader failed" not in grade.reason


PARTS = st.lists(
    st.one_of(
        st.sampled_from(
            [piece * 3 for piece in PIECES] + ["A", "B)", "42", "-", "%", "or", "=", "because", "\\"]
        ),
        st.text(max_size=8),
    ),
    max_size=12,
)


@settings(max_examples=200, deadline=None)
@given(PARTS)
def test_every_answer_gets_a_grade(parts):
    """Law: whatever the text, a grade comes back, in [0, 1] or none, the same each time."""
    answer = answered(" ".join(parts))
    for asked in ASKED[:-1]:
        grade = graders.grade("t", asked, answer)
        assert "grader failed" not in grade.reason
        assert grade.score is None or 0 <= grade.score <= 1
        assert grade.score == 1 or grade.reason
        assert graders.grade("t", asked, answer) == grade


@settings(max_examples=200, deadline=None)
@given(
    st.integers(-(10**12), 10**12),
    st.sampled_from(["{}", "{:,}", "The answer is {}.", "\\boxed{{{}}}", "x = {}"]),
)
def test_a_number_is_right_in_every_dress_and_its_neighbour_wrong(number, dress):
    asked = question(number, "numeric", rel_tol=0)
    assert graders.grade("t", asked, answered(dress.format(number))).score == 1
    assert graders.grade("t", asked, answered(dress.format(number + 1))).score == 0
    assert graders.grade("t", asked, answered(dress.format(10 * number + 1))).score == 0
