"""What a difference needs and what stopping early saves, foreseen."""

import pytest

from routemark.analysis.stopping.sequential import Design
from routemark.policy.detect import detection, savings
from routemark.report import detect as words


def test_questions_and_dollars_at_each_discordance():
    found = detection(0.05, 360, (9.0, 36.0), measured=0.18)
    assert [(one.discordance, one.tell, one.not_worse) for one in found.needs[:4]] == [
        (0.10, 312, 314), (0.15, 469, 471), (0.20, 626, 628), (0.30, 940, 942),
    ]  # fmt: skip
    assert found.needs[1].cost_tell_usd == pytest.approx((9 * 469 / 360, 36 * 469 / 360))
    assert found.needs[1].detectable == pytest.approx(0.057, abs=6e-4)
    assert [one.measured for one in found.needs] == [False] * 4 + [True]
    assert found.needs[4].discordance == 0.18


def test_a_difference_as_large_as_the_discordance_is_impossible():
    found = detection(0.10, 360, None)
    assert found.needs[0].tell is None
    assert found.needs[1].tell == 116
    assert found.needs[1].cost_tell_usd is None
    shown = "\n".join(words.detection(found, 80))
    assert "n/a" in shown


def test_above_20_000_questions_the_text_says_so():
    assert "above 20,000" in "\n".join(words.detection(detection(0.005, 360, None), 80))


def test_savings_are_nil_near_the_margin_and_large_above_twice():
    found = savings(Design("closed", "population", 0.03, 360), (10.0, 20.0))
    by_difference = {round(world.difference, 2): world for world in found.worlds}
    assert list(by_difference) == [0.0, 0.03, 0.06, 0.09, 0.15]
    assert by_difference[0.03].questions > 350
    assert by_difference[0.15].questions < 130
    assert by_difference[0.15].early == 1.0
    saved = by_difference[0.15].saved_usd
    assert saved == pytest.approx((10 * (360 - by_difference[0.15].questions) / 360, saved[0] * 2))
    assert (found.discordance, found.measured) == (0.15, False)


def test_savings_use_what_was_measured():
    found = savings(Design("open", "population", 0.05, 200), None, measured=0.08)
    assert (found.discordance, found.measured) == (0.08, True)
    assert [world.difference for world in found.worlds] == [0.0, 0.05]
    assert found.worlds[0].saved_usd is None


@pytest.mark.parametrize("width", [60, 80])
def test_the_text_fits(width):
    found = [
        *words.detection(detection(0.03, 1_080, (123.0, 4_567.0), 0.2), width),
        *words.savings(savings(Design("closed", "population", 0.03, 100), (1.0, 2.0)), width),
    ]
    assert max(len(line) for block in found for line in block.split("\n")) <= width
