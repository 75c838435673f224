"""Which questions are put directly to the models that the routers picked: state in, decision out.

Windows of the plan are closed in their order, each once all trials of the routers in it have ended, and what
is due follows from the picks of the closed windows alone: so it does not hang on who answered first, and a
resumed run, which closes the same windows again, comes to the same cells.

A model that makes at least `RARE` of some router's answers so far is put every question of the closed windows,
earlier ones included. A rarer one, picked with share s, is put a random max(30, ceil(n sqrt(s / 0.05))) of all
n questions and, with ``picked``, the questions on which it was picked. While the run goes on, s counts the
picks so far over all trials of the router, which it can only exceed: nothing is asked in vain but the windows
of a model that looked frequent for a while. The sample hangs on question, model and seed, not on the picks, so
its mean is unbiased.

With ``missing``, what a router's own call has answered is not asked again.
"""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

Mode = Literal["picked", "missing"]
Bools = npt.NDArray[np.bool_]
Positions = npt.NDArray[np.int64]
Keys = npt.NDArray[np.uint64]

RARE = 0.05
"""Share of a router's answers below which a model is only sampled."""
LEAST_SAMPLE = 30
"""Questions."""


class Pick(NamedTuple):
    """One answer of a router."""

    router: int
    """Any number for the router's arm."""
    position: int
    """Of the question in plan order."""
    model: str | None
    """The arm that asks the model directly; None when there is nobody to ask, or the plan asks it anyway."""


class Due(NamedTuple):
    """Questions that are to be put to a model now."""

    model: str
    positions: Positions
    """In plan order, rising."""


def sample_size(questions: int, share: float) -> int:
    """Give how many questions are put to a model with that share of a router's answers, below `RARE`."""
    # a product that is whole in exact arithmetic must not be rounded up
    wanted = math.ceil(questions * math.sqrt(share / RARE) - 1e-9)
    return min(questions, max(LEAST_SAMPLE, wanted))


def ranks(keys: Keys, model: str, seed: int) -> npt.NDArray[np.uint32]:
    """Give each question's place (n,) in the model's own random order: its sample of size k are those below k.

    ``keys``: 64 random bits of each question (see `plan.order_key`); the model's bits are mixed into them by the
    finalizer of SplitMix64 (Steele, Lea and Flood 2014).
    """
    digest = hashlib.blake2b(model.encode(), digest_size=8, key=f"sample:{seed}".encode()[:64]).digest()
    mixed = keys ^ np.uint64(int.from_bytes(digest, "big"))
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed ^= mixed >> np.uint64(31)
    places = np.empty(len(keys), dtype=np.uint32)
    places[np.argsort(mixed, kind="stable")] = np.arange(len(keys), dtype=np.uint32)
    return places


class _Model:
    """What is known of one model, and what was called due."""

    def __init__(self, places: npt.NDArray[np.uint32]) -> None:
        self.places = places
        self.due: Bools = np.zeros(len(places), dtype=bool)
        self.live: Bools = np.zeros(len(places), dtype=bool)
        """Answered by a router's own call, and not to be asked (``missing`` only)."""
        self.picks: Counter[int] = Counter()
        """Router -> answers that came from this model."""
        self.frequent = False
        """At the latest closing."""
        self.size = 0
        """Of the sample, while it is rare."""
        self.whole_to = 0
        """All positions below were due, or live, when it was frequent."""

    def call(self, positions: Positions) -> Positions:
        """Mark as due; give those that were not yet."""
        fresh = positions[~(self.due[positions] | self.live[positions])]
        self.due[fresh] = True
        return fresh


class Cells:
    """Decides, window by window, which (question, model) cells are asked directly."""

    def __init__(self, keys: Keys, *, window: int, repeats: int, mode: Mode, seed: int) -> None:
        """Take 64 random bits of each question (n,) in plan order, and the size of a window of questions."""
        self.closed = 0
        """Number of windows closed."""
        self._keys = keys
        self._window = window
        self._trials = len(keys) * repeats
        self._missing = mode == "missing"
        self._seed = seed
        self._answers: Counter[int] = Counter()
        self._models: dict[str, _Model] = {}

    @property
    def windows(self) -> int:
        """Number of windows in all."""
        return -(-len(self._keys) // self._window)

    @property
    def total(self) -> int:
        """Number of cells called due so far."""
        return sum(int(np.count_nonzero(model.due)) for model in self._models.values())

    def bounds(self, window: int) -> tuple[int, int]:
        """Give the positions of a window: from, up to."""
        start = window * self._window
        return start, min(start + self._window, len(self._keys))

    def due(self, model: str) -> Bools:
        """Give the positions (n,) at which a model was called due so far."""
        known = self._models.get(model)
        return np.zeros(len(self._keys), dtype=bool) if known is None else known.due

    def sampled(self, model: str) -> Bools:
        """Give the positions (n,) that may go into a model's mean: of a rare model its sample, else all."""
        known = self._models.get(model)
        if known is None or known.frequent:
            return np.ones(len(self._keys), dtype=bool)
        return np.less(known.places, known.size)

    def close(self, picks: Iterable[Pick]) -> list[Due]:
        """Close the next window with the routers' answers in it; give what has become due."""
        start, end = self.bounds(self.closed)
        self.closed += 1
        picked: dict[str, list[int]] = {}
        for router, position, name in picks:
            self._answers[router] += 1
            if name is not None:
                self._known(name).picks[router] += 1
                picked.setdefault(name, []).append(position)
        found = []
        for name, model in self._models.items():
            own = np.array(sorted(set(picked.get(name, ()))), dtype=np.int64)
            positions = self._called(model, own, start, end)
            if len(positions):
                found.append(Due(name, positions))
        return found

    def _known(self, name: str) -> _Model:
        if name not in self._models:
            self._models[name] = _Model(ranks(self._keys, name, self._seed))
        return self._models[name]

    def _called(self, model: _Model, own: Positions, start: int, end: int) -> Positions:
        """Call due what a model is asked once the window ``start`` to ``end``, picked at ``own``, is closed."""
        if self._missing:
            model.live[own] = True
        model.frequent = max(count / self._answers[router] for router, count in model.picks.items()) >= RARE
        if model.frequent:
            wanted = [np.arange(model.whole_to, end)]
            model.whole_to = end
        else:
            before = model.size
            model.size = max(before, self._sample_size(model, last=end == len(self._keys)))
            grown = np.flatnonzero(model.places[:start] < model.size) if model.size > before else own[:0]
            wanted = [grown, start + np.flatnonzero(model.places[start:end] < model.size), own]
        return model.call(np.unique(np.concatenate(wanted)))

    def _sample_size(self, model: _Model, *, last: bool) -> int:
        """Give the size that the model's sample has at least; with the last window, the one it has."""
        share = max(
            count / (self._answers[router] if last else self._trials) for router, count in model.picks.items()
        )
        return sample_size(len(self._keys), share)


def expected_cells(questions: int, shares: Sequence[float], mode: Mode) -> int:
    """Give how many cells become due when a router picks models with these shares, the same in every window."""
    total = 0.0
    for share in shares:
        sample = questions if share >= RARE else sample_size(questions, share)
        asked = sample + (questions - sample) * share if mode == "picked" else sample * (1 - share)
        total += asked
    return round(total)
