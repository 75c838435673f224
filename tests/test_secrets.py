"""The key goes to the gateway and nowhere else: no file, no output, no log, no process list, no other host."""

import asyncio
import json
import logging
import os
import ssl
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import pytest

import routemark
import runs
from nursery import Nursery
from routemark.gateway.faults import FAULTS
from scripted import (
    CLOSE,
    DONE,
    Heard,
    Script,
    ScriptedServer,
    answer,
    delta,
    event,
    head,
    stream_head,
    streamed,
    usage,
    whole,
)

MARKER = "sk-or-v1-MARKER5f2c9d71e0b84a6f"


def holders(folder: Path, what: bytes = MARKER.encode()) -> list[str]:
    """Name the files below a folder that hold the key, in content or in name."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return [str(path) for path in files if what in path.read_bytes() or what.decode() in str(path)]


class ProcessList:
    """Looks, while it is entered, at what every other process shows of itself; names those that show the key."""

    def __init__(self, own: int) -> None:
        self.showing: set[str] = set()
        self._once: set[str] = set()
        self.seen: set[int] = set()
        self._own = {own, os.getpid()}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._over.wait(0.05):
            for process in Path("/proc").glob("[0-9]*"):
                self._look_at(int(process.name))

    def _show(self, what: str) -> None:
        """Count what is seen twice: a child that has not become its program yet still looks like its parent."""
        (self.showing if what in self._once else self._once).add(what)

    def _look_at(self, pid: int) -> None:
        names = ["cmdline", "comm"] if pid in self._own else ["cmdline", "comm", "environ"]
        self.seen.add(pid)
        for name in names:
            try:
                if MARKER.encode() in Path(f"/proc/{pid}/{name}").read_bytes():
                    self._show(f"{name} of {pid}")
            except OSError:
                continue


# --------------------------------------------------------------------------- the shipped gateway


def test_no_trace_of_the_key_over_every_fault_of_the_gateway(tmp_path: Path) -> None:
    questions = runs.write_sums(tmp_path, 50)
    survivable = [name for name in FAULTS if name not in ("401", "402", "402-key-limit", "stall", "429")]
    share = 0.9 / len(survivable)
    faults = ",".join(f"{name}:{share:.4f}" for name in survivable)
    with runs.gateway(questions, "--faults", faults, "--latency", "0.001") as base_url:
        arguments = (
            "-m",
            "openrouter/auto",
            "-m",
            "sim/quill",
            "--max-attempts",
            "2",
            "-o",
            "all.md",
            "-o",
            "all.csv",
        )
        process = runs.begin(
            "run", "my.jsonl", *arguments, "--base-url", base_url, cwd=tmp_path, OPENROUTER_API_KEY=MARKER
        )
        with ProcessList(process.pid) as watched:
            done = runs.ended(process)
        assert done.code in (0, 3)
        assert len(runs.stats(base_url)["by_fault"]) > len(survivable) / 2
    assert MARKER not in done[1] + done[2]
    assert holders(tmp_path) == []
    assert watched.showing == set()
    assert len(watched.seen) > 1


def test_a_simulated_gateway_and_grading_children_are_not_given_the_key(tmp_path: Path) -> None:
    runs.write_sums(tmp_path, 40)
    process = runs.begin("run", "my.jsonl", "--simulate", "--quiet", cwd=tmp_path, OPENROUTER_API_KEY=MARKER)
    with ProcessList(process.pid) as watched:
        done = runs.ended(process)
    assert done.code == 0
    assert watched.showing == set()
    assert holders(tmp_path) == []


# --------------------------------------------------------------------------- a gateway that echoes it

ESCAPED = "".join(f"\\u{ord(character):04x}" for character in MARKER).encode()


def echoing(key: str) -> dict[str, Script]:
    """Give every place where a gateway can say the key again."""
    error = {"message": f"bad {key}", "metadata": {"raw": f"Bearer {key}", key: [key], "provider_name": key}}
    return {
        "error": [whole({"error": {"code": 400, **error}, "user_id": key}, 400)],
        "error again": [whole({"error": {"code": 502, **error}}, 502, X_Generation_Id=key, cf_ray=key, x_request_id=key)],
        "page": [whole(f"<title>{key}</title>".encode(), 503, content_type="text/html")],
        "headers": [whole(answer("x"), X_Echo=key, X_Generation_Id=key, cf_ray=key, X_OpenRouter_Cache_Status=key)],
        "everywhere": [whole(answer(f"{key}{key}", model=key, provider=key, id=key, openrouter_metadata={key: {"a": [key]}}))],
        "escaped": [whole(json.dumps(answer("xyz")).encode().replace(b"xyz", ESCAPED))],
        "finish": [whole(answer("x", choices=[{"finish_reason": key, "native_finish_reason": key, "message": {"content": key, "refusal": key, "reasoning": key, "tool_calls": [{"id": key}]}}]))],
        "usage": [whole(answer("x", usage={"cost": 0.1, key: key}))],
        "no JSON": [whole(f"oops {key}".encode())],
        "cut": [head(content_type="application/json", content_length="9999"), f'{{"a": "{key}'.encode(), CLOSE],
        "stream": streamed(delta(key[:7]), delta(key[7:], "stop"), usage(), DONE),
        "stream error": streamed(delta("x"), event({"error": {"code": 502, **error}})),
        "stream garbage": streamed(delta("x"), event(f"{{{key}".encode())),
        "stream cut": [stream_head(X_Generation_Id=key), b"5\r\ndata:", CLOSE],
        "reason phrase": [f"HTTP/1.1 500 {key}\r\ncontent-length: 0\r\n\r\n".encode()],
        "no HTTP": [f"{key}\r\n\r\n".encode(), CLOSE],
        "bad header": [f"HTTP/1.1 200 OK\r\n{key}\r\n\r\n".encode(), CLOSE],
        "redirect": [whole(b"", 302, Location=f"http://127.0.0.1:9/{key}")],
        "wait": [whole({"error": {"code": 429, **error}}, 429, Retry_After="99999")],
    }  # fmt: skip


@pytest.mark.parametrize("transport", ["pyreqwest", "httpx"])
def test_a_key_that_the_gateway_says_again_is_kept_nowhere(
    tmp_path: Path,
    transport: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("OPENROUTER_API_KEY", MARKER)
    scripts = echoing(MARKER)
    questions = [{"id": name, "difficulty": "x", "question": name, "reference": "x"} for name in scripts]

    async def scenario() -> list[Heard]:
        asyncio.get_running_loop().set_exception_handler(lambda *_: None)
        async with ScriptedServer([]) as server:
            server.choose = lambda heard: scripts[heard.json["messages"][0]["content"]]
            settings: dict[str, Any] = {
                "transport": transport,
                "max_attempts": 2,
                "timeout": 5,
                "idle_timeout": 5,
            }
            run = await routemark.run(
                questions, ["sim/a"], base_url=server.base_url, runs_dir=str(tmp_path), **settings
            )
            assert MARKER not in repr(run.table()) + repr(list(run.outcomes())) + repr(run.summary)
            return server.heard

    with caplog.at_level(logging.DEBUG):
        heard = asyncio.run(asyncio.wait_for(scenario(), 60))
    assert all(request.headers["authorization"] == f"Bearer {MARKER}" for request in heard)
    assert {request.json["messages"][0]["content"] for request in heard} == set(scripts)
    assert holders(tmp_path) == []
    assert MARKER not in caplog.text
    assert MARKER not in "".join(capfd.readouterr())


def test_a_key_in_the_words_that_stop_a_run_is_not_shown(nursery: Nursery, tmp_path: Path) -> None:
    """Also in what is looked up beside the run: models that are near, and the key page."""
    from lookalike import Lookalike, Reply

    key = runs.KEY
    runs.write_sums(tmp_path, 9)
    gone = Reply(status=400, error={"code": 400, "message": f"{key} is not a valid model ID"})
    pages = {
        "/api/v1/models": (200, {}, {"data": [{"id": f"sim/quil{key}"}, {"id": "sim/quill"}]}),
        "/api/v1/key": (404, {}, {"error": {"message": key}}),
    }
    with Lookalike(lambda request, before: gone, lambda request: pages.get(request.path)) as server:
        arguments = [
            "run",
            "my.jsonl",
            "-m",
            "sim/quil:free",
            "--base-url",
            server.base_url,
            "--run-id",
            "one",
        ]
        done = nursery.run(*arguments, "-j", "1", cwd=tmp_path)
    assert done.status == 1
    assert "[key] is not a valid model ID" in done.stderr
    assert key not in done.stdout + done.stderr
    assert holders(tmp_path, key.encode()) == []


# --------------------------------------------------------------------------- TLS


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a certificate authority that nobody trusts, and a certificate of it for this machine."""
    place = tmp_path_factory.mktemp("tls")
    (place / "ext").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\nbasicConstraints=CA:FALSE\n")
    curve = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"
    for command in (
        f"req -x509 {curve} -days 2 -subj /CN=Test -addext basicConstraints=critical,CA:TRUE -keyout ca.key -out ca.pem",
        f"req {curve} -subj /CN=localhost -keyout key.pem -out leaf.csr",
        "x509 -req -in leaf.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile ext -out cert.pem",
    ):
        subprocess.run(["openssl", *command.split()], cwd=place, check=True, capture_output=True)
    return place


@pytest.fixture
def tls_server(authority: Path) -> Iterator[ScriptedServer]:
    """Serve over TLS, in a thread."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority / "cert.pem", authority / "key.pem")
    server = ScriptedServer([[whole(answer("4"))]], ssl=context)
    loop = asyncio.new_event_loop()
    loop.set_exception_handler(lambda *_: None)  # clients that do not trust it
    over = asyncio.Event()

    async def serve() -> None:
        async with server:
            await over.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=[serve()])
    thread.start()
    runs.wait_until(lambda: server.port)
    yield server
    loop.call_soon_threadsafe(over.set)
    thread.join()
    loop.close()


OFF = {
    "PYTHONHTTPSVERIFY": "0",
    "SSL_NO_VERIFY": "1",
    "CURL_CA_BUNDLE": "",
    "REQUESTS_CA_BUNDLE": "",
    "NODE_TLS_REJECT_UNAUTHORIZED": "0",
    "GIT_SSL_NO_VERIFY": "1",
}


@pytest.mark.parametrize("transport", ["pyreqwest", "httpx"])
def test_no_key_is_sent_to_who_cannot_prove_to_be_the_gateway(
    tmp_path: Path, authority: Path, tls_server: ScriptedServer, transport: str
) -> None:
    runs.write_sums(tmp_path, 5)
    arguments = (
        "-m",
        "sim/a",
        "--base-url",
        tls_server.base_url,
        "--transport",
        transport,
        "--run-id",
        "one",
    )
    command = ("run", "my.jsonl", *arguments, "--max-attempts", "1")
    done = runs.routemark(*command, cwd=tmp_path, **OFF)
    assert done.code == 1
    assert "cannot be reached" in done.stderr
    assert "certificate" in done.stderr
    assert tls_server.heard == []
    trusted = runs.routemark("resume", "one", cwd=tmp_path, SSL_CERT_FILE=str(authority / "ca.pem"))
    assert trusted.code == 0, trusted.stderr
    assert len(tls_server.heard) == 5
