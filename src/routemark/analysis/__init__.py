"""Numbers from outcomes: pure functions of arrays, without clock, file or network.

Reading order: ``distributions`` and ``clusters`` (tools), ``intervals``, ``significance``, ``paired``,
``cost``, ``value``, ``power``, ``samemix``, ``metrics`` (one home for each formula), ``columns`` (what is
kept of an outcome), ``arms`` and ``compare`` (what is said of one arm and of two), ``words`` and
``verdict`` (what is said to a person), ``summary`` (the fold that puts them together). docs/methods.md
explains each figure to its reader. ``offline`` does for files of picks what ``summary`` does for a run, with
the formulas of ``published``, put together by ``specialists``.
"""
