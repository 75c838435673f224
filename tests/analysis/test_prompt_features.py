"""What is read off a prompt, one table; and that it is kept once a question."""

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.worlds import answer, grade, question
from routemark.analysis.matrix.columns import Columns, Table
from routemark.analysis.rules.prompt_features import FEATURES, features, prompt_of, skeleton

NAMES = [feature.name for feature in FEATURES]
TABLE = [
    ("", {"characters": 0, "digits": 0, "code": 0, "question_marks": 0, "non_ascii": 0}),
    ("What is 17 + 4?", {"characters": 15, "digits": 3 / 15, "question_marks": 1, "code": 0, "choices": 0}),
    ("Caf\u00e9 \u4e2d\u6587", {"characters": 7, "non_ascii": 3 / 7}),
    ("Why? Really? \ud800", {"question_marks": 2, "non_ascii": 1 / 14}),
    ("Run ```x = 1```", {"code": 1}),
    ("Fix this:\ndef f(x):\n    return x", {"code": 1}),
    ("int main() {\n}", {"code": 1}),
    ("Who is the import minister of a class?", {"code": 0}),
    ("Pick one.\nA. red\nB. blue", {"choices": 1}),
    ("Pick (A) red or (B) blue", {"choices": 1}),
    ("A. is the only letter\nC. here", {"choices": 0}),
    (r"Solve \frac{1}{2} x = 3", {"latex": 1, "code": 0}),
    ("It costs $5 and $6, or 5\\6", {"latex": 0}),
    ('Read {"a": 1}', {"json": 1}),
    ("Read {a}", {"json": 0}),
]


@pytest.mark.parametrize(("prompt", "wanted"), TABLE)
def test_features_of_a_prompt(prompt, wanted):
    found = dict(zip(NAMES, features(prompt), strict=True))
    assert {name: found[name] for name in wanted} == pytest.approx(wanted)


@given(st.text())
def test_shares_are_shares_and_flags_are_flags(prompt):
    for feature, value in zip(FEATURES, features(prompt), strict=True):
        assert value >= 0
        assert feature.kind != "share" or value <= 1
        assert feature.kind != "flag" or value in {0, 1}
        assert feature.kind != "count" or value == int(value)


@pytest.mark.parametrize(
    ("prompt", "other", "alike"),
    [
        ("What is 17 * 23?", "What is 4 + 5?", True),
        ("What is  17?", "WHAT IS 17", True),
        ("What is 17?", "Who is 17?", False),
        ("", "12 34", True),
    ],
)
def test_near_duplicates_share_their_skeleton(prompt, other, alike):
    assert (skeleton(prompt) == skeleton(other)) == alike


def test_the_prompt_is_the_text_as_sent():
    assert prompt_of(question("q", question="Why?")) == "Why?"
    assert prompt_of(question("q", question="Which?", choices=["red", "blue"])) == "Which?\n\nA. red\nB. blue"
    talk = [
        {"role": "user", "content": [{"type": "text", "text": "Which?"}]},
        {"role": "assistant", "content": "I think:"},
    ]
    spoken = question("q", question="Which?", messages=talk, choices=["red", "blue"])
    assert prompt_of(spoken) == "Which?\nA. red\nB. blue"


def test_a_prompt_is_measured_once_a_question_in_any_order():
    prompts = {name: f"{'x' * i} {i}?" for i, name in enumerate(("a", "b", "c"))}
    tables = []
    for order in (["a", "a", "b", "b", "c", "c"], ["c", "a", "b", "b", "a", "c"]):
        columns = Columns()
        for arm, name in zip(["m", "r"] * 3, order, strict=True):
            columns.append(question(name, question=prompts[name]), answer(arm, name), grade(1.0))
        assert len(columns.prompt_question) <= 5
        tables.append(Table(columns, ["m", "r"]).prompts())
    assert np.array_equal(tables[0].features, tables[1].features)
    assert sorted(tables[0].features.tolist()) == sorted(
        list(features(prompt)) for prompt in prompts.values()
    )
    assert len(set(tables[0].skeleton)) == 3


def test_measuring_costs_little():
    prompt = "A café receipt lists 3 lines, each with a price: how much is paid in all?\n" * 7
    start = time.perf_counter()
    for _ in range(2_000):
        features(prompt)
    assert (time.perf_counter() - start) / 2_000 < 200e-6  # some 15 microseconds on an idle machine
