"""Compare two runs of the same questions: read both run directories, lay them out, judge, and say how fair it is.

Trials are folded into columns as they are read: numbers, no text, some hundred bytes a trial.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from hashlib import blake2b
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from routemark.analysis.drift import twodates
from routemark.analysis.drift.drift_words import Dates
from routemark.analysis.drift.fairness import Facts, checks, moment
from routemark.analysis.drift.twodates import Both, Pairing, Side, side_name
from routemark.analysis.matrix.columns import NONE, Columns, Labels, Table
from routemark.errors import UsageError
from routemark.records import Drift, DriftKind, Grade, Outcome, Question, RouterDrift, Run, RunSide
from routemark.rundir import Judged, Ledger, RunDirectory
from routemark.wire.checks import SESSION_REUSED

_SIDES: tuple[Side, Side] = ("A", "B")
_ENCODE = msgspec.json.Encoder(order="deterministic").encode


def compare(a: RunDirectory, b: RunDirectory, *, margin: float) -> Drift:
    """Give what changed from run A to run B, on the questions finished in both with the same content.

    Raises: UsageError where nothing is left to compare.
    """
    opened = _Opened.of(a), _Opened.of(b)
    trials = _Trials(opened)
    if not len(trials.shared):
        raise UsageError(
            f"{a.path} and {b.path} have no question in common that was finished in both: "
            "compare runs of the same question file."
        )
    for side, one in enumerate(opened):
        for judged in one.ledger.judged():
            trials.add(side, judged)
    runs = opened[0].run, opened[1].run
    names = [
        side_name(side, arm.name) for side, run in zip(_SIDES, runs, strict=True) for arm in run.all_arms
    ]
    both = twodates.lay_out(Table(trials.columns, names), seed=runs[0].seed)
    return _judge(both, runs, opened, trials, margin)


class _Opened(NamedTuple):
    """A run, open for reading."""

    run: Run
    ledger: Ledger
    keys: NDArray[np.uint64]
    """Of the questions that count."""
    at: NDArray[np.int64]
    """Their indices in the question set."""

    @classmethod
    def of(cls, directory: RunDirectory) -> _Opened:
        run = directory.read()
        ledger = Ledger(run, directory.load_questions(), directory.journal)
        at = ledger.order[: ledger.counted_questions]
        at = np.sort(at[at < run.originals])  # perturbed copies are no questions of the user's
        keys = np.fromiter(
            (content_key(ledger.questions[int(i)]) for i in at), dtype=np.uint64, count=len(at)
        )
        return cls(run, ledger, keys, at)


def content_key(question: Question) -> int:
    """Give 64 bits that name a question: its id, what is asked, and how the answer is judged.

    Labels and other metadata may change between two runs: those of A count.
    """
    parts = (
        question.id,
        question.question,
        question.messages,
        question.choices,
        question.reference,
        question.grader,
    )
    return int.from_bytes(blake2b(_ENCODE(parts), digest_size=8).digest())


class _Trials:
    """Both runs' trials of the shared questions, as columns, and what fairness needs to know of them."""

    def __init__(self, opened: tuple[_Opened, _Opened]) -> None:
        first, second = opened
        self.shared = np.intersect1d(first.keys, second.keys)
        order = np.argsort(first.keys)
        self._at = first.at[order][np.searchsorted(first.keys[order], self.shared)]
        self._questions = first.ledger.questions
        self.columns = Columns()
        self._sent: dict[tuple[int, str], NDArray[np.uint64]] = {}
        self._graders = Labels()
        self._grader = np.full((2, len(self.shared)), NONE, dtype=np.int32)
        self._sessions = array("q"), array("q")
        self.reused = [0, 0]
        self._turned_to: tuple[int, str] | None = None
        """Side and id of the question at hand."""
        self._place = NONE
        self._question: Question | None = None

    def add(self, side: int, judged: Judged) -> None:
        """Take one trial of a question that both runs share and count; others are passed over."""
        if self._turned_to != (side, judged.question.id):
            self._turn_to(side, judged.question)
        if self._question is None:
            return
        outcome = msgspec.structs.replace(judged.outcome, arm=side_name(_SIDES[side], judged.outcome.arm))
        self.columns.append(self._question, outcome, judged.grade)
        self._note(side, judged.outcome, judged.grade)
        self.reused[side] += SESSION_REUSED in judged.flags

    def _turn_to(self, side: int, question: Question) -> None:
        """Find the question among the shared ones; both sides get the labels that it has in A."""
        key = np.uint64(content_key(question))
        place = int(np.searchsorted(self.shared, key))
        found = place < len(self.shared) and self.shared[place] == key
        self._turned_to, self._place = (side, question.id), place
        if found and side:
            question = self._questions[int(self._at[place])]
        self._question = question if found else None

    def _note(self, side: int, outcome: Outcome, grade: Grade | None) -> None:
        self._sessions[side].append(hash(outcome.session_id))
        if outcome.request_sha256:
            if (side, outcome.arm) not in self._sent:
                self._sent[side, outcome.arm] = np.zeros(len(self.shared), dtype=np.uint64)
            self._sent[side, outcome.arm][self._place] = int(outcome.request_sha256[:16], 16)
        if grade is not None:
            self._grader[side, self._place] = self._graders.code(f"{grade.grader} {grade.version}")

    @property
    def shared_sessions(self) -> int:
        """Number of trials of B whose session is one of A's."""
        return int(np.isin(np.asarray(self._sessions[1]), np.asarray(self._sessions[0])).sum())

    @property
    def of_b(self) -> int:
        """Number of trials of B."""
        return len(self._sessions[1])

    def sent_differs(self, arms: Iterable[str]) -> dict[str, int]:
        """Give, for each arm that was sent something else on B, on how many questions."""
        found = {}
        for arm in arms:
            a, b = self._sent.get((0, arm)), self._sent.get((1, arm))
            if a is not None and b is not None and (n := int(((a != b) & (a != 0) & (b != 0)).sum())):
                found[arm] = n
        return found

    def graders_differ(self) -> tuple[int, list[str]]:
        """Give the number of questions graded in another way on B, and which graders those were."""
        a, b = self._grader
        differ = (a != b) & (a != NONE) & (b != NONE)
        names = self._graders.names
        pairs = np.unique(np.column_stack([a[differ], b[differ]]), axis=0)
        return int(differ.sum()), [f"{names[i]} in A, {names[j]} in B" for i, j in pairs.tolist()]


# ----------------------------------------------------------------------------------- who is compared


def _judge(
    both: Both, runs: tuple[Run, Run], opened: tuple[_Opened, _Opened], trials: _Trials, margin: float
) -> Drift:
    routers, models = _pairings(both, runs)
    changes = twodates.arm_changes(both, models, routers=False)
    drifts = twodates.router_drifts(both, routers, changes, _dates(runs), margin)
    facts = _facts(runs, opened, trials, routers, models)
    kind, sentence = _first(drifts, runs, same_run=facts.same_run)
    return Drift(
        run_a=_side(opened[0]),
        run_b=_side(opened[1]),
        questions=len(trials.shared),
        simulated=any(run.simulated for run in runs),
        margin=margin,
        kind=kind,
        sentence=sentence,
        notes=list(_notes(runs, routers)),
        fairness=checks(*runs, facts),
        routers=drifts,
        models=changes,
    )


def _first(drifts: list[RouterDrift], runs: tuple[Run, Run], *, same_run: bool) -> tuple[DriftKind, str]:
    """Give what is said before everything else."""
    if same_run:
        return "not_comparable", "A and B are the same run: nothing can have changed."
    if runs[0].simulated != runs[1].simulated:
        return "not_comparable", "Not comparable: one of the runs was simulated, the other was not."
    if not drifts:
        return "no_router", "No router was asked in both runs: only the fixed models are compared."
    return drifts[0].kind, drifts[0].sentence


def _pairings(both: Both, runs: tuple[Run, Run]) -> tuple[list[Pairing], list[Pairing]]:
    """Give which routers, and which fixed models, are compared.

    Arms of one name are. Without a router among them, the only router of A and the only one of B: two settings.
    Raises: UsageError where nothing is left.
    """
    names = [[arm.name for arm in run.all_arms] for run in runs]
    known = {arm.name for run in runs for arm in run.all_arms if arm.is_router}
    routers = [
        [name for name in of_run if name in known or _served_by_several(both, side, name)]
        for side, of_run in zip(_SIDES, names, strict=True)
    ]
    common = [name for name in names[0] if name in names[1]]
    either = {*routers[0], *routers[1]}
    found = [Pairing(name, name) for name in common if name in either]
    if not found and len(routers[0]) == len(routers[1]) == 1:
        found = [Pairing(routers[0][0], routers[1][0])]
    models = [Pairing(name, name) for name in common if name not in either]
    if not found and not models:
        raise UsageError(
            f"Nothing to compare: the runs have no arm in common, nor one router each. A asked "
            f"{', '.join(names[0])}; B asked {', '.join(names[1])}."
        )
    return found, models


def _served_by_several(both: Both, side: Side, arm: str) -> bool:
    models = both.table.rows(both.place(side, arm)).model
    return len(np.unique(models[models != NONE])) > 1


def _dates(runs: tuple[Run, Run]) -> Dates:
    """Name both runs by their UTC day; where that is the same by the minute, and where that is, too, by id."""
    moments = [moment(run.started_at) for run in runs]
    for form in ("%Y-%m-%d", "%Y-%m-%d %H:%M UTC"):
        a, b = (when.strftime(form) for when in moments)
        if a != b:
            return Dates(a, b)
    return Dates(*(f"{a} ({run.id})" for run in runs))


def _facts(
    runs: tuple[Run, Run],
    opened: tuple[_Opened, _Opened],
    trials: _Trials,
    routers: list[Pairing],
    models: list[Pairing],
) -> Facts:
    differ, graders = trials.graders_differ()
    compared = {pairing.arm_a for pairing in [*routers, *models]}, {one.arm_b for one in [*routers, *models]}
    renamed = [pairing for pairing in routers if pairing.arm_a != pairing.arm_b]
    shared_sessions = trials.shared_sessions
    return Facts(
        counted=(len(opened[0].keys), len(opened[1].keys)),
        shared=len(trials.shared),
        same_run=shared_sessions == trials.of_b,
        grades_differ=differ,
        graders=graders,
        sent_differs=trials.sent_differs(one.arm_a for one in [*routers, *models] if one.arm_a == one.arm_b),
        shared_sessions=shared_sessions,
        reused_sessions=(trials.reused[0], trials.reused[1]),
        anchors=[pairing.arm_a for pairing in models],
        renamed=renamed[0] if renamed else None,
        one_sided=(_others(runs[0], compared[0]), _others(runs[1], compared[1])),
    )


def _others(run: Run, compared: set[str]) -> list[str]:
    return [arm.name for arm in run.all_arms if arm.name not in compared]


def _notes(runs: tuple[Run, Run], routers: list[Pairing]) -> Iterator[str]:
    """Give what a reader must know beside the figures."""
    if any(run.simulated for run in runs):
        yield "SIMULATED: fictitious models; this tests the wiring, not any router."
    if moment(runs[1].started_at) < moment(runs[0].started_at):
        yield "B is the earlier run: every change is still B minus A."
    if len(routers) > 1:
        yield f"The sentences about the {len(routers)} routers hold all at once (95 %)."


def _side(opened: _Opened) -> RunSide:
    run = opened.run
    return RunSide(
        id=run.id,
        started_at=run.started_at,
        date=moment(run.started_at).date().isoformat(),
        status=run.status,
        simulated=run.simulated,
        questions=run.originals,
        counted=len(opened.keys),
        routemark_version=run.routemark_version,
    )
