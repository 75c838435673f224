"""Two Ray nodes in a process of their own, which does what it is told: `tests/cluster/two_nodes.py`."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

PROGRAM = Path(__file__).parent.parent / "tests/cluster/two_nodes.py"


class Nodes:
    """A fresh cluster; use `close` to end it."""

    def __init__(self, folder: Path, environ: Mapping[str, str]) -> None:
        """``folder``: of Ray's sockets, hence with a short path. ``environ``: what the nodes know."""
        self._process = subprocess.Popen(
            [sys.executable, str(PROGRAM)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**environ, "RAY_TMPDIR": str(folder), "RAY_USAGE_STATS_ENABLED": "0"},
            text=True,
        )
        self.address = self._said("address")

    def _said(self, word: str) -> str:
        assert self._process.stdout is not None
        line = next((line for line in self._process.stdout if line.startswith(word)), None)
        if line is None:
            raise RuntimeError("The cluster did not start: the machine has too much else to do.")
        return line.removeprefix(word).strip()

    def tell(self, word: str) -> None:
        """Give an order, and wait until it is carried out."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{word}\n")
        self._process.stdin.flush()
        self._said("done")

    def close(self) -> None:
        """End the cluster."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(60)
        self._process.stdout.close()
