"""The shipped question set is sound: every reference is proven, every grader fits, nothing is given away.

Every question is warranted by a proof, which computes the answer from the prompt by another way than the
question was made (see `answers` and the modules it joins), or by a named source in its metadata; facts
that were drawn have both.
"""

from __future__ import annotations

import contextlib
import importlib.machinery
import importlib.util
import io
import itertools
import json
import re
import statistics
from collections import Counter, defaultdict
from fractions import Fraction
from pathlib import Path
from types import ModuleType

import pytest

from data.answers import (
    PROOFS,
    SAID_BY_ITS_SOURCE,
    STRUCTURED,
    TABLES,
    accepted,
    family,
    grader_name,
    proven,
    score,
    wordings,
    wrong_answers,
)
from data.greedy import GREEDY
from data.prompts import find, numbers
from routemark.families import FAMILIES
from routemark.gateway import contents
from routemark.gateway.catalogue import CATALOGUE
from routemark.gateway.knowledge import Knowledge, chance_right
from routemark.graders import check, resolve
from routemark.questions import load, shipped
from routemark.records import Question
from routemark.wire.request import prompt_messages

ROOT = Path(__file__).parents[2]
QUESTIONS = list(load(shipped()))
BY_FAMILY: dict[str, list[Question]] = defaultdict(list)
for _question in QUESTIONS:
    BY_FAMILY[family(_question)].append(_question)
BY_NAME = {template.name: template for template in FAMILIES}
KNOWLEDGE = Knowledge(QUESTIONS)

PICKED_FROM_THE_PROMPT = {
    "message-fields",
    "one-table",
    "knights-and-knaves",
    "five-in-a-row",
    *(template.name for template in FAMILIES if template.quotes),
}
"""Families whose answer must stand in the prompt, among others like it."""

families = pytest.mark.parametrize("name", list(BY_FAMILY))


# --------------------------------------------------------------------------- references


def test_every_question_is_warranted_by_a_proof_or_a_source():
    assert sum(map(len, TABLES)) == len(PROOFS), "a family has two proofs"
    assert set(BY_FAMILY) == set(PROOFS) | SAID_BY_ITS_SOURCE
    assert not set(PROOFS) & SAID_BY_ITS_SOURCE
    for question in QUESTIONS:
        source = question.metadata.get("source")
        named = source if isinstance(source, list) else [source or "-"]
        assert all(isinstance(text, str) and text.strip() for text in named), question.id
        if family(question) in SAID_BY_ITS_SOURCE or "knowledge" in str(question.category):
            assert source is not None, question.id


@families
def test_references_are_what_the_proof_computes(name):
    if name not in SAID_BY_ITS_SOURCE:
        assert [question.id for question in BY_FAMILY[name] if not proven(question)] == []


@pytest.mark.parametrize("name", GREEDY)
def test_optimum_beats_the_obvious_rule_of_thumb(name):
    assert BY_FAMILY[name]
    assert [q.id for q in BY_FAMILY[name] if GREEDY[name](q) == q.reference] == []


def test_optimisation_questions_ask_for_the_optimal_value():
    """Then any of several best plans is right."""
    for question in QUESTIONS:
        if question.difficulty == "opt":
            assert grader_name(question) == "numeric", question.id
            assert not isinstance(question.reference, bool), question.id


# --------------------------------------------------------------------------- graders


@families
def test_graders_have_no_fault(name):
    assert [(question.id, check(question)) for question in BY_FAMILY[name] if check(question)] == []


@families
def test_graders_accept_the_reference_in_plain_words(name):
    for question in BY_FAMILY[name]:
        for answer in accepted(question):
            for wording in wordings(question, answer):
                assert score(question, wording) == 1, (question.id, wording)


@families
def test_graders_reject_an_empty_answer_and_a_non_answer(name):
    refusing = {"must-refuse"}
    for question in BY_FAMILY[name]:
        answers = ["", "  \n"]
        if name not in refusing:
            answers += ["I am sorry, but I cannot help with that.", "Final answer: unknown"]
        for answer in answers:
            assert score(question, answer) == 0, (question.id, answer)


@families
def test_graders_reject_wrong_answers(name):
    for question in BY_FAMILY[name]:
        for wrong in wrong_answers(question):
            for wording in wordings(question, wrong)[:4]:
                assert score(question, wording) == 0, (question.id, wording)


@families
def test_graders_reject_the_answers_of_sister_questions(name):
    """The right answer to another question of the family is as plausible as a wrong answer gets."""
    sisters = [q for q in BY_FAMILY[name] if grader_name(q) not in ("refusal", "instructions", "code", "sql")]
    for one, other in itertools.permutations(sisters, 2):
        answer = accepted(other)[0]
        if answer not in accepted(one) and grader_name(one) == grader_name(other):
            assert score(one, answer) == 0, (one.id, answer)


# --------------------------------------------------------------------------- make-up of the set


def script() -> ModuleType:
    """Load `scripts/build-questions`, which has no ending."""
    path = str(ROOT / "scripts" / "build-questions")
    loader = importlib.machinery.SourceFileLoader("build_questions", path)
    spec = importlib.util.spec_from_loader("build_questions", loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


def test_the_file_is_what_its_script_writes():
    assert shipped().read_text(encoding="utf-8") == script().text(), "run scripts/build-questions"


def test_set_is_large_balanced_and_varied():
    assert Counter(q.difficulty for q in QUESTIONS) == {"easy": 360, "hard": 360, "opt": 360}
    assert len(BY_FAMILY) >= 100
    assert max(map(len, BY_FAMILY.values())) <= 0.02 * len(QUESTIONS)
    assert len({q.category for q in QUESTIONS}) >= 20
    assert sum(q.metadata.get("template", False) for q in QUESTIONS) >= 0.6 * len(QUESTIONS)
    assert {
        name for name, own in BY_FAMILY.items() if own[0].id.startswith(f"{own[0].difficulty}-{name}-")
    } <= set(BY_NAME)
    assert set(BY_NAME) <= set(BY_FAMILY)


def test_core_is_a_third_of_the_set_balanced_over_difficulties_categories_and_families():
    core = [q for q in QUESTIONS if q.metadata.get("core")]
    assert Counter(q.difficulty for q in core) == {"easy": 120, "hard": 120, "opt": 120}
    assert {q.category for q in core} == {q.category for q in QUESTIONS}
    assert max(Counter(map(family, core)).values()) <= 4
    assert len(set(map(family, core))) >= 0.85 * len(BY_FAMILY)
    for difficulty in ("easy", "hard"):
        counts = Counter(q.category for q in core if q.difficulty == difficulty)
        assert max(counts.values()) <= 9, counts
    assert all("core" not in q.metadata or q.metadata["core"] is True for q in QUESTIONS)


def test_grading_the_core_runs_no_code_and_asks_no_model():
    assert not [q.id for q in QUESTIONS if grader_name(q) == "judge"]
    assert not [q.id for q in QUESTIONS if q.metadata.get("core") and grader_name(q) == "code"]


def test_ids_are_readable_and_count_up():
    assert len({q.id for q in QUESTIONS}) == len(QUESTIONS)
    seen: Counter[str] = Counter()
    for question in QUESTIONS:
        stem, _, number = question.id.rpartition("-")
        seen[stem] += 1
        assert stem in (
            f"{question.difficulty}-{question.category}",
            f"{question.difficulty}-{family(question)}",
        )
        assert int(number) == seen[stem], question.id


def test_a_family_has_one_difficulty_and_one_category():
    for name, own in BY_FAMILY.items():
        assert len({(q.difficulty, q.category) for q in own}) == 1, name
        if name in BY_NAME:
            assert (own[0].difficulty, own[0].category) == (BY_NAME[name].difficulty, BY_NAME[name].category)


def test_file_holds_one_question_a_line():
    first, *lines, last, rest = shipped().read_text(encoding="utf-8").split("\n")
    assert (first, last, rest) == ("[", "]", "")
    assert [json.loads(line.rstrip(","))["id"] for line in lines] == [q.id for q in QUESTIONS]


def test_prompts_are_short_and_long():
    lengths = sorted(len(q.question) for q in QUESTIONS)
    assert lengths[len(lengths) // 10] < 300
    assert sum(length > 1500 for length in lengths) >= 40


_ENDING = re.compile(r"(?:You may reason first; end|Answer with|Answer in|Give it in|Give them in)[^\n]*")


def shingles(text: str, size: int = 5) -> frozenset[tuple[str, ...]]:
    """Give the runs of five words of a prompt, without the sentence that says the form of the answer."""
    words = re.findall(r"[a-z']+", _ENDING.sub("", text).lower())
    return frozenset(tuple(words[i : i + size]) for i in range(len(words) - size + 1))


KINDRED = {frozenset(("two-gaps", "three-gaps"))}
"""Families that ask the same at two difficulties."""


def test_no_two_questions_are_the_same_but_for_their_template():
    assert len({" ".join(q.question.split()).lower() for q in QUESTIONS}) == len(QUESTIONS)
    parts = [(family(q), shingles(q.question), q.id) for q in QUESTIONS]
    for (family_a, a, id_a), (family_b, b, id_b) in itertools.combinations(parts, 2):
        if family_a != family_b and min(len(a), len(b)) >= 8 and len(a & b) >= 0.5 * min(len(a), len(b)):
            assert frozenset((family_a, family_b)) in KINDRED, (id_a, id_b)


def test_choice_questions_are_few_and_luck_helps_little():
    chosen = [q for q in QUESTIONS if q.choices]
    assert 0 < len(chosen) <= 0.15 * len(QUESTIONS)
    for question in chosen:
        assert question.choices is not None
        assert len(question.choices) == len(set(question.choices)) >= 5, question.id
        for letter, choice in zip("ABCDEFGH", question.choices, strict=False):
            assert f"\n{letter}) {choice}\n" in question.question, question.id
    letters = Counter(str(q.reference) for q in chosen)
    assert len(letters) >= 5
    assert max(letters.values()) <= 0.35 * len(chosen)


def test_an_answer_without_a_reference_has_an_example():
    for question in QUESTIONS:
        own = grader_name(question) in ("regex", "sql", "code", "instructions")
        assert own == ("example" in question.metadata), question.id


def test_prompts_do_not_give_the_answer_away():
    for question in QUESTIONS:
        name = grader_name(question)
        if family(question) in PICKED_FROM_THE_PROMPT or question.choices or question.reference is None:
            continue
        prompt = question.question.lower()
        if name in STRUCTURED or name in ("sql", "refusal"):
            assert accepted(question)[0].lower() not in prompt, question.id
            continue
        for answer in accepted(question):
            if name == "numeric":
                if "/" in answer or abs(Fraction(answer)) >= 10:
                    assert answer not in numbers(prompt), question.id
                    assert answer not in prompt.split(), question.id
            elif len(answer) > 3:
                assert answer.lower() not in prompt, question.id


def test_most_numbers_cannot_be_guessed():
    for name, own in BY_FAMILY.items():
        answers = Counter(str(q.reference) for q in own if grader_name(q) == "numeric")
        if answers.total() >= 5 and name not in ("bin-packing", "colour-sum"):
            assert answers.most_common(1)[0][1] <= 0.6 * answers.total(), (name, answers)


# --------------------------------------------------------------------------- the simulated pool


@pytest.mark.parametrize("core", [True, False])
@pytest.mark.parametrize(
    ("difficulty", "low", "high"), [("easy", 0.85, 0.95), ("hard", 0.45, 0.70), ("opt", 0.25, 0.60)]
)
def test_simulated_pool_meets_the_targets(difficulty, low, high, core):
    """This tests the wiring: the simulated models answer by a formula of the label, not by what is asked."""
    chances = [
        chance_right(model, known)
        for question in QUESTIONS
        if question.difficulty == difficulty and question.metadata.get("core", False) >= core
        if (known := KNOWLEDGE.find(prompt_messages(question))) is not None
        for model in CATALOGUE
    ]
    assert low <= statistics.mean(chances) <= high


@families
def test_simulated_answers_are_graded_as_they_are_meant(name):
    for question in BY_FAMILY[name]:
        spec = resolve(question)
        assert spec is not None
        right = contents.right(question, spec, 1)
        assert right is not None, question.id
        assert score(question, right) == 1, (question.id, right)
        if grader_name(question) != "code":
            assert score(question, contents.wrong(question, spec, [], 1)) == 0, question.id


# --------------------------------------------------------------------------- the page about the set


def test_page_shows_what_its_command_prints_and_every_family():
    page = (ROOT / "docs" / "questions.md").read_text(encoding="utf-8")
    command, shown = find(r"(?s)```python\n(.*?)\n```\nprints\n```text\n(.*?)\n```", page)
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(command, {})
    assert out.getvalue().rstrip("\n") == shown
    rows = re.findall(r"(?m)^\| (easy|hard|opt) \| ([\w-]+) \| `([\w-]+)` \| (\w+) \| (.+?) \| .+ \|$", page)
    told = {name: (difficulty, category) for difficulty, category, name, _, _ in rows}
    assert len(told) == len(rows)
    assert told == {name: (own[0].difficulty, own[0].category) for name, own in BY_FAMILY.items()}
    for _, _, name, made, what in rows:
        if name in BY_NAME:
            assert (made, what) == ("drawn", BY_NAME[name].description)
