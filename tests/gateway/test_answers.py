"""Wordings: what is meant as right is accepted by the graders, what is meant as wrong is not."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routemark.gateway.answers import say
from routemark.gateway.catalogue import BY_ID, CATALOGUE
from routemark.gateway.knowledge import Knowledge
from routemark.graders import grade
from routemark.records import Completion, GraderSpec, Question

COLOURS = ["crimson", "teal", "ochre", "mauve"]


def spec(name, **options):
    return GraderSpec(name=name, options=options)


def question(reference, grader=None, **fields):
    return Question(id="q", difficulty="hard", question="Q", reference=reference, grader=grader, **fields)


CASES = {
    "number": question(1234567),
    "negative": question(-40),
    "zero": question(0),
    "decimal": question(2.75),
    "tolerant": question(100.0, spec("numeric", abs_tol=5)),
    "unit": question("12.5 km", spec("numeric")),
    "fraction": question("3/4", spec("numeric")),
    "word": question("Paris"),
    "synonyms": question(["red", "scarlet"], spec("exact")),
    "case matters": question("kWh", spec("exact", case=True)),
    "sentence": question("Dr. No is here", spec("exact")),
    "contains one": question(["teal"], spec("contains")),
    "contains all": question(["teal", "ochre"], spec("contains", all=True)),
    "choice by letter": question("C", choices=COLOURS),
    "choice by text": question("teal", choices=COLOURS),
    "choice in the prompt": question("B", spec("choice"), choices=["A cat", "a dog", "I", "it"]),
    "math": question(r"2\sqrt{3}", spec("math")),
    "math with variables": question("x^2 + 2x + 1", spec("math")),
    "math set": question(r"\{1, 2\}", spec("math")),
    "math number": question("1/3", spec("math")),
    "json": question({"name": "Ada", "age": 36}, spec("json")),
    "json list, partial": question([1, "two", None], spec("json", partial=True)),
    "json by schema": question(
        None,
        spec("json", schema={"type": "object", "required": ["a"]}),
        metadata={"example": '{"a": 1}'},
    ),
    "set": question(["red", "green", "light blue"], spec("set")),
    "set of numbers": question([2, 3, 5.5], spec("set", partial=True)),
    "set of titles": question(["Rock, Paper", "He and She; Us"], spec("set")),
    "set of one": question(["red"], spec("set")),
    "sequence": question(["B", "A", "C"], spec("sequence")),
    "sequence of sentences": question(["Go on.", "Stop, now!", "The end is near: run"], spec("sequence")),
    "sequence with a separator": question(["b", "a"], spec("sequence", separator="/")),
    "f1": question("the quick brown fox", spec("f1")),
    "f1, several": question(["A fox is red.", "Foxes are red, mostly."], spec("f1")),
    "tool call": question({"name": "f", "arguments": {"x": 1, "y": ["a"]}}, spec("tool_call")),
    "tool call without arguments": question({"name": "f", "arguments": {}}, spec("tool_call")),
    "refusal": question(True, spec("refusal")),
    "no refusal": question(False, spec("refusal")),
    "no refusal, with example": question(
        False, spec("refusal"), metadata={"example": "Use `kill -9 PID`, where PID is its number."}
    ),
    "instructions": question(
        None,
        spec("instructions", rules=[{"rule": "words", "max": 5}, {"rule": "no_commas"}]),
        metadata={"example": "Dogs bark at night."},
    ),
    "instructions, minimum": question(
        None,
        spec("instructions", rules=[{"rule": "sentences", "min": 2}, {"rule": "lowercase"}], all=False),
        metadata={"example": "dogs bark. cats do not."},
    ),
    "composite": question(
        "Paris",
        spec(
            "composite",
            parts=[{"name": "contains"}, {"name": "instructions", "rules": [{"rule": "words", "max": 3}]}],
        ),
        metadata={"example": "It is Paris"},
    ),
    "regex": question(None, spec("regex", pattern=r"\b\d{4}-\d{2}\b"), metadata={"example": "2024-05"}),
    "regex, whole": question(None, spec("regex", pattern="[a-z]+ ?", full=True), metadata={"example": "ok"}),
}


def answers(asked, repeats=12):
    others = [
        Question(id=f"other {i}", difficulty="hard", question=f"O{i}", reference=word)
        for i, word in enumerate(["Lima", "Oslo", "blue", "Sum"])
    ]
    item = Knowledge([asked, *others]).find([{"role": "user", "content": _prompt(asked)}])
    assert item is not None
    for model in CATALOGUE:
        for repeat in range(repeats):
            yield say(model, item, 1, 5, repeat)


def _prompt(asked):
    if not asked.choices:
        return asked.question
    return (
        asked.question + "\n\n" + "\n".join(f"{x}. {c}" for x, c in zip("ABCD", asked.choices, strict=True))
    )


@pytest.mark.parametrize("name", CASES)
def test_graders_accept_exactly_the_answers_meant_as_right(name):
    asked = CASES[name]
    kinds = set()
    for said in answers(asked):
        score = grade("t", asked, Completion(text=said.text, model="m")).score
        assert (score == 1) == (said.kind == "right"), said.text
        kinds.add(said.kind)
    assert {"right", "wrong"} <= kinds


@settings(max_examples=60, deadline=None)
@given(st.integers(-(10**12), 10**12) | st.floats(-1e6, 1e6).map(lambda value: round(value, 3)))
def test_any_number_is_answered_right_and_wrong_in_ways_that_graders_tell_apart(reference):
    asked = question(reference, spec("numeric"))
    for said in answers(asked, repeats=2):
        score = grade("t", asked, Completion(text=said.text, model="m")).score
        assert (score == 1) == (said.kind == "right"), said.text


def test_right_answers_are_worded_in_many_ways():
    texts = {said.text for said in answers(CASES["number"]) if said.kind == "right"}
    assert any("\\boxed{" in text for text in texts)
    assert any("**" in text for text in texts)
    assert any("Final answer: " in text for text in texts)
    assert any(text.startswith("The answer is ") for text in texts)
    assert {"1234567", "1,234,567"} <= texts


def test_rare_kinds_are_rare_and_only_among_wrong_answers():
    said = [one.kind for asked in CASES.values() for one in answers(asked, repeats=20)]
    for kind in ("runaway", "refusal", "empty"):
        assert 0.002 < said.count(kind) / len(said) < 0.03


def test_a_regex_without_a_known_example_gets_a_plain_non_answer():
    asked = question(None, spec("regex", pattern="^x{40}$"))
    assert {said.kind for said in answers(asked)} <= {"unknown", "wrong", "runaway", "refusal", "empty"}


def test_an_unknown_prompt_gets_a_non_answer_that_names_the_simulated_model():
    said = say(BY_ID["sim/heron"], None, 42, 0, 0)
    assert said.kind == "unknown"
    assert "sim/heron, a simulated model" in said.text
