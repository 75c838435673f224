"""Hostile programs in the sandbox: each tries to get out, to get at something, or to take the machine down.

Skipped, with the reason, only where this machine cannot make a sandbox.
"""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from routemark import sandbox
from routemark.graders.base import ToolError
from routemark.graders.code import Ran, Script
from routemark.sandbox import bubblewrap, group
from routemark.sandbox.job import START_S

pytestmark = pytest.mark.skipif(sandbox.trouble() is not None, reason=str(sandbox.trouble()))

KEY = "sk-or-v1-not-to-be-found"


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENROUTER_API_KEY", KEY)


@pytest.fixture(autouse=True)
def leaves_nothing_behind() -> Iterator[None]:
    """After every attack: no process is left that was not there before."""
    before = set(group.members(os.getpid()))
    yield
    deadline = time.monotonic() + 5
    while (left := set(group.members(os.getpid())) - before) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert left == set()


def attack(
    code: str, *, stdin: bytes = b"", cpu_s: float = 2, clock_s: float = 3, memory_mb: int = 256
) -> Ran:
    return sandbox.run(Script(code, stdin, cpu_s, clock_s, memory_mb))


def said(code: str) -> str:
    """Give what a program printed that came to its end."""
    ran = attack(code)
    assert ran.status == 0, ran
    return ran.stdout.decode()


# ------------------------------------------------------------------------------- what it is for


def test_an_honest_program_runs() -> None:
    ran = attack("import sys\nprint(sum(map(int, sys.stdin.read().split())))", stdin=b"1 2 39")
    assert ran == Ran(0, b"42\n", "", None)


def test_an_error_is_told_with_its_status() -> None:
    ran = attack("raise ValueError('no')")
    assert (ran.status, ran.stderr.splitlines()[-1]) == (1, "ValueError: no")


def test_threads_and_processes_within_reason_work() -> None:
    code = "from concurrent.futures import ThreadPoolExecutor as P\nprint(sum(P(4).map(lambda x: x * x, range(9))))"
    assert said(code) == "204\n"
    code = "import subprocess, sys\nprint(subprocess.run([sys.executable, '-c', 'print(1)'], capture_output=True).stdout)"
    assert said(code) == "b'1\\n'\n"


# ------------------------------------------------------------------------------- taking the machine down


def test_a_fork_bomb_is_held_and_killed() -> None:
    code = "import os\nwhile True:\n    try:\n        os.fork()\n    except OSError:\n        pass"
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(attack, code, clock_s=1, cpu_s=30)
        most = 0
        while not running.done():
            most = max(most, len(list(group.members(os.getpid()))))
            time.sleep(0.05)
    assert running.result().limit == "time"
    assert most < 60


def test_a_bomb_of_threads_is_held() -> None:
    code = (
        "import threading, time\nn = 0\n"
        "try:\n    while True:\n        threading.Thread(target=time.sleep, args=(1,), daemon=True).start()\n        n += 1\n"
        "except RuntimeError:\n    print(n)"
    )
    assert 5 < int(said(code)) < 40


def test_a_memory_bomb_ends_in_a_memory_error() -> None:
    ran = attack("a = []\nwhile True:\n    a.append(bytearray(1 << 20))")
    assert ran.status == 1
    assert ran.stderr.splitlines()[-1] == "MemoryError"


def test_memory_is_counted_over_all_processes() -> None:
    code = (
        "import os, time\nfor _ in range(20):\n    if os.fork() == 0:\n        a = bytearray(100 << 20)\n"
        "        for i in range(0, len(a), 4096):\n            a[i] = 1\n        time.sleep(60)\ntime.sleep(60)"
    )
    assert attack(code, clock_s=20, cpu_s=20).limit == "memory"


def test_shared_pages_are_counted_once() -> None:
    code = (
        "import os, time\na = bytearray(100 << 20)\nfor i in range(0, len(a), 4096):\n    a[i] = 1\n"
        "for _ in range(4):\n    if os.fork() == 0:\n        time.sleep(0.3)\n        os._exit(0)\n"
        "for _ in range(4):\n    os.wait()\nprint('well')"
    )
    assert said(code) == "well\n"


@pytest.mark.parametrize(
    "code",
    [
        "import os\nfor i in range(100):\n    f = os.memfd_create('x')\n    os.write(f, b'x' * (1 << 20))",
        "import ctypes\nlibc = ctypes.CDLL(None, use_errno=True)\nassert libc.shmget(0, 1 << 20, 0o1600) >= 0, 'no'",
        "import os\nwith open('/dev/shm/x', 'wb') as f:\n    for _ in range(15):\n        f.write(b'x' * (1 << 20))",
        "import os\nfor i in range(100):\n    with open(f'/tmp/{i}', 'wb') as f:\n        f.write(b'x' * (4 << 20))",
    ],
    ids=["memory files", "shared segments", "shared memory files", "many files"],
)
def test_memory_outside_of_processes_is_limited(code: str) -> None:
    assert attack(code).status == 1


@pytest.mark.parametrize(
    "code",
    [
        "while True:\n    pass",
        "import time\ntime.sleep(1000)",
        "input_ = b''\nimport sys, re\nre.match('(a+)+$', 'a' * 60 + 'b')",
    ],
)
def test_an_endless_program_is_ended(code: str) -> None:
    start = time.monotonic()
    assert attack(code, cpu_s=1, clock_s=1).limit == "time"
    assert time.monotonic() - start < 1 + START_S + 3


def test_ignoring_the_signal_of_the_time_limit_does_not_help() -> None:
    code = "import signal\nsignal.signal(signal.SIGXCPU, signal.SIG_IGN)\nwhile True:\n    pass"
    ran = attack(code, cpu_s=1, clock_s=2)
    assert ran.limit == "time" or ran.status == 137


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_endless_output_is_cut_and_ended(stream: str) -> None:
    ran = attack(f"import sys\nwhile True:\n    sys.{stream}.write('x' * 65536)")
    assert ran.limit == "output"
    assert len(ran.stdout) <= 4 << 20
    assert len(ran.stderr) <= 4000


def test_a_huge_file_is_refused() -> None:
    ran = attack("with open('/tmp/x', 'wb') as f:\n    f.truncate(1 << 40)")
    assert ran.status != 0
    ran = attack("with open('/tmp/x', 'wb') as f:\n    while True:\n        f.write(b'x' * (1 << 20))")
    assert ran.status != 0


# ------------------------------------------------------------------------------- getting at something


@pytest.mark.parametrize(
    "path",
    [
        "/etc/passwd",
        "/etc/shadow",
        "/proc/1/environ",
        "/root",
        "/home",
        "/work",
        "/var",
        "/proc/1/root/etc/passwd",
    ],
)
def test_files_of_the_machine_are_not_there(path: str) -> None:
    out = said(
        "import os\n"
        f"try:\n    print(open({path!r}).read())\n"
        f"except IsADirectoryError:\n    print([n for n in os.listdir({path!r}) if n != '.pyenv'])\n"
        "except OSError as e:\n    print(type(e).__name__)"
    )
    assert out.strip() in ("FileNotFoundError", "PermissionError", "[]", "PWD=/\0")


def test_neither_the_environment_nor_the_key_can_be_read() -> None:
    out = said(
        "import os, glob\nprint(dict(os.environ))\n"
        "for p in glob.glob('/proc/*/environ') + glob.glob('/proc/*/cmdline'):\n"
        "    try:\n        print(open(p, 'rb').read())\n    except OSError as e:\n        print(e)"
    )
    assert KEY not in out
    assert "OPENROUTER" not in out
    assert str(Path.cwd()) not in out


def test_no_file_of_ours_is_open() -> None:
    out = said(
        "import os\nprint([os.readlink(f'/proc/self/fd/{n}') for n in range(3, 64) if os.path.islink(f'/proc/self/fd/{n}')])"
    )
    assert out == "[]\n"


def test_nothing_outside_can_be_written(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("whole")
    out = said(
        "import os\n"
        f"for path in ['/usr/x', '/x', '/dev/x', '/proc/sys/kernel/hostname', {str(victim)!r}, {str(Path(__file__))!r}, sys_prefix()]:\n"
        "    try:\n        open(path, 'w').write('broken')\n        print('WROTE', path)\n    except OSError:\n        pass".replace(
            "sys_prefix()", repr(sys.base_prefix + "/x")
        )
    )
    assert out == ""
    assert victim.read_text() == "whole"


def test_symbolic_links_lead_nowhere(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("secret")
    out = said(
        "import os\n"
        f"for n, target in enumerate(['/etc/passwd', {str(victim)!r}, '/proc/1/root', '/proc/self/root/..']):\n"
        "    os.symlink(target, f'/tmp/l{n}')\n"
        "    try:\n        print(open(f'/tmp/l{n}').read())\n    except IsADirectoryError:\n"
        "        print(sorted(os.listdir(f'/tmp/l{n}')))\n    except OSError:\n        pass"
    )
    assert "secret" not in out
    assert "root:" not in out
    assert "work" not in out


def test_the_network_is_not_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        port = server.getsockname()[1]
        out = said(
            "import socket\n"
            f"for where in [('127.0.0.1', {port}), ('1.1.1.1', 53)]:\n"
            "    try:\n        socket.create_connection(where, 1)\n        print('CONNECTED')\n"
            "    except OSError as e:\n        print(type(e).__name__)"
        )
        with pytest.raises(TimeoutError):
            server.accept()
    assert "CONNECTED" not in out


def test_sockets_of_the_machine_are_not_there(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("\0routemark-attack")
        server.listen()
        code = (
            "import socket\ns = socket.socket(socket.AF_UNIX)\n"
            "try:\n    s.connect('\\0routemark-attack')\n    print('CONNECTED')\nexcept OSError:\n    print('no')"
        )
        assert said(code) == "no\n"


# ------------------------------------------------------------------------------- getting at us


def test_signals_reach_nobody_outside() -> None:
    got: list[int] = []
    before = signal.signal(signal.SIGUSR1, lambda number, _: got.append(number))
    try:
        out = said(
            "import os, signal\n"
            f"for pid in [{os.getpid()}, {os.getppid()}, os.getppid(), 1, -1, 0]:\n"
            "    for sig in (signal.SIGUSR1,) if pid in (0, -1) else (signal.SIGUSR1, signal.SIGKILL):\n"
            "        try:\n            signal.signal(signal.SIGUSR1, signal.SIG_IGN)\n            os.kill(pid, sig)\n"
            "        except OSError:\n            pass\n"
            "print('done')"
        )
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert out == "done\n"
    assert got == []


def test_killing_everything_it_can_see_ends_itself_only() -> None:
    ran = attack(
        "import os, signal\ntry:\n    os.kill(-1, signal.SIGKILL)\nexcept OSError:\n    os.kill(os.getpid(), signal.SIGKILL)"
    )
    assert ran.status == 137


def test_daemons_do_not_outlive_their_program() -> None:
    code = (
        "import os, time\nif os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0:\n"
        "        for fd in (0, 1, 2):\n            os.close(fd)\n        time.sleep(987654)\n    os._exit(0)\nprint('left')"
    )
    assert said(code) == "left\n"
    commands = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    assert "987654" not in commands


def test_a_daemon_that_keeps_the_output_open_is_not_waited_for_longer_than_the_limit() -> None:
    code = "import os, time\nif os.fork() == 0:\n    time.sleep(1000)\nprint('left')"
    start = time.monotonic()
    ran = attack(code, clock_s=1)
    assert ran.stdout == b"left\n"
    assert time.monotonic() - start < 9


@pytest.mark.parametrize(
    "code",
    [
        "import os\nos.setuid(0)\nprint(open('/etc/shadow').read())",
        "import ctypes\nlibc = ctypes.CDLL(None, use_errno=True)\nassert libc.unshare(0x10000000) == 0, 'refused'",
        "import ctypes\nlibc = ctypes.CDLL(None)\nassert libc.mount(b'tmpfs', b'/tmp', b'tmpfs', 0, None) == 0, 'refused'",
        "import ctypes\nlibc = ctypes.CDLL(None)\nassert libc.ptrace(16, 1, 0, 0) == 0, 'refused'",
        "import os\nos.mknod('/tmp/disk', 0o60600, os.makedev(8, 0))",
        "import os\nos.chroot('/tmp')",
        "import resource\nresource.setrlimit(resource.RLIMIT_NPROC, (999, 999))",
        "import os\nos.nice(-5)",
        "open('/dev/mem')",
        "import socket\nsocket.sethostname('x')",
    ],
    ids=["uid", "userns", "mount", "ptrace", "mknod", "chroot", "rlimit", "nice", "mem", "hostname"],
)
def test_privileges_are_refused(code: str) -> None:
    ran = attack(code)
    assert ran.status == 1, ran
    assert ran.limit is None


def test_it_runs_as_nobody_without_capabilities() -> None:
    out = said("import os\nprint(os.getuid(), os.getgroups(), open('/proc/self/status').read())")
    assert out.startswith("65534 ")
    assert "CapEff:\t0000000000000000" in out
    assert "CapBnd:\t0000000000000000" in out
    assert "NoNewPrivs:\t1" in out
    assert "Seccomp:\t2" in out


# ------------------------------------------------------------------------------- side by side


def test_many_run_side_by_side_and_know_nothing_of_each_other() -> None:
    code = "import os, sys, time\nopen('/tmp/mine', 'x').write('1')\ntime.sleep(0.2)\nprint(len(os.listdir('/tmp')), len([p for p in os.listdir('/proc') if p.isdigit()]))"
    with ThreadPoolExecutor(8) as pool:
        ran = list(pool.map(lambda _: attack(code, clock_s=20, cpu_s=5), range(16)))
    assert {(one.status, one.stdout) for one in ran} == {(0, b"1 2\n")}


def test_a_killed_host_takes_its_sandboxes_along(tmp_path: Path) -> None:
    program = (
        "from routemark import sandbox\nfrom routemark.graders.code import Script\n"
        "sandbox.run(Script('import time\\ntime.sleep(876543)', b'', 60, 60, 256))"
    )
    host = subprocess.Popen([sys.executable, "-c", program])
    deadline = time.monotonic() + 20
    while len(list(group.members(host.pid))) < 4 and time.monotonic() < deadline:
        time.sleep(0.01)
    inside = list(group.members(host.pid))[1:]
    assert len(inside) >= 2
    host.kill()
    host.wait()
    while any(Path(f"/proc/{pid}").exists() for pid in inside) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert [pid for pid in inside if Path(f"/proc/{pid}").exists()] == []


# ------------------------------------------------------------------------------- what is no attack


def test_a_sandbox_that_does_not_start_is_not_held_against_the_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "bwrap"
    broken.write_text("#!/bin/sh\necho 'bwrap: No space left on device' >&2\nexit 1\n")
    broken.chmod(0o755)
    assert sandbox.trouble() is None
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    with pytest.raises(ToolError, match="the sandbox did not start: bwrap: No space left"):
        attack("print(1)")


@pytest.mark.parametrize(
    ("script", "says"),
    [
        (None, "is not installed"),
        ("exit 0", "is too old"),
        (
            "[ $2 = --help ] && echo '--size --disable-userns' || { echo 'no namespaces' >&2; exit 1; }",
            "no namespaces",
        ),
    ],
)
def test_why_there_can_be_no_sandbox_is_said_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str | None, says: str
) -> None:
    if script is not None:
        (tmp_path / "bwrap").write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / "bwrap").chmod(0o755)
    (tmp_path / "setpriv").symlink_to("/bin/true")
    monkeypatch.setenv("PATH", str(tmp_path))
    for cached in (bubblewrap.trouble, bubblewrap._help):
        cached.cache_clear()
    try:
        told = bubblewrap.trouble()
        assert told is not None
        assert says in told
        assert told.endswith(".")
    finally:
        for cached in (bubblewrap.trouble, bubblewrap._help):
            cached.cache_clear()
