"""Whether a router has changed between two dates.

Reading order: ``twodates`` (two runs), ``drift`` (the tests), ``fairness`` (what may be compared),
``drift_words``.
"""
