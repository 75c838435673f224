"""The same questions, the same server, the same run: other harnesses beside Routemark.

`job` says what is to be done, `adapters` how each harness is told to do it, `environments` where it lives,
`server` answers and watches, `accounts` measures the process tree, `table` prints. Nothing here is part of the
tests' run but the parts that need no harness.
"""
