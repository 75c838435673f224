"""The sections that only some runs have: repeats, perturbed copies, cost tiers."""

import html
import random

import msgspec
import pytest

import report_factory as factory
from analysis.worlds import answer, grade, question, run
from routemark import numbers
from routemark.analysis.summary import Fold
from routemark.records import Copies
from routemark.report import markdown, page, text
from routemark.report.sections import sections
from routemark.wire.arms import parse_arm

ROUTER, STICKY, MODEL = "openrouter/auto", "openrouter/auto?sticky=true", "sim/heron"
KINDS = ("typos", "case")


def measured(*, repeats=3, copies=True, arms=(ROUTER, STICKY, MODEL), n=60):
    """A router that wavers, the same in one session, and a model; each perturbed copy goes to another model."""
    draw = random.Random(1)
    fold = Fold()
    for i in range(n):
        for arm in arms:
            for repeat in range(repeats):
                model = "m1" if draw.random() < 0.8 or arm == STICKY else "m2"
                one = answer(arm, f"q{i}", repeat=repeat, model=MODEL if arm == MODEL else model)
                fold.add(question(f"q{i}"), one, grade(draw.random() < 0.7), True)
    for kind in KINDS if copies else ():
        for i in range(20):
            made = {"perturbed_from": f"q{i}", "perturbation": kind}
            for arm in arms:
                for repeat in range(repeats):
                    one = answer(arm, f"q{i}~{kind}", repeat=repeat, model=MODEL if arm == MODEL else "m3")
                    fold.add(question(f"q{i}~{kind}", metadata=made), one, grade(False), True, copy=True)
    made = {"typos": Copies(copies=20, left_out=7), "case": Copies(copies=20)} if copies else {}
    manifest = msgspec.structs.replace(
        run(questions=n + 20 * len(made), perturbed=made, repeats=repeats),
        arms=[parse_arm(arm) for arm in arms],
    )
    summary = fold.close(
        manifest, planned=n * len(arms) * repeats, finished_questions=n, margin=0.03, baseline=None
    )
    return manifest, summary


@pytest.fixture(scope="module")
def all_of_it():
    return measured()


def flat(words):
    return " ".join(words.split())


def test_a_plain_run_has_but_the_value_of_a_right_answer():
    titles = [part.title for part in sections(*measured(repeats=1, copies=False))]
    assert titles == ["What a right answer must be worth: openrouter/auto beside sim/heron"]


def test_every_discordance_stands_beside_the_noise_floor(all_of_it):
    manifest, summary = all_of_it
    found = next(part for part in sections(manifest, summary) if "noise" in part.title)
    assert len(found.names) == len(summary.comparisons) == 3
    pair = summary.comparisons[-1]
    floors = [summary.arms[name].stability.self_disagreement.value for name in (pair.arm, pair.baseline)]
    expected = [f"{100 * value:.1f} %" for value in (pair.discordance, *floors)]
    assert [column.cells[-1] for column in found.columns] == expected
    rendered = flat(text.render(manifest, summary, color=False))
    assert f"{pair.arm} - {pair.baseline} {' '.join(expected)}" in rendered
    assert "asked twice disagrees with itself" in rendered


def test_the_share_of_same_picks_has_its_interval_and_sticky_arms_are_named(all_of_it):
    rendered = flat(text.render(*all_of_it, color=False))
    same = all_of_it[1].arms[ROUTER].stability.same_pick
    low, high = (f"{100 * bound:.1f}" for bound in same.ci95)
    assert f"{100 * same.value:.1f} % [{low}, {high}]" in rendered
    assert f"Repeats in one session, one after another: {STICKY}." in rendered
    assert f"{ROUTER}: where two repeats got different models, the score moved by" in rendered
    assert f"{MODEL}: where two" not in rendered


def test_two_repeats_do_not_tell_what_a_flip_does():
    rendered = flat(text.render(*measured(repeats=2), color=False))
    assert "Those are other questions: three repeats or more" in rendered


def test_robustness_by_kind_and_in_all(all_of_it):
    manifest, summary = all_of_it
    router, sticky, model = (part for part in sections(manifest, summary) if part.title.startswith("Changes"))
    assert router.names == ["case", "typos", "all kinds"]
    found = summary.arms[ROUTER].robustness
    rates = [part.flip_rate for part in (found.by_kind["case"], found.by_kind["typos"], found.overall)]
    assert [rate.value for rate in rates] == [1.0] * 3
    assert router.columns[0].cells == [numbers.percent_ci(rate.value, rate.ci95) for rate in rates]
    assert "Not applicable, of the questions looked at: typos to 7." in router.notes
    assert any("flicker" in column.title for column in router.columns)
    assert not any("flicker" in column.title for column in sticky.columns)
    assert "repeats in one session do not show" in sticky.notes[0]
    assert [column.title.split("\n")[0] for column in model.columns] == ["Score, points", ""]


def test_one_repeat_says_that_flicker_is_in_it():
    router = next(
        part
        for part in sections(*measured(repeats=1))
        if part.title == "Changes to the prompt that should not matter: " + ROUTER
    )
    assert any("--repeats 2 or more" in note for note in router.notes)


def test_all_fits_80_columns(all_of_it):
    for line in text.render(*all_of_it, color=False).split("\n"):
        assert len(line) <= 80, line


def test_a_swept_router_has_its_curve():
    arms = tuple(f"{ROUTER}?cost_tier={tier}" for tier in ("low", "high"))
    manifest, summary = measured(repeats=1, copies=False, arms=(*arms, MODEL))
    rendered = text.render(manifest, summary, color=False)
    assert f"The router's own cost-quality curve: {ROUTER}" in flat(rendered)
    assert summary.sweep[0].sentence in flat(rendered)
    assert all(len(line) <= 80 for line in rendered.split("\n"))
    commented = markdown.render(manifest, summary)
    assert "<summary>The router&#x27;s own cost-quality curve" in commented
    row = next(line for line in commented.split("\n") if line.startswith("| high |"))
    assert row.count("|") == 5


def test_markdown_and_page_show_the_same_sections(all_of_it, tmp_path):
    manifest, summary = all_of_it
    commented = markdown.render(manifest, summary)
    factory.written(page.open_page, tmp_path / "p.html", manifest, summary, [])
    shown = (tmp_path / "p.html").read_text()
    for part in sections(manifest, summary):
        assert f"<details><summary>{html.escape(part.title)}</summary>" in commented
        assert part.title in shown
        assert all(cell in shown for cell in part.columns[0].cells)


def test_hostile_names_stay_text(tmp_path):
    manifest, summary = measured()
    arms = {f"<script>{name}": arm for name, arm in summary.arms.items()}
    hostile = msgspec.structs.replace(summary, arms=arms, comparisons=[])
    factory.written(page.open_page, tmp_path / "p.html", manifest, hostile, [])
    assert "<script>openrouter" not in (tmp_path / "p.html").read_text()
    assert "<script>" not in markdown.render(manifest, hostile)
