"""What an option may add, in words."""

from routemark.policy.forecast import Added
from routemark.report.forecast import added


def test_what_may_be_added_is_told_at_most_and_as_expected() -> None:
    what = Added(
        option="--baselines picked",
        trials_most=7_200,
        trials_expected=1_800,
        cost_worst_usd=1_406.0,
        cost_expected_usd=(0.18, 42.7),
        expected_from="assumed",
    )
    assert added(what) == (
        "--baselines picked adds 7,200 trials at most, $1,406 at worst: every model within the routers' reach, "
        "all questions. Expected: 1,800 trials, $0.18 to $42.70, if a router picks 5 models, whichever."
    )


def test_what_nobody_can_foresee_is_told_with_the_reason() -> None:
    what = Added(
        option="--confirm-oracle",
        trials_most=None,
        trials_expected=None,
        cost_worst_usd=None,
        cost_expected_usd=None,
        expected_from=None,
        note="no prices.",
    )
    assert added(what) == "--confirm-oracle adds trials that nobody can foresee: no prices."
