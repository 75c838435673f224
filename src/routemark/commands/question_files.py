"""The commands that check and make question files: `validate`, `questions`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter


def validate(questions: str, /) -> int:
    """Check a question file; every fault with its place, and what is doubtful, as warnings.

    Example: `routemark validate my.jsonl`

    Parameters
    ----------
    questions
        Question file: JSON, JSONL or CSV.
    """
    from collections import Counter

    from routemark import graders
    from routemark.questions import load
    from routemark.questions.doubts import doubts

    found = load(questions)
    labels = Counter(question.difficulty for question in found)
    ungraded = sum(graders.resolve(question) is None for question in found)
    judged = sum(bool(graders.judge_options(question)) for question in found)
    needs = "a judge, which the [judge] table of the settings must name"
    by_judge = f", {judged:,} of them by {needs}" if judged else ""
    sys.stdout.write(
        f"{questions}: {len(found):,} questions, no fault. "
        f"Difficulty: {', '.join(f'{label} {count:,}' for label, count in labels.most_common(10))}. "
        f"Graded: {len(found) - ungraded:,} of {len(found):,}{by_judge}.\n"
    )
    sys.stderr.writelines(f"warning: {doubt}.\n" for doubt in doubts(found))
    return 0


def questions(  # noqa: PLR0913 - its options, by name
    *,
    fresh: Annotated[
        int | None, Parameter(help="Draw new questions by this seed; the same seed gives the same file.")
    ] = None,
    from_: Annotated[
        str | None, Parameter(name="--from", help="Make questions of this log of requests.")
    ] = None,
    n: Annotated[int, Parameter(name="-n", help="Number of questions.")] = 360,
    seed: Annotated[int, Parameter(help="With --from: which requests are drawn.")] = 0,
    judge: Annotated[
        bool,
        Parameter(negative=(), help="With --from: a judge compares answers with the baseline's."),
    ] = False,
    format: Annotated[  # noqa: A002 - the option's name
        str | None, Parameter(help="With --from: chat, litellm, langfuse or otel, if content does not tell.")
    ] = None,
    output: Annotated[str, Parameter(name=["--output", "-o"], help="File to write: .json or .jsonl.")],
) -> int:
    """Draw new questions from the shipped templates, or make questions of a log.

    A log is OpenAI-style chat JSON Lines, LiteLLM spend logs, a Langfuse export or OpenTelemetry GenAI spans. Repeats
    are left out, a sample is drawn that looks like the whole, secrets and personal data are masked.

    Examples: `routemark questions --fresh 7 -n 600 -o fresh.jsonl`;
    `routemark questions --from requests.jsonl -n 200 -o mine.jsonl`
    """
    from routemark.errors import UsageError

    if (fresh is None) == (from_ is None):
        raise UsageError("questions: say --fresh SEED or --from FILE, one of the two.")
    if n < 1 or seed < 0:
        raise UsageError("questions: -n must be at least 1, and --seed not below 0.")
    if from_ is not None:
        return _questions_of_log(Path(from_), Path(output), n=n, seed=seed, judge=judge, kind=format)
    if judge or format or seed:
        raise UsageError("questions: --judge, --format and --seed go with --from.")
    from routemark.questions.fresh import fresh as draw
    from routemark.questions.writing import write

    count = write(draw(fresh or 0, n), Path(output))
    sys.stdout.write(f"{output}: {count:,} questions, drawn by the seed {fresh}\n")
    return 0


def _questions_of_log(log: Path, output: Path, **wished: Any) -> int:
    from routemark.interop.logs.making import Wish, in_words, make
    from routemark.numbers import counted

    made = make(log, output, Wish(**wished))
    questions, requests = counted(made.questions, "question"), counted(made.different, "different request")
    sys.stdout.write(f"{output}: {questions} of {requests}\n")
    sys.stderr.writelines(f"{line}\n" for line in in_words(made))
    return 0
