"""The language of gates: a text becomes a tree whose names and types are checked, or a GateError.

    condition  = both ("or" both)*
    both       = negation ("and" negation)*
    negation   = "not" negation | comparison
    comparison = sum [("<" | "<=" | ">" | ">=" | "==" | "!=") sum]
    sum        = product (("+" | "-") product)*
    product    = signed (("*" | "/") signed)*
    signed     = "-" signed | NUMBER | "(" condition ")" | ("lower" | "upper") "(" figure ")" | figure
    figure     = NAME "(" [arm ("," arm)*] ")"
    arm        = '"' ANYTHING '"' | everything up to white space, a comma or a parenthesis

The parser descends from rule to rule and reads characters, not tokens, since ``/`` divides outside a figure and is
part of a name inside one. A text is at most `LONGEST` characters long and nested `DEEPEST` deep, so that none
exhausts anything; a chain of the same rank is one node, however long.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Literal, NamedTuple, NoReturn, TypeAlias

from routemark.config import nearest
from routemark.errors import GateError
from routemark.numbers import count

LONGEST = 2000
DEEPEST = 32
KEYWORDS = ("and", "or", "not")
BOUNDS = ("lower", "upper")

_SPACE = re.compile(r"\s*")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_NUMBER = re.compile(r"(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?(?![A-Za-z0-9_.])")
_COMPARING = re.compile(r"<=|>=|==|!=|<|>")
_BARE_ARM = re.compile(r'[^\s,()"]+')
_QUOTED_ARM = re.compile(r'"((?:[^"\\]|\\.)*)"')
_FOREIGN = {
    "=<": "<=",
    "=>": ">=",
    "\N{LESS-THAN OR EQUAL TO}": "<=",
    "\N{GREATER-THAN OR EQUAL TO}": ">=",
    "\N{NOT EQUAL TO}": "!=",
    "=": "==",
    "&&": "and",
    "||": "or",
    "&": "and",
    "|": "or",
    "!": "not",
    "%": "a fraction: 1 % is 0.01",
}
"""What other languages write -> what is written here; the longer first."""

Comparator: TypeAlias = Literal["<", "<=", ">", ">=", "==", "!="]
Node: TypeAlias = "Number | Figure | Negative | Chain | Comparing | Junction | Not"


class Arm(NamedTuple):
    """An arm, by its own name or by an alias that the run fills in."""

    name: str
    is_alias: bool = False


class Number(NamedTuple):
    """A number as written."""

    value: float


class Figure(NamedTuple):
    """A figure of the summary, or a bound of its interval."""

    name: str
    arms: tuple[Arm, ...]
    bound: Literal["lower", "upper"] | None = None


class Negative(NamedTuple):
    """Minus a number."""

    of: Node


class Chain(NamedTuple):
    """Numbers joined from left to right by operators of one rank, ``+ -`` or ``* /``."""

    first: Node
    rest: tuple[tuple[str, Node], ...]


class Comparing(NamedTuple):
    """Two numbers compared."""

    left: Node
    operator: Comparator
    right: Node


class Junction(NamedTuple):
    """Conditions that must all hold (``and``), or one of them (``or``)."""

    operator: Literal["and", "or"]
    parts: tuple[Node, ...]


class Not(NamedTuple):
    """A condition that must not hold."""

    of: Node


class Signature(NamedTuple):
    """How a figure is written."""

    arms: int
    """Number of arms it is about."""
    has_interval: bool = False
    """``lower`` and ``upper`` may be asked of it."""


class Gate(NamedTuple):
    """A condition whose names and types are sound."""

    expression: str
    condition: Comparing | Junction | Not


Naming: TypeAlias = Callable[[str, bool], Arm]
"""(text, was it quoted) -> the arm meant. Raises: ValueError with a sentence for one that is unknown."""


def parse(expression: str, figures: Mapping[str, Signature], arm_named: Naming) -> Gate:
    """Give the gate that a text says. Raises: GateError with the place, and nothing else."""
    parser = _Parser(expression, figures, arm_named)
    return parser.gate()


class _Parser:
    """Reads one expression; each method reads one rule from the present place on."""

    def __init__(self, text: str, figures: Mapping[str, Signature], arm_named: Naming) -> None:
        self._text = text
        self._at = 0
        self._depth = 0
        self._figures = figures
        self._arm_named = arm_named

    def gate(self) -> Gate:
        if not self._text.strip():
            self._fail("the gate is empty. Write a condition, e.g. failed_share(auto) < 0.01.", 0)
        if len(self._text) > LONGEST:
            self._fail(f"longer than {count(LONGEST)} characters. Give several gates instead.", LONGEST)
        node = self._condition()
        if self._at < len(self._text):
            self._fail_at_rest()
        if not isinstance(node, Comparing | Junction | Not):
            self._fail("this is a number, not a condition. Compare it with another, e.g. ... >= 0.8.", 0)
        return Gate(self._text.strip(), node)

    # ------------------------------------------------------------------- conditions

    def _condition(self) -> Node:
        return self._joined("or", self._both)

    def _both(self) -> Node:
        return self._joined("and", self._negation)

    def _joined(self, word: Literal["and", "or"], part: Callable[[], Node]) -> Node:
        start = self._skip()
        parts = [part()]
        while self._at_word(word):
            self._must_be_condition(parts[-1], start, word)
            self._at += len(word)
            start = self._skip()
            parts.append(part())
            self._must_be_condition(parts[-1], start, word)
        return parts[0] if len(parts) == 1 else Junction(word, tuple(parts))

    def _negation(self) -> Node:
        if not self._at_word("not"):
            return self._comparison()
        self._at += len("not")
        start = self._skip()
        inner = self._nested(self._negation)
        self._must_be_condition(inner, start, "not")
        return Not(inner)

    def _comparison(self) -> Node:
        start = self._skip()
        left = self._sum()
        found = _COMPARING.match(self._text, self._skip())
        if found is None:
            return left
        self._must_be_number(left, start, found[0])
        self._at = found.end()
        start = self._skip()
        right = self._sum()
        self._must_be_number(right, start, found[0])
        if _COMPARING.match(self._text, self._skip()):
            self._fail('compare two numbers at a time, and join comparisons with "and".', self._at)
        return Comparing(left, found[0], right)  # type: ignore[arg-type]  # as the pattern has them

    # ------------------------------------------------------------------- numbers

    def _sum(self) -> Node:
        return self._chain("+-", lambda: self._chain("*/", self._signed))

    def _chain(self, operators: str, part: Callable[[], Node]) -> Node:
        start = self._skip()
        first = part()
        rest: list[tuple[str, Node]] = []
        while self._peek() and self._peek() in operators:
            operator = self._peek()
            self._must_be_number(rest[-1][1] if rest else first, start, operator)
            self._at += 1
            start = self._skip()
            rest.append((operator, part()))
            self._must_be_number(rest[-1][1], start, operator)
        return Chain(first, tuple(rest)) if rest else first

    def _signed(self) -> Node:
        if self._peek() == "-":
            self._at += 1
            start = self._skip()
            inner = self._nested(self._signed)
            self._must_be_number(inner, start, "-")
            return Negative(inner)
        if self._peek() == "(":
            self._at += 1
            inner = self._nested(self._condition)
            self._expect(")")
            return inner
        number = _NUMBER.match(self._text, self._at)
        if number is not None:
            self._at = number.end()
            self._skip()
            return Number(float(number[0]))
        return self._named()

    def _named(self) -> Figure:
        """Read a figure, or a bound of one."""
        start = self._skip()
        found = _NAME.match(self._text, start)
        if found is None:
            self._fail_at_rest(expected="a figure or a number")
        if found[0] not in BOUNDS:
            return self._figure(start, found[0])
        self._at = found.end()
        self._expect("(", f"{found[0]} takes a figure: {found[0]}(accuracy(auto)).")
        inner_at = self._skip()
        inner = _NAME.match(self._text, inner_at)
        if inner is None or inner[0] in BOUNDS:
            self._fail(f"{found[0]} takes a figure: {found[0]}(accuracy(auto)).", inner_at)
        figure = self._figure(inner_at, inner[0])
        if not self._figures[figure.name].has_interval:
            having = ", ".join(name for name, signature in self._figures.items() if signature.has_interval)
            self._fail(f"{figure.name} has no interval. These have: {having}.", inner_at)
        self._expect(")")
        return figure._replace(bound=found[0])  # type: ignore[arg-type]  # one of BOUNDS

    def _figure(self, start: int, name: str) -> Figure:
        signature = self._figures.get(name)
        if signature is None:
            known = [*self._figures, *KEYWORDS, *BOUNDS]
            self._fail(f'no figure is called "{name}".{nearest(name, known) or self._all_figures()}', start)
        self._at = start + len(name)
        example = ", ".join(("auto", "best_single")[: signature.arms])
        self._expect("(", f"{name} is written {name}({example}).")
        arms: list[Arm] = []
        while self._peek() != ")":
            if arms:
                self._expect(",", 'expected "," or ")"; a name with spaces stands in "...".')
            arms.append(self._arm())
        if len(arms) != signature.arms:
            self._fail(
                f"{name} is written {name}({example}): {_arms(signature.arms)}, not {len(arms)}.", start
            )
        self._expect(")")
        return Figure(name, tuple(arms))

    def _arm(self) -> Arm:
        start = self._skip()
        quoted = _QUOTED_ARM.match(self._text, start)
        found = quoted or _BARE_ARM.match(self._text, start)
        if found is None:
            self._fail("expected the name of an arm.", start)
        text = re.sub(r"\\(.)", r"\1", quoted[1]) if quoted else found[0]
        try:
            arm = self._arm_named(text, quoted is not None)
        except ValueError as unknown:
            self._fail(str(unknown), start)
        self._at = found.end()
        self._skip()
        return arm

    # ------------------------------------------------------------------- places

    def _skip(self) -> int:
        """Pass over white space; give the place after it."""
        found = _SPACE.match(self._text, self._at)
        self._at = found.end() if found else self._at
        return self._at

    def _peek(self) -> str:
        """Give the next character; "" at the end."""
        self._skip()
        return self._text[self._at : self._at + 1]

    def _at_word(self, word: str) -> bool:
        found = _NAME.match(self._text, self._skip())
        return found is not None and found[0] == word

    def _expect(self, character: str, otherwise: str | None = None) -> None:
        if self._peek() != character:
            if otherwise is None:
                self._fail_at_rest(expected=f'"{character}"')
            self._fail(otherwise, self._at)
        self._at += 1
        self._skip()

    def _nested(self, rule: Callable[[], Node]) -> Node:
        self._depth += 1
        if self._depth > DEEPEST:
            self._fail(f"nested more than {DEEPEST} deep. Give several gates instead.", self._at)
        node = rule()
        self._depth -= 1
        return node

    # ------------------------------------------------------------------- faults

    def _must_be_number(self, node: Node, at: int, operator: str) -> None:
        if isinstance(node, Comparing | Junction | Not):
            self._fail(f'"{operator}" takes numbers, and this is a condition.', at)

    def _must_be_condition(self, node: Node, at: int, word: str) -> None:
        if not isinstance(node, Comparing | Junction | Not):
            self._fail(f'"{word}" takes conditions, and this is a number. Compare it, e.g. ... > 0.', at)

    def _fail_at_rest(self, expected: str = 'an operator, "and", "or" or the end') -> NoReturn:
        """Say what stands at the present place instead of what should."""
        for foreign, ours in _FOREIGN.items():
            if self._text.startswith(foreign, self._at):
                self._fail(f'"{foreign}" means nothing here. Write {ours}.', self._at)
        name = _NAME.match(self._text, self._at)
        found = f'"{name[0] if name else self._peek()}"' if self._peek() else "the end"
        self._fail(f"expected {expected}, found {found}.", self._at)

    def _all_figures(self) -> str:
        return f" Figures: {', '.join(self._figures)}."

    def _fail(self, what: str, at: int) -> NoReturn:
        shown = "".join(one if one.isprintable() else f"\\u{ord(one):04x}" for one in what)
        raise GateError(self._text, at, shown)


def _arms(count: int) -> str:
    return {0: "no arm", 1: "one arm"}.get(count, f"{count} arms")
