"""Before the first request: arms from settings, new runs, and what is resumed."""

from pathlib import Path

import msgspec
import pytest

from routemark.config import Settings
from routemark.errors import SettingsError, UsageError
from routemark.prepare import Prepared, make_arms, open_resumed, open_run, prepare, require_key
from routemark.records import Run


def settings(folder: Path, n: int = 3, **given: object) -> Settings:
    path = folder / "q.jsonl"
    if not path.exists():
        path.write_text("".join(f'{{"id":"q{i}","difficulty":"easy","question":"{i}?"}}\n' for i in range(n)))
    return msgspec.convert(
        {"questions": str(path), "runs_dir": str(folder / "runs"), "model": ["sim/a"], **given}, Settings
    )


def ended(prepared: Prepared, status: str = "stopped") -> Run:
    """Open a run and let it end with this status."""
    opened = open_run(prepared)
    run = msgspec.structs.replace(opened.run, status=status)
    opened.directory.write(run)
    return run


@pytest.mark.parametrize(
    ("given", "names"),
    [
        ({}, ["openrouter/auto"]),
        ({"model": ["sim/a", "openrouter/auto?cost_tier=low"]}, ["sim/a", "openrouter/auto?cost_tier=low"]),
        ({"baseline": "sim/a"}, ["openrouter/auto", "sim/a"]),
        ({"model": ["openrouter/auto", "sim/a"], "baseline": "sim/a"}, ["openrouter/auto", "sim/a"]),
        ({"arm": [{"model": "sim/a", "name": "mine", "temperature": 0.5}]}, ["mine"]),
        (
            {"model": ["openrouter/auto", "sim/a"], "sweep": "cost_tier"},
            [f"openrouter/auto?cost_tier={tier}" for tier in ("low", "medium", "high", "xhigh", "max")]
            + ["sim/a"],
        ),
    ],
)
def test_arms(given: dict[str, object], names: list[str]) -> None:
    assert [arm.name for arm in make_arms(msgspec.convert(given, Settings))] == names


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"model": ["sim/a", "sim/a"]}, "sim/a"),
        ({"model": ["openrouter/auto?cost_teir=low"]}, "cost_tier"),
        ({"model": ["sim/a"], "sweep": "cost_tier"}, "cost_tier"),
    ],
)
def test_arms_that_cannot_be_are_refused(given: dict[str, object], says: str) -> None:
    with pytest.raises(SettingsError, match=says):
        make_arms(msgspec.convert(given, Settings))


def test_the_shipped_questions_are_asked_as_a_core_or_in_full(tmp_path: Path) -> None:
    core, full = (prepare(msgspec.convert({"set": name}, Settings)).questions for name in ("core", "full"))
    assert (len(core), len(full)) == (360, 1080)
    assert all(question.metadata["core"] is True for question in core)
    assert {question.id for question in core} < {question.id for question in full}
    assert prepare(Settings()).questions.sha256 == core.sha256
    assert len(prepare(settings(tmp_path, set="full")).questions) == 3  # one's own file is asked as it is


def test_an_output_without_a_format_is_refused_before_anything_is_asked(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"x\.docx"):
        prepare(settings(tmp_path, output=["x.docx"]))


def test_a_key_is_needed_only_where_openrouter_is_asked() -> None:
    with pytest.raises(SettingsError, match="OPENROUTER_API_KEY"):
        require_key(Settings(), None)
    assert require_key(Settings(), "sk") == "sk"
    assert require_key(Settings(base_url="http://127.0.0.1:1/v1"), None) is None
    assert require_key(Settings(simulate=True), "sk-real") == "no-key"


def test_limit_draws_by_seed(tmp_path: Path) -> None:
    def drawn(seed: int) -> list[str]:
        return [q.id for q in prepare(settings(tmp_path, n=50, limit=5, seed=seed)).questions]

    assert len(drawn(1)) == 5
    assert drawn(1) == drawn(1) != drawn(2)
    assert len(prepare(settings(tmp_path, limit=500)).questions) == 50


def test_the_same_command_resumes_the_latest_unfinished_run(tmp_path: Path) -> None:
    prepared = prepare(settings(tmp_path))
    run = ended(prepared, "running")  # as a killed process leaves it
    again = open_run(prepared)
    assert (again.resumed, again.run.id) == (True, run.id)


@pytest.mark.parametrize(
    "other",
    [{"model": ["sim/b"]}, {"seed": 1}, {"repeats": 2}, {"max_tokens": 9}, {"limit": 2}, {"stream": False}],
)
def test_another_plan_begins_a_new_run(tmp_path: Path, other: dict[str, object]) -> None:
    run = ended(prepare(settings(tmp_path)))
    opened = open_run(prepare(settings(tmp_path, **other)))
    assert not opened.resumed
    assert opened.run.id != run.id


def test_a_complete_run_is_not_resumed_by_the_same_command(tmp_path: Path) -> None:
    prepared = prepare(settings(tmp_path))
    run = ended(prepared, "complete")
    assert open_run(prepared).run.id != run.id


def test_settings_that_do_not_change_what_is_asked_may_change(tmp_path: Path) -> None:
    run = ended(prepare(settings(tmp_path)))
    again = open_run(prepare(settings(tmp_path, concurrency=3, margin=0.1, quiet=True)))
    assert again.run.id == run.id


def test_a_run_id_with_another_plan_is_refused_and_says_what_differs(tmp_path: Path) -> None:
    open_run(prepare(settings(tmp_path, run_id="mine")))
    assert open_run(prepare(settings(tmp_path, run_id="mine"))).resumed
    with pytest.raises(UsageError, match="other arms, seed"):
        open_run(prepare(settings(tmp_path, run_id="mine", model=["sim/b"], seed=4)))


def test_resume_takes_the_runs_own_questions_and_settings(tmp_path: Path) -> None:
    run = ended(prepare(settings(tmp_path, repeats=2, max_tokens=77)))
    (tmp_path / "q.jsonl").unlink()
    prepared, opened = open_resumed(run.id, Settings(runs_dir=str(tmp_path / "runs"), quiet=True))
    assert (prepared.settings.repeats, prepared.settings.max_tokens, prepared.settings.quiet) == (2, 77, True)
    assert [q.id for q in prepared.questions] == ["q0", "q1", "q2"]
    assert opened.resumed


def test_a_directory_that_cannot_be_written_is_told_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("a file in the way")
    with pytest.raises(UsageError, match="cannot be written"):
        open_run(prepare(settings(tmp_path)))


def test_the_manifest_holds_the_settings_but_no_secret(tmp_path: Path) -> None:
    opened = open_run(prepare(settings(tmp_path, base_url="https://user:secret@127.0.0.1:1/v1")))
    text = opened.directory.manifest.read_text()
    assert "secret" not in text
    assert msgspec.json.decode(text, type=Run) == opened.run
