"""Asks the same questions with every harness, in turn, and prints what each took.

A cell is a number of questions, a number in flight and a delay of the server; all combinations of what is named
are measured. Environments are made once, below the user's cache folder (ROUTEMARK_PEERS names another). While it
measures, nothing but loopback can be reached where the system allows that, and nothing else is asked for.
"""

from __future__ import annotations

import argparse
import itertools
import signal
import sys
import tempfile
import zlib
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import machine
from benchmarks.peers.accounts import Account, isolate, measure
from benchmarks.peers.adapters import OURS, PEERS
from benchmarks.peers.environments import UnavailableError
from benchmarks.peers.job import Cell, Job, Peer
from benchmarks.peers.server import Running, Window, running
from benchmarks.peers.table import Figures, figures, middle, table, trouble


def options(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers", description=__doc__)
    parser.add_argument(
        "--peer", nargs="+", choices=list(PEERS), default=list(PEERS), metavar="NAME",
        help=f"which of {', '.join(PEERS)} (all)",
    )  # fmt: skip
    parser.add_argument("--questions", nargs="+", type=_count, default=[2_000], metavar="N", help="(2000)")
    parser.add_argument(
        "--in-flight", nargs="+", type=_count, default=[100, 1_000], metavar="N", help="(100 1000)"
    )
    parser.add_argument("--delay", nargs="+", type=float, default=[0, 200], metavar="MS", help="(0 200)")
    parser.add_argument("--repeats", type=_count, default=1, help="of every cell, in turn; medians (1)")
    parser.add_argument(
        "--deadline", type=float, default=300, metavar="S", help="for one harness's run (300)"
    )
    return parser.parse_args(arguments)


def _count(text: str) -> int:
    if (value := int(text)) < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return value


def main() -> None:
    """Install, then measure cell by cell."""
    chosen = options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    peers = available([PEERS[name] for name in PEERS if name in chosen.peer])
    alone = isolate()
    print(f"{datetime.now(UTC):%Y-%m-%d}, {machine.line()}")
    print("network: " + ("loopback only" if alone else "not closed, the system does not allow it"))
    for peer in peers:
        print(f"- {peer.name}: {peer.packages}")
    starts = start_up(peers, chosen.deadline)
    peers = [peer for peer in peers if peer.name in starts]
    for shape in itertools.product(chosen.questions, chosen.in_flight, chosen.delay):
        cell = Cell(shape[0], shape[1], shape[2] / 1e3, chosen.deadline)
        print(
            f"\n{cell.questions:,} questions, {cell.in_flight:,} in flight, {shape[2]:g} ms, "
            f"medians of {chosen.repeats}\n"
        )
        print(table(rows(peers, cell, chosen.repeats, starts), OURS), flush=True)


def available(peers: list[Peer]) -> list[Peer]:
    """Install what is missing; leave out, and name, what cannot be had here."""
    kept = []
    for peer in peers:
        try:
            peer.install()
            kept.append(peer)
        except UnavailableError as why:
            print(f"- {peer.name}: not measured, it cannot be installed here: {why}")
    return kept


def start_up(peers: list[Peer], deadline_s: float) -> dict[str, float]:
    """Give each one's CPU seconds for one question: the least of three, since the first may compile.

    Who fails at one question is named and left out.
    """
    one, starts = Cell(1, 1, 0.0, deadline_s), {}
    with running(one.delay_s) as server:
        for peer in peers:
            taken = [_account(peer, server, one) for _ in range(3)]
            starts[peer.name] = min(account.cpu_s for _, account, _, _ in taken)
            if wrong := trouble(*taken[-1]):
                print(f"- {peer.name}: not measured, it fails at one question: {wrong}")
                del starts[peer.name]
    return starts


def rows(peers: list[Peer], cell: Cell, repeats: int, starts: dict[str, float]) -> dict[str, Figures]:
    """Run every harness once, then all again, as often as wanted; give the medians."""
    runs: dict[str, list[Figures]] = {peer.name: [] for peer in peers}
    with running(cell.delay_s) as server:
        for peer in peers * repeats:
            job, account, window, right = _account(peer, server, cell)
            done = figures(job, account, window, start_cpu_s=starts[peer.name], right=right)
            print(f"{peer.name}: {done.rate:,.0f}/s {done.cpu_ms:.2f} ms {done.trouble}", file=sys.stderr)
            runs[peer.name].append(done)
    return {name: middle(taken) for name, taken in runs.items()}


def _account(peer: Peer, server: Running, cell: Cell) -> tuple[Job, Account, Window, int]:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        job = Job(cell, server.url, Path(name))
        peer.prepare(job)
        server.window()
        account = measure(
            peer.command(job),
            job.folder,
            peer.environ(job),
            deadline_s=cell.deadline_s,
            server=server.pid,
        )
        return job, account, server.window(), _right(peer, job, account)


def _right(peer: Peer, job: Job, account: Account) -> int:
    try:
        return peer.right(job, account.said) if account.status == 0 else 0
    except (
        OSError,
        ValueError,
        LookupError,
        zlib.error,
    ) as problem:  # what another program wrote, or did not
        print(f"{peer.name}: its results cannot be read: {problem!r}", file=sys.stderr)
        return 0


if __name__ == "__main__":
    main()
