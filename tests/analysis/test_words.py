import pytest

from routemark.analysis.words import (
    count,
    dollars,
    less,
    listing,
    more,
    number,
    percent,
    point_range,
    points,
    standing,
)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (points(0.03), "3 points"),
        (points(0.01), "1 point"),
        (points(0.034), "3.4 points"),
        (points(0.123), "12 points"),
        (number(9.94), "9.9"),
        (number(9.96), "10"),
        (point_range((0.021, 0.084)), "2.1-8.4 points"),
        (point_range((-0.12, -0.021)), "2.1-12 points"),
        (standing((-0.021, 0.034)), "between 2.1 points worse and 3.4 better"),
        (standing((0.01, 0.02)), "1.0-2.0 points better"),
        (standing((-0.02, -0.01)), "1.0-2.0 points worse"),
        (percent(0.624), "62 %"),
        (percent(0.004), "0.4 %"),
        (less(0.003, (0.002, 0.005)), "99.7 % less (99.5-99.8)"),
        (less(0.0040, (0.00396, 0.00404)), "99.6 % less (99.60-99.60)"),
        (less(0.0040, (0.0036, 0.0044)), "99.6 % less (99.56-99.64)"),
        (more(1.301, (1.3002, 1.3041)), "30 % more (30.0-30.4)"),
        (percent(0.997), "99.7 %"),
        (percent(0), "0 %"),
        (percent(1), "100 %"),
        (less(0.38, (0.32, 0.45)), "62 % less (55-68)"),
        (more(1.12, (1.05, 1.2)), "12 % more (5-20)"),
        (more(7.04, (5, 9.96)), "7.0 times as much (5.0-10.0)"),
        (dollars(0), "$0"),
        (dollars(0.000123), "$0.00012"),
        (dollars(0.05), "$0.050"),
        (dollars(4.5), "$4.50"),
        (dollars(1234.5), "$1,234"),
        (count(1, "question"), "1 question"),
        (count(1200, "question"), "1,200 questions"),
        (listing([]), ""),
        (listing(["a"]), "a"),
        (listing(["a", "b", "c"]), "a, b and c"),
        (listing(list("abcdefg")), "a, b, c, d, e and 2 more"),
    ],
)
def test_numbers_as_sentences_say_them(said, expected):
    assert said == expected
