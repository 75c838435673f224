"""The house stands on its floors: a module imports its own floor or lower, and no cycle exists."""

import ast
import functools
from pathlib import Path

import routemark

ROOT = Path(routemark.__file__).parent
FLOORS = {
    "_version": 0, "records": 0, "errors": 0, "config": 0, "plugins": 0, "numbers": 0,
    "wire": 1, "policy": 1, "graders": 1, "analysis": 1, "families": 1,
    "questions": 2, "clock": 2, "files": 2, "journal": 2, "journals": 2, "transport": 2, "exchange": 2, "picking": 2, "router": 2, "rundir": 2, "baselines": 2, "generations": 2, "judgements": 2,
    "mathcheck": 2, "mathchild": 2, "sandbox": 2, "tools": 3,
    "engine": 3, "gateway": 3, "interop": 3,
    "report": 4, "viewer": 4, "regrade": 4, "judge": 4, "calibrate": 4, "drift": 4, "audit": 4, "merge": 4, "doctor": 4, "pricing": 4, "telemetry": 4, "direct": 4, "forecast": 4, "prepare": 4, "main": 4, "api": 4, "flags": 4, "settings_file": 4, "pytest_plugin": 4, "commands": 4, "cli": 4, "__main__": 4,
    "": 5,  # the package itself: the public names
}  # fmt: skip
OUTSIDE = {"asyncio", "time", "os", "pathlib", "socket", "subprocess", "threading", "tempfile", "httpx"}
"""Modules that a pure floor has no use for: clocks, files, sockets, event loops."""
CLOCKS = {"now", "today", "utcnow"}


@functools.cache
def modules() -> dict[str, ast.Module]:
    """Give every module's syntax tree by its name below the package, "" for the package itself."""
    found = {}
    for path in ROOT.rglob("*.py"):
        parts = path.relative_to(ROOT).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        found[name] = ast.parse(path.read_text())
    return found


def imported(tree: ast.AST) -> set[str]:
    """Give the dotted names that a tree imports, in functions too.

    ``from package import name`` needs the package itself, and what the name means if that is a module.
    """
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            names |= {str(node.module), *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


def own(name: str, known: set[str]) -> str | None:
    """Give the module of ours that a dotted import names, longest match first; None for others."""
    if name != "routemark" and not name.startswith("routemark."):
        return None
    below = name.removeprefix("routemark").lstrip(".")
    while below not in known:
        below = below.rpartition(".")[0]
    return below


@functools.cache
def graph() -> dict[str, set[str]]:
    trees = modules()
    known = set(trees)
    edges = {}
    for name, tree in trees.items():
        targets = {own(target, known) for target in imported(tree)} - {None, name}
        edges[name] = {t for t in targets if t is not None} - {""}
    return edges


def floor(name: str) -> int:
    return FLOORS[name.partition(".")[0]]


def test_every_module_has_a_floor() -> None:
    assert {name.partition(".")[0] for name in modules()} <= set(FLOORS)


def test_no_module_imports_a_higher_floor() -> None:
    upward = [
        f"{name} (floor {floor(name)}) imports {target} (floor {floor(target)})"
        for name, targets in graph().items()
        for target in targets
        if floor(target) > floor(name)
    ]
    assert upward == []


def test_no_import_cycle() -> None:
    edges = graph()
    open_, closed = set[str](), set[str]()

    def visit(name: str, path: tuple[str, ...]) -> None:
        assert name not in open_, f"cycle: {' -> '.join((*path, name))}"
        if name in closed:
            return
        open_.add(name)
        for target in sorted(edges[name]):
            visit(target, (*path, name))
        open_.discard(name)
        closed.add(name)

    for name in sorted(edges):
        visit(name, ())


def test_pure_floors_have_no_clock_no_file_no_loop() -> None:
    impure = []
    for name, tree in modules().items():
        if floor(name) != 1:
            continue
        impure += [f"{name}: {used}" for used in imported(tree) if used.partition(".")[0] in OUTSIDE]
        for node in ast.walk(tree):
            if isinstance(node, ast.AsyncFunctionDef | ast.Await):
                impure.append(f"{name}: await")
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "open":
                impure.append(f"{name}: open()")
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr in CLOCKS
            ):
                impure.append(f"{name}: {node.func.attr}()")
    assert impure == []


def test_the_check_itself_sees_an_upward_import() -> None:
    tree = ast.parse("from routemark.cli import main")
    assert own(next(iter(imported(tree))), set(modules())) == "cli"
    assert floor("cli") > floor("records")


def test_the_check_itself_sees_an_import_through_a_packages_own_init() -> None:
    tree = ast.parse("from routemark.graders import numeric")
    found = {own(name, set(modules())) for name in imported(tree)}
    assert found == {"graders", "graders.numeric"}
    assert "graders.rules" in graph()["graders.instructions"]
    assert "graders.instructions" in graph()["graders"]
