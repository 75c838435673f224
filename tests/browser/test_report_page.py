"""report.html in Chromium, from a file: URL: it asks for nothing, runs nothing foreign, and can be used."""

import math
import re
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

import report_factory as factory
from analysis.worlds import answer, grade, question, run, summarise
from routemark import numbers
from routemark.analysis.controls.hull import height, zero_router
from routemark.analysis.stats.distributions import student_t_quantile
from routemark.analysis.stats.intervals import wilson
from routemark.analysis.stats.strata import _satterthwaite
from routemark.report import figures, text
from routemark.report.charts_cost import ORACLE, mix_of
from routemark.report.page import open_page as open_sink

sync_api = pytest.importorskip("playwright.sync_api")

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip

pytestmark = pytest.mark.skipif(not CHROMIUM.exists(), reason="needs Chromium")


ROWS = factory.make_rows()
SUMMARY = factory.charted(ROWS)


@pytest.fixture(scope="module")
def report(tmp_path_factory) -> str:
    path = tmp_path_factory.mktemp("report") / "report.html"
    everything = [*ROWS, *factory.hostile_rows()]
    return factory.written(open_sink, path, factory.make_run(), SUMMARY, everything).as_uri()


@pytest.fixture(scope="module")
def browser():
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        yield browser
        browser.close()


class Watched:
    """Pages that may ask for nothing but themselves, and say nothing on the console."""

    def __init__(self, browser, url: str) -> None:
        self._browser, self._url = browser, url
        self._contexts, self._requests, self._messages = [], [], []

    def open(self, **options):
        context = self._browser.new_context(**options, offline=True)
        self._contexts.append(context)
        page = context.new_page()
        page.on("request", lambda request: self._requests.append(request.url))
        page.on("console", lambda message: self._messages.append(message.text))
        page.on("pageerror", lambda error: self._messages.append(str(error)))
        page.goto(self._url)
        page.wait_for_function("() => document.documentElement.dataset.drawn", timeout=30_000)
        return page

    def close(self) -> None:
        for context in self._contexts:
            context.close()
        assert {url.partition("#")[0] for url in self._requests} == {self._url.partition("#")[0]}
        assert self._messages == []


@pytest.fixture
def open_page(browser, report):
    watched = Watched(browser, report)
    yield watched.open
    watched.close()


@pytest.fixture(scope="module")
def shared(browser, report):
    """A page that several tests use, where what one does is no matter to the next."""
    watched = Watched(browser, report)
    yield watched.open(viewport={"width": 1280, "height": 900})
    watched.close()


def settle(page, count: int) -> None:
    page.wait_for_function(
        "n => document.querySelectorAll('.q:not([hidden])').length === n", arg=count, timeout=10_000
    )


def test_hostile_text_does_not_act(shared):
    page = shared
    page.locator("#open").click()
    page.mouse.move(200, 400)
    assert page.evaluate("window.pwned ?? null") is None
    assert page.locator("#list img, #list svg, #list script, #list b, #list a").count() == 0
    assert page.title() == "SIMULATED - Routemark 20261124-064828-demo"


def test_an_inline_handler_or_foreign_script_is_refused(browser, report):
    page = browser.new_page()
    page.goto(report)
    page.evaluate("document.body.insertAdjacentHTML('beforeend', '<b id=x onclick=\"window.pwned=9\">x</b>')")
    page.evaluate(
        "const s = document.createElement('script'); s.text = 'window.pwned=8'; document.body.append(s)"
    )
    page.locator("#x").click()
    assert page.evaluate("window.pwned ?? null") is None
    page.close()


def test_the_verdict_and_simulated_are_on_the_first_screen(open_page):
    page = open_page(viewport={"width": 1280, "height": 800})
    for locator in (page.locator(".simulated strong"), page.locator("h1"), page.locator(".figures")):
        box = locator.bounding_box()
        assert box["y"] < 800
    assert page.locator(".simulated strong").evaluate("e => parseFloat(getComputedStyle(e).fontSize)") > 30


def test_the_filter_finds_questions(shared):
    page = shared
    form = page.locator("#filter")
    assert page.locator(".q:visible").count() == 129
    form.get_by_label("Text").fill("explain 17 q0017")
    settle(page, 1)
    assert page.locator("#shown").inner_text() == "1 of 129 questions shown"
    page.get_by_role("button", name="Clear").click()
    settle(page, 129)
    form.get_by_role("combobox", name="Difficulty").select_option("opt")
    settle(page, 40)
    form.get_by_role("combobox", name="Difficulty").select_option("")
    rows = factory.make_rows()
    form.get_by_role("combobox", name="Status").select_option("failed")
    settle(page, len({row.id for row in rows if row.status == "failed"}))
    form.get_by_role("combobox", name="Arm").select_option(factory.ROUTER)
    settle(page, sum(row.status == "failed" and row.arm == factory.ROUTER for row in rows))
    form.get_by_role("combobox", name="Status").select_option("")
    form.get_by_role("combobox", name="Model").select_option("sim/condor-max")
    settle(page, sum(row.model == "sim/condor-max" and row.arm == factory.ROUTER for row in rows))
    page.get_by_role("button", name="Clear").click()
    settle(page, 129)
    form.get_by_label("arms disagree").check()
    scores: dict[str, set[float]] = {}
    for row in rows:
        scores.setdefault(row.id, set()).update([row.grade.score] if row.grade else [])
    settle(page, sum(len(of_one) > 1 for of_one in scores.values()))


def test_the_filter_is_in_the_address_and_comes_back_from_it(browser, report):
    watched = Watched(
        browser, f"{report}#?text=explain&arm={factory.ROUTER}&status=failed&order=disagreements+first"
    )
    page = watched.open(viewport={"width": 1280, "height": 900})
    form = page.locator("#filter")
    failed = sum(row.status == "failed" and row.arm == factory.ROUTER for row in ROWS)
    settle(page, failed)
    assert form.get_by_label("Text").input_value() == "explain"
    assert form.get_by_role("combobox", name="Status").input_value() == "f"
    form.get_by_label("arms disagree").check()
    page.wait_for_function("() => location.hash.endsWith('&disagree=yes')", timeout=10_000)
    form.get_by_role("combobox", name="Status").select_option("")
    page.wait_for_function("() => !location.hash.includes('status')", timeout=10_000)
    page.evaluate("location.hash = '?difficulty=opt&arm=no+such+arm'")
    settle(page, 40)
    assert form.get_by_role("combobox", name="Arm").input_value() == ""
    page.evaluate("location.hash = 'q3'")
    page.wait_for_function("() => document.getElementById('q3').open", timeout=10_000)
    assert page.locator(".q:not([hidden])").count() == 41, "the filter stays, the question linked shows"
    page.get_by_role("button", name="Clear").click()
    settle(page, 129)
    watched.close()


def test_a_question_opens_by_keyboard_on_its_answers_side_by_side(open_page):
    page = open_page(viewport={"width": 1280, "height": 900})
    question = page.locator(".q").nth(1)
    question.locator("summary").focus()
    page.keyboard.press("Enter")
    answers = question.locator(".t")
    assert answers.count() == 4
    assert question.get_by_text("Reference: 2").is_visible()
    tops = answers.evaluate_all("all => all.map((e) => e.getBoundingClientRect().y)")
    assert len(set(tops)) == 1
    page.keyboard.press("Enter")
    assert not answers.first.is_visible()


def test_a_narrow_screen_has_no_sideways_scrolling(open_page):
    page = open_page(viewport={"width": 400, "height": 800})
    page.locator("#open").click()
    page.locator(".behind > summary").first.click()
    assert page.evaluate("document.documentElement.scrollWidth") <= 400


def test_charts_are_redrawn_for_the_width_there_is(open_page):
    page = open_page(viewport={"width": 1280, "height": 800})
    drawing = page.locator("#chart-cost svg")
    assert drawing.bounding_box()["width"] > 900
    page.set_viewport_size({"width": 400, "height": 800})
    page.wait_for_function(
        "() => document.querySelector('#chart-cost svg').getBoundingClientRect().width < 380"
    )
    assert page.evaluate("document.documentElement.scrollWidth") <= 400
    axis = page.locator("#chart-cost .role-axis-label text")
    shown = axis.evaluate_all(
        "all => all.filter((e) => e.textContent && getComputedStyle(e).opacity > 0).map((e) => e.getBoundingClientRect().toJSON())"
    )
    dollars = sorted(
        (box for box in shown if box["y"] > max(b["y"] for b in shown) - 5), key=lambda box: box["x"]
    )
    assert len(dollars) >= 2
    assert all(a["right"] <= b["left"] + 1 for a, b in pairwise(dollars)), "labels do not cover each other"


@pytest.mark.parametrize(("scheme", "dark"), [("light", False), ("dark", True)])
def test_colours_follow_the_scheme_and_have_contrast(open_page, scheme, dark):
    page = open_page(color_scheme=scheme)
    page.locator(".q summary").nth(3).click()
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (_luminance(background) < 0.1) is dark
    pairs = page.evaluate(_VISIBLE_COLOURS)
    assert len(pairs) > 8
    assert [pair for pair in pairs if _contrast(*pair) < 4.5] == []


_VISIBLE_COLOURS = """() => {
  const behind = (e) => {
    for (; e; e = e.parentElement) {
      const color = getComputedStyle(e).backgroundColor;
      if (!/rgba\\(.*, 0(\\.\\d+)?\\)/.test(color)) return color;
    }
    return getComputedStyle(document.body).backgroundColor;
  };
  const pairs = new Set();
  for (const e of document.querySelectorAll("header *, main *, .simulated *")) {
    const own = [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim());
    if (own && e.checkVisibility() && !e.closest("svg") && !e.closest("option"))
      pairs.add(JSON.stringify([getComputedStyle(e).color, behind(e)]));
  }
  return [...pairs].map((p) => JSON.parse(p));
}"""


def _luminance(colour: str) -> float:
    """WCAG 2 relative luminance of "rgb(r, g, b)"."""
    channels = [int(value) / 255 for value in re.findall(r"\d+", colour)[:3]]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _contrast(front: str, back: str) -> float:
    low, high = sorted((_luminance(front), _luminance(back)))
    return (high + 0.05) / (low + 0.05)


def test_everything_is_there_without_script(browser, report):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(report)
    assert not page.locator("#filter, #worth, #mix").first.is_visible()
    assert page.locator(".vega").evaluate_all("all => all.every((e) => !e.checkVisibility())")
    assert page.locator("table").count() > 10
    page.locator(".q summary").first.click()
    assert page.locator(".q .t").first.is_visible()
    context.close()


def test_it_is_named_for_screen_readers(shared):
    page = shared
    assert page.locator("html").get_attribute("lang") == "en"
    assert page.locator("h1").count() == 1
    charts = page.get_by_role("img")
    assert charts.count() == len(page.locator(".vega").all()) == 7
    said = charts.first.get_attribute("aria-label")
    assert said.startswith("Accuracy against cost per 1,000 questions. openrouter/auto: ")
    best = SUMMARY.arms["sim/condor-max"]
    assert f"sim/condor-max: {numbers.percent_ci(best.accuracy, best.accuracy_ci95)}, $37.69" in said
    ids = page.evaluate("[...document.querySelectorAll('[id]')].map((e) => e.id)")
    assert len(ids) == len(set(ids))
    levels = page.evaluate("[...document.querySelectorAll('h1,h2,h3,h4')].map((e) => +e.tagName[1])")
    assert all(b - a <= 1 for a, b in pairwise(levels))


# ------------------------------------------------------------------------------------ the controls


def price_standing(pair, price, weights=None):
    """The rule of `analysis.controls.value`, from the numbers in the summary."""
    if weights is None:
        d, c, dd, dc, cc, t = pair.whole
    else:
        w, score = np.array(weights), np.array(pair.score.covariance)
        d, c = w @ pair.score.mean, w @ pair.cost.mean
        dd, dc, cc = w @ score @ w, w @ np.array(pair.cross) @ w, w @ np.array(pair.cost.covariance) @ w
        t = student_t_quantile(0.95, _satterthwaite(w**2 * np.diag(score), np.array(pair.score.clusters)))
    value, half = price * d - c, t * math.sqrt(max(0.0, price * price * dd + cc - 2 * price * dc))
    return "better" if value > half else "worse" if value < -half else "open"


def sentence(price, worth, weights=None):
    """Who wins at a price, and over whom surely."""
    best = max(worth, key=lambda arm: worth[arm][0] * price - worth[arm][1])
    sure = []
    for pair in SUMMARY.reweighting.pairs:
        standing = price_standing(pair, price, weights)
        if (pair.arm, standing) == (best, "better"):
            sure.append(pair.baseline)
        if (pair.baseline, standing) == (best, "worse"):
            sure.append(pair.arm)
    return best, set(sure)


def told(page):
    text = page.locator("#winner").inner_text()
    sure = re.search(r"better than (.*?)\.( |$)", text)
    return page.locator("#winner strong").inner_text(), set(sure[1].split(", ")) if sure else set()


@pytest.mark.parametrize(("questions", "sure"), [(29, False), (30, True)])
def test_verdict_figure_terminal_and_page_call_nothing_sure_below_30_answers(
    browser, tmp_path, questions, sure
):
    """A router that is right for less, where the only other model is wrong: at no price could that be closer."""
    trials = []
    for i in range(questions):
        item = question(f"q{i}", difficulty=("easy", "hard")[i % 2])
        for arm, right, cost in (("auto", i > 0, 0.001), ("one", i % 3 == 0, 0.003)):
            trials.append((item, answer(arm, item.id, cost_usd=cost + i % 5 / 1e5), grade(float(right))))
    manifest = run("auto", "one", routers=["auto"], questions=questions)
    summary = summarise(trials, manifest)
    assert summary.verdict.sentence.startswith("Better than one" if sure else "Too little to judge: 29")
    flips = next(one.said for one in figures.figures(manifest, summary) if one.title == "Choice flips at")
    assert flips.endswith("auto is surely better at every price") is sure
    assert ("surely better is neither" in flips) is not sure
    shown = " ".join(text.render(manifest, summary, width=100, color=False).split())
    assert ("auto is surely (95 %) the better buy at every price." in shown) is sure
    assert ("At no price is either surely the better buy." in shown) is not sure
    assert summary.comparisons[0].surely_better_usd is not None or not sure
    path = factory.written(open_sink, tmp_path / "r.html", manifest, summary, [])
    watched = Watched(browser, path.as_uri())
    page = watched.open()
    weights = page.locator("#mix input[type=range]")
    assert weights.count() == 2
    for weigh in (lambda: None, lambda: weights.first.fill("40")):
        weigh()
        assert told(page) == ("auto", {"one"} if sure else set())
        assert ("Open beside one." in page.locator("#winner").inner_text()) is not sure
    weights.first.fill(
        "0"
    )  # half of the questions tell too little, as the verdict for such weights would say
    assert told(page) == ("auto", set())
    watched.close()


AS_ASKED = {name: (arm.accuracy, arm.cost_per_1k_usd / 1000) for name, arm in SUMMARY.arms.items()}


@pytest.mark.parametrize("price", [0.0001, 0.003, 0.08, 0.5, 7.0, 400.0])
def test_the_price_of_a_right_answer_names_the_winner_and_how_sure_that_is(shared, price):
    shared.locator("#worth-number").fill(str(price))
    assert told(shared) == sentence(price, AS_ASKED)
    ringed = shared.locator(".dots_marks path[stroke='var(--ink)']")
    shared.wait_for_function(
        "() => document.querySelectorAll(\".dots_marks path[stroke='var(--ink)']\").length === 1"
    )
    place = [*SUMMARY.arms].index(told(shared)[0])
    assert ringed.evaluate("e => [...e.parentElement.children].indexOf(e)") == place


def test_the_line_moves_with_the_price_and_starts_where_two_arms_tie(shared):
    page = shared
    assert page.locator("#worth-range").get_attribute("data-start") == "0.12", (
        "the price at which the choice flips"
    )
    page.get_by_role("button", name="tie, $0.12").click()
    line = page.locator("#chart-cost path[stroke='var(--good)']")
    before = line.get_attribute("d")
    page.get_by_role("button", name="$10", exact=True).click()
    page.wait_for_function(
        "d => document.querySelector(\"#chart-cost path[stroke='var(--good)']\").getAttribute('d') !== d",
        arg=before,
    )
    assert page.locator("#worth-range").get_attribute("aria-valuetext") == "$10.00"
    assert told(page)[0] == "sim/condor-max"
    page.get_by_role("button", name="tie, $0.12").click()
    page.wait_for_function(
        "d => document.querySelector(\"#chart-cost path[stroke='var(--good)']\").getAttribute('d') === d",
        arg=before,
    )


def test_weighing_difficulties_anew_says_what_the_analysis_says(shared):
    page = shared
    labels = SUMMARY.reweighting.labels
    for i, value in enumerate((80, 20, 0)):
        page.locator(f"#mix-{i}").fill(str(value))
    weights = np.array([0.8, 0.2, 0.0])
    assert [page.locator(f"#mix-said-{i}").inner_text() for i in range(3)] == ["80.0 %", "20.0 %", "0.0 %"]
    rows = page.locator("#weighted tbody tr")
    assert rows.locator("th").all_inner_texts()[4:] == [mix_of(factory.ROUTER), ORACLE]
    worth = {}
    for row, one in zip(rows.all()[:4], SUMMARY.reweighting.arms, strict=True):
        score, cost = one.score, float(weights @ one.cost.mean)
        p = float(weights @ score.mean)
        covariance = np.array(score.covariance)
        alike = 1 / sum(w * w / c for w, c in zip(weights, score.clusters, strict=True) if w)
        answers = sum(n for n, w in zip(score.n, weights, strict=True) if w)
        size = max(alike, min(answers, p * (1 - p) / float(weights @ covariance @ weights)))
        degrees = _satterthwaite(weights**2 * np.diag(covariance), np.array(score.clusters))
        interval = wilson(p, size, student_t_quantile(0.95, degrees))
        cells = row.locator("td").all_inner_texts()
        assert cells[0] == numbers.percent_ci(p, interval)
        assert cells[1].startswith(f"{numbers.usd(1000 * cost)} [")
        worth[one.arm] = (p, cost)
    page.locator("#worth-number").fill("0.08")
    assert told(page) == sentence(0.08, worth, weights)
    page.get_by_role("button", name="As asked").click()
    page.wait_for_function("() => document.querySelector('#weighted').hidden")
    assert told(page) == sentence(0.08, AS_ASKED)
    assert labels == ["easy", "hard", "opt"]


def datasets(page, *names):
    """What the picture of cost and quality draws now."""
    return page.evaluate(
        "names => names.map((n) => window.routemark.controls.view.data(n).map((row) => ({...row})))", names
    )


def test_mixtures_and_bounds_follow_the_weights(shared):
    """As post-stratification has them: each model's mean on the traffic, dealt as often as the router picked it."""
    page = shared
    for i, value in enumerate((60, 30, 10)):
        page.locator(f"#mix-{i}").fill(str(value))
    weights = dict(zip(("easy", "hard", "opt"), (0.6, 0.3, 0.1), strict=True))
    bounds, hull = datasets(page, "bounds", "hull")
    arms = {name: arm.by_difficulty for name, arm in SUMMARY.arms.items()}

    def mean(name, field):
        return sum(w * getattr(arms[name][label], field) for label, w in weights.items())

    shares = dict.fromkeys(factory.MODELS, 0.0)
    for label, w in weights.items():
        usage = arms[factory.ROUTER][label].model_usage
        for model, n in usage.items():
            shares[model] += w * n / sum(usage.values())
    mix, oracle = bounds
    assert mix["accuracy"] == pytest.approx(sum(s * mean(m, "accuracy") for m, s in shares.items()))
    assert mix["cost"] == pytest.approx(sum(s * mean(m, "cost_per_1k_usd") for m, s in shares.items()))
    points = SUMMARY.oracle.by_difficulty
    assert oracle["accuracy"] == pytest.approx(sum(w * points[one].accuracy for one, w in weights.items()))
    cost, score = (
        np.array([mean(m, field) for m in factory.MODELS]) for field in ("cost_per_1k_usd", "accuracy")
    )
    expected = zero_router(cost, score)
    for point in hull:
        assert point["accuracy"] == pytest.approx(height(expected, point["cost"]))
    assert [min(p["cost"] for p in hull), max(p["cost"] for p in hull)] == pytest.approx(
        [expected.cost[0], expected.cost[-1]]
    )
    page.get_by_role("button", name="As asked").click()
    page.wait_for_function("() => document.querySelector('#weighted').hidden")
    assert [point["kind"] for point in datasets(page, "bounds")[0]] == ["mix", "oracle"]


def test_it_prints_whole(browser, report):
    page = browser.new_page(color_scheme="dark")
    page.goto(report)
    page.wait_for_function("() => document.documentElement.dataset.drawn", timeout=30_000)
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    ink = page.evaluate("getComputedStyle(document.querySelector('h1')).color")
    assert _luminance(ink) < 0.1, "dark ink on white paper, whatever the scheme of the screen"
    assert page.locator(".behind").evaluate_all("all => all.length > 1 && all.every((e) => e.open)")
    hidden = page.locator("#filter, .skip, .control").evaluate_all(
        "all => all.every((e) => !e.checkVisibility())"
    )
    assert hidden
    cut = page.locator(".scroll").evaluate_all(
        "all => all.filter((e) => e.scrollHeight > e.clientHeight + 1).length"
    )
    assert cut == 0
    page.close()


def test_the_scripts_write_numbers_as_the_rest_of_the_report_does(shared):
    amounts = [0, 1e-7, 0.000012, 0.0099, 0.0994, 0.0996, 0.34, 9.999, 12.5, 999.99, 999.996, 1204, 98765.4]
    assert shared.evaluate("all => all.map(window.routemark.usd)", amounts) == [
        numbers.usd(a) for a in amounts
    ]
    shares = [0, 0.0001, 0.0005, 0.1234, 0.5, 0.9994, 0.9996, 1]
    assert shared.evaluate("all => all.map(window.routemark.percent)", shares) == [
        numbers.percent(s) for s in shares
    ]


# ------------------------------------------------------------------------- keyboard, screen reader


def test_the_keyboard_alone_reaches_and_moves_everything(open_page):
    page = open_page(viewport={"width": 1280, "height": 900})
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    seen = []
    for _ in range(60):
        page.keyboard.press("Tab")
        seen.append(
            page.evaluate(
                "() => document.activeElement.id || (document.activeElement.ariaLabel ?? document.activeElement.textContent).trim().slice(0, 21)"
            )
        )
        if seen[-1] == "worth-range":
            break
    assert seen[-2:] == ["Accuracy against cost", "worth-range"]
    page.keyboard.press("End")
    assert told(page)[0] == "sim/condor-max"
    page.keyboard.press("Home")
    assert told(page)[0] == "sim/sparrow-mini"
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline != "none"
    page.locator(".behind > summary").first.focus()
    page.keyboard.press("Enter")
    assert page.locator(".behind[open] table").first.is_visible()


def test_a_listed_question_is_a_link_that_opens_it(shared):
    page = shared
    link = page.locator("a[href^='#q']:not(.skip)").filter(has_text="q0").first
    wanted = link.get_attribute("href").removeprefix("#")
    link.focus()
    page.keyboard.press("Enter")
    page.wait_for_function("id => document.getElementById(id).open", arg=wanted)
    assert page.locator(f"#{wanted}").locator(".t").first.is_visible()
    page.wait_for_function("() => document.activeElement.tagName === 'SUMMARY'")  # just after it opens


def test_questions_on_which_arms_disagree_can_come_first(shared):
    page = shared
    page.locator("#filter").get_by_role("combobox", name="Order").select_option("disagree")
    marked = page.locator(".q").evaluate_all("all => all.map((e) => 'x' in e.dataset)")
    assert marked == sorted(marked, reverse=True)
    page.get_by_role("button", name="Clear").click()
    page.wait_for_function("() => document.querySelector('#list').firstElementChild.id === 'q0'")


def test_what_a_checker_of_accessibility_would_find(shared):
    """The essential rules of axe: names, references, scopes, roles, order of focus, language."""
    faults = shared.evaluate(_FAULTS)
    assert faults == []


_FAULTS = """() => {
  const faults = [];
  const say = (rule, e) => faults.push(`${rule}: ${e.outerHTML.slice(0, 90)}`);
  const named = (e) => {
    const by = e.getAttribute("aria-labelledby");
    const text = by ? by.split(" ").map((id) => document.getElementById(id)?.textContent ?? "").join(" ")
      : e.getAttribute("aria-label") ?? [...(e.labels ?? [])].map((l) => l.textContent).join(" ") + e.textContent;
    return text.trim() !== "";
  };
  const fields = "input, select, button, textarea, [role=img], [role=region], section, nav, summary, a[href], th";
  for (const e of document.querySelectorAll(fields)) if (!named(e)) say("no name", e);
  for (const attribute of ["aria-labelledby", "aria-describedby", "for", "list"])
    for (const e of document.querySelectorAll(`[${attribute}]`))
      for (const id of e.getAttribute(attribute).split(" ")) if (!document.getElementById(id)) say(`dangling ${attribute}`, e);
  for (const e of document.querySelectorAll("[tabindex]")) if (e.tabIndex > 0) say("tabindex above 0", e);
  for (const e of document.querySelectorAll("th:not([scope])")) say("header without scope", e);
  for (const e of document.querySelectorAll("table")) if (!e.querySelector("th")) say("table without headers", e);
  const roles = ["img", "region", "note", "status", "list", "group"];
  for (const e of document.querySelectorAll("body [role]:not(.vega *)")) if (!roles.includes(e.getAttribute("role"))) say("role", e);
  for (const e of document.querySelectorAll(".scroll")) if (e.scrollWidth > e.clientWidth && e.tabIndex !== 0) say("scrolls without focus", e);
  for (const e of document.querySelectorAll("[aria-hidden=true]")) if (e.querySelector("a, button, input, [tabindex]")) say("hidden focus", e);
  for (const one of ["main", "h1", "header"]) if (document.querySelectorAll(one).length !== 1) faults.push(`not one ${one}`);
  for (const e of document.querySelectorAll("a[href^='#']")) if (!document.getElementById(e.hash.slice(1))) say("dead link", e);
  for (const e of document.querySelectorAll("dl > div")) if (!e.querySelector("dt") || !e.querySelector("dd")) say("dl", e);
  if (!document.title || !document.documentElement.lang) faults.push("title or language");
  return faults;
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_texts_in_charts_have_contrast_and_numbers_on_their_marks(open_page, scheme):
    page = open_page(color_scheme=scheme)
    card = page.evaluate("getComputedStyle(document.querySelector('.chart')).backgroundColor")
    texts = page.evaluate(
        "() => [...new Set([...document.querySelectorAll('.vega svg text')].filter((e) => e.textContent && !e.closest('.numbers_marks')).map((e) => getComputedStyle(e).fill))]"
    )
    assert len(texts) >= 2
    assert [text for text in texts if _contrast(text, card) < 4.5] == []
    on_marks = page.evaluate("() => getComputedStyle(document.querySelector('.numbers_marks text')).fill")
    marks = page.evaluate(
        "() => [...document.querySelectorAll('.dots_marks path')].map((e) => getComputedStyle(e).fill)"
    )
    assert [mark for mark in marks if _contrast(on_marks, mark) < 4.5] == []


def test_hostile_names_in_charts_are_text(browser, tmp_path):
    rows = [row for row in ROWS if row.arm != "sim/heron-pro"]
    evil = factory.NAME + factory.HOSTILE["script"] + factory.HOSTILE["template"] + "datum.n"
    renamed = [
        factory.msgspec.structs.replace(row, arm=evil if row.arm == "sim/condor-max" else row.arm)
        for row in rows
    ]
    run = factory.make_run(
        arms=[factory.Arm(name=n, model=n) for n in (factory.ROUTER, "sim/sparrow-mini", evil)]
    )
    path = factory.written(open_sink, tmp_path / "r.html", run, factory.charted(renamed), renamed)
    page = browser.new_page()
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda message: errors.append(message.text))
    page.goto(path.as_uri())
    page.wait_for_function("() => document.documentElement.dataset.drawn", timeout=30_000)
    page.locator("#worth-number").fill("100")
    page.mouse.move(600, 500)
    assert page.evaluate("window.pwned ?? null") is None
    assert page.locator("#chart-cost img, #chart-cost script, #winner b, #winner script").count() == 0
    assert errors == []
    page.close()
