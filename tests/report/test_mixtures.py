"""The numbers from which the page tells mixtures for any mix of difficulties."""

import msgspec
import pytest

import report_factory as factory
from routemark.report.mixtures import mixtures

LABELS = ["easy", "hard", "opt"]
SUMMARY = factory.charted(factory.make_rows())
RUN = factory.make_run()


def test_they_are_those_of_each_difficulty():
    found = mixtures(RUN, SUMMARY, LABELS)
    assert found["pool"] == list(factory.MODELS)
    hard = SUMMARY.arms["sim/heron-pro"].by_difficulty["hard"]
    assert found["means"]["sim/heron-pro"][1] == (hard.accuracy, hard.cost_per_1k_usd)
    (mix,) = found["mixes"]
    assert mix["short"] == f"same mix as {factory.ROUTER}, at random"
    assert [sum(share.values()) for share in mix["shares"]] == pytest.approx([1, 1, 1])
    assert found["oracle"]["means"] == [(1.0, 1.0), (0.97, 3.0), (0.94, 5.0)]


def test_a_mix_with_a_model_that_was_not_asked_is_left_out():
    arms = {name: arm for name, arm in SUMMARY.arms.items() if name != "sim/heron-pro"}
    found = mixtures(RUN, msgspec.structs.replace(SUMMARY, arms=arms), LABELS)
    assert found["mixes"] == []


def test_without_an_oracle_there_is_no_pool():
    found = mixtures(RUN, msgspec.structs.replace(SUMMARY, oracle=None), LABELS)
    assert (found["pool"], found["oracle"]) == ([], None)
    assert mixtures(RUN, SUMMARY, ["other"])["means"]["sim/heron-pro"] == [None]
