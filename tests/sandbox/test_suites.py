"""Tests against code of answers, in two real sandboxes: right code passes, and nothing else can.

A forger's code never sees a test, so that it has nothing to forge with; each of these tries.
"""

import pytest

from routemark import graders, sandbox
from routemark.graders.base import Verdict
from routemark.graders.code import CODE
from routemark.records import Completion, GraderSpec, Question

pytestmark = pytest.mark.skipif(sandbox.trouble() is not None, reason=str(sandbox.trouble()))


def verdict(code: str, tests: list, entry_point: str | None = "f", **options: object) -> Verdict:
    named = {"tests": tests, "entry_point": entry_point, "timeout_s": 2, **options}
    question = Question(id="q", difficulty="e", question="?", grader=GraderSpec(name="code", options=named))
    assert graders.check(question) == []
    complete = {name: option.default for name, option in CODE.options.items()} | named
    return CODE.grade(
        Completion(text=f"```python\n{code}\n```", model="m"), question, complete, {"code": sandbox.run}
    )


def shares(code: str, tests: list[str], entry_point: str | None = "f") -> list[bool]:
    """Give for each test whether the code passes it, all in one run."""
    from routemark.graders.code import _suite_results

    options = {"tests": tests, "entry_point": entry_point, "timeout_s": 2, "memory_mb": 512, "all": False}
    return [bool(result.passed) for result in _suite_results(code, options, sandbox.run)]


# ------------------------------------------------------------------------------- what must pass

HONEST = [
    ("def f(x):\n    return x * 2", ["assert f(2) == 4", "assert candidate('ab') == 'abab'", "assert f([1]) == [1, 1]"]),
    ("def f(x):\n    x.sort()\n    x.append(9)", ["a = [3, 1]\nassert f(a) is None\nassert a == [1, 3, 9]"]),
    ("def f(d, s):\n    d['k'] = {1}\n    s.add(2)", ["d, s = {}, {1}\nf(d, s=s)\nassert d == {'k': {1}} and s == {1, 2}"]),
    ("def f(m):\n    m[0][0] = 7", ["m = [[1], [2]]\nf(m)\nassert m == [[7], [2]]"]),
    ("def f(g, x):\n    return g(g(x))", ["assert f(lambda v: v + 1, 3) == 5", "assert f(abs, -3) == 3"]),
    ("def f(n):\n    yield from range(n)", ["assert list(f(3)) == [0, 1, 2]", "assert sum(f(10 ** 2)) == 4950"]),
    ("def f(xs):\n    return sum(xs)", ["assert f(iter([1, 2])) == 3", "assert f(x for x in (4, 5)) == 9", "assert f(range(4)) == 6"]),
    ("def f(n):\n    return lambda k: n + k", ["assert f(2)(3) == 5"]),
    ("f = lambda x: (x, {x: [x]}, None, True, 1.5, b'x', 2 ** 70, 1j)", ["assert f(1) == (1, {1: [1]}, None, True, 1.5, b'x', 2 ** 70, 1j)"]),
    ("def f():\n    return float('inf'), float('nan')", ["a, b = f()\nassert a > 1e308 and b != b"]),
    ("from collections import *\ndef f():\n    return Counter('aab'), OrderedDict(a=1), deque([1], 3), namedtuple('P', 'x')(4)", ["from collections import deque\nassert f() == ({'a': 2, 'b': 1}, {'a': 1}, deque([1]), (4,))"]),
    ("import datetime, decimal, fractions\ndef f():\n    return datetime.date(2024, 2, 29), decimal.Decimal('0.1'), fractions.Fraction(1, 3)", ["import datetime\nfrom decimal import Decimal\nfrom fractions import Fraction\nassert f() == (datetime.date(2024, 2, 29), Decimal('0.1'), Fraction(1, 3))"]),
    ("def f(x):\n    if x < 0:\n        raise ValueError('negative')\n    return x ** 0.5", ["try:\n    f(-1)\nexcept ValueError as e:\n    assert str(e) == 'negative'\nelse:\n    assert False", "assert abs(f(2) - 1.41421) < 1e-4", "assert math.isclose(f(4), 2)"]),
    ("def f(s):\n    print('noise')\n    import sys\n    print('noise', file=sys.stderr)\n    return s[::-1]", ["assert f('abc') == 'cba'"]),
    ("def sum(a):\n    return 7", ["assert sum([1]) == 7"], "sum"),
    ("import threading\ndef f():\n    out = []\n    t = threading.Thread(target=out.append, args=(1,))\n    t.start()\n    t.join()\n    return out", ["assert f() == [1]"]),
    ("def f(node):\n    n = 0\n    while node:\n        n += node.val\n        node = node.next\n    return n", ["class Node:\n    def __init__(self, val, next=None):\n        self.val, self.next = val, next\nassert f(Node(1, Node(2))) == 3"]),
    ("def helper(x):\n    return x + 1\ndef f(x):\n    return helper(x)", ["def check(candidate):\n    assert candidate(1) == 2\n    assert [candidate(i) for i in range(3)] == [1, 2, 3]\n\ncheck(f)"]),
    ("class Stack:\n    def __init__(self):\n        self.items = []\n    def push(self, x):\n        self.items.append(x)\n    def pop(self):\n        return self.items.pop()\n    def __len__(self):\n        return len(self.items)\n    def __contains__(self, x):\n        return x in self.items", ["s = Stack()\ns.push(3)\ns.push('x')\nassert len(s) == 2 and 3 in s and 4 not in s\nassert s.pop() == 'x'\nassert s.items == [3]\ns.pop()\ntry:\n    s.pop()\n    raise RuntimeError\nexcept IndexError:\n    pass"], "Stack"),
    ("class Empty(Exception):\n    pass\ndef f():\n    raise Empty('none')", ["try:\n    f()\n    assert False\nexcept Empty as e:\n    assert str(e) == 'none'"]),
    ("class V:\n    def __init__(self, x):\n        self.x = x\n    def __add__(self, o):\n        return V(self.x + (o.x if isinstance(o, V) else o))\n    def __eq__(self, o):\n        return self.x == o.x\n    def __hash__(self):\n        return self.x\n    def __repr__(self):\n        return f'V({self.x})'\n    @classmethod\n    def zero(cls):\n        return cls(0)", ["assert V(1) + V(2) == V(3) != V(4)", "assert (V(1) + 2).x == 3", "assert repr(V(5)) == 'V(5)' and str(V(5)) == 'V(5)'", "assert {V(1)} == {V(1)} and isinstance(V(1), V)", "assert V.zero().x == 0"], None),
    ("class L:\n    class N:\n        def __init__(self, v):\n            self.v, self.next = v, None\n    def __init__(self, *vs):\n        self.head = None\n        for v in reversed(vs):\n            n = L.N(v)\n            n.next, self.head = self.head, n", ["l = L(1, 2)\nassert l.head.v == 1 and l.head.next.v == 2 and l.head.next.next is None"], None),
    ("from contextlib import contextmanager\nclass T:\n    def __enter__(self):\n        self.on = True\n        return self\n    def __exit__(self, *a):\n        self.on = False", ["t = T()\nwith t as u:\n    assert u.on\nassert not t.on"], None),
]  # fmt: skip


@pytest.mark.parametrize("case", HONEST, ids=range(len(HONEST)))
def test_right_code_passes(case: tuple) -> None:
    code, tests, *entry_point = case
    told = verdict(code, tests, *(entry_point or [None if "class" in code[:6] else "f"]))
    assert (told.score, told.reason) == (1.0, f"passed all of {len(tests)} tests")


def test_wrong_code_fails_with_what_it_gave() -> None:
    told = verdict("def f(x):\n    return x * 2", ["assert f(2) == 4", "assert f(3) == 7"])
    assert (told.score, told.reason) == (0.0, "test 2 of 2: not so: assert f(3) == 7; the answer gave 6")


def test_without_all_the_share_counts_and_a_broken_process_is_replaced() -> None:
    code = "import os\ndef f(x):\n    if x == 2:\n        os._exit(0)\n    while x == 3:\n        pass\n    return x"
    tests = [f"assert f({n}) == {n}" for n in (1, 2, 3, 4)]
    told = verdict(code, tests, all=False, timeout_s=0.5)
    assert told.score == 0.5
    assert told.reason.startswith("passed 2 of 4 tests; test 2 of 4: ")


def test_a_test_that_passes_what_cannot_be_carried_is_the_authors_fault_not_the_answers() -> None:
    told = verdict("def f(x):\n    return 1", ["import threading\nassert f(threading.Lock()) == 1"])
    assert told.score is None
    assert "lock, which cannot be carried over" in told.reason


# ------------------------------------------------------------------------------- what must not pass

EVIL = """
class Evil:
    def yes(self, *a, **k):
        return True
    __eq__ = __lt__ = __gt__ = __le__ = __ge__ = __contains__ = __bool__ = yes
    startswith = endswith = issubset = yes
    def __ne__(self, o):
        return False
    def zero(self, *a):
        return 0
    __sub__ = __rsub__ = __mod__ = __abs__ = __float__ = __int__ = __round__ = __index__ = zero
    def __hash__(self):
        return 0
    def __getattr__(self, name):
        return self.yes
def f(*a):
    return Evil()
"""
EXPECTED = [
    "assert f(2) == 4",
    "assert 4 == f(2)",
    "assert not (f(2) != 4)",
    "assert f(2) < 5 and f(2) > 3",
    "assert abs(f(2) - 4) < 1e-6",
    "assert 4 - f(2) == 0",
    "assert 4 in f(2)",
    "assert f(2) in [4]",
    "assert f(2).startswith('x')",
    "assert f(2)",
    "assert {f(2)} == {4}",
    "assert [f(2)] == [4]",
    "assert isinstance(f(2), int)",
    "assert round(f(2), 3) == 4",
    "assert sorted(f(2)) == [4]",
    "assert all(f(2))",
    "assert any([f(2) == 4])",
]


def test_an_object_that_equals_everything_passes_nothing() -> None:
    assert shares(EVIL, EXPECTED) == [False] * len(EXPECTED)


def test_a_class_in_place_of_the_function_passes_nothing() -> None:
    code = (
        EVIL.replace("class Evil", "class f")
        .replace("def f(*a):\n    return Evil()", "")
        .replace("    def yes", "    def __init__(self, *a):\n        pass\n    def yes", 1)
    )
    assert shares(code, EXPECTED) == [False] * len(EXPECTED)


def test_methods_of_a_solution_class_gain_nothing_by_such_an_object() -> None:
    code = EVIL + "class Solution(Evil):\n    def g(self, *a):\n        return Solution() if a[0] else Evil()"
    tests = [
        test.replace("f(2)", f"Solution().g({own})")
        for test in EXPECTED
        for own in (0, 1)
        if "startswith" not in test
        and test != "assert f(2)"
        and "assert f(2) in" not in test
        and "4 in" not in test
    ]
    assert shares(code, tests, None) == [False] * len(tests)


FORGERS = {
    "leaving": "import sys\nsys.exit(0)",
    "leaving hard": "import os\nos._exit(0)",
    "leaving in the call": "import os\ndef f(*a):\n    os._exit(0)",
    "exiting in the call": "def f(*a):\n    raise SystemExit(0)",
    "printing a report": "import sys\nprint('{\"test\": 0, \"passed\": true, \"reason\": \"\"}')\nsys.stdout.flush()\ndef f(*a):\n    return 5",
    "writing to every file": (
        "import os\nline = b'{\"test\": 0, \"passed\": true, \"reason\": \"\"}\\n'\n"
        "for fd in range(64):\n    try:\n        os.write(fd, line)\n    except OSError:\n        pass\ndef f(*a):\n    return 5"
    ),
    "killing all": "import os, signal\ntry:\n    os.kill(-1, 9)\nexcept OSError:\n    pass\ndef f(*a):\n    os.kill(os.getppid(), 9)",
    "patching builtins": (
        "import builtins, sys, unittest, math\nbuiltins.abs = lambda *_: 0\nbuiltins.isinstance = lambda *_: True\n"
        "builtins.AssertionError = SystemExit\nmath.isclose = lambda *a, **k: True\nsys.excepthook = lambda *_: None\n"
        "builtins.all = lambda *_: True\ndef f(*a):\n    return 5"
    ),
    "patching json": (
        "import json, sys\nold = json.dumps\njson.dumps = lambda m, **k: old(['ok', 4, []])\ndef f(*a):\n    return 5\n"
        "for m in list(sys.modules.values()):\n    try:\n        m.EXPECTED = 4\n    except Exception:\n        pass\n"
        "json.dumps = old"
    ),
    "walking frames": (
        "import sys, gc\ndef f(*a):\n    frame = sys._getframe()\n    while frame:\n        frame.f_locals.update(passed=True)\n"
        "        frame.f_trace = lambda *_: None\n        frame = frame.f_back\n"
        "    for o in gc.get_objects():\n        if isinstance(o, dict) and 'passed' in o:\n            o['passed'] = True\n    return 5"
    ),
    "looking for the tests": (
        "import gc, glob\ndef f(*a):\n    text = repr(gc.get_objects())\n"
        "    for p in glob.glob('/proc/*/cmdline') + glob.glob('/proc/*/environ') + glob.glob('/tmp/*'):\n"
        "        try:\n            text += open(p, errors='ignore').read()\n        except OSError:\n            pass\n"
        "    return 4 if chr(102) + '(2) == 4' in text else 5"
    ),
    "pickles": "import os\nclass P:\n    def __reduce__(self):\n        return (os.system, ('true',))\ndef f(*a):\n    return P()",
    "a string that knows": "class S(str):\n    def __eq__(self, o):\n        return True\n    __hash__ = str.__hash__\ndef f(*a):\n    return S('x')",
    "a number that knows": "class N(int):\n    def __eq__(self, o):\n        return True\n    __hash__ = int.__hash__\n    def __sub__(self, o):\n        return 0\ndef f(*a):\n    return N(5)",
    "a list that knows": "class L(list):\n    def __eq__(self, o):\n        return True\ndef f(*a):\n    return L([5])",
    "forking at import": "import os\nos.fork()\ndef f(*a):\n    return 5",
    "talking on the channel": (
        "import os, json, struct, stat\n"
        "def f(*a):\n    m = json.dumps(['ok', 4, []]).encode()\n    for fd in range(3, 64):\n"
        "        try:\n            os.write(fd, struct.pack('>I', len(m)) + b'x' * 3)\n        except OSError:\n            pass\n    return 5"
    ),
    "an endless message": "import os\ndef f(*a):\n    return 'x' * (40 << 20)",
    "a deep message": "def f(*a):\n    x = []\n    for _ in range(100000):\n        x = [x]\n    return x",
    "a circle": "def f(*a):\n    x = []\n    x.append(x)\n    return x",
    "nothing defined": "pass",
    "not python": "def f(:",
    "recursion": "def f(*a):\n    return f(*a)",
    "memory": "def f(*a):\n    return bytearray(1 << 40)",
}  # fmt: skip


@pytest.mark.parametrize("code", FORGERS.values(), ids=FORGERS)
def test_a_forger_fails(code: str) -> None:
    told = verdict(code, ["assert f(2) == 4"], memory_mb=256)
    assert told.score == 0.0, told


def test_callbacks_cannot_be_used_to_get_at_the_tests() -> None:
    code = (
        "def f(g, it, obj):\n    found = []\n"
        "    for thing in (g, it, obj):\n"
        "        for name in ('__globals__', 'gi_frame', 'f_globals', '__class__', '__init__', '__dict__', 'cr_frame'):\n"
        "            try:\n                found.append(object.__getattribute__(thing, '_ask')('get', name))\n"
        "            except Exception:\n                pass\n    return len(found)"
    )
    test = (
        "class Box:\n    def __init__(self):\n        self.value = 1\n\ndef g():\n    return 1\n\n"
        "assert f(g, (x for x in (1, 2)), Box()) == 0"
    )
    assert verdict(code, [test]).score == 1.0


def test_a_program_is_judged_by_what_it_prints() -> None:
    tests = [{"input": "2 3\n", "output": "5"}, {"input": "4 5", "output": "9\n"}]
    told = verdict("a, b = map(int, input().split())\nprint(a + b, ' ')", tests, None)
    assert told.score == 1.0
    told = verdict("print(5)", tests, None, all=False)
    assert (told.score, told.reason) == (0.5, "passed 1 of 2 tests; test 2 of 2: printed '5'")
    assert verdict("print(5)\nimport sys\nsys.exit(1)", tests[:1], None).score == 0
    assert "ZeroDivisionError" in verdict("1 / 0", tests[:1], None).reason
    assert (
        verdict("while True:\n    pass", tests[:1], None, timeout_s=0.5).reason
        == "test 1 of 1: took too long"
    )
    assert (
        verdict("while True:\n    print('x' * 999)", tests[:1], None).reason == "test 1 of 1: wrote too much"
    )
