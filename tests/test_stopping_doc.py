"""docs/stopping.md shows what `scripts/stopping-table` prints, and the figures that the code uses."""

import math
import runpy
from pathlib import Path

from routemark.analysis.stopping.sequential import GRID, LAST_LEVEL, LAST_WITHIN, SHARES, Design
from routemark.analysis.sureness import MOST_LOST

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs/stopping.md").read_text(encoding="utf-8")


def test_the_table_is_what_the_script_prints() -> None:
    script = runpy.run_path(str(ROOT / "scripts/stopping-table"))
    assert script["table"]() in PAGE, "run scripts/stopping-table"


def test_thresholds_and_shares_are_those_of_the_code() -> None:
    closed, open_ = (Design(mode, "population", 0.03, 10) for mode in ("closed", "open"))
    assert f"*Better* is K+(0) >= {closed.differs:.0f} (open: {open_.differs:.0f})" in PAGE
    assert f"K+(-M) >= {closed.within:.0f} ({open_.within:.0f})" in PAGE
    assert "C = {" + ", ".join(f"{share:g}".removeprefix("0") for share in SHARES) + "}" in PAGE
    assert f"a grid of {len(GRID)}" in PAGE
    assert f"an interval at {LAST_LEVEL:.0%}".replace("%", " %") in PAGE
    assert math.isclose(LAST_WITHIN, 1 - 2 * (1 - LAST_LEVEL))
    assert f"more than {MOST_LOST:.0%}".replace("%", " %") in PAGE
