"""Gates for continuous integration: a small language over the figures of a run.

Reading order: ``language`` (parsed and typed), ``figures`` (what may be named), ``gates`` (judged).
"""
