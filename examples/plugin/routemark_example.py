"""A plugin of each kind for Routemark: copy this folder, rename it, change it.

`WORDS` grades answers by their number of words, `by_length` sends long prompts to a strong model, `squares` makes
questions, and `tex` writes the arms of a run as a LaTeX table.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from routemark.graders import Grader, Option, Verdict
from routemark.records import Completion, Question, ResultRow, Run, Summary

# ------------------------------------------------------------------ a grader: {"name": "words", "least": 50}


def grade(completion: Completion, question: Question, options: Any, tools: Any) -> Verdict:
    """Score 1 when the number of words is within the bounds."""
    count = len(completion.text.split())
    if options["least"] <= count <= options["most"]:
        return Verdict(1.0, f"{count} words")
    return Verdict(0.0, f"{count} words", f"not between {options['least']} and {options['most']}")


def check(question: Question, options: Any) -> list[str]:
    """Give what is wrong with a question's options, which are of their types by now."""
    return [] if options["least"] <= options["most"] else ["grader.least: is above grader.most"]


def is_count(value: object) -> bool:
    """Tell whether a value is a whole number, 0 or above."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


WORDS = Grader(
    name="words",
    version=1,  # raise it whenever an answer would be scored differently
    grade=grade,
    check=check,
    options={
        "least": Option(1, is_count, "a whole number, 0 or above"),
        "most": Option(1_000_000, is_count, "a whole number, 0 or above"),
    },
    needs_reference=False,
)

# ------------------------------------------------------------------ a router: -m plugin/by-length

CHEAP, STRONG = "sim/abacus-mini", "sim/osprey-max"


def by_length(prompt: str) -> str:
    """Give the model to ask. It may be called from several threads at once; ``async def`` will do, too."""
    hard = len(prompt) > 400 or re.search(r"\b(prove|plan|schedule|debug)\b", prompt, re.IGNORECASE)
    return STRONG if hard else CHEAP


by_length.models = [CHEAP, STRONG]  # optional: all that it may pick, which bounds what a run may cost

# ------------------------------------------------------------------ a loader: routemark run squares://12


def squares(source: str) -> Iterator[dict[str, Any]]:
    """Yield questions, with the fields of a question file; ``source`` is what follows the ://."""
    for number in range(1, int(source or 10) + 1):
        label = "easy" if number < 10 else "hard"
        prompt = f"What is {number} squared?"
        yield {"id": f"square-{number}", "difficulty": label, "question": prompt, "reference": number**2}


# ------------------------------------------------------------------ a reporter: -o arms.tex


def tex(run: Run, summary: Summary, rows: Iterable[ResultRow]) -> str:
    """Give the text of a file; rows come one by one, in plan order, and need not be used."""
    failed = sum(row.status == "failed" for row in rows)
    lines = [r"\begin{tabular}{lrr}", r"Arm & Accuracy & US\$ per 1,000 \\"]
    lines += [
        f"{escaped(name)} & {told(arm.accuracy)} & {told(arm.cost_per_1k_usd)} \\\\"
        for name, arm in summary.arms.items()
    ]
    mark = " SIMULATED: fictitious models." if run.simulated else ""
    return "\n".join([*lines, r"\end{tabular}", f"% {escaped(run.id)}: {failed} trials failed.{mark}", ""])


def escaped(text: str) -> str:
    """Give a text that others chose as LaTeX shows it."""
    return re.sub(r"[^\w\s./-]|_", lambda found: rf"\symbol{{{ord(found[0])}}}", text)


def told(value: float | None) -> str:
    """Give a number; n/a where it is not known."""
    return "n/a" if value is None else f"{value:.3f}"
