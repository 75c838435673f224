"""The shipped gateway: a real HTTP server that speaks OpenRouter's wire format, simulated or replaying.

The road of a request: `app` (routes) -> `request` (body read) -> `chat` -> `simulator` or `replay` ->
`router` (who serves) -> `answers` (what is said) -> `billing` and `ledger` -> `bodies` and `sse` (what is
sent), with `faults` in the way when asked for. `catalogue` holds the fictitious models; everything random
is drawn by `seeding` from names, never from order or time.
"""
