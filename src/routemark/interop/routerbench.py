"""RouterBench's wide tables: a row for each sample, and for each model three columns.

``sample_id``, ``prompt``, ``eval_name``; then ``<model>`` (its performance, in [0, 1]), ``<model>|model_response`` and
``<model>|total_cost`` in US dollars. Published as pickles, which run code when they are opened and are not read
here: save them as CSV or Parquet first. A prompt is a list of messages, written as Python does.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from routemark.interop.cells import bare
from routemark.interop.entries import UNLABELLED, Entries, Entry, Format, Wrong
from routemark.interop.heads import Head
from routemark.interop.tabular import number as as_number
from routemark.interop.tabular import rows
from routemark.interop.wide import Cell, by_question
from routemark.questions.rows import shown
from routemark.records import Question, ResultRow

_ANSWER, _COST = "|model_response", "|total_cost"
_LITERAL = r"""(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")"""
_LIST = re.compile(rf"\[\s*{_LITERAL}(?:\s*,\s*{_LITERAL})*\s*,?\s*\]", re.DOTALL)
_EACH = re.compile(_LITERAL, re.DOTALL)


def _detect(head: Head) -> bool:
    return (
        head.shape in ("csv", "parquet") and head.has("sample_id", "eval_name") and bool(models(head.names))
    )


def models(columns: Iterable[str]) -> list[str]:
    """Give the models of a table: the columns that have a cost or an answer beside them."""
    known = set(columns)
    return [name for name in columns if "|" not in name and {name + _COST, name + _ANSWER} & known]


def _read(path: Path) -> Entries:
    for number, row in rows(path):
        if isinstance(row, str):
            yield Wrong(number, row)
        elif row.get("sample_id") in (None, ""):
            yield Wrong(number, "sample_id: is missing")
        else:
            yield from _entries(number, row)


def _entries(number: int, row: dict[str, Any]) -> Entries:
    name, category = bare(str(row["sample_id"])), str(row.get("eval_name") or "") or None
    prompt = one_prompt(row.get("prompt"))
    question = None
    if prompt is not None:
        question = Question(id=name, difficulty=UNLABELLED, question=prompt, category=category)
    for model in models(row):
        try:
            score, cost = as_number(row[model]), as_number(row.get(model + _COST))
        except ValueError:
            yield Wrong(number, f"{model}: {shown(row[model])} or its cost is not a number")
            continue
        if score is not None or cost is not None:
            yield Entry(number, name, model, score=score, cost_usd=cost, category=category, question=question)


def one_prompt(cell: Any) -> str | None:
    """Give the prompt of a cell; None when it is empty, or holds several messages, whose roles are not known.

    A list is read as such without being evaluated: nothing in it but texts.
    """
    if isinstance(cell, list):
        texts = [text for text in cell if isinstance(text, str)]
        return texts[0] if len(texts) == len(cell) == 1 else None
    if not isinstance(cell, str) or not cell.strip():
        return None
    if not _LIST.fullmatch(cell.strip()):
        return cell
    found = _EACH.findall(cell)
    try:
        return str(ast.literal_eval(found[0])) if len(found) == 1 else None
    except (ValueError, SyntaxError):  # an escape that Python does not know
        return cell


FORMAT = Format(
    name="routerbench",
    title="RouterBench's wide table",
    holds=("outcomes", "questions"),
    detect=_detect,
    read=_read,
    files="*.csv",
    lacks=("latency", "references: the questions are not graded"),
)

NOT_CARRIED = (
    "difficulty",
    "latency and time to first token",
    "which model answered for a router",
    "tokens, failures, repeats one by one",
    "reference and grader",
)
"""What of a run has no place in such a table."""


def records(rows_: Iterable[ResultRow]) -> Iterator[dict[str, Any]]:
    """Yield a record for each question, each arm as a model, repeats averaged, the first answer kept."""
    found = by_question(rows_)
    arms = list(dict.fromkeys(arm for _, cells in found.values() for arm in cells))
    for name, (row, cells) in found.items():
        record: dict[str, Any] = {
            "sample_id": name,
            "prompt": str([row.question]),
            "eval_name": row.category or row.difficulty,
        }
        for arm in arms:
            cell = cells.get(arm, Cell())
            record |= {
                arm: cell.mean("score"),
                arm + _ANSWER: cell.answer,
                arm + _COST: cell.mean("cost_usd"),
            }
        yield record
