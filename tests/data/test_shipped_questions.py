"""The shipped question set is sound: every reference is proven, every grader fits, nothing is given away.

Every question has exactly one warrant: a proof, which computes the answer from the prompt by another
way than the question was made (see `proofs_easy`, `proofs_hard`, `proofs_rules`, `proofs_opt`), or, for
facts, a named source in its metadata.
"""

from __future__ import annotations

import contextlib
import io
import itertools
import json
import re
from collections import Counter, defaultdict
from fractions import Fraction
from pathlib import Path

import pytest

from data import proofs_easy, proofs_hard, proofs_opt, proofs_rules
from data.greedy import GREEDY
from data.prompts import find, numbers
from routemark.graders import check, grade, resolve
from routemark.questions import load, shipped
from routemark.records import Completion, Question

QUESTIONS = list(load(shipped()))
BY_ID = {question.id: question for question in QUESTIONS}
PROOFS = proofs_easy.PROOFS | proofs_hard.PROOFS | proofs_rules.PROOFS | proofs_opt.PROOFS
FACTS = {"single-facts", "chained-facts"}

PICKED_FROM_THE_PROMPT = {
    "message-fields",
    "one-table",
    "staff-list",
    "order-of-five",
    "timetable",
    "knights-and-knaves",
    "five-in-a-row",
    "word-list-edit",
    "log-audit",
}
"""Families whose answer must stand in the prompt, among others like it."""


def family(question: Question) -> str:
    name = question.metadata["family"]
    assert isinstance(name, str)
    return name


def grader_name(question: Question) -> str:
    spec = resolve(question)
    assert spec is not None
    return spec.name


def accepted(question: Question) -> list[str]:
    """Give the accepted answers in words; for a regex the example, for a choice the letter."""
    if grader_name(question) == "regex":
        return [question.metadata["example"]]
    return [
        str(text)
        for text in (question.reference if isinstance(question.reference, list) else [question.reference])
    ]


def score(question: Question, answer: str) -> float | None:
    found = grade("trial", question, Completion(text=answer, model="m", finish_reason="stop"))
    assert found is not None
    return found.score


ids = pytest.mark.parametrize("question_id", list(BY_ID))


# --------------------------------------------------------------------------- references


def test_every_question_is_warranted_by_exactly_one_proof_or_source():
    tables = (proofs_easy.PROOFS, proofs_hard.PROOFS, proofs_rules.PROOFS, proofs_opt.PROOFS)
    assert sum(map(len, tables)) == len(PROOFS), "a family has two proofs"
    for question in QUESTIONS:
        source = question.metadata.get("source")
        assert (family(question) in PROOFS) != (source is not None), question.id
        assert (family(question) in FACTS) == (source is not None), question.id
        named = source if isinstance(source, list) else [source or "-"]
        assert all(isinstance(text, str) and text.strip() for text in named), question.id
    assert set(PROOFS) <= {family(question) for question in QUESTIONS}, "a proof without questions"


@pytest.mark.parametrize("question_id", [q.id for q in QUESTIONS if family(q) in PROOFS])
def test_reference_is_what_the_proof_computes(question_id):
    question = BY_ID[question_id]
    value = PROOFS[family(question)](question)
    if grader_name(question) == "numeric":
        assert Fraction(str(question.reference)) == Fraction(str(value))
    elif grader_name(question) == "choice":
        assert question.choices is not None
        assert question.choices["ABCDEFGH".index(str(question.reference))] == value
    else:
        assert accepted(question)[0] == str(value)


def test_optimum_beats_the_obvious_rule_of_thumb():
    checked = [question for question in QUESTIONS if family(question) in GREEDY]
    assert {family(question) for question in checked} == set(GREEDY)
    for question in checked:
        assert GREEDY[family(question)](question) != question.reference, question.id


def test_optimisation_questions_ask_for_the_optimal_value():
    for question in QUESTIONS:
        if question.difficulty == "opt":
            assert isinstance(question.reference, int), question.id
            assert grader_name(question) == "numeric", question.id


# --------------------------------------------------------------------------- graders


@ids
def test_grader_has_no_fault(question_id):
    assert check(BY_ID[question_id]) == []


def wordings(answer: str) -> list[str]:
    return [
        answer,
        f"Final answer: {answer}",
        f"**Final answer:** {answer}",
        f"I went through it step by step and checked it twice.\n\nFinal answer: {answer}",
        f"<think>Maybe 12345? No.</think>\n\n{answer}\n",
    ]


@ids
def test_grader_accepts_the_reference_in_plain_words(question_id):
    question = BY_ID[question_id]
    for answer in accepted(question):
        for wording in wordings(answer):
            assert score(question, wording) == 1, wording


@ids
def test_grader_rejects_an_empty_answer_and_a_non_answer(question_id):
    question = BY_ID[question_id]
    for answer in ("", "  \n", "I am sorry, but I cannot help with that.", "Final answer: unknown"):
        assert score(question, answer) == 0, answer


@ids
def test_grader_rejects_a_wrong_answer(question_id):
    question = BY_ID[question_id]
    for wrong in wrong_answers(question):
        for wording in wordings(wrong):
            assert score(question, wording) == 0, wording


def wrong_answers(question: Question) -> list[str]:
    """Give answers that look right and are not."""
    right = accepted(question)[0]
    if grader_name(question) == "numeric":
        if "/" in right:
            top, bottom = right.split("/")
            return [f"{int(top) + 1}/{bottom}", f"{bottom}/{top}", "1"]
        value = float(right)
        return [f"{other:g}" for other in (value + 1, value - 0.25, 10 * value, -value)]
    if grader_name(question) == "choice":
        return [letter for letter in "ABCDEFGH"[: len(question.choices or [])] if letter != right]
    parts = re.split(r"(\W+)", right)
    words = parts[::2]
    turned = [*words[1:], words[0]] if len(set(words)) > 1 else [words[0] + "x"]
    mixed = "".join(itertools.chain.from_iterable(itertools.zip_longest(turned, parts[1::2], fillvalue="")))
    return [mixed, right + "x"]


def test_grader_rejects_the_answers_of_sister_questions():
    """The right answer to another question of the family is as plausible as a wrong answer gets."""
    families = defaultdict(list)
    for question in QUESTIONS:
        families[family(question)].append(question)
    for sisters in families.values():
        for one, other in itertools.permutations(sisters, 2):
            answer = accepted(other)[0]
            if answer not in accepted(one) and grader_name(one) == grader_name(other):
                assert score(one, answer) == 0, (one.id, answer)


# --------------------------------------------------------------------------- make-up of the set


def test_set_is_large_balanced_and_varied():
    difficulties = Counter(question.difficulty for question in QUESTIONS)
    assert set(difficulties) == {"easy", "hard", "opt"}
    assert min(difficulties.values()) >= 60
    assert max(difficulties.values()) == min(difficulties.values())
    families = Counter(family(question) for question in QUESTIONS)
    assert len(families) >= 40
    assert max(families.values()) <= 0.04 * len(QUESTIONS)
    assert len({question.category for question in QUESTIONS}) >= 14


def test_ids_say_difficulty_and_category_and_count_up():
    seen: Counter[tuple[str, str | None]] = Counter()
    for question in QUESTIONS:
        seen[question.difficulty, question.category] += 1
        number = seen[question.difficulty, question.category]
        assert question.id == f"{question.difficulty}-{question.category}-{number:03d}"


def test_a_family_has_one_difficulty_and_one_category():
    labels = defaultdict(set)
    for question in QUESTIONS:
        labels[family(question)].add((question.difficulty, question.category))
    assert all(len(found) == 1 for found in labels.values())


def test_file_holds_one_question_a_line():
    first, *lines, last, rest = shipped().read_text(encoding="utf-8").split("\n")
    assert (first, last, rest) == ("[", "]", "")
    assert [json.loads(line.rstrip(","))["id"] for line in lines] == list(BY_ID)


def test_prompts_are_short_and_long():
    lengths = sorted(len(question.question) for question in QUESTIONS)
    assert lengths[len(lengths) // 10] < 250
    assert sum(length > 1500 for length in lengths) >= 10


def shingles(text: str, size: int = 5) -> set[tuple[str, ...]]:
    words = re.findall(r"[a-z']+", text.lower())
    return {tuple(words[i : i + size]) for i in range(len(words) - size + 1)}


def test_no_two_questions_are_the_same_but_for_their_template():
    assert len({" ".join(question.question.split()).lower() for question in QUESTIONS}) == len(QUESTIONS)
    parts = [(family(question), shingles(question.question), question.id) for question in QUESTIONS]
    for (family_a, a, id_a), (family_b, b, id_b) in itertools.combinations(parts, 2):
        if family_a != family_b and a and b:
            assert len(a & b) / min(len(a), len(b)) < 0.5, (id_a, id_b)


def test_choice_questions_are_few_and_luck_helps_little():
    chosen = [question for question in QUESTIONS if question.choices]
    assert 0 < len(chosen) <= 0.15 * len(QUESTIONS)
    for question in chosen:
        assert question.choices is not None
        assert len(question.choices) == len(set(question.choices)) >= 5, question.id
        for letter, choice in zip("ABCDEFGH", question.choices, strict=False):
            assert f"\n{letter}) {choice}\n" in question.question, question.id
    letters = Counter(str(question.reference) for question in chosen)
    assert len(letters) >= 5
    assert max(letters.values()) <= 0.3 * len(chosen)


def test_a_regex_question_shows_an_accepted_answer():
    for question in QUESTIONS:
        assert (grader_name(question) == "regex") == ("example" in question.metadata), question.id


def test_prompts_do_not_give_the_answer_away():
    for question in QUESTIONS:
        if family(question) in PICKED_FROM_THE_PROMPT or question.choices:
            continue
        prompt = question.question.lower()
        for answer in accepted(question):
            if grader_name(question) != "numeric":
                assert answer.lower() not in prompt, question.id
            elif "/" in answer or abs(Fraction(answer)) >= 10:
                assert answer not in numbers(prompt), question.id
                assert answer not in prompt.split(), question.id


# --------------------------------------------------------------------------- the page about the set


def test_page_shows_what_its_command_prints_and_every_family():
    page = (Path(__file__).parents[2] / "docs" / "questions.md").read_text(encoding="utf-8")
    command, shown = find(r"(?s)```python\n(.*?)\n```\nprints\n```text\n(.*?)\n```", page)
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(command, {})
    assert out.getvalue().rstrip("\n") == shown
    rows = re.findall(r"(?m)^\| (easy|hard|opt) \| `([\w-]+)` \|", page)
    assert sorted(rows) == sorted({(question.difficulty, family(question)) for question in QUESTIONS})
