"""Several journals into one: each line once, histories whole, disagreement refused."""

import tempfile
from pathlib import Path

import pytest

from journals import AT, failed, grade, key, outcome, questions
from routemark import journals
from routemark.errors import JournalError, UsageError
from routemark.journal import Event, Grade, Launch, Outcome, encode, replay

ASKED = questions(40)
ARM = "sim/heron-pro"


def write(path: Path, *lines: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"".join(lines))
    return path


def both(number: int, score: float = 1.0) -> list[bytes]:
    return [encode(outcome(ASKED[number], ARM)), encode(grade(ASKED[number], ARM, score))]


def joined(folder: Path, *paths: Path) -> list[bytes]:
    target = folder / "joined.jsonl"
    with tempfile.TemporaryDirectory() as scratch, target.open("wb") as file:
        count = journals.write(journals.join(paths, Path(scratch)), file)
    found = target.read_bytes().splitlines(keepends=True)
    assert len(found) == count
    return found


def test_lines_of_separate_shares_are_copied_as_they_stand(tmp_path: Path) -> None:
    unknown = b'{"v":9,"kind":"of tomorrow","x":1}\n'
    a = write(tmp_path / "a/j", encode(Launch(at=AT, pid=1, routemark_version="1")), *both(0), unknown)
    b = write(tmp_path / "b/j", encode(Launch(at=AT, pid=2, routemark_version="1")), *both(1))
    assert joined(tmp_path, b, a) == [*a.read_bytes().splitlines(True), *b.read_bytes().splitlines(True)]


def test_a_copy_and_the_journal_that_went_on_give_the_latter_in_any_order(tmp_path: Path) -> None:
    event = encode(Event(event="pace", at=AT, data={"limit": 20}))
    old = [event, encode(failed(ASKED[0], ARM, kind="client_fault")), *both(1)]
    whole = [*old, *both(0), *both(2)]
    a, b = write(tmp_path / "a/j", *old), write(tmp_path / "b/j", *whole)
    assert joined(tmp_path, a, b) == whole
    assert joined(tmp_path, b, a) == whole
    assert joined(tmp_path, a, a, b, b) == whole


def test_each_trial_keeps_its_newest_outcome_and_a_grade_behind_it_where_both_copies_went_on(
    tmp_path: Path,
) -> None:
    old = [encode(failed(ASKED[n], ARM, kind="client_fault")) for n in (0, 1)]
    a = write(tmp_path / "a/j", *old, *both(0), *both(2), *both(3))
    b = write(tmp_path / "b/j", *old, *both(1))
    joined(tmp_path, a, b)
    newest: dict[str, Outcome] = {}
    graded: dict[str, Grade] = {}
    for entry in replay(tmp_path / "joined.jsonl"):
        if isinstance(entry.record, Outcome):
            newest[entry.record.trial] = entry.record
            graded.pop(entry.record.trial, None)
        elif isinstance(entry.record, Grade):
            graded[entry.record.trial] = entry.record
    assert set(newest) == set(graded) == {key(ASKED[n].id, ARM) for n in range(4)}
    assert all(one.completion is not None for one in newest.values())


def test_a_regraded_copy_brings_its_grades(tmp_path: Path) -> None:
    a, b = (
        write(tmp_path / "a/j", *both(0)),
        write(tmp_path / "b/j", *both(0), encode(grade(ASKED[0], ARM, 0.0))),
    )
    assert joined(tmp_path, a, b) == b.read_bytes().splitlines(True) == joined(tmp_path, b, a)


def test_what_one_journal_holds_twice_stays_twice(tmp_path: Path) -> None:
    reserved = encode(Event(event="reserved", at=AT, data={"trial": "t", "worst_usd": 1}))
    a = write(tmp_path / "a/j", reserved, reserved, *both(0))
    assert joined(tmp_path, a, write(tmp_path / "b/j", reserved)) == [reserved, reserved, *both(0)]


def test_two_outcomes_of_one_trial_from_two_runs_are_refused_by_name(tmp_path: Path) -> None:
    a = write(tmp_path / "a/j", *both(0), *both(1))
    b = write(tmp_path / "b/j", encode(outcome(ASKED[0], ARM, text="something else")), *both(2))
    with pytest.raises(UsageError, match="1 trial has two different outcomes") as refused:
        joined(tmp_path, a, b)
    assert "'q000000'" in str(refused.value)
    assert str(tmp_path / "a") in str(refused.value)
    assert str(tmp_path / "b") in str(refused.value)


def test_two_histories_that_part_are_refused_although_they_end_alike(tmp_path: Path) -> None:
    first, second = (encode(failed(ASKED[0], ARM, kind=kind)) for kind in ("client_fault", "over_budget"))
    a, b = write(tmp_path / "a/j", first, *both(0)), write(tmp_path / "b/j", second, *both(0))
    with pytest.raises(UsageError, match="two different outcomes"):
        joined(tmp_path, a, b)


def test_many_disagreements_are_counted_and_few_named(tmp_path: Path) -> None:
    a = write(tmp_path / "a/j", *(line for n in range(9) for line in both(n)))
    b = write(tmp_path / "b/j", *(encode(failed(ASKED[n], ARM)) for n in range(9)))
    with pytest.raises(UsageError, match=r"9 trials have(.|\n)*and 4 more"):
        joined(tmp_path, a, b)


def test_a_torn_end_is_left_out_and_damage_is_an_error(tmp_path: Path) -> None:
    a = write(tmp_path / "a/j", *both(0), b'{"v":1,"kind":"outc')
    assert joined(tmp_path, a) == both(0)
    with pytest.raises(JournalError, match="damaged at byte"):
        joined(tmp_path, write(tmp_path / "b/j", both(0)[0], b"{nonsense\n", both(0)[1]))


def test_what_is_written_after_the_survey_is_not_taken(tmp_path: Path) -> None:
    a = write(tmp_path / "a/j", *both(0))
    (tmp_path / "scratch").mkdir()
    plan = journals.join([a], tmp_path / "scratch")
    with a.open("ab") as file:
        file.writelines(both(1))
    with (tmp_path / "out").open("wb") as file:
        assert journals.write(plan, file) == 2


def test_lines_dealt_in_many_turns_are_joined_as_in_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = [line for n in range(20) for line in both(n)]
    a, b = write(tmp_path / "a/j", *whole), write(tmp_path / "b/j", *whole[:21], *both(30))
    once = joined(tmp_path, a, b)
    monkeypatch.setattr(journals, "TOGETHER", 3)
    assert joined(tmp_path, a, b) == once == [*whole, *both(30)]


def test_grades_of_a_trial_come_from_one_copy_where_both_were_graded_anew(tmp_path: Path) -> None:
    a = write(tmp_path / "a/j", *both(0), encode(grade(ASKED[0], ARM, 0.0)))
    b = write(tmp_path / "b/j", *both(0), encode(grade(ASKED[0], ARM, 0.5)), *both(1))
    assert joined(tmp_path, a, b) == b.read_bytes().splitlines(True) == joined(tmp_path, b, a)
