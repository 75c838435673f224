"""Every shell and Python block of README and docs is run as a reader would run it, page by page.

`docs/first-run.md` is run in an empty directory, every other page in a copy of what it leaves: a question
file and a finished run. All of it asks one simulated gateway; real models are stood in for as that page
tells its readers. HTML comments before a block say what a reader brings along:

- ``<!-- file: NAME -->``: the block is the content of that file
- ``<!-- given: COMMAND -->``: what has been done before
- ``<!-- exits: N -->``: the exit code, where it is not 0
- ``<!-- not run: REASON -->``: cannot be run here
"""

from __future__ import annotations

import ast
import asyncio
import inspect
import os
import re
import shlex
import shutil
import signal
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import runs
from nursery import Nursery

ROOT = Path(__file__).parent.parent
FIRST = ROOT / "docs/first-run.md"
ELSEWHERE = {"python.md": "test_python_doc.py runs its blocks as a notebook, a script and pytest would"}
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(
    r"((?:^ *<!-- [^\n]* -->\n+)*)^( *)```([\w-]+)[^\n]*\n(.*?)^\2```$", re.DOTALL | re.MULTILINE
)
NOTE = re.compile(r"<!-- (file|given|exits|not run): (.*?) -->")
STAND_INS = {
    "openai/gpt-5-mini": "sim/heron",
    "google/gemini-2.5-flash": "sim/tern-mini",
    "--port 8123": "--port 0",
    "pip install": ": pip install",  # nothing is installed
    "--port 8400": "--port 0",
    "-n 600": "-n 30",  # the same in seconds
}
SERVER = re.compile(r"routemark (gateway|view)\b(?!.*--list-faults)")
NOT_RUN_AT_MOST = 12
WAIT_S = 90


@dataclass(frozen=True)
class Block:
    """A fenced block with what the comments before it say."""

    line: int
    language: str
    text: str
    notes: list[tuple[str, str]]

    def told(self, kind: str) -> list[str]:
        return [what for name, what in self.notes if name == kind]

    @property
    def is_run(self) -> bool:
        return self.language in ("sh", "python") and not self.told("not run") and not self.told("file")


def blocks(page: Path) -> list[Block]:
    text = page.read_text(encoding="utf-8")
    return [
        Block(
            line=text.count("\n", 0, found.start(3)) + 1,
            language=found[3],
            text=re.sub(rf"^{found[2]}", "", found[4], flags=re.MULTILINE),
            notes=NOTE.findall(found[1]),
        )
        for found in BLOCK.finditer(text)
    ]


def stood_in(text: str) -> str:
    for name, instead in STAND_INS.items():
        text = text.replace(name, instead)
    return text


class Session:
    """A reader who follows one page in one directory."""

    def __init__(self, folder: Path, environ: dict[str, str]) -> None:
        self._folder = folder
        self._environ = environ
        self._names: dict[str, Any] = {}

    def follow(self, page: Path) -> None:
        for block in blocks(page):
            place = f"{page.name}, line {block.line}"
            for command in block.told("given"):
                self._shell(command, 0, place)
            for name in block.told("file"):
                (self._folder / name).write_text(stood_in(block.text), encoding="utf-8")
            if block.is_run:
                self._run(block, place)

    def _run(self, block: Block, place: str) -> None:
        if block.language == "python":
            self._python(block.text, place)
        elif SERVER.match(block.text):
            for command in block.text.splitlines():
                self._serve(stood_in(command), place)
        else:
            self._shell(block.text, int((block.told("exits") or ["0"])[0]), place)

    def _shell(self, script: str, code: int, place: str) -> None:
        done = subprocess.run(
            ["bash", "-euc", stood_in(script)],
            cwd=self._folder,
            env=self._environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=WAIT_S,
            check=False,
        )
        assert done.returncode == code, f"{place}: {script}\n{done.stdout}\n{done.stderr}"
        assert "Traceback" not in done.stderr, f"{place}: {script}\n{done.stderr}"

    def _serve(self, command: str, place: str) -> None:
        """Start it, wait for the address that it prints, and end it as Ctrl-C does."""
        with subprocess.Popen(
            ["bash", "-c", f"exec {command}"],
            cwd=self._folder,
            env=self._environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
        ) as server:
            watch = threading.Timer(WAIT_S, server.kill)
            watch.start()
            assert server.stdout is not None
            line = server.stdout.readline()
            server.send_signal(signal.SIGINT)
            server.wait(WAIT_S)
            watch.cancel()
        assert "http://127.0.0.1:" in line, f"{place}: {command} printed {line!r}"

    def _python(self, code: str, place: str) -> None:
        compiled = compile(stood_in(code), place, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        done = eval(compiled, self._names)
        if inspect.iscoroutine(done):
            asyncio.run(done)


@pytest.fixture(scope="module")
def environ(nursery: Nursery, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Give an environment in which `routemark` is a command and the gateway is a simulated one."""
    folder = tmp_path_factory.mktemp("bin")
    command = folder / "routemark"
    command.write_text(f'#!/bin/sh\nexec {shlex.join(nursery.program)} "$@"\n')
    command.chmod(0o755)
    questions = folder / "my.jsonl"
    questions.write_text(next(block.text for block in blocks(FIRST) if "my.jsonl" in block.told("file")))
    path = f"{folder}{os.pathsep}{os.environ['PATH']}"
    with runs.gateway(questions, "--latency", "0") as url:
        yield runs.clean_environ(PATH=path, OPENROUTER_BASE_URL=url, COLUMNS="80")


@pytest.fixture(scope="module")
def first(environ: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the directory that `docs/first-run.md` leaves."""
    folder = tmp_path_factory.mktemp("first")
    Session(folder, environ).follow(FIRST)
    return folder


def test_the_first_page_leaves_questions_and_a_run(first: Path) -> None:
    assert (first / "my.jsonl").exists()
    assert runs.results(first / "runs/latest")["run"]["status"] == "complete"


FOLLOWED = [
    page
    for page in PAGES
    if page != FIRST and page.name not in ELSEWHERE and any(block.is_run for block in blocks(page))
]


@pytest.mark.parametrize("page", FOLLOWED, ids=lambda page: page.name)
def test_a_page_can_be_followed_to_the_letter(
    page: Path,
    first: Path,
    environ: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = tmp_path / "session"
    shutil.copytree(first, folder, symlinks=True)
    monkeypatch.chdir(folder)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    Session(folder, environ).follow(page)


def test_what_cannot_be_run_is_little_and_says_why() -> None:
    reasons = {
        f"{page.name}, line {block.line}": block.told("not run") for page in PAGES for block in blocks(page)
    }
    skipped = {place: said for place, said in reasons.items() if said}
    assert all(len(reason.split()) >= 2 for said in skipped.values() for reason in said)
    assert len(skipped) <= NOT_RUN_AT_MOST, skipped


def test_no_block_hides_behind_another_word_for_its_language() -> None:
    """What is neither run nor data is named here, so that no command slips through as plain text.

    The examples of docstrings (pycon) are run by test_python_doc.py.
    """
    data = {"sh", "python", "text", "json", "toml", "yaml", "csv", "mermaid", "dockerfile", "pycon"}
    assert {block.language for page in PAGES for block in blocks(page)} <= data
    for page in PAGES:
        fences = len(re.findall(r"^ *```[\w-]", page.read_text(), re.MULTILINE))
        assert fences == len(blocks(page)), (
            f"{page.name}: a block without a language, or one that is not closed"
        )
        for block in blocks(page):
            if block.language == "text":
                assert not re.search(r"^\$? ?routemark ", block.text, re.MULTILINE), page.name
