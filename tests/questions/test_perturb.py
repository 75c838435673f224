"""Perturbed copies: changed, but in nothing that matters."""

import random
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routemark import graders
from routemark.questions import load, shipped
from routemark.questions.perturb import KINDS, perturb
from routemark.records import Completion, GraderSpec, Question
from routemark.wire.request import letter

PROMPT_KINDS = [kind for kind in KINDS if kind != "choices"]
PROSE = (
    "The committee of Rostock considered several proposals before lunch. Afterwards another member asked for "
    "details! Which proposal was finally accepted by everybody?"
)


def asked(text, **fields):
    return Question(**{"id": "q", "difficulty": "easy", "question": text, "reference": "x"} | fields)


def made(kind, text, seed=0, **fields):
    copy = perturb(asked(text, **fields), kind, seed)
    return None if copy is None else copy.question


# ----------------------------------------------------------------------------- laws

WORDS = st.sampled_from(
    [
        "the",
        "quick",
        "Vienna",
        "number",
        "because",
        "42",
        "3.5",
        "1,000",
        "between",
        "answer",
        "options",
        "Paris",
        "don't",
        "B-17",
        "12:30",
        "résumé",
        "I",
        "A",
        "question",
        "sentence",
        "whether",
    ]
)
CODE = st.sampled_from(["```python\nwhile running:\n    counter += 10\n```", "`some_function argument`"])
QUOTED = st.sampled_from(
    ['"Final answer: <number>"', "\u201chello there friend\u201d", "'quoted words'", "$x + y$"]
)
LINES = st.sampled_from(["- apples: 4 each", "| name | price |", "A) north", "Words: amber, magnet, button"])


@st.composite
def prompts(draw):
    parts = []
    for _ in range(draw(st.integers(1, 4))):
        sentence = " ".join(draw(st.lists(WORDS, min_size=5, max_size=14)))
        parts.append(sentence[0].upper() + sentence[1:] + draw(st.sampled_from([".", "?", "!"])))
        parts += draw(st.lists(st.one_of(CODE, QUOTED, LINES), max_size=1))
    return draw(st.sampled_from([" ", "\n", "\n\n"])).join(parts)


def kept(text):
    """What must come through unchanged, in order."""
    fences = re.findall(r"```.*?```", text, re.DOTALL)
    prose = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    inside = re.findall(r"`[^`\n]+`|\"[^\"]+\"|\u201c[^\u201d]+\u201d|\$[^$]+\$", prose)
    lines = re.findall(r"^(?:- .*|\|.*|[A-F]\) .*|Words: .*)$", text, re.MULTILINE)
    return fences, inside, re.findall(r"\d[\d.,:]*\d|\d", text), [line.rstrip() for line in lines]


@given(text=prompts(), kind=st.sampled_from(PROMPT_KINDS), seed=st.integers(0, 99))
def test_code_quotes_numbers_and_lists_stay_and_something_changes(text, kind, seed):
    copy = perturb(asked(text), kind, seed)
    if copy is None:
        return
    assert copy.question != text
    assert kept(copy.question) == kept(text)
    assert (copy.reference, copy.choices, copy.difficulty) == ("x", None, "easy")
    assert copy == perturb(asked(text), kind, seed), "the same seed gives the same copy"


@given(text=prompts(), seed=st.integers(0, 99))
def test_each_kind_changes_only_what_it_is_named_for(text, seed):
    plain = " ".join(text.split())
    typed, low, spaced = (made(kind, text, seed) or text for kind in ("typos", "case", "space"))
    assert sorted(typed) == sorted(text)
    assert [len(word) for word in typed.split()] == [len(word) for word in text.split()]
    assert low.lower() == text.lower()
    assert " ".join(spaced.split()) == plain
    assert made("polite", text, seed).endswith(text)


@given(st.text(max_size=300), st.sampled_from(list(KINDS)))
@settings(max_examples=200)
def test_no_prompt_breaks_it(text, kind):
    copy = perturb(asked(text or "?"), kind, 0)
    assert copy is None or copy.question != text


# ----------------------------------------------------------------------------- by hand


def test_a_copy_names_its_original_and_keeps_its_family():
    copy = perturb(asked(PROSE, id="q7", category="c", metadata={"family": "f"}), "typos", 3)
    assert copy.id == "q7~typos"
    assert copy.metadata == {"family": "f", "perturbed_from": "q7", "perturbation": "typos"}
    assert copy.category == "c"


def test_another_seed_gives_another_copy_and_another_question_other_typos():
    assert len({made("typos", PROSE, seed) for seed in range(20)}) > 5
    assert made("typos", PROSE, 0, id="a") != made("typos", PROSE, 0, id="b")


def test_typos_swap_inner_letters_of_plain_words():
    before, after = PROSE.split(), made("typos", PROSE).split()
    changed = [(old, new) for old, new in zip(before, after, strict=True) if old != new]
    assert changed
    for old, new in changed:
        word = old.strip(".!?")
        assert word.islower()
        assert len(word) >= 5
        assert (new[0], new.strip(".!?")[-1]) == (old[0], word[-1])


def test_words_of_the_answer_are_never_misspelt():
    text = "Which animal is larger than every elephant that anybody has seen walking there?"
    grader = GraderSpec(name="contains", options={"all": True})
    for seed in range(30):
        copy = made("typos", text, seed, reference=["elephant", "whale"], grader=grader)
        assert "elephant" in copy
    bent = "Translate the sentence with elephants, please, into another language today"
    assert all("elephants" in made("typos", bent, seed, reference="elephant") for seed in range(30))


def test_case_leaves_names_and_single_letters():
    text = "Rostock has a harbour. Which ships left Rostock on Monday? I wonder. A ship sank there."
    assert made("case", text) == (
        "Rostock has a harbour. which ships left Rostock on Monday? I wonder. A ship sank there."
    )


def test_nothing_to_change_makes_no_copy():
    assert made("typos", "2 + 2 = ?") is None
    assert made("case", "what is the sum of two and two here?") is None
    assert made("space", "```\ncode that stays just as it is\n```") is None


def test_space_does_not_split_numbers():
    for seed in range(20):
        assert "10 000 000 people" in made("space", "There are 10 000 000 people who live there now.", seed)


def test_of_a_conversation_the_last_user_message_changes():
    messages = [
        {"role": "system", "content": PROSE},
        {"role": "user", "content": "Earlier question about several things."},
        {"role": "assistant", "content": PROSE},
        {"role": "user", "content": PROSE},
    ]
    copy = perturb(asked(PROSE, messages=messages), "typos", 0)
    assert copy.messages[:3] == messages[:3]
    assert copy.messages[3]["content"] == copy.question != PROSE
    assert messages[3]["content"] == PROSE, "the original is as it was"
    parts = [{"role": "user", "content": [{"type": "text", "text": PROSE}]}]
    assert perturb(asked(PROSE, messages=parts), "polite", 0) is None


# ----------------------------------------------------------------------------- choices

TEXTS = ["red apple", "green pear", "blue plum", "black cherry"]
LISTED = "Which fruit fits best?\n" + "\n".join(f"{letter(i)}) {text}" for i, text in enumerate(TEXTS))


def right_text(question):
    found = graders.choice.choices_of(question)
    return found.texts[graders.choice.right_letter(question, found)]


@pytest.mark.parametrize("reference", ["C", "(C)", "blue plum", "2", "C. blue plum"])
@pytest.mark.parametrize("text", [LISTED, "Which fruit fits best?"])
@pytest.mark.parametrize("seed", range(4))
def test_the_reference_goes_with_its_choice(reference, text, seed):
    question = asked(text, choices=TEXTS, reference=reference)
    copy = perturb(question, "choices", seed)
    assert right_text(copy) == right_text(question) == "blue plum"
    assert copy.reference != "C", "the right one stands elsewhere"
    assert sorted(copy.choices) == sorted(TEXTS)
    if text == LISTED:
        shown = graders.choice.labelled(copy.question)
        assert shown == copy.choices
    for index, name in enumerate(copy.choices):
        answer = Completion(text=letter(index), model="m")
        assert graders.grade("t", copy, answer).score == (name == "blue plum")


def test_choices_that_stand_in_the_prompt_alone_are_reordered_there():
    question = asked(LISTED + "\n\nAnswer with a letter.", reference="D", grader=GraderSpec(name="choice"))
    copy = perturb(question, "choices", 0)
    assert copy.choices is None
    assert right_text(copy) == "black cherry"
    assert copy.question.endswith("\n\nAnswer with a letter.")


@pytest.mark.parametrize(
    ("text", "choices"),
    [
        ("Which?", ["one", "two", "all of the above"]),
        ("Which?", ["one", "two", "neither of them"]),
        ("Which?", ["one", "two", "A and B"]),
        ("Compare option A with the others.", ["one", "two", "three"]),
        ("Which of one, two and three?", ["one", "two", "three"]),
        ("Which?", ["one", "one", "three"]),
    ],
)
def test_choices_whose_order_matters_are_left_out(text, choices):
    assert perturb(asked(text, choices=choices, reference="A"), "choices", 0) is None


def test_other_graders_have_no_choices_to_reorder():
    assert perturb(asked(LISTED, reference="red apple"), "choices", 0) is None


# ----------------------------------------------------------------------------- the shipped questions


@pytest.fixture(scope="module")
def some():
    return random.Random(1).sample(list(load(shipped())), 150)


def test_most_shipped_questions_take_each_change(some):
    for kind in PROMPT_KINDS:
        taken = [copy for question in some if (copy := perturb(question, kind, 0))]
        assert len(taken) > 0.9 * len(some)
        assert all(not graders.check(copy) for copy in taken)


def test_shipped_choice_questions_are_reordered():
    found = [question for question in load(shipped()) if question.choices]
    copies = [perturb(question, "choices", 0) for question in found]
    assert len(found) > 10
    for question, copy in zip(found, copies, strict=True):
        assert copy is not None, question.id
        assert right_text(copy) == right_text(question)
