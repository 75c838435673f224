"""Question sets: load, check, hash, sample, freeze.

The road of a file: `reading` finds the format and gives rows with their places (`json_list`,
`csv_table`, JSON Lines), `validate` makes each row a Question or a list of faults (`fields`,
`conversation`), `frozen` keeps questions on disk in one format with an index in memory, and `loading`
joins them. All of it streams: a file of a million questions takes little more memory than a small one.
"""

from routemark.questions.frozen import QuestionSet, open_frozen
from routemark.questions.loading import load, shipped

__all__ = ["QuestionSet", "load", "open_frozen", "shipped"]
