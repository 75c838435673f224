"""Tools of statistics that know nothing of models: one home for each formula.

Reading order: ``distributions``, ``clusters``, ``intervals``, ``paired``, ``significance``, ``power``; then
``resampling``, ``strata``, ``folds`` and ``agreement``.
"""
