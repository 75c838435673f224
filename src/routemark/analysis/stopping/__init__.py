"""Stopping as soon as it is decided, at no cost to the error rate.

Reading order: ``sequential`` (the tests), ``deciding`` (when a run may stop), ``sequenced`` (what is said of
a run that did), ``savings`` (what is to be expected beforehand), ``stopping_words``.
"""
