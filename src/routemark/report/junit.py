"""JUnit XML for CI: an arm is a test suite, a question that it was asked a test case; gates are a suite, too.

A right answer passes. A wrong one, or one that is only partly right, is a ``failure``; a trial that ended
without an answer an ``error``, with its kind; an answer that nobody graded is ``skipped``. The cases of an arm are
kept in a temporary file until the numbers that stand before them are known.
"""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO
from xml.sax.saxutils import escape, quoteattr

import msgspec

from routemark import numbers
from routemark.files import replaced
from routemark.records import ResultRow, Run, Summary
from routemark.report.clean import clip, one_line
from routemark.report.sinks import Sink

MOST_SHOWN = 2000
"""Characters of an answer in a case that did not pass."""
_HELD = 1 << 20
"""Bytes of cases of one arm in memory; more go to disk."""
_COUNTED = {"<fail": "failures", "<erro": "errors", "<skip": "skipped"}
"""What a case begins with -> the number in which it is counted."""
_NO_XML = dict.fromkeys((0xFFFE, 0xFFFF), "\ufffd")
"""The last characters that XML 1.0 does not allow, once a text is clean."""


@contextmanager
def open_junit(path: Path, run: Run) -> Iterator[Sink]:
    """Begin a JUnit file; see `sinks`."""
    with replaced(path) as file, ExitStack() as stack:
        yield _Junit(file, run, stack)


class _Suite:
    """The cases of one arm."""

    def __init__(self, cases: IO[bytes]) -> None:
        self.cases = cases
        self.counts: Counter[str] = Counter()
        self.time_s = 0.0

    def add(self, row: ResultRow) -> None:
        """Write the case of a row and count it."""
        name = row.id if not row.repeat else f"{row.id} (repeat {row.repeat + 1})"
        self.case(row.arm, name, _trouble(row), row.latency_s or 0.0)

    def case(self, group: str, name: str, inner: str, time_s: float = 0.0) -> None:
        """Write a case and count it; ``inner`` is what went wrong, empty where nothing did."""
        self.counts.update(tests=1, **{_COUNTED[inner[:5]]: 1} if inner else {})
        self.time_s += time_s
        head = f"<testcase classname={_attribute(group)} name={_attribute(name)} {_time(time_s)}"
        self.cases.write((f"{head}>{inner}</testcase>\n" if inner else f"{head}/>\n").encode())


class _Junit:
    def __init__(self, file: IO[bytes], run: Run, stack: ExitStack) -> None:
        self._file = file
        self._run = run
        self._stack = stack
        self._suites: dict[str, _Suite] = {}

    def row(self, row: ResultRow) -> None:
        """Add a case to the suite of its arm."""
        if row.arm not in self._suites:
            self._suites[row.arm] = self._new_suite()
        self._suites[row.arm].add(row)

    def close(self, summary: Summary) -> None:
        """Write the suites, each with its numbers in front."""
        title = ("SIMULATED " if self._run.simulated else "") + f"routemark {self._run.id}"
        suites = [*self._suites.items(), *self._gates(summary)]
        counts = sum((suite.counts for _, suite in suites), Counter[str]())
        numbered = _counts(counts, sum(suite.time_s for _, suite in suites))
        self._write(
            f'<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name={_attribute(title)} {numbered}>\n'
        )
        started = quoteattr(self._run.started_at.removesuffix("Z"))
        for name, suite in suites:
            self._write(
                f"<testsuite name={_attribute(name)} timestamp={started} {_counts(suite.counts, suite.time_s)}>\n"
            )
            self._write(f"<properties>{_property('verdict', summary.verdict.sentence)}</properties>\n")
            suite.cases.seek(0)
            shutil.copyfileobj(suite.cases, self._file)
            self._write("</testsuite>\n")
        self._write("</testsuites>\n")

    def _new_suite(self) -> _Suite:
        cases = self._stack.enter_context(tempfile.SpooledTemporaryFile(_HELD))  # noqa: SIM115 - left with the stack
        return _Suite(cases)

    def _gates(self, summary: Summary) -> Iterator[tuple[str, _Suite]]:
        """Give the gates as a suite of their own, behind those of the arms."""
        if summary.gates:
            suite = self._new_suite()
            for gate in summary.gates:
                trouble = "" if gate.passed else _element("failure", gate.reason, gate.reason, "gate")
                suite.case("gates", gate.expression, trouble)
            yield "gates", suite

    def _write(self, text: str) -> None:
        self._file.write(text.encode())


def _counts(counts: Counter[str], time_s: float) -> str:
    """Give the attributes of a suite."""
    named = (f'{name}="{counts[name]}"' for name in ("tests", *_COUNTED.values()))
    return " ".join([*named, _time(time_s)])


def _trouble(row: ResultRow) -> str:
    """Give what is inside a case: nothing where the answer is right."""
    if row.error is not None:
        status = f" {row.error.status}" if row.error.status is not None else ""
        return _element("error", row.error.kind + status, row.error.message, row.error.kind)
    if row.grade is None or row.grade.score is None:
        reason = row.grade.reason if row.grade is not None else ""
        return f"<skipped message={_attribute(f'not graded: {reason}' if reason else 'not graded')}/>"
    if row.grade.score == 1:
        return ""
    kind = "wrong" if row.grade.score == 0 else "partly right"
    score = "" if row.grade.score == 0 else f", score {numbers.score(row.grade.score)}"
    return _element("failure", f"{kind}{score}: {row.grade.reason}", _facts(row), kind)


def _facts(row: ResultRow) -> str:
    reference = (
        row.reference if isinstance(row.reference, str) else msgspec.json.encode(row.reference).decode()
    )
    extracted = "nothing" if row.grade is None or row.grade.extracted is None else row.grade.extracted
    answer = clip(row.answer or "", MOST_SHOWN)
    return (
        f"expected: {clip(reference, MOST_SHOWN).text}\ngot: {clip(extracted, MOST_SHOWN).text}\n"
        f"model: {row.model}\ncost: {numbers.usd(row.cost_usd)}\nanswer: {answer.text}{'...' * answer.cut}"
    )


def _element(tag: str, message: str, text: str, kind: str) -> str:
    shown = escape(clip(text, 4 * MOST_SHOWN).text.translate(_NO_XML))
    return f"<{tag} type={_attribute(kind)} message={_attribute(message)}>{shown}</{tag}>"


def _property(name: str, value: str) -> str:
    return f'<property name="{name}" value={_attribute(value)}/>'


def _attribute(text: str) -> str:
    return quoteattr(one_line(text, 1000).translate(_NO_XML))


def _time(seconds: float) -> str:
    return f'time="{seconds:.3f}"'
