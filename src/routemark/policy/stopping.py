"""When one failed trial ends the whole run, because to go on would waste requests or lose answers.

Pure: outcomes, times and what the client has heard are handed in; a sentence for people comes back.
"""

from __future__ import annotations

from collections.abc import Collection

from routemark.errors import FailureKind, rule
from routemark.policy.free import is_free
from routemark.policy.retry import NEVER_REACHED
from routemark.records import Arm, Failure, Outcome, Trial

NOT_SERVED = frozenset({FailureKind.UNKNOWN_MODEL, FailureKind.MODEL_GONE})
NOT_SERVED_SO = NOT_SERVED | {FailureKind.NO_ENDPOINT}
"""Also when only the settings leave nobody to serve the model."""
UNKNOWN_IN_A_ROW = 3
"""So many trials of an arm that was never answered are told that there is no such model."""


class Unserved:
    """Counts the trials of each arm that find no such model, as long as it was never answered."""

    def __init__(self, kinds: Collection[str] = NOT_SERVED) -> None:
        """``kinds``: failure kinds that say so."""
        self._kinds = kinds
        self._answered: set[str] = set()
        self._unknown: dict[str, int] = {}
        """Arm -> trials in a row that were told that there is no such model."""

    def after(self, outcome: Outcome) -> int:
        """Take an outcome; give the number of the arm's trials in a row once it is enough to give it up, else 0."""
        if outcome.failure is None:
            self._answered.add(outcome.arm)
            return 0
        in_a_row = self._unknown.get(outcome.arm, 0) + 1 if outcome.failure.kind in self._kinds else 0
        self._unknown[outcome.arm] = in_a_row
        return in_a_row if in_a_row >= UNKNOWN_IN_A_ROW and outcome.arm not in self._answered else 0


class StopRules:
    """Looks at every outcome and says why the run must end, if it must."""

    def __init__(self, where: str) -> None:
        """``where``: the gateway, for the sentence about one that cannot be reached."""
        self.unknown_slug: str | None = None
        """The slug that ended the run because the gateway does not serve it."""
        self.expendable: set[str] = set()
        """Names of arms that may turn out not to be served without ending the run."""
        self._where = where
        self._unserved = Unserved()

    def after(self, trial: Trial, outcome: Outcome, *, begun: float, heard_at: float) -> str | None:
        """Give the reason to stop after an outcome, a sentence; None to go on.

        ``begun``: when the trial was taken up; ``heard_at``: when the client last got a response, of
        whatever kind, to any request of the run. Both in monotonic seconds.
        """
        unserved = self._unserved.after(outcome)
        failure = outcome.failure
        if failure is None:
            return None
        if rule(failure.kind).stops_run:
            return f"{rule(failure.kind).advice} The gateway said: {failure.message}"
        if failure.kind in NEVER_REACHED and heard_at < begun:
            return (
                f"The gateway cannot be reached at {self._where}: {failure.message}. "
                "Check the network, proxy, certificates and --base-url, then resume."
            )
        if _is_spent_allowance(trial.arm, outcome, failure):
            return free_is_spent(f" The gateway said: {failure.message}")
        if not unserved or trial.arm.name in self.expendable:
            return None
        self.unknown_slug = outcome.picked or trial.arm.model
        return (
            f"The gateway does not serve {self.unknown_slug} (arm {trial.arm.name}): {unserved} trials in a row were "
            f"told so and none was answered. The gateway said: {failure.message}"
        )


def free_is_spent(said: str = "") -> str:
    """Give the sentence about a day's allowance that is used up."""
    return (
        "The day's allowance of requests to :free models is used up; it is renewed at midnight UTC: "
        f"resume then, or buy credit to raise it.{said}"
    )


def _is_spent_allowance(arm: Arm, outcome: Outcome, failure: Failure) -> bool:
    """Tell a free model's limit of the day: the platform's, and longer than any trial can wait."""
    return (
        failure.kind == FailureKind.RETRY_AFTER_TOO_LONG
        and is_free(arm)
        and outcome.attempts[-1].kind == FailureKind.RATE_LIMIT_PLATFORM
    )
