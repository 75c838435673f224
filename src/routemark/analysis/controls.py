"""Controls of a router from direct cells: fixed arms of the same run that answered the same questions."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from routemark.analysis.arrays import Codes, Floats, Ints
from routemark.analysis.columns import NONE, Table
from routemark.analysis.compare import Matrix
from routemark.analysis.metrics import mean_cost_per_1k_usd
from routemark.analysis.samemix import mix_gain
from routemark.records import Arm, ArmSummary, SameMix

LEAST_COMPLETE = 0.8
"""Share of a router's questions on which all models it ever picked must have a score."""


def same_mix(
    router: Arm, direct: Mapping[str, int], table: Table, cells: Matrix, seed: int
) -> SameMix | None:
    """Give the router's own mix of models at random; None unless every model it picked is in ``direct``.

    Questions on which one of those models has no score are left out of the control.
    """
    rows = table.rows(table.arms.index(router.name))
    names = table.columns.models.names
    model = rows.model
    picked, question = model[model != NONE], rows.question[model != NONE]
    used = {names[code] for code in np.unique(picked)}
    if not used or not used <= direct.keys():
        return None
    columns = sorted({direct[name] for name in used})
    place = np.array([columns.index(direct[name]) if name in used else NONE for name in names])
    asked, picks = _shares(question, place[picked], len(columns))
    scores = cells.score[asked][:, columns]
    complete = ~np.isnan(scores).any(axis=1)
    if complete.sum() < LEAST_COMPLETE * len(asked):
        return None
    asked, picks = asked[complete], picks[complete]
    gain = mix_gain(picks, scores[complete], cells.cluster[asked], seed=seed)
    if gain is None:
        return None
    return SameMix(
        accuracy=gain.expected,
        cost_per_1k_usd=_mix_cost(picks, cells.cost[asked][:, columns]),
        gain=gain.gain,
        gain_ci95=gain.interval,
        p_value=gain.p_value,
    )


def direct_arms(
    router: Arm, table: Table, arms: Mapping[str, ArmSummary], fixed: Mapping[str, Arm]
) -> dict[str, int]:
    """Give, by model, the index of the fixed arm that asks it directly, with the router's other settings.

    A model is known by the name under which it served and by the slug that was sent; the first arm counts.
    """
    found: dict[str, int] = {}
    for name, arm in fixed.items():
        if arm.plugin is None and not arm.models and arm.body == router.body:
            for model in (*arms[name].model_usage, arm.model):
                found.setdefault(model, table.arms.index(name))
    return found


def _shares(question: Codes, place: Ints, models: int) -> tuple[Codes, Floats]:
    """Give the questions with a pick, and the share of their picks that went to each model."""
    asked, row = np.unique(question, return_inverse=True)
    counts = np.bincount(row * models + place, minlength=len(asked) * models).reshape(len(asked), models)
    shares: Floats = counts / counts.sum(axis=1, keepdims=True)
    return asked, shares


def _mix_cost(picks: Floats, costs: Floats) -> float | None:
    """Give what the mix costs at random; None where nothing is known of a model."""
    means = [mean_cost_per_1k_usd(column) for column in costs.T]
    known = [mean for mean in means if mean is not None]
    return float(picks.mean(axis=0) @ np.array(known)) if len(known) == len(means) else None
