"""Trials in full, read from the journal where the table says that they stand."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path
from typing import BinaryIO, NamedTuple, TypeVar

import msgspec

from routemark.errors import JournalError
from routemark.generations import settled
from routemark.journal import read_at
from routemark.questions import QuestionSet
from routemark.records import Grade, Outcome, Question, ResultRow
from routemark.report.rows import result_row
from routemark.viewer.index import Entries, Index, by_key, looked_up
from routemark.viewer.table import Table
from routemark.wire.checks import SESSION_REUSED, flags_of

RecordT = TypeVar("RecordT", Grade, Outcome)


class Trial(NamedTuple):
    """All that the journal tells of one trial."""

    row: ResultRow
    outcome: Outcome
    grades: list[Grade]
    """All, the newest last."""
    earlier: list[Outcome]
    """Outcomes that a newer one took the place of, the newest last."""


class _Completion(msgspec.Struct):
    text: str = ""


class _Answered(msgspec.Struct):
    """What a search in answers reads of a line."""

    completion: _Completion | None = None


_decode = msgspec.json.Decoder(_Answered).decode
AROUND = 60, 240
"""Characters shown before what was found, and from there on."""


class Reader:
    """Reads trials of one run; of one state of its journal."""

    def __init__(
        self, *, journal: Path, questions: QuestionSet, index: Index, table: Table, counted: int
    ) -> None:
        """Read from these; ``counted``: questions of the plan that are in the summary."""
        self.questions = questions
        self.table = table
        self.index = index
        self._journal = journal
        self._lookups = by_key(index.lookups)
        self.counted = counted
        self._arms = {arm.name: arm for arm in table.run.all_arms}

    def rows(self, at: Iterable[int]) -> Iterator[ResultRow]:
        """Yield the flat row of each trial by its place in the table: what results.json holds of it."""
        with self._journal.open("rb") as file:
            question, place = None, -1
            for row in at:
                if question is None or place != self.table.rank[row]:
                    place = int(self.table.rank[row])
                    question = self._question(place)
                yield self._row(file, row, question)

    def trials(self, at: Iterable[int]) -> Iterator[Trial]:
        """Yield trials in full."""
        with self._journal.open("rb") as file:
            for row in at:
                question = self._question(int(self.table.rank[row]))
                grades = [self._at(file, at, Grade) for at in self._offsets(row, self.index.grades)]
                outcomes = [self._at(file, at, Outcome) for at in self._offsets(row, self.index.outcomes)]
                outcome = self._outcome(file, row)
                yield Trial(self._row(file, row, question), outcome, grades, outcomes[:-1])

    def having(self, rows: Iterable[int], words: list[str]) -> Iterator[tuple[int, str]]:
        """Yield the trials whose answers have all the words, whatever their case, each with the text around one."""
        wanted = [word.casefold() for word in words]
        with self._journal.open("rb") as file:
            for row in rows:
                file.seek(int(self.table.offset[row]))
                answer = _decode(file.readline()).completion
                folded = answer.text.casefold() if answer else ""
                if answer and all(word in folded for word in wanted):
                    start = max(0, folded.find(wanted[0]) - AROUND[0])
                    yield row, ("..." if start else "") + answer.text[start : start + AROUND[1]]

    def _question(self, rank: int) -> Question:
        return self.questions[int(self.table.prompts.in_order[rank])]

    @cached_property
    def _reused(self) -> set[int]:
        return set(self.table.reused_sessions().tolist())

    def _offsets(self, row: int, entries: Entries) -> list[int]:
        """Give where the lines of a trial stand."""
        offsets: list[int] = entries["offset"][entries["key"] == self.table.key[row]].tolist()
        return offsets

    def _row(self, file: BinaryIO, row: int, question: Question) -> ResultRow:
        table = self.table
        outcome = self._outcome(file, row)
        at = int(table.grade_at[row])
        grade = self._at(file, at, Grade) if at >= 0 else None
        found = flags_of(self._arms[outcome.arm], outcome)
        if int(table.session[row]) in self._reused:
            found.append(SESSION_REUSED)
        rank, run = int(table.rank[row]), table.run
        return result_row(question, outcome, grade, rank < self.counted, found, rank >= run.originals)

    def _outcome(self, file: BinaryIO, row: int) -> Outcome:
        """Read an outcome, with the costs that were looked up for it."""
        outcome = self._at(file, int(self.table.offset[row]), Outcome)
        if not len(self._lookups):
            return outcome
        return settled(outcome, looked_up(file, self._lookups, int(self.table.key[row])))

    def _at(self, file: BinaryIO, offset: int, kind: type[RecordT]) -> RecordT:
        record = read_at(file, offset)
        if not isinstance(record, kind):
            raise JournalError(f"{self._journal}: changed while it was being read.")
        return record
