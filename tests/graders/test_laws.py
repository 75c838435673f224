"""Laws of the graders: what is right stays right in any dress or order, and what differs is never right."""

import json
import math
from decimal import Decimal, localcontext
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routemark import graders
from routemark.graders import json_fields, measures
from routemark.graders.json_text import canonical, find
from routemark.graders.math_notation import plain
from routemark.graders.math_reader import value
from routemark.graders.math_values import PRECISION, Beyond, Number, same
from routemark.graders.overlap import words
from routemark.records import Completion, GraderSpec, Question


def score(answer, reference, name, **options):
    spec = GraderSpec(name=name, options=options)
    question = Question(id="q", difficulty="easy", question="?", reference=reference, grader=spec)
    assert graders.check(question) == []
    grade = graders.grade("t", question, Completion(text=answer, model="m"))
    assert grade.score is None or 0 <= grade.score <= 1
    return grade.score


# --------------------------------------------------------------------------- JSON

SCALARS = st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8)  # fmt: skip
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4), max_leaves=12)  # fmt: skip
CONTAINERS = st.lists(VALUES, max_size=4) | st.dictionaries(st.text(max_size=4), VALUES, max_size=4)


@given(
    CONTAINERS,
    st.sampled_from([None, 2]),
    st.sampled_from(["{}", "```json\n{}\n```", "So:\n\n```\n{}\n```\nDone."]),
)
def test_a_value_is_right_however_it_is_written(reference, indent, dress):
    text = dress.replace("{}", json.dumps(reference, indent=indent, ensure_ascii=indent is None))
    assert score(text, reference, "json") == 1


@given(CONTAINERS, CONTAINERS, st.booleans(), st.booleans())
def test_right_means_equal_and_partial_credit_is_full_only_then(reference, other, ordered, partial):
    given_score = score(json.dumps(other), reference, "json", ordered=ordered, partial=partial)
    equal = canonical(reference, ordered=ordered) == canonical(other, ordered=ordered)
    assert (given_score == 1) == equal


@given(VALUES, VALUES, st.booleans())
def test_a_tally_counts_no_leaf_twice(reference, other, ordered):
    tally = json_fields.compare(reference, other, ordered=ordered)
    mirrored = json_fields.compare(other, reference, ordered=True)
    assert 0 <= tally.right <= tally.leaves
    assert (tally.right == tally.leaves) == (not tally.wrong)
    if ordered:
        assert (tally.right, tally.leaves) == (mirrored.right, mirrored.leaves)
    same_value = json_fields.compare(reference, reference, ordered=ordered)
    assert same_value.right == same_value.leaves > 0


@given(st.text(alphabet='[]{}",:1 \n`ae\\', max_size=60))
def test_what_is_found_is_json_and_stood_there(text):
    found = find(text)
    if found is not None:
        assert found.text in text
        assert json.loads(found.text) == found.value


# --------------------------------------------------------------------------- lists

ITEMS = st.lists(
    st.text(alphabet="abcdexyz", min_size=2, max_size=6).filter(lambda word: word not in ("and", "or")),
    min_size=2,
    max_size=6,
    unique=True,
).filter(lambda items: not {"be", "az"} & set(items))
DRESSES = [", ".join, "; ".join, " -> ".join, "\n".join, " | ".join,
           lambda items: "\n".join(f"- {item}" for item in items),
           lambda items: "\n".join(f"{index}. {item}" for index, item in enumerate(items, start=1)),
           lambda items: "Final answer: " + ", ".join(items),
           json.dumps,
           lambda items: "\\boxed{" + ", ".join(items) + "}"]  # fmt: skip


@given(ITEMS, st.randoms(use_true_random=False), st.sampled_from(DRESSES))
def test_a_set_is_right_in_any_order_and_dress_and_a_sequence_only_in_its_own(items, random, dress):
    shuffled = random.sample(items, len(items))
    assert score(dress(shuffled), items, "set") == 1
    assert score(dress(items), items, "sequence") == 1
    assert (score(dress(shuffled), items, "sequence") == 1) == (shuffled == items)
    assert score(dress(items[1:]), items, "set") == 0
    assert score(dress([*items, "other"]), items, "set", partial=True) == pytest.approx(
        2 * len(items) / (2 * len(items) + 1)
    )


# --------------------------------------------------------------------------- F1

PROSE = st.lists(st.sampled_from(["a", "the", "red", "cat", "sat", "on", "mats,", "Mats.", "1,000", "don't"]), min_size=1, max_size=8).map(" ".join)  # fmt: skip


@given(PROSE, PROSE)
def test_f1_is_symmetric_and_full_for_the_same_words_only(one, other):
    if words(one) and words(other):
        assert score(one, other, "f1") == pytest.approx(score(other, one, "f1"))
        assert (score(one, other, "f1") == 1) == (sorted(words(one)) == sorted(words(other)))


# --------------------------------------------------------------------------- constants

EXPRESSIONS = st.recursive(
    st.integers(0, 99).map(lambda n: (str(n), Fraction(n))),
    lambda inner: st.one_of(
        st.tuples(inner, inner).map(lambda p: (f"({p[0][0]}) + {p[1][0]}", p[0][1] + p[1][1])),
        st.tuples(inner, inner).map(lambda p: (f"{p[0][0]} - ({p[1][0]})", p[0][1] - p[1][1])),
        st.tuples(inner, inner).map(lambda p: (f"({p[0][0]}) \\cdot ({p[1][0]})", p[0][1] * p[1][1])),
        st.tuples(inner, inner)
        .filter(lambda p: p[1][1] != 0)
        .map(lambda p: (f"\\frac{{{p[0][0]}}}{{{p[1][0]}}}", p[0][1] / p[1][1])),
        inner.map(lambda p: (f"({p[0]})^2", p[1] ** 2)),
        inner.map(lambda p: (f"\\sqrt{{({p[0]})^2}}", abs(p[1]))),
    ),
    max_leaves=6,
)  # fmt: skip


@given(EXPRESSIONS)
def test_rational_expressions_are_read_exactly(expression):
    text, expected = expression
    try:
        read = value(plain(text))
    except Beyond:
        assert len(text) > 60
        return
    assert isinstance(read, Number)
    assert read.exact == expected


@given(st.integers(1, 500), st.integers(2, 500))
def test_roots_are_compared_exactly(outside, inside):
    root = value(f"{outside}\\sqrt{{{inside}}}")
    with localcontext(PRECISION):
        assert same(root, value(f"\\sqrt{{{outside**2 * inside}}}"))
        assert not same(root, value(f"\\sqrt{{{outside**2 * inside + 1}}}"))
        assert math.isclose(root.approximate, Decimal(outside) * Decimal(inside).sqrt())


# --------------------------------------------------------------------------- any text

ANY = st.lists(st.sampled_from(["a", "B.", "- ", "1. ", "\n", "\n\n", "...", "Mr. ", "e.g.", "# ", "```", "!", "?", ", "]) | st.text(max_size=5), max_size=12).map("".join)  # fmt: skip


@settings(max_examples=200)
@given(ANY)
def test_measures_hang_together(text):
    text = "\n".join(text.splitlines())  # as the grader reads it
    assert sum(len(measures.words(part)) for part in measures.paragraphs(text)) == len(measures.words(text))
    assert len(measures.lines(text)) >= len(measures.paragraphs(text))
    assert len(measures.sentences(text)) <= len(text)
    assert bool(measures.sentences(text)) == any(map(str.isalnum, "".join(measures.words(text))))
