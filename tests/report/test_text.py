"""The terminal summary: fits, says all it must, and nothing in it acts."""

import msgspec
import pytest
from rich.cells import cell_len

import report_factory as factory
from routemark.report import text

ROWS = factory.make_rows()
SUMMARY = factory.make_summary(ROWS)


def render(run=None, summary=SUMMARY, **options) -> str:
    return text.render(run or factory.make_run(), summary, color=False, **options)


def flat(rendered: str) -> str:
    return " ".join(rendered.split())


@pytest.mark.parametrize("width", [50, 80, 120])
def test_every_line_fits_the_width(width):
    rendered = render(width=width, files=["runs/20261124-064828-demo/" + "long/" * 20 + "results.json"])
    assert max(cell_len(line) for line in rendered.split("\n")) <= width


def test_it_says_simulated_first_and_only_when_it_was():
    assert render().startswith("*** SIMULATED ***")
    real = msgspec.structs.replace(SUMMARY, verdict=msgspec.structs.replace(SUMMARY.verdict, notes=[]))
    assert "SIMULATED" not in render(factory.make_run(simulated=False), real)


def test_the_verdict_comes_before_every_figure():
    rendered = flat(render(factory.make_run(simulated=False)))
    assert rendered.startswith(f"{factory.ROUTER}: {SUMMARY.verdict.sentence}")
    assert SUMMARY.verdict.skill in rendered
    assert all(note in rendered for note in SUMMARY.verdict.notes)
    assert "Margin 3 points, 2026-11-24." in rendered
    assert "Smallest difference this run could tell: 9.8 points." in rendered


def test_every_arm_has_its_figures():
    rendered = flat(render())
    router = SUMMARY.arms[factory.ROUTER]
    low, high = router.accuracy_ci95
    assert f"{factory.ROUTER} {100 * router.accuracy:.1f} % [{100 * low:.1f}, {100 * high:.1f}]" in rendered
    assert f"${router.cost_per_1k_usd:.2f}" in rendered
    assert f"{router.latency_s.p50:.2f} s" in rendered
    assert f"{router.latency_s.p90:.1f} s" in rendered
    assert all(name in rendered for name in factory.MODELS)


def test_it_says_which_model_served_which_difficulty():
    rendered = flat(render())
    router = SUMMARY.arms[factory.ROUTER]
    model, total = max(router.model_usage.items(), key=lambda item: item[1])
    per = " ".join(str(router.by_difficulty[d].model_usage.get(model, 0)) for d in ("easy", "hard", "opt"))
    share = f"{total} of {router.succeeded} ({100 * total / router.succeeded:.1f} %)"
    assert f"Who answered for {factory.ROUTER}" in rendered
    assert f"{model} {share} {per}" in rendered


def test_comparisons_show_difference_and_cost_ratio_with_intervals():
    rendered = flat(render())
    pair = SUMMARY.comparisons[-1]
    low, high = (100 * bound for bound in pair.ci95)
    assert (
        f"{pair.arm} - {pair.baseline} {100 * pair.accuracy_difference:+.1f} [{low:+.1f}, {high:+.1f}]"
        in rendered
    )
    assert (
        f"{pair.cost_ratio:.2f}x [{pair.cost_ratio_ci95[0]:.2f}, {pair.cost_ratio_ci95[1]:.2f}]+" in rendered
    )
    assert "More than half of a cost rests on the dearest 5 % of the questions (here 6)" in rendered


def test_failures_and_oddities_are_counted():
    rendered = flat(render())
    failed = sum(arm.failed for arm in SUMMARY.arms.values())
    assert f"bad_gateway {failed}:" in rendered
    assert "2 cut off at the token limit: openrouter/auto 2" in rendered
    assert f"{failed} of unknown cost" in rendered
    assert "not graded" not in rendered
    assert " empty" not in rendered


def test_without_references_quality_says_not_graded():
    arms = {
        name: msgspec.structs.replace(
            arm, accuracy=None, accuracy_ci95=None, graded=0, ungraded=arm.succeeded
        )
        for name, arm in SUMMARY.arms.items()
    }
    rendered = render(summary=msgspec.structs.replace(SUMMARY, arms=arms, graded=False, comparisons=[]))
    assert rendered.count("not graded") == len(arms)
    assert "n/a" not in rendered.split("Who answered")[0]


def test_latencies_of_a_limited_client_are_all_marked():
    client = msgspec.structs.replace(factory.make_run().client, limited=True)
    rendered = render(factory.make_run(client=client), width=120)
    table = rendered.split("Arms")[1].split("Who answered")[0]
    assert table.count(" s*") + table.count(" ms*") == 3 * len(SUMMARY.arms)
    assert "read latencies as upper bounds" in flat(rendered)


def test_a_stopped_run_says_on_what_it_rests():
    summary = msgspec.structs.replace(SUMMARY, finished_questions=96, planned=480, total=384)
    rendered = flat(render(factory.make_run(status="stopped", stop_reason="budget of $5 reached"), summary))
    assert (
        "Stopped before the end: budget of $5 reached. Everything below rests on the first 96 finished"
        in rendered
    )
    assert "of 120 in plan order (384 of 480 planned trials)" in rendered
    assert "Still running." in render(factory.make_run(status="running"), summary)


def test_the_users_baseline_is_the_first_row():
    rendered = render(factory.make_run(settings={"baseline": "sim/condor-max"}))
    table = rendered.split("\nArms\n")[1]
    assert table.index("sim/condor-max") < table.index(factory.ROUTER)


def test_files_are_named():
    assert "\nFiles\n  runs/x/results.json\n  runs/x/report.html\n" in render(
        files=["runs/x/results.json", "runs/x/report.html"]
    )


def test_colour_only_when_asked():
    assert "\x1b" not in render()
    assert "\x1b[" in text.render(factory.make_run(), SUMMARY, color=True)


@pytest.mark.parametrize("attack", factory.HOSTILE.values(), ids=factory.HOSTILE)
def test_hostile_names_neither_act_nor_break_the_layout(attack):
    evil = factory.NAME + attack
    arms = {
        evil: msgspec.structs.replace(SUMMARY.arms[factory.ROUTER], failures={evil: 1}, model_usage={evil: 5})
    }
    pairs = [msgspec.structs.replace(SUMMARY.comparisons[0], arm=evil, baseline=evil)]
    verdict = msgspec.structs.replace(SUMMARY.verdict, sentence=evil, notes=[evil])
    summary = msgspec.structs.replace(SUMMARY, arms=arms, comparisons=pairs, verdict=verdict)
    rendered = render(factory.make_run(stop_reason=evil, status="stopped"), summary, files=[evil])
    assert not {"\x1b", "\x9b", "\x07", "\u202e", "\u2066", "\u200b"} & set(rendered)
    assert "[red]@octocat" in rendered
    assert max(cell_len(line) for line in rendered.split("\n")) <= 80


def test_of_a_run_without_any_finished_question_there_is_nothing_but_the_verdict():
    empty = msgspec.structs.replace(SUMMARY, total=0, planned=480, finished_questions=0, cost_usd=None)
    said = render(factory.make_run(status="running"), empty, files=["report.html"])
    assert "Still running." in said
    assert SUMMARY.verdict.sentence.split(":")[0] in said
    assert "report.html" in said
    assert not {"Arms", "Compared, question by question", "Model  Answers"} & set(said.split("\n"))


def test_the_verdict_begins_with_the_router_that_it_is_about():
    lines = render(factory.make_run(simulated=False), SUMMARY).split("\n")
    assert lines[0] == f"{factory.ROUTER}:"
