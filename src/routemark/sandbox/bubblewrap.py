"""How bubblewrap is called: what a program in the sandbox sees, and under which identity it runs.

The view is built from nothing: ``/usr`` and the Python installation read-only, an empty ``/tmp`` of limited
size, a minimal ``/dev`` and ``/proc``; no ``/etc``, no home, no network, no environment. All namespaces are
its own, the user namespace cannot be nested, no capability is left, and the system calls of `seccomp` fail.

As root, a first call of bubblewrap only makes the Python installation reachable, whatever the permissions of
the folders above it, and hands over to an unprivileged user id that nobody else has: limits on the number of
processes do not bind root.
"""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
from pathlib import Path

_FIRST_UID, _UIDS = 61184, 4336
"""User ids that systemd keeps for services without a user of their own, so that no person has one of them."""
_BRIDGE = "/mnt"
"""A folder that every Linux has; covered for the sandbox alone, to make the Python installation reachable."""
_TMP_BYTES, _SHM_BYTES = 64 << 20, 8 << 20
_ENVIRONMENT = {"PATH": "/usr/bin:/bin", "HOME": "/tmp", "LANG": "C.UTF-8", "MALLOC_ARENA_MAX": "2"}  # noqa: S108 - in the sandbox
_PROBE_S = 20.0


@functools.cache
def trouble() -> str | None:
    """Say why no sandbox can be made here; None when one can. Tried once a process."""
    if sys.platform != "linux" or shutil.which("bwrap") is None:
        return "bubblewrap (bwrap) is not installed: install the package 'bubblewrap' (Linux only)."
    if not {"--size", "--disable-userns"} <= set(_help().split()):
        return "bubblewrap (bwrap) is too old here: 0.8 or newer is needed."
    if os.geteuid() == 0 and shutil.which("setpriv") is None:
        return "setpriv (package 'util-linux') is not installed; as root it is needed beside bubblewrap."
    try:
        probe = [*command(0), interpreter(), "-I", "-S", "-c", "pass"]
        tried = subprocess.run(probe, capture_output=True, timeout=_PROBE_S, check=False)  # noqa: S603 - our own command
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"bubblewrap (bwrap) could not be started: {error}."
    if tried.returncode == 0:
        return None
    said = " ".join(tried.stderr.decode(errors="replace").split())[:300] or f"exit status {tried.returncode}"
    return f"bubblewrap (bwrap) may not make a sandbox here: {said}. User namespaces must be allowed."


def interpreter() -> str:
    """Give the path of the Python that runs in the sandbox: the one that runs us, outside any virtual environment."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    candidate = Path(sys.base_prefix) / "bin" / version
    return str(candidate if candidate.exists() else Path(sys.executable).resolve())


def command(slot: int, seccomp_fd: int | None = None) -> list[str]:
    """Give the arguments before the program's own; ``slot`` tells sandboxes that run side by side apart."""
    python = sys.base_prefix
    if os.geteuid() != 0:
        return _inner(python, python, seccomp_fd)
    uid = str(_FIRST_UID + slot % _UIDS)
    bridge = f"{_BRIDGE}/python"
    outer = [
        *_bwrap(),
        "--cap-add",
        "ALL",
        "--dev-bind",
        "/",
        "/",
        "--tmpfs",
        _BRIDGE,
        "--ro-bind",
        python,
        bridge,
    ]
    return [
        *outer,
        "setpriv",
        "--reuid",
        uid,
        "--regid",
        uid,
        "--clear-groups",
        *_inner(bridge, python, seccomp_fd),
    ]


def _bwrap() -> list[str]:
    return [shutil.which("bwrap") or "bwrap", "--die-with-parent"]


def _inner(python_here: str, python: str, seccomp_fd: int | None) -> list[str]:
    arguments = [
        *_bwrap(),
        "--new-session",
        "--unshare-user",
        "--unshare-ipc",
        "--unshare-pid",
        "--unshare-net",
    ]
    arguments += ["--unshare-uts", "--unshare-cgroup-try", "--uid", "65534", "--gid", "65534"]
    arguments += ["--hostname", "sandbox", "--disable-userns", "--cap-drop", "ALL", "--clearenv"]
    for name, value in _ENVIRONMENT.items():
        arguments += ["--setenv", name, value]
    arguments += [
        "--ro-bind",
        "/usr",
        "/usr",
        *_top_level(),
        "--ro-bind-try",
        "/etc/ld.so.cache",
        "/etc/ld.so.cache",
    ]
    if not Path(python).is_relative_to("/usr"):
        arguments += ["--ro-bind", python_here, python]
    arguments += ["--proc", "/proc", "--dev", "/dev", *_tmpfs(_SHM_BYTES, "/dev/shm"), "--remount-ro", "/dev"]  # noqa: S108
    arguments += [*_tmpfs(_TMP_BYTES, "/tmp"), "--chdir", "/tmp", "--remount-ro", "/"]  # noqa: S108 - in the sandbox
    return arguments if seccomp_fd is None else [*arguments, "--seccomp", str(seccomp_fd)]


def _tmpfs(size: int, path: str) -> list[str]:
    """Give a writable place in memory, of limited size."""
    return ["--size", str(size), "--tmpfs", path]


def _top_level() -> list[str]:
    """Give /bin, /lib and their like as they are here: links into /usr, or folders."""
    arguments: list[str] = []
    for path in map(Path, ("/bin", "/sbin", "/lib", "/lib32", "/lib64")):
        if path.is_symlink():
            arguments += ["--symlink", str(path.readlink()), str(path)]
        elif path.is_dir():
            arguments += ["--ro-bind", str(path), str(path)]
    return arguments


@functools.cache
def _help() -> str:
    """Give what this bubblewrap says that it can do."""
    done = subprocess.run([*_bwrap(), "--help"], capture_output=True, text=True, check=False)  # noqa: S603 - our own command
    return done.stdout + done.stderr


def memory_file(content: bytes) -> int:
    """Give an open file, in memory, at its beginning."""
    file = os.memfd_create("routemark")
    written = 0
    while written < len(content):
        written += os.write(file, content[written:])
    os.lseek(file, 0, os.SEEK_SET)
    return file
