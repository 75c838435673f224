"""Decisions without an outside: what to ask and when, whether to ask again, how fast, for how much."""
