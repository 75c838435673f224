import re
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routemark.errors import SettingsError
from routemark.policy.sharding import parse_shard, shard_of


@given(st.text(max_size=40), st.integers(0, 2**40), st.integers(1, 1000))
def test_a_question_belongs_to_exactly_one_shard(name: str, seed: int, count: int) -> None:
    assert 1 <= shard_of(name, seed, count) <= count


def test_a_question_stays_in_its_shard_on_every_machine_and_version() -> None:
    assert [shard_of(f"q{i}", 7, 4) for i in range(12)] == [3, 2, 1, 4, 1, 2, 4, 1, 3, 1, 2, 1]


def test_shards_are_of_about_one_size_and_hang_on_the_seed() -> None:
    sizes = Counter(shard_of(f"q{i}", 0, 8) for i in range(8000))
    assert max(sizes.values()) - min(sizes.values()) < 200
    moved = sum(shard_of(f"q{i}", 0, 8) != shard_of(f"q{i}", 1, 8) for i in range(8000))
    assert moved / 8000 == pytest.approx(7 / 8, abs=0.02)


def test_a_shard_is_written_number_of_count() -> None:
    assert parse_shard("2/4") == (2, 4)
    assert parse_shard(" 1/1 ") == (1, 1)


@pytest.mark.parametrize("text", ["0/4", "5/4", "2", "2/", "/4", "a/b", "-1/4", "2/4/8", "1.0/2", ""])
def test_what_is_no_shard_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(SettingsError, match=re.escape("2/4 is the second of four")):
        parse_shard(text)
