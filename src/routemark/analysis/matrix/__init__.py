"""What all analysis is a function of: outcomes as columns, and the matrix of questions x models.

Reading order: ``columns`` (what is kept of a run's outcome), ``outcomes`` (the matrix), ``live`` (from the one
to the other), ``joined`` (one matrix of several runs), ``cells`` (groups of questions large enough to name).
"""
