"""From a log to a question file: read twice, once to count and once for the sample; what is told of it.

Only the sample is ever held, masked as soon as it is read.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from routemark.errors import UsageError
from routemark.graders.text import normal
from routemark.interop.entries import UNLABELLED
from routemark.interop.logs.masking import KINDS, Mask
from routemark.interop.logs.reading import kind_of, read
from routemark.interop.logs.requests import REASONS, Left, Request
from routemark.interop.logs.sampling import Census, Sample
from routemark.questions.doubts import alike
from routemark.questions.rows import plain
from routemark.questions.validate import check_row
from routemark.questions.writing import write
from routemark.records import Question

_JUDGE = {"name": "judge", "options": {"mode": "pairwise"}}


class Made(NamedTuple):
    """What became of a log."""

    kind: str
    questions: int
    requests: int
    """In the log, rows left out included."""
    different: int
    """Requests of which no two ask the same."""
    repeated: int
    alike: int
    """Candidates left out since they are nearly the same as another."""
    left: dict[str, int]
    """Rows left out, by reason."""
    first_unreadable: str
    masked: dict[str, int]
    """Places masked in the questions, by kind."""
    with_answer: int


class _Candidate(NamedTuple):
    rank: int
    stratum: int
    question: Question
    masked: Counter[str]


class Wish(NamedTuple):
    """What is wanted of a log."""

    n: int
    """Questions."""
    seed: int = 0
    judge: bool = False
    """A model judges answers against the baseline's."""
    kind: str | None = None
    """Of the log; None: what it holds tells."""


def make(path: Path, output: Path, wish: Wish) -> Made:
    """Make a question file of a log. Raises: UsageError when it cannot be read, or holds no request."""
    kind = kind_of(path, wish.kind)
    census, left, told = _counted(path, kind)
    if not len(census):
        said = "; ".join(_left_out(left)) or "it is empty"
        raise UsageError(f"{path}: no request in it can be asked again: {said}.{told and f' First: {told}.'}")
    sample = census.sample(wish.n, wish.seed)
    candidates = _candidates(path, kind, sample, judge=wish.judge)
    kept, near = _without_near_repeats(candidates, sample.wanted)
    count = write((each.question for each in kept), output)
    masked = sum((each.masked for each in kept), Counter[str]())
    return Made(
        kind=kind,
        questions=count,
        requests=len(census) + census.repeated + sum(left.values()),
        different=len(census),
        repeated=census.repeated,
        alike=near,
        left=dict(left),
        first_unreadable=told,
        masked=dict(masked),
        with_answer=sum("logged_answer" in each.question.metadata for each in kept),
    )


def _counted(path: Path, kind: str) -> tuple[Census, Counter[str], str]:
    census, left, told = Census(), Counter[str](), ""
    for found in read(path, kind):
        if isinstance(found, Request):
            census.add(found)
            continue
        left[found.reason] += 1
        if found.reason == "unreadable" and not told:
            told = f"{found.place}: {plain(found.told)}"
    return census, left, told


def _candidates(path: Path, kind: str, sample: Sample, *, judge: bool) -> list[_Candidate]:
    """Read a log again, and keep what may be taken, masked, in the order of the draw."""
    found: dict[int, _Candidate] = {}
    for request in read(path, kind):
        place = None if isinstance(request, Left) else sample.place(request)
        if place is None or place[0] in found or isinstance(request, Left):
            continue
        question, masked = questioned(request, judge=judge)
        if question is not None:
            found[place[0]] = _Candidate(*place, question, masked)
    return [found[rank] for rank in sorted(found)]


def questioned(request: Request, *, judge: bool = False) -> tuple[Question | None, Counter[str]]:
    """Give the masked question of a request, and what was masked in it; None when it would be no valid one."""
    mask = Mask()
    messages = mask.value(request.messages)
    metadata: dict[str, Any] = {}
    if request.answer:
        metadata["logged_answer"] = mask.text(request.answer)
    if request.model:
        metadata["logged_model"] = request.model
    row = {
        "difficulty": UNLABELLED,
        "reference": mask.value(request.reference),
        "grader": _JUDGE if judge else None,
        "category": mask.text(request.name) if request.name else None,
        "metadata": metadata,
    }
    alone = len(messages) == 1 and messages[0]["role"] == "user"
    row |= {"question": messages[0]["content"]} if alone else {"messages": messages}
    return check_row({name: value for name, value in row.items() if value is not None}).question, mask.counts


def _without_near_repeats(
    candidates: list[_Candidate], wanted: dict[int, int]
) -> tuple[list[_Candidate], int]:
    """Give each stratum's number of candidates, as far as there are, and how many were left out as near-repeats.

    What a stratum lacks is made up for by the others.
    """
    whole = [_whole(each.question) for each in candidates]
    twice = {second for _, second in alike(whole)}
    seen: set[str] = set()
    for at, question in enumerate(whole):
        said = normal(question.question)
        if said in seen:  # the same now that it is masked
            twice.add(at)
        seen.add(said)
    fresh = [each for at, each in enumerate(candidates) if at not in twice]
    room = dict(wanted)
    first = [each for each in fresh if _takes(room, each.stratum)]
    taken = {each.rank for each in first}
    more = [each for each in fresh if each.rank not in taken][: sum(wanted.values()) - len(first)]
    return sorted([*first, *more], key=lambda each: each.rank), len(twice)


def _takes(room: dict[int, int], stratum: int) -> bool:
    room[stratum] = room.get(stratum, 0) - 1
    return room[stratum] >= 0


def _whole(question: Question) -> Question:
    """Give a question that holds all of a conversation, for comparing."""
    texts = [str(message["content"]) for message in question.messages or []]
    return Question(id="?", difficulty="?", question="\n".join(texts) or question.question)


# --------------------------------------------------------------------------- in words


def _several(n: int, noun: str) -> str:
    return f"{n:,} {noun}" + "s" * (n != 1)


def _left_out(left: Counter[str] | dict[str, int]) -> Iterable[str]:
    return [f"{left[reason]:,} {words}" for reason, words in REASONS.items() if left.get(reason)]


def in_words(made: Made) -> list[str]:
    """Give what was made of a log, as lines."""
    lines = [
        f"Read as {made.kind}: {_several(made.requests, 'row')}, {_several(made.different, 'different request')}."
    ]
    skipped = list(_left_out(made.left))
    if made.repeated:
        skipped.append(f"{made.repeated:,} that ask what another asks")
    if made.alike:
        skipped.append(f"{made.alike:,} nearly the same as another of the sample")
    if skipped:
        lines.append(f"Left out: {'; '.join(skipped)}.")
    if made.first_unreadable:
        lines.append(f"First that could not be read: {made.first_unreadable}.")
    masked = [f"{KINDS[kind]} {made.masked[kind]:,}" for kind in KINDS if made.masked.get(kind)]
    lines.append(f"Masked: {', '.join(masked)}." if masked else "Masked: nothing was found.")
    lines.append("Names and what people tell of themselves cannot be found: read it before you share it.")
    lines.append(
        f"{_several(made.with_answer, 'logged answer')} in metadata.logged_answer: kept, but not as references."
    )
    return lines
