"""The machinery that turns planned trials into journaled, graded outcomes.

`run` is the loop, `gate` lets requests through as the pace allows, `local` is the executor of this
process, `health` measures what the client itself adds.
"""
