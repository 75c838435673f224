"""What is doubtful about a faultless set of questions."""

import random

import pytest

from routemark.questions.doubts import MOST_COMPARED, accepts_nothing, alike, doubts, gives_away
from routemark.records import GraderSpec, Question

LONG = "A train leaves the station at noon and travels north at sixty miles an hour for three hours before it stops for lunch"


def question(
    text: str = "What is it?", reference: object = None, name: str | None = None, **fields: object
) -> Question:
    options = fields.pop("options", {})
    spec = GraderSpec(name=name, options=options) if name else None  # type: ignore[arg-type]
    return Question(
        **{"id": "q", "difficulty": "e", "question": text, "reference": reference, "grader": spec, **fields}
    )  # type: ignore[arg-type]


def many(texts: list[str], **fields: object) -> list[Question]:
    return [question(text, id=f"q{n}", **fields) for n, text in enumerate(texts)]


def test_nothing_is_doubtful_about_a_sound_set() -> None:
    assert doubts(many([f"What is {n} plus {n}?" for n in range(40)])) == []


@pytest.mark.parametrize(
    ("asked", "empty"),
    [
        (question(reference=4), False),
        (question(reference="x"), False),
        (question(), False),
        (question(reference=False, name="refusal"), False),
        (question(name="regex", options={"pattern": "(yes)?"}), True),
        (question(name="regex", options={"pattern": "yes"}), False),
        (question(reference=".", name="exact"), True),
    ],
)
def test_graders_that_take_an_answer_that_says_nothing_are_found(asked: Question, empty: bool) -> None:
    assert accepts_nothing(asked) is empty
    told = '1 question would take an answer that says nothing for a right one: "q"'
    assert (told in doubts([asked])) is empty


@pytest.mark.parametrize(
    ("asked", "given_away"),
    [
        (question("Which city is the capital of France, Paris or Lyon?", "Paris"), True),
        (question("Which city is the capital of France?", "Paris"), False),
        (question("Name a parisian.", "Paris"), False),
        (question("What does 250 mean?", "25", "exact"), False),
        (question("Say New  York, please.", ["NYC", "new york"], "contains"), True),
        (question("Is 4 even?", "4", "exact"), False),
        (question("A. Paris B. Lyon", "Paris", choices=["Paris", "Lyon"]), False),
        (question("What is 391 as a word?", 391), False),
    ],
)
def test_references_in_the_prompt_are_found(asked: Question, given_away: bool) -> None:
    assert gives_away(asked) is given_away


def test_the_same_question_twice_is_told_whatever_its_case_and_spacing() -> None:
    asked = many(["What is  it?", "what IS it", "What was it?"] + [f"No {n}" for n in range(30)])
    assert doubts(asked) == ['1 question is asked twice: "q0" and "q1"']
    with_choices = [
        question("Pick.", id="a", choices=["x", "y"]),
        question("Pick.", id="b", choices=["x", "z"]),
    ]
    assert not any("twice" in doubt for doubt in doubts(with_choices))


def test_near_duplicates_are_told_unless_they_are_one_family() -> None:
    other = " ".join(reversed(LONG.split()))
    asked = many([LONG, other, LONG + " today", *[f"No {n}" for n in range(30)]])
    (told,) = doubts(asked)
    assert told.startswith("1 pair of questions is nearly the same;")
    assert told.endswith('"q0" and "q2"')
    assert alike(many([LONG, LONG + " today"], metadata={"family": "trains"})) == set()
    assert alike(many(["What is 3 plus 4?", "What is 3 plus 5?"])) == set()


def test_near_duplicates_are_found_and_others_are_not() -> None:
    rng = random.Random(5)
    words = [f"word{n}" for n in range(300)]
    texts = [" ".join(rng.choices(words, k=60)) for _ in range(300)]
    near = [text + " and more" for text in texts[:50]]
    assert alike(many(texts + near)) == {(n, 300 + n) for n in range(50)}


def test_for_a_large_set_it_is_said_that_near_duplicates_were_not_looked_for() -> None:
    asked = question("x y z")

    class Large(list):
        def __len__(self) -> int:
            return MOST_COMPARED + 1

    (told,) = [doubt for doubt in doubts(Large([asked])) if "near" in doubt]
    assert (
        told
        == "near-duplicates were not looked for: that is done for up to 20,000 questions, here are 20,001"
    )


def test_labels_with_few_questions_are_told() -> None:
    asked = many([f"No {n}" for n in range(35)]) + many(
        [f"Hard {n}" for n in range(3)], difficulty="hard\x1b"
    )
    assert doubts(asked) == ["fewer than 30 questions of a difficulty are too few to compare: hard\\x1b 3"]
