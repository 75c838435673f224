"""Progress of a run under way, on standard error: a live panel on a terminal, else plain lines."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from types import TracebackType
from typing import Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from routemark import numbers
from routemark.records import Grade, Outcome, Trial
from routemark.report.clean import clean

REFRESH_PER_SECOND = 4
LINE_EVERY_S = 5.0
BAR_WIDTH = 50
SHOWN = 6
"""Served models and failure kinds named at once."""


class Progress:
    """Counts outcomes and shows them; an Observer of the engine and a context manager."""

    def __init__(  # noqa: PLR0913 - what a progress shows, by name
        self,
        console: Console,
        *,
        total: int,
        done: int,
        in_flight: Callable[[], int],
        to_grade: Callable[[], int] = lambda: 0,
        added: Callable[[], int] = lambda: 0,
    ) -> None:
        """``total``: trials planned; ``added`` tells how many joined them since."""
        self._console = console
        self._planned = total
        self._added = added
        self._before = done
        self._done = done
        self._in_flight = in_flight
        self._to_grade = to_grade
        self._failures: Counter[str] = Counter()
        self._served: Counter[str] = Counter()
        self._cost_usd = 0.0
        self._priced = 0
        self._start = time.monotonic()
        self._over = threading.Event()
        self._printer = threading.Thread(target=self._print_lines, name="progress", daemon=True)
        self._live = (
            Live(
                console=console,
                get_renderable=self._panel,
                refresh_per_second=REFRESH_PER_SECOND,
                transient=True,
            )
            if console.is_terminal
            else None
        )

    def __enter__(self) -> Self:
        if self._live:
            self._live.start()
        else:
            self._printer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live:
            self._live.stop()
        else:
            self._over.set()
            self._printer.join()
        self._print(self._line())

    @property
    def _total(self) -> int:
        return self._planned + self._added()

    def saw(self, trial: Trial, outcome: Outcome, grade: Grade | None) -> None:  # noqa: ARG002 - an Observer
        """Count one outcome."""
        self._done += 1
        if outcome.failure is not None:
            self._failures[outcome.failure.kind] += 1
        if outcome.completion is not None:
            self._served[outcome.completion.model] += 1
        cost_usd = outcome.cost_usd
        if cost_usd is not None:
            self._cost_usd += cost_usd
            self._priced += 1

    def _print_lines(self) -> None:
        """Print a line every few seconds, also while nothing comes back, until it is over."""
        while not self._over.wait(LINE_EVERY_S):
            self._print(self._line())

    def _print(self, line: str) -> None:
        self._console.print(line, highlight=False, markup=False, soft_wrap=True)

    def _figures(self) -> list[str]:
        """Give done/total, in flight, rate, spend with forecast, and answers to grade, in this order."""
        elapsed = max(time.monotonic() - self._start, 1e-9)
        rate = (self._done - self._before) / elapsed
        spend = f"{numbers.usd(self._cost_usd)} spent"
        if self._priced and self._done < self._total:
            left = (self._total - self._done) * self._cost_usd / self._priced
            spend += f", about {numbers.usd(self._cost_usd + left)} in all"
        to_grade, added = self._to_grade(), self._added()
        return [
            f"{numbers.count(self._done)}/{numbers.count(self._total)} trials"
            + (f" ({numbers.count(added)} of them added)" if added else ""),
            f"{self._in_flight()} in flight",
            f"{numbers.plain(rate, 1)}/s",
            spend,
            *([f"{numbers.count(to_grade)} to grade"] if to_grade else []),
        ]

    def _line(self) -> str:
        parts = self._figures()
        if self._failures:
            parts.append("failed: " + _counts(self._failures))
        if self._served:
            parts.append("served: " + _counts(self._served))
        return " | ".join(parts)

    def _panel(self) -> RenderableType:
        bar = Table.grid()
        bar.add_row(ProgressBar(total=max(self._total, 1), completed=self._done, width=BAR_WIDTH))
        lines: list[RenderableType] = [bar, _one_line("asked   " + " | ".join(self._figures()))]
        if self._served:
            lines.append(_one_line("served  " + _counts(self._served)))
        if self._failures:
            lines.append(_one_line("failed  " + _counts(self._failures), style="red"))
        return Group(*lines)


def _one_line(text: str, style: str = "") -> Text:
    return Text(text, style=style, overflow="ellipsis", no_wrap=True)


def _counts(counter: Counter[str]) -> str:
    """Give the most frequent names with their counts, and how many more there are."""
    named = [f"{clean(name)} {numbers.count(count)}" for name, count in counter.most_common(SHOWN)]
    more = len(counter) - len(named)
    return ", ".join(named) + (f", {more} more" if more > 0 else "")
