"""A rule as data, as a sentence, and as a Python function that needs nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from routemark.analysis.rules.prompt_features import FEATURES
from routemark.analysis.rules.trees import Branch, Split, Tree
from routemark.numbers import count
from routemark.records import RuleBranch, RuleKind, RuleTest

LABELS = ("difficulty", "category")
"""What a rule from labels may ask about, in the order of its columns."""


class Names(NamedTuple):
    """The names behind the numbers of a tree."""

    models: tuple[str, ...]
    labels: tuple[Sequence[str], Sequence[str]]
    """By code, of each of `LABELS`."""


class _Step(NamedTuple):
    """One line of a rule: where all this holds, the model."""

    holds: tuple[Split, ...]
    model: int


def tree_record(kind: RuleKind, tree: Tree, names: Names) -> RuleBranch | str:
    """Give the tree as stored."""
    if not isinstance(tree, Branch):
        return names.models[tree]
    split = tree.split
    if kind == "prompt":
        test = RuleTest(feature=FEATURES[split.column].name, above=split.cut)
    else:
        test = RuleTest(feature=LABELS[split.column], equals=_label(split, names))
    yes, no = (tree_record(kind, below, names) for below in (tree.yes, tree.no))
    return RuleBranch(test=test, yes=yes, no=no)


def sentence(kind: RuleKind, tree: Tree, names: Names) -> str:
    """Give the rule for a person: ``If the prompt has code: a. Else: b.``; numbers are rounded."""
    steps = _steps(tree)
    if len(steps) == 1:
        return f"Always {names.models[steps[0].model]}."
    return " ".join(
        f"{'Else' if i else ''}{_condition(kind, step, names, first=i == 0)}: {names.models[step.model]}."
        for i, step in enumerate(steps)
    )


def python_source(kind: RuleKind, tree: Tree, names: Names, questions: int) -> str:
    """Give the source of ``route(prompt)``, or of ``route(difficulty, category)``: exact, and all there is."""
    steps = _steps(tree)
    arguments = "prompt: str" if kind == "prompt" else "difficulty: str, category: str | None = None"
    lines = [
        f"def route({arguments}) -> str:",
        f'    """Name the model to ask, by a rule that Routemark found on {count(questions)} questions."""',
    ]
    if kind == "prompt":
        used = sorted({split.column for step in steps for split in step.holds})
        lines += [f"    {FEATURES[column].name} = {FEATURES[column].expression}" for column in used]
    for step in steps:
        model = f"return {names.models[step.model]!r}"
        tests = " and ".join(_test(kind, split, names) for split in step.holds)
        lines += [f"    if {tests}:", f"        {model}"] if tests else [f"    {model}"]
    return "\n".join(lines) + "\n"


def _steps(tree: Tree) -> list[_Step]:
    """Give the tree as lines of which the first that holds counts; the last always holds."""
    if not isinstance(tree, Branch):
        return [_Step((), tree)]
    yes = [step._replace(holds=(tree.split, *step.holds)) for step in _steps(tree.yes)]
    steps = yes + _steps(tree.no)
    while len(steps) > 1 and steps[-2].model == steps[-1].model:
        del steps[-2]
    return steps


def _condition(kind: RuleKind, step: _Step, names: Names, *, first: bool) -> str:
    if not step.holds:
        return ""
    if kind == "prompt":
        said = [FEATURES[split.column].above(split.cut) for split in step.holds]
    else:
        said = [f"the {LABELS[split.column]} is {_label(split, names)}" for split in step.holds]
    return f"{'If' if first else ' if'} {'the prompt ' if kind == 'prompt' else ''}{' and '.join(said)}"


def _test(kind: RuleKind, split: Split, names: Names) -> str:
    """Give one condition in Python."""
    if kind == "labels":
        return f"{LABELS[split.column]} == {_label(split, names)!r}"
    feature = FEATURES[split.column]
    if feature.kind == "flag":
        return feature.name
    cut = int(split.cut) if feature.kind == "count" else float(split.cut)
    return f"{feature.name} > {cut!r}"


def _label(split: Split, names: Names) -> str:
    return names.labels[split.column][int(split.cut)]
