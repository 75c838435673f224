"""Shards of one plan, joined, are one run: the same results, and every command goes on from there."""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from routemark.commands import app
from routemark.errors import UsageError
from runs import KEY, gateway, leave_out_pages, outcomes, results, stats, timeless, write_sums

N = 24
TRIALS = 4 * N
COMMAND = ("-m", "openrouter/auto", "-m", "sim/heron-pro", "--repeats", "2", "--quiet", "--seed", "3")
MADE_OF_TIMES = {"service", "timeline", "arena_score"}
OF_THE_PLACE = ("runs_dir", "concurrency", "run_id")


def routemark(*arguments: str | Path) -> int:
    """Run a command in this process; give its exit code."""
    with pytest.MonkeyPatch.context() as patch:
        leave_out_pages(patch)
        patch.setenv("OPENROUTER_API_KEY", KEY)
        return app([*map(str, arguments)], result_action="return_value") or 0


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """One undivided run, and three shards of it under the same name, on one gateway."""
    folder = tmp_path_factory.mktemp("shards")
    file = write_sums(folder, N)
    with gateway(file, "--seed", "5", "--latency", "fixed:0.001") as url:
        ask = ("run", file, *COMMAND, "--base-url", url, "--run-id", "n", "--runs-dir")
        assert routemark(*ask, folder / "whole") == 0
        before = stats(url)["distinct_sessions"]
        for number in (1, 2, 3):
            assert routemark(*ask, folder / "runs", "--shard", f"{number}/3", "-j", str(10 * number)) == 0
        assert before == stats(url)["distinct_sessions"] == TRIALS, "the shards' sessions are the run's"
        yield folder, url


def shards(folder: Path) -> list[Path]:
    return [folder / f"runs/n.{number}-of-3" for number in (1, 2, 3)]


def without_times(value: object) -> object:
    """Give results without what is made of times."""
    if isinstance(value, dict):
        return {name: without_times(inner) for name, inner in value.items() if name not in MADE_OF_TIMES}
    return [without_times(inner) for inner in value] if isinstance(value, list) else value


def comparable(run: Path) -> Any:
    found: Any = without_times(timeless(results(run)))
    for name in OF_THE_PLACE:
        del found["run"]["settings"][name]
    return found


def test_shards_ask_each_trial_of_the_plan_once_and_pairs_stay_together(made: tuple[Path, str]) -> None:
    folder, _ = made
    parts = [outcomes(path) for path in shards(folder)]
    asked = [(one.trial, one.session_id) for part in parts for one in part]
    assert len(asked) == TRIALS
    assert set(asked) == {(one.trial, one.session_id) for one in outcomes(folder / "whole/n")}
    assert sum(len({one.question_id for one in part}) for part in parts) == N
    told = results(folder / "runs/n.2-of-3")
    assert (told["run"]["shard"]["number"], told["run"]["shard"]["questions"]) == (2, N)
    assert any(
        note.startswith("This is shard 2 of 3 of a plan") for note in told["summary"]["verdict"]["notes"]
    )


def test_joined_shards_give_the_results_of_one_run_and_every_command_goes_on(made: tuple[Path, str]) -> None:
    folder, _ = made
    joined = folder / "joined/n"
    assert routemark("merge", *reversed(shards(folder)), "-o", joined) == 0
    assert comparable(joined) == comparable(folder / "whole/n")
    assert routemark("report", joined, "--format", "markdown") == 0
    assert routemark("grade", joined) == 0
    assert routemark("resume", joined, "--quiet") == 0
    assert comparable(joined) == comparable(folder / "whole/n")


def test_runs_given_twice_are_joined_once_and_a_share_asked_twice_is_refused(made: tuple[Path, str]) -> None:
    folder, _ = made
    assert routemark("merge", *shards(folder), *shards(folder), "-o", folder / "overlap/n") == 0
    assert len(outcomes(folder / "overlap/n")) == TRIALS
    with pytest.raises(UsageError, match="two different outcomes"):
        routemark("merge", shards(folder)[0], folder / "whole/n", "-o", folder / "overlap/m")


def test_without_a_shard_the_run_is_a_stopped_one_and_resume_asks_the_rest(made: tuple[Path, str]) -> None:
    folder, url = made
    partly = folder / "partly/n"
    assert routemark("merge", shards(folder)[0], shards(folder)[2], "-o", partly) == 0
    missing = len(outcomes(shards(folder)[1]))
    said = results(partly)["run"]
    assert said["status"] == "stopped"
    assert f"{missing} of {TRIALS} planned trials have no answer yet" in said["stop_reason"]
    assert "1 is not among the runs: 2." in said["stop_reason"]
    assert routemark("resume", partly, "--quiet") == 0
    assert stats(url)["distinct_sessions"] == TRIALS, "sessions of the undivided run"
    assert comparable(partly) == comparable(folder / "whole/n")
    assert len(outcomes(partly)) == TRIALS


def test_a_shard_that_was_stopped_is_resumed_as_a_shard(made: tuple[Path, str], tmp_path: Path) -> None:
    folder, _ = made
    copy = tmp_path / "n.1-of-3"
    shutil.copytree(shards(folder)[0], copy)
    lines = (copy / "journal.jsonl").read_bytes().splitlines(keepends=True)
    (copy / "journal.jsonl").write_bytes(b"".join(lines[: len(lines) // 2]))
    assert routemark("resume", copy, "--quiet") == 0
    assert {one.session_id for one in outcomes(copy)} == {
        one.session_id for one in outcomes(shards(folder)[0])
    }


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda run: run["settings"].update(max_tokens=5), "--max-tokens: 16384 and 5"),
        (lambda run: run["settings"].update(margin=0.5), "--margin: 0.03 and 0.5"),
        (lambda run: run.update(routemark_version="0.0.0"), "version of Routemark: .* and 0.0.0"),
        (lambda run: run["shard"].update(questions_sha256="0" * 64), "questions .*: .* and 0000"),
        (lambda run: run["arms"][1].update(body={"temperature": 1}), "arms: "),
    ],
)
def test_what_differs_is_named_and_nothing_written(
    made: tuple[Path, str], tmp_path: Path, change: Callable[[dict[str, Any]], None], said: str
) -> None:
    folder, _ = made
    copy = tmp_path / "other"
    shutil.copytree(shards(folder)[1], copy)
    run = json.loads((copy / "run.json").read_text())
    change(run)
    (copy / "run.json").write_text(json.dumps(run))
    with pytest.raises(UsageError, match=said):
        routemark("merge", shards(folder)[0], copy, "-o", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_questions_that_were_changed_afterwards_are_refused(made: tuple[Path, str], tmp_path: Path) -> None:
    folder, _ = made
    copy = tmp_path / "changed"
    shutil.copytree(shards(folder)[1], copy)
    text = (copy / "questions.json").read_text()
    (copy / "questions.json").write_text(text.replace("What is 7 + 7", "What is 7 - 7"))
    with pytest.raises(UsageError, match="was changed after the run began"):
        routemark("merge", shards(folder)[0], copy, "-o", tmp_path / "out")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["merge", "-o", "x"], "name the run directories"),
        (["merge", "nowhere", "-o", "x"], "no run here"),
        (["run", "--simulate", "--shard", "4/3"], "write it I/N"),
        (["run", "--simulate", "--limit", "1", "--shard", "1/90"], "falls into this shard"),
        (
            ["run", "--simulate", "-m", "openrouter/auto", "-m", "sim/heron-pro", "--until-decided=closed",
             "--shard", "1/2"],
            "one shard cannot tell",
        ),
    ],
)  # fmt: skip
def test_wrong_use_is_said(arguments: list[str], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        routemark(*arguments)


def test_a_directory_that_is_there_is_left_as_it_is(made: tuple[Path, str]) -> None:
    folder, _ = made
    with pytest.raises(UsageError, match="is there already"):
        routemark("merge", *shards(folder), "-o", folder / "whole")
