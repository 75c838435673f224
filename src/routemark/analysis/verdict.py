"""The verdict: which of eight rows holds for the router, and the sentences that go with it.

D_f is router minus fixed model f in mean score, with its 95 % interval [L_f, U_f]; the cost ratio is router /
f; M is the margin; F is the best fixed model of this run. The first row that holds:

0. too little to judge
1. some f: U_f < M, and the router surely dearer; both at the level that holds for all f at once
2. all f: L_f > 0
3. all f: L_f > -M, and surely cheaper than F
4. all f: L_f > -M
5. some f better (Holm), the router surely cheaper than it
6. some f better (Holm)
7. else: cannot be told apart

Row 1 errs with 5 % by Bonferroni, rows 2-4 with 2.5 % (intersection-union: all intervals must agree, so none
needs a correction), rows 5 and 6 with 5 % by Holm. "Surely" cheaper or dearer is by more than 5 %. In a run
that was looked at after every question the sequential tests take the place of intervals and Holm's p.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from routemark.analysis import sentences
from routemark.analysis.compare import Doubt, Leaders, Pair, by_quality, lost_share
from routemark.analysis.controls.cost import SAME_COST, cost_standing
from routemark.analysis.matrix import joined_words
from routemark.analysis.stopping import stopping_words
from routemark.analysis.sureness import FEWEST_ANSWERS, MOST_LOST, is_enough
from routemark.analysis.traffic import traffic_words
from routemark.analysis.traffic.traffic import AS_ASKED, Traffic
from routemark.analysis.words import listing
from routemark.numbers import count, counted, in_points, whole_percent
from routemark.records import ArmSummary, Comparison, Run, Stopping, Verdict, WhereItHurts

FEW_CLUSTERS = 20
"""Below, an interval carries a warning."""


class Evidence(NamedTuple):
    """What a verdict rests on."""

    run: Run
    arms: Mapping[str, ArmSummary]
    pairs: Sequence[Pair]
    leaders: Leaders | None
    """Only without a router."""
    graded: bool
    finished_questions: int
    margin: float
    baseline: str | None
    """Name of the arm that is in use today."""
    doubt: Doubt | None = None
    """None where every answer could be graded."""
    stopping: Stopping | None = None
    """None without ``--until-decided``."""
    traffic: Traffic = AS_ASKED
    is_weighted: bool = False
    """Arms and pairs are those of the traffic's mix."""
    hurts: WhereItHurts | None = None
    """None where the router judged is surely behind in no kind of question."""


class Ruling(NamedTuple):
    """What the table gives."""

    row: int
    sentence: str
    subject: str | None
    """The router judged; None without one."""
    rivals: list[Pair]
    """It against each fixed model that can be judged by, the best model first; empty in row 0."""
    named: Pair | None
    """The one that the sentence is about."""


def verdict(evidence: Evidence) -> Verdict:
    """Give the verdict about the first router of the run."""
    ruling = _for_traffic(_with_doubt(rule_on(evidence), evidence), evidence)
    skill = "Without a router there are no picks to judge."
    if ruling.subject is not None:
        skill = _skill(evidence, evidence.arms[ruling.subject])
    return Verdict(
        row=ruling.row,
        sentence=ruling.sentence,
        skill=skill,
        notes=list(notes(evidence, ruling)),
        margin=evidence.margin,
        date=_utc_date(evidence.run.started_at),
    )


def _skill(evidence: Evidence, router: ArmSummary) -> str:
    """Say whether the picks beat chance, and whether a mixture of models is better for the same money."""
    skill = sentences.skill(router.same_mix, evidence.margin)
    beside = router.equal_cost
    if beside is not None and beside.standing == "below":
        skill = f"{skill.removesuffix('.')}, {sentences.below_the_hull(beside)}."
    return skill + joined_words.way_to_measure(evidence.run, router.same_mix)


def _with_doubt(ruling: Ruling, evidence: Evidence) -> Ruling:
    """Let the sentence say when it hangs on answers that could not be graded."""
    doubt = evidence.doubt
    if ruling.row == 0 or doubt is None:
        return ruling
    rows = {rule_on(evidence._replace(pairs=pairs)).row for pairs in (doubt.against, doubt.for_it)}
    if rows <= {ruling.row}:
        return ruling
    return ruling._replace(sentence=f"{ruling.sentence} {sentences.hangs_on(doubt.answers)}")


def _for_traffic(ruling: Ruling, evidence: Evidence) -> Ruling:
    """Let the sentence say that it is weighted, and what a month costs beside what is in use today."""
    if ruling.row == 0:
        return ruling
    sentence = traffic_words.weighted(ruling.sentence) if evidence.is_weighted else ruling.sentence
    beside = next(
        (
            pair
            for pair in evidence.pairs
            if (pair.comparison.arm, pair.comparison.baseline) == (ruling.subject, evidence.baseline)
        ),
        ruling.named,
    )
    if evidence.traffic.calls is not None and beside is not None:
        month = traffic_words.month(beside.comparison, evidence.traffic.calls)
        sentence = f"{sentence} {month}" if month else sentence
    return ruling._replace(sentence=sentence)


def _utc_date(started_at: str) -> str:
    """Give the UTC day of a time in ISO 8601, one without a zone is UTC already; "" where no time is known."""
    if not started_at:
        return ""
    started = datetime.fromisoformat(started_at)
    return (started.astimezone(UTC) if started.tzinfo else started).date().isoformat()


def rule_on(evidence: Evidence) -> Ruling:
    """Give the row that holds and its sentence."""
    subject = first_router(evidence)
    if subject is None:
        return Ruling(0, sentences.without_router(evidence.leaders), None, [], None)
    against = rivals_of(subject, evidence)
    rivals = [pair for pair in against if is_usable(pair)]
    if not rivals or not evidence.graded:
        return Ruling(0, _too_little(evidence, subject, against), subject, [], None)
    row, named = decide(rivals, evidence.margin)
    return Ruling(row, _sentence(row, named, len(rivals), evidence), subject, rivals, named)


def decide(rivals: Sequence[Pair], margin: float) -> tuple[int, Pair]:
    """Give the row of the table, 1-7, and the fixed model that its sentence names.

    ``rivals``: the router against each fixed model, the best model first; at least one, all usable.
    """
    best = rivals[0]
    for rival in rivals:
        if _upper(rival.ci_all) < margin and cost_standing(rival.ratio.interval_all) == "dearer":
            return 1, rival
    if all(_lower(rival) > 0 for rival in rivals):
        return 2, best
    if all(_is_not_worse(rival, margin) for rival in rivals):
        return (3 if _is_cheaper(best) else 4), best
    better = [rival for rival in rivals if _is_worse_than(rival)]
    for rival in better:
        if _is_cheaper(rival):
            return 5, rival
    if better:
        return 6, better[0]
    return 7, next(rival for rival in rivals if _lower(rival) <= 0)


def is_usable(pair: Pair) -> bool:
    """Say whether a pair has enough answers, of enough trials, to be judged by."""
    comparison = pair.comparison
    return comparison.ci95 is not None and is_enough(comparison.n, comparison.failed_or_ungraded)


def rivals_of(subject: str, evidence: Evidence) -> list[Pair]:
    """Give the comparisons of a router with each fixed model, the best model first."""
    arms = evidence.arms
    rivals = [
        pair
        for pair in evidence.pairs
        if pair.comparison.arm == subject and not arms[pair.comparison.baseline].is_router
    ]
    return sorted(rivals, key=lambda pair: by_quality(arms[pair.comparison.baseline]))


def first_router(evidence: Evidence) -> str | None:
    """Give the arm that is judged: the first known router, else the first that more than one model served."""
    known = [arm.name for arm in evidence.run.arms if arm.is_router]
    served = [name for name, arm in evidence.arms.items() if arm.is_router]
    return next(iter(known + served), None)


def _upper(interval: tuple[float, float] | None) -> float:
    return 1.0 if interval is None else interval[1]


def _lower(rival: Pair) -> float:
    return -1.0 if rival.comparison.ci95 is None else rival.comparison.ci95[0]


def _is_cheaper(rival: Pair) -> bool:
    return cost_standing(rival.comparison.cost_ratio_ci95) == "cheaper"


def _is_not_worse(rival: Pair, margin: float) -> bool:
    """Say whether the router is surely not worse by the margin; looked at often, that has a test of its own."""
    sequential = rival.comparison.sequential
    return _lower(rival) > -margin or (sequential is not None and sequential.not_worse)


def _is_worse_than(rival: Pair) -> bool:
    """Say whether the fixed model is better: by Holm, and by the interval, which rules where they disagree."""
    if rival.comparison.sequential is not None:
        return _upper(rival.ci_all) < 0
    p = rival.comparison.p_value_holm
    return p is not None and p < 0.05 and _upper(rival.comparison.ci95) < 0


def _sentence(row: int, named: Pair, models: int, evidence: Evidence) -> str:
    margin = evidence.margin
    match row:
        case 1:
            text = sentences.needless(named, margin)
        case 2:
            text = sentences.better_than_all(named, models)
        case 3:
            text = sentences.as_good_for_less(named, models, margin)
        case 4:
            text = sentences.as_good(named, models, margin)
        case 5:
            text = sentences.gives_up(named)
        case 6:
            text = sentences.worse(named)
        case _:
            text = sentences.undecided(named, models, margin, _cost_per_question_usd(evidence))
    return stopping_words.about_these(evidence.stopping, text)


def _too_little(evidence: Evidence, subject: str, against: Sequence[Pair]) -> str:
    """Say why nothing is judged: the first reason that holds."""
    if not evidence.finished_questions:
        return "Nothing to judge: no question has been asked of every arm yet."
    if not against:
        return "Nothing to compare with: add a fixed model with -m."
    if not evidence.graded:
        return "Quality was not graded: this run judges routing, cost and latency only."
    most = max(pair.comparison.n for pair in against)
    if most < FEWEST_ANSWERS:
        return sentences.too_few(most)
    names = [subject, *(pair.comparison.baseline for pair in against)]
    for name in names:
        share = lost_share(evidence.arms[name])
        if share > MOST_LOST:
            return sentences.too_many_lost(name, share, MOST_LOST)
    return "Too little to judge: all questions are of one family, so they count as one."


def cost_to_decide_usd(comparison: Comparison, evidence: Evidence) -> float | None:
    """Give what the questions that are missing to tell a difference of the margin cost, all arms asked.

    0 where none is missing; None where more would be no way, or a cost is unknown.
    """
    needed, each = comparison.questions_to_decide, _cost_per_question_usd(evidence)
    return None if needed is None or each is None else max(0, needed - comparison.n) * each


def _cost_per_question_usd(evidence: Evidence) -> float | None:
    """Give what one more question to all arms costs; None where a mean cost is unknown."""
    costs = [arm.cost_per_1k_usd for arm in evidence.arms.values()]
    known = [cost for cost in costs if cost is not None]
    return sum(known) / 1000 * evidence.run.repeats if len(known) == len(costs) else None


def notes(evidence: Evidence, ruling: Ruling) -> Iterator[str]:
    """Give what a reader must also know, the most important first."""
    if evidence.run.simulated:
        yield "SIMULATED: fictitious models; this tests the wiring, not any router."
    if evidence.traffic.weights:
        say = traffic_words.weights_note if evidence.is_weighted else traffic_words.lacking_note
        yield say(evidence.traffic.weights)
    yield from _notes_on_completeness(evidence, ruling)
    if ruling.named is not None:
        yield from _notes_on_rivals(ruling, ruling.named)
    yield from _notes_on_others(evidence, ruling)
    if evidence.hurts is not None:
        yield sentences.hurts(evidence.hurts)
    if ruling.row:
        yield (
            f'"As good" and "within" mean at most {in_points(evidence.margin)}, surely (95 %); '
            f"costs within {whole_percent(SAME_COST)} of each other count as the same."
        )


def _notes_on_completeness(evidence: Evidence, ruling: Ruling) -> Iterator[str]:
    """Say what is missing: questions, answers, grades, models."""
    run, arms, stopping = evidence.run, evidence.arms, evidence.stopping
    if stopping is not None:
        yield from _notes_on_stopping(stopping, ruling)
    if run.shard is not None:
        yield (
            f"This is {run.shard} of a plan: {counted(run.originals, 'question')} of "
            f"{count(run.shard.originals)}. `routemark merge` joins the shards."
        )
    if evidence.finished_questions < run.originals and (stopping is None or not stopping.early):
        yield (
            f"Rests on the first {count(evidence.finished_questions)} of {counted(run.originals, 'question')} "
            "in the order of the plan: the run has not finished."
        )
    failed = [f"{name} {arm.failed} of {arm.n}" for name, arm in arms.items() if arm.failed]
    if failed:
        yield f"Failed calls: {listing(failed)}; where the service failed, they count as wrong answers."
    ungraded = [f"{name} {arm.ungraded} of {arm.n}" for name, arm in arms.items() if arm.ungraded]
    if ungraded and evidence.graded:
        yield f"Answers without a grade: {listing(ungraded)}; they are left out."
    judged = {rival.comparison.baseline for rival in ruling.rivals}
    if ruling.row:
        left_out = [
            name
            for name, arm in arms.items()
            if not arm.is_router and name not in judged and arm.sample is None
        ]
        if left_out:
            yield f"Left out of the verdict, for too few answers: {listing(left_out)}."
    if ruling.subject is not None:
        delivered = arms[ruling.subject].delivery
        if delivered is not None and (said := sentences.delivery(delivered)):
            yield said
        yield from joined_words.notes(run, arms, ruling.subject)


def _notes_on_stopping(stopping: Stopping, ruling: Ruling) -> Iterator[str]:
    """Say what was decided, and what it takes for granted."""
    yield stopping_words.note(stopping)
    named = ruling.named and ruling.named.comparison
    if stopping.early and stopping.estimand == "population" and named and named.clusters < named.n:
        yield stopping_words.families(named.n, named.clusters)


def _notes_on_rivals(ruling: Ruling, named: Pair) -> Iterator[str]:
    """Say what else there is about the router and the fixed models."""
    alike = [
        rival
        for rival in ruling.rivals
        if rival is not named and _lower(rival) <= 0 <= _upper(rival.comparison.ci95)
    ]
    if alike and ruling.subject is not None:
        yield sentences.alike(alike, ruling.subject)
    comparison = named.comparison
    if comparison.cost_rests_on is not None:
        yield (
            f"The costs against {comparison.baseline} rest on {counted(comparison.cost_rests_on, 'question')}: "
            "the dearest 5 % make more than half; another sample may tell another saving."
        )
    if comparison.clusters < FEW_CLUSTERS:
        yield f"Few independent groups of questions ({comparison.clusters}): the intervals are rough."


def _notes_on_others(evidence: Evidence, ruling: Ruling) -> Iterator[str]:
    """Say how the router stands beside the other routers and what is in use today."""
    for pair in evidence.pairs:
        comparison = pair.comparison
        sides = {comparison.arm, comparison.baseline}
        both_routers = all(evidence.arms[side].is_router for side in sides)
        if (
            ruling.subject in sides
            and (both_routers or evidence.baseline in sides)
            and pair is not ruling.named
        ):
            yield sentences.against(comparison)
