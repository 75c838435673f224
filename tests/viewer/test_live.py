"""A run under way: what its journal tells, as it grows, is torn, is left, and comes to its end."""

import os
import subprocess
import sys
import time
from datetime import datetime, timedelta

import msgspec
import pytest

import journals
from routemark.config import Settings
from routemark.generations import arrived
from routemark.journal import Event, Launch, encode
from routemark.policy import plan
from routemark.prepare import Prepared
from routemark.records import Attempt
from routemark.rundir import RunDirectory
from routemark.viewer.live import Watch
from routemark.viewer.opened import OpenRun
from viewing import serving

ASKED = journals.questions(40)
ARMS = journals.ARMS


@pytest.fixture
def path(tmp_path):
    """A run that this very process seems to be at work on."""
    path = journals.make(tmp_path, "run", ASKED, [], status="running")
    (path / "run.pid").write_text(f"{os.getpid()}\n")
    return path


def append(path, *records) -> None:
    with (path / "journal.jsonl").open("ab") as file:
        file.writelines(encode(record) for record in records)


def watch(path) -> Watch:
    return Watch(OpenRun(RunDirectory(path), path / "index"))


def end(path, status="complete", reason=None) -> None:
    directory = RunDirectory(path)
    directory.write(msgspec.structs.replace(directory.read(), status=status, stop_reason=reason))
    (path / "run.pid").unlink(missing_ok=True)


def test_it_tells_progress_spend_failures_and_the_newest(path):
    seeing = watch(path)
    assert seeing.look().data["done"] == 0
    append(path, journals.outcome(ASKED[0], ARMS[0], cost_usd=0.25), journals.grade(ASKED[0], ARMS[0], 1.0))
    append(path, journals.failed(ASKED[1], ARMS[0]), journals.failed(ASKED[2], ARMS[1], kind="no_credit"))
    append(
        path,
        journals.outcome(ASKED[3], ARMS[2], cost_usd=0.5),
        journals.outcome(ASKED[4], ARMS[2], cost_usd=None),
    )
    append(
        path,
        Event(event="pace", at=journals.AT, data={"limit": 32.4, "reason": "a round", "peak_in_flight": 20}),
    )
    seen = seeing.look()
    data = seen.data
    assert (data["state"], seen.over) == ("running", False)
    assert (data["done"], data["planned"]) == (4, 160)  # what our own side failed is asked again
    assert (data["spent"], data["foreseen"], data["unknown"]) == ("$0.75", "$59.25", "3 trials")
    assert (data["limit"], data["peak"]) == ("32", "20")
    assert [(one["kind"], one["trials"], one["attempts"]) for one in data["failures"]] == [
        ("bad_gateway", "1", "1"),
        ("no_credit", "1", "1"),
    ]
    assert (data["failed"], data["attempts"]) == ("2", "2 attempts")
    assert [one["id"] for one in data["newest"]] == [ASKED[i].id for i in (4, 3, 2, 1, 0)]
    assert data["newest"][-1] == {
        "key": data["newest"][-1]["key"], "n": 0, "id": "q000000", "arm": ARMS[0], "model": ARMS[1], "status": "right",
        "kind": "", "cost": "$0.25", "latency": "500 ms",
    }  # fmt: skip
    assert [(one["arm"], one["done"], one["right"], one["waiting"], one["failed"]) for one in data["arms"]] == [
        (ARMS[0], "2", "1 of 1", "0", "1"), (ARMS[1], "1", "n/a", "0", "1"), (ARMS[2], "2", "n/a", "2", "0"),
        (ARMS[3], "0", "n/a", "0", "0"),
    ]  # fmt: skip


def test_what_was_asked_again_is_paid_twice_and_done_once(path):
    append(path, journals.failed(ASKED[0], ARMS[0], kind="no_credit"))
    append(
        path,
        journals.outcome(ASKED[0], ARMS[0], cost_usd=0.5),
        journals.outcome(ASKED[0], ARMS[0], cost_usd=0.25),
    )
    data = watch(path).look().data
    assert (data["done"], data["spent"], data["failed"]) == (1, "$0.75", "0")
    assert [(one["kind"], one["trials"], one["attempts"]) for one in data["failures"]] == [
        ("no_credit", "0", "1")
    ]


def attempt(after: float, kind: str | None = None) -> Attempt:
    at = datetime.fromisoformat(journals.AT) + timedelta(seconds=after)
    return Attempt(started_at=at.isoformat(), duration_s=0.5, kind=kind)


def test_attempts_that_were_asked_again_are_counted_by_kind_and_over_time(path):
    for i, faults in enumerate([["rate_limit_platform"] * 2, [], ["bad_gateway"], ["rate_limit_platform"]]):
        attempts = [attempt(10 * i, kind) for kind in faults]
        answer = journals.outcome(ASKED[i], ARMS[0])
        append(path, msgspec.structs.replace(answer, attempts=[*attempts, attempt(10 * i + 1)]))
    data = watch(path).look().data
    assert [(one["kind"], one["trials"], one["attempts"]) for one in data["failures"]] == [
        ("rate_limit_platform", "0", "3"),
        ("bad_gateway", "0", "1"),
    ]
    assert (data["attempts"], data["bin_s"]) == ("4 attempts", 1)
    assert {i: n for i, n in enumerate(data["bins"]) if n} == {1: 1, 11: 1, 21: 1, 31: 1}
    assert {i: n for i, n in enumerate(data["faults"]) if n} == {0: 2, 20: 1, 30: 1}


def test_a_long_run_is_drawn_to_its_end_in_few_bars(path):
    for i in range(40):
        append(
            path, msgspec.structs.replace(journals.outcome(ASKED[i], ARMS[0]), attempts=[attempt(600.0 * i)])
        )
    data = watch(path).look().data
    assert (len(data["bins"]), sum(data["bins"]), data["bins"][0], data["bins"][-1]) == (60, 40, 1, 1)


def test_the_pace_is_of_late_while_it_runs_and_of_all_when_it_has_ended(path):
    for i in range(21):
        at = 0.0 if i == 0 else 100 + i / 2
        append(path, msgspec.structs.replace(journals.outcome(ASKED[i], ARMS[0]), attempts=[attempt(at)]))
    assert watch(path).look().data["rate"] == "2.0"
    end(path)
    assert watch(path).look().data["rate"] == "0.2"


def test_responses_that_have_begun_are_named_the_oldest_first(path):
    run = RunDirectory(path).read()
    made_of = plan.Plan(
        run_id=run.id, arms=run.arms, options=Prepared(Settings(), [], run.arms).options, repeats=1, window=run.window, seed=run.seed
    )  # fmt: skip
    order = plan.order([one.id for one in ASKED], run.seed)
    first, second, third = (
        next(plan.trials(made_of, ASKED, [plan.Place(int(order[i]), i, 0, 0)])) for i in range(3)
    )
    append(path, arrived("ab" * 12, "gen-crashed", "2026-11-24T06:00:00Z"))
    append(path, Launch(at=journals.AT, pid=2, routemark_version="1"))
    append(
        path,
        arrived(second.key, "gen-2", "2026-11-24T06:48:31Z"),
        arrived(first.key, "gen-1", "2026-11-24T06:48:30Z"),
    )
    append(
        path,
        arrived("cd" * 12, "gen-x", "2026-11-24T06:48:32Z"),
        arrived(third.key, "gen-3", "2026-11-24T06:48:29Z"),
    )
    seeing = watch(path)
    assert len(seeing.look().data["open"]) == 4
    append(path, msgspec.structs.replace(journals.outcome(third.question, third.arm.name), trial=third.key))
    found = seeing.look().data["open"]
    assert [one["generation"] for one in found] == ["gen-1", "gen-2", "gen-x"]
    assert [(one.get("id"), one.get("arm")) for one in found] == [
        (first.question.id, ARMS[0]), (second.question.id, ARMS[1]), (None, None),
    ]  # fmt: skip
    assert found[0]["since"] == pytest.approx(1795502910)


def test_many_of_them_are_counted(path):
    append(path, *(arrived(f"{i:016x}00000000", f"gen-{i}", journals.AT) for i in range(30)))
    found = watch(path).look().data["open"]
    assert len(found) == 9
    assert found[-1] == {"more": 22}


def test_nothing_new_has_the_same_version_and_a_torn_line_is_nothing_new(path):
    seeing = watch(path)
    append(path, journals.outcome(ASKED[0], ARMS[0]))
    before = seeing.look()
    assert seeing.look().version == before.version
    with (path / "journal.jsonl").open("ab") as file:
        file.write(encode(journals.outcome(ASKED[1], ARMS[0]))[:-40])
    after = seeing.look()
    assert (after.version, after.data["done"]) == (before.version, 1)


def test_a_run_without_its_process_is_interrupted_until_one_takes_it_up(path):
    seeing = watch(path)
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    for content in (f"{child.pid}\n", "", "no number", "-", str(10**30)):
        (path / "run.pid").write_text(content)
        seen = seeing.look()
        assert (seen.data["state"], seen.over) == ("interrupted", False), content
    (path / "run.pid").write_text(f"{os.getpid()}\n")
    assert seeing.look().data["state"] == "running"


def test_text_of_others_is_harmless_in_it(path):
    answer = journals.outcome(ASKED[0], ARMS[0], model="\x1b[31m<b>evil\u202e\nmodel")
    append(path, answer, journals.failed(ASKED[1], ARMS[0], kind="\x1b]0;owned\x07odd"))
    data = watch(path).look().data
    assert data["newest"][1]["model"] == "<b>evil model"
    assert data["newest"][0]["kind"] == data["failures"][0]["kind"] == "odd"
    assert "\x1b" not in str(data)


# ------------------------------------------------------------------------------------ the stream


def test_the_stream_follows_the_run_to_its_end(path, tmp_path):
    with serving(tmp_path) as client:
        first = client.events("/runs/run/events", 1)[0]
        assert (first["event"], first["data"]["done"]) == ("state", 0)
        append(path, journals.outcome(ASKED[0], ARMS[0]))
        second = client.events("/runs/run/events", 1, **{"Last-Event-ID": first["id"]})[0]
        assert second["data"]["done"] == 1
        end(path, "stopped", "Interrupted.")
        *_, last, over = client.events("/runs/run/events", 9, **{"Last-Event-ID": second["id"]})
        assert (last["data"]["state"], last["data"]["reason"]) == ("stopped", "Interrupted.")
        assert over["event"] == "over"


def test_what_a_listener_has_is_not_sent_again_after_a_restart(path, tmp_path):
    with serving(tmp_path) as client:
        known, port = client.events("/runs/run/events", 1)[0]["id"], client.port
    append(path, journals.outcome(ASKED[0], ARMS[0]))
    with serving(tmp_path, port) as client:
        found = client.events("/runs/run/events", 1, **{"Last-Event-ID": known})[0]
        assert (found["data"]["done"], found["id"] != known) == (1, True)
        end(path)
        known = client.events("/runs/run/events", 1, **{"Last-Event-ID": found["id"]})[0]["id"]
        assert [one["event"] for one in client.events("/runs/run/events", 9, **{"Last-Event-ID": known})] == [
            "over"
        ]


def test_the_server_ends_while_somebody_listens(path, tmp_path):
    import http.client

    with serving(tmp_path) as client:
        connection = http.client.HTTPConnection("127.0.0.1", client.port, timeout=20)
        connection.request("GET", "/runs/run/events")
        answer = connection.getresponse()
        assert answer.readline().startswith(b"id: ")
        begun = time.monotonic()
    assert time.monotonic() - begun < 5
    answer.close()
    connection.close()
