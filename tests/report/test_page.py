"""report.html as a text: complete, inert, small; what a browser makes of it is tested in tests/browser."""

import re
from html import unescape
from html.parser import HTMLParser

import msgspec
import pytest

import report_factory as factory
from routemark.report import bundle
from routemark.report.page import disagree, environment, open_page, status

ROWS = factory.make_rows()
SUMMARY = factory.make_summary(ROWS)


class Tags(HTMLParser):
    """Collects tags and their attributes."""

    def __init__(self):
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))


def page(tmp_path, rows=ROWS, run=None, summary=SUMMARY) -> str:
    path = tmp_path / "report.html"
    factory.written(open_page, path, run or factory.make_run(), summary, iter(rows))
    assert [p.name for p in tmp_path.iterdir()] == ["report.html"]
    return path.read_text("utf-8")


def test_it_holds_every_question_and_answer(tmp_path):
    html = page(tmp_path)
    assert html.count('<details class="q"') == 120
    assert html.count('<article class="t"') == 480
    assert "Reference: <code>14</code>" in html
    assert "Provider returned error" in html
    assert "gen-0007-1" in html


def test_simulated_is_in_the_title_and_at_the_top_only_when_it_was(tmp_path):
    html = page(tmp_path)
    assert "<title>SIMULATED - Routemark" in html
    assert html.index('class="simulated"') < html.index("<h1>")
    real = page(tmp_path, run=factory.make_run(simulated=False))
    assert 'class="simulated"' not in real
    assert "<title>Routemark" in real


def test_nothing_in_it_asks_for_anything(tmp_path):
    tags = Tags()
    tags.feed(page(tmp_path, rows=[*ROWS, *factory.hostile_rows()]))
    for tag, attributes in tags.found:
        assert not {"src", "srcset", "style", "background", "action", "ping"} & set(attributes), tag
        assert not [name for name in attributes if name.startswith("on")], tag
        assert attributes.get("href", "#").startswith("#"), tag
    names = [tag for tag, _ in tags.found]
    scripts = [attributes for tag, attributes in tags.found if tag == "script"]
    assert [one for one in scripts if one] == [
        {"type": "application/json", "id": "chart-data"},
        {"type": "text/plain", "id": "vega"},
    ]
    assert (len(scripts), names.count("style")) == (4, 1)
    assert not {"img", "iframe", "link", "object", "embed", "base", "audio", "video"} & set(names)


def test_the_policy_forbids_everything_but_its_own_hashes(tmp_path):
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', page(tmp_path))
    directives = dict(part.strip().split(" ", 1) for part in unescape(policy).split(";"))
    assert directives["default-src"] == "'none'"
    assert re.fullmatch(r"'sha256-[\w+/]{43}='", directives["style-src"])
    assert re.fullmatch(r"('sha256-[\w+/]{43}=' ?){3}", directives["script-src"])
    assert directives["form-action"] == directives["base-uri"] == "'none'"


def test_hostile_text_is_cleaned_and_cut(tmp_path):
    html = page(tmp_path, rows=factory.hostile_rows())
    assert not {"\x1b", "\x9b", "\x07", "\u202e", "\u2066", "\u200b"} & set(html)
    assert "of 5,000,000 characters; the journal has all." in html
    assert "{{ 7 * 7 }}" in html
    assert len(html) - len(bundle.packed()) < 150_000


def test_a_thousand_results_with_long_answers_stay_small(tmp_path):
    rows = [msgspec.structs.replace(row, answer=(row.answer or "") * 20) for row in factory.make_rows(250)]
    html = page(tmp_path, rows=rows)
    assert html.count('<article class="t"') == 1000
    assert 1_700_000 < len(html.encode()) < 1_990_000
    assert "characters; the journal has all." in html


def test_of_many_results_a_sample_is_embedded_and_the_page_says_so(tmp_path):
    rows = (msgspec.structs.replace(row, id=f"{n}-{row.id}") for n in range(15) for row in ROWS)
    html = page(tmp_path, rows=rows)
    shown = html.count('<article class="t"')
    assert 4900 < shown <= 5000
    assert f"This page holds {shown:,} of 7,200 trials" in html
    assert "This page holds" not in page(tmp_path)


def test_a_stopped_run_and_left_out_trials_are_named(tmp_path):
    rows = [msgspec.structs.replace(row, counted=row.id < "q0096") for row in ROWS]
    summary = msgspec.structs.replace(SUMMARY, finished_questions=96, total=384)
    html = page(tmp_path, rows, factory.make_run(status="stopped", stop_reason="interrupted"), summary)
    assert (
        "Stopped before the end: interrupted. Everything below rests on the first 96 finished questions"
        in html
    )
    assert html.count("not in the summary") == 96
    assert "96 planned trials beyond the longest finished prefix" in html


def test_without_grades_there_is_no_picture_and_no_accuracy(tmp_path):
    rows = [msgspec.structs.replace(row, grade=None) for row in ROWS]
    arms = {
        name: msgspec.structs.replace(arm, accuracy=None, accuracy_ci95=None)
        for name, arm in SUMMARY.arms.items()
    }
    html = page(
        tmp_path, rows, summary=msgspec.structs.replace(SUMMARY, arms=arms, graded=False, comparisons=[])
    )
    assert "<svg" not in html
    assert "Nothing to draw" in html
    assert "Accuracy by kind of question" not in html


def test_a_run_without_results_is_a_page_too(tmp_path):
    empty = msgspec.structs.replace(
        SUMMARY, arms={}, comparisons=[], total=0, finished_questions=0, cost_usd=None
    )
    assert "Still running." in page(tmp_path, [], factory.make_run(status="running"), empty)


def test_no_expression_of_a_template_can_forget_to_clean_and_escape():
    template = environment().from_string("{% macro m(x) %}<i>{{ x }}</i>{% endmacro %}{{ x }}{{ m(x) }}")
    assert template.render(x="\x1b[31m<b>\u202e") == "&lt;b&gt;<i>&lt;b&gt;</i>"


def row(score, **changes):
    plain = next(row for row in ROWS if row.grade)
    return msgspec.structs.replace(plain, grade=msgspec.structs.replace(plain.grade, score=score), **changes)


@pytest.mark.parametrize(
    ("score", "word"), [(1.0, "right"), (0.0, "wrong"), (0.5, "partial"), (None, "not graded")]
)
def test_status_of_an_answer(score, word):
    assert status(row(score)) == word


def test_status_of_a_failure_and_of_an_answer_without_grade():
    assert status(row(1.0, status="failed")) == "failed"
    assert status(msgspec.structs.replace(row(1.0), grade=None)) == "not graded"


def test_a_number_and_its_unit_stay_on_one_line():
    said = (
        environment().from_string("{{ x|tied }}").render(x="-429 ms* of 12.4 s, 3 points; 95 % of 12 models")
    )
    assert said.split(" ") == [
        "-429\xa0ms*",
        "of",
        "12.4\xa0s,",
        "3\xa0points;",
        "95\xa0%",
        "of",
        "12",
        "models",
    ]


def test_who_answered_what_says_how_many_were_right_and_folds_what_is_long(tmp_path):
    html = page(tmp_path)
    assert re.search(r'<td class="s[1-5]">\d+\.\d % of \d\d</td>', html)
    assert html.count('<details class="behind">') == 1, "seven categories need no fold"
    many = [msgspec.structs.replace(row, category=f"c{row.id[-1]}{row.id[-2]}") for row in ROWS]
    assert "(40 rows)" in page(tmp_path, many, summary=factory.make_summary(many))


@pytest.mark.parametrize(
    ("scores", "answer"),
    [([1.0, 1.0], False), ([1.0, 0.0], True), ([1.0, None], False), ([0.5, 1.0], True), ([], False)],
)
def test_arms_disagree_when_their_scores_differ(scores, answer):
    assert disagree([row(score) for score in scores]) is answer
