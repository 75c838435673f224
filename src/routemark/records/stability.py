"""How steady an arm is: over repeats of the same question, and over rewordings that should not matter."""

from __future__ import annotations

from routemark.records.base import Record

PERTURBED_FROM = "perturbed_from"
"""In a perturbed copy's metadata: the id of the question it was made of."""
PERTURBATION = "perturbation"
"""In a perturbed copy's metadata: the kind of change."""


class Estimate(Record, frozen=True, kw_only=True):
    """A mean over questions, with its interval."""

    value: float
    ci95: tuple[float, float] | None
    """From whole clusters of questions; None where there are too few to tell."""
    n: int
    """Questions behind it."""
    clusters: int


class Stability(Record, frozen=True, kw_only=True):
    """What repeats of the same question show."""

    repeats: int
    """The most that a question has."""
    sticky: bool
    """The repeats shared a session; else each had a fresh one."""
    same_pick: Estimate | None
    """Probability that two repeats of a question are served by the same model."""
    pick_entropy_bits: Estimate | None
    """Mean entropy of the models that served a question's repeats, bits; at most log2 of the repeats."""
    self_disagreement: Estimate | None
    """Probability that two repeats of a question score differently: the noise floor of every comparison."""
    score_change_other_model: Estimate | None
    """Mean absolute difference of score between two repeats that different models served."""
    pairs_other_model: int
    """Pairs of repeats behind it."""
    score_change_same_model: Estimate | None
    """The same between two repeats that one model served."""
    pairs_same_model: int
    flip_effect: Estimate | None
    """The first minus the second on the questions that have both: what another pick does beyond the noise."""


class Perturbation(Record, frozen=True, kw_only=True):
    """What one kind of change to the prompt did, or all kinds together."""

    copies: int
    """Perturbed copies that were asked and count."""
    left_out: int
    """Questions looked at to which the kind cannot be applied."""
    flip_rate: Estimate | None
    """Probability that the copy is served by another model than the original prompt."""
    robustness: float | None
    """RouterArena's: 1 - flips / n."""
    excess_flips: Estimate | None
    """Flips beyond the router's ordinary flicker; None without repeats that tell it."""
    score_change: Estimate | None
    """Score of the copy minus score of the original, paired."""


class Robustness(Record, frozen=True, kw_only=True):
    """What changes to the prompt that should not matter did to an arm."""

    overall: Perturbation
    by_kind: dict[str, Perturbation]


class Copies(Record, frozen=True, kw_only=True):
    """Perturbed copies of one kind in a run."""

    copies: int
    left_out: int = 0
    """Questions looked at to which the kind cannot be applied."""
