"""Metrics of the published router benchmarks, and the judging of files of picks with them.

Reading order: ``metrics``, ``published`` (the formulas), ``specialists`` (routers that choose between few
models), ``offline`` (what a file of picks amounts to).
"""
