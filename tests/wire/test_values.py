"""Foreign JSON is read as far as it can be, and every getter gives its type or None."""

from typing import Any

import msgspec
import pytest

from routemark.wire import values


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (b'\n \n {"a":1}\n', {"a": 1}),
        (b'"\\ud800x"', "�x"),
        (b'{"\\udfff":["\\ud83d\\ude00"]}', {"�": ["😀"]}),
        (b'"\xff"', "�"),
        (b'"a\\u0000b"', "a\x00b"),
        (b'"tab\tin it"', "tab\tin it"),
        (b'\xef\xbb\xbf{"a":1}', {"a": 1}),
        (b'{"a":1e999}', {"a": float("inf")}),
    ],
)
def test_what_strict_readers_refuse_is_read(data: bytes, value: Any) -> None:
    assert values.loads(data) == value
    msgspec.json.encode(values.loads(data))


@pytest.mark.parametrize("data", [b"", b"<html>", b'{"a":', b"{}{}", b"[" * 100_000, b"\x00"])
def test_what_is_not_json_says_so(data: bytes) -> None:
    with pytest.raises(values.NotJSON):
        values.loads(data)


@pytest.mark.parametrize(
    ("value", "number", "count", "amount"),
    [
        (3, 3.0, 3, 3.0),
        ("3", 3.0, 3, 3.0),
        (2.5, 2.5, None, 2.5),
        ("0.0001", 0.0001, None, 0.0001),
        (0, 0.0, 0, 0.0),
        (-1, -1.0, None, None),
        ("-1", -1.0, None, None),
        (True, None, None, None),
        (None, None, None, None),
        ("", None, None, None),
        ("abc", None, None, None),
        (float("nan"), None, None, None),
        ("inf", None, None, None),
        (10**400, None, None, None),
        ([1], None, None, None),
    ],
)
def test_numbers_are_finite_and_money_is_not_negative(
    value: Any, number: float | None, count: int | None, amount: float | None
) -> None:
    assert (values.number(value), values.count(value), values.amount(value)) == (number, count, amount)


def test_what_is_nested_too_deep_is_cut_and_all_else_kept() -> None:
    deep: Any = "end"
    for _ in range(900):
        deep = {"in": [deep]}
    kept = values.shallow({"deep": deep, "flat": [1, {"a": 2}]})
    assert kept["flat"] == [1, {"a": 2}]
    assert 60 < msgspec.json.encode(kept).count(b"[") + msgspec.json.encode(kept).count(b"{") < 70
    wide = [{"n": n} for n in range(500)]
    assert values.shallow(wide) == wide
