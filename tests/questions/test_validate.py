"""One row, its Question or all its faults."""

from __future__ import annotations

from typing import Any

import pytest

from routemark.questions.fields import near_miss
from routemark.questions.validate import check_row
from routemark.records import GraderSpec, Question

BASE: dict[str, Any] = {"id": "a", "difficulty": "easy", "question": "2 + 2?"}
USER = {"role": "user", "content": "hello"}


def told(row: Any) -> list[str]:
    return [fault.told("here") for fault in check_row(row).faults]


def good(row: dict[str, Any]) -> Question:
    verdict = check_row(row)
    assert verdict.faults == []
    assert verdict.question is not None
    return verdict.question


def deep(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


FAULTY: list[tuple[dict[str, Any], str, str]] = [
    # what is added to BASE (None: taken away), the field named, words of the fault
    ({"id": ""}, "id", "is empty"),
    ({"id": "  "}, "id", "is empty"),
    ({"id": True}, "id", "must be text or a number, not true or false"),
    ({"id": ["a"]}, "id", "must be text or a number, not a list"),
    ({"id": "a\nb"}, "id", "control character U+000A"),
    ({"id": "a\x85b"}, "id", "control character U+0085"),
    ({"id": "x" * 513}, "id", "has 513 characters; at most 512"),
    ({"id": "\ud800"}, "id", "half of a surrogate pair (U+D800)"),
    ({"question_id": "b"}, "question_id", 'means the same as "id"'),
    ({"difficulty": None}, "difficulty", "is missing"),
    ({"difficulty": ""}, "difficulty", "is empty"),
    ({"difficulty": {"level": 1}}, "difficulty", "must be text or a number, not an object"),
    ({"difficulty": float("nan")}, "difficulty", "must be text or a number"),
    ({"difficulty": None, "dificulty": "easy"}, "dificulty", 'did you mean "difficulty"?'),
    ({"question": None}, "question", "is missing"),
    ({"question": " \n"}, "question", "is empty"),
    ({"question": 5}, "question", "must be text, not a number: 5"),
    ({"question": {"text": "hi"}}, "question", "must be text, not an object"),
    ({"question": "a\0b"}, "question", "NUL"),
    ({"question": "caf\udce9"}, "question", "byte 0xE9, which is not UTF-8"),
    ({"input": "other"}, "input", 'means the same as "question"'),
    ({"question": None, "prompt": "a", "input": "b"}, "input", 'means the same as "prompt"'),
    ({"question": None, "promt": "a"}, "promt", 'did you mean "prompt"?'),
    ({"messages": [USER]}, "question", "differs from the last user message"),
    ({"question": None, "messages": []}, "messages", "has no message of the user"),
    ({"question": None, "messages": "hello"}, "messages", "must be a list of messages, not text"),
    ({"question": None, "messages": ["hello"]}, "messages", "message 0 (from 0) must be an object"),
    ({"question": None, "messages": [{"role": "system", "content": "x"}]}, "messages", "no message of the user"),
    ({"question": None, "messages": [USER, {"role": "bot", "content": "x"}]}, "messages", 'message 1 (from 0) has the role "bot"'),
    ({"question": None, "messages": [{"content": "x"}]}, "messages", "has the role null"),
    ({"question": None, "messages": [{"role": "user"}]}, "messages", "needs content"),
    ({"question": None, "messages": [{"role": "user", "content": []}]}, "messages", "needs content"),
    ({"question": None, "messages": [{"role": "user", "content": ""}]}, "messages", "is empty"),
    ({"question": None, "messages": [{"role": "user", "content": ["x"]}]}, "messages", "part without a type"),
    ({"question": None, "messages": [{"role": "user", "content": [{"type": "text"}]}]}, "messages", "without text"),
    ({"question": None, "input": [{"role": "bot", "content": "x"}]}, "input", 'has the role "bot"'),
    ({"question": [USER], "messages": [{"role": "user", "content": "x"}]}, "question", "another conversation"),
    ({"reference": ""}, "reference", "is empty; leave it out"),
    ({"reference": float("inf")}, "reference", "inf, which is not a number in JSON"),
    ({"reference": {"a": [1, float("nan")]}}, "reference", "nan"),
    ({"reference": deep(150)}, "reference", "nested deeper than 100 levels"),
    ({"refrence": "4"}, "refrence", 'did you mean "reference"?'),
    ({"Target": "4"}, "Target", 'did you mean "target"?'),
    ({"reference": "4", "answer": "5"}, "answer", 'means the same as "reference"'),
    ({"target": " "}, "target", "is empty"),
    ({"choises": ["a", "b"]}, "choises", 'did you mean "choices"?'),
    ({"choices": "a|b"}, "choices", 'must be a list of texts, not text: "a|b"'),
    ({"choices": {"A": "x", "B": "y"}}, "choices", "must be a list of texts, not an object"),
    ({"choices": []}, "choices", "needs at least two texts, has 0"),
    ({"options": ["a"]}, "options", "needs at least two texts, has 1"),
    ({"choices": ["a", None]}, "choices", "choice 1 (from 0) must be text, not null"),
    ({"choices": ["a", " "]}, "choices", "choice 1 (from 0) must be text"),
    ({"choices": ["Yes", "no", " yes"]}, "choices", "choices 0 and 2 (from 0) are the same"),
    ({"choices": ["a", "b\0"]}, "choices", "choice 1 (from 0) holds a NUL"),
    ({"choices": [str(n) for n in range(27)]}, "choices", "has 27 texts; at most 26"),
    ({"grader": ""}, "grader", "must be a name, or an object"),
    ({"grader": ["exact"]}, "grader", "must be a name, or an object"),
    ({"grader": {"case": True}}, "grader", "must be a name, or an object"),
    ({"grader": {"name": "exact", "case": True, "options": {"case": False}}}, "grader", "each once"),
    ({"grader": {"name": "numeric", "abs_tol": float("inf")}}, "grader", "not a number in JSON"),
    ({"reference": "4", "grader": "exat"}, "grader", "exat"),
    ({"category": ["x"]}, "category", "must be text or a number"),
    ({"category": "a\tb"}, "category", "control character U+0009"),
    ({"metadata": "x"}, "metadata", "must be an object, not text"),
    ({"metadata": {"a": float("nan")}}, "metadata", "nan"),
    ({"metadata": {"a\0": 1}}, "metadata", "NUL"),
    ({"metadata": {"source": 1}, "source": 2}, "source", 'stands in "metadata", too, with another value'),
    ({"source": ["\udfff"]}, "source", "surrogate"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "field", "words"), FAULTY, ids=[str(n) for n in range(len(FAULTY))])
def test_a_faulty_field_is_named_with_what_is_wrong_and_nothing_else_is(
    change: dict[str, Any], field: str, words: str
) -> None:
    row = {name: value for name, value in (BASE | change).items() if value is not None}
    faults = told(row)
    assert len(faults) == 1, faults
    assert faults[0].startswith(f"here: {field}: ")
    assert words in faults[0]


def test_every_fault_of_a_row_is_found_at_once() -> None:
    faults = told({"id": "", "dificulty": "x", "question": 1, "choices": ["a"], "grader": 3, "metadata": []})
    assert [fault.split(": ")[1] for fault in faults] == [
        "dificulty", "id", "question", "choices", "grader", "metadata",
    ]  # fmt: skip


def test_a_grader_is_checked_in_a_row_that_is_faulty_elsewhere() -> None:
    faults = told({"id": "a", "question": "q", "reference": "x", "grader": "no-such-grader"})
    assert [fault.split(": ")[1] for fault in faults] == ["difficulty", "grader"]


def test_what_a_grader_says_about_the_reference_is_told_under_the_name_in_the_file() -> None:
    (fault,) = told(BASE | {"target": "no number at all", "grader": "numeric"})
    assert fault.startswith("here: target: ")


@pytest.mark.parametrize("row", [[1], "text", 3, None, True])
def test_a_row_that_is_no_object_is_one_fault_without_a_field(row: Any) -> None:
    (fault,) = told(row)
    assert fault.startswith("here: a question is an object, not ")


def test_the_three_fields_alone_are_a_question() -> None:
    assert good(BASE) == Question(id="a", difficulty="easy", question="2 + 2?")


def test_every_alias_means_its_field() -> None:
    row = {
        "question_id": "a",
        "difficulty": "x",
        "prompt": "q",
        "expected": "b",
        "options": ["a", "b"],
        "topic": "t",
    }
    assert good(row) == Question(
        id="a", difficulty="x", question="q", reference="b", choices=["a", "b"], category="t"
    )
    assert good(BASE | {"answer": "4"}).reference == good(BASE | {"target": "4"}).reference == "4"
    assert good(BASE | {"subject": "s"}).category == "s"


def test_a_name_and_its_alias_with_the_same_value_are_one_field() -> None:
    assert good(BASE | {"question_id": "a", "input": BASE["question"]}).id == "a"


def test_numbers_become_text_where_text_is_meant() -> None:
    question = good(
        {"id": 7, "difficulty": 0.5, "question": "q", "choices": [1, 2.5], "reference": 1, "category": 3}
    )
    assert (question.id, question.difficulty, question.category) == ("7", "0.5", "3")
    assert (question.choices, question.reference) == (["1", "2.5"], "1")
    assert good(BASE | {"reference": 1}).reference == 1


def test_labels_are_stripped_and_prompts_are_not() -> None:
    question = good({"id": " a ", "difficulty": "easy\n", "question": " q\n", "category": " "})
    assert (question.id, question.difficulty, question.question, question.category) == (
        "a",
        "easy",
        " q\n",
        None,
    )


def test_ids_may_hold_slashes_dots_and_any_letters() -> None:
    assert good(BASE | {"id": "mmlu/pro.v2#7 été"}).id == "mmlu/pro.v2#7 été"


def test_unknown_fields_are_kept_in_the_metadata() -> None:
    question = good(BASE | {"source": "wiki", "metadata": {"family": "f"}, "year": 2020, "note": None})
    assert question.metadata == {"source": "wiki", "family": "f", "year": 2020}


def test_null_is_as_good_as_absent() -> None:
    nothing = dict.fromkeys(("reference", "choices", "grader", "category", "metadata", "messages"))
    assert good(BASE | nothing) == good(BASE)


@pytest.mark.parametrize(
    "grader",
    [
        {"name": "exact", "case": True},
        {"name": "exact", "options": {"case": True}},
    ],
)
def test_grader_options_stand_beside_the_name_or_in_an_object(grader: dict[str, Any]) -> None:
    spec = good(BASE | {"reference": "x", "grader": grader}).grader
    assert spec == GraderSpec(name="exact", options={"case": True})


def test_the_prompt_of_a_conversation_is_its_last_user_message() -> None:
    parts = [{"type": "text", "text": "see"}, {"type": "image_url", "image_url": {"url": "data:"}}]
    messages = [USER, {"role": "assistant", "content": "hi"}, {"role": "user", "content": parts}]
    for name in ("messages", "question", "input"):
        question = good({"id": "a", "difficulty": "x", name: messages})
        assert (question.question, question.messages) == ("see\n[image_url]", messages)
    assert good({"id": "a", "difficulty": "x", "question": "hello", "messages": [USER]}).question == "hello"


def test_an_assistant_that_calls_a_tool_needs_no_content() -> None:
    call = {"role": "assistant", "content": None, "tool_calls": [{"id": "1"}]}
    assert good({"difficulty": "x", "messages": [USER, call, {"role": "tool", "content": "3"}]}).messages


def test_a_missing_id_is_made_of_what_is_asked_and_of_nothing_else() -> None:
    first = good({"difficulty": "x", "question": "q", "reference": "1"})
    again = good({"difficulty": "y", "prompt": "q", "reference": "2", "metadata": {"a": 1}})
    other = good({"difficulty": "x", "question": "q", "choices": ["1", "2"]})
    assert first.id == again.id != other.id
    assert first.id.startswith("q-")
    assert len(first.id) == 18


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("refrence", "reference"), ("References", "reference"), ("anwser", "answer"), ("answers", "answer"),
        ("expcted", "expected"), ("targets", "target"), ("choice", "choices"), ("choises", "choices"),
        ("option", "options"), ("dificulty", "difficulty"), ("Difficulty", "difficulty"), ("graders", "grader"),
        ("message", "messages"), ("Question", "question"), ("inputs", "input"),
    ],
)  # fmt: skip
def test_misspellings_are_recognised(name: str, meant: str) -> None:
    assert near_miss(name, ["id"]) == meant


@pytest.mark.parametrize(
    "name",
    [
        "source", "preference", "grade", "category_id", "difficulty_level", "question_type", "output", "solution",
        "model", "cost", "language", "tags", "created_at", "rationale", "explanation", "context", "level", "score",
    ],
)  # fmt: skip
def test_ordinary_names_are_no_misspellings(name: str) -> None:
    assert near_miss(name, ["id"]) is None


def test_a_name_close_to_a_field_that_is_there_is_metadata() -> None:
    question = good(BASE | {"reference": "4", "answers": ["4", "four"]})
    assert question.metadata == {"answers": ["4", "four"]}


def test_values_from_the_file_are_quoted_short_and_harmless() -> None:
    (fault,) = told(BASE | {"metadata": "\x1b[31m" + "x" * 500})
    assert "\x1b" not in fault
    assert "\\x1b[31m" in fault
    assert len(fault) < 160
