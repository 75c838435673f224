"""Gives birth to `routemark` processes that need no time to start: each is a fork of one that has imported all.

`Nursery` starts that process and asks it for children, of which many may live at once. `Nursery.program` is the
beginning of a command line that does as `python -m routemark`, by way of `quick_start.py`, for whoever wants a
process of the usual kind: for `subprocess`, and for the gateways that a run starts by itself.

A client sends one message, JSON with the command and three descriptors; it is told the pid, then the wait
status. A child whose client goes away is killed, hence nothing outlives the tests. It can be told to kill itself
where a random signal would seldom strike: before, after, or half-way through the nth call of a function.

The process has also compiled the templates of reports, and does not hold the charts of each to Vega-Lite's schema
(tests/report/test_charts.py does). What a test says about the start itself, imports or hashes of strings
needs a process of its own: children of one nursery share its hash seed.
"""

from __future__ import annotations

import contextlib
import functools
import gc
import json
import os
import pkgutil
import resource
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

MOST = 1 << 20
"""Bytes of a message."""


class Child:
    """A process of the nursery."""

    def __init__(self, life: socket.socket, said: Path) -> None:
        self.status: int | None = None
        """Exit code, or minus the number of the signal that killed it; None while it is not known to have ended."""
        self._life = life
        self._said = said
        life.settimeout(60)
        self.pid = int(life.recv(MOST))

    def send_signal(self, number: int) -> None:
        os.kill(self.pid, number)

    def wait(self, seconds: float) -> bool:
        """Wait for so long at most; tell whether it has ended."""
        if self.status is None:
            self._life.settimeout(max(seconds, 1e-6))
            try:
                self.status = int(self._life.recv(MOST))
            except TimeoutError:
                return False
            self._life.close()
        return True

    @property
    def stderr(self) -> str:
        return self._text(".stderr")

    @property
    def stdout(self) -> str:
        return self._text(".stdout")

    def _text(self, suffix: str) -> str:
        return self._said.with_suffix(suffix).read_text(encoding="utf-8")


def program(address: str) -> list[str]:
    return [sys.executable, "-I", "-S", str(Path(__file__).with_name("quick_start.py")), address]


class Nursery:
    """Starts itself when it is first used; use as a context manager to end it."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = dict(environ)
        self._children = 0
        self._rest = contextlib.ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._rest.close()

    @property
    def program(self) -> list[str]:
        """The beginning of a command line; `routemark`'s arguments follow."""
        return program(self._address)

    @functools.cached_property
    def _folder(self) -> Path:
        return Path(self._rest.enter_context(tempfile.TemporaryDirectory(prefix="nursery")))

    @functools.cached_property
    def _address(self) -> str:
        """The socket of a process that has been started."""
        address = str(self._folder / "socket")
        process = subprocess.Popen(
            [sys.executable, __file__, address],
            env=self._environ,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._rest.callback(process.communicate, timeout=20)
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        return address

    def run(
        self,
        *argv: str,
        cwd: Path,
        environ: Mapping[str, str] | None = None,
        file_limit: int | None = None,
    ) -> Child:
        """Run the command to its end; whatever befell it, no traceback may be shown. See `begin`."""
        child = self.begin(*argv, cwd=cwd, environ=environ, file_limit=file_limit)
        assert child.wait(60)
        assert "Traceback" not in child.stderr, child.stderr
        return child

    def begin(
        self,
        *argv: str,
        cwd: Path,
        environ: Mapping[str, str] | None = None,
        die: tuple[str, str, int] | None = None,
        file_limit: int | None = None,
    ) -> Child:
        """Start the command.

        ``environ``: in place of the nursery's own; ``die``: when, at which function, at which call of it;
        ``file_limit``: bytes that no file of it may exceed.
        """
        self._children += 1
        said = self._folder / f"child{self._children}"
        order = {
            "argv": argv,
            "cwd": str(cwd),
            "environ": self._environ if environ is None else dict(environ),
            "die": die,
            "file_limit": file_limit,
        }
        life = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        life.settimeout(60)
        life.connect(self._address)
        with (
            Path(os.devnull).open("rb") as nothing,
            said.with_suffix(".stdout").open("wb") as out,
            said.with_suffix(".stderr").open("wb") as err,
        ):
            streams = [nothing.fileno(), out.fileno(), err.fileno()]
            socket.send_fds(life, [json.dumps(order).encode()], streams)
            return Child(life, said)


# --------------------------------------------------------------------------- the process itself


class Births:
    """Forks a process for every client, tells it of its end, and ends it with the client."""

    def __init__(self, address: str) -> None:
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._listener.bind(address)
        self._listener.listen(64)
        self._ends, wake = os.pipe()
        os.set_blocking(self._ends, False)
        os.set_blocking(wake, False)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the tests, which end this one
        self._clients: dict[int, socket.socket] = {}
        self._selector = selectors.DefaultSelector()
        for source in (self._listener, self._ends, 0):
            self._selector.register(source, selectors.EVENT_READ)

    def serve(self) -> None:
        """Go on to the end of standard input."""
        while True:
            for key, _ in self._selector.select():
                if key.fileobj == 0:
                    for pid in self._clients:
                        os.kill(pid, signal.SIGKILL)
                    return
                if key.fileobj == self._ends:
                    os.read(self._ends, MOST)
                    self._bury()
                elif key.fileobj is self._listener:
                    self._bear(self._listener.accept()[0])
                elif key.data in self._clients:
                    os.kill(key.data, signal.SIGKILL)
                    self._forget(key.data).close()

    def _bear(self, client: socket.socket) -> None:
        message, streams, _, _ = socket.recv_fds(client, MOST, 3)
        if not message:  # it was killed before it could ask
            client.close()
            return
        pid = os.fork()
        if pid == 0:
            self._leave(client)
            live(json.loads(message), streams)
        for stream in streams:
            os.close(stream)
        self._clients[pid] = client
        self._selector.register(client, selectors.EVENT_READ, pid)
        _tell(client, pid)

    def _bury(self) -> None:
        while self._clients:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                return
            if pid in self._clients:
                client = self._forget(pid)
                _tell(client, os.waitstatus_to_exitcode(status))
                client.close()

    def _forget(self, pid: int) -> socket.socket:
        client = self._clients.pop(pid)
        self._selector.unregister(client)
        return client

    def _leave(self, client: socket.socket) -> None:
        """Be a child: nothing of this is its own."""
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        for one in (self._selector, self._listener, client, *self._clients.values()):
            one.close()
        os.close(self._ends)


def _tell(client: socket.socket, number: int) -> None:
    try:
        client.send(str(number).encode())
    except BrokenPipeError:  # it is gone; its end is seen when it is read
        return


def live(order: dict[str, Any], streams: list[int]) -> None:
    """Be the command."""
    code: Any = 70
    try:
        os.setsid()
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
            os.close(stream)
        os.environ.clear()
        os.environ.update(order["environ"])
        time.tzset()
        os.chdir(order["cwd"])
        if order["file_limit"]:
            resource.setrlimit(resource.RLIMIT_FSIZE, (order["file_limit"], order["file_limit"]))
        if order["die"]:
            set_trap(*order["die"])
        sys.argv = ["routemark", *order["argv"]]
        cli.main()
        code = 0
    except SystemExit as end:
        code = end.code or 0
    except BaseException:  # noqa: BLE001 - what a real process would show
        traceback.print_exc()
    finally:
        try:
            sys.stdout.flush()
            sys.stderr.flush()
        finally:
            os._exit(code)


def set_trap(when: str, name: str, nth: int) -> None:
    """Let the process die at the nth call of a function."""
    owner = pkgutil.resolve_name(name.rpartition(".")[0])
    attribute = name.rpartition(".")[2]
    real, calls = getattr(owner, attribute), 0

    @functools.wraps(real)
    def trapped(*arguments: Any, **named: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls != nth:
            return real(*arguments, **named)
        if when == "half":  # a call like os.write(descriptor, data)
            real(arguments[0], arguments[1][: len(arguments[1]) // 2])
        elif when == "after":
            real(*arguments, **named)
        os.kill(os.getpid(), signal.SIGKILL)
        return None

    setattr(owner, attribute, trapped)


def start_gateways_quickly(address: str) -> None:
    """Let the gateways that the children start be children, too."""
    real = process._command
    process._command = lambda options: [*program(address), *real(options)[3:]]


def grade_with_few() -> None:
    """Let a run start one child to grade its few answers, not one for each core."""
    grading.MOST_CHILDREN = 1


def write_pages_quickly() -> None:
    """Compile the templates, and trust charts to be what the schema of Vega-Lite wants."""
    page.environment = functools.cache(page.environment)  # type: ignore[assignment]
    for template in page.environment().list_templates(["j2"]):
        page.environment().get_template(template)
    schemapi.disable_debug_mode()
    alt.SchemaBase.validate = classmethod(lambda *_, **__: None)  # type: ignore[assignment]
    classes = schemapi._FromDict(alt.VegaLiteSchema._default_wrapper_classes())
    schemapi._FromDict = lambda _: classes  # type: ignore[assignment,misc]
    bundle.vega()


if __name__ == "__main__":
    import altair as alt
    import dotenv.main  # noqa: F401
    import numpy.random  # noqa: F401
    import pyreqwest.client  # noqa: F401
    import uvloop  # noqa: F401
    from altair.utils import schemapi

    from routemark import cli, commands, main  # noqa: F401
    from routemark.engine import grading
    from routemark.gateway import process, serve  # noqa: F401
    from routemark.report import (  # noqa: F401
        bundle,
        junit,
        markdown,
        outputs,
        page,
        parquet,
        progress,
        results,
        rows,
        text,
    )

    births = Births(sys.argv[1])
    write_pages_quickly()
    start_gateways_quickly(sys.argv[1])
    grade_with_few()
    gc.collect()
    gc.freeze()
    print("ready", flush=True)
    births.serve()
