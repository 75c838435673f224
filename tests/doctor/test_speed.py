"""`doctor --speed`: what is said of measurements, and a measurement over a real socket."""

import asyncio
import math
from collections.abc import Iterator

import pytest

from routemark.doctor import speed
from routemark.doctor.findings import Finding
from routemark.doctor.speed import Rate, Shown, found, measure
from routemark.report.doctor import render

RATE = Rate(5_000.0, 0.2)


def shown(**above: float) -> list[Shown]:
    return [Shown(int(name[1:]), 0.2 * (1 + share), 0.2) for name, share in above.items()]


def test_the_ceiling_is_the_most_in_flight_that_is_within_five_percent() -> None:
    rate, latency = found(RATE, shown(n1=0.001, n100=0.01, n300=0.04, n1000=0.2))
    assert "5,000 requests a second, 0.2 ms" in rate.message
    assert latency.status == "ok"
    assert "within 5 % up to 300 requests" in latency.message
    assert "1,000: +20.0 %" in latency.message


@pytest.mark.parametrize("above", [{"n1": 0.2}, {"n1": 0.01, "n30": 0.02, "n100": 0.06}])
def test_a_ceiling_below_the_default_pace_is_a_warning(above: dict[str, float]) -> None:
    latency = list(found(RATE, shown(**above)))[1]
    assert latency.status == "warning"
    assert "--concurrency" in latency.advice


def test_it_is_measured_against_what_the_server_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speed, "IN_FLIGHT", (2,))
    monkeypatch.setattr(speed, "SECONDS", 0.2)
    monkeypatch.setattr(speed, "DELAY_S", 0.05)
    taken: list[Shown] = []

    def keep(rate: Rate, at: list[Shown]) -> Iterator[Finding]:
        taken.extend(at)
        return found(rate, at)

    monkeypatch.setattr(speed, "found", keep)
    examination = asyncio.run(measure("pyreqwest"))
    assert [one.in_flight for one in taken] == [2]
    assert 0.05 <= taken[0].true <= taken[0].shown < math.inf
    assert "requests a second" in render(examination)
