"""Gates: conditions on the figures of a run, checked before anything is asked, decided when all is known.

Two sides that differ by no more than the rounding of their arithmetic, 1e-12 of their size, are equal. A gate with an
unknown figure fails, whatever else it says: nothing passes for want of knowledge.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, assert_never

from routemark.analysis.gates.figures import FIGURES, Facts, Value
from routemark.analysis.gates.language import (
    Arm,
    Chain,
    Comparing,
    Figure,
    Gate,
    Junction,
    Negative,
    Node,
    Not,
    Number,
    Signature,
    parse,
)
from routemark.config import nearest
from routemark.records import Comparison, GateResult

GATE_FAILED = 10
"""Exit code."""
ALIASES = ("auto", "baseline", "best_single", "cheapest", "dearest")
_NO_ROUTER = "no arm is known to be a router. Name the arm."
_NO_BASELINE = "there is no --baseline."
_NO_MODEL = "no fixed model is asked. Add one with -m, or --baselines picked."


class Known(NamedTuple):
    """The arms that a gate may name."""

    models: Mapping[str, str]
    """Name of each arm -> the slug that it asks."""
    baseline: str | None
    """As ``--baseline`` names it: an arm, or its model."""
    has_router: bool
    has_fixed: bool
    """A fixed model is among them, or one may join."""
    may_join: bool = False
    """Models that a router picks become arms, too: any slug may be one."""

    def named(self, text: str, quoted: bool) -> Arm:
        """Give the arm meant; raise ValueError with a sentence when there is none."""
        if text in self.models:
            return Arm(text)
        if text in ALIASES and not quoted:
            return self._alias(text)
        asking = [name for name, model in self.models.items() if model == text]
        if len(asking) > 1:
            raise ValueError(f'{len(asking)} arms ask {text}. Name one of them: "{asking[0]}".')
        if asking or (self.may_join and "/" in text):
            return Arm(asking[0] if asking else text)
        if text in ALIASES:
            raise ValueError(f'no arm is called "{text}". If you mean the alias, leave the quotes out.')
        meant = nearest(text, [*self.models, *ALIASES])
        raise ValueError(f'no arm is called "{text}".{meant or f" Arms: {self._listed()}."}')

    def _alias(self, alias: str) -> Arm:
        if alias == "baseline":
            if self.baseline is None:
                raise ValueError(f"{alias}: {_NO_BASELINE}")
            return self.named(self.baseline, True)
        if alias == "auto" and not self.has_router:
            raise ValueError(f"{alias}: {_NO_ROUTER}")
        if alias != "auto" and not self.has_fixed:
            raise ValueError(f"{alias}: {_NO_MODEL}")
        return Arm(alias, is_alias=True)

    def _listed(self) -> str:
        names = list(self.models)
        return ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")


def read_gates(
    expressions: Iterable[str], known: Known, figures: Mapping[str, Signature] = FIGURES
) -> list[Gate]:
    """Give the gates; raise GateError for the first that cannot be read."""
    return [parse(expression, figures, known.named) for expression in expressions]


def decide(gates: Sequence[Gate], facts: Facts) -> list[GateResult]:
    """Give what becomes of each gate."""
    return [_decided(gate, facts) for gate in gates]


class _Unknown(Exception):  # noqa: N818 - a value that is not there, on its way to the gate's result
    """Says in a clause what is not known."""


def _decided(gate: Gate, facts: Facts) -> GateResult:
    sides: list[float | None] = [None, None]
    try:
        if isinstance(gate.condition, Comparing):
            sides = [_number(side, facts) for side in (gate.condition.left, gate.condition.right)]
        passed, told = _condition(gate.condition, facts)
    except _Unknown as unknown:
        return _result(gate, passed=False, sides=sides, reason=f"cannot be decided: {unknown}")
    if facts.unfinished is not None:
        return _result(gate, passed=False, sides=sides, reason=f"cannot be decided: {facts.unfinished}")
    behind = ", ".join(dict.fromkeys(_figures(gate.condition, facts)))
    return _result(gate, passed=passed, sides=sides, reason=f"{told}; {behind}" if behind else told)


def _result(gate: Gate, *, passed: bool, sides: Sequence[float | None], reason: str) -> GateResult:
    return GateResult(expression=gate.expression, passed=passed, left=sides[0], right=sides[1], reason=reason)


# --------------------------------------------------------------------------- conditions


def _condition(node: Node, facts: Facts) -> tuple[bool, str]:
    """Give whether it holds, and each comparison with its numbers. Every part is looked at."""
    match node:
        case Comparing(left, operator, right):
            a, b = _number(left, facts), _number(right, facts)
            holds = _holds(a, operator, b)
            return holds, f"{_sides(a, operator, b)} {'holds' if holds else 'does not hold'}"
        case Junction(operator, parts):
            found = [_condition(part, facts) for part in parts]
            every = [holds for holds, _ in found]
            return (all(every) if operator == "and" else any(every)), ", ".join(told for _, told in found)
        case Not(inner):
            holds, told = _condition(inner, facts)
            return not holds, told
        case _:
            raise AssertionError("a number where the parser lets only conditions stand")


def _holds(a: float, operator: str, b: float) -> bool:
    equal = math.isclose(a, b, rel_tol=1e-12, abs_tol=1e-15)
    match operator:
        case "<":
            return a < b and not equal
        case "<=":
            return a < b or equal
        case ">":
            return a > b and not equal
        case ">=":
            return a > b or equal
        case "==":
            return equal
        case _:
            return not equal


def _sides(a: float, operator: str, b: float) -> str:
    """Write a comparison, with all digits where fewer would show two different numbers as one."""
    short = [_told(a), _told(b)]
    return f" {operator} ".join([repr(a), repr(b)] if short[0] == short[1] and a != b else short)


def _told(value: float) -> str:
    return f"{value:.6g}"


# --------------------------------------------------------------------------- numbers


def _number(node: Node, facts: Facts) -> float:
    """Give the value of a number; raise _Unknown where it has none, or one that is not finite."""
    match node:
        case Number(value):
            result = value
        case Figure():
            result = _figure(node, facts)
        case Negative(inner):
            result = -_number(inner, facts)
        case Chain(first, rest):
            result = _number(first, facts)
            for operator, operand in rest:
                result = _applied(result, operator, _number(operand, facts))
        case Comparing() | Junction() | Not():
            raise AssertionError("a condition where the parser lets only numbers stand")
        case _:
            assert_never(node)
    if not math.isfinite(result):
        raise _Unknown(f"{_written(node)} is too large")
    return result


def _applied(a: float, operator: str, b: float) -> float:
    match operator:
        case "+":
            return a + b
        case "-":
            return a - b
        case "*":
            return a * b
        case _:
            if b == 0:
                raise _Unknown(f"{_told(a)} / 0 is unknown")
            return a / b


def _written(node: Node) -> str:
    return "a number" if isinstance(node, Number) else "the result of its arithmetic"


def _figure(figure: Figure, facts: Facts) -> float:
    """Give the value of a figure, or of the bound that is asked for."""
    found = _value(figure, facts)
    value = found.value
    if figure.bound is not None:
        value = None if found.interval is None else found.interval[figure.bound == "upper"]
    if value is None or not math.isfinite(value):
        raise _Unknown(f"{_name(figure, facts)} is unknown")
    return float(value)


def _value(figure: Figure, facts: Facts) -> Value:
    names = [_arm(arm, facts) for arm in figure.arms]
    match names:
        case []:
            return facts.whole.get(figure.name, Value(None))
        case [name]:
            return facts.arms[name].get(figure.name, Value(None))
        case [a, b]:
            return _of_pair(figure.name, a, b, facts)
        case _:
            raise AssertionError("no figure is of more than two arms")


def _of_pair(figure: str, a: str, b: str, facts: Facts) -> Value:
    """Give a figure of two arms; the run compares them one way round, and it is turned where need be."""
    same = 0.0 if figure == "difference" else 1.0
    if a == b:
        return Value(same, (same, same))
    pair, turned = facts.pairs.get((a, b)), facts.pairs.get((b, a))
    if pair is not None:
        return _either(figure, pair)
    if turned is None:
        raise _Unknown(
            f"{figure}({a}, {b}) is unknown: the two were not compared. Routers are compared with all, and "
            "fixed models with --baseline"
        )
    return _turned(figure, _either(figure, turned))


def _either(figure: str, pair: Comparison) -> Value:
    if figure == "difference":
        return Value(pair.accuracy_difference, pair.ci95)
    return Value(pair.cost_ratio, pair.cost_ratio_ci95)


def _turned(figure: str, value: Value) -> Value:
    def turn(x: float) -> float:
        if figure == "difference":
            return -x
        return 1 / x if x else math.inf

    interval = value.interval
    return Value(
        None if value.value is None else turn(value.value),
        None if interval is None else (turn(interval[1]), turn(interval[0])),
    )


def _arm(arm: Arm, facts: Facts) -> str:
    """Give the arm that is meant in this run."""
    name = facts.aliases.get(arm.name) if arm.is_alias else arm.name
    if name is None:
        raise _Unknown(f"{arm.name} is unknown: no arm of this run is one")
    if name not in facts.arms:
        raise _Unknown(f"{name} is unknown: it has no answers in this run")
    return name


# --------------------------------------------------------------------------- figures told


def _figures(node: Node, facts: Facts) -> Iterable[str]:
    """Yield every figure with its value, in the order in which they are written."""
    match node:
        case Figure():
            yield f"{_name(node, facts)} = {_told(_figure(node, facts))}"
        case Negative(inner) | Not(inner):
            yield from _figures(inner, facts)
        case Chain(first, rest):
            yield from _figures(first, facts)
            for _, operand in rest:
                yield from _figures(operand, facts)
        case Comparing(left, _, right):
            yield from _figures(left, facts)
            yield from _figures(right, facts)
        case Junction(_, parts):
            for part in parts:
                yield from _figures(part, facts)
        case Number():
            return
        case _:
            assert_never(node)


def _name(figure: Figure, facts: Facts) -> str:
    """Write a figure with the arms that its aliases mean here: ``accuracy(best_single: openai/gpt-5)``."""
    arms = [f"{arm.name}: {_arm(arm, facts)}" if arm.is_alias else arm.name for arm in figure.arms]
    text = f"{figure.name}({', '.join(arms)})"
    return f"{figure.bound}({text})" if figure.bound else text
