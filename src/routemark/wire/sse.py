"""Server-sent events, incrementally: byte chunks in, the data of each finished event out.

Works on bytes throughout, so a chunk border inside a character or a line ending does no harm, and
touches each byte a constant number of times, however long a line is.
"""

from __future__ import annotations


class EventParser:
    """Cuts a byte stream into events (WHATWG HTML, section 9.2), keeping only their data.

    Lines may end in LF, CR LF or CR. Comments and the fields ``event``, ``id`` and ``retry`` are skipped.
    """

    __slots__ = ("_data", "_pieces", "_started")

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        """Of the line that is not finished."""
        self._data: list[bytes] = []
        """Data lines of the event that is not finished."""
        self._started = False

    def feed(self, chunk: bytes) -> list[bytes]:
        """Give the data of the events that this chunk finishes."""
        if b"\n" not in chunk and b"\r" not in chunk:
            self._pieces.append(chunk)
            return []
        if self._pieces:
            self._pieces.append(chunk)
            chunk = b"".join(self._pieces)
            self._pieces.clear()
        if not self._started:
            self._started = True
            chunk = chunk.removeprefix(b"\xef\xbb\xbf")
        held = b""
        if b"\r" in chunk:
            if chunk.endswith(b"\r"):  # its LF may come with the next chunk
                chunk, held = chunk[:-1], b"\r"
            chunk = chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        return self._lines(chunk, held)

    def _lines(self, text: bytes, held: bytes) -> list[bytes]:
        events: list[bytes] = []
        data = self._data
        *lines, rest = text.split(b"\n")
        for line in lines:
            if line.startswith(b"data: "):
                data.append(line[6:])
            elif not line:
                if data:
                    events.append(data[0] if len(data) == 1 else b"\n".join(data))
                    data.clear()
            elif line.startswith(b"data:"):
                data.append(line[5:])
            elif line == b"data":
                data.append(b"")
        if rest or held:
            self._pieces.append(rest + held)
        return events

    def finish(self) -> list[bytes]:
        """Give the data of the event that the end of the stream cut off, if any."""
        return self.feed(b"\n\n")
