"""The HTTP libraries, behind one small protocol: bytes in; status, headers and byte chunks out.

Two complete implementations: pyreqwest, whose cost per request is small enough to measure with, and
httpx (over aiohttp's connections, or any `httpx.AsyncClient` handed in). Whatever either raises is
translated here, by one table a library, into a `TransportError` with a failure kind. Redirects are
never followed, TLS is always verified, cookies are not kept.
"""

from __future__ import annotations

import contextlib
import functools
import logging
import re
import socket
import ssl
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from ipaddress import ip_address
from types import TracebackType
from typing import TYPE_CHECKING, NamedTuple, Protocol, Self, runtime_checkable
from urllib.parse import urlsplit

from routemark.errors import FailureKind, SettingsError

if TYPE_CHECKING:  # heavy imports, made only by who needs them
    import httpx
    from pyreqwest.client import Client
    from pyreqwest.http import Url
    from pyreqwest.request import StreamRequest
    from pyreqwest.response import ResponseBodyReader

Kind = FailureKind

TRANSPORTS = ("pyreqwest", "httpx")

SPARE_CONNECTIONS = 8
"""Beyond the ceiling of requests in flight, for look-ups beside the run."""


LINGER_S = 0.5
"""Seconds after a time limit until a connection is closed for certain, had its caller just gone away."""


class Limits(NamedTuple):
    """How long one exchange may take, seconds. Only connecting is timed here; the caller watches the rest."""

    connect_s: float = 10.0
    idle_s: float = 120.0
    """Of silence."""
    total_s: float = 600.0


class TransportError(Exception):
    """No whole response arrived."""

    def __init__(self, kind: FailureKind, message: str) -> None:
        self.kind = kind
        self.message = message
        super().__init__(f"{kind}: {message}")


class TransportResponse(Protocol):
    """A response whose body is read chunk by chunk."""

    status: int
    headers: Mapping[str, str]
    """By lower-case name."""

    async def read_chunk(self) -> bytes | None:
        """Give the next bytes as they came from the network, None at the end. Raises: TransportError."""


@runtime_checkable
class Transport(Protocol):
    """Sends requests over kept connections; safe for concurrent use within one event loop."""

    def exchange(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes, limits: Limits
    ) -> AbstractAsyncContextManager[TransportResponse]:
        """Send a request; entered when the response's head is there, left when its body is done with.

        A body that was not read to its end closes the connection; a caller that is cancelled leaves a
        connection behind for `LINGER_S` beyond the limits at most. Raises: TransportError.
        """

    async def aclose(self) -> None:
        """Close all connections."""


def make_transport(name: str, concurrency: int) -> Transport:
    """Give a transport by name, with connections for ``concurrency`` requests in flight.

    The usual proxy variables (HTTPS_PROXY, NO_PROXY, ...) are obeyed, but never for this machine.
    Raises: SettingsError for an unknown name.
    """
    if name == "pyreqwest":
        return PyreqwestTransport(concurrency)
    if name == "httpx":
        return HttpxTransport(httpx_client(concurrency))
    raise SettingsError(f"transport: {name!r} is not known; choose one of {', '.join(TRANSPORTS)}.")


@functools.lru_cache
def is_loopback(url: str) -> bool:
    """Tell whether a URL leads to this machine: no proxy could reach what it means."""
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _in_body(kind: FailureKind) -> FailureKind:
    """Give the kind of a failure after the head: a connection that breaks then breaks the body off."""
    return Kind.BODY_TRUNCATED if kind in {Kind.RESET, Kind.CONNECT_REFUSED} else kind


# --------------------------------------------------------------------------- pyreqwest


@functools.cache
def pyreqwest_kinds() -> dict[type[BaseException], FailureKind]:
    """Give the kind of every exception class of pyreqwest, before the head of a response."""
    from pyreqwest import exceptions as px  # noqa: PLC0415 - see TYPE_CHECKING above

    return {
        px.ConnectTimeoutError: Kind.CONNECT_TIMEOUT,
        px.PoolTimeoutError: Kind.CONNECT_TIMEOUT,
        px.ReadTimeoutError: Kind.IDLE_TIMEOUT,
        px.WriteTimeoutError: Kind.IDLE_TIMEOUT,
        px.RequestTimeoutError: Kind.TIMEOUT,
        px.ConnectError: Kind.CONNECT_REFUSED,
        px.ReadError: Kind.RESET,
        px.WriteError: Kind.RESET,
        px.NetworkError: Kind.RESET,
        px.TransportError: Kind.RESET,
        px.JSONDecodeError: Kind.BODY_NOT_JSON,
        px.BodyDecodeError: Kind.RESET,
        px.DecodeError: Kind.RESET,
        px.RedirectError: Kind.REDIRECT,
        px.StatusError: Kind.UNKNOWN_STATUS,
        px.RequestError: Kind.RESET,
        px.ClientClosedError: Kind.CLIENT_FAULT,
        px.RequestPanicError: Kind.CLIENT_FAULT,
        px.BuilderError: Kind.CLIENT_FAULT,
        px.DetailedPyreqwestError: Kind.CLIENT_FAULT,
        px.PyreqwestError: Kind.CLIENT_FAULT,
    }


_CONNECT_CAUSES = [
    (re.compile(r"dns error"), Kind.DNS),
    (re.compile(r"certificate|tls|ssl|handshake|corrupt message|fatal alert", re.IGNORECASE), Kind.TLS),
    (re.compile(r"timed out"), Kind.CONNECT_TIMEOUT),
    (re.compile(r"client error \(Connect\)"), Kind.CONNECT_REFUSED),
]
"""What pyreqwest tells only in the causes of a ConnectError; none of them: the connection stood, and broke."""


def translate_pyreqwest(error: BaseException, *, in_body: bool = False) -> TransportError:
    """Give the failure that an exception of pyreqwest means."""
    details = getattr(error, "details", None) or {}
    causes = [str(cause["message"]) for cause in details.get("causes") or []]
    kind = pyreqwest_kinds().get(type(error), Kind.CLIENT_FAULT)
    told = "; ".join(causes[1:])  # the first repeats the URL
    if kind is Kind.CONNECT_TIMEOUT and "client error (Connect)" not in told:
        kind = Kind.IDLE_TIMEOUT  # connected, but no head came
    if kind is Kind.CONNECT_REFUSED:
        kind = next((found for pattern, found in _CONNECT_CAUSES if pattern.search(told)), Kind.RESET)
    message = ": ".join(causes[1:]) or getattr(error, "message", "") or type(error).__name__
    return TransportError(_in_body(kind) if in_body else kind, message)


class PyreqwestTransport:
    """The default: one pyreqwest client."""

    def __init__(self, concurrency: int) -> None:
        from pyreqwest.exceptions import PyreqwestError  # noqa: PLC0415

        self._concurrency = concurrency
        self._clients: dict[tuple[bool, Limits, tuple[tuple[str, str], ...]], Client] = {}
        """One for each of: no proxy, limits, headers."""
        self._latest: tuple[str, Mapping[str, str], Limits] | None = None
        """What the latest request asked of a client; nearly every request asks the same."""
        self._client_of_latest: Client
        self._url_of_latest: Url
        self._error = PyreqwestError

    def _prepare(self, url: str, headers: Mapping[str, str], limits: Limits) -> None:
        """Have at hand what all requests to one place share."""
        from pyreqwest.http import Url  # noqa: PLC0415 - see TYPE_CHECKING above

        setting = (is_loopback(url), limits, tuple(headers.items()))
        if setting not in self._clients:
            self._clients[setting] = self._build(*setting)
        self._client_of_latest, self._url_of_latest = self._clients[setting], Url(url)
        self._latest = (url, headers, limits)

    def _build(self, direct: bool, limits: Limits, headers: tuple[tuple[str, str], ...]) -> Client:
        from pyreqwest.client import ClientBuilder  # noqa: PLC0415

        builder = (
            ClientBuilder()
            .default_headers(dict(headers))
            .follow_redirects(False)
            .referer(False)
            .connect_timeout(timedelta(seconds=limits.connect_s))
            .read_timeout(timedelta(seconds=limits.idle_s + LINGER_S))
            # Cancelling a request of pyreqwest before its head leaves it running: only its own limit ends it.
            .timeout(timedelta(seconds=limits.total_s + LINGER_S))
            .pool_max_idle_per_host(self._concurrency + SPARE_CONNECTIONS)
        )
        return (builder.no_proxy() if direct else builder).build()

    def exchange(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes, limits: Limits
    ) -> AbstractAsyncContextManager[TransportResponse]:
        """Send a request; see `Transport`."""
        asked = self._latest
        if asked is None or asked[0] != url or asked[1] is not headers or asked[2] is not limits:
            self._prepare(url, headers, limits)
        builder = self._client_of_latest.request(method, self._url_of_latest)
        if body:
            builder = builder.body_bytes(body)
        # Without the limit of 0 the head would be held back until 64 KiB of the body had come.
        return _PyreqwestExchange(builder.streamed_read_buffer_limit(0).build_streamed(), self._error)

    async def aclose(self) -> None:
        """Close all connections."""
        for client in self._clients.values():
            await client.close()


class _PyreqwestExchange:
    """One request of pyreqwest, and its response."""

    def __init__(self, request: StreamRequest, error: type[Exception]) -> None:
        self.status = 0
        self.headers: Mapping[str, str] = {}
        self._request = request
        self._error = error
        self._body: ResponseBodyReader

    async def __aenter__(self) -> Self:
        try:
            response = await self._request.__aenter__()
        except self._error as error:
            raise translate_pyreqwest(error) from error
        self.status = response.status
        self.headers = _readable(response.headers)
        self._body = response.body_reader
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with contextlib.suppress(self._error):  # closing cannot undo what was read
            await self._request.__aexit__(kind, error, trace)

    async def read_chunk(self) -> bytes | None:
        try:
            chunk = await self._body.read_chunk()
        except self._error as error:
            raise translate_pyreqwest(error, in_body=True) from error
        return None if chunk is None else bytes(chunk)


def _readable(headers: Mapping[str, str]) -> dict[str, str]:
    """Give the headers that are text; a value of other bytes is no value to us."""
    try:
        return dict(headers.items())
    except ValueError:
        return dict(_text_headers(headers))


def _text_headers(headers: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for name in set(headers.keys()):
        with contextlib.suppress(ValueError):
            yield name, headers[name]


# --------------------------------------------------------------------------- httpx


@functools.cache
def httpx_kinds() -> dict[type[BaseException], FailureKind]:
    """Give the kind of every exception class of httpx, and of what stands beneath it as a cause."""
    import aiohttp  # noqa: PLC0415
    import httpx  # noqa: PLC0415

    return {
        httpx.ConnectTimeout: Kind.CONNECT_TIMEOUT,
        httpx.PoolTimeout: Kind.CONNECT_TIMEOUT,
        httpx.ReadTimeout: Kind.IDLE_TIMEOUT,
        httpx.WriteTimeout: Kind.IDLE_TIMEOUT,
        httpx.TimeoutException: Kind.TIMEOUT,
        httpx.ConnectError: Kind.CONNECT_REFUSED,
        httpx.ProxyError: Kind.CONNECT_REFUSED,
        httpx.ReadError: Kind.RESET,
        httpx.WriteError: Kind.RESET,
        httpx.CloseError: Kind.RESET,
        httpx.NetworkError: Kind.RESET,
        httpx.RemoteProtocolError: Kind.RESET,
        httpx.ProtocolError: Kind.RESET,
        httpx.TransportError: Kind.RESET,
        httpx.DecodingError: Kind.RESET,
        httpx.RequestError: Kind.RESET,
        httpx.TooManyRedirects: Kind.REDIRECT,
        httpx.HTTPStatusError: Kind.UNKNOWN_STATUS,
        httpx.HTTPError: Kind.CLIENT_FAULT,
        httpx.LocalProtocolError: Kind.CLIENT_FAULT,
        httpx.UnsupportedProtocol: Kind.CLIENT_FAULT,
        httpx.InvalidURL: Kind.CLIENT_FAULT,
        httpx.CookieConflict: Kind.CLIENT_FAULT,
        httpx.StreamError: Kind.CLIENT_FAULT,
        httpx.StreamConsumed: Kind.CLIENT_FAULT,
        httpx.StreamClosed: Kind.CLIENT_FAULT,
        httpx.ResponseNotRead: Kind.CLIENT_FAULT,
        httpx.RequestNotRead: Kind.CLIENT_FAULT,
        aiohttp.ConnectionTimeoutError: Kind.CONNECT_TIMEOUT,
        aiohttp.SocketTimeoutError: Kind.IDLE_TIMEOUT,
        aiohttp.ServerTimeoutError: Kind.IDLE_TIMEOUT,
        aiohttp.ClientConnectorDNSError: Kind.DNS,
        aiohttp.ClientConnectorCertificateError: Kind.TLS,
        aiohttp.ClientSSLError: Kind.TLS,
        aiohttp.ServerFingerprintMismatch: Kind.TLS,
        aiohttp.ClientConnectorError: Kind.CONNECT_REFUSED,
        aiohttp.ClientHttpProxyError: Kind.CONNECT_REFUSED,
        aiohttp.InvalidURL: Kind.CLIENT_FAULT,
        aiohttp.TooManyRedirects: Kind.REDIRECT,
        aiohttp.ClientError: Kind.RESET,
        socket.gaierror: Kind.DNS,
        ssl.SSLError: Kind.TLS,
        ConnectionRefusedError: Kind.CONNECT_REFUSED,
        ConnectionError: Kind.RESET,
    }


def translate_httpx(error: BaseException, *, in_body: bool = False) -> TransportError:
    """Give the failure that an exception of httpx, or of aiohttp beneath it, means.

    The innermost known cause decides: httpx over aiohttp calls a refused connection a timeout.
    """
    chain = list(_causes(error))
    kinds = [kind for link in reversed(chain) if (kind := _nearest_kind(type(link))) is not None]
    kind = kinds[0] if kinds else Kind.CLIENT_FAULT
    message = next((str(link) for link in chain if str(link)), type(error).__name__)
    return TransportError(_in_body(kind) if in_body else kind, message)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__


def _nearest_kind(kind_of: type[BaseException]) -> FailureKind | None:
    """Give the kind of the nearest class in the table, itself first."""
    return next((httpx_kinds()[base] for base in kind_of.__mro__ if base in httpx_kinds()), None)


def httpx_client(concurrency: int) -> httpx.AsyncClient:
    """Give an httpx client over aiohttp's connections; httpx's own pool is slow beyond 50."""
    import httpx  # noqa: PLC0415
    from httpx_aiohttp import HttpxAiohttpClient  # noqa: PLC0415

    log = logging.getLogger("httpx")
    if log.level == logging.NOTSET:  # at INFO it repeats the words of each response's status line
        log.setLevel(logging.WARNING)
    connections = concurrency + SPARE_CONNECTIONS
    limits = httpx.Limits(
        max_connections=connections, max_keepalive_connections=connections, keepalive_expiry=60.0
    )
    here = ("all://localhost", "all://127.0.0.1", "all://[::1]")
    return HttpxAiohttpClient(limits=limits, timeout=None, follow_redirects=False, mounts=dict.fromkeys(here))


class HttpxTransport:
    """The other implementation: any `httpx.AsyncClient`."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client
        self._errors: tuple[type[BaseException], ...] = tuple(httpx_kinds())

    def exchange(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes, limits: Limits
    ) -> AbstractAsyncContextManager[TransportResponse]:
        """Send a request; see `Transport`."""
        timeout = {"connect": limits.connect_s, "read": None, "write": None, "pool": None}
        request = self._client.build_request(
            method, url, headers=headers, content=body or None, extensions={"timeout": timeout}
        )
        request.headers.pop("cookie", None)
        return _HttpxExchange(self._client, request, self._errors)

    async def aclose(self) -> None:
        """Close all connections."""
        await self._client.aclose()


class _HttpxExchange:
    """One request of httpx, and its response."""

    def __init__(
        self, client: httpx.AsyncClient, request: httpx.Request, errors: tuple[type[BaseException], ...]
    ) -> None:
        self.status = 0
        self.headers: Mapping[str, str] = {}
        self._client = client
        self._request = request
        self._errors = errors
        self._response: httpx.Response
        self._chunks: AsyncIterator[bytes]

    async def __aenter__(self) -> Self:
        try:
            # auth=None: none from the environment's .netrc, none from the client beside our own header
            self._response = await self._client.send(
                self._request, stream=True, follow_redirects=False, auth=None
            )
        except self._errors as error:
            raise translate_httpx(error) from error
        self.status = self._response.status_code
        self.headers = self._response.headers
        self._chunks = self._response.aiter_bytes()
        return self

    async def __aexit__(self, *why: object) -> None:
        with contextlib.suppress(*self._errors):  # closing cannot undo what was read
            await self._response.aclose()

    async def read_chunk(self) -> bytes | None:
        try:
            return await anext(self._chunks, None)
        except self._errors as error:
            raise translate_httpx(error, in_body=True) from error
