"""Whether a router stays with its picks: repeats, perturbed questions, its settings.

Reading order: ``repeats``, ``stability``, ``robustness``, ``sweep``.
"""
