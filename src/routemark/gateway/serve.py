"""Runs the gateway as a server until it is told to stop."""

from __future__ import annotations

import contextlib
import ipaddress
import os
import signal
import socket
import sys
import threading
from collections.abc import Generator
from types import FrameType

import uvicorn

from routemark.config import GatewayOptions
from routemark.errors import UsageError
from routemark.gateway.app import PREFIX, create_app
from routemark.gateway.exchange import AbortableProtocol
from routemark.gateway.faults import fault_names

__all__ = ["GatewayServer", "create_app", "fault_names", "serve"]

LISTENING = "listening on "
_BACKLOG = 4_096
_GRACE_S = 2
"""Seconds that answers under way get when the gateway stops."""
_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_READ_SIZE = 4_096


def serve(options: GatewayOptions) -> None:
    """Run a gateway until SIGINT, SIGTERM, or the end of standard input when that is asked for.

    Prints ``listening on http://HOST:PORT/api/v1`` once it accepts connections.
    Raises: UsageError when it cannot be started as asked.
    """
    server = GatewayServer(options)
    if options.exit_on_eof:
        threading.Thread(target=_stop_at_eof, args=(server,), daemon=True).start()
    server.run(sockets=[server.socket])


class QuietServer(uvicorn.Server):
    """A uvicorn server that a signal stops gracefully, and that then returns as if it had been asked to."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Stop on a signal, and do not raise it again."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, self._stop) for number in _SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        self.force_exit = self.should_exit
        self.should_exit = True


class GatewayServer(QuietServer):
    """A uvicorn server with the gateway on a bound socket."""

    def __init__(self, options: GatewayOptions) -> None:
        app = create_app(options)
        self.socket = _bind(options)
        """Listens from the start; closed when the server stops."""
        super().__init__(
            uvicorn.Config(
                app,
                http=AbortableProtocol,
                ws="none",
                lifespan="off",
                log_level="error",
                access_log=False,
                server_header=False,
                timeout_keep_alive=75,
                timeout_graceful_shutdown=_GRACE_S,
                backlog=_BACKLOG,
            )
        )

    @property
    def base_url(self) -> str:
        """Where clients find the API."""
        host, port = self.socket.getsockname()[:2]
        return f"http://{f'[{host}]' if ':' in host else host}:{port}{PREFIX}"

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then say so on standard output."""
        await super().startup(sockets)
        print(f"{LISTENING}{self.base_url}", flush=True)  # noqa: T201


def _stop_at_eof(server: GatewayServer) -> None:
    """Read standard input to its end, below Python's buffers, whose locks could hold up the exit."""
    with contextlib.suppress(OSError):
        while os.read(sys.stdin.fileno(), _READ_SIZE):
            pass
    server.should_exit = True


def _bind(options: GatewayOptions) -> socket.socket:
    """Give a listening socket.

    Raises: UsageError for a host that others can reach, or a port that cannot be had.
    """
    if not options.unsafe_host and not _is_loopback(options.host):
        raise UsageError(
            f"--host {options.host}: the gateway listens on loopback only; others could reach it there."
            " Give --unsafe-host to allow that."
        )
    try:
        family, *_, address = socket.getaddrinfo(options.host, options.port, type=socket.SOCK_STREAM)[0]
        return socket.create_server(address[:2], family=family, backlog=_BACKLOG)
    except (OSError, OverflowError) as error:
        raise UsageError(
            f"--host {options.host} --port {options.port}: cannot listen there: {error}"
        ) from None


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
