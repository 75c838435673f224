"""One HTTP exchange, with what an ordinary server never does: break it off on purpose.

`AbortableProtocol` hands each connection's transport to the application (in the ASGI scope's
state), so that a fault can close or reset the connection in mid-response.
"""

from __future__ import annotations

import asyncio
import os
import socket
import struct
from typing import Any

from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.auto import AutoHTTPProtocol

_TRANSPORT = "routemark.transport"
_LINGER_ZERO = struct.pack("ii", 1, 0)
"""SO_LINGER on, for no time: closing sends RST in place of FIN."""

Headers = list[tuple[bytes, bytes]]


class AbortableProtocol(AutoHTTPProtocol):  # type: ignore[misc,valid-type]  # chosen at run time by uvicorn
    """Uvicorn's HTTP protocol, its transport in ``scope["state"]``."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin a connection."""
        super().connection_made(transport)
        self.app_state: dict[str, Any] = {**self.app_state, _TRANSPORT: transport}


class Exchange:
    """A request being answered."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._receive = receive
        self._send = send
        self._transport: asyncio.Transport | None = scope.get("state", {}).get(_TRANSPORT)
        self.headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}

    @property
    def is_open(self) -> bool:
        """The client is still there, as far as the kernel has told."""
        return self._transport is None or not self._transport.is_closing()

    async def read_body(self, limit: int) -> bytes | None:
        """Give the request's body; None when it is longer than the limit or the client left."""
        parts: list[bytes] = []
        size = 0
        while True:
            message = await self._receive()
            if message["type"] != "http.request":
                return None
            parts.append(message.get("body", b""))
            size += len(parts[-1])
            if size > limit:
                return None
            if not message.get("more_body"):
                return b"".join(parts)

    async def start(self, status: int, headers: Headers) -> None:
        """Send status and headers."""
        await self._send({"type": "http.response.start", "status": status, "headers": headers})

    async def write(self, data: bytes) -> None:
        """Send a part of the body."""
        await self._send({"type": "http.response.body", "body": data, "more_body": True})

    async def finish(self, data: bytes = b"") -> None:
        """Send the last part of the body."""
        await self._send({"type": "http.response.body", "body": data, "more_body": False})

    async def disconnected(self) -> None:
        """Wait until the connection is gone."""
        while (await self._receive())["type"] != "http.disconnect":
            pass

    async def break_off(self) -> None:
        """Close the connection where the response stands, what was written first."""
        await self._drop(reset=False)

    async def reset(self) -> None:
        """Reset the connection (RST)."""
        await self._drop(reset=True)

    async def _drop(self, *, reset: bool) -> None:
        if self._transport is None:
            raise RuntimeError("the server does not hand out its transport: run it with AbortableProtocol")
        if reset:
            _linger_zero(self._transport)
            self._transport.abort()
        else:
            self._transport.close()
        await self.disconnected()


def _linger_zero(transport: asyncio.Transport) -> None:
    """Set the option on a duplicate of the socket: event loops hand out no full socket object."""
    with socket.socket(fileno=os.dup(transport.get_extra_info("socket").fileno())) as duplicate:
        duplicate.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_ZERO)
