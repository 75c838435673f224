"""Who may ask: pages of this very server, under its own name; and what its pages may do.

Another site could have a visitor's browser ask a server on loopback: by a name that it resolves to 127.0.0.1
(then ``Host`` is not ours), or across origins (then ``Origin`` is not). What changes something also wants the
token that only our own pages know.
"""

from __future__ import annotations

import secrets

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class Guard:
    """Lets in requests that name this server, from nowhere else, and puts its headers on every answer."""

    def __init__(self, app: ASGIApp, port: int) -> None:
        self._app = app
        self._hosts = {f"127.0.0.1:{port}", f"localhost:{port}"}
        self._origins = {f"http://{host}" for host in self._hosts}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it."""
        if scope["type"] != "http":
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        refusal = self._refusal(scope["method"], Headers(scope=scope))
        await (refusal or self._app)(scope, receive, guarded)

    def _refusal(self, method: str, headers: Headers) -> PlainTextResponse | None:
        hosts = headers.getlist("host")
        if len(hosts) != 1 or hosts[0].lower() not in self._hosts:
            return PlainTextResponse(
                f"This server answers to {' and '.join(sorted(self._hosts))} alone.\n", status_code=421
            )
        origins = headers.getlist("origin")
        if any(origin not in self._origins for origin in origins):
            return PlainTextResponse("Another site may not ask here.\n", status_code=403)
        if method not in {"GET", "HEAD"} and len(origins) != 1:
            return PlainTextResponse("A change must say where it comes from (Origin).\n", status_code=403)
        return None


class Token:
    """A secret of this server's life, in the forms of its own pages."""

    def __init__(self) -> None:
        self.value = secrets.token_urlsafe(32)

    def is_in(self, given: object) -> bool:
        """Tell whether what a form sent is the token, in the same time whatever was sent."""
        return isinstance(given, str) and secrets.compare_digest(given.encode(), self.value.encode())
