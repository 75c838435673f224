"""Numbers from outcomes: pure functions of arrays, without clock, file or network.

Rooms, in reading order: ``matrix`` (what everything is a function of), ``stats`` (tools), ``controls`` (what a
router is held against), ``published`` (the metrics of others), ``stopping``, ``steadiness``, ``drift``,
``rules``, ``traffic`` and ``gates``. Here, on one floor: ``arms`` and ``compare`` (what is said of one arm and
of two), ``service``, ``spreads`` and ``timeline`` (speed and failures), ``words``, ``sentences`` and
``verdict`` (what is said to a person), ``summary`` (the fold that puts them together). docs/methods.md explains
each figure to its reader.
"""
