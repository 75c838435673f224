"""What an audit found, as lines for a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from routemark import numbers
from routemark.audit import Audit, Count, Found
from routemark.report import views
from routemark.report.clean import one_line

MAX_DIFFERENCES = 50
NOUNS = {"answer": "answer", "attempt": "failed attempt", "open": "cut-off request"}


def render(audit: Audit) -> str:
    """Give the findings as text; names that others chose are made harmless."""
    return "\n".join(_lines(audit)) + "\n"


def _lines(audit: Audit) -> Iterator[str]:
    found = {NOUNS[kind]: count for kind, count in audit.counts.items() if count.generations}
    if not found:
        yield f"Run {one_line(audit.run)}: no generation to look up."
        return
    if audit.simulated:
        yield f"*** SIMULATED *** {views.SIMULATED}"
    yield f"Run {one_line(audit.run)}: looked up what each generation cost and who served it."
    yield from (f"  {line}" for noun, count in found.items() for line in _counted(noun, count))
    for kind, times in audit.refusals.items():
        yield f"  {numbers.counted(times, 'lookup')} failed: {kind}"
    yield (
        f"Billed {numbers.usd(audit.billed_usd)}; the lookups of the same say {numbers.usd(audit.lookup_usd)}. "
        f"All known cost of the run: {numbers.usd(audit.cost_usd)}."
    )
    if audit.failed:
        yield "Nothing could be looked up: this says nothing about the bill."
        return
    yield from _differences(audit)


def _counted(noun: str, count: Count) -> Iterator[str]:
    line = f"{numbers.counted(count.generations, noun)}: {numbers.count(count.told)} told"
    if count.missing:
        line += f", {numbers.count(count.missing)} not known to the gateway"
    if count.refused:
        line += f", {numbers.counted(count.refused, 'lookup')} failed"
    yield line
    if count.settled:
        settled = numbers.counted(count.settled, "unknown cost")
        yield f"  {settled} settled: {numbers.usd(count.settled_usd)}, now in the run's cost"
    if count.unknown:
        yield f"  {numbers.counted(count.unknown, 'cost')} still unknown"


def _differences(audit: Audit) -> Iterator[str]:
    if not audit.differences:
        yield f"{numbers.counted(audit.agree, 'generation')} looked up, no difference."
        return
    yield (
        f"{numbers.counted(len(audit.differences), 'difference')} "
        "(costs within 0.1 % or half a millionth of a dollar count as equal):"
    )
    yield from (f"  {_difference(found)}" for found in audit.differences[:MAX_DIFFERENCES])
    if len(audit.differences) > MAX_DIFFERENCES:
        yield f"  and {numbers.count(len(audit.differences) - MAX_DIFFERENCES)} more; --json has them all"


def _difference(found: Found) -> str:
    told, lookup = (_value(value) for value in (found.difference.told, found.difference.lookup))
    where = " ".join(one_line(part, 120) for part in (found.question_id, found.arm) if part)
    return (
        f"{one_line(found.generation_id, 80)} {where}: {found.difference.what} {told}, lookup says {lookup}"
    )


def _value(value: str | float) -> str:
    if isinstance(value, str):
        return one_line(value, 120)
    return numbers.exact_usd(value)
