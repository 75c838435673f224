"""The grader ``instructions``: whether the answer keeps the rules that its prompt sets.

The whole visible answer is judged as it stands, reasoning set aside; `rules.RULES` is the vocabulary.
"""

from __future__ import annotations

from typing import Any

from routemark.graders.base import Grader, Option, Options, Tools, Verdict, did_you_mean, flag, show
from routemark.graders.extract import SEARCHED, visible
from routemark.graders.rules import RULES, is_bounded
from routemark.records import Completion, Question

_LONGEST = SEARCHED // 2
"""Characters of an answer that are judged; a longer one, cut by `visible` or not, keeps no rules."""


def grade(completion: Completion, _question: Question, options: Options, _tools: Tools) -> Verdict:
    """Score 1 when all rules are kept, else 0; without ``all`` the share of rules kept."""
    answer = "\n".join(visible(completion.text).splitlines())  # one kind of line end
    if not answer:
        return Verdict(0.0, None, "no answer")
    if len(answer) > _LONGEST:
        return Verdict(0.0, None, f"the answer is longer than {_LONGEST:,} characters")
    rules = options["rules"]
    results = [RULES[rule["rule"]].kept(answer, rule) for rule in rules]
    untold = [rule for rule, kept in zip(rules, results, strict=True) if kept is None]
    broken = [rule for rule, kept in zip(rules, results, strict=True) if kept is False]
    if untold and not (broken and options["all"]):
        return Verdict(None, None, f"cannot be told: {_named(untold)}")
    if not broken:
        return Verdict(1.0)
    share = 0.0 if options["all"] else 1 - len(broken) / len(rules)
    return Verdict(share, None, f"not kept: {_named(broken)}")


def _named(rules: list[dict[str, Any]]) -> str:
    return "; ".join(
        " ".join(
            [rule["rule"], *(f"{name}={show(value, 60)}" for name, value in rule.items() if name != "rule")]
        )
        for rule in rules
    )


# --------------------------------------------------------------------------- the question's side


def check(_question: Question, options: Options) -> list[str]:
    """Give the faults of the rules, each with its place."""
    if not options["rules"]:
        return ["grader.rules: missing"]
    return [
        f"grader.rules[{index}]{fault}"
        for index, rule in enumerate(options["rules"])
        for fault in _faults(rule)
    ]


def _faults(given: Any) -> list[str]:
    if not isinstance(given, dict) or not isinstance(given.get("rule"), str):
        return [f': must be a rule such as {{"rule": "words", "max": 50}}, not {show(given)}']
    name = given["rule"]
    rule = RULES.get(name)
    if rule is None:
        return [f": unknown rule '{name}'{did_you_mean(name, list(RULES))}"]
    faults = []
    for parameter, value in given.items():
        known = rule.parameters.get(parameter)
        if parameter == "rule":
            continue
        if known is None:
            hint = did_you_mean(parameter, list(rule.parameters))
            faults.append(f".{parameter}: unknown parameter of '{name}'{hint}")
        elif not known.accepts(value):
            faults.append(f".{parameter}: must be {known.wants}, not {show(value)}")
    faults += [
        f".{parameter}: missing"
        for parameter, known in rule.parameters.items()
        if known.required and parameter not in given
    ]
    if not faults and "exact" in rule.parameters and not is_bounded(given):
        faults.append(f": '{name}' needs 'min', 'max' or 'exact', and 'min' not above 'max'")
    return faults


INSTRUCTIONS = Grader(
    "instructions",
    1,
    grade,
    check,
    {
        "rules": Option(None, lambda value: isinstance(value, list), "a list of rules"),
        "all": flag(default=True),
    },
    needs_reference=False,
)
