"""Families of questions: templates that draw a question anew, with the answer computed as it is drawn.

`base` says what a family is, `drawing` draws from families by seed; each of the other modules holds the
families of one or two categories. The shipped set is drawn from them by `scripts/build-questions`, and
`routemark questions --fresh` draws new ones.
"""

from routemark.families import (
    algebra,
    arithmetic,
    calendar,
    caution,
    chance,
    code_reading,
    code_writing,
    counting,
    extraction,
    facts,
    games,
    geometry,
    languages,
    logic,
    lookup,
    matching,
    networks,
    number_theory,
    packing,
    planning,
    policies,
    programs,
    routes,
    rules,
    sequencing,
    sharing,
    shifts,
    sql,
    sql_writing,
    summaries,
    timing,
    tools,
    wording,
)
from routemark.families.base import Draft, Family
from routemark.families.drawing import Drawer, draw, named

__all__ = ["FAMILIES", "Draft", "Drawer", "Family", "draw", "named"]

_MODULES = (
    arithmetic,
    algebra,
    number_theory,
    geometry,
    chance,
    counting,
    calendar,
    code_reading,
    code_writing,
    programs,
    sql,
    sql_writing,
    extraction,
    rules,
    policies,
    wording,
    summaries,
    tools,
    languages,
    facts,
    lookup,
    logic,
    games,
    timing,
    caution,
    planning,
    routes,
    packing,
    sharing,
    matching,
    networks,
    sequencing,
    shifts,
)
FAMILIES: tuple[Family, ...] = tuple(family for module in _MODULES for family in module.FAMILIES)
"""Every family, in the order of the shipped set."""
