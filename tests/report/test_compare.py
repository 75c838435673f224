"""The comparison of two runs on a terminal and in Markdown: the verdict first, all of it harmless."""

import msgspec
import pytest
from rich.cells import cell_len

import report_factory as factory
from routemark.errors import RunError, SettingsError
from routemark.records import (
    Adjusted,
    ArmChange,
    Drift,
    FairnessCheck,
    PickDrift,
    PickMove,
    QuantileChange,
    RouterDrift,
    RunSide,
    StratumDrift,
)
from routemark.report import compare


def change(name="openrouter/auto", **fields):
    return ArmChange(
        **{
            "arm_a": name,
            "arm_b": name,
            "is_router": name == "openrouter/auto",
            "n": 360,
            "clusters": 360,
            "accuracy_a": 0.7,
            "accuracy_b": 0.65,
            "accuracy_change": -0.05,
            "ci95": (-0.09, -0.01),
            "p_value": 0.01,
            "lost_share": 0.0,
            "cost_per_1k_usd_a": 1.0,
            "cost_per_1k_usd_b": 1.5,
            "cost_ratio": 1.5,
            "cost_ratio_ci95": (1.3, 1.7),
            "cost_rests_on": None,
            "cost_n": 360,
            "latency_p50": QuantileChange(a_s=1.0, b_s=0.8, change_s=-0.2, ci95_s=(-0.3, 0.1)),
            "latency_p90": QuantileChange(a_s=3.0, b_s=4.5, change_s=1.5, ci95_s=None),
        }
        | fields
    )


def router(one, **fields):
    picks = PickDrift(
        n=360, changed=0.3, flip_a=0.1, flip_b=0.1, excess=0.2, excess_ci95=(0.1, 0.3), p_value=0.01,
        shares_a={"m/x": 0.8, "m/y": 0.2}, shares_b={"m/y": 0.6, "m/x": 0.4},
        matrix=[PickMove(model_a="m/x", model_b="m/x", questions=140),
                PickMove(model_a="m/x", model_b="m/y", questions=150.5)],
    )  # fmt: skip
    stratum = StratumDrift(
        label="logic", n=36, picks_changed=0.8, picks_p_value=0.001, accuracy_change=-0.1,
        ci95=(-0.2, 0.0), accuracy_p_value=0.05, look_at=["picks"],
    )  # fmt: skip
    quiet = msgspec.structs.replace(stratum, label="algebra", look_at=[])
    adjusted = Adjusted(n=360, clusters=360, change=-0.05, ci95=(-0.09, -0.01), anchors=["m/x"])
    base = {
        "kind": "worse", "sentence": "It changed for the worse between 2026-03-01 and 2026-04-02.",
        "change": one, "adjusted": adjusted, "ci_all": (-0.09, -0.01), "questions_to_decide": 900,
        "picks": picks, "strata_by": "category", "strata": [quiet, stratum],
    }  # fmt: skip
    return RouterDrift(**base | fields)


def side(name):
    return RunSide(
        id=name, started_at="2026-03-01T10:00:00Z", date="2026-03-01", status="complete", simulated=False,
        questions=360, counted=360, routemark_version="0",
    )  # fmt: skip


def make(**fields):
    one = router(change())
    base = {
        "run_a": side("first"), "run_b": side("second"), "questions": 360, "simulated": False,
        "margin": 0.03, "kind": "worse", "sentence": one.sentence, "notes": ["A note."],
        "fairness": [
            FairnessCheck(name="dates", fair=False, sentence="Too near."),
            FairnessCheck(name="questions", fair=True, sentence="The same 360 questions."),
        ],
        "routers": [one], "models": [change("m/x"), change("m/" + "long" * 30)],
    }  # fmt: skip
    return Drift(**base | fields)


def flat(text):
    return " ".join(text.split())


def test_verdict_then_cost_then_picks_then_what_to_look_at():
    text = flat(compare.render(make()))
    parts = [
        "It changed for the worse between 2026-03-01 and 2026-04-02.",
        "Cost per 1,000 questions: $1.00 in A, $1.50 in B: 50 % more (30-70).",
        "Another model was picked on 30 % of 360 questions",
        "To look at, not to conclude from: logic (1 of 2 categories).",
        "A note.",
        "Margin 3 points; 360 questions compared.",
        "A: first, 2026-03-01 10:00 UTC, complete, 360 of 360 questions",
        "Caution: Too near.",
        "The same 360 questions.",
        "-5.0 [-9.0, -1.0] 1.50x [1.30, 1.70]",
        "-200 ms [-300 ms, +100 ms]",
        "+1.50 s",
        "m/x 80.0 % 40.0 % -40.0",
        "m/x -> m/y: 150.5 questions",
        "logic 36 80.0 % -10.0 [-20.0, 0.0] picks",
    ]
    places = [text.index(part) for part in parts]
    assert places == sorted(places)
    assert "algebra" not in text


@pytest.mark.parametrize("width", [60, 80, 120])
def test_every_line_fits_but_long_names(width):
    lines = compare.render(make(), width).splitlines()
    assert max(cell_len(line) for line in lines if "long" not in line) <= width


def test_simulated_comes_first():
    assert compare.render(make(simulated=True)).startswith("*** SIMULATED ***")
    assert "**SIMULATED." in compare.markdown(make(simulated=True))


def test_nothing_that_stands_out_is_said():
    one = router(change(), strata=[router(change()).strata[0]])
    text = flat(compare.render(make(routers=[one])))
    assert "To look at: nothing stands out in 1 category." in text


def test_several_routers_have_their_sentence_each():
    second = router(change("auto-b"), sentence="The second did not change.")
    text = compare.render(make(routers=[router(change()), second]))
    assert "The second did not change." in text
    assert "Who answered for auto-b" in text


def test_what_is_not_comparable_still_tells_what_the_router_s_sentence_would_be():
    text = flat(compare.render(make(kind="not_comparable", sentence="Not comparable.")))
    assert text.startswith("Not comparable. - It changed for the worse")


@pytest.mark.parametrize("face", [compare.render, compare.markdown])
def test_text_of_others_does_nothing(face):
    bad = factory.NAME
    one = router(change(bad), sentence=f"{bad} changed.")
    text = face(make(routers=[one], sentence=one.sentence, run_a=side(bad)))
    assert "\x1b" not in text
    assert "\u202e" not in text
    if face is compare.markdown:
        assert "<b" not in text.replace("\\<b", "")
        assert "@octocat" not in text


def test_markdown_has_a_heading_and_a_row_for_each_arm():
    text = compare.markdown(make())
    assert text.startswith("### Routemark: two runs compared")
    assert "| Arm | Score A | B | Change, points \\[95 %\\] |" in text
    assert "| m/x | 70.0 % | 65.0 % |" in text


def test_files_are_written_by_their_ending(tmp_path):
    drift = make()
    for ending in (".json", ".md", ".txt"):
        compare.write(tmp_path / f"new/c{ending}", drift)
    assert msgspec.json.decode((tmp_path / "new/c.json").read_bytes(), type=Drift) == drift
    assert (tmp_path / "new/c.txt").read_text() == compare.render(drift)
    with pytest.raises(SettingsError, match=r"use \.json, \.md, \.txt"):
        compare.check_output("c.html")
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match="cannot be written"):
        compare.write(tmp_path / "file/c.md", drift)
