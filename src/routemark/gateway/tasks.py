"""What kind of task a prompt is, guessed from its words: about thirty task types.

A plain keyword classifier, and meant to be one: it is right often enough to be useful to a router
and wrong often enough to be a router's classifier. Each word votes for the task types that list
it, structure (code fences, formulas, digits) votes too, and the first of the best wins.
"""

from __future__ import annotations

import re
from functools import lru_cache

from routemark.gateway.catalogue import Family
from routemark.records import Record


class TaskType(Record, frozen=True, kw_only=True):
    """A kind of task, as the router reports it."""

    name: str
    family: Family
    """The ability that it takes."""


_TASKS: tuple[tuple[str, Family, str], ...] = (
    (
        "code:generation",
        "code",
        "function implement program python javascript rust java method algorithm",
    ),
    ("code:debugging", "code", "bug error exception traceback fix crash fail debug stack undefined segfault"),
    ("code:review", "code", "review smell refactor readability maintainable pull"),
    ("code:explanation", "code", "snippet print output return code prints evaluates python expression loop"),
    ("code:data_query", "code", "sql query select join database schema"),
    ("code:shell", "code", "bash shell grep awk sed regex regular linux git command docker"),
    ("code:complexity", "code", "complexity big-o runtime asymptotic logarithmic recursion binary hash heap"),
    (
        "math",
        "math",
        "calculate compute sum product evaluate solve equation integer root digit remainder multiply divide",
    ),
    (
        "math:algebra",
        "math",
        "polynomial matrix determinant eigenvalue quadratic linear system variable factor roots",
    ),
    (
        "math:geometry",
        "math",
        "triangle circle radius angle area perimeter volume rectangle square sphere polygon",
    ),
    ("math:number_theory", "math", "prime divisor modulo gcd lcm congruent divisible coprime factorial"),
    (
        "math:combinatorics",
        "math",
        "ways arrange permutation combination choose subset sequence handshake seat",
    ),
    (
        "math:probability",
        "math",
        "probability dice coin expected random distribution variance mean median chance",
    ),
    ("math:calculus", "math", "integral derivative limit differentiate function converge series maximum"),
    (
        "math:word_problem",
        "math",
        "apple train hour cost price km speed minute paid shop bought percent",
    ),
    (
        "math:optimization",
        "math",
        "minimum maximum minimize maximize minimal maximal optimal fewest least shortest cheapest knapsack budget profit",
    ),
    (
        "reasoning:logic",
        "reasoning",
        "if then true false liar knight knave statement imply conclude premise valid either",
    ),
    (
        "reasoning:puzzle",
        "reasoning",
        "puzzle riddle next pattern river weigh jug hat move chess board position",
    ),
    ("agent:multi_step_planning", "reasoning", "plan steps task agent workflow tool goal subtask itinerary"),
    ("agent:tool_use", "extraction", "tool call api arguments invoke endpoint parameters"),
    ("qa_knowledge", "knowledge", "who capital country year author city wrote born river language"),
    (
        "qa_science",
        "knowledge",
        "chemical element atom energy cell planet physics biology gas molecule force species dna",
    ),
    ("qa_history", "knowledge", "war king emperor century treaty revolution president battle empire ancient"),
    (
        "qa_medical",
        "knowledge",
        "patient disease symptom drug treatment diagnosis vitamin organ blood clinical",
    ),
    (
        "qa_legal_finance",
        "knowledge",
        "law contract court tax interest loan bond stock liability legal statute",
    ),
    ("summarization", "language", "summarize summary shorten tldr gist condense paragraph article"),
    (
        "translation",
        "language",
        "translate translation french german spanish italian latin language english into",
    ),
    ("writing:creative", "language", "poem story rhyme haiku novel character creative fiction lyrics"),
    ("writing:business", "language", "email letter memo cover formal announcement report proposal slogan"),
    (
        "language:grammar",
        "language",
        "grammar noun verb adjective synonym antonym plural spelling word sentence letter spell",
    ),
    (
        "extraction",
        "extraction",
        "extract json list entities field names dates csv parse following text format",
    ),
    (
        "classification",
        "extraction",
        "classify sentiment category label positive negative neutral spam topic",
    ),
    (
        "customer_support",
        "language",
        "refund order customer delivery account password subscription shipped ticket",
    ),
    (
        "research_report",
        "language",
        "research literature survey compare sources cite evidence overview analysis",
    ),
    ("chat", "language", "hello hi thanks feel today opinion"),
)

TASK_TYPES: dict[str, TaskType] = {name: TaskType(name=name, family=family) for name, family, _ in _TASKS}

_VOTES: dict[str, list[str]] = {}
for _name, _, _words in _TASKS:
    for _word in _words.split():
        _VOTES.setdefault(_word.rstrip("s"), []).append(_name)

_WORD = re.compile(r"[a-z][a-z-]+")
_CODE = re.compile(r"```|\bdef \w+\(|\bfor \w+ in |;\s*$|==|\bprint\(|=> ?\{", re.MULTILINE)
_FORMULA = re.compile(r"\\frac|\\sum|\\boxed|\$[^$]+\$|\d\s*[-+*/^=x]\s*\d|\b\d+\s*%")
_SQL = re.compile(r"\bSELECT\b.*\bFROM\b", re.DOTALL)
_OPTIMUM = re.compile(
    r"\b(?:minim|maxim|optim|fewest|cheapest|shortest|(?:largest|smallest|greatest|least) (?:possible|number|total))",
    re.IGNORECASE,
)
_LOOKED_AT = 4_000
"""Characters looked at, from each end of a prompt."""


@lru_cache(maxsize=4_096)
def classify(prompt: str) -> TaskType:
    """Guess the task type of a prompt; ``qa_knowledge`` when no word of it says anything."""
    if len(prompt) > 2 * _LOOKED_AT:
        prompt = prompt[:_LOOKED_AT] + "\n" + prompt[-_LOOKED_AT:]
    scores = dict.fromkeys(TASK_TYPES, 0.0)
    for word in {word.rstrip("s") for word in _WORD.findall(prompt.lower())}:
        names = _VOTES.get(word, ())
        for name in names:
            scores[name] += 1 / len(names)
    _add_structure(scores, prompt)
    best = max(scores, key=scores.__getitem__)
    return TASK_TYPES[best if scores[best] else "qa_knowledge"]


def _add_structure(scores: dict[str, float], prompt: str) -> None:
    if _CODE.search(prompt):
        for name in ("code:explanation", "code:debugging", "code:generation"):
            scores[name] += 1.5
    if _SQL.search(prompt):
        scores["code:data_query"] += 3
    if _OPTIMUM.search(prompt):
        scores["math:optimization"] += 2
    if _FORMULA.search(prompt):
        scores["math"] += 1.5
        scores["math:algebra"] += 0.5
