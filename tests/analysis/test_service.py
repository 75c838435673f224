"""Failed calls and slow answers of a router beside a fixed model; histograms of times."""

import numpy as np
import pytest

from analysis.worlds import answer, failure, grade, question, run, summarise
from routemark.analysis.spreads import PER_DECADE, histogram
from routemark.analysis.stats.intervals import bonett_price

R, A, B = "openrouter/auto", "m/a", "m/b"


def trials(n: int = 60):
    draw = np.random.default_rng(5)
    slow = {R: 1.0, A: 2.0, B: 0.5}
    for i in range(n):
        for arm in (R, A, B):
            if arm == A and i < 6:
                yield question(f"q{i}"), failure(arm, f"q{i}"), None
            else:
                taken = float(slow[arm] * draw.lognormal(0, 0.3))
                yield (
                    question(f"q{i}"),
                    answer(arm, f"q{i}", latency_s=taken),
                    grade(float(arm == A or i % 2)),
                )


def test_the_router_stands_beside_the_best_fixed_model():
    found = summarise(list(trials()), run(R, A, B, routers=[R], questions=60)).service
    assert (found.arm, found.baseline, found.n, found.latency_n) == (R, A, 60, 54)
    assert found.failed_difference == pytest.approx(-0.1)
    assert found.failed_ci95 == pytest.approx(bonett_price(0, 6, 60))
    assert found.latency_p90_difference_s == found.latency_p90_s - found.baseline_latency_p90_s
    assert found.latency_p90_ci95_s[0] < found.latency_p90_difference_s < found.latency_p90_ci95_s[1] < 0


def test_the_baseline_of_the_user_goes_first_and_too_few_have_no_interval():
    manifest = run(R, A, B, routers=[R], questions=60)
    assert summarise(list(trials()), manifest, baseline=B).service.baseline == B
    few = summarise(list(trials(12)), run(R, A, B, routers=[R], questions=12)).service
    assert few.latency_p90_ci95_s is None
    assert few.latency_p90_difference_s is not None
    assert summarise(list(trials()), run(R, A, B, questions=60)).service is None, "without a router"


def test_a_histogram_counts_every_known_time_in_its_bin():
    values = np.array([0.001, 0.01, 0.0099999, 0.5, 0.5001, 30.0, np.nan])
    found = histogram(values)
    assert sum(found.counts) == 6
    edges = 10 ** ((found.first + np.arange(len(found.counts) + 1)) / PER_DECADE)
    expected, _ = np.histogram(values[:-1], edges * (1 - 1e-9))
    assert found.counts == expected.tolist()
    assert histogram(np.array([np.nan])) is None
    assert histogram(np.array([0.0])).counts == [1]
