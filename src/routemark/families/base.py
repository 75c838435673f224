"""What a family of questions is: a function that draws one question, and the words all of them share.

A family's function is handed a `random.Random` and gives a Draft, or None when the draw is not worth
asking (ambiguous, trivial, solved by a rule of thumb); the caller then draws again. It must not look at
anything else, and never at the order of a set of strings, which changes from process to process.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from random import Random
from typing import Any, Literal, NamedTuple

from routemark.records import GraderSpec

Difficulty = Literal["easy", "hard", "opt"]

FRACTION = "Answer with a fraction in lowest terms, such as 5/7."
CLOCK = "Answer in the form HH:MM (24-hour clock)."
DATE = "Answer in the form YYYY-MM-DD."
LETTERS = "ABCDEFGH"


class Draft(NamedTuple):
    """A question that was drawn, before it has an id."""

    question: str
    reference: Any
    grader: GraderSpec | None = None
    choices: list[str] | None = None
    example: str | None = None
    """An accepted answer, where the reference is none."""
    source: str | list[str] | None = None
    """Where a fact can be looked up."""


Draw = Callable[[Random], Draft | None]


@dataclass(frozen=True)
class Family:
    """Questions of one template, which are not independent of each other."""

    name: str
    difficulty: Difficulty
    category: str
    description: str
    draw: Draw
    quotes: bool
    """The answer stands in the prompt, among others like it, and is to be picked."""

    @property
    def prefix(self) -> str:
        """What the ids of the family's questions begin with."""
        return f"{self.difficulty}-{self.name}"


def family(
    difficulty: Difficulty, category: str, *, quotes: bool = False, name: str | None = None
) -> Callable[[Draw], Family]:
    """Make a function a family: named like it, described by the first line of its docstring."""

    def made(draw: Draw) -> Family:
        title = (draw.__doc__ or "").partition("\n")[0].rstrip(".")
        own = name or draw.__name__.replace("_", "-")
        return Family(own, difficulty, category, title, draw, quotes)

    return made


# --------------------------------------------------------------------------- drafts by kind of answer


def numeric(rng: Random, text: str, value: float | Fraction, **options: Any) -> Draft:
    """Ask for a number; a list in the text is set off by an empty line."""
    ending = rng.choice(
        (
            "Answer with a number only.",
            'You may reason first; end with a line of the form "Final answer: <number>".',
        )
    )
    reference = float(value) if isinstance(value, Fraction) else value
    if isinstance(reference, float) and reference.is_integer():
        reference = int(reference)
    spec = GraderSpec(name="numeric", options=options) if options else None
    gap = "\n\n" if "\n" in text else " "
    return Draft(text + gap + ending, reference, spec)


def fraction(text: str, value: Fraction) -> Draft:
    """Ask for a probability or another fraction."""
    shown = f"{value.numerator}/{value.denominator}"
    return Draft(f"{text} {FRACTION}", shown, GraderSpec(name="numeric"))


def exact(text: str, answer: str | list[str], **options: Any) -> Draft:
    """Ask for a text; the prompt says its form."""
    return Draft(text, answer, GraderSpec(name="exact", options=options))


def sequence(text: str, answer: Sequence[str]) -> Draft:
    """Ask for words or numbers in an order, separated by commas."""
    return Draft(text, list(answer), GraderSpec(name="sequence"))


def graded(
    name: str, text: str, reference: Any = None, *, example: str | None = None, **options: Any
) -> Draft:
    """Ask for what a grader judges in its own way."""
    return Draft(text, reference, GraderSpec(name=name, options=options), example=example)


def reasoned(rng: Random, what: str) -> str:
    """Say that reasoning may come first, or that the answer stands alone; ``what`` names its form."""
    return rng.choice(
        (
            f"Answer with {what} only.",
            (
                'You may reason first; end with a line of the form "Final answer:'
                f' <{what.removeprefix("the ")}>".'
            ),
        )
    )


def choice(rng: Random, text: str, right: str, wrong: Iterable[str]) -> Draft:
    """Ask for the letter of one of the options, which are shuffled."""
    options = [right, *wrong]
    rng.shuffle(options)
    listed = "\n".join(f"{letter}) {option}" for letter, option in zip(LETTERS, options, strict=False))
    letter = LETTERS[options.index(right)]
    prompt = f"{text}\n{listed}\nAnswer with the letter only."
    return Draft(prompt, letter, GraderSpec(name="choice"), options)


# --------------------------------------------------------------------------- parts of a text


def split(words: str) -> list[str]:
    """Give the words of a text, or its parts between bars: short lists are easiest read that way."""
    return [word.strip() for word in words.split("|")] if "|" in words else words.split()


def listed(items: Sequence[str]) -> str:
    """Give "a, b and c"."""
    return f"{', '.join(items[:-1])} and {items[-1]}" if len(items) > 1 else items[0]


def bullets(lines: Iterable[str]) -> str:
    """Give one line an item, each behind a dash."""
    return "\n".join(f"- {line}" for line in lines)


def table(head: Sequence[object], rows: Iterable[Sequence[object]]) -> str:
    """Give a table with bars; None is an empty cell."""
    return "\n".join(
        "| " + " | ".join("" if cell is None else str(cell) for cell in row) + " |" for row in (head, *rows)
    )


def clock(minutes: int) -> str:
    """Give a time of day from minutes after midnight."""
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def number_name(n: int) -> str:
    """Give a small number in words, as sentences begin with it."""
    return "Zero One Two Three Four Five Six Seven Eight Nine Ten".split()[n]  # noqa: SIM905


def ordinal(n: int) -> str:
    """Give "first" for 1, up to ten."""
    return "zeroth first second third fourth fifth sixth seventh eighth ninth tenth".split()[n]  # noqa: SIM905
