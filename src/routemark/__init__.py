"""Routemark tells whether an LLM router earns its keep on your own questions.

To read the code: records, questions, policy.plan, router, engine.run, journal, graders, analysis,
report, main. Every arrow on that road is data that can be printed.
"""

from typing import TYPE_CHECKING, Any

from routemark._version import __version__

if TYPE_CHECKING:
    from routemark.api import RunHandle, compare, offline, open, run  # noqa: A004 - read as routemark.open
    from routemark.records import Question
    from routemark.router import OpenRouterClient

__all__ = [
    "OpenRouterClient",
    "Question",
    "RunHandle",
    "__version__",
    "compare",
    "offline",
    "open",
    "run",
]


def __getattr__(name: str) -> Any:
    """Import the public names when they are first used: `routemark --version` needs none of them."""
    if name == "OpenRouterClient":
        from routemark import router  # noqa: PLC0415

        return router.OpenRouterClient
    if name == "Question":
        from routemark import records  # noqa: PLC0415

        return records.Question
    if name in __all__:
        from routemark import api  # noqa: PLC0415

        return getattr(api, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
