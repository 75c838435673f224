"""`python -m benchmarks ROW...`: measure rows of the table; ``all`` measures every one."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime

from benchmarks import machine
from benchmarks.rows import ROWS


def main() -> None:
    """Measure what is named."""
    names = "\n".join(f"  {name:12} {row.__doc__}" for name, row in ROWS.items())
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=__doc__,
        epilog=names,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("row", nargs="+", choices=[*ROWS, "all"], metavar="ROW")
    wanted = parser.parse_args().row
    print(f"{datetime.now(UTC):%Y-%m-%d}, {machine.line()}")
    for name in ROWS if "all" in wanted else wanted:
        ROWS[name]()


if __name__ == "__main__":
    main()
