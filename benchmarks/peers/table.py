"""Figures of one harness in one cell, and the tables of them."""

from __future__ import annotations

from collections.abc import Iterable
from statistics import median
from typing import NamedTuple

from benchmarks.peers.accounts import Account
from benchmarks.peers.job import Job
from benchmarks.peers.server import Window

HEAD = (
    "| harness | samples a second | of the ideal wall time | CPU ms a sample | times Routemark's "
    "| start-up CPU s | peak MB | most in flight | whole command s | other work |"
)


class Figures(NamedTuple):
    """One run of one harness."""

    rate: float
    """Samples a second between the first request and the last answer, as the server saw them."""
    ideal: float | None
    """Share of the ideal wall time; none without a delay."""
    cpu_ms: float
    """CPU of the whole process tree beyond a run of one question, for each further sample."""
    start_cpu_s: float
    """CPU of a run of one question."""
    rss_mb: float
    peak: int
    """Most requests open at once; without a delay no two are ever open, so it is not shown."""
    wall_s: float
    others: float
    """Cores that other work on the machine took meanwhile."""
    trouble: str
    """Why this is not the whole work; empty if it is."""


def figures(job: Job, account: Account, window: Window, *, start_cpu_s: float, right: int) -> Figures:
    """Put together what was measured."""
    seconds = max(window.seconds, 1e-9)
    answered = max(1, min(window.requests, job.cell.questions))
    return Figures(
        rate=answered / seconds,
        ideal=job.cell._replace(questions=answered).ideal_s / seconds if job.cell.delay_s else None,
        cpu_ms=max(0.0, account.cpu_s - start_cpu_s) / max(1, answered - 1) * 1e3,
        start_cpu_s=start_cpu_s,
        rss_mb=account.rss_mb,
        peak=window.peak,
        wall_s=account.wall_s,
        others=account.others,
        trouble=trouble(job, account, window, right),
    )


def trouble(job: Job, account: Account, window: Window, right: int) -> str:
    """Say what is wrong with a run: not ended in time, failed, asked too often or too seldom, answers not right."""
    if account.status is None:
        return f"not done within {account.wall_s:.0f} s: {window.requests:,} of {job.cell.questions:,} asked"
    if account.status:
        return f"exit status {account.status}: {account.complaint}"
    if window.requests != job.cell.questions:
        return f"{window.requests:,} requests for {job.cell.questions:,} questions"
    if right != job.cell.questions:
        return f"{right:,} of {job.cell.questions:,} right"
    return ""


def middle(runs: list[Figures]) -> Figures:
    """Give the medians of repeats, and the first trouble that one of them had."""
    first = runs[0]
    return Figures(
        rate=median(one.rate for one in runs),
        ideal=None if first.ideal is None else median(one.ideal or 0.0 for one in runs),
        cpu_ms=median(one.cpu_ms for one in runs),
        start_cpu_s=median(one.start_cpu_s for one in runs),
        rss_mb=median(one.rss_mb for one in runs),
        peak=round(median(one.peak for one in runs)),
        wall_s=median(one.wall_s for one in runs),
        others=median(one.others for one in runs),
        trouble=next((one.trouble for one in runs if one.trouble), ""),
    )


def table(rows: dict[str, Figures], ours: str) -> str:
    """Give a table in Markdown, a row each, with every CPU beside ours."""
    own = rows[ours].cpu_ms if ours in rows else None
    return "\n".join([HEAD, "|---" * (HEAD.count("|") - 1) + "|", *lines(rows.items(), own)])


def lines(rows: Iterable[tuple[str, Figures]], own: float | None) -> list[str]:
    """Give the rows; ``own`` is our CPU a sample, milliseconds."""
    return [
        f"| {name}{f' ({one.trouble})' if one.trouble else ''} | {one.rate:,.0f} "
        f"| {'-' if one.ideal is None else f'{one.ideal:.1%}'} | {one.cpu_ms:.2f} "
        f"| {f'{one.cpu_ms / own:.2f}' if own else '-'} | {one.start_cpu_s:.1f} | {one.rss_mb:,.0f} "
        f"| {'-' if one.ideal is None else f'{one.peak:,}'} | {one.wall_s:.1f} | {one.others:.1f} |"
        for name, one in rows
    ]
