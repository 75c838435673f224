"""The models that were picked and are asked directly, as manifest and journal tell of them.

`replay` closes the windows of a run again, in their order, and so comes to the same cells as the run itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache

import msgspec
import numpy as np

from routemark.config import Settings
from routemark.policy import plan
from routemark.policy.baselines import Cells, Pick
from routemark.records import Arm, Run
from routemark.rundir import Ledger
from routemark.wire.arms import may_pick


def arm_for(run: Run, router: Arm, served: str) -> str | None:
    """Give the name of the arm that joined to ask a model that served a router; None without one."""
    slug = run.asked_as.get(served)
    if slug is None or served in run.unaskable:
        return None
    return next((arm.name for arm in run.baselines if arm.model == slug and arm.body == router.body), None)


def new_cells(ledger: Ledger) -> Cells | None:
    """Give what decides about direct cells, with no window closed; None when the run asks for none."""
    run = ledger.run
    mode = msgspec.convert(run.settings, Settings).baselines
    if mode is None:
        return None
    keys = np.fromiter((plan.order_key(run.seed, name) for name in ledger.questions.ids()), dtype=np.uint64)
    keys = keys[ledger.order][: run.originals]
    return Cells(keys, window=run.window, repeats=run.repeats, mode=mode, seed=run.seed)


def served_in(ledger: Ledger, start: int, end: int) -> Iterator[tuple[int, int, str]]:
    """Yield (arm, position, model that served) of the routers' answers at positions ``start`` to ``end``."""
    questions = ledger.order[start:end]
    names = ledger.models
    for arm in routers(ledger.run):
        codes = np.where(ledger.finished[questions, arm], ledger.served[questions, arm], -1)
        for place, repeat in np.argwhere(codes >= 0).tolist():
            yield arm, start + place, names[codes[place, repeat]]


def routers(run: Run) -> list[int]:
    """Give the indices of the planned arms whose picks are followed."""
    return [index for index, arm in enumerate(run.arms) if may_pick(arm)]


def left_in_windows(ledger: Ledger, cells: Cells) -> list[int]:
    """Give how many trials of the routers are left in each window."""
    questions = ledger.order[: ledger.run.originals]
    left = (~ledger.finished[questions][:, routers(ledger.run)]).sum(axis=(1, 2))
    starts = [cells.bounds(window)[0] for window in range(cells.windows)]
    return [int(count) for count in np.add.reduceat(left, starts)]


def replay(ledger: Ledger) -> Cells | None:
    """Close again the windows that are finished, all of a complete run; None without ``--baselines``."""
    cells = new_cells(ledger)
    if cells is None:
        return None
    complete = ledger.run.status == "complete"
    name = picked_by(ledger.run)
    for left in left_in_windows(ledger, cells):
        if left and not complete:
            break
        answers = served_in(ledger, *cells.bounds(cells.closed))
        cells.close(Pick(arm, position, name(arm, served)) for arm, position, served in answers)
    return cells


def picked_by(run: Run) -> Callable[[int, str], str | None]:
    """Give `arm_for` by the router's index, remembering what it said."""
    return cache(lambda router, served: arm_for(run, run.arms[router], served))


def lacking(ledger: Ledger) -> bool:
    """Tell whether a run still has planned trials, or direct cells, to ask."""
    if not ledger.finished[:, : len(ledger.run.arms)].all():
        return True
    cells = replay(ledger)
    if cells is None:
        return False
    questions = ledger.order[: ledger.run.originals]
    asked = enumerate(ledger.run.baselines, start=len(ledger.run.arms))
    return any(not ledger.finished[questions[cells.due(arm.name)], index].all() for index, arm in asked)


def samples(ledger: Ledger, cells: Cells) -> dict[str, list[str]]:
    """Give, by arm, the ids of the random sample of questions, where not all of them were asked."""
    ids = list(ledger.questions.ids()) if ledger.run.baselines else []
    questions = ledger.order[: ledger.run.originals]
    sampled = {arm.name: cells.sampled(arm.name) for arm in ledger.run.baselines}
    return {
        name: [ids[index] for index in questions[at].tolist()] for name, at in sampled.items() if not at.all()
    }
