"""Fresh questions: bounds, files by their ending, and the command."""

import json
from pathlib import Path

import pytest

from routemark.errors import UsageError
from routemark.questions import load
from routemark.questions.fresh import MOST, fresh
from routemark.questions.writing import write


def test_a_file_of_fresh_questions_is_valid_and_the_same_for_the_same_seed(tmp_path: Path) -> None:
    for name, seed in (("a.json", 4), ("b.json", 4), ("c.jsonl", 4), ("d.json", 5)):
        assert write(fresh(seed, 24), tmp_path / name) == 24
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()
    assert (tmp_path / "a.json").read_bytes() != (tmp_path / "d.json").read_bytes()
    as_list, as_lines = load(tmp_path / "a.json"), load(tmp_path / "c.jsonl")
    assert list(as_list) == list(as_lines) == fresh(4, 24)
    assert [json.loads(line)["id"] for line in (tmp_path / "c.jsonl").read_text().splitlines()] == [
        question.id for question in as_list
    ]


@pytest.mark.parametrize(
    ("seed", "n", "says"), [(1, 0, "-n 0"), (1, MOST + 1, "3,000"), (-1, 5, "--fresh -1")]
)
def test_what_cannot_be_drawn_is_refused(seed: int, n: int, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        fresh(seed, n)


def test_another_ending_and_a_place_that_cannot_be_written_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"x\.csv"):
        write([], tmp_path / "x.csv")
    with pytest.raises(UsageError, match="none"):
        write([], tmp_path / "none" / "x.json")
