"""What `routemark offline` finds: routing decisions in files, judged without a request."""

from __future__ import annotations

from msgspec import UNSET, UnsetType

from routemark.records.base import Record
from routemark.records.controls import BestSingle, Fixed, SameMix
from routemark.records.gates import GateResult
from routemark.records.rules import Rules
from routemark.records.summary import Comparison, Verdict


class OfflineModel(Record, frozen=True, kw_only=True):
    """One model on all questions of the file."""

    n: int
    """Questions with a score."""
    accuracy: float | None
    accuracy_ci95: tuple[float, float] | None
    cost_per_1k_usd: float | None
    """US dollars per 1,000 questions, over those with a known cost."""


class BestOracle(Record, frozen=True, kw_only=True):
    """RouterBench's oracle: the highest score, ties to the cheapest, nothing bought where all score 0."""

    accuracy: float | None
    cost_per_1k_usd: float | None
    picks: dict[str, int]
    questions: int


class FullScoreOracle(Record, frozen=True, kw_only=True):
    """RouterArena's oracle: the cheapest fully right model; questions without one are left out."""

    questions: int
    cost_per_1k_usd: float | None
    """Per 1,000 of those questions."""
    picks: dict[str, int]


class Oracles(Record, frozen=True, kw_only=True):
    """What picks could have reached that knew these very answers: upper bounds."""

    best_then_cheapest: BestOracle
    cheapest_full_score: FullScoreOracle
    luck: float | None
    """Share of the choice questions that an oracle would get right if every model guessed."""
    choice_questions: int


class ZeroRouter(Record, frozen=True, kw_only=True):
    """What drawing lots between fixed models reaches."""

    hull: list[str]
    """Models on the hull, by rising cost."""
    aiq: float | None
    """Mean height of the hull, as RouterBench's paper has it."""
    aiq_code: float | None
    """As RouterBench's code has it: divided by the dearest cost, not by the range."""


class ArmMetrics(Record, frozen=True, kw_only=True):
    """Published metrics of one arm, on the questions for which it has a scored pick."""

    gain_at_best_single: float | None
    """Gain@B of LLMRouterBench; a fraction."""
    gain_at_random: float | None
    """Gain@R."""
    gap_at_oracle: float | None
    """Gap@O."""
    v_r: float | None
    """V_R of RouterEval: score / score of ``--baseline``; None without one."""
    v_b: float | None
    """V_B: score / the best single model's."""
    e_p_bits: float | None
    """E_p: the same as ``pick_entropy_bits``."""
    pgr: float | None
    """RouteLLM; None unless it picks between two models of different mean score."""


class OfflineArm(Record, frozen=True, kw_only=True):
    """One arm: what its picks scored and cost, by the answers in the file."""

    n: int
    """Questions with a scored pick."""
    accuracy: float | None
    accuracy_ci95: tuple[float, float] | None
    cost_per_1k_usd: float | None
    arena_score: float | None
    opt_sel: float | None
    opt_acc: float | None
    opt_cost: float | None
    pick_shares: dict[str, float]
    """Share of the n questions by model, the most frequent first."""
    pick_entropy_bits: float | None
    same_mix: SameMix | None
    hull_gap: float | None
    """Score minus the zero router's at the same cost; None left of the cheapest model."""
    hull_gap_ci95: tuple[float, float] | None
    hull_gap_ci99: tuple[float, float] | None
    regret: float | None
    """Mean score of the best picks minus that of these: at most so much was missed by picking."""
    cost_per_correct_usd: float | None
    left_out: int
    """Picks without a score in the file, left out with ``--allow-missing``."""
    verdict: Verdict
    """With an empty date: on which day the answers were given, a file does not say."""
    metrics: ArmMetrics | UnsetType = UNSET
    """Only with ``--all-metrics``."""


class Buy(Record, frozen=True, kw_only=True):
    """The fixed model that is the best buy from some value of a right answer on."""

    from_usd: float
    model: str


class RouterCurve(Record, frozen=True, kw_only=True):
    """The arms of one router, ``NAME?SETTING=...``, as the points of one curve."""

    arms: list[str]
    aiq: float | None
    aiq_code: float | None
    perf_gain: float | None
    cost_save: float | None
    pareto_dist: float | None
    weak: str | None
    """The two models that all its arms pick between; None unless there are two."""
    strong: str | None
    apgr: float | None
    cpt: dict[str, float | None]
    """Percent of strong calls for PGR 0.2, 0.5 and 0.8; empty unless there are two models."""


class OfflineMetrics(Record, frozen=True, kw_only=True):
    """Published metrics that are not about one arm."""

    cheapest: Fixed | None
    dearest: Fixed | None
    random: Fixed | None
    best_buys: list[Buy]
    """RouterBench's willingness to pay."""
    routers: dict[str, RouterCurve]


class Offline(Record, frozen=True, kw_only=True):
    """Everything that `routemark offline` prints."""

    schema: str = "routemark.offline/1"
    questions: int
    models: dict[str, OfflineModel]
    best_single: BestSingle | None
    oracles: Oracles
    zero_router: ZeroRouter
    arms: dict[str, OfflineArm]
    comparisons: list[Comparison]
    rules: Rules | None = None
    """Routing by rule beside the first arm, from labels alone: a file holds no prompts."""
    metrics: OfflineMetrics | UnsetType = UNSET
    """Only with ``--all-metrics``."""
    gates: list[GateResult] | UnsetType = UNSET
    """Only with ``--gate``."""
