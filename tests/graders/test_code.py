"""The grader code, with a sandbox that is only told about: extraction, scores, and what ends a run."""

import json

import pytest

from routemark import graders
from routemark.graders.base import ToolError
from routemark.graders.code import Ran, Script, Suite, extract
from routemark.records import Completion, Grade, GraderSpec, Question


def question(**options: object) -> Question:
    return Question(
        id="q", difficulty="e", question="?", grader=GraderSpec(name="code", options=dict(options))
    )


def grade(tools: dict, answer: str = "def f(x):\n    return x", **options: object) -> Grade:
    asked = question(**{"tests": ["assert f(1) == 1", "assert f(2) == 2", "assert f(3) == 3"], **options})
    assert graders.check(asked) == []
    told = graders.grade("t", asked, Completion(text=answer, model="m"), tools)
    assert told is not None
    return told


def reports(*lines: dict, limit: str | None = None, stderr: str = "") -> Ran:
    return Ran(0, b"".join(json.dumps(line).encode() + b"\n" for line in lines), stderr, limit)  # type: ignore[arg-type]


def passed(number: int, passed: object = True, reason: str = "") -> dict:
    return {"test": number, "passed": passed, "reason": reason}


@pytest.mark.parametrize(
    ("answer", "entry_point", "code"),
    [
        ("def f(): pass", "f", "def f(): pass"),
        ("Sure:\n```python\ndef f(): pass\n```\nUse it:\n```python\nprint(f())\n```", "f", "def f(): pass\n"),
        ("```python\na = 1\n```\n```python\nb = 2\n```", None, "b = 2\n"),
        ("```python\ndef f(): return 1\n```\nBetter:\n```py\ndef f(): return 2\n```", "f", "def f(): return 2\n"),
        ("```python\nx = 1\n```\n```\noutput\n```", None, "x = 1\n"),
        ("```bash\npip install x\n```\n```\ny = 1\n```", None, "y = 1\n"),
        ("```Python3\nx = 1", None, "x = 1"),
        ("~~~python\nx = '```'\n~~~", None, "x = '```'\n"),
        ("1. so:\n   ```python\n   def f():\n       return 1\n   ```", "f", "def f():\n    return 1"),
        ("```python\nf = lambda: 1\n```\n```python\nf()\n```", "f", "f = lambda: 1\n"),
        ("```python\nclass Stack: pass\n```\n```python\nStack()\n```", "Stack", "class Stack: pass\n"),
    ],
)  # fmt: skip
def test_code_is_found_where_models_put_it(answer: str, entry_point: str | None, code: str) -> None:
    assert extract(answer, entry_point) == code


def test_without_a_sandbox_nothing_is_told_of_the_answer() -> None:
    def refuses(_job: object) -> Ran:
        raise ToolError("not allowed")

    assert (grade({}).score, grade({"code": refuses}).score) == (None, None)
    assert grade({"code": refuses}).reason == "not allowed"


def test_the_jobs_hold_the_limits() -> None:
    jobs: list[Suite | Script] = []

    def sandbox(job: Suite | Script) -> Ran:
        jobs.append(job)
        return reports(passed(0), passed(1), passed(2))

    assert grade({"code": sandbox}, timeout_s=4, memory_mb=100, entry_point="f").score == 1
    (job,) = jobs
    assert isinstance(job, Suite)
    assert (job.cpu_s, job.clock_s, job.memory_mb, job.first, job.stop, job.entry_point) == (
        4,
        6,
        100,
        0,
        True,
        "f",
    )


@pytest.mark.parametrize(
    ("ran", "every", "score", "reason"),
    [
        ([reports(passed(0), passed(1), passed(2))], True, 1, "passed all of 3 tests"),
        ([reports(passed(0), passed(1, False, "no"))], True, 0, "test 2 of 3: no"),
        ([reports(passed(0), passed(1, False, "no"), passed(2))], False, 2 / 3, "passed 2 of 3 tests; test 2 of 3: no"),
        ([reports(passed(0), passed(1, False, "process ended")), reports(passed(2))], False, 2 / 3, "passed 2 of 3 tests; test 2 of 3: process ended"),
        ([reports(passed(0, False, "process ended"), limit="memory")], True, 0, "test 1 of 3: needed too much memory"),
        ([reports(passed(0, False, "process ended"), stderr="x\nSegmentation fault\n")], True, 0, "test 1 of 3: Segmentation fault"),
        ([reports(limit="time")], True, 0, "test 1 of 3: took too long"),
        ([reports(limit="time"), reports(limit="time"), reports(passed(2))], False, 1 / 3, "passed 1 of 3 tests; test 1 of 3: took too long"),
        ([reports({"loaded": False, "reason": "SyntaxError"})], False, 0, "passed 0 of 3 tests; test 1 of 3: SyntaxError"),
        ([reports(stderr="bug")], True, None, "test 1 could not be run: the tests ended without a result: bug"),
        ([reports(passed(0, None, "a lock"))], True, None, "test 1 could not be run: a lock"),
    ],
)  # fmt: skip
def test_reports_become_a_score(ran: list[Ran], every: bool, score: float | None, reason: str) -> None:
    left = iter(ran)
    told = grade({"code": lambda _: next(left)}, all=every)
    assert (told.score, told.reason) == (score, reason)
    assert next(left, None) is None


@pytest.mark.parametrize(
    ("ran", "score"),
    [
        (Ran(0, b"5\n", "", None), 1),
        (Ran(0, b"5  \n\n", "", None), 1),
        (Ran(0, b" 5\n", "", None), 0),
        (Ran(0, b"5\n6\n", "", None), 0),
        (Ran(0, b"", "", None), 0),
        (Ran(1, b"5\n", "x", None), 0),
        (Ran(137, b"5\n", "", "time"), 0),
    ],
)
def test_what_a_program_prints_is_compared_line_by_line(ran: Ran, score: float) -> None:
    assert grade({"code": lambda _: ran}, tests=[{"input": "", "output": "5\n"}]).score == score


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({}, "grader.tests: missing"),
        ({"tests": []}, "grader.tests: missing"),
        ({"tests": ["assert ("]}, "grader.tests: test 0 (from 0) is not valid Python"),
        ({"tests": ["x = 1"]}, "grader.tests: test 0 (from 0) asserts nothing"),
        ({"tests": ["assert 1", {}]}, "grader.tests: must be strings only"),
        ({"tests": [{"input": 5, "output": ""}]}, "grader.tests: test 0 (from 0) must hold"),
        ({"tests": ["assert 1"], "entry_point": "f()"}, "grader.entry_point: must be the name"),
        ({"tests": ["assert 1"], "timeout_s": 0}, "grader.timeout_s: must be"),
        ({"tests": ["assert 1"], "memory_mb": 1}, "grader.memory_mb: must be"),
    ],
)
def test_faults_are_told(options: dict, told: str) -> None:
    (fault,) = graders.check(question(**options))
    assert fault.startswith(told)


def test_another_language_could_not_be_graded() -> None:
    told = grade({"code": lambda _: reports()}, language="rust")
    assert (told.score, told.reason) == (None, "code in rust cannot be run; Python can")
    assert grade({}, answer="  ").score == 0
