"""Text of others is disarmed before it is shown."""

import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routemark.report.clean import clean, clip, one_line


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("plain text, \u00fcber 5 \u20ac, \u4e2d\u6587", "plain text, \u00fcber 5 \u20ac, \u4e2d\u6587"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x9b31mred", "red"),
        ("\x1b]0;title\x07x\x1b]8;;https://evil.example\x1b\\link\x1b]8;;\x1b\\", "xlink"),
        ("\x1bPq#0\x1b\\x\x1b(Bx\x1bcx", "xxx"),
        ("unfinished \x1b]0;title", "unfinished 0;title"),
        ("a\x00b\x07c\x08d\x7fe\x85f", "abcde\nf"),
        ("tab\tand\r\nline\rends\u2028here", "tab\tand\nline\nends\nhere"),
        ("access\u202elevel\u2066x\u2069", "accesslevelx"),
        ("hid\u200bden\ufeff\U000e0041", "hidden"),
        ("family \U0001f468\u200d\U0001f469", "family \U0001f468\u200d\U0001f469"),
        ("lone \ud800", "lone \ufffd"),
    ],
)
def test_clean(raw, shown):
    assert clean(raw) == shown


def test_no_control_and_no_bidirectional_control_of_all_unicode_passes():
    reordering = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
    acting = [
        chr(code)
        for code in range(0x110000)
        if (unicodedata.category(chr(code)) == "Cc" and chr(code) not in "\t\n")
        or unicodedata.bidirectional(chr(code)) in reordering
        or code in {0x200E, 0x200F, 0x061C}
    ]
    assert [char for char in acting if char in clean(f"a{char}b")] == []


@given(st.text())
def test_cleaning_twice_changes_nothing(text):
    assert clean(clean(text)) == clean(text)


@pytest.mark.parametrize("piece", ["\x1b]", "\x1b[", "\x1bP;", "\x1b[0;", "\u202e"])
def test_time_is_linear_in_hostile_input(piece):
    start = time.perf_counter()
    clean(piece * 500_000)
    assert time.perf_counter() - start < 3


def test_one_line_joins_and_cuts():
    assert one_line("  a\n\n b\tc ") == "a b c"
    assert one_line("word " * 100, 20) == "word word word wo..."
    assert len(one_line("x" * 10**6, 50)) == 50


def test_a_clip_knows_how_much_it_left_off():
    assert clip("short", 10) == ("short", 5)
    assert not clip("\x1b[31mred", 20).cut
    long = clip("x" * 1000, 10)
    assert (long.text, long.total, long.cut) == ("x" * 10, 1000, True)
