"""Ctrl-C once and twice, SIGTERM, a process that stood still: asked to stop, a run stops and can go on."""

import asyncio
import json
import os
import signal
import sys
import textwrap
import time
from pathlib import Path

import pytest

import runs
from lookalike import Lookalike, Reply, Request
from routemark.exchange import STOOD_STILL_S
from scripted import HANG, ScriptedServer, delta, piece, stream_head, usage

N = 60


def quick(request: Request, before: int) -> Reply:
    return Reply(text="4", delay_s=0.02)


def slow(request: Request, before: int) -> Reply:
    return Reply(text="4", delay_s=60.0)


def command(base_url: str) -> list[str]:
    return ["run", "my.jsonl", "-m", "sim/a", "--base-url", base_url, "-j", "8", "--quiet", "--run-id", "one"]


def test_sigterm_drains_what_is_in_flight_and_exits_130(tmp_path: Path) -> None:
    runs.write_sums(tmp_path, N)
    with Lookalike(quick) as server:
        process = runs.begin(*command(server.base_url), cwd=tmp_path)
        runs.wait_until(lambda: len(server.billed) >= 10)
        process.send_signal(signal.SIGTERM)
        done = runs.ended(process)
        assert done.code == 130
        assert "routemark resume" in done.stderr
        kept = runs.outcomes(tmp_path / "runs/one")
        assert len(kept) == len(server.requests) < N, "what was in flight was waited for"
        assert runs.routemark("resume", "one", cwd=tmp_path).code == 0
        assert len(server.requests) == N


def test_the_second_ctrl_c_stops_at_once_and_leaves_a_run_to_resume(tmp_path: Path) -> None:
    runs.write_sums(tmp_path, N)
    with Lookalike(slow) as server:
        process = runs.begin(*command(server.base_url), cwd=tmp_path)
        runs.wait_until(lambda: len(server.requests) >= 8)
        process.send_signal(signal.SIGINT)
        time.sleep(0.3)
        assert process.poll() is None, "the first waits for what is in flight"
        began = time.monotonic()
        process.send_signal(signal.SIGINT)
        done = runs.ended(process, timeout=20)
        assert time.monotonic() - began < 5
        assert done.code == 130
        run = json.loads((tmp_path / "runs/one/run.json").read_bytes())
        assert (run["status"], run["stop_reason"]) == ("stopped", "Interrupted.")
        server._script = quick
        assert runs.routemark("resume", "one", cwd=tmp_path).code == 0
    assert runs.results(tmp_path / "runs/one")["summary"]["succeeded"] == N


IN_THE_REPORT = """
import os, signal, sys, time
from routemark import cli, main

real = main.outputs.Files.close
def slowly(*arguments):
    os.kill(os.getpid(), signal.{name})
    time.sleep(20)
    real(*arguments)
main.outputs.Files.close = slowly
cli.main()
"""


@pytest.mark.parametrize(("name", "code"), [("SIGINT", 130), ("SIGTERM", -signal.SIGTERM)])
def test_one_signal_is_enough_while_the_report_is_written(tmp_path: Path, name: str, code: int) -> None:
    runs.write_sums(tmp_path, N)
    (tmp_path / "slowly.py").write_text(textwrap.dedent(IN_THE_REPORT.format(name=name)))
    with Lookalike(quick) as server:
        began = time.monotonic()
        process = runs.begin(*command(server.base_url), cwd=tmp_path, program=("slowly.py",))
        assert runs.ended(process).code == code
        assert time.monotonic() - began < 15
        assert runs.routemark("resume", "one", cwd=tmp_path).code == 0
        assert len(server.requests) == N, "nothing was asked again"
    assert runs.results(tmp_path / "runs/one")["run"]["status"] == "complete"


AT_AN_IMPORT = """
import os, signal, sys
from routemark import cli

def hook(event, arguments):
    if event == "import" and arguments[0] == "{name}":
        os.kill(os.getpid(), signal.SIGINT)
sys.addaudithook(hook)
cli.main()
"""


@pytest.mark.parametrize("name", ["cyclopts.core", "routemark.prepare", "numpy", "uvloop"])
def test_ctrl_c_while_it_starts_is_a_plain_stop(tmp_path: Path, name: str) -> None:
    runs.write_sums(tmp_path, N)
    (tmp_path / "starting.py").write_text(AT_AN_IMPORT.format(name=name))
    with Lookalike(quick) as server:
        process = runs.begin(*command(server.base_url), cwd=tmp_path, program=("starting.py",))
        assert runs.ended(process).code == 130
        assert server.requests == []


def test_an_answer_that_came_while_the_process_stood_still_is_read_not_asked_for_again(
    tmp_path: Path,
) -> None:
    """Ctrl-Z for longer than --idle-timeout: that silence was ours."""
    runs.write_sums(tmp_path, 1)

    async def scenario() -> int:
        begun, rest = stream_head() + piece(delta("par")), piece(delta("tial", "stop") + usage())
        server = ScriptedServer([[begun, 0.5, rest, piece(b"data: [DONE]\n\n"), b"0\r\n\r\n", HANG]])
        async with server:
            arguments = [*command(server.base_url), "--idle-timeout", "1", "--transport", "httpx"]
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "routemark", *arguments, cwd=tmp_path, env=runs.clean_environ()
            )
            async with asyncio.timeout(60):
                while not server.heard:  # noqa: ASYNC110 - set from the server's own task
                    await asyncio.sleep(0.01)
            await asyncio.sleep(0.1)
            os.kill(process.pid, signal.SIGSTOP)
            await asyncio.sleep(1.2 + STOOD_STILL_S)
            os.kill(process.pid, signal.SIGCONT)
            assert await asyncio.wait_for(process.wait(), 20) == 0
            return len(server.heard)

    assert asyncio.run(scenario()) == 1
    (row,) = runs.results(tmp_path / "runs/one")["results"]
    assert (row["answer"], row["attempts"]) == ("partial", 1)
