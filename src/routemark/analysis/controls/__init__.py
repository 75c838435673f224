"""What a router is held against: cost and value, the same mix at random, equal cost, the oracles.

Reading order: ``cost``, ``value``, ``samemix``, ``hull``, ``equalcost``, ``oracles``, ``bounds``,
``baselines``, and ``controls``, which puts them together.
"""
