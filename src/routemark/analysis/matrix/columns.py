"""What is kept of an outcome: some 75 bytes of numbers, and 80 of each question, in columns; no text, no record.

Questions and clusters are known by a 64-bit hash of their name, so that a million questions need no
dictionary (two of a million share a hash with probability 3e-8). Every derived figure goes through rows
sorted by arm, question and repeat, so the order of arrival leaves no trace, not even in the last digit.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable, Sequence
from hashlib import blake2b

import numpy as np

from routemark.analysis.rules.prompt_features import FEATURES, Prompts, features, prompt_of, skeleton
from routemark.analysis.stats.arrays import Bools, Codes, Floats, Ints
from routemark.errors import rule
from routemark.records import Completion, Failure, Grade, Outcome, Question

UNKNOWN = math.nan
TRUNCATED, EMPTY, UNSURE = 1, 2, 4
"""Cut off at the token limit; without text; on a graded question, but no grader could score it."""
MOST_CHOICES = 2**15 - 1
"""Choices of a question that fit its column."""
NONE = -1
"""Code of a label that is not there."""


class Labels:
    """Numbers for names, in order of first sight."""

    def __init__(self) -> None:
        self._codes: dict[str, int] = {}

    def code(self, name: str | None) -> int:
        """Give the number of a name; -1 for None."""
        return NONE if name is None else self._codes.setdefault(name, len(self._codes))

    @property
    def names(self) -> list[str]:
        """Names by number."""
        return list(self._codes)


class Columns:
    """Growing columns, one entry a trial."""

    def __init__(self) -> None:
        self.question, self.cluster = array("Q"), array("Q")
        self.arm, self.repeat = array("i"), array("i")
        self.score, self.cost, self.latency, self.ttft = array("d"), array("d"), array("d"), array("d")
        self.pick = array("d")
        self.failure, self.flags = array("h"), array("b")
        self.model, self.provider = array("i"), array("i")
        self.difficulty, self.category, self.task_type = array("i"), array("i"), array("i")
        self.choices = array("h")
        self.prompt_question, self.prompt_skeleton, self.prompt_features = array("Q"), array("Q"), array("d")
        self.arms, self.models, self.providers, self.failures = Labels(), Labels(), Labels(), Labels()
        self.difficulties, self.categories, self.task_types = Labels(), Labels(), Labels()

    def append(self, question: Question, outcome: Outcome, grade: Grade | None) -> None:
        """Take what counts of one trial. Raises ValueError for an outcome that is none."""
        name, family = _hash(question.id), question.metadata.get("family")
        self.question.append(name)
        self.cluster.append(name if family is None or family == "" else _hash(str(family), b"family"))
        self.arm.append(self.arms.code(outcome.arm))
        self.repeat.append(outcome.repeat)
        self.difficulty.append(self.difficulties.code(question.difficulty))
        self.category.append(self.categories.code(question.category))
        self.choices.append(min(len(question.choices or ()), MOST_CHOICES))
        self.cost.append(_known(outcome.cost_usd))
        self.pick.append(_known(outcome.pick_s))
        if not self.prompt_question or self.prompt_question[-1] != name:
            self._append_prompt(name, question)
        if outcome.completion is not None:
            self._append_completion(question, outcome.completion, grade)
        elif outcome.failure is not None:
            self._append_failure(question, outcome.failure)
        else:
            raise ValueError("an outcome has either a completion or a failure")

    def _append_prompt(self, name: int, question: Question) -> None:
        """Measure the prompt; trials mostly come question by question, and a repetition does no harm."""
        prompt = prompt_of(question)
        self.prompt_question.append(name)
        self.prompt_skeleton.append(skeleton(prompt))
        self.prompt_features.extend(features(prompt))

    def _append_completion(self, question: Question, completion: Completion, grade: Grade | None) -> None:
        score = UNKNOWN if grade is None else _known(grade.score)
        self.score.append(score)
        self.latency.append(completion.latency_s)
        self.ttft.append(_known(completion.ttft_s))
        self.failure.append(NONE)
        empty = not completion.text or completion.text.isspace()
        unsure = math.isnan(score) and _is_gradable(question)
        truncated = completion.finish_reason == "length"
        self.flags.append(TRUNCATED * truncated + EMPTY * empty + UNSURE * unsure)
        self.model.append(self.models.code(completion.model))
        self.provider.append(self.providers.code(completion.provider))
        self.task_type.append(self.task_types.code(completion.task_type))

    def _append_failure(self, question: Question, failure: Failure) -> None:
        # a question that nobody can grade must not count as wrong for the arm that failed on it
        self.score.append(
            0.0 if _is_gradable(question) and rule(failure.kind).cause == "service" else UNKNOWN
        )
        self.latency.append(UNKNOWN)
        self.ttft.append(UNKNOWN)
        self.failure.append(self.failures.code(failure.kind))
        self.flags.append(0)
        self.model.append(NONE)
        self.provider.append(NONE)
        self.task_type.append(NONE)


class Rows:
    """Trials of one arm, sorted by question and repeat: columns, gathered anew each time they are asked for."""

    def __init__(self, table: Table, index: Ints) -> None:
        self._table, self._columns, self._index = table, table.columns, index

    def __len__(self) -> int:
        """Give the number of trials."""
        return len(self._index)

    def where(self, at: Bools) -> Rows:
        """Give some of the trials alone."""
        return Rows(self._table, self._index[at])

    @property
    def question(self) -> Codes:
        """Rank of the question among all questions of the table."""
        return self._table.question[self._index]

    @property
    def cluster(self) -> Codes:
        """Rank of the question's family, or of the question itself."""
        return self._table.cluster[self._index]

    @property
    def score(self) -> Floats:
        """In [0, 1]; a service failure is 0; NaN: not graded, or a failure of ours."""
        score = np.asarray(self._columns.score)[self._index]
        return score if self._table.graded else np.full_like(score, UNKNOWN)

    @property
    def cost(self) -> Floats:
        """US dollars; NaN unknown, as in all the numbers below."""
        return np.asarray(self._columns.cost)[self._index]

    @property
    def latency(self) -> Floats:
        """Seconds."""
        return np.asarray(self._columns.latency)[self._index]

    @property
    def ttft(self) -> Floats:
        """Seconds to the first token."""
        return np.asarray(self._columns.ttft)[self._index]

    @property
    def pick(self) -> Floats:
        """Seconds that a router which is a plugin took by itself."""
        return np.asarray(self._columns.pick)[self._index]

    @property
    def failure(self) -> Codes:
        """Failure kind; NONE for a completion, as in all the labels below."""
        return self._codes(self._columns.failure)

    @property
    def answered(self) -> Bools:
        """Trials that ended with a completion."""
        return np.equal(self.failure, NONE)

    @property
    def flags(self) -> Codes:
        """Sum of what holds of TRUNCATED, EMPTY and UNSURE."""
        return self._codes(self._columns.flags)

    @property
    def model(self) -> Codes:
        """Model that served."""
        return self._codes(self._columns.model)

    @property
    def provider(self) -> Codes:
        """Provider that served."""
        return self._codes(self._columns.provider)

    @property
    def difficulty(self) -> Codes:
        """Label of the question."""
        return self._codes(self._columns.difficulty)

    @property
    def category(self) -> Codes:
        """Label of the question."""
        return self._codes(self._columns.category)

    @property
    def choices(self) -> Codes:
        """Number of choices of the question; 0 for a free answer."""
        return self._codes(self._columns.choices)

    @property
    def repeat(self) -> Codes:
        """Repeat, 0-based."""
        return self._codes(self._columns.repeat)

    @property
    def task_type(self) -> Codes:
        """What the router took the prompt for."""
        return self._codes(self._columns.task_type)

    def _codes(self, column: array[int]) -> Codes:
        return np.asarray(column)[self._index].astype(np.int32)


class Table:
    """Columns closed for reading: rows of each arm, sorted. Drop it before appending again."""

    def __init__(self, columns: Columns, arms: Sequence[str]) -> None:
        """Take the arms in the order of the run; arms it does not name come behind, by name."""
        self.columns = columns
        self.arms = [*arms, *sorted(set(columns.arms.names) - set(arms))]
        self.question, self.cluster = _ranks(columns.question), _ranks(columns.cluster)
        self.questions = int(self.question.max(initial=NONE)) + 1
        place = np.array([self.arms.index(name) for name in columns.arms.names], dtype=np.int32)
        arm = place[np.asarray(columns.arm)]
        self._order = np.lexsort((np.asarray(columns.repeat), self.question, arm))
        self._bounds = np.searchsorted(arm, np.arange(len(self.arms) + 1), sorter=self._order)
        scored = ~np.isnan(np.asarray(columns.score))
        self.graded = bool(np.any(scored & (np.asarray(columns.failure) == NONE)))
        """Some answer has a score; without one, failures are no wrong answers either."""

    def rows(self, arm: int) -> Rows:
        """Give the trials of an arm by its index in ``arms``."""
        return Rows(self, self._order[self._bounds[arm] : self._bounds[arm + 1]])

    def rows_served(self, arm: int, others: Iterable[int], models: Bools) -> Rows:
        """Give the trials of an arm, and those of other arms that certain models served.

        ``models``: one entry a code of ``columns.models``. They are sorted like those of one arm.
        """
        served = np.append(models, False)[np.asarray(self.columns.model)]
        lent = [self._order[self._bounds[other] : self._bounds[other + 1]] for other in others]
        own = self._order[self._bounds[arm] : self._bounds[arm + 1]]
        index = np.concatenate([own, *(rows[served[rows]] for rows in lent)])
        repeat = np.asarray(self.columns.repeat)[index]
        return Rows(self, index[np.lexsort((repeat, self.question[index]))])

    def places(self, questions: Iterable[str]) -> Codes:
        """Give the index in the table of each question by its id; NONE where it has no trial."""
        known = np.unique(np.asarray(self.columns.question))
        wanted = np.array([_hash(name) for name in questions], dtype=np.uint64)
        place = np.minimum(np.searchsorted(known, wanted), max(0, len(known) - 1))
        found = known[place] == wanted if len(known) else np.zeros(len(wanted), dtype=bool)
        return np.where(found, place, NONE).astype(np.int32)

    def prompts(self) -> Prompts:
        """Give what was measured of each question's prompt."""
        columns = self.columns
        _, first = np.unique(np.asarray(columns.prompt_question), return_index=True)
        table = np.asarray(columns.prompt_features).reshape(-1, len(FEATURES))
        return Prompts(table[first], _ranks(columns.prompt_skeleton)[first])

    def has(self, questions: Iterable[str]) -> Bools:
        """Give which questions of the table (questions,) are among these ids."""
        wanted = np.array([_hash(name) for name in questions], dtype=np.uint64)
        found: Bools = np.isin(np.unique(np.asarray(self.columns.question)), wanted)
        return found


def _ranks(hashes: array[int]) -> Codes:
    """Give the rank of each hash among the distinct ones."""
    return np.unique(np.asarray(hashes), return_inverse=True)[1].astype(np.int32)


def _is_gradable(question: Question) -> bool:
    return question.reference is not None or question.grader is not None


def _known(value: float | None) -> float:
    return UNKNOWN if value is None else value


def _hash(name: str, person: bytes = b"") -> int:
    return int.from_bytes(blake2b(name.encode(), digest_size=8, person=person).digest())
