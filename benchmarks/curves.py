"""How cost grows: with trials, requests in flight, length of the answer, chunks of a stream, and arms.

`python -m benchmarks.curves [CURVE ...] [--repeats N] [--picture FILE.svg]` prints a table for each and draws them.
The server answers at once; everything but what a curve is about stays as it is. CPU is the asking's own.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from benchmarks import machine
from benchmarks.machine import Phases, ours, questions, server


class Point(NamedTuple):
    """One place on a curve, medians of its repeats."""

    x: int
    trials: int
    ask_ms: float
    """CPU of asking, grading and journal, a trial."""
    write_s: float
    """CPU of summary, results.json and report.html, a run."""
    rss_mb: float
    rate: float
    """Trials a second while asking."""


def run(trials: int, in_flight: int = 100, *, arms: int = 1, stream: bool = False, **served: float) -> Phases:
    """Ask so many trials once; the arms share them."""
    others = [part for arm in range(1, arms) for part in ("-m", f"bench/model-{arm}")]
    flags = ["--stream" if stream else "--no-stream", "-j", str(in_flight), "--fixed-concurrency", *others]
    with tempfile.TemporaryDirectory() as name, server(**served) as url:
        done = ours(Path(name), url, questions(Path(name) / "q.jsonl", trials // arms), *flags)
    assert done.results["summary"]["succeeded"] == trials, "not every trial was answered"
    return done


class Curve(NamedTuple):
    """What grows, over which values, and how a point is run."""

    title: str
    values: tuple[int, ...]
    trials: Callable[[int], int]
    run: Callable[[int], Phases]


def _fewer(answer_bytes: int) -> int:
    return 2_000 if answer_bytes <= 10_000 else 200


CURVES = {
    "trials": Curve("trials", (500, 2_000, 8_000, 32_000), lambda n: n, run),
    "in-flight": Curve("requests in flight", (1, 10, 100, 1_000), lambda _: 4_000, lambda n: run(4_000, n)),
    "answer": Curve(
        "bytes of an answer",
        (100, 1_000, 10_000, 100_000, 1_000_000),
        _fewer,
        lambda n: run(_fewer(n), answer_bytes=n),
    ),
    "chunks": Curve(
        "chunks of a stream, a write each",
        (1, 10, 50, 200),
        lambda _: 1_000,
        lambda n: run(1_000, stream=True, chunks=n, answer_bytes=max(17, 5 * n), gap=0.001),
    ),
    "arms": Curve("arms", (1, 2, 4, 8), lambda n: 500 * n, lambda n: run(500 * n, arms=n)),
}


def measure(curve: Curve, repeats: int) -> list[Point]:
    """Run every point, then all again; give medians."""
    runs = [(x, curve.run(x)) for _ in range(repeats) for x in curve.values]
    return [point(x, curve.trials(x), [done for value, done in runs if value == x]) for x in curve.values]


def point(x: int, trials: int, runs: list[Phases]) -> Point:
    """Put the repeats of one place together."""
    return Point(
        x=x,
        trials=trials,
        ask_ms=median(one.ask_cpu_s + one.children_cpu_s for one in runs) / trials * 1e3,
        write_s=median(one.write_cpu_s for one in runs),
        rss_mb=median(one.rss_mb for one in runs),
        rate=median(trials / one.ask_wall_s for one in runs),
    )


def table(title: str, points: list[Point]) -> str:
    """Give the table of a curve in Markdown."""
    head = f"| {title} | trials | CPU ms a trial | trials a second | CPU s of summary and files | peak MB |"
    return "\n".join(
        [
            head,
            "|---" * 6 + "|",
            *(
                f"| {one.x:,} | {one.trials:,} | {one.ask_ms:.3f} | {one.rate:,.0f} | {one.write_s:.2f} "
                f"| {one.rss_mb:.0f} |"
                for one in points
            ),
        ]
    )


def picture(path: Path, measured: dict[str, list[Point]]) -> None:
    """Draw CPU a trial over what grows, one small chart each."""
    import altair as alt
    import vl_convert

    def chart(name: str, points: list[Point]) -> Any:
        scale = alt.Scale(type="log")
        return (
            alt.Chart(alt.InlineData([{"x": one.x, "ms": one.ask_ms} for one in points]))
            .mark_line(point=True, color="#2f6db3")
            .encode(
                x=alt.X("x:Q", scale=scale, title=CURVES[name].title, axis=alt.Axis(format="~s")),
                y=alt.Y("ms:Q", scale=alt.Scale(domainMin=0), title="CPU ms a trial"),
            )
            .properties(width=210, height=150)
        )

    drawn = alt.concat(*(chart(name, points) for name, points in measured.items()), columns=3)
    path.write_text(vl_convert.vegalite_to_svg(drawn.configure(background="white").to_json()))


def main() -> None:
    """Measure what is named."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.curves", description=__doc__)
    parser.add_argument("curve", nargs="*", metavar="CURVE", help=f"of {', '.join(CURVES)} (all)")
    parser.add_argument("--repeats", type=int, default=3, help="of every point, in turn; medians (3)")
    parser.add_argument("--picture", type=Path, metavar="FILE", help="an SVG of CPU a trial")
    chosen = parser.parse_args()
    if unknown := set(chosen.curve) - set(CURVES):
        parser.error(f"no such curve: {', '.join(sorted(unknown))}")
    print(machine.line())
    measured = {}
    for name in chosen.curve or CURVES:
        measured[name] = measure(CURVES[name], chosen.repeats)
        print(f"\n{table(CURVES[name].title, measured[name])}", flush=True)
    if chosen.picture:
        picture(chosen.picture, measured)


if __name__ == "__main__":
    main()
