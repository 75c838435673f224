"""Whether two runs can be compared fairly: one plain sentence a condition.

Pure: the runs' manifests and counts go in. What is fair is said too, so that a reader sees what was looked at.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from routemark.analysis.words import listing
from routemark.numbers import count, counted
from routemark.records import FairnessCheck, Run

RANKING_WINDOW_DAYS = 7
"""Days over which OpenRouter's auto router ranks models: runs closer together share a ranking."""
SENT_SETTINGS = ("max_tokens", "temperature", "stream")
"""Settings of a run that decide what is sent."""
LATENCY_SETTINGS = ("concurrency", "fixed_concurrency", "stream", "transport")
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}


class Facts(NamedTuple):
    """What is known of two runs beyond their manifests."""

    counted: tuple[int, int]
    """Questions finished in plan order in A, in B."""
    shared: int
    """Questions finished in both with the same content: those compared."""
    same_run: bool
    """A and B are one run: the sessions of all trials are the same."""
    grades_differ: int
    """Questions graded by another grader, or version of it, on the two dates."""
    graders: Sequence[str]
    """What differs, e.g. ``numeric 1 in A, numeric 2 in B``."""
    sent_differs: dict[str, int]
    """Arms with one name on both dates -> questions for which the request differed."""
    shared_sessions: int
    """Trials of B in a session of A."""
    reused_sessions: tuple[int, int]
    """Trials in a session that another trial of the same run had, too."""
    anchors: Sequence[str]
    """Fixed models asked on both dates."""
    renamed: tuple[str, str] | None
    """The routers compared, where their names differ."""
    one_sided: tuple[Sequence[str], Sequence[str]]
    """Arms asked in A only, in B only."""


def checks(a: Run, b: Run, facts: Facts) -> list[FairnessCheck]:
    """Give every condition with whether it holds, those that do not hold first."""
    found = [
        FairnessCheck(name=name, fair=fair, sentence=sentence) for name, fair, sentence in _all(a, b, facts)
    ]
    return sorted(found, key=lambda check: check.fair)


def _all(a: Run, b: Run, facts: Facts) -> Iterator[tuple[str, bool, str]]:
    if a.simulated != b.simulated:
        which = ("A", "B") if a.simulated else ("B", "A")
        yield (
            "simulated",
            False,
            f"{which[0]} was simulated and {which[1]} was not: their difference means nothing.",
        )
    if facts.same_run:
        yield (
            "runs",
            False,
            "A and B hold the same trials: they are the same run.",
        )
    yield ("questions", *_questions(a, b, facts))
    yield from _unfinished(a, b, facts)
    yield ("grades", *_grades(a, b, facts))
    yield ("requests", *_requests(a, b, facts))
    yield ("sessions", *_sessions(facts))
    yield ("anchors", *_anchors(facts))
    yield ("dates", *_dates(a, b, facts))
    yield ("latency", *_latency(a, b))
    if any(facts.one_sided):
        only = [
            f"{listing(arms)} in {side}" for arms, side in zip(facts.one_sided, "AB", strict=True) if arms
        ]
        yield "arms", True, f"Asked in one run only, hence left out: {'; '.join(only)}."


def _questions(a: Run, b: Run, facts: Facts) -> tuple[bool, str]:
    if a.questions_sha256 == b.questions_sha256 and facts.counted == (facts.shared, facts.shared):
        return True, f"The same {counted(facts.shared, 'question')}."
    left_out = [finished - facts.shared for finished in facts.counted]
    if a.questions_sha256 == b.questions_sha256:
        return (
            True,
            f"The same question file; {counted(facts.shared, 'question')} finished in both are compared.",
        )
    return False, (
        f"The question files differ: only {counted(facts.shared, 'question')} with the same id and content in both "
        f"are compared; left out are {count(left_out[0])} of A and {count(left_out[1])} of B."
    )


def _unfinished(a: Run, b: Run, facts: Facts) -> Iterator[tuple[str, bool, str]]:
    for side, run, finished in zip("AB", (a, b), facts.counted, strict=True):
        if run.status != "complete":
            said = f"{side} has not finished: of it, the first {count(finished)} of {counted(run.originals, 'question')}"
            yield "finished", False, f"{said} in plan order count. To finish it: routemark resume {run.id}."


def _grades(a: Run, b: Run, facts: Facts) -> tuple[bool, str]:
    if not facts.grades_differ:
        return True, "Graded by the same graders in the same versions."
    return False, (
        f"Graded differently on {counted(facts.grades_differ, 'question')} ({listing(facts.graders)}): run "
        f"`routemark grade {a.id}` and `routemark grade {b.id}`, then compare again."
    )


def _requests(a: Run, b: Run, facts: Facts) -> tuple[bool, str]:
    differing = [
        f"{name} {_shown(a.settings.get(name))} in A, {_shown(b.settings.get(name))} in B"
        for name in SENT_SETTINGS
        if a.settings.get(name) != b.settings.get(name)
    ]
    hosts = [_host(run.base_url) for run in (a, b)]
    if hosts[0] != hosts[1]:
        differing.append(f"asked at {hosts[0]} in A, at {hosts[1]} in B")
    if facts.sent_differs:
        arms = [f"{arm} on {counted(n, 'question')}" for arm, n in facts.sent_differs.items()]
        reasons = differing or [f"Routemark {a.routemark_version} in A, {b.routemark_version} in B"]
        return False, f"What was sent differs, for {listing(arms)}: {'; '.join(reasons)}."
    if differing:
        return False, f"Asked differently: {'; '.join(differing)}."
    if facts.renamed:
        return (
            True,
            f"Two routers, or settings of one, are compared: {facts.renamed[0]} in A, {facts.renamed[1]} in B.",
        )
    return True, "The same requests were sent to the same gateway."


def _shown(value: Any) -> str:
    return "not given" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def _host(url: str) -> str:
    host = urlsplit(url).hostname or url
    return "this machine" if host in _LOOPBACK else host


def _sessions(facts: Facts) -> tuple[bool, str]:
    reused = sum(facts.reused_sessions)
    if reused or (facts.shared_sessions and not facts.same_run):
        n = counted(max(reused, facts.shared_sessions), "trial")
        return False, f"{n} shared a session with another: within a session a router may keep its pick."
    return True, "Every trial had a session of its own."


def _anchors(facts: Facts) -> tuple[bool, str]:
    if not facts.anchors:
        return False, (
            "No fixed model was asked on both dates: a change of the router cannot be told from a change of the "
            "models behind it. Ask the same fixed models in both runs (-m MODEL)."
        )
    return True, f"Fixed models asked on both dates: {listing(facts.anchors)}."


def _dates(a: Run, b: Run, facts: Facts) -> tuple[bool, str]:
    days = abs((moment(b.started_at) - moment(a.started_at)).total_seconds()) / 86_400
    claim = (
        "two runs are two days; a claim about the router itself needs 3 runs or more, over 3 weeks or more"
    )
    apart = f"The runs are {_days(days)} apart"
    if facts.renamed:
        if days >= 1:
            return False, f"{apart}: what differs may be the days, not the settings."
        return True, f"{apart}: both settings met the same day; {claim}."
    if days < RANKING_WINDOW_DAYS:
        return False, (
            f"{apart}, less than the {RANKING_WINDOW_DAYS} days over which the router ranks models: both may rest "
            f"on one ranking. Besides, {claim}."
        )
    return True, f"{apart}; {claim}."


def _days(days: float) -> str:
    return "less than a day" if days < 1 else counted(round(days), "day")


def _latency(a: Run, b: Run) -> tuple[bool, str]:
    limited = [side for side, run in zip("AB", (a, b), strict=True) if run.client.limited]
    differing = [
        f"{name.replace('_', ' ')} {_shown(a.settings.get(name))} in A, {_shown(b.settings.get(name))} in B"
        for name in LATENCY_SETTINGS
        if a.settings.get(name) != b.settings.get(name)
    ]
    if limited:
        differing.append(f"the client itself was slow in {' and '.join(limited)}")
    if differing:
        return False, f"Latencies are not alike: {'; '.join(differing)}."
    return True, "Latencies were taken in the same way."


def moment(started_at: str) -> datetime:
    """Give a time in ISO 8601 as UTC; one without a zone is UTC already."""
    when = datetime.fromisoformat(started_at)
    return when.astimezone(UTC) if when.tzinfo else when.replace(tzinfo=UTC)
