"""The summary for a terminal: verdict first, then the figures it rests on.

Names and messages come from outside and may hold terminal escapes or rich markup: they pass through
`clean` and are printed as `rich.text.Text`, so that no markup is ever parsed. From 100 cells on there is a
picture of cost and quality. Tables that are too wide drop columns in a fixed order and say so: arms lose
time to first token, then the cost per right answer, latency p90, p50, cost per 1,000, failures; comparisons
lose the number of questions, then the cost ratio; difficulties lose the rarest labels.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from io import StringIO

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from routemark import numbers
from routemark.errors import rule
from routemark.records import ArmSummary, Comparison, Run, Summary
from routemark.report import views
from routemark.report.charts_cost import hull_line
from routemark.report.clean import one_line
from routemark.report.layout import Column, Grid, Section, grid
from routemark.report.plot import Dot, frontier
from routemark.report.sections import sections

MAX_MODELS = 15

Block = Text | Padding


def render(run: Run, summary: Summary, *, width: int = 80, color: bool, files: Sequence[str] = ()) -> str:
    """Give the summary as lines of at most ``width`` cells; ``files`` are named at the end.

    Without ``color`` the text holds no escape sequence at all.
    """
    out = StringIO()
    console = Console(
        file=out,
        width=width,
        force_terminal=color,
        color_system="standard" if color else None,
        no_color=not color,
        markup=False,
        emoji=False,
        highlight=False,
        legacy_windows=False,
    )
    for block in _blocks(run, summary, width, files):
        console.print(block)
    return "\n".join(line.rstrip() for line in out.getvalue().split("\n"))


def _blocks(run: Run, summary: Summary, width: int, files: Sequence[str]) -> Iterator[Block]:
    yield from _banner(run, summary)
    if summary.total:
        yield from _found(run, summary, width)
    else:
        yield Text(one_line(summary.verdict.sentence, 2000), "bold")
        yield from (_item(line) for line in views.gate_lines(summary.gates))
    if files:
        yield _heading("Files")
        yield from (_item(path, limit=1000) for path in files)


def _found(run: Run, summary: Summary, width: int) -> Iterator[Block]:
    yield from _verdict(run, summary)
    yield from _picture(run, summary, width)
    yield from _arms(run, summary, width)
    yield from _who_answered(run, summary, width)
    yield from _comparisons(run, summary, width)
    for section in sections(run, summary):
        yield from _section(section, width)
    yield from _failures(summary)


def _heading(title: str) -> Text:
    return Text(f"\n{title}", "bold underline")


def _item(text: str, limit: int = 400) -> Padding:
    return Padding(Text(one_line(text, limit), overflow="fold"), (0, 0, 0, 2))


def _banner(run: Run, summary: Summary) -> Iterator[Block]:
    if run.simulated:
        yield Text.assemble(("*** SIMULATED ***", "bold black on yellow"), " ", views.SIMULATED)
        yield Text()
    stopped = views.incomplete(run, summary)
    if stopped is not None:
        yield Text(one_line(stopped, 1000), "yellow")
        yield Text()


def _verdict(run: Run, summary: Summary) -> Iterator[Block]:
    verdict = summary.verdict
    judged = views.router(summary)
    if judged is not None:
        yield Text(f"{_name(judged)}:", "bold")
    yield Text(one_line(verdict.sentence, 2000), "bold")
    if verdict.skill:
        yield Text(one_line(verdict.skill, 2000))
    yield from (_item(f"- {note}", 1000) for note in views.notes(run, summary))
    yield Text(f"Margin {numbers.in_points(verdict.margin)}, {one_line(verdict.date)}.", "dim")
    yield Text()
    yield Text(views.basis(run, summary))


def _picture(run: Run, summary: Summary, width: int) -> Iterator[Block]:
    """Draw cost and quality where there is room."""
    arms = views.ordered_arms(run, summary)
    judged = {name: views.as_judged(arm) for name, arm in arms.items()}
    dots = [
        Dot(one_line(name, 40), arm.cost_per_1k_usd, arm.accuracy, arm.is_router)
        for name, arm in judged.items()
        if arm.accuracy is not None and arm.cost_per_1k_usd
    ]
    hull = [] if summary.weights else [(p["cost"], p["accuracy"]) for p in hull_line(summary)]
    lines = frontier(dots, hull, width)
    if lines:
        yield _heading("Accuracy by cost per 1,000 questions (log scale); * router, o fixed model")
        yield from (Text(line, no_wrap=True) for line in lines)


def _name(name: str) -> str:
    return one_line(name, 80)


# ----------------------------------------------------------------------------------- the tables


def _arms(run: Run, summary: Summary, width: int) -> Iterator[Block]:
    arms = views.ordered_arms(run, summary)
    if not arms:
        return
    yield _heading("Arms")
    table = grid("Arm", [_name(name) for name in arms], _arm_columns(run, summary, arms), width)
    yield from _lines(table)
    if run.client.limited:
        yield Text(views.LIMITED, "yellow")
    yield from (_item(line, 1000) for line in views.oddities(summary))


def _arm_columns(run: Run, summary: Summary, arms: dict[str, ArmSummary]) -> list[Column]:
    limited = run.client.limited
    rows = list(arms.values())
    return [
        Column("Accuracy\n[95 % interval]", [_accuracy(arm, summary) for arm in rows]),
        Column("Cost per\n1,000", [numbers.usd(arm.cost_per_1k_usd) for arm in rows], 2),
        Column("Cost per\nright", [numbers.usd(arm.cost_per_correct_usd) for arm in rows], 5),
        Column("Latency\np50", [numbers.latency(arm.latency_s.p50, limited=limited) for arm in rows], 3),
        Column("Latency\np90", [numbers.latency(arm.latency_s.p90, limited=limited) for arm in rows], 4),
        Column("\nFailed", [numbers.count(arm.failed) for arm in rows], 1),
        Column("TTFT\np50", [numbers.latency(arm.ttft_s.p50, limited=limited) for arm in rows], 6),
    ]


def _accuracy(arm: ArmSummary, summary: Summary) -> str:
    if not summary.graded or arm.accuracy is None:
        return "not graded"
    return numbers.percent_ci(arm.accuracy, arm.accuracy_ci95)


def _lines(table: Grid) -> Iterator[Block]:
    yield from table.lines
    if table.dropped:
        yield Text(one_line(f"No room for: {', '.join(table.dropped)}.", 400), "dim")


def _who_answered(run: Run, summary: Summary, width: int) -> Iterator[Block]:
    for name, arm in views.choosers(run, summary).items():
        yield _heading(f"Who answered for {_name(name)}")
        if summary.graded:
            yield Text(views.TO_LOOK_AT, "dim")
        yield from _lines(_served(arm, summary, width))
        if len(arm.model_usage) > MAX_MODELS:
            yield Text(f"and {numbers.counted(len(arm.model_usage) - MAX_MODELS, 'more model')}", "dim")


def _served(arm: ArmSummary, summary: Summary, width: int) -> Grid:
    table = views.served(arm, arm.by_difficulty)
    models = table.models[:MAX_MODELS]
    names = [_name(model) for model, _, _ in models]
    total = [numbers.share(n, table.answers) for _, n, _ in models]
    columns = [[numbers.count(per[i]) for _, _, per in models] for i in range(len(table.labels))]
    if summary.graded:
        names.append("accuracy")
        total.append(numbers.percent(arm.accuracy))
        for cells, part in zip(columns, table.slices, strict=True):
            cells.append(numbers.cell(part.accuracy, part.graded, part.accuracy_ci95).text)
    rarest = sorted(range(len(columns)), key=lambda i: -table.slices[i].n)
    ranks = {i: rank for rank, i in enumerate(rarest, start=1)}
    parts = [Column(one_line(table.labels[i], 14), cells, ranks[i]) for i, cells in enumerate(columns)]
    return grid("Model", names, [Column("Answers", total), *parts], width)


def _comparisons(run: Run, summary: Summary, width: int) -> Iterator[Block]:
    shown = views.ordered_comparisons(run, summary)[: views.MAX_COMPARISONS]
    if not shown:
        return
    yield _heading("Compared, question by question")
    names = [f"{_name(c.arm)} - {_name(c.baseline)}" for c in shown]
    yield from _lines(grid("Arm - baseline", names, _comparison_columns(shown, views.level(summary)), width))
    rests = [c for c in shown if c.cost_rests_on]
    if rests:
        few = min(c.cost_rests_on or 0 for c in rests)
        yield Text(
            f"+ More than half of a cost rests on the dearest 5 % of the questions (here {few}): "
            "its interval may be too narrow.",
            "yellow",
        )
    if len(summary.comparisons) > len(shown):
        yield Text(f"and {numbers.count(len(summary.comparisons) - len(shown))} more in results.json", "dim")


def _comparison_columns(shown: list[Comparison], level: str) -> list[Column]:
    return [
        Column(
            f"Accuracy, points\n[{level}{' interval' * (level == '95 %')}]",
            [numbers.points_ci(c.accuracy_difference, c.ci95) for c in shown],
        ),
        Column(
            "Cost ratio\n[95 %, approximate]",
            [numbers.ratio_ci(c.cost_ratio, c.cost_ratio_ci95) + "+" * bool(c.cost_rests_on) for c in shown],
            1,
        ),
        Column("Questions", [numbers.count(c.n) for c in shown], 2),
    ]


def _section(section: Section, width: int) -> Iterator[Block]:
    yield _heading(one_line(section.title, 200))
    if section.columns:
        yield from _lines(grid(section.stub, [_name(name) for name in section.names], section.columns, width))
    yield from (_item(f"- {note}", 1000) for note in section.notes)


def _failures(summary: Summary) -> Iterator[Block]:
    kinds = views.failures(summary)
    if not kinds:
        return
    yield _heading("Failures")
    for kind, by_arm in kinds.items():
        arms = ", ".join(f"{_name(name)} {numbers.count(n)}" for name, n in by_arm.items())
        yield _item(f"{kind} {numbers.count(sum(by_arm.values()))}: {arms}. {rule(kind).advice}", 1000)
