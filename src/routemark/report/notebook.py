"""A run as a notebook shows it: verdict and arms, as HTML or as plain lines.

Names and sentences hold text of others: they are cleaned and escaped, and no style or script leaves its place.
"""

from __future__ import annotations

from html import escape

from routemark import numbers
from routemark.records import ArmSummary, Run, Summary
from routemark.report import views
from routemark.report.clean import one_line

_TITLES = ("Arm", "Accuracy [95 %]", "Per 1,000", "Per right answer", "Latency p50", "Failed")
MOST_ARMS = 20


def as_text(run: Run, summary: Summary) -> str:
    """Give a few lines: what the run is, the verdict, a line an arm, gates."""
    simulated = "SIMULATED " if run.simulated else ""
    lines = [f"{simulated}Run {run.id}, {run.status}: {views.basis(run, summary)}", summary.verdict.sentence]
    for name, arm in _arms(run, summary).items():
        accuracy, cost, *_ = _figures(run, summary, arm)
        lines.append(f"  {name}: {accuracy}, {cost} per 1,000, {numbers.count(arm.failed)} failed")
    lines += [f"  gate {line}" for line in views.gate_lines(summary.gates)]
    return "\n".join(line[: len(line) - len(line.lstrip())] + one_line(line, 400) for line in lines)


def as_html(run: Run, summary: Summary) -> str:
    """Give the same as one element of HTML."""
    rows = [(name, *_figures(run, summary, arm)) for name, arm in _arms(run, summary).items()]
    head = "".join(f"<th>{escape(title)}</th>" for title in _TITLES)
    body = "".join(f"<tr>{''.join(f'<td>{_safe(cell)}</td>' for cell in row)}</tr>" for row in rows)
    parts = [
        f"<p><strong>SIMULATED.</strong> {_safe(views.SIMULATED)}</p>" if run.simulated else "",
        f"<p><strong>{_safe(summary.verdict.sentence)}</strong> {_safe(summary.verdict.skill)}</p>",
        f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>",
        f"<p>{_safe(views.LIMITED)}</p>" if run.client.limited else "",
        _list([*views.gate_lines(summary.gates)]),
        _list(summary.verdict.notes),
        f"<p>{_safe(f'Run {run.id}, {run.status}: {views.basis(run, summary)}')}</p>",
    ]
    return f"<div>{''.join(parts)}</div>"


def _arms(run: Run, summary: Summary) -> dict[str, ArmSummary]:
    return dict(list(views.ordered_arms(run, summary).items())[:MOST_ARMS])


def _figures(run: Run, summary: Summary, arm: ArmSummary) -> list[str]:
    graded = summary.graded and arm.accuracy is not None
    return [
        numbers.percent_ci(arm.accuracy, arm.accuracy_ci95) if graded else "not graded",
        numbers.usd(arm.cost_per_1k_usd),
        numbers.usd(arm.cost_per_correct_usd),
        numbers.latency(arm.latency_s.p50, limited=run.client.limited),
        numbers.share(arm.failed, arm.n),
    ]


def _list(lines: list[str]) -> str:
    return f"<ul>{''.join(f'<li>{_safe(line)}</li>' for line in lines)}</ul>" if lines else ""


def _safe(text: str) -> str:
    return escape(one_line(text, 2000))
