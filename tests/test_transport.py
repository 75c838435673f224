"""Both HTTP libraries tell the same story of the same socket, in our words."""

import asyncio
import contextlib
import inspect
import socket
import ssl
import subprocess
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
import httpx
import pyreqwest.exceptions
import pytest

from routemark.errors import FailureKind, SettingsError
from routemark.transport import (
    LINGER_S,
    HttpxTransport,
    Limits,
    Transport,
    TransportError,
    httpx_kinds,
    is_loopback,
    make_transport,
    pyreqwest_kinds,
    translate_httpx,
    translate_pyreqwest,
)
from scripted import (
    CLOSE,
    END,
    HANG,
    RESET,
    Script,
    ScriptedServer,
    head,
    piece,
    stream_head,
    whole,
)

K = FailureKind
LIMITS = Limits(connect_s=5.0, idle_s=10.0, total_s=15.0)
BOTH = pytest.mark.parametrize("name", ["pyreqwest", "httpx"])


async def fetch(
    transport: Transport, url: str, body: bytes = b"{}", limits: Limits = LIMITS
) -> tuple[int, dict[str, str], list[bytes]]:
    chunks: list[bytes] = []
    async with transport.exchange("POST", url, {"X-Test": "1"}, body, limits) as response:
        while (chunk := await response.read_chunk()) is not None:
            chunks.append(chunk)
        return response.status, dict(response.headers), chunks


def against(
    scripts: list[Script], use: Callable[[Transport, ScriptedServer], Awaitable[Any]], name: str
) -> Any:
    async def scenario() -> Any:
        async with ScriptedServer(scripts) as server:
            transport = make_transport(name, 4)
            try:
                return await use(transport, server)
            finally:
                await transport.aclose()

    return asyncio.run(asyncio.wait_for(scenario(), 20))


def failure_of(script: Script, name: str) -> TransportError:
    async def use(transport: Transport, server: ScriptedServer) -> TransportError:
        with pytest.raises(TransportError) as failed:
            await fetch(transport, server.base_url)
        return failed.value

    error: TransportError = against([script], use, name)
    return error


@BOTH
def test_status_headers_and_bytes_come_as_they_were_sent(name: str) -> None:
    async def use(transport: Transport, server: ScriptedServer) -> None:
        status, headers, chunks = await fetch(transport, server.base_url + "/x?y=1", b'{"a":1}')
        assert (status, b"".join(chunks)) == (418, b"\x00\xffbody")
        assert headers["x-generation-id"] == "gen-1"
        heard = server.heard[0]
        assert (heard.method, heard.path, heard.body) == ("POST", "/api/v1/x?y=1", b'{"a":1}')
        assert heard.headers["x-test"] == "1"

    against([[whole(b"\x00\xffbody", 418, X_Generation_Id="gen-1")]], use, name)


@BOTH
def test_chunks_arrive_when_they_are_sent(name: str) -> None:
    async def use(transport: Transport, server: ScriptedServer) -> None:
        began = time.monotonic()
        at: list[float] = []
        async with transport.exchange("POST", server.base_url, {}, b"{}", LIMITS) as response:
            at.append(time.monotonic() - began)
            while await response.read_chunk() is not None:
                at.append(time.monotonic() - began)
        assert at[0] < 0.15  # the head is not held back until the body comes
        assert 0.15 < at[1] < 0.3 < at[2]

    against([[stream_head(), 0.2, piece(b"a"), 0.2, piece(b"b"), END]], use, name)


@BOTH
def test_a_header_of_other_bytes_than_text_does_no_harm(name: str) -> None:
    async def use(transport: Transport, server: ScriptedServer) -> None:
        _, headers, _ = await fetch(transport, server.base_url)
        assert headers["cf-ray"] == "ray"

    bad = b"HTTP/1.1 200 OK\r\nx-bad: \xff\xfe\r\ncf-ray: ray\r\ncontent-length: 0\r\n\r\n"
    against([[bad]], use, name)


@BOTH
@pytest.mark.parametrize(
    ("script", "kind"),
    [
        ([RESET], K.RESET),
        ([CLOSE], K.RESET),
        ([b"HTTP/1.1 200 OK\r\ncontent-le", CLOSE], K.RESET),
        ([b"SSH-2.0-OpenSSH_9.6\r\n\r\n", CLOSE], K.RESET),
        ([b"HTTP/1.1 200 OK\r\nno colon here\r\n\r\n", CLOSE], K.RESET),
        ([head(content_length="10"), b"abc", CLOSE], K.BODY_TRUNCATED),
        ([head(content_length="10"), b"abc", 0.05, RESET], K.BODY_TRUNCATED),
        ([stream_head(), piece(b"abc"), CLOSE], K.BODY_TRUNCATED),
        ([stream_head(), piece(b"abc"), 0.05, RESET], K.BODY_TRUNCATED),
        ([head(content_length="3", content_encoding="gzip"), b"abc"], K.BODY_TRUNCATED),
    ],
)
def test_what_breaks_a_connection_has_a_kind(script: Script, kind: K, name: str) -> None:
    error = failure_of(script, name)
    assert error.kind is kind
    assert error.message


@BOTH
def test_what_came_before_the_break_is_read(name: str) -> None:
    async def use(transport: Transport, server: ScriptedServer) -> list[bytes]:
        async with transport.exchange("POST", server.base_url, {}, b"{}", LIMITS) as response:
            chunk = await response.read_chunk()
            with pytest.raises(TransportError):
                await response.read_chunk()
        return [chunk or b""]

    assert against([[stream_head(), piece(b"abc"), 0.05, RESET]], use, name) == [b"abc"]


def reach(url: str, name: str, connect_s: float = 5.0) -> TransportError:
    async def scenario() -> TransportError:
        transport = make_transport(name, 4)
        try:
            with pytest.raises(TransportError) as failed:
                await fetch(transport, url, limits=Limits(connect_s=connect_s))
            return failed.value
        finally:
            await transport.aclose()

    return asyncio.run(scenario())


@BOTH
def test_a_refused_connection(name: str) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        error = reach(f"http://127.0.0.1:{unused.getsockname()[1]}/", name)
    assert error.kind is K.CONNECT_REFUSED
    assert "refused" in error.message.lower() or "connect" in error.message.lower()


@BOTH
def test_an_unknown_host(name: str) -> None:
    assert reach("http://no-such-host.invalid/", name).kind is K.DNS


@BOTH
def test_a_connection_that_nobody_accepts_in_time(name: str) -> None:
    """A full backlog: the kernel answers no more SYN."""
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(0)
        address = deaf.getsockname()
        fillers = [socket.socket() for _ in range(4)]
        try:
            for filler in fillers:
                filler.setblocking(False)
                filler.connect_ex(address)
            error = reach(f"http://127.0.0.1:{address[1]}/", name, connect_s=0.3)
        finally:
            for filler in fillers:
                filler.close()
    assert error.kind is K.CONNECT_TIMEOUT


# --------------------------------------------------------------------------- TLS


@pytest.fixture(scope="module")
def own_certificate(tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    """A certificate that nobody trusts."""
    place: Path = tmp_path_factory.mktemp("tls")
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2"
    names = ["-subj", "/CN=localhost", "-keyout", "key.pem", "-out", "cert.pem"]
    subprocess.run([*command.split(), *names], cwd=place, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(place / "cert.pem", place / "key.pem")
    return context


@BOTH
def test_a_certificate_that_nobody_trusts_is_refused(name: str, own_certificate: ssl.SSLContext) -> None:
    async def scenario() -> TransportError:
        async with ScriptedServer([[whole(b"secret")]], ssl=own_certificate) as server:
            transport = make_transport(name, 4)
            asyncio.get_running_loop().set_exception_handler(lambda *_: None)  # the server's side of it
            try:
                with pytest.raises(TransportError) as failed:
                    await fetch(transport, server.base_url)
                assert server.heard == []
                return failed.value
            finally:
                await transport.aclose()

    assert asyncio.run(scenario()).kind is K.TLS


@BOTH
def test_a_server_that_speaks_no_tls(name: str) -> None:
    async def blurt(listener: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        plain, _ = await loop.sock_accept(listener)
        with plain:
            await loop.sock_sendall(plain, b"HTTP/1.1 400 Bad Request\r\n\r\n")
            with contextlib.suppress(ConnectionError):
                while await loop.sock_recv(plain, 4096):
                    pass

    async def scenario() -> K:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            listener.setblocking(False)
            blurting = asyncio.create_task(blurt(listener))
            transport = make_transport(name, 4)
            with pytest.raises(TransportError) as failed:
                await fetch(transport, f"https://127.0.0.1:{listener.getsockname()[1]}/")
            await transport.aclose()
            await blurting
            return failed.value.kind

    assert asyncio.run(asyncio.wait_for(scenario(), 20)) is K.TLS


# --------------------------------------------------------------------------- connections


@BOTH
def test_a_connection_is_used_again_after_answers_and_after_refusals(name: str) -> None:
    async def use(transport: Transport, server: ScriptedServer) -> None:
        for _ in range(4):
            await fetch(transport, server.base_url)
            await asyncio.sleep(0.01)  # a library may take back its connection a moment later
        assert server.connections == 1

    stream: Script = [stream_head(), piece(b"a"), END]
    against([[whole(b"x", 500)], [whole(b"", 429)], stream, [whole(b"x")]], use, name)


@BOTH
def test_a_body_that_is_left_unread_closes_its_connection_and_the_next_one_works(name: str) -> None:
    async def use(transport: Transport, server: ScriptedServer) -> None:
        async with transport.exchange("POST", server.base_url, {}, b"{}", LIMITS) as response:
            assert await response.read_chunk() == b"a"
        _, _, chunks = await fetch(transport, server.base_url)
        assert chunks == [b"x"]
        await asyncio.wait_for(server.client_left.wait(), 5)
        assert server.connections == 2

    against([[stream_head(), piece(b"a"), HANG], [whole(b"x")]], use, name)


@BOTH
@pytest.mark.parametrize(
    "script", [[HANG], [stream_head(), piece(b"a"), HANG]], ids=["before head", "in body"]
)
def test_a_request_given_up_at_its_limit_leaves_no_connection_behind(script: Script, name: str) -> None:
    async def use(transport: Transport, server: ScriptedServer) -> None:
        limits = Limits(connect_s=5.0, idle_s=0.1, total_s=5.0)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(fetch(transport, server.base_url, limits=limits), limits.idle_s)
        await asyncio.wait_for(server.client_left.wait(), LINGER_S + 1.0)
        _, _, chunks = await fetch(transport, server.base_url)
        assert chunks == [b"x"]

    against([script, [whole(b"x")]], use, name)


@BOTH
def test_redirects_are_not_followed_and_cookies_are_not_kept(name: str) -> None:
    async def use(transport: Transport, server: ScriptedServer) -> None:
        status, headers, _ = await fetch(transport, server.base_url)
        assert (status, headers["location"]) == (307, "http://127.0.0.1:9/elsewhere")
        await fetch(transport, server.base_url)
        assert len(server.heard) == 2
        assert all("cookie" not in heard.headers for heard in server.heard)

    moved = whole(b"", 307, Location="http://127.0.0.1:9/elsewhere", Set_Cookie="a=b; Path=/")
    against([[moved], [whole(b"x")]], use, name)


@BOTH
def test_this_machine_is_never_reached_through_a_proxy(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(variable, "http://127.0.0.1:9")
    for variable in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(variable, raising=False)

    async def use(transport: Transport, server: ScriptedServer) -> int:
        status, _, _ = await fetch(transport, server.base_url)
        return status

    assert against([[whole(b"x")]], use, name) == 200


@BOTH
def test_other_hosts_are_reached_through_the_environments_proxy(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("REQUEST_METHOD", raising=False)
    for variable in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(variable, raising=False)

    async def scenario() -> str:
        async with ScriptedServer([[whole(b"x")]]) as proxy:
            monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{proxy.port}")
            transport = make_transport(name, 4)
            try:
                await fetch(transport, "http://gateway.invalid/api/v1")
            finally:
                await transport.aclose()
            return proxy.heard[0].path

    assert asyncio.run(scenario()) == "http://gateway.invalid/api/v1"


@pytest.mark.parametrize(
    ("url", "here"),
    [
        ("http://127.0.0.1:8/api", True),
        ("http://127.8.0.1/", True),
        ("http://localhost:8/api", True),
        ("http://[::1]:8/api", True),
        ("https://openrouter.ai/api/v1", False),
        ("http://127.0.0.1.evil.example/", False),
        ("http://localhost.example/", False),
    ],
)
def test_what_this_machine_is(url: str, here: bool) -> None:
    assert is_loopback(url) is here


# --------------------------------------------------------------------------- tables


def exceptions_of(module: Any) -> set[type[BaseException]]:
    found = (one for name, one in vars(module).items() if inspect.isclass(one) and not name.endswith("_"))
    return {one for one in found if issubclass(one, BaseException)}


def test_every_exception_of_pyreqwest_has_a_kind() -> None:
    assert exceptions_of(pyreqwest.exceptions) == set(pyreqwest_kinds())


def test_every_exception_of_httpx_has_a_kind() -> None:
    assert exceptions_of(httpx) <= set(httpx_kinds())


def test_every_exception_of_aiohttps_client_has_a_kind() -> None:
    client_side = {one for one in exceptions_of(aiohttp) if issubclass(one, aiohttp.ClientError)}
    assert client_side
    for one in client_side:
        assert any(base in httpx_kinds() for base in one.__mro__), one


def test_an_exception_of_no_table_is_a_fault_of_ours() -> None:
    assert translate_httpx(KeyError("x")).kind is K.CLIENT_FAULT
    assert translate_pyreqwest(KeyError("x")).kind is K.CLIENT_FAULT


def test_an_unknown_transport_is_refused_by_name() -> None:
    with pytest.raises(SettingsError, match="pyreqwest, httpx"):
        make_transport("curl", 4)


def test_any_httpx_client_will_do() -> None:
    async def scenario() -> tuple[int, list[bytes]]:
        async with ScriptedServer([[whole(b"x", 202)]]) as server, httpx.AsyncClient() as client:
            status, _, chunks = await fetch(HttpxTransport(client), server.base_url)
            return status, chunks

    assert asyncio.run(scenario()) == (202, [b"x"])
