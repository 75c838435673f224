"""JUnit for CI: an arm is a suite, a question a case, and what is wrong is told apart from what failed."""

import tracemalloc
from xml.etree import ElementTree as ET

import msgspec
import pytest

import report_factory as factory
from routemark.report.junit import open_junit

ROWS = factory.make_rows()
SUMMARY = factory.make_summary(ROWS)


def read(tmp_path, rows, run=None) -> ET.Element:
    path = factory.written(open_junit, tmp_path / "r.junit.xml", run or factory.make_run(), SUMMARY, rows)
    assert [one.name for one in tmp_path.iterdir()] == ["r.junit.xml"]
    return ET.parse(path).getroot()


def test_every_trial_is_a_case_of_its_arms_suite_and_the_numbers_add_up(tmp_path):
    root = read(tmp_path, ROWS)
    assert root.tag == "testsuites"
    assert root.get("name") == "SIMULATED routemark 20261124-064828-demo"
    assert [suite.get("name") for suite in root] == [factory.ROUTER, *factory.MODELS]
    for suite in root:
        own = [row for row in ROWS if row.arm == suite.get("name")]
        cases = suite.findall("testcase")
        assert [case.get("name") for case in cases] == [row.id for row in own]
        assert {case.get("classname") for case in cases} == {suite.get("name")}
        assert int(suite.get("tests")) == len(own)
        assert (
            int(suite.get("errors"))
            == sum(row.status == "failed" for row in own)
            == len(suite.findall(".//error"))
        )
        wrong = sum(row.grade is not None and row.grade.score == 0 for row in own)
        assert int(suite.get("failures")) == wrong == len(suite.findall(".//failure"))
        assert float(suite.get("time")) == pytest.approx(sum(row.latency_s or 0 for row in own), abs=1e-3)
        assert suite.find("properties/property").get("value").startswith("Cannot be told apart")
    for name in ("tests", "failures", "errors", "skipped"):
        assert int(root.get(name)) == sum(int(suite.get(name)) for suite in root)


def row(score, **changes):
    plain = next(row for row in ROWS if row.grade)
    return msgspec.structs.replace(plain, grade=msgspec.structs.replace(plain.grade, score=score), **changes)


@pytest.mark.parametrize(
    ("one", "tag", "kind"),
    [
        (row(1.0), None, None),
        (row(0.0), "failure", "wrong"),
        (row(0.5), "failure", "partly right"),
        (row(None), "skipped", None),
        (next(row for row in ROWS if row.error), "error", "bad_gateway"),
    ],
)
def test_what_became_of_a_trial_is_told_apart(tmp_path, one, tag, kind):
    (case,) = read(tmp_path, [one]).findall(".//testcase")
    assert [child.tag for child in case] == ([tag] if tag else [])
    if kind:
        assert case[0].get("type") == kind


def test_a_wrong_answer_says_what_was_expected_and_who_answered(tmp_path):
    (failure,) = read(tmp_path, [row(0.0, reference=[1, 2], repeat=1)]).findall(".//failure")
    assert failure.text.startswith("expected: [1,2]\ngot: ")
    assert "model: sim/" in failure.text
    (case,) = read(tmp_path, [row(0.0, repeat=1)]).findall(".//testcase")
    assert case.get("name").endswith("(repeat 2)")


def test_hostile_text_is_text_and_valid_xml(tmp_path):
    nasty = "]]> \x00 \x1b[31m \ufffe \ud800 <failure> & \"quoted\" 'too'"
    rows = [*factory.hostile_rows(), row(0.0, id=nasty, arm=nasty, answer=nasty, reference=nasty)]
    root = read(tmp_path, rows)
    assert len(root.findall(".//testcase")) == len(rows)
    assert {element.tag for element in root.iter()} <= {
        "testsuites", "testsuite", "properties", "property", "testcase", "failure", "error", "skipped",
    }  # fmt: skip


def test_memory_does_not_grow_with_the_rows(tmp_path):
    one = row(0.0)
    tracemalloc.start()
    factory.written(open_junit, tmp_path / "r.xml", factory.make_run(), SUMMARY, (one for _ in range(6000)))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (tmp_path / "r.xml").stat().st_size > 2_000_000
    assert peak < 1_800_000
