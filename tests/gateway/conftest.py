"""A gateway on a real socket in a thread, and a plain client to ask it."""

import asyncio
import contextlib
import http.client
import json
import threading
from dataclasses import dataclass
from urllib.parse import urlsplit

import pytest

import runs
from routemark.config import GatewayOptions
from routemark.gateway.serve import GatewayServer

KEY = {"Authorization": "Bearer test"}


@dataclass
class Answer:
    status: int
    headers: dict
    body: bytes

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def text(self):
        return self.json["choices"][0]["message"]["content"]

    @property
    def events(self):
        """The stream's events, decoded; ``[DONE]`` and what is not JSON as text."""
        found = []
        for block in self.body.decode().split("\n\n"):
            if block.startswith("data: "):
                data = block.removeprefix("data: ")
                try:
                    found.append(json.loads(data))
                except ValueError:
                    found.append(data)
        return found


class Client:
    def __init__(self, base_url):
        self.base_url = base_url
        self.address = urlsplit(base_url)

    def get(self, path, headers=KEY):
        return self._send("GET", self.address.path + path, None, headers)

    def stats(self):
        return self._send("GET", "/__stats", None, {}).json

    def post(self, body, headers=KEY):
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self._send("POST", self.address.path + "/chat/completions", data, headers)

    def ask(self, prompt, model="sim/quill", session="s.r0", headers=None, **fields):
        body = {"model": model, "messages": [{"role": "user", "content": prompt}], **fields}
        if session is not None:
            body["session_id"] = session
        return self.post(body, KEY | (headers or {}))

    def _send(self, method, path, data, headers):
        connection = http.client.HTTPConnection(self.address.hostname, self.address.port, timeout=10)
        with contextlib.closing(connection):
            connection.request(method, path, data, headers)
            with connection.getresponse() as response:
                names = {name.lower(): value for name, value in response.getheaders()}
                return Answer(response.status, names, response.read())


@pytest.fixture
def start(tmp_path):
    """Give a function that starts a gateway with options and returns a client of it."""
    with contextlib.ExitStack() as running:

        def begin(questions=None, **options):
            if questions is not None:
                path = tmp_path / "questions.json"
                path.write_text(json.dumps(questions))
                options["questions"] = str(path)
            return running.enter_context(serving(GatewayOptions(**{"latency": "0", **options})))

        yield begin


class QuickServer(GatewayServer):
    """The server without the pauses of a graceful stop."""

    async def main_loop(self):
        await self.on_tick(0)
        while not self.should_exit:  # noqa: ASYNC110 - the flag is uvicorn's, and set from another thread
            await asyncio.sleep(0.002)

    async def shutdown(self, sockets=None):
        for listener in self.servers:
            listener.close()
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        self.socket.close()


@contextlib.contextmanager
def serving(options):
    server = QuickServer(options)
    thread = threading.Thread(target=server.run, args=([server.socket],))
    thread.start()
    base_url = server.base_url
    try:
        runs.wait_until(lambda: server.started or not thread.is_alive())
        yield Client(base_url)
    finally:
        server.should_exit = True
        thread.join()


@pytest.fixture
def sums():
    """Give forty questions of each shipped difficulty with numeric references."""
    return [
        {
            "id": f"{label}-{index}",
            "difficulty": label,
            "question": f"[{label} {index}] What is {index + 1000} + {7 * index}?",
            "reference": 1000 + 8 * index,
            "category": "sums",
        }
        for label in ("easy", "hard", "opt")
        for index in range(40)
    ]
