"""The comment on a pull request: all figures, and no text of others that formats, links or calls."""

import re

import msgspec
import pytest

import report_factory as factory
from routemark.report.markdown import escape, open_comment, render

ROWS = factory.make_rows()
SUMMARY = factory.make_summary(ROWS)


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("openrouter/auto?cost_tier=low", r"openrouter/auto?cost\_tier=low"),
        ("a | b", r"a \| b"),
        ("`code` *b* ~s~", r"\`code\` \*b\* \~s\~"),
        ("<img src=x>", r"\<img src=x\>"),
        ("[x](https://e.example)", "\\[x\\]\\(https://\u200be.example\\)"),
        ("![x](y)", r"\!\[x\]\(y\)"),
        ("@octocat", "@\u200boctocat"),
        ("see #12 and GH-12", "see \\#\u200b12 and GH\u200b-12"),
        ("www.evil.example", "w\u200bww.evil.example"),
        ("&lt; $x$", r"\&lt; \$x\$"),
        ("- item", r"\- item"),
        ("1. item", r"1\. item"),
        ("# head", r"\# head"),
        ("two\nlines \x1b[31mred", "two lines red"),
        ("back\\slash", r"back\\slash"),
    ],
)
def test_escape(text, escaped):
    assert escape(text) == escaped


def test_it_opens_on_simulated_and_verdict():
    lines = render(factory.make_run(), SUMMARY).splitlines()
    assert lines[2].startswith("> **SIMULATED.**")
    assert lines[4].startswith("**openrouter/auto: Cannot be told apart from sim/condor-max")


def test_tables_hold_every_arm_and_comparison_in_full_rows():
    rendered = render(factory.make_run(), SUMMARY)
    rows = [line for line in rendered.splitlines() if line.startswith("|")]
    arm = SUMMARY.arms["sim/condor-max"]
    assert any(row.startswith(f"| sim/condor-max | {100 * arm.accuracy:.1f} % [") for row in rows)
    assert sum(row.startswith("| openrouter/auto | sim/") for row in rows) == 3
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {5, 8, 6}


@pytest.mark.parametrize("attack", factory.HOSTILE.values(), ids=factory.HOSTILE)
def test_hostile_names_stay_in_their_cell(attack):
    evil = factory.NAME + attack
    arms = {evil: SUMMARY.arms[factory.ROUTER]}
    pairs = [msgspec.structs.replace(SUMMARY.comparisons[0], arm=evil, baseline=evil)]
    verdict = msgspec.structs.replace(SUMMARY.verdict, sentence=evil, notes=[evil])
    summary = msgspec.structs.replace(SUMMARY, arms=arms, comparisons=pairs, verdict=verdict)
    rendered = render(factory.make_run(), summary)
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rendered.splitlines() if row.startswith("|")} == {
        5,
        8,
        6,
    }
    own = re.sub(r"</?details>|</?summary>", "", rendered)
    assert not re.search(r"(?<!\\)[<`]|@\w|\w://\w|(?<!\\)\]\(", own)


def test_a_file_holds_the_same(tmp_path):
    factory.written(open_comment, tmp_path / "comment.md", factory.make_run(), SUMMARY, iter(ROWS))
    assert (tmp_path / "comment.md").read_text("utf-8") == render(factory.make_run(), SUMMARY)
