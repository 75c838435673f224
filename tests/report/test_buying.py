"""What a buyer reads: own traffic, dollars a month, the worth of a right answer, a rule; and the baseline first."""

import msgspec
import numpy as np
import pytest

from analysis.worlds import answer, grade, question, run, summarise
from routemark.analysis.matrix.outcomes import FILE, Asked, Grouping, Outcomes, Picks, one_each
from routemark.analysis.published import offline
from routemark.analysis.traffic.traffic import Traffic
from routemark.records import PriceRange
from routemark.report import buying, figures, markdown, page, sections, text, views
from routemark.report import offline as faces

MODELS = ("f", "g`|<b>", "h")
ROUTER = "auto"


def told(traffic=None, *, baseline=None, n=150):
    """A router, three models and a rule to find: code is for the first, all else for the second model."""
    trials = []
    for i in range(n):
        code = i % 2 == 0
        name = "".join(chr(ord("a") + i // 26**k % 26) for k in range(3))
        ask = f"Read {name}:\n```\ny = x\n```" if code else f"Name the river {name}." + "!" * (i % 9)
        item = question(f"q{i}", question=ask, difficulty=("easy", "hard")[i % 3 == 0])
        served = MODELS[i % 3]
        router = answer(ROUTER, item.id, model=served, cost_usd=0.004 + i % 5 / 1000)
        trials.append((item, router, grade(float(i % 4 > 0))))
        for model, right, cost in zip(
            MODELS, (code, not code, i % 5 > 1), (0.003, 0.002, 0.001), strict=True
        ):
            own = answer(model, item.id, cost_usd=cost + i % 7 / 10_000)
            trials.append((item, own, grade(float(right))))
    settings = {"baseline": baseline} if baseline else {}
    if traffic is not None and traffic.calls is not None:
        settings["traffic"] = traffic.calls
    manifest = run(ROUTER, *MODELS, routers=[ROUTER], questions=n, settings=settings)
    fields = {} if traffic is None else {"traffic": traffic}
    return manifest, summarise(trials, manifest, baseline=baseline, **fields)


@pytest.fixture(scope="module")
def plain():
    return told()


@pytest.fixture(scope="module")
def own():
    return told(Traffic({"easy": 0.9, "hard": 0.1}, 20_000), baseline="h")


def titled(found, start):
    return next(part for part in sections.sections(*found) if part.title.startswith(start))


def test_without_a_mix_and_calls_there_is_neither(plain):
    titles = [part.title for part in sections.sections(*plain)]
    assert titles[2:] == [
        f"What a right answer must be worth: {ROUTER} beside h",
        f"A rule in the place of {ROUTER}",
    ]


def test_the_mix_has_tables_of_its_own_that_say_so(own):
    _, summary = own
    arms = titled(own, "Weighted to your traffic: easy 90 % and hard 10 %")
    assert arms.names == ["h", ROUTER, "f", "g`|<b>"]
    wanted = summary.arms[ROUTER].weighted
    assert arms.columns[0].cells[1].startswith(f"{100 * wanted.accuracy:.1f} % [")
    pairs = titled(own, "Compared, weighted to your traffic")
    assert pairs.names[0] == f"{ROUTER} - h"
    first = next(pair for pair in summary.comparisons if pair.baseline == "h" and pair.arm == ROUTER)
    assert pairs.columns[0].cells[0].startswith(f"{100 * first.weighted.accuracy_difference:+.1f} [")


def test_dollars_a_month_of_each_pair(own):
    part = titled(own, "A month at 20,000 calls")
    assert part.names[0] == f"{ROUTER} - h"
    assert part.columns[0].cells[0].startswith("+$")
    assert "Weighted to your traffic." in part.notes


def test_the_worth_of_a_right_answer(plain):
    part = titled(plain, "What a right answer")
    assert part.names == ["$0.0010", "$0.010", "$0.10", "$1.00", "$10.00"]
    assert set(part.columns[1].cells) <= {"surely better", "surely worse", "open"}
    assert any(
        "tie where a right answer is worth $" in note or "at every price" in note for note in part.notes
    )


def test_a_file_of_scores_has_the_rule_from_labels_alone():
    rng = np.random.default_rng(0)
    hard = rng.integers(0, 2, 200).astype(np.int32)
    score = np.column_stack([hard, 1 - hard]).astype(float)
    asked = Asked(
        np.arange(200, dtype=np.int32),
        Grouping(hard, ["easy", "hard"]),
        Grouping(hard - hard - 1, []),
        np.zeros(200, dtype=np.int64),
    )
    source = np.full((200, 2), FILE, dtype=np.int8)
    outcomes = Outcomes(asked, ("f", "h"), score, score * 0 + 0.01, score * np.nan, source)
    picks = Picks(ROUTER, one_each(rng.integers(0, 2, 200), 2), np.full(200, np.nan), np.full(200, np.nan))
    found = offline.judge(outcomes, [offline.Chosen(picks, 0, np.zeros(200, dtype=bool))], offline.Asking())
    assert found.rules.prompt is None
    shown = " ".join(faces.render(found).split())
    said = "From labels (needs someone to label each question): If the difficulty is easy: h. Else: f."
    assert said in shown


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        (0, None, "at every price"),
        (0, 0.5, "below $0.50"),
        (0.5, None, "above $0.50"),
        (0.5, 2, "between $0.50 and $2.00"),
    ],
)
def test_a_range_of_prices_in_words(low, high, said):
    assert buying.where(PriceRange(from_usd=low, to_usd=high)) == said


def test_the_rule_is_read_and_its_code_runs_from_the_report(plain):
    part = titled(plain, "A rule in the place of auto")
    assert part.names == ["from the prompt", "from labels"]
    assert "From the prompt: If the prompt has code: f. Else: g`|<b>." in part.notes
    space = {}
    exec(part.code, space)
    assert space["route"]("```x```") == "f"
    fenced = markdown.render(*plain)
    assert part.code.rstrip() in fenced
    assert fenced.count("````python") == 1


def test_an_unstable_rule_says_so(plain):
    manifest, summary = plain
    shaky = msgspec.structs.replace(summary.rules.prompt, same_in_folds=2)
    summary = msgspec.structs.replace(summary, rules=msgspec.structs.replace(summary.rules, prompt=shaky))
    notes = titled((manifest, summary), "A rule in").notes
    assert "The rule from the prompt is unstable: 2 of 5 parts of the questions led to the same one." in notes


def test_a_router_that_no_rule_undercuts_is_told(plain):
    manifest, summary = plain
    dear = msgspec.structs.replace(summary.rules.prompt, cost_ratio=0.6)
    told_so = (
        "No rule from the prompt was found that costs as little as the router: this one is the cheapest."
    )
    for rule, said in ((dear, True), (summary.rules.prompt, False)):
        rules = msgspec.structs.replace(summary.rules, prompt=rule)
        notes = titled((manifest, msgspec.structs.replace(summary, rules=rules)), "A rule in").notes
        assert (told_so in notes) == said


def test_every_face_shows_it_within_its_bounds(own, tmp_path):
    manifest, summary = own
    shown = text.render(manifest, summary, color=False)
    assert all(len(line) <= 80 for line in shown.splitlines())
    with page.open_page(tmp_path / "r.html", manifest) as sink:
        sink.close(summary)
    html = (tmp_path / "r.html").read_text()
    assert "<b>" not in html.split("<body>")[1]
    for face in (shown, html, markdown.render(manifest, summary)):
        words = " ".join(face.split())
        assert "eighted to your traffic" in words
        assert "A month at 20,000 calls" in words
        assert "A rule in the place of auto" in words


def test_the_baseline_comes_first_everywhere(own, tmp_path):
    manifest, summary = own
    assert next(iter(views.ordered_arms(manifest, summary))) == "h"
    ordered = views.ordered_comparisons(manifest, summary)
    first = [pair.baseline == "h" for pair in ordered]
    assert first == sorted(first, reverse=True)
    assert sorted(map(id, ordered)) == sorted(map(id, summary.comparisons))
    shown = text.render(manifest, summary, color=False)
    assert shown.index("auto - h") < shown.index("auto - f")
    with page.open_page(tmp_path / "r.html", manifest) as sink:
        sink.close(summary)
    table = (tmp_path / "r.html").read_text().split("Compared, question by question")[1]
    assert table.index(">h</th>") < table.index(">f</th>")


def test_a_baseline_named_by_its_model_is_found():
    manifest, summary = told()
    arms = [msgspec.structs.replace(arm, model=f"vendor/{arm.name}") for arm in manifest.arms]
    manifest = msgspec.structs.replace(manifest, arms=arms, settings={"baseline": "vendor/h"})
    assert next(iter(views.ordered_arms(manifest, summary))) == "h"


def test_the_first_screen_is_weighted_and_says_so(own):
    manifest, summary = own
    by_title = {figure.title: figure for figure in figures.figures(manifest, summary)}
    pair = views.headline(manifest, summary).weighted
    assert by_title["Quality"].value == f"{100 * pair.accuracy_difference:+.1f} points"
    assert ": +$" in by_title["Cost ratio"].said
    assert " a month at 20,000 calls" in by_title["Cost ratio"].said
    assert {title for title, one in by_title.items() if one.said.endswith("weighted to your traffic")} >= {
        "Quality",
        "Cost ratio",
    }


def test_the_price_figure_tells_its_sure_borders(plain):
    manifest, summary = plain
    pair = msgspec.structs.replace(
        views.headline(manifest, summary),
        indifference_price_usd=0.2,
        surely_better_usd=PriceRange(from_usd=0, to_usd=0.1),
        surely_worse_usd=PriceRange(from_usd=0.5, to_usd=None),
    )
    summary = msgspec.structs.replace(summary, comparisons=[pair])
    price = next(one for one in figures.figures(manifest, summary) if one.title == "Choice flips at")
    assert "auto is surely better below $0.10, h is surely better above $0.50" in price.said
