"""What `offline` prints: within the width, verdicts first, hostile names disarmed."""

import numpy as np
import pytest

from routemark.analysis.matrix.outcomes import FILE, Asked, Grouping, Outcomes, Picks, one_each
from routemark.analysis.published.offline import Asking, Chosen, judge
from routemark.errors import RunError, SettingsError
from routemark.report import offline


def found(names=("cheap", "good"), arms=("auto",), n=60, **asking):
    rng = np.random.default_rng(0)
    score = (rng.random((n, 2)) < (0.5, 0.8)).astype(float)
    cost = np.tile([1e-5, 1e-3], (n, 1)) * np.exp(rng.normal(size=(n, 1)))
    none = Grouping(np.full(n, -1, dtype=np.int32), ())
    asked = Asked(np.arange(n, dtype=np.int32), none, none, np.full(n, 4))
    unknown = np.full((n, 2), np.nan)
    matrix = Outcomes(asked, names, score, cost, unknown, np.full((n, 2), FILE, dtype=np.int8))
    chosen = [
        Chosen(
            Picks(arm, one_each(rng.integers(0, 2, n).astype(np.int32), 2), unknown[:, 0], unknown[:, 0]),
            3,
            np.zeros(n, dtype=bool),
        )
        for arm in arms
    ]
    return judge(matrix, chosen, Asking(**asking))


@pytest.mark.parametrize("width", [80, 100])
def test_fits_the_terminal_and_begins_with_the_verdict(width):
    text = offline.render(found(arms=("auto", "router/b?tier=low"), all_metrics=True), width=width)
    assert max(map(len, text.split("\n"))) <= width
    places = [
        text.index(part)
        for part in (
            "nothing was asked",
            "Margin",
            "\nArms",
            "\nModels",
            "\nBounds",
            "\nHull",
            "\nCompared",
            "\nPublished",
            "\nReferences",
        )
    ]
    assert places == sorted(places)
    assert text.index("auto\n") < text.index("Margin")


def test_says_what_the_figures_are():
    text = " ".join(offline.render(found(), width=80).split())
    for part in (
        "60 questions, answers of 2 models and the picks of 1 arm, all from files; nothing was asked.",
        "cannot be told.",
        "(optimistic: chosen on these questions)",
        "had known these answers, the lucky ones too",
        "On the 60 questions with choices",
        "By rising cost: cheap, then good.",
        "Left",
    ):
        assert part in text
    assert "Opt.Sel" not in text


def test_without_picks_says_how_to_judge_a_router():
    text = offline.render(found(arms=()))
    assert "name its picks with" in text
    assert "--picks" in text
    assert "Arms" not in text


def test_names_cannot_steer_the_terminal():
    text = offline.render(found(names=("\x1b[2Jcheap", "x" * 500), arms=("a\nb",), all_metrics=True))
    assert "\x1b" not in text
    assert "x" * 81 not in text


def test_many_arms_are_told_shortly():
    text = offline.render(found(arms=tuple(f"arm-{i}" for i in range(9)), all_metrics=True))
    assert "and 4 more arms, with --json" in text
    assert "and 34 more, with --json" in text  # comparisons
    assert "No room for" in text


def test_files_are_written_by_their_ending(tmp_path):
    result = found()
    offline.write(tmp_path / "new" / "a.json", result)
    offline.write(tmp_path / "a.txt", result)
    assert (tmp_path / "new" / "a.json").read_text() == offline.to_json(result)
    assert (tmp_path / "a.txt").read_text() == offline.render(result)
    offline.check_output("a.json")
    with pytest.raises(SettingsError, match="no such format"):
        offline.check_output("a.pdf")
    with pytest.raises(RunError, match="cannot be written"):
        offline.write(tmp_path / "a.txt" / "b.json", result)
