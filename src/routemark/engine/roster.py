"""The roster: which arm asks a picked model directly. New arms stand in the manifest before they are asked."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Protocol

import msgspec

from routemark.baselines import arm_for
from routemark.records import Arm, Run
from routemark.wire.arms import direct_arm, is_direct
from routemark.wire.slugs import Slugs

Admit = Callable[[Arm], Awaitable[str | None]]
"""Makes ready for an arm's requests; gives why it cannot be asked, a clause, or None."""


class Manifest(Protocol):
    """The manifest of a run under way."""

    run: Run

    def update(self, **changes: Any) -> None:
        """Change fields and write the file."""


class Roster:
    """Finds, or makes, the arm for each model that is picked."""

    def __init__(self, manifest: Manifest, slugs: Slugs, admit: Admit) -> None:
        self._manifest = manifest
        self._slugs = slugs
        self._admit = admit
        self._known: set[tuple[str, str]] = set()
        """(router, name under which a model served)."""

    @property
    def run(self) -> Run:
        """The manifest as it is now."""
        return self._manifest.run

    def name_for(self, router: Arm, served: str) -> str | None:
        """Give the arm that joined for a model; None where nobody is asked for it, or a planned arm is."""
        return arm_for(self.run, router, served)

    def arm(self, name: str) -> Arm | None:
        """Give an arm that joined, unless it was given up."""
        return next((arm for arm in self.run.baselines if arm.name == name), None)

    async def join(self, picked: Iterable[tuple[Arm, str]]) -> None:
        """Let the models that served routers join; the manifest is written before any of them is asked."""
        before = self.run
        run = before
        for router, served in picked:
            if (router.name, served) not in self._known:
                self._known.add((router.name, served))
                run = await self._joined(run, router, served)
        if run != before:
            self._manifest.update(baselines=run.baselines, asked_as=run.asked_as, unaskable=run.unaskable)

    def give_up(self, name: str, why: str) -> None:
        """Take an arm off again that turned out not to be served; its outcomes count for nothing."""
        gone = self.arm(name)
        if gone is None:
            return
        names = [served for served, slug in self.run.asked_as.items() if slug == gone.model]
        self._manifest.update(
            baselines=[arm for arm in self.run.baselines if arm is not gone],
            unaskable={**self.run.unaskable, **dict.fromkeys(names, why)},
        )

    async def _joined(self, run: Run, router: Arm, served: str) -> Run:
        """Give the manifest with the arm for a model, with why there is none, or as it is."""
        if served in run.unaskable:
            return run
        slug = run.asked_as.get(served) or self._slugs.of(served)
        if slug is None:
            return _without(run, served, "the gateway lists no such model")
        run = msgspec.structs.replace(run, asked_as={**run.asked_as, served: slug})
        if self._is_asked(run, router, slug):
            return run
        arm = direct_arm(router, slug)
        if arm.name in {other.name for other in run.all_arms}:
            arm = msgspec.structs.replace(arm, name=f"{arm.name} (direct)")
        why = await self._admit(arm)
        if why is not None:
            return _without(run, served, why)
        return msgspec.structs.replace(run, baselines=[*run.baselines, arm])

    def _is_asked(self, run: Run, router: Arm, slug: str) -> bool:
        """Tell whether some arm asks the model already, with the router's other settings."""
        return any(
            is_direct(arm, router) and slug in {arm.model, self._slugs.of(arm.model)} for arm in run.all_arms
        )


def _without(run: Run, served: str, why: str) -> Run:
    return msgspec.structs.replace(run, unaskable={**run.unaskable, served: why})
