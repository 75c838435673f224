"""A run under way, as its journal tells it: what the live page shows, and the stream that keeps it so.

Every message is the whole state, with the journal's size as its id: who was away reads on from the next one,
whatever was missed. The journal tells of a request from the moment its response begins, not before.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from typing import Any, NamedTuple

import msgspec
import numpy as np

from routemark import numbers
from routemark.config import Settings
from routemark.errors import RoutemarkError, rule
from routemark.generations import id_of
from routemark.journal import Event, read_at
from routemark.policy import plan
from routemark.prepare import Prepared
from routemark.records import Run, Trial
from routemark.report.clean import one_line
from routemark.viewer.filters import STATUSES
from routemark.viewer.index import Index
from routemark.viewer.opened import OpenRun, Working
from routemark.viewer.shelf import State, state_of
from routemark.viewer.table import FAILED, NOT_GRADED, Codes, Table
from routemark.viewer.trials import Reader

TICK_S = 0.5
"""Seconds between two looks at the journal; longer where a look takes long."""
QUIET_S = 10.0
"""Seconds without news after which the stream says that it is still there."""
RECENT_S = 10.0
"""Seconds over which the pace is taken."""
BINS = 60
NEWEST = 12
OPEN = 8
_NAMED = 4_000
"""Trials of the plan that are named at most to find those in flight."""


class Seen(NamedTuple):
    """A state of the run."""

    version: str
    over: bool
    data: dict[str, Any]


async def stream(opened: OpenRun, last_id: str, ending: Callable[[], bool]) -> AsyncIterator[str]:
    """Yield server-sent events until the run is over or the server ends.

    ``last_id``: of the last message that the listener had, which is not sent again.
    """
    watch, said_at = Watch(opened), time.monotonic()
    while not ending():
        begun = time.monotonic()
        seen = await asyncio.to_thread(watch.look)
        if seen.version != last_id:
            last_id, said_at = seen.version, time.monotonic()
            yield f"id: {seen.version}\nevent: state\ndata: {msgspec.json.encode(seen.data).decode()}\n\n"
        elif time.monotonic() - said_at > QUIET_S:
            said_at = time.monotonic()
            yield ": nothing new\n\n"
        if seen.over:
            yield f"id: {seen.version}\nevent: over\ndata: {{}}\n\n"
            return
        await asyncio.sleep(max(TICK_S, 4 * (time.monotonic() - begun)))


class Watch:
    """Looks at one run again and again."""

    def __init__(self, opened: OpenRun) -> None:
        self._opened = opened
        self._names: dict[int, tuple[int, str] | None] = {}
        """Key of a trial -> question and arm; None: it is not of the plan."""

    def look(self) -> Seen:
        """Give the state as of now."""
        try:
            reader = self._opened.reader()
            run, index = reader.table.run, reader.index
            state = state_of(self._opened.directory, run)
            version = f"{index.head.size}-{state}-{len(run.all_arms)}-{int(run.simulated)}"
            return Seen(version, state in {"complete", "stopped"}, self._state(reader, state))
        except Working as working:
            share = f"{100 * working.done // max(working.of, 1)} %"
            return Seen(f"reading-{share}", over=False, data={"reading": share})
        except (RoutemarkError, OSError) as error:
            return Seen(f"error-{error}", over=False, data={"error": one_line(str(error), 400)})

    def _state(self, reader: Reader, state: State) -> dict[str, Any]:
        table, run, index = reader.table, reader.table.run, reader.index
        done = _done(table)
        return {
            "state": state,
            "simulated": run.simulated,
            "reason": one_line(run.stop_reason or "", 400),
            "done": done,
            "planned": _planned(run),
            "joined": int(np.count_nonzero(table.arm >= len(run.arms))),
            **_money(run, index, table, done),
            **_pace(index, table, state),
            **_over_time(index, table),
            "arms": [_arm(table, place, arm.name) for place, arm in enumerate(run.all_arms)],
            "failed": numbers.count(int(np.count_nonzero(table.failure >= 0))),
            "attempts": numbers.counted(len(index.faults), "attempt") if len(index.faults) else "",
            "failures": _failures(index, table),
            "newest": _newest(reader),
            "open": self._open(reader) if state == "running" else [],
        }

    def _open(self, reader: Reader) -> list[dict[str, Any]]:
        """Give the oldest responses that have begun and are not over."""
        index = reader.index
        arrivals = index.arrivals[index.arrivals["offset"] > index.head.launched_at]
        over = index.outcomes[index.outcomes["offset"] > index.head.launched_at]["key"]
        found = arrivals[~np.isin(arrivals["key"], over)]
        _, newest = np.unique(found["key"][::-1], return_index=True)  # of a trial's attempts the last
        found = np.sort(found[::-1][newest], order="at")
        self._find_names(reader, {int(key) for key in found["key"][:OPEN]})
        with self._opened.directory.journal.open("rb") as file:
            return [
                {
                    "since": float(one["at"]),
                    "generation": _generation(read_at(file, int(one["offset"]))),
                    **self._named(reader, int(one["key"])),
                }
                for one in found[:OPEN]
            ] + [{"more": len(found) - OPEN}] * (len(found) > OPEN)

    def _named(self, reader: Reader, key: int) -> dict[str, Any]:
        name = self._names.get(key)
        if name is None:
            return {}
        return {"n": name[0], "id": one_line(reader.questions[name[0]].id, 80), "arm": one_line(name[1], 80)}

    def _find_names(self, reader: Reader, keys: set[int]) -> None:
        """Name trials by making the plan anew, as far as it was asked: the journal has only hashes of them."""
        if keys <= self._names.keys():
            return
        planned = {
            int(trial.key[:16], 16): (question, trial.arm.name) for question, trial in _unfinished(reader)
        }
        self._names = {**dict.fromkeys(keys), **planned}


class SoFar(NamedTuple):
    """What the list of runs tells of one that has no summary."""

    done: int
    """Trials of the plan that have ended."""
    planned: int
    spent: str


def so_far(reader: Reader) -> SoFar:
    """Give how far a run is."""
    done, run = _done(reader.table), reader.table.run
    return SoFar(done, _planned(run), _money(run, reader.index, reader.table, done)["spent"])


def _planned(run: Run) -> int:
    return run.questions * len(run.arms) * run.repeats


def _done(table: Table) -> int:
    """Give the number of trials of the plan that have ended, and are not asked again."""
    own = table.arm < len(table.run.arms)
    return int(np.count_nonzero(own & ~np.isin(table.failure, _ours(table))))


def _ours(table: Table) -> Codes:
    """Give the codes of failures that do not end a trial: it is asked again."""
    kinds = enumerate(table.names.failure)
    return np.array([code for code, kind in kinds if rule(kind).cause != "service"], dtype=np.int64)


def _money(run: Run, index: Index, table: Table, done: int) -> dict[str, str]:
    """Give what was spent, every outcome's cost included, and what all of it may come to."""
    costs = index.outcomes["cost"]
    spent = float(np.nansum(costs)) + index.head.left_open_usd
    known = int(np.count_nonzero(~np.isnan(costs)))
    left = _planned(run) - done
    unknown = len(table) - int(np.count_nonzero(~np.isnan(table.cost)))
    return {
        "spent": numbers.usd(spent if known else None),
        "foreseen": numbers.usd(spent + left * spent / known) if known and left else "",
        "unknown": numbers.counted(unknown, "trial") if unknown else "",
        "judged": numbers.usd(index.head.judge_usd) if index.head.judged else "",
        "cap": "" if run.settings.get("max_cost") is None else numbers.usd(run.settings["max_cost"]),
    }


def _pace(index: Index, table: Table, state: State) -> dict[str, Any]:
    """Give trials a second, while running those of late; when the last one ended; the ceiling of requests in flight."""
    ended = table.ended[~np.isnan(table.ended)]
    if not len(ended):
        return {"rate": "", "last": None, "limit": "", "peak": ""}
    last = float(ended.max())
    whole = last - float(ended.min())
    span = max(min(RECENT_S, whole) if state == "running" else whole, 1.0)
    pace = index.paces[-1] if len(index.paces) else None
    return {
        "rate": numbers.plain(np.count_nonzero(ended >= last - span) / span, 1),
        "last": last,
        "limit": "" if pace is None else numbers.plain(float(pace["limit"]), 0),
        "peak": "" if pace is None or pace["peak"] < 0 else numbers.count(int(pace["peak"])),
    }


def _over_time(index: Index, table: Table) -> dict[str, Any]:
    """Count trials that ended, and attempts that failed, in at most `BINS` spans of ``bin_s`` seconds."""
    ended, faults = (at[~np.isnan(at)] for at in (table.ended, index.faults["at"]))
    if not len(ended) + len(faults):
        return {"bins": [], "faults": [], "bin_s": 0}
    begun = min(float(at.min()) for at in (ended, faults) if len(at))
    span = max(float(at.max()) for at in (ended, faults) if len(at)) - begun
    width = max(1.0, math.ceil(span / BINS))
    bins = min(BINS, int(span / width) + 1)
    counts = (
        np.bincount(np.minimum((at - begun) / width, bins - 1).astype(np.int64), minlength=bins)
        for at in (ended, faults)
    )
    return {
        **{name: count.tolist() for name, count in zip(("bins", "faults"), counts, strict=True)},
        "bin_s": width,
    }


def _arm(table: Table, place: int, name: str) -> dict[str, Any]:
    at = table.arm == place
    scores = table.score[at]
    graded = scores[~np.isnan(scores)]
    cost = table.cost[at]
    return {
        "arm": one_line(name, 120),
        "done": numbers.count(int(np.count_nonzero(at))),
        "right": f"{numbers.score(float(graded.sum()))} of {numbers.count(len(graded))}"
        if len(graded)
        else numbers.UNKNOWN,
        "waiting": numbers.count(int(np.count_nonzero(table.status[at] == NOT_GRADED))),
        "failed": numbers.count(int(np.count_nonzero(table.status[at] == FAILED))),
        "cost": numbers.usd(float(np.nansum(cost)) if (~np.isnan(cost)).any() else None),
    }


def _failures(index: Index, table: Table) -> list[dict[str, str]]:
    """Count trials that ended without an answer, and attempts that failed, by kind; what fails most first."""
    trials = _counts(table.failure, table.names.failure)
    attempts = _counts(index.faults["kind"], table.names.fault)
    return [
        {
            "kind": one_line(kind, 60),
            "trials": numbers.count(trials[kind]),
            "attempts": numbers.count(attempts[kind]),
            "advice": rule(kind).advice,
        }
        for kind in sorted(trials | attempts, key=lambda kind: (-trials[kind], -attempts[kind], kind))
    ]


def _counts(codes: Codes, names: list[str]) -> Counter[str]:
    counts = np.bincount(codes[codes >= 0], minlength=len(names)).tolist()
    return Counter({name: count for name, count in zip(names, counts, strict=True) if count})


def _newest(reader: Reader) -> list[dict[str, Any]]:
    table, arms = reader.table, [arm.name for arm in reader.table.run.all_arms]
    found = []
    for row in np.argsort(-table.offset)[:NEWEST].tolist():
        question = int(table.question[np.searchsorted(table.ranks, table.rank[row])])
        model = table.names.model[table.model[row]] if table.model[row] >= 0 else ""
        found.append(
            {
                "key": int(table.offset[row]),
                "n": question,
                "id": one_line(reader.questions[question].id, 80),
                "arm": one_line(arms[table.arm[row]], 80),
                "model": one_line(model, 80),
                "status": STATUSES[table.status[row]],
                "kind": one_line(table.names.failure[table.failure[row]], 60)
                if table.failure[row] >= 0
                else "",
                "cost": numbers.usd(float(table.cost[row])),
                "latency": numbers.seconds(float(table.latency[row])),
            }
        )
    return found


def _generation(record: object) -> str:
    return one_line(id_of(record), 80) if isinstance(record, Event) else ""


def _unfinished(reader: Reader) -> list[tuple[int, Trial]]:
    """Give the trials of the plan that have not ended, up to a window beyond the furthest that has."""
    table, run = reader.table, reader.table.run
    settings = msgspec.convert(run.settings, Settings)
    made_of = plan.Plan(
        run_id=run.plan_id or run.id,
        arms=run.arms,
        options=Prepared(settings, reader.questions, run.arms).options,
        repeats=run.repeats,
        window=run.window,
        seed=run.seed,
    )
    furthest = int(table.rank.max(initial=0)) + 2 * run.window
    own = table.arm < len(run.arms)
    ended = {
        *zip(table.rank[own].tolist(), table.arm[own].tolist(), table.repeat[own].tolist(), strict=True),
    }
    by_rank = table.prompts.in_order[:furthest].tolist()
    places = [
        plan.Place(question, arm, repeat, 0)
        for rank, question in enumerate(by_rank)
        for arm in range(len(run.arms))
        for repeat in range(run.repeats)
        if (rank, arm, repeat) not in ended
    ][-_NAMED:]
    made = plan.trials(made_of, reader.questions, places)
    return [(place.question, trial) for place, trial in zip(places, made, strict=True)]
