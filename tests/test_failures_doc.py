"""The page on failures shows the table that the program obeys.

`python tests/test_failures_doc.py` writes the table anew.
"""

import re
from pathlib import Path

from routemark.errors import RULES, FailureKind, Rule
from routemark.policy.free import PER_MINUTE
from routemark.policy.pacing import COOLDOWN_S, SHRINK
from routemark.policy.retry import NEVER_REACHED, RetryPolicy
from routemark.policy.stopping import NOT_SERVED, UNKNOWN_IN_A_ROW

PAGE = Path(__file__).parent.parent / "docs/failures.md"
TABLE = re.compile(r"(<!-- kinds -->\n)(.*?)(<!-- /kinds -->)", re.DOTALL)
HEADER = "| kind | when | asked again | pace | stops the run | counts as |\n|---|---|---|---|---|---|\n"


def stops(kind: FailureKind, rule: Rule) -> str:
    if rule.stops_run:
        return "yes"
    return "it may, see below" if kind in NEVER_REACHED | NOT_SERVED else "no"


def row(kind: FailureKind, rule: Rule) -> str:
    cells = [
        f"`{kind}`",
        rule.advice,
        "yes" if rule.retried else "no",
        "-" if rule.slows == "no" else rule.slows,
        stops(kind, rule),
        "wrong answer" if rule.cause == "service" else "not asked",
    ]
    return f"| {' | '.join(cells)} |\n"


def table() -> str:
    return HEADER + "".join(row(kind, rule) for kind, rule in RULES.items())


def test_the_page_shows_the_table() -> None:
    shown = TABLE.search(PAGE.read_text())
    assert shown is not None
    assert shown[2] == table()


def test_every_kind_has_a_rule() -> None:
    assert list(RULES) == list(FailureKind)


def test_the_numbers_of_the_page_are_the_programs() -> None:
    text = " ".join(PAGE.read_text().split())
    policy = RetryPolicy()
    assert (policy.base_s, policy.cap_s, policy.time_budget_s) == (1.0, 60.0, 1800.0)
    floor = sum(policy.base_s * 2**n / 2 for n in range(policy.max_attempts - 1))
    assert floor >= 15
    assert f"{PER_MINUTE} requests a minute" in text
    assert f"{SHRINK:.0%}".replace("%", " %") in text
    assert f"growth for {COOLDOWN_S:.0f} seconds" in text
    assert UNKNOWN_IN_A_ROW == 3
    assert all(f"`{kind}`" in text for kind in NEVER_REACHED)


if __name__ == "__main__":
    PAGE.write_text(TABLE.sub(lambda found: found[1] + table() + found[3], PAGE.read_text()))
