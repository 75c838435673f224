"""The words of a verdict. ``verdict`` decides what holds; here it is only said."""

from __future__ import annotations

from collections.abc import Sequence

from routemark.analysis.compare import Leaders, Pair
from routemark.analysis.controls.cost import SAME_COST, cost_standing
from routemark.analysis.stats.arrays import Interval
from routemark.analysis.stats.distributions import normal_quantile
from routemark.analysis.stats.power import questions_to_tell
from routemark.analysis.sureness import FEWEST_ANSWERS
from routemark.analysis.words import listing
from routemark.numbers import count, counted, in_points, less, more, point_range, standing, usd, whole_percent
from routemark.records import Comparison, Delivery, EqualCost, PriceRange, SameMix, WhereItHurts


def hangs_on(unsure: int) -> str:
    """Say that the answers which nobody could grade might change the row."""
    return f"This depends on {counted(unsure, 'answer')} that could not be graded."


def needless(rival: Pair, margin: float) -> str:
    """Row 1: a single model does as well for less."""
    comparison = rival.comparison
    saving = _saving_of_baseline(comparison)
    if rival.ci_all is not None and rival.ci_all[1] < 0:
        better = point_range(_known(comparison.ci95))
        return (
            f"You do not need this router here: {comparison.baseline} alone is better, by {better}, "
            f"and cheaper, by {saving}."
        )
    return (
        f"You do not need this router here: {comparison.baseline} alone is as good "
        f"(at most {in_points(margin)} behind) for {saving} less."
    )


def better_than_all(best: Pair, models: int) -> str:
    """Row 2: better than every fixed model."""
    comparison = best.comparison
    gain = point_range(_known(comparison.ci95))
    if models == 1:
        return f"Better than {comparison.baseline}, the only model measured, by {gain}; {cost(comparison)}."
    return (
        f"Better than every single model measured, by {gain} over {comparison.baseline}; {cost(comparison)}."
    )


def as_good_for_less(best: Pair, models: int, margin: float) -> str:
    """Row 3: as good as the best, and cheaper."""
    comparison = best.comparison
    saved = less(_ratio(comparison), _known(comparison.cost_ratio_ci95))
    return f"As good as {_best(comparison, models)} (within {in_points(margin)}), for {saved}."


def as_good(best: Pair, models: int, margin: float) -> str:
    """Row 4: as good as the best, but not cheaper."""
    comparison = best.comparison
    price = cost(comparison)
    if cost_standing(comparison.cost_ratio_ci95) == "dearer":
        price = f"but dearer: {price}"
    return f"As good as {_best(comparison, models)} (within {in_points(margin)}), {price}."


def gives_up(rival: Pair) -> str:
    """Row 5: worse than a model, and cheaper."""
    comparison, price = rival.comparison, rival.price
    saved = less(_ratio(comparison), _known(comparison.cost_ratio_ci95))
    text = f"Gives up {point_range(_known(comparison.ci95))} against {comparison.baseline} and costs {saved}"
    if price.indifference_usd is None:
        return f"{text}."
    sure = []
    if price.surely_better is not None and price.surely_better.to_usd is not None:
        sure.append(f"surely {_below(price.surely_better)}")
    if price.surely_worse is not None:
        sure.append(f"surely not above {usd(price.surely_worse.from_usd)}")
    borders = f" ({', '.join(sure)})" if sure else ""
    return (
        f"{text}: worth it only if a right answer is worth less than {usd(price.indifference_usd)}{borders}."
    )


def _below(prices: PriceRange) -> str:
    """Give a range of prices that has an upper end."""
    if prices.to_usd is None:
        raise ValueError("this sentence needs an upper end")
    if prices.from_usd == 0:
        return f"below {usd(prices.to_usd)}"
    return f"between {usd(prices.from_usd)} and {usd(prices.to_usd)}"


def worse(rival: Pair) -> str:
    """Row 6: worse than a model, and not cheaper."""
    comparison = rival.comparison
    lost = point_range(_known(comparison.ci95))
    not_cheaper = "" if cost_standing(comparison.cost_ratio_ci95) == "open" else " and not cheaper:"
    return f"Worse than {comparison.baseline}, by {lost},{not_cheaper} {cost(comparison)}."


def undecided(rival: Pair, models: int, margin: float, cost_per_question_usd: float | None) -> str:
    """Row 7: too few questions to tell."""
    comparison = rival.comparison
    interval = _known(comparison.ci95)
    # an interval on one side of zero was not enough after counting all the models compared
    hedge = "" if interval[0] <= 0 <= interval[1] else ", not sure enough among so many comparisons"
    return (
        f"Cannot be told apart from {_best(comparison, models)}, on {counted(comparison.n, 'question')}: "
        f"{standing(interval)}{hedge}; {cost(comparison)}. "
        f"{_to_settle(comparison, margin, cost_per_question_usd)}"
    )


def cost(comparison: Comparison) -> str:
    """Give what the arm costs beside the baseline, as a clause."""
    ratio, interval = comparison.cost_ratio, comparison.cost_ratio_ci95
    if ratio is None:
        return "the costs cannot be compared"
    if interval is None:
        rests = comparison.cost_rests_on is not None
        why = "but a few questions make most of that" if rests else "on too few questions to be sure"
        return f"costs {whole_percent(ratio)} of its price, {why}"
    match cost_standing(interval):
        case "cheaper":
            return f"costs {less(ratio, interval)}"
        case "dearer":
            return f"costs {more(ratio, interval)}"
        case "same":
            return f"costs the same, within {whole_percent(SAME_COST)}"
        case "open":
            return f"whether it saves money is open: costs {_change(interval[0])} to {_change(interval[1])}"


def skill(mix: SameMix | None, margin: float) -> str:
    """Give whether the picks beat the same mix of models drawn at random."""
    if mix is None:
        return "Whether its picks beat the same models picked at random was not measured."
    if mix.n < FEWEST_ANSWERS:
        return (
            "Too little to judge whether its picks beat the same models picked at random: "
            f"{counted(mix.n, 'question')} ({FEWEST_ANSWERS} needed)."
        )
    low, high = mix.gain_ci95
    if low > 0:
        return f"Its picks beat the same models picked at random by {point_range((low, high))}."
    if high < 0:
        return f"Its picks are worse than the same models picked at random, by {point_range((low, high))}."
    if -margin < low and high < margin:
        return f"Its picks are no better than the same models picked at random (within {in_points(margin)})."
    more = _more_for_skill(mix, margin)
    return f"Whether its picks beat the same models picked at random is open: {standing((low, high))}{more}."


def below_the_hull(beside: EqualCost) -> str:
    """Name what does better for the same money; for the end of the sentence on skill."""
    if beside.cheap == beside.dear:
        return f"and {beside.cheap} alone would do better for the same money"
    return f"and a plain mixture of {beside.cheap} and {beside.dear} would do better for the same money"


def delivery(found: Delivery) -> str | None:
    """Say what the router's own calls do beside direct ones, where that is sure."""
    if found.n < FEWEST_ANSWERS or found.ci95 is None or found.ci95[0] <= 0 <= found.ci95[1]:
        return None
    worse = found.ci95[1] < 0
    return (
        f"Its own calls are {'worse' if worse else 'better'} than direct calls of the models it picked, by "
        f"{point_range(found.ci95)}: that is delivery, not picking."
    )


def _more_for_skill(mix: SameMix, margin: float) -> str:
    """Give how many more questions tell a gain of the margin, in brackets; nothing where that is no way."""
    half = (mix.gain_ci95[1] - mix.gain_ci95[0]) / 2
    needed = questions_to_tell(margin, mix.n * (half / normal_quantile(0.95)) ** 2)
    if needed is None or needed <= mix.n:
        return ""
    return f" (about {counted(needed - mix.n, 'more question')} would tell a gain of {in_points(margin)})"


def without_router(found: Leaders | None) -> str:
    """Row 0 without a router: what is missing, and what the fixed models show."""
    text = "No router among the arms: add one with -m, for example -m openrouter/auto."
    if found is None:
        return text
    if found.n < FEWEST_ANSWERS:
        return f"{text} Too few answers to tell the models apart: {found.n} ({FEWEST_ANSWERS} needed)."
    parts = []
    if found.tied:
        parts.append(f"cannot be told apart from {listing(found.tied)}")
    if found.behind:
        parts.append(f"is better than {listing(found.behind)}")
    return f"{text} On {counted(found.n, 'question')}, {found.best} scored best; it {' and '.join(parts)}."


def hurts(found: WhereItHurts) -> str:
    """Give the kind of question in which the router is furthest behind."""
    worst_of = f", the worst of {found.cells} looked at together" if found.cells > 1 else ""
    return (
        f"Where it hurts: {found.by} {found.label}, {point_range(found.ci_all)} behind {found.baseline} on "
        f"{counted(found.n, 'question')}{worst_of}."
    )


def too_few(n: int) -> str:
    """Row 0: too few answers."""
    return f"Too little to judge: {counted(n, 'answer')} to compare ({FEWEST_ANSWERS} needed)."


def too_many_lost(name: str, share: float, most: float) -> str:
    """Row 0: too many answers are missing."""
    return (
        f"Too little to judge: {whole_percent(share)} of the answers of {name} failed or were not graded "
        f"({whole_percent(most)} at most)."
    )


def alike(rivals: Sequence[Pair], subject: str) -> str:
    """Name the models whose quality cannot be told from the router's, and what the cheaper ones save."""
    names = []
    for rival in rivals:
        comparison = rival.comparison
        cheaper = cost_standing(comparison.cost_ratio_ci95) == "dearer"
        saving = f" ({_saving_of_baseline(comparison)} cheaper)" if cheaper else ""
        names.append(comparison.baseline + saving)
    return f"On quality, {subject} cannot be told apart from {listing(names)}."


def against(comparison: Comparison) -> str:
    """Give where the arm stands beside the baseline, in one line."""
    if comparison.ci95 is None:
        return f"{comparison.arm} beside {comparison.baseline}: {cost(comparison)}."
    return f"{comparison.arm} beside {comparison.baseline}: {standing(comparison.ci95)}; {cost(comparison)}."


def _best(comparison: Comparison, models: int) -> str:
    return (
        comparison.baseline if models == 1 else f"{comparison.baseline}, the best of {models} models measured"
    )


def _to_settle(comparison: Comparison, margin: float, cost_per_question_usd: float | None) -> str:
    needed = comparison.questions_to_decide
    if needed is None:
        return f"Asking more questions is no way to settle a difference of {in_points(margin)}."
    extra = needed - comparison.n
    if extra <= 0:
        return f"So many questions tell a difference of {in_points(margin)} in four runs of five."
    beside = [] if comparison.questions_to_decide_range is None else [_extra(comparison)]
    if cost_per_question_usd:
        beside.append(f"about {usd(extra * cost_per_question_usd)}")
    told = f" ({'; '.join(beside)})" if beside else ""
    return f"About {counted(extra, 'more question')}{told} would settle a difference of {in_points(margin)}."


def _extra(comparison: Comparison) -> str:
    """Give the 80 % range of the questions that are missing: ``700 to 1,250``."""
    low, high = comparison.questions_to_decide_range or (None, None)
    least = max(0, (low or comparison.n) - comparison.n)
    return (
        f"{count(least)} or more"
        if high is None
        else f"{count(least)} to {count(max(0, high - comparison.n))}"
    )


def _saving_of_baseline(comparison: Comparison) -> str:
    free = comparison.cost_ratio is None
    return whole_percent(1.0 if free else 1 - 1 / _ratio(comparison))


def _change(ratio: float) -> str:
    return f"{whole_percent(1 - ratio)} less" if ratio < 1 else f"{whole_percent(ratio - 1)} more"


def _ratio(comparison: Comparison) -> float:
    if comparison.cost_ratio is None:
        raise ValueError("this sentence needs a cost ratio")
    return comparison.cost_ratio


def _known(interval: Interval | None) -> Interval:
    if interval is None:
        raise ValueError("this sentence needs an interval")
    return interval
