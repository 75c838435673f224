"""The documentation cannot lie: its commands run, its figures are what comes out, its links lead somewhere.

`python tests/test_docs.py` writes the demo's present output into the README.
"""

import functools
import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

import msgspec
import pytest

import runs
from routemark.config import Settings

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
DEMO = re.compile(r"(<!-- demo -->\n```text\n)(.*?)(```\n<!-- /demo -->)", re.DOTALL)


def demo_output(folder: Path) -> str:
    """Run what `scripts/demo` runs, in 80 columns."""
    (command,) = re.findall(
        r"^exec routemark (.*) \"\$@\"$", (ROOT / "scripts/demo").read_text(), re.MULTILINE
    )
    environ = {k: v for k, v in os.environ.items() if not k.startswith(("ROUTEMARK_", "OPENROUTER_"))}
    done = subprocess.run(
        [sys.executable, "-m", "routemark", *shlex.split(command), "--quiet"],
        cwd=folder,
        env={**environ, "COLUMNS": "80"},
        capture_output=True,
        text=True,
        timeout=180,
        check=True,
    )
    return done.stdout


def stable(text: str) -> list[str]:
    """Give what does not depend on the machine, the day and the run's name: all but times, dates and layout."""
    text = re.sub(r"\* The client itself.*?bounds\.\n", "", text, flags=re.DOTALL)
    for pattern, instead in [
        (r"\d+(\.\d+)? m?s\*?", "T"),
        (r"\d{4}-\d{2}-\d{2}", "DATE"),
        (r"runs/[\w-]+", "RUN"),
        (r"[─ ]+", " "),
    ]:
        text = re.sub(pattern, instead, text)
    return [line.strip() for line in text.splitlines() if line.strip()]


def test_the_readme_shows_what_the_demo_prints(tmp_path: Path) -> None:
    shown = DEMO.search(README.read_text())
    assert shown is not None
    assert stable(shown[2]) == stable(demo_output(tmp_path))


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", page.read_text(), re.DOTALL | re.MULTILINE)


def commands(page: Path) -> list[list[str]]:
    """Give the `routemark ...` command lines of a page's shell blocks."""
    lines = [line for block in blocks(page, "sh") for line in block.splitlines()]
    return [shlex.split(line, comments=True)[1:] for line in lines if line.startswith("routemark ")]


def inline_commands(page: Path) -> list[str]:
    return re.findall(r"`routemark ([a-z]+)[^`]*`", page.read_text())


@functools.cache
def help_of(command: str) -> str:
    """Give a command's help, or nothing when there is no such command."""
    done = runs.routemark(command, "--help", cwd=ROOT)
    return done.stdout if done.code == 0 else ""


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_and_option_that_is_named_exists(page: Path) -> None:
    for command, *arguments in commands(page):
        flags = [argument for argument in arguments if argument.startswith("-")]
        missing = [flag for flag in flags if not re.search(rf"(?<!\S){flag}(?!\S)", help_of(command))]
        assert not missing, f"{page.name}: routemark {command} has no {missing}"
    named = [command for command, *_ in commands(page)] + inline_commands(page)
    assert [command for command in named if not help_of(command)] == []


def test_options_in_the_readmes_table_exist() -> None:
    known = {"--" + field.name.replace("_", "-") for field in msgspec.structs.fields(Settings)}
    assert set(re.findall(r"`(--[a-z-]+)", README.read_text())) <= known | {"--help"}


def test_the_example_questions_are_valid(tmp_path: Path) -> None:
    (example,) = blocks(README, "json")
    assert [json.loads(line)["id"] for line in example.splitlines()] == ["q1", "q2"]
    (tmp_path / "my.jsonl").write_text(example)
    done = runs.routemark("validate", "my.jsonl", cwd=tmp_path)
    assert done.code == 0, done.stderr


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_to_files_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text()):
        assert target.startswith("https://") or (page.parent / target).exists(), target


def test_dependencies_are_explained_one_by_one() -> None:
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    names = {re.split(r"[><=;\[ ]", text)[0] for text in declared}
    table = (ROOT / "docs/dependencies.md").read_text()
    rows = re.findall(r"^\| ([\w, -]+) \|", table, re.MULTILINE)
    explained = {name.strip() for row in rows for name in row.split(",")} - {"library", "extra"}
    assert explained == names


def test_the_changelog_has_a_place_for_what_is_new() -> None:
    assert "## [Unreleased]" in (ROOT / "CHANGELOG.md").read_text()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        output = demo_output(Path(scratch))
    README.write_text(
        DEMO.sub(lambda found: found[1] + output.rstrip("\n") + "\n" + found[3], README.read_text())
    )
