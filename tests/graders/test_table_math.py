"""Hand-made answers to mathematical questions and the score each deserves; nasty ones first.

The first table is decided without a tool; the second needs math-verify, in its own process.
"""

from __future__ import annotations

from typing import Any

import pytest

from routemark import graders
from routemark.mathcheck import MathChecker
from routemark.records import Completion, GraderSpec, Question

SPEC = GraderSpec(name="math")


@pytest.fixture(scope="module")
def checker():
    checker = MathChecker()
    yield checker
    checker.close()


def ask(answer: str, reference: Any, tools: dict[str, Any]) -> float | None:
    question = Question(id="q", difficulty="easy", question="?", reference=reference, grader=SPEC)
    assert graders.check(question) == []
    grade = graders.grade("t", question, Completion(text=answer, model="m"), tools)
    assert grade is not None
    assert "failed" not in grade.reason
    assert grade.score == 1 or grade.reason
    return grade.score


# answer, reference, score
ALONE: list[tuple[str, Any, float]] = [
    # near misses
    ("25", 5, 0),
    (r"\boxed{1000001}", 1000000, 0),
    (r"\boxed{0.333}", "1/3", 0),
    (r"\boxed{3.14}", r"\pi", 0),
    (r"\boxed{-\frac{\pi}{6}}", r"\frac{\pi}{6}", 0),
    (r"\boxed{\sqrt{3}}", r"\sqrt{2}", 0),
    (r"\boxed{2\sqrt{3}}", r"3\sqrt{2}", 0),
    (r"\boxed{(2, 1)}", "(1, 2)", 0),
    (r"\boxed{[1, 2)}", "[1, 3)", 0),
    (r"\boxed{\{1, 2\}}", r"\{1, 2, 3\}", 0),
    (r"\boxed{2}", r"\{2, -2\}", 0),
    (r"\boxed{2\sqrt{3}} or \boxed{4}", r"2\sqrt{3}", 0),
    (r"\boxed{2\sqrt{3}} or \boxed{\sqrt{12}}", r"2\sqrt{3}", 1),
    (r"\boxed{2} or \boxed{3}", 3, 0),
    (r"\boxed{62}", "62%", 0),
    ("<think>\\boxed{5}</think>", 5, 0),
    ("", 5, 0),
    ("There is no solution.", r"\sqrt{2}", 0),
    ("I don't know", r"\sqrt{2}", 0),
    (r"\boxed{\text{none}}", 5, 0),
    # numbers
    ("The answer is $\\frac{1}{2}$.", "1/2", 1),
    (r"\boxed{\dfrac{1}{2}}", 0.5, 1),
    (r"\boxed{\frac12}", "0.5", 1),
    (r"\boxed{0.333333}", "1/3", 1),
    (r"\boxed{1,000}", 1000, 1),
    (r"\boxed{353{,}582}", "353582", 1),
    (r"\boxed{48\text{ g}}", 48, 1),
    (r"\boxed{\$1,250}", 1250, 1),
    (r"\boxed{62\%}", "62%", 1),
    (r"\boxed{0.62}", "62%", 1),
    (r"\boxed{2^{10}}", 1024, 1),
    (r"\boxed{3.2 \times 10^5}", 320000, 1),
    (r"\boxed{\frac{6}{4}}", "3/2", 1),
    (r"\boxed{1\frac{1}{2}}", "3/2", 1),
    (r"\boxed{\sqrt{16}}", 4, 1),
    (r"\boxed{x = 5}", 5, 1),
    (r"\boxed{5}", "x = 5", 1),
    (r"\boxed{x=5}", "x = 5", 1),
    # roots, powers, pi
    (r"\boxed{2\sqrt{3}}", r"\sqrt{12}", 1),
    (r"\boxed{\frac{\sqrt{2}}{2}}", r"\frac{1}{\sqrt{2}}", 1),
    (r"\boxed{\sqrt[3]{-8}}", -2, 1),
    ("2\u221a3", r"2\sqrt{3}", 1),
    ("The answer is 2*sqrt(3).", r"2\sqrt{3}", 1),
    ("The answer is 10\u03c0.", r"10\pi", 1),
    (r"\boxed{10 \pi \text{ cm}^2}", r"10\pi", 1),
    (r"Therefore, the area is $5\sqrt{3}$ square units.", r"5\sqrt{3}", 1),
    (r"\boxed{\frac{\pi}{4}}", r"\pi/4", 1),
    (r"\boxed{\frac{1}{2}\pi}", r"\frac{\pi}{2}", 1),
    (r"\boxed{\sqrt{2} \approx 1.414}", r"\sqrt{2}", 1),
    (r"\boxed{1.41421356}", r"\sqrt{2}", 1),
    (r"\boxed{1+\sqrt{2}}", r"\sqrt{2}+1", 1),
    (r"\boxed{(1+\sqrt{2})^2}", r"3+2\sqrt{2}", 1),
    (r"\boxed{8^{2/3}}", 4, 1),
    ("x\u00b2 = 2\u2074 so the answer is 2\u2074", 16, 1),
    (r"\boxed{e^2}", "e*e", 1),
    # collections
    (r"\boxed{\{2, 1\}}", r"\{1, 2\}", 1),
    (r"\boxed{1, 2}", r"\{2, 1\}", 1),
    (r"\boxed{\{1, 1, 2\}}", r"\{1, 2\}", 1),
    (r"\boxed{\pm 2}", r"\{2, -2\}", 1),
    (r"\boxed{x = 2, x = -2}", r"\pm 2", 1),
    (r"\boxed{x=2} or \boxed{x=-2}", r"\{-2, 2\}", 1),
    ("The solutions are $x = 2$ and $x = -2$.", r"\{-2, 2\}", 1),
    (r"\boxed{1 \pm \sqrt{2}}", r"1+\sqrt{2}, 1-\sqrt{2}", 1),
    (r"\boxed{\left(\frac{1}{2}, 3\right)}", "(0.5, 3)", 1),
    (r"\boxed{(1,200)}", "(1, 200)", 1),
    (r"\boxed{[1, 2)}", "[1,2)", 1),
    (r"\boxed{(-\infty, 3] \cup (5, \infty)}", r"(5,\infty) \cup (-\infty,3]", 1),
    (r"\boxed{x \in (-\infty, 1)}", r"(-\infty, 1)", 1),
    # formulas as they stand
    (r"\boxed{x + 1}", "x+1", 1),
    (r"\boxed{f(x) = x^2}", "x^2", 1),
    (r"\boxed{y = 2x + 1}", "y=2x+1", 1),
    ("\\[\n x = 2\\sqrt{3}\n\\]\n\nThis completes the proof.", r"\sqrt{12}", 1),
    ("First $x = 1$.\n\nSo in the end we get $y = \\sqrt{5}$.", r"\sqrt{5}", 1),
    (r"The answer is \(\frac{\sqrt{5}}{2}\) because of symmetry.", r"\frac{\sqrt{5}}{2}", 1),
]

WITH_TOOL: list[tuple[str, Any, float | None]] = [
    (r"\boxed{x - 1}", "x + 1", 0),
    (r"\boxed{2x}", "2y", 0),
    (r"\boxed{(x+1)^3}", "x^2 + 2x + 1", 0),
    (r"\boxed{y = 2x - 1}", "y = 2x + 1", 0),
    (r"\boxed{\sin x}", r"\cos x", 0),
    (r"\boxed{[1, 2]}", "(1, 2)", 0),
    (r"\boxed{x < 3}", r"(3, \infty)", 0),
    (r"\boxed{__import__('os').abort()}", "x + 1", 0),
    (r"\boxed{(x+1)^2}", "x^2 + 2x + 1", 1),
    ("The answer is (x+1)^2.", "x^2 + 2x + 1", 1),
    (r"\boxed{1 + 2x}", "2x + 1", 1),
    (r"\boxed{y = 1 + 2x}", "y = 2x + 1", 1),
    (r"\boxed{2x + 1}", "y = 1 + 2x", 1),
    (r"\boxed{\frac{n(n+1)}{2}}", "n(n+1)/2", 1),
    (r"\boxed{\sin^2 x}", r"1 - \cos^2 x", 1),
    ("sin(x)^2", "1 - cos(x)^2", 1),
    (r"\boxed{e^{x} e^{y}}", "e^{x+y}", 1),
    (r"\boxed{3 + 4i}", "4i + 3", 1),
    (r"\boxed{5!}", 120, 1),
    (r"\boxed{\binom{5}{2}}", 10, 1),
    (r"\boxed{|-5|}", 5, 1),
    (r"\boxed{x > 3}", r"(3, \infty)", 1),
    (r"\boxed{(3, 4)}", "x = 3, y = 4", 1),
    (r"\boxed{\begin{pmatrix}1&2\\3&4\end{pmatrix}}", r"\begin{bmatrix}1&2\\3&4\end{bmatrix}", 1),
    (r"\boxed{\begin{pmatrix}1&2\\3&5\end{pmatrix}}", r"\begin{bmatrix}1&2\\3&4\end{bmatrix}", 0),
    (r"\boxed{\log_2 8}", 3, 1),
    (r"\boxed{\frac{x^2-1}{x-1}}", "x + 1", 1),
    (r"\boxed{((((x}", "x + 1", None),
]


@pytest.mark.parametrize(("answer", "reference", "score"), ALONE)
def test_without_a_tool(answer, reference, score):
    assert ask(answer, reference, {}) == score


@pytest.mark.parametrize(("answer", "reference", "score"), WITH_TOOL)
def test_with_math_verify(checker, answer, reference, score):
    assert ask(answer, reference, {"math": checker}) == score


def test_the_tool_is_asked_only_for_what_is_beyond_constants():
    def never(expected, given):
        raise AssertionError(expected, given)

    for answer, reference, score in ALONE:
        if score is not None:
            assert ask(answer, reference, {"math": never}) == score


def test_without_the_tool_a_formula_could_not_be_told():
    question = Question(id="q", difficulty="easy", question="?", reference="x + 1", grader=SPEC)
    grade = graders.grade("t", question, Completion(text=r"\boxed{1 + x}", model="m"))
    assert (grade.score, grade.reason) == (None, "the grader 'math' has no tool to work with here")
