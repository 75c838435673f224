"""Several graders on one answer: their weighted mean, or no word at all when one of them cannot tell."""

import pytest

from routemark import graders
from routemark.records import Completion, GraderSpec, Question

SHORT = {"name": "instructions", "rules": [{"rule": "words", "max": 3}]}


def grade(text, reference, *parts, tools=graders.NO_TOOLS, **fields):
    spec = GraderSpec(name="composite", options={"parts": list(parts)})
    question = Question(id="q", difficulty="easy", question="?", reference=reference, grader=spec)
    assert graders.check(question) == []
    return graders.grade("t", question, Completion(text=text, model="m", **fields), tools)


@pytest.mark.parametrize(
    ("text", "parts", "score"),
    [
        ("Paris", [{"name": "exact"}, SHORT], 1),
        ("Rome", [{"name": "exact"}, SHORT], 0.5),
        ("It must be Rome then", [{"name": "exact"}, SHORT], 0),
        ("Rome", [{"name": "exact", "weight": 3}, SHORT], 0.25),
        ("Rome", [{"name": "exact", "weight": 0.5}, SHORT | {"weight": 1.5}], 0.75),
        ("Rome", [{"name": "exact", "reference": "Rome"}, SHORT], 1),
        ("paris", [{"name": "exact", "case": True}, {"name": "exact"}], 0.5),
        ("", [{"name": "exact"}, SHORT], 0),
        ("Paris", [{"name": "exact", "weight": 0.1}] * 3, 1),
    ],
)
def test_the_mean_is_weighted(text, parts, score):
    assert grade(text, "Paris", *parts).score == score


def test_parts_that_cannot_tell_silence_the_whole():
    given = grade(r"\boxed{1 + x}", "x + 1", {"name": "exact"}, {"name": "math"})
    assert given.score is None
    assert given.reason == "math: the grader 'math' has no tool to work with here"


def test_tools_reach_the_parts():
    tools = {"math": lambda expected, given: True}
    assert grade(r"\boxed{1 + x}", "x + 1", {"name": "math"}, tools=tools).score == 1


def test_a_part_that_needs_no_text_is_asked_about_an_answer_without():
    call = {"type": "function", "function": {"name": "f", "arguments": "{}"}}
    part = {"name": "tool_call", "reference": {"name": "f", "arguments": {}}}
    assert grade("", None, part, tool_calls=[call]).score == 1


def test_a_grade_says_what_each_part_found():
    given = grade("The answer is Rome.", "Paris", {"name": "exact"}, SHORT)
    assert given.extracted == "exact: Rome."
    assert (
        given.reason == "exact: the final answer is not an accepted one; instructions: not kept: words max=3"
    )
