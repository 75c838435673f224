"""What a run would send and cost, for a terminal: figures, and what they assume."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from routemark import numbers
from routemark.policy.added import ASSUMED_MODELS
from routemark.policy.forecast import Added, ArmForecast, Forecast
from routemark.records import Copies
from routemark.report import detect
from routemark.report.clean import one_line
from routemark.report.layout import Column, grid


def render(forecast: Forecast, *, width: int = 80) -> str:
    """Give the forecast as lines of at most ``width`` cells, names aside."""
    blocks = ["\n".join(_filled(text, width)) for text in _head(forecast)]
    blocks.append("\n".join(_table(forecast, width)))
    blocks += ["\n".join(_filled(text, width)) for text in map(added, forecast.added)]
    if forecast.detection is not None:
        blocks += detect.detection(forecast.detection, width)
    if forecast.savings is not None:
        blocks += detect.savings(forecast.savings, width)
    blocks.append("\n".join(line for text in _notes(forecast) for line in _filled(text, width)))
    return "\n\n".join(blocks) + "\n"


def _filled(text: str, width: int) -> list[str]:
    return textwrap.wrap(text, width, subsequent_indent="  " if text.startswith("- ") else "")


def _head(forecast: Forecast) -> Iterator[str]:
    names = ", ".join(one_line(name) for name in forecast.arms)
    yield (
        f"{numbers.count(forecast.trials)} trials: {numbers.count(forecast.questions)} questions x {len(forecast.arms)} arms ({names}) "
        f"x {forecast.repeats} repeats, in {numbers.counted(forecast.windows, 'window')} of "
        f"{numbers.counted(min(forecast.window, forecast.questions), 'question')}. No model was asked."
    )
    if forecast.perturbed:
        yield copies(forecast.perturbed)
    if forecast.simulated:
        yield "*** SIMULATED *** The prices are those of the simulated gateway's fictitious models."


def copies(perturbed: dict[str, Copies]) -> str:
    """Say how many of the questions are perturbed copies, and to how many each kind could not be applied."""
    kinds = [
        f"{kind} {numbers.count(made.copies)}"
        + (f" (not applicable to {numbers.count(made.left_out)} looked at)" if made.left_out else "")
        for kind, made in perturbed.items()
    ]
    total = sum(made.copies for made in perturbed.values())
    return f"Of the questions, {numbers.count(total)} are perturbed copies of others: {', '.join(kinds)}."


def added(what: Added) -> str:
    """Say what an option may add to the planned trials, at most and as expected."""
    if what.trials_most is None:
        return f"{what.option} adds trials that nobody can foresee: {one_line(what.note or '', 600)}"
    most = (
        f"{what.option} adds {numbers.count(what.trials_most)} trials at most, "
        f"{numbers.usd(what.cost_worst_usd)} at worst"
    )
    match what.expected_from:
        case "latest run":
            basis = "if the routers pick as in the latest run"
        case "assumed":
            basis = f"if a router picks {ASSUMED_MODELS} models, whichever"
        case _:
            return f"{most}; expected {_range(what.cost_expected_usd)}."
    return (
        f"{most}: every model within the routers' reach, all questions. Expected: "
        f"{numbers.count(what.trials_expected or 0)} trials, {_range(what.cost_expected_usd)}, {basis}."
    )


def _table(forecast: Forecast, width: int) -> list[str]:
    """Give a row for each arm, and one for all where there are several."""
    arms = list(forecast.arms.values())
    names = [one_line(name) for name in forecast.arms]
    worst = [numbers.usd(arm.cost_worst_usd) for arm in arms]
    expected = [_range(arm.cost_expected_usd) for arm in arms]
    trials = [numbers.count(arm.trials) for arm in arms]
    if len(arms) > 1:
        names.append("In all")
        trials.append(numbers.count(forecast.trials))
        expected.append(_range(forecast.cost_expected_usd))
        worst.append(numbers.usd(forecast.cost_worst_usd))
    columns = [
        Column("Trials", trials, 1),
        Column("Cost\nexpected", expected),
        Column("Cost\nat worst", worst),
    ]
    return [line.plain.rstrip() for line in grid("Arm", names, columns, width).lines]


def _range(bounds: tuple[float, float] | None) -> str:
    """Give "$0.12", or "$0.12 to $40"."""
    low, high = (numbers.usd(bound) for bound in bounds) if bounds else (numbers.UNKNOWN, numbers.UNKNOWN)
    return low if low == high else f"{low} to {high}"


def _notes(forecast: Forecast) -> Iterator[str]:
    arms = forecast.arms.values()
    if any(arm.expected_from == "prices" for arm in arms):
        yield (
            f"- Expected: a token for {forecast.bytes_a_token} bytes of prompt, {forecast.answer_tokens} tokens "
            "an answer, listed prices; a router from the cheapest to the dearest model it may pick."
        )
    if any(arm.expected_from == "latest run" for arm in arms):
        earlier = ", ".join(
            one_line(name) for name, arm in forecast.arms.items() if arm.expected_from == "latest run"
        )
        yield f"- Expected of {earlier}: the mean cost of a trial in the latest run."
    if any(arm.cost_worst_usd is not None for arm in arms):
        yield (
            "- At worst: a token for each byte of prompt, answers of --max-tokens, the dearest price that may "
            "apply; requests that break off and are asked again come on top."
        )
    yield from (f"- {note}" for note in dict.fromkeys(_unknown(arm) for arm in arms if arm.note))
    yield from _budget(forecast)


def _unknown(arm: ArmForecast) -> str:
    return f"Cost not known: {one_line(arm.note or '', 600)}"


def _budget(forecast: Forecast) -> Iterator[str]:
    """Say what --max-cost means for this plan."""
    bounded = [arm for arm in forecast.arms.values() if arm.cost_worst_request_usd is not None]
    if not bounded:
        return
    dearest = max(bounded, key=lambda arm: arm.cost_worst_request_usd or 0.0)
    one = numbers.usd(dearest.cost_worst_request_usd)
    yield (
        f"- One request may cost up to {one} ({one_line(dearest.dearest or '')}): --max-cost sets that much "
        "aside for each in flight. A smaller --max-tokens, or fewer models to pick from, makes it less."
    )
    limit = forecast.max_cost_usd
    more = [what.cost_worst_usd for what in forecast.added]
    if limit is None or forecast.cost_worst_usd is None:
        return
    if None not in more and forecast.cost_worst_usd + sum(cost for cost in more if cost) <= limit:
        yield f"- --max-cost {numbers.usd(limit)} covers the worst case, retries aside."
    elif (dearest.cost_worst_request_usd or 0.0) > limit:
        yield f"- --max-cost {numbers.usd(limit)} does not cover one such request: the run would stop before it."
    else:
        yield f"- --max-cost {numbers.usd(limit)} does not cover the worst case: the run may stop before its end."
