"""What it takes to call anything sure: the one rule of verdict, figures, tables and the page's controls."""

from __future__ import annotations

import math

from routemark.analysis.stats.distributions import student_t_quantile

FEWEST_ANSWERS = 30
"""Answers to compare, below which nothing is judged."""
MOST_LOST = 0.2
"""Share of an arm's answers that may have failed or not been graded."""


def is_enough(answers: int, lost: float = 0.0) -> bool:
    """Say whether so many answers can be judged by; ``lost``: the larger share of both arms (`MOST_LOST`)."""
    return answers >= FEWEST_ANSWERS and lost <= MOST_LOST


def sure_quantile(answers: int, degrees: int, lost: float = 0.0) -> float:
    """Give the two-sided 95 % quantile of Student's t; NaN, which leaves everything open, of too little."""
    return student_t_quantile(0.95, degrees) if degrees > 0 and is_enough(answers, lost) else math.nan
