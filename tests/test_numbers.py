"""Every way a number is written, as a table."""

import math
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routemark import numbers

NAN = math.nan


@pytest.mark.parametrize(
    ("fraction", "text"),
    [
        (None, "n/a"), (NAN, "n/a"), (math.inf, "n/a"), (0.0, "0.0 %"), (1.0, "100.0 %"), (0.8333, "83.3 %"),
        (0.9999, ">99.9 %"), (0.0001, "<0.1 %"), (0.001, "0.1 %"), (0.999, "99.9 %"),
    ],
)  # fmt: skip
def test_percent(fraction, text):
    assert numbers.percent(fraction) == text


@pytest.mark.parametrize(
    ("fraction", "interval", "text"),
    [
        (0.8333, (0.7514, 0.8921), "83.3 % [75.1, 89.2]"),
        (1.0, (0.969, 1.0), "100.0 % [96.9, 100.0]"),
        (0.5, None, "50.0 %"),
        (None, None, "n/a"),
        (None, (0.1, 0.2), "n/a"),
        (0.5, (NAN, 0.2), "50.0 %"),
    ],
)
def test_percent_with_its_interval(fraction, interval, text):
    assert numbers.percent_ci(fraction, interval) == text


@pytest.mark.parametrize(
    ("difference", "interval", "text"),
    [
        (0.032, (-0.01, 0.074), "+3.2 [-1.0, +7.4]"),
        (-0.108, (-0.195, -0.021), "-10.8 [-19.5, -2.1]"),
        (0.0, None, "0.0"),
        (-0.0001, None, "0.0"),
        (0.0001, (-0.0001, 0.02), "0.0 [0.0, +2.0]"),
        (None, None, "n/a"),
    ],
)
def test_points_carry_their_sign(difference, interval, text):
    assert numbers.points_ci(difference, interval) == text


@pytest.mark.parametrize(
    ("fraction", "text"),
    [
        (0.03, "3 points"),
        (0.01, "1 point"),
        (0.098, "9.8 points"),
        (0.0994, "9.9 points"),
        (0.0996, "10 points"),
        (0.123, "12 points"),
        (None, "n/a"),
        (NAN, "n/a"),
    ],
)
def test_points_without_a_sign(fraction, text):
    assert numbers.in_points(fraction) == text


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (None, "n/a"), (NAN, "n/a"), (0, "$0"), (1e-9, "$0.0000000010"), (0.000012, "$0.000012"),
        (0.00999, "$0.010"), (0.0123, "$0.012"), (0.0994, "$0.099"), (0.0996, "$0.10"), (0.34, "$0.34"),
        (0.999, "$1.00"), (1.2, "$1.20"), (12.345, "$12.35"), (999.99, "$999.99"), (999.996, "$1,000"),
        (1204.4, "$1,204"), (1_234_567.0, "$1,234,567"), (-0.34, "-$0.34"),
    ],
)  # fmt: skip
def test_usd(amount, text):
    assert numbers.usd(amount) == text


@given(st.floats(min_value=1e-12, max_value=1e9))
def test_no_cost_is_rounded_away(amount):
    text = numbers.usd(amount)
    assert math.isclose(float(text.strip("$").replace(",", "")), amount, rel_tol=0.051)
    assert "e" not in text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "n/a"), (NAN, "n/a"), (0.0, "0.0 ms"), (0.00001, "<0.1 ms"), (0.0004, "0.4 ms"), (0.0099, "9.9 ms"), (0.01, "10 ms"),
        (0.842, "842 ms"), (0.9996, "1.00 s"), (1.237, "1.24 s"), (9.996, "10.0 s"), (12.44, "12.4 s"),
        (99.96, "100 s"), (1240.2, "1,240 s"),
    ],
)  # fmt: skip
def test_seconds(value, text):
    assert numbers.seconds(value) == text


@pytest.mark.parametrize(
    ("value", "text"), [(0.1, "100 ms"), (1.0, "1 s"), (2.5, "2.5 s"), (10.0, "10 s"), (3600.0, "3,600 s")]
)
def test_round_times_have_no_zeros_behind_them(value, text):
    assert numbers.seconds_round(value) == text


def test_a_latency_of_a_slow_client_is_marked_and_an_unknown_one_is_not():
    assert numbers.latency(1.237, limited=True) == "1.24 s*"
    assert numbers.latency(1.237, limited=False) == "1.24 s"
    assert numbers.latency(None, limited=True) == "n/a"


@pytest.mark.parametrize(
    ("value", "interval", "text"),
    [
        (0.42, (0.37, 0.48), "0.42x [0.37, 0.48]"), (0.0, None, "0x"), (0.0012, None, "0.0012x"),
        (1.0, None, "1.00x"), (8.58, (6.86, 11.04), "8.58x [6.86, 11.0]"), (258.3, (99.96, 1336.0), "258x [100, 1,336]"),
        (None, None, "n/a"), (math.inf, None, "n/a"),
    ],
)  # fmt: skip
def test_ratio(value, interval, text):
    assert numbers.ratio_ci(value, interval) == text


@pytest.mark.parametrize(("n", "text"), [(None, "n/a"), (0, "0"), (1204, "1,204")])
def test_count(n, text):
    assert numbers.count(n) == text


@pytest.mark.parametrize(("n", "text"), [(0, "0 arms"), (1, "1 arm"), (1204, "1,204 arms")])
def test_counted_nouns(n, text):
    assert numbers.counted(n, "arm") == text


@pytest.mark.parametrize(
    ("k", "n", "text"), [(0, 0, "0 of 0"), (3, 19, "3 of 19"), (12, 480, "12 of 480 (2.5 %)")]
)
def test_share_has_no_percentage_of_few(k, n, text):
    assert numbers.share(k, n) == text


@pytest.mark.parametrize(
    ("accuracy", "graded", "interval", "cell"),
    [
        (None, 40, None, ("n/a", "none")),
        (0.0, 0, None, ("n/a", "none")),
        (0.75, 4, (0.3, 0.95), ("3 of 4", "few")),
        (0.875, 4, None, ("3.5 of 4", "few")),
        (0.8, 5, (0.38, 0.96), ("4/5 [38, 96]", "grey")),
        (7 / 12, 12, (0.32, 0.807), ("7/12 [32, 81]", "grey")),
        (7 / 19, 19, None, ("7/19", "grey")),
        (0.85, 20, (0.64, 0.95), ("85.0 %", "full")),
    ],
)
def test_a_small_cell_shows_only_what_it_can_bear(accuracy, graded, interval, cell):
    assert numbers.cell(accuracy, graded, interval) == cell


@pytest.mark.parametrize(
    ("value", "text"), [(1.0, "1"), (0.0, "0"), (0.75, "0.75"), (0.5, "0.5"), (None, "n/a")]
)
def test_score(value, text):
    assert numbers.score(value) == text


@pytest.mark.parametrize(
    ("iso", "text"),
    [
        (None, "n/a"),
        ("2026-11-24T06:48:28.250Z", "2026-11-24 06:48 UTC"),
        ("2026-11-24T07:48:28+01:00", "2026-11-24 06:48 UTC"),
        ("2026-11-24T06:48:28", "2026-11-24 06:48 UTC"),
        ("yesterday", "yesterday"),
    ],
)
def test_moment(iso, text):
    assert numbers.moment(iso) == text


@pytest.mark.parametrize(
    ("write", "text"),
    [
        (lambda: numbers.usd_ci(0.34, (0.29, 0.41)), "$0.34 [0.29, 0.41]"),
        (lambda: numbers.usd_ci(0.34, None), "$0.34"),
        (lambda: numbers.usd_round(0.001), "$0.001"),
        (lambda: numbers.usd_round(10.0), "$10"),
        (lambda: numbers.usd_round(1000.0), "$1,000"),
        (lambda: numbers.exact_usd(0.000213), "$0.000213"),
        (lambda: numbers.seconds_change(0.842), "+842 ms"),
        (lambda: numbers.seconds_change(-1.24), "-1.24 s"),
        (lambda: numbers.seconds_change(0.0), "0.0 ms"),
        (lambda: numbers.seconds_change(None), "n/a"),
        (lambda: numbers.plain(1.416), "1.42"),
        (lambda: numbers.plain(math.nan), "n/a"),
        (lambda: numbers.plain(3.0, 0), "3"),
        (lambda: numbers.plain_ci(0.71, (0.62, 0.8)), "0.71 [0.62, 0.80]"),
    ],
)
def test_amounts_changes_and_plain_numbers(write, text):
    assert write() == text


def test_no_other_module_that_speaks_to_people_decides_how_a_number_is_written():
    elsewhere = re.compile(r"\{[^{}\"]*:[+,]?[.,\d]*[dfge,%]\}")
    machines = {
        "junit.py",
        "parquet.py",
        "gates.py",
        "reweighting.py",
        "specialists.py",
    }  # what programs read, all digits
    found = {
        f"{path.name}: {line.strip()}"
        for room in ("analysis", "report", "viewer", "doctor")
        for path in (Path(numbers.__file__).parent / room).rglob("*.py")
        if path.name not in machines
        for line in path.read_text().splitlines()
        if elsewhere.search(line)
    }
    assert found == set()


@pytest.mark.parametrize(
    ("said", "text"),
    [
        (numbers.point_range((0.021, 0.084)), "2.1-8.4 points"),
        (numbers.point_range((-0.12, -0.021)), "2.1-12 points"),
        (numbers.standing((-0.021, 0.034)), "between 2.1 points worse and 3.4 better"),
        (numbers.standing((0.01, 0.02)), "1.0-2.0 points better"),
        (numbers.standing((-0.02, -0.01)), "1.0-2.0 points worse"),
        (numbers.whole_percent(0.624), "62 %"),
        (numbers.whole_percent(0.004), "0.4 %"),
        (numbers.less(0.003, (0.002, 0.005)), "99.7 % less (99.5-99.8)"),
        (numbers.less(0.0040, (0.00396, 0.00404)), "99.6 % less (99.60-99.60)"),
        (numbers.less(0.0040, (0.0036, 0.0044)), "99.6 % less (99.56-99.64)"),
        (numbers.more(1.301, (1.3002, 1.3041)), "30 % more (30.0-30.4)"),
        (numbers.whole_percent(0.997), "99.7 %"),
        (numbers.whole_percent(0), "0 %"),
        (numbers.whole_percent(1), "100 %"),
        (numbers.less(0.38, (0.32, 0.45)), "62 % less (55-68)"),
        (numbers.more(1.12, (1.05, 1.2)), "12 % more (5-20)"),
        (numbers.more(7.04, (5, 9.96)), "7.0 times as much (5.0-10.0)"),
        (numbers.change(0.0324), "+3.2 %"),
        (numbers.change(-0.0001), "0.0 %"),
        (numbers.gigabytes(12_440_000_000), "12.4 GB"),
        (numbers.plain(1204.4, 0), "1,204"),
    ],
)
def test_numbers_as_sentences_say_them(said, text):
    assert said == text
