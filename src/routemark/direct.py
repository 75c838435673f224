"""Direct questions to picked models: what a run needs to ask them, and to confirm the oracle."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from routemark import baselines
from routemark.analysis.controls.oracles import NOTHING
from routemark.analysis.matrix.joined import NOBODY, Joined
from routemark.config import Settings
from routemark.engine.catalogue import with_offers
from routemark.engine.following import Following
from routemark.engine.local import LocalExecutor
from routemark.engine.purse import BudgetPurse
from routemark.engine.roster import Manifest, Roster
from routemark.engine.run import Planned
from routemark.errors import APIError
from routemark.policy import plan
from routemark.policy.baselines import Cells
from routemark.policy.free import FreeLimits
from routemark.policy.plan import Place, Plan
from routemark.prepare import Prepared
from routemark.pricing import keep_prices, page_client
from routemark.records import Arm, Grade, Outcome, Run, Trial
from routemark.rundir import Judged, Ledger, RunDirectory
from routemark.wire import values
from routemark.wire.prices import UnboundedError, ceiling, read_prices
from routemark.wire.slugs import Slugs

if TYPE_CHECKING:
    from routemark.analysis.summary import Fold


class Admission:
    """Makes ready for the arms that join: their bounds, their limits, that they need not be served."""

    def __init__(  # noqa: PLR0913 - what an arm touches, by name
        self,
        prepared: Prepared,
        base_url: str,
        key: str | None,
        *,
        directory: RunDirectory,
        executor: LocalExecutor,
        purse: BudgetPurse | None,
        free: FreeLimits | None,
    ) -> None:
        self._prepared = prepared
        self._base_url = base_url
        self._key = key
        self._directory = directory
        self._executor = executor
        self._purse = purse
        self._free = free
        self._catalogue = prepared.catalogue

    async def __call__(self, arm: Arm) -> str | None:
        """Let an arm join; give why it cannot, a clause, or None."""
        if self._purse is not None:
            try:
                await self._price(arm, self._purse)
            except UnboundedError:
                return "what it may cost is not known, and --max-cost must be kept"
        self.let_in(arm)
        return None

    def let_in(self, arm: Arm) -> None:
        """Let an arm join whose bound the purse knows."""
        self._executor.expendable.add(arm.name)
        if self._free is not None:
            self._free.add([arm])

    async def slugs(self) -> Slugs:
        """Give the names of models by the gateway's catalogue; without one, every name is a slug."""
        if self._catalogue is not None:
            return Slugs(self._catalogue)
        try:
            async with page_client(self._prepared.settings, self._base_url, self._key) as client:
                return Slugs(await client.get_json("models"))
        except APIError:
            return Slugs(None)

    async def _price(self, arm: Arm, purse: BudgetPurse) -> None:
        """Let the purse know what the arm's requests cost at most. Raises: UnboundedError."""
        async with page_client(self._prepared.settings, self._base_url, self._key) as client:
            self._catalogue = await with_offers(client, values.table(self._catalogue), [arm])
        bound = ceiling(read_prices(self._catalogue), arm, self._prepared.options)
        keep_prices(self._directory, self._catalogue)
        purse.admit(arm.name, bound)


class Untracked(Planned):
    """The trials of the plan alone; nobody needs to hear of their outcomes."""

    added = 0

    def saw(self, trial: Trial, outcome: Outcome, grade: Grade | None) -> None:
        """Do not care."""


async def trials_of(
    planned: Iterator[Trial], made_of: Plan, ledger: Ledger, manifest: Manifest, admission: Admission
) -> Following | Untracked:
    """Give the trials of a run: ``planned``, which the ledger lacks, and what follows with ``--baselines``."""
    cells = baselines.new_cells(ledger)
    if cells is None:
        return Untracked(planned)
    for arm in manifest.run.baselines:
        admission.let_in(arm)
    roster = Roster(manifest, await admission.slugs(), admission)
    return Following(planned, made_of, ledger, cells, roster)


# --------------------------------------------------------------------------- what the summary must know


def joined_of(ledger: Ledger) -> tuple[Joined, Cells | None]:
    """Give what is known of the arms that joined, and which cells they were to be asked."""
    cells = baselines.replay(ledger)
    if cells is None:
        return NOBODY, None
    run = ledger.run
    stand_ins = {}
    if msgspec.convert(run.settings, Settings).baselines == "missing":
        stand_ins = {arm.name: _served_as(run, arm) for arm in run.baselines}
    return Joined(baselines.samples(ledger, cells), stand_ins, baselines.routers(run)), cells


def _served_as(run: Run, arm: Arm) -> set[str]:
    return {name for name, slug in run.asked_as.items() if slug == arm.model}


def folded(ledger: Ledger, beside: Callable[[Judged], None] | None = None) -> Fold:
    """Fold all that the journal tells of a run; ``beside`` is told of each trial, too, in plan order."""
    from routemark.analysis.summary import Fold  # noqa: PLC0415 - many modules, none wanted before the first request

    fold = Fold()
    for judged in ledger.judged():
        fold.add(*judged)
        if beside is not None:
            beside(judged)
    for judged in ledger.confirmations():
        fold.add_confirmation(judged.question, judged.outcome, judged.grade)
    fold.add_costs(ledger.costs_beside())
    return fold


# --------------------------------------------------------------------------- the oracle's confirmation


class Confirmation:
    """Asks each question's best right model afresh: a repeat more than the run has, in a session of its own."""

    def __init__(self, made_of: Plan, ledger: Ledger) -> None:
        """Choose by the grades that the journal holds."""
        self._plan = made_of
        self._ledger = ledger
        table, whom = folded(ledger).to_confirm(ledger.run, joined_of(ledger)[0])
        place = table.places(ledger.questions.ids())
        choice = np.full(len(place), NOTHING)
        if whom is not None:
            choice = np.where(place >= 0, np.append(whom.choice, NOTHING)[place], NOTHING)
        self._arms: list[Arm] = [] if whom is None else whom.arms
        self._places = [
            Place(index, int(choice[index]), ledger.run.repeats, position // ledger.run.window)
            for position, index in enumerate(ledger.order.tolist())
            if choice[index] != NOTHING
        ]

    def __len__(self) -> int:
        """Give the number of questions to confirm, those confirmed before included."""
        return len(self._places)

    def trials(self) -> Iterator[Trial]:
        """Yield what the journal lacks, in plan order."""
        lacking = (place for place in self._places if not self._ledger.confirmed[place.question])
        made_of: Any = msgspec.structs.replace(self._plan, arms=self._arms)
        return plan.trials(made_of, self._ledger.questions, lacking)
