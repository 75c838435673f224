"""The grader ``judge``: a model reads an answer and says how good it is. Pure: the asking is a tool's.

- ``rubric``: the judge gives a whole number on a scale; the score is its place on that scale, 0 to 1.
- ``pairwise``: the judge compares the answer with the baseline's to the same question, in both orders. The
  score is 1 where the answer wins both, 0 where it loses both, else 0.5: two orders that disagree are a tie.

`verdicts` has the prompts, and how a verdict is read.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Any, Literal, NamedTuple, Protocol, TypeVar, get_args

from routemark.graders.base import (
    Grader,
    Judged,
    Option,
    Options,
    ToolError,
    Tools,
    Verdict,
    brief,
    show,
)
from routemark.graders.extract import visible
from routemark.graders.verdicts import (
    Place,
    Prompt,
    Said,
    again,
    comparing_prompt,
    rating_prompt,
    read_level,
    read_winner,
    scale_of,
)
from routemark.records import Arm, Completion, Question

Mode = Literal["rubric", "pairwise"]
T = TypeVar("T")

LEVELS = 101
"""Levels that a scale may have at most."""
NO_JUDGE = "could not grade: no judge is set"
UNREADABLE = "could not grade: the judge's verdict could not be read, asked twice"
NO_RIVAL = "could not grade: the baseline has not answered this question yet"
_REASON = 400


class Reply(NamedTuple):
    """What a judge said."""

    text: str
    model: str
    """As served."""
    prompt_sha256: str
    """Of all that was sent: model, settings and prompt."""
    cost_usd: float | None
    """None: not known."""


class Rival(NamedTuple):
    """The baseline's answer to the same question."""

    text: str
    """Empty: it gave none."""
    itself: bool = False
    """The answer to judge is the baseline's own."""


class Ask(Protocol):
    """The tool of this grader: a judge, for one answer."""

    mode: Mode
    """Where a question does not say."""
    rival: Rival | None
    """None: not known, so that nothing can be compared now."""

    def __call__(self, prompt: Prompt) -> Reply:
        """Put a prompt to the judge. Raises: base.ToolError when no reply can be had."""


# --------------------------------------------------------------------------- what a question asks for


def mode_of(options: Options, default: Mode) -> Mode:
    """Give how a question is judged: its own word, else the default."""
    mode: Mode = options.get("mode") or default
    return mode


def baseline_arm(arms: Sequence[Arm], named: str | None) -> str:
    """Name the arm that others are compared with: the one named (by name or model), else a fixed model."""
    for arm in arms:
        if named in (arm.name, arm.model):
            return arm.name
    return next((arm.name for arm in arms if not arm.is_router), arms[0].name)


def _is_scale(value: object) -> bool:
    if not isinstance(value, list) or len(value) != 2:
        return False
    low, high = value
    return type(low) is int and type(high) is int and 0 < high - low < LEVELS


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def check_judge(question: Question, options: Options) -> list[str]:
    """Give the faults of the reference: without one, only a rubric or a comparison says what is good."""
    reference = question.reference
    if isinstance(reference, str) and not reference.strip():
        return [f"reference: is blank: {show(reference)}"]
    if reference is None and not options["rubric"] and options["mode"] != "pairwise":
        return ["reference: missing; the grader 'judge' needs a reference answer, or the option 'rubric'"]
    return []


# --------------------------------------------------------------------------- asking


class Rated(NamedTuple):
    """What a judge said of one answer."""

    level: int | None
    """None: it could not be found out; ``reason`` says why."""
    reason: str
    judged: Judged | None


class Compared(NamedTuple):
    """What a judge said of two answers, in both orders."""

    orders: tuple[Place, Place] | None
    """Who won with A as the first, then with B as the first; None: it could not be found out."""
    reason: str
    judged: Judged | None

    @property
    def score_a(self) -> float | None:
        """1 when A won both times, 0 when it lost both, else 0.5; None when not known."""
        scores: dict[tuple[Place, Place], float] = {("first", "second"): 1.0, ("second", "first"): 0.0}
        return None if self.orders is None else scores.get(self.orders, 0.5)


def rate(ask: Ask, question: Question, answer: str, options: Options) -> Rated:
    """Ask for the level of an answer, a second time when the verdict cannot be read."""
    scale = scale_of(options)
    prompt = rating_prompt(question, answer, options)
    said, why, replies = _consult(ask, prompt, lambda text: read_level(text, scale))
    if said is None:
        return Rated(None, why, judged_by(replies))
    return Rated(said.verdict, said.reason, judged_by(replies))


def compare(ask: Ask, question: Question, a: str, b: str, options: Options) -> Compared:
    """Ask which of two answers is better, in both orders."""
    places: list[Place] = []
    reasons: list[str] = []
    asked: list[list[Reply]] = []
    for first, second in ((a, b), (b, a)):
        prompt = comparing_prompt(question, first, second, options)
        said, why, replies = _consult(ask, prompt, read_winner)
        asked.append(replies)
        if said is None:
            return Compared(None, why, joined([judged_by(replies) for replies in asked]))
        places.append(said.verdict)
        reasons.append(brief(said.reason, _REASON))
    judged = joined([judged_by(replies) for replies in asked])
    return Compared((places[0], places[1]), " / ".join(reasons), judged)


def _consult(
    ask: Ask, prompt: Prompt, read: Callable[[str], Said[T] | None]
) -> tuple[Said[T] | None, str, list[Reply]]:
    """Give the verdict, else why there is none, and all replies."""
    replies: list[Reply] = []
    for one in (prompt, again(prompt)):
        try:
            replies.append(ask(one))
        except ToolError as error:
            return None, str(error), replies
        if (said := read(replies[-1].text)) is not None:
            return said, "", replies
    return None, UNREADABLE, replies


def judged_by(replies: Sequence[Reply]) -> Judged | None:
    """Give who judged, and what it cost, of a prompt and its repetition."""
    if not replies:
        return None
    costs = [reply.cost_usd for reply in replies]
    return Judged(replies[-1].model, replies[0].prompt_sha256, _sum(costs))


def joined(parts: Sequence[Judged | None]) -> Judged | None:
    """Give one for several prompts: the models named once, the hash of the hashes, the sum of the costs."""
    known = [part for part in parts if part is not None]
    if len(known) < 2:
        return known[0] if known else None
    models = ", ".join(dict.fromkeys(part.model for part in known))
    whole = hashlib.sha256("".join(part.prompt_sha256 for part in known).encode()).hexdigest()
    return Judged(models, whole, _sum([part.cost_usd for part in known]))


def _sum(costs: Sequence[float | None]) -> float | None:
    known = [cost for cost in costs if cost is not None]
    return sum(known) if len(known) == len(costs) else None


# --------------------------------------------------------------------------- the grader


def grade_judge(completion: Completion, question: Question, options: Options, tools: Tools) -> Verdict:
    """Score an answer by what a judge says of it; see the module for how."""
    if "judge" not in tools:
        raise ToolError(NO_JUDGE)
    ask: Any = tools["judge"]
    answer = visible(completion.text)
    if not answer:
        return Verdict(0.0, None, "no answer")
    if mode_of(options, ask.mode) == "pairwise":
        return _against_rival(ask, question, answer, options)
    low, high = scale_of(options)
    rated = rate(ask, question, answer, options)
    if rated.level is None:
        return Verdict(None, None, rated.reason, rated.judged)
    score = (rated.level - low) / (high - low)
    return Verdict(score, f"{rated.level} of {low} to {high}", brief(rated.reason, _REASON), rated.judged)


def _against_rival(ask: Ask, question: Question, answer: str, options: Options) -> Verdict:
    rival = ask.rival
    if rival is None:
        raise ToolError(NO_RIVAL)
    if rival.itself:
        return Verdict(0.5, "tie", "it is the baseline's own answer")
    other = visible(rival.text)
    if not other:
        return Verdict(1.0, "win", "the baseline gave no answer")
    if other == answer:
        return Verdict(0.5, "tie", "the baseline gave the same answer")
    compared = compare(ask, question, answer, other, options)
    if compared.orders is None:
        return Verdict(None, None, compared.reason, compared.judged)
    extracted = f"as the first: {_told(compared.orders[0], 'first')}, as the second: {_told(compared.orders[1], 'second')}"
    return Verdict(compared.score_a, extracted, compared.reason, compared.judged)


def _told(winner: Place, own: Place) -> str:
    return "tie" if winner == "tie" else "win" if winner == own else "loss"


JUDGE = Grader(
    "judge",
    1,
    grade_judge,
    check_judge,
    {
        "rubric": Option(None, _is_text, "a text that says what a good answer is"),
        "scale": Option(None, _is_scale, f"two whole numbers, worst and best, at most {LEVELS - 1} apart"),
        "mode": Option(None, lambda value: value in get_args(Mode), "'rubric' or 'pairwise'"),
    },
    needs_reference=False,
    needs_text=False,  # without a judge, an empty answer is as little graded as the others
)
