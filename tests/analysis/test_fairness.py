"""Each condition of a fair comparison, one by one: what breaks it, and the sentence that says so."""

import msgspec
import pytest

from analysis import worlds
from routemark.analysis.drift.fairness import Facts, checks
from routemark.records import ClientHealth

SETTINGS = {
    "max_tokens": 100,
    "temperature": None,
    "stream": True,
    "concurrency": 20,
    "transport": "pyreqwest",
}
A = worlds.run("auto", "m", questions=100, settings=SETTINGS, id="a", started_at="2026-03-01T10:00:00Z")
B = msgspec.structs.replace(A, id="b", started_at="2026-03-20T10:00:00Z")
FACTS = Facts(
    counted=(100, 100),
    shared=100,
    same_run=False,
    grades_differ=0,
    graders=[],
    sent_differs={},
    shared_sessions=0,
    reused_sessions=(0, 0),
    anchors=["m"],
    renamed=None,
    one_sided=([], []),
)


def found(a=A, b=B, **facts):
    return {check.name: check for check in checks(a, b, FACTS._replace(**facts))}


def changed(run, **fields):
    return msgspec.structs.replace(run, **fields)


def test_two_runs_that_differ_in_their_date_alone_are_fair():
    assert all(check.fair for check in found().values())
    assert {"questions", "grades", "requests", "sessions", "anchors", "dates", "latency"} <= set(found())


@pytest.mark.parametrize(
    ("name", "b", "facts", "words"),
    [
        ("simulated", {"simulated": True}, {}, "B was simulated and A was not"),
        ("runs", {}, {"same_run": True}, "the same run"),
        ("questions", {"questions_sha256": "1"}, {"shared": 80}, "left out are 20 of A and 20 of B"),
        ("finished", {"status": "stopped"}, {"counted": (100, 40)}, "the first 40 of 100 questions"),
        (
            "grades",
            {},
            {"grades_differ": 7, "graders": ["numeric 1 in A, numeric 2 in B"]},
            "routemark grade a",
        ),
        ("requests", {}, {"sent_differs": {"m": 5}}, "for m on 5 questions"),
        ("requests", {"settings": {**SETTINGS, "max_tokens": 5}}, {}, "max_tokens 100 in A, 5 in B"),
        (
            "requests",
            {"settings": {**SETTINGS, "temperature": 0.5}},
            {},
            "temperature not given in A, 0.5 in B",
        ),
        (
            "requests",
            {"base_url": "https://else.example/v1"},
            {},
            "at this machine in A, at else.example in B",
        ),
        ("sessions", {}, {"reused_sessions": (3, 0)}, "3 trials shared a session"),
        ("sessions", {}, {"shared_sessions": 4}, "4 trials shared a session"),
        ("anchors", {}, {"anchors": []}, "No fixed model was asked on both dates"),
        ("dates", {"started_at": "2026-03-04T10:00:00Z"}, {}, "3 days apart, less than the 7 days"),
        ("dates", {}, {"renamed": ("x", "y")}, "the days, not the settings"),
        ("latency", {"settings": {**SETTINGS, "concurrency": 5}}, {}, "concurrency 20 in A, 5 in B"),
        ("latency", {"client": ClientHealth(limited=True)}, {}, "slow in B"),
    ],
)
def test_what_is_not_fair_is_said_first(name, b, facts, words):
    all_checks = checks(A, changed(B, **b), FACTS._replace(**facts))
    (check,) = [one for one in all_checks if one.name == name]
    assert not check.fair
    assert words in check.sentence
    assert check.sentence.endswith(".")
    flags = [one.fair for one in all_checks]
    assert flags == sorted(flags)


def test_the_port_of_a_local_gateway_says_nothing():
    assert found(b=changed(B, base_url="http://127.0.0.1:999/api"))["requests"].fair


def test_a_longer_distance_still_claims_two_days_only():
    assert "19 days apart; two runs are two days" in found()["dates"].sentence
    assert "3 runs or more, over 3 weeks or more" in found()["dates"].sentence


def test_two_settings_of_one_day_are_fair_and_named():
    one_day = found(b=changed(B, started_at="2026-03-01T11:00:00Z"), renamed=("auto", "other"))
    assert one_day["dates"].fair
    assert "auto in A, other in B" in one_day["requests"].sentence


def test_questions_that_only_one_run_finished_are_counted():
    assert found(counted=(100, 80), shared=80)["questions"].sentence.startswith("The same question file; 80 ")


def test_arms_of_one_run_are_named():
    assert found(one_sided=(["x"], ["y", "z"]))["arms"].sentence.endswith("x in A; y and z in B.")
