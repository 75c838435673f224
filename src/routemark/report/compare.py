"""Two runs beside each other, for a terminal and as Markdown: what changed, whether that is fair, the figures.

The same blocks make both. Names and sentences hold text of others: it is cleaned, and escaped in Markdown.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec

from routemark import numbers
from routemark.analysis.drift import drift_words
from routemark.errors import RunError, SettingsError
from routemark.files import replaced
from routemark.records import ArmChange, Drift, QuantileChange, RouterDrift, RunSide, StratumDrift
from routemark.report import views
from routemark.report.clean import one_line
from routemark.report.layout import Column, grid
from routemark.report.markdown import escape

SIMULATED = "*** SIMULATED ***"
MAX_MODELS = 15
MAX_MOVES = 8
MAX_STRATA = 15


class Table(NamedTuple):
    """Rows by name."""

    stub: str
    names: list[str]
    columns: list[Column]


class Block(NamedTuple):
    """What stands under one heading."""

    title: str = ""
    said: list[str] = []  # noqa: RUF012 - never written to
    items: list[str] = []  # noqa: RUF012 - never written to
    table: Table | None = None


def render(drift: Drift, width: int = 80) -> str:
    """Give the comparison as lines of at most ``width`` cells, long names aside."""
    return "\n".join(line for block in blocks(drift) for line in _lines(block, width)).lstrip("\n") + "\n"


def markdown(drift: Drift) -> str:
    """Give the comparison for a comment or a page, in GitHub's Markdown."""
    return (
        "\n".join(
            [
                "### Routemark: two runs compared",
                *(line for block in blocks(drift) for line in _marked(block)),
            ]
        )
        + "\n"
    )


def to_json(drift: Drift) -> str:
    """Give the record on one line."""
    return msgspec.json.encode(drift).decode() + "\n"


WRITERS: dict[str, Callable[[Drift], str]] = {".json": to_json, ".md": markdown, ".txt": render}


def check_output(name: str) -> None:
    """Raise SettingsError for a file whose ending is no format of a comparison."""
    if Path(name).suffix not in WRITERS:
        raise SettingsError(f"--output {name}: no such format; use {', '.join(sorted(WRITERS))}.")


def write(path: Path, drift: Drift) -> None:
    """Write the file in the format of its ending; raise RunError when it cannot be written."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replaced(path) as file:
            file.write(WRITERS[path.suffix](drift).encode())
    except OSError as error:
        raise RunError(f"{path}: cannot be written: {error.strerror}. The runs are as they were.") from None


# ----------------------------------------------------------------------------------- what is said


def blocks(drift: Drift) -> Iterator[Block]:
    """Yield what every face of a comparison shows, in order."""
    if drift.simulated:
        yield Block(said=[f"{SIMULATED} {views.SIMULATED}"])
    yield _verdict(drift)
    for router in drift.routers[1:]:
        yield Block(said=[router.sentence], items=_of_router(router))
    yield Block("The runs", items=[_run("A", drift.run_a), _run("B", drift.run_b)])
    yield _fairness(drift)
    changes = [*(router.change for router in drift.routers), *drift.models]
    yield Block("What changed, B minus A", table=_scores(changes))
    if any(change.latency_p50 for change in changes):
        yield Block("Latency", table=_latencies(changes))
    for router in drift.routers:
        yield from _picks(router)
        yield from _strata(router)


def _verdict(drift: Drift) -> Block:
    items = _of_router(drift.routers[0]) if drift.routers else []
    margin = (
        f"Margin {numbers.in_points(drift.margin)}; {numbers.counted(drift.questions, 'question')} compared."
    )
    said = [drift.sentence]
    if drift.routers and drift.routers[0].sentence != drift.sentence:
        items = [drift.routers[0].sentence, *items]
    return Block(said=said, items=[*items, *drift.notes, margin])


def _of_router(router: RouterDrift) -> list[str]:
    """Give cost, picks and what to look at, as sentences."""
    change = router.change
    said = [drift_words.cost(change), *drift_words.picks(router.picks)]
    if change.cost_rests_on is not None:
        rests = numbers.counted(change.cost_rests_on, "question")
        said.append(f"More than half of a cost rests on {rests}: its interval may be too narrow.")
    if router.strata:
        said.append(_standing_out(router))
    return said


def _standing_out(router: RouterDrift) -> str:
    one, several = _by(router)
    looked = f"{numbers.count(len(router.strata))} {one if len(router.strata) == 1 else several}"
    found = [stratum.label for stratum in router.strata if stratum.look_at]
    if not found:
        return f"To look at: nothing stands out in {looked}."
    shown = ", ".join(found[:5]) + (f" and {len(found) - 5} more" if len(found) > 5 else "")
    return f"To look at, not to conclude from: {shown} ({len(found)} of {looked})."


def _by(router: RouterDrift) -> tuple[str, str]:
    """Give what the strata are, one and several."""
    return ("task type", "task types") if router.strata_by == "task_type" else ("category", "categories")


def _run(side: str, run: RunSide) -> str:
    finished = f"{numbers.count(run.counted)} of {numbers.counted(run.questions, 'question')}"
    simulated = ", simulated" if run.simulated else ""
    return f"{side}: {run.id}, {numbers.moment(run.started_at)}, {run.status}, {finished}{simulated}"


def _fairness(drift: Drift) -> Block:
    unfair = [f"Caution: {check.sentence}" for check in drift.fairness if not check.fair]
    fair = [check.sentence for check in drift.fairness if check.fair]
    return Block("Is the comparison fair?", items=[*unfair, *fair])


# ------------------------------------------------------------------------------------- the tables


def _name(change: ArmChange) -> str:
    if change.arm_a == change.arm_b:
        return one_line(change.arm_b, 80)
    return f"{one_line(change.arm_b, 80)} - {one_line(change.arm_a, 80)}"


def _scores(changes: list[ArmChange]) -> Table:
    return Table(
        "Arm",
        [_name(change) for change in changes],
        [
            Column("Score\nA", [numbers.percent(change.accuracy_a) for change in changes], 3),
            Column("\nB", [numbers.percent(change.accuracy_b) for change in changes], 3),
            Column("Change, points\n[95 %]", [numbers.points_ci(c.accuracy_change, c.ci95) for c in changes]),
            Column(
                "Cost, B / A\n[95 %]", [numbers.ratio_ci(c.cost_ratio, c.cost_ratio_ci95) for c in changes], 1
            ),
            Column("\nQuestions", [numbers.count(change.n) for change in changes], 2),
        ],
    )


def _latencies(changes: list[ArmChange]) -> Table:
    quantiles = ("p50", "p90")
    shifts = [(change.latency_p50, change.latency_p90) for change in changes]
    flat = [quantile for of_arm in shifts for quantile in of_arm]
    return Table(
        "Arm",
        [f"{_name(change)} {quantile}" for change in changes for quantile in quantiles],
        [
            Column("Latency\nA", [numbers.seconds(q.a_s if q else None) for q in flat], 1),
            Column("\nB", [numbers.seconds(q.b_s if q else None) for q in flat], 1),
            Column("Change\n[95 %]", [_shift(q) for q in flat]),
        ],
    )


def _shift(change: QuantileChange | None) -> str:
    if change is None:
        return numbers.UNKNOWN
    if change.ci95_s is None:
        return _signed(change.change_s)
    return f"{_signed(change.change_s)} [{_signed(change.ci95_s[0])}, {_signed(change.ci95_s[1])}]"


def _signed(seconds: float) -> str:
    return f"{'-' if seconds < 0 else '+'}{numbers.seconds(abs(seconds))}"


def _picks(router: RouterDrift) -> Iterator[Block]:
    picks = router.picks
    if picks is None:
        return
    models = list(dict.fromkeys([*picks.shares_a, *picks.shares_b]))
    models.sort(key=lambda model: -max(picks.shares_a.get(model, 0.0), picks.shares_b.get(model, 0.0)))
    shares = [(picks.shares_a.get(m, 0.0), picks.shares_b.get(m, 0.0)) for m in models[:MAX_MODELS]]
    columns = [
        Column("A", [numbers.percent(a) for a, _ in shares]),
        Column("B", [numbers.percent(b) for _, b in shares]),
        Column("Points", [numbers.points(b - a) for a, b in shares]),
    ]
    names = [one_line(model, 80) for model in models[:MAX_MODELS]]
    more = (
        [f"and {numbers.counted(len(models) - MAX_MODELS, 'more model')}"] if len(models) > MAX_MODELS else []
    )
    moved = [move for move in picks.matrix if move.model_a != move.model_b]
    moves = [f"{m.model_a} -> {m.model_b}: {_questions(m.questions)}" for m in moved[:MAX_MOVES]]
    if len(moved) > MAX_MOVES:
        moves.append(f"and {numbers.counted(len(moved) - MAX_MOVES, 'more change')} of model")
    title = f"Who answered for {_name(router.change)}"
    yield Block(title, items=[*more, *moves], table=Table("Model", names, columns))


def _questions(n: float) -> str:
    return numbers.counted(round(n), "question") if n == round(n) else f"{numbers.plain(n, 1)} questions"


def _strata(router: RouterDrift) -> Iterator[Block]:
    found = [stratum for stratum in router.strata if stratum.look_at][:MAX_STRATA]
    if not found:
        return
    columns = [
        Column("Questions", [numbers.count(stratum.n) for stratum in found], 2),
        Column("Other\npick", [numbers.percent(stratum.picks_changed) for stratum in found], 1),
        Column("Change, points\n[95 %]", [numbers.points_ci(s.accuracy_change, s.ci95) for s in found]),
        Column("Stands out\nby its", [_look(stratum) for stratum in found], 1),
    ]
    title = f"To look at, not to conclude from: {_name(router.change)} by {_by(router)[0]}"
    yield Block(
        title, table=Table(_by(router)[0].capitalize(), [one_line(s.label, 60) for s in found], columns)
    )


def _look(stratum: StratumDrift) -> str:
    return " and ".join({"picks": "picks", "accuracy": "score"}[what] for what in stratum.look_at)


# ------------------------------------------------------------------------------- the two renderers


def _lines(block: Block, width: int) -> Iterator[str]:
    yield ""
    if block.title:
        yield from textwrap.wrap(one_line(block.title), width)
    for text in block.said:
        yield from textwrap.wrap(one_line(text, 2000), width, break_on_hyphens=False)
    if block.table is not None:
        laid = grid(block.table.stub, block.table.names, block.table.columns, width)
        yield from (line.plain.rstrip() for line in laid.lines)
        if laid.dropped:
            yield f"No room for: {', '.join(laid.dropped)}."
    for text in block.items:
        yield from textwrap.wrap(
            one_line(text, 2000),
            width,
            initial_indent="  - ",
            subsequent_indent="    ",
            break_on_hyphens=False,
        )


def _marked(block: Block) -> Iterator[str]:
    yield ""
    if block.title:
        yield from (f"#### {escape(block.title)}", "")
    yield from (f"**{escape(text.replace(SIMULATED, 'SIMULATED.'))}**" for text in block.said)
    if block.said and block.items:
        yield ""
    if block.table is not None:
        titles = [block.table.stub, *(c.title.strip().replace("\n", " ") for c in block.table.columns)]
        yield f"| {' | '.join(escape(title) for title in titles)} |"
        yield "|---" + "|---:" * len(block.table.columns) + "|"
        for row, name in enumerate(block.table.names):
            cells = [column.cells[row] for column in block.table.columns]
            yield f"| {' | '.join([escape(name, 120), *cells])} |"
        yield ""
    yield from (f"- {escape(text)}" for text in block.items)
