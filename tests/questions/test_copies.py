"""Which questions are copied, and where the copies stand."""

import json

import pytest

from routemark.errors import SettingsError, UsageError
from routemark.policy import plan
from routemark.questions import load
from routemark.questions.copies import kinds_named, with_copies
from routemark.questions.perturb import KINDS

TEXT = "Which of these several cities would a careful traveller visit in winter number {}?"


def questions(tmp_path, n=30, **more):
    path = tmp_path / "q.json"
    rows = [
        {"id": f"q{i}", "difficulty": "easy", "question": TEXT.format(i), "reference": "x"} for i in range(n)
    ]
    rows += [
        {"id": f"n{i}", "difficulty": "easy", "question": f"{i} + {i} = ?", "reference": "y"}
        for i in range(n)
    ]
    path.write_text(json.dumps([*rows, *more.get("rows", [])]))
    return load(path)


def test_kinds_are_named_one_by_one_with_commas_or_all():
    assert kinds_named(["case,typos", "polite"]) == ["typos", "case", "polite"]
    assert kinds_named(["all"]) == kinds_named(["typos", "all"]) == list(KINDS)
    assert kinds_named([]) == kinds_named([" , "]) == []


def test_an_unknown_kind_is_refused_with_the_nearest():
    with pytest.raises(SettingsError, match='Did you mean "typos"'):
        kinds_named(["case,typo"])


def test_originals_come_first_and_are_as_they_were(tmp_path):
    plain = questions(tmp_path)
    together, made = with_copies(plain, ["typos", "polite"], seed=1, most=10)
    assert list(together)[: len(plain)] == list(plain)
    copies = list(together)[len(plain) :]
    assert len(copies) == made["typos"].copies + made["polite"].copies == 20
    assert {copy.metadata["perturbed_from"] for copy in copies} <= set(plain.ids())


def test_each_kind_copies_the_first_it_can_in_the_order_of_the_seed(tmp_path):
    plain = questions(tmp_path)
    ids = list(plain.ids())
    order = [ids[i] for i in plan.order(ids, 5)]
    together, made = with_copies(plain, ["typos", "polite"], seed=5, most=12)
    copied = {
        kind: {copy.metadata["perturbed_from"] for copy in together if copy.id.endswith(f"~{kind}")}
        for kind in made
    }
    assert copied["polite"] == set(order[:12])
    prose = [name for name in order if name.startswith("q")]
    assert copied["typos"] == set(prose[:12])
    looked_at = order[: order.index(prose[11]) + 1]
    assert made["typos"].left_out == len(looked_at) - 12 > 0
    assert made["polite"].left_out == 0


def test_a_kind_that_fits_nothing_leaves_all_out(tmp_path):
    plain = questions(tmp_path)
    together, made = with_copies(plain, ["choices"], seed=0, most=10)
    assert (made["choices"].copies, made["choices"].left_out) == (0, len(plain))
    assert together.sha256 == plain.sha256


def test_without_kinds_the_set_is_the_same(tmp_path):
    plain = questions(tmp_path, 2)
    assert with_copies(plain, [], seed=0, most=10) == (plain, {})


def test_the_same_seed_gives_the_same_set(tmp_path):
    plain = questions(tmp_path)
    hashes = {with_copies(plain, ["typos"], seed=seed, most=9)[0].sha256 for seed in (0, 0, 1)}
    assert len(hashes) == 2


def test_an_id_that_is_taken_is_refused(tmp_path):
    row = {"id": "q1~polite", "difficulty": "easy", "question": "?"}
    with pytest.raises(UsageError, match="q1~polite"):
        with_copies(questions(tmp_path, rows=[row]), ["polite"], seed=0, most=100)
