"""Measures a judge against labelled answers: `routemark grade --calibrate FILE`.

The judge sees labelled answers (see `questions.labelled`) as it sees the answers of a run: the same prompts, both
orders of a pair, the same rules for reading a verdict, the same budget.
"""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

import msgspec
import numpy as np

from routemark.analysis.stats import agreement
from routemark.config import Settings
from routemark.engine.judging import Judge
from routemark.errors import SettingsError
from routemark.gateway.process import gateway_for
from routemark.graders.judge import Compared, Rated, compare, rate
from routemark.graders.verdicts import scale_of
from routemark.journal import Journal
from routemark.judge import open_judge
from routemark.prepare import judge_arm, require_key
from routemark.questions.labelled import WINNERS, Labelled, read_labels
from routemark.records import Calibration

_NO_JUDGE = (
    "--calibrate: no judge is set. Name one in routemark.toml:\n\n"
    '  [judge]\n  model = "openai/gpt-5-mini"\n\nNothing was sent.'
)


# --------------------------------------------------------------------------- asking


class Verdict(NamedTuple):
    """A row with what the judge said of it."""

    row: Labelled
    said: Rated | Compared

    @property
    def code(self) -> int | None:
        """Level, or index of the winner; None when there is no verdict."""
        if isinstance(self.said, Rated):
            return self.said.level
        score = self.said.score_a
        return None if score is None else {1.0: 0, 0.0: 1, 0.5: 2}[score]


async def calibrate(path: Path, settings: Settings, key: str | None) -> Calibration:
    """Ask the judge of the settings about every row of a file, and hold its verdicts against the labels.

    Raises: UsageError for a faulty file or settings, RunError when the prices for its budget cannot be had.
    """
    if settings.judge is None:
        raise SettingsError(_NO_JUDGE)
    judge_arm(settings.judge)
    rows = read_labels(path)
    asked = msgspec.structs.replace(settings, base_url=settings.judge.base_url or settings.base_url)
    async with _judge(asked, rows, require_key(asked, key)) as judge:
        verdicts = await asyncio.gather(*(_verdict(judge, row) for row in rows))
    return measured(settings.judge.model, verdicts, judge)


@contextlib.asynccontextmanager
async def _judge(settings: Settings, rows: Sequence[Labelled], key: str | None) -> AsyncIterator[Judge]:
    """Give the judge, with a journal that lasts as long as the calibration."""
    with tempfile.TemporaryDirectory() as folder, Journal(Path(folder) / "journal.jsonl") as journal:
        questions = [row.question for row in rows]
        async with (
            gateway_for(settings) as base_url,
            open_judge(settings, questions, journal, base_url=base_url, key=key) as judge,
        ):
            assert judge is not None
            yield judge


async def _verdict(judge: Judge, row: Labelled) -> Verdict:
    tool = judge.tool(f"{row.line:024x}")

    def work() -> Rated | Compared:
        if len(row.answers) == 1:
            return rate(tool, row.question, row.answers[0], row.options)
        return compare(tool, row.question, row.answers[0], row.answers[1], row.options)

    said = await judge.run(work)
    assert said is not None  # only who leaves the judge is left without
    return Verdict(row, said)


# --------------------------------------------------------------------------- measuring


def measured(model: str, verdicts: Sequence[Verdict], judge: Judge) -> Calibration:
    """Give the figures of all verdicts."""
    mode: Literal["rubric", "pairwise"] = "rubric" if isinstance(verdicts[0].said, Rated) else "pairwise"
    known = [one for one in verdicts if one.code is not None]
    low, high = scale_of(verdicts[0].row.options) if mode == "rubric" else (0, len(WINNERS) - 1)
    labels = np.array([one.row.label - low for one in known], dtype=np.int64)
    codes = np.array([(one.code or 0) - low for one in known], dtype=np.int64)
    table = agreement.confusion(labels, codes, high - low + 1)
    graded = mode == "rubric" and len(table) > 2
    return Calibration(
        simulated=judge.simulated,
        judge=model,
        served=sorted({one.said.judged.model for one in verdicts if one.said.judged is not None}),
        mode=mode,
        n=len(verdicts),
        judged=len(known),
        not_judged=agreement.share(len(verdicts) - len(known), len(verdicts)),
        reasons=dict(Counter(one.said.reason for one in verdicts if one.code is None).most_common()),
        agreement=agreement.share(int(np.trace(table)), len(known)),
        kappa=agreement.kappa(table),
        kappa_quadratic=agreement.kappa(table, agreement.quadratic(len(table))) if graded else None,
        levels=[str(level) for level in range(low, high + 1)] if mode == "rubric" else list(WINNERS),
        confusion=table.tolist(),
        asked=judge.asked,
        cost_usd=judge.cost_usd,
        **(_leanings(known) if mode == "pairwise" else _error_with_length(known)),
    )


def _leanings(known: Sequence[Verdict]) -> dict[str, Any]:
    """Give the figures that only pairs have."""
    orders = [one.said.orders for one in known if isinstance(one.said, Compared) and one.said.orders]
    score = {0: 1.0, 1: 0.0, 2: 0.5}
    judged = np.array([score[one.code or 0] for one in known])
    labels = np.array([score[one.row.label] for one in known])
    lengths = np.array([[len(answer) for answer in one.row.answers] for one in known], dtype=np.float64)
    return {
        "orders_disagree": agreement.orders_disagree(orders),
        "first_preferred": agreement.first_preferred(orders),
        "prefers_longer": agreement.prefers_longer(judged, labels, lengths.reshape(-1, 2)),
        "error_with_length": None,
    }


def _error_with_length(known: Sequence[Verdict]) -> dict[str, Any]:
    """Give the figure that only answers with a level have."""
    errors = np.array([(one.code or 0) - one.row.label for one in known], dtype=np.float64)
    lengths = np.log([len(one.row.answers[0]) for one in known])
    return {
        "orders_disagree": None,
        "first_preferred": None,
        "prefers_longer": None,
        "error_with_length": agreement.correlation(lengths, errors),
    }
