"""report.html in Chromium, from a file: URL: it asks for nothing, runs nothing foreign, and can be used."""

import re
from itertools import pairwise
from pathlib import Path

import pytest

import report_factory as factory
from routemark.report.page import write_page

sync_api = pytest.importorskip("playwright.sync_api")

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip

pytestmark = pytest.mark.skipif(not CHROMIUM.exists(), reason="needs Chromium")


@pytest.fixture(scope="module")
def report(tmp_path_factory) -> str:
    path = tmp_path_factory.mktemp("report") / "report.html"
    rows = factory.make_rows()
    everything = [*rows, *factory.hostile_rows()]
    write_page(path, factory.make_run(), factory.make_summary(rows), everything)
    return path.as_uri()


@pytest.fixture(scope="module")
def browser():
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser, report):
    """Open the report; at the end, fail on any request but its own and on any message of the console."""
    contexts, requests, messages = [], [], []

    def open_it(**options):
        context = browser.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        page.on("request", lambda request: requests.append(request.url))
        page.on("console", lambda message: messages.append(message.text))
        page.on("pageerror", lambda error: messages.append(str(error)))
        page.goto(report)
        return page

    yield open_it
    for context in contexts:
        context.close()
    assert set(requests) == {report}
    assert messages == []


def settle(page, count: int) -> None:
    page.wait_for_function(
        "n => document.querySelectorAll('.q:not([hidden])').length === n", arg=count, timeout=3000
    )


def test_hostile_text_does_not_act(open_page):
    page = open_page()
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


def test_the_filter_finds_questions(open_page):
    page = open_page()
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
    page.get_by_role("button", name="Clear").click()
    settle(page, 129)
    form.get_by_label("arms disagree").check()
    scores: dict[str, set[float]] = {}
    for row in rows:
        scores.setdefault(row.id, set()).update([row.grade.score] if row.grade else [])
    settle(page, sum(len(of_one) > 1 for of_one in scores.values()))


def test_a_question_opens_by_keyboard_on_its_answers_side_by_side(open_page):
    page = open_page(viewport={"width": 1280, "height": 900})
    question = page.locator(".q").nth(1)
    question.locator("summary").focus()
    page.keyboard.press("Enter")
    answers = question.locator(".t")
    assert answers.count() == 4
    assert question.get_by_text("Reference: 2").is_visible()
    tops = {answers.nth(i).bounding_box()["y"] for i in range(4)}
    assert len(tops) == 1
    page.keyboard.press("Enter")
    assert not answers.first.is_visible()


def test_a_narrow_screen_has_no_sideways_scrolling(open_page):
    page = open_page(viewport={"width": 400, "height": 800})
    page.locator("#open").click()
    assert page.evaluate("document.documentElement.scrollWidth") <= 400
    assert page.locator("svg.narrow").is_visible()
    assert not page.locator("svg.wide").is_visible()


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
    assert not page.locator("#filter").is_visible()
    page.locator(".q summary").first.click()
    assert page.locator(".q .t").first.is_visible()
    context.close()


def test_it_is_named_for_screen_readers(open_page):
    page = open_page()
    assert page.locator("html").get_attribute("lang") == "en"
    assert page.locator("h1").count() == 1
    picture = page.get_by_role("img", name="Accuracy against cost per 1,000 questions")
    assert picture.count() == 1
    unnamed = page.evaluate(
        """() => [...document.querySelectorAll("input, select, button, section, .scroll")].filter((e) => {
          const by = e.getAttribute("aria-labelledby");
          const name = by ? document.getElementById(by)?.textContent : (e.labels?.[0] ?? e).textContent;
          return !name?.trim();
        }).map((e) => e.outerHTML.slice(0, 80))"""
    )
    assert unnamed == []
    ids = page.evaluate("[...document.querySelectorAll('[id]')].map((e) => e.id)")
    assert len(ids) == len(set(ids))
    levels = page.evaluate("[...document.querySelectorAll('h1,h2,h3,h4')].map((e) => +e.tagName[1])")
    assert all(b - a <= 1 for a, b in pairwise(levels))
