"""Events are cut right wherever the chunks are cut."""

import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routemark.wire.sse import EventParser


def parse(*chunks: bytes) -> list[bytes]:
    parser = EventParser()
    return [data for chunk in chunks for data in parser.feed(chunk)] + parser.finish()


@pytest.mark.parametrize(
    ("stream", "events"),
    [
        (b"data: a\n\ndata: b\n\n", [b"a", b"b"]),
        (b"data:a\n\ndata:  b\n\n", [b"a", b" b"]),
        (b"data: a\r\n\r\ndata: b\r\n\r\n", [b"a", b"b"]),
        (b"data: a\r\rdata: b\r\r", [b"a", b"b"]),
        (b"data: a\ndata: b\ndata\n\n", [b"a\nb\n"]),
        (b": OPENROUTER PROCESSING\n\n: again\ndata: a\n: in between\n\n", [b"a"]),
        (b"event: message\nid: 7\nretry: 5\ndata: a\n\n", [b"a"]),
        (b"event: ping\n\n\n\n\ndata: a\n\n", [b"a"]),
        (b"garbage without a colon\ndatabase: x\n\ndata: a\n\n", [b"a"]),
        (b"\xef\xbb\xbfdata: a\n\n", [b"a"]),
        (b"data: a\n\ndata: cut off", [b"a", b"cut off"]),
        (b"data: a\n\ndata: b\n", [b"a", b"b"]),
        ("data: é€😀\n\n".encode(), ["é€😀".encode()]),
        (b"", []),
        (b"\n\n\r\n\r", []),
    ],
)
def test_a_stream_gives_the_same_events_in_one_piece_and_byte_by_byte(
    stream: bytes, events: list[bytes]
) -> None:
    assert parse(stream) == events
    assert parse(*(stream[i : i + 1] for i in range(len(stream)))) == events


LINE = st.sampled_from([b"data: x", b"data: \xe2\x82\xac", b": c", b"", b"", b"event: e", b"data:", b"junk"])
ENDING = st.sampled_from([b"\n", b"\r\n", b"\r"])


@given(st.lists(st.tuples(LINE, ENDING), max_size=20), st.lists(st.integers(0, 200), max_size=8))
def test_chunk_borders_change_nothing(lines: list[tuple[bytes, bytes]], cuts: list[int]) -> None:
    stream = b"".join(line + ending for line, ending in lines)
    borders = [0, *sorted(cut for cut in cuts if cut < len(stream)), len(stream)]
    assert parse(*(stream[a:b] for a, b in pairwise(borders))) == parse(stream)


def test_long_lines_and_long_events_cost_time_in_proportion() -> None:
    size = 10 << 20
    start = time.process_time()
    line = b"data: " + b"x" * size + b"\n\n"
    assert [len(data) for data in parse(*(line[i : i + 4096] for i in range(0, len(line), 4096)))] == [size]
    many = b"data: 12345678\n" * (size // 15)
    assert len(parse(*(many[i : i + 4096] for i in range(0, len(many), 4096)))) == 1
    assert time.process_time() - start < 5  # quadratic work would take minutes
