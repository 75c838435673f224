"""Runs the viewer until it is told to stop, on 127.0.0.1 alone."""

from __future__ import annotations

import socket
from pathlib import Path
from urllib.parse import quote

import uvicorn

from routemark.errors import UsageError
from routemark.gateway.serve import QuietServer
from routemark.viewer.app import create_app
from routemark.viewer.opened import Library
from routemark.viewer.shelf import Shelf

HOST = "127.0.0.1"
_GRACE_S = 2
"""Seconds that answers under way get when the viewer stops."""


def serve(path: Path, port: int) -> None:
    """Show the runs in a directory until SIGINT or SIGTERM; prints where, in one line.

    ``path`` may also be a run: its neighbours are shown, too. Raises: UsageError when it cannot be started.
    """
    run = path.resolve() if (path / "run.json").is_file() else None
    server = ViewServer(Shelf(path if run is None else run.parent), port)
    print(f"{server.url}{f'runs/{quote(run.name)}' if run else ''}", flush=True)  # noqa: T201
    server.run(sockets=[server.socket])


class ViewServer(QuietServer):
    """A uvicorn server with the viewer on a bound socket."""

    def __init__(self, shelf: Shelf, port: int) -> None:
        try:
            self.socket = socket.create_server((HOST, port))
        except (OSError, OverflowError) as error:
            raise UsageError(f"--port {port}: cannot listen there: {error}") from None
        self.library = Library(shelf)
        app = create_app(self.library, self.socket.getsockname()[1], ending=lambda: self.should_exit)
        super().__init__(
            uvicorn.Config(
                app,
                ws="none",
                lifespan="off",
                log_level="error",
                access_log=False,
                server_header=False,
                timeout_graceful_shutdown=_GRACE_S,
            )
        )

    @property
    def url(self) -> str:
        """Where a browser finds it."""
        return f"http://{HOST}:{self.socket.getsockname()[1]}/"

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop, and let go of all runs."""
        await super().shutdown(sockets)
        self.library.close()
