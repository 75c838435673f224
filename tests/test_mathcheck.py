"""The process that compares formulas: killed when it runs away, alive again for the next, and nobody's leak."""

import json
import os
import pickle
import subprocess
import sys
import time
from pathlib import Path

import pytest

from routemark import mathcheck
from routemark.graders.base import ToolError
from routemark.mathcheck import MathChecker

ENDLESS = r"10^{10^{10}}!"


@pytest.fixture(scope="module")
def checker():
    checker = MathChecker(timeout_s=1)
    yield checker
    checker.close()


def test_equivalent_different_unreadable(checker):
    assert checker("(x+1)^2", "x^2+2x+1") is True
    assert checker("x", "y") is False
    assert checker("((((", "1") is None
    assert checker("1", r"\frac{") is None


def test_what_runs_away_is_killed_and_the_next_pair_is_compared(checker):
    checker("x", "x")
    start = time.monotonic()
    with pytest.raises(ToolError, match="longer than 1 s"):
        checker("1", ENDLESS)
    assert time.monotonic() - start < 5
    assert checker("x+1", "1+x") is True


def test_the_child_ends_itself_when_the_parent_does_not_look(checker):
    checker("x", "x")
    child = checker._child
    child._stdin.write(json.dumps(["1", ENDLESS]) + "\n")
    child._stdin.flush()
    assert child._process.wait(timeout=10) != 0


def test_no_child_outlives_its_parent():
    program = (
        "from routemark.mathcheck import MathChecker\n"
        "checker = MathChecker()\n"
        "checker('x', 'x')\n"
        "print(checker._child._process.pid, flush=True)\n"
        "import os; os._exit(1)\n"
    )
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False).stdout
    deadline = time.monotonic() + 10
    while _runs(int(told)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _runs(int(told))


def _runs(pid):
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().split()[2]
    except FileNotFoundError:
        return False


def test_text_is_never_evaluated(checker, tmp_path):
    mark = tmp_path / "mark"
    for text in (
        f"__import__('os').system('touch {mark}')",
        f"open('{mark}','w')",
        rf"\text{{__import__('os').system('touch {mark}')}}",
        f"1+exec('import os;os.mknod(\"{mark}\")')",
    ):
        checker("1", text)
    assert not mark.exists()


def test_the_child_sees_no_secrets(checker, monkeypatch):
    monkeypatch.setenv("OPENROUTER_API_KEY", "sk-or-secret")
    checker.close()
    checker("x", "x")
    environment = Path(f"/proc/{checker._child._process.pid}/environ").read_bytes()
    assert b"sk-or-secret" not in environment


def test_a_missing_library_is_told_with_the_way_to_get_it(checker, monkeypatch):
    checker.close()
    monkeypatch.setattr(mathcheck.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ToolError, match=r"pip install 'routemark\[math\]'"):
        checker("x", "x")


def test_a_checker_travels_to_another_process_without_its_child(checker):
    checker("x", "x")
    other = pickle.loads(pickle.dumps(checker))
    assert other._child is None
    assert other("x", "x") is True
    assert other._child._process.pid != checker._child._process.pid
    other.close()


def test_a_forked_process_starts_its_own_child(checker, monkeypatch):
    checker("x", "x")
    mine = checker._child._process
    monkeypatch.setattr(os, "getpid", lambda: -1)
    assert checker("x", "x") is True
    assert checker._child._process.pid != mine.pid
    checker.close()
    assert mine.wait(timeout=10) == 0  # not killed: in this test the pipe is its owner's, too
