"""Progress: what is counted, lines for a pipe, a panel for a terminal."""

import io
import re
import time

from rich.console import Console

from routemark.records import Arm, Completion, Failure, Outcome, Question, Trial
from routemark.report.progress import Progress

TRIAL = Trial(
    key="0" * 24,
    question=Question(id="q", difficulty="easy", question="?"),
    arm=Arm(name="a", model="a"),
    repeat=0,
    session_id="s",
)


def outcome(model: str | None = "vendor/m", cost: float | None = 0.01) -> Outcome:
    return Outcome(
        trial=TRIAL.key,
        question_id="q",
        arm="a",
        repeat=0,
        session_id="s",
        attempts=[],
        completion=Completion(text="", model=model, cost_usd=cost) if model else None,
        failure=None if model else Failure(kind="bad_gateway", message="no"),
    )


def shown(*, terminal: bool, width: int = 80) -> tuple[Progress, Console, io.StringIO]:
    out = io.StringIO()
    console = Console(file=out, force_terminal=terminal, width=width, height=25)
    return Progress(console, total=10, done=2, in_flight=lambda: 3), console, out


def test_a_pipe_gets_one_plain_line_at_the_end() -> None:
    progress, _, out = shown(terminal=False)
    with progress:
        for _ in range(4):
            progress.saw(TRIAL, outcome(), None)
        progress.saw(TRIAL, outcome(model=None), None)
    (line,) = out.getvalue().splitlines()
    assert "\x1b" not in line
    assert line.startswith("7/10 trials | 3 in flight | ")
    assert "$0.040 spent, about $0.070 in all" in line
    assert line.endswith("failed: bad_gateway 1 | served: vendor/m 4")


def test_a_line_comes_also_while_nothing_does(monkeypatch: object) -> None:
    import routemark.report.progress as module

    monkeypatch.setattr(module, "LINE_EVERY_S", 0.01)  # type: ignore[attr-defined]
    progress, _, out = shown(terminal=False)
    with progress:
        deadline = time.monotonic() + 5
        while out.getvalue().count("\n") < 2 and time.monotonic() < deadline:
            time.sleep(0.005)
    assert out.getvalue().count("2/10 trials") >= 3


def test_the_panel_keeps_to_the_terminals_width_and_shows_hostile_names_cleaned() -> None:
    progress, console, _ = shown(terminal=True, width=60)
    for n in range(12):
        progress.saw(TRIAL, outcome(model=f"vendor/a-rather-long-name-{n}\x1b[31m"), None)
    with console.capture() as capture:
        console.print(progress._panel())
    plain = re.sub(r"\x1b\[[0-9;]*m", "", capture.get())
    assert max(map(len, plain.splitlines())) <= 60
    assert "14/10 trials" in plain
    assert "vendor/a-rather-long-name-0" in plain
    assert "[31m" not in plain


def test_unknown_cost_is_not_forecast() -> None:
    progress, _, out = shown(terminal=False)
    with progress:
        progress.saw(TRIAL, outcome(cost=None), None)
    assert "in all" not in out.getvalue()


def test_trials_that_joined_make_the_total_grow() -> None:
    console = Console(file=io.StringIO(), width=80)
    joined = 0
    progress = Progress(console, total=10, done=2, in_flight=lambda: 0, added=lambda: joined)
    assert "2/10 trials |" in progress._line()
    joined = 1_500
    assert "2/1,510 trials (1,500 of them added)" in progress._line()
