"""Starts a gateway as a process of its own, and stops it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import IO, Any

from routemark.config import ENV_PREFIX, Settings
from routemark.errors import RunError

_NOT_FOR_IT = (ENV_PREFIX, "OPENROUTER_")
"""Variables that a gateway of our own is not started with: its caller's settings, and the key."""
_LISTENING = b"listening on "
_START_S = 60.0
_STOP_S = 10.0


@contextlib.asynccontextmanager
async def gateway_for(
    settings: Settings, questions: Path | None = None, latency: str = "0.01"
) -> AsyncIterator[str]:
    """Give the base URL to ask: the one of the settings, or of a simulated gateway of our own.

    ``questions``: what its models know; ``latency``: as `simulated_gateway` takes it.
    """
    if not settings.simulate:
        yield settings.base_url
        return
    async with simulated_gateway(questions=questions, seed=settings.seed, latency=latency) as base_url:
        yield base_url


@contextlib.asynccontextmanager
async def simulated_gateway(
    *,
    questions: Path | str | None = None,
    seed: int = 0,
    latency: str = "0.01",
    faults: str = "",
    replay: Path | str | None = None,
) -> AsyncIterator[str]:
    """Run a gateway process while the context lasts, and give its base URL.

    What the caller's environment and settings file say of a gateway does not reach this one.
    The process ends with its standard input, hence also when this one is killed; signals that a
    terminal sends to this process do not reach it, so that a run can drain after Ctrl-C.
    Raises: RunError with the process's own words when it does not start.
    """
    options = {
        "--config": os.devnull,
        "--questions": questions,
        "--seed": seed,
        "--latency": latency,
        "--faults": faults or None,
        "--replay": replay,
    }
    with tempfile.TemporaryFile() as complaints:
        process = await asyncio.create_subprocess_exec(
            *_command(options),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=complaints,
            start_new_session=True,
            env={name: value for name, value in os.environ.items() if not name.startswith(_NOT_FOR_IT)},
        )
        try:
            yield await _base_url(process, complaints)
        finally:
            await _stop(process)


def _command(options: dict[str, Any]) -> list[str]:
    """Give the command line that starts a gateway which stops at the end of its input."""
    given = [part for name, value in options.items() if value is not None for part in (name, str(value))]
    return [sys.executable, "-m", "routemark", "gateway", *given, "--exit-on-eof"]


async def _base_url(process: asyncio.subprocess.Process, complaints: IO[bytes]) -> str:
    assert process.stdout is not None
    try:
        line = await asyncio.wait_for(process.stdout.readline(), _START_S)
    except TimeoutError:
        raise RunError(f"The gateway did not start within {_START_S:.0f} s.") from None
    if not line.startswith(_LISTENING):
        await process.wait()
        complaints.seek(0)
        words = complaints.read().decode(errors="replace").strip() or f"exit code {process.returncode}"
        raise RunError(f"The gateway did not start: {words}")
    return line.removeprefix(_LISTENING).decode().strip()


async def _stop(process: asyncio.subprocess.Process) -> None:
    """Close its input, wait, and kill it when it does not listen."""
    if process.stdin is not None:
        process.stdin.close()
    try:
        await asyncio.wait_for(process.wait(), _STOP_S)
    except TimeoutError:
        process.kill()
        await process.wait()
