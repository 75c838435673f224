"""RouterArena's recorded results: JSON lines, one answer of one model each, with its score and cost.

A row holds ``global_index`` (the question's id), ``question`` (the whole prompt), ``llm_selected``,
``generated_answer``, ``token_usage`` and ``evaluation_result`` (ground truth, metric, score, cost in US
dollars). Read here as recordings to replay, as questions to ask, and as scores to compare ours with;
``docs/grader-agreement.md`` tells how far they agree, and why not further.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from routemark.errors import UsageError
from routemark.interop.entries import UNLABELLED, Entries, Entry, Format, Wrong, in_unit, lines
from routemark.interop.heads import Head
from routemark.interop.recordings import Recording
from routemark.records import GraderSpec, Question, ResultRow, Usage


class _Tokens(msgspec.Struct):
    input_tokens: int | None = None
    output_tokens: int | None = None


class _Evaluation(msgspec.Struct):
    ground_truth: Any = None
    metric: str = ""
    score: float | None = None
    inference_cost: float | None = None


class _Row(msgspec.Struct):
    global_index: str
    question: str
    llm_selected: str
    generated_answer: str | None
    success: bool = True
    provider: str | None = None
    token_usage: _Tokens | None = None
    evaluation_result: _Evaluation | None = None

    @property
    def evaluation(self) -> _Evaluation:
        return self.evaluation_result or _Evaluation()


_DECODER = msgspec.json.Decoder(_Row)


def detect(path: Path) -> bool:
    """Tell whether a file, or the first JSON-lines file of a folder, holds RouterArena's rows."""
    files = _files(path)
    if not files:
        return False
    with files[0].open("rb") as lines:
        first = next((line for line in lines if line.strip()), b"")
    try:
        _DECODER.decode(first)
    except msgspec.MsgspecError:
        return False
    return True


def read_recordings(path: Path) -> Iterator[Recording]:
    """Yield the answers of a file, or of all JSON-lines files in a folder; failed requests hold none.

    Raises: UsageError naming the file and line that cannot be read.
    """
    for row in _rows(path):
        if not row.success or row.generated_answer is None:
            continue
        tokens = row.token_usage or _Tokens()
        yield Recording(
            model=row.llm_selected,
            prompt=row.question,
            text=row.generated_answer,
            usage=Usage(prompt_tokens=tokens.input_tokens, completion_tokens=tokens.output_tokens),
            cost_usd=row.evaluation.inference_cost,
            provider=row.provider,
            question_id=row.global_index,
        )


def questions(path: Path) -> Iterator[Question]:
    """Yield each question once, with the grader that stands for its metric, or none (see `grading`)."""
    seen: set[str] = set()
    for row in _rows(path):
        if row.global_index in seen:
            continue
        seen.add(row.global_index)
        yield _question(row)


def _question(row: _Row) -> Question:
    truth, metric = row.evaluation.ground_truth, row.evaluation.metric
    grader, reference = grading(metric, truth)
    return Question(
        id=row.global_index,
        difficulty=UNLABELLED,
        question=row.question,
        category=row.global_index.partition("_")[0],
        reference=reference,
        grader=grader,
        metadata={"metric": metric} if grader else {"metric": metric, "ground_truth": truth},
    )


def scores(path: Path) -> dict[tuple[str, str], float]:
    """Give the recorded scores: (model, question id) -> score in [0, 1]."""
    return {
        (row.llm_selected, row.global_index): row.evaluation.score
        for row in _rows(path)
        if row.evaluation.score is not None
    }


# --------------------------------------------------------------------------- their metrics, our graders

_STRICT_CHOICE = GraderSpec(name="choice", options={"strict": True})
_EXACT = GraderSpec(name="exact")
_MATH = GraderSpec(name="math")
_TIME_OF_DAY = re.compile(r"\d{1,2}:\d\d")
_SPELLINGS = {
    "0": ["0.0", "0", "A", "False"],
    "0.0": ["0.0", "0", "A", "False"],
    "1": ["1.0", "1", "B", "True"],
    "1.0": ["1.0", "1", "B", "True"],
    "yes": ["Yes", "A", "1", "True"],
    "no": ["No", "B", "0", "False"],
}
"""Ground truth of two-way SuperGLUE tasks -> what counts as it, since their prompts also ask for a letter."""


def grading(metric: str, truth: Any) -> tuple[GraderSpec | None, Any]:
    """Give grader and reference for a metric and its ground truth; (None, None) where none of ours fits.

    Theirs takes a letter as right only when it stands alone, hence ``strict``. ``code_accuracy`` and
    ``meteor_score`` have no counterpart, nor has a ``math_metric`` whose ground truth is a word.
    """
    text = str(truth).strip()
    match metric:
        case "mcq_accuracy" if _letter(text):
            return _STRICT_CHOICE, _letter(text)
        case "chess_accuracy" if _letter(text):
            return _STRICT_CHOICE, _letter(text)
        case "exact_match" | "chess_accuracy" | "superglue_clozetest" if text:
            return _EXACT, text
        case "math_metric" if re.search(r"\d|\\[A-Za-z]", text):
            return _EXACT if _TIME_OF_DAY.fullmatch(text) else _MATH, text
        case "superglue_exact_match" if text:
            return _EXACT, _SPELLINGS.get(text.casefold(), text)
    return None, None


def _letter(truth: str) -> str | None:
    """Give the letter of a ground truth that is a letter, or a position from 0 such as "2" or "2.0"."""
    if re.fullmatch(r"[A-Za-z]", truth):
        return truth.upper()
    if re.fullmatch(r"\d{1,2}(?:\.0)?", truth) and float(truth) < 26:
        return chr(ord("A") + int(float(truth)))
    return None


# --------------------------------------------------------------------------- files


def _files(path: Path) -> list[Path]:
    if path.is_dir():
        return sorted(path.glob("*.jsonl"))
    return [path] if path.is_file() and path.suffix == ".jsonl" else []


def _rows(path: Path) -> Iterator[_Row]:
    files = _files(path)
    if not files:
        raise UsageError(f"{path}: no RouterArena results here (a .jsonl file or a folder of them).")
    for file in files:
        with file.open("rb") as lines:
            for number, line in enumerate(lines, start=1):
                if line.strip():
                    yield _row(line, file, number)


def _row(line: bytes, file: Path, number: int) -> _Row:
    try:
        return _DECODER.decode(line)
    except msgspec.MsgspecError as error:
        raise UsageError(f"{file}, line {number}: not a RouterArena result: {error}") from error


# --------------------------------------------------------------------------- as entries, and back


def _detect(head: Head) -> bool:
    return head.shape == "object" and head.has("global_index", "llm_selected", "generated_answer")


def _read(path: Path) -> Entries:
    for item in lines(path, _Row):
        yield item if isinstance(item, Wrong) else _entry(*item)


def _entry(number: int, row: _Row) -> Entry:
    """Give a row as an entry; a request that failed gave no right answer."""
    score = in_unit(row.evaluation.score)
    return Entry(
        number,
        row.global_index,
        row.llm_selected,
        score=0.0 if score is None and not row.success else score,
        cost_usd=row.evaluation.inference_cost,
        category=row.global_index.partition("_")[0],
        question=_question(row),
    )


FORMAT = Format(
    name="routerarena",
    title="RouterArena results",
    holds=("outcomes", "questions"),
    detect=_detect,
    read=_read,
    files="*.jsonl",
    lacks=("latency",),
)

NOT_CARRIED = (
    "difficulty, task type",
    "latency and time to first token",
    "which arm asked, and more answers than one of a model to a question",
    "graders: the metric is that of the question's metadata, else empty",
)
"""What of a run has no place in RouterArena's rows."""


def records(rows: Iterable[ResultRow], metrics: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    """Yield a row for each trial; ``metrics``: theirs of each question, by id."""
    for row in rows:
        usage = row.usage
        tokens = (usage.prompt_tokens or 0, usage.completion_tokens or 0)
        yield {
            "global_index": row.id,
            "question": row.question,
            "llm_selected": row.model or row.arm,
            "generated_answer": row.answer or "",
            "token_usage": {
                "input_tokens": tokens[0],
                "output_tokens": tokens[1],
                "total_tokens": sum(tokens),
            },
            "success": row.status == "ok",
            "provider": row.provider or "unknown",
            "error": row.error.message if row.error else None,
            "evaluation_result": {
                "extracted_answer": row.grade.extracted if row.grade else None,
                "ground_truth": row.reference,
                "score": row.grade.score if row.grade else None,
                "metric": metrics.get(row.id, ""),
                "inference_cost": row.cost_usd,
            },
        }
