"""Names as a sentence lists them."""

from __future__ import annotations

from collections.abc import Sequence


def listing(names: Sequence[str], most: int = 5) -> str:
    """Give names as ``a, b and c``; beyond ``most`` only how many more there are."""
    shown = list(names[:most])
    if len(names) > most:
        shown.append(f"{len(names) - most} more")
    return " and ".join([", ".join(shown[:-1]), shown[-1]]) if len(shown) > 1 else "".join(shown)
