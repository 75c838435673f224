"""A finished run made up for the report's tests: one router, three models, 120 questions.

The answers are drawn by a seeded law, the summary is counted from the rows with plain arithmetic,
so that what a report shows can be checked against them. `hostile_rows` adds text that attacks.
"""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec
import numpy as np

from routemark.analysis.compare import Matrix
from routemark.analysis.matrix.outcomes import Grouping
from routemark.analysis.spreads import histogram
from routemark.analysis.traffic.reweighting import reweighting
from routemark.records import (
    Arm,
    ArmSummary,
    ClientHealth,
    Comparison,
    ErrorRow,
    GradeRow,
    McNemar,
    OraclePoint,
    OracleSummary,
    PaceStep,
    Pause,
    Quantiles,
    ResultRow,
    Run,
    SameMix,
    Slice,
    Summary,
    Timeline,
    Usage,
    Verdict,
    Vertex,
)
from routemark.report.sinks import Opener

ROUTER = "openrouter/auto"
MODELS = {
    "sim/sparrow-mini": (0.62, 0.00004),
    "sim/heron-pro": (0.84, 0.0021),
    "sim/condor-max": (0.91, 0.034),
}
EASE = {"easy": 0.12, "hard": -0.1, "opt": -0.25}
CATEGORIES = ["algebra", "chemistry", "geography", "history", "logic", "scheduling", "translation"]
TASKS = ["code:debugging", "math:word-problem", "general:factual", "reasoning:deduction"]

HOSTILE = {
    "script": '<script>window.pwned = 1</script><img src="https://evil.example/x.png" onerror="window.pwned=2">',
    "style": '</style></script></pre></details><svg onload="window.pwned=3"><style>body{display:none}</style>',
    "ansi": "\x1b[31mred\x1b[0m \x1b]0;owned\x07 \x1b[2J\x9b31m bell\x07",
    "bidi": "access \u202elevel\u2066 admin\u2069 \u200bhidden \U000e0041tag",
    "formula": '=HYPERLINK("https://evil.example","click")',
    "markup": "[bold red]rich[/bold red] [link=https://evil.example]x[/link] :smile:",
    "markdown": "| pipe | `tick` <b>bold</b> @octocat #1 [x](https://evil.example) ![y](https://evil.example/y.png)",
    "template": "{{ 7 * 7 }} {% for x in y %} ${7*7}",
}
NAME = '=sim/<b onmouseover="window.pwned=4">evil|model`\x1b[31m\u202e[red]@octocat'
"""A model's name, since a gateway may call a model anything."""


def written(opener: Opener, path: Path, run: Run, summary: Summary, rows: Iterable[ResultRow]) -> Path:
    """Write a file as a pass over a journal does: rows one by one, then the summary."""
    with opener(path, run) as sink:
        for row in rows:
            sink.row(row)
        sink.close(summary)
    return path


def make_run(**changes) -> Run:
    arms = [Arm(name=ROUTER, model=ROUTER, is_router=True), *(Arm(name=m, model=m) for m in MODELS)]
    run = Run(
        id="20261124-064828-demo",
        status="complete",
        simulated=True,
        started_at="2026-11-24T06:48:28Z",
        finished_at="2026-11-24T06:49:41.250Z",
        questions_sha256="9f" * 32,
        questions=120,
        arms=arms,
        seed=7,
        base_url="http://127.0.0.1:4000/api/v1",
        routemark_version="0.1.0",
        settings={"concurrency": 100, "max_tokens": 16384, "models": [ROUTER, *MODELS], "baseline": None},
        client=ClientHealth(loop_lag_p99_s=0.002, queue_p99_s=0.004, limited=False),
    )
    return msgspec.structs.replace(run, **changes)


def make_rows(
    questions: int = 120, *, seed: int = 7, arms: Sequence[str] = (ROUTER, *MODELS)
) -> list[ResultRow]:
    """Rows in plan order: every arm's answer to a question, then the next question."""
    draw = random.Random(seed)
    rows: list[ResultRow] = []
    for i in range(questions):
        rows += [_row(draw, i, arm) for arm in arms]
    return rows


def _row(draw: random.Random, i: int, arm: str) -> ResultRow:
    difficulty, task = ("easy", "hard", "opt")[i % 3], TASKS[i % len(TASKS)]
    model = arm
    if arm == ROUTER:
        weights = {"easy": (8, 2, 0.3), "hard": (2, 6, 2), "opt": (1, 4, 5)}[difficulty]
        model = draw.choices(list(MODELS)[:3], weights)[0]
    ability, price = MODELS[model]
    failed = draw.random() < 0.02
    right = draw.random() < min(0.98, ability + EASE[difficulty])
    tokens = int(draw.lognormvariate(5.4, 0.6))
    answer = f"Step by step: {i} + {i} is {2 * i}. " * draw.randint(1, 12)
    answer += f"\n\n**Final answer:** {2 * i if right else 2 * i + 1}"
    base = {
        "id": f"q{i:04d}",
        "difficulty": difficulty,
        "category": CATEGORIES[i % len(CATEGORIES)],
        "reference": 2 * i,
        "question": f"What is {i} + {i}? Explain how you got there, then give the number alone on the last line.",
        "arm": arm,
        "repeat": 0,
        "counted": True,
    }
    if failed:
        error = ErrorRow(kind="bad_gateway", status=502, message="Provider returned error")
        return ResultRow(
            **base, status="failed", model=None, provider=None, task_type=None, answer=None, finish_reason=None,
            grade=None, usage=Usage(), cost_usd=None, cost_source=None, latency_s=None, ttft_s=None, queue_s=0.001,
            attempts=6, generation_id=None, error=error,
        )  # fmt: skip
    return ResultRow(
        **base, status="ok", model=model, provider="Simcloud", task_type=task if arm == ROUTER else None,
        answer=answer, finish_reason="stop",
        grade=GradeRow(
            score=1.0 if right else 0.0, grader="numeric", extracted=str(2 * i if right else 2 * i + 1),
            reason="equal" if right else f"{2 * i + 1} is not {2 * i}",
        ),
        usage=Usage(prompt_tokens=38, completion_tokens=tokens, reasoning_tokens=0, cached_tokens=0),
        cost_usd=price * tokens / 220, cost_source="billed",
        latency_s=0.3 + tokens / 150 * (1 + 3 * ability), ttft_s=0.2 + 0.3 * draw.random(), queue_s=0.0004,
        attempts=1, generation_id=f"gen-{i:04d}-{[ROUTER, *MODELS].index(arm)}",
        error=None,
    )  # fmt: skip


def hostile_rows() -> list[ResultRow]:
    """A question for each attack, in prompt, answer, labels and model name at once, and 5 MB of answer."""
    plain = next(row for row in make_rows(1) if row.status == "ok")
    rows = [
        msgspec.structs.replace(
            plain, id=f"hostile-{name} {text}", question=text, answer=text, model=NAME, provider=text, category=text,
            grade=GradeRow(score=0.0, grader="exact", extracted=text, reason=text), generation_id=text,
        )
        for name, text in HOSTILE.items()
    ]  # fmt: skip
    rows.append(
        msgspec.structs.replace(plain, id="long", question="Say it all.", answer="<&\"' " * 1_000_000)
    )
    return rows


# ------------------------------------------------------------------------------------ the summary


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None


def wilson(p: float | None, n: int) -> tuple[float, float] | None:
    if p is None or not n:
        return None
    z = 1.96
    middle, half = p + z * z / (2 * n), z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return (middle - half) / (1 + z * z / n), (middle + half) / (1 + z * z / n)


def _scores(rows: Iterable[ResultRow]) -> list[float]:
    return [
        0.0 if r.grade is None else r.grade.score
        for r in rows
        if r.grade is None or r.grade.score is not None
    ]


def _usage(rows: Iterable[ResultRow]) -> dict[str, int]:
    return dict(Counter(r.model for r in rows if r.model))


def _per_1k(rows: Iterable[ResultRow]) -> float | None:
    mean = _mean([r.cost_usd for r in rows if r.cost_usd is not None])
    return None if mean is None else 1000 * mean


def _slices(rows: Sequence[ResultRow], field: str) -> dict[str, Slice]:
    found: dict[str, list[ResultRow]] = {}
    for row in rows:
        if getattr(row, field) is not None:
            found.setdefault(getattr(row, field), []).append(row)
    return {
        label: Slice(
            n=len(some), graded=len(_scores(some)), accuracy=_mean(_scores(some)),
            accuracy_ci95=wilson(_mean(_scores(some)), len(_scores(some))), cost_per_1k_usd=_per_1k(some),
            model_usage=_usage(some),
        )
        for label, some in found.items()
    }  # fmt: skip


def _quantiles(values: list[float]) -> Quantiles:
    values = sorted(values)
    if not values:
        return Quantiles()
    return Quantiles(**{f"p{q}": values[min(len(values) - 1, len(values) * q // 100)] for q in (50, 90, 99)})


def summarise_arm(rows: list[ResultRow], *, is_router: bool) -> ArmSummary:
    ok = [r for r in rows if r.status == "ok"]
    scores, accuracy = _scores(rows), _mean(_scores(rows))
    costs = [r.cost_usd for r in rows if r.cost_usd is not None]
    mix = SameMix(accuracy=0.79, cost_per_1k_usd=9.1, gain=0.024, gain_ci95=(-0.011, 0.058), p_value=0.09)
    return ArmSummary(
        n=len(rows), succeeded=len(ok), failed=len(rows) - len(ok),
        failures=dict(Counter(r.error.kind for r in rows if r.error)), truncated=2 if is_router else 0, empty=0,
        ungraded=0, graded=len(scores), clusters=len(scores), is_router=is_router, accuracy=accuracy,
        accuracy_ci95=wilson(accuracy, len(scores)), accuracy_answered=_mean(_scores(ok)), cost_usd=sum(costs),
        cost_unknown=len(rows) - len(costs), cost_per_1k_usd=_per_1k(rows),
        cost_per_correct_usd=sum(costs) / sum(scores) if scores and sum(scores) else None, arena_score=0.7,
        latency_s=_quantiles([r.latency_s for r in ok]), ttft_s=_quantiles([r.ttft_s for r in ok]),
        model_usage=_usage(ok), provider_usage={"Simcloud": len(ok)}, pick_entropy_bits=1.4 if is_router else 0.0,
        by_difficulty=_slices(rows, "difficulty"), by_category=_slices(rows, "category"),
        by_task_type=_slices(rows, "task_type"), same_mix=mix if is_router else None,
    )  # fmt: skip


def make_summary(rows: list[ResultRow], **changes) -> Summary:
    names = list(dict.fromkeys(r.arm for r in rows))
    arms = {
        name: summarise_arm([r for r in rows if r.arm == name], is_router=name == ROUTER) for name in names
    }
    best = max((n for n in names if n != ROUTER), key=lambda n: arms[n].accuracy or 0, default=ROUTER)
    summary = Summary(
        total=len(rows), succeeded=sum(r.status == "ok" for r in rows), failed=sum(r.status == "failed" for r in rows),
        model_usage=_usage(rows), failed_questions=list(dict.fromkeys(r.id for r in rows if r.status == "failed")),
        cost_usd=sum(r.cost_usd or 0 for r in rows), arms=arms,
        comparisons=[_comparison(arms, ROUTER, n) for n in names if n != ROUTER and ROUTER in arms], oracle=None,
        detectable_difference=0.098,
        verdict=Verdict(
            row=7,
            sentence=(
                f"Cannot be told apart from {best} on 120 questions: between 14.2 points worse and 3.1 better, costs "
                "62 % less. About 1,306 more questions (about $9.80) would settle a difference of 3 points."
            ),
            skill="Whether its picks beat the same models at random is open.",
            notes=["sim/heron-pro is cheaper and cannot be told apart from it either.", "SIMULATED"],
            margin=0.03, date="2026-11-24",
        ),
        planned=len(rows), finished_questions=len({r.id for r in rows}), graded=True,
    )  # fmt: skip
    return msgspec.structs.replace(summary, **changes)


def _comparison(arms: dict[str, ArmSummary], arm: str, baseline: str) -> Comparison:
    a, b = arms[arm], arms[baseline]
    known = a.accuracy is not None and b.accuracy is not None
    difference = a.accuracy - b.accuracy if known else None
    cost = a.cost_per_1k_usd / b.cost_per_1k_usd if a.cost_per_1k_usd and b.cost_per_1k_usd else None
    return Comparison(
        arm=arm, baseline=baseline, n=a.n, clusters=a.n, accuracy_difference=difference,
        ci95=(difference - 0.087, difference + 0.087) if known else None, p_value=0.2, p_value_holm=0.6,
        mcnemar=McNemar(only_arm=8, only_baseline=14, p_value=0.29), cost_ratio=cost,
        cost_ratio_ci95=(cost * 0.8, cost * 1.3) if cost else None, cost_rests_on=6 if baseline.endswith("max") else None,
        indifference_price_usd=0.12, questions_to_decide=1426, failed_or_ungraded=0.03,
    )  # fmt: skip


def charted(rows: list[ResultRow], summary: Summary | None = None) -> Summary:
    """Give a summary with what the charts draw, computed from the rows by the analysis itself."""
    summary = summary or make_summary(rows)
    names, questions = list(summary.arms), list(dict.fromkeys(row.id for row in rows))
    score, cost = (np.full((len(questions), len(names)), np.nan) for _ in range(2))
    labels = {row.id: row.difficulty for row in rows}
    for row in rows:
        at = questions.index(row.id), names.index(row.arm)
        score[at] = 0.0 if row.grade is None else row.grade.score
        cost[at] = math.nan if row.cost_usd is None else row.cost_usd
    cells = Matrix(
        score, cost, np.arange(len(questions), dtype=np.int32), [True] * len(names), np.isnan(score)
    )
    ordered = sorted(set(labels.values()))
    difficulty = Grouping(
        np.array([ordered.index(labels[one]) for one in questions], dtype=np.int32), ordered
    )
    arms = {
        name: msgspec.structs.replace(
            arm,
            latency_histogram=histogram(_times(rows, name, "latency_s")),
            ttft_histogram=histogram(_times(rows, name, "ttft_s")),
            cost_per_1k_ci95=(arm.cost_per_1k_usd * 0.8, arm.cost_per_1k_usd * 1.25),
        )
        for name, arm in summary.arms.items()
    }
    fixed = [name for name in names if not arms[name].is_router]
    line = Timeline(
        started_at="2026-11-24T06:48:28Z", bin_s=5.0, answers=[40, 60, 55, 20], failed={"rate_limit": [0, 9, 2, 0]},
        spend_usd=[0.5, 1.5, 1.25, 0.75], pauses=[Pause(at_s=10.0, length_s=3600.0)],
        pace=[PaceStep(at_s=1.0, limit=40.0, reason="a clean round"), PaceStep(at_s=7.0, limit=32.0, reason="rate_limit")],
    )  # fmt: skip
    point = OraclePoint(questions=len(questions), accuracy=0.97, cost_per_1k_usd=3.0, picks={})
    oracle = OracleSummary(
        questions=len(questions), models=fixed, best_then_cheapest=point, cheapest_full_score=point, reachable=None,
        split_halves=None, confirmed=None, luck=None, choice_questions=0, best_single=None, cheapest=None, dearest=None,
        random=None, by_difficulty={label: OraclePoint(questions=40, accuracy=accuracy, cost_per_1k_usd=cost, picks={})
                                    for label, accuracy, cost in (("easy", 1.0, 1.0), ("hard", 0.97, 3.0), ("opt", 0.94, 5.0))},
        zero_router=[Vertex(model=n, accuracy=arms[n].accuracy, cost_per_1k_usd=arms[n].cost_per_1k_usd) for n in fixed],
    )  # fmt: skip
    return msgspec.structs.replace(
        summary,
        arms=arms,
        timeline=line,
        oracle=oracle,
        reweighting=reweighting(cells, arms, difficulty, ROUTER),
    )


def _times(rows: Iterable[ResultRow], arm: str, field: str) -> np.ndarray:
    known = [getattr(row, field) for row in rows if row.arm == arm]
    return np.array([math.nan if value is None else value for value in known])
