"""Environments of their own for the harnesses, in a cache folder outside the repository."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

NODE = "22.23.3"
"""Installed beside an npm package where the system's own node is older than its major version."""
PATIENCE_S = 900


class UnavailableError(Exception):
    """A harness cannot be installed here; says why."""


def cache() -> Path:
    """Give the folder of all environments: `ROUTEMARK_PEERS`, else below the user's cache folder."""
    if named := os.environ.get("ROUTEMARK_PEERS"):
        return Path(named)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "routemark-peers"


def python(name: str, packages: list[str]) -> Path:
    """Give the folder with the programs of a virtual environment that has the packages, at these versions."""

    def make(home: Path) -> None:
        _run([sys.executable, "-m", "venv", str(home)])
        _run([str(home / "bin/python"), "-m", "pip", "install", "--quiet", *packages])

    return _made(name, packages, make) / "bin"


def node(name: str, packages: list[str]) -> tuple[str, Path]:
    """Give a node that is new enough, and the folder with the npm packages."""
    own = _system_node()
    wanted = packages if own else [*packages, f"{_node_package()}@{NODE}"]

    def make(home: Path) -> None:
        if not shutil.which("npm"):
            raise UnavailableError("npm is not installed")
        home.mkdir(parents=True)
        # Without install scripts: one of them would fetch binaries that no sample needs.
        _run(
            ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", str(home), *wanted]
        )

    modules = _made(name, wanted, make) / "node_modules"
    return own or str(modules / _node_package() / "bin/node"), modules


def _made(name: str, packages: list[str], make: Callable[[Path], None]) -> Path:
    home, recipe = cache() / name, "\n".join(packages)
    done = home / "packages.txt"
    if not done.exists() or done.read_text() != recipe:
        print(f"installing {name}: {' '.join(packages)}", file=sys.stderr)
        shutil.rmtree(home, ignore_errors=True)
        home.parent.mkdir(parents=True, exist_ok=True)
        make(home)
        done.write_text(recipe)
    return home


def _run(command: list[str]) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    except subprocess.TimeoutExpired:
        raise UnavailableError(f"{command[0]} took more than {PATIENCE_S} s") from None
    if done.returncode:
        raise UnavailableError((done.stderr.strip() or f"{command[0]} failed").splitlines()[-1])


def _system_node() -> str | None:
    found = shutil.which("node")
    if not found:
        return None
    said = subprocess.run([found, "--version"], capture_output=True, text=True, check=False).stdout
    version = tuple(int(part) for part in said.strip().lstrip("v").split(".") if part.isdigit())
    return found if version >= tuple(map(int, NODE.split("."))) else None


def _node_package() -> str:
    machine = {"x86_64": "x64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    return f"node-{platform.system().lower()}-{machine}"
