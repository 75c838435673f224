"""The grader ``code``: tests run against the answer's code, in a sandbox that is handed in.

Where the code stands in an answer, after reasoning was set aside: the last fenced block of Python that
defines ``entry_point``, else the last fenced block of Python, else the last one without a language, else
the whole answer. A fence that is never closed reaches to the end.

A test is a string (statements, most often one assert, that name what the answer defines) or an object
``{"input": ..., "output": ...}``: then the answer is a program, run anew for each, and what it prints is
compared line by line, white space at the ends of lines and of the text apart.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from typing import Any, Literal, NamedTuple, Protocol

from routemark.graders.base import Grader, Option, Options, Tools, Verdict, flag, is_number, need, show
from routemark.graders.extract import visible
from routemark.records import Completion, Question

# --------------------------------------------------------------------------- what the sandbox is asked

Limit = Literal["time", "memory", "output"]


class Script(NamedTuple):
    """A program to run with an input."""

    code: str
    stdin: bytes
    cpu_s: float
    """Processor time, seconds."""
    clock_s: float
    """Time by the clock, seconds."""
    memory_mb: int


class Suite(NamedTuple):
    """Code to load, and tests to run against it from one on."""

    code: str
    tests: list[str]
    first: int
    """Index of the first test to run."""
    stop: bool
    """End with the first test that fails."""
    entry_point: str | None
    cpu_s: float
    clock_s: float
    """For one test."""
    memory_mb: int


class Ran(NamedTuple):
    """What came of a job."""

    status: int
    """Exit status; 128 + n when signal n ended it."""
    stdout: bytes
    """Of a suite: a JSON object a line, as `routemark.sandbox.inside.judge` writes them."""
    stderr: str
    """Its end; of a suite, the answer's own, or the tests' when they reported nothing."""
    limit: Limit | None
    """The limit that ended it."""


class Sandbox(Protocol):
    """The tool of this grader."""

    def __call__(self, job: Script | Suite) -> Ran:
        """Run a job; raise ToolError when it cannot be run here."""


class Result(NamedTuple):
    """What came of one test."""

    passed: bool | None
    """None: the test could not be run, through no fault of the answer."""
    reason: str = ""


SLACK = 1.5
"""Clock time granted for each second of processor time: other work may keep the processor busy."""
_LIMITS: dict[Limit, str] = {
    "time": "took too long",
    "memory": "needed too much memory",
    "output": "wrote too much",
}

# --------------------------------------------------------------------------- the answer's code

_FENCE = re.compile(
    r"^[ \t]*(?P<mark>`{3,}|~{3,})[ \t]*(?P<language>[\w+#.-]*)[^\n`]*\n(?P<code>.*?)(?:^[ \t]*(?P=mark)[`~]*[ \t]*$|\Z)",
    re.MULTILINE | re.DOTALL,
)
_PYTHON = frozenset(("python", "python3", "py", "py3"))


def extract(answer: str, entry_point: str | None) -> str:
    """Give the code of an answer from which reasoning was set aside; empty when it says nothing."""
    blocks = [(block["language"].lower(), block["code"]) for block in _FENCE.finditer(answer)]
    python = [code for language, code in blocks if language in _PYTHON]
    plain = [code for language, code in blocks if not language]
    if entry_point is not None:
        defines = re.compile(
            rf"^[ \t]*(?:(?:async[ \t]+)?def|class)[ \t]+{re.escape(entry_point)}\b|^{re.escape(entry_point)}[ \t]*[:=]",
            re.MULTILINE,
        )
        defining = [code for code in python or plain if defines.search(code)]
        if defining:
            return _dedented(defining[-1])
    return _dedented((python or plain or [answer])[-1])


def _dedented(code: str) -> str:
    """Take away the indentation that all lines share, as of a block inside a list."""
    lines = code.expandtabs().splitlines() if code[:1] in " \t" else []
    indents = [len(line) - len(line.lstrip()) for line in lines if line.strip()]
    return "\n".join(line[min(indents) :] for line in lines) if indents else code


# --------------------------------------------------------------------------- grading


def grade(completion: Completion, _question: Question, options: Options, tools: Tools) -> Verdict:
    """Score the share of tests passed, or with ``all`` 1 when all of them are."""
    if options["language"] != "python":
        return Verdict(None, None, f"code in {options['language']} cannot be run; Python can")
    code = extract(visible(completion.text), options["entry_point"])
    if not code.strip():
        return Verdict(0.0, None, "no answer")
    run: Sandbox = need(tools, "code")
    results = list(_results(code, options, run))
    return _scored(code, results, len(options["tests"]), every=options["all"])


def _scored(code: str, results: list[Result], tests: int, *, every: bool) -> Verdict:
    """Give the verdict on results that may end early, with the first test that failed."""
    extracted = code if len(code) <= 1000 else code[:997] + "..."
    for number, result in enumerate(results, 1):
        if result.passed is None:
            return Verdict(None, extracted, f"test {number} could not be run: {result.reason}")
    passed = sum(result.passed is True for result in results)
    failed = next(((n, r.reason) for n, r in enumerate(results, 1) if not r.passed), None)
    if failed is None:
        return Verdict(1.0, extracted, f"passed all of {tests} tests")
    told = f"test {failed[0]} of {tests}: {failed[1]}"
    if every:
        return Verdict(0.0, extracted, told)
    return Verdict(passed / tests, extracted, f"passed {passed} of {tests} tests; {told}")


def _results(code: str, options: Options, run: Sandbox) -> Iterator[Result]:
    """Yield the result of each test, up to the first that fails when all must pass."""
    tests = options["tests"]
    if isinstance(tests[0], str):
        yield from _suite_results(code, options, run)
        return
    for test in tests:
        result = _script_result(code, test, options, run)
        yield result
        if options["all"] and not result.passed:
            return


def _script_result(code: str, test: dict[str, str], options: Options, run: Sandbox) -> Result:
    """Run the program on one input and compare what it prints."""
    timeout_s = options["timeout_s"]
    stdin = test["input"].encode(errors="surrogatepass")
    ran = run(Script(code, stdin, timeout_s, timeout_s * SLACK, options["memory_mb"]))
    if ran.limit is not None:
        return Result(False, _LIMITS[ran.limit])
    if ran.status != 0:
        return Result(False, _last_line(ran.stderr) or f"exit status {ran.status}")
    wrote, wanted = _lines(ran.stdout.decode(errors="replace")), _lines(test["output"])
    if wrote == wanted:
        return Result(True)
    return Result(False, f"printed {show(_first_difference(wrote, wanted))}")


def _lines(text: str) -> list[str]:
    return [line.rstrip() for line in text.rstrip().splitlines()]


def _first_difference(wrote: list[str], wanted: list[str]) -> str:
    """Give the first line that is not as wanted; empty when lines are missing."""
    pairs = zip(wrote, wanted, strict=False)
    return next((mine for mine, right in pairs if mine != right), "\n".join(wrote[len(wanted) :][:1]))


def _suite_results(code: str, options: Options, run: Sandbox) -> Iterator[Result]:
    """Run tests of names; begin again behind a test that ended the process, unless all must pass."""
    tests, timeout_s = options["tests"], options["timeout_s"]
    known: list[Result] = []
    while len(known) < len(tests):
        ran = run(
            Suite(
                code=code,
                tests=tests,
                first=len(known),
                stop=options["all"],
                entry_point=options["entry_point"],
                cpu_s=timeout_s,
                clock_s=timeout_s * SLACK,
                memory_mb=options["memory_mb"],
            )
        )
        results, loaded = _told(ran, len(known))
        known += results
        yield from results
        if not loaded:
            yield from [results[-1]] * (len(tests) - len(known))
            return
        if options["all"] and not known[-1].passed:
            return


def _told(ran: Ran, first: int) -> tuple[list[Result], bool]:
    """Give the results that a run of a suite reports, at least one, and whether the code could be loaded.

    A test on which the run ended without a word has failed when a limit ended it; otherwise nobody knows.
    """
    results: list[Result] = []
    for line in ran.stdout.splitlines():
        try:
            told: dict[str, Any] = json.loads(line)
        except ValueError:  # the last one, cut off when the tests were ended
            break
        if "test" not in told:
            return [Result(False, _why(ran, told["reason"]))], False
        if told["test"] == first + len(results):
            results.append(
                Result(
                    told["passed"], _why(ran, told["reason"]) if told["passed"] is False else told["reason"]
                )
            )
    if results:
        return results, True
    if ran.limit is not None:
        return [Result(False, _LIMITS[ran.limit])], True
    return [Result(None, f"the tests ended without a result: {_last_line(ran.stderr)}")], False


def _why(ran: Ran, reason: str) -> str:
    """Give the reason; where the answer's process ended, the limit or the words that it ended with."""
    if "process ended" not in reason:
        return reason
    return _LIMITS[ran.limit] if ran.limit is not None else _last_line(ran.stderr) or reason


def _last_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1].strip()[:200] if lines else ""


# --------------------------------------------------------------------------- options


def check(_question: Question, options: Options) -> list[str]:
    """Give the faults of the tests."""
    tests = options["tests"]
    if not isinstance(tests, list) or not tests:
        return ["grader.tests: missing; a list of asserts, or of objects with input and output"]
    if all(isinstance(test, str) for test in tests):
        return [fault for number, test in enumerate(tests) for fault in _syntax_faults(number, test)]
    if all(isinstance(test, dict) for test in tests):
        return [fault for number, test in enumerate(tests) for fault in _pair_faults(number, test)]
    return ["grader.tests: must be strings only, or objects with input and output only"]


def _syntax_faults(number: int, test: str) -> list[str]:
    try:
        tree = ast.parse(test)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        return [f"grader.tests: test {number} (from 0) is not valid Python: {error}"]
    judges = any(isinstance(node, ast.Assert | ast.Raise | ast.Call) for node in ast.walk(tree))
    return [] if judges else [f"grader.tests: test {number} (from 0) asserts nothing"]


def _pair_faults(number: int, test: dict[str, Any]) -> list[str]:
    if test.keys() == {"input", "output"} and all(isinstance(value, str) for value in test.values()):
        return []
    return [f'grader.tests: test {number} (from 0) must hold "input" and "output", both strings']


def _positive(default: float, most: float, unit: str) -> Option:
    return Option(
        default,
        lambda value: is_number(value) and 0 < value <= most,
        f"a number of {unit} above 0, at most {most:g}",
    )


def _text_or_nothing(value: object) -> bool:
    return value is None or (isinstance(value, str) and value.isidentifier())


CODE = Grader(
    "code",
    1,
    grade,
    check,
    {
        "tests": Option(None, lambda value: isinstance(value, list), "a list"),
        "entry_point": Option(None, _text_or_nothing, "the name of a function or class"),
        "language": Option("python", lambda value: isinstance(value, str), "a string"),
        "timeout_s": _positive(10, 120, "seconds"),
        "memory_mb": Option(
            512,
            lambda value: isinstance(value, int) and 64 <= value <= 8192,
            "a whole number from 64 to 8192",
        ),
        "all": flag(default=True),
    },
    needs_reference=False,
)
