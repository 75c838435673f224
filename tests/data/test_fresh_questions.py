"""Questions drawn anew are as sound as the shipped ones, and new."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections import Counter, defaultdict
from itertools import islice, pairwise

import pytest

from data.answers import accepted, family, proven, score, wordings, wrong_answers
from routemark.families import FAMILIES, Drawer, Family, draw, named
from routemark.graders import check
from routemark.questions import load, shipped
from routemark.records import Question

SHIPPED: dict[str, list[Question]] = defaultdict(list)
for _question in load(shipped()):
    SHIPPED[family(_question)].append(_question)
SEEDS = (1, 2, 3)
EACH = 2

families = pytest.mark.parametrize("template", FAMILIES, ids=[template.name for template in FAMILIES])


def drawn(template: Family, seed: int, n: int = EACH) -> list[Question]:
    drafts = islice(Drawer(template, seed, SHIPPED[template.name]), n)
    return [named(draft, template, f"{template.prefix}-s{seed}-{k}") for k, draft in enumerate(drafts)]


@families
def test_drawn_references_are_proven_and_their_graders_fit(template):
    for seed in SEEDS:
        for question in drawn(template, seed):
            assert proven(question), (question.question, question.reference)
            assert check(question) == []
            right = accepted(question)[0]
            assert all(score(question, wording) == 1 for wording in wordings(question, right)), right
            assert score(question, "") == 0
            assert [wrong for wrong in wrong_answers(question) if score(question, wrong) != 0] == []


@families
def test_a_draw_depends_on_family_seed_and_number_alone(template):
    first = drawn(template, 7, 3)
    assert [q.question for q in first[:2]] == [q.question for q in drawn(template, 7, 2)]
    assert first == drawn(template, 7, 3)


@families
def test_draws_are_new(template):
    """They differ from each other, from the shipped questions and from those of another seed in words or numbers."""
    found = [*drawn(template, 1, 6), *drawn(template, 2, 1)]
    assert len(found) == 7
    for question in found[:6]:
        for other in (*SHIPPED[template.name], *(q for q in found[:6] if q is not question)):
            ours, theirs = (Counter(re.findall(r"\w+|[#.]{2,}", q.question)) for q in (question, other))
            assert ((ours - theirs) + (theirs - ours)).total() >= 2, (question.question, other.question)


def test_the_order_of_sets_of_strings_decides_nothing():
    code = (
        "import hashlib, routemark.questions.fresh as f;"
        "print(hashlib.sha256(repr(f.fresh(11, 430)).encode()).hexdigest())"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("0", "1")
    }
    assert len(digests) == 1


@pytest.mark.parametrize("n", [1, 7, 300])
def test_draws_are_balanced(n):
    found = draw(FAMILIES, 5, n)
    assert len(found) == len({q.id for q in found}) == n
    counts = Counter(q.difficulty for q in found)
    assert max(counts.values()) - min(counts[d] for d in ("easy", "hard", "opt")) <= 1
    per_family = Counter(map(family, found))
    by_difficulty = defaultdict(list)
    for template in FAMILIES:
        by_difficulty[template.difficulty].append(per_family[template.name])
    assert all(max(own) - min(own) <= 1 for own in by_difficulty.values())


def test_another_seed_draws_other_questions():
    sets = [{q.question for q in draw(FAMILIES, seed, 120)} for seed in range(4)]
    assert all(len(one & two) <= 2 for one, two in pairwise(sets))


def test_fewer_questions_are_the_beginning_of_more():
    few, many = draw(FAMILIES, 3, 30), draw(FAMILIES, 3, 300)
    assert {q.id for q in few} <= {q.id for q in many}


def test_a_family_that_runs_dry_is_passed_over():
    def once(_rng):
        return next(iter(drafts))._replace(question="The same?") if drafts else None

    drafts = list(islice(Drawer(FAMILIES[0], 1), 1))
    dry = Family("dry", "easy", "arithmetic", "Always the same", once, quotes=False)
    found = draw([dry, FAMILIES[0]], 1, 30)
    counts = Counter(map(family, found))
    assert counts == {"dry": 1, FAMILIES[0].name: 9}
