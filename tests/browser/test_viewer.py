"""The viewer in Chromium: filters, drilling down, a real run watched live, keys, dark and narrow; no request but its own."""

import contextlib
import re
import signal
import threading
from pathlib import Path

import pytest

import journals
import report_factory as factory
import runs
from routemark import main
from routemark.journal import encode
from routemark.records import Question
from routemark.rundir import RunDirectory
from viewing import serving, until

sync_api = pytest.importorskip("playwright.sync_api")

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
ASKED = [
    *journals.questions(120),
    *(
        Question(id=f"{n} {t}"[:90], difficulty="hard", question=t, reference=t)
        for n, t in factory.HOSTILE.items()
    ),
]

pytestmark = pytest.mark.skipif(not CHROMIUM.exists(), reason="needs Chromium")


def lines():
    yield from journals.full(ASKED[:120])
    for question in ASKED[120:]:
        for arm in journals.ARMS:
            yield encode(journals.outcome(question, arm, text=question.question, model=factory.NAME))
            yield encode(journals.grade(question, arm, 0.0))


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    for name, at in (("first", "2026-11-20T10:00:00Z"), ("second", "2026-11-30T10:00:00Z")):
        path = journals.make(folder, name, ASKED, lines(), started_at=at)
        directory = RunDirectory(path)
        main.summarise(directory, files=[directory.results])
    with serving(folder) as client:
        yield client


@pytest.fixture(scope="module")
def browser():
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser, client):
    """Open a page; at the end, fail on any request beyond the server and on any message of the console."""
    contexts, requests, messages = [], [], []

    def open_it(path: str, **options):
        context = browser.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        page.on("request", lambda request: requests.append(request.url))
        page.on("console", lambda message: messages.append(message.text))
        page.on("pageerror", lambda error: messages.append(str(error)))
        page.goto(client.url + path)
        return page

    yield open_it
    for context in contexts:
        context.close()
    assert [url for url in requests if not url.startswith((client.url + "/", "blob:", "data:"))] == []
    assert messages == []


def shown(page) -> list[str]:
    return page.locator(".questions th[scope=row] a").all_inner_texts()


def test_filters_narrow_the_list_without_a_new_page_and_live_in_the_url(open_page):
    page = open_page("/runs/first/questions")
    page.evaluate("window.same = true")
    form = page.locator("form[data-narrow]")
    form.get_by_role("combobox", name="Difficulty").select_option("hard")
    page.wait_for_url("**/questions?difficulty=hard")
    form.get_by_role("searchbox").fill("zebra")
    page.wait_for_url("**/questions?q=zebra&difficulty=hard")
    sync_api.expect(page.locator("#results [role=status]")).to_contain_text("1 of 128 questions")
    assert shown(page) == ["q000100"]
    form.get_by_role("searchbox").fill("")
    form.get_by_label("arms disagree").check()
    page.wait_for_url("**/questions?difficulty=hard&disagree=1")
    sync_api.expect(page.locator(".differ").first).to_be_visible()
    assert page.evaluate("window.same")
    before = shown(page)
    page.reload()
    assert shown(page) == before
    assert form.get_by_label("arms disagree").is_checked()
    assert form.get_by_role("combobox", name="Difficulty").input_value() == "hard"
    assert page.locator("#results .tag.differ").count() == len(before)
    page.get_by_role("link", name="Clear").click()
    sync_api.expect(page.locator("#results [role=status]")).to_contain_text("128 of 128 questions")


def test_trials_that_are_not_meant_by_the_filter_are_dimmed(open_page):
    page = open_page("/runs/first/questions?arm=sim/heron-pro&status=wrong")
    row = page.locator(".questions tbody tr").first
    assert row.locator(".one:not(.dim)").count() == 1
    assert row.locator("td[data-arm='sim/heron-pro'] .one:not(.dim) .m-w").count() == 1


def press(page, key: str) -> None:
    """Press a key once the page's script listens."""
    page.wait_for_load_state("load")
    page.keyboard.press(key)


def test_a_question_is_opened_walked_and_left_by_keyboard_alone(open_page):
    page = open_page("/runs/first/questions?status=wrong", viewport={"width": 1280, "height": 900})
    press(page, "/")
    assert page.evaluate("document.activeElement.name") == "q"
    press(page, "Escape")
    page.evaluate("document.activeElement.blur()")
    first, second = shown(page)[:2]
    press(page, "j")
    assert page.evaluate("document.activeElement.textContent") == first
    press(page, "j")
    press(page, "k")
    press(page, "Enter")
    page.wait_for_url("**/questions/*?status=wrong")
    assert page.locator("h1").inner_text().startswith(first)
    tops = {box["y"] for box in (one.bounding_box() for one in page.locator(".t").all()[:3])}
    assert len(tops) == 1
    press(page, "n")
    sync_api.expect(page.locator("h1")).to_contain_text(second)
    press(page, "p")
    sync_api.expect(page.locator("h1")).to_contain_text(first)
    press(page, "u")
    page.wait_for_url("**/questions?status=wrong")
    press(page, "Tab")
    assert page.locator(".skip").evaluate("e => e === document.activeElement")


def test_drilling_down_from_the_list_of_runs_to_a_question_in_all_runs(open_page):
    page = open_page("/")
    page.get_by_role("searchbox").fill("second")
    page.wait_for_url("**/?q=second")
    sync_api.expect(page.locator(".runs li")).to_have_count(1)
    page.get_by_role("link", name="second").click()
    page.get_by_role("link", name="Questions", exact=True).click()
    page.locator(".questions a").first.click()
    page.get_by_role("link", name="In all runs").click()
    sync_api.expect(page.locator("h1")).to_contain_text("in 2 runs")
    assert page.locator("h2").all_inner_texts() == ["second SIMULATED", "first SIMULATED"]


def test_the_summary_is_the_reports_with_its_charts(open_page):
    page = open_page("/runs/first")
    page.locator("main svg, main canvas").first.wait_for(timeout=10_000)
    sync_api.expect(page.locator("#h-picture")).to_be_visible()


def test_two_runs_are_compared(open_page):
    page = open_page("/compare")
    page.get_by_label("A, before").select_option("first")
    page.get_by_label("B, after").select_option("second")
    page.get_by_role("button", name="Compare").click()
    page.wait_for_url("**/compare?a=first&b=second")
    sync_api.expect(page.locator("#main h2").first).to_be_visible(timeout=15_000)
    assert "What changed, B minus A" in page.locator("#main").inner_text()
    page.get_by_role("link", name="Swap").click()
    page.wait_for_url("**/compare?a=second&b=first")
    sync_api.expect(page.locator("#main")).to_contain_text("B is the earlier run", timeout=15_000)


def test_tags_are_kept(open_page):
    page = open_page("/runs/second/live")
    page.get_by_label("Tags").fill("baseline, <b>nightly</b>")
    page.get_by_role("button", name="Save").click()
    sync_api.expect(page.get_by_label("Tags")).to_have_value("baseline, <b>nightly</b>")
    page.get_by_role("link", name="Runs", exact=True).click()
    page.get_by_role("link", name="<b>nightly</b>").click()
    sync_api.expect(page.locator(".runs li")).to_have_count(1)


def test_hostile_text_does_not_act(open_page, client):
    page = open_page("/runs/first/questions?difficulty=hard")
    page.locator(".questions").hover()
    page.goto(f"{client.url}/runs/first/answers?words=%3C")
    page.locator(".hits").hover()
    for n in range(120, 128):
        page.goto(f"{client.url}/runs/first/questions/{n}")
        page.locator("details > summary").first.click()
        page.mouse.move(300, 500)
    assert page.evaluate("window.pwned ?? null") is None
    assert page.locator("main img, main svg, main script, main b").count() == 0


def test_an_inline_handler_or_foreign_script_is_refused(browser, client):
    page = browser.new_page()
    page.goto(f"{client.url}/runs/first/questions")
    page.evaluate("document.body.insertAdjacentHTML('beforeend', '<b id=x onclick=\"window.pwned=9\">x</b>')")
    page.evaluate(
        "const s = document.createElement('script'); s.text = 'window.pwned=8'; document.body.append(s)"
    )
    page.locator("#x").click()
    assert page.evaluate("window.pwned ?? null") is None
    page.close()


LOOKED_AT = [
    "/",
    "/runs/first",
    "/runs/first/questions",
    "/runs/first/questions?arm=sim/heron-pro&status=wrong",
    "/runs/first/answers?words=final",
    "/runs/first/questions/3",
    "/runs/first/live",
    "/compare?a=first&b=second",
]


@pytest.mark.parametrize(("scheme", "dark"), [("light", False), ("dark", True)])
def test_on_a_narrow_screen_in_either_scheme_all_is_readable_and_named(open_page, client, scheme, dark):
    page = open_page("/", viewport={"width": 400, "height": 800}, color_scheme=scheme)
    for path in LOOKED_AT:
        page.goto(client.url + path)
        page.locator("#main table:visible, .runs, .t, .hits").first.wait_for(timeout=40_000)
        assert page.evaluate("document.documentElement.scrollWidth") <= 400, path
        assert (_luminance(page.evaluate("getComputedStyle(document.body).backgroundColor")) < 0.1) is dark
        pairs = page.evaluate(_VISIBLE_COLOURS)
        assert [pair for pair in pairs if _contrast(*pair) < 4.5] == [], path
        assert page.locator("h1").count() == page.locator("main").count() == 1
        assert page.evaluate(_UNNAMED) == [], path
        ids = page.evaluate("[...document.querySelectorAll('main [id]')].map((e) => e.id)")
        assert len(ids) == len(set(ids)), path


_UNNAMED = """() => [...document.querySelectorAll(
  "input:not([type=hidden]), select, button, nav, section, .scroll, progress, a"
)].filter((e) => {
  const by = e.getAttribute("aria-labelledby");
  const own = e.getAttribute("aria-label") ?? (e.labels?.[0] ?? e).textContent;
  return !(by ? document.getElementById(by)?.textContent : own)?.trim();
}).map((e) => e.outerHTML.slice(0, 80))"""
"""What has no name for a screen reader."""


_VISIBLE_COLOURS = """() => {
  const behind = (e) => {
    for (; e; e = e.parentElement) {
      const color = getComputedStyle(e).backgroundColor;
      if (!/rgba\\(.*, 0(\\.\\d+)?\\)/.test(color)) return color;
    }
    return getComputedStyle(document.body).backgroundColor;
  };
  const pairs = new Set();
  for (const e of document.querySelectorAll("nav *, header *, main *, .simulated *")) {
    const own = [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim());
    if (own && e.checkVisibility() && !e.closest("svg, option, .w-grey"))
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


def test_everything_but_the_live_page_is_there_without_script(browser, client):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{client.url}/runs/first/questions")
    page.get_by_role("searchbox").fill("zebra")
    page.get_by_role("button", name="Show").click()
    page.wait_for_url("**q=zebra**")
    assert len(shown(page)) == 2
    page.locator(".questions a").first.click()
    assert page.locator(".t").count() == 4
    page.goto(f"{client.url}/runs/first/answers?words=final")
    assert page.locator(".hits li").count() == 100
    context.close()


# ------------------------------------------------------------------------------------ a run under way


def number(page, selector: str) -> int:
    return int((re.match(r"[\d,]+", page.locator(selector).inner_text()) or ["0"])[0].replace(",", ""))


@contextlib.contextmanager
def under_way(folder: Path):
    """A run of the command line against a gateway with faults, too long to end by itself while it is watched."""
    questions = runs.write_sums(folder, 3000)
    faults = "400:0.15,429:0.1,502:0.1,midstream:0.1"
    with runs.gateway(questions, "--latency", "fixed:0.3", "--faults", faults) as url:
        asking = runs.begin(
            "run", str(questions), "-m", "openrouter/auto", "-m", "sim/heron", "-j", "4", "--run-id", "live",
            "--base-url", url, "--quiet", cwd=folder,
        )  # fmt: skip
        try:
            until(lambda: (folder / "runs" / "live" / "run.pid").exists() or asking.poll() is not None)
            yield asking
        finally:
            if asking.poll() is None:
                asking.kill()
            asking.communicate(timeout=20)


def test_a_real_run_is_watched_from_its_first_answer_to_its_end(browser, tmp_path):
    errors = []
    page = browser.new_page()
    page.set_default_timeout(40_000)
    page.on("pageerror", lambda error: errors.append(str(error)))
    seen = sync_api.expect
    with under_way(tmp_path) as asking:
        with serving(tmp_path / "runs") as client:
            page.goto(f"{client.url}/")
            seen(page.locator(".runs .state")).to_have_text("running", timeout=40_000)
            seen(page.locator(".runs .meta")).to_contain_text("of 6,000 trials", timeout=40_000)
            page.locator(".name").click()
            page.wait_for_url("**/runs/live/live")
            seen(page.locator("h1")).to_have_text("Under way", timeout=40_000)
            seen(
                page.locator(".simulated strong")
            ).to_be_visible()  # whatever was known when the page was loaded
            assert page.title() == "SIMULATED - live - Routemark"
            for shown in ("#newest a", "#open a", "#bins .b-trial", "#failures th"):
                page.locator(shown).first.wait_for(state="attached")
            page.wait_for_function("() => document.querySelectorAll('#newest a').length > 3")
            assert page.locator("#done").inner_text().endswith(" of 6,000")
            early = number(page, "#done")
        # the viewer is away; the run goes on
        seen(page.locator("#link")).to_contain_text("does not answer", timeout=40_000)
        with serving(tmp_path / "runs", client.port):
            page.wait_for_function(
                "n => parseInt(document.getElementById('done').textContent.replace(',', '')) > n", arg=early
            )
            seen(page.locator("#link")).to_be_hidden(timeout=40_000)
            page.wait_for_function("() => parseInt(document.getElementById('failed').textContent) > 0")
            kinds = page.locator("#failures th[scope=row]").all_inner_texts()
            assert kinds[0] == "bad_request"
            page.wait_for_function("() => document.querySelectorAll('#failures tr').length > 1")
            asking.send_signal(signal.SIGINT)
            seen(page.locator("h1")).to_have_text("Stopped", timeout=40_000)
            done = runs.ended(asking)
            assert done.code == 130, done.stderr
            assert number(page, "#done") == len(runs.outcomes(tmp_path / "runs" / "live"))
            page.get_by_role("link", name="See the summary").click()
            seen(page.locator("h2#h-arms")).to_be_visible(timeout=40_000)
    page.close()
    assert errors == []
    assert threading.active_count() < 50
