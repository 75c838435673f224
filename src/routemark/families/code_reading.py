"""Code reading: what a program prints. The answer is computed here without running the program's text."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from random import Random

from routemark.families.base import Draft, exact, family, numeric
from routemark.families.names import WORDS

Program = tuple[str, str]
"""The text of a program and the line that it prints."""


def _asked(program: Program | None) -> Draft | None:
    """Ask for the printed line; one without a digit or a letter is nothing to ask for."""
    if program is None or not any(char.isalnum() for char in program[1]):
        return None
    text, line = program
    return exact(
        f"What does this Python 3 program print?\n\n```python\n{text}\n```\n\nAnswer with the printed line"
        " only, exactly as it is printed.",
        line,
        case=True,
    )


# --------------------------------------------------------------------------- easy: one loop


def _alternating(rng: Random) -> Program:
    numbers = [rng.randint(1, 15) for _ in range(rng.randint(5, 7))]
    m, times = rng.choice([2, 3]), rng.randint(2, 9)
    total = sum(number if place % m == 0 else -number for place, number in enumerate(numbers))
    text = f"""nums = {numbers}
total = 0
for i, n in enumerate(nums):
    if i % {m} == 0:
        total += n
    else:
        total -= n
print(total * {times}, len(nums))"""
    return text, f"{total * times} {len(numbers)}"


def _growing(rng: Random) -> Program:
    factor, less, limit = rng.choice([2, 3]), rng.randint(1, 6), rng.randint(80, 900)
    start = less + rng.randint(1, 6)
    n, count = start, 0
    while n < limit:
        n, count = factor * n - less, count + 1
    text = f"""n = {start}
count = 0
while n < {limit}:
    n = {factor} * n - {less}
    count += 1
print(count, n)"""
    return text, f"{count} {n}"


def _pairs(rng: Random) -> Program:
    top, m, rest = rng.randint(5, 7), rng.choice([3, 4, 5]), rng.randint(0, 2)
    found = [(i, j) for i in range(1, top + 1) for j in range(i, top + 1) if (i * j) % m == rest]
    text = f"""found = []
for i in range(1, {top + 1}):
    for j in range(i, {top + 1}):
        if (i * j) % {m} == {rest}:
            found.append(i + j)
print(len(found), max(found))"""
    return text, f"{len(found)} {max(map(sum, found), default=0)}" if found else ""


def _records(rng: Random) -> Program:
    numbers = [rng.randint(10, 60) for _ in range(rng.randint(7, 9))]
    best, seen = 0, []
    for number in numbers:
        if number > best:
            best = number
            seen.append(number)
    text = f"""values = {numbers}
best = 0
seen = []
for v in values:
    if v > best:
        best = v
        seen.append(v)
print(len(seen), sum(seen))"""
    return text, f"{len(seen)} {sum(seen)}"


@family("easy", "code-reading")
def loop_program(rng: Random) -> Draft | None:
    """What a program with one loop over numbers prints."""
    return _asked(rng.choice([_alternating, _growing, _pairs, _records])(rng))


def _lengths(rng: Random, words: list[str]) -> Program:
    longest = rng.randint(5, 7)
    counts = [sum(len(word) == n for word in words) for n in range(3, 10)]
    text = f"""words = {words!r}
counts = {{}}
for w in words:
    if len(w) <= {longest}:
        counts[len(w)] = counts.get(len(w), 0) + 1
print(sorted(counts.items()))"""
    pairs = [f"({n}, {count})" for n, count in enumerate(counts, 3) if count and n <= longest]
    return text, f"[{', '.join(pairs)}]"


def _initials(rng: Random, words: list[str]) -> Program:
    skip, mark = rng.choice([2, 3]), rng.choice("-+_")
    ends = [word[0].upper() + word[-1] for word in reversed(words)]
    text = f"""parts = {" ".join(words)!r}.split()
parts.reverse()
print({mark!r}.join(p[0].upper() + p[-1] for p in parts[::{skip}]))"""
    return text, mark.join(end for place, end in enumerate(ends) if place % skip == 0)


def _middles(rng: Random, words: list[str]) -> Program:
    start, letter = rng.choice([1, 2]), rng.choice("aeo")
    kept = [word[start : start + 3] for word in words if letter not in word]
    text = f"""words = {words!r}
out = ""
for w in words:
    if {letter!r} in w:
        continue
    out = w[{start}:{start + 3}] + out
print(out)"""
    return text, "".join(reversed(kept))


@family("easy", "code-reading")
def word_program(rng: Random) -> Draft | None:
    """What a program that works on words prints."""
    words = rng.sample(WORDS, rng.randint(5, 7))
    return _asked(rng.choice([_lengths, _initials, _middles])(rng, words))


# --------------------------------------------------------------------------- hard: state


def _circle(rng: Random) -> Program:
    n, step, stop = rng.randint(9, 13), rng.randint(2, 5), rng.randint(2, 3)
    ring = list(range(1, n + 1))
    at, gone = 0, []
    while len(ring) > stop:
        at = (at + step) % len(ring)
        gone.append(ring.pop(at))
        if gone[-1] % 2:
            at = (at + 1) % len(ring)
    left = ring[at:] + ring[:at]
    text = f"""from collections import deque

q = deque(range(1, {n + 1}))
gone = []
while len(q) > {stop}:
    q.rotate(-{step})
    gone.append(q.popleft())
    if gone[-1] % 2:
        q.rotate(-1)
print(sum(gone[::2]), *q)"""
    return text, " ".join(map(str, [sum(gone[::2]), *left]))


def _automaton(rng: Random) -> Program:
    tape = "".join(rng.choice("abc") for _ in range(rng.randint(16, 22)))
    table = {(state, char): rng.randrange(3) for state in range(3) for char in "abc"}
    state, score = 0, 0
    for place, char in enumerate(tape):
        after = table[state, char]
        score += place if after < state else after
        state = after
    rows = ", ".join(f"{key!r}: {value}" for key, value in table.items())
    text = f"""table = {{{rows}}}
state = score = 0
for i, c in enumerate({tape!r}):
    new = table[state, c]
    score += i if new < state else new
    state = new
print(state, score)"""
    return text, f"{state} {score}"


def _kept_default(rng: Random) -> Program:
    calls = [[rng.randint(1, 9) for _ in range(rng.randint(1, 3))] for _ in range(rng.randint(4, 5))]
    m = rng.choice([3, 4, 5])
    kept: list[int] = []
    results = []
    for call in calls:
        for x in call:
            kept.append(x if x % m else len(kept))
        results.append(sum(kept) % 10)
    last = rng.randint(1, 9)
    end = (sum(kept) + (last if last % m else len(kept))) % 10
    lines = "\n".join(f"out.append(collect({call}))" for call in calls)
    text = f"""def collect(items, box=[]):
    for x in items:
        box.append(x if x % {m} else len(box))
    return sum(box) % 10

out = []
{lines}
print(out[1:], collect([{last}]))"""
    return text, f"{results[1:]} {end}"


def _two_stacks(rng: Random) -> Program:
    moves = [rng.choice(["push", "push", "move", "swap", "add"]) for _ in range(rng.randint(12, 15))]
    a, b, n = [1, 2], [3], 3
    for move in moves:
        if move == "push":
            n += 1
            a.append(n)
        elif move == "move" and a:
            b.append(a.pop())
        elif move == "swap":
            a, b = b, a
        elif move == "add" and len(a) > 1:
            a.append(a.pop() + a.pop(0))
    text = f"""a, b, n = [1, 2], [3], 3
for move in {" ".join(moves)!r}.split():
    if move == "push":
        n += 1
        a.append(n)
    elif move == "move" and a:
        b.append(a.pop())
    elif move == "swap":
        a, b = b, a
    elif move == "add" and len(a) > 1:
        a.append(a.pop() + a.pop(0))
print(a, sum(b))"""
    return text, f"{a} {sum(b)}"


@family("hard", "code-reading")
def state_program(rng: Random) -> Draft | None:
    """What a program prints that changes its state many times."""
    return _asked(rng.choice([_circle, _automaton, _kept_default, _two_stacks])(rng))


# --------------------------------------------------------------------------- hard: recursion


def _mutual(rng: Random) -> tuple[str, int]:
    a, b, base, n = rng.randint(2, 6), rng.randint(1, 9), rng.randint(2, 4), rng.randint(13, 22)
    m, first, second = rng.choice([3, 4, 5]), rng.randint(1, 9), rng.randint(1, 9)
    f, g = [first] * base, [second] * base
    for k in range(base, n + 1):
        f.append(g[k - 1] + a * (k % m))
        g.append(f[k] - f[k - 2] + b)
    text = f"""def f(n):
    return {first} if n < {base} else g(n - 1) + {a} * (n % {m})


def g(n):
    return {second} if n < {base} else f(n) - f(n - 2) + {b}


print(f({n}))"""
    return text, f[n]


def _split_calls(rng: Random) -> tuple[str, int]:
    a, b, m, n = rng.randint(2, 3), rng.randint(2, 3), rng.randint(1, 4), rng.randint(90, 500)
    values = [0]
    for k in range(1, n + 1):
        values.append(values[k // a] + (m if k % b == 0 else values[max(0, k // (a * b))]) + 1)
    text = f"""def h(n):
    if n == 0:
        return 0
    if n % {b} == 0:
        return h(n // {a}) + {m} + 1
    return h(n // {a}) + h(n // {a * b}) + 1


print(h({n}))"""
    return text, values[n]


def _visits(rng: Random) -> tuple[str, int]:
    start, left, right, top = rng.randint(1, 6), rng.randint(2, 4), rng.randint(3, 9), rng.randint(50, 140)
    seen, order = {start}, [start]
    waiting = deque([start])
    while waiting:
        n = waiting.pop()
        for m in (n * left, n + right):
            if m <= top and m not in seen:
                seen.add(m)
                waiting.append(m)
                order.append(m)
    text = f"""seen = {{{start}}}


def visit(n):
    total = n
    for m in (n * {left}, n + {right}):
        if m <= {top} and m not in seen:
            seen.add(m)
            total += visit(m)
    return total


print(visit({start}))"""
    return text, sum(order)


@family("hard", "code-reading")
def recursive_program(rng: Random) -> Draft | None:
    """What a recursive program prints."""
    makers: list[Callable[[Random], tuple[str, int]]] = [_mutual, _split_calls, _visits]
    text, value = rng.choice(makers)(rng)
    if not 6 < abs(value) < 10_000:
        return None
    return numeric(rng, f"What number does this Python 3 program print?\n\n```python\n{text}\n```", value)


FAMILIES = (loop_program, word_program, state_program, recursive_program)
