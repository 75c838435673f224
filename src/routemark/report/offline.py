"""What `routemark offline` found, for a terminal: the verdicts first, then the figures they rest on.

Names come from files and may hold terminal escapes: they pass through `clean`. The specialists' figures stand
at the end, and only where they were asked for.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
from msgspec import UnsetType

from routemark import numbers
from routemark.errors import RunError, SettingsError
from routemark.records import (
    ArmMetrics,
    Comparison,
    Offline,
    OfflineArm,
    OfflineMetrics,
    OfflineModel,
    RouterCurve,
    SameMix,
)
from routemark.report import views
from routemark.report.buying import rules
from routemark.report.clean import one_line
from routemark.report.layout import Column, grid

MOST_ARMS = 5
"""Arms whose verdict is told; the others' stand in the JSON."""
MOST_MODELS = 15
MOST_COMPARISONS = 20


def check_output(name: str) -> None:
    """Raise SettingsError for a file whose ending tells no format."""
    if Path(name).suffix not in (".json", ".txt"):
        raise SettingsError(f"--output {name}: no such format; use .json or .txt.")


def write(path: Path, found: Offline) -> None:
    """Write the file in the format of its ending; raise RunError when it cannot be written."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(to_json(found) if path.suffix == ".json" else render(found), encoding="utf-8")
    except OSError as error:
        raise RunError(f"{path}: cannot be written: {error.strerror}.") from None


def to_json(found: Offline) -> str:
    """Give the one JSON object, on a line."""
    return msgspec.json.encode(found).decode() + "\n"


def render(found: Offline, *, width: int = 80) -> str:
    """Give everything as lines of at most ``width`` cells, long names aside."""
    parts = [*_head(found, width), *_verdicts(found, width)]
    if found.arms:
        parts += _arms(found.arms, width)
    parts += [*_models(found, width), *_bounds(found, width), *_compared(found.comparisons, width)]
    parts += [*_rules(found, width), *_specialists(found, width), *_gates(found, width)]
    return "\n".join(parts).rstrip("\n") + "\n"


def _gates(found: Offline, width: int) -> Iterator[str]:
    if found.gates:
        yield from _title("Gates")
        for line in views.gate_lines(found.gates):
            yield from _filled(f"- {line}", width, "  ")


def _filled(text: str, width: int, indent: str = "") -> list[str]:
    hanging = indent + ("  " if text.startswith("- ") else "")
    return textwrap.wrap(one_line(text, 5000), width, initial_indent=indent, subsequent_indent=hanging)


def _title(text: str) -> list[str]:
    return ["", text]


def _name(name: str) -> str:
    return one_line(name, 60)


def _table(title: str, names: Sequence[str], columns: list[Column], width: int) -> list[str]:
    laid = grid(title, [_name(name) for name in names], columns, width)
    lines = [line.plain.rstrip() for line in laid.lines]
    if laid.dropped:
        lines += _filled(f"No room for: {', '.join(laid.dropped)}.", width)
    return lines


# --------------------------------------------------------------------------- the verdicts


def _head(found: Offline, width: int) -> list[str]:
    arms = f" and the picks of {numbers.counted(len(found.arms), 'arm')}" if found.arms else ""
    text = (
        f"{numbers.counted(found.questions, 'question')}, answers of "
        f"{numbers.counted(len(found.models), 'model')}{arms}, all from files; nothing was asked."
    )
    if not found.arms:
        text += " No router is judged: name its picks with --picks."
    return _filled(text, width)


def _verdicts(found: Offline, width: int) -> Iterator[str]:
    for name, arm in list(found.arms.items())[:MOST_ARMS]:
        yield from _title(_name(name))
        yield from _filled(arm.verdict.sentence, width)
        yield from _filled(arm.verdict.skill, width)
        for note in arm.verdict.notes:
            yield from _filled(f"- {note}", width, "  ")
    if len(found.arms) > MOST_ARMS:
        yield from ("", f"and {numbers.count(len(found.arms) - MOST_ARMS)} more arms, with --json")
    margin = next((arm.verdict.margin for arm in found.arms.values()), None)
    if margin is not None:
        yield f"Margin {numbers.in_points(margin)}."


# --------------------------------------------------------------------------- arms and models


def _arms(arms: dict[str, OfflineArm], width: int) -> Iterator[str]:
    rows = list(arms.values())
    yield from _title("Arms")
    columns = [
        Column(
            "Accuracy\n[95 % interval]",
            [numbers.percent_ci(arm.accuracy, arm.accuracy_ci95) for arm in rows],
        ),
        Column("Cost per\n1,000", [numbers.usd(arm.cost_per_1k_usd) for arm in rows], 1),
        Column("Cost per\nright", [numbers.usd(arm.cost_per_correct_usd) for arm in rows], 3),
        Column("\nQuestions", [numbers.count(arm.n) for arm in rows], 2),
    ]
    if any(arm.left_out for arm in rows):
        columns.append(Column("Left\nout", [numbers.count(arm.left_out) for arm in rows], 4))
    yield from _table("Arm", list(arms), columns, width)
    yield from _title("How good the picking is, in points [95 % interval]")
    yield from _table("Arm", list(arms), _picking(rows), width)
    yield from _filled(
        "Its own mix: the same models equally often, dealt at random. Hull: the best mixture of fixed models "
        "at the same cost. Missed: what picks that knew these answers would have had on top.",
        width,
    )
    yield from _title("Picks")
    for name, arm in arms.items():
        shares = list(arm.pick_shares.items())
        told = [f"{_name(model)} {numbers.percent(share)}" for model, share in shares[:MOST_MODELS]]
        more = f", and {numbers.count(len(shares) - MOST_MODELS)} more" if len(shares) > MOST_MODELS else ""
        yield from _filled(f"{_name(name)}: {', '.join(told) or 'none with a score'}{more}", width, "  ")


def _picking(rows: Sequence[OfflineArm]) -> list[Column]:
    return [
        Column("Over its\nown mix", [_gain(arm.same_mix) for arm in rows]),
        Column("Over the\nhull", [numbers.points_ci(arm.hull_gap, arm.hull_gap_ci95) for arm in rows]),
        Column(
            "Missed,\nat most",
            [numbers.UNKNOWN if arm.regret is None else numbers.in_points(arm.regret) for arm in rows],
            1,
        ),
    ]


def _gain(mix: SameMix | None) -> str:
    return numbers.UNKNOWN if mix is None else numbers.points_ci(mix.gain, mix.gain_ci95)


def _models(found: Offline, width: int) -> Iterator[str]:
    ordered = sorted(found.models.items(), key=lambda item: _by_quality(item[1]))[:MOST_MODELS]
    rows = [model for _, model in ordered]
    yield from _title("Models")
    columns = [
        Column(
            "Accuracy\n[95 % interval]",
            [numbers.percent_ci(model.accuracy, model.accuracy_ci95) for model in rows],
        ),
        Column("Cost per\n1,000", [numbers.usd(model.cost_per_1k_usd) for model in rows], 1),
        Column("\nQuestions", [numbers.count(model.n) for model in rows], 2),
    ]
    yield from _table("Model", [name for name, _ in ordered], columns, width)
    if len(found.models) > len(rows):
        yield f"and {numbers.count(len(found.models) - len(rows))} more, with --json"
    best = found.best_single
    if best is not None:
        honest = (
            ""
            if best.crossfit_accuracy is None
            else f"; chosen on other questions than it is scored on, {numbers.percent(best.crossfit_accuracy)}"
        )
        yield from _filled(
            f"Best single model: {_name(best.model)}, {numbers.percent(best.accuracy)} (optimistic: chosen on "
            f"these questions){honest}.",
            width,
        )


def _by_quality(model: OfflineModel) -> tuple[float, float]:
    cost = model.cost_per_1k_usd
    return (-1.0 if model.accuracy is None else -model.accuracy, float("inf") if cost is None else cost)


# --------------------------------------------------------------------------- bounds and comparisons


def _bounds(found: Offline, width: int) -> Iterator[str]:
    best, full = found.oracles.best_then_cheapest, found.oracles.cheapest_full_score
    yield from _title("Bounds: picks that had known these answers, the lucky ones too")
    yield from _filled(
        f"- The best answer, of equal ones the cheapest (RouterBench): {numbers.percent(best.accuracy)} at "
        f"{numbers.usd(best.cost_per_1k_usd)} per 1,000.",
        width,
        "  ",
    )
    yield from _filled(
        f"- The cheapest fully right answer (RouterArena): {numbers.usd(full.cost_per_1k_usd)} per 1,000, on "
        f"the {numbers.counted(full.questions, 'question')} that some model gets fully right.",
        width,
        "  ",
    )
    if found.oracles.luck is not None:
        yield from _filled(
            f"- On the {numbers.counted(found.oracles.choice_questions, 'question')} with choices, such picks "
            f"would have {numbers.percent(found.oracles.luck)} right if every model only guessed.",
            width,
            "  ",
        )
    yield from _title("Hull: what drawing lots between models reaches")
    zero = found.zero_router
    chain = ", then ".join(_name(model) for model in zero.hull) or "no model stands for all questions"
    yield from _filled(f"By rising cost: {chain}.", width, "  ")
    if zero.aiq is not None:
        yield from _filled(f"Its mean height is {numbers.percent(zero.aiq)} (AIQ).", width, "  ")


def _rules(found: Offline, width: int) -> Iterator[str]:
    for section in rules(found.rules):
        yield from _title(one_line(section.title))
        yield from _table(section.stub, section.names, section.columns, width)
        for note in section.notes:
            yield from _filled(f"- {note}", width, "  ")


def _compared(comparisons: Sequence[Comparison], width: int) -> Iterator[str]:
    shown = comparisons[:MOST_COMPARISONS]
    if not shown:
        return
    yield from _title("Compared, question by question")
    columns = [
        Column(
            "Accuracy, points\n[95 % interval]",
            [numbers.points_ci(pair.accuracy_difference, pair.ci95) for pair in shown],
        ),
        Column(
            "Cost ratio\n[95 %, approximate]",
            [numbers.ratio_ci(pair.cost_ratio, pair.cost_ratio_ci95) for pair in shown],
            1,
        ),
        Column("Questions", [numbers.count(pair.n) for pair in shown], 2),
    ]
    names = [f"{_name(pair.arm)} - {_name(pair.baseline)}" for pair in shown]
    yield from _table("Arm - baseline", names, columns, width)
    if len(comparisons) > len(shown):
        yield f"and {numbers.count(len(comparisons) - len(shown))} more, with --json"


# --------------------------------------------------------------------------- for specialists


def _specialists(found: Offline, width: int) -> Iterator[str]:
    if isinstance(found.metrics, UnsetType):
        return
    if found.arms:
        yield from _title("Published metrics of each arm (for comparing with papers, not for deciding)")
        yield from _table("Metric", *_by_metric(found.arms), width)
    for name, curve in found.metrics.routers.items():
        yield from _title(f"Published metrics of {_name(name)} as a curve")
        yield from (f"  {title:34}{value}" for title, value in _curve(curve))
    yield from _references(found.metrics, width)


def _by_metric(arms: dict[str, OfflineArm]) -> tuple[list[str], list[Column]]:
    """Give the metrics' names, and a column an arm."""
    columns = [
        Column(_name(name), [value for _, value in _of_arm(arm)], rank)
        for rank, (name, arm) in enumerate(arms.items())
    ]
    return [title for title, _ in _of_arm(next(iter(arms.values())))], columns


def _of_arm(arm: OfflineArm) -> list[tuple[str, str]]:
    metrics = arm.metrics
    rows = [
        ("Arena score", arm.arena_score),
        ("Opt.Sel", arm.opt_sel),
        ("Opt.Acc", arm.opt_acc),
        ("Opt.Cost", arm.opt_cost),
    ]
    if isinstance(metrics, ArmMetrics):
        rows += [
            ("Gain@B", metrics.gain_at_best_single),
            ("Gain@R", metrics.gain_at_random),
            ("Gap@O", metrics.gap_at_oracle),
            ("V_R", metrics.v_r),
            ("V_B", metrics.v_b),
            ("E_p, bits", metrics.e_p_bits),
            ("PGR", metrics.pgr),
        ]
    return [(title, _figure(value)) for title, value in rows]


def _curve(curve: RouterCurve) -> list[tuple[str, str]]:
    rows = [
        ("arms", numbers.count(len(curve.arms))),
        ("AIQ", _figure(curve.aiq)),
        ("AIQ as in RouterBench's code", _figure(curve.aiq_code)),
        ("PerfGain", _figure(curve.perf_gain)),
        ("CostSave", _figure(curve.cost_save)),
        ("ParetoDist", _figure(curve.pareto_dist)),
    ]
    if curve.weak is not None and curve.strong is not None:
        rows += [
            ("weak and strong model", f"{_name(curve.weak)}, {_name(curve.strong)}"),
            ("APGR", _figure(curve.apgr)),
        ]
        rows += [
            (f"CPT({level}), % of strong calls", numbers.plain(cpt, 1)) for level, cpt in curve.cpt.items()
        ]
    return rows


def _references(metrics: OfflineMetrics, width: int) -> Iterator[str]:
    yield from _title("References")
    for title, fixed in (
        ("cheapest", metrics.cheapest),
        ("dearest", metrics.dearest),
        ("random", metrics.random),
    ):
        if fixed is not None:
            model = "" if fixed.model is None else f" {_name(fixed.model)}"
            yield from _filled(
                f"{title}{model}: {numbers.percent(fixed.accuracy)} at {numbers.usd(fixed.cost_per_1k_usd)} "
                "per 1,000",
                width,
                "  ",
            )
    buys = [f"{_name(buy.model)} from {numbers.usd(buy.from_usd)}" for buy in metrics.best_buys]
    if buys:
        yield from _filled(f"Best buy at so many dollars a right answer: {', '.join(buys)}.", width, "  ")


def _figure(value: float | None) -> str:
    return numbers.plain(value, 4)
