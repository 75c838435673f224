"""Flags from the wire to the rows, the summary, and every face of a report; and their documentation."""

import asyncio
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

import report_factory as factory
from lookalike import Lookalike, Reply, Request
from routemark import api
from routemark.report import markdown, text
from routemark.report.page import open_page
from routemark.wire.checks import FLAGS

ARM = "openrouter/auto?allowed_models=vendor/*"


def bent(request: Request, before: int) -> Reply:
    n = int(request.prompt.split()[2])
    if request.body["model"] == "vendor/model-a":
        return Reply(model="vendor/model-a-20260217", is_byok=n == 0)
    return Reply(
        model="other/model" if n < 2 else "vendor/model-b",
        headers={"X-OpenRouter-Cache-Status": "HIT" if n == 1 else "MISS"},
        tells_metadata=n != 3,
    )


def test_flags_stand_on_rows_and_are_counted_by_arm(tmp_path: Path) -> None:
    questions = [{"id": f"q{i}", "difficulty": "e", "question": f"What is {i} ?"} for i in range(5)]
    with Lookalike(bent) as server:
        settings: dict[str, Any] = {"runs_dir": str(tmp_path), "base_url": server.base_url}
        handle = asyncio.run(api.run(questions, arms=[ARM, "vendor/model-a"], **settings))
    flagged = {(row["id"], row["arm"]): row["flags"] for row in handle.table() if row["flags"]}
    assert flagged == {
        ("q0", ARM): ["outside_allowed_models"],
        ("q1", ARM): ["outside_allowed_models", "cache_hit"],
        ("q3", ARM): ["no_metadata"],
        ("q0", "vendor/model-a"): ["byok"],
    }
    arms = handle.summary.arms
    assert list(arms[ARM].flags.items()) == [
        ("outside_allowed_models", 2),
        ("cache_hit", 1),
        ("no_metadata", 1),
    ]
    assert arms["vendor/model-a"].flags == {"byok": 1}


@pytest.mark.parametrize("face", ["text", "markdown", "page"])
def test_every_face_says_how_many_and_what_it_means(tmp_path: Path, face: str) -> None:
    rows = factory.make_rows()
    summary = factory.make_summary(rows)

    def shown(summary: Any) -> str:
        if face == "page":
            factory.written(open_page, tmp_path / "r.html", factory.make_run(), summary, iter(rows))
            return (tmp_path / "r.html").read_text()
        if face == "markdown":
            return markdown.render(factory.make_run(), summary).replace("\\", "")
        return text.render(factory.make_run(), summary, color=False, width=400)

    assert "response cache" not in shown(summary)
    flagged = msgspec.structs.replace(summary.arms[factory.ROUTER], flags={"cache_hit": 3})
    other = msgspec.structs.replace(summary.arms["sim/heron-pro"], flags={"cache_hit": 1})
    arms = {**summary.arms, factory.ROUTER: flagged, "sim/heron-pro": other}
    said = re.sub("&#39;", "'", shown(msgspec.structs.replace(summary, arms=arms)))
    assert f"4 {FLAGS['cache_hit']}: {factory.ROUTER} 3, sim/heron-pro 1" in said


def test_every_flag_is_documented_in_its_own_words() -> None:
    page = (Path(__file__).parent.parent / "docs/audit-and-doctor.md").read_text()
    assert dict(re.findall(r"^\| `(\w+)` \| (.*) \|$", page, re.MULTILINE)) == FLAGS
