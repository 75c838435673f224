"""The viewer on a real socket in a thread, and a plain client to ask it."""

from __future__ import annotations

import contextlib
import http.client
import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from routemark.viewer.serve import ViewServer
from routemark.viewer.shelf import Shelf


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()


class Client:
    """Sends what it is told, and nothing else."""

    def __init__(self, port: int) -> None:
        self.port = port

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def send(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        with contextlib.closing(connection):
            connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            for name, value in {"Host": f"127.0.0.1:{self.port}", **named}.items():
                if value:
                    connection.putheader(name, value)
            if body is not None:
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            answer = connection.getresponse()
            return Answer(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())

    def get(self, path: str, **headers: str) -> Answer:
        """Ask, again while the answer is "not yet"."""
        deadline = time.monotonic() + 30
        while (answer := self.send("GET", path, **headers)).status == 202:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        return answer

    def events(self, path: str, until: int, **headers: str) -> list[dict[str, object]]:
        """Listen until so many events have come, or the stream ends."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        found: list[dict[str, object]] = []
        with contextlib.closing(connection):
            connection.request("GET", path, headers=headers)
            answer = connection.getresponse()
            event: dict[str, object] = {}
            while len(found) < until and (line := answer.readline()):
                name, _, value = line.decode().rstrip("\n").partition(": ")
                if name in {"id", "event"}:
                    event[name] = value
                elif name == "data":
                    event["data"] = json.loads(value)
                elif not name and event:
                    found.append(event)
                    event = {}
            answer.close()
        return found


def until(condition: Callable[[], bool], seconds: float = 40) -> None:
    """Wait for something that another thread or process does."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.01)


@contextlib.contextmanager
def serving(folder: Path, port: int = 0) -> Iterator[Client]:
    """Serve the runs of a directory."""
    server = ViewServer(Shelf(folder), port)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [server.socket]}, daemon=True)
    thread.start()
    until(lambda: server.started)
    try:
        yield Client(server.socket.getsockname()[1])
    finally:
        server.should_exit = True
        thread.join(20)
        assert not thread.is_alive()
        server.socket.close()
