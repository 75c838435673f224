"""RouteLLM's tables of answers: CSV with ``prompt`` and a column for each model, True or False.

``<model>_response`` columns may hold the answers. There are no ids: a question's id is the hash of its prompt.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from routemark.interop.entries import UNLABELLED, Entries, Entry, Format, Wrong
from routemark.interop.heads import Head
from routemark.interop.tabular import rows as table_rows
from routemark.interop.wide import by_question
from routemark.questions.fields import text_fault
from routemark.questions.rows import shown
from routemark.questions.validate import derived_id
from routemark.records import Question, ResultRow

_ANSWER = "_response"
_SCORES = {"true": 1.0, "false": 0.0}
_RIGHT = 0.5


def _detect(head: Head) -> bool:
    if head.shape != "csv" or "prompt" not in head.names or head.has("sample_id"):
        return False
    cells = dict(zip(head.names, head.first, strict=False))
    verdicts = [cells.get(name, "").strip().casefold() in _SCORES for name in _models(head.names)]
    return bool(verdicts) and all(verdicts)


def _models(columns: tuple[str, ...] | list[str]) -> list[str]:
    """Give the columns that are models: not the prompt, not answers, not an index without a name."""
    return [name for name in columns if name and name != "prompt" and not name.endswith(_ANSWER)]


def _read(path: Path) -> Entries:
    seen: dict[str, int] = {}
    for number, row in table_rows(path):
        if isinstance(row, str):
            yield Wrong(number, row)
        elif not row.get("prompt"):
            yield Wrong(number, "prompt: is missing")
        elif fault := text_fault(row["prompt"]):
            yield Wrong(number, f"prompt: {fault}")
        else:
            yield from _entries(path, number, row, seen)


def _entries(path: Path, number: int, row: dict[str, str], seen: dict[str, int]) -> Entries:
    prompt = row["prompt"]
    question = Question(id="?", difficulty=UNLABELLED, question=prompt, category=path.stem)
    name = derived_id(question)
    repeat = seen[name] = seen.get(name, -1) + 1
    question = Question(id=name, difficulty=UNLABELLED, question=prompt, category=path.stem)
    for model in _models(list(row)):
        score = _SCORES.get(row[model].strip().casefold())
        if score is None and row[model].strip():
            yield Wrong(number, f"{model}: must be True or False, not {shown(row[model])}")
        else:
            yield Entry(
                number, name, model, score=score, category=path.stem, repeat=repeat, question=question
            )


NOT_CARRIED = (
    "answers, costs, latency, routers' own answers",
    "ids, labels and references: a question is its prompt",
    "earlier messages of a conversation",
    "scores between 0 and 1: True from 0.5 on, repeats averaged",
    "questions that some fixed model has no score for",
)
"""What of a run has no place in such a table."""


def records(rows: Iterable[ResultRow], models: Sequence[str]) -> Iterator[dict[str, str]]:
    """Yield a record for each question that every one of the models has a score for."""
    for row, cells in by_question(rows).values():
        scores = {model: cells[model].mean("score") if model in cells else None for model in models}
        if None not in scores.values():
            verdicts = {model: str((score or 0.0) >= _RIGHT) for model, score in scores.items()}
            yield {"prompt": row.question, **verdicts}


FORMAT = Format(
    name="routellm",
    title="RouteLLM's tables of answers",
    holds=("outcomes", "questions"),
    detect=_detect,
    read=_read,
    files="*.csv",
    lacks=("costs", "latency", "references: the questions are not graded"),
)
