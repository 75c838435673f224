"""The journal on real files: what was appended comes back, whatever happens to the file's end."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routemark.errors import JournalError
from routemark.journal import Event, Journal, Launch, Line, decode, encode, read_at, replay
from routemark.records import Attempt, Completion, Failure, Grade, Outcome

texts = st.text(max_size=40)
completions = st.builds(Completion, text=texts, model=texts, latency_s=st.floats(0, 1e6))
outcomes = st.builds(
    Outcome,
    trial=texts,
    question_id=texts,
    arm=texts,
    repeat=st.integers(0, 9),
    session_id=texts,
    attempts=st.lists(st.builds(Attempt, started_at=texts, duration_s=st.floats(0, 1e6)), max_size=3),
    completion=st.none() | completions,
    failure=st.none() | st.builds(Failure, kind=texts, message=texts),
)
grades = st.builds(
    Grade, trial=texts, grader=texts, version=st.integers(1, 9), score=st.none() | st.floats(0, 1)
)


def outcome(n: int) -> Outcome:
    return Outcome(trial=f"{n:024x}", question_id=f"q{n}", arm="a", repeat=0, session_id="s", attempts=[])


@given(st.lists(outcomes | grades, max_size=8))
def test_replay_after_append_is_identity(
    tmp_path_factory: pytest.TempPathFactory, records: list[Line]
) -> None:
    path = tmp_path_factory.mktemp("j") / "journal.jsonl"
    with Journal(path) as journal:
        for record in records:
            journal.append(record)
    assert [entry.record for entry in replay(path)] == records
    with path.open("rb") as file:
        assert [read_at(file, entry.offset) for entry in replay(path)] == records


def test_a_line_says_version_and_kind_first() -> None:
    assert encode(outcome(1)).startswith(b'{"v":1,"kind":"outcome","trial":')
    assert encode(Launch(at="t", pid=1, routemark_version="0")).startswith(b'{"v":1,"kind":"launch"')
    assert encode(outcome(1)).endswith(b"}\n")


def test_unknown_kinds_and_fields_are_skipped(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    line = encode(outcome(1))
    path.write_bytes(b'{"v":2,"kind":"dream","x":1}\n' + line.replace(b'"arm":', b'"mood":{"a":[1]},"arm":'))
    assert [entry.record for entry in replay(path)] == [outcome(1)]
    assert decode(b'{"v":1}') is None


@pytest.mark.parametrize("cut", [1, 10, 60])
def test_a_torn_last_line_is_set_aside_and_the_rest_stays(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "journal.jsonl"
    whole, torn = encode(outcome(1)), encode(outcome(2))[:-cut]
    path.write_bytes(whole + torn)
    assert [entry.record for entry in replay(path)] == [outcome(1)]
    with Journal(path) as journal:
        assert journal.torn_bytes == len(torn)
        journal.append(outcome(3))
    assert [entry.record for entry in replay(path)] == [outcome(1), outcome(3)]
    assert (tmp_path / "journal.torn").read_bytes() == torn + b"\n"


def test_a_file_that_is_one_torn_line_longer_than_a_block(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    path.write_bytes(b"x" * 200_000)
    with Journal(path) as journal:
        assert journal.torn_bytes == 200_000
    assert path.read_bytes() == b""


def test_damage_in_the_middle_is_an_error_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    first = encode(outcome(1))
    path.write_bytes(first + b'{"v":1,"kind":"outcome","tr\n' + encode(outcome(2)))
    with pytest.raises(JournalError, match=f"damaged at byte {len(first)}"):
        list(replay(path))


def test_a_second_process_is_refused_with_the_pid_of_the_first(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    code = f"from routemark.journal import Journal; from pathlib import Path; Journal(Path({str(path)!r}))"
    with Journal(path):
        second = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert second.returncode != 0
    assert f"process {os.getpid()} is writing this run" in second.stderr
    third = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert third.returncode == 0, third.stderr


def test_a_full_disk_leaves_the_file_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "journal.jsonl"
    real_write = os.write

    def half(descriptor: int, data: bytes) -> int:
        if data.startswith(b'{"v"'):
            return real_write(descriptor, data[:20])
        raise OSError(errno.ENOSPC, "No space left on device")

    with Journal(path) as journal:
        journal.append(outcome(1))
        monkeypatch.setattr(os, "write", half)
        with pytest.raises(JournalError, match="No space left on device"):
            journal.append(outcome(2))
        monkeypatch.undo()
        journal.append(outcome(3))
    assert [entry.record for entry in replay(path)] == [outcome(1), outcome(3)]


def test_each_record_reaches_the_kernel_before_append_returns(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    with Journal(path) as journal:
        for n in range(3):
            journal.append(outcome(n))
            assert path.read_bytes().count(b"\n") == n + 1


def test_events_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    event = Event(event="pace", at="t", data={"history": [1, 2]})
    with Journal(path) as journal:
        journal.append(event)
    assert [entry.record for entry in replay(path)] == [event]


ORPHAN = """
import os, sys, time
from pathlib import Path
from routemark.journal import Journal
Journal(Path(sys.argv[1]))
if os.fork() == 0:
    time.sleep(0.5)
    os._exit(0)
os.kill(os.getpid(), 9)
"""


def test_the_lock_of_a_killed_process_is_waited_for_while_a_child_of_it_lingers(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    killed = subprocess.run([sys.executable, "-c", ORPHAN, str(path)], check=False)
    assert killed.returncode == -9
    with Journal(path) as journal:
        journal.append(Event(event="on", at="now"))
    assert len(list(replay(path))) == 1
