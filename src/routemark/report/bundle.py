"""The JavaScript that draws charts: Vega-Embed and what it needs in one piece, as vl-convert bundles it.

Bundling takes seconds, so the piece is kept in the user's cache directory, one file a version. Without such a
directory it is made anew each time. Nothing is fetched from anywhere.
"""

from __future__ import annotations

import base64
import gzip
import os
import re
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path

from routemark.files import replaced

_ENDS = re.compile(r"</(?=script)|<!--", re.IGNORECASE)
"""What would end a script element, or begin a comment in one."""


@lru_cache(maxsize=1)
def vega() -> str:
    """Give the bundle, which puts `vegaEmbed` into the window; some 0.9 MB."""
    kept = _cache() / f"vega-embed-{version('vl-convert-python')}.js"
    try:
        return kept.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        made = _bundled()
    try:
        kept.parent.mkdir(parents=True, exist_ok=True)
        with replaced(kept) as file:
            file.write(made.encode())
    except OSError:  # no home, no room: it is made anew next time
        pass
    return made


@lru_cache(maxsize=1)
def packed() -> str:
    """Give the bundle as base64 of gzip, less than half as long; `charts.js` unpacks it."""
    return base64.b64encode(gzip.compress(vega().encode(), mtime=0)).decode()


def _bundled() -> str:
    import vl_convert  # noqa: PLC0415 - heavy, and rarely needed

    made = vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;")
    return _ENDS.sub(lambda found: f"<\\x{ord(found[0][1]):02x}{found[0][2:]}", made)


def _cache() -> Path:
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "routemark"
